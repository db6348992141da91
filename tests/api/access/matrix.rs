//! Every route with every kind of credential: one cell each.

use stampcard::http::Access;

use super::kinds::{Kind, Near, Standing, kinds};
use super::table::{Row, table};
use super::world::World;
use super::{check_error, hides};
use crate::client::rows;
use crate::support::{Response, TestApp};

fn send(world: &World, kind: &Kind, row: &Row) -> Response {
    let request = row.request(&world.app, kind.body(row));
    match &kind.credential {
        Some(credential) => request.bearer(credential).send(),
        None => request.send(),
    }
}

/// The data of Ada and her program that nobody else may see.
fn private(world: &World) -> Vec<&str> {
    let mut private = vec![
        "Ada Lovelace",
        "ada@example.com",
        "is anybody there",
        "_0123456789",
    ];
    private.extend([&*world.offer, &world.ada_redemption, &world.bob_redemption]);
    private.extend([
        &*world.ada_conversation,
        &world.delivery,
        &world.webhooks[0],
    ]);
    private
}

#[test]
fn a_credential_that_does_not_fit_is_refused_by_every_route_and_changes_nothing() {
    let mut world = World::new();
    let kinds = kinds(&mut world);
    let before = rows(&world.app);
    let mut cells = 0;
    for kind in &kinds {
        for row in table(&world) {
            if let Some(code) = kind.refusal(row.access()) {
                check_error(&send(&world, kind, &row), &row, code);
                cells += 1;
            }
        }
    }
    assert_eq!(rows(&world.app), before);
    println!("{cells} cells refused");
}

#[test]
fn a_credential_that_fits_opens_what_is_its_own_and_nothing_else() {
    let count = kinds(&mut World::new()).len();
    let mut cells = 0;
    for number in 0..count {
        let mut world = World::new();
        let kind = &kinds(&mut world)[number];
        for row in table(&world) {
            if kind.refusal(row.access()).is_some() {
                continue;
            }
            let response = send(&world, kind, &row);
            let what = format!("{}: {} {}", kind.name, row.method, row.path);
            assert_eq!(
                response.status,
                kind.status(&row),
                "{what}: {}",
                response.text()
            );
            if matches!(kind.standing, Standing::Good(_, near) if near != Near::Own)
                && row.access() != Access::Public
                && !matches!(kind.standing, Standing::Good(_, Near::Peer))
            {
                hides(&response, &private(&world), &row);
            }
            cells += 1;
        }
    }
    println!("{cells} cells opened, {count} kinds of credential");
}

#[test]
fn metrics_that_are_not_public_take_a_partner_key() {
    let app = TestApp::start_with(|settings| settings.metrics.public = false);
    let mut world = World::on(app);
    let kinds = kinds(&mut world);
    let rows = table(&world);
    let row = rows.iter().find(|row| row.route == "/metrics").unwrap();
    for kind in &kinds {
        let response = send(&world, kind, row);
        match kind.refusal(Access::PartnerKey) {
            Some(code) => check_error(&response, row, code),
            None => assert_eq!(response.status, 200, "{}", kind.name),
        }
    }
}
