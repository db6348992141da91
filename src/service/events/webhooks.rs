//! Webhooks: create, read, update, list, delete and test them; list and repeat their deliveries.

use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::domain::{
    Delivery, DeliveryId, DeliveryStatus, ENDPOINTS_MAX, Endpoint, EndpointNumber, Event,
    Precondition, ProgramNumber, Refusal, Seq, Timestamp, WebhookId, WebhookUrl,
};
use crate::service::random::random_bytes;
use crate::service::{Answer, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services, page};
use crate::store::{self, Connection, Transaction, WriteError};
use crate::wire::{
    CreateWebhookRequest, CreatedWebhookResponse, DeleteWebhookResponse, DeliveryListResponse,
    DeliveryResponse, ListKind, PageQuery, PatchWebhookRequest, WebhookListResponse,
    WebhookResponse,
};

/// Webhooks that a list shows at most, deleted ones included.
const LISTED_MAX: usize = 100;

impl Services {
    /// Creates a webhook. Only this answer shows its secret.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_webhook(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: CreateWebhookRequest,
    ) -> Result<Reply, WriteError> {
        let CreateWebhookRequest { url, subscription } = request;
        let may_create = move |connection: &Connection| check_limit(connection, key.program);
        let checked = self.check_target(key, &url, may_create).await;
        self.write(key, idempotency, move |tx, key| {
            let url = checked?;
            check_limit(tx, key.program)?;
            let mut endpoint = Endpoint {
                number: EndpointNumber(0),
                id: WebhookId::from_uuid(Uuid::now_v7()),
                url,
                subscription,
                created_at: tx.now(key.program),
                disabled_at: None,
                version: Seq(0),
            };
            let secret = new_secret();
            let event = Event::WebhookCreated {
                webhook: endpoint.id,
            };
            let last = tx.record(Some(key.program), endpoint.created_at, event)?;
            endpoint.version = last;
            store::webhooks::insert(tx, key.program, &mut endpoint, &secret, last)?;
            tx.webhooks_changed();
            let secret = secret.expose_secret();
            let body = CreatedWebhookResponse::new(&endpoint, key.environment, secret);
            Ok(Answer::created(&body).secret())
        })
        .await
    }

    /// Parses the address of a webhook and looks its host up. `may_use` comes before the look-up:
    /// names are looked up only for a webhook that exists or that the program may still create.
    pub(in crate::service) async fn check_target<F>(
        &self,
        key: KeyPrincipal,
        url: &str,
        may_use: F,
    ) -> Result<WebhookUrl, ServiceError>
    where
        F: FnOnce(&Connection) -> Result<(), ServiceError> + Send + 'static,
    {
        let url = self.targets.parse(url, key.environment)?;
        self.look_up(key, may_use).await?;
        self.targets
            .check(key.program, &url, key.environment)
            .await?;
        Ok(url)
    }

    /// A webhook, in use or not.
    ///
    /// # Errors
    /// `NOT_FOUND` for an unknown webhook.
    pub async fn get_webhook(
        &self,
        key: KeyPrincipal,
        id: String,
    ) -> Result<WebhookResponse, ServiceError> {
        self.look_up(key, move |connection| {
            let endpoint = find(connection, key.program, &id)?;
            Ok(WebhookResponse::new(&endpoint, key.environment))
        })
        .await
    }

    /// Updates the fields of a webhook that the request names. Its deliveries stay, but disabling
    /// it abandons the pending ones. When it is enabled again, it receives events from then on.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_webhook(
        &self,
        key: KeyPrincipal,
        id: String,
        precondition: Precondition,
        request: PatchWebhookRequest,
    ) -> Result<Reply, WriteError> {
        let PatchWebhookRequest {
            url,
            subscription,
            disabled,
        } = request;
        let checked = match url {
            Some(url) => {
                let id = id.clone();
                let exists =
                    move |connection: &Connection| find(connection, key.program, &id).map(drop);
                self.check_target(key, &url, exists).await.map(Some)
            }
            None => Ok(None),
        };
        self.write(key, None, move |tx, key| {
            let program = key.program;
            let before = find(tx, program, &id)?;
            precondition.check(Some(before.version))?;
            let at = tx.now(program);
            let mut endpoint = before.clone();
            endpoint.url = checked?.unwrap_or(endpoint.url);
            endpoint.subscription = subscription.unwrap_or(endpoint.subscription);
            endpoint.disabled_at = match disabled {
                None => endpoint.disabled_at,
                Some(true) => endpoint.disabled_at.or(Some(at)),
                Some(false) => None,
            };
            if endpoint != before {
                change(tx, program, at, &before, &mut endpoint)?;
            }
            let body = WebhookResponse::new(&endpoint, key.environment);
            Ok(Answer::ok(&body).at(endpoint.version))
        })
        .await
    }

    /// The webhooks of a program, newest first; of the deleted ones only the newest.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn list_webhooks(
        &self,
        key: KeyPrincipal,
    ) -> Result<WebhookListResponse, ServiceError> {
        self.read(key, move |connection| {
            let endpoints = store::webhooks::list(connection, key.program, LISTED_MAX)?;
            let show = |endpoint| WebhookResponse::new(endpoint, key.environment);
            Ok(WebhookListResponse {
                data: endpoints.iter().map(show).collect(),
            })
        })
        .await
    }

    /// Deletes a webhook: disables it and abandons its pending deliveries.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn delete_webhook(
        &self,
        key: KeyPrincipal,
        id: String,
        precondition: Precondition,
    ) -> Result<Reply, WriteError> {
        self.write(key, None, move |tx, key| {
            let mut endpoint = find(tx, key.program, &id)?;
            precondition.check(Some(endpoint.version))?;
            if endpoint.disabled_at.is_none() {
                let at = tx.now(key.program);
                disable(tx, key.program, at, &mut endpoint)?;
            }
            Ok(Answer::ok(&DeleteWebhookResponse {
                id: endpoint.id.to_string(),
                ok: true,
            }))
        })
        .await
    }

    /// A page of a webhook's deliveries, newest events first.
    ///
    /// # Errors
    /// `NOT_FOUND` for an unknown webhook.
    pub async fn list_webhook_deliveries(
        &self,
        key: KeyPrincipal,
        id: String,
        status: Option<DeliveryStatus>,
        page: PageQuery,
    ) -> Result<DeliveryListResponse, ServiceError> {
        self.read(key, move |connection| {
            let endpoint = find(connection, key.program, &id)?;
            let before = page.cursor.map(|cursor| Seq(cursor.0));
            let mut rows = store::deliveries::list(
                connection,
                endpoint.number,
                status,
                before,
                page.limit + 1,
            )?;
            let list = (ListKind::Deliveries, key.program.0);
            let next_cursor = page::next_cursor(&mut rows, page, list, |last| last.seq.0);
            let deliveries = rows
                .iter()
                .map(|row| show_delivery(connection, endpoint.number, row));
            Ok(DeliveryListResponse {
                deliveries: deliveries.collect::<Result<_, store::Error>>()?,
                next_cursor,
            })
        })
        .await
    }

    /// Repeats a delivery immediately, in any status.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn redeliver_webhook(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        id: String,
        delivery: String,
    ) -> Result<Reply, WriteError> {
        self.write(key, idempotency, move |tx, key| {
            let endpoint = find_active(tx, key.program, &id)?;
            let number = endpoint.number;
            let not_found = Refusal::NotFound("delivery");
            let wanted = DeliveryId::parse(&delivery).ok_or(not_found.clone())?;
            let mut found = store::deliveries::find(tx, number, wanted.seq(number))?
                .filter(|found| DeliveryId::of(number, found.seq, found.created_at) == wanted)
                .ok_or(not_found)?;
            found.status = DeliveryStatus::Pending;
            found.next_at = Some(tx.clock_now());
            store::deliveries::record(tx, number, &found)?;
            tx.mark_due(key.program);
            Ok(Answer::ok(&show_delivery(tx, number, &found)?))
        })
        .await
    }

    /// Sends a test event to a webhook, once.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn test_webhook(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        id: String,
    ) -> Result<Reply, WriteError> {
        self.write(key, idempotency, move |tx, key| {
            let endpoint = find_active(tx, key.program, &id)?;
            let now = tx.clock_now();
            let delivery = Delivery {
                seq: store::deliveries::next_test(tx, endpoint.number)?,
                status: DeliveryStatus::Pending,
                attempts: 0,
                next_at: Some(now),
                last: None,
                created_at: now,
            };
            store::deliveries::record(tx, endpoint.number, &delivery)?;
            tx.mark_due(key.program);
            Ok(Answer::ok(&show_delivery(tx, endpoint.number, &delivery)?))
        })
        .await
    }
}

/// Refuses one more webhook if the program has as many in use as it may have.
fn check_limit(connection: &Connection, program: ProgramNumber) -> Result<(), ServiceError> {
    if store::webhooks::active_count(connection, program)? >= ENDPOINTS_MAX {
        return Err(Refusal::WebhookLimitReached.into());
    }
    Ok(())
}

/// Disables a webhook and abandons its pending deliveries.
pub(in crate::service) fn disable(
    tx: &mut Transaction<'_>,
    program: ProgramNumber,
    at: Timestamp,
    endpoint: &mut Endpoint,
) -> Result<(), ServiceError> {
    let before = endpoint.clone();
    endpoint.disabled_at = Some(at);
    change(tx, program, at, &before, endpoint)
}

/// Stores a changed webhook and records the change.
fn change(
    tx: &mut Transaction<'_>,
    program: ProgramNumber,
    at: Timestamp,
    before: &Endpoint,
    endpoint: &mut Endpoint,
) -> Result<(), ServiceError> {
    let is_disabled = endpoint.disabled_at.is_some();
    if before.disabled_at.is_some() && !is_disabled {
        check_limit(tx, program)?;
    }
    let event = Event::WebhookChanged {
        webhook: endpoint.id,
        disabled: is_disabled,
    };
    endpoint.version = tx.record(Some(program), at, event)?;
    store::webhooks::update(tx, endpoint)?;
    let was_disabled = before.disabled_at.is_some();
    if is_disabled {
        store::deliveries::abandon(tx, endpoint.number)?;
    } else if was_disabled
        || (endpoint.subscription != before.subscription
            && !store::webhooks::has_backlog(tx, program, before)?)
    {
        // It receives events of new kinds from now on, even after a restart.
        store::deliveries::advance(tx, endpoint.number, endpoint.version)?;
    }
    tx.webhooks_changed();
    Ok(())
}

fn show_delivery(
    connection: &Connection,
    endpoint: EndpointNumber,
    delivery: &Delivery,
) -> Result<DeliveryResponse, store::Error> {
    let name = store::deliveries::event_name(connection, delivery.seq)?;
    Ok(DeliveryResponse::new(endpoint, delivery, name))
}

fn find(
    connection: &Connection,
    program: ProgramNumber,
    id: &str,
) -> Result<Endpoint, ServiceError> {
    let not_found = Refusal::NotFound("webhook");
    let id = WebhookId::parse(id).ok_or(not_found.clone())?;
    store::webhooks::find(connection, program, id)?.ok_or(ServiceError::Refused(not_found))
}

fn find_active(
    connection: &Connection,
    program: ProgramNumber,
    id: &str,
) -> Result<Endpoint, ServiceError> {
    let endpoint = find(connection, program, id)?;
    if endpoint.disabled_at.is_some() {
        return Err(Refusal::NotFound("webhook that is in use").into());
    }
    Ok(endpoint)
}

/// A new secret of 256 random bits.
pub(in crate::service) fn new_secret() -> SecretString {
    SecretString::from(format!("whsec_{}", HEXLOWER.encode(&random_bytes::<32>())))
}
