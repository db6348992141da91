//! One attempt: the request, the response, and the addresses it may connect to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use secrecy::ExposeSecret as _;

use super::signature::sign;
use crate::domain::{
    Attempt, Delivery, DeliveryId, EventId, ProgramNumber, Seq, TargetPolicy, WebhookUrl,
};
use crate::service::{Services, ShownEvent, Targets};
use crate::store::webhooks::ActiveEndpoint;
use crate::wire::{self, EventBody, TEST_EVENT, TestEventData};

/// The most bytes of a response that are read, so that the connection can be reused.
const RESPONSE_BYTES_MAX: usize = 20_000;
const AGENT: &str = concat!("Stampcard/", env!("CARGO_PKG_VERSION"));

tokio::task_local! {
    /// The program of the request in progress. The client's resolver receives only a host name.
    static LOOKING_UP_FOR: ProgramNumber;
}

/// Sends events. It resolves host names itself and connects only to checked addresses.
pub(super) struct Sender {
    services: Services,
    timeout: Duration,
    public: Client,
    any: Client,
}

impl Sender {
    pub(super) fn new(services: &Services, timeout: Duration) -> Result<Self, anyhow::Error> {
        let client = |policy| client(services.targets().clone(), policy, timeout);
        Ok(Self {
            services: services.clone(),
            timeout,
            public: client(TargetPolicy::Public)?,
            any: client(TargetPolicy::Any)?,
        })
    }

    /// Sends an event once, or a test if there is none.
    pub(super) async fn attempt(
        &self,
        target: &ActiveEndpoint,
        delivery: &Delivery,
        event: Option<&ShownEvent>,
    ) -> Attempt {
        let at = self.services.now();
        let start = Instant::now();
        let (name, body) = content(target, delivery, event);
        let sent = self.send(target, delivery, name, body, at.as_millis() / 1000);
        let result = match tokio::time::timeout(self.timeout, sent).await {
            Ok(result) => result,
            Err(_) => Err((
                None,
                format!("no answer within {} s", self.timeout.as_secs()),
            )),
        };
        let (response_status, error) = match result {
            Ok(status) => (Some(status), None),
            Err((status, error)) => (status, Some(error)),
        };
        Attempt {
            at,
            duration: start.elapsed(),
            response_status,
            error,
        }
    }

    async fn send(
        &self,
        target: &ActiveEndpoint,
        delivery: &Delivery,
        name: &'static str,
        body: Vec<u8>,
        second: i64,
    ) -> Result<u16, (Option<u16>, String)> {
        let policy = self.services.targets().policy(target.environment);
        let url = target.endpoint.url.as_str();
        // An IP address is never resolved, and an imported URL was never checked.
        WebhookUrl::parse(url, policy).map_err(|refusal| (None, refusal.to_string()))?;
        let client = match policy {
            TargetPolicy::Public => &self.public,
            TargetPolicy::Any => &self.any,
        };
        let number = target.endpoint.number;
        let id = DeliveryId::of(number, delivery.seq, delivery.created_at);
        let signature = sign(target.secret.expose_secret(), &body);
        let request = client
            .post(url)
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("X-Expys-Signature", signature)
            .header("X-Expys-Timestamp", second)
            .header("X-Expys-Event", name)
            .header("X-Expys-Delivery", id.to_string())
            .body(body);
        let response = LOOKING_UP_FOR
            .scope(target.program, request.send())
            .await
            .map_err(|error| (None, explain(&error)))?;
        let status = response.status();
        read_start(response).await;
        if status.is_success() {
            Ok(status.as_u16())
        } else if status.is_redirection() {
            let error = format!("the receiver answered {status}; redirects are not followed");
            Err((Some(status.as_u16()), error))
        } else {
            let error = format!("the receiver answered {status}");
            Err((Some(status.as_u16()), error))
        }
    }
}

/// The event name and the body of a request.
fn content(
    target: &ActiveEndpoint,
    delivery: &Delivery,
    event: Option<&ShownEvent>,
) -> (&'static str, Vec<u8>) {
    let environment = target.environment;
    if let Some(event) = event {
        let body = event.with_body(environment, |body| wire::to_json(body));
        return (event.name.as_str(), body);
    }
    let data = TestEventData {
        webhook_id: target.endpoint.id.to_string(),
    };
    let data = serde_json::value::to_raw_value(&data).unwrap_or_default();
    let (seq, at) = (Seq(delivery.seq.0.saturating_abs()), delivery.created_at);
    let id = EventId::of_activity(seq, at);
    let body = EventBody::new(id, TEST_EVENT, at, environment, &data);
    (TEST_EVENT, wire::to_json(&body))
}

/// Reads the start of a response, up to [`RESPONSE_BYTES_MAX`].
async fn read_start(mut response: Response) {
    let mut read = 0;
    while read < RESPONSE_BYTES_MAX
        && let Ok(Some(chunk)) = response.chunk().await
    {
        read += chunk.len();
    }
}

/// The reason why a request failed, without details of this machine.
fn explain(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>()
            && io.kind() == io::ErrorKind::PermissionDenied
        {
            return io.to_string();
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        "the connection timed out".to_owned()
    } else if error.is_connect() {
        "no connection could be made".to_owned()
    } else {
        "the connection broke before an answer came".to_owned()
    }
}

fn client(
    targets: Targets,
    policy: TargetPolicy,
    timeout: Duration,
) -> Result<Client, anyhow::Error> {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(CheckedNames { targets, policy }))
        .redirect(Policy::none())
        // A proxy could connect to any address.
        .no_proxy()
        .http1_only()
        .https_only(policy == TargetPolicy::Public)
        .connect_timeout(timeout)
        .pool_max_idle_per_host(2)
        .pool_idle_timeout(Duration::from_secs(30))
        .build()?)
}

/// The resolver of the client, which connects only to the addresses that it returns.
struct CheckedNames {
    targets: Targets,
    policy: TargetPolicy,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let (targets, policy) = (self.targets.clone(), self.policy);
        let program = LOOKING_UP_FOR.try_get();
        Box::pin(async move {
            let program = program.map_err(io::Error::other)?;
            let resolved = targets.resolve(program, name.as_str(), policy);
            let addresses: Vec<SocketAddr> = resolved.await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
