//! The participant that a request names.

use uuid::Uuid;

use super::scope::Named;
use crate::books::Record;
use crate::domain::{DerivedIds, DerivedKind, MemberNumber, ParticipantStatus, Refusal};
use crate::service::{KeyPrincipal, ServiceError, Services};
use crate::store::{self, Transaction};

impl Services {
    /// The id of a participant of the key's program.
    ///
    /// # Errors
    /// `not_found` if there is none.
    pub fn participant_uuid(&self, key: KeyPrincipal, given: &str) -> Result<Uuid, ServiceError> {
        let member = self.participant(key, given)?.number;
        Ok(id(self.directory.uuid_of(key.program)?, member))
    }

    /// The account of a participant of the key's program, whatever its status.
    pub(super) fn participant(&self, key: KeyPrincipal, id: &str) -> Result<Record, ServiceError> {
        let member = number_of(self.directory.uuid_of(key.program)?, id)?;
        self.readership.note();
        let record = self.books.read().record(member);
        Ok(of_program(record, key)?)
    }
}

/// The account of a participant of the key's program, whatever its status, in an open transaction.
pub(super) fn account(
    tx: &Transaction<'_>,
    key: &KeyPrincipal,
    id: &str,
) -> Result<Record, ServiceError> {
    let program = store::programs::get(tx, key.program)?;
    let member = number_of(program.uuid, id)?;
    Ok(of_program(tx.account(member), *key)?)
}

/// [`account`], with what it has of an asset.
pub(super) fn account_in(
    tx: &Transaction<'_>,
    key: &KeyPrincipal,
    id: &str,
    asset: &Named,
) -> Result<Record, ServiceError> {
    let record = account(tx, key, id)?;
    let account = tx.account_in(asset.account(record.number));
    Ok(account.ok_or(store::Error::Impossible("account that is gone"))?)
}

/// Refuses a participant who can neither earn nor spend points.
pub(super) fn check_active(record: &Record) -> Result<(), Refusal> {
    match ParticipantStatus::new(record.is_archived, record.is_suspended) {
        ParticipantStatus::Active => Ok(()),
        status => Err(Refusal::ParticipantInactive(status.as_str())),
    }
}

/// The ids of a program's participants.
pub(super) fn ids(program: Uuid) -> DerivedIds {
    DerivedIds::new(program, DerivedKind::Participant)
}

/// The id of the participant that is a member.
pub(super) fn id(program: Uuid, member: MemberNumber) -> Uuid {
    ids(program).id(member.0, 0)
}

/// The number of the member with the id of a participant.
fn number_of(program: Uuid, id: &str) -> Result<MemberNumber, Refusal> {
    let numbers = Uuid::try_parse(id)
        .ok()
        .and_then(|id| ids(program).numbers(id));
    match numbers {
        Some((member, 0)) => Ok(MemberNumber(member)),
        _ => Err(Refusal::NotFound("participant")),
    }
}

fn of_program(record: Option<Record>, key: KeyPrincipal) -> Result<Record, Refusal> {
    record
        .filter(|record| record.program == key.program)
        .ok_or(Refusal::NotFound("participant"))
}
