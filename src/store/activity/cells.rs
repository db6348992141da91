//! From a row to an event.

use rusqlite::Row;

use super::kind;
use crate::domain::{
    Activity, Entry, Environment, Event, LedgerEntry, MemberNumber, MessageId, OfferId,
    OfferNumber, OrganizationNumber, OrganizationStatus, Points, ProgramNumber, Reason,
    RedemptionNumber, Seq, Status, Tier, Timestamp,
};

/// The columns that [`Cells`] reads.
pub(super) const COLUMNS: &str = "seq, at, program_id, kind, member_id, offer_id, redemption_id,
    organization_id, entry, amount, first, from_state, to_state, note";

/// The cells of a row of [`COLUMNS`], each looked at only when it is asked for; `None` is a cell
/// that is null or of another type than it should be.
pub(super) struct Cells<'a>(pub(super) &'a Row<'a>);

impl Cells<'_> {
    /// What happened, without the reason of a ledger entry and the chain of a wallet's entries.
    pub(super) fn activity(&self) -> Option<Activity> {
        Some(Activity {
            seq: Seq(self.number(0)?),
            at: Timestamp::from_millis(self.number(1)?)?,
            program: self.number(2).map(ProgramNumber),
            event: self.event(self.number(3)?)?,
        })
    }

    /// The same with the reason of a ledger entry.
    pub(super) fn activity_with_reason(&self) -> Option<Activity> {
        let mut activity = self.activity()?;
        if let Event::Ledger(entry) = &mut activity.event {
            entry.reason = self
                .text(13)
                .map(|reason| Reason::stored(reason.to_owned()));
        }
        Some(activity)
    }

    /// The event; `None` if the cells contradict its kind.
    fn event(&self, kind: i64) -> Option<Event> {
        Some(match kind {
            kind::WALLET_CREDITED | kind::WALLET_DEBITED => Event::Ledger(self.ledger_entry()?),
            kind::MEMBER_CREATED => Event::MemberCreated {
                member: self.member()?,
                tier: self.tier(12)?,
            },
            kind::MEMBER_TIER_CHANGED => Event::MemberTierChanged {
                member: self.member()?,
                from: self.tier(11)?,
                to: self.tier(12)?,
            },
            kind::MEMBER_REMOVED => Event::MemberRemoved {
                member: self.member()?,
                tier: self.tier(11)?,
            },
            kind::MEMBER_RESTORED => Event::MemberRestored {
                member: self.member()?,
                tier: self.tier(12)?,
            },
            kind::REDEMPTION_CREATED..=kind::REDEMPTION_CANCELED => self.redemption_event(kind)?,
            kind::MESSAGE_CREATED => Event::MessageCreated {
                member: self.member()?,
                message: MessageId::parse(self.text(13)?)?,
            },
            kind::TOKEN_EXCHANGED => Event::TokenExchanged {
                member: self.member()?,
                identified: self.flag(10)?,
                credit: self.flag(9)?,
            },
            kind::OFFER_CREATED => Event::OfferCreated {
                offer: self.offer()?,
                id: OfferId::parse(self.text(13)?)?,
            },
            kind::OFFER_CHANGED => Event::OfferChanged {
                offer: self.offer()?,
            },
            kind::OFFER_ARCHIVED => Event::OfferArchived {
                offer: self.offer()?,
            },
            kind::PROGRAM_CREATED => Event::ProgramCreated {
                organization: self.organization()?,
            },
            kind::PROGRAM_CHANGED => Event::ProgramChanged,
            kind::ORGANIZATION_CREATED => Event::OrganizationCreated {
                organization: self.organization()?,
                environment: Environment::parse(self.text(13)?)?,
            },
            kind::ORGANIZATION_CHANGED => Event::OrganizationChanged {
                organization: self.organization()?,
                from: OrganizationStatus::parse(self.text(11)?)?,
                to: OrganizationStatus::parse(self.text(12)?)?,
            },
            _ => return None,
        })
    }

    fn ledger_entry(&self) -> Option<LedgerEntry> {
        let entry = entry(self.number(8)?)?;
        // Most entries are mints, which have neither an offer nor a redemption to look for.
        let is_booked = matches!(entry, Entry::Spend | Entry::Refund);
        Some(LedgerEntry {
            entry,
            amount: Points::new(self.number(9)?)?,
            member: self.member()?,
            offer: is_booked.then(|| self.offer()).flatten(),
            redemption: is_booked.then(|| self.redemption()).flatten(),
            first: self.flag(10)?,
            previous: None,
            reason: None,
        })
    }

    fn redemption_event(&self, kind: i64) -> Option<Event> {
        let (member, offer) = (self.member()?, self.offer()?);
        let redemption = self.redemption()?;
        if kind == kind::REDEMPTION_CREATED {
            let charged = Points::new(self.number(9)?)?;
            let first = self.flag(10)?;
            return Some(Event::RedemptionCreated {
                member,
                offer,
                redemption,
                charged,
                first,
            });
        }
        let from = Status::parse(self.text(11)?)?;
        let to = Status::parse(self.text(12)?).filter(|to| kind::of_status(*to) == kind)?;
        Some(Event::RedemptionMoved {
            member,
            offer,
            redemption,
            from,
            to,
        })
    }

    fn member(&self) -> Option<MemberNumber> {
        self.number(4).map(MemberNumber)
    }

    fn offer(&self) -> Option<OfferNumber> {
        self.number(5).map(OfferNumber)
    }

    fn redemption(&self) -> Option<RedemptionNumber> {
        self.number(6).map(RedemptionNumber)
    }

    fn organization(&self) -> Option<OrganizationNumber> {
        self.number(7).map(OrganizationNumber)
    }

    fn tier(&self, column: usize) -> Option<Tier> {
        self.text(column).map(|tier| Tier::stored(tier.to_owned()))
    }

    fn flag(&self, column: usize) -> Option<bool> {
        match self.number(column)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn number(&self, column: usize) -> Option<i64> {
        self.0.get_ref(column).ok()?.as_i64().ok()
    }

    fn text(&self, column: usize) -> Option<&str> {
        self.0.get_ref(column).ok()?.as_str().ok()
    }
}

/// The entry of this number.
pub(super) fn entry(number: i64) -> Option<Entry> {
    usize::try_from(number - 1)
        .ok()
        .and_then(|index| Entry::ALL.get(index).copied())
}
