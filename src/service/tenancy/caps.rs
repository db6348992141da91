//! Caps on resources that cost memory or slow other tenants down. Each cap is checked in the
//! transaction that would exceed it, so that no race exceeds it. Existing resources keep working
//! when a cap is lowered.

use crate::config::LimitSettings;
use crate::domain::{Environment, MemberNumber, MessageText, ProgramNumber, Refusal, Timestamp};
use crate::service::{KeyPrincipal, ServiceError};
use crate::store::conversations::day_of;
use crate::store::{Counted, Transaction};

/// The configured caps.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Caps(LimitSettings);

impl Caps {
    pub(in crate::service) fn new(settings: LimitSettings) -> Self {
        Self(settings)
    }

    /// Refuses `more` additional resources if they would exceed the cap.
    pub(in crate::service) fn check(
        self,
        tx: &mut Transaction<'_>,
        what: Counted,
        more: i64,
    ) -> Result<(), ServiceError> {
        match self.most(what) {
            Some(most) if tx.count(what)?.saturating_add(more) > most => {
                let (_, refusal) = self.limit(what);
                Err(refusal.into())
            }
            _ => Ok(()),
        }
    }

    /// The cap, if there is one.
    pub(in crate::service) fn most(self, what: Counted) -> Option<i64> {
        let (most, _) = self.limit(what);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        (most > 0).then_some(most)
    }

    /// Refuses one more member if a sandbox program has reached its cap.
    pub(in crate::service) fn check_member(
        self,
        tx: &mut Transaction<'_>,
        key: &KeyPrincipal,
    ) -> Result<(), ServiceError> {
        match key.environment {
            Environment::Live => Ok(()),
            Environment::Sandbox => self.check(tx, Counted::Members(key.program), 1),
        }
    }

    /// Refuses a message that exceeds the member's cap of the day.
    pub(in crate::service) fn check_message(
        self,
        tx: &mut Transaction<'_>,
        member: MemberNumber,
        message: &MessageText,
        at: Timestamp,
    ) -> Result<(), ServiceError> {
        let bytes = i64::try_from(message.as_str().len()).unwrap_or(i64::MAX);
        self.check(tx, Counted::Sent(member, day_of(at)), bytes)
    }

    /// Refuses a file that exceeds the program's cap of the day, or the cap of all files.
    pub(in crate::service) fn check_attachment(
        self,
        tx: &mut Transaction<'_>,
        (program, day): (ProgramNumber, i64),
        bytes: i64,
    ) -> Result<(), ServiceError> {
        self.check(tx, Counted::Attached(program, day), bytes)?;
        self.check(tx, Counted::AttachedInAll, bytes)
    }

    /// The cap, 0 for no cap, and the refusal of more.
    fn limit(self, what: Counted) -> (u64, Refusal) {
        let Self(limits) = self;
        let (subject, most, what, setting) = match what {
            Counted::Organizations(_) => (
                "an environment can have",
                limits.organizations_max,
                "organizations, canceled ones included",
                "limits.organizations_max",
            ),
            Counted::Programs(_) => (
                "an organization can have",
                limits.programs_each_max,
                "programs, archived ones and those that were reset included",
                "limits.programs_each_max",
            ),
            Counted::Keys(_) => (
                "a program can have",
                limits.keys_each_max,
                "keys that are not revoked",
                "limits.keys_each_max",
            ),
            Counted::Offers(_) => (
                "a program can have",
                limits.offers_each_max,
                "offers, archived ones included",
                "limits.offers_each_max",
            ),
            Counted::Members(_) => (
                "a sandbox program can have",
                limits.sandbox_members_max,
                "members, removed ones included",
                "limits.sandbox_members_max",
            ),
            Counted::Sent(..) => (
                "a member can send",
                limits.message_bytes_max,
                "bytes of messages a day (UTC)",
                "limits.message_bytes_max",
            ),
            Counted::Attached(..) => (
                "a program can send",
                limits.attachment_bytes_max,
                "bytes of attachments a day (UTC)",
                "limits.attachment_bytes_max",
            ),
            Counted::AttachedInAll => (
                "this server can store",
                limits.attachment_bytes_total_max,
                "bytes of attachments of all programs together",
                "limits.attachment_bytes_total_max",
            ),
        };
        let refusal = Refusal::LimitReached {
            subject,
            most,
            what,
            setting,
        };
        (most, refusal)
    }
}
