//! Checks the documents against the code: the commands of the README and the tutorial run and print
//! what is shown, and the tables of `docs/CONFIGURATION.md` and `docs/API.md` are complete.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use stampcard::config::DEFAULTS;
use stampcard::domain::{Day, RedemptionCode, Timestamp};
use stampcard::error::{Code, Surface};
use stampcard::http::{Access, ROUTES};

const README: &str = include_str!("../README.md");
const TUTORIAL: &str = include_str!("../docs/TUTORIAL.md");
const CONFIGURATION: &str = include_str!("../docs/CONFIGURATION.md");
const API: &str = include_str!("../docs/API.md");

/// Most words of the README. What does not fit belongs under docs.
const WORDS_MAX: usize = 1_500;

/// The program and the address in the documents' commands.
const CARGO_RUN: &str = "cargo run --release --";
const ADDRESS: &str = "127.0.0.1:8080";

/// Fields whose values differ between runs.
const IDS: &[&str] = &["id", "offer", "program_id", "partnerId", "conversationId"];
const TIMES: &[&str] = &["expiresAt", "createdAt"];
/// Times without a fraction where it is zero.
const SHORT_TIMES: &[&str] = &["last_activity_at"];
const DAYS: &[&str] = &["startDate", "endDate"];
const TOKENS: &[&str] = &["accessToken"];
/// The same, in Unix milliseconds.
const MILLIS: &[&str] = &["startTime", "endTime"];

#[test]
fn the_readme_stays_short() {
    let words = README.split_whitespace().count();
    assert!(
        words <= WORDS_MAX,
        "README.md has {words} words, more than {WORDS_MAX}: move something to docs"
    );
}

#[test]
fn the_first_requests_and_the_tutorial_run_and_answer_as_shown() {
    require_tools(&["bash", "curl", "jq"]);
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut all = steps(README);
    all.extend(steps(TUTORIAL));
    let steps = all;
    assert!(
        steps.len() >= 10,
        "only {} steps are marked to be run",
        steps.len()
    );
    let outputs = run(folder.path(), &server.address, &steps);
    let mut names = HashMap::new();
    for (step, output) in steps.iter().zip(&outputs) {
        match &step.shown {
            Some(Shown::Json(shown)) => {
                let given: Value = serde_json::from_str(output)
                    .unwrap_or_else(|error| panic!("{error}: {output}\n{}", step.command));
                let difference = compare("", shown, &given, &mut names);
                assert_eq!(difference, Ok(()), "{}\n{given:#}", step.command);
            }
            Some(Shown::Text(shown)) => {
                assert_eq!(without_numbers(shown), without_numbers(output));
            }
            None => assert_eq!(output, "", "{}", step.command),
        }
    }
}

#[test]
fn the_configuration_table_is_that_of_config_toml() {
    let expected: BTreeMap<String, Vec<String>> = settings(DEFAULTS)
        .map(|(key, default)| {
            let variable = format!("STAMPCARD_{}", key.replace('.', "__").to_uppercase());
            let unset = if key.starts_with("bootstrap.") {
                "random"
            } else {
                "not set"
            };
            let default = default.map_or(unset.to_owned(), |default| format!("`{default}`"));
            (format!("`{key}`"), vec![format!("`{variable}`"), default])
        })
        .collect();
    let found: BTreeMap<String, Vec<String>> = rows(CONFIGURATION, "## All settings")
        .map(|mut cells| {
            assert!(
                cells.len() == 5 && cells.iter().all(|cell| !cell.is_empty()),
                "{cells:?}"
            );
            cells.truncate(3);
            (cells.remove(0), cells)
        })
        .collect();
    for mut cells in rows(README, "## Configuration") {
        let name = cells.remove(0);
        assert_eq!(Some(&cells), expected.get(&name), "{name} in the README");
    }
    assert_eq!(found, expected);
}

#[test]
fn the_table_of_error_codes_is_complete() {
    let expected: Vec<Vec<String>> = Code::ALL
        .iter()
        .map(|code| {
            let (status, name) = code.on(Surface::Expys);
            vec![
                format!("`{name}`"),
                status.to_string(),
                code.meaning().to_owned(),
            ]
        })
        .collect();
    let found: Vec<Vec<String>> = rows(API, "### Codes").collect();
    assert_eq!(found, expected);
}

#[test]
fn the_table_of_the_other_surfaces_codes_is_complete() {
    let expected: Vec<Vec<String>> = Code::ALL
        .iter()
        .map(|code| {
            let on = |surface| {
                let (status, name) = code.on(surface);
                format!("{status} `{name}`")
            };
            let (_, name) = code.on(Surface::Expys);
            vec![
                format!("`{name}`"),
                on(Surface::Scrip),
                on(Surface::Bullseye),
            ]
        })
        .collect();
    let found: Vec<Vec<String>> = rows(API, "### Codes of the other surfaces").collect();
    assert_eq!(found, expected);
}

#[test]
fn the_table_of_routes_is_complete() {
    let expected: Vec<Vec<String>> = ROUTES
        .iter()
        .map(|route| {
            let access = match route.access {
                Access::Public => "public",
                Access::OrgKey => "key",
                Access::KeyOrMember => "key or token",
                Access::Member => "token",
                Access::PartnerKey => "partner key",
            };
            vec![
                route.method.to_owned(),
                format!("`{}`", route.path),
                access.to_owned(),
            ]
        })
        .collect();
    let found: Vec<Vec<String>> = rows(API, "## Routes")
        .map(|mut cells| {
            cells.truncate(3);
            cells
        })
        .collect();
    assert_eq!(found, expected);
}

/// A server started with the README's command, on a free port.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let block = marked(README, "<!-- start -->")
            .next()
            .expect("the README starts a server");
        assert!(block.body.contains(ADDRESS) && block.body.contains(CARGO_RUN));
        // `exec`, so that the child is the server and not its shell.
        let script = block
            .body
            .replace(CARGO_RUN, concat!("exec ", env!("CARGO_BIN_EXE_stampcard")))
            .replace(ADDRESS, "127.0.0.1:0");
        let mut child = bash(folder)
            .args(["-euc", &script])
            .env("STAMPCARD_LOG__LEVEL", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash starts");
        let output = child.stdout.take().expect("the output is piped");
        let address = BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("listening on http://")?.1.to_owned()));
        let server = Self {
            child,
            address: address.unwrap_or_default(),
        };
        assert!(!server.address.is_empty(), "the server prints its address");
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The output shown under a command.
enum Shown {
    Json(Value),
    Text(String),
}

struct Step {
    command: String,
    shown: Option<Shown>,
}

/// The commands marked to be run, each with the output shown right after it, if any.
fn steps(document: &str) -> Vec<Step> {
    marked(document, "<!-- run -->")
        .map(|block| {
            let shown = block
                .rest
                .trim_start()
                .starts_with("```")
                .then(|| fenced(block.rest))
                .flatten()
                .and_then(|answer| match answer.language {
                    "json" => Some(Shown::Json(
                        serde_json::from_str(answer.body).expect("an answer shown is JSON"),
                    )),
                    "text" => Some(Shown::Text(answer.body.trim().to_owned())),
                    _ => None,
                });
            Step {
                command: block.body.to_owned(),
                shown,
            }
        })
        .collect()
}

/// Runs the commands in one shell, so that variables persist, and returns the output of each.
fn run(folder: &Path, address: &str, steps: &[Step]) -> Vec<String> {
    const MARK: &str = "\u{1}";
    let mut script = String::from("set -euo pipefail\n");
    for step in steps {
        let command = step
            .command
            .replace(CARGO_RUN, env!("CARGO_BIN_EXE_stampcard"))
            .replace(ADDRESS, address);
        script.extend([&command, "\nprintf '", MARK, "'\n"]);
    }
    let mut shell = bash(folder)
        .arg("-s")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash starts");
    let mut input = shell.stdin.take().expect("the input is piped");
    input.write_all(script.as_bytes()).expect("bash reads");
    drop(input);
    let Output {
        status,
        stdout,
        stderr,
    } = shell.wait_with_output().expect("bash ends");
    let stdout = String::from_utf8(stdout).expect("the output is UTF-8");
    let mut outputs: Vec<String> = stdout
        .split(MARK)
        .map(|text| text.trim().to_owned())
        .collect();
    let last = outputs.pop().unwrap_or_default();
    let failed = steps.get(outputs.len());
    assert!(
        status.success() && failed.is_none(),
        "a command of the documents failed ({status}):\n{}\n{last}\n{}",
        failed.map_or("", |step| &step.command),
        String::from_utf8_lossy(&stderr)
    );
    outputs
}

/// A shell that inherits no settings of the server or of curl.
fn bash(folder: &Path) -> Command {
    std::fs::write(folder.join(".curlrc"), "max-time = 30\nnoproxy = *\n").expect("it is writable");
    let mut bash = Command::new("bash");
    bash.current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder);
    bash
}

fn require_tools(tools: &[&str]) {
    for tool in tools {
        let found = Command::new(tool)
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        assert!(
            found.is_ok_and(|status| status.success()),
            "this test runs the README's commands and needs {tool}: install it"
        );
    }
}

/// Fails where two responses differ. `names` maps each id shown to the id returned.
fn compare(
    path: &str,
    shown: &Value,
    given: &Value,
    names: &mut HashMap<String, String>,
) -> Result<(), String> {
    match (shown, given) {
        (Value::Object(shown), Value::Object(given)) => {
            let keys = |map: &serde_json::Map<String, Value>| {
                let mut keys: Vec<_> = map.keys().cloned().collect();
                keys.sort();
                keys
            };
            if keys(shown) != keys(given) {
                return Err(format!(
                    "{path}: {:?} shown, {:?} given",
                    keys(shown),
                    keys(given)
                ));
            }
            shown
                .iter()
                .try_for_each(|(key, value)| compare(key, value, &given[key], names))
        }
        (Value::Array(shown), Value::Array(given)) if shown.len() == given.len() => shown
            .iter()
            .zip(given)
            .try_for_each(|(shown, given)| compare(path, shown, given, names)),
        (Value::String(shown), Value::String(given)) if is_alike(path, shown, given, names) => {
            Ok(())
        }
        (Value::Number(shown), Value::Number(given)) if MILLIS.contains(&path) => {
            let is_recent = |at: &serde_json::Number| at.as_i64() > Some(1_700_000_000_000);
            (is_recent(shown) && is_recent(given))
                .then_some(())
                .ok_or_else(|| format!("{path}: {shown} shown, {given} given"))
        }
        _ if shown == given => Ok(()),
        _ => Err(format!("{path}: {shown} shown, {given} given")),
    }
}

/// Whether a value that differs between runs has the format of the value shown.
fn is_alike(field: &str, shown: &str, given: &str, names: &mut HashMap<String, String>) -> bool {
    if IDS.contains(&field) {
        let prefix = |id: &str| id.split_once('_').map(|(prefix, _)| prefix.to_owned());
        let name = names.entry(shown.to_owned()).or_insert(given.to_owned());
        name == given && prefix(shown) == prefix(given) && shown.len() == given.len()
    } else if TIMES.contains(&field) {
        let is_ours = |text: &str| Timestamp::parse(text).is_some_and(|at| at.to_string() == text);
        is_ours(shown) && is_ours(given)
    } else if SHORT_TIMES.contains(&field) {
        let is_ours = |text: &str| Timestamp::parse(text).is_some_and(|at| at.to_short() == text);
        is_ours(shown) && is_ours(given)
    } else if DAYS.contains(&field) {
        let is_day = |text: &str| Day::parse(text).is_some_and(|day| day.to_string() == text);
        is_day(shown) && is_day(given)
    } else if TOKENS.contains(&field) {
        shown.starts_with("v4.local.") && given.starts_with("v4.local.")
    } else if field == "code" {
        let is_code =
            |text: &str| RedemptionCode::parse(text).is_some_and(|code| code.as_str() == text);
        is_code(shown) && is_code(given)
    } else {
        false
    }
}

fn without_numbers(text: &str) -> String {
    let words = text.split(|c: char| c.is_ascii_digit());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("#")
}

/// A fenced block and what follows it.
struct Block<'a> {
    language: &'a str,
    body: &'a str,
    rest: &'a str,
}

/// The fenced blocks right after a marker.
fn marked<'a>(document: &'a str, marker: &str) -> impl Iterator<Item = Block<'a>> {
    document
        .split(marker)
        .skip(1)
        .map(|after| fenced(after).expect("a block follows its marker"))
}

/// The first fenced block of a text.
fn fenced(text: &str) -> Option<Block<'_>> {
    let (_, after) = text.split_once("```")?;
    let (language, after) = after.split_once('\n')?;
    let (body, rest) = after.split_once("\n```")?;
    Some(Block {
        language,
        body,
        rest,
    })
}

/// The cells of the first table under a heading, without its header.
fn rows<'a>(document: &'a str, heading: &str) -> impl Iterator<Item = Vec<String>> + use<'a> {
    let (_, section) = document
        .split_once(&format!("\n{heading}\n"))
        .expect("the document has this heading");
    section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
}

/// Every setting of a settings file with its default, or `None` if the line is commented out.
fn settings(text: &str) -> impl Iterator<Item = (String, Option<String>)> {
    let mut section = "";
    text.lines().filter_map(move |line| {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name;
            return None;
        }
        let (key, value) = line.split_once(" = ")?;
        let name = key.trim_start_matches("# ");
        let is_name = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let default = value.split(" #").next().unwrap_or_default().trim();
        let default = (name == key).then(|| default.trim_matches('"').to_owned());
        (is_name && !section.is_empty()).then(|| (format!("{section}.{name}"), default))
    })
}
