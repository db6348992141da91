//! The books beside plain maps that share no code with them, and beside threads that read while a
//! writer publishes.
//!
//! `BOOKS_BATCHES` sets the number of batches of a run, and `BOOKS_SEED` another seed. Both are
//! printed.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod compare;
mod crossing;
mod dated;
mod disk;
mod expiries;
mod further;
mod lots;
mod naive;
mod purse;
mod steps;
mod world;

use world::World;

/// Reads a number from the environment.
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")),
    )
}

/// Random batches, restarts and write-downs, each compared with the maps. One history has
/// members for a base of several parts.
#[test]
fn the_books_are_what_the_plain_maps_are_after_every_batch() {
    const HISTORIES: u64 = 8;
    let batches = setting("BOOKS_BATCHES").unwrap_or(BATCHES);
    let first = setting("BOOKS_SEED").unwrap_or(17);
    println!("BOOKS_BATCHES={batches} BOOKS_SEED={first}");
    let mut tally = world::Tally::default();
    for history in 0..HISTORIES {
        let members = if history == 1 { 5_000 } else { 0 };
        println!("seed {}", first + history);
        let mut world = World::new(first + history, members);
        world.live(batches / HISTORIES);
        tally.add(&world.tally);
    }
    println!("{tally:#?}");
    tally.check_that_everything_happened();
}

/// Histories of accounts with lots, in which time passes, points mature and expire, and balances
/// become negative.
#[expect(clippy::print_stdout, reason = "the seed of a failure is printed")]
fn live_with_lots(histories: u64) {
    const BATCHES: u64 = 14;
    let first = setting("BOOKS_SEED").unwrap_or(17);
    println!("BOOKS_SEED={first}");
    let mut tally = world::Tally::default();
    for history in 0..histories {
        println!("seed {}", first + history);
        let mut world = World::dated(first + history);
        world.live(BATCHES);
        tally.add(&world.tally);
    }
    println!("{tally:#?}");
    assert_eq!(tally.dated.len(), 22, "not everything happened");
    assert!(tally.dated.values().all(|count| *count > 3));
    assert!(tally.lost > 3 && tally.restarts > 3 && tally.deltas > 3 && tally.replaced > 3);
}

#[test]
fn lots_are_what_the_plain_lists_are_after_every_row() {
    live_with_lots(300);
}

#[test]
#[ignore = "takes minutes"]
fn lots_are_what_the_plain_lists_are_in_many_histories() {
    live_with_lots(10_000);
}

/// Batches of an ordinary run.
const BATCHES: u64 = 2_000;
