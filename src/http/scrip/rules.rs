//! `/v1/rules`.

use actix_web::web::Data;

use super::PAGE_LIMITS;
use super::programs::DIRECTION;
use crate::domain::{Invalid, ProgramNumber, RuleChange, RuleSort, RuleStatus, Search, Timestamp};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::precondition::Conditions;
use crate::http::response::{ok, ok_at, reply};
use crate::http::route::routes;
use crate::service::{Caller, Services};
use crate::store::rules::{RuleFilter, VersionFilter};
use crate::wire::{
    ASSET_ID, CreateRuleRequest, ListKind, Named, PageQuery, PatchRuleRequest, RuleBudgetResponse,
    RuleListResponse, RuleResponse, RuleVersionListResponse, SimulateRuleRequest,
    SimulationResponse, TEXT, TIME, ValidateRuleRequest, ValidatedRuleResponse, flag, optional,
    page, query_parameters, search, words,
};

/// The errors of a rule that is written.
const WRITTEN: &[Code] = &[
    Code::Forbidden,
    Code::NotFound,
    Code::OrderConflict,
    Code::RuleArchived,
    Code::InvalidScale,
];

routes! {
    tag "Rules";

    "/v1/rules" {
        GET OrgKey list_rules => Operation::new("List the earning rules of the key's program")
            .returns::<RuleListResponse>(200, "A page, by default in the order of evaluation.")
            .errors(&[Code::Forbidden]);
        POST OrgKey create_rule => Operation::new("Create an earning rule")
            .description(
                "A rule says in an expression when it acts on an event, and what it does then. A \
                 program has at most 200 rules that are not archived.",
            )
            .body::<CreateRuleRequest>()
            .returns::<RuleResponse>(201, "The rule.")
            .errors(&[
                Code::Forbidden,
                Code::OrderConflict,
                Code::InvalidScale,
                Code::LimitReached,
            ]);
    }
    "/v1/rules/validate" {
        POST OrgKey validate_rule => Operation::new("Check the condition of a rule")
            .description(
                "The response is 200 in both cases. That of an error has its line, its column and, \
                 if that can be said, what to write instead.",
            )
            .body::<ValidateRuleRequest>()
            .returns::<ValidatedRuleResponse>(200, "Whether it can be a condition.");
    }
    "/v1/rules/{id}" {
        GET OrgKey get_rule => Operation::new("Get a rule with the use of its budgets")
            .returns::<RuleResponse>(200, "The rule.")
            .versioned()
            .errors(NOT_FOUND);
        PATCH OrgKey patch_rule => Operation::new("Change, suspend, activate or archive a rule")
            .description(
                "Absent fields keep their value; actions and budgets are replaced. An archived rule \
                 never changes again.",
            )
            .body::<PatchRuleRequest>()
            .returns::<RuleResponse>(200, "The updated rule.")
            .versioned()
            .errors(WRITTEN);
    }
    "/v1/rules/{id}/reset-budget" {
        POST OrgKey reset_rule_budget => Operation::new("Set what a rule used of a budget to zero")
            .description("The next reset is then that of the budget's schedule after now.")
            .returns::<RuleBudgetResponse>(200, "The budget.")
            .errors(&[Code::NotFound, Code::RuleArchived]);
    }
    "/v1/rules/{id}/history" {
        GET OrgKey get_rule_history => Operation::new("List the versions of a rule")
            .returns::<RuleVersionListResponse>(200, "A page, the newest first.")
            .errors(NOT_FOUND);
    }
    "/v1/rules/{id}/simulate" {
        POST OrgKey simulate_rule => Operation::new("Show what a rule would make of an event")
            .description(
                "Nothing is stored. The event and the participant are those of the request: balances \
                 and what was used of budgets have no part in it. `VOID_HOLD` is not simulated.",
            )
            .body::<SimulateRuleRequest>()
            .returns::<SimulationResponse>(200, "What the rule would do.")
            .errors(NOT_FOUND);
    }
}

query_parameters! {
    /// The query of `GET /v1/rules`.
    struct ListRulesQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Rules).limits(PAGE_LIMITS);
        /// The program of the API key; another one is 403.
        program_id: Option<String> = optional("program_id", TEXT);
        /// Only rules with this status.
        status: Option<RuleStatus> = optional("status", words!(RuleStatus));
        /// Whether to include archived rules; `false` by default.
        include_archived: bool = flag("include_archived");
        /// Only rules with these words, or beginnings of words, in their name, regardless of case
        /// and accents.
        search: Option<Search> = search();
        /// The field by which rules are ordered; `order` by default.
        sort: RuleSort = optional("sort_by", words!(RuleSort)).or_default();
        /// Ascending or descending; by default `desc` for `created_at`, otherwise `asc`.
        is_descending: Option<bool> = optional("sort_dir", DIRECTION);
    }
}

query_parameters! {
    /// The query of `POST /v1/rules/{id}/reset-budget`.
    struct ResetBudgetQuery {
        /// The asset of the budget: its id, or `default`.
        asset_id: Named = optional("asset_id", ASSET_ID).required();
    }
}

query_parameters! {
    /// The query of `GET /v1/rules/{id}/history`.
    struct RuleHistoryQuery of ProgramNumber, checked by check_period {
        page: PageQuery = page(ListKind::RuleHistory);
        /// Only changes of this kind.
        change_type: Option<RuleChange> = optional("change_type", words!(RuleChange));
        /// Only changes at this time or later.
        from: Option<Timestamp> = optional("from", TIME);
        /// Only changes at this time or earlier.
        to: Option<Timestamp> = optional("to", TIME);
    }
}

fn check_period(query: &RuleHistoryQuery) -> Result<(), Invalid> {
    match (query.from, query.to) {
        (Some(from), Some(to)) if from > to => Err(Invalid::new("to", "must not be before from")),
        _ => Ok(()),
    }
}

async fn list_rules(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText<ListRulesQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let filter = RuleFilter {
        after: None,
        status: query.status,
        search: query.search,
        include_archived: query.include_archived,
        sort: query.sort,
        is_descending: query.is_descending.unwrap_or(query.sort.is_descending()),
    };
    let rules = services.list_rules(key, query.program_id, filter, query.page);
    Ok(ok(&rules.await?))
}

async fn create_rule(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateRuleRequest::parse(&body.value, &body.bytes)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.create_rule(key, idempotency, request).await?,
    ))
}

async fn validate_rule(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = ValidateRuleRequest::parse(&body.value)?;
    // Nothing is stored, but the header is one of every POST.
    idempotency.key(Caller::Key(key), &body.value)?;
    Ok(ok(&services.validate_rule(&request)))
}

async fn get_rule(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    let rule = services.get_rule(key, id).await?;
    Ok(ok_at(rule.version, &rule))
}

async fn patch_rule(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = PatchRuleRequest::parse(&body.value, &body.bytes)?;
    Ok(reply(
        services.patch_rule(key, id, precondition, request).await?,
    ))
}

async fn reset_rule_budget(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
    query: QueryText<ResetBudgetQuery>,
) -> HttpResult {
    let asset = query.parse()?.asset_id;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services
            .reset_rule_budget(key, idempotency, id, asset)
            .await?,
    ))
}

async fn get_rule_history(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<RuleHistoryQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let filter = VersionFilter {
        before: None,
        change: query.change_type,
        from: query.from,
        to: query.to,
    };
    let history = services.get_rule_history(key, id, filter, query.page);
    Ok(ok(&history.await?))
}

async fn simulate_rule(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = SimulateRuleRequest::parse(&body.value, &body.bytes)?;
    idempotency.key(Caller::Key(key), &body.value)?;
    Ok(ok(&services.simulate_rule(key, id, request).await?))
}
