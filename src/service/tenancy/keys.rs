//! The keys of a program, managed with one of them.

use uuid::Uuid;

use super::tenants;
use crate::domain::Refusal;
use crate::service::{Answer, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::credentials::KeyScope;
use crate::store::{self, Counted, WriteError};
use crate::wire::{CreateKeyRequest, CreatedKeyResponse, KeyListResponse, KeyResponse};

impl Services {
    /// The keys of the caller's program that are not revoked, newest first.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn list_keys(&self, key: KeyPrincipal) -> Result<KeyListResponse, ServiceError> {
        let directory = std::sync::Arc::clone(&self.directory);
        self.read(key, move |connection| {
            let rows = store::credentials::of_program(connection, key.program)?;
            let keys = rows.into_iter().map(|row| KeyResponse {
                id: row.uuid.to_string(),
                name: row.name,
                key_prefix: row.prefix,
                created_at: row.created_at.to_string(),
                last_used_at: directory
                    .last_used(&row.hash)
                    .max(row.last_used_at)
                    .map(|at| at.to_string()),
                current: row.number == key.credential,
            });
            Ok(KeyListResponse {
                keys: keys.collect(),
            })
        })
        .await
    }

    /// Creates another key of the caller's program.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_key(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: CreateKeyRequest,
    ) -> Result<Reply, WriteError> {
        let caps = self.limits.caps;
        self.write(key, idempotency, move |tx, key| {
            let program = key.program;
            caps.check(tx, Counted::Keys(program), 1)?;
            let environment = key.environment;
            let (scope, name) = (KeyScope::Program(program), request.name.as_str());
            let (stored, plain_key) = tenants::create_key(tx, scope, environment, name)?;
            let key = KeyResponse {
                id: stored.uuid.to_string(),
                name: name.to_owned(),
                key_prefix: stored.prefix,
                created_at: stored.created_at.to_string(),
                last_used_at: None,
                current: false,
            };
            Ok(Answer::created(&CreatedKeyResponse { key, plain_key }).secret())
        })
        .await
    }

    /// Revokes a key of the caller's program, except the one that the caller uses. It takes effect
    /// at the next request with that key.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn revoke_key(&self, key: KeyPrincipal, id: String) -> Result<Reply, WriteError> {
        self.write(key, None, move |tx, key| {
            let not_found = ServiceError::Refused(Refusal::NotFound("key"));
            let found = match Uuid::try_parse(&id) {
                Ok(uuid) => store::credentials::find_in_program(tx, key.program, uuid)?,
                Err(_) => None,
            };
            let found = found.ok_or(not_found)?;
            if found == key.credential {
                return Err(Refusal::KeyInUse.into());
            }
            let now = tx.clock_now();
            store::credentials::revoke_number(tx, found, now)?;
            Ok(Answer::no_content())
        })
        .await
    }
}
