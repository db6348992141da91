//! Limits on the number of objects: the next one is refused with an error that names the limit, on
//! every route and in any race, and existing objects keep working.

use std::sync::Barrier;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    attaching, call, conversation, exchange, get_as, live, number, organization, partner_error,
    picture, post_as, post_once, program, say, say_as_agent, scrip_error, support,
};
use crate::support::{
    LIVE_KEY, PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp,
};

const PROGRAMS: &str = "/v1/programs";
const OFFERS: &str = "/v1/offers";
const RESET: &str = "/v1/sandbox/reset";

/// The number of statuses that equal this one.
fn count(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|found| **found == status).count()
}

/// Sends a given number of requests together, each with its number, and returns the statuses.
fn send_together(times: usize, send: impl Fn(usize) -> Response + Sync) -> Vec<u16> {
    let barrier = Barrier::new(times);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..times)
            .map(|place| {
                let (barrier, send) = (&barrier, &send);
                scope.spawn(move || {
                    barrier.wait();
                    send(place).status
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.collect()
    })
}

#[test]
fn an_organization_has_so_many_programs_archived_and_reset_ones_included() {
    let app = TestApp::start_with(|settings| settings.limits.programs_each_max = 4);
    let (second, _) = program(&app, SANDBOX_KEY, "Second");
    app.post(RESET, &json!({})).expect(200);
    let (_, last_key) = program(&app, SANDBOX_KEY, "Last");
    let says = "an organization can have at most 4 programs, archived ones and those that were \
                reset included (setting limits.programs_each_max)";
    let body = json!({"name": "One more"});
    let refuse = |app: &TestApp| {
        let refused = app.post(PROGRAMS, &body);
        assert_eq!(scrip_error(refused, 422, "limit_reached"), says);
        let refused = app.post(RESET, &json!({}));
        assert_eq!(refused.expect_error(422, "LIMIT_REACHED"), says);
    };
    refuse(&app);
    let path = format!("{PROGRAMS}/{second}");
    app.patch(&path, &json!({"status": "ARCHIVED"})).expect(200);
    let app = app.restart();
    refuse(&app);
    // Existing objects keep working, and so do other tenants.
    app.member("ann", 5);
    app.patch(&path, &json!({"status": "ACTIVE"})).expect(200);
    call(&app, &last_key, "PUT", "/v1/members/bob", &json!({})).expect(200);
    program(&app, LIVE_KEY, "Live");
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Tenant"}));
    program(&app, &tenant.key, "Theirs");
}

#[test]
fn a_program_has_so_many_keys_until_one_is_revoked() {
    let app = TestApp::start_with(|settings| settings.limits.keys_each_max = 3);
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Tenant"}));
    let keys = tenant.path("/api-keys");
    let make = |app: &TestApp| post_as(app, PARTNER_SANDBOX_KEY, &keys, &json!({"name": "key"}));
    let refuse = |app: &TestApp| {
        let message = partner_error(make(app), 422, "UnprocessableEntity");
        assert_eq!(
            message,
            "a program can have at most 3 keys that are not revoked (setting \
             limits.keys_each_max)"
        );
    };
    let second = make(&app).expect(201);
    make(&app).expect(201);
    refuse(&app);
    // The keys of a program that is reset open the next one.
    post_as(&app, &tenant.key, RESET, &json!({})).expect(200);
    refuse(&app);
    let path = format!("{keys}/{}", second["apiKey"]["id"].as_str().unwrap());
    call(&app, PARTNER_SANDBOX_KEY, "DELETE", &path, &Value::Null).expect(204);
    make(&app).expect(201);
    refuse(&app);
    let app = app.restart();
    refuse(&app);
    // Another program of the same organization has its own limit.
    let (second, _) = program(&app, &tenant.key, "Second");
    let body = json!({"name": "key", "programId": second});
    post_as(&app, PARTNER_SANDBOX_KEY, &keys, &body).expect(201);
}

#[test]
fn a_sandbox_program_has_so_many_members_wherever_they_come_from() {
    let app = TestApp::start_with(|settings| settings.limits.sandbox_members_max = 3);
    app.member("ann", 5);
    exchange(&app, SANDBOX_KEY, "bob");
    app.member("cyd", 0);
    app.delete("/v1/members/cyd?erase=true").expect(200);
    app.delete("/v1/members/bob").expect(200);
    let says = "a sandbox program can have at most 3 members, removed ones included \
                (setting limits.sandbox_members_max)";
    let app = app.restart();
    for _ in 0..2 {
        let refused = app.put("/v1/members/dan", &json!({}));
        assert_eq!(refused.expect_error(422, "LIMIT_REACHED"), says);
        let body = json!({"externalUserID": "dan"});
        let refused = app.post("/v1/auth/exchange", &body);
        assert_eq!(refused.expect_error(422, "LIMIT_REACHED"), says);
    }
    app.get("/v1/members/dan").expect_error(404, "NOT_FOUND");
    // Existing members keep working, and the removed one can be restored.
    app.put("/v1/members/bob", &json!({"displayName": "Bob"}))
        .expect(200);
    exchange(&app, SANDBOX_KEY, "ann");
    for name in ["a", "b", "c", "d", "e"] {
        live(&app, "PUT", &format!("/v1/members/{name}"), &json!({})).expect(200);
    }
    // A program that is reset has room again.
    app.post(RESET, &json!({})).expect(200);
    app.member("dan", 5);
}

#[test]
fn a_program_has_so_many_offers_archived_ones_included() {
    let app = TestApp::start_with(|settings| settings.limits.offers_each_max = 2);
    let first = app.offer(json!({}));
    let second = app.offer(json!({"pointsPrice": 1}));
    app.delete(&format!("{OFFERS}/{first}")).expect(200);
    let app = app.restart();
    let refused = app.post(OFFERS, &json!({"title": "One more"}));
    assert_eq!(
        refused.expect_error(422, "LIMIT_REACHED"),
        "a program can have at most 2 offers, archived ones included (setting \
         limits.offers_each_max)"
    );
    app.patch(&format!("{OFFERS}/{second}"), &json!({"title": "Other"}))
        .expect(200);
    app.member("ann", 5);
    app.redeem("ann", &second);
    post_as(&app, LIVE_KEY, OFFERS, &json!({"title": "Theirs"})).expect(201);
}

#[test]
fn an_environment_has_so_many_organizations_canceled_ones_included() {
    let app = TestApp::start_with(|settings| settings.limits.organizations_max = 3);
    let path = "/partner/organizations";
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Second"}));
    organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Third"}));
    let cancel = tenant.path("");
    call(&app, PARTNER_SANDBOX_KEY, "DELETE", &cancel, &Value::Null).expect(204);
    let app = app.restart();
    let refused = post_as(&app, PARTNER_SANDBOX_KEY, path, &json!({"name": "More"}));
    assert_eq!(
        partner_error(refused, 422, "UnprocessableEntity"),
        "an environment can have at most 3 organizations, canceled ones included \
         (setting limits.organizations_max)"
    );
    organization(&app, PARTNER_LIVE_KEY, &json!({"name": "Live"}));
}

/// The response to a member with a new token; the clock has advanced since the last one.
fn try_message(app: &TestApp, member: &str, conversation: &str, text: &str) -> Response {
    let token = exchange(app, SANDBOX_KEY, member);
    let path = format!("/v1/conversations/{conversation}/messages");
    post_as(app, &token, &path, &json!({"message": text}))
}

#[test]
fn a_member_sends_so_many_bytes_a_day_in_all_conversations_together() {
    let app = TestApp::start_with(|settings| settings.limits.message_bytes_max = 20);
    app.member("ann", 5);
    app.member("bob", 5);
    let [ann, bob] = ["ann", "bob"].map(|member| support(&app, member));
    let offer = app.offer(json!({"pointsPrice": 1}));
    app.redeem("ann", &offer);
    let booking = conversation(&app, "ann", "booking");
    say(&app, &exchange(&app, SANDBOX_KEY, "ann"), &ann, "12345678");
    // Bytes, not characters.
    try_message(&app, "ann", &booking, "ääää").expect(200);
    try_message(&app, "ann", &ann, "1234").expect(200);
    let refuse = |app: &TestApp| {
        let refused = try_message(app, "ann", &booking, "x");
        assert_eq!(
            refused.expect_error(422, "LIMIT_REACHED"),
            "a member can send at most 20 bytes of messages a day (UTC) (setting \
             limits.message_bytes_max)"
        );
    };
    refuse(&app);
    // Messages of the operator and of other members do not count.
    say_as_agent(
        &app,
        &ann,
        "What the operator says is as long as it has to be.",
    );
    try_message(&app, "bob", &bob, "1234").expect(200);
    refuse(&app);
    // The count is computed again after a restart.
    let app = app.restart();
    refuse(&app);
    app.clock.advance(Duration::from_secs(12 * 3600 - 1));
    refuse(&app);
    app.clock.advance(Duration::from_secs(1));
    try_message(&app, "ann", &ann, "12345678901234567890").expect(200);
    refuse(&app);
    // The day is that of the program.
    app.post("/v1/sandbox/clock", &json!({"advanceSeconds": 86_400}))
        .expect(200);
    try_message(&app, "ann", &booking, "1234567890").expect(200);
    let app = app.restart();
    try_message(&app, "ann", &ann, "1234567890").expect(200);
    refuse(&app);
}

/// The response to a picture of a size; the clock may have advanced since the last one.
fn try_attach(app: &TestApp, conversation: &str, size: usize) -> Response {
    attaching(app, conversation, "a.png", picture(size, 0)).send()
}

#[test]
fn a_program_sends_so_many_bytes_of_files_a_day() {
    let app = TestApp::start_with(|settings| settings.limits.attachment_bytes_max = 200_000);
    app.member("ann", 5);
    app.member("bob", 5);
    let [ann, bob] = ["ann", "bob"].map(|member| support(&app, member));
    try_attach(&app, &ann, 100_000).expect(201);
    let refuse = |app: &TestApp, size| {
        let refused = try_attach(app, &bob, size);
        assert_eq!(
            refused.expect_error(422, "LIMIT_REACHED"),
            "a program can send at most 200000 bytes of attachments a day (UTC) (setting \
             limits.attachment_bytes_max)"
        );
    };
    // The limit itself is reached, by a file of several pieces, and not exceeded by one byte.
    refuse(&app, 100_001);
    try_attach(&app, &bob, 99_980).expect(201);
    refuse(&app, 21);
    try_attach(&app, &ann, 20).expect(201);
    refuse(&app, 8);
    // Another program has its own limit, and messages have no part in it.
    say_as_agent(&app, &ann, "There is one more picture.");
    let (_, key) = program(&app, SANDBOX_KEY, "Another");
    exchange(&app, &key, "cyd");
    let list = get_as(&app, &key, "/v1/conversations?externalUserID=cyd").expect(200);
    let id = list["conversations"][0]["id"].as_str().unwrap();
    let path = format!("/v1/conversations/{id}/attachments?name=a.png");
    let request = app.request("POST", &path).bearer(&key);
    let request = request.header("Content-Type", "image/png");
    request.raw(picture(150_000, 0)).send().expect(201);
    // The count is computed again after a restart. The day is that of the program.
    let app = app.restart();
    refuse(&app, 8);
    app.clock.advance(Duration::from_secs(12 * 3600 - 1));
    refuse(&app, 8);
    app.clock.advance(Duration::from_secs(1));
    try_attach(&app, &ann, 200_000).expect(201);
    refuse(&app, 8);
    app.post("/v1/sandbox/clock", &json!({"advanceSeconds": 86_400}))
        .expect(200);
    try_attach(&app, &ann, 200_000).expect(201);
    // What is erased does not count any more.
    refuse(&app, 8);
    app.delete("/v1/members/ann?erase=true").expect(200);
    try_attach(&app, &bob, 200_000).expect(201);
    let app = app.restart();
    refuse(&app, 8);
}

#[test]
fn all_programs_together_store_so_many_bytes_of_files() {
    let app = TestApp::start_with(|settings| settings.limits.attachment_bytes_total_max = 300_000);
    app.member("ann", 5);
    let ann = support(&app, "ann");
    try_attach(&app, &ann, 200_000).expect(201);
    // A program that was reset still has its files.
    app.post(RESET, &json!({})).expect(200);
    app.member("bob", 5);
    let bob = support(&app, "bob");
    let refuse = |app: &TestApp| {
        let refused = try_attach(app, &bob, 100_001);
        let message = refused.expect_error(422, "LIMIT_REACHED");
        let most = app.settings.limits.attachment_bytes_total_max;
        assert_eq!(
            message,
            format!(
                "this server can store at most {most} bytes of attachments of all programs \
                 together (setting limits.attachment_bytes_total_max)"
            )
        );
    };
    refuse(&app);
    let mut app = app.restart();
    refuse(&app);
    // A refusal is not stored under its key.
    let large = |app: &TestApp| {
        let request = attaching(app, &bob, "a.png", picture(100_001, 0));
        request.idempotency_key("once there is room").send()
    };
    large(&app).expect_error(422, "LIMIT_REACHED");
    app.settings.limits.attachment_bytes_total_max = 300_001;
    let app = app.restart();
    large(&app).expect(201);
    refuse(&app);
    app.delete("/v1/members/bob?erase=true").expect(200);
    app.member("cyd", 0);
    try_attach(&app, &support(&app, "cyd"), 100_001).expect(201);
}

#[test]
fn what_has_no_limit_has_none_and_a_refusal_is_not_kept() {
    let app = TestApp::start_with(|settings| {
        settings.limits.organizations_max = 0;
        settings.limits.programs_each_max = 0;
        settings.limits.keys_each_max = 0;
        settings.limits.offers_each_max = 0;
        settings.limits.sandbox_members_max = 0;
        settings.limits.message_bytes_max = 0;
        settings.limits.attachment_bytes_max = 0;
        settings.limits.attachment_bytes_total_max = 0;
    });
    organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Second"}));
    program(&app, SANDBOX_KEY, "Second");
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Tenant"}));
    let keys = tenant.path("/api-keys");
    post_as(&app, PARTNER_SANDBOX_KEY, &keys, &json!({"name": "key"})).expect(201);
    app.offer(json!({}));
    app.member("ann", 0);
    say(
        &app,
        &exchange(&app, SANDBOX_KEY, "ann"),
        &support(&app, "ann"),
        "Hello",
    );
    try_attach(&app, &support(&app, "ann"), 100).expect(201);

    // Limits that are below the present number of objects.
    let mut app = app;
    app.settings.limits.offers_each_max = 1;
    app.settings.limits.programs_each_max = 1;
    let mut app = app.restart();
    let offer = json!({"title": "Another"});
    post_once(&app, "k", OFFERS, &offer).expect_error(422, "LIMIT_REACHED");
    app.post(PROGRAMS, &json!({"name": "More"})).expect(422);
    app.settings.limits.offers_each_max = 2;
    let app = app.restart();
    let made = post_once(&app, "k", OFFERS, &offer);
    assert_eq!(made.header("idempotency-replayed"), None);
    made.expect(201);
}

#[test]
fn no_race_passes_a_limit() {
    const TIMES: usize = 12;
    let app = TestApp::start_with(|settings| {
        settings.limits.organizations_max = 5;
        settings.limits.programs_each_max = 5;
        settings.limits.keys_each_max = 5;
        settings.limits.offers_each_max = 5;
        settings.limits.sandbox_members_max = 5;
        settings.limits.message_bytes_max = 50;
        settings.limits.attachment_bytes_max = 500_000;
    });
    app.member("ann", 0);
    let (token, thread) = (exchange(&app, SANDBOX_KEY, "ann"), support(&app, "ann"));
    let thread = format!("/v1/conversations/{thread}/messages");
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Tenant"}));
    let keys = tenant.path("/api-keys");
    let name = |place: usize| json!({"name": format!("number {place}")});
    let expect = |statuses: Vec<u16>, done: u16, times: usize| {
        let counts = (count(&statuses, done), count(&statuses, 422));
        assert_eq!(counts, (times, TIMES - times), "{statuses:?}");
    };
    // Half of them on each route.
    let sign_up = |place: usize| {
        let id = format!("member-{place}");
        match place % 2 {
            0 => app.put(&format!("/v1/members/{id}"), &json!({})),
            _ => app.post("/v1/auth/exchange", &json!({"externalUserID": id})),
        }
    };
    expect(send_together(TIMES, sign_up), 200, 4);
    let offer = |place: usize| app.post(OFFERS, &json!({"title": format!("Offer {place}")}));
    expect(send_together(TIMES, offer), 201, 5);
    let say = |_| post_as(&app, &token, &thread, &json!({"message": "1234567890"}));
    expect(send_together(TIMES, say), 200, 5);
    let ann = support(&app, "ann");
    let attach = |_| try_attach(&app, &ann, 100_000);
    expect(send_together(TIMES, attach), 201, 5);
    let key = |place| post_as(&app, PARTNER_SANDBOX_KEY, &keys, &name(place));
    expect(send_together(TIMES, key), 201, 4);
    let organization = |place| {
        let path = "/partner/organizations";
        post_as(&app, PARTNER_SANDBOX_KEY, path, &name(place))
    };
    expect(send_together(TIMES, organization), 201, 3);
    // Creating a program and resetting one count the same.
    let program = |place: usize| match place % 2 {
        0 => post_as(&app, &tenant.key, PROGRAMS, &name(place)),
        _ => post_as(&app, &tenant.key, RESET, &json!({})),
    };
    let statuses = send_together(TIMES, program);
    assert_eq!(count(&statuses, 422), TIMES - 4, "{statuses:?}");
    let programs = "SELECT max(programs) FROM (
        SELECT count(*) AS programs FROM program GROUP BY organization_id)";
    assert_eq!(number(&app, programs), 5);
    assert_eq!(get_as(&app, &tenant.key, "/v1/members").status, 200);
}
