//! What a write answers, and how that goes out.

use std::fmt;

use crate::domain::{MemberNumber, Refusal, Seq};
use crate::error::{Problem, Surface};
use crate::wire;

/// What a write answers: the status and the body.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) is_secret: bool,
    /// Whose words the body has, if it has any person's.
    pub(super) member: Option<MemberNumber>,
    /// The settings version of what the body shows, if that is sent with it.
    pub(super) version: Option<Seq>,
}

impl Answer {
    /// 200 with a body.
    pub(super) fn ok<T: serde::Serialize>(body: &T) -> Self {
        Self {
            status: 200,
            body: wire::to_json(body),
            is_secret: false,
            member: None,
            version: None,
        }
    }

    /// 201 with what was made.
    pub(super) fn created<T: serde::Serialize>(body: &T) -> Self {
        Self {
            status: 201,
            ..Self::ok(body)
        }
    }

    /// 204 without a body.
    pub(super) fn no_content() -> Self {
        Self {
            status: 204,
            body: Vec::new(),
            is_secret: false,
            member: None,
            version: None,
        }
    }

    /// The same, but kept only under seal.
    pub(super) fn secret(self) -> Self {
        Self {
            is_secret: true,
            ..self
        }
    }

    /// The same, known to have a member's words, which an erasure of the member removes.
    pub(super) fn with_words_of(self, member: MemberNumber) -> Self {
        Self {
            member: Some(member),
            ..self
        }
    }

    /// The same, with the settings version of what it shows.
    pub(super) fn at(self, version: Seq) -> Self {
        Self {
            version: Some(version),
            ..self
        }
    }

    pub(super) fn refusal(surface: Surface, refusal: &Refusal) -> Self {
        let (status, body) = wire::render_problem(surface, &Problem::from(refusal));
        Self {
            status,
            body,
            is_secret: false,
            member: None,
            version: None,
        }
    }

    pub(super) fn into_reply(self) -> Reply {
        Reply {
            status: self.status,
            body: self.body,
            is_replay: false,
            version: self.version,
        }
    }
}

/// An answer on its way out.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Vec<u8>,
    /// Whether it was given before.
    pub is_replay: bool,
    /// The settings version of the resource that it shows.
    pub version: Option<Seq>,
}

/// Without the body, which may hold a secret and is somebody's own in any case.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Without the body, as [`Answer`].
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("is_replay", &self.is_replay)
            .finish_non_exhaustive()
    }
}
