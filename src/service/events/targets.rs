//! The rule on webhook targets: host names are looked up and every address of them is checked.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Environment, ProgramNumber, Refusal, TargetPolicy, WebhookUrl};

/// Maximum duration of a look-up when a webhook is created or updated.
const LOOKUP: Duration = Duration::from_secs(3);

/// The addresses of a name.
pub type Addresses = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// A name service.
pub trait Names: Send + Sync + std::fmt::Debug {
    /// Looks a name up for a program.
    fn look_up(&self, program: ProgramNumber, name: &str) -> Addresses;
}

/// The rule on targets and the name service that it uses. Clones share it.
#[derive(Debug, Clone)]
pub struct Targets {
    names: Arc<dyn Names>,
    sandbox_private_targets: bool,
}

impl Targets {
    /// Creates the configured rule.
    pub fn new(names: Arc<dyn Names>, sandbox_private_targets: bool) -> Self {
        Self {
            names,
            sandbox_private_targets,
        }
    }

    /// Replaces the name service.
    #[must_use]
    pub(in crate::service) fn with_names(self, names: Arc<dyn Names>) -> Self {
        Self { names, ..self }
    }

    /// The policy of an environment.
    pub fn policy(&self, environment: Environment) -> TargetPolicy {
        TargetPolicy::of(environment, self.sandbox_private_targets)
    }

    /// The addresses of a name, all of which the policy allows. The sender must connect to one of
    /// them without another look-up, whose answer may differ.
    ///
    /// # Errors
    /// If the name has no address, or one that the policy forbids.
    pub async fn resolve(
        &self,
        program: ProgramNumber,
        name: &str,
        policy: TargetPolicy,
    ) -> std::io::Result<Vec<SocketAddr>> {
        let addresses = self.names.look_up(program, name).await?;
        let forbidden = |address: IpAddr| !policy.allows(address);
        if addresses.is_empty() {
            return Err(std::io::Error::other("the name has no address"));
        }
        if addresses.iter().any(|address| forbidden(address.ip())) {
            return Err(std::io::Error::new(
                std::io::ErrorKind::PermissionDenied,
                "the name leads to an address that is not routable on the internet",
            ));
        }
        Ok(addresses)
    }

    /// Parses the URL of a webhook.
    pub(in crate::service) fn parse(
        &self,
        url: &str,
        environment: Environment,
    ) -> Result<WebhookUrl, Refusal> {
        WebhookUrl::parse(url, self.policy(environment))
    }

    /// Looks up the host of a webhook. A host that has no address yet, or cannot be looked up now,
    /// is accepted: it is checked again at every delivery.
    pub(in crate::service) async fn check(
        &self,
        program: ProgramNumber,
        url: &WebhookUrl,
        environment: Environment,
    ) -> Result<(), Refusal> {
        let policy = self.policy(environment);
        if let (Some(name), TargetPolicy::Public) = (url.name(), policy) {
            let resolved = self.resolve(program, name, policy);
            let looked_up = tokio::time::timeout(LOOKUP, resolved).await;
            if let Ok(Err(error)) = looked_up
                && error.kind() == std::io::ErrorKind::PermissionDenied
            {
                return Err(Refusal::WebhookUrlNotAllowed(
                    "names a host whose address is not routable on the internet",
                ));
            }
        }
        Ok(())
    }
}
