//! From an event to a row.

use super::kind;
use crate::domain::{
    Activity, Event, LedgerEntry, MemberNumber, OfferNumber, OrganizationNumber,
    OrganizationStatus, Reason, RedemptionNumber, Seq,
};
use crate::store::{Error, Transaction};

/// The columns of a row, but for `seq`, `at` and `program_id`.
#[derive(Default)]
struct Columns<'a> {
    kind: i64,
    member: Option<MemberNumber>,
    offer: Option<OfferNumber>,
    redemption: Option<RedemptionNumber>,
    organization: Option<OrganizationNumber>,
    entry: Option<i64>,
    amount: Option<i64>,
    first: Option<bool>,
    previous: Option<Seq>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    note: Option<&'a str>,
    /// The public id, in the column of the note.
    id: Option<String>,
}

impl<'a> Columns<'a> {
    #[expect(clippy::too_many_lines, reason = "a table: one arm a kind of event")]
    fn of(event: &'a Event) -> Self {
        match event {
            Event::MemberCreated { member, tier } => Self {
                to: Some(tier.as_str()),
                ..Self::member(kind::MEMBER_CREATED, *member)
            },
            Event::MemberTierChanged { member, from, to } => Self {
                from: Some(from.as_str()),
                to: Some(to.as_str()),
                ..Self::member(kind::MEMBER_TIER_CHANGED, *member)
            },
            Event::MemberRemoved { member, tier } => Self {
                from: Some(tier.as_str()),
                ..Self::member(kind::MEMBER_REMOVED, *member)
            },
            Event::MemberRestored { member, tier } => Self {
                to: Some(tier.as_str()),
                ..Self::member(kind::MEMBER_RESTORED, *member)
            },
            Event::Ledger(entry) => Self::ledger(entry),
            Event::RedemptionCreated {
                member,
                offer,
                redemption,
                charged,
                first,
            } => Self {
                offer: Some(*offer),
                redemption: Some(*redemption),
                amount: Some(charged.get()),
                first: Some(*first),
                ..Self::member(kind::REDEMPTION_CREATED, *member)
            },
            Event::RedemptionMoved {
                member,
                offer,
                redemption,
                from,
                to,
            } => Self {
                offer: Some(*offer),
                redemption: Some(*redemption),
                from: Some(from.as_str()),
                to: Some(to.as_str()),
                ..Self::member(kind::of_status(*to), *member)
            },
            Event::MessageCreated { member, message } => Self {
                id: Some(message.to_string()),
                ..Self::member(kind::MESSAGE_CREATED, *member)
            },
            Event::TokenExchanged {
                member,
                identified,
                credit,
            } => Self {
                amount: Some(i64::from(*credit)),
                first: Some(*identified),
                ..Self::member(kind::TOKEN_EXCHANGED, *member)
            },
            Event::OfferCreated { offer, id } => Self {
                id: Some(id.to_string()),
                ..Self::offer(kind::OFFER_CREATED, *offer)
            },
            Event::OfferChanged { offer } => Self::offer(kind::OFFER_CHANGED, *offer),
            Event::OfferArchived { offer } => Self::offer(kind::OFFER_ARCHIVED, *offer),
            Event::ProgramCreated { organization } => {
                Self::organization(kind::PROGRAM_CREATED, *organization)
            }
            Event::ProgramChanged => Self {
                kind: kind::PROGRAM_CHANGED,
                ..Self::default()
            },
            Event::OrganizationCreated {
                organization,
                environment,
            } => Self {
                to: Some(OrganizationStatus::Active.as_str()),
                note: Some(environment.as_str()),
                ..Self::organization(kind::ORGANIZATION_CREATED, *organization)
            },
            Event::OrganizationChanged {
                organization,
                from,
                to,
            } => Self {
                from: Some(from.as_str()),
                to: Some(to.as_str()),
                ..Self::organization(kind::ORGANIZATION_CHANGED, *organization)
            },
        }
    }

    fn member(kind: i64, member: MemberNumber) -> Self {
        Self {
            kind,
            member: Some(member),
            ..Self::default()
        }
    }

    fn offer(kind: i64, offer: OfferNumber) -> Self {
        Self {
            kind,
            offer: Some(offer),
            ..Self::default()
        }
    }

    fn organization(kind: i64, organization: OrganizationNumber) -> Self {
        Self {
            kind,
            organization: Some(organization),
            ..Self::default()
        }
    }

    fn ledger(entry: &'a LedgerEntry) -> Self {
        let kind = if entry.entry.is_credit() {
            kind::WALLET_CREDITED
        } else {
            kind::WALLET_DEBITED
        };
        Self {
            offer: entry.offer,
            redemption: entry.redemption,
            entry: Some(entry.entry as i64 + 1),
            amount: Some(entry.amount.get()),
            first: Some(entry.first),
            previous: entry.previous,
            note: entry.reason.as_ref().map(Reason::as_str),
            ..Self::member(kind, entry.member)
        }
    }
}

/// Appends one row.
pub(in crate::store) fn insert(tx: &Transaction<'_>, activity: &Activity) -> Result<(), Error> {
    let columns = Columns::of(&activity.event);
    let sql = "INSERT INTO activity (seq, at, program_id, kind, member_id, offer_id, redemption_id,
                   organization_id, entry, amount, first, previous_seq, from_state, to_state, note)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    let values = (
        activity.seq.0,
        activity.at.as_millis(),
        activity.program.map(|number| number.0),
        columns.kind,
        columns.member.map(|number| number.0),
        columns.offer.map(|number| number.0),
        columns.redemption.map(|number| number.0),
        columns.organization.map(|number| number.0),
        columns.entry,
        columns.amount,
        columns.first,
        columns.previous.map(|seq| seq.0),
        columns.from,
        columns.to,
        columns.note.or(columns.id.as_deref()),
    );
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}
