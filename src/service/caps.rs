//! How much somebody may have of what costs memory, or the work of others. Each cap is looked at in
//! the transaction that would pass it, so that no race does. What is there already stays and works.

use super::{Caller, Stop};
use crate::config::LimitSettings;
use crate::domain::{
    Environment, MemberNumber, MessageText, OrganizationNumber, ProgramNumber, Refusal, Timestamp,
};
use crate::store::conversations::day_of;
use crate::store::{Counted, Transaction};

/// The caps, as they are set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps(LimitSettings);

impl Caps {
    pub(super) fn new(settings: LimitSettings) -> Self {
        Self(settings)
    }

    /// Whether an environment may have one organization more.
    pub(super) fn check_organization(
        self,
        tx: &mut Transaction<'_>,
        environment: Environment,
    ) -> Result<(), Stop> {
        let refusal = Refusal::LimitReached {
            subject: "an environment can have",
            most: self.0.organizations_max,
            what: "organizations, canceled ones included",
            setting: "limits.organizations_max",
        };
        check(tx, Counted::Organizations(environment), 1, refusal)
    }

    /// Whether an organization may have one program more.
    pub(super) fn check_program(
        self,
        tx: &mut Transaction<'_>,
        organization: OrganizationNumber,
    ) -> Result<(), Stop> {
        let refusal = Refusal::LimitReached {
            subject: "an organization can have",
            most: self.0.programs_each_max,
            what: "programs, archived ones and those that were reset included",
            setting: "limits.programs_each_max",
        };
        check(tx, Counted::Programs(organization), 1, refusal)
    }

    /// Whether a program may have one key more.
    pub(super) fn check_key(
        self,
        tx: &mut Transaction<'_>,
        program: ProgramNumber,
    ) -> Result<(), Stop> {
        let refusal = Refusal::LimitReached {
            subject: "a program can have",
            most: self.0.keys_each_max,
            what: "keys that are not revoked",
            setting: "limits.keys_each_max",
        };
        check(tx, Counted::Keys(program), 1, refusal)
    }

    /// Whether a program may have one offer more.
    pub(super) fn check_offer(
        self,
        tx: &mut Transaction<'_>,
        program: ProgramNumber,
    ) -> Result<(), Stop> {
        let refusal = Refusal::LimitReached {
            subject: "a program can have",
            most: self.0.offers_each_max,
            what: "offers, archived ones included",
            setting: "limits.offers_each_max",
        };
        check(tx, Counted::Offers(program), 1, refusal)
    }

    /// Whether the caller's program may have one member more.
    pub(super) fn check_member(
        self,
        tx: &mut Transaction<'_>,
        caller: &Caller,
    ) -> Result<(), Stop> {
        if caller.environment() == Environment::Live {
            return Ok(());
        }
        let refusal = Refusal::LimitReached {
            subject: "a sandbox program can have",
            most: self.0.sandbox_members_max,
            what: "members, removed ones included",
            setting: "limits.sandbox_members_max",
        };
        check(tx, Counted::Members(caller.program()), 1, refusal)
    }

    /// Whether a member may send this now.
    pub(super) fn check_message(
        self,
        tx: &mut Transaction<'_>,
        member: MemberNumber,
        message: &MessageText,
        at: Timestamp,
    ) -> Result<(), Stop> {
        let refusal = Refusal::LimitReached {
            subject: "a member can send",
            most: self.0.message_bytes_max,
            what: "bytes of messages a day (UTC)",
            setting: "limits.message_bytes_max",
        };
        let bytes = i64::try_from(message.as_str().len()).unwrap_or(i64::MAX);
        check(tx, Counted::Sent(member, day_of(at)), bytes, refusal)
    }
}

/// Gives the refusal if there would be more than it says with so many more.
fn check(tx: &mut Transaction<'_>, what: Counted, more: i64, refusal: Refusal) -> Result<(), Stop> {
    let Refusal::LimitReached { most, .. } = refusal else {
        return Ok(());
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    if most > 0 && tx.count(what)?.saturating_add(more) > most {
        return Err(refusal.into());
    }
    Ok(())
}
