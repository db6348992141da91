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
const { wallOf, wallsOf, momentOf, movedBack } = await import('/lib/charts/time.js');
const HOUR = 3600000;
// Half a year of each, with a change of the clocks; Samoa left out a day.
for (const [zone, from] of [['Europe/Berlin', '2026-01-01'], ['America/New_York', '2026-07-01'],
    ['Australia/Lord_Howe', '2026-01-01'], ['Asia/Kolkata', '2026-01-01'],
    ['Africa/Casablanca', '2026-01-01'], ['Pacific/Apia', '2011-07-20'], ['UTC', '2026-01-01']]) {
  const times = Array.from({ length: 4380 }, (_, at) => Date.parse(from) + at * HOUR);
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
const { valueTicks, timeTicks } = await import('/lib/charts/scale.js');
const { group, pointsIn, sums, POINTS_MAX } = await import('/lib/charts/thin.js');
const { pair, sideBySide } = await import('/lib/charts/align.js');
const { wallsOf } = await import('/lib/charts/time.js');
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

/// Windows, what they are compared with, and names.
const PERIODS: &str = "
const { boundsOf, bucketName, rangeName, markName } = await import('/lib/periods.js');
const { wallOf } = await import('/lib/charts/time.js');
const HOUR = 3600000;
for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC']) {
  // Days around which clocks change somewhere, and a leap day.
  for (const day of ['2026-03-08', '2026-03-29', '2026-03-31', '2026-04-05', '2026-10-04',
      '2026-10-25', '2026-11-01', '2026-11-15', '2028-02-29', '2028-03-01']) {
    const present = Date.parse(`${day}T13:47:31Z`);
    for (const period of ['24h', '7d', '30d', '90d', '12m']) {
      const { from, to, before, until, isOver, shift } = boundsOf({ period, zone }, present);
      const what = `${zone}, ${day}, ${period}`;
      const wall = (time) => new Date(wallOf(time, zone)).toISOString().slice(0, 16);
      check(from <= present && present < to && !isOver, what);
      check(before < until && until <= from + 2 * HOUR, `${what}: ${wall(until)}`);
      // Both begin at one time of day, and what is compared ends at one.
      check(wall(before).slice(11) === wall(from).slice(11), `${what}: ${wall(before)}`);
      const isLeap = wall(present).startsWith('2028-02-29') && period === '12m';
      const end = isLeap ? '2027-03-01T00:00' : wall(present);
      check(wall(until).slice(11) === end.slice(11), `${what}: ${wall(until)}`);
      if (shift.span) {
        const apart = wallOf(from, zone) - wallOf(before, zone);
        check(apart === shift.span, `${what}: ${apart}`);
      }
    }
    const custom = { period: 'custom', zone, first: '2026-03-01', last: '2026-03-31' };
    const { from, to, before, until, isOver } = boundsOf(custom, Date.parse('2026-07-01T00:00Z'));
    check(isOver && until === from && wallOf(to, zone) - wallOf(from, zone) === 31 * 24 * HOUR,
      'a month');
    check(wallOf(from, zone) - wallOf(before, zone) === 31 * 24 * HOUR, 'the days before it');
  }
}
const berlin = 'Europe/Berlin';
const [first, second] = ['2026-10-25T00:30Z', '2026-10-25T01:30Z'].map((text) => Date.parse(text));
check(bucketName(first, berlin, 'hour') === bucketName(second, berlin, 'hour'), 'the same wall');
check(bucketName(first, berlin, 'hour', true) !== bucketName(second, berlin, 'hour', true), 'told');
const at = (text) => Date.parse(text);
const day = rangeName(at('2026-10-25T00:00+02:00'), at('2026-10-26T00:00+01:00'), berlin, 'hour');
check(day.includes('Sun') && day.includes('2026') && !day.includes(':'), day);
const week = rangeName(at('2026-11-23T00:00Z'), at('2026-11-30T00:00Z'), 'UTC', 'week');
check(week.includes('23') && week.includes('29') && !week.includes('30'), week);
const month = rangeName(at('2026-11-01T00:00Z'), at('2026-12-01T00:00Z'), 'UTC', 'month');
check(month === 'November 2026', month);
check(markName(at('2026-11-24T00:00Z'), 'UTC', 'hour', false) === 'Nov 24', 'midnight');
check(markName(at('2027-01-01T00:00Z'), 'UTC', 'month', false) === 'Jan 2027', 'January');
";

/// A chart that changes two hundred times has no more of anything than before.
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
// What is pointed at is found again in another window, or is let go of.
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
// Five hundred categories: as many as have room, the largest, and it is said.
made.update({ ...what(1, 500), axis: { kind: 'category' }, openAt: -1 });
check(made.element.textContent.includes('largest of 500'), made.element.textContent.slice(0, 200));
";

#[test]
fn what_needs_no_page_is_right_on_its_own() {
    check(&[TIME, SHAPES, PERIODS, FLAT]);
}

/// Runs scripts beside the modules. They call `check(holds, what)` for everything they look at.
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
