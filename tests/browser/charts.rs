//! The charts in a real browser: they show what the API returns, and they are fast.

use std::collections::HashMap;

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;
use fantoccini::key::Key;
use serde_json::{Value, json};

use super::{SETTLED, sign_in, written};
use crate::driver::{Browser, Screen};
use crate::support::{SANDBOX_KEY, TestApp};
use crate::world::World;

/// The browser's own overhead, which is subtracted from the time allowed for the page.
const ALLOWED_MS: f64 = 1000.0;

/// Opens the overview with the view in its address, in the reader's time zone.
fn show(browser: &Browser, query: &str) {
    browser.evaluate(&format!(
        "location.hash = {}",
        json!(format!("#/overview?{query}"))
    ));
    browser.until(&format!("location.hash.endsWith({})", json!(query)));
    browser.until("document.querySelector('.plot .plot-grid line')");
    browser.until(SETTLED);
}

/// The local time at which an hour begins, and how often the clocks showed it before.
fn place(
    start: DateTime<Utc>,
    zone: Tz,
    seen: &mut HashMap<NaiveDateTime, u32>,
) -> (NaiveDateTime, u32) {
    let shown = start.with_timezone(&zone).naive_local();
    let shown = shown.with_minute(0).unwrap();
    let times = seen.entry(shown).or_default();
    *times += 1;
    (shown, *times)
}

/// The buckets of two days by hours: the start of each and the points minted.
fn hours(app: &TestApp, first: NaiveDate, zone: Tz) -> Vec<(DateTime<Utc>, i64)> {
    let path = format!(
        "/v1/analytics/timeseries?from={first}&to={}&interval=hour&tz={zone}",
        first + Duration::days(2)
    );
    let answer = app.get(&path).expect(200);
    let buckets = answer["buckets"].as_array().unwrap().iter();
    buckets
        .map(|bucket| {
            let start = bucket["startTime"].as_i64().unwrap();
            let start = Utc.timestamp_millis_opt(start).unwrap();
            (start, bucket["pointsMinted"].as_i64().unwrap())
        })
        .collect()
}

/// For each row of two days, the points minted at the same local time two days before, if there was
/// such an hour; and the points minted in hours without a counterpart.
fn beside(
    now: &[(DateTime<Utc>, i64)],
    then: &[(DateTime<Utc>, i64)],
    zone: Tz,
) -> (Vec<Option<i64>>, i64) {
    let mut seen = HashMap::new();
    let mut earlier: HashMap<_, _> = then
        .iter()
        .map(|(start, minted)| (place(*start, zone, &mut seen), *minted))
        .collect();
    let mut seen = HashMap::new();
    let rows = now
        .iter()
        .map(|(start, _)| {
            let (shown, times) = place(*start, zone, &mut seen);
            earlier.remove(&(shown - Duration::days(2), times))
        })
        .collect();
    (rows, earlier.into_values().sum())
}

fn texts(browser: &Browser, column: usize) -> Vec<String> {
    let cells = browser.evaluate(&format!(
        "[...document.querySelectorAll('.chart tbody tr')] \
         .map((row) => row.cells[{column}].textContent)"
    ));
    serde_json::from_value(cells).unwrap()
}

/// Different amounts in the hours around a day, from three days before it.
fn credit_every_hour(app: &TestApp, day: NaiveDate) {
    let start = (day - Duration::days(3))
        .and_hms_opt(0, 30, 0)
        .unwrap()
        .and_utc();
    let now = DateTime::parse_from_rfc3339(&app.clock.now().to_string()).unwrap();
    let wait = start.signed_duration_since(now);
    app.clock.advance(wait.to_std().unwrap_or_default());
    app.put("/v1/members/ada", &json!({}));
    for hour in 0..6 * 24 {
        let body = json!({"externalUserID": "ada", "amount": 1 + hour * 7 % 31});
        app.post("/v1/wallet/credit", &body).expect(200);
        app.clock.advance(std::time::Duration::from_hours(1));
    }
}

/// Compares the page's table of two days and the two before them with the API.
fn compare_two_days(browser: &Browser, app: &TestApp, zone: Tz, first: NaiveDate) {
    let last = first + Duration::days(1);
    let now = hours(app, first, zone);
    let then = hours(app, first - Duration::days(2), zone);
    let (before, left) = beside(&now, &then, zone);
    show(
        browser,
        &format!("period=custom&from={first}&to={last}&by=hour"),
    );
    browser.click(".chart summary");
    browser.until(&format!(
        "document.querySelectorAll('.chart tbody tr').length === {}",
        now.len()
    ));
    let what = format!("{zone}, {first}");
    let shown: Vec<String> = now
        .iter()
        .map(|(_, minted)| written(&json!(minted)))
        .collect();
    assert_eq!(texts(browser, 1), shown, "{what}");
    let shown: Vec<String> = before
        .iter()
        .map(|minted| minted.map_or("–".to_owned(), |minted| written(&json!(minted))))
        .collect();
    assert_eq!(texts(browser, 2), shown, "{what}");
    // No two rows have the same name.
    let mut names = texts(browser, 0);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), now.len(), "{what}: {names:?}");
    // The headings are the sums of the rows, and nothing from the API is missing.
    let total: i64 = now.iter().map(|(_, minted)| minted).sum();
    let earlier: i64 = before.iter().flatten().sum();
    let all: i64 = then.iter().map(|(_, minted)| minted).sum();
    assert_eq!(earlier + left, all, "{what}");
    let measure = "[data-measure=pointsMinted]";
    let value = browser.text(&format!("{measure} .measure-value"));
    assert_eq!(value, written(&json!(total)), "{what}");
    let note = browser.text(&format!("{measure} .measure-note"));
    let told = format!("against {} before", written(&json!(earlier)));
    assert!(note.ends_with(&told), "{what}: {note}: {told}");
    // Hours without a counterpart are mentioned.
    let notes = browser.text(".chart-notes");
    let told = format!("({} ", written(&json!(left)));
    assert_eq!(notes.contains("Not compared"), left > 0, "{what}: {notes}");
    assert!(left == 0 || notes.contains(&told), "{what}: {notes}");
}

#[test]
fn hours_are_compared_by_what_the_clocks_show() {
    // An hour skipped, half an hour twice, an hour twice; in each zone first the days from the
    // change on, then those after it, whose days before have the change in them.
    let changes = [
        ("Europe/Berlin", "2025-03-30"),
        ("Australia/Lord_Howe", "2025-04-06"),
        ("America/New_York", "2025-11-02"),
    ];
    let app = TestApp::start_at("2025-03-27T00:00:00Z", |_| ());
    for (_, day) in changes {
        credit_every_hour(&app, day.parse().unwrap());
    }
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    for (name, day) in changes {
        let zone: Tz = name.parse().unwrap();
        browser.set_time_zone(name);
        browser.goto("/");
        for later in [0, 1] {
            let first = day.parse::<NaiveDate>().unwrap() + Duration::days(later);
            compare_two_days(&browser, &app, zone, first);
        }
    }
    browser.assert_quiet(|_| false);
}

/// The shortest of several times from a press of a button until the page has drawn the result.
fn quickest_press(browser: &Browser) -> f64 {
    let times = browser.run(
        "const times = []; \
         for (let at = 0; at < 9; at += 1) { \
         const measure = ['signups', 'pointsSpent', 'pointsMinted'][at % 3]; \
         const button = document.querySelector(`[data-measure=${measure}]`); \
         const start = performance.now(); button.click(); \
         await new Promise((done) => requestAnimationFrame(() => setTimeout(done))); \
         if (button.ariaPressed !== 'true') throw new Error(measure); \
         times.push(performance.now() - start); \
         await new Promise((done) => setTimeout(done, 50)); } return times;",
    );
    let times: Vec<f64> = serde_json::from_value(times).unwrap();
    times.into_iter().fold(f64::INFINITY, f64::min)
}

#[test]
fn a_year_by_hours_is_drawn_by_few_points_and_answers_at_once() {
    let world = World::new();
    let Some(browser) = Browser::open(&world.app.url("")) else {
        return;
    };
    browser.set_time_zone("Europe/Berlin");
    sign_in(&browser, SANDBOX_KEY);
    browser.until("document.querySelector('.plot .plot-grid line')");
    browser.until(SETTLED);
    let baseline = quickest_press(&browser);
    let asked = "performance.getEntriesByType('resource') \
         .filter(({ name }) => name.includes('/analytics/')).length";
    show(&browser, "period=12m&by=hour");
    browser.until_text(".chart-notes", "Each point is the sum of 24 hours");
    let points = browser.evaluate(
        "['.plot-bar', '.plot-open', '.plot-line'].map((part) => \
         [...document.querySelectorAll(`.plot ${part}`)].map((path) => \
         (path.getAttribute('d').match(/H/g) ?? []).length).reduce((sum, each) => sum + each, 0))",
    );
    let points: Vec<u64> = serde_json::from_value(points).unwrap();
    let drawn: u64 = points.iter().sum();
    // Twelve months begin on the first of a month: on the first of another one they have 335 days.
    assert!((335..=1000).contains(&drawn), "{points:?}");
    let elements = browser.evaluate("document.querySelectorAll('.plot *').length");
    assert!(elements.as_u64().unwrap() < 100, "{elements}");
    let before = browser.evaluate(asked);
    let press = quickest_press(&browser);
    crate::driver::say(&format!(
        "a press is answered after {press:.0} ms by hours, {baseline:.0} ms by days"
    ));
    assert!(press < baseline + ALLOWED_MS, "{press} ms, {baseline} ms");
    assert_eq!(
        browser.evaluate(asked),
        before,
        "what is there is not asked for"
    );
    // The table is shown immediately, however long it is.
    let opened = browser.run(
        "const details = document.querySelector('.chart details'); \
         const start = performance.now(); details.open = true; \
         await new Promise((done) => requestAnimationFrame(() => setTimeout(done))); \
         return performance.now() - start;",
    );
    let opened = opened.as_f64().unwrap();
    assert!(opened < baseline + 5.0 * ALLOWED_MS, "{opened} ms");
    let rows = "document.querySelectorAll('.chart tbody tr').length";
    assert_eq!(browser.evaluate(rows), json!(250));
    browser.click(".chart .more button");
    browser.until(&format!("{rows} === 500"));
    // A live event requests the end of the year, not all of it.
    world.app.post(
        "/v1/wallet/credit",
        &json!({"externalUserID": crate::world::member(0), "amount": 7}),
    );
    let answers = "performance.getEntriesByType('resource') \
         .filter(({ name }) => name.includes('interval=hour')).map((entry) => entry.encodedBodySize)";
    browser.until(&format!("({answers}).length >= 4"));
    let sizes: Vec<u64> = serde_json::from_value(browser.evaluate(answers)).unwrap();
    // The end of the year is a month at most, which is to come on the first of it.
    assert!(
        sizes[0] > 200_000 && sizes.iter().skip(2).all(|size| 5 * size < sizes[0]),
        "{sizes:?}"
    );
    browser.assert_quiet(|_| false);
}

fn a_finger_points(browser: &Browser) {
    browser.evaluate(
        "(() => { const plot = document.querySelector('.plot'); \
         const { left, top, width } = plot.getBoundingClientRect(); \
         plot.dispatchEvent(new PointerEvent('pointerdown', { pointerType: 'touch', \
         bubbles: true, clientX: left + width / 2, clientY: top + 50 })); \
         plot.dispatchEvent(new PointerEvent('pointerleave', { pointerType: 'touch' })); \
         return true; })()",
    );
    assert_eq!(
        browser.evaluate("document.querySelector('.tip').hidden"),
        json!(false)
    );
}

#[test]
fn a_chart_changes_in_place_and_is_read_by_keys() {
    let world = World::new();
    let app = &world.app;
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    browser.until("document.querySelector('.plot .plot-grid line')");
    browser.until(SETTLED);
    let plot = |name: &str| browser.evaluate(&format!("document.querySelector('.plot').{name}"));
    let label = plot("ariaLabel");
    let label = label.as_str().unwrap();
    assert!(
        label.starts_with("Points minted by day. ") && label.contains(" pts"),
        "{label}"
    );
    // It does not exist before it is opened, nor after it is closed.
    let tables = "document.querySelectorAll('.chart table').length";
    assert_eq!(browser.evaluate(tables), json!(0));
    browser.click(".chart summary");
    browser.until(&format!("{tables} === 1"));
    browser.until_text(".chart tbody tr:last-child th", "not finished");
    browser.until_text(".chart thead", "points minted, pts");
    browser.click(".chart summary");
    browser.until(&format!("{tables} === 0"));
    browser.click(".chart summary");
    browser.until(&format!("{tables} === 1"));
    // The arrow keys move along the points.
    browser.evaluate("document.querySelector('.plot').focus()");
    browser.press(Key::End);
    let today = plot("ariaValueText");
    assert!(today.as_str().unwrap().contains("not finished"), "{today}");
    browser.press(Key::Left);
    browser.press(Key::Left);
    assert_eq!(plot("ariaValueNow"), json!("27"));
    browser.press(Key::Right);
    browser.press(Key::Right);
    browser.press(Key::Right);
    assert_eq!(plot("ariaValueNow"), json!("29"));
    assert_eq!(
        browser.evaluate("document.querySelector('.tip').hidden"),
        json!(false)
    );
    // Live events update it in place.
    browser.evaluate(
        "(() => { const frame = document.querySelector('.chart .table-frame'); \
         frame.scrollTop = 60; window.kept = ['.plot', '.plot svg', '.chart .table-frame', \
         '.chart tbody tr', '[data-measure=signups]'].map((each) => document.querySelector(each)); \
         return true; })()",
    );
    let said = plot("ariaValueText");
    let body = json!({"externalUserID": crate::world::member(0), "amount": 1234});
    app.post("/v1/wallet/credit", &body).expect(200);
    browser.until(&format!(
        "document.querySelector('.plot').ariaValueText !== {said}"
    ));
    let is_kept = browser.evaluate(
        "window.kept.every((each) => each.isConnected) && window.kept[2].scrollTop === 60 \
         && document.activeElement === window.kept[0] && !document.querySelector('.tip').hidden \
         && document.querySelectorAll('.plot svg').length === 1",
    );
    assert_eq!(is_kept, json!(true));
    browser.press(Key::Escape);
    assert_eq!(
        browser.evaluate("document.querySelector('.tip').hidden"),
        json!(true)
    );
    browser.resize(Screen::Phone);
    browser.until(SETTLED);
    a_finger_points(&browser);
    browser.assert_quiet(|_| false);
}

#[test]
fn what_is_shown_stands_in_the_address_and_goes_into_a_picture() {
    let world = World::new();
    let Some(browser) = Browser::open(&world.app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    browser.until("document.querySelector('.plot .plot-grid line')");
    browser.choose("[data-focus=timeseries-period]", "90d");
    browser.choose("[data-focus=timeseries-interval]", "month");
    browser.choose("[data-focus=timeseries-zone]", "Asia/Tokyo");
    browser.click("[data-measure=pointsSpent]");
    browser.click("[data-focus=timeseries-compares]");
    browser.until(SETTLED);
    let hash = "#/overview?period=90d&by=month&zone=Asia/Tokyo&measure=pointsSpent&compare=no";
    browser.until(&format!("location.hash === {}", json!(hash)));
    let label = "document.querySelector('.plot')?.ariaLabel";
    browser.until(&format!("{label}?.startsWith('Points spent by month')"));
    let shown = browser.evaluate(label);
    // The link alone shows the same.
    browser.goto("/");
    browser.until("document.querySelector('.plot .plot-grid line')");
    browser.goto(&format!("/{hash}"));
    browser.until(&format!("{label} === {shown}"));
    browser.until(SETTLED);
    assert_eq!(
        browser.evaluate("document.querySelectorAll('.plot-line').length"),
        json!(0)
    );
    // Invalid values in the address are replaced by the defaults.
    browser.evaluate("location.hash = '#/overview?period=x&by=y&zone=Nowhere&measure=z&from=1'");
    browser.until(&format!("{label}?.startsWith('Points minted by day')"));
    browser.until(SETTLED);
    let picture = browser.run(
        "const link = new Promise((resolve) => { const click = HTMLAnchorElement.prototype.click; \
         HTMLAnchorElement.prototype.click = function () { \
         HTMLAnchorElement.prototype.click = click; resolve(this); }; }); \
         [...document.querySelectorAll('.downloads button')][1].click(); \
         const { href, download } = await link; const image = new Image(); image.src = href; \
         await image.decode(); const canvas = document.createElement('canvas'); \
         canvas.width = image.width; canvas.height = image.height; \
         const pen = canvas.getContext('2d', { willReadFrequently: true }); pen.drawImage(image, 0, 0); \
         const colors = (x, y, width, height) => { \
         const { data } = pen.getImageData(x, y, width, height); const seen = new Set(); \
         for (let at = 0; at < data.length; at += 4) seen.add(data.slice(at, at + 4).join()); \
         return seen.size; }; \
         return { href: href.slice(0, 22), download, width: image.width, height: image.height, \
         title: colors(0, 20, image.width, 60), period: colors(0, 88, image.width, 30), \
         drawing: colors(0, 300, image.width, 400), left: document.querySelectorAll('.plot svg').length };",
    );
    assert_eq!(picture["href"], "data:image/png;base64,");
    assert_eq!(picture["download"], "stampcard-pointsMinted-day.png");
    assert_eq!(
        (&picture["width"], &picture["height"]),
        (&json!(2016), &json!(1072))
    );
    for part in ["title", "period", "drawing"] {
        assert!(picture[part].as_u64().unwrap() > 2, "{part}: {picture}");
    }
    assert_eq!(picture["left"], 1);
    browser.assert_quiet(|_| false);
}

#[test]
fn a_clock_that_is_ahead_is_said_and_its_days_can_be_shown() {
    let app = TestApp::start_at(&stampcard::clock::Clock::system().now().to_string(), |_| ());
    app.member("ada", 40);
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    let measure = "[data-measure=pointsMinted] .measure-value";
    browser.until_text(measure, "40");
    assert_eq!(browser.text(".ahead"), "");
    let body = json!({"advanceSeconds": 100 * 86400});
    app.post("/v1/sandbox/clock", &body).expect(200);
    let body = json!({"externalUserID": "ada", "amount": 7});
    app.post("/v1/wallet/credit", &body).expect(200);
    browser.until_text(".ahead", "clock is ahead");
    assert_eq!(browser.text(measure), "40");
    browser.click(".ahead button");
    browser.until(&format!(
        "document.querySelector({}).textContent === '7'",
        json!(measure)
    ));
    browser.until("location.hash.includes('period=custom')");
    browser.assert_quiet(|_| false);
}

/// The requests of a browser without a cache until the overview is shown.
#[test]
fn the_first_load_is_small_and_its_requests_are_few() {
    const BYTES_MAX: u64 = 250_000;
    const REQUESTS_MAX: usize = 15;
    let world = World::new();
    let Some(browser) = Browser::open(&world.app.url("")) else {
        return;
    };
    browser.traffic();
    browser.goto(&format!("/#key={SANDBOX_KEY}"));
    browser.until("document.querySelector('.plot .plot-grid line')");
    browser.until(SETTLED);
    browser.until_text("#live", "Live");
    // The banner's request comes after all others, and counts, too.
    browser.until(
        "performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/readyz'))",
    );
    let (urls, bytes) = browser.traffic();
    crate::driver::say(&format!(
        "the first load is {} requests and {bytes} bytes: {urls:#?}",
        urls.len()
    ));
    assert!(urls.len() <= REQUESTS_MAX, "{}: {urls:#?}", urls.len());
    assert!(
        urls.iter().any(|url| url.ends_with("/page.js")),
        "{urls:#?}"
    );
    assert!((20_000..BYTES_MAX).contains(&bytes), "{bytes}");
    let is_abroad = |url: &&String| !url.starts_with(&world.app.url(""));
    let abroad: Vec<&String> = urls.iter().filter(is_abroad).collect();
    assert!(abroad.is_empty(), "{abroad:#?}");
    assert_eq!(
        browser.evaluate("document.querySelectorAll('.starting').length"),
        Value::from(0)
    );
}
