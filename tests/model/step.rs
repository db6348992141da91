//! The steps of a history, and their generators.

use proptest::prelude::*;
use proptest::sample::Index;

pub(crate) const TIERS: [&str; 3] = ["standard", "silver", "gold"];
/// The statuses of a redemption, in order.
pub(crate) const WAY: [&str; 7] = [
    "SUBMITTED",
    "OPEN",
    "AWAITING_VENDOR",
    "AWAITING_CUSTOMER",
    "PURCHASED",
    "COMPLETED",
    "CANCELED",
];
/// A step. There are only a few members, so that steps interact; an index selects among the objects
/// that exist at that time.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    SetMember(u8, Option<usize>),
    Exchange(u8),
    Credit(u8, i64),
    CreditTooMuch(u8),
    Debit(u8, i64),
    CreateOffer(Terms),
    PatchOffer(Index, Terms),
    ArchiveOffer(Index),
    Redeem(u8, Index),
    RedeemAsMember(u8, Index),
    Move(Index, usize),
    Cancel(Index),
    CancelAsMember(Index),
    Rate(Index, i64),
    Remove {
        member: u8,
        retain: bool,
        erase: bool,
    },
    Configure(usize),
    Wait(u32),
    Replay(Index),
    ReuseKey(Index),
    Restart,
    /// Another server, whose clock is behind by this number of seconds.
    RestartEarlier(u16),
}

/// Of an offer.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) price: Option<i64>,
    pub(crate) stock: Option<i64>,
    pub(crate) tiers: Vec<usize>,
    /// Seconds from now.
    pub(crate) expires: Option<u32>,
}

fn terms() -> impl Strategy<Value = Terms> {
    let price = prop_oneof![1 => Just(None), 1 => Just(Some(0)), 6 => (1..400_i64).prop_map(Some)];
    let stock = prop_oneof![2 => Just(None), 2 => (0..4_i64).prop_map(Some)];
    let tiers =
        prop_oneof![3 => Just(vec![]), 1 => prop::sample::subsequence(vec![0, 1, 2], 1..=2)];
    let expires = prop_oneof![4 => Just(None), 1 => (1..20_000_u32).prop_map(Some)];
    (price, stock, tiers, expires).prop_map(|(price, stock, tiers, expires)| Terms {
        price,
        stock,
        tiers,
        expires,
    })
}

/// Any step.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    let member = || 0..5_u8;
    let index = any::<Index>;
    prop_oneof![
        6 => (member(), prop::option::of(0..3_usize)).prop_map(|(m, t)| Step::SetMember(m, t)),
        4 => member().prop_map(Step::Exchange),
        12 => (member(), 1..600_i64).prop_map(|(m, a)| Step::Credit(m, a)),
        1 => member().prop_map(Step::CreditTooMuch),
        4 => (member(), 1..300_i64).prop_map(|(m, a)| Step::Debit(m, a)),
        6 => terms().prop_map(Step::CreateOffer),
        3 => (index(), terms()).prop_map(|(o, t)| Step::PatchOffer(o, t)),
        1 => index().prop_map(Step::ArchiveOffer),
        12 => (member(), index()).prop_map(|(m, o)| Step::Redeem(m, o)),
        5 => (member(), index()).prop_map(|(m, o)| Step::RedeemAsMember(m, o)),
        9 => (index(), 0..WAY.len()).prop_map(|(r, s)| Step::Move(r, s)),
        3 => index().prop_map(Step::Cancel),
        3 => index().prop_map(Step::CancelAsMember),
        5 => (index(), 0..=10_i64).prop_map(|(r, rating)| Step::Rate(r, rating)),
        3 => (member(), any::<bool>(), prop::bool::weighted(0.3))
            .prop_map(|(member, retain, erase)| Step::Remove { member, retain, erase }),
        1 => (0..3_usize).prop_map(Step::Configure),
        4 => prop_oneof![3 => 0..2_000_u32, 1 => 2_000..100_000_u32].prop_map(Step::Wait),
        5 => index().prop_map(Step::Replay),
        2 => index().prop_map(Step::ReuseKey),
        1 => Just(Step::Restart),
        1 => (1..20_000_u16).prop_map(Step::RestartEarlier),
    ]
}
