//! The routes that read back what the ledger has.

use serde_json::{Value, json};
use stampcard::domain::{DerivedIds, DerivedKind};
use uuid::Uuid;

use super::table::{Row, row};
use super::world::World;

pub(super) fn ledger_rows(world: &World) -> Vec<Row> {
    let ids = Ids::of(world);
    let mut rows = redemption_rows(world, &ids);
    rows.extend(account_rows(world, &ids));
    rows.extend(report_rows(&ids));
    rows
}

/// What the paths and answers name.
struct Ids {
    asset: String,
    /// The path of a participant.
    ada: String,
    /// A journal entry.
    entry: String,
}

impl Ids {
    fn of(world: &World) -> Self {
        let program = Uuid::parse_str(&world.programs[0]).unwrap();
        let id = |kind, number| DerivedIds::new(program, kind).id(number, 0).to_string();
        let number = |sql: &str| -> i64 {
            let connection = world.app.sqlite();
            connection.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        let ada = number("SELECT id FROM member WHERE external_user_id = 'ada'");
        let entry = number("SELECT min(seq) FROM activity WHERE entry IS NOT NULL");
        Self {
            asset: id(DerivedKind::Asset, 0),
            ada: format!("/v1/participants/{}", id(DerivedKind::Participant, ada)),
            entry: id(DerivedKind::JournalEntry, entry),
        }
    }
}

fn redemption_rows(world: &World, Ids { asset, ada, .. }: &Ids) -> Vec<Row> {
    let reward = json!({
        "program_id": world.programs[0], "reward_id": Uuid::nil().to_string(),
    });
    let spend = json!({
        "program_id": world.programs[0], "asset_id": asset, "amount": "1", "description": "tea",
    });
    let redemptions = format!("{ada}/redemptions");
    let made = world.ada_redemption.strip_prefix("rdm_").unwrap();
    // More units than it has, so that it is the same each time.
    let completed = world.completed_redemption.strip_prefix("rdm_").unwrap();
    let reverse = format!("{redemptions}/{completed}/reverse");
    let one_made = format!("{redemptions}/{made}");
    vec![
        row("GET", "/v1/participants/{id}/redemptions", &redemptions)
            .gives(200, [made, "unit_cost"])
            .bad(
                format!("{redemptions}?status=x"),
                Value::Null,
                400,
                "status",
            ),
        row("POST", "/v1/participants/{id}/redemptions", &redemptions)
            .body(spend)
            .gives(201, ["COMPLETED"])
            .bad(&redemptions, json!({}), 400, "program_id"),
        row(
            "POST",
            "/v1/participants/{id}/redemptions/items",
            format!("{redemptions}/items"),
        )
        .body(reward)
        .gives(404, ["no such reward"])
        .bad(format!("{redemptions}/items"), json!({}), 400, "program_id"),
        row(
            "GET",
            "/v1/participants/{id}/redemptions/{redemptionId}",
            &one_made,
        )
        .gives(200, [made])
        .bad(format!("{redemptions}/%FF"), Value::Null, 400, "path"),
        row(
            "POST",
            "/v1/participants/{id}/redemptions/{redemptionId}/reverse",
            &reverse,
        )
        .body(json!({"reason": "cold", "quantity": 9_999}))
        .gives(422, ["insufficient_balance"])
        .bad(&reverse, json!({}), 400, "reason"),
        row(
            "GET",
            "/v1/participants/{id}/redemptions/{redemptionId}/reversals",
            format!("{one_made}/reversals"),
        )
        .gives(200, ["pagination"])
        .bad(
            format!("{one_made}/reversals?limit=0"),
            Value::Null,
            400,
            "limit",
        ),
    ]
}

fn account_rows(world: &World, Ids { asset, ada, entry }: &Ids) -> Vec<Row> {
    let lots = "/v1/participants/{id}/balances/lots";
    let (list, one) = ("/v1/journal-entries", "/v1/journal-entries/{id}");
    let statement = format!("{ada}/statement?asset_id={asset}");
    vec![
        // The points of this program are not in lots.
        row("GET", lots, format!("{ada}/balances/lots?asset_id={asset}"))
            .gives(400, ["/convert"])
            .bad(format!("{ada}/balances/lots"), Value::Null, 400, "asset_id"),
        row("GET", "/v1/participants/{id}/statement", &statement)
            .gives(200, ["closing_balance", "running_balance"])
            .bad(format!("{statement}&bucket=x"), Value::Null, 400, "bucket"),
        row("GET", list, list)
            .gives(200, ["entry_hash", &*world.programs[0]])
            .live(200)
            .bad("/v1/journal-entries?limit=201", Value::Null, 400, "limit"),
        row("GET", one, format!("{list}/{entry}"))
            .gives(200, [entry, "postings"])
            .bad("/v1/journal-entries/%FF", Value::Null, 400, "path"),
    ]
}

fn report_rows(Ids { asset, .. }: &Ids) -> Vec<Row> {
    let summary = "/v1/reports/ledger-summary";
    let schedule = "/v1/reports/expiration-schedule";
    let period = "from=2026-06-01T00:00:00Z&to=2026-07-01T00:00:00Z";
    vec![
        row("GET", summary, summary)
            .gives(200, ["current_balance", asset])
            .live(200)
            .bad(
                "/v1/reports/ledger-summary?limit=0",
                Value::Null,
                400,
                "limit",
            ),
        row("GET", schedule, format!("{schedule}?{period}"))
            .gives(200, ["pagination"])
            .live(200)
            .bad(schedule, Value::Null, 400, "from"),
    ]
}
