//! The first start of a database: one organization with one program in each environment, and the
//! keys to them.

use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{credentials, first_name};
use crate::config::BootstrapSettings;
use crate::domain::{
    Currency, CurrencyName, CurrencySymbol, Environment, Event, OrganizationTier, Tier,
};
use crate::store::credentials::{KeyScope, NewCredential};
use crate::store::{self, Transaction, WriteError, Writer};

/// The keys made on first start, shown once.
#[derive(Debug)]
pub struct FirstKeys {
    /// For each environment, the sandbox first: the Org-API-Key and the partner key.
    pub keys: Vec<(Environment, SecretString, SecretString)>,
}

/// Characters of a key that may be shown in a list: the kind, the environment, and a little more.
const SHOWN_RANDOM_CHARS: usize = 6;

/// Makes everything in one transaction; gives back the key of member tokens and the new keys.
///
/// # Errors
/// [`WriteError`].
///
/// # Panics
/// If the operating system gives no random bytes.
pub fn run(
    writer: &Writer,
    settings: &BootstrapSettings,
) -> Result<([u8; 32], FirstKeys), WriteError> {
    let mut token_key = [0; 32];
    getrandom::fill(&mut token_key).expect("the system gives random bytes");
    let keys: Vec<_> = Environment::ALL
        .into_iter()
        .map(|environment| {
            let name = environment.as_str();
            let chosen = |key: Option<&SecretString>, kind: &str| {
                key.cloned()
                    .unwrap_or_else(|| new_key(&format!("{kind}_{name}_")))
            };
            let org_key = chosen(settings.org_key(environment), "expys");
            let partner_key = chosen(settings.partner_key(environment), "partner");
            (environment, org_key, partner_key)
        })
        .collect();
    let first_keys = FirstKeys { keys: keys.clone() };
    writer.write_blocking(move |tx| {
        store::settings::initialize(tx, Uuid::new_v4(), &token_key)?;
        for (environment, org_key, partner_key) in &keys {
            let program = create_tenant(tx, *environment, first_name(*environment))?;
            add_key(tx, KeyScope::Program(program), *environment, org_key)?;
            add_key(tx, KeyScope::Partner, *environment, partner_key)?;
        }
        Ok(())
    })?;
    Ok((token_key, first_keys))
}

/// A new key: 192 random bits behind a prefix that tells what it is for.
fn new_key(prefix: &str) -> SecretString {
    let mut random = [0; 24];
    getrandom::fill(&mut random).expect("the system gives random bytes");
    SecretString::from(format!("{prefix}{}", HEXLOWER.encode(&random)))
}

/// An organization and its first program, named after it.
fn create_tenant(
    tx: &mut Transaction<'_>,
    environment: Environment,
    name: &str,
) -> Result<crate::domain::ProgramNumber, store::Error> {
    let now = tx.clock_now();
    let paid = OrganizationTier::Paid;
    let organization =
        store::organizations::insert(tx, Uuid::new_v4(), environment, name, paid, now)?;
    tx.record(
        None,
        now,
        Event::OrganizationCreated {
            organization,
            environment,
        },
    )?;
    let impossible = |_| store::Error::Impossible("default setting");
    let currency = Currency {
        name: CurrencyName::parse("currencyName", "Points").map_err(impossible)?,
        symbol: CurrencySymbol::parse("currencySymbol", "pts").map_err(impossible)?,
    };
    let tier = Tier::parse("defaultTier", "standard").map_err(impossible)?;
    let uuid = Uuid::new_v4();
    let program = store::programs::insert(tx, uuid, organization, name, &currency, &tier, now)?;
    tx.record(Some(program), now, Event::ProgramCreated { organization })?;
    Ok(program)
}

/// Stores a key's hash and its first characters.
fn add_key(
    tx: &mut Transaction<'_>,
    scope: KeyScope,
    environment: Environment,
    key: &SecretString,
) -> Result<(), store::Error> {
    let text = key.expose_secret();
    let random_at = text.rfind('_').map_or(0, |index| index + 1);
    // A short key of the operator's own shows nothing of its secret part.
    let is_long = text.len() - random_at >= 4 * SHOWN_RANDOM_CHARS;
    let shown = random_at + if is_long { SHOWN_RANDOM_CHARS } else { 0 };
    let now = tx.clock_now();
    let credential = NewCredential {
        scope,
        environment,
        name: "first key",
        prefix: text.get(..shown).unwrap_or_default(),
        hash: credentials::hash(text),
    };
    store::credentials::insert(tx, &credential, now)?;
    tx.credentials_changed();
    Ok(())
}
