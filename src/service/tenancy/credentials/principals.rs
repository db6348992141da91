//! Callers who proved to hold a credential.

use uuid::Uuid;

use crate::domain::{
    CredentialNumber, Environment, Member, MemberNumber, OrganizationNumber, ProgramNumber,
    Refusal, Timestamp,
};
use crate::service::ServiceError;
use crate::store::credentials::{CredentialRow, KeyHash};
use crate::store::members::Selector;
use crate::store::programs::ProgramAccessRow;
use crate::store::{self, Connection, Tenant};

/// How often what decides about credentials has changed. A request carries the version that it was
/// authenticated under: as long as that is the present one, it would be let in again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DirectoryVersion {
    /// Of keys, programs and organizations.
    pub(super) access: u64,
    /// Of the removals of members.
    pub(super) removals: u64,
}

/// A caller who proved to hold an Org-API-Key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPrincipal {
    /// The program it opens.
    pub program: ProgramNumber,
    /// The program's public id.
    pub program_uuid: Uuid,
    /// The program's organization.
    pub organization: OrganizationNumber,
    /// Where.
    pub environment: Environment,
    /// The hash of the key, which stands for it.
    pub fingerprint: KeyHash,
    /// The key's row.
    pub credential: CredentialNumber,
    /// When it was looked up.
    pub version: DirectoryVersion,
}

impl KeyPrincipal {
    /// The holder of a key to this program.
    pub(super) fn new(
        key: &CredentialRow,
        program: &ProgramAccessRow,
        version: DirectoryVersion,
    ) -> Self {
        Self {
            program: program.number,
            program_uuid: program.uuid,
            organization: program.organization,
            environment: program.environment,
            fingerprint: key.hash,
            credential: key.number,
            version,
        }
    }
}

/// A caller who proved to hold a member token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberPrincipal {
    /// The program.
    pub program: ProgramNumber,
    /// The member.
    pub member: MemberNumber,
    /// The member's epoch when the token was minted.
    pub epoch: i64,
    /// Where.
    pub environment: Environment,
    /// When the token ends.
    pub expires_at: Timestamp,
    /// The program's organization, which no token tells: the directory does.
    pub organization: OrganizationNumber,
    /// When it was looked up.
    pub version: DirectoryVersion,
}

/// A caller who proved to hold a partner key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartnerPrincipal {
    /// Where.
    pub environment: Environment,
    /// The hash of the key, which stands for it.
    pub fingerprint: KeyHash,
    /// The key's row; `None` for an operator who works on the file itself.
    pub credential: Option<CredentialNumber>,
    /// When it was looked up.
    pub version: DirectoryVersion,
}

impl PartnerPrincipal {
    /// Whoever has the database itself, and needs no key.
    pub fn with_the_file(environment: Environment) -> Self {
        Self {
            environment,
            fingerprint: KeyHash::default(),
            credential: None,
            version: DirectoryVersion::default(),
        }
    }
}

/// An Org-API-Key or a member token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// An Org-API-Key.
    Key(KeyPrincipal),
    /// A member token.
    Member(MemberPrincipal),
}

impl Caller {
    /// The program that the call is about.
    pub fn program(&self) -> ProgramNumber {
        match self {
            Self::Key(key) => key.program,
            Self::Member(member) => member.program,
        }
    }
}

impl From<KeyPrincipal> for Tenant {
    fn from(key: KeyPrincipal) -> Self {
        Self::Program {
            organization: key.organization,
            program: key.program,
            environment: key.environment,
        }
    }
}

impl From<MemberPrincipal> for Tenant {
    fn from(member: MemberPrincipal) -> Self {
        Self::Program {
            organization: member.organization,
            program: member.program,
            environment: member.environment,
        }
    }
}

impl From<PartnerPrincipal> for Tenant {
    fn from(partner: PartnerPrincipal) -> Self {
        Self::Partner(partner.environment)
    }
}

impl From<Caller> for Tenant {
    fn from(caller: Caller) -> Self {
        match caller {
            Caller::Key(key) => key.into(),
            Caller::Member(member) => member.into(),
        }
    }
}

/// The member that a token was minted for.
pub(in crate::service) fn principal_member(
    connection: &Connection,
    principal: MemberPrincipal,
) -> Result<Member, ServiceError> {
    let selector = Selector::Number(principal.member);
    store::members::find(connection, principal.program, &selector)?
        .filter(|member| member.token_epoch == principal.epoch && member.archived_at.is_none())
        .ok_or(ServiceError::Refused(Refusal::TokenRevoked))
}
