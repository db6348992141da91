//! API keys, stored as hashes.

use rusqlite::{Connection, OptionalExtension as _, Row};
use uuid::Uuid;

use crate::domain::{CredentialNumber, Environment, OrganizationNumber, ProgramNumber, Timestamp};
use crate::store::error::readable;
use crate::store::tables::columns::{column, environment, optional_time, time, uuid};
use crate::store::tables::query;
use crate::store::{AccessChange, Counted, Error, Transaction};

/// The columns that [`credential`] reads.
const COLUMNS: &str = "id, hash, program_id, environment, revoked_at, last_used_at";

/// The SHA-256 hash of a whole key.
pub type KeyHash = [u8; 32];

/// The scope of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyScope {
    /// One program: an Org-API-Key.
    Program(ProgramNumber),
    /// The organizations of an environment: a partner key.
    Partner,
}

/// A key to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredential<'a> {
    /// Its scope.
    pub scope: KeyScope,
    /// Its environment.
    pub environment: Environment,
    /// The public id.
    pub uuid: Uuid,
    /// The name that the operator gave it.
    pub name: &'a str,
    /// Its first characters.
    pub prefix: &'a str,
    /// Its hash.
    pub hash: KeyHash,
}

/// The parts of a key that a credential check needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// Its row.
    pub number: CredentialNumber,
    /// Its hash.
    pub hash: KeyHash,
    /// Its scope.
    pub scope: KeyScope,
    /// Its environment.
    pub environment: Environment,
    /// Whether it is revoked.
    pub is_revoked: bool,
    /// The time of its last use that is stored.
    pub last_used_at: Option<Timestamp>,
}

/// The name and the first characters of a key.
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

/// The public id of a key.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn uuid_of(connection: &Connection, number: CredentialNumber) -> Result<Option<Uuid>, Error> {
    let sql = "SELECT uuid FROM credential WHERE id = ?1";
    query::one(connection, sql, [number.0], |row| uuid(row, 0))
}

/// Creates a key.
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
    let sql = "INSERT INTO credential (uuid, kind, environment, program_id, name, prefix, hash,
                   created_at)
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
    let sql = format!("SELECT {COLUMNS} FROM credential WHERE revoked_at IS NULL");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.extend(readable("credential", row, credential(row))?);
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
    let sql = format!("SELECT {COLUMNS} FROM credential WHERE id = ?1");
    query::one(connection, &sql, [number.0], credential)
}

/// Reads [`COLUMNS`].
fn credential(row: &Row<'_>) -> Result<CredentialRow, Error> {
    let program: Option<i64> = row.get(column!(COLUMNS, "program_id"))?;
    let revoked_at: Option<i64> = row.get(column!(COLUMNS, "revoked_at"))?;
    Ok(CredentialRow {
        number: CredentialNumber(row.get(column!(COLUMNS, "id"))?),
        hash: row.get(column!(COLUMNS, "hash"))?,
        scope: program.map_or(KeyScope::Partner, |id| KeyScope::Program(ProgramNumber(id))),
        environment: environment(row, column!(COLUMNS, "environment"))?,
        is_revoked: revoked_at.is_some(),
        last_used_at: optional_time(row, column!(COLUMNS, "last_used_at"))?,
    })
}

/// An Org-API-Key in a list of an organization's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The public id.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// The public id of its program.
    pub program: Uuid,
    /// The time it was created.
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
    const SELECT: &str = "SELECT c.uuid, c.name, c.prefix, p.uuid, c.created_at
        FROM program p JOIN credential c ON c.program_id = p.id
        WHERE p.organization_id = ?1 AND c.revoked_at IS NULL ORDER BY c.id DESC";
    query::all(connection, SELECT, [organization.0], |row| {
        Ok(KeyRow {
            uuid: uuid(row, column!(SELECT, "c.uuid"))?,
            name: row.get(column!(SELECT, "name"))?,
            prefix: row.get(column!(SELECT, "prefix"))?,
            program: uuid(row, column!(SELECT, "p.uuid"))?,
            created_at: time(row, column!(SELECT, "created_at"))?,
        })
    })
}

/// An Org-API-Key in a list of a program's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramKeyRow {
    /// Its row.
    pub number: CredentialNumber,
    /// The public id.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// Its hash.
    pub hash: KeyHash,
    /// The time it was created.
    pub created_at: Timestamp,
    /// The time of its last use that is stored.
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
    const SELECT: &str = "SELECT id, uuid, name, prefix, hash, created_at, last_used_at
        FROM credential WHERE program_id = ?1 AND revoked_at IS NULL ORDER BY id DESC";
    query::all(connection, SELECT, [program.0], |row| {
        Ok(ProgramKeyRow {
            number: CredentialNumber(row.get(column!(SELECT, "id"))?),
            uuid: uuid(row, column!(SELECT, "uuid"))?,
            name: row.get(column!(SELECT, "name"))?,
            prefix: row.get(column!(SELECT, "prefix"))?,
            hash: row.get(column!(SELECT, "hash"))?,
            created_at: time(row, column!(SELECT, "created_at"))?,
            last_used_at: optional_time(row, column!(SELECT, "last_used_at"))?,
        })
    })
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

/// The key of a program with a public id, if it is not revoked.
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

/// Saves the times of the last uses of keys.
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

/// Revokes a key of an organization. Returns `false` if it has no such key, or it is revoked
/// already.
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

/// Notes in the transaction that a key was revoked. Returns whether one was.
fn note_revoked(tx: &mut Transaction<'_>, revoked: Option<(i64, Option<i64>)>) -> bool {
    if let Some((number, program)) = revoked {
        tx.access_changed(AccessChange::Credential(CredentialNumber(number)));
        if let Some(program) = program {
            tx.count_change(Counted::Keys(ProgramNumber(program)), -1);
        }
    }
    revoked.is_some()
}

/// A key of any kind in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKeyRow {
    /// The public id.
    pub uuid: Uuid,
    /// Its environment.
    pub environment: Environment,
    /// Its name.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// The public ids of its organization and program; `None` for a partner key.
    pub opens: Option<(Uuid, Uuid)>,
    /// The time it was created.
    pub created_at: Timestamp,
}

/// Every key that is not revoked, oldest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all_listed(connection: &Connection) -> Result<Vec<ListedKeyRow>, Error> {
    const SELECT: &str =
        "SELECT c.uuid, c.environment, c.name, c.prefix, c.created_at, p.id, p.uuid, o.uuid
        FROM credential c LEFT JOIN program p ON p.id = c.program_id
            LEFT JOIN organization o ON o.id = p.organization_id
        WHERE c.revoked_at IS NULL ORDER BY c.id";
    query::all(connection, SELECT, [], |row| {
        let program: Option<i64> = row.get(column!(SELECT, "p.id"))?;
        let opens = match program {
            Some(_) => Some((
                uuid(row, column!(SELECT, "o.uuid"))?,
                uuid(row, column!(SELECT, "p.uuid"))?,
            )),
            None => None,
        };
        Ok(ListedKeyRow {
            uuid: uuid(row, column!(SELECT, "c.uuid"))?,
            environment: environment(row, column!(SELECT, "environment"))?,
            name: row.get(column!(SELECT, "name"))?,
            prefix: row.get(column!(SELECT, "prefix"))?,
            opens,
            created_at: time(row, column!(SELECT, "created_at"))?,
        })
    })
}

/// Revokes a key of any kind. Returns `false` if no key has this id, or it is revoked already.
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
