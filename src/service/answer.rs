//! The answer of a write, and the reply that carries it.

use std::fmt;

use crate::domain::{MemberNumber, Points, Refusal, Seq};
use crate::error::{Problem, Surface};
use crate::store::idempotency::CompactResponse;
use crate::store::programs::CurrencyVersion;
use crate::wire;

/// The answer of a write: status, body, and how it is stored under an idempotency key.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) form: StoredForm,
    /// The member whose personal text the body contains, if it contains any.
    pub(super) member: Option<MemberNumber>,
    /// The settings version of the resource in the body, if it is sent as an `ETag`.
    pub(super) version: Option<Seq>,
    /// The seconds after which a refused request may succeed, if that is known.
    pub(super) retry_after: Option<u64>,
    /// Whether another write follows whose answer is the one to store.
    pub(super) is_provisional: bool,
}

/// How the body of an answer is stored under an idempotency key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StoredForm {
    /// As it is.
    Plain,
    /// Encrypted.
    Sealed,
    /// As the numbers that it is rendered from.
    Compact(CompactResponse),
}

impl Answer {
    /// An answer that is stored as it is.
    fn new(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            body,
            form: StoredForm::Plain,
            member: None,
            version: None,
            retry_after: None,
            is_provisional: false,
        }
    }

    /// The answer of a part of a request, which is not stored under its idempotency key.
    pub(super) fn provisional() -> Self {
        Self {
            is_provisional: true,
            ..Self::no_content()
        }
    }

    /// 200 with a body.
    pub(super) fn ok<T: serde::Serialize>(body: &T) -> Self {
        Self::new(200, wire::to_json(body))
    }

    /// 200 with the balance after a credit or debit, stored in compact form unless it is negative.
    pub(super) fn balance(balance: i64, present: &CurrencyVersion) -> Self {
        let body = wire::render_balance(balance, &present.currency);
        let plain = Self::new(200, body);
        let Some(balance) = Points::new(balance) else {
            return plain;
        };
        let form = StoredForm::Compact(CompactResponse {
            renderer: wire::BALANCE_RENDERER,
            balance,
            configuration: present.version,
        });
        Self { form, ..plain }
    }

    /// 201 with the created resource.
    pub(super) fn created<T: serde::Serialize>(body: &T) -> Self {
        Self {
            status: 201,
            ..Self::ok(body)
        }
    }

    /// 204 without a body.
    pub(super) fn no_content() -> Self {
        Self::new(204, Vec::new())
    }

    /// Marks the body as secret: it is stored encrypted.
    pub(super) fn secret(self) -> Self {
        Self {
            form: StoredForm::Sealed,
            ..self
        }
    }

    /// Marks the body as containing personal text of a member, which an erasure removes.
    pub(super) fn with_words_of(self, member: MemberNumber) -> Self {
        Self {
            member: Some(member),
            ..self
        }
    }

    /// Adds the settings version of the resource.
    pub(super) fn at(self, version: Seq) -> Self {
        Self {
            version: Some(version),
            ..self
        }
    }

    pub(super) fn refusal(surface: Surface, refusal: &Refusal) -> Self {
        let (status, body) = wire::render_problem(surface, &Problem::from(refusal));
        Self {
            retry_after: refusal.retry_after(),
            ..Self::new(status, body)
        }
    }

    pub(super) fn into_reply(self) -> Reply {
        Reply {
            status: self.status,
            body: self.body,
            is_replay: false,
            version: self.version,
            retry_after: self.retry_after,
        }
    }
}

/// The answer that the caller receives.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Vec<u8>,
    /// Whether it is replayed from an idempotency record.
    pub is_replay: bool,
    /// The settings version of the resource in the body.
    pub version: Option<Seq>,
    /// The seconds after which a refused request may succeed, if that is known.
    pub retry_after: Option<u64>,
}

/// Omits the body, which may contain a secret and is private in any case.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Omits the body, as [`Answer`] does.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("is_replay", &self.is_replay)
            .finish_non_exhaustive()
    }
}
