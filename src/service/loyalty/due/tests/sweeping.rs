//! More due things than fit into a slice.

use std::sync::mpsc::channel;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::world::{World, at, expires, id_of, mint};
use crate::books::LotDates;
use crate::domain::{Entry, Precondition};
use crate::service::loyalty::members;
use crate::service::{Answer, KeyPrincipal};
use crate::wire::SetMemberRequest;

const MEMBERS: usize = 2_600;

/// A world in which the points of many members expire at one time.
pub(super) fn crowded() -> World {
    let world = World::start();
    let names: Vec<String> = (0..MEMBERS)
        .map(|number| format!("member-{number}"))
        .collect();
    for names in names.chunks(1000) {
        let set = names.iter().map(|name| {
            let profile = SetMemberRequest::parse(&json!({}), b"{}").unwrap();
            let (key, id) = (world.key, id_of(name));
            world
                .services
                .set_member(key, id, Precondition::NONE, profile)
        });
        let set = world.runtime.block_on(join_all(set));
        assert!(set.iter().all(|reply| reply.as_ref().unwrap().status < 300));
        let names = names.to_vec();
        let minted = world.write(world.key, move |tx, key| {
            for name in &names {
                let record = members::current_account(tx, key.program, &id_of(name))?;
                mint(tx, &record, 5, expires(10))?;
            }
            Ok(Answer::no_content())
        });
        assert_eq!(world.runtime.block_on(minted).unwrap().status, 204);
    }
    world
}

#[test]
fn a_program_that_sweeps_keeps_its_writes_in_order_refuses_the_257th_and_stops_no_other() {
    let world = crowded();
    world.member(world.live, "zoe");
    let (release, held) = channel::<()>();
    let (begun, has_begun) = channel();
    let upkeep = world.services.writer.upkeep();
    let holder = std::thread::spawn(move || {
        upkeep.write_blocking(move |_| {
            begun.send(()).unwrap();
            held.recv().unwrap();
            Ok(())
        })
    });
    has_begun.recv().unwrap();
    world.clock.advance(Duration::from_secs(10));

    let dates = LotDates {
        expires_at: Some(at(1_000_000)),
        matures_at: None,
    };
    let write = |name: &str, key| {
        let id = id_of(name);
        world.write(key, move |tx, key| {
            let record = members::current_account(tx, key.program, &id)?;
            // A write never sees what is overdue.
            assert_eq!(record.wallet.balance() % 5, 0);
            mint(tx, &record, 10, dates)?;
            Ok(Answer::no_content())
        })
    };
    let (replies, other) = world.runtime.block_on(async {
        let own = (0..300).map(|number| write(&format!("member-{number}"), world.key));
        let own = join_all(own);
        let other = write("zoe", world.live);
        let release = async { release.send(()).unwrap() };
        let (own, other, ()) = tokio::join!(own, other, release);
        (own, other)
    });
    holder.join().unwrap().unwrap();
    let statuses: Vec<u16> = replies
        .into_iter()
        .map(|reply| reply.map_or(503, |reply| reply.status))
        .collect();
    assert_eq!(statuses[..256], [204; 256]);
    assert_eq!(statuses[256..], [503; 44]);
    assert_eq!(other.unwrap().status, 204);
    world.wait_until("it is not behind any more", |world| {
        world.services.behind(world.key.program).is_none()
    });

    let rows = world.due_rows();
    assert_eq!(rows.len(), MEMBERS);
    assert!(rows.is_sorted_by_key(|row| row.2));
    assert!(
        rows.iter()
            .all(|row| *row == (10, Entry::Expire, row.2, 5, 10))
    );
    let newest = |key: KeyPrincipal| world.minted(key.program, 10);
    let (own, zoe) = (newest(world.key), newest(world.live));
    let last_due = world.last_due();
    assert!(own[0].0 > last_due, "its own writes come after");
    assert!(zoe[0].0 < last_due, "those of others do not");
    assert_eq!(own.len(), 256);
    assert!(
        own.is_sorted_by_key(|(_, member)| *member),
        "in their order"
    );
    assert_eq!(world.verified(), MEMBERS as u64);
}

#[test]
fn a_stop_in_a_sweep_leaves_the_rest_to_the_next_start() {
    let mut world = crowded();
    world.clock.advance(Duration::from_secs(10));
    let nothing = world.services.writer.upkeep().write_blocking(|_| Ok(()));
    nothing.unwrap();
    world.restart_after(Duration::from_secs(1));
    assert_eq!(world.due_rows().len(), MEMBERS);
    assert_eq!(world.balance("member-7"), 0);
    assert_eq!(world.verified(), MEMBERS as u64);
}
