//! The steps of a history with a pool, and their generators.

#![expect(
    clippy::option_option,
    reason = "a field of a request is absent, null or a value"
)]

use std::ops::Range;

use proptest::option::weighted as maybe;
use proptest::prelude::*;
use proptest::sample::Index;

use super::naive::MAX;
use crate::step::{TIERS, WAY};

/// A member: the program, and the name within it.
pub(super) type Who = (usize, u8);

/// How a history begins.
#[derive(Debug, Clone)]
pub(super) enum Beginning {
    /// Without a pool.
    Bare,
    /// With a pool that is funded, and draws credits.
    Funded(i64),
    /// With a pool that pays redemptions.
    Paying(i64, i64),
}

/// A step. There are only a few members, so that steps interact; an index selects among the objects
/// that exist at that time.
#[derive(Debug, Clone)]
pub(super) enum Step {
    SetMember(Who, Option<usize>),
    Credit(Who, i64),
    Debit(Who, i64),
    Fund(i64),
    SetPool(PoolChange),
    /// Sets another mode, after the members of this number of programs were debited.
    Switch(usize),
    CreateOffer(usize, OfferChange),
    ChangeOffer(Index, OfferChange),
    ArchiveOffer(Index),
    Redeem {
        who: Who,
        offer: Index,
        as_member: bool,
    },
    /// Takes as much as leads to a goal, and one point more or less.
    Exactly {
        who: Who,
        offer: Index,
        goal: Goal,
        extra: i64,
    },
    Move(Index, usize),
    Cancel {
        redemption: Index,
        as_member: bool,
    },
    Rate {
        redemption: Index,
        /// Otherwise the member `other` tries it.
        is_own: bool,
        other: u8,
        rating: i64,
        comment: Option<u8>,
    },
    Remove {
        who: Who,
        retain: bool,
        erase: bool,
        /// Whether the operator then cancels the member's last open redemption.
        cancel: bool,
    },
    Wait(u32),
    /// Sends an earlier request with its Idempotency-Key again.
    Repeat(Index),
    Check,
    Restart,
}

/// What a credit or a redemption leaves.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// Nothing that the pool could still pay.
    Floor,
    /// The threshold below which an event is sent.
    Threshold,
    /// Nothing in the member's wallet.
    Empty,
}

/// What a request sets of a pool.
#[derive(Debug, Clone)]
pub(super) struct PoolChange {
    pub(super) credit_limit: Option<i64>,
    pub(super) low_threshold: Option<i64>,
    pub(super) pays_redemptions: Option<bool>,
}

/// What a request sets of an offer. Times are seconds from now.
#[derive(Debug, Clone)]
pub(super) struct OfferChange {
    pub(super) price: Option<Option<i64>>,
    pub(super) stock: Option<Option<i64>>,
    pub(super) from: Option<Option<i32>>,
    pub(super) until: Option<Option<i32>>,
    pub(super) paused: Option<bool>,
    pub(super) per_member: Option<Option<i64>>,
    pub(super) only_open: Option<bool>,
    pub(super) tiers: Option<Vec<usize>>,
}

/// Points up to a number, mostly whole tens, so that they are often equal.
fn points(most: i64) -> impl Strategy<Value = i64> {
    prop_oneof![3 => (1..=most / 10).prop_map(|tens| tens * 10), 1 => 1..=most]
}

/// Amounts of a size that interact, and seldom very large ones.
fn amount(most: i64) -> impl Strategy<Value = i64> {
    prop_oneof![40 => points(most), 1 => MAX - 400..=MAX]
}

fn pool_change() -> impl Strategy<Value = PoolChange> {
    let limit = prop_oneof![3 => points(600), 1 => Just(0), 1 => Just(MAX)];
    let threshold = prop_oneof![4 => points(800), 1 => Just(0)];
    (
        prop::option::of(limit),
        prop::option::of(threshold),
        prop::option::weighted(0.3, any::<bool>()),
    )
        .prop_map(
            |(credit_limit, low_threshold, pays_redemptions)| PoolChange {
                credit_limit,
                low_threshold,
                pays_redemptions,
            },
        )
}

/// A change of an offer; `given` is the probability that a field is in it.
fn offer_change(given: f64) -> impl Strategy<Value = OfferChange> {
    let price = prop_oneof![
        2 => Just(None),
        2 => Just(Some(0)),
        16 => points(250).prop_map(Some),
        1 => Just(Some(MAX)),
    ];
    let stock = prop_oneof![
        4 => Just(None),
        6 => (0..4_i64).prop_map(Some),
        1 => (MAX - 2..=MAX).prop_map(Some),
    ];
    let time = |range: Range<i32>| prop_oneof![1 => Just(None), 1 => range.prop_map(Some)];
    let limit = prop_oneof![2 => Just(None), 5 => (1..4_i64).prop_map(Some)];
    let tiers =
        prop_oneof![9 => Just(vec![]), 1 => prop::sample::subsequence(vec![0, 1, 2], 1..=2)];
    (
        maybe(given, price),
        maybe(given, stock),
        maybe(given / 1.5, time(-40_000..20_000)),
        maybe(given / 1.5, time(-20_000..60_000)),
        maybe(given / 2.0, prop::bool::weighted(0.2)),
        maybe(given, limit),
        maybe(given, any::<bool>()),
        maybe(given / 3.0, tiers),
    )
        .prop_map(
            |(price, stock, from, until, paused, per_member, only_open, tiers)| OfferChange {
                price,
                stock,
                from,
                until,
                paused,
                per_member,
                only_open,
                tiers,
            },
        )
}

fn program() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(0_usize), 2 => Just(1)]
}

fn who() -> impl Strategy<Value = Who> {
    (program(), 0..3_u8)
}

/// An offer with a price that members can redeem twice.
pub(super) fn an_offer() -> OfferChange {
    OfferChange {
        price: Some(Some(40)),
        stock: None,
        from: None,
        until: None,
        paused: None,
        per_member: Some(Some(2)),
        only_open: None,
        tiers: None,
    }
}

/// How a history begins.
pub(super) fn beginning() -> impl Strategy<Value = Beginning> {
    prop_oneof![
        2 => Just(Beginning::Bare),
        3 => points(3_000).prop_map(Beginning::Funded),
        3 => (points(800), points(400)).prop_map(|(fund, limit)| Beginning::Paying(fund, limit)),
    ]
}

/// Any step.
pub(super) fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    let status = prop_oneof![3 => Just(5_usize), 4 => 0..WAY.len()];
    let goal = prop_oneof![Just(Goal::Floor), Just(Goal::Threshold), Just(Goal::Empty)];
    let of_points = prop_oneof![
        8 => (who(), amount(400)).prop_map(|(who, amount)| Step::Credit(who, amount)),
        2 => (who(), amount(200)).prop_map(|(who, amount)| Step::Debit(who, amount)),
        3 => amount(800).prop_map(Step::Fund),
        2 => pool_change().prop_map(Step::SetPool),
        3 => prop_oneof![1 => Just(0), 2 => Just(1), 3 => Just(2_usize)].prop_map(Step::Switch),
    ];
    let offers = prop_oneof![
        4 => (program(), offer_change(0.7)).prop_map(|(p, change)| Step::CreateOffer(p, change)),
        6 => (index(), offer_change(0.3)).prop_map(|(o, change)| Step::ChangeOffer(o, change)),
        1 => index().prop_map(Step::ArchiveOffer),
    ];
    let redemptions = prop_oneof![
        16 => (who(), index(), prop::bool::weighted(0.3))
            .prop_map(|(who, offer, as_member)| Step::Redeem { who, offer, as_member }),
        5 => (who(), index(), goal, -1..=1_i64)
            .prop_map(|(who, offer, goal, extra)| Step::Exactly { who, offer, goal, extra }),
        8 => (index(), status).prop_map(|(r, status)| Step::Move(r, status)),
        6 => (index(), prop::bool::weighted(0.4))
            .prop_map(|(redemption, as_member)| Step::Cancel { redemption, as_member }),
        8 => (
            index(),
            prop::bool::weighted(0.9),
            0..3_u8,
            0..=10_i64,
            prop::option::of(0..3_u8),
        )
            .prop_map(|(redemption, is_own, other, rating, comment)| Step::Rate {
                redemption,
                is_own,
                other,
                rating,
                comment,
            }),
    ];
    let members = prop_oneof![
        12 => (who(), prop::option::weighted(0.3, 0..TIERS.len()))
            .prop_map(|(who, tier)| Step::SetMember(who, tier)),
        3 => (
            who(),
            prop::bool::weighted(0.4),
            prop::bool::weighted(0.3),
            prop::bool::weighted(0.7),
        )
            .prop_map(|(who, retain, erase, cancel)| Step::Remove {
                who,
                retain,
                erase,
                cancel,
            }),
    ];
    let rest = prop_oneof![
        5 => prop_oneof![3 => 0..900_u32, 1 => 900..60_000_u32].prop_map(Step::Wait),
        8 => index().prop_map(Step::Repeat),
        1 => Just(Step::Check),
        1 => Just(Step::Restart),
    ];
    prop_oneof![17 => of_points, 7 => offers, 50 => redemptions, 12 => members, 10 => rest]
}
