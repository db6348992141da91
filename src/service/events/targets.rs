//! Where webhooks may be sent: names are looked up and every address they lead to is checked.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Environment, ProgramNumber, Refusal, TargetPolicy, WebhookUrl};

/// How long a look-up may take when a webhook is made.
const LOOKUP: Duration = Duration::from_secs(3);

/// The addresses of a name.
pub type Addresses = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// Whoever knows the addresses of names.
pub trait Names: Send + Sync + std::fmt::Debug {
    /// Looks a name up for a program.
    fn look_up(&self, program: ProgramNumber, name: &str) -> Addresses;
}

/// The rule on targets, with the name service it asks. Clones share it.
#[derive(Debug, Clone)]
pub struct Targets {
    names: Arc<dyn Names>,
    sandbox_private_targets: bool,
}

impl Targets {
    /// The rule as it is set.
    pub fn new(names: Arc<dyn Names>, sandbox_private_targets: bool) -> Self {
        Self {
            names,
            sandbox_private_targets,
        }
    }

    /// The same rule with another name service.
    #[must_use]
    pub(in crate::service) fn with_names(self, names: Arc<dyn Names>) -> Self {
        Self { names, ..self }
    }

    /// The policy of an environment.
    pub fn policy(&self, environment: Environment) -> TargetPolicy {
        TargetPolicy::of(environment, self.sandbox_private_targets)
    }

    /// The addresses of a name, all of which the policy allows. Whoever connects must connect to
    /// one of these and ask no second time: the answer may have changed.
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

    /// Reads an address for a new webhook.
    pub(in crate::service) fn parse(
        &self,
        url: &str,
        environment: Environment,
    ) -> Result<WebhookUrl, Refusal> {
        WebhookUrl::parse(url, self.policy(environment))
    }

    /// Looks up the host of a new webhook. One that has no address yet, or that cannot be looked up
    /// now, is taken: it is checked whenever something is sent to it.
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
