//! Offers.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::programs;
use crate::domain::{
    Label, LongText, Offer, OfferContent, OfferId, OfferNumber, Points, ProgramNumber, Search, Seq,
    Tier, Timestamp, Title, Url,
};
use crate::store::log::timestamp;
use crate::store::{Counted, Error, Transaction};

/// The columns that [`offer`] reads.
const COLUMNS: &str = "id, uuid, title, description, short_description, kind, type, points_price,
    images, tiers, quantity_remaining, expires_at, start_at, end_at, archived_at,
    version";

/// A page of a program's offers that are not archived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfferFilter {
    /// Only rows before this one.
    pub before: Option<OfferNumber>,
    /// Only those that a member of this tier sees at this time.
    pub visible_to: Option<(Tier, Timestamp)>,
    /// Only those that can, or cannot, be redeemed at this time.
    pub available: Option<(bool, Timestamp)>,
    /// Only those whose title has these terms.
    pub search: Option<Search>,
}

/// An offer, archived or not.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    program: ProgramNumber,
    id: OfferId,
) -> Result<Option<Offer>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM offer WHERE uuid = ?1 AND program_id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((id.as_uuid().as_bytes(), program.0))?;
    rows.next()?.map(offer).transpose()
}

/// A page of offers, newest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &OfferFilter,
    limit: usize,
) -> Result<Vec<Offer>, Error> {
    let mut sql =
        format!("SELECT {COLUMNS} FROM offer WHERE program_id = ? AND archived_at IS NULL");
    let mut values = vec![Value::Integer(program.0)];
    if let Some(before) = filter.before {
        sql.push_str(" AND id < ?");
        values.push(Value::Integer(before.0));
    }
    if let Some((tier, now)) = &filter.visible_to {
        sql.push_str(
            " AND (expires_at IS NULL OR expires_at > ?)
              AND (tiers = '[]' OR EXISTS (SELECT 1 FROM json_each(tiers) WHERE value = ?))",
        );
        values.push(Value::Integer(now.as_millis()));
        values.push(Value::Text(tier.as_str().to_owned()));
    }
    if let Some((available, now)) = filter.available {
        sql.push_str(
            " AND ((expires_at IS NULL OR expires_at > ?) AND quantity_remaining IS NOT 0) = ?",
        );
        values.push(Value::Integer(now.as_millis()));
        values.push(Value::Integer(i64::from(available)));
    }
    sql.push_str(" ORDER BY id DESC LIMIT ?");
    // A program has few offers: those that a search leaves out are read.
    let rows = filter.search.is_none().then_some(limit);
    let rows = rows.and_then(|rows| i64::try_from(rows).ok());
    values.push(Value::Integer(rows.unwrap_or(-1)));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut offers = Vec::new();
    while offers.len() < limit
        && let Some(row) = rows.next()?
    {
        let offer = offer(row)?;
        let is_found = |search: &Search| search.finds(&[offer.content.title.as_str()]);
        if filter.search.as_ref().is_none_or(is_found) {
            offers.push(offer);
        }
    }
    Ok(offers)
}

/// Adds an offer.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(
    tx: &mut Transaction<'_>,
    program: ProgramNumber,
    id: OfferId,
    content: OfferContent,
    now: Timestamp,
) -> Result<Offer, Error> {
    let sql = "INSERT INTO offer (uuid, program_id, created_at, title, description,
                   short_description, kind, type, images, tiers)
               VALUES (?1, ?2, ?3, '', '', '', '', '', '[]', '[]')";
    tx.run(sql, |statement| {
        statement.execute((id.as_uuid().as_bytes(), program.0, now.as_millis()))
    })?;
    let number = OfferNumber(tx.last_insert_rowid());
    tx.count_change(Counted::Offers(program), 1);
    let offer = Offer {
        number,
        id,
        content,
        archived_at: None,
        version: Seq(0),
    };
    update(tx, &offer)?;
    Ok(offer)
}

/// Writes everything that can change of an offer.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update(tx: &Transaction<'_>, offer: &Offer) -> Result<(), Error> {
    let sql = "UPDATE offer SET title = ?2, description = ?3, short_description = ?4, kind = ?5,
                   type = ?6, points_price = ?7, images = ?8, tiers = ?9, quantity_remaining = ?10,
                   expires_at = ?11, start_at = ?12, end_at = ?13, archived_at = ?14,
                   version = ?15
               WHERE id = ?1";
    let content = &offer.content;
    tx.run(sql, |statement| {
        statement.execute((
            offer.number.0,
            content.title.as_str(),
            content.description.as_str(),
            content.short_description.as_str(),
            content.kind.as_str(),
            content.offer_type.as_str(),
            content.points_price.map(Points::get),
            json_array(content.images.iter().map(Url::as_str)),
            json_array(content.tiers.iter().map(Tier::as_str)),
            content.quantity_remaining,
            content.expires_at.map(Timestamp::as_millis),
            content.start_at.map(Timestamp::as_millis),
            content.end_at.map(Timestamp::as_millis),
            offer.archived_at.map(Timestamp::as_millis),
            offer.version.0,
        ))
    })?;
    Ok(())
}

/// Takes one piece from, or gives one back to, an offer that has a limited number of them. A return
/// never makes it unlimited.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn change_stock(tx: &Transaction<'_>, offer: OfferNumber, pieces: i64) -> Result<(), Error> {
    let sql = "UPDATE offer SET quantity_remaining = min(quantity_remaining + ?2, ?3 - 1)
               WHERE id = ?1 AND quantity_remaining < ?3";
    let values = (offer.0, pieces, OfferContent::UNLIMITED);
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

fn json_array<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.collect::<serde_json::Value>().to_string()
}

fn strings(json: &str) -> Result<Vec<String>, Error> {
    serde_json::from_str(json).map_err(|_| Error::Impossible("array of strings"))
}

/// Reads [`COLUMNS`].
fn offer(row: &Row<'_>) -> Result<Offer, Error> {
    let time = |column| -> Result<Option<Timestamp>, Error> {
        row.get::<_, Option<i64>>(column)?
            .map(timestamp)
            .transpose()
    };
    let images = strings(&row.get::<_, String>(8)?)?;
    let tiers = strings(&row.get::<_, String>(9)?)?;
    let content = OfferContent {
        title: Title::stored(row.get(2)?),
        description: LongText::stored(row.get(3)?),
        short_description: LongText::stored(row.get(4)?),
        kind: Label::stored(row.get(5)?),
        offer_type: Label::stored(row.get(6)?),
        points_price: row.get::<_, Option<i64>>(7)?.and_then(Points::new),
        images: images.into_iter().map(Url::stored).collect(),
        tiers: tiers.into_iter().map(Tier::stored).collect(),
        quantity_remaining: OfferContent::stored_pieces(row.get(10)?),
        expires_at: time(11)?,
        start_at: time(12)?,
        end_at: time(13)?,
    };
    Ok(Offer {
        number: OfferNumber(row.get(0)?),
        id: OfferId::from_uuid(programs::uuid(row, 1)?),
        content,
        archived_at: time(14)?,
        version: Seq(row.get(15)?),
    })
}
