//! The activity log: typed events to rows and back, and the wallet's view of it.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Error, Transaction};
use crate::domain::{
    Activity, Entry, Environment, Event, LedgerEntry, MemberNumber, MessageId, OfferId,
    OfferNumber, OrganizationNumber, OrganizationStatus, Points, ProgramNumber, Reason,
    RedemptionNumber, Seq, Status, Tier, Timestamp,
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
    pub(super) const MESSAGE_CREATED: i64 = 13;
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

fn kind_of_status(status: Status) -> i64 {
    // The kinds 7 to 12 stand in the order of the statuses after SUBMITTED.
    kind::REDEMPTION_OPEN + status as i64 - Status::Open as i64
}

/// Appends one row.
pub(super) fn insert(tx: &Transaction<'_>, activity: &Activity) -> Result<(), Error> {
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

/// The number of the newest row.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn last_seq(connection: &Connection) -> Result<Option<Seq>, Error> {
    let last: Option<i64> =
        connection.query_row("SELECT max(seq) FROM activity", [], |row| row.get(0))?;
    Ok(last.map(Seq))
}

/// The number of the last row before a time, by halves: rows are in the order of time, but for
/// programs whose clock was moved.
///
/// # Errors
/// [`Error`] if the database fails.
pub(super) fn last_before(connection: &Connection, before: Timestamp) -> Result<Seq, Error> {
    let sql = "SELECT at FROM activity WHERE seq >= ?1 ORDER BY seq LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let (mut low, mut high) = (0, last_seq(connection)?.map_or(0, |seq| seq.0));
    while low < high {
        let middle = low + (high - low + 1) / 2;
        let at: i64 = statement.query_row([middle], |row| row.get(0))?;
        if at < before.as_millis() {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(Seq(low))
}

/// Hands the rows after `after` up to `up_to` to `take`, in order, without the reasons of ledger
/// entries and the chain of a wallet's entries.
pub(super) fn read(
    connection: &Connection,
    after: Seq,
    up_to: Seq,
    mut take: impl FnMut(Activity),
) -> Result<(), Error> {
    let sql = format!("SELECT {COLUMNS} FROM activity WHERE seq > ?1 AND seq <= ?2 ORDER BY seq");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([after.0, up_to.0])?;
    while let Some(row) = rows.next()? {
        take(Cells(row).activity().ok_or(Error::Impossible("activity"))?);
    }
    Ok(())
}

/// The columns that [`Cells`] reads.
const COLUMNS: &str = "seq, at, program_id, kind, member_id, offer_id, redemption_id,
    organization_id, entry, amount, first, from_state, to_state, note";

/// The events of the catalogue among the rows after `after` up to `up_to`, in order, at most
/// `limit`, of one program or of all; with the reasons of ledger entries, but not the chain of a
/// wallet's entries.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn events(
    connection: &Connection,
    program: Option<ProgramNumber>,
    after: Seq,
    up_to: Seq,
    limit: usize,
) -> Result<Vec<Activity>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM activity
         WHERE seq > ?1 AND seq <= ?2 AND kind <= ?3 AND (?4 IS NULL OR program_id = ?4)
         ORDER BY seq LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((
        after.0,
        up_to.0,
        kind::MESSAGE_CREATED,
        program.map(|number| number.0),
        i64::try_from(limit).unwrap_or(i64::MAX),
    ))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(with_reason(row)?);
    }
    Ok(events)
}

/// One row of the log, if it is there.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn find(connection: &Connection, seq: Seq) -> Result<Option<Activity>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM activity WHERE seq = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([seq.0])?;
    rows.next()?.map(with_reason).transpose()
}

fn with_reason(row: &Row<'_>) -> Result<Activity, Error> {
    let cells = Cells(row);
    let mut activity = cells.activity().ok_or(Error::Impossible("activity"))?;
    if let Event::Ledger(entry) = &mut activity.event {
        entry.reason = cells
            .text(13)
            .map(|reason| Reason::stored(reason.to_owned()));
    }
    Ok(activity)
}

/// The cells of a row of [`COLUMNS`], each looked at only when it is asked for; `None` is a cell
/// that is null or of another type than it should be.
struct Cells<'a>(&'a Row<'a>);

impl Cells<'_> {
    fn activity(&self) -> Option<Activity> {
        Some(Activity {
            seq: Seq(self.number(0)?),
            at: Timestamp::from_millis(self.number(1)?)?,
            program: self.number(2).map(ProgramNumber),
            event: self.event(self.number(3)?)?,
        })
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
        let to = Status::parse(self.text(12)?).filter(|to| kind_of_status(*to) == kind)?;
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
    pub reason: Option<Reason>,
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
            reason: reason.map(Reason::stored),
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
