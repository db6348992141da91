//! JSON Schema of requests and responses. The schema of a request is built from its table; the
//! schema of a response is derived from its type.

use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayBuilder, KnownFormat, Object, ObjectBuilder, Schema,
    SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::text_pattern;
use crate::domain::{
    AssetStatus, Bucket, BurnOrder, CancelReason, ContactMethod, ContactWindow, EventName,
    EventSource, EventStatus, FileType, InterestStatus, InventoryMode, IssuancePolicy,
    JournalAction, LedgerEntity, LimitPer, LotStatus, Occasion, OrganizationStatus,
    OrganizationTier, ParticipantStatus, Points, ProgramStatus, Rate, RedemptionTarget,
    ReversalStatus, RuleChange, RuleStatus, SettlementMode, StateKind, StateOperation, Status,
    TermsType, TextRule, UnknownParticipants,
};

/// A text with a rule.
pub fn text(rule: TextRule) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length((rule.least > 0).then_some(rule.least))
        .max_length(Some(rule.most))
        .pattern(Some(text_pattern::pattern(rule)))
        .build()
}

/// A text with a rule and a pattern of its own.
pub(super) fn formed(rule: TextRule, pattern: &str) -> Object {
    let mut object = text(rule);
    object.pattern = Some(pattern.to_owned());
    object
}

/// A string with a length in characters.
pub fn length(least: usize, most: usize) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(least))
        .max_length(Some(most))
        .build()
}

/// Any string.
pub fn string() -> Object {
    Object::with_type(Type::String)
}

/// Any value.
pub fn anything() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .build()
}

/// A string with a length.
pub fn string_of(least: usize, most: usize) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(least))
        .max_length(Some(most))
        .build()
}

/// A UUID.
pub fn uuid() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .build()
}

/// Entity tags, or `*`.
pub fn entity_tags() -> Object {
    let tag = r#"(W/)?"[!#-~]*""#;
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!(r"^(\*|{tag}(, {tag})*)$")))
        .build()
}

/// `true` or `false`.
pub fn boolean() -> Object {
    Object::with_type(Type::Boolean)
}

/// A whole number.
pub fn whole(least: i64, most: i64) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(least))
        .maximum(Some(most))
        .build()
}

/// A decimal number with at most six digits after the point.
pub fn rate(least: Rate, most: Rate) -> Object {
    let [least, most] = [least, most].map(Rate::to_f64);
    ObjectBuilder::new()
        .schema_type(Type::Number)
        .description(Some("With at most 6 digits after the point."))
        .minimum(Some(least))
        .maximum(Some(most))
        .build()
}

/// Points, from `least`.
pub fn points(least: i64) -> Object {
    whole(least, Points::MAX.get())
}

/// A number with a fraction.
pub fn number(least: i64, most: i64) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(least))
        .maximum(Some(most))
        .build()
}

/// An RFC 3339 time.
pub fn time() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .build()
}

/// Points as a decimal string.
pub fn decimal() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(r"^[0-9]+(\.[0-9]+)?$"))
        .build()
}

/// An object whose values are texts.
pub fn texts() -> Object {
    let text = AdditionalProperties::RefOr(RefOr::T(string().into()));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(text))
        .build()
}

/// A day, `YYYY-MM-DD`.
pub fn day() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
        .build()
}

/// Capital letters of the Latin alphabet.
pub fn capitals(count: usize) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!("^[A-Z]{{{count}}}$")))
        .build()
}

/// One of a list of words.
pub fn one_of(words: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words))
        .build()
}

/// A list of at most `most` items.
pub(super) fn list(items: impl Into<Schema>, most: usize) -> Array {
    ArrayBuilder::new()
        .items(RefOr::T(items.into()))
        .max_items(Some(most))
        .build()
}

/// Events of the catalogue, at least one, without repetition.
pub(super) fn events() -> Array {
    ArrayBuilder::new()
        .items(RefOr::T(Schema::Object(one_of(
            EventName::ALL.map(EventName::as_str),
        ))))
        .min_items(Some(1))
        .max_items(Some(EventName::ALL.len()))
        .unique_items(true)
        .build()
}

/// An object with any fields.
pub fn any_object() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .build()
}

/// The type of a transaction that added points.
pub(super) const CREDIT: &str = "CREDIT";
/// The type of a transaction that took points.
pub(super) const DEBIT: &str = "DEBIT";

/// Lists of words that several responses use, each a named schema.
macro_rules! words {
    ($($(#[$doc:meta])+ $name:ident = $words:expr;)+) => {$(
        $(#[$doc])+
        #[derive(Debug)]
        pub struct $name;

        impl ToSchema for $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::Object(one_of($words)))
            }
        }
    )+};
}

words! {
    /// The status of a redemption.
    RedemptionStatus = Status::ALL.map(Status::as_str);
    /// The reason why a redemption was canceled.
    CanceledReason = CancelReason::ALL.map(CancelReason::as_str);
    /// The redemptions that count towards the limit of an offer.
    LimitedRedemptions = LimitPer::ALL.map(LimitPer::as_str);
    /// The kind of actor that caused an event.
    ActorKind = ["key", "member", "partner", "rule", "scheduler", "server"];
    /// What a ledger entry did to a lot: it made it, took points from it, returned points to it, or
    /// moved its points to another bucket.
    LotChange = ["made", "taken", "restored", "moved"];
    /// Whether points were added to the wallet or taken from it.
    TransactionType = [CREDIT, DEBIT];
    /// What redemptions are paid from: the member's wallet, or the organization's pool.
    SettlementKind = SettlementMode::ALL.map(SettlementMode::as_str);
    /// Whether a display price was set, or follows from the price in points.
    DisplaySource = [AUTHORED, DERIVED];
    /// The media type of a file.
    AttachmentType = FileType::ALL.map(FileType::as_str);
    /// A legal document.
    TermsDocumentType = TermsType::ALL.map(TermsType::as_str);
    /// The status of an interest.
    InterestState = InterestStatus::ALL.map(InterestStatus::as_str);
    /// The occasion of a plan.
    InterestOccasion = Occasion::ALL.map(Occasion::as_str);
    /// How a member wants to be contacted.
    InterestContactMethod = ContactMethod::ALL.map(ContactMethod::as_str);
    /// When a member wants to be contacted.
    InterestContactWindow = ContactWindow::ALL.map(ContactWindow::as_str);
    /// Whether a program is active.
    ProgramState = ProgramStatus::ALL.map(ProgramStatus::as_str);
    /// Whether an asset is in use.
    AssetState = AssetStatus::ALL.map(AssetStatus::as_str);
    /// Whether an earning rule is evaluated.
    RuleState = RuleStatus::ALL.map(RuleStatus::as_str);
    /// A change of an earning rule.
    RuleChangeType = RuleChange::ALL.map(RuleChange::as_str);
    /// What an event of an unknown participant does.
    OnUnknownParticipant = UnknownParticipants::ALL.map(UnknownParticipants::as_str);
    /// The status of a stored event.
    StoredEventStatus = EventStatus::ALL.map(EventStatus::as_str);
    /// Where a stored event comes from.
    StoredEventSource = EventSource::ALL.map(EventSource::as_str);
    /// What a rule made of an event.
    EvaluationStatus = ["SUCCESS", "FAILED", "SKIPPED", "SKIPPED_ERROR", "SKIPPED_TIMEOUT"];
    /// Whether an event of a batch was accepted.
    WrittenBatchStatus = ["accepted", "error"];
    /// The account that redemptions go to.
    RedemptionAccount = RedemptionTarget::ALL.map(RedemptionTarget::as_str);
    /// How the points of an asset are kept.
    AssetInventoryMode = InventoryMode::ALL.map(InventoryMode::as_str);
    /// How an asset is issued.
    AssetIssuancePolicy = IssuancePolicy::ALL.map(IssuancePolicy::as_str);
    /// Whether a participant can earn and spend points.
    ParticipantState = ParticipantStatus::ALL.map(ParticipantStatus::as_str);
    /// What changed of a participant's state.
    ParticipantStateKind = StateKind::ALL.map(StateKind::as_str);
    /// How a participant's state changed.
    ParticipantStateOperation = StateOperation::ALL.map(StateOperation::as_str);
    /// The order in which lots are used.
    AssetBurnOrder = BurnOrder::ALL.map(BurnOrder::as_str);
    /// The bucket of an account.
    LedgerBucket = Bucket::ALL.map(Bucket::as_str);
    /// The kind of a journal entry.
    LedgerAction = JournalAction::ALL.map(JournalAction::as_str);
    /// The owner of an account.
    LedgerEntityType = LedgerEntity::ALL.map(LedgerEntity::as_str);
    /// How much of a redemption was reversed.
    RewardRedemptionStatus = ReversalStatus::ALL.map(ReversalStatus::as_str);
    /// The status of a lot.
    LotState = LotStatus::ALL.map(LotStatus::as_str);
    /// Whether an organization's credentials are accepted.
    OrganizationState = OrganizationStatus::ALL.map(OrganizationStatus::as_str);
    /// The plan of an organization.
    OrganizationPlan = OrganizationTier::ALL.map(OrganizationTier::as_str);
}

/// The source of a display price that was set.
pub const AUTHORED: &str = "AUTHORED";
/// The source of a display price that follows from the price in points.
pub const DERIVED: &str = "DERIVED";

/// Fields that are missing from responses that an earlier version saved in an idempotency record.
const ADDED_LATER: [&str; 3] = ["version", "unitsPerUSD", "feedback"];

/// Settings of a program that version 0.1.0 did not have.
const PROGRAM_SETTINGS: &[&str] = &[
    "on_unknown_participant",
    "description",
    "redemption_target_type",
    "redemption_target_entity_id",
    "expiry",
    "refund_grace",
    "time_zone",
    "expiry_notice",
];

/// Fields that only an Org-API-Key receives, that only one response shows, that were added later
/// and have a name that others have too, or of which only some are there, by schema.
const NOT_ALWAYS: [(&str, &[&str]); 16] = [
    ("CreatedProgramResponse", PROGRAM_SETTINGS),
    ("EventResponse", &["rule_evaluations"]),
    ("ExpiryResponse", &["after", "at", "extra"]),
    ("GatewayResponse", &["secret"]),
    (
        "InterestResponse",
        &["externalUserID", "displayName", "offerTitle"],
    ),
    (
        "ConversationResponse",
        &["displayName", "lastMessage", "waitingSince"],
    ),
    ("ConversationListResponse", &["waitingCount"]),
    ("LedgerEntryResponse", &["details"]),
    (
        "MeasuredBucketResponse",
        &[
            "signups",
            "pointsMinted",
            "pointsSpent",
            "pointsRefunded",
            "pointsForfeited",
            "pointsDebited",
            "pointsExpired",
            "pointsVoided",
            "outstanding",
            "events",
            "activeMembers",
            "earningMembers",
            "redeemingMembers",
        ],
    ),
    ("ProgramResponse", PROGRAM_SETTINGS),
    ("MembersResponse", &["buckets"]),
    (
        "RedemptionResponse",
        &["code", "quantity", "offerTitle", "displayName"],
    ),
    (
        "SimulatedEvaluationResponse",
        &["reason", "error_message", "results"],
    ),
    (
        "SimulatedResultResponse",
        &[
            "amount",
            "asset_symbol",
            "current_value",
            "projected_value",
            "value",
            "current_tags",
            "would_add",
            "would_remove",
            "would_change",
        ],
    ),
    ("StatementRowResponse", &["details"]),
    ("ValidatedRuleResponse", &["note", "line", "column", "hint"]),
];

/// Marks the fields of a response as required, except those that may be missing: a field without a
/// value is null.
pub fn require_all(name: &str, schema: &mut RefOr<Schema>) {
    let optional = NOT_ALWAYS.iter().find(|(of, _)| *of == name);
    let optional = optional.map_or(&[][..], |(_, fields)| fields);
    match schema {
        RefOr::T(Schema::Object(object)) => {
            let names = object.properties.keys();
            let is_required = |field: &&String| {
                !ADDED_LATER
                    .iter()
                    .chain(optional)
                    .any(|one| *one == field.as_str())
            };
            object.required = names.filter(is_required).cloned().collect();
        }
        RefOr::T(Schema::AllOf(all)) => {
            all.items
                .iter_mut()
                .for_each(|item| require_all(name, item));
        }
        _ => {}
    }
}

/// A reference to a named schema.
pub fn reference<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}
