//! The activity log: typed events to rows and back, and the wallet's view of it.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::Error;
use crate::domain::{
    Activity, Entry, Environment, Event, LedgerEntry, MemberNumber, OfferId, OfferNumber,
    OrganizationNumber, OrganizationStatus, Points, ProgramNumber, Reason, RedemptionNumber, Seq,
    Status, Tier, Timestamp,
};

/// The numbers of `activity.kind`, as schema.sql explains them.
mod kind {
    pub(super) const MEMBER_CREATED: i64 = 1;
    pub(super) const MEMBER_TIER_CHANGED: i64 = 2;
    pub(super) const MEMBER_REMOVED: i64 = 3;
    pub(super) const WALLET_CREDITED: i64 = 4;
    pub(super) const WALLET_DEBITED: i64 = 5;
    pub(super) const REDEMPTION_CREATED: i64 = 6;
    pub(super) const REDEMPTION_OPEN: i64 = 7;
    pub(super) const REDEMPTION_CANCELED: i64 = 12;
    pub(super) const TOKEN_EXCHANGED: i64 = 20;
    pub(super) const MEMBER_RESTORED: i64 = 30;
    pub(super) const OFFER_CREATED: i64 = 40;
    pub(super) const OFFER_CHANGED: i64 = 41;
    pub(super) const OFFER_ARCHIVED: i64 = 42;
    pub(super) const PROGRAM_CREATED: i64 = 50;
    pub(super) const PROGRAM_CHANGED: i64 = 51;
    pub(super) const ORGANIZATION_CREATED: i64 = 60;
    pub(super) const ORGANIZATION_CHANGED: i64 = 61;
}

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
                ..Self::member(kind_of_status(*to), *member)
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

fn kind_of_status(status: Status) -> i64 {
    // The kinds 7 to 12 stand in the order of the statuses after SUBMITTED.
    kind::REDEMPTION_OPEN + status as i64 - Status::Open as i64
}

/// Appends one row.
pub(super) fn insert(connection: &Connection, activity: &Activity) -> Result<(), Error> {
    let columns = Columns::of(&activity.event);
    let sql = "INSERT INTO activity (seq, at, program_id, kind, member_id, offer_id, redemption_id,
                   organization_id, entry, amount, first, previous_seq, from_state, to_state, note)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    connection.prepare_cached(sql)?.execute((
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
    ))?;
    Ok(())
}

/// The number of the newest row.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn last_seq(connection: &Connection) -> Result<Option<Seq>, Error> {
    let last: Option<i64> =
        connection.query_row("SELECT max(seq) FROM activity", [], |row| row.get(0))?;
    Ok(last.map(Seq))
}

/// Hands every row after `after` to `take`, in order.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn replay(
    connection: &Connection,
    after: Seq,
    mut take: impl FnMut(&Activity),
) -> Result<(), Error> {
    let sql = "SELECT seq, at, program_id, kind, member_id, offer_id, redemption_id,
                   organization_id, entry, amount, first, previous_seq, from_state, to_state, note
               FROM activity WHERE seq > ?1 ORDER BY seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([after.0])?;
    while let Some(row) = rows.next()? {
        take(&activity(row)?);
    }
    Ok(())
}

fn activity(row: &Row<'_>) -> Result<Activity, Error> {
    Ok(Activity {
        seq: Seq(row.get(0)?),
        at: timestamp(row.get(1)?)?,
        program: row.get::<_, Option<i64>>(2)?.map(ProgramNumber),
        event: event(row)?.ok_or(Error::Impossible("activity"))?,
    })
}

/// Reads the event of a row of [`replay`]; `None` if its columns contradict its kind.
#[expect(clippy::too_many_lines, reason = "a table: one arm a kind of event")]
fn event(row: &Row<'_>) -> Result<Option<Event>, Error> {
    let kind: i64 = row.get(3)?;
    let member = row.get::<_, Option<i64>>(4)?.map(MemberNumber);
    let offer = row.get::<_, Option<i64>>(5)?.map(OfferNumber);
    let redemption = row.get::<_, Option<i64>>(6)?.map(RedemptionNumber);
    let organization = row.get::<_, Option<i64>>(7)?.map(OrganizationNumber);
    let first = row.get::<_, Option<bool>>(10)?;
    let from: Option<String> = row.get(12)?;
    let to: Option<String> = row.get(13)?;
    Ok((|| {
        Some(match kind {
            kind::MEMBER_CREATED => Event::MemberCreated {
                member: member?,
                tier: Tier::stored(to?),
            },
            kind::MEMBER_TIER_CHANGED => Event::MemberTierChanged {
                member: member?,
                from: Tier::stored(from?),
                to: Tier::stored(to?),
            },
            kind::MEMBER_REMOVED => Event::MemberRemoved {
                member: member?,
                tier: Tier::stored(from?),
            },
            kind::MEMBER_RESTORED => Event::MemberRestored {
                member: member?,
                tier: Tier::stored(to?),
            },
            kind::WALLET_CREDITED | kind::WALLET_DEBITED => Event::Ledger(LedgerEntry {
                entry: entry(row.get(8).ok()?)?,
                amount: Points::new(row.get(9).ok()?)?,
                member: member?,
                offer,
                redemption,
                first: first?,
                previous: row.get::<_, Option<i64>>(11).ok()?.map(Seq),
                reason: row.get::<_, Option<String>>(14).ok()?.map(Reason::stored),
            }),
            kind::REDEMPTION_CREATED => Event::RedemptionCreated {
                member: member?,
                offer: offer?,
                redemption: redemption?,
                charged: Points::new(row.get(9).ok()?)?,
                first: first?,
            },
            kind::REDEMPTION_OPEN..=kind::REDEMPTION_CANCELED => Event::RedemptionMoved {
                member: member?,
                offer: offer?,
                redemption: redemption?,
                from: Status::parse(&from?)?,
                to: Status::parse(&to?).filter(|status| kind_of_status(*status) == kind)?,
            },
            kind::TOKEN_EXCHANGED => Event::TokenExchanged {
                member: member?,
                identified: first?,
                credit: row.get(9).ok()?,
            },
            kind::OFFER_CREATED => Event::OfferCreated {
                offer: offer?,
                id: OfferId::parse(&row.get::<_, String>(14).ok()?)?,
            },
            kind::OFFER_CHANGED => Event::OfferChanged { offer: offer? },
            kind::OFFER_ARCHIVED => Event::OfferArchived { offer: offer? },
            kind::PROGRAM_CREATED => Event::ProgramCreated {
                organization: organization?,
            },
            kind::PROGRAM_CHANGED => Event::ProgramChanged,
            kind::ORGANIZATION_CREATED => Event::OrganizationCreated {
                organization: organization?,
                environment: Environment::parse(&row.get::<_, String>(14).ok()?)?,
            },
            kind::ORGANIZATION_CHANGED => Event::OrganizationChanged {
                organization: organization?,
                from: OrganizationStatus::parse(&from?)?,
                to: OrganizationStatus::parse(&to?)?,
            },
            _ => return None,
        })
    })())
}

fn entry(number: i64) -> Option<Entry> {
    usize::try_from(number - 1)
        .ok()
        .and_then(|index| Entry::ALL.get(index).copied())
}

/// A ledger entry as the wallet's list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// Its place in the log.
    pub seq: Seq,
    /// When points moved.
    pub at: Timestamp,
    /// How.
    pub entry: Entry,
    /// How many.
    pub amount: Points,
    /// What the caller gave as the reason.
    pub reason: Option<String>,
    /// The public id of the redemption, on a spend and a refund.
    pub redemption: Option<uuid::Uuid>,
    /// The entry of the same wallet before it.
    pub previous: Option<Seq>,
}

/// The ledger entries of one wallet from `start` back, newest first, at most `limit`. It follows
/// the chain from entry to entry, so that its cost does not depend on the length of any history.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn wallet_entries(
    connection: &Connection,
    member: MemberNumber,
    start: Seq,
    limit: usize,
) -> Result<Vec<LedgerRow>, Error> {
    let sql = "SELECT a.at, a.entry, a.amount, a.note, r.uuid, a.previous_seq
               FROM activity a LEFT JOIN redemption r ON r.id = a.redemption_id
               WHERE a.seq = ?1 AND a.member_id = ?2 AND a.entry IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let mut next = Some(start);
    let mut entries = Vec::new();
    while let Some(seq) = next.filter(|_| entries.len() < limit) {
        let found = statement
            .query_row((seq.0, member.0), |row| {
                let columns: (i64, i64, i64, Option<String>, Value, Option<i64>) =
                    row.try_into()?;
                Ok(columns)
            })
            .optional()?;
        let Some((at, number, amount, reason, uuid, previous)) = found else {
            break;
        };
        let redemption = match uuid {
            Value::Blob(bytes) => uuid::Uuid::from_slice(&bytes).ok(),
            _ => None,
        };
        entries.push(LedgerRow {
            seq,
            at: timestamp(at)?,
            entry: entry(number).ok_or(Error::Impossible("ledger entry"))?,
            amount: Points::new(amount).ok_or(Error::Impossible("ledger entry"))?,
            reason,
            redemption,
            previous: previous.map(Seq),
        });
        next = previous.map(Seq);
    }
    Ok(entries)
}

/// A stored time.
pub(super) fn timestamp(millis: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millis(millis).ok_or(Error::Impossible("time"))
}
