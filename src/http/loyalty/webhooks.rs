//! `/v1/webhooks`.

use actix_web::web::Data;

use crate::domain::{DeliveryStatus, ProgramNumber};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody, PathPair, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::precondition::Conditions;
use crate::http::response::{ok, ok_at, reply};
use crate::http::route::routes;
use crate::service::{Caller, Services};
use crate::wire::{
    CreateWebhookRequest, CreatedWebhookResponse, DeleteWebhookResponse, DeliveryListResponse,
    DeliveryResponse, ListKind, PageQuery, PatchWebhookRequest, WebhookListResponse,
    WebhookResponse, optional, page, query_parameters, words,
};

routes! {
    tag "Webhooks";

    "/v1/webhooks" {
        GET OrgKey list_webhooks => Operation::new("List the program's webhooks")
            .returns::<WebhookListResponse>(200, "All webhooks, newest first, deleted ones too.");
        POST OrgKey create_webhook => Operation::new("Create a webhook")
            .description(
                "At most ten can be enabled. In the live environment the URL must be HTTPS and its \
                 host public. Only this response shows `signingSecret`.",
            )
            .body::<CreateWebhookRequest>()
            .returns::<CreatedWebhookResponse>(201, "The webhook and its secret.")
            .errors(&[
                Code::WebhookEventUnknown,
                Code::WebhookUrlNotAllowed,
                Code::WebhookLimitReached,
            ]);
    }
    "/v1/webhooks/{id}" {
        GET OrgKey get_webhook => Operation::new("Get a webhook")
            .returns::<WebhookResponse>(200, "The webhook, without its secret.")
            .versioned()
            .errors(NOT_FOUND);
        PATCH OrgKey patch_webhook => Operation::new("Update, disable or enable a webhook")
            .description(
                "Absent fields keep their value, as do the secret and the deliveries. A disabled \
                 webhook receives nothing and does not count towards the ten; its pending \
                 deliveries are given up. Once enabled again, it receives later events.",
            )
            .body::<PatchWebhookRequest>()
            .returns::<WebhookResponse>(200, "The updated webhook.")
            .versioned()
            .errors(&[
                Code::NotFound,
                Code::WebhookEventUnknown,
                Code::WebhookUrlNotAllowed,
                Code::WebhookLimitReached,
            ]);
        DELETE OrgKey delete_webhook => Operation::new("Delete a webhook")
            .description("Its pending deliveries are given up. It stays in the list, disabled.")
            .returns::<DeleteWebhookResponse>(200, "The webhook was deleted.")
            .errors(NOT_FOUND);
    }
    "/v1/webhooks/{id}/deliveries" {
        GET OrgKey list_webhook_deliveries => Operation::new("List the deliveries of a webhook")
            .description("Every event that was attempted at least once, and tests.")
            .returns::<DeliveryListResponse>(200, "A page, newest events first.")
            .errors(NOT_FOUND);
    }
    "/v1/webhooks/{id}/deliveries/{deliveryId}/redeliver" {
        POST OrgKey redeliver_webhook => Operation::new("Repeat a delivery immediately")
            .returns::<DeliveryResponse>(200, "The delivery, which is pending.")
            .errors(NOT_FOUND);
    }
    "/v1/webhooks/{id}/test" {
        POST OrgKey test_webhook => Operation::new("Send a test event to a webhook")
            .description("`webhook.test` is signed like any event, and attempted once.")
            .returns::<DeliveryResponse>(200, "The delivery, which is pending.")
            .errors(NOT_FOUND);
    }
}

query_parameters! {
    /// The query of `GET /v1/webhooks/{id}/deliveries`.
    struct ListDeliveriesQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Deliveries);
        /// Only deliveries with this status.
        status: Option<DeliveryStatus> = optional("status", words!(DeliveryStatus));
    }
}

async fn list_webhooks(services: Data<Services>, OrgKey(key): OrgKey) -> HttpResult {
    Ok(ok(&services.list_webhooks(key).await?))
}

async fn create_webhook(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateWebhookRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.create_webhook(key, idempotency, request).await?,
    ))
}

async fn get_webhook(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    let webhook = services.get_webhook(key, id).await?;
    Ok(ok_at(webhook.version, &webhook))
}

async fn patch_webhook(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = PatchWebhookRequest::parse(&body.value)?;
    Ok(reply(
        services
            .patch_webhook(key, id, precondition, request)
            .await?,
    ))
}

async fn delete_webhook(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    Ok(reply(services.delete_webhook(key, id, precondition).await?))
}

async fn list_webhook_deliveries(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<ListDeliveriesQuery>,
) -> HttpResult {
    let ListDeliveriesQuery { page, status } = query.parse_for(key.program)?;
    Ok(ok(&services
        .list_webhook_deliveries(key, id, status, page)
        .await?))
}

async fn redeliver_webhook(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathPair(id, delivery): PathPair,
) -> HttpResult {
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services
            .redeliver_webhook(key, idempotency, id, delivery)
            .await?,
    ))
}

async fn test_webhook(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(services.test_webhook(key, idempotency, id).await?))
}
