//! Requests that passed the credential check before their credential, program or organization lost
//! its rights, and whose body ends only afterwards. Every route that writes and reads a body is
//! tried.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use stampcard::domain::{Environment, ExternalUserId, Precondition};
use stampcard::error::Code;
use stampcard::http::Access;
use stampcard::service::RemoveOptions;

use super::table::{Row, table};
use super::world::World;
use super::{check_error, closed};
use crate::client::{call, partner, partner_get, post_as, program, rows};
use crate::support::{PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp};

/// A request whose second half of the body has not been sent yet.
struct Held {
    row: Row,
    idempotency_key: String,
    reader: BufReader<TcpStream>,
    rest: Vec<u8>,
}

impl Held {
    /// Sends the first half, and waits until the server has processed the head.
    fn send(app: &TestApp, credential: &str, row: Row, body: &Value, number: usize) -> Self {
        // An event has a key of its own.
        let own = body["idempotency_key"].as_str().map(str::to_owned);
        let idempotency_key = own.unwrap_or_else(|| format!("held {number}"));
        let (kind, body) = row.payload(body);
        let stream = TcpStream::connect(app.address).unwrap();
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).unwrap();
        let head = format!(
            "{} {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {credential}\r\n\
             idempotency-key: {idempotency_key}\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\nexpect: 100-continue\r\n\r\n",
            row.method,
            row.path,
            body.len(),
        );
        let mut reader = BufReader::new(stream);
        reader.get_mut().write_all(head.as_bytes()).unwrap();
        // It is sent once the handler has begun to read, so the credential was checked before.
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(
            line.contains(" 100 "),
            "{} {}: {line}",
            row.method,
            row.path
        );
        reader.read_line(&mut line).unwrap();
        let (first, rest) = body.split_at(body.len() / 2);
        reader.get_mut().write_all(first).unwrap();
        Self {
            row,
            idempotency_key,
            rest: rest.to_vec(),
            reader,
        }
    }

    /// Sends the rest and returns the response.
    fn finish(mut self) -> (Row, String, Response) {
        let sent = self.reader.get_mut().write_all(&self.rest);
        sent.unwrap();
        let (mut headers, mut length, mut status) = (Vec::new(), 0, 0);
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).unwrap();
            let line = line.trim_end();
            match line.split_once(": ") {
                _ if line.is_empty() => break,
                Some((name, value)) => {
                    if name.eq_ignore_ascii_case("content-length") {
                        length = value.parse().unwrap();
                    }
                    headers.push((name.to_owned(), value.to_owned()));
                }
                None => status = line.split(' ').nth(1).unwrap().parse().unwrap(),
            }
        }
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).unwrap();
        let response = Response {
            status,
            headers,
            bytes,
        };
        (self.row, self.idempotency_key, response)
    }
}

/// The sender of the held requests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sender {
    Key,
    Member,
    Partner,
}

/// Begins every write with a body that the sender is allowed to send.
fn hold_requests(world: &World, sender: Sender) -> Vec<Held> {
    let writes = closed(world).into_iter().filter(|row| {
        // The other routes read no body, and these write nothing.
        ["POST", "PUT", "PATCH"].contains(&row.method)
            && !["/validate", "/simulate"]
                .iter()
                .any(|end| row.path.ends_with(end))
            && row.route != "/v1/participants/{id}/state/tags/{tag}"
            && match sender {
                Sender::Key => matches!(row.access(), Access::OrgKey | Access::KeyOrMember),
                Sender::Member => matches!(row.access(), Access::Member | Access::KeyOrMember),
                Sender::Partner => row.access() == Access::PartnerKey,
            }
    });
    let held: Vec<Held> = writes
        .enumerate()
        .map(|(number, row)| {
            let (credential, body) = match sender {
                Sender::Key => (SANDBOX_KEY, row.body.clone()),
                Sender::Partner => (PARTNER_SANDBOX_KEY, row.body.clone()),
                Sender::Member => (&*world.token, row.members_body().clone()),
            };
            Held::send(&world.app, credential, row, &body, number)
        })
        .collect();
    assert!(held.len() > 2);
    held
}

/// Every request is refused, nothing has changed, and no idempotency record was saved: the refused
/// requests are repeated with their keys.
#[track_caller]
fn refuse(world: &World, held: Vec<Held>, code: Code) -> Vec<(Row, String)> {
    let before = rows(&world.app);
    let mut refused = Vec::new();
    for held in held {
        let (row, key, response) = held.finish();
        check_error(&response, &row, code);
        refused.push((row, key));
    }
    assert_eq!(rows(&world.app), before);
    refused
}

/// The organization of the sandbox key, and the key's id.
fn own(world: &World) -> (String, String) {
    let list = partner_get(&world.app, "/partner/organizations");
    let organizations = list["organizations"].as_array().unwrap();
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let organization = organizations.iter().find(|o| o["name"] == "Sandbox");
    let organization = format!("/partner/organizations/{}", id(organization.unwrap()));
    let keys = partner_get(&world.app, &format!("{organization}/api-keys"));
    let mut keys = keys["apiKeys"].as_array().unwrap().iter();
    // The spare key is the newer one.
    let key = keys.rfind(|key| key["programId"] == *world.programs[0]);
    (organization, id(key.unwrap()))
}

#[test]
fn a_key_that_is_revoked_on_the_way_writes_nothing() {
    let world = World::new();
    let held = hold_requests(&world, Sender::Key);
    let (organization, key) = own(&world);
    let path = format!("{organization}/api-keys/{key}");
    assert_eq!(
        partner(&world.app, "DELETE", &path, &Value::Null).status,
        204
    );
    refuse(&world, held, Code::Unauthorized);
}

#[test]
fn a_program_that_is_archived_on_the_way_takes_no_writes() {
    let world = World::new();
    let (_, other) = program(&world.app, SANDBOX_KEY, "Neighbour");
    let mut held = hold_requests(&world, Sender::Key);
    held.extend(hold_requests(&world, Sender::Member));
    let path = format!("/v1/programs/{}", world.programs[0]);
    let away = json!({"status": "ARCHIVED"});
    call(&world.app, &other, "PATCH", &path, &away).expect(200);
    refuse(&world, held, Code::Forbidden);
}

#[test]
fn an_organization_that_is_suspended_on_the_way_writes_nothing_and_may_try_again_later() {
    let world = World::new();
    let held = hold_requests(&world, Sender::Key);
    let members = hold_requests(&world, Sender::Member);
    let (organization, _) = own(&world);
    let set = |status: &str| {
        let path = format!("{organization}/status");
        partner(&world.app, "PUT", &path, &json!({"status": status})).expect(200);
    };
    set("suspended");
    let refused = refuse(&world, held, Code::Forbidden);
    refuse(&world, members, Code::Forbidden);
    set("active");
    for (row, key) in refused {
        let request = row.request(&world.app, &row.body);
        let request = request.bearer(SANDBOX_KEY).idempotency_key(&key);
        let response = request.send();
        assert_eq!(response.status, row.status, "{} {}", row.method, row.path);
        assert_eq!(response.header("idempotency-replayed"), None);
    }
}

#[test]
fn an_organization_that_is_canceled_on_the_way_writes_nothing() {
    let world = World::new();
    let mut held = hold_requests(&world, Sender::Key);
    held.extend(hold_requests(&world, Sender::Member));
    let (organization, _) = own(&world);
    let canceled = partner(&world.app, "DELETE", &organization, &Value::Null);
    assert_eq!(canceled.status, 204);
    refuse(&world, held, Code::Forbidden);
}

#[test]
fn a_member_who_is_removed_on_the_way_writes_nothing() {
    let world = World::new();
    let held = hold_requests(&world, Sender::Member);
    world
        .app
        .delete("/v1/members/ada?retainBalance=true")
        .expect(200);
    // The credentials are restored, but the tokens are new.
    world.app.put("/v1/members/ada", &json!({})).expect(200);
    refuse(&world, held, Code::Unauthorized);
}

#[test]
fn what_is_under_way_during_a_reset_acts_on_the_program_that_the_key_then_opens() {
    let world = World::new();
    let held = hold_requests(&world, Sender::Key);
    let members = hold_requests(&world, Sender::Member);
    world.app.post("/v1/sandbox/reset", &json!({})).expect(200);
    let of_old = || {
        let sql = "SELECT (SELECT group_concat(quote(seq)) FROM activity WHERE program_id = 1)
            || (SELECT group_concat(tier || quote(display_name))
                FROM member WHERE program_id = 1)
            || (SELECT count(*) FROM offer WHERE program_id = 1 AND archived_at IS NULL)
            || (SELECT currency_name || clock_offset || status FROM program WHERE id = 1)
            || (SELECT count(*) FROM message)";
        let text: String = world
            .app
            .sqlite()
            .query_row(sql, [], |row| row.get(0))
            .unwrap();
        text
    };
    let before = of_old();
    let mut done = 0;
    for held in held {
        let (row, _, response) = held.finish();
        let what = format!("{} {}: {}", row.method, row.path, response.text());
        // The ids in its path may be of the old program.
        assert!([row.status, 404].contains(&response.status), "{what}");
        done += usize::from(response.status == row.status);
    }
    assert!(done > 5, "{done}");
    assert_eq!(of_old(), before);
    // A member belongs to the old program, which is archived.
    refuse(&world, members, Code::Forbidden);
    assert_eq!(of_old(), before);
}

/// Requests without a body have no such pause, but may wait in the queue; and no route revokes the
/// partner's key.
#[test]
fn without_a_body_and_for_the_partner_it_is_the_same() {
    let mut world = World::new();
    let (offer, hook) = (world.offer.clone(), world.webhooks[0].clone());
    let (delivery, tenant) = (world.delivery.clone(), world.tenant.clone());
    let tenant_key = world.tenant_key.clone();
    let before = rows(&world.app);
    let statuses = world.app.while_stopped(async |services| {
        let key = services.directory().authenticate_key(SANDBOX_KEY).unwrap();
        let partner = services.directory();
        let partner = partner.authenticate_partner(PARTNER_SANDBOX_KEY).unwrap();
        for listed in services.list_all_keys().await.unwrap() {
            if listed.environment == Environment::Sandbox {
                services.revoke_any_key(listed.uuid).await.unwrap();
            }
        }
        let options = RemoveOptions {
            retain_balance: true,
            erase: false,
        };
        let bob = ExternalUserId::parse("externalUserID", "bob").unwrap();
        let any = Precondition::NONE;
        [
            services.archive_offer(key, offer, any).await.unwrap(),
            services
                .remove_member(key, bob, Precondition::NONE, options)
                .await
                .unwrap(),
            services
                .delete_webhook(key, hook.clone(), Precondition::NONE)
                .await
                .unwrap(),
            services
                .test_webhook(key, None, hook.clone())
                .await
                .unwrap(),
            services
                .redeliver_webhook(key, None, hook, delivery)
                .await
                .unwrap(),
            services
                .cancel_organization(partner, tenant.id.clone(), Precondition::NONE)
                .await
                .unwrap(),
            services
                .revoke_api_key(partner, tenant.id, tenant_key)
                .await
                .unwrap(),
        ]
        .map(|reply| reply.status)
    });
    assert_eq!(statuses, [401; 7]);
    let changed: Vec<_> = rows(&world.app)
        .into_iter()
        .filter(|row| !before.contains(row))
        .collect();
    assert!(
        changed.iter().all(|row| row.starts_with("credential ")),
        "{changed:?}"
    );
    // Every write of the partner with a body is in the table, too: none of them has a key any more.
    for row in table(&world) {
        if row.access() == Access::PartnerKey {
            let response = world.send(PARTNER_SANDBOX_KEY, &row);
            check_error(&response, &row, Code::Unauthorized);
        }
    }
}

#[test]
fn what_the_partner_began_is_finished_while_the_key_is_good() {
    let world = World::new();
    let held = hold_requests(&world, Sender::Partner);
    // Anything that raises the version of the directory.
    post_as(
        &world.app,
        SANDBOX_KEY,
        "/v1/programs",
        &json!({"name": "New"}),
    )
    .expect(201);
    for held in held {
        let (row, _, response) = held.finish();
        let what = format!("{} {}: {}", row.method, row.path, response.text());
        assert_eq!(response.status, row.status, "{what}");
    }
}
