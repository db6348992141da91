//! `stampcard ready`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::output::Output;
use crate::config::Settings;

/// Time limit for the response.
const PATIENCE: Duration = Duration::from_secs(5);

/// Arguments of `ready`.
#[derive(Debug, Clone, Args)]
pub(super) struct Ready {
    #[command(flatten)]
    output: Output,
}

/// Checks whether the server at the configured address accepts writes.
pub(super) fn run(settings: &Settings, arguments: &Ready) -> Result<ExitCode, anyhow::Error> {
    let address = reachable(settings.server.listen);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let answer = agent
        .get(format!("http://{address}/readyz"))
        .call()
        .with_context(|| format!("there is no answer from {address}"))?;
    let status = answer.status().as_u16();
    anyhow::ensure!(
        status == 200,
        "the server at {address} does not accept writes (status {status}); its log says why"
    );
    arguments.output.print(&json!({"ready": true}), || {
        format!("the server at {address} accepts writes")
    })
}

/// The address to reach a server by, also if it listens on all addresses.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
