//! A known parameter may be given at most once, on every route.

use serde_json::Value;
use stampcard::error::Surface;
use stampcard::http::{Access, ROUTES};

use crate::client::{exchange, get_as, partner_error, picture, scrip_error};
use crate::support::documented::document;
use crate::support::{PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};

/// A valid value for a parameter.
fn value(name: &str) -> &'static str {
    match name {
        "from" | "since" => "2026-06-01T00:00:00Z",
        "to" => "2026-06-02T00:00:00Z",
        "interval" => "day",
        "startDate" | "endDate" => "2026-06-01",
        "limit" | "page" | "pageSize" => "1",
        "asset_id" | "program_id" => "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
        _ => "true",
    }
}

/// The query parameters of each route with a method: name, and whether it is required.
fn parameters(method: &str, path: &str) -> Vec<(&'static str, bool)> {
    let operation = &document()["paths"][path][method.to_lowercase()];
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.filter(|parameter| parameter["in"] == "query")
        .map(|parameter| {
            let name = parameter["name"].as_str().unwrap();
            (name, parameter["required"] == Value::Bool(true))
        })
        .collect()
}

#[test]
fn a_known_parameter_given_twice_is_refused_by_name_on_every_route() {
    let app = TestApp::start();
    let token = exchange(&app, SANDBOX_KEY, "ada");
    let mut count = 0;
    for route in ROUTES {
        let known = parameters(route.method, route.path);
        for (name, _) in &known {
            let required = known
                .iter()
                .filter(|(other, required)| *required && other != name);
            // The same value twice is refused as well, and so is another spelling of the name.
            let first = format!("%{:02X}{}", name.as_bytes()[0], &name[1..]);
            let twice = format!("{first}={0}&{name}={0}", value(name));
            let others = required.map(|(other, _)| format!("{other}={}", value(other)));
            let query = others.chain([twice]).collect::<Vec<_>>().join("&");
            let path = route
                .path
                .replace("{externalUserID}", "ada")
                .replace("{id}", "x");
            let path = format!("{path}?{query}");
            let credential = match route.access {
                Access::PartnerKey => PARTNER_SANDBOX_KEY,
                Access::Member => &token,
                _ => SANDBOX_KEY,
            };
            let request = app.request(route.method, &path).bearer(credential);
            let request = if route.path.ends_with("/attachments") {
                request
                    .header("Content-Type", "image/png")
                    .raw(picture(8, 0))
            } else {
                request
            };
            let answer = request.send();
            let message = if path.starts_with("/partner") {
                partner_error(answer, 400, "BadRequest")
            } else if Surface::of_path(route.path) == Surface::Scrip {
                scrip_error(answer, 400, "bad_request")
            } else {
                answer.expect_error(422, "VALIDATION")
            };
            assert_eq!(message, format!("{name} must be given only once"), "{path}");
            count += 1;
        }
    }
    assert!(count > 40, "only {count} parameters were found");
}

#[test]
fn an_unknown_parameter_may_come_twice() {
    let app = TestApp::start();
    app.get("/v1/members?newer=1&newer=2&limit=1").expect(200);
    app.get("/v1/programs?newer&newer").expect(200);
    let path = "/partner/organizations?newer=1&newer=1";
    get_as(&app, PARTNER_SANDBOX_KEY, path).expect(200);
}
