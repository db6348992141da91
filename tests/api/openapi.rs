//! The OpenAPI document: it is complete, fits the routes and equals the one in docs. Every other
//! test that receives a response or an event checks it against the document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stampcard::domain::{EventName, Shown};
use stampcard::http::{Access, ROUTES, indented_openapi};
use stampcard::wire::TEST_EVENT;

use crate::sdk::OPERATIONS;
use crate::support::TestApp;
use crate::support::documented::{document, validate};

const COMMITTED: &str = include_str!("../../docs/openapi.json");
/// The allowed contents of an OpenAPI 3.1 document, except for the keywords of its schemas.
///
/// Source: <https://spec.openapis.org/oas/3.1/schema/2022-10-07>, Apache License 2.0.
const RULES: &str = include_str!("openapi-3.1.json");

/// Each operation with its method and path.
fn operations() -> impl Iterator<Item = (String, &'static str, &'static Value)> {
    const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];
    let paths = document()["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap();
        let operations = item
            .iter()
            .filter(|(key, _)| METHODS.contains(&key.as_str()));
        operations.map(|(method, operation)| (method.to_uppercase(), path.as_str(), operation))
    })
}

#[test]
fn the_committed_document_is_the_one_of_the_code() {
    let current = indented_openapi(&stampcard::http::openapi()).unwrap();
    assert!(
        COMMITTED.trim_end() == current,
        "docs/openapi.json is out of date: cargo run -- openapi > docs/openapi.json"
    );
}

#[test]
fn the_document_is_openapi_3_1() {
    let rules = serde_json::from_str(RULES).unwrap();
    let rules = jsonschema::draft202012::new(&rules).unwrap();
    let errors: Vec<String> = rules
        .iter_errors(document())
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        let result = jsonschema::draft202012::meta::validate(schema);
        assert!(result.is_ok(), "{name}: {}", result.unwrap_err());
    }
}

#[test]
fn what_is_referred_to_is_there() {
    fn check(value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    let found = document().pointer(reference.trim_start_matches('#'));
                    assert!(found.is_some(), "{reference} is not in the document");
                }
                fields.values().for_each(check);
            }
            Value::Array(items) => items.iter().for_each(check),
            _ => {}
        }
    }
    check(document());
}

/// The schema of a webhook's request for an event, and its description.
fn event_schema(name: &str) -> &'static Value {
    let body = &document()["webhooks"][name]["post"]["requestBody"];
    let reference = body["content"]["application/json"]["schema"]["$ref"].as_str();
    let pointer = reference
        .expect("a webhook has a schema")
        .trim_start_matches('#');
    document().pointer(pointer).unwrap()
}

#[test]
fn the_webhooks_are_those_of_the_catalogue_the_test_and_those_of_gateways() {
    let described: BTreeSet<&str> = document()["webhooks"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let names = EventName::ALL.map(EventName::as_str);
    let others = [
        TEST_EVENT,
        "interest.phone_code",
        "interest.sensitive_details",
    ];
    assert_eq!(described, names.into_iter().chain(others).collect());
    let mut locations = BTreeMap::new();
    for event in EventName::ALL {
        let schema = event_schema(event.as_str());
        assert_eq!(
            schema["properties"]["type"]["enum"],
            json!([event.as_str()])
        );
        assert_eq!(schema["description"], event.kind().about());
        let data = match event.kind().shown() {
            Shown::Member => "MemberProfileResponse",
            Shown::Transaction => "TransactionEventData",
            Shown::Redemption => "RedemptionResponse",
            Shown::Message => "MessageEventData",
            Shown::PointsLow => "PointsLowEventData",
            Shown::PointsPurchased => "PointsPurchasedEventData",
            Shown::Expired => "ExpiredEventData",
            Shown::Funding => "FundingEventData",
            Shown::Nothing => panic!("{} shows nothing", event.as_str()),
        };
        let reference = format!("#/components/schemas/{data}");
        assert_eq!(schema["properties"]["data"]["$ref"], reference);
        let body = &document()["webhooks"][event.as_str()]["post"]["requestBody"];
        let schema = &body["content"]["application/json"]["schema"]["$ref"];
        locations.insert(event.as_str(), schema);
    }
    // Each of them is an event of the stream.
    let any = &document()["components"]["schemas"]["ActivityEvent"];
    assert_eq!(any["discriminator"]["mapping"], json!(locations));
    assert_eq!(any["oneOf"].as_array().unwrap().len(), EventName::ALL.len());
}

#[test]
fn an_event_that_its_schema_does_not_describe_is_refused() {
    let member = json!({
        "externalUserID": "ada", "displayName": null, "tier": "gold", "attributes": {"a": [1]},
        "email": null, "phone": null,
    });
    let event = json!({
        "id": "evt_1",
        "type": "member.created",
        "createdAt": "2026-06-15T12:00:00.000Z",
        "environment": "SANDBOX",
        "data": member,
    });
    let any = json!({"$ref": "#/components/schemas/ActivityEvent"});
    for schema in [event_schema("member.created"), &any] {
        assert_eq!(validate(schema, &event), Ok(()));
        for (pointer, value) in [
            ("/type", json!("wallet.credited")),
            ("/environment", json!("sandbox")),
            ("/createdAt", json!("today")),
            ("/data", json!({"externalUserID": "ada"})),
        ] {
            let mut wrong = event.clone();
            *wrong.pointer_mut(pointer).unwrap() = value;
            assert!(validate(schema, &wrong).is_err(), "{wrong:#}");
        }
    }
}

#[test]
fn attributes_may_hold_anything() {
    let schemas = &document()["components"]["schemas"];
    for (name, field) in [
        ("SetMemberRequest", "attributes"),
        ("SetMemberResponse", "attributes"),
        ("CreateOrganizationRequest", "metadata"),
        ("PatchOrganizationRequest", "metadata"),
        ("OrganizationResponse", "metadata"),
    ] {
        let field = &schemas[name]["properties"][field];
        assert_eq!(field["additionalProperties"], true, "{name}: {field:#}");
    }
}

#[test]
fn every_route_has_an_operation_and_every_operation_a_route() {
    let routes: BTreeSet<(String, &str)> = ROUTES
        .iter()
        .map(|route| (route.method.to_owned(), route.path))
        .collect();
    let described: BTreeSet<(String, &str)> = operations()
        .map(|(method, path, _)| (method, path))
        .collect();
    assert_eq!(described, routes);
}

#[test]
fn an_operation_needs_the_credential_that_its_route_needs() {
    for route in ROUTES {
        let operation = &document()["paths"][route.path][route.method.to_lowercase()];
        let schemes: Vec<&str> = operation["security"]
            .as_array()
            .unwrap()
            .iter()
            .map(|scheme| scheme.as_object().unwrap().keys().next().unwrap().as_str())
            .collect();
        let expected: &[&str] = match route.access {
            Access::Public => &[],
            Access::OrgKey => &["orgKey", "orgKeyHeader"],
            Access::Member => &["memberToken"],
            Access::KeyOrMember => &["orgKey", "orgKeyHeader", "memberToken"],
            Access::PartnerKey => &["partnerKey", "partnerKeyBearer"],
        };
        assert_eq!(schemes, expected, "{} {}", route.method, route.path);
        let defined = &document()["components"]["securitySchemes"];
        assert!(schemes.iter().all(|scheme| defined.get(scheme).is_some()));
    }
}

#[test]
fn operations_have_the_names_that_the_sdks_use() {
    let ids: BTreeMap<&str, (String, &str)> = operations()
        .map(|(method, path, operation)| {
            (operation["operationId"].as_str().unwrap(), (method, path))
        })
        .collect();
    assert_eq!(ids.len(), ROUTES.len(), "no name stands for two operations");
    for operation in OPERATIONS.iter() {
        let id = operation.id.as_str();
        let route = (operation.method.clone(), operation.path.as_str());
        assert_eq!(ids.get(id), Some(&route), "{id}");
    }
}

#[test]
fn what_an_operation_says_is_enough_to_read() {
    for (method, path, operation) in operations() {
        let texts = [&operation["summary"], &operation["tags"][0]];
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let described = parameters.map(|parameter| &parameter["description"]);
        for text in texts.into_iter().chain(described) {
            let text = text.as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{method} {path}: {operation:#}");
        }
    }
    let tags = document()["tags"].as_array().unwrap();
    let tags: BTreeSet<_> = tags
        .iter()
        .map(|tag| &tag["name"])
        .map(Value::to_string)
        .collect();
    let used: BTreeSet<_> = operations()
        .map(|(_, _, operation)| operation["tags"][0].to_string())
        .collect();
    assert_eq!(used, tags);
}

#[test]
fn examples_fit_their_own_schemas() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    let mut count = 0;
    for (name, schema) in schemas {
        for example in schema["examples"].as_array().into_iter().flatten() {
            let reference = json!({"$ref": format!("#/components/schemas/{name}")});
            assert_eq!(validate(&reference, example), Ok(()), "{name}: {example:#}");
            count += 1;
        }
    }
    assert!(count >= 30, "only {count} examples");
}

#[test]
fn a_schema_refuses_what_does_not_fit() {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let wallet = json!({"balance": 0, "amountReceived": 0, "amountSpent": 0, "currency": null});
    assert!(validate(&reference("WalletResponse"), &wallet).is_err());
    for body in [
        json!({"externalUserID": "a"}),
        json!({"externalUserID": "a\n", "amount": 1}),
    ] {
        assert!(
            validate(&reference("CreditRequest"), &body).is_err(),
            "{body}"
        );
    }
    let grant = json!({"accessToken": "v4.local.x", "expiresAt": "tomorrow"});
    assert!(validate(&reference("TokenGrantResponse"), &grant).is_err());
}

#[test]
fn the_document_is_served_and_the_page_loads_nothing_from_elsewhere() {
    let app = TestApp::start();
    let get = |path: &str| app.request("GET", path).send();
    assert_eq!(&get("/openapi.json").expect(200), document());
    let page = get("/docs");
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "),
        "{policy}"
    );
    let html = page.text();
    assert!(!html.contains("//") && !html.contains("<script>"), "{html}");
    let files = [
        "docs/swagger-ui.css",
        "docs/swagger-ui-bundle.js",
        "docs/page.js",
    ];
    for file in files {
        assert!(html.contains(&format!("\"{file}\"")), "{html}");
        let response = get(&format!("/{file}"));
        assert_eq!(response.status, 200, "{file}");
        assert!(!response.bytes.is_empty(), "{file}");
    }
    assert_eq!(
        html.matches("src=").count() + html.matches("href=").count(),
        files.len() + 2
    );
    get("/docs/swagger-initializer.js").expect_error(404, "NOT_FOUND");
}
