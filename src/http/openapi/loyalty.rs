//! The operations under `/v1` that belong to one program.

use serde_json::json;

use super::operation::{Operation, like, tagged};
use crate::domain::{ExternalUserId, RedemptionOrder, Search, Status, Tier};
use crate::error::Code;
use crate::wire::schema;
use crate::wire::{
    AdvanceClockRequest, BalanceResponse, CancelRedemptionRequest, ClockResponse,
    ConfigurationRequest, ConfigurationResponse, CreateKeyRequest, CreateOfferRequest,
    CreateRedemptionRequest, CreatedKeyResponse, EligibilityResponse, ExchangeTokenRequest,
    KeyListResponse, MemberListResponse, MemberSummaryResponse, MovePointsRequest,
    OfferListResponse, OfferResponse, OffersAnalyticsResponse, PageQuery, PatchOfferRequest,
    PatchRedemptionRequest, RedemptionHistoryResponse, RedemptionListResponse, RedemptionResponse,
    RemoveMemberResponse, ResetRequest, ResetResponse, SetMemberRequest, SetMemberResponse,
    SummaryResponse, TierListResponse, TimeseriesResponse, TokenGrantResponse,
    TransactionListResponse, WalletResponse,
};

const UNKNOWN: &[Code] = &[Code::NotFound];

pub(super) fn operations() -> impl Iterator<Item = Operation> {
    tokens()
        .chain(members())
        .chain(wallets())
        .chain(offers())
        .chain(redemptions())
        .chain(configuration())
        .chain(analytics())
        .chain(keys())
        .chain(sandbox())
}

impl Operation {
    /// The member on whose behalf a key calls.
    fn on_behalf(self, about: &str) -> Self {
        self.query("externalUserID", schema::text(ExternalUserId::RULE), about)
    }

    /// The same, where a key has to name one.
    fn of_a_member(self) -> Self {
        self.on_behalf(
            "The member; required of an Org-API-Key. A token may name its own member only.",
        )
    }

    /// Whether a key may name a removed one.
    fn of_removed_ones(self) -> Self {
        self.query(
            "includeArchived",
            schema::boolean(),
            "`true` lets an Org-API-Key name a removed member.",
        )
    }
}

fn sandbox() -> impl Iterator<Item = Operation> {
    let reset = Operation::new("reset_sandbox", "Start a program afresh")
        .about(
            "The key's program is archived, and its keys open a new, empty one of the same name and \
             settings. Keys of the sandbox only.",
        )
        .optional_body::<ResetRequest>()
        .answers::<ResetResponse>(200, "The new program.")
        .fails(&[Code::NotFound, Code::LimitReached]);
    let clock = Operation::new("advance_clock", "Let time pass at once")
        .about("The key's program is ahead of the clock from then on. Keys of the sandbox only.")
        .body::<AdvanceClockRequest>()
        .answers::<ClockResponse>(200, "What time it is in the program.");
    let time = Operation::new("get_clock", "What time it is in the program")
        .about("Keys of the sandbox only.")
        .answers::<ClockResponse>(200, "What time it is in the program.");
    tagged("Sandbox", [reset, clock, time])
}

fn keys() -> impl Iterator<Item = Operation> {
    let list = Operation::new("list_keys", "The program's Org-API-Keys")
        .about("Those that are not revoked, however many.")
        .answers::<KeyListResponse>(200, "The keys, newest first.");
    let create = Operation::new("create_key", "Create an Org-API-Key")
        .about("It opens the program that the key of the request opens.")
        .body::<CreateKeyRequest>()
        .answers::<CreatedKeyResponse>(201, "The key, shown only now.")
        .fails(&[Code::LimitReached]);
    let revoke = Operation::new("revoke_key", "Revoke an Org-API-Key")
        .about(
            "Its streams end within a heartbeat. Member tokens that were minted with it live out \
             their time. A key cannot revoke itself.",
        )
        .ends(204, "The key is refused from the next request on.")
        .fails(&[Code::NotFound, Code::KeyInUse]);
    tagged("Keys", [list, create, revoke])
}

fn tokens() -> impl Iterator<Item = Operation> {
    let exchange = Operation::new("exchange_token", "Mint a member token")
        .about(
            "For a member's app, which sends it as `Authorization: Bearer`. An unknown member is \
             signed up by this; the profile fields are merged. A removed member is 404: only \
             `PUT /v1/members/{externalUserID}` brings someone back.",
        )
        .body::<ExchangeTokenRequest>()
        .answers::<TokenGrantResponse>(200, "The token and when it ends.")
        .fails(&[Code::NotFound, Code::LimitReached]);
    tagged("Tokens", [exchange])
}

fn members() -> impl Iterator<Item = Operation> {
    let archived = "Whether removed members are shown; `false` unless given.";
    let list = Operation::new("list_members", "A page of members")
        .page(PageQuery::LIMITS)
        .query(
            "tier",
            schema::text(Tier::RULE),
            "Only members of this tier.",
        )
        .query(
            "search",
            schema::text(Search::RULE),
            "Only members with these words, or beginnings of words, in `externalUserID` and \
             `displayName`, in any order; case and accents do not count. At most 16.",
        )
        .query("includeArchived", schema::boolean(), archived)
        .answers::<MemberListResponse>(200, "A page, newest first.");
    let get = Operation::new("get_member", "A member with wallet and redemption counts")
        .query("includeArchived", schema::boolean(), archived)
        .answers::<MemberSummaryResponse>(200, "The member.")
        .versioned()
        .fails(UNKNOWN);
    let set = Operation::new("set_member", "Create, change or restore a member")
        .about(
            "What is left out stays; null clears. A removed member is restored with the history it \
             had. With `If-None-Match: *` only a new member is created; a removed one exists, too.",
        )
        .body::<SetMemberRequest>()
        .answers::<SetMemberResponse>(200, "The member's profile.")
        .fails(&[Code::LimitReached])
        .versioned()
        .if_unchanged();
    let remove = Operation::new("remove_member", "Archive a member")
        .about("Ledger, redemptions and figures stay. The member's tokens end at once.")
        .query(
            "retainBalance",
            schema::boolean(),
            "`true` keeps the balance; otherwise it is forfeited.",
        )
        .query(
            "erase",
            schema::boolean(),
            "`true` clears name, email and attributes and replaces the id by a random one, for good.",
        )
        .answers::<RemoveMemberResponse>(200, "The member was archived.")
        .if_unchanged()
        .fails(UNKNOWN);
    let tiers = Operation::new("list_tiers", "The tiers in use")
        .about("Of members that are not removed, as the figures count them.")
        .answers::<TierListResponse>(200, "At most 100, those of the most members first.");
    tagged("Members", [list, get, set, remove, tiers])
}

fn wallets() -> impl Iterator<Item = Operation> {
    let eligibility = Operation::new("get_eligibility", "A member's tier and wallet")
        .of_a_member()
        .answers::<EligibilityResponse>(200, "Tier and wallet.")
        .fails(UNKNOWN);
    let wallet = Operation::new("get_wallet", "A member's wallet")
        .of_a_member()
        .answers::<WalletResponse>(200, "The wallet.")
        .fails(UNKNOWN);
    let transactions = Operation::new("list_transactions", "A page of a member's ledger")
        .page(PageQuery::LIMITS)
        .of_a_member()
        .of_removed_ones()
        .answers::<TransactionListResponse>(200, "A page, newest first.")
        .fails(UNKNOWN);
    let credit = Operation::new("credit_wallet", "Give points")
        .about("A total that would pass 9007199254740991 is refused, and nothing moves.")
        .body::<MovePointsRequest>()
        .answers::<BalanceResponse>(200, "The balance after it.")
        .fails(UNKNOWN);
    let debit = Operation::new("debit_wallet", "Take points, to correct a mistake")
        .body::<MovePointsRequest>()
        .answers::<BalanceResponse>(200, "The balance after it.")
        .fails(&[Code::NotFound, Code::InsufficientPoints]);
    tagged(
        "Wallets",
        [eligibility, wallet, transactions, credit, debit],
    )
}

fn offers() -> impl Iterator<Item = Operation> {
    let as_member = "A member: a key then sees what that member would.";
    let list = Operation::new("list_offers", "A page of offers")
        .about(
            "A member sees what is neither archived nor expired and open to the member's tier. A \
             key that names nobody sees all that is not archived.",
        )
        .page(PageQuery::LIMITS)
        .query(
            "available",
            schema::boolean(),
            "`true` for what can be redeemed now, `false` for what cannot.",
        )
        .query(
            "search",
            schema::text(Search::RULE),
            "Only offers with these words, or beginnings of words, in their title; case and accents \
             do not count.",
        )
        .on_behalf(as_member)
        .answers::<OfferListResponse>(200, "A page, newest first.")
        .fails(UNKNOWN);
    let create = Operation::new("create_offer", "Make an offer")
        .body::<CreateOfferRequest>()
        .answers::<OfferResponse>(201, "The offer.")
        .fails(&[Code::LimitReached]);
    let get = Operation::new("get_offer", "An offer")
        .on_behalf(as_member)
        .answers::<OfferResponse>(200, "The offer.")
        .versioned()
        .fails(UNKNOWN);
    let patch = Operation::new("patch_offer", "Change an offer")
        .about("What is left out stays; null clears.")
        .body::<PatchOfferRequest>()
        .answers::<OfferResponse>(200, "The offer after it.")
        .versioned()
        .if_unchanged()
        .fails(UNKNOWN);
    let archive = Operation::new("archive_offer", "Archive an offer")
        .about("Its redemptions and figures stay.")
        .answers::<OfferResponse>(200, "The offer that was archived.")
        .if_unchanged()
        .fails(UNKNOWN);
    tagged("Offers", [list, create, get, patch, archive])
}

fn list_of_redemptions() -> Operation {
    Operation::new("list_redemptions", "A page of redemptions")
        .about(
            "A token's own, or the whole program's for a key that names nobody. To a key each has \
             `offerTitle` and `displayName`, too.",
        )
        .page(PageQuery::LIMITS)
        .query(
            "status",
            schema::one_of(Status::ALL.map(Status::as_str)),
            "Only those that stand here.",
        )
        .query(
            "offer",
            like(
                schema::string(),
                json!("off_01a1fda8-194e-75c2-b11a-dd34b93c1d23"),
            ),
            "Only of this offer of the program, archived or not.",
        )
        .query(
            "from",
            like(schema::time(), "2026-06-01T00:00:00Z"),
            "Only those made then or later.",
        )
        .query(
            "to",
            like(schema::time(), "2026-06-23T00:00:00Z"),
            "Only those made earlier.",
        )
        .query(
            "search",
            schema::text(Search::RULE),
            "Only those with these words, or beginnings of words, in the member's `externalUserID` \
             and `displayName` and the offer's title, in any order; case and accents do not count. \
             At most 16.",
        )
        .query(
            "order",
            schema::one_of(RedemptionOrder::ALL.map(RedemptionOrder::as_str)),
            "Which come first; `newest` unless given.",
        )
        .on_behalf("Only this member's.")
        .of_removed_ones()
        .answers::<RedemptionListResponse>(200, "A page, in that order.")
        .fails(UNKNOWN)
}

fn redemptions() -> impl Iterator<Item = Operation> {
    let list = list_of_redemptions();
    let history = Operation::new("get_redemption_history", "What happened to a redemption")
        .about(
            "Its creation, its moves, changes of its dates, and the points it cost or returned, \
             with who caused each.",
        )
        .page(RedemptionHistoryResponse::LIMITS)
        .answers::<RedemptionHistoryResponse>(200, "A page, newest last.")
        .fails(UNKNOWN);
    let create = Operation::new("create_redemption", "Redeem an offer")
        .about(
            "Refused, in this order: an unknown or archived offer; one that has expired, is sold \
             out or closed to the tier; one of which the member holds a redemption that is not \
             canceled; one that costs more than the balance. Stock, points and the redemption \
             change together or not at all.",
        )
        .body::<CreateRedemptionRequest>()
        .answers::<RedemptionResponse>(201, "The redemption.")
        .fails(&[
            Code::NotFound,
            Code::OfferUnavailable,
            Code::RedemptionAlreadyExists,
            Code::InsufficientPoints,
        ]);
    let get = Operation::new("get_redemption", "A redemption")
        .on_behalf("Whose it has to be.")
        .answers::<RedemptionResponse>(200, "The redemption.")
        .fails(UNKNOWN);
    let patch = Operation::new("patch_redemption", "Move a redemption along")
        .about(
            "Forward along `SUBMITTED`, `OPEN`, `AWAITING_VENDOR`, `AWAITING_CUSTOMER`, \
             `PURCHASED`, `COMPLETED`, skipping allowed; from `AWAITING_CUSTOMER` back to \
             `AWAITING_VENDOR`; to `CANCELED` from any but `COMPLETED`, which returns the points. \
             The same status again changes nothing.",
        )
        .body::<PatchRedemptionRequest>()
        .answers::<RedemptionResponse>(200, "The redemption after it.")
        .fails(&[Code::NotFound, Code::RedemptionTransitionInvalid]);
    let cancel = Operation::new("cancel_redemption", "Cancel a redemption")
        .about("A member can while it is `SUBMITTED` or `OPEN`. What was charged is returned.")
        .optional_body::<CancelRedemptionRequest>()
        .answers::<RedemptionResponse>(200, "The redemption after it.")
        .fails(&[Code::NotFound, Code::RedemptionTransitionInvalid]);
    tagged("Redemptions", [list, create, get, history, patch, cancel])
}

fn configuration() -> impl Iterator<Item = Operation> {
    let get = Operation::new("get_configuration", "What the program is set to")
        .answers::<ConfigurationResponse>(200, "The configuration.")
        .versioned();
    let set = Operation::new("set_configuration", "Change what the program is set to")
        .about("What is left out stays.")
        .body::<ConfigurationRequest>()
        .answers::<ConfigurationResponse>(200, "The configuration after it.")
        .versioned()
        .if_unchanged();
    tagged("Configuration", [get, set])
}

fn analytics() -> impl Iterator<Item = Operation> {
    let summary = Operation::new("get_analytics_summary", "The program's figures")
        .answers::<SummaryResponse>(200, "The figures, every acknowledged write included.")
        .conditional();
    let offers = Operation::new("get_analytics_offers", "Figures of each offer")
        .answers::<OffersAnalyticsResponse>(200, "The figures.")
        .conditional();
    let timeseries = Operation::new(
        "get_analytics_timeseries",
        "Figures of a window, bucket by bucket",
    )
    .about(
        "Buckets are laid from `from`: bucket k begins k intervals after it, and the last one ends \
         at `to`, even if that makes it shorter. Each is half-open. At most 10000. A parameter that \
         is given twice is refused.",
    )
    .needs(
        "from",
        like(schema::time(), "2026-06-01T00:00:00Z"),
        "Where the window begins; a bare date is midnight in `tz`.",
    )
    .needs(
        "to",
        like(schema::time(), "2026-06-23T00:00:00Z"),
        "Where it ends; what happened then is outside.",
    )
    .needs(
        "interval",
        schema::one_of(["hour", "day", "week", "month"]),
        "The length of a bucket.",
    )
    .query(
        "tz",
        like(schema::string(), "Europe/Berlin"),
        "An IANA time zone whose calendar days, weeks and months follow; UTC unless given.",
    )
    .query(
        "offer",
        like(schema::string(), json!("off_01a1fda8-194e-75c2-b11a-dd34b93c1d23")),
        "An offer of the program, archived or not: that one alone.",
    )
    .answers::<TimeseriesResponse>(
        200,
        "The buckets. Their times are Unix milliseconds, or text for a client whose `User-Agent` \
         begins with `expys-sdk-`, unless the setting `analytics.bucket_time` fixes one of them.",
    )
    .conditional();
    tagged("Analytics", [summary, offers, timeseries])
}
