//! The first start of a database: one organization with one program in each environment, and the
//! keys to them.

use std::io;

use secrecy::SecretString;
use uuid::Uuid;

use super::tenants;
use crate::config::BootstrapSettings;
use crate::domain::{Environment, Name, OrganizationTier};
use crate::service::StartError;
use crate::service::random::random_bytes;
use crate::service::writer::UpkeepWriter;
use crate::store;
use crate::store::credentials::KeyScope;

/// The keys created on the first start, shown once.
#[derive(Debug)]
pub struct FirstKeys {
    /// For each environment, the sandbox first: the Org-API-Key and the partner key.
    pub keys: Vec<(Environment, SecretString, SecretString)>,
}

/// Shows the keys of a new database. If it fails, nothing is created.
pub type Show<'a> = &'a dyn Fn(&FirstKeys) -> io::Result<()>;

/// Shows the keys, then creates everything in one transaction. Returns the key of member tokens and
/// the new keys. If the process is killed in between, the shown keys are never valid: the next
/// start shows others.
///
/// # Errors
/// [`StartError::Unseen`] and [`StartError::Bootstrap`].
///
/// # Panics
/// If the operating system returns no random bytes.
pub(in crate::service) fn run(
    writer: &UpkeepWriter,
    partner: Uuid,
    settings: &BootstrapSettings,
    show: Show<'_>,
) -> Result<([u8; 32], FirstKeys), StartError> {
    let token_key = random_bytes();
    let keys: Vec<_> = Environment::ALL
        .into_iter()
        .map(|environment| {
            let chosen = |key: Option<&SecretString>, kind: &str| {
                key.cloned()
                    .unwrap_or_else(|| tenants::new_key(kind, environment))
            };
            let org_key = chosen(settings.org_key(environment), tenants::ORG_KEY);
            let partner_key = chosen(settings.partner_key(environment), tenants::PARTNER_KEY);
            (environment, org_key, partner_key)
        })
        .collect();
    let first_keys = FirstKeys { keys: keys.clone() };
    show(&first_keys).map_err(StartError::Unseen)?;
    let written = writer.write_blocking(move |tx| {
        store::settings::initialize(tx, partner, &token_key)?;
        for (environment, org_key, partner_key) in &keys {
            let mut first = tenants::new_organization(*environment, first_name(*environment), tx);
            first.tier = OrganizationTier::Paid;
            let program = tenants::create_organization(tx, &mut first)?;
            let name = tenants::FIRST_KEY_NAME;
            tenants::store_key(
                tx,
                KeyScope::Program(program.number),
                *environment,
                name,
                org_key,
            )?;
            tenants::store_key(tx, KeyScope::Partner, *environment, name, partner_key)?;
        }
        Ok(())
    });
    written.map_err(StartError::Bootstrap)?;
    Ok((token_key, first_keys))
}

/// The name of the first organization and program of an environment.
pub fn first_name(environment: Environment) -> Name {
    Name::stored(match environment {
        Environment::Sandbox => "Sandbox".to_owned(),
        Environment::Live => "Live".to_owned(),
    })
}
