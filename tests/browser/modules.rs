//! The parts of the page's code that need no page, on their own.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde_json::json;

use crate::driver::Browser;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/dashboard/assets");

/// Serves the modules as they stand in the sources, below an empty page.
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
                // A connection that the browser opens and does not use is none of our concern.
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

/// What clocks show, and back: against a clock that is asked at every single moment.
const TIME: &str = "
const { wallOf, wallsOf, momentOf, movedBack } = await import('/charts/time.js');
const HOUR = 3600000;
for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata',
    'Africa/Casablanca', 'Pacific/Apia', 'UTC']) {
  for (const year of [2011, 2026]) {
    const times = [];
    for (let time = Date.UTC(year, 0, 1); time < Date.UTC(year + 1, 0, 1); time += HOUR) {
      times.push(time);
    }
    const walls = wallsOf(times, zone);
    const clock = new Intl.DateTimeFormat('sv-SE',
      { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
    for (const at of walls.keys()) {
      const text = new Date(walls[at]).toISOString().slice(0, 19).replace('T', ' ');
      const shown = clock.format(times[at]);
      check(text === shown, `${zone}: ${shown}: ${text}`);
      if (at % 50 === 0 || walls[at] - walls[at - 1] !== HOUR) {
        const back = momentOf(walls[at], zone);
        check(wallOf(back, zone) === walls[at] && back <= times[at], `${zone}: ${text} and back`);
      }
    }
  }
}
const at = (text) => Date.parse(`${text}Z`);
// What is skipped moves later; what comes twice is the first one.
check(momentOf(at('2026-03-29T02:30'), 'Europe/Berlin') === at('2026-03-29T01:30'), 'gap');
check(momentOf(at('2026-10-25T02:30'), 'Europe/Berlin') === at('2026-10-25T00:30'), 'fold');
check(movedBack(at('2025-02-28T05:00'), { months: 12 }) === at('2024-02-28T05:00'), 'a year');
check(movedBack(at('2024-02-29T05:00'), { months: 12 }) === null, 'no such day');
check(wallsOf([], 'UTC').length === 0, 'none');
";

/// Points, ticks and pairs.
const SHAPES: &str = "
const { valueTicks, timeTicks } = await import('/charts/scale.js');
const { group, pointsIn, sums, POINTS_MAX } = await import('/charts/thin.js');
const { pair, sideBySide } = await import('/charts/align.js');
const { wallsOf } = await import('/charts/time.js');
for (const top of [0, 1, 2, 3, 5, 7, 12, 99, 100, 101, 12345, 999999, 2 ** 53 - 1]) {
  const ticks = valueTicks(top);
  check(ticks[0] === 0 && ticks.at(-1) >= top && ticks.length <= 8, `${top}: ${ticks}`);
  check(ticks.every((tick) => Number.isInteger(tick)), `${top}: ${ticks}`);
}
const HOUR = 3600000;
const hours = (from, count) => Array.from({ length: count }, (_, at) => from + at * HOUR);
// A year of hours with both changes of the clocks: no point is lost, none is counted twice.
const year = hours(Date.parse('2025-12-01T00:00+01:00'), 8760);
const walls = wallsOf(year, 'Europe/Berlin');
for (const [width, lines] of [[1150, 2], [1150, 1], [340, 2], [4000, 2], [40, 1]]) {
  const limit = pointsIn(width, lines);
  check(limit * lines <= POINTS_MAX, `${limit}`);
  const { starts } = group(walls, 'hour', limit);
  check(starts.length - 1 <= limit && starts.at(-1) === 8760, `${width}: ${starts.length}`);
  const values = year.map((_, at) => at % 13);
  const total = sums(values, starts).reduce((sum, value) => sum + value, 0);
  check(total === values.reduce((sum, value) => sum + value, 0), `${width}: ${total}`);
  const marks = timeTicks(starts.slice(0, -1).map((at) => walls[at]), 'hour', 12);
  check(marks.at.length > 0 && marks.at.length <= 12, JSON.stringify(marks));
}
const days = group(walls, 'hour', 400);
check(days.size === 24 && days.starts.length === 366, `${days.starts.length}`);
const lengths = days.starts.slice(1).map((start, at) => start - days.starts[at]);
check(lengths.filter((length) => length === 23).length === 1, 'the day of 23 hours');
check(lengths.filter((length) => length === 25).length === 1, 'the day of 25 hours');
check(sums([null, 1, null, null], [0, 2, 4]).join() === '1,', 'none stays none');
// The day before and the day of a change, in each direction.
const on = (zone) => ({ zone, interval: 'hour', shift: { span: 24 * HOUR } });
const short = hours(Date.parse('2026-03-29T00:00+01:00'), 23);
const before = hours(Date.parse('2026-03-28T00:00+01:00'), 24);
const gap = pair(short, before, on('Europe/Berlin'));
check(gap[1] === 1 && gap[2] === 3 && gap[22] === 23, `${gap}`);
const after = pair(hours(Date.parse('2026-03-30T00:00+02:00'), 24), short, on('Europe/Berlin'));
check(after[1] === 1 && after[2] === -1 && after[3] === 2, `${after}`);
const long = hours(Date.parse('2026-10-25T00:00+02:00'), 25);
const fold = pair(long, hours(Date.parse('2026-10-24T00:00+02:00'), 24), on('Europe/Berlin'));
check(fold[2] === 2 && fold[3] === -1 && fold[4] === 3 && fold[24] === 23, `${fold}`);
const next = hours(Date.parse('2026-10-26T00:00+01:00'), 24);
const later = pair(next, long, on('Europe/Berlin'));
check(later[2] === 2 && later[3] === 4 && later[23] === 24, `${later}`);
const day = (text) => Date.parse(`${text}T00:00Z`);
const leap = pair([day('2024-02-28'), day('2024-02-29'), day('2024-03-01')],
  [day('2023-02-28'), day('2023-03-01')],
  { zone: 'UTC', interval: 'day', shift: { months: 12 } });
check(leap.join() === '0,-1,1', `${leap}`);
// Rows that have not begun are not shown; one that has is not finished.
const row = (startTime, signups) =>
  ({ startTime, endTime: startTime + HOUR, signups, pointsMinted: 0, pointsSpent: 0 });
const shown = sideBySide({ now: [row(0, 1), row(HOUR, 0), row(2 * HOUR, 0)], then: null,
  ...on('UTC'), present: HOUR + 5 });
check(shown.now.length === 2 && shown.openAt === 1, JSON.stringify(shown));
";

#[test]
fn what_needs_no_page_is_right_on_its_own() {
    let sources = Sources::serve();
    let Some(browser) = Browser::open(&sources.base) else {
        return;
    };
    browser.goto("/");
    for script in [TIME, SHAPES] {
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
