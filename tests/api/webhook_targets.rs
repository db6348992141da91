use std::collections::HashMap;
use std::io::{Error, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use stampcard::config::Settings;
use stampcard::domain::ProgramNumber;
use stampcard::service::{Addresses, Names};

use crate::client::{call, delivery, live, post_as, until, webhook};
use crate::support::receiver::Receiver;
use crate::support::{LIVE_KEY, Response, SANDBOX_KEY, TestApp};

/// A name service with configured responses; a name that was not configured does not exist.
#[derive(Debug, Default)]
struct Phonebook {
    entries: Mutex<HashMap<String, Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Phonebook {
    fn set(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|text| text.parse().unwrap());
        let mut entries = self.entries.lock().unwrap();
        entries.insert(name.to_owned(), addresses.collect());
    }

    fn asked(&self, name: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|one| *one == name).count()
    }
}

impl Names for Phonebook {
    fn look_up(&self, _: ProgramNumber, name: &str) -> Addresses {
        self.asked.lock().unwrap().push(name.to_owned());
        let found = self.entries.lock().unwrap().get(name).cloned();
        let answer = found
            .map(|addresses| {
                let with_port = |address| SocketAddr::new(address, 0);
                addresses.into_iter().map(with_port).collect()
            })
            .ok_or_else(|| Error::from(ErrorKind::NotFound));
        Box::pin(std::future::ready(answer))
    }
}

fn start(names: &Arc<Phonebook>, change: impl FnOnce(&mut Settings)) -> TestApp {
    TestApp::start_with_names(Arc::clone(names) as Arc<dyn Names>, change)
}

fn make(app: &TestApp, key: &str, url: &str) -> Response {
    let body = json!({"url": url, "events": ["member.created"]});
    post_as(app, key, "/v1/webhooks", &body)
}

/// Targets that no live webhook may be sent to, each with a part of the reason.
const FORBIDDEN: &[(&str, &str)] = &[
    ("http://example.com/", "https://"),
    ("HTTP://example.com/", "https://"),
    ("ftp://example.com/", "https://"),
    ("file:///etc/passwd", "https://"),
    ("javascript:alert(1)", "https://"),
    ("data:text/plain,x", "https://"),
    ("//example.com/", "absolute URL"),
    ("example.com/hook", "absolute URL"),
    ("/hook", "absolute URL"),
    ("https://", "absolute URL"),
    ("https://exa mple.com/", "absolute URL"),
    ("https://[::1/", "absolute URL"),
    ("https://example.com:99999/", "absolute URL"),
    ("", "absolute URL"),
    ("https://example.com:0/", "port 0"),
    ("https://user@example.com/", "user name"),
    ("https://user:secret@example.com/", "user name"),
    ("https://:secret@example.com/", "user name"),
    ("https://example.com@127.0.0.1/", "user name"),
    // This machine, in any notation.
    ("https://localhost/", "local host"),
    ("https://LOCALHOST./", "local host"),
    ("https://api.localhost/", "local host"),
    ("https://127.0.0.1/", "routable"),
    ("https://127.0.0.1:8443/hook", "routable"),
    ("https://127.1/", "routable"),
    ("https://2130706433/", "routable"),
    ("https://0x7f000001/", "routable"),
    ("https://0x7f.0.0.1/", "routable"),
    ("https://0177.0.0.1/", "routable"),
    ("https://017700000001/", "routable"),
    ("https://%31%32%37.0.0.1/", "routable"),
    ("https://１２７.0.0.1/", "routable"),
    ("https://0/", "routable"),
    ("https://0.0.0.0/", "routable"),
    ("https://[::]/", "routable"),
    ("https://[::1]/", "routable"),
    // Private, link-local, shared, multicast, reserved, documentation.
    ("https://10.0.0.1/", "routable"),
    ("https://172.16.0.1/", "routable"),
    ("https://172.31.255.255/", "routable"),
    ("https://192.168.1.1/", "routable"),
    ("https://169.254.169.254/latest/meta-data/", "routable"),
    ("https://100.64.0.1/", "routable"),
    ("https://192.0.2.1/", "routable"),
    ("https://198.18.0.1/", "routable"),
    ("https://224.0.0.1/", "routable"),
    ("https://255.255.255.255/", "routable"),
    ("https://[fe80::1]/", "routable"),
    ("https://[fc00::1]/", "routable"),
    ("https://[fd12:3456::1]/", "routable"),
    ("https://[ff02::1]/", "routable"),
    ("https://[2001:db8::1]/", "routable"),
    // IPv4 inside IPv6: mapped, compatible, translated, 6to4, Teredo.
    ("https://[::ffff:127.0.0.1]/", "routable"),
    ("https://[::ffff:7f00:1]/", "routable"),
    ("https://[::127.0.0.1]/", "routable"),
    ("https://[64:ff9b::10.0.0.1]/", "routable"),
    ("https://[2002:7f00:1::]/", "routable"),
    ("https://[2001:0:7f00:1::]/", "routable"),
];

#[test]
fn live_takes_https_to_the_internet_alone() {
    let names = Arc::new(Phonebook::default());
    let app = start(&names, |_| ());
    for (url, why) in FORBIDDEN {
        let message = make(&app, LIVE_KEY, url).expect_error(422, "WEBHOOK_URL_NOT_ALLOWED");
        assert!(message.starts_with("url "), "{url}: {message}");
        assert!(message.contains(why), "{url}: {message}");
    }
    let long = format!("https://example.com/{}", "x".repeat(2029));
    make(&app, LIVE_KEY, &long).expect_error(422, "WEBHOOK_URL_NOT_ALLOWED");
    let none = live(&app, "GET", "/v1/webhooks", &Value::Null).expect(200);
    assert_eq!(none, json!({"data": []}));
    assert!(names.asked.lock().unwrap().is_empty(), "no name was asked");
    for good in [
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]:8443/hook?a=b",
        "https://example.com/hook#part",
        "https://münchen.example/",
        &long[..2048],
    ] {
        make(&app, LIVE_KEY, good).expect(201);
    }
}

#[test]
fn the_sandbox_takes_any_target_unless_it_is_told_not_to() {
    let names = Arc::new(Phonebook::default());
    let app = start(&names, |_| ());
    for good in [
        "http://127.0.0.1:3000/hook",
        "http://localhost:3000/",
        "https://10.0.0.1/",
        "http://[::1]/",
    ] {
        make(&app, SANDBOX_KEY, good).expect(201);
    }
    for bad in [
        "ftp://127.0.0.1/",
        "http://a:b@127.0.0.1/",
        "localhost:3000",
    ] {
        make(&app, SANDBOX_KEY, bad).expect_error(422, "WEBHOOK_URL_NOT_ALLOWED");
    }
    let app = start(&names, |settings| {
        settings.webhooks.sandbox_private_targets = false;
    });
    for (url, _) in FORBIDDEN {
        make(&app, SANDBOX_KEY, url).expect_error(422, "WEBHOOK_URL_NOT_ALLOWED");
    }
    make(&app, SANDBOX_KEY, "https://1.1.1.1/").expect(201);
}

#[test]
fn a_name_that_leads_inside_is_refused_in_live_even_if_it_leads_outside_too() {
    let names = Arc::new(Phonebook::default());
    let app = start(&names, |_| ());
    for (number, inside) in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1"]
        .into_iter()
        .enumerate()
    {
        for (kind, addresses) in [("only", vec![inside]), ("both", vec!["1.1.1.1", inside])] {
            let name = format!("{kind}{number}.example");
            names.set(&name, &addresses);
            let refused = make(&app, LIVE_KEY, &format!("https://{name}/"));
            let message = refused.expect_error(422, "WEBHOOK_URL_NOT_ALLOWED");
            assert_eq!(
                message,
                "url names a host whose address is not routable on the internet"
            );
            make(&app, SANDBOX_KEY, &format!("http://{name}/"))
                .clone()
                .expect(201);
            let made = app.get("/v1/webhooks").expect(200);
            let id = made["data"][0]["id"].as_str().unwrap();
            app.delete(&format!("/v1/webhooks/{id}")).expect(200);
        }
    }
    names.set("outside.example", &["1.1.1.1", "2606:4700:4700::1111"]);
    make(&app, LIVE_KEY, "https://outside.example/").expect(201);
    // A name that does not exist yet may be registered later.
    make(&app, LIVE_KEY, "https://not-yet.example/").expect(201);
}

/// Causes an event in live and waits for the attempt; returns the reason of its failure.
fn try_in_live(app: &TestApp, url: &str) -> String {
    let made = make(app, LIVE_KEY, url).expect(201);
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    live(app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let deliveries = format!("{path}/deliveries");
    let tried = until(|| {
        let page = live(app, "GET", &deliveries, &Value::Null).expect(200);
        let newest = page["deliveries"][0].clone();
        newest.is_object().then_some(newest)
    });
    assert_eq!(tried["status"], "pending", "it is tried again");
    assert_eq!(tried["responseStatus"], Value::Null);
    tried["error"].as_str().unwrap().to_owned()
}

#[test]
fn a_name_that_moves_inside_after_the_check_is_not_connected_to() {
    let names = Arc::new(Phonebook::default());
    let receiver = Receiver::start();
    let app = start(&names, |_| ());
    let url = format!("https://moving.example:{}/", receiver.address.port());
    names.set("moving.example", &["1.1.1.1"]);
    let made = make(&app, LIVE_KEY, &url).expect(201);
    assert_eq!(names.asked("moving.example"), 1);
    names.set("moving.example", &["127.0.0.1"]);
    live(&app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let path = format!("/v1/webhooks/{}/deliveries", made["id"].as_str().unwrap());
    let tried = until(|| {
        let page = live(&app, "GET", &path, &Value::Null).expect(200);
        let newest = page["deliveries"][0].clone();
        newest.is_object().then_some(newest)
    });
    assert_eq!(
        tried["error"],
        "the name leads to an address that is not routable on the internet"
    );
    assert_eq!(names.asked("moving.example"), 2, "asked at the connection");
    assert_eq!(receiver.connections(), 0);
    // The receiver exists, and the name leads to it: the sandbox allows what live does not.
    let local = format!("http://moving.example:{}/", receiver.address.port());
    webhook(&app, &local, &["member.created"]);
    app.member("ada", 0);
    assert_eq!(receiver.wait_for(1)[0].event(), "member.created");
}

#[test]
fn a_name_that_appears_inside_is_not_connected_to_either() {
    let names = Arc::new(Phonebook::default());
    let receiver = Receiver::start();
    let app = start(&names, |_| ());
    let port = receiver.address.port();
    // The host is unknown, so there is nothing to connect to.
    let error = try_in_live(&app, &format!("https://late.example:{port}/"));
    assert_eq!(error, "no connection could be made");
    names.set("late.example", &["::ffff:127.0.0.1"]);
    let retried = |attempts: u64| {
        app.clock.advance(std::time::Duration::from_mins(1));
        until(|| {
            let hooks = live(&app, "GET", "/v1/webhooks", &Value::Null).expect(200);
            let id = hooks["data"][0]["id"].as_str().unwrap().to_owned();
            let path = format!("/v1/webhooks/{id}/deliveries");
            let page = live(&app, "GET", &path, &Value::Null).expect(200);
            let newest = page["deliveries"][0].clone();
            (newest["attempts"] == attempts).then_some(newest)
        })
    };
    let refused = "the name leads to an address that is not routable on the internet";
    assert_eq!(retried(2)["error"], refused);
    names.set("late.example", &["1.1.1.1", "127.0.0.1"]);
    assert_eq!(retried(3)["error"], refused);
    assert_eq!(receiver.connections(), 0);
}

#[test]
fn an_address_that_was_not_checked_when_it_was_stored_is_checked_when_it_is_used() {
    let names = Arc::new(Phonebook::default());
    let receiver = Receiver::start();
    let mut app = start(&names, |_| ());
    let made = make(&app, LIVE_KEY, "https://1.1.1.1/").expect(201);
    app.stop();
    for url in [
        format!("https://127.0.0.1:{}/", receiver.address.port()),
        receiver.url("/"),
    ] {
        let sql = "UPDATE webhook_endpoint SET url = ?1";
        app.sqlite().execute(sql, [url]).unwrap();
        app = app.restart();
        let member = format!("/v1/members/{}", uuid::Uuid::new_v4());
        live(&app, "PUT", &member, &json!({})).expect(200);
        let path = format!("/v1/webhooks/{}/deliveries", made["id"].as_str().unwrap());
        let tried = until(|| {
            let page = call(&app, LIVE_KEY, "GET", &path, &Value::Null).expect(200);
            let newest = page["deliveries"][0].clone();
            (newest["attempts"] == 1).then_some(newest)
        });
        let error = tried["error"].as_str().unwrap();
        assert!(error.starts_with("url must "), "{error}");
        assert_eq!(receiver.connections(), 0);
        app.stop();
    }
}

#[test]
fn a_name_is_looked_up_anew_when_a_delivery_is_repeated() {
    let names = Arc::new(Phonebook::default());
    let receiver = Receiver::start();
    let app = start(&names, |_| ());
    let url = format!("http://soon.example:{}/", receiver.address.port());
    let hook = webhook(&app, &url, &["member.created"]);
    app.member("ada", 0);
    let failed = delivery(&app, &hook, |newest| newest["attempts"] == 1);
    assert_eq!(failed["error"], "no connection could be made");
    names.set("soon.example", &["127.0.0.1"]);
    app.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(
        receiver.wait_for(1)[0].header("Host"),
        &url[7..url.len() - 1]
    );
}
