//! Reads of a participant's redemptions and reversals.

use std::collections::VecDeque;

use uuid::Uuid;

use super::rendering::{Rendering, Shown, status_of_amount, status_of_item};
use super::{Found, found, item};
use crate::books::{Published, Record};
use crate::domain::{
    AccountKey, Invalid, OfferId, RedemptionNumber, ReversalStatus, Seq, Timestamp,
};
use crate::service::earning::scope::{Assets, asset_of_entry, check_program};
use crate::service::{KeyPrincipal, ServiceError, Services, page};
use crate::store::log::spends::{self, Amount};
use crate::store::log::{AccountLog, EntryRow};
use crate::store::redemptions::RedemptionFilter;
use crate::store::{self, Connection};
use crate::wire::{
    Cursor, ListKind, PageQuery, ParticipantRedemptionListResponse, ParticipantRedemptionResponse,
    ReversalListResponse,
};

/// Redemptions of offers that are read at a time.
const STEP: usize = 200;
/// The most of them that are read for a page.
const READ_MAX: usize = 10_000;

/// The filter of a list of redemptions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RedemptionSelection {
    /// Only those of this program, which has to be the key's.
    pub program: Option<Uuid>,
    /// Only those with this status.
    pub status: Option<ReversalStatus>,
    /// Only those of this reward.
    pub reward: Option<Uuid>,
    /// Only those that were made at this time or later.
    pub from: Option<Timestamp>,
    /// Only those that were made at this time or earlier.
    pub to: Option<Timestamp>,
}

impl RedemptionSelection {
    fn admits(&self, status: ReversalStatus, at: Timestamp) -> bool {
        self.status.is_none_or(|wanted| wanted == status)
            && self.from.is_none_or(|from| at >= from)
            && self.to.is_none_or(|to| at <= to)
    }
}

impl Services {
    /// A redemption of a participant.
    ///
    /// # Errors
    /// `not_found` if the participant has no such redemption.
    pub async fn get_participant_redemption(
        &self,
        key: KeyPrincipal,
        (id, redemption): (String, String),
    ) -> Result<ParticipantRedemptionResponse, ServiceError> {
        let record = self.participant(key, &id)?;
        let program = self.directory.uuid_of(key.program)?;
        self.read(key, move |connection| {
            let rendering = Rendering::new(program, record.number);
            let shown = match found(connection, &rendering, &record, &redemption)? {
                Found::Amount(amount) => Shown::Amount(*amount),
                Found::Item(redemption) => {
                    let number = redemption.number;
                    let listed = store::redemptions::find_listed(connection, number)?;
                    let title = listed.map(|listed| listed.offer_title);
                    item(connection, *redemption, &title.unwrap_or_default())?
                }
            };
            let asset = asset_of_entry(connection, (key.program, program), shown.asset())?;
            Ok(rendering.response(&asset, &shown))
        })
        .await
    }

    /// A page of a participant's redemptions, newest first.
    ///
    /// # Errors
    /// `not_found` if the program has no such participant, `forbidden` if the filter names another
    /// program.
    pub async fn list_participant_redemptions(
        &self,
        key: KeyPrincipal,
        id: String,
        selection: RedemptionSelection,
        page: PageQuery,
    ) -> Result<ParticipantRedemptionListResponse, ServiceError> {
        let record = self.participant(key, &id)?;
        let program = self.directory.uuid_of(key.program)?;
        check_program(program, selection.program)?;
        let books = self.books.clone();
        self.read(key, move |connection| {
            let (before, until) = match page.cursor {
                None => (Seq(i64::MAX), None),
                Some(Cursor(seq)) => {
                    let at = store::log::time_of(connection, Seq(seq))?;
                    let expected = "must be the next_cursor of a page of this list";
                    let at = at.ok_or_else(|| Invalid::new("cursor", expected))?;
                    (Seq(seq), Some(at))
                }
            };
            let most = page.limit + 1;
            let items = items(connection, &record, (before, until), selection, most)?;
            let amounts = amounts(connection, (&books, &record), before, selection, most)?;
            let mut rows = merged(items, amounts);
            let list = (ListKind::ParticipantRedemptions, key.program.0);
            let next = page::next_cursor(&mut rows, page, list, |(seq, _)| seq.0);
            let rendering = Rendering::new(program, record.number);
            let assets = Assets::of(connection, (key.program, program))?;
            let data = rows.iter().map(|(_, shown)| {
                let asset = assets.named(shown.asset())?;
                Ok(rendering.response(&asset, shown))
            });
            Ok(ParticipantRedemptionListResponse {
                data: data.collect::<Result<_, store::Error>>()?,
                pagination: next.into(),
            })
        })
        .await
    }

    /// The reversals of a redemption, oldest first.
    ///
    /// # Errors
    /// `not_found` if the participant has no such redemption.
    pub async fn list_reversals(
        &self,
        key: KeyPrincipal,
        (id, redemption): (String, String),
        page: PageQuery,
    ) -> Result<ReversalListResponse, ServiceError> {
        let record = self.participant(key, &id)?;
        let program = self.directory.uuid_of(key.program)?;
        self.read(key, move |connection| {
            let rendering = Rendering::new(program, record.number);
            let mut rows = match found(connection, &rendering, &record, &redemption)? {
                Found::Item(redemption) => rendering.reversals_of_item(connection, &redemption)?,
                Found::Amount(amount) => {
                    let Amount { spend, reversals } = &*amount;
                    let number = spend.entry.asset;
                    let asset = asset_of_entry(connection, (key.program, program), number)?;
                    let reversal =
                        |row: &EntryRow| rendering.reversal_of_amount(asset.scale, spend, row);
                    let rows = reversals.iter().map(|row| (row.seq, reversal(row)));
                    rows.collect()
                }
            };
            let after = page.cursor.map_or(0, |cursor| cursor.0);
            rows.retain(|(seq, _)| seq.0 > after);
            let list = (ListKind::Reversals, key.program.0);
            let next = page::next_cursor(&mut rows, page, list, |(seq, _)| seq.0);
            let data = rows.into_iter().map(|(_, reversal)| reversal).collect();
            Ok(ReversalListResponse {
                data,
                pagination: next.into(),
            })
        })
        .await
    }
}

/// Redemptions of amounts before a row of the log, newest first.
fn amounts(
    connection: &Connection,
    (books, record): (&Published, &Record),
    before: Seq,
    selection: RedemptionSelection,
    most: usize,
) -> Result<Vec<(Seq, Shown)>, store::Error> {
    if selection.reward.is_some() {
        return Ok(Vec::new());
    }
    let member = record.number;
    let mut accounts = vec![record.account];
    {
        let books = books.read();
        let further = books.assets_of(member).filter_map(|asset| {
            let asset = Some(asset);
            books.account(AccountKey { asset, member })
        });
        accounts.extend(further.map(|record| record.account));
    }
    let mut found = Vec::new();
    for account in &accounts {
        let log = AccountLog::new(connection, member, account);
        found.extend(spends::amounts(&log, most, |amount| {
            let (seq, at) = (amount.spend.seq, amount.spend.at);
            seq < before && selection.admits(status_of_amount(amount), at)
        })?);
    }
    found.sort_by_key(|amount| std::cmp::Reverse(amount.spend.seq));
    found.truncate(most);
    let shown = |amount: Amount| (amount.spend.seq, Shown::Amount(amount));
    Ok(found.into_iter().map(shown).collect())
}

/// Redemptions of offers before a row of the log, newest first.
fn items(
    connection: &Connection,
    record: &Record,
    (before, until): (Seq, Option<Timestamp>),
    selection: RedemptionSelection,
    most: usize,
) -> Result<Vec<(Seq, Shown)>, store::Error> {
    let offer = match selection.reward {
        None => None,
        Some(uuid) => {
            let offer = store::offers::find(connection, record.program, OfferId::from_uuid(uuid))?;
            let Some(offer) = offer else {
                return Ok(Vec::new());
            };
            Some(offer.number)
        }
    };
    let next_milli = |at: Timestamp| Timestamp::from_millis(at.as_millis() + 1);
    let mut filter = RedemptionFilter {
        member: Some(record.number),
        offer,
        from: selection.from,
        to: selection.to.and_then(next_milli),
        after: until
            .and_then(next_milli)
            .map(|at| (at, RedemptionNumber(0))),
        ..RedemptionFilter::default()
    };
    let mut found = Vec::new();
    let mut read = 0;
    loop {
        let step = store::redemptions::list(connection, record.program, &filter, STEP)?;
        let (count, last) = (step.rows.len(), step.rows.last());
        filter.after = last.map(|row| (row.redemption.created_at, row.redemption.number));
        read += count;
        for row in step.rows {
            if !selection.admits(status_of_item(&row.redemption), row.redemption.created_at) {
                continue;
            }
            let seq = spends::created(connection, row.redemption.number)?;
            if seq >= before {
                continue;
            }
            found.push((seq, item(connection, row.redemption, &row.offer_title)?));
            if found.len() == most {
                return Ok(found);
            }
        }
        if count < STEP || read >= READ_MAX {
            return Ok(found);
        }
    }
}

/// Both, newest first.
fn merged(items: Vec<(Seq, Shown)>, amounts: Vec<(Seq, Shown)>) -> Vec<(Seq, Shown)> {
    let (mut items, mut amounts) = (VecDeque::from(items), VecDeque::from(amounts));
    let mut all = Vec::new();
    loop {
        let [item, amount] = [items.front(), amounts.front()].map(|it| it.map(|(seq, _)| *seq));
        let next = if item >= amount {
            items.pop_front()
        } else {
            amounts.pop_front()
        };
        match next {
            Some(next) => all.push(next),
            None => return all,
        }
    }
}
