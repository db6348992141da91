//! Keys as managed by the operator on the database of a stopped server, partner keys included.

use secrecy::SecretString;
use uuid::Uuid;

use super::tenants;
use crate::domain::{Environment, Name};
use crate::service::random::random_bytes;
use crate::service::{ServiceError, Services};
use crate::store::credentials::{KeyScope, ListedKeyRow};
use crate::store::{self, Tenant, Transaction, WriteError};

impl Services {
    /// Every key that is not revoked, oldest first.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn list_all_keys(&self) -> Result<Vec<ListedKeyRow>, ServiceError> {
        self.read(Tenant::Upkeep, |connection| {
            Ok(store::credentials::all_listed(connection)?)
        })
        .await
    }

    /// Creates a partner key of an environment. Returns its id and the key.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_partner_key(
        &self,
        environment: Environment,
        name: Name,
    ) -> Result<(Uuid, SecretString), WriteError> {
        self.writer
            .upkeep()
            .write(move |tx: &mut Transaction<'_>| {
                let scope = KeyScope::Partner;
                let (stored, key) = tenants::create_key(tx, scope, environment, name.as_str())?;
                Ok((stored.uuid, key))
            })
            .await
    }

    /// Revokes a key of any kind. Returns `false` if there is no valid key of this id.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn revoke_any_key(&self, key: Uuid) -> Result<bool, WriteError> {
        self.writer
            .upkeep()
            .write(move |tx: &mut Transaction<'_>| {
                let now = tx.clock_now();
                store::credentials::revoke_any(tx, key, now)
            })
            .await
    }

    /// Replaces the key of member tokens. Every existing token becomes invalid at the next start.
    ///
    /// # Errors
    /// [`WriteError`].
    ///
    /// # Panics
    /// If the operating system returns no random bytes.
    pub async fn rotate_token_key(&self) -> Result<(), WriteError> {
        let key = random_bytes();
        self.writer
            .upkeep()
            .write(move |tx: &mut Transaction<'_>| store::settings::replace_token_key(tx, &key))
            .await
    }
}
