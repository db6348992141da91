//! Two environments with members, redemptions and tenants, to which the table's requests refer.

use serde_json::{Value, json};
use stampcard::http::Access;

use super::table::Row;
use crate::client::{
    Tenant, call, conversation, credit, live, move_to, organization, program, say, support,
};
use crate::support::{PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp};

/// Ada and Bob in the sandbox, each with points and a redemption; Lea in the live environment.
pub(super) struct World {
    pub(super) app: TestApp,
    /// Ada's redemption.
    pub(super) token: String,
    pub(super) offer: String,
    /// For the rows that archive or redeem an offer.
    pub(super) spare_offers: [String; 2],
    pub(super) ada_redemption: String,
    pub(super) spare_redemption: String,
    /// One of Ada's that is completed.
    pub(super) completed_redemption: String,
    pub(super) bob_redemption: String,
    pub(super) live_offer: String,
    /// Ada's conversation, in which she wrote a message, and Bob's.
    pub(super) ada_conversation: String,
    pub(super) bob_conversation: String,
    /// One to read and one to delete; no row of the table causes an event that they subscribe to.
    pub(super) webhooks: [String; 2],
    /// The participants that Bob and Zoe are.
    pub(super) participants: [String; 2],
    pub(super) delivery: String,
    /// The id of the sandbox key, and that of another key of the same organization.
    pub(super) programs: [String; 2],
    /// Interests of Ada and of Bob; a code was sent for Ada's.
    pub(super) ada_interest: String,
    pub(super) bob_interest: String,
    /// Of Ada, for the row that closes an interest.
    pub(super) spare_interest: String,
    /// The present version of the privacy policy.
    pub(super) terms: String,
    /// Of the sandbox key's program, for the row that revokes a key.
    pub(super) spare_key: String,
    /// An organization of the sandbox that may be changed, and its key.
    pub(super) tenant: Tenant,
    pub(super) tenant_key: String,
    /// A rule with a budget of the program's points.
    pub(super) rule: String,
    /// An event of Bob.
    pub(super) event: String,
}

impl World {
    pub(super) fn new() -> Self {
        Self::on(TestApp::start())
    }

    pub(super) fn on(app: TestApp) -> Self {
        let ada = json!({"externalUserID": "ada", "displayName": "Ada Lovelace",
            "email": "ada@example.com"});
        app.post("/v1/auth/exchange", &ada).expect(200);
        credit(&app, "ada", 100);
        app.member("bob", 200);
        app.member("zoe", 0);
        let offer = app.offer(json!({"pointsPrice": 10}));
        let spare_offers = [(); 2].map(|()| app.offer(json!({"pointsPrice": 5})));
        let ada_redemption = app.redeem("ada", &offer);
        let bob_redemption = app.redeem("bob", &offer);
        let spare_redemption = app.redeem("ada", &app.offer(json!({})));
        let completed_redemption = app.redeem("ada", &app.offer(json!({})));
        move_to(&app, &completed_redemption, "COMPLETED").expect(200);
        let lea = json!({"displayName": "Lea Live"});
        live(&app, "PUT", "/v1/members/lea", &lea).expect(200);
        let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "A tenant"}));
        let path = tenant.path("/api-keys");
        let made = call(&app, PARTNER_SANDBOX_KEY, "GET", &path, &Value::Null).expect(200);
        let own = app.get("/v1/programs").expect(200);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let live_offer = live(&app, "POST", "/v1/offers", &json!({"title": "Live"})).expect(201);
        let token = app.token("ada");
        let ada_conversation = support(&app, "ada");
        say(&app, &token, &ada_conversation, "Hello, is anybody there?");
        let hook = json!({"url": "http://127.0.0.1:9/", "events": ["member.tier_changed"]});
        let webhooks = [(); 2].map(|()| text(&app.post("/v1/webhooks", &hook).expect(201)["id"]));
        let path = format!("/v1/webhooks/{}/test", webhooks[0]);
        let delivery = text(&app.post(&path, &Value::Null).expect(200)["id"]);
        let interest = |member: &str| {
            let body =
                json!({"externalUserID": member, "offer": offer, "phone": "+30 694 1234567"});
            text(&app.post("/v1/interests", &body).expect(201)["id"])
        };
        Self {
            event: super::events::create(&app),
            rule: super::rules::create(&app),
            participants: ["bob", "zoe"].map(|name| participant(&app, name)),
            ada_interest: interest("ada"),
            bob_interest: interest("bob"),
            spare_interest: interest("ada"),
            token,
            ada_conversation,
            bob_conversation: conversation(&app, "bob", "booking"),
            webhooks,
            delivery,
            offer,
            spare_offers,
            ada_redemption,
            spare_redemption,
            completed_redemption,
            bob_redemption,
            live_offer: text(&live_offer["id"]),
            programs: [
                text(&own["data"][0]["id"]),
                program(&app, SANDBOX_KEY, "A second one").0,
            ],
            terms: text(
                &app.put(
                    "/v1/terms/PRIVACY_POLICY",
                    &json!({"contentHTML": "<p>Nothing is sold.</p>"}),
                )
                .expect(200)["version"],
            ),
            spare_key: text(
                &app.post("/v1/keys", &json!({"name": "spare"})).expect(201)["key"]["id"],
            ),
            tenant_key: text(&made["apiKeys"][0]["id"]),
            tenant,
            app,
        }
    }

    pub(super) fn send(&self, credential: &str, row: &Row) -> Response {
        row.request(&self.app, &row.body).bearer(credential).send()
    }

    /// The credential that is allowed to make the request of a row.
    pub(super) fn credential_for(&self, row: &Row) -> &str {
        match row.access() {
            Access::PartnerKey => PARTNER_SANDBOX_KEY,
            Access::Member => &self.token,
            _ => SANDBOX_KEY,
        }
    }

    /// Texts that no response to a sandbox key may contain.
    pub(super) fn hidden_from_key(&self) -> Vec<&str> {
        vec!["lea", "Lea Live", &self.live_offer, "_0123456789", "hash"]
    }

    /// Texts that no response to Ada's token may contain, except her own id if she sent it.
    pub(super) fn hidden_from_ada(&self) -> Vec<&str> {
        let mut hidden = self.hidden_from_key();
        hidden.extend([
            "ada@example.com",
            "bob",
            "zoe",
            &self.bob_redemption,
            &self.bob_conversation,
        ]);
        hidden
    }

    /// Texts that no response to a live key may contain.
    pub(super) fn hidden_from_live(&self) -> Vec<&str> {
        let mut hidden = vec![
            "Ada Lovelace",
            "ada@example.com",
            "bob",
            "zoe",
            "_0123456789",
        ];
        hidden.extend(["A tenant", &self.tenant.id, &self.tenant_key]);
        hidden.extend(self.programs.iter().map(String::as_str));
        hidden.extend([&*self.offer, &self.ada_redemption, &self.bob_redemption]);
        hidden.extend(self.spare_offers.iter().map(String::as_str));
        hidden.extend([&*self.ada_conversation, &self.bob_conversation]);
        hidden.extend(["is anybody there", &self.delivery, &self.spare_key]);
        hidden.extend(self.webhooks.iter().map(String::as_str));
        hidden
    }
}

fn participant(app: &TestApp, name: &str) -> String {
    let page = app.get(&format!("/v1/participants?external_id={name}"));
    page.expect(200)["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}
