//! Requests to the routes of a participant's redemptions.

use serde_json::{Value, json};
use stampcard::domain::{DerivedIds, DerivedKind};

use crate::support::TestApp;

/// What is sent to the routes of a participant's redemptions.
pub(crate) struct ScripPosts {
    pub(crate) redemptions: String,
    pub(crate) items: String,
    pub(crate) reverse: String,
    pub(crate) spend: Value,
    pub(crate) reward: Value,
}

impl ScripPosts {
    pub(crate) fn new(app: &TestApp) -> Self {
        let program = app.get("/v1/programs/current").expect(200)["id"].clone();
        let asset = app.get("/v1/assets/default").expect(200)["id"].clone();
        let uuid = uuid::Uuid::parse_str(program.as_str().unwrap()).unwrap();
        let sql = "SELECT id FROM member WHERE external_user_id = 'ada'";
        let ada = app.sqlite().query_row(sql, [], |row| row.get(0)).unwrap();
        let ids = DerivedIds::new(uuid, DerivedKind::Participant);
        let redemptions = format!("/v1/participants/{}/redemptions", ids.id(ada, 0));
        let offer = app.offer(json!({"pointsPrice": 1}));
        let reward = offer.strip_prefix("off_");
        let spend = json!({
            "program_id": program, "asset_id": asset, "amount": "2", "description": "tea",
        });
        let made = app.post(&redemptions, &spend).expect(201);
        let made = made["id"].as_str().unwrap();
        Self {
            items: format!("{redemptions}/items"),
            reverse: format!("{redemptions}/{made}/reverse"),
            reward: json!({"program_id": program, "reward_id": reward}),
            redemptions,
            spend,
        }
    }
}
