//! Idempotency records: a retry with the same `Idempotency-Key` receives the first response again.

use std::time::Duration;

use pasetors::keys::SymmetricKey;
use pasetors::token::UntrustedToken;
use pasetors::version4::{LocalToken, V4};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::answer::{Answer, Reply, StoredForm};
use crate::domain::{Environment, Invalid, MemberNumber, ProgramNumber, Refusal};
use crate::error::{Problem, Surface};
use crate::store::idempotency::{CompactResponse, Hash, IdempotencyRecord, StoredResponse};
use crate::store::{self, Connection, Transaction};
use crate::wire::{self, BalanceRenderer};

/// The scope in which a key identifies one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every Org-API-Key of a program, so that a retry with a rotated key is replayed too.
    Program(ProgramNumber),
    /// One member.
    Member(ProgramNumber, MemberNumber),
    /// The partner, in an environment.
    Partner(Environment),
}

/// Hashes of a request's `Idempotency-Key`, scope and body.
#[derive(Clone)]
pub struct IdempotencyKey {
    /// Hash of the key, the method and the path.
    request: [u8; 32],
    /// Hash of the same and the scope.
    key_hash: Hash,
    body_hash: Hash,
    scope: Scope,
}

impl std::fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdempotencyKey([redacted])")
    }
}

impl IdempotencyKey {
    /// The largest number of characters.
    pub const CHARS_MAX: usize = 255;

    /// Hashes the key `text` of a request.
    ///
    /// # Errors
    /// [`Invalid`] unless it has 1 to 255 characters.
    pub fn new(
        text: &str,
        scope: Scope,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Self, Invalid> {
        if !(1..=Self::CHARS_MAX).contains(&text.chars().count()) {
            return Err(Invalid::new(
                "Idempotency-Key",
                "must be 1 to 255 characters long",
            ));
        }
        let mut request = Sha256::new();
        for part in [method, path, text] {
            request.update((part.len() as u64).to_be_bytes());
            request.update(part);
        }
        let request = request.finalize().into();
        let mut body_hash = Sha256::new();
        update_canonical(&mut body_hash, body);
        Ok(Self {
            request,
            key_hash: short(digest("key", scope, &request)),
            body_hash: short(body_hash.finalize().into()),
            scope,
        })
    }

    /// Returns the key of the same request in another scope.
    pub(super) fn rescoped(self, scope: Scope) -> Self {
        if scope == self.scope {
            return self;
        }
        Self {
            key_hash: short(digest("key", scope, &self.request)),
            scope,
            ..self
        }
    }

    /// The key that a secret answer is encrypted with. It is derived from the idempotency key
    /// itself, which is not stored, so that the record cannot be decrypted without it.
    fn seal(&self) -> [u8; 32] {
        digest("seal", self.scope, &self.request)
    }
}

fn digest(purpose: &str, scope: Scope, request: &[u8; 32]) -> [u8; 32] {
    let (program, member) = match scope {
        Scope::Program(program) => (program.0, 0),
        Scope::Member(program, member) => (program.0, member.0),
        // No program has a number below one.
        Scope::Partner(Environment::Sandbox) => (-1, 0),
        Scope::Partner(Environment::Live) => (-2, 0),
    };
    let mut hash = Sha256::new();
    hash.update(program.to_be_bytes());
    hash.update(member.to_be_bytes());
    hash.update(request);
    hash.update(purpose);
    hash.finalize().into()
}

fn short(digest: [u8; 32]) -> Hash {
    std::array::from_fn(|index| digest[index])
}

/// Hashes a value so that equal JSON has equal hashes: the order of an object's fields and the
/// escaping of its text do not matter.
fn update_canonical(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            hash.update([b'{']);
            hash.update((fields.len() as u64).to_be_bytes());
            for (name, value) in fields {
                hash.update((name.len() as u64).to_be_bytes());
                hash.update(name);
                update_canonical(hash, value);
            }
        }
        Value::Array(items) => {
            hash.update([b'[']);
            hash.update((items.len() as u64).to_be_bytes());
            for item in items {
                update_canonical(hash, item);
            }
        }
        Value::String(text) => {
            hash.update([b'"']);
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let text = value.to_string();
            hash.update([b'=', u8::try_from(text.len()).unwrap_or(u8::MAX)]);
            hash.update(text);
        }
    }
}

/// Returns the stored response of the key if there is one; a refusal if it belongs to another body.
pub(super) fn replay(
    tx: &mut Transaction<'_>,
    surface: Surface,
    key: &IdempotencyKey,
    retention: Duration,
) -> Result<Option<Reply>, store::Error> {
    let not_before = tx.clock_now().saturating_sub(retention);
    let Some(stored) = store::idempotency::find(tx, &key.key_hash, not_before)? else {
        return Ok(None);
    };
    let refusal = if stored.is_erased() {
        Some(Refusal::NotFound("member"))
    } else {
        (stored.body_hash != key.body_hash).then_some(Refusal::IdempotencyKeyReused)
    };
    if let Some(refusal) = refusal {
        let (status, body) = wire::render_problem(surface, &Problem::from(&refusal));
        return Ok(Some(Reply {
            status,
            body,
            is_replay: false,
            version: None,
            retry_after: None,
        }));
    }
    let body = match stored.response {
        StoredResponse::Body(body) => body,
        StoredResponse::Sealed(body) => {
            unseal(&key.seal(), &body).ok_or(store::Error::Impossible("sealed response"))?
        }
        StoredResponse::Compact(response) => {
            render_again(tx, key.scope, response, wire::balance_renderer)?
        }
    };
    Ok(Some(Reply {
        status: stored.status,
        body,
        is_replay: true,
        version: None,
        retry_after: None,
    }))
}

/// Renders a response to a credit or debit again: by the renderer that it had the first time, which
/// may be that of an earlier version, and with the currency of that time.
fn render_again(
    connection: &Connection,
    scope: Scope,
    response: CompactResponse,
    renderer: impl FnOnce(u8) -> Option<BalanceRenderer>,
) -> Result<Vec<u8>, store::Error> {
    let Scope::Program(program) = scope else {
        return Err(store::Error::Impossible("scope of a compact response"));
    };
    let render = renderer(response.renderer)
        .ok_or(store::Error::Impossible("renderer of a compact response"))?;
    let currency = store::programs::currency_at(connection, program, response.configuration)?
        .ok_or(store::Error::Impossible(
            "configuration of a compact response",
        ))?;
    Ok(render(response.balance.get(), &currency))
}

/// Finds idempotency records whose compact response cannot be rendered.
///
/// # Errors
/// [`store::Error`] if the database fails.
pub(super) fn unreadable_responses(connection: &Connection) -> Result<Vec<String>, store::Error> {
    let is_known = |number| wire::balance_renderer(number).is_some();
    store::idempotency::unreadable_responses(connection, is_known)
}

/// Stores the idempotency record of a key: the first answer.
pub(super) fn record(
    tx: &mut Transaction<'_>,
    key: &IdempotencyKey,
    answer: &Answer,
) -> Result<(), store::Error> {
    let response = match answer.form {
        StoredForm::Plain => StoredResponse::Body(answer.body.clone()),
        StoredForm::Sealed => StoredResponse::Sealed(seal(&key.seal(), &answer.body)),
        StoredForm::Compact(response) => StoredResponse::Compact(response),
    };
    let stored = IdempotencyRecord {
        body_hash: key.body_hash,
        status: answer.status,
        response,
    };
    let now = tx.clock_now();
    store::idempotency::store(tx, &key.key_hash, now, stored, answer.member)
}

/// Encrypts a body. PASETO v4.local serves as the authenticated encryption here too.
fn seal(key: &[u8; 32], body: &[u8]) -> Vec<u8> {
    LocalToken::encrypt(&seal_key(key), body, None, None)
        .expect("the system returns random bytes")
        .into_bytes()
}

fn unseal(key: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
    let token = UntrustedToken::try_from(std::str::from_utf8(sealed).ok()?).ok()?;
    let token = LocalToken::decrypt(&seal_key(key), &token, None, None).ok()?;
    Some(token.payload().as_bytes().to_vec())
}

fn seal_key(bytes: &[u8; 32]) -> SymmetricKey<V4> {
    SymmetricKey::from(bytes).expect("a v4.local key has 32 bytes")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Settings;
    use crate::domain::{Currency, Points, Seq};
    use crate::service::Services;

    fn key(text: &str, body: &Value) -> IdempotencyKey {
        let scope = Scope::Program(ProgramNumber(1));
        IdempotencyKey::new(text, scope, "POST", "/v1/wallet/credit", body).unwrap()
    }

    #[test]
    fn bodies_are_compared_as_parsed_json() {
        let same = serde_json::from_str(r#"{ "b": [1, "x"], "a": {"é": null} }"#).unwrap();
        let body = json!({"a": {"\u{e9}": null}, "b": [1, "x"]});
        assert_eq!(key("k", &body).body_hash, key("k", &same).body_hash);
        for other in [
            json!({"a": {"é": null}, "b": ["x", 1]}),
            json!({}),
            json!(null),
            json!([]),
        ] {
            assert_ne!(
                key("k", &body).body_hash,
                key("k", &other).body_hash,
                "{other}"
            );
        }
        assert_ne!(
            key("k", &json!("1")).body_hash,
            key("k", &json!(1)).body_hash
        );
        assert_ne!(
            key("k", &json!(1.0)).body_hash,
            key("k", &json!(1)).body_hash,
            "a double that was rounded is no whole number"
        );
    }

    #[test]
    fn a_sealed_answer_opens_with_the_same_key_only() {
        let body = json!(null);
        let sealed = seal(&key("one", &body).seal(), b"{\"accessToken\":\"v4\"}");
        assert!(!sealed.windows(11).any(|window| window == b"accessToken"));
        let opened = unseal(&key("one", &body).seal(), &sealed).unwrap();
        assert_eq!(opened, b"{\"accessToken\":\"v4\"}");
        assert_eq!(unseal(&key("two", &body).seal(), &sealed), None);
    }

    /// Stands for the renderers of a later version: 1 is the one that this version has, as it then
    /// still is, and 2 is its own.
    fn later(number: u8) -> Option<BalanceRenderer> {
        match number {
            1 => wire::balance_renderer(1),
            2 => Some(|balance: i64, currency: &Currency| {
                format!("{} {}", balance, currency.symbol.as_str()).into_bytes()
            }),
            _ => None,
        }
    }

    #[test]
    fn a_record_is_rendered_by_its_own_renderer_with_its_own_currency() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::defaults();
        settings.database.path = folder.path().join("test.db");
        let (services, _) = Services::start(&settings, &Clock::system()).unwrap();
        let write = |tx: &mut Transaction<'_>| {
            let number = ProgramNumber(1);
            let before = store::programs::get(tx, number)?;
            let mut after = before.clone();
            after.currency.symbol =
                crate::domain::CurrencySymbol::parse("currencySymbol", "mi").unwrap();
            after.configuration_version = Seq(before.configuration_version.0 + 100);
            store::programs::configure(tx, &after)?;
            let render = |scope, renderer, configuration, renderers: fn(u8) -> _| {
                let response = CompactResponse {
                    renderer,
                    balance: Points::new(7).unwrap(),
                    configuration,
                };
                let body = render_again(tx, scope, response, renderers);
                body.map(|body| String::from_utf8(body).unwrap())
            };
            let scope = Scope::Program(number);
            let (old, new) = (before.configuration_version, after.configuration_version);
            let body = |symbol| {
                format!(
                    r#"{{"balance":7,"currency":{{"name":"Points","symbol":"{symbol}","unitsPerUSD":1}}}}"#
                )
            };
            assert_eq!(render(scope, 1, old, later)?, body("pts"));
            assert_eq!(render(scope, 1, new, later)?, body("mi"));
            assert_eq!(render(scope, 2, new, later)?, "7 mi");
            // A version without the renderer, another program, and a version that never was.
            let other = Scope::Program(ProgramNumber(2));
            for refused in [
                render(scope, 2, new, wire::balance_renderer),
                render(other, 1, old, later),
                render(Scope::Member(number, MemberNumber(1)), 1, old, later),
                render(scope, 1, Seq(new.0 + 1), later),
            ] {
                let refused = refused.unwrap_err();
                assert!(matches!(refused, store::Error::Impossible(_)), "{refused}");
            }
            Ok(())
        };
        services.writer.upkeep().write_blocking(write).unwrap();
        services.stop();
    }
}
