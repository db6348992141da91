//! Who may do what: keys are looked up by their hash in memory, member tokens are opened.

use std::collections::HashMap;

use parking_lot::RwLock;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::domain::{
    Environment, MemberNumber, OrganizationNumber, OrganizationStatus, ProgramNumber, ProgramStatus,
};
use crate::store::credentials::{KeyHash, KeyScope};
use crate::store::programs::ProgramAccessRow;
use crate::store::{self, Connection};

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
}

/// Either.
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

/// Why a credential opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// It is unknown, revoked or expired.
    #[error("the credential is unknown, revoked or expired")]
    Unauthorized,
    /// Its program is archived, or its organization may not act.
    #[error("the program or its organization is not active")]
    Inactive,
}

/// Every key that is good and every program, in memory.
#[derive(Debug, Default)]
pub struct Directory {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: HashMap<KeyHash, KeyScope>,
    programs: HashMap<ProgramNumber, ProgramAccessRow>,
}

/// The hash that stands for a key.
pub(super) fn hash(key: &str) -> KeyHash {
    Sha256::digest(key.as_bytes()).into()
}

impl Directory {
    /// Reads all keys and programs.
    ///
    /// # Errors
    /// [`store::Error`] if the database fails.
    pub(super) fn load(connection: &Connection) -> Result<Self, store::Error> {
        let directory = Self::default();
        directory.reload(connection)?;
        Ok(directory)
    }

    pub(super) fn reload(&self, connection: &Connection) -> Result<(), store::Error> {
        let keys = store::credentials::all_active(connection)?;
        let programs = store::programs::all_access(connection)?;
        *self.state.write() = State {
            keys: keys.into_iter().map(|key| (key.hash, key.scope)).collect(),
            programs: programs
                .into_iter()
                .map(|program| (program.number, program))
                .collect(),
        };
        Ok(())
    }

    pub(super) fn clear(&self) {
        *self.state.write() = State::default();
    }

    /// Who holds an Org-API-Key. The key is found by its hash, so that the time it takes says
    /// nothing about how much of a guess is right.
    ///
    /// # Errors
    /// [`CredentialError`] if it is unknown or revoked, or its program may not act.
    pub fn authenticate_key(&self, key: &str) -> Result<KeyPrincipal, CredentialError> {
        let hash = hash(key);
        let state = self.state.read();
        match state.keys.get(&hash) {
            Some(KeyScope::Program(program)) => {
                let program = state
                    .programs
                    .get(program)
                    .ok_or(CredentialError::Unauthorized)?;
                check_active(program)?;
                Ok(KeyPrincipal {
                    program: program.number,
                    program_uuid: program.uuid,
                    organization: program.organization,
                    environment: program.environment,
                })
            }
            Some(KeyScope::Partner) | None => Err(CredentialError::Unauthorized),
        }
    }

    /// Whether a partner key is known.
    ///
    /// # Errors
    /// [`CredentialError::Unauthorized`] if it is unknown or revoked.
    pub fn authenticate_partner(&self, key: &str) -> Result<(), CredentialError> {
        match self.state.read().keys.get(&hash(key)) {
            Some(KeyScope::Partner) => Ok(()),
            Some(KeyScope::Program(_)) | None => Err(CredentialError::Unauthorized),
        }
    }

    /// Whether credentials of a program are good.
    ///
    /// # Errors
    /// [`CredentialError`] if not.
    pub fn check_program(&self, program: ProgramNumber) -> Result<(), CredentialError> {
        let state = self.state.read();
        check_active(
            state
                .programs
                .get(&program)
                .ok_or(CredentialError::Unauthorized)?,
        )
    }
}

fn check_active(program: &ProgramAccessRow) -> Result<(), CredentialError> {
    let is_active = program.status == ProgramStatus::Active
        && program.organization_status == OrganizationStatus::Active;
    if is_active {
        Ok(())
    } else {
        Err(CredentialError::Inactive)
    }
}
