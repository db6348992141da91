//! Callers judged again, in the transaction of their write.

use super::directory::Directory;
use super::principals::{
    Caller, KeyPrincipal, MemberPrincipal, PartnerPrincipal, principal_member,
};
use super::validity::check_active;
use crate::domain::{Actor, CredentialNumber, ProgramNumber, Refusal};
use crate::service::{Scope, ServiceError};
use crate::store::credentials::{CredentialRow, KeyScope};
use crate::store::programs::ProgramAccessRow;
use crate::store::{self, Connection, Tenant, Transaction};

/// Who may write. A write asks once more, in the transaction that it is about to change something
/// in, whether its caller still may: the credential may have been revoked, its program archived or
/// its organization suspended while the request's body was on its way.
pub(in crate::service) trait Principal:
    Copy + Into<Tenant> + std::fmt::Debug + Send + 'static
{
    /// Who the log says caused what this caller does.
    fn actor(&self) -> Actor;

    /// Within what an Idempotency-Key of this caller means one request.
    fn scope(&self) -> Scope;

    /// The caller as the open transaction sees it: the program of a key may be another by now. As
    /// long as nothing changed since the request came that costs next to nothing.
    ///
    /// # Errors
    /// [`Refusal::CredentialRevoked`] or [`Refusal::Inactive`].
    fn recheck(self, tx: &Transaction<'_>, directory: &Directory) -> Result<Self, ServiceError>;
}

impl Principal for KeyPrincipal {
    fn actor(&self) -> Actor {
        Actor::Key(self.credential)
    }

    fn scope(&self) -> Scope {
        Scope::Program(self.program)
    }

    fn recheck(self, tx: &Transaction<'_>, directory: &Directory) -> Result<Self, ServiceError> {
        if directory.stands_for_key(self.version, tx.open_access()) {
            return Ok(self);
        }
        let key = good_key(tx, self.credential)?;
        let KeyScope::Program(program) = key.scope else {
            return Err(Refusal::CredentialRevoked.into());
        };
        Ok(KeyPrincipal::new(
            &key,
            &good_program(tx, program)?,
            self.version,
        ))
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
            && !directory.stands_for_key(self.version, tx.open_access())
        {
            good_key(tx, credential)?;
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

    fn recheck(self, tx: &Transaction<'_>, directory: &Directory) -> Result<Self, ServiceError> {
        if !directory.stands_for_member(self.version, tx.open_access()) {
            if self.expires_at <= tx.clock_now() {
                return Err(Refusal::TokenRevoked.into());
            }
            good_program(tx, self.program)?;
            principal_member(tx, self)?;
        }
        Ok(self)
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
}

/// A key that is not revoked, as the open transaction sees it.
fn good_key(
    connection: &Connection,
    number: CredentialNumber,
) -> Result<CredentialRow, ServiceError> {
    store::credentials::get(connection, number)?
        .filter(|key| !key.is_revoked)
        .ok_or(ServiceError::Refused(Refusal::CredentialRevoked))
}

/// A program whose credentials are good, as the open transaction sees it.
fn good_program(
    connection: &Connection,
    number: ProgramNumber,
) -> Result<ProgramAccessRow, ServiceError> {
    let program = store::programs::access(connection, number)?;
    let program = program.ok_or(Refusal::CredentialRevoked)?;
    let organization = store::organizations::access(connection, program.organization)?;
    check_active(&program, organization.as_ref()).map_err(|_| Refusal::Inactive)?;
    Ok(program)
}
