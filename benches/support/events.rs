//! A program with a year of events in the engine's form: one in fifty is a sign-up, seven in ten
//! are mints, the rest are spends on twelve offers.

use fastrand::Rng;
use stampcard::analytics::{Figures, Interval, Window};
use stampcard::domain::Zone;
use stampcard::domain::{
    Activity, Entry, Event, LedgerEntry, MemberNumber, OfferId, OfferNumber, OrganizationNumber,
    Points, ProgramNumber, RedemptionNumber, Seq, Tier, Timestamp,
};

pub(crate) const PROGRAM: ProgramNumber = ProgramNumber(1);
pub(crate) const OFFERS: i64 = 12;
/// 2025-01-01T00:00:00Z.
pub(crate) const START: i64 = 1_735_689_600_000;
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const YEAR: i64 = 365 * DAY;

pub(crate) fn activity(seq: i64, at: i64, event: Event) -> Activity {
    let at = Timestamp::from_millis(at).unwrap();
    Activity {
        seq: Seq(seq),
        at,
        program: Some(PROGRAM),
        event,
    }
}

/// A mint, or a spend on an offer.
pub(crate) fn entry(rng: &mut Rng, offer: Option<i64>) -> Event {
    Event::of_entry(LedgerEntry {
        entry: offer.map_or(Entry::Mint, |_| Entry::Spend),
        amount: Points::new(rng.i64(1..=500)).unwrap(),
        member: MemberNumber(rng.i64(1..=100_000)),
        asset: None,
        offer: offer.map(OfferNumber),
        redemption: offer.map(|_| RedemptionNumber(1)),
        first: false,
        reason: None,
        buckets: None,
    })
}

/// The events of a year, one after the other.
pub(crate) fn history(events: i64) -> impl Iterator<Item = Activity> {
    let mut rng = Rng::with_seed(7);
    let tier = Tier::parse("tier", "gold").unwrap();
    let organization = OrganizationNumber(1);
    let created = Event::ProgramCreated {
        organization,
        default_tier: None,
    };
    let first = activity(1, START, created);
    let offers = (1..=OFFERS).map(|number| {
        let id = OfferId::from_uuid(uuid::Uuid::from_u128(number.unsigned_abs().into()));
        activity(
            1 + number,
            START,
            Event::OfferCreated {
                offer: OfferNumber(number),
                id,
                stock: None,
            },
        )
    });
    let mut at = START;
    let rest = (1..=events).map(move |number| {
        // Intervals as between independent customers: exponentially distributed around the mean.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "random numbers"
        )]
        let gap = (-(1.0 - rng.f64()).ln() * (YEAR / events) as f64) as i64;
        at += gap;
        let event = match rng.u32(0..50) {
            0 => Event::MemberCreated {
                member: MemberNumber(number),
                tier: tier.clone(),
                cause: None,
            },
            1..=35 => entry(&mut rng, None),
            _ => {
                let offer = rng.i64(1..=OFFERS);
                entry(&mut rng, Some(offer))
            }
        };
        activity(1 + OFFERS + number, at, event)
    });
    std::iter::once(first).chain(offers).chain(rest)
}

pub(crate) fn figures(events: i64) -> Figures {
    let mut figures = Figures::default();
    history(events).for_each(|activity| figures.apply(&activity).unwrap());
    figures
}

/// A window with a given number of intervals, at an odd millisecond.
pub(crate) fn window(interval: Interval, length: i64) -> Window {
    let from = START + 3 * DAY + 12_345_678;
    let at = |millis| Timestamp::from_millis(millis).unwrap();
    Window::divide(at(from), at(from + length), interval, &Zone::UTC).unwrap()
}
