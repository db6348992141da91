//! What a request of the Scrip surface may name: the key's own program, and its points.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::{Actor, CredentialNumber, Invalid, Refusal};
use crate::store::{self, Connection};
use crate::wire::AssetResponse;

/// Refuses another program than the key's.
pub(super) fn check_program(own: Uuid, given: Option<Uuid>) -> Result<(), Refusal> {
    match given {
        Some(given) if given != own => Err(Refusal::AnotherProgram("program_id")),
        _ => Ok(()),
    }
}

/// Refuses another asset than the points of a program.
pub(super) fn check_asset(program: Uuid, given: Option<Uuid>) -> Result<(), Refusal> {
    match given {
        Some(given) if given != AssetResponse::id_of(program) => Err(Refusal::NotFound("asset")),
        _ => Ok(()),
    }
}

/// [`check_program`] of a text, which may also be `current`.
pub(super) fn check_program_text(own: Uuid, given: &str) -> Result<(), Refusal> {
    if given == "current" {
        return Ok(());
    }
    let id = Uuid::try_parse(given).map_err(|_| {
        let expected = "must be the id of the program of the API key";
        Invalid::new("program_id", expected).received(given)
    })?;
    check_program(own, Some(id))
}

/// [`check_asset`] of a text, which may also be `default`.
pub(super) fn check_asset_text(program: Uuid, given: &str) -> Result<(), Refusal> {
    if given == "default" {
        return Ok(());
    }
    let id = Uuid::try_parse(given).map_err(|_| Refusal::NotFound("asset"))?;
    check_asset(program, Some(id))
}

/// The public ids of keys, each looked up once.
pub(super) struct Keys<'a> {
    connection: &'a Connection,
    known: HashMap<CredentialNumber, Option<Uuid>>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            known: HashMap::new(),
        }
    }

    /// The id of an actor that is an Org-API-Key.
    pub(super) fn id(&mut self, actor: Option<Actor>) -> Result<Option<String>, store::Error> {
        let Some(Actor::Key(number)) = actor else {
            return Ok(None);
        };
        let id = match self.known.get(&number) {
            Some(id) => *id,
            None => store::credentials::uuid_of(self.connection, number)?,
        };
        self.known.insert(number, id);
        Ok(id.map(|id| id.to_string()))
    }
}
