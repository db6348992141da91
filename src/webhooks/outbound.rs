//! Signed requests to servers of operators, and the addresses they may connect to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use secrecy::ExposeSecret as _;

use super::signature::sign;
use crate::domain::{ProgramNumber, TargetPolicy, WebhookUrl};
use crate::service::{Parcel, Post, Posted, Targets};

/// The most bytes of a response that are read, so that the connection can be reused.
const RESPONSE_BYTES_MAX: usize = 20_000;
const AGENT: &str = concat!("Stampcard/", env!("CARGO_PKG_VERSION"));

tokio::task_local! {
    /// The program of the request in progress. The client's resolver receives only a host name.
    static LOOKING_UP_FOR: ProgramNumber;
}

/// Sends requests. It resolves host names itself and connects only to checked addresses. Clones
/// share the connections.
#[derive(Debug, Clone)]
pub struct Outbound {
    targets: Targets,
    timeout: Duration,
    public: Client,
    any: Client,
}

impl Outbound {
    /// Creates the clients; a request may take as long as `timeout`.
    ///
    /// # Errors
    /// If a client cannot be created.
    pub fn new(targets: &Targets, timeout: Duration) -> Result<Self, anyhow::Error> {
        let client = |policy| client(targets.clone(), policy, timeout);
        Ok(Self {
            targets: targets.clone(),
            timeout,
            public: client(TargetPolicy::Public)?,
            any: client(TargetPolicy::Any)?,
        })
    }

    /// Sends a request once. Returns the status of a response that accepts it, otherwise the status
    /// of the response, if any, and the reason.
    pub(super) async fn send(&self, parcel: Parcel) -> Result<u16, (Option<u16>, String)> {
        match tokio::time::timeout(self.timeout, self.request(parcel)).await {
            Ok(result) => result,
            Err(_) => Err((
                None,
                format!("no answer within {} s", self.timeout.as_secs()),
            )),
        }
    }

    async fn request(&self, parcel: Parcel) -> Result<u16, (Option<u16>, String)> {
        let policy = self.targets.policy(parcel.environment);
        let url = parcel.url.as_str();
        // An IP address is never resolved, and an imported URL was never checked.
        WebhookUrl::parse(url, policy).map_err(|refusal| (None, refusal.to_string()))?;
        let client = match policy {
            TargetPolicy::Public => &self.public,
            TargetPolicy::Any => &self.any,
        };
        let signature = sign(parcel.secret.expose_secret(), &parcel.body);
        let request = client
            .post(url)
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("X-Expys-Signature", signature)
            .header("X-Expys-Timestamp", parcel.at.as_millis() / 1000)
            .header("X-Expys-Event", parcel.name)
            .header("X-Expys-Delivery", parcel.delivery.to_string())
            .body(parcel.body);
        let response = LOOKING_UP_FOR
            .scope(parcel.program, request.send())
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

impl Post for Outbound {
    fn post(&self, parcel: Parcel) -> Posted {
        let outbound = self.clone();
        Box::pin(async move {
            let (program, name) = (parcel.program.0, parcel.name);
            let sent = outbound.send(parcel).await;
            if let Err((_, error)) = &sent {
                tracing::info!(program, name, error, "a gateway accepted nothing");
            }
            sent.is_ok()
        })
    }
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
