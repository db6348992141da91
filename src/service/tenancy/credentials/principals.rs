//! Authenticated callers.

use uuid::Uuid;

use crate::domain::{
    CredentialNumber, Environment, Member, MemberNumber, OrganizationNumber, ProgramNumber,
    ProgramStatus, Refusal, Timestamp,
};
use crate::service::ServiceError;
use crate::store::credentials::{CredentialRow, KeyHash};
use crate::store::members::Selector;
use crate::store::programs::ProgramAccessRow;
use crate::store::{self, Connection, Tenant};

/// The version of the directory: the number of changes that affect credentials. A request carries
/// the version it was authenticated under; as long as that is the current one, its credential is
/// still valid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DirectoryVersion {
    /// Changes of keys, programs and organizations.
    pub(super) access: u64,
    /// Removals of members.
    pub(super) removals: u64,
}

/// A caller authenticated by an Org-API-Key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPrincipal {
    /// The program that the key opens.
    pub program: ProgramNumber,
    /// The program's public id.
    pub program_uuid: Uuid,
    /// The program's organization.
    pub organization: OrganizationNumber,
    /// The environment.
    pub environment: Environment,
    /// The hash of the key, which identifies it.
    pub fingerprint: KeyHash,
    /// The key's row.
    pub credential: CredentialNumber,
    /// Whether the program is suspended, so that it can only be read.
    pub is_suspended: bool,
    /// The version of the directory when it was looked up.
    pub version: DirectoryVersion,
}

impl KeyPrincipal {
    /// A caller with a key to this program.
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
            is_suspended: program.status == ProgramStatus::Suspended,
            version,
        }
    }
}

/// A caller authenticated by a member token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberPrincipal {
    /// The program.
    pub program: ProgramNumber,
    /// The member.
    pub member: MemberNumber,
    /// The member's epoch when the token was minted.
    pub epoch: i64,
    /// The environment.
    pub environment: Environment,
    /// The time when the token expires.
    pub expires_at: Timestamp,
    /// The program's organization, from the directory: the token does not contain it.
    pub organization: OrganizationNumber,
    /// Whether the program is suspended, from the directory as well.
    pub is_suspended: bool,
    /// The version of the directory when it was looked up.
    pub version: DirectoryVersion,
}

/// A caller authenticated by a partner key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartnerPrincipal {
    /// The environment.
    pub environment: Environment,
    /// The hash of the key, which identifies it.
    pub fingerprint: KeyHash,
    /// The key's row; `None` for an operator who works on the database file.
    pub credential: Option<CredentialNumber>,
    /// The version of the directory when it was looked up.
    pub version: DirectoryVersion,
}

impl PartnerPrincipal {
    /// An operator who has the database file itself and needs no key.
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

    /// The organization of the program, and its environment.
    pub(in crate::service) fn organization(&self) -> (Environment, OrganizationNumber) {
        match self {
            Self::Key(key) => (key.environment, key.organization),
            Self::Member(member) => (member.environment, member.organization),
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

/// Finds the member for whom a token was minted.
pub(in crate::service) fn principal_member(
    connection: &Connection,
    principal: MemberPrincipal,
) -> Result<Member, ServiceError> {
    let selector = Selector::Number(principal.member);
    store::members::find(connection, principal.program, &selector)?
        .filter(|member| member.token_epoch == principal.epoch && member.archived_at.is_none())
        .ok_or(ServiceError::Refused(Refusal::TokenRevoked))
}
