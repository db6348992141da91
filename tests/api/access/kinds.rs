//! Every kind of credential, and what each may do on every route.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use stampcard::domain::{Environment, Name};
use stampcard::error::Code;
use stampcard::http::Access;

use super::table::Row;
use super::world::World;
use crate::client::{Tenant, call, exchange, organization, program};
use crate::support::{LIVE_KEY, PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, SANDBOX_KEY};

/// The principal of a credential.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    Program,
    Member,
    Partner,
}

/// How close its holder is to the objects of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Near {
    /// The one that owns the objects of the table's rows.
    Own,
    /// Another program of the same organization.
    Neighbour,
    /// Another member of the same program.
    Peer,
    /// Of another organization of the same environment.
    Stranger,
    /// Of the other environment.
    Abroad,
}

/// Whether a credential is valid.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Unknown, or revoked.
    Unknown,
    /// Valid, but its holder may do nothing.
    Barred,
    Good(Holder, Near),
}

pub(super) struct Kind {
    pub(super) name: &'static str,
    /// `None`: no credential at all.
    pub(super) credential: Option<String>,
    pub(super) standing: Standing,
}

impl Kind {
    /// The code with which a row refuses it before it checks anything else.
    pub(super) fn refusal(&self, access: Access) -> Option<Code> {
        let admits = |holder| match access {
            Access::Public => true,
            Access::OrgKey => holder == Holder::Program,
            Access::KeyOrMember => holder != Holder::Partner,
            Access::Member => holder == Holder::Member,
            Access::PartnerKey => holder == Holder::Partner,
        };
        match self.standing {
            _ if access == Access::Public => None,
            Standing::Unknown => Some(Code::Unauthorized),
            Standing::Barred => Some(Code::Forbidden),
            Standing::Good(holder, _) => (!admits(holder)).then_some(Code::Forbidden),
        }
    }

    /// The response of a row that does not refuse it.
    pub(super) fn status(&self, row: &Row) -> u16 {
        let Standing::Good(holder, near) = self.standing else {
            return row.status;
        };
        let others = row.others.as_ref().map(|(_, _, status)| *status);
        match near {
            _ if row.access() == Access::Public => row.status,
            Near::Own => row.status,
            // Only these list every program of an organization; others are of one.
            Near::Neighbour if row.path.starts_with("/v1/programs") => row.status,
            Near::Neighbour if row.path.starts_with("/v1/reports") => row.status,
            Near::Peer => others.unwrap_or(row.status),
            // The sandbox's own routes act on the program of the key.
            Near::Neighbour | Near::Stranger if row.route.starts_with("/v1/sandbox/") => row.status,
            _ if holder == Holder::Member => others.unwrap_or(row.live),
            _ => row.live,
        }
    }

    /// The body to send: a member sends fewer fields than a key.
    pub(super) fn body<'a>(&self, row: &'a Row) -> &'a Value {
        match self.standing {
            Standing::Good(Holder::Member, _) => row.members_body(),
            _ => &row.body,
        }
    }
}

fn kind(name: &'static str, credential: impl Into<String>, standing: Standing) -> Kind {
    Kind {
        name,
        credential: Some(credential.into()),
        standing,
    }
}

/// One of each kind.
pub(super) fn kinds(world: &mut World) -> Vec<Kind> {
    let mut kinds = partner_keys(world);
    kinds.extend(unknown(world));
    kinds.extend(barred(world));
    kinds.extend(good(world));
    kinds
}

/// A partner key that was replaced by another, which only the command line can do.
fn partner_keys(world: &mut World) -> Vec<Kind> {
    let (old, new) = world.app.while_stopped(async |services| {
        let make = async |name| {
            let name = Name::parse("name", name).unwrap();
            let made = services.create_partner_key(Environment::Sandbox, name);
            made.await.unwrap()
        };
        let (id, old) = make("old").await;
        assert!(services.revoke_any_key(id).await.unwrap());
        let (_, new) = make("new").await;
        (old, new)
    });
    let good = Standing::Good(Holder::Partner, Near::Own);
    vec![
        kind(
            "a revoked partner key",
            old.expose_secret(),
            Standing::Unknown,
        ),
        kind("the partner key in its place", new.expose_secret(), good),
    ]
}

fn unknown(world: &mut World) -> Vec<Kind> {
    let app = &world.app;
    let expired = app.token("ada");
    app.clock.advance(Duration::from_mins(15));
    let removed = app.token("removed");
    app.delete("/v1/members/removed").expect(200);
    // After a new sign-up under the same id, the old tokens belong to another member.
    app.put("/v1/members/removed", &json!({})).expect(200);
    let keys = world.tenant.path("/api-keys");
    let made = call(
        app,
        PARTNER_SANDBOX_KEY,
        "POST",
        &keys,
        &json!({"name": "x"}),
    )
    .expect(201);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (revoked, id) = (text(&made["plainKey"]), text(&made["apiKey"]["id"]));
    let path = format!("{keys}/{id}");
    call(app, PARTNER_SANDBOX_KEY, "DELETE", &path, &Value::Null).expect(204);
    world.token = world.app.token("ada");
    let forged = format!("{}AAAA", &world.token[..world.token.len() - 4]);
    let mut kinds: Vec<Kind> = [
        ("garbage", "nonsense".to_owned()),
        ("a key that was never made", "expys_sandbox_x".to_owned()),
        (
            "a partner key that was never made",
            "partner_live_x".to_owned(),
        ),
        ("a forged token", forged),
        ("an expired token", expired),
        ("a removed member's token", removed),
        ("a revoked key", revoked),
    ]
    .into_iter()
    .map(|(name, credential)| kind(name, credential, Standing::Unknown))
    .collect();
    kinds.push(Kind {
        name: "none",
        credential: None,
        standing: Standing::Unknown,
    });
    kinds
}

fn barred(world: &World) -> Vec<Kind> {
    let app = &world.app;
    let tenant = |name: &str| {
        let tenant = organization(app, PARTNER_SANDBOX_KEY, &json!({"name": name}));
        let token = exchange(app, &tenant.key, "somebody");
        (tenant, token)
    };
    let (suspended, token_of_suspended) = tenant("Suspended");
    let set = |tenant: &Tenant, status: &str| {
        let path = tenant.path("/status");
        let body = json!({"status": status});
        call(app, PARTNER_SANDBOX_KEY, "PUT", &path, &body).expect(200);
    };
    set(&suspended, "suspended");
    let (canceled, token_of_canceled) = tenant("Canceled");
    let path = canceled.path("");
    call(app, PARTNER_SANDBOX_KEY, "DELETE", &path, &Value::Null).expect(204);
    let (id, archived) = program(app, SANDBOX_KEY, "Archived");
    let token_of_archived = exchange(app, &archived, "somebody");
    let path = format!("/v1/programs/{id}");
    app.patch(&path, &json!({"status": "ARCHIVED"})).expect(200);
    [
        ("a suspended organization's key", suspended.key),
        ("a token of a suspended organization", token_of_suspended),
        ("a canceled organization's key", canceled.key),
        ("a token of a canceled organization", token_of_canceled),
        ("an archived program's key", archived),
        ("a token of an archived program", token_of_archived),
    ]
    .into_iter()
    .map(|(name, credential)| kind(name, credential, Standing::Barred))
    .collect()
}

fn good(world: &World) -> Vec<Kind> {
    let app = &world.app;
    let (_, neighbour) = program(app, SANDBOX_KEY, "A neighbour");
    let abroad = organization(app, PARTNER_LIVE_KEY, &json!({"name": "Abroad"}));
    let token = |key: &str, member: &str| exchange(app, key, member);
    let key = |near| Standing::Good(Holder::Program, near);
    let member = |near| Standing::Good(Holder::Member, near);
    let partner = |near| Standing::Good(Holder::Partner, near);
    vec![
        kind("the key", SANDBOX_KEY, key(Near::Own)),
        kind(
            "the key of another program",
            &neighbour,
            key(Near::Neighbour),
        ),
        kind(
            "another organization's key",
            &world.tenant.key,
            key(Near::Stranger),
        ),
        kind("the live key", LIVE_KEY, key(Near::Abroad)),
        kind(
            "another live organization's key",
            &abroad.key,
            key(Near::Abroad),
        ),
        kind("the member's token", &world.token, member(Near::Own)),
        kind(
            "another member's token",
            token(SANDBOX_KEY, "bob"),
            member(Near::Peer),
        ),
        kind(
            "a token of another program",
            token(&neighbour, "ann"),
            member(Near::Neighbour),
        ),
        kind(
            "a token of another organization",
            token(&world.tenant.key, "ann"),
            member(Near::Stranger),
        ),
        kind("a live token", token(LIVE_KEY, "lea"), member(Near::Abroad)),
        kind("the partner key", PARTNER_SANDBOX_KEY, partner(Near::Own)),
        kind(
            "the live partner key",
            PARTNER_LIVE_KEY,
            partner(Near::Abroad),
        ),
    ]
}
