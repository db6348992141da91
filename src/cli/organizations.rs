//! `stampcard organizations`.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::output::{Output, columns, field};
use super::partner::{EnvironmentName, Target};
use crate::config::Settings;

/// Arguments of `organizations`.
#[derive(Debug, Clone, Args)]
pub(super) struct Organizations {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// List organizations, newest first
    List {
        /// Only organizations of this environment (not with --url)
        #[arg(long, value_enum, conflicts_with = "url")]
        environment: Option<EnvironmentName>,
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        output: Output,
    },
    /// Create an organization with one program, and print its Org-API-Key once
    Create {
        /// Name of the organization
        name: String,
        /// Environment of the organization (required without --url)
        #[arg(long, value_enum)]
        environment: Option<EnvironmentName>,
        /// Your own id for the organization
        #[arg(long)]
        external_id: Option<String>,
        /// Tier of the organization
        #[arg(long, value_enum, default_value = "trial")]
        tier: Tier,
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        output: Output,
    },
    /// Suspend, cancel or reactivate an organization
    ///
    /// The keys and member tokens of a suspended or canceled organization are refused from the next
    /// request on, until it is active again.
    SetStatus {
        /// Id of the organization
        id: String,
        /// New status
        #[arg(value_enum)]
        status: Status,
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tier {
    Trial,
    Paid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Status {
    Active,
    Suspended,
    Canceled,
}

/// Runs the subcommand.
pub(super) fn run(
    settings: &Settings,
    arguments: &Organizations,
) -> Result<ExitCode, anyhow::Error> {
    match &arguments.command {
        Command::List {
            environment,
            target,
            output,
        } => {
            let environment = environment.map(Into::into);
            let all = target.run(settings, async |reach| {
                reach.organizations(environment).await
            })?;
            output.print(&json!({"organizations": all}), || table(&all))
        }
        Command::Create {
            name,
            environment,
            external_id,
            tier,
            target,
            output,
        } => {
            let tier = match tier {
                Tier::Trial => "trial",
                Tier::Paid => "paid",
            };
            let body = json!({"name": name, "externalId": external_id, "tier": tier});
            let environment = environment.map(Into::into);
            let made = target.run(settings, async |reach| {
                reach.create_organization(environment, body).await
            })?;
            let id = field(&made["organization"], "id");
            let what = format!("organization {id} (create another with `stampcard keys create`)");
            let text = || {
                format!(
                    "{}  {}\nIts Org-API-Key, which is shown only now:\n  {}",
                    field(&made["organization"], "id"),
                    field(&made["organization"], "name"),
                    field(&made, "apiKey")
                )
            };
            output.print_secret(&made, text, &what)
        }
        Command::SetStatus {
            id,
            status,
            target,
            output,
        } => {
            let status = match status {
                Status::Active => "active",
                Status::Suspended => "suspended",
                Status::Canceled => "canceled",
            };
            let changed = target.run(settings, async |reach| reach.set_status(id, status).await)?;
            output.print(&changed, || {
                let organization = &changed["organization"];
                format!(
                    "{}  {}",
                    field(organization, "id"),
                    field(organization, "status")
                )
            })
        }
    }
}

fn table(organizations: &[Value]) -> String {
    columns(
        &["id", "environment", "status", "tier", "externalId", "name"],
        organizations,
    )
}
