//! Requests with an Idempotency-Key, and the same ones again.

use proptest::sample::Index;
use serde_json::Value;

use super::naive::{NOT_FOUND, Outcome};
use super::world::World;
use crate::support::{Response, TestApp};

const DAY_MS: i64 = 86_400_000;

/// A POST with an Idempotency-Key and its response.
#[derive(Debug, Clone)]
pub(super) struct Saved {
    at: i64,
    credential: String,
    path: String,
    key: String,
    body: Value,
    answer: Response,
    /// The member whose redemption the response shows, if not erased by then.
    pub(super) shows: Option<usize>,
}

impl World {
    /// A POST as a program or the partner; every other one has an Idempotency-Key.
    #[track_caller]
    pub(super) fn post(
        &mut self,
        (what, shows): (&str, Option<usize>),
        (credential, path): (&str, &str),
        body: Value,
        expected: Outcome,
    ) -> Value {
        self.posts += 1;
        if self.posts.is_multiple_of(2) {
            let answer = self.send("POST", path, credential, &body);
            return self.expect(what, &answer, expected);
        }
        let key = format!("key-{}", self.posts);
        let answer = once(&self.app, (credential, path), &key, &body);
        let value = self.expect(what, &answer, expected);
        assert_eq!(answer.header("idempotency-replayed"), None);
        self.saved.push(Saved {
            at: self.now(),
            credential: credential.to_owned(),
            path: path.to_owned(),
            key,
            body,
            shows: shows.filter(|member| answer.status < 300 && !self.is_erased(*member)),
            answer,
        });
        value
    }

    /// Whether a response is still replayed. Decisions by a rule are saved; refusals of invalid
    /// input are not.
    pub(super) fn is_kept(&self, saved: &Saved) -> bool {
        let is_recent = saved.at > self.now() - DAY_MS;
        let is_invalid = saved.answer.status == 400 || saved.answer.text().contains("VALIDATION");
        is_recent && !is_invalid
    }

    pub(super) fn repeat(&mut self, index: Index) {
        let saved: Vec<&Saved> = self.saved.iter().filter(|s| self.is_kept(s)).collect();
        if !saved.is_empty() {
            let saved = saved[index.index(saved.len())].clone();
            self.repeat_saved(saved);
        }
    }

    pub(super) fn repeat_saved(&mut self, saved: Saved) {
        let Saved {
            credential,
            path,
            key,
            body,
            answer,
            shows,
            ..
        } = saved;
        let again = once(&self.app, (&credential, &path), &key, &body);
        let replayed = again.header("idempotency-replayed");
        if shows.is_some_and(|member| self.is_erased(member)) {
            assert_eq!(replayed, None);
            self.expect("repeat of erased", &again, NOT_FOUND);
        } else {
            assert_eq!((again.status, again.text()), (answer.status, answer.text()));
            assert_eq!(replayed, Some("true"));
            self.tally.note("repeat", (answer.status, ""));
        }
    }
}

/// A POST with an Idempotency-Key.
fn once(app: &TestApp, (credential, path): (&str, &str), key: &str, body: &Value) -> Response {
    let request = app.request("POST", path).bearer(credential);
    request.idempotency_key(key).json(body).send()
}
