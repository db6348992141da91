//! Interests of members in offers.
//!
//! A row has the number of the activity that created it, whose time is that of the creation.

use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use crate::domain::{
    ContactMethod, ContactWindow, Day, Intake, Interest, InterestId, InterestStatus, MemberNumber,
    Occasion, OfferId, OfferNumber, Phone, ProgramNumber, Seq, Timestamp,
};
use crate::store::tables::columns::{column, optional, optional_time, time, uuid, word};
use crate::store::tables::query::{self, Query};
use crate::store::{Error, Transaction};

const LISTED: &str =
    "SELECT i.seq, i.uuid, i.member_id, i.offer_id, o.uuid AS offer_uuid, i.status,
        a.at AS created_at, i.phone_verified, i.details_sent_at, i.preferred_dates,
        i.blackout_dates, i.adults, i.children, i.occasion, i.contact_method, i.contact_window,
        i.phone, m.external_user_id, m.display_name, o.title
    FROM interest i JOIN activity a ON a.seq = i.seq
        JOIN offer o ON o.id = i.offer_id JOIN member m ON m.id = i.member_id";

/// An interest with the names of its member and its offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedInterest {
    /// The interest.
    pub interest: Interest,
    /// The operator's id of the member.
    pub external_user_id: String,
    /// The member's display name.
    pub display_name: Option<String>,
    /// The offer's title.
    pub offer_title: String,
}

/// The filter of a list of interests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InterestFilter {
    /// Only those of this member.
    pub member: Option<MemberNumber>,
    /// Only those with this status.
    pub status: Option<InterestStatus>,
    /// Only those created before this one.
    pub before: Option<Seq>,
}

/// An interest.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    program: ProgramNumber,
    id: InterestId,
) -> Result<Option<ListedInterest>, Error> {
    let sql = format!("{LISTED} WHERE i.program_id = ?1 AND i.uuid = ?2");
    let values = (program.0, id.as_uuid().as_bytes());
    query::one(connection, &sql, values, listed)
}

/// A page of interests, newest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: InterestFilter,
    limit: usize,
) -> Result<Vec<ListedInterest>, Error> {
    let mut query = Query::new(format!("{LISTED} WHERE i.program_id = ?"), [program.0]);
    if let Some(member) = filter.member {
        query.and("i.member_id = ?", [member.0]);
    }
    if let Some(status) = filter.status {
        query.and("i.status = ?", [Value::from(status.as_str().to_owned())]);
    }
    if let Some(before) = filter.before {
        query.and("i.seq < ?", [before.0]);
    }
    query.push(" ORDER BY i.seq DESC");
    query.page(connection, limit, listed)
}

/// Adds an interest, which the activity `interest.seq` created.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(
    tx: &Transaction<'_>,
    program: ProgramNumber,
    interest: &Interest,
) -> Result<(), Error> {
    let sql = "INSERT INTO interest (seq, changed_seq, uuid, program_id, member_id, offer_id,
                   status, phone_verified)
               VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, 0)";
    let values = (
        interest.seq.0,
        interest.id.as_uuid().as_bytes(),
        program.0,
        interest.member.0,
        interest.offer.0,
        interest.status.as_str(),
    );
    tx.run(sql, |statement| statement.execute(values))?;
    write_intake(tx, interest)
}

/// Writes the columns of an interest that can change, after the activity `changed`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update(tx: &Transaction<'_>, interest: &Interest, changed: Seq) -> Result<(), Error> {
    let sql = "UPDATE interest SET changed_seq = ?2, status = ?3, phone_verified = ?4,
                   details_sent_at = ?5
               WHERE seq = ?1";
    let values = (
        interest.seq.0,
        changed.0,
        interest.status.as_str(),
        interest.phone_verified,
        interest.details_sent_at.map(Timestamp::as_millis),
    );
    tx.run(sql, |statement| statement.execute(values))?;
    write_intake(tx, interest)
}

fn write_intake(tx: &Transaction<'_>, interest: &Interest) -> Result<(), Error> {
    let Some(intake) = &interest.intake else {
        return Ok(());
    };
    let sql = "UPDATE interest SET preferred_dates = ?2, blackout_dates = ?3, adults = ?4,
                   children = ?5, occasion = ?6, contact_method = ?7, contact_window = ?8, phone = ?9
               WHERE seq = ?1";
    let values = (
        interest.seq.0,
        json(intake.preferred_dates.as_deref()),
        json(intake.blackout_dates.as_deref()),
        intake.adults,
        intake.children,
        intake.occasion.map(Occasion::as_str),
        intake.contact_method.map(ContactMethod::as_str),
        intake.contact_window.map(ContactWindow::as_str),
        intake.phone.as_ref().map(Phone::as_str),
    );
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// Days as a JSON array.
fn json(days: Option<&[Day]>) -> String {
    let days = days.unwrap_or_default().iter();
    let texts: Vec<String> = days.map(|day| format!("\"{day}\"")).collect();
    format!("[{}]", texts.join(","))
}

/// Reads [`LISTED`].
fn listed(row: &Row<'_>) -> Result<ListedInterest, Error> {
    Ok(ListedInterest {
        interest: Interest {
            seq: Seq(row.get(column!(LISTED, "i.seq"))?),
            id: InterestId::from_uuid(uuid(row, column!(LISTED, "i.uuid"))?),
            member: MemberNumber(row.get(column!(LISTED, "member_id"))?),
            offer: OfferNumber(row.get(column!(LISTED, "offer_id"))?),
            offer_id: OfferId::from_uuid(uuid(row, column!(LISTED, "offer_uuid"))?),
            status: word(
                row,
                column!(LISTED, "status"),
                InterestStatus::parse,
                "status",
            )?,
            created_at: time(row, column!(LISTED, "created_at"))?,
            intake: intake(row)?,
            phone_verified: row.get(column!(LISTED, "phone_verified"))?,
            details_sent_at: optional_time(row, column!(LISTED, "details_sent_at"))?,
        },
        external_user_id: row.get(column!(LISTED, "external_user_id"))?,
        display_name: row.get(column!(LISTED, "display_name"))?,
        offer_title: row.get(column!(LISTED, "title"))?,
    })
}

fn intake(row: &Row<'_>) -> Result<Option<Intake>, Error> {
    let dates = |json: String| {
        let read = Intake::parse_stored_dates("", &json);
        read.map_err(|_| Error::Impossible("list of dates"))
    };
    let preferred = optional(row, column!(LISTED, "preferred_dates"), dates)?.transpose()?;
    if preferred.is_none() {
        return Ok(None);
    }
    let text = |column| optional(row, column, |word: String| word);
    Ok(Some(Intake {
        adults: row.get(column!(LISTED, "adults"))?,
        children: row.get(column!(LISTED, "children"))?,
        preferred_dates: preferred,
        blackout_dates: optional(row, column!(LISTED, "blackout_dates"), dates)?.transpose()?,
        occasion: text(column!(LISTED, "occasion"))?.and_then(|word| Occasion::parse(&word)),
        contact_method: text(column!(LISTED, "contact_method"))?
            .and_then(|word| ContactMethod::parse(&word)),
        contact_window: text(column!(LISTED, "contact_window"))?
            .and_then(|word| ContactWindow::parse(&word)),
        phone: optional(row, column!(LISTED, "phone"), Phone::stored)?,
    }))
}
