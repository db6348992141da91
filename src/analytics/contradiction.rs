//! Contradictions: activities that cannot follow from those before them in the log.

use crate::domain::{OfferNumber, Points, ProgramNumber, Seq, Status};

/// The largest sum of points that the store lets a program reach.
pub(super) const POINTS_MAX: u64 = Points::MAX.get().unsigned_abs();

/// An activity that cannot follow from those before it, and where it is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the activity log contradicts itself: in activity {} of program row {}, {kind}",
    seq.0, program.0
)]
pub struct Contradiction {
    /// The activity.
    pub seq: Seq,
    /// The program that it happened in.
    pub program: ProgramNumber,
    /// The kind of contradiction.
    pub kind: ContradictionKind,
}

/// The kinds of contradiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContradictionKind {
    /// No redemption has the status that one leaves.
    #[error("a redemption leaves the status {}, which no redemption has", .0.as_str())]
    StatusEmpty(Status),
    /// No member holds the tier that one leaves.
    #[error("a member leaves a tier that no member holds")]
    TierEmpty,
    /// The offer was not created before it is redeemed.
    #[error("offer row {} is redeemed before it is created", .0.0)]
    OfferUnknown(OfferNumber),
    /// The offer has no rating that is replaced.
    #[error("a rating of offer row {} is replaced that it does not have", .0.0)]
    RatingUnknown(OfferNumber),
    /// Every offer of the program is archived already.
    #[error("an offer is archived although the program has none that is not archived")]
    NoOfferLeft,
    /// More points leave those that are held or pending than there are.
    #[error("more points leave those that are held or pending than there are")]
    BucketNegative,
    /// The points of all ledger entries of a kind exceed [`Points::MAX`].
    #[error("the points of all ledger entries of its kind exceed {POINTS_MAX}")]
    TooManyPoints,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::Figures;
    use crate::domain::{
        Activity, Entry, Event, LedgerEntry, MemberNumber, OfferId, Rating, RedemptionMove,
        RedemptionNumber, RedemptionRating, Tier, Timestamp, Units,
    };

    fn activity(seq: i64, event: Event) -> Activity {
        Activity {
            seq: Seq(seq),
            at: Timestamp::from_millis(seq).unwrap(),
            program: Some(ProgramNumber(3)),
            event,
        }
    }

    fn entry(entry: Entry, amount: Points, offer: i64) -> Event {
        Event::of_entry(LedgerEntry {
            entry,
            amount,
            member: MemberNumber(1),
            asset: None,
            offer: Some(OfferNumber(offer)).filter(|_| entry == Entry::Spend),
            redemption: None,
            first: false,
            reason: None,
            buckets: None,
        })
    }

    fn redeemed(offer: i64) -> Event {
        Event::RedemptionCreated {
            member: MemberNumber(1),
            offer: OfferNumber(offer),
            redemption: RedemptionNumber(1),
            charged: Points::ZERO,
            quantity: Units::ONE,
            first: true,
        }
    }

    fn canceled(offer: i64, from: Status) -> Event {
        Event::RedemptionCanceled(RedemptionMove {
            member: MemberNumber(1),
            offer: OfferNumber(offer),
            redemption: RedemptionNumber(1),
            from,
            to: Status::Canceled,
        })
    }

    fn rated(offer: i64, replaced: Option<i64>, rating: i64) -> Event {
        Event::RedemptionRated(RedemptionRating {
            member: MemberNumber(1),
            offer: OfferNumber(offer),
            redemption: RedemptionNumber(1),
            replaced: replaced.and_then(Rating::new),
            rating: Rating::new(rating).unwrap(),
            comment: None,
        })
    }

    fn tier(name: &str) -> Tier {
        Tier::parse("tier", name).unwrap()
    }

    fn removed(name: &str) -> Event {
        Event::MemberRemoved {
            member: MemberNumber(1),
            tier: tier(name),
            retained: false,
        }
    }

    /// A member of tier gold, an offer, a redemption of it and the largest sum of minted points.
    fn history() -> Vec<Event> {
        vec![
            Event::MemberCreated {
                member: MemberNumber(1),
                tier: tier("gold"),
                cause: None,
            },
            Event::OfferCreated {
                offer: OfferNumber(1),
                id: OfferId::from_uuid(uuid::Uuid::nil()),
                stock: None,
            },
            redeemed(1),
            entry(Entry::Mint, Points::MAX, 1),
        ]
    }

    /// Checks that the last event contradicts those before it, and that nothing of it is counted.
    fn check(mut events: Vec<Event>, what: &str) {
        let last = events.pop().unwrap();
        let mut figures = Figures::default();
        let mut seq = 0;
        for event in events {
            seq += 1;
            figures.apply(&activity(seq, event)).unwrap();
        }
        let before = figures.clone();
        let refusal = figures.apply(&activity(seq + 1, last)).unwrap_err();
        let expected = format!(
            "the activity log contradicts itself: in activity {} of program row 3, {what}",
            seq + 1
        );
        assert_eq!(refusal.to_string(), expected);
        assert!(figures == before, "{what}: something was counted");
    }

    fn check_next(event: Event, what: &str) {
        let mut events = history();
        events.push(event);
        check(events, what);
    }

    #[test]
    fn a_redemption_cannot_leave_a_status_that_no_redemption_has() {
        let what = "a redemption leaves the status OPEN, which no redemption has";
        check_next(canceled(1, Status::Open), what);
    }

    #[test]
    fn a_member_cannot_leave_a_tier_that_no_member_holds() {
        let what = "a member leaves a tier that no member holds";
        check_next(removed("silver"), what);
        let changed = Event::MemberTierChanged {
            member: MemberNumber(1),
            from: tier("silver"),
            to: tier("gold"),
        };
        check_next(changed, what);
        let mut events = history();
        events.extend([removed("gold"), removed("gold")]);
        check(events, what);
    }

    #[test]
    fn an_offer_cannot_be_redeemed_before_it_is_created() {
        let what = "offer row 2 is redeemed before it is created";
        check_next(redeemed(2), what);
        check_next(canceled(2, Status::Submitted), what);
        check_next(entry(Entry::Spend, Points::MAX, 2), what);
    }

    #[test]
    fn a_rating_that_an_offer_does_not_have_cannot_be_replaced() {
        check_next(
            rated(2, None, 7),
            "offer row 2 is redeemed before it is created",
        );
        let what = "a rating of offer row 1 is replaced that it does not have";
        check_next(rated(1, Some(0), 7), what);
        let mut events = history();
        events.extend([rated(1, None, 5), rated(1, Some(6), 7)]);
        check(events, what);
    }

    #[test]
    fn no_more_offers_can_be_archived_than_there_are() {
        let what = "an offer is archived although the program has none that is not archived";
        let archived = || Event::OfferArchived {
            offer: OfferNumber(1),
        };
        let mut events = history();
        events.extend([archived(), archived()]);
        check(events, what);
    }

    #[test]
    fn no_sum_of_points_exceeds_what_a_double_holds() {
        let what = "the points of all ledger entries of its kind exceed 9007199254740991";
        check_next(entry(Entry::Mint, Points::new(1).unwrap(), 1), what);
    }
}
