//! Writes that fail after something due was applied, and programs in which it waits.

use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};

use super::sweeping::crowded;
use super::world::{World, expires, id_of, mint};
use crate::domain::{Entry, Precondition, Refusal};
use crate::service::KeyPrincipal;
use crate::service::loyalty::members;
use crate::store::WriteError;
use crate::wire::{CreateProgramRequest, PatchProgramRequest};

fn world() -> World {
    let world = World::start();
    world.member(world.key, "ann");
    world.lot("ann", 100, expires(10));
    world.clock.advance(Duration::from_secs(20));
    world
}

/// The points expired, once, when they were due.
#[track_caller]
fn check_expired(world: &World) {
    assert_eq!(world.balance("ann"), 0);
    assert_eq!(world.due_rows(), [(10, Entry::Expire, 1, 100, 10)]);
    assert_eq!(world.spends("ann", 1), 422);
    assert_eq!(world.due_rows().len(), 1);
    assert_eq!(world.verified(), 1);
}

#[test]
fn a_refused_write_keeps_what_was_due_before_it() {
    let world = world();
    let refused = world.write(world.key, |tx, key| {
        let record = members::current_account(tx, key.program, &id_of("ann"))?;
        assert_eq!(record.wallet.balance(), 0);
        mint(tx, &record, 7, expires(1000))?;
        Err(Refusal::NotFound("member").into())
    });
    assert_eq!(world.runtime.block_on(refused).unwrap().status, 404);
    check_expired(&world);
}

#[test]
fn a_write_that_panics_keeps_what_was_due_before_it() {
    let world = world();
    let panicked = world.write(world.key, |tx, key| {
        let record = members::current_account(tx, key.program, &id_of("ann"))?;
        mint(tx, &record, 7, expires(1000))?;
        panic!("the panic of a test");
    });
    let outcome = world.runtime.block_on(panicked);
    assert!(matches!(outcome, Err(WriteError::Failed)));
    check_expired(&world);
}

/// The key of another program of the organization.
fn another_program(world: &World) -> KeyPrincipal {
    let body = json!({"name": "Another"});
    let request = CreateProgramRequest::parse(&body).unwrap();
    let created = world.services.create_program(world.key, None, request);
    let created = world.runtime.block_on(created).unwrap();
    let created: Value = serde_json::from_slice(&created.body).unwrap();
    let other = created["apiKey"].as_str().unwrap();
    world.services.directory().authenticate_key(other).unwrap()
}

#[test]
fn what_is_due_in_an_archived_program_waits_until_it_is_active_again() {
    let world = World::start();
    world.member(world.key, "ann");
    world.lot("ann", 100, expires(10));
    let other = another_program(&world);
    let set_status = |status: &str| {
        let request = PatchProgramRequest::parse(&json!({"status": status})).unwrap();
        let id = world.key.program_uuid.to_string();
        let set = world
            .services
            .patch_program(other, id, Precondition::NONE, request);
        assert_eq!(world.runtime.block_on(set).unwrap().status, 200);
    };
    set_status("ARCHIVED");
    world.clock.advance(Duration::from_secs(20));
    // Neither a write that is refused nor the timer applies it.
    assert_eq!(world.spends("ann", 1), 403);
    world.clock.advance(Duration::from_secs(20));
    let nothing = world.services.writer.upkeep().write_blocking(|_| Ok(()));
    nothing.unwrap();
    assert_eq!(world.due_rows(), []);
    set_status("ACTIVE");
    world.wait_until("it is applied", |world| !world.due_rows().is_empty());
    // Not before the row that made the program active.
    assert_eq!(world.due_rows(), [(40, Entry::Expire, 1, 100, 10)]);
    assert_eq!(world.verified(), 1);
}

/// The notices of before are sent first, so that the change has to wait for the sweep.
#[test]
fn the_notice_of_a_program_that_sweeps_is_not_set_with_the_key_of_another_one() {
    let world = crowded();
    let other = another_program(&world);
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
    let set_notice = || {
        let request = PatchProgramRequest::parse(&json!({"expiry_notice": 3})).unwrap();
        let id = world.key.program_uuid.to_string();
        world
            .services
            .patch_program(other, id, Precondition::NONE, request)
    };
    let refused = world.runtime.block_on(async {
        let release = async { release.send(()).unwrap() };
        tokio::join!(set_notice(), release).0
    });
    holder.join().unwrap().unwrap();
    let refused = refused.map(|reply| reply.status);
    assert_eq!(refused, Err(WriteError::Overloaded));
    world.settle();
    let set = world.runtime.block_on(set_notice()).unwrap();
    assert_eq!(set.status, 200);
    let body: Value = serde_json::from_slice(&set.body).unwrap();
    assert_eq!(body["expiry_notice"], 3);
    assert_eq!((world.notices(), world.balance("member-7")), (vec![], 0));
}
