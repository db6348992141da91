//! The token exchange: a key obtains a token that an app uses for one member.

use super::members;
use crate::books::Record;
use crate::domain::{Event, MemberProfile, Refusal, Timestamp};
use crate::service::IdempotencyKey;
use crate::service::{Answer, KeyPrincipal, MemberPrincipal, Reply, ServiceError, Services};
use crate::store::{self, Transaction, WriteError};
use crate::wire::{ExchangeTokenRequest, TokenGrantResponse};

impl Services {
    /// Mints a member token, and creates the member if there is none.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn exchange_token(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: ExchangeTokenRequest,
    ) -> Result<Reply, WriteError> {
        let tokens = std::sync::Arc::clone(&self.tokens);
        let (ttl, pool) = (self.limits.member_token_ttl, self.limits.credit_pool);
        let caps = self.limits.caps;
        self.write(key, idempotency, move |tx, key| {
            let at = tx.now(key.program);
            let ExchangeTokenRequest {
                external_user_id,
                profile,
            } = request;
            let known = tx.account_of(key.program, &external_user_id);
            if known.as_ref().is_some_and(|record| record.is_archived) {
                return Err(Refusal::NotFound("member").into());
            }
            let number = match known {
                // The row need not be read if it is not changed.
                Some(record) if profile == MemberProfile::default() => record.number,
                Some(_) => {
                    let member = members::current(tx, key.program, external_user_id)?;
                    members::merge(tx, at, member, profile, false)?.number
                }
                None => {
                    members::create(tx, caps, (at, key), &external_user_id, profile, None)?.number
                }
            };
            let record = tx.account(number);
            let record = record.ok_or(store::Error::Impossible("member without an account"))?;
            // Tokens expire by the server's clock, not by the program's.
            let expires_at = tx.clock_now().saturating_add(ttl);
            note(tx, at, key, &record, (pool, expires_at))?;
            let principal = MemberPrincipal {
                program: key.program,
                member: number,
                epoch: i64::from(record.token_epoch),
                environment: key.environment,
                expires_at,
                organization: key.organization,
                is_suspended: key.is_suspended,
                version: key.version,
            };
            let token = tokens.mint(principal);
            Ok(Answer::ok(&TokenGrantResponse::new(token, expires_at)).secret())
        })
        .await
    }
}

/// Records an exchange. It identifies the member unless an earlier token is still valid; an
/// identification takes a credit as long as the pool and the organization's allocation have one.
fn note(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    key: &KeyPrincipal,
    record: &Record,
    (pool, expires_at): (i64, Timestamp),
) -> Result<(), ServiceError> {
    let identified = record
        .token_expires_at
        .is_none_or(|end| end <= tx.clock_now());
    let mut credit = false;
    if identified {
        let month = at.month();
        let allocation = store::organizations::allocation(tx, key.organization)?;
        let own = store::credits::organization_used(tx, key.organization, month)?;
        credit = store::credits::pool_used(tx, key.environment, month)? < pool
            && allocation.is_none_or(|most| own < most);
        if credit {
            store::credits::take(tx, key.environment, key.organization, month)?;
        }
    }
    let event = Event::TokenExchanged {
        member: record.number,
        identified,
        credit,
        expires_at: Some(expires_at),
    };
    tx.record(Some(key.program), at, event)?;
    Ok(())
}
