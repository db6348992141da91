//! The operations under `/v1` that pass on what happens: webhooks, conversations, streams.

use super::operation::{Operation, tagged};
use crate::domain::{DeliveryStatus, ExternalUserId, Search};
use crate::error::Code;
use crate::wire::schema;
use crate::wire::{
    ConversationListResponse, ConversationPageQuery, ConversationResponse, CreateWebhookRequest,
    CreatedWebhookResponse, DeleteWebhookResponse, DeliveryListResponse, DeliveryResponse,
    MessageListResponse, PageQuery, PatchWebhookRequest, SendMessageRequest, SendMessageResponse,
    StartConversationRequest, WebhookListResponse, WebhookResponse,
};

const UNKNOWN: &[Code] = &[Code::NotFound];
const EVENT_STREAM: &str = "text/event-stream";

pub(super) fn operations() -> impl Iterator<Item = Operation> {
    conversations().chain(webhooks()).chain(activity())
}

fn conversations() -> impl Iterator<Item = Operation> {
    let member = "The member, if an Org-API-Key calls. A token may name its own member only.";
    let id = || schema::text(ExternalUserId::RULE);
    let list = Operation::new("list_conversations", "Conversations")
        .about(
            "A member's own; the whole program's for a key that names nobody. A member's support \
             conversation is listed even before anything was said in it, but not with \
             `sort=waiting`. `sort`, `search` and `silent` are for keys.",
        )
        .page(ConversationPageQuery::LIMITS)
        .query("externalUserID", id(), member)
        .query(
            "waiting",
            schema::boolean(),
            "`true`: only those in which the member spoke last, and was not removed.",
        )
        .query(
            "includeArchived",
            schema::boolean(),
            "`true` lets an Org-API-Key name a removed member.",
        )
        .query(
            "sort",
            schema::one_of(["recent", "waiting"]),
            "`recent` unless given: those last active first. `waiting`: those in which the member \
             waits, the longest first; then the others, those last active first.",
        )
        .query(
            "silent",
            schema::boolean(),
            "`true`: with `sort=waiting`, also those in which nothing was said.",
        )
        .query(
            "search",
            schema::text(Search::RULE),
            "Only those of members whose id or name has these words; of the 100 newest of them.",
        )
        .answers::<ConversationListResponse>(200, "A page of conversations.")
        .fails(UNKNOWN);
    let start = Operation::new("start_conversation", "Start a conversation")
        .about("The operator sends the first message of a new conversation with a member.")
        .body::<StartConversationRequest>()
        .answers::<ConversationResponse>(201, "The conversation, of type `support`.")
        .fails(UNKNOWN);
    let get = Operation::new("get_conversation", "A conversation")
        .answers::<ConversationResponse>(200, "The conversation.")
        .fails(UNKNOWN);
    let messages = Operation::new("list_messages", "A page of a conversation")
        .page(PageQuery::LIMITS)
        .query("externalUserID", id(), member)
        .answers::<MessageListResponse>(200, "A page, newest first.")
        .fails(UNKNOWN);
    let send = Operation::new("send_message", "Say something")
        .about(
            "A member token speaks for its member; an Org-API-Key for the operator, with `\"as\": \
             \"agent\"`.",
        )
        .body::<SendMessageRequest>()
        .answers::<SendMessageResponse>(200, "It was said.")
        .fails(&[Code::NotFound, Code::LimitReached]);
    let stream = Operation::new("stream_messages", "What is said, as it is said")
        .about(
            "Server-sent events: each `data:` line is a `MessageResponse`; `: heartbeat` comes while \
             nothing is said. It ends when the token does.",
        )
        .serves(200, EVENT_STREAM, "Messages from now on.")
        .fails(UNKNOWN);
    tagged("Conversations", [list, start, get, messages, send, stream])
}

fn webhooks() -> impl Iterator<Item = Operation> {
    let list = Operation::new("list_webhooks", "The program's webhooks")
        .answers::<WebhookListResponse>(200, "Newest first, deleted ones too.");
    let create = Operation::new("create_webhook", "Listen to events")
        .about(
            "At most ten are in use. In the live environment the address has to be HTTPS and lead \
             to the internet. `signingSecret` is shown in this answer alone.",
        )
        .body::<CreateWebhookRequest>()
        .answers::<CreatedWebhookResponse>(201, "The webhook and its secret.")
        .fails(&[
            Code::WebhookEventUnknown,
            Code::WebhookUrlNotAllowed,
            Code::WebhookLimitReached,
        ]);
    let get = Operation::new("get_webhook", "A webhook")
        .answers::<WebhookResponse>(200, "The webhook, without its secret.")
        .versioned()
        .fails(UNKNOWN);
    let patch = Operation::new("patch_webhook", "Change, disable or enable a webhook")
        .about(
            "What is left out stays, and so do the secret and the deliveries. A disabled webhook \
             is sent nothing, and does not count among the ten that may be in use; what it waits \
             for is given up. Enabled again, it is sent what happens from then on.",
        )
        .body::<PatchWebhookRequest>()
        .answers::<WebhookResponse>(200, "The webhook after it.")
        .versioned()
        .if_unchanged()
        .fails(&[
            Code::NotFound,
            Code::WebhookEventUnknown,
            Code::WebhookUrlNotAllowed,
            Code::WebhookLimitReached,
        ]);
    let delete = Operation::new("delete_webhook", "Stop listening")
        .about("What it still waits for is given up. It stays in the list, disabled.")
        .answers::<DeleteWebhookResponse>(200, "It is out of use.")
        .if_unchanged()
        .fails(UNKNOWN);
    let deliveries = Operation::new("list_webhook_deliveries", "What a webhook was sent")
        .about("Every event that was tried at least once, and tests.")
        .page(PageQuery::LIMITS)
        .query(
            "status",
            schema::one_of(DeliveryStatus::ALL.map(DeliveryStatus::as_str)),
            "Only deliveries that stand so.",
        )
        .answers::<DeliveryListResponse>(200, "A page, newest events first.")
        .fails(UNKNOWN);
    let again = Operation::new("redeliver_webhook", "Send a delivery again, at once")
        .answers::<DeliveryResponse>(200, "The delivery, which is pending.")
        .fails(UNKNOWN);
    let test = Operation::new("test_webhook", "Send a webhook an event of no meaning")
        .about("`webhook.test` is signed like any event, and tried once.")
        .answers::<DeliveryResponse>(200, "The delivery, which is pending.")
        .fails(UNKNOWN);
    tagged(
        "Webhooks",
        [list, create, get, patch, delete, deliveries, again, test],
    )
}

fn activity() -> impl Iterator<Item = Operation> {
    let stream = Operation::new("stream_activity", "What happens, as it happens")
        .about(
            "Server-sent events: `id` is the number of the activity, `event` its name, `data` what \
             a webhook gets, an `ActivityEvent` of the schemas of this document. `: heartbeat` \
             comes while nothing happens. A client that does not read fast enough gets `event: \
             gap` and is let go; it goes on with `Last-Event-ID`.",
        )
        .header(
            "Last-Event-ID",
            schema::whole(0, i64::MAX),
            "The `id` of the last frame that was received: what follows it comes first.",
        )
        .serves(
            200,
            EVENT_STREAM,
            "Events from now on, or after `Last-Event-ID`.",
        )
        .fails(&[Code::Validation]);
    tagged("Activity", [stream])
}
