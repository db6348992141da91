//! Modules of the page's code, tested in a browser without a server.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde_json::json;

use crate::driver::{Browser, is_required, say};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/dashboard/assets");

/// Serves the source modules, below an empty page.
struct Sources {
    base: String,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sources {
    fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                // Unused connections that the browser opens are ignored.
                let _ = answer(stream);
            }
        });
        Self {
            base,
            is_over,
            thread: Some(thread),
        }
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.base.trim_start_matches("http://"));
        let _ = self.thread.take().unwrap().join();
    }
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(std::time::Duration::from_millis(500)))?;
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.ends_with(b"\r\n\r\n") {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        head.extend_from_slice(&buffer[..count]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or("/");
    let (kind, body) = match path {
        "/" => (
            "text/html",
            "<!doctype html><title>Modules</title>".to_owned(),
        ),
        _ => (
            "text/javascript",
            std::fs::read_to_string(format!("{FOLDER}{path}")).unwrap_or_default(),
        ),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}; charset=utf-8\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )
}

/// A chart that changes two hundred times holds no more nodes or listeners than before.
const FLAT: &str = "
const { chart } = await import('/lib/charts.js');
const count = 720;
const what = (turn, length) => ({
  title: 'Points', period: 'A month', summary: `${turn}`, file: 'points', column: 'From', unit: 'p',
  count: length, keyOf: (row) => row * 3600000, nameOf: (row) => `row ${row}`,
  rangeOf: (row) => `row ${row}`, tickOf: (row) => `${row}`, machineOf: (row) => `${row}`,
  axis: { kind: 'time', interval: 'hour',
    walls: Array.from({ length }, (_, row) => row * 3600000) },
  series: ['bar', 'line', 'area'].map((kind) => ({ name: kind, kind, tone: 'minted', unit: 'p',
    values: Array.from({ length }, (_, row) => row % 7 === 3 ? null : row * turn % 50) })),
  openAt: length - 1, openText: 'not finished', notes: [`turn ${turn}`],
});
document.body.innerHTML = '';
const made = chart(what(1, count));
document.body.append(made.element);
await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
made.element.querySelector('details').open = true;
const plot = made.element.querySelector('.plot');
const press = (key) => plot.dispatchEvent(new KeyboardEvent('keydown', { key }));
press('Home');
const frames = () => new Promise((done) => setTimeout(done, 20));
await frames();
const size = () => document.querySelectorAll('*').length;
const kept = [...made.element.querySelectorAll('svg, path, tr, .tip')];
const before = size();
for (let turn = 2; turn < 200; turn += 1) made.update(what(turn, count));
made.update(what(1, count));
check(size() === before, `${before} elements, then ${size()}`);
check(kept.every((each) => each.isConnected), 'an element was replaced');
check(!made.element.querySelector('.tip').hidden, 'the tip went');
check(plot.ariaValueText.startsWith('row 0'), plot.ariaValueText);
// The selected point is found again in another window, or the selection is cleared.
press('End');
const last = plot.ariaValueText;
made.update(what(1, count + 24));
check(plot.ariaValueText === last.replace('; not finished', ''), plot.ariaValueText);
made.update(what(1, 3));
check(made.element.querySelectorAll('tbody tr').length === 3, 'rows');
for (const [key, row] of [['Home', 0], ['ArrowRight', 1], ['ArrowLeft', 0], ['ArrowLeft', 0],
    ['End', 2], ['PageUp', 1], ['PageDown', 2], ['ArrowUp', 2]]) {
  press(key);
  check(plot.ariaValueNow === `${row}`, `${key}: ${plot.ariaValueNow}`);
}
// Nothing at all, and nothing but zeros.
made.update(what(0, 5));
made.update(what(1, 0));
check(made.element.querySelectorAll('tbody tr').length === 0, 'none');
check(made.element.textContent.includes('NaN') === false, made.element.textContent);
for (const path of made.element.querySelectorAll('path')) {
  check(!path.getAttribute('d').includes('NaN'), path.getAttribute('d'));
}
// Five hundred categories: the largest that fit are shown, with a remark.
made.update({ ...what(1, 500), axis: { kind: 'category' }, openAt: -1 });
check(made.element.textContent.includes('largest of 500'), made.element.textContent.slice(0, 200));
";

#[test]
fn a_chart_that_changes_has_no_more_of_anything() {
    check(&[FLAT]);
}

/// Runs scripts in a page with the modules. They call `check(holds, what)` for each check.
pub(crate) fn check(scripts: &[&str]) {
    let sources = Sources::serve();
    let Some(browser) = Browser::open(&sources.base) else {
        return;
    };
    browser.goto("/");
    for script in scripts {
        let problems = browser.run(&format!(
            "const problems = []; let checks = 0; \
             const check = (holds, what) => {{ \
             checks += 1; if (!holds && problems.length < 9) problems.push(what); }}; \
             try {{ {script} }} catch (error) {{ problems.push(`${{error.stack}}`); }} \
             if (checks < 15) problems.push(`only ${{checks}} checks`); return problems;"
        ));
        assert_eq!(problems, json!([]));
    }
}

/// The tests that need no page either: `tests/dashboard`, run by Node.
#[test]
fn what_needs_no_page_is_right_on_its_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if let Err(problem) = node() {
        assert!(!is_required(), "{problem}");
        say(&format!("SKIPPED: tests/dashboard; {problem}"));
        return;
    }
    let mut tests: Vec<PathBuf> = std::fs::read_dir(root.join("tests/dashboard"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".test.js"))
        .collect();
    tests.sort();
    assert!(tests.len() > 5, "{tests:?}");
    let mut command = Command::new("node");
    let run = command.arg("--test").args(&tests).current_dir(root);
    let output = run.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

/// Whether a sufficiently new Node is installed, or why not.
fn node() -> Result<(), String> {
    let output = Command::new("node").arg("--version").output();
    let output = output.map_err(|error| format!("node cannot be started: {error}"))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next();
    match major.and_then(|text| text.parse::<u32>().ok()) {
        Some(18..) => Ok(()),
        _ => Err(format!("node 18 or newer is needed, this is {version}")),
    }
}
