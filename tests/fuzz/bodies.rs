//! JSON bodies, parsed as each kind of request.

use proptest::prelude::*;
use serde_json::{Map, Value};
use stampcard::domain::Refusal;
use stampcard::wire::{
    AcceptTermsRequest, AdjustBalanceRequest, AdvanceClockRequest, AllocateCreditsRequest,
    BalanceOperationRequest, CancelRedemptionRequest, ConfigurationRequest, ConfirmPhoneRequest,
    ConvertAssetRequest, CreateApiKeyRequest, CreateAssetRequest, CreateInterestRequest,
    CreateOfferRequest, CreateOrganizationRequest, CreateParticipantRequest, CreateProgramRequest,
    CreateRedemptionRequest, CreateRuleRequest, CreateWebhookRequest, CreditRequest, DebitRequest,
    ExchangeTokenRequest, FundPoolRequest, LinkAssetRequest, PatchAssetRequest,
    PatchAttributesRequest, PatchInterestRequest, PatchOfferRequest, PatchOrganizationRequest,
    PatchParticipantRequest, PatchProgramRequest, PatchRedemptionRequest, PatchRuleRequest,
    PublishTermsRequest, RedeemAmountRequest, RedeemItemsRequest, ReplaceTagsRequest, ResetRequest,
    ReverseRedemptionRequest, SendMessageRequest, SetAttributeRequest, SetCounterRequest,
    SetIntakeRequest, SetMemberRequest, SetParticipantStatusRequest, SetPoolRequest,
    SetRedemptionFeedbackRequest, SetStatusRequest, SetTierRequest, SimulateRuleRequest,
    ValidateRuleRequest,
};

use crate::cases;
use crate::damage::{apply, damages};

const GOOD: [&str; 51] = [
    r#"{"externalUserID":"user_42","displayName":"Ada","email":"ada@example.com","tier":"gold"}"#,
    r#"{"displayName":"Ada","email":null,"phone":"+44 (0)7700-900042","tier":"gold"}"#,
    r#"{"displayName":null,"tier":"gold","attributes":{"b":[1,{"c":"\ud83e\udd8a"}],"a":-0.0}}"#,
    r#"{"externalUserID":"user_42","amount":9007199254740991,"reason":"welcome"}"#,
    r#"{"title":"Tea","pointsPrice":40,"images":["https://x/y.png"],"tiers":["gold","silver"]}"#,
    r#"{"availability":{"quantityRemaining":7},"expiresAt":"2026-06-01T00:00:00Z","kind":"k"}"#,
    r#"{"disclaimer":"d","inclusions":[{"group":"g","name":"n"}],"valueUSD":1.25,"maxGuests":2}"#,
    r#"{"title":"T","location":{"display":"d","countryCode":"GR"},"redemptionLimit":{"per":"open"}}"#,
    r#"{"availableFrom":"2026-06-01T00:00:00Z","paused":true,"redemptionLimit":{"perMember":3}}"#,
    r#"{"offer":"off_01890a5d-ac96-774b-bcce-b302099a8057","externalUserID":"user_42"}"#,
    r#"{"status":"CANCELED","canceledReason":"CUSTOMER_REQUEST","canceledNote":"sorry"}"#,
    r#"{"startAt":"2026-06-01T00:00:00.5Z","endAt":null}"#,
    r#"{"rating":10,"comment":"Hello\nthere"}"#,
    r#"{"message":"Hello\nthere","as":"agent"}"#,
    r#"{"url":"https://example.com/hook","events":["member.created","wallet.credited"]}"#,
    r#"{"currencyName":"Miles","currencySymbol":"mi","defaultTier":"bronze","ratePerPoint":0.01}"#,
    r#"{"creditLimit":1000,"settlementMode":"ORG_POOL","lowThreshold":50}"#,
    r#"{"amount":2147483647,"note":"invoice 17"}"#,
    r#"{"offer":"off_01890a5d-ac96-774b-bcce-b302099a8057","adults":2,"preferredDates":["2026-11-06"]}"#,
    r#"{"occasion":"OTHER","contactMethod":"SMS","contactWindow":"ANYTIME","phone":"+30 12345"}"#,
    r#"{"dietary":"a","allergies":"b\nc","accessibility":null,"blackoutDates":[],"children":0}"#,
    r#"{"code":"000000","status":"closed","phoneWebhook":{"url":"https://x/"}}"#,
    r#"{"contentHTML":"<p>Be kind.</p>"}"#,
    r#"{"versions":["ldv_01890a5d-ac96-774b-bcce-b302099a8057"],"externalUserID":"user_42"}"#,
    r#"{"advanceSeconds":3600}"#,
    r#"{"name":"Corner Coffee","status":"ARCHIVED","description":"All day"}"#,
    r#"{"redemption_target_type":"SYSTEM_BREAKAGE","refund_grace":"72h","time_zone":"UTC"}"#,
    r#"{"name":"C","externalId":"a","metadata":{"r":"n"},"tier":"trial","initialCredits":500}"#,
    r#"{"status":"suspended"}"#,
    r#"{"tier":"paid"}"#,
    r#"{"credits":600,"notes":"more"}"#,
    r#"{"name":"back end","programId":"0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4"}"#,
    r#"{"external_id":"user_42","email":"","attributes":{"city":"Bath"},"status":"ACTIVE"}"#,
    r#"{"type":"CREDIT","amount":"10","asset_id":"default","program_id":"p","description":"d"}"#,
    r#"{"reference_id":"order_7","expires_at":"2026-06-01T00:00:00Z","bucket":"HELD"}"#,
    r#"{"lot_ids":["0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4"],"hold_until":null,"amount":"1.5"}"#,
    r#"{"program_id":"0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4","asset_id":"0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4","amount":"40","description":"tea"}"#,
    r#"{"program_id":"0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4","reward_id":"01a1fda8-194e-75c2-b11a-dd34b93c1d23","quantity":1}"#,
    r#"{"reason":"cold","amount":"10","quantity":1,"idempotency_key":"one"}"#,
    r#"{"program_id":"current","name":"A","condition":"event.type == 'x'","order":10,"status":"ACTIVE",
        "actions":[{"type":"CREDIT","asset_id":"default","amount":"event.amount * 10","bucket":"HELD"},
            {"type":"COUNTER","key":"k","value":"1","reset_after":"24h","payload":{"a":[1.50,{}]},
            "target":{"type":"PARTICIPANT","external_id":"event.friend"}}]}"#,
    r#"{"budgets":[{"asset_id":"default","limit":"5","schedule_type":"CRON","cron_expression":"0 0 1 * *"},
        {"asset_id":"a","limit":"5","schedule_type":"INTERVAL","interval":"720h"}],"condition":"true",
        "active_from":"2026-06-01T00:00:00Z","active_to":null,"stop_after_match":true}"#,
    r#"{"event":{"type":"purchase","amount":7.59},"participant_state":{"tags":["vip"],
        "counters":{"a":"4.5","b":2},"attributes":{"city":"Bath"}}}"#,
    "{}",
    "[]",
    "null",
    "7",
    r#"{"program_id":"current","name":"Miles","symbol":"MI","inventory_mode":"LOT","scale":2,
        "issuance_policy":"UNLIMITED","max_transaction_amount":"5.25","burn_order":"fifo"}"#,
    r#"{"asset_id":"0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4"}"#,
    r#"{"issuance_policy":"PREFUNDED","amount":"10000","description":"The budget of July"}"#,
    r#"{"tags":["vip","New"],"attributes":{"city":"Bath"}}"#,
    r#"{"value":"12.50","reset_after":"720h"}"#,
];

/// Every name that some request knows.
const NAMES: [&str; 115] = [
    "externalUserID",
    "displayName",
    "email",
    "phone",
    "tier",
    "attributes",
    "amount",
    "reason",
    "title",
    "description",
    "shortDescription",
    "kind",
    "type",
    "pointsPrice",
    "expiresAt",
    "availableFrom",
    "availableUntil",
    "paused",
    "redemptionLimit",
    "perMember",
    "per",
    "disclaimer",
    "valueUSD",
    "maxGuests",
    "inclusions",
    "group",
    "location",
    "display",
    "countryCode",
    "images",
    "tiers",
    "availability",
    "quantityRemaining",
    "startAt",
    "endAt",
    "offer",
    "status",
    "canceledReason",
    "canceledNote",
    "rating",
    "comment",
    "message",
    "as",
    "url",
    "events",
    "currencyName",
    "currencyUnitsPerUSD",
    "ratePerPoint",
    "creditLimit",
    "settlementMode",
    "lowThreshold",
    "note",
    "contentHTML",
    "versions",
    "adults",
    "children",
    "preferredDates",
    "blackoutDates",
    "occasion",
    "contactMethod",
    "contactWindow",
    "dietary",
    "allergies",
    "accessibility",
    "code",
    "interest",
    "phoneWebhook",
    "conciergeWebhook",
    "advanceSeconds",
    "name",
    "metadata",
    "initialCredits",
    "credits",
    "program_id",
    "asset_id",
    "reward_id",
    "quantity",
    "idempotency_key",
    "expiry_notice",
    "external_id",
    "display_name",
    "first_name",
    "last_name",
    "tags",
    "bucket",
    "allow_negative",
    "reference_id",
    "expires_at",
    "matures_at",
    "lot_ids",
    "earned_from",
    "earned_to",
    "hold_until",
    "condition",
    "actions",
    "order",
    "stop_after_match",
    "active_from",
    "active_to",
    "budgets",
    "limit",
    "schedule_type",
    "cron_expression",
    "interval",
    "target",
    "key",
    "value",
    "payload",
    "event",
    "participant_state",
    "redemption_target_type",
    "redemption_target_entity_id",
    "refund_grace",
    "value",
    "reset_after",
];

fn json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-3..1000_i64).prop_map(Value::from),
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => number,
        3 => any::<String>().prop_map(Value::from),
        1 => prop::sample::select(NAMES.to_vec()).prop_map(Value::from),
        // One more than the limit of a field.
        1 => prop::sample::select(vec![65, 256, 4001, 10_001])
            .prop_map(|length| Value::from("é".repeat(length))),
    ];
    let name = prop_oneof![
        9 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    leaf.prop_recursive(4, 60, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..12)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Parses a body as every kind of request; an error must name the field and describe it.
fn read(body: &Value, bytes: &[u8]) -> Result<(), TestCaseError> {
    let refused = [
        ExchangeTokenRequest::parse(body).err(),
        SetMemberRequest::parse(body, bytes).err(),
        CreditRequest::parse(body).err(),
        DebitRequest::parse(body).err(),
        CreateAssetRequest::parse(body).err(),
        LinkAssetRequest::parse(body).err(),
        PatchAssetRequest::parse(body).err(),
        ConvertAssetRequest::parse(body).err(),
        CreateRuleRequest::parse(body, bytes).err(),
        PatchRuleRequest::parse(body, bytes).err(),
        SimulateRuleRequest::parse(body, bytes).err(),
        ValidateRuleRequest::parse(body).err(),
        RedeemAmountRequest::parse(body).err(),
        RedeemItemsRequest::parse(body).err(),
        ReverseRedemptionRequest::parse(body).err(),
        CreateOfferRequest::parse(body, bytes).err(),
        PatchOfferRequest::parse(body, bytes).err(),
        CreateRedemptionRequest::parse(body).err(),
        PatchRedemptionRequest::parse(body).err(),
        CancelRedemptionRequest::parse(body).err(),
        SetRedemptionFeedbackRequest::parse(body).err(),
        SendMessageRequest::parse(body).err(),
        ConfigurationRequest::parse(body).err(),
        ResetRequest::parse(body).err(),
        AdvanceClockRequest::parse(body).err(),
        CreateProgramRequest::parse(body).err(),
        PatchProgramRequest::parse(body).err(),
        CreateOrganizationRequest::parse(body, bytes).err(),
        PatchOrganizationRequest::parse(body, bytes).err(),
        SetStatusRequest::parse(body).err(),
        SetTierRequest::parse(body).err(),
        AllocateCreditsRequest::parse(body).err(),
        CreateApiKeyRequest::parse(body).err(),
        SetPoolRequest::parse(body).err(),
        FundPoolRequest::parse(body).err(),
        PublishTermsRequest::parse(body).err(),
        AcceptTermsRequest::parse(body).err(),
        CreateInterestRequest::parse(body).err(),
        SetIntakeRequest::parse(body).err(),
        PatchInterestRequest::parse(body).err(),
        ConfirmPhoneRequest::parse(body).err(),
        CreateParticipantRequest::parse(body).err(),
        PatchParticipantRequest::parse(body).err(),
        SetParticipantStatusRequest::parse(body).err(),
        AdjustBalanceRequest::parse(body).err(),
        BalanceOperationRequest::parse(body).err(),
        ReplaceTagsRequest::parse(body).err(),
        SetCounterRequest::parse(body).err(),
        PatchAttributesRequest::parse(body).err(),
        SetAttributeRequest::parse(body).err(),
    ];
    for invalid in refused.into_iter().flatten() {
        prop_assert!(!invalid.field.is_empty(), "{}", body);
        prop_assert!(!invalid.expected.is_empty(), "{}", body);
        // Long input is not repeated in the message.
        prop_assert!(invalid.expected.len() < 1000, "{}", invalid.expected);
    }
    match CreateWebhookRequest::parse(body) {
        Ok(_) | Err(Refusal::Invalid(_) | Refusal::WebhookEventUnknown { .. }) => Ok(()),
        Err(other) => Err(TestCaseError::fail(format!("{other:?}"))),
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn any_json_is_read_or_refused_by_name(body in json()) {
        let bytes = serde_json::to_vec(&body).unwrap();
        // As parsed, not as generated: numbers that JSON cannot represent are gone.
        let body = serde_json::from_slice(&bytes).unwrap();
        read(&body, &bytes)?;
    }

    #[test]
    fn a_damaged_body_that_is_json_is_read_or_refused_by_name(
        good in prop::sample::select(GOOD.to_vec()),
        damages in damages(),
    ) {
        let bytes = apply(good.as_bytes(), &damages);
        if let Ok(body) = serde_json::from_slice(&bytes) {
            read(&body, &bytes)?;
        }
    }
}
