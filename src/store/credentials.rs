//! Keys, as hashes.

use rusqlite::Connection;
use uuid::Uuid;

use super::{Error, Transaction};
use crate::domain::{CredentialNumber, Environment, ProgramNumber, Timestamp};

/// SHA-256 of a whole key.
pub type KeyHash = [u8; 32];

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyScope {
    /// One program: an Org-API-Key.
    Program(ProgramNumber),
    /// The partner's own surface.
    Partner,
}

/// A key to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredential<'a> {
    /// What it opens.
    pub scope: KeyScope,
    /// Where.
    pub environment: Environment,
    /// What the operator calls it.
    pub name: &'a str,
    /// Its first characters.
    pub prefix: &'a str,
    /// Its hash.
    pub hash: KeyHash,
}

/// A key that is not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// Its hash.
    pub hash: KeyHash,
    /// What it opens.
    pub scope: KeyScope,
    /// Where.
    pub environment: Environment,
}

/// Stores a key.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(
    tx: &Transaction<'_>,
    credential: &NewCredential<'_>,
    now: Timestamp,
) -> Result<CredentialNumber, Error> {
    let (kind, program) = match credential.scope {
        KeyScope::Program(number) => ("org", Some(number.0)),
        KeyScope::Partner => ("partner", None),
    };
    let sql = "INSERT INTO credential (uuid, kind, environment, program_id, name, prefix, hash, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    tx.execute(
        sql,
        (
            Uuid::now_v7().as_bytes(),
            kind,
            credential.environment.as_str(),
            program,
            credential.name,
            credential.prefix,
            credential.hash,
            now.as_millis(),
        ),
    )?;
    Ok(CredentialNumber(tx.last_insert_rowid()))
}

/// Every key that is not revoked.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all_active(connection: &Connection) -> Result<Vec<CredentialRow>, Error> {
    let sql = "SELECT hash, program_id, environment FROM credential WHERE revoked_at IS NULL";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let program: Option<i64> = row.get(1)?;
        let environment: String = row.get(2)?;
        all.push(CredentialRow {
            hash: row.get(0)?,
            scope: program.map_or(KeyScope::Partner, |id| KeyScope::Program(ProgramNumber(id))),
            environment: Environment::parse(&environment)
                .ok_or(Error::Impossible("environment"))?,
        });
    }
    Ok(all)
}
