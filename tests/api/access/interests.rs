//! The routes of interests.

use serde_json::{Value, json};

use super::table::{Row, row};
use super::world::World;

pub(super) fn interest_rows(world: &World) -> Vec<Row> {
    let (list, id, intake) = (
        "/v1/interests",
        "/v1/interests/{id}",
        "/v1/interests/{id}/intake",
    );
    let verification = "/v1/interests/{id}/phone/verification";
    let path = |id: &str, rest: &str| format!("{list}/{id}{rest}");
    let (ada, bob) = (&*world.ada_interest, &*world.bob_interest);
    let create = |id: &str| json!({"externalUserID": id, "offer": world.offer, "adults": 2});
    let (phone, bobs_phone) = (
        path(ada, "/phone/verification"),
        path(bob, "/phone/verification"),
    );
    vec![
        row("GET", list, list)
            .gives(200, [ada, "nextCursor", "externalUserID"])
            .live(200)
            .bad(format!("{list}?status=NO"), Value::Null, 422, "status"),
        row("POST", list, list)
            .body(create("ada"))
            .gives(201, ["int_", "submitted"])
            .others(list, create("bob"), 403)
            .bad(list, json!({"externalUserID": "ada"}), 422, "offer"),
        row("GET", id, path(ada, ""))
            .gives(200, [ada, "submitted"])
            .others(path(bob, ""), Value::Null, 404)
            .bad("/v1/interests/%FF", Value::Null, 400, "path"),
        row("PATCH", id, path(&world.spare_interest, ""))
            .body(json!({"status": "closed"}))
            .gives(200, ["closed", &*world.spare_interest])
            .bad(path(ada, ""), json!({"status": "NO"}), 422, "status"),
        row("POST", verification, &phone)
            .gives(200, ["sent"])
            .live(403)
            .others(&bobs_phone, Value::Null, 404)
            .bad(
                "/v1/interests/%FF/phone/verification",
                Value::Null,
                400,
                "path",
            ),
        row("PUT", verification, &phone)
            .body(json!({"code": "000000"}))
            .gives(200, ["verified"])
            .live(403)
            .others(&bobs_phone, json!({"code": "000000"}), 404)
            .bad(&phone, json!({"code": 0}), 422, "code"),
        row("PUT", intake, path(ada, "/intake"))
            .body(json!({"children": 1, "phone": "+30 694 1234567"}))
            .gives(200, [ada, "phoneVerified"])
            .live(403)
            .others(path(bob, "/intake"), json!({}), 404)
            .bad(
                path(ada, "/intake"),
                json!({"children": -1}),
                422,
                "children",
            ),
    ]
}
