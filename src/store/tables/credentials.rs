//! Keys, as hashes.

use rusqlite::{Connection, OptionalExtension as _, Row};
use uuid::Uuid;

use super::programs::uuid;
use crate::domain::{CredentialNumber, Environment, OrganizationNumber, ProgramNumber, Timestamp};
use crate::store::log::timestamp;
use crate::store::{AccessChange, Counted, Error, Transaction};

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
    /// The public id.
    pub uuid: Uuid,
    /// What the operator calls it.
    pub name: &'a str,
    /// Its first characters.
    pub prefix: &'a str,
    /// Its hash.
    pub hash: KeyHash,
}

/// What decides what a key opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// Its row.
    pub number: CredentialNumber,
    /// Its hash.
    pub hash: KeyHash,
    /// What it opens.
    pub scope: KeyScope,
    /// Where.
    pub environment: Environment,
    /// Whether it opens nothing any more.
    pub is_revoked: bool,
    /// When it was last used, as far as that is written down.
    pub last_used_at: Option<Timestamp>,
}

/// What a key is called, and its first characters.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn name(
    connection: &Connection,
    number: CredentialNumber,
) -> Result<Option<(String, String)>, Error> {
    let sql = "SELECT name, prefix FROM credential WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([number.0], |row| row.try_into());
    Ok(found.optional()?)
}

/// Stores a key.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(
    tx: &mut Transaction<'_>,
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
            credential.uuid.as_bytes(),
            kind,
            credential.environment.as_str(),
            program,
            credential.name,
            credential.prefix,
            credential.hash,
            now.as_millis(),
        ),
    )?;
    let number = CredentialNumber(tx.last_insert_rowid());
    tx.access_changed(AccessChange::Credential(number));
    if let KeyScope::Program(program) = credential.scope {
        tx.count_change(Counted::Keys(program), 1);
    }
    Ok(number)
}

/// Every key that is not revoked.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all_active(connection: &Connection) -> Result<Vec<CredentialRow>, Error> {
    let sql = "SELECT id, hash, program_id, environment, revoked_at, last_used_at FROM credential
               WHERE revoked_at IS NULL";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.extend(crate::store::readable("credential", row, credential(row))?);
    }
    Ok(all)
}

/// A key, revoked or not.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn get(
    connection: &Connection,
    number: CredentialNumber,
) -> Result<Option<CredentialRow>, Error> {
    let sql = "SELECT id, hash, program_id, environment, revoked_at, last_used_at FROM credential
               WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([number.0])?;
    rows.next()?.map(credential).transpose()
}

fn credential(row: &Row<'_>) -> Result<CredentialRow, Error> {
    let program: Option<i64> = row.get(2)?;
    let environment: String = row.get(3)?;
    Ok(CredentialRow {
        number: CredentialNumber(row.get(0)?),
        hash: row.get(1)?,
        scope: program.map_or(KeyScope::Partner, |id| KeyScope::Program(ProgramNumber(id))),
        environment: Environment::parse(&environment).ok_or(Error::Impossible("environment"))?,
        is_revoked: row.get::<_, Option<i64>>(4)?.is_some(),
        last_used_at: row.get::<_, Option<i64>>(5)?.map(timestamp).transpose()?,
    })
}

/// An Org-API-Key as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The public id.
    pub uuid: Uuid,
    /// What it is called.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// The public id of the program it opens.
    pub program: Uuid,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The keys of an organization's programs that are not revoked, newest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn of_organization(
    connection: &Connection,
    organization: OrganizationNumber,
) -> Result<Vec<KeyRow>, Error> {
    let sql = "SELECT c.uuid, c.name, c.prefix, p.uuid, c.created_at
               FROM program p JOIN credential c ON c.program_id = p.id
               WHERE p.organization_id = ?1 AND c.revoked_at IS NULL ORDER BY c.id DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([organization.0])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(KeyRow {
            uuid: uuid(row, 0)?,
            name: row.get(1)?,
            prefix: row.get(2)?,
            program: uuid(row, 3)?,
            created_at: timestamp(row.get(4)?)?,
        });
    }
    Ok(keys)
}

/// An Org-API-Key as the program that it opens lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramKeyRow {
    /// Its row.
    pub number: CredentialNumber,
    /// The public id.
    pub uuid: Uuid,
    /// What it is called.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// Its hash.
    pub hash: KeyHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, as far as that is written down.
    pub last_used_at: Option<Timestamp>,
}

/// The keys of a program that are not revoked, newest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn of_program(
    connection: &Connection,
    program: ProgramNumber,
) -> Result<Vec<ProgramKeyRow>, Error> {
    let sql = "SELECT id, uuid, name, prefix, hash, created_at, last_used_at FROM credential
               WHERE program_id = ?1 AND revoked_at IS NULL ORDER BY id DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([program.0])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(ProgramKeyRow {
            number: CredentialNumber(row.get(0)?),
            uuid: uuid(row, 1)?,
            name: row.get(2)?,
            prefix: row.get(3)?,
            hash: row.get(4)?,
            created_at: timestamp(row.get(5)?)?,
            last_used_at: row.get::<_, Option<i64>>(6)?.map(timestamp).transpose()?,
        });
    }
    Ok(keys)
}

/// Revokes a key of a program by its row.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn revoke_number(
    tx: &mut Transaction<'_>,
    key: CredentialNumber,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE credential SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL
               RETURNING id, program_id";
    let revoked = tx
        .prepare_cached(sql)?
        .query_row((key.0, now.as_millis()), |row| row.try_into())
        .optional()?;
    note_revoked(tx, revoked);
    Ok(())
}

/// The key of a program that is not revoked and has this id.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find_in_program(
    connection: &Connection,
    program: ProgramNumber,
    key: Uuid,
) -> Result<Option<CredentialNumber>, Error> {
    let sql = "SELECT id FROM credential
               WHERE uuid = ?2 AND program_id = ?1 AND revoked_at IS NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let number = statement.query_row((program.0, key.as_bytes()), |row| row.get(0));
    Ok(number.optional()?.map(CredentialNumber))
}

/// Writes down when keys were last used.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn set_last_used(
    connection: &Connection,
    uses: &[(CredentialNumber, Timestamp)],
) -> Result<(), Error> {
    let sql = "UPDATE credential SET last_used_at = max(coalesce(last_used_at, ?2), ?2)
               WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    for (key, at) in uses {
        statement.execute((key.0, at.as_millis()))?;
    }
    Ok(())
}

/// Revokes a key of an organization; `false` if it has no such key, or it is revoked already.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn revoke(
    tx: &mut Transaction<'_>,
    organization: OrganizationNumber,
    key: Uuid,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "UPDATE credential SET revoked_at = ?3
               WHERE uuid = ?2 AND revoked_at IS NULL
                   AND program_id IN (SELECT id FROM program WHERE organization_id = ?1)
               RETURNING id, program_id";
    let values = (organization.0, key.as_bytes(), now.as_millis());
    let revoked = tx
        .prepare_cached(sql)?
        .query_row(values, |row| row.try_into())
        .optional()?;
    Ok(note_revoked(tx, revoked))
}

/// Says which key was revoked, if one was.
fn note_revoked(tx: &mut Transaction<'_>, revoked: Option<(i64, Option<i64>)>) -> bool {
    if let Some((number, program)) = revoked {
        tx.access_changed(AccessChange::Credential(CredentialNumber(number)));
        if let Some(program) = program {
            tx.count_change(Counted::Keys(ProgramNumber(program)), -1);
        }
    }
    revoked.is_some()
}

/// A key of whatever kind, as the operator's list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKeyRow {
    /// The public id.
    pub uuid: Uuid,
    /// Where.
    pub environment: Environment,
    /// What it is called.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// The public ids of the organization and the program it opens; `None`: a partner key.
    pub opens: Option<(Uuid, Uuid)>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Every key that is not revoked, the oldest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all_listed(connection: &Connection) -> Result<Vec<ListedKeyRow>, Error> {
    let sql = "SELECT c.uuid, c.environment, c.name, c.prefix, c.created_at, p.id, p.uuid, o.uuid
               FROM credential c LEFT JOIN program p ON p.id = c.program_id
                   LEFT JOIN organization o ON o.id = p.organization_id
               WHERE c.revoked_at IS NULL ORDER BY c.id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let environment: String = row.get(1)?;
        let program: Option<i64> = row.get(5)?;
        keys.push(ListedKeyRow {
            uuid: uuid(row, 0)?,
            environment: Environment::parse(&environment)
                .ok_or(Error::Impossible("environment"))?,
            name: row.get(2)?,
            prefix: row.get(3)?,
            opens: match program {
                Some(_) => Some((uuid(row, 7)?, uuid(row, 6)?)),
                None => None,
            },
            created_at: timestamp(row.get(4)?)?,
        });
    }
    Ok(keys)
}

/// Revokes a key of whatever kind; `false` if there is none of this id, or it is revoked already.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn revoke_any(tx: &mut Transaction<'_>, key: Uuid, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE credential SET revoked_at = ?2 WHERE uuid = ?1 AND revoked_at IS NULL
               RETURNING id, program_id";
    let values = (key.as_bytes(), now.as_millis());
    let revoked = tx.query_row(sql, values, |row| row.try_into()).optional()?;
    Ok(note_revoked(tx, revoked))
}
