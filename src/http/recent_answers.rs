//! The responses that were last rendered on a thread, for questions about figures.
//!
//! The response to such a question depends on nothing but the newest activity of the program, so
//! that it stays right until something happens in the program. A dashboard that many people have
//! open, or that asks again before anything has happened, gets the rendered response.

use std::cell::RefCell;

use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;

use crate::domain::ProgramNumber;
use crate::service::TimeForm;

/// The number of responses that a thread holds.
const SLOTS: usize = 16;

/// The most bytes of such a response and of its path with the query.
const BYTES_MAX: usize = 8 * 1024;

/// What a response depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key<'a> {
    pub(super) program: ProgramNumber,
    /// The form of times.
    pub(super) form: TimeForm,
    /// The path with its query.
    pub(super) question: &'a str,
    /// The newest activity of the program.
    pub(super) version: i64,
}

/// A rendered response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) tag: HeaderValue,
    pub(super) body: Bytes,
}

#[derive(Debug)]
struct Slot {
    program: ProgramNumber,
    form: TimeForm,
    question: Box<str>,
    version: i64,
    rendered: Rendered,
}

/// The responses, each in the slot that the checksum of its question selects. A new response
/// replaces the one in its slot.
#[derive(Debug, Default)]
pub(super) struct RecentAnswers(RefCell<[Option<Slot>; SLOTS]>);

impl RecentAnswers {
    /// The response to a question, if it is there.
    pub(super) fn get(&self, checksum: u32, key: Key<'_>) -> Option<Rendered> {
        let slots = self.0.borrow();
        let slot = slots[place(checksum)].as_ref()?;
        (slot.key() == key).then(|| slot.rendered.clone())
    }

    /// Keeps a response, unless it is long.
    pub(super) fn put(&self, checksum: u32, key: Key<'_>, rendered: Rendered) {
        if rendered.body.len() + key.question.len() <= BYTES_MAX {
            self.0.borrow_mut()[place(checksum)] = Some(Slot {
                program: key.program,
                form: key.form,
                question: key.question.into(),
                version: key.version,
                rendered,
            });
        }
    }
}

impl Slot {
    fn key(&self) -> Key<'_> {
        Key {
            program: self.program,
            form: self.form,
            question: &self.question,
            version: self.version,
        }
    }
}

fn place(checksum: u32) -> usize {
    checksum as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key<'_> = Key {
        program: ProgramNumber(7),
        form: TimeForm::Millis,
        question: "/v1/analytics/summary",
        version: 12,
    };

    fn rendered(bytes: usize) -> Rendered {
        Rendered {
            tag: HeaderValue::from_static("\"x\""),
            body: vec![b' '; bytes].into(),
        }
    }

    #[test]
    fn a_response_is_found_by_all_that_it_depends_on() {
        let recent = RecentAnswers::default();
        assert_eq!(recent.get(5, KEY), None);
        recent.put(5, KEY, rendered(300));
        assert_eq!(recent.get(5, KEY), Some(rendered(300)));
        // The same slot, as if the checksums collided.
        for other in [
            Key {
                program: ProgramNumber(8),
                ..KEY
            },
            Key {
                form: TimeForm::Text,
                ..KEY
            },
            Key {
                question: "/v1/analytics/summary?",
                ..KEY
            },
            Key { version: 13, ..KEY },
        ] {
            assert_eq!(recent.get(5, other), None, "{other:?}");
        }
    }

    #[test]
    fn a_slot_holds_the_newest_response_and_no_long_one() {
        let recent = RecentAnswers::default();
        recent.put(5, KEY, rendered(300));
        let newer = Key { version: 13, ..KEY };
        recent.put(5, newer, rendered(BYTES_MAX - KEY.question.len() + 1));
        assert_eq!(recent.get(5, newer), None);
        recent.put(5, newer, rendered(BYTES_MAX - KEY.question.len()));
        assert!(recent.get(5, newer).is_some());
        assert_eq!(recent.get(5, KEY), None);
    }
}
