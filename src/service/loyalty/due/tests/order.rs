//! When due things happen, and in which order.

use std::time::{Duration, Instant};

use super::world::{World, at, expires, matures};
use crate::books::LotDates;
use crate::clock::Clock;
use crate::domain::Entry;

const DAY: Duration = Duration::from_hours(24);

#[test]
fn points_are_gone_at_the_millisecond_at_which_they_expire_and_usable_when_they_mature() {
    let world = World::start();
    for name in ["ann", "bob"] {
        world.member(world.key, name);
    }
    world.lot("ann", 100, expires(10));
    world.lot("bob", 50, matures(10));
    world.clock.advance(Duration::from_millis(9_999));
    assert_eq!(world.spends("ann", 1), 204);
    assert_eq!(world.spends("bob", 1), 422);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.spends("ann", 1), 422);
    assert_eq!(world.spends("bob", 50), 204);
    assert_eq!((world.balance("ann"), world.balance("bob")), (0, 0));
    let (ann, bob) = (1, 2);
    assert_eq!(
        world.due_rows(),
        [
            (10, Entry::Mature, bob, 50, 10),
            (10, Entry::Expire, ann, 99, 10)
        ]
    );
    assert_eq!(world.verified(), 2);
}

#[test]
fn what_is_due_at_one_instant_matures_before_it_expires_and_members_are_in_order() {
    let world = World::start();
    for name in ["ann", "bob"] {
        world.member(world.key, name);
    }
    for name in ["bob", "ann"] {
        world.lot(name, 1, expires(20));
        world.lot(name, 2, expires(20));
        world.lot(name, 4, matures(20));
        world.lot(name, 8, matures(15));
    }
    world.pass(Duration::from_secs(30));
    let expected = [
        (15, Entry::Mature, 1, 8, 15),
        (15, Entry::Mature, 2, 8, 15),
        (20, Entry::Mature, 1, 4, 20),
        (20, Entry::Mature, 2, 4, 20),
        // All lots of a member that expire at one time are one row.
        (20, Entry::Expire, 1, 3, 20),
        (20, Entry::Expire, 2, 3, 20),
    ];
    assert_eq!(world.due_rows(), expected);
    assert_eq!(world.verified(), 6);
}

#[test]
fn points_that_are_past_their_date_when_they_are_credited_expire_in_the_same_commit() {
    let world = World::start();
    world.member(world.key, "ann");
    world.clock.advance(Duration::from_mins(1));
    world.lot("ann", 5, expires(10));
    assert_eq!(world.balance("ann"), 0);
    assert_eq!(world.due_rows(), [(60, Entry::Expire, 1, 5, 10)]);
    assert_eq!(world.verified(), 1);
}

/// Lots with dates over a year, for members of whom some have two due things on a day.
fn furnish(world: &World) {
    world.announce(3);
    let day = i64::try_from(DAY.as_secs()).unwrap();
    for member in 0..4 {
        let name = format!("member-{member}");
        world.member(world.key, &name);
        for lot in 1..=9 {
            let start = lot * day * 40 + member * 3_600 * lot;
            let dates = [
                expires(start),
                matures(start),
                LotDates {
                    matures_at: Some(at(start - 40 * day + 1)),
                    expires_at: Some(at(start)),
                },
            ];
            world.lot(
                &name,
                10 + lot,
                dates[usize::try_from((lot + member) % 3).unwrap()],
            );
        }
    }
}

#[test]
fn a_jump_of_a_year_equals_steps_of_a_day() {
    let (jump, steps) = (World::start(), World::start());
    furnish(&jump);
    furnish(&steps);
    jump.advance(365 * DAY);
    for _ in 0..365 {
        steps.advance(DAY);
    }
    assert!(jump.due_rows().len() > 40, "{:?}", jump.due_rows());
    assert!(jump.notices().len() > 10, "{:?}", jump.notices());
    assert_eq!(jump.rows(), steps.rows());
    assert_eq!(jump.verified(), steps.verified());
}

/// What a hold returns expires in its turn, before or after what others have.
#[test]
fn points_that_a_hold_returns_expire_in_order_in_a_jump() {
    let (jump, steps) = (World::start(), World::start());
    for world in [&jump, &steps] {
        for (name, end, until) in [("ann", 7, 5), ("bob", 6, 0), ("cid", 3, 8), ("dan", 8, 8)] {
            world.member(world.key, name);
            world.lot(name, 10, expires(end));
            world.lot(name, 1, expires(20));
            if until > 0 {
                world.hold(name, 10, until);
            }
        }
    }
    jump.pass(Duration::from_secs(30));
    for _ in 0..30 {
        steps.pass(Duration::from_secs(1));
    }
    let expected = [
        (5, Entry::Release, 1, 10, 5),
        (6, Entry::Expire, 2, 10, 6),
        (7, Entry::Expire, 1, 10, 7),
        (8, Entry::Release, 3, 10, 8),
        (8, Entry::Expire, 3, 10, 3),
        (8, Entry::Release, 4, 10, 8),
        (8, Entry::Expire, 4, 10, 8),
        (20, Entry::Expire, 1, 1, 20),
        (20, Entry::Expire, 2, 1, 20),
        (20, Entry::Expire, 3, 1, 20),
        (20, Entry::Expire, 4, 1, 20),
    ];
    assert_eq!(jump.due_rows(), expected);
    assert_eq!(jump.rows(), steps.rows());
    assert_eq!(jump.verified(), 11);
}

#[test]
fn a_week_of_downtime_equals_running_through_it() {
    let (mut off, on) = (World::start(), World::start());
    for world in [&off, &on] {
        world.member(world.key, "ann");
        world.announce(2);
        for hours in 1..100 {
            world.lot("ann", hours, expires(hours * 3_600 * 2));
            world.lot("ann", hours, matures(hours * 3_600 * 2 + 1));
        }
    }
    off.restart_after(7 * DAY);
    for _ in 0..7 * 24 {
        on.pass(Duration::from_hours(1));
    }
    assert_eq!(off.balance("ann"), on.balance("ann"));
    assert!(off.due_rows().len() > 150);
    assert!(off.notices().len() > 40, "{:?}", off.notices());
    assert_eq!(off.rows(), on.rows());
    assert_eq!(off.verified(), on.verified());
}

/// Points are announced two days before they expire. Those that came later than that are not.
#[test]
fn a_notice_has_what_can_be_spent_at_its_time_and_no_time_has_two() {
    let world = World::start();
    let day = 86_400;
    for name in ["ann", "bob"] {
        world.member(world.key, name);
        world.lot(name, 10, expires(5 * day));
        world.lot(name, 20, expires(5 * day));
        world.lot(name, 40, expires(day));
    }
    world.announce(2);
    // The change itself announces what expires within two days.
    world.settle();
    let soon = [(0, 1, 40, day), (0, 2, 40, day)];
    assert_eq!(world.notices(), soon);
    assert_eq!(world.spends("ann", 25), 204);
    world.pass(Duration::from_millis(3 * 86_400_000 - 1));
    assert_eq!(world.notices(), soon);
    world.pass(Duration::from_millis(1));
    let later = [(3 * day, 1, 5, 5 * day), (3 * day, 2, 30, 5 * day)];
    assert_eq!(world.notices(), [soon, later].concat());
    world.lot("bob", 80, expires(5 * day));
    world.lot("bob", 160, expires(4 * day));
    world.pass(DAY);
    // What a longer notice adds does not concern what was announced or came too late.
    world.announce(3);
    world.lot("bob", 320, expires(8 * day));
    world.pass(DAY);
    let last = (5 * day, 2, 320, 8 * day);
    let all = [&soon[..], &later, &[last]].concat();
    assert_eq!(world.notices(), all);
    assert_eq!(world.balance("bob"), 320);
    world.verified();
}

/// The program's clock is a day ahead of the system's.
#[test]
fn the_timer_applies_what_is_due_when_its_time_has_come() {
    let world = World::start_with(Clock::system());
    world.member(world.key, "ann");
    world.advance(DAY);
    let begun = Instant::now();
    let due = world
        .clock
        .now()
        .saturating_add(DAY + Duration::from_millis(700));
    world.lot(
        "ann",
        5,
        LotDates {
            expires_at: None,
            matures_at: Some(due),
        },
    );
    world.wait_until("the points are there", |world| world.balance("ann") == 5);
    let late = begun.elapsed().saturating_sub(Duration::from_millis(700));
    println!("{late:?} after its time");
    assert!(begun.elapsed() >= Duration::from_millis(690), "{begun:?}");
    assert!(late < Duration::from_secs(2), "{late:?}");
    assert_eq!(world.verified(), 1);
}
