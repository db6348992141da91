//! The events of the catalogue, from the table of events: a schema for each name, and the request
//! that a webhook receives.

use utoipa::ToSchema;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, Paths,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Components, Discriminator, Object, OneOfBuilder};
use utoipa::openapi::{ContentBuilder, PathItem, Ref, RefOr, Required, ResponseBuilder, Schema};

use super::operation::{Named, collect};
use crate::domain::{EventName, Gateway, Shown};
use crate::wire::{
    EventBody, ExpiredEventData, FundingEventData, MemberProfileResponse, MessageEventData,
    PhoneCodeData, PointsLowEventData, PointsPurchasedEventData, RedemptionResponse,
    SensitiveDetailsData, TEST_EVENT, TestEventData, TransactionEventData, schema,
};

/// The schema of any event of the catalogue.
const ANY: &str = "ActivityEvent";
const CODE: &str =
    "A code for the phone of an interest, sent once to the program's `phoneWebhook`.";
const DETAILS: &str =
    "Sensitive details of an interest, sent once to the program's `conciergeWebhook`.";
const TEST: &str = "A test event, which only `POST /v1/webhooks/{id}/test` sends.";

/// The responses of a receiver, by name.
const DELIVERED: &str = "WebhookDelivered";
const FAILED: &str = "WebhookFailed";
const TEST_FAILED: &str = "WebhookTestFailed";
const GATEWAY_FAILED: &str = "GatewayFailed";
const RESPONSES: [(&str, &str); 4] = [
    (DELIVERED, "Delivered."),
    (
        FAILED,
        "Not delivered: any other response, including a redirect, or none within \
         `webhooks.timeout` seconds. The delivery is repeated after pauses of up to a day.",
    ),
    (
        GATEWAY_FAILED,
        "Not delivered: any other response, including a redirect, or none within 5 seconds. There \
         is one attempt.",
    ),
    (
        TEST_FAILED,
        "Not delivered: any other response, including a redirect, or none within \
         `webhooks.timeout` seconds. A test is attempted once.",
    ),
];

/// The requests that a webhook receives, by the name of the event; adds their components.
pub(super) fn webhooks(components: &mut Components) -> Paths {
    components.schemas.extend(schemas());
    for (name, about) in RESPONSES {
        let response = ResponseBuilder::new().description(about).build();
        components
            .responses
            .insert(name.to_owned(), RefOr::T(response));
    }
    for header in headers() {
        components
            .parameters
            .insert(header.name.clone(), RefOr::T(header));
    }
    let mut webhooks = Paths::new();
    let events = EventName::ALL.map(|event| (event.as_str(), event.kind().about(), FAILED));
    let others = [
        (TEST_EVENT, TEST, TEST_FAILED),
        (Gateway::Phone.event(), CODE, GATEWAY_FAILED),
        (Gateway::Concierge.event(), DETAILS, GATEWAY_FAILED),
    ];
    for (name, about, failed) in events.into_iter().chain(others) {
        let item = PathItem::new(HttpMethod::Post, request(name, about, failed));
        webhooks.paths.insert(name.to_owned(), item);
    }
    webhooks
}

/// The schemas of all events and of their objects.
fn schemas() -> Vec<Named> {
    let mut schemas = Vec::new();
    let mut any = OneOfBuilder::new().description(Some(
        "An event of the catalogue. `type` determines the schema of `data`.",
    ));
    let mut discriminator = Discriminator::new("type");
    for event in EventName::ALL {
        let data = data(event.kind().shown(), &mut schemas);
        let schema = EventBody::schema(event.as_str(), event.kind().about(), data);
        let name = schema_name(event.as_str());
        let reference = Ref::from_schema_name(name.as_str());
        let location = reference.ref_location.clone();
        discriminator
            .mapping
            .insert(event.as_str().to_owned(), location);
        any = any.item(reference);
        schemas.push((name, schema.into()));
    }
    let any = any.discriminator(Some(discriminator)).build();
    schemas.push((ANY.to_owned(), Schema::OneOf(any).into()));
    let others = [
        (TEST_EVENT, TEST, object::<TestEventData>(&mut schemas)),
        (
            Gateway::Phone.event(),
            CODE,
            object::<PhoneCodeData>(&mut schemas),
        ),
        (
            Gateway::Concierge.event(),
            DETAILS,
            object::<SensitiveDetailsData>(&mut schemas),
        ),
    ];
    for (name, about, data) in others {
        let schema = EventBody::schema(name, about, data);
        schemas.push((schema_name(name), schema.into()));
    }
    for (name, schema) in &mut schemas {
        schema::require_all(name, schema);
    }
    schemas
}

/// The request that delivers an event.
fn request(name: &'static str, about: &str, failed: &str) -> Operation {
    let schema = Ref::from_schema_name(schema_name(name));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let body = RequestBodyBuilder::new()
        .content("application/json", content)
        .required(Some(Required::True))
        .build();
    let mut operation = OperationBuilder::new()
        .tag("Webhooks")
        .summary(Some(name))
        .description(Some(about))
        .request_body(Some(body));
    for header in headers() {
        let location = format!("#/components/parameters/{}", header.name);
        operation = operation.parameter_ref(Ref::new(location));
    }
    let event = header(
        "X-Expys-Event",
        schema::one_of([name]),
        "The event's name, as `type`.",
    );
    operation
        .parameter(event)
        .response("2XX", Ref::from_response_name(DELIVERED))
        .response("default", Ref::from_response_name(failed))
        .build()
}

/// The headers of every event, besides its name.
fn headers() -> [Parameter; 3] {
    let mut signature = schema::string();
    signature.pattern = Some("^sha256=[0-9a-f]{64}$".to_owned());
    [
        header(
            "X-Expys-Signature",
            signature,
            "`sha256=` and the HMAC-SHA256 of the raw body in hexadecimal. The key is the whole \
             `signingSecret`, including `whsec_`.",
        ),
        header(
            "X-Expys-Timestamp",
            schema::whole(0, i64::MAX),
            "The Unix time of the attempt in seconds. The signature does not cover it.",
        ),
        header(
            "X-Expys-Delivery",
            schema::string(),
            "The id of the delivery, `dlv_…`: the same on every attempt.",
        ),
    ]
}

fn header(name: &str, schema: Object, about: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

/// The schema of an event's object.
fn data(shown: Shown, schemas: &mut Vec<Named>) -> RefOr<Schema> {
    match shown {
        Shown::Member => object::<MemberProfileResponse>(schemas),
        Shown::Transaction => object::<TransactionEventData>(schemas),
        Shown::Redemption => object::<RedemptionResponse>(schemas),
        Shown::Message => object::<MessageEventData>(schemas),
        Shown::PointsLow => object::<PointsLowEventData>(schemas),
        Shown::PointsPurchased => object::<PointsPurchasedEventData>(schemas),
        Shown::Expired => object::<ExpiredEventData>(schemas),
        Shown::Funding => object::<FundingEventData>(schemas),
        // No event of the catalogue; the tests of the table check that.
        Shown::Nothing => Schema::Object(schema::any_object()).into(),
    }
}

fn object<T: ToSchema>(schemas: &mut Vec<Named>) -> RefOr<Schema> {
    collect::<T>(schemas);
    schema::reference::<T>()
}

/// `member.tier_changed` as `MemberTierChangedEvent`.
fn schema_name(event: &str) -> String {
    let words = event.split(['.', '_']).map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.chain(["Event".to_owned()]).collect()
}
