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

/// The keys made on first start, shown once.
#[derive(Debug)]
pub struct FirstKeys {
    /// For each environment, the sandbox first: the Org-API-Key and the partner key.
    pub keys: Vec<(Environment, SecretString, SecretString)>,
}

/// Shows the keys of a new database. If it fails, none are made.
pub type Show<'a> = &'a dyn Fn(&FirstKeys) -> io::Result<()>;

/// Shows the keys, then makes everything in one transaction; gives back the key of member tokens
/// and the new keys. A process that is killed in between has shown keys that never count: the next
/// start shows others.
///
/// # Errors
/// [`StartError::Unseen`] and [`StartError::Bootstrap`].
///
/// # Panics
/// If the operating system gives no random bytes.
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
            let program = tenants::create(tx, &mut first)?;
            let name = tenants::FIRST_KEY_NAME;
            tenants::add_key(
                tx,
                KeyScope::Program(program.number),
                *environment,
                name,
                org_key,
            )?;
            tenants::add_key(tx, KeyScope::Partner, *environment, name, partner_key)?;
        }
        Ok(())
    });
    written.map_err(StartError::Bootstrap)?;
    Ok((token_key, first_keys))
}

/// The name that the first organization and program of an environment get.
pub fn first_name(environment: Environment) -> Name {
    Name::stored(match environment {
        Environment::Sandbox => "Sandbox".to_owned(),
        Environment::Live => "Live".to_owned(),
    })
}
