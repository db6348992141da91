//! Load from wrk (Debian: `wrk`) on the second core, and its results.

use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use super::{KEY, Target, median};

/// A request that is repeated: a script for wrk that prepares the requests.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    script: String,
}

impl Scenario {
    /// The same request each time.
    pub(crate) fn get(name: &str, path: &str) -> Self {
        Self::get_with(name, path, KEY)
    }

    /// The same request with another key.
    pub(crate) fn get_with(name: &str, path: &str, key: &str) -> Self {
        let script = format!(
            "wrk.headers['Authorization'] = 'Bearer {key}'\nwrk.path = '{path}'\n\
             wrk.method = 'GET'\n"
        );
        let name = name.to_owned();
        Self { name, script }
    }

    /// A path that ends with a random member.
    pub(crate) fn get_member(name: &str, path: &str, members: u64) -> Self {
        let next = Self::next_get(path, members);
        let setup = setup();
        let script = format!("{setup}request = function()\n n = n + 1\n return {next}\nend\n");
        let name = name.to_owned();
        Self { name, script }
    }

    /// A write for a random member, each with its own Idempotency-Key.
    pub(crate) fn post_member(name: &str, path: &str, fields: &str, members: u64) -> Self {
        let next = Self::next_post(path, fields, members);
        let setup = setup();
        let script = format!("{setup}request = function()\n n = n + 1\n return {next}\nend\n");
        let name = name.to_owned();
        Self { name, script }
    }

    /// Redemptions, each canceled as soon as it is confirmed: a member can hold an offer only once,
    /// so redemptions alone would soon be refused.
    pub(crate) fn redeem_and_cancel(name: &str, offers: &[String], members: u64) -> Self {
        let offers = offers.join("','");
        let setup = setup();
        let script = format!(
            "{setup}local offers = {{'{offers}'}}\nlocal ids, first, last = {{}}, 1, 0\n\
             response = function(status, headers, body)\n\
             \x20if status == 201 then\n  last = last + 1\n\
             \x20 ids[last] = body:match('\"id\":\"(rdm_[^\"]+)\"')\n end\nend\n\
             request = function()\n n = n + 1\n\
             \x20if first <= last then\n  local id = ids[first]\n  ids[first] = nil\n\
             \x20 first = first + 1\n\
             \x20 return post('/v1/redemptions/' .. id .. '/cancel', '{{}}')\n end\n\
             \x20pair = pair + 1\n\
             \x20return post('/v1/redemptions', string.format(\n\
             \x20 '{{\"externalUserID\":\"m%d\",\"offer\":\"%s\"}}', pair % {members},\n\
             \x20 offers[math.floor(pair / {members}) % #offers + 1]))\nend\n"
        );
        let name = name.to_owned();
        Self { name, script }
    }

    /// One credit in ten requests; the others are reads of these paths and of members.
    pub(crate) fn mixed(name: &str, paths: &[String], of_members: &[&str], members: u64) -> Self {
        let credit = Self::next_post("/v1/wallet/credit", ",\"amount\":1", members);
        let fixed = paths
            .iter()
            .map(|path| format!("function() return wrk.format('GET', '{path}', key) end"));
        let reads: Vec<String> = of_members
            .iter()
            .map(|path| format!("function() return {} end", Self::next_get(path, members)))
            .chain(fixed)
            .collect();
        let reads = reads.join(",\n ");
        let setup = setup();
        let script = format!(
            "{setup}local reads = {{{reads}}}\nrequest = function()\n n = n + 1\n\
             \x20if n % 10 == 0 then return {credit} end\n\
             \x20return reads[math.random(#reads)]()\nend\n"
        );
        let name = name.to_owned();
        Self { name, script }
    }

    /// Lists, searches, writes and new programs, equally often and as fast as the server answers.
    pub(crate) fn flood(members: u64) -> Self {
        let search = Self::next_get("/v1/members?limit=20&search=member%20", members);
        let credit = Self::next_post("/v1/wallet/credit", ",\"amount\":1", members);
        let setup = setup();
        let script = format!(
            "{setup}local kinds = {{\n\
             \x20function() return wrk.format('GET', '/v1/members?limit=100', key) end,\n\
             \x20function() return {search} end,\n\
             \x20function() return {credit} end,\n\
             \x20function() return post('/v1/programs', '{{\"name\":\"Program\"}}') end}}\n\
             request = function()\n n = n + 1\n return kinds[n % 4 + 1]()\nend\n"
        );
        let name = "flood".to_owned();
        Self { name, script }
    }

    fn next_get(path: &str, members: u64) -> String {
        format!("wrk.format('GET', '{path}' .. math.random(0, {members} - 1), key)")
    }

    fn next_post(path: &str, fields: &str, members: u64) -> String {
        format!(
            "post('{path}', string.format('{{\"externalUserID\":\"m%d\"{fields}}}', \
             math.random(0, {members} - 1)))"
        )
    }
}

/// Shared code of the scripts: a counter, and a POST with its own key.
fn setup() -> String {
    format!("local credential = 'Bearer {KEY}'\n{SETUP}")
}

const SETUP: &str = "\
math.randomseed(os.time())
local run = math.random(1, 1000000000) .. '-' .. tostring({}):sub(8) .. '-'
local n, pair = math.random(0, 1000000), 0
local key = {['Authorization'] = credential}
local function post(path, body)
 return wrk.format('POST', path, {
  ['Authorization'] = credential, ['Content-Type'] = 'application/json',
  ['Idempotency-Key'] = run .. n }, body)
end
";

/// wrk's results of one round, and the processor time of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) requests: f64,
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Microseconds of processor time per request.
    pub(crate) cpu_us: f64,
}

/// The median of one of the fields.
pub(crate) fn median_of(seen: &[Seen], field: impl Fn(&Seen) -> f64) -> f64 {
    median(seen.iter().map(field).collect())
}

/// A load for a server, and the folder with its script.
pub(crate) fn command(
    target: Target,
    scenario: &Scenario,
    clients: u32,
    seconds: u32,
) -> (TempDir, Command) {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("scenario.lua");
    std::fs::write(&script, &scenario.script).unwrap();
    let mut command = Command::new("taskset");
    command
        .args(["-c", "1", "wrk", "--latency", "-t1"])
        .args([format!("-c{clients}"), format!("-d{seconds}s")])
        .arg("-s")
        .arg(&script)
        .arg(format!("http://{}", target.address));
    (folder, command)
}

/// Runs the load against a server.
pub(crate) fn load(target: Target, scenario: &Scenario, clients: u32, seconds: u32) -> Seen {
    let (_folder, mut command) = command(target, scenario, clients, seconds);
    let (start, before) = (Instant::now(), target.cpu_seconds());
    let output = command.output().expect("wrk and taskset are installed");
    let (elapsed, cpu) = (start.elapsed(), target.cpu_seconds() - before);
    let text = String::from_utf8(output.stdout).unwrap();
    let is_good = output.status.success() && !text.contains("Non-2xx");
    assert!(is_good, "{}: {text}", scenario.name);
    assert!(!text.contains("Socket errors"), "{}: {text}", scenario.name);
    let per_second = per_second(&text);
    assert!(per_second > 0.0, "{}: {text}", scenario.name);
    Seen {
        requests: requests(&text),
        per_second,
        p50_ms: milliseconds(field(&text, "50%")),
        p99_ms: milliseconds(field(&text, "99%")),
        cpu_us: 1e6 * cpu / (per_second * elapsed.as_secs_f64()),
    }
}

/// The rate that wrk printed.
pub(crate) fn per_second(text: &str) -> f64 {
    field(text, "Requests/sec:").parse().unwrap()
}

/// The number before "requests in".
fn requests(text: &str) -> f64 {
    let line = text.lines().find(|line| line.contains(" requests in "));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.unwrap().parse().unwrap()
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with(name));
    line.unwrap_or_else(|| panic!("wrk printed no {name}: {text}"))
        .split_whitespace()
        .nth(1)
        .unwrap()
}

/// Parses `1.23ms`, `456.00us` or `1.20s`.
fn milliseconds(text: &str) -> f64 {
    let number = |end: &str| text.strip_suffix(end)?.parse::<f64>().ok();
    number("us")
        .map(|us| us / 1e3)
        .or_else(|| number("ms"))
        .or_else(|| number("s").map(|s| s * 1e3))
        .unwrap()
}
