//! The page stays still: events from elsewhere change only the parts that they affect, in place.

use std::time::Duration;

use serde_json::{Value, json};

use super::{SETTLED, sign_in};
use crate::driver::Browser;
use crate::modules;
use crate::support::{SANDBOX_KEY, TestApp};

/// Elements, focus and input survive when rows are added, removed and reordered.
const PATCH: &str = r"
const { h, replace } = await import('/lib/dom.js');
const { patch } = await import('/lib/patch.js');
document.body.innerHTML = '';
const place = h('div');
document.body.append(place);
const texts = () => [...place.querySelectorAll('li')].map((li) => li.textContent).join(' ');
const row = (key, text = key) => h('li', { 'data-key': key }, text);
const list = (...keys) => h('ul', {}, keys.map((key) => row(key)));
// Rows are added, removed and reordered; the remaining ones are the same elements.
let random = 7;
const draw = (below) => (random = (random * 16807) % 2147483647) % below;
patch(place, [list()]);
const ul = place.querySelector('ul');
let known = new Map();
for (let turn = 0; turn < 300; turn += 1) {
  const keys = [...'abcdefghij'].filter(() => draw(3)).sort(() => draw(3) - 1);
  patch(place, [list(...keys)]);
  check(texts() === keys.join(' '), `${texts()} in place of ${keys.join(' ')}`);
  const now = new Map([...place.querySelectorAll('li')].map((li) => [li.dataset.key, li]));
  for (const [key, li] of now) if (known.has(key)) check(known.get(key) === li, `${key} is another`);
  known = now;
}
check(place.querySelector('ul') === ul, 'another list');
// A row that moves down or up takes neither the focus nor an open part from the others.
const open = (...keys) => h('ul', {}, keys.map((key) => h('li', { 'data-key': key },
  h('details', {}, h('summary', {}, key)), h('input', { value: key, 'aria-label': key }))));
patch(place, [open('a', 'b', 'c')]);
const field = place.querySelectorAll('input')[1];
field.focus();
field.value = 'typed';
place.querySelectorAll('details')[1].open = true;
for (const keys of [['b', 'c', 'a'], ['a', 'b', 'c'], ['x', 'b'], ['b', 'y'], ['c', 'b', 'a']]) {
  patch(place, [open(...keys)]);
  check(document.activeElement === field, `${keys}: the focus went`);
  check(field.value === 'typed' && field.closest('li').dataset.key === 'b', `${keys}: the text`);
  check(field.closest('li').querySelector('details').open, `${keys}: it closed`);
}
// Untouched fields follow the server; edited ones do not.
const form = (text, chosen, ticked) => h('div', {}, h('input', { value: text }),
  h('textarea', { value: text }), h('select', {}, ['x', 'y', 'z'].map((value) =>
    h('option', { value, selected: value === chosen }, value))),
  h('input', { type: 'checkbox', checked: ticked }));
const held = () => [...place.querySelectorAll('input, textarea, select')]
  .map((each) => (each.type === 'checkbox' ? each.checked : each.value)).join();
patch(place, [form('one', 'x', false)]);
check(held() === 'one,one,x,false', held());
patch(place, [form('two', 'y', true)]);
check(held() === 'two,two,y,true', held());
const [input, area, choice, box] = place.querySelectorAll('input, textarea, select, [type=checkbox]');
input.value = 'mine'; area.value = 'mine'; choice.value = 'z'; box.checked = false;
patch(place, [form('three', 'x', true)]);
check(held() === 'mine,mine,z,false', held());
// The newest handler is called, once.
const pressed = [];
for (const name of ['first', 'second']) {
  patch(place, [h('button', { onclick: () => pressed.push(name) }, 'Press')]);
}
place.querySelector('button').click();
patch(place, [h('button', {}, 'Press')]);
place.querySelector('button').click();
check(pressed.join() === 'second', pressed.join());
// A part that is passed again stays, wherever it moves, and keeps its own children.
const own = h('div', {}, h('input', {}));
replace(place, h('section', {}, own));
own.firstChild.value = 'draft';
own.firstChild.focus();
patch(place, [h('section', {}, h('p', {}, 'more'), own)]);
check(own.isConnected && own.previousSibling.textContent === 'more', 'where it was put');
check(document.activeElement === own.firstChild, 'the focus of a part');
patch(place, [h('main', {}, own)]);
check(own.parentNode.localName === 'main' && own.firstChild.value === 'draft', 'in another place');
check(place.childNodes.length === 1 && !place.innerHTML.includes('<!--'), place.innerHTML);
// A picture, a style, a text that becomes an element and back.
const bar = (width) => { const b = h('i', {}); b.style.inlineSize = width; return b; };
patch(place, [bar('10%'), 'text']);
patch(place, [bar('20%'), h('b', {}, 'text')]);
check(place.firstChild.style.inlineSize === '20%' && place.textContent === 'text', place.innerHTML);
patch(place, ['text', bar('30%')]);
check(place.innerHTML.startsWith('text<i'), place.innerHTML);
";

/// A list with the focus keeps the order of its rows.
const HOLD: &str = r"
const { h, replace } = await import('/lib/dom.js');
const { patch } = await import('/lib/patch.js');
const { holdSlot } = await import('/lib/hold.js');
document.body.innerHTML = '';
const place = h('div');
const other = h('button', {}, 'Elsewhere');
document.body.append(place, other);
const pressed = [];
const list = (...rows) => [holdSlot('card'), h('ul', { 'data-hold': 'card' }, rows.map((row) => {
  const [key, step = 'go'] = row.split(':');
  return h('li', { 'data-key': key }, h('button', { onclick: () => pressed.push(row) }, `${key} ${step}`));
}))];
const rows = () => [...place.querySelectorAll('li')]
  .map((li) => (li.hasAttribute('data-gone') ? '-' : '') + li.textContent).join(', ');
const slot = () => place.querySelector('[data-hold-slot]').textContent;
const live = (...keys) => patch(place, list(...keys), { isLive: true });
const own = (...keys) => patch(place, list(...keys));
const pause = () => new Promise((done) => setTimeout(done, 5));
const expect = (shown, said, what) => check(rows() === shown && slot() === said,
  `${what}: ${rows()} / ${slot()} in place of ${shown} / ${said}`);
live('b', 'c');
expect('b go, c go', '', 'at first');
live('a', 'b', 'c');
expect('a go, b go, c go', '', 'nobody is near');
const b = place.querySelectorAll('button')[1];
b.focus();
live('x', 'y', 'a:on', 'b:on', 'c', 'z');
expect('a on, b go, c go, z go', '2 new', 'the row with the focus stays as it is, one below is added');
live('x', 'a:on', 'c', 'z');
expect('a on, -b go, c go, z go', '1 new', 'one that goes stays');
b.click();
check(pressed.length === 0, `${pressed}: what has gone was pressed`);
own('x', 'a:on', 'b:two', 'c', 'z');
expect('a on, b two, c go, z go', '1 new', 'what was asked for shows at once, in its place');
b.click();
check(pressed.join() === 'b:two', pressed.join());
live('b:two', 'a:on', 'c', 'z');
expect('a on, b two, c go, z go', '', 'another order waits without a word');
other.focus();
await pause();
expect('b two, a on, c go, z go', '', 'nobody is near any more');
check(place.querySelectorAll('button')[0] === b, 'the same button');
b.focus();
live('n', 'b:two', 'a:on', 'c', 'z');
const show = place.querySelector('.button-held');
live('m', 'n', 'b:two', 'a:on', 'c', 'z');
check(slot() === '2 new' && place.querySelector('.button-held') === show, 'the button stays');
b.focus();
show.click();
expect('m go, n go, b two, a on, c go, z go', '', 'when asked for');
check(document.activeElement === b, 'the focus stays in its row');
live();
expect('-m go, -n go, -b two, -a on, -c go, -z go', '6 changes', 'all go');
live('p', 'q');
expect('-m go, -n go, -b two, -a on, -c go, -z go', '2 new', 'none is the same');
live('b:three');
other.focus();
await pause();
expect('b three', '', 'one is back');
check(!place.querySelector('[data-gone]'), 'it is there');
// A list that is removed from the page keeps no references.
b.focus();
live('new', 'b');
replace(place, 'text');
other.focus();
await pause();
check(place.textContent === 'text', place.textContent);
";

#[test]
fn elements_are_patched_and_lists_hold_still() {
    modules::check(&[PATCH, HOLD]);
}

/// Whether the elements that the test marked on the page are all still there.
const KEPT: &str = "window.left.every((element) => element.isConnected) \
    && document.activeElement === window.left[0] \
    && window.left[1].open \
    && window.left[2].scrollTop === 200 \
    && String(getSelection()) === window.selected";

#[test]
fn what_a_reader_does_survives_what_happens_meanwhile() {
    let app = TestApp::start();
    for at in 0..40 {
        app.member(&format!("guest-{at}"), 500);
    }
    let coffee = app.offer(json!({"title": "A coffee", "pointsPrice": 10}));
    for at in 0..12 {
        app.redeem(&format!("guest-{at}"), &coffee);
    }
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    browser.until(SETTLED);
    browser.click(".chart details summary");
    browser.until("document.querySelector('.chart tbody tr')");
    browser.evaluate(
        "(() => { \
         const kept = [document.querySelector('[data-focus=timeseries-interval]'), \
         document.querySelector('.chart details'), \
         document.querySelector('.chart .table-frame')]; \
         kept[0].focus(); \
         kept[2].style.maxHeight = '120px'; kept[2].style.overflow = 'auto'; \
         kept[2].scrollTop = 200; \
         getSelection().selectAllChildren(document.querySelector('.bars .bar-label')); \
         window.selected = String(getSelection()); \
         window.left = [...kept, document.querySelector('[data-figure=pointsSpent] dd'), \
         document.querySelector('.bars li'), ...document.querySelectorAll('.feed li')]; \
         })()",
    );
    assert_eq!(browser.evaluate("window.selected"), "A coffee");
    // The pointer is on a row in the list of recent activity.
    let place = browser.point_at(".feed li:nth-child(3) a");
    let aimed = browser.text(".feed li:nth-child(3) a");
    for at in 20..23 {
        app.redeem(&format!("guest-{at}"), &coffee);
    }
    // Each is a debit and a redemption; both are events.
    browser.until_text("[data-hold-slot=lately]", "new");
    browser.until_text("[data-figure=pointsSpent] dd", "150");
    assert_eq!(
        browser.evaluate(KEPT),
        json!(true),
        "{}",
        marked_state(&browser)
    );
    browser.press_at(&place);
    let page = format!("location.hash === '#/members/{aimed}'");
    browser.until(&page);
    browser.assert_quiet(|_| false);
}

/// The state of the marked elements, for the message.
fn marked_state(browser: &Browser) -> Value {
    browser.evaluate(
        "[window.left.map((element) => element.isConnected), document.activeElement.outerHTML, \
         window.left[1].open, window.left[2].scrollTop, String(getSelection())]",
    )
}

/// One event every half a minute.
const EVENTS_OF_AN_HOUR: u32 = 120;
/// A leak grows in each of these hours; what the engine compiles and keeps grows in one.
const HOURS_MAX: u32 = 3;
/// The share of the memory at first by which it may grow in an hour.
const GROWTH_MAX: f64 = 0.1;

#[test]
fn an_hour_of_events_leaves_a_page_as_light_as_before() {
    let app = TestApp::start();
    for at in 0..20 {
        app.member(&format!("guest-{at}"), 1_000_000);
    }
    let coffee = app.offer(json!({"title": "A coffee", "pointsPrice": 10}));
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    browser.speed_up_timers(60);
    sign_in(&browser, SANDBOX_KEY);
    let mut happened = 0;
    let mut live = |count: u32| {
        for _ in 0..count {
            happened += 1;
            app.clock.advance(Duration::from_secs(30));
            happen(&app, &coffee, happened);
        }
    };
    // Lists with a maximum length are full after this.
    live(200);
    for page in [
        "overview",
        "redemptions",
        "inbox",
        "members",
        "members/guest-1",
    ] {
        browser.evaluate(&format!("location.hash = '#/{page}'"));
        browser.until(SETTLED);
        live(20);
        catch_up(&browser);
        let first = browser.weight();
        let mut before = first;
        for hour in 1..=HOURS_MAX {
            for _ in 0..EVENTS_OF_AN_HOUR / 10 {
                live(10);
                catch_up(&browser);
            }
            let after = browser.weight();
            if (0..first.len()).all(|at| after[at] <= before[at] + first[at] * GROWTH_MAX) {
                break;
            }
            assert!(
                hour < HOURS_MAX,
                "{page}: nodes, listeners and bytes were {first:?}, then {before:?}, and an hour of \
                 events later {after:?}"
            );
            before = after;
        }
    }
    browser.assert_quiet(|_| false);
}

/// One event in a program.
fn happen(app: &TestApp, offer: &str, at: u32) {
    let who = format!("guest-{}", at % 20);
    match at % 4 {
        0 => {
            let who = format!("once-{at}");
            app.member(&who, 10);
            let id = app.redeem(&who, offer);
            let path = format!("/v1/redemptions/{id}");
            let status = if at.is_multiple_of(8) {
                "COMPLETED"
            } else {
                "OPEN"
            };
            app.patch(&path, &json!({"status": status})).expect(200);
        }
        1 => {
            let body = json!({"externalUserID": who, "amount": 10 + at});
            app.post("/v1/wallet/credit", &body).expect(200);
        }
        2 => {
            let tier = if at % 8 == 2 { "gold" } else { "standard" };
            let path = format!("/v1/members/{who}");
            app.put(&path, &json!({"tier": tier})).expect(200);
        }
        _ => {
            let first = &app.get("/v1/conversations?limit=1").expect(200)["conversations"][0];
            if let Some(id) = first["id"].as_str() {
                let path = format!("/v1/conversations/{id}/messages");
                let body = json!({"message": format!("Message {at}"), "as": "agent"});
                app.post(&path, &body).expect(200);
            }
        }
    }
}

/// Waits until the page has shown the event and sends no more requests.
fn catch_up(browser: &Browser) {
    browser.run("await new Promise((done) => setTimeout(done, 3000));");
    browser.until(SETTLED);
}
