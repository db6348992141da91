//! `/v1/wallet` and `/v1/eligibility`.

use actix_web::web::Data;

use super::member_query::{ListedMemberQuery, MemberQuery};
use crate::domain::{ProgramNumber, Timestamp};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::{KeyOrMember, OrgKey};
use crate::http::extract::{Idempotency, JsonBody, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::{Caller, Services, TransactionSelection};
use crate::wire::{
    BalanceResponse, CreditRequest, DebitRequest, EligibilityResponse, ListKind, PageQuery, TIME,
    TransactionListResponse, WalletResponse, flag, group, optional, page, query_parameters,
};

/// A note on routes that return the data of one member.
const WHOSE: &str = "An Org-API-Key must name the member.";

routes! {
    tag "Wallets";

    "/v1/eligibility" {
        GET KeyOrMember get_eligibility => Operation::new("Get a member's tier and wallet")
            .description(WHOSE)
            .returns::<EligibilityResponse>(200, "Tier and wallet.")
            .errors(NOT_FOUND);
    }
    "/v1/wallet" {
        GET KeyOrMember get_wallet => Operation::new("Get a member's wallet")
            .description(
                "An Org-API-Key must name the member. With `at`, the wallet is that of a past time.",
            )
            .returns::<WalletResponse>(200, "The wallet.")
            .errors(NOT_FOUND);
    }
    "/v1/wallet/transactions" {
        GET KeyOrMember list_transactions => Operation::new("List a member's ledger")
            .description(WHOSE)
            .returns::<TransactionListResponse>(200, "A page, newest first.")
            .errors(NOT_FOUND);
    }
    "/v1/wallet/credit" {
        POST OrgKey credit_wallet => Operation::new("Credit points")
            .description(
                "A balance or total above 9007199254740991 is refused, and nothing changes. A live \
                 credit draws from the organization's pool, if it has one.",
            )
            .body::<CreditRequest>()
            .returns::<BalanceResponse>(200, "The new balance.")
            .errors(&[
                Code::NotFound,
                Code::InsufficientOrgPoints,
                Code::OrgPool,
                Code::WalletEmpty,
            ]);
    }
    "/v1/wallet/debit" {
        POST OrgKey debit_wallet => Operation::new("Debit points to correct a mistake")
            .body::<DebitRequest>()
            .returns::<BalanceResponse>(200, "The new balance.")
            .errors(&[Code::NotFound, Code::InsufficientPoints]);
    }
}

query_parameters! {
    /// The query of `GET /v1/wallet`.
    struct WalletQuery {
        member: MemberQuery = group::<MemberQuery>();
        /// A past time: the wallet as it was then, after all ledger entries of that very
        /// millisecond. By default, the wallet as it is.
        at: Option<Timestamp> = optional("at", TIME).example("2026-06-01T00:00:00Z");
    }
}

query_parameters! {
    /// The query of `GET /v1/wallet/transactions`.
    struct ListTransactionsQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Transactions);
        member: ListedMemberQuery = group::<ListedMemberQuery>();
        /// `true` adds the cause of each entry, and the lots that it moved. Only with an
        /// Org-API-Key.
        has_details: bool = flag("details");
    }
}

async fn get_wallet(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText<WalletQuery>,
) -> HttpResult {
    let WalletQuery { member, at } = query.parse()?;
    let on_behalf = member.external_user_id;
    let wallet = match at {
        None => services.get_wallet(caller, on_behalf.as_ref())?,
        Some(at) => services.get_past_wallet(caller, on_behalf, at).await?,
    };
    Ok(ok(&wallet))
}

async fn get_eligibility(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText<MemberQuery>,
) -> HttpResult {
    let on_behalf = query.parse()?.external_user_id;
    Ok(ok(&services.get_eligibility(caller, on_behalf.as_ref())?))
}

async fn list_transactions(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText<ListTransactionsQuery>,
) -> HttpResult {
    let query = query.parse_for(caller.program())?;
    let selection = TransactionSelection {
        has_details: query.has_details,
        page: query.page,
    };
    let (on_behalf, include_archived) = query.member.subject();
    Ok(ok(&services
        .list_transactions(caller, on_behalf, include_archived, selection)
        .await?))
}

async fn credit_wallet(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreditRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.credit_wallet(key, idempotency, request).await?,
    ))
}

async fn debit_wallet(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = DebitRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.debit_wallet(key, idempotency, request).await?,
    ))
}
