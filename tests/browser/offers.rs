//! The page of offers: their states, every field of the form, duplicates and pauses.

use serde_json::{Value, json};

use super::{look_at, show, sign_in};
use crate::driver::Browser;
use crate::support::{SANDBOX_KEY, TestApp};

const NO_DIALOG: &str = "!document.querySelector('dialog')";
/// A time that has come for any clock, and one that has not.
const PAST: &str = "2020-01-01T00:00:00Z";
const FUTURE: &str = "2099-01-01T00:00:00Z";

/// The newest offer.
fn newest(app: &TestApp) -> Value {
    app.get("/v1/offers?limit=1").expect(200)["data"][0].clone()
}

fn row_action(browser: &Browser, action: &str, id: &str) {
    browser.click(&format!("[data-focus='{action}-{id}']"));
}

#[test]
fn an_offer_is_paused_resumed_and_duplicated() {
    let app = TestApp::start();
    let fields = json!({
        "title": "Dinner", "pointsPrice": 90, "valueUSD": 38.5, "maxGuests": 4,
        "redemptionLimit": {"perMember": 3, "per": "open"}, "tiers": ["gold"],
        "inclusions": [{"group": "Food", "name": "Soup"}], "disclaimer": "Not on Mondays.",
        "images": ["https://pictures.invalid/1.png"], "location": {"display": "Athens"},
        "availability": {"quantityRemaining": 6}, "startAt": FUTURE, "kind": "dining",
    });
    let id = app.offer(fields);
    let offer = || app.get(&format!("/v1/offers/{id}")).expect(200);
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "offers");

    row_action(&browser, "pause", &id);
    browser.until_text("#notices", "Dinner is paused: members no longer see it.");
    browser.until_text("tbody .badge", "Paused");
    assert_eq!(offer()["paused"], true);

    row_action(&browser, "duplicate", &id);
    browser.until("document.querySelector('dialog [name=title]').value === 'Dinner (copy)'");
    browser.click_on("Create the offer");
    browser.until(NO_DIALOG);
    browser.until_text("tbody", "Dinner (copy)");
    let copy = newest(&app);
    let mut expected = offer();
    for own in ["id", "title", "version", "paused", "availability"] {
        expected[own] = copy[own].clone();
    }
    assert_eq!(copy, expected);
    assert_eq!(
        (
            &copy["title"],
            &copy["paused"],
            &copy["availability"]["quantityRemaining"]
        ),
        (&json!("Dinner (copy)"), &json!(false), &json!(6))
    );

    row_action(&browser, "pause", &id);
    browser.until_text("#notices", "Dinner is resumed: members see it again.");
    browser.until("!document.querySelector('tbody .badge')");
    assert_eq!(offer()["paused"], false);
}

#[test]
fn every_field_of_an_offer_is_in_the_form() {
    let app = TestApp::start();
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "offers");
    browser.click_on("New offer");
    browser.fill("dialog [name=title]", "Dinner");
    browser.click("dialog .form-more > summary");
    for (field, text) in [
        ("perMember", "2"),
        ("images", "https://pictures.invalid/1.png"),
        ("inclusions", "Food: Soup\nDrinks: A glass of wine"),
        ("disclaimer", "Not on Mondays."),
        ("valueUSD", "38.50"),
        ("maxGuests", "4"),
        ("location.venue", "Harbour Café"),
        ("location.city", "Athens"),
        ("location.countryCode", "gr"),
    ] {
        browser.fill(&format!("dialog [name='{field}']"), text);
    }
    browser.choose("dialog [name=per]", "open");
    // The browser refuses the country, and opens the part that it is in.
    browser.click("dialog .form-more > summary");
    browser.click_on("Create the offer");
    browser.until("document.querySelector('dialog .form-more').open");
    browser.fill("dialog [name='location.countryCode']", "GR");
    browser.click_on("Create the offer");
    browser.until(NO_DIALOG);
    let offer = newest(&app);
    let expected = json!({
        "redemptionLimit": {"perMember": 2, "per": "open"}, "valueUSD": 38.5, "maxGuests": 4,
        "images": ["https://pictures.invalid/1.png"], "disclaimer": "Not on Mondays.",
        "inclusions": [
            {"group": "Food", "name": "Soup"}, {"group": "Drinks", "name": "A glass of wine"},
        ],
        "location": {
            "display": "Harbour Café, Athens, GR", "venue": "Harbour Café", "address": null,
            "city": "Athens", "state": null, "countryCode": "GR",
        },
        "kind": "experience", "type": "standard",
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&offer[field], value, "{field}");
    }

    // A change of one field sends nothing else.
    row_action(&browser, "edit", offer["id"].as_str().unwrap());
    browser.until("document.querySelector('dialog [name=perMember]')");
    browser.click("dialog .form-more > summary");
    browser.fill("dialog [name=perMember]", "");
    browser.click_on("Save");
    browser.until(NO_DIALOG);
    let mut expected = offer;
    let now = newest(&app);
    expected["redemptionLimit"]["perMember"] = json!(null);
    expected["version"] = now["version"].clone();
    assert_eq!(now, expected);
}

#[test]
fn the_list_of_offers_shows_their_states() {
    let app = TestApp::start();
    app.offer(json!({"title": "Running", "availableFrom": PAST, "expiresAt": FUTURE}));
    app.offer(json!({"title": "Later", "availableFrom": FUTURE}));
    app.offer(json!({"title": "Over", "expiresAt": PAST}));
    app.offer(json!({"title": "Gone", "availability": {"quantityRemaining": 0}}));
    app.offer(json!({"title": "Resting", "paused": true, "expiresAt": PAST}));
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "offers");
    let states = browser.evaluate(
        "[...document.querySelectorAll('tbody tr')].map((row) => [\
         row.querySelector('.strong').textContent, \
         row.querySelector('.badge')?.textContent ?? ''].join(': '))",
    );
    let expected = [
        "Resting: Paused",
        "Gone: Sold out",
        "Over: Ended",
        "Later: Scheduled",
    ];
    assert_eq!(states.as_array().unwrap()[..4], expected.map(Value::from));
    assert_eq!(states[4], "Running: ");
    let problems = look_at(&mut browser, "offers-states");
    assert!(problems.is_empty(), "{problems:#?}");
    browser.click_on("New offer");
    browser.click("dialog .form-more > summary");
    let problems = look_at(&mut browser, "offers-form");
    assert!(problems.is_empty(), "{problems:#?}");
}
