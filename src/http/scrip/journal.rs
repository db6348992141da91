//! `/v1/journal-entries`.

use actix_web::web::Data;
use uuid::Uuid;

use super::PAGE_LIMITS;
use super::accounts::CreatedQuery;
use crate::domain::{Bucket, ExternalUserId, Invalid, JournalAction, ProgramNumber};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::ok;
use crate::http::route::routes;
use crate::service::{JournalFilter, Services};
use crate::wire::{
    AMOUNT, ASSET_ID, AssetResponse, JournalEntryListResponse, JournalEntryResponse, ListKind,
    MEMBER_ID, Named, PROGRAM_ID, PageQuery, TEXT, UUID, group, optional, page, query_parameters,
    words,
};

routes! {
    tag "Journal entries";

    "/v1/journal-entries" {
        GET OrgKey list_journal_entries => Operation::new("List journal entries")
            .description(
                "Newest first. Every ledger entry of the key's program is a journal entry. A page \
                 reads at most 10,000 ledger entries of the participant, or without a participant \
                 as many rows of the log of all programs, so it may have fewer rows than `limit` \
                 although `has_more` is true.",
            )
            .returns::<JournalEntryListResponse>(200, "A page.")
            .errors(&[Code::Forbidden, Code::NotFound]);
    }
    "/v1/journal-entries/{id}" {
        GET OrgKey get_journal_entry => Operation::new("Get a journal entry")
            .returns::<JournalEntryResponse>(200, "The entry.")
            .errors(NOT_FOUND);
    }
}

query_parameters! {
    /// The query of `GET /v1/journal-entries`.
    struct ListJournalEntriesQuery of ProgramNumber, checked by is_of_one {
        page: PageQuery = page(ListKind::JournalEntries).limits(PAGE_LIMITS);
        /// The program: that of the key, also as `current`.
        program: Option<Named> = optional("program_id", PROGRAM_ID);
        /// Only entries that this event caused.
        event: Option<Uuid> = optional("event_id", UUID);
        /// Only entries that this rule caused.
        rule: Option<Uuid> = optional("rule_id", UUID);
        /// Only entries of this participant.
        participant: Option<Uuid> = optional("participant_id", UUID);
        /// Only entries of this group. There are no groups, so no entry has one.
        group: Option<Uuid> = optional("group_id", UUID);
        /// Only entries of the participant with this external id.
        external_id: Option<ExternalUserId> = optional("external_id", MEMBER_ID);
        /// The asset; `default`: the points of the program.
        asset: Option<Named> = optional("asset_id", ASSET_ID);
        /// Only entries that change this bucket of the participant.
        bucket: Option<Bucket> = optional("bucket", words!(Bucket));
        period: CreatedQuery = group::<CreatedQuery>();
        /// Only entries that add this many points to a bucket of the participant, or more.
        min: Option<i64> = optional("min_amount", AMOUNT).example("100");
        /// Only entries that add this many points to a bucket of the participant, or less.
        max: Option<i64> = optional("max_amount", AMOUNT).example("-5");
        /// Only entries of this kind.
        action: Option<JournalAction> = optional("action_type", words!(JournalAction));
        /// Only entries with this reference.
        reference: Option<String> = optional("reference_id", TEXT);
    }
}

/// Refuses a query for more than one account.
fn is_of_one(query: &ListJournalEntriesQuery) -> Result<(), Invalid> {
    let given = [
        ("participant_id", query.participant.is_some()),
        ("group_id", query.group.is_some()),
        ("external_id", query.external_id.is_some()),
    ];
    let mut given = given.iter().filter(|(_, is_given)| *is_given);
    match (given.next(), given.next()) {
        (Some((first, _)), Some((second, _))) => {
            let expected = format!("must be absent when {first} is given");
            Err(Invalid::new(*second, expected))
        }
        _ => Ok(()),
    }
}

async fn list_journal_entries(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText<ListJournalEntriesQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let filter = JournalFilter {
        program: query.program.map(|named| named.or(key.program_uuid)),
        asset: query
            .asset
            .map(|named| named.or(AssetResponse::id_of(key.program_uuid, None))),
        participant: query.participant,
        external_id: query.external_id,
        event: query.event,
        rule: query.rule,
        is_empty: query.group.is_some(),
        reference: query.reference,
        from: query.period.from,
        to: query.period.to,
        action: query.action,
        bucket: query.bucket,
        min: query.min,
        max: query.max,
    };
    let list = services.list_journal_entries(key, filter, query.page);
    Ok(ok(&list.await?))
}

async fn get_journal_entry(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    Ok(ok(&services.get_journal_entry(key, id).await?))
}
