//! The partner's operations, on the database of a stopped server or through the API of a running
//! one. Both take and return the JSON of `/partner`.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::serve::show_keys;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::{Environment, Precondition};
use crate::service::bootstrap::FirstKeys;
use crate::service::{OrganizationChange, PartnerPrincipal, Reply, Services};
use crate::store::organizations::OrganizationFilter;
use crate::wire::{
    CreateApiKeyRequest, CreateOrganizationRequest, NumberedPageQuery, SetStatusRequest,
};

/// Time limit for a response of a running server.
const PATIENCE: Duration = Duration::from_secs(30);
/// Organizations per request, the largest page size.
const PAGE: i64 = 100;

/// The database or server that a command about organizations and keys acts on.
#[derive(Debug, Clone, Args)]
pub(super) struct Target {
    /// Use the running server at this address instead of opening the database
    #[arg(
        long,
        value_name = "http://HOST:PORT",
        env = "STAMPCARD_URL",
        requires = "key"
    )]
    url: Option<String>,
    /// Partner key for the running server
    #[arg(long, env = "STAMPCARD_KEY", hide_env_values = true, value_parser = secret)]
    key: Option<SecretString>,
}

#[expect(clippy::unnecessary_wraps, reason = "clap requires a result")]
fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
}

/// The name of an environment on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum EnvironmentName {
    /// For development and tests
    Sandbox,
    /// For production
    Live,
}

impl From<EnvironmentName> for Environment {
    fn from(name: EnvironmentName) -> Self {
        match name {
            EnvironmentName::Sandbox => Self::Sandbox,
            EnvironmentName::Live => Self::Live,
        }
    }
}

/// Access to the organizations.
pub(super) enum Reach {
    /// The database of a stopped server, with both environments.
    File(Box<Services>),
    /// A running server, with the environment of the partner key.
    Server(Client),
}

impl Target {
    /// Runs a command on the selected database or server.
    pub(super) fn run<T>(
        &self,
        settings: &Settings,
        work: impl AsyncFnOnce(&Reach) -> Result<T, anyhow::Error>,
    ) -> Result<T, anyhow::Error> {
        let reach = match (&self.url, &self.key) {
            (Some(url), Some(key)) => Reach::Server(Client::new(url, key.clone())?),
            _ => Reach::File(Box::new(open(settings)?)),
        };
        let result = actix_web::rt::System::new().block_on(work(&reach));
        if let Reach::File(services) = &reach {
            services.stop();
        }
        result
    }
}

/// Opens the database of a stopped server. A missing database is an error.
pub(super) fn open(settings: &Settings) -> Result<Services, anyhow::Error> {
    let path = &settings.database.path;
    anyhow::ensure!(
        path.exists(),
        "there is no database {}; create one with `stampcard serve`, or name another with --database",
        path.display()
    );
    super::migrate::migrated(path)?;
    // There are new keys only if the first start was killed before it was complete.
    let show = |keys: &FirstKeys| show_keys(keys, &settings.bootstrap);
    let (services, _) = Services::start_showing(settings, &Clock::system(), &show)?;
    Ok(services)
}

impl Reach {
    /// Returns every organization, newest first. Only the database can be filtered by environment.
    pub(super) async fn organizations(
        &self,
        environment: Option<Environment>,
    ) -> Result<Vec<Value>, anyhow::Error> {
        let environments: Vec<Environment> = match (self, environment) {
            (Self::File(_), None) => Environment::ALL.to_vec(),
            (Self::File(_), Some(one)) => vec![one],
            // The environment follows from the key.
            (Self::Server(_), _) => vec![Environment::Live],
        };
        let mut all = Vec::new();
        for environment in environments {
            for page in 1.. {
                let found = self.organization_page(environment, page).await?;
                let found = found["organizations"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let is_last = found.len() < usize::try_from(PAGE)?;
                all.extend(found.into_iter().map(|mut organization| {
                    if let Self::File(_) = self {
                        organization["environment"] = json!(environment.as_str());
                    }
                    organization
                }));
                if is_last {
                    break;
                }
            }
        }
        Ok(all)
    }

    async fn organization_page(
        &self,
        environment: Environment,
        page: i64,
    ) -> Result<Value, anyhow::Error> {
        match self {
            Self::File(services) => {
                let page = NumberedPageQuery {
                    page,
                    page_size: PAGE,
                };
                let filter = OrganizationFilter::default();
                let partner = PartnerPrincipal::with_the_file(environment);
                let page = services.list_organizations(partner, filter, page).await?;
                Ok(serde_json::to_value(page)?)
            }
            Self::Server(client) => {
                let path = format!("/partner/organizations?page={page}&pageSize={PAGE}");
                client.send("GET", &path, None)
            }
        }
    }

    /// Accepts the current time of the system clock.
    pub(super) async fn accept_clock(&self) -> Result<Value, anyhow::Error> {
        match self {
            Self::File(services) => {
                let partner = PartnerPrincipal::with_the_file(Environment::Live);
                answer(&services.accept_clock(partner, None).await?)
            }
            Self::Server(client) => client.send("POST", "/partner/clock/accept", None),
        }
    }

    /// Creates an organization with one program and a key.
    pub(super) async fn create_organization(
        &self,
        environment: Option<Environment>,
        body: Value,
    ) -> Result<Value, anyhow::Error> {
        match (self, environment) {
            (Self::File(services), Some(environment)) => {
                let request = CreateOrganizationRequest::parse(&body, body.to_string().as_bytes())?;
                let partner = PartnerPrincipal::with_the_file(environment);
                answer(&services.create_organization(partner, None, request).await?)
            }
            (Self::File(_), None) => {
                bail!("choose the environment with --environment sandbox or live")
            }
            (Self::Server(client), None) => {
                client.send("POST", "/partner/organizations", Some(&body))
            }
            (Self::Server(_), Some(_)) => {
                bail!("omit --environment: with --url, it follows from the partner key")
            }
        }
    }

    /// Sets the status of an organization.
    pub(super) async fn set_status(
        &self,
        organization: &str,
        status: &str,
    ) -> Result<Value, anyhow::Error> {
        let body = json!({"status": status});
        match self {
            Self::File(services) => {
                let partner = owner(services, organization).await?;
                let change = OrganizationChange::Status(SetStatusRequest::parse(&body)?);
                let id = organization.to_owned();
                let change = services
                    .update_organization(partner, id, Precondition::NONE, change)
                    .await?;
                answer(&change)
            }
            Self::Server(client) => {
                let path = format!("/partner/organizations/{}/status", encoded(organization));
                client.send("PUT", &path, Some(&body))
            }
        }
    }

    /// Returns the keys of an organization, newest first.
    pub(super) async fn keys(&self, organization: &str) -> Result<Vec<Value>, anyhow::Error> {
        let listed = match self {
            Self::File(services) => {
                let partner = owner(services, organization).await?;
                let listed = services
                    .list_api_keys(partner, organization.to_owned())
                    .await?;
                serde_json::to_value(listed)?
            }
            Self::Server(client) => {
                let path = format!("/partner/organizations/{}/api-keys", encoded(organization));
                client.send("GET", &path, None)?
            }
        };
        Ok(listed["apiKeys"].as_array().cloned().unwrap_or_default())
    }

    /// Creates a key of a program of an organization.
    pub(super) async fn create_key(
        &self,
        organization: &str,
        body: Value,
    ) -> Result<Value, anyhow::Error> {
        match self {
            Self::File(services) => {
                let partner = owner(services, organization).await?;
                let request = CreateApiKeyRequest::parse(&body)?;
                let id = organization.to_owned();
                answer(&services.create_api_key(partner, None, id, request).await?)
            }
            Self::Server(client) => {
                let path = format!("/partner/organizations/{}/api-keys", encoded(organization));
                client.send("POST", &path, Some(&body))
            }
        }
    }

    /// Revokes a key of an organization.
    pub(super) async fn revoke_key(
        &self,
        organization: &str,
        key: &str,
    ) -> Result<Value, anyhow::Error> {
        match self {
            Self::File(services) => {
                let partner = owner(services, organization).await?;
                let (id, key) = (organization.to_owned(), key.to_owned());
                answer(&services.revoke_api_key(partner, id, key).await?)
            }
            Self::Server(client) => {
                let (organization, key) = (encoded(organization), encoded(key));
                let path = format!("/partner/organizations/{organization}/api-keys/{key}");
                client.send("DELETE", &path, None)
            }
        }
    }
}

/// The partner in the environment of an organization.
async fn owner(services: &Services, organization: &str) -> Result<PartnerPrincipal, anyhow::Error> {
    for environment in Environment::ALL {
        let partner = PartnerPrincipal::with_the_file(environment);
        let found = services.get_organization(partner, organization.to_owned());
        if found.await.is_ok() {
            return Ok(partner);
        }
    }
    bail!(
        "there is no organization {organization}; `stampcard organizations list` shows all of them"
    )
}

/// The body of a use case's reply; a refusal is an error.
fn answer(reply: &Reply) -> Result<Value, anyhow::Error> {
    let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
    refuse(reply.status, &body)?;
    Ok(body)
}

fn refuse(status: u16, body: &Value) -> Result<(), anyhow::Error> {
    if status < 400 {
        return Ok(());
    }
    match body["message"].as_str() {
        Some(message) => bail!("{message}"),
        None => bail!("the server responded with status {status}"),
    }
}

/// A running server.
pub(super) struct Client {
    agent: ureq::Agent,
    base: String,
    key: SecretString,
}

impl Client {
    fn new(url: &str, key: SecretString) -> Result<Self, anyhow::Error> {
        let base = url.trim_end_matches('/');
        anyhow::ensure!(
            base.starts_with("http://"),
            "--url {url} must begin with http://: the server speaks plain HTTP, so run this on its \
             own machine, or use a tunnel such as `ssh -L 8080:127.0.0.1:8080`"
        );
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // The key is sent to no other server.
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        Ok(Self {
            agent,
            base: base.to_owned(),
            key,
        })
    }

    /// Sends a request; a refusal is an error.
    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, anyhow::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("X-Partner-API-Key", self.key.expose_secret());
        if method == "POST" {
            // If the response is lost, a retry is not carried out twice.
            request = request.header("Idempotency-Key", uuid::Uuid::new_v4().to_string());
        }
        let body = body.map_or_else(String::new, Value::to_string);
        let request = request.body(body).context("the request cannot be made")?;
        let mut response = self
            .agent
            .run(request)
            .with_context(|| format!("{} cannot be reached", self.base))?;
        let text = response.body_mut().read_to_string()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        refuse(response.status().as_u16(), &body)?;
        Ok(body)
    }
}

/// An id as a path segment.
fn encoded(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}
