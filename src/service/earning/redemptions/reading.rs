//! Reads of a participant's redemptions and reversals.

use std::cmp::Reverse;

use uuid::Uuid;

use super::rendering::{Rendering, Shown, status_of_amount, status_of_item};
use super::{Found, found, item};
use crate::books::Record;
use crate::domain::{Account, Invalid, OfferId, RedemptionNumber, ReversalStatus, Seq, Timestamp};
use crate::service::earning::scope::{Assets, asset_of_entry, check_program};
use crate::service::{KeyPrincipal, ServiceError, Services, page};
use crate::store::log::EntryRow;
use crate::store::log::journal::{self, Bounds};
use crate::store::log::spends::{self, Amount};
use crate::store::redemptions::RedemptionFilter;
use crate::store::{self, Connection};
use crate::wire::{
    Cursor, ListKind, PageQuery, ParticipantRedemptionListResponse, ParticipantRedemptionResponse,
    ReversalListResponse,
};

/// Redemptions of offers that are read at a time.
const STEP: usize = 200;
/// The most of them that are read for a page; then the next page continues.
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
    fn admits(&self, status: ReversalStatus) -> bool {
        self.status.is_none_or(|wanted| wanted == status)
    }

    fn admits_time(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at <= to)
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
            // Their newest entries are committed, so that the reads after this see them.
            let accounts = books.read().accounts_of(record.number).into_iter();
            let accounts: Vec<_> = accounts.map(|it| it.account).collect();
            let (start, until) = match page.cursor {
                None => (Seq(i64::MAX), None),
                Some(Cursor(seq)) => {
                    let at = store::log::time_of(connection, Seq(seq))?;
                    let expected = "must be the next_cursor of a page of this list";
                    let at = at.ok_or_else(|| Invalid::new("cursor", expected))?;
                    (Seq(seq), Some(at))
                }
            };
            let items = items(connection, &record, (start, until, page.limit), selection)?;
            let owner = (&record, &accounts[..]);
            let amounts = amounts(connection, owner, (start, page.limit), selection)?;
            let Page { rows, next } = merged(items, amounts, page.limit);
            let list = ListKind::ParticipantRedemptions;
            let next = next.map(|next| Cursor(next.0).encode(list, key.program.0));
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

/// Redemptions that were found, newest first, each with its row of the log.
type Page = journal::Found<(Seq, Shown)>;

/// Redemptions of amounts from a row of the log back.
fn amounts(
    connection: &Connection,
    (record, accounts): (&Record, &[Account]),
    (start, limit): (Seq, usize),
    selection: RedemptionSelection,
) -> Result<Page, store::Error> {
    if selection.reward.is_some() {
        return Ok(Page::default());
    }
    let owner = (record.program, record.number);
    let bounds = Bounds {
        start,
        from: selection.from,
        limit,
    };
    journal::kept_of_accounts(connection, owner, accounts, bounds, |row| {
        if !Amount::is_spend(&row) || !selection.admits_time(row.at) {
            return Ok(None);
        }
        let amount = Amount::of(connection, row)?;
        let is_wanted = selection.admits(status_of_amount(&amount));
        Ok(is_wanted.then_some((amount.spend.seq, Shown::Amount(amount))))
    })
}

/// Redemptions of offers from a row of the log back, the time of which is `until`.
fn items(
    connection: &Connection,
    record: &Record,
    (start, until, limit): (Seq, Option<Timestamp>, usize),
    selection: RedemptionSelection,
) -> Result<Page, store::Error> {
    let mut found = Page::default();
    let offer = match selection.reward {
        None => None,
        Some(uuid) => {
            let offer = store::offers::find(connection, record.program, OfferId::from_uuid(uuid))?;
            let Some(offer) = offer else {
                return Ok(found);
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
    let mut read = 0;
    loop {
        let step = store::redemptions::list(connection, record.program, &filter, STEP)?;
        let (count, last) = (step.rows.len(), step.rows.last());
        filter.after = last.map(|row| (row.redemption.created_at, row.redemption.number));
        for row in step.rows {
            let is_wanted = selection.admits(status_of_item(&row.redemption))
                && selection.admits_time(row.redemption.created_at);
            if !is_wanted && read < READ_MAX {
                read += 1;
                continue;
            }
            let seq = spends::created(connection, row.redemption.number)?;
            if seq > start {
                continue;
            }
            if found.rows.len() == limit || read == READ_MAX {
                found.next = Some(seq);
                return Ok(found);
            }
            read += 1;
            let shown = item(connection, row.redemption, &row.offer_title)?;
            found.rows.push((seq, shown));
        }
        if count < STEP {
            return Ok(found);
        }
    }
}

/// A page of both, newest first.
fn merged(items: Page, amounts: Page, limit: usize) -> Page {
    // Of what is older, one of them may have more.
    let mut next = items.next.max(amounts.next);
    let mut rows: Vec<_> = items.rows.into_iter().chain(amounts.rows).collect();
    rows.retain(|(seq, _)| Some(*seq) > next);
    rows.sort_by_key(|(seq, _)| Reverse(*seq));
    next = rows.get(limit).map(|(seq, _)| *seq).or(next);
    rows.truncate(limit);
    Page { rows, next }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{Bucket, ExternalUserId, Points, Precondition};
    use crate::service::Answer;
    use crate::service::earning::subject;
    use crate::service::loyalty::ledger::{post, tests::start};
    use crate::service::loyalty::members::current_account;
    use crate::wire::{RedeemAmountRequest, SetMemberRequest};

    /// Between two redemptions of amounts are more entries than a page reads.
    #[test]
    fn a_list_goes_on_where_a_page_stopped_reading() {
        let folder = tempfile::tempdir().unwrap();
        let (services, key) = start(&folder.path().join("test.db"));
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        let ada = ExternalUserId::parse("externalUserID", "ada").unwrap();
        let profile = SetMemberRequest::parse(&json!({}), b"{}").unwrap();
        let set = services.set_member(key, ada.clone(), Precondition::NONE, profile);
        runtime.block_on(set).unwrap();
        let number = services.books.read().find(key.program, &ada);
        let number = number.unwrap().number;
        let program = services.directory.uuid_of(key.program).unwrap();
        let id = subject::ids(program).id(number.0, 0).to_string();

        let credit = |count: i64| {
            let ada = ada.clone();
            let work = services.write(key, None, move |tx, key| {
                for _ in 0..count {
                    let record = current_account(tx, key.program, &ada)?;
                    let one = Points::new(1).unwrap();
                    let plan = record.plan_mint(one, Bucket::Available, None).unwrap();
                    post(tx, tx.now(key.program), &record, plan.into())?;
                }
                Ok(Answer::ok(&count))
            });
            runtime.block_on(work).unwrap();
        };
        let redeem = |amount: &str| {
            let request = json!({"program_id": "current", "asset_id": "default",
                "amount": amount, "description": "Two teas"});
            let request = RedeemAmountRequest::parse(&request).unwrap();
            let made = services.redeem_amount(key, None, id.clone(), request);
            runtime.block_on(made).unwrap();
        };
        credit(9);
        redeem("1");
        credit(journal::READ_MAX);
        redeem("2");

        let mut pages = Vec::new();
        let mut page = PageQuery {
            limit: 50,
            cursor: None,
        };
        loop {
            let any = RedemptionSelection::default();
            let list = services.list_participant_redemptions(key, id.clone(), any, page);
            let list = runtime.block_on(list).unwrap();
            let amounts = list.data.into_iter().map(|row| row.amount);
            pages.push(amounts.collect::<Vec<_>>());
            let Some(next) = list.pagination.next_cursor else {
                break;
            };
            let kind = ListKind::ParticipantRedemptions;
            page.cursor = Some(Cursor::decode(&next, kind, key.program.0).unwrap());
        }
        assert_eq!(pages, [["2"], ["1"]]);
        services.stop();
    }
}
