//! Creation of organizations, programs and keys: on first start, by the partner, by an operator.

use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::credentials;
use crate::domain::{
    Currency, CurrencyName, CurrencySymbol, Environment, Event, Name, Organization,
    OrganizationNumber, OrganizationStatus, OrganizationTier, Program, ProgramNumber,
    ProgramStatus, Rate, RedemptionTarget, Seq, Tier, Timestamp, UnknownParticipants, Zone,
};
use crate::service::random::random_bytes;
use crate::store::credentials::{KeyScope, NewCredential};
use crate::store::{self, Transaction};

/// The name of the first key of a new program.
pub(in crate::service) const FIRST_KEY_NAME: &str = "first key";
/// Prefix of a key to a program.
pub(in crate::service) const ORG_KEY: &str = "expys";
/// Prefix of a partner key.
pub(in crate::service) const PARTNER_KEY: &str = "partner";
/// Characters of a key's random part that a list shows.
const SHOWN_RANDOM_CHARS: usize = 6;

/// An organization on trial, not yet stored.
pub(in crate::service) fn new_organization(
    environment: Environment,
    name: Name,
    tx: &Transaction<'_>,
) -> Organization {
    Organization {
        number: OrganizationNumber(0),
        uuid: Uuid::new_v4(),
        environment,
        name,
        external_id: None,
        status: OrganizationStatus::Active,
        tier: OrganizationTier::Trial,
        metadata: None,
        allocation: None,
        created_at: tx.clock_now(),
        version: Seq(0),
    }
}

/// Creates an organization and its first program, which has the same name.
pub(in crate::service) fn create_organization(
    tx: &mut Transaction<'_>,
    organization: &mut Organization,
) -> Result<Program, store::Error> {
    store::organizations::insert(tx, organization)?;
    let (number, environment) = (organization.number, organization.environment);
    let event = Event::OrganizationCreated {
        organization: number,
        status: organization.status,
        environment,
    };
    organization.version = tx.record(None, organization.created_at, event)?;
    store::organizations::update(tx, organization)?;
    let (name, now) = (organization.name.clone(), organization.created_at);
    create_program(tx, new_program(number, environment, name, now)?)
}

/// A program with the default settings, which is not stored yet.
pub(in crate::service) fn new_program(
    organization: OrganizationNumber,
    environment: Environment,
    name: Name,
    now: Timestamp,
) -> Result<Program, store::Error> {
    let impossible = |_| store::Error::Impossible("default setting");
    Ok(Program {
        number: ProgramNumber(0),
        uuid: Uuid::new_v4(),
        organization,
        environment,
        name,
        status: ProgramStatus::Active,
        currency: Currency {
            name: CurrencyName::parse("currencyName", "Points").map_err(impossible)?,
            symbol: CurrencySymbol::parse("currencySymbol", "pts").map_err(impossible)?,
            rate_per_point: Rate::ZERO,
            units_per_usd: Rate::ONE,
        },
        default_tier: Tier::parse("defaultTier", "standard").map_err(impossible)?,
        expiry: None,
        expiry_notice: None,
        zone: Zone::UTC,
        description: None,
        target: RedemptionTarget::default(),
        unknown: UnknownParticipants::default(),
        refund_grace: None,
        created_at: now,
        updated_at: now,
        archived_at: None,
        version: Seq(0),
        configuration_version: Seq(0),
    })
}

/// Creates a program.
pub(in crate::service) fn create_program(
    tx: &mut Transaction<'_>,
    mut program: Program,
) -> Result<Program, store::Error> {
    store::programs::insert(tx, &mut program)?;
    let event = Event::ProgramCreated {
        organization: program.organization,
        default_tier: Some(program.default_tier.clone()),
    };
    program.version = tx.record(Some(program.number), program.created_at, event)?;
    program.configuration_version = program.version;
    store::programs::update(tx, &program)?;
    store::programs::configure(tx, &program)?;
    Ok(program)
}

/// Creates a key to a scope and stores its hash.
///
/// # Panics
/// If the operating system returns no random bytes.
pub(in crate::service) fn create_key(
    tx: &mut Transaction<'_>,
    scope: KeyScope,
    environment: Environment,
    name: &str,
) -> Result<(StoredKey, SecretString), store::Error> {
    let kind = match scope {
        KeyScope::Program(_) => ORG_KEY,
        KeyScope::Partner => PARTNER_KEY,
    };
    let key = new_key(kind, environment);
    let stored = store_key(tx, scope, environment, name, &key)?;
    Ok((stored, key))
}

/// A new key: 192 random bits behind a prefix that names its kind and environment.
///
/// # Panics
/// If the operating system returns no random bytes.
pub(in crate::service) fn new_key(kind: &str, environment: Environment) -> SecretString {
    let random = HEXLOWER.encode(&random_bytes::<24>());
    SecretString::from(format!("{kind}_{}_{random}", environment.as_str()))
}

/// A stored key as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) struct StoredKey {
    pub(in crate::service) uuid: Uuid,
    pub(in crate::service) prefix: String,
    pub(in crate::service) created_at: Timestamp,
}

/// Stores a key's hash and its first characters.
pub(in crate::service) fn store_key(
    tx: &mut Transaction<'_>,
    scope: KeyScope,
    environment: Environment,
    name: &str,
    key: &SecretString,
) -> Result<StoredKey, store::Error> {
    let text = key.expose_secret();
    let random_at = text.rfind('_').map_or(0, |index| index + 1);
    // A short key that the operator chose shows nothing of its secret part.
    let is_long = text.len() - random_at >= 4 * SHOWN_RANDOM_CHARS;
    let shown = random_at + if is_long { SHOWN_RANDOM_CHARS } else { 0 };
    let (uuid, now) = (Uuid::new_v4(), tx.clock_now());
    let prefix = text.get(..shown).unwrap_or_default();
    let hash = credentials::hash(text);
    let credential = NewCredential {
        scope,
        environment,
        uuid,
        name,
        prefix,
        hash,
    };
    store::credentials::insert(tx, &credential, now)?;
    Ok(StoredKey {
        uuid,
        prefix: prefix.to_owned(),
        created_at: now,
    })
}
