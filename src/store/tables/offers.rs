//! Offers.

use rusqlite::{Connection, Row, params};
use serde::Serialize;

use crate::domain::{
    Cents, Inclusion, Label, LimitPer, Location, LongText, Offer, OfferContent, OfferId,
    OfferNumber, Points, ProgramNumber, Rate, RedemptionLimit, Search, Seq, Tier, Timestamp, Title,
    Url,
};
use crate::store::tables::columns::{column, optional, optional_time, uuid, word};
use crate::store::tables::query::{self, Query};
use crate::store::{Counted, Error, Transaction};

/// The columns that [`offer`] reads.
const COLUMNS: &str = "id, uuid, title, description, short_description, disclaimer, kind, type,
    points_price, value_usd, display_price, images, inclusions, location, guests_max, tiers, quantity_remaining,
    available_from, expires_at, is_paused, limit_per_member, limit_per, start_at, end_at,
    archived_at, version";

/// Whether members of its tiers see an offer at a time, given twice; as `Offer` decides it.
const IS_OFFERED: &str = "(is_paused = 0 AND (available_from IS NULL OR available_from <= ?)
    AND (expires_at IS NULL OR expires_at > ?))";

/// The filter of a list of offers. Archived offers are never listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfferFilter {
    /// Only offers before this one.
    pub before: Option<OfferNumber>,
    /// Only offers that a member of this tier sees at this time.
    pub visible_to: Option<(Tier, Timestamp)>,
    /// Only offers that can be redeemed at this time, or only those that cannot.
    pub available: Option<(bool, Timestamp)>,
    /// Only offers whose title has these terms.
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
    let values = (id.as_uuid().as_bytes(), program.0);
    query::one(connection, &sql, values, offer)
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
    let sql = format!("SELECT {COLUMNS} FROM offer WHERE program_id = ? AND archived_at IS NULL");
    let mut query = Query::new(sql, [program.0]);
    if let Some(before) = filter.before {
        query.and("id < ?", [before.0]);
    }
    if let Some((tier, now)) = &filter.visible_to {
        query.and(IS_OFFERED, [now.as_millis(), now.as_millis()]);
        query.and(
            "(tiers = '[]' OR EXISTS (SELECT 1 FROM json_each(tiers) WHERE value = ?))",
            [tier.as_str().to_owned()],
        );
    }
    if let Some((available, now)) = filter.available {
        let condition = format!("({IS_OFFERED} AND quantity_remaining IS NOT 0) = ?");
        let now = now.as_millis();
        query.and(&condition, [now, now, i64::from(available)]);
    }
    query.push(" ORDER BY id DESC");
    let search = filter.search.as_ref();
    query.searched_page(connection, limit, search, offer, |offer| {
        offer.content.title.as_str()
    })
}

/// Whether an offer of a program that is not archived has a display price of its own.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn any_has_price(connection: &Connection, program: ProgramNumber) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM offer WHERE program_id = ?1 AND archived_at IS NULL
               AND display_price IS NOT NULL LIMIT 1";
    Ok(query::one(connection, sql, [program.0], |_| Ok(()))?.is_some())
}

/// Creates an offer.
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
                   short_description, kind, type, images, inclusions, tiers)
               VALUES (?1, ?2, ?3, '', '', '', '', '', '[]', '[]', '[]')";
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

/// Writes the columns of an offer that can change.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update(tx: &Transaction<'_>, offer: &Offer) -> Result<(), Error> {
    let sql = "UPDATE offer SET title = ?2, description = ?3, short_description = ?4, kind = ?5,
                   type = ?6, points_price = ?7, images = ?8, tiers = ?9, quantity_remaining = ?10,
                   expires_at = ?11, start_at = ?12, end_at = ?13, archived_at = ?14,
                   version = ?15, disclaimer = ?16, value_usd = ?17, inclusions = ?18,
                   location = ?19, guests_max = ?20, available_from = ?21, is_paused = ?22,
                   limit_per_member = ?23, limit_per = ?24, display_price = ?25
               WHERE id = ?1";
    let content = &offer.content;
    tx.run(sql, |statement| {
        statement.execute(params![
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
            content.disclaimer.as_ref().map(LongText::as_str),
            content.value_usd.map(Cents::get),
            json(&content.inclusions),
            content.location.as_ref().map(json),
            content.guests_max,
            content.available_from.map(Timestamp::as_millis),
            content.is_paused,
            content.limit.per_member,
            content.limit.per.as_str(),
            content.display_price.map(Rate::millionths),
        ])
    })?;
    Ok(())
}

/// Adds pieces to the stock of an offer, or removes them if `pieces` is negative. Does nothing if
/// the stock is unlimited, and never makes it so.
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

/// The JSON of a part that has only texts.
fn json<T: Serialize>(part: &T) -> String {
    serde_json::to_string(part).expect("texts are valid JSON")
}

/// Reads [`COLUMNS`].
fn offer(row: &Row<'_>) -> Result<Offer, Error> {
    let images = strings(row, column!(COLUMNS, "images"))?;
    let tiers = strings(row, column!(COLUMNS, "tiers"))?;
    let price: Option<i64> = row.get(column!(COLUMNS, "points_price"))?;
    let inclusions = row.get_ref(column!(COLUMNS, "inclusions"))?.as_str().ok();
    let inclusions = inclusions.and_then(|json| Inclusion::parse_stored_list("", json).ok());
    let location = optional(row, column!(COLUMNS, "location"), |json: String| {
        Location::parse_stored("", &json).map_err(|_| Error::Impossible("location"))
    })?;
    let limit = RedemptionLimit {
        per_member: row.get(column!(COLUMNS, "limit_per_member"))?,
        per: word(
            row,
            column!(COLUMNS, "limit_per"),
            LimitPer::parse,
            "limit of an offer",
        )?,
    };
    let content = OfferContent {
        title: Title::stored(row.get(column!(COLUMNS, "title"))?),
        description: LongText::stored(row.get(column!(COLUMNS, "description"))?),
        short_description: LongText::stored(row.get(column!(COLUMNS, "short_description"))?),
        disclaimer: optional(row, column!(COLUMNS, "disclaimer"), LongText::stored)?,
        kind: Label::stored(row.get(column!(COLUMNS, "kind"))?),
        offer_type: Label::stored(row.get(column!(COLUMNS, "type"))?),
        points_price: price.and_then(Points::new),
        display_price: optional(
            row,
            column!(COLUMNS, "display_price"),
            Rate::from_millionths,
        )?,
        value_usd: optional(row, column!(COLUMNS, "value_usd"), Cents::new)?.flatten(),
        images: images.into_iter().map(Url::stored).collect(),
        inclusions: inclusions.ok_or(Error::Impossible("inclusions"))?,
        location: location.transpose()?,
        guests_max: row.get(column!(COLUMNS, "guests_max"))?,
        tiers: tiers.into_iter().map(Tier::stored).collect(),
        quantity_remaining: OfferContent::stored_pieces(
            row.get(column!(COLUMNS, "quantity_remaining"))?,
        ),
        available_from: optional_time(row, column!(COLUMNS, "available_from"))?,
        is_paused: row.get(column!(COLUMNS, "is_paused"))?,
        limit,
        expires_at: optional_time(row, column!(COLUMNS, "expires_at"))?,
        start_at: optional_time(row, column!(COLUMNS, "start_at"))?,
        end_at: optional_time(row, column!(COLUMNS, "end_at"))?,
    };
    Ok(Offer {
        number: OfferNumber(row.get(column!(COLUMNS, "id"))?),
        id: OfferId::from_uuid(uuid(row, column!(COLUMNS, "uuid"))?),
        content,
        archived_at: optional_time(row, column!(COLUMNS, "archived_at"))?,
        version: Seq(row.get(column!(COLUMNS, "version"))?),
    })
}

/// Reads a JSON array of strings.
fn strings(row: &Row<'_>, column: usize) -> Result<Vec<String>, Error> {
    let json = row.get_ref(column)?.as_str().ok();
    let strings = json.and_then(|json| serde_json::from_str(json).ok());
    strings.ok_or(Error::Impossible("array of strings"))
}
