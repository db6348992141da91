//! Who caused a row of the log, with the names of keys.

use std::collections::HashMap;

use crate::domain::{Actor, CredentialNumber};
use crate::store::{self, Connection};
use crate::wire::ActorResponse;

/// The names of keys, each looked up once.
pub(in crate::service) struct Actors<'a> {
    connection: &'a Connection,
    known: HashMap<CredentialNumber, Option<(String, String)>>,
}

impl<'a> Actors<'a> {
    pub(in crate::service) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            known: HashMap::new(),
        }
    }

    /// An actor, which version 0.1.0 did not log.
    pub(in crate::service) fn response(
        &mut self,
        actor: Option<Actor>,
    ) -> Result<Option<ActorResponse>, store::Error> {
        let name = match actor {
            None => return Ok(None),
            Some(Actor::Key(number)) => {
                if let Some(known) = self.known.get(&number) {
                    known.clone()
                } else {
                    let name = store::credentials::name(self.connection, number)?;
                    self.known.insert(number, name.clone());
                    name
                }
            }
            Some(_) => None,
        };
        Ok(actor.map(|actor| ActorResponse::new(actor, name)))
    }
}
