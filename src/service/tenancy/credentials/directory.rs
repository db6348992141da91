//! The directory: every valid key, every program and every organization, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use parking_lot::RwLock;
use uuid::Uuid;

use super::held_key::HeldKey;
use super::principals::{DirectoryVersion, KeyPrincipal, MemberPrincipal, PartnerPrincipal};
use super::validity::{CredentialError, check_active, hash};
use crate::domain::{
    ByNumber, CredentialNumber, Currency, Environment, MemberNumber, OrganizationNumber,
    ProgramNumber, ProgramStatus, Timestamp,
};
use crate::store::credentials::{CredentialRow, KeyHash, KeyScope};
use crate::store::organizations::OrganizationAccessRow;
use crate::store::programs::ProgramAccessRow;
use crate::store::{self, AccessChange, Connection, Tenant};

/// Every valid key, every program and organization, and the token epochs of removed members.
#[derive(Debug)]
pub struct Directory {
    state: RwLock<State>,
    /// The epoch of the valid tokens of each member that was ever removed.
    epochs: RwLock<ByNumber<MemberNumber, i64>>,
    /// The two halves of the version, raised after their part of the directory has changed. They
    /// start at 1; the version 0 belongs to callers that the directory did not authenticate.
    access: AtomicU64,
    removals: AtomicU64,
    /// The time of the last tick in Unix milliseconds, noted as the use of a key.
    second: AtomicI64,
}

#[derive(Debug, Default)]
struct State {
    /// Ordered, not hashed: the keys are hashes already.
    keys: BTreeMap<KeyHash, HeldKey>,
    programs: ByNumber<ProgramNumber, ProgramAccessRow>,
    /// The programs of each organization, oldest first.
    owned: ByNumber<OrganizationNumber, Vec<ProgramNumber>>,
    organizations: ByNumber<OrganizationNumber, OrganizationAccessRow>,
}

impl State {
    fn put_key(&mut self, key: CredentialRow) {
        if key.is_revoked {
            self.keys.remove(&key.hash);
            return;
        }
        let (hash, key) = (key.hash, HeldKey::new(key));
        if let Some(before) = self.keys.get(&hash) {
            key.inherit(before);
        }
        self.keys.insert(hash, key);
    }

    fn put_program(&mut self, program: ProgramAccessRow) {
        let owned = self.owned.entry(program.organization).or_default();
        if let Err(place) = owned.binary_search(&program.number) {
            owned.insert(place, program.number);
        }
        self.programs.insert(program.number, program);
    }

    fn put_organization(&mut self, organization: OrganizationAccessRow) {
        self.organizations.insert(organization.number, organization);
    }

    /// A program whose credentials are valid.
    fn active(&self, number: ProgramNumber) -> Result<&ProgramAccessRow, CredentialError> {
        let program = self.programs.get(&number);
        let program = program.ok_or(CredentialError::Unauthorized)?;
        let organization = self.organizations.get(&program.organization);
        check_active(program, organization)?;
        Ok(program)
    }
}

impl Directory {
    /// Reads all keys and programs.
    ///
    /// # Errors
    /// [`store::Error`] if the database fails.
    pub(in crate::service) fn load(connection: &Connection) -> Result<Self, store::Error> {
        let directory = Self {
            state: RwLock::default(),
            epochs: RwLock::default(),
            access: AtomicU64::new(1),
            removals: AtomicU64::new(1),
            second: AtomicI64::new(0),
        };
        directory.rebuild(connection)?;
        Ok(directory)
    }

    /// Reads everything again.
    pub(in crate::service) fn rebuild(&self, connection: &Connection) -> Result<(), store::Error> {
        let epochs = store::members::raised_epochs(connection)?;
        let mut state = State::default();
        for organization in store::organizations::all_access(connection)? {
            state.put_organization(organization);
        }
        for program in store::programs::all_access(connection)? {
            state.put_program(program);
        }
        for key in store::credentials::all_active(connection)? {
            state.put_key(key);
        }
        let mut present = self.state.write();
        for (hash, key) in &state.keys {
            if let Some(before) = present.keys.get(hash) {
                key.inherit(before);
            }
        }
        *present = state;
        drop(present);
        *self.epochs.write() = epochs.into_iter().collect();
        self.access.fetch_add(1, Ordering::Release);
        self.removals.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Reads the changed rows again. The cost does not depend on the number of rows in all.
    pub(in crate::service) fn apply(
        &self,
        connection: &Connection,
        changes: &[AccessChange],
    ) -> Result<(), store::Error> {
        let (mut keys, mut programs, mut organizations) = (Vec::new(), Vec::new(), Vec::new());
        let mut removed = Vec::new();
        // A row whose change was undone is missing or unchanged.
        for change in changes {
            match *change {
                AccessChange::Credential(number) => {
                    keys.extend(store::credentials::get(connection, number)?);
                }
                AccessChange::Program(number) => {
                    programs.extend(store::programs::access(connection, number)?);
                }
                AccessChange::Organization(number) => {
                    organizations.extend(store::organizations::access(connection, number)?);
                }
                AccessChange::Member(number) => {
                    removed.push((number, store::members::epoch(connection, number)?));
                }
            }
        }
        if removed.len() < changes.len() {
            let mut state = self.state.write();
            for row in organizations {
                state.put_organization(row);
            }
            for row in programs {
                state.put_program(row);
            }
            for row in keys {
                state.put_key(row);
            }
            drop(state);
            self.access.fetch_add(1, Ordering::Release);
        }
        if !removed.is_empty() {
            self.epochs.write().extend(removed);
            self.removals.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }

    /// The version under which a request is authenticated. It is read before anything is looked
    /// up, so that a change in between causes another check.
    fn version(&self) -> DirectoryVersion {
        DirectoryVersion {
            access: self.access.load(Ordering::Acquire),
            removals: self.removals.load(Ordering::Acquire),
        }
    }

    /// Whether nothing has changed since a key was authenticated, neither in committed rows nor in
    /// the open transaction.
    pub(super) fn is_current_for_key(
        &self,
        version: DirectoryVersion,
        open: &[AccessChange],
    ) -> bool {
        let is_of_member = |change: &AccessChange| matches!(change, AccessChange::Member(_));
        version.access == self.access.load(Ordering::Acquire) && open.iter().all(is_of_member)
    }

    /// Whether nothing has changed since a member token was authenticated.
    pub(super) fn is_current_for_member(
        &self,
        version: DirectoryVersion,
        open: &[AccessChange],
    ) -> bool {
        version == self.version() && open.is_empty()
    }

    /// Checks a decrypted member token: it must have been minted since the member was last removed,
    /// for a program whose credentials are valid.
    ///
    /// # Errors
    /// [`CredentialError`] if it is not valid.
    pub fn check_member(
        &self,
        principal: MemberPrincipal,
    ) -> Result<MemberPrincipal, CredentialError> {
        let version = self.version();
        let epochs = self.epochs.read();
        let epoch = epochs.get(&principal.member).copied().unwrap_or(0);
        drop(epochs);
        if principal.epoch != epoch {
            return Err(CredentialError::Unauthorized);
        }
        let state = self.state.read();
        let program = state.active(principal.program)?;
        Ok(MemberPrincipal {
            organization: program.organization,
            is_suspended: program.status == ProgramStatus::Suspended,
            version,
            ..principal
        })
    }

    /// Whether the credentials of a program are valid.
    pub(in crate::service) fn is_active(&self, program: ProgramNumber) -> bool {
        self.state.read().active(program).is_ok()
    }

    /// The programs of an organization, oldest first.
    pub(in crate::service) fn programs_of(
        &self,
        organization: OrganizationNumber,
    ) -> Vec<ProgramAccessRow> {
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

    /// The number of programs of an organization.
    pub(in crate::service) fn count_of(&self, organization: OrganizationNumber) -> usize {
        self.state
            .read()
            .owned
            .get(&organization)
            .map_or(0, Vec::len)
    }

    /// The number of programs in total.
    pub(in crate::service) fn count(&self) -> usize {
        self.state.read().programs.len()
    }

    /// The organizations of an environment, each with its programs.
    pub(in crate::service) fn tenants(
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

    /// Authenticates an Org-API-Key. The key is found by its hash, so that the duration reveals
    /// nothing about how much of a guess is correct.
    ///
    /// # Errors
    /// [`CredentialError`] if it is unknown or revoked, or its program or organization is not
    /// active.
    pub fn authenticate_key(&self, key: &str) -> Result<KeyPrincipal, CredentialError> {
        self.authenticate_hash(hash(key))
    }

    /// Authenticates the hash of an Org-API-Key.
    ///
    /// # Errors
    /// [`CredentialError`] if it is unknown or revoked, or its program or organization is not
    /// active.
    pub fn authenticate_hash(&self, hash: KeyHash) -> Result<KeyPrincipal, CredentialError> {
        let version = self.version();
        let state = self.state.read();
        let key = state.keys.get(&hash).ok_or(CredentialError::Unauthorized)?;
        let KeyScope::Program(program) = key.row.scope else {
            return Err(CredentialError::Unauthorized);
        };
        key.note_use(self.second.load(Ordering::Relaxed));
        Ok(KeyPrincipal::new(&key.row, state.active(program)?, version))
    }

    /// Authenticates a partner key.
    ///
    /// # Errors
    /// [`CredentialError::Unauthorized`] if it is unknown or revoked.
    pub fn authenticate_partner(&self, key: &str) -> Result<PartnerPrincipal, CredentialError> {
        let version = self.version();
        let state = self.state.read();
        let key = state.keys.get(&hash(key));
        let key = key.ok_or(CredentialError::Unauthorized)?;
        key.note_use(self.second.load(Ordering::Relaxed));
        let key = &key.row;
        match key.scope {
            KeyScope::Partner => Ok(PartnerPrincipal {
                environment: key.environment,
                fingerprint: key.hash,
                credential: Some(key.number),
                version,
            }),
            KeyScope::Program(_) => Err(CredentialError::Unauthorized),
        }
    }

    /// The tenant whose share of the server work for a program uses.
    pub(in crate::service) fn tenant_of(&self, program: ProgramNumber) -> Tenant {
        let state = self.state.read();
        let tenant = |row: &ProgramAccessRow| Tenant::Program {
            organization: row.organization,
            program,
            environment: row.environment,
        };
        state.programs.get(&program).map_or(Tenant::Upkeep, tenant)
    }

    /// The currency of a program's points.
    ///
    /// # Errors
    /// [`store::Error`] if there is no such program.
    pub(in crate::service) fn currency_of(
        &self,
        program: ProgramNumber,
    ) -> Result<Arc<Currency>, store::Error> {
        let state = self.state.read();
        let row = state.programs.get(&program);
        row.map(|program| Arc::clone(&program.currency))
            .ok_or(store::Error::Impossible("program number"))
    }

    /// The public id of a program.
    ///
    /// # Errors
    /// [`store::Error`] if there is no such program.
    pub(in crate::service) fn uuid_of(&self, program: ProgramNumber) -> Result<Uuid, store::Error> {
        let state = self.state.read();
        let row = state.programs.get(&program);
        row.map(|program| program.uuid)
            .ok_or(store::Error::Impossible("program number"))
    }

    /// The environment of a program.
    pub fn environment_of(&self, program: ProgramNumber) -> Option<Environment> {
        let state = self.state.read();
        state
            .programs
            .get(&program)
            .map(|program| program.environment)
    }

    /// Sets the time that is noted as the use of a key from now on.
    pub(in crate::service) fn tick(&self, now: Timestamp) {
        self.second.store(now.as_millis(), Ordering::Relaxed);
    }

    /// The time when a valid key was last used.
    pub(in crate::service) fn last_used(&self, key: &KeyHash) -> Option<Timestamp> {
        self.state.read().keys.get(key)?.last_used()
    }

    pub(super) fn used_since(&self, since: Timestamp) -> Vec<(CredentialNumber, Timestamp)> {
        let state = self.state.read();
        let uses = state.keys.values();
        uses.filter_map(|key| Some((key.row.number, key.last_used()?)))
            .filter(|(_, at)| *at >= since)
            .collect()
    }
}
