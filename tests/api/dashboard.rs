use std::collections::BTreeSet;

use stampcard::domain::EventName;

use crate::support::{Response, TestApp};

fn page(app: &TestApp) -> Response {
    app.request("GET", "/").send()
}

/// Every path of an asset that a text names.
fn assets(text: &str) -> BTreeSet<String> {
    text.split('"')
        .filter(|part| part.starts_with("/assets/"))
        .map(str::to_owned)
        .collect()
}

/// The page's assets, and the modules that its scripts import.
fn every_asset(app: &TestApp) -> BTreeSet<String> {
    let mut found = assets(&page(app).text());
    let mut unread: Vec<String> = found.iter().cloned().collect();
    while let Some(path) = unread.pop() {
        if path.ends_with("plotly.min.js") {
            continue;
        }
        let (folder, _) = path.rsplit_once('/').unwrap();
        let script = app.request("GET", &path).send().text();
        for module in script.split("from \"./").skip(1) {
            let (name, _) = module.split_once('"').unwrap();
            let module = format!("{folder}/{name}");
            if found.insert(module.clone()) {
                unread.push(module);
            }
        }
    }
    found
}

#[test]
fn the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline() {
    let app = TestApp::start();
    let response = page(&app);
    assert_eq!(response.status, 200);
    let policy = response.header("content-security-policy").unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self';",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe-eval") && !policy.contains("http"));
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-cache"),
    ] {
        assert_eq!(response.header(name), Some(value));
    }
    let text = response.text();
    assert!(!text.contains("//"), "no other host is named");
    assert!(!text.contains("<style") && !text.contains(" style=") && !text.contains(" onclick"));
    assert_eq!(text.matches("<script").count(), 1);
}

#[test]
fn the_page_names_every_event_of_the_catalogue() {
    let app = TestApp::start();
    let names = EventName::ALL.map(EventName::as_str).join(" ");
    let element = format!("<meta name=\"events\" content=\"{names}\">");
    assert!(page(&app).text().contains(&element), "{element}");
}

#[test]
fn a_page_that_did_not_change_is_not_sent_again() {
    let app = TestApp::start();
    let tag = page(&app).header("etag").unwrap().to_owned();
    let again = app.request("GET", "/").header("If-None-Match", &tag).send();
    assert_eq!((again.status, again.bytes.len()), (304, 0));
    assert_eq!(again.header("etag"), Some(tag.as_str()));
    let other = app.request("GET", "/").header("If-None-Match", "\"x\"");
    assert_eq!(other.send().status, 200);
}

#[test]
fn every_asset_is_there_and_may_be_kept_for_good() {
    let app = TestApp::start();
    let found = every_asset(&app);
    assert!(found.len() > 25, "{found:?}");
    for path in found {
        let response = app.request("GET", &path).send();
        assert_eq!(response.status, 200, "{path}");
        assert!(response.bytes.len() > 100, "{path}");
        let kind = match path.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        for (name, value) in [
            ("content-type", kind),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "public, max-age=31536000, immutable"),
            ("vary", "Accept-Encoding"),
        ] {
            assert_eq!(response.header(name), Some(value), "{path}");
        }
        assert_eq!(response.header("content-encoding"), None, "{path}");
    }
}

#[test]
fn an_asset_travels_packed_to_whoever_can_unpack_it() {
    let app = TestApp::start();
    for path in every_asset(&app) {
        let plain = app.request("GET", &path).send();
        let request = app
            .request("GET", &path)
            .header("Accept-Encoding", "br, gzip");
        let packed = request.send();
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        let mut unpacked = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(packed.bytes.as_slice());
        std::io::copy(&mut reader, &mut unpacked).unwrap();
        assert_eq!(unpacked, plain.bytes, "{path}");
        assert!(
            packed.bytes.len() < plain.bytes.len(),
            "{path} would be better off as it is"
        );
    }
    let app_bytes: usize = every_asset(&app)
        .iter()
        .filter(|path| !path.ends_with("plotly.min.js"))
        .map(|path| {
            let request = app.request("GET", path);
            request.header("Accept-Encoding", "gzip").send().bytes.len()
        })
        .sum();
    assert!(
        app_bytes < 80 * 1024,
        "the dashboard itself has {app_bytes} bytes"
    );
}

#[test]
fn an_asset_of_another_version_is_404() {
    let app = TestApp::start();
    for path in [
        "/assets/00000000000000000000000000000000/main.js",
        "/assets/x/../../Cargo.toml",
    ] {
        app.request("GET", path)
            .send()
            .expect_error(404, "NOT_FOUND");
    }
}

#[test]
fn a_head_of_an_asset_says_what_a_get_would() {
    let app = TestApp::start();
    let path = every_asset(&app).pop_first().unwrap();
    for accepted in ["gzip", "identity", "gzip;q=0"] {
        let ask = |method| {
            let request = app.request(method, &path);
            request.header("Accept-Encoding", accepted).send()
        };
        let (head, get) = (ask("HEAD"), ask("GET"));
        assert_eq!((head.status, head.bytes.len()), (200, 0));
        for name in ["content-type", "content-encoding", "content-length", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{accepted}: {name}");
        }
    }
}
