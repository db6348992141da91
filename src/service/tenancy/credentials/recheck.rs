//! The second check of a caller's credential, in the transaction of the write.

use super::directory::Directory;
use super::principals::{
    Caller, KeyPrincipal, MemberPrincipal, PartnerPrincipal, principal_member,
};
use super::validity::check_active;
use crate::domain::{Actor, CredentialNumber, ProgramNumber, ProgramStatus, Refusal};
use crate::service::{Scope, ServiceError};
use crate::store::credentials::{CredentialRow, KeyScope};
use crate::store::programs::ProgramAccessRow;
use crate::store::{self, Connection, Tenant, Transaction};

/// A caller that can write. A write checks its caller again in its own transaction, because the
/// credential may have been revoked, its program archived or its organization suspended since the
/// request was authenticated.
pub(in crate::service) trait Principal:
    Copy + Into<Tenant> + std::fmt::Debug + Send + 'static
{
    /// The actor that the log names as the cause of this caller's writes.
    fn actor(&self) -> Actor;

    /// The scope in which an `Idempotency-Key` of this caller identifies one request.
    fn scope(&self) -> Scope;

    /// Returns the caller as the open transaction sees it: the program of a key may have been
    /// replaced. As long as nothing has changed since the request was authenticated, this is one
    /// comparison.
    ///
    /// # Errors
    /// [`Refusal::CredentialRevoked`] or [`Refusal::Inactive`].
    fn recheck(self, tx: &Transaction<'_>, directory: &Directory) -> Result<Self, ServiceError>;

    /// Whether its program is suspended, so that it can only be read.
    fn is_suspended(&self) -> bool {
        false
    }
}

impl Principal for KeyPrincipal {
    fn actor(&self) -> Actor {
        Actor::Key(self.credential)
    }

    fn scope(&self) -> Scope {
        Scope::Program(self.program)
    }

    fn recheck(self, tx: &Transaction<'_>, directory: &Directory) -> Result<Self, ServiceError> {
        if directory.is_current_for_key(self.version, tx.access_changes()) {
            return Ok(self);
        }
        let key = valid_key(tx, self.credential)?;
        let KeyScope::Program(program) = key.scope else {
            return Err(Refusal::CredentialRevoked.into());
        };
        Ok(KeyPrincipal::new(
            &key,
            &active_program(tx, program)?,
            self.version,
        ))
    }

    fn is_suspended(&self) -> bool {
        self.is_suspended
    }
}

impl Principal for PartnerPrincipal {
    fn actor(&self) -> Actor {
        self.credential.map_or(Actor::Server, Actor::Partner)
    }

    fn scope(&self) -> Scope {
        Scope::Partner(self.environment)
    }

    fn recheck(self, tx: &Transaction<'_>, directory: &Directory) -> Result<Self, ServiceError> {
        if let Some(credential) = self.credential
            && !directory.is_current_for_key(self.version, tx.access_changes())
        {
            valid_key(tx, credential)?;
        }
        Ok(self)
    }
}

impl Principal for MemberPrincipal {
    fn actor(&self) -> Actor {
        Actor::Member
    }

    fn scope(&self) -> Scope {
        Scope::Member(self.program, self.member)
    }

    fn recheck(
        mut self,
        tx: &Transaction<'_>,
        directory: &Directory,
    ) -> Result<Self, ServiceError> {
        if !directory.is_current_for_member(self.version, tx.access_changes()) {
            if self.expires_at <= tx.clock_now() {
                return Err(Refusal::TokenRevoked.into());
            }
            let program = active_program(tx, self.program)?;
            self.is_suspended = program.status == ProgramStatus::Suspended;
            principal_member(tx, self)?;
        }
        Ok(self)
    }

    fn is_suspended(&self) -> bool {
        self.is_suspended
    }
}

impl Principal for Caller {
    fn actor(&self) -> Actor {
        match self {
            Self::Key(key) => key.actor(),
            Self::Member(member) => member.actor(),
        }
    }

    fn scope(&self) -> Scope {
        match self {
            Self::Key(key) => key.scope(),
            Self::Member(member) => member.scope(),
        }
    }

    fn recheck(self, tx: &Transaction<'_>, directory: &Directory) -> Result<Self, ServiceError> {
        Ok(match self {
            Self::Key(key) => Self::Key(key.recheck(tx, directory)?),
            Self::Member(member) => Self::Member(member.recheck(tx, directory)?),
        })
    }

    fn is_suspended(&self) -> bool {
        match self {
            Self::Key(key) => key.is_suspended(),
            Self::Member(member) => member.is_suspended(),
        }
    }
}

/// Finds a key that is not revoked, in the open transaction.
fn valid_key(
    connection: &Connection,
    number: CredentialNumber,
) -> Result<CredentialRow, ServiceError> {
    store::credentials::get(connection, number)?
        .filter(|key| !key.is_revoked)
        .ok_or(ServiceError::Refused(Refusal::CredentialRevoked))
}

/// Finds a program whose credentials are valid, in the open transaction.
fn active_program(
    connection: &Connection,
    number: ProgramNumber,
) -> Result<ProgramAccessRow, ServiceError> {
    let program = store::programs::access(connection, number)?;
    let program = program.ok_or(Refusal::CredentialRevoked)?;
    let organization = store::organizations::access(connection, program.organization)?;
    check_active(&program, organization.as_ref()).map_err(|_| Refusal::Inactive)?;
    Ok(program)
}
