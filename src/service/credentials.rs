//! Who may do what: keys are looked up by their hash in memory, member tokens are opened.

use std::collections::{BTreeMap, HashMap};

use parking_lot::RwLock;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::domain::{
    Actor, CredentialNumber, Environment, MemberNumber, OrganizationNumber, OrganizationStatus,
    ProgramNumber, ProgramStatus, Timestamp,
};
use crate::store::credentials::{CredentialRow, KeyHash, KeyScope};
use crate::store::organizations::OrganizationAccessRow;
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
    /// The hash of the key, which stands for it.
    pub fingerprint: KeyHash,
    /// The key's row.
    pub credential: CredentialNumber,
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
}

impl PartnerPrincipal {
    /// Whoever has the database itself, and needs no key.
    pub fn with_the_file(environment: Environment) -> Self {
        Self {
            environment,
            fingerprint: KeyHash::default(),
            credential: None,
        }
    }

    /// Who the log says caused what this caller does.
    pub(super) fn actor(&self) -> Actor {
        self.credential.map_or(Actor::Server, Actor::Partner)
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

    /// Who the log says caused what this caller does.
    pub(super) fn actor(&self) -> Actor {
        match self {
            Self::Key(key) => Actor::Key(key.credential),
            Self::Member(_) => Actor::Member,
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

/// Every key that is good, every program and organization, and which tokens are dead, in memory.
#[derive(Debug, Default)]
pub struct Directory {
    state: RwLock<State>,
    /// Of members that were ever removed, the epoch of the tokens that are good now.
    epochs: RwLock<HashMap<MemberNumber, i64>>,
}

#[derive(Debug, Default)]
struct State {
    /// Ordered, not hashed: a key's hash needs no second one.
    keys: BTreeMap<KeyHash, Holder>,
    programs: HashMap<ProgramNumber, ProgramAccessRow>,
    /// The programs of each organization, the oldest first.
    owned: HashMap<OrganizationNumber, Vec<ProgramNumber>>,
    organizations: HashMap<OrganizationNumber, OrganizationAccessRow>,
}

/// Who holds a key, worked out when keys, programs and organizations are read.
#[derive(Debug, Clone, Copy)]
enum Holder {
    Program(Result<KeyPrincipal, CredentialError>),
    Partner(PartnerPrincipal),
}

impl State {
    fn new(
        programs: Vec<ProgramAccessRow>,
        organizations: Vec<OrganizationAccessRow>,
        keys: &[CredentialRow],
    ) -> Self {
        let mut owned: HashMap<_, Vec<_>> = HashMap::new();
        for program in &programs {
            owned
                .entry(program.organization)
                .or_default()
                .push(program.number);
        }
        let programs = programs.into_iter().map(|p| (p.number, p)).collect();
        let organizations = organizations.into_iter().map(|o| (o.number, o)).collect();
        let mut state = Self {
            keys: BTreeMap::new(),
            programs,
            owned,
            organizations,
        };
        state.keys = keys
            .iter()
            .map(|key| (key.hash, state.holder(key)))
            .collect();
        state
    }

    fn holder(&self, key: &CredentialRow) -> Holder {
        let KeyScope::Program(number) = key.scope else {
            return Holder::Partner(PartnerPrincipal {
                environment: key.environment,
                fingerprint: key.hash,
                credential: Some(key.number),
            });
        };
        let principal = || {
            let program = self.programs.get(&number);
            let program = program.ok_or(CredentialError::Unauthorized)?;
            self.check_active(program)?;
            Ok(KeyPrincipal {
                program: program.number,
                program_uuid: program.uuid,
                organization: program.organization,
                environment: program.environment,
                fingerprint: key.hash,
                credential: key.number,
            })
        };
        Holder::Program(principal())
    }

    fn check_active(&self, program: &ProgramAccessRow) -> Result<(), CredentialError> {
        let is_active = program.status == ProgramStatus::Active
            && self
                .organizations
                .get(&program.organization)
                .is_some_and(|organization| organization.status == OrganizationStatus::Active);
        if is_active {
            Ok(())
        } else {
            Err(CredentialError::Inactive)
        }
    }
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
        directory.rebuild(connection)?;
        Ok(directory)
    }

    /// Reads everything anew.
    pub(super) fn rebuild(&self, connection: &Connection) -> Result<(), store::Error> {
        let epochs = store::members::raised_epochs(connection)?;
        *self.epochs.write() = epochs.into_iter().collect();
        self.reload(connection)
    }

    /// Notes that a member was removed, which kills every token minted before.
    pub(super) fn raise_epoch(&self, member: MemberNumber) {
        *self.epochs.write().entry(member).or_default() += 1;
    }

    /// Whether a member token is good: minted since the member was last removed, for a program
    /// whose credentials are good.
    ///
    /// # Errors
    /// [`CredentialError`] if not.
    pub fn check_member(&self, principal: MemberPrincipal) -> Result<(), CredentialError> {
        let epoch = self
            .epochs
            .read()
            .get(&principal.member)
            .copied()
            .unwrap_or(0);
        if principal.epoch != epoch {
            return Err(CredentialError::Unauthorized);
        }
        self.check_program(principal.program)
    }

    /// Reads keys, programs and organizations anew.
    pub(super) fn reload(&self, connection: &Connection) -> Result<(), store::Error> {
        let keys = store::credentials::all_active(connection)?;
        let programs = store::programs::all_access(connection)?;
        let organizations = store::organizations::all_access(connection)?;
        *self.state.write() = State::new(programs, organizations, &keys);
        Ok(())
    }

    /// The programs of an organization, the oldest first.
    pub(super) fn programs_of(&self, organization: OrganizationNumber) -> Vec<ProgramAccessRow> {
        let state = self.state.read();
        let owned = state
            .owned
            .get(&organization)
            .map_or(&[][..], Vec::as_slice);
        owned
            .iter()
            .filter_map(|number| state.programs.get(number).cloned())
            .collect()
    }

    /// The organizations of an environment, each with its programs.
    pub(super) fn tenants(
        &self,
        environment: Environment,
    ) -> Vec<(OrganizationAccessRow, Vec<ProgramNumber>)> {
        let state = self.state.read();
        let mut tenants: Vec<_> = state
            .organizations
            .values()
            .filter(|organization| organization.environment == environment)
            .map(|o| (*o, state.owned.get(&o.number).cloned().unwrap_or_default()))
            .collect();
        tenants.sort_unstable_by_key(|(organization, _)| organization.number);
        tenants
    }

    /// Who holds an Org-API-Key. The key is found by its hash, so that the time it takes says
    /// nothing about how much of a guess is right.
    ///
    /// # Errors
    /// [`CredentialError`] if it is unknown or revoked, or its program may not act.
    pub fn authenticate_key(&self, key: &str) -> Result<KeyPrincipal, CredentialError> {
        self.authenticate_hash(hash(key))
    }

    /// The same for the hash of a key.
    ///
    /// # Errors
    /// [`CredentialError`] if it is unknown or revoked, or its program may not act.
    pub fn authenticate_hash(&self, hash: KeyHash) -> Result<KeyPrincipal, CredentialError> {
        match self.state.read().keys.get(&hash) {
            Some(Holder::Program(principal)) => *principal,
            Some(Holder::Partner(_)) | None => Err(CredentialError::Unauthorized),
        }
    }

    /// Who holds a partner key.
    ///
    /// # Errors
    /// [`CredentialError::Unauthorized`] if it is unknown or revoked.
    pub fn authenticate_partner(&self, key: &str) -> Result<PartnerPrincipal, CredentialError> {
        match self.state.read().keys.get(&hash(key)) {
            Some(Holder::Partner(principal)) => Ok(*principal),
            Some(Holder::Program(_)) | None => Err(CredentialError::Unauthorized),
        }
    }

    /// The environment that a program lives in.
    pub fn environment_of(&self, program: ProgramNumber) -> Option<Environment> {
        let state = self.state.read();
        state
            .programs
            .get(&program)
            .map(|program| program.environment)
    }

    /// Whether credentials of a program are good.
    ///
    /// # Errors
    /// [`CredentialError`] if not.
    fn check_program(&self, program: ProgramNumber) -> Result<(), CredentialError> {
        let state = self.state.read();
        state.check_active(
            state
                .programs
                .get(&program)
                .ok_or(CredentialError::Unauthorized)?,
        )
    }
}
