//! Profiles of members that were read lately, so that reading one again needs no row.
//!
//! Every change of a profile is a row of the log, whose number is the settings version of the
//! profile and, in the books, of the account. So a profile is current as long as the books have its
//! version, and nothing has to be told about changes.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::books::Record;
use crate::domain::{Attributes, DisplayName, Email, Member, MemberNumber, Phone};

/// The number of places. Members whose numbers differ by a multiple of it share one.
const PLACES: usize = 1 << 15;
/// Profiles with more bytes of text are not kept.
const TEXT_MAX: usize = 1024;

/// The profiles, each at the index that follows from its member's number. Clones share them.
#[derive(Debug, Clone)]
pub(in crate::service) struct Profiles(Arc<[Mutex<Option<Arc<Member>>>]>);

impl Default for Profiles {
    fn default() -> Self {
        Self((0..PLACES).map(|_| Mutex::default()).collect())
    }
}

impl Profiles {
    /// The profile of an account, if it is kept and current.
    pub(in crate::service) fn get(&self, record: &Record) -> Option<Arc<Member>> {
        let kept = self.place(record.number).lock().clone()?;
        let is_current = kept.number == record.number && kept.version == record.version;
        is_current.then_some(kept)
    }

    /// Keeps a profile that was read.
    pub(in crate::service) fn keep(&self, member: &Arc<Member>) {
        if text_bytes(member) <= TEXT_MAX {
            *self.place(member.number).lock() = Some(Arc::clone(member));
        }
    }

    fn place(&self, number: MemberNumber) -> &Mutex<Option<Arc<Member>>> {
        let number = usize::try_from(number.0).unwrap_or_default();
        &self.0[number % PLACES]
    }
}

/// The bytes of all texts of a profile.
fn text_bytes(member: &Member) -> usize {
    let optional = [
        member.display_name.as_ref().map(DisplayName::as_str),
        member.email.as_ref().map(Email::as_str),
        member.phone.as_ref().map(Phone::as_str),
        member.attributes.as_ref().map(Attributes::as_str),
    ];
    let optional: usize = optional.into_iter().flatten().map(str::len).sum();
    optional + member.external_user_id.as_str().len() + member.tier.as_str().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::{Books, Row};
    use crate::domain::{Activity, Event, ExternalUserId, ProgramNumber, Seq, Tier, Timestamp};

    fn member(number: i64, version: i64) -> Member {
        let text = |text: &str| ExternalUserId::parse("id", text).unwrap();
        let tier = Tier::parse("tier", "gold").unwrap();
        let at = Timestamp::from_millis(0).unwrap();
        Member {
            number: MemberNumber(number),
            version: Seq(version),
            ..Member::new(ProgramNumber(1), text("ada"), tier, at)
        }
    }

    /// The account of a member who signed up with an activity.
    fn record(number: i64, seq: i64) -> Record {
        let mut books = Books::default();
        let activity = Activity {
            seq: Seq(seq),
            at: Timestamp::from_millis(0).unwrap(),
            program: Some(ProgramNumber(1)),
            event: Event::MemberCreated {
                member: MemberNumber(number),
                tier: Tier::parse("tier", "gold").unwrap(),
                cause: None,
            },
        };
        let row = Row {
            activity: &activity,
            jump: None,
            starts_chain: false,
            hash: None,
            is_given: false,
        };
        books.apply(&row, |_| None).unwrap();
        books.record(MemberNumber(number)).unwrap()
    }

    #[test]
    fn only_the_version_of_the_books_is_current() {
        let profiles = Profiles::default();
        assert_eq!(profiles.get(&record(5, 7)), None);
        let kept = Arc::new(member(5, 7));
        profiles.keep(&kept);
        assert_eq!(profiles.get(&record(5, 7)), Some(kept));
        assert_eq!(profiles.get(&record(5, 8)), None);
        // Another member takes the place.
        let other = 5 + i64::try_from(PLACES).unwrap();
        assert_eq!(profiles.get(&record(other, 7)), None);
        profiles.keep(&Arc::new(member(other, 9)));
        assert_eq!(profiles.get(&record(5, 7)), None);
        assert!(profiles.get(&record(other, 9)).is_some());
    }

    #[test]
    fn large_profiles_are_not_kept() {
        let json = format!("{{\"a\":\"{}\"}}", "x".repeat(TEXT_MAX));
        let name = "\u{1F98A}".repeat(255);
        let (of_json, of_names) = (member(5, 7), member(6, 7));
        for large in [
            Member {
                attributes: Some(Attributes::parse("attributes", &json).unwrap()),
                ..of_json
            },
            Member {
                display_name: Some(DisplayName::parse("displayName", name).unwrap()),
                ..of_names
            },
        ] {
            let profiles = Profiles::default();
            let account = record(large.number.0, 7);
            profiles.keep(&Arc::new(large));
            assert_eq!(profiles.get(&account), None);
        }
    }
}
