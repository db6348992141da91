//! `stampcard keys`.

use std::process::ExitCode;

use anyhow::bail;
use clap::{ArgGroup, Args, Subcommand};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::output::{Output, columns, field};
use super::partner::{EnvironmentName, Reach, Target, open};
use crate::config::Settings;
use crate::domain::Name;
use crate::store::credentials::ListedKeyRow;

/// Arguments of `keys`.
#[derive(Debug, Clone, Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// List the keys that are not revoked, including partner keys
    ///
    /// Only the first characters and a hash of a key are stored.
    List {
        /// Only the keys of this organization (required with --url)
        #[arg(long, value_name = "ID")]
        organization: Option<String>,
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        output: Output,
    },
    /// Create a key and print it once
    #[command(group = ArgGroup::new("opens").required(true).args(["organization", "partner"]))]
    Create {
        /// Name of the key
        name: String,
        /// Create an Org-API-Key of this organization
        #[arg(long, value_name = "ID")]
        organization: Option<String>,
        /// Program of the key [default: the organization's oldest active program]
        #[arg(long, value_name = "ID", requires = "organization")]
        program: Option<String>,
        /// Create a partner key (not with --url)
        #[arg(long, requires = "environment", conflicts_with = "url")]
        partner: bool,
        /// Environment of the partner key
        #[arg(long, value_enum, requires = "partner")]
        environment: Option<EnvironmentName>,
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        output: Output,
    },
    /// Revoke a key, effective from the next request
    Revoke {
        /// Id of the key, as printed by `keys list`
        id: String,
        /// Organization of the key (required with --url)
        #[arg(long, value_name = "ID")]
        organization: Option<String>,
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        output: Output,
    },
    /// Replace the key of member tokens, which invalidates every existing token
    ///
    /// The server must be stopped. Apps exchange new tokens; nothing else changes.
    RotateTokenKey {
        #[command(flatten)]
        output: Output,
    },
}

/// Runs the subcommand.
pub(super) fn run(settings: &Settings, arguments: &Keys) -> Result<ExitCode, anyhow::Error> {
    match &arguments.command {
        Command::List {
            organization,
            target,
            output,
        } => {
            let keys = target.run(settings, async |reach| {
                list(reach, organization.as_deref()).await
            })?;
            output.print(&json!({"apiKeys": keys}), || {
                let names = [
                    "id",
                    "environment",
                    "kind",
                    "programId",
                    "keyPrefix",
                    "name",
                ];
                columns(&names, &keys)
            })
        }
        Command::Create {
            name,
            organization,
            program,
            environment,
            target,
            output,
            ..
        } => {
            let made = target.run(settings, async |reach| match (organization, environment) {
                (Some(organization), _) => {
                    let body = json!({"name": name, "programId": program});
                    reach.create_key(organization, body).await
                }
                (None, Some(environment)) => create_partner(reach, *environment, name).await,
                (None, None) => bail!("choose the kind of key with --organization ID or --partner"),
            })?;
            show(*output, &made)
        }
        Command::Revoke {
            id,
            organization,
            target,
            output,
        } => {
            target.run(settings, async |reach| {
                revoke(reach, id, organization.as_deref()).await
            })?;
            output.print(&json!({"revoked": id}), || format!("{id}  revoked"))
        }
        Command::RotateTokenKey { output } => {
            let services = open(settings)?;
            let rotated = actix_web::rt::System::new().block_on(services.rotate_token_key());
            services.stop();
            rotated?;
            output.print(&json!({"rotated": true}), || {
                "the key of member tokens was replaced; apps have to exchange new tokens".to_owned()
            })
        }
    }
}

/// Prints a new key, which is never shown again.
fn show(output: Output, made: &Value) -> Result<ExitCode, anyhow::Error> {
    let id = field(&made["apiKey"], "id");
    let what = format!("{id} (revoke it with `stampcard keys revoke`, and create another)");
    let text = || {
        let (name, key) = (field(&made["apiKey"], "name"), field(made, "plainKey"));
        format!("{id}  {name}\nThe key, which is shown only now:\n  {key}")
    };
    output.print_secret(made, text, &what)
}

async fn list(reach: &Reach, organization: Option<&str>) -> Result<Vec<Value>, anyhow::Error> {
    match (reach, organization) {
        (Reach::File(services), _) => {
            let keys = services.list_all_keys().await?;
            let keys: Vec<Value> = keys.iter().map(listed).collect();
            let Some(organization) = organization else {
                return Ok(keys);
            };
            // An unknown id is an error, not an empty list.
            reach.keys(organization).await?;
            let is_its = |key: &Value| key["organizationId"] == organization.to_lowercase();
            Ok(keys.into_iter().filter(is_its).collect())
        }
        (Reach::Server(_), Some(organization)) => reach.keys(organization).await,
        (Reach::Server(_), None) => {
            bail!("--url needs --organization ID, the organization of the keys")
        }
    }
}

fn listed(key: &ListedKeyRow) -> Value {
    let (organization, program) = key.opens.unzip();
    json!({
        "id": key.uuid.to_string(),
        "kind": if key.opens.is_some() { "org" } else { "partner" },
        "environment": key.environment.as_str(),
        "name": key.name,
        "keyPrefix": key.prefix,
        "organizationId": organization.map(|uuid| uuid.to_string()),
        "programId": program.map(|uuid| uuid.to_string()),
        "createdAt": key.created_at.to_string(),
    })
}

async fn create_partner(
    reach: &Reach,
    environment: EnvironmentName,
    name: &str,
) -> Result<Value, anyhow::Error> {
    let Reach::File(services) = reach else {
        bail!(
            "a partner key can be created only in the database of a stopped server, without --url"
        );
    };
    let name = Name::parse("name", name)?;
    let (uuid, key) = services
        .create_partner_key(environment.into(), name.clone())
        .await?;
    Ok(json!({
        "apiKey": {"id": uuid.to_string(), "name": name.as_str()},
        "plainKey": key.expose_secret(),
    }))
}

async fn revoke(reach: &Reach, id: &str, organization: Option<&str>) -> Result<(), anyhow::Error> {
    let revoked = match (reach, organization) {
        (Reach::File(services), None) => match Uuid::try_parse(id) {
            Ok(uuid) => services.revoke_any_key(uuid).await?,
            Err(_) => false,
        },
        (_, Some(organization)) => {
            reach.revoke_key(organization, id).await?;
            true
        }
        (Reach::Server(_), None) => {
            bail!("--url needs --organization ID, the organization of the key")
        }
    };
    anyhow::ensure!(
        revoked,
        "there is no key {id}, or it is revoked already; `stampcard keys list` shows the keys"
    );
    Ok(())
}
