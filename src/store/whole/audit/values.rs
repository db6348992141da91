//! Checks of single values, and of what a start reads.

use rusqlite::Connection;

use super::constraints;
use super::findings::FINDINGS_MAX;
use crate::store::Error;
use crate::store::tables::{credentials, members, organizations, programs, settings, webhooks};
use crate::store::whole::transfer;

/// Finds values that the API of no version accepted.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn values(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut findings = constraints::broken(connection)?;
    findings.extend(setting_values(connection)?);
    for table in transfer::tables(crate::store::schema_version())? {
        // Another check reads every row of the log.
        if !matches!(table.name, "activity" | "setting") {
            findings.extend(table.impossible_values(connection, FINDINGS_MAX)?);
        }
    }
    Ok(findings)
}

fn setting_values(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare("SELECT name, value FROM setting ORDER BY name")?;
    let mut rows = statement.query([])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, value): (String, Vec<u8>) = row.try_into()?;
        if let Some(wrong) = settings::wrong_with(&name, &value) {
            findings.push(format!("setting {name:?} {wrong}"));
        }
    }
    Ok(findings)
}

/// Finds settings that a server needs and that are missing.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn missing_settings(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM organization) OR EXISTS (SELECT 1 FROM setting)";
    if !connection.query_row(sql, [], |row| row.get(0))? {
        // No server has been started on it yet.
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    for name in settings::NEEDED {
        let sql = "SELECT EXISTS (SELECT 1 FROM setting WHERE name = ?1)";
        if !connection.query_row(sql, [name], |row| row.get(0))? {
            findings.push(format!(
                "setting {name:?} is missing: a server could not start"
            ));
        }
    }
    Ok(findings)
}

/// Reads what a start reads besides the log, and finds rows that would make it fail.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn start(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut findings = Vec::new();
    let mut read = |what: &str, outcome: Result<(), Error>| match outcome {
        Ok(()) => Ok(()),
        Err(error) if error.is_storage_failure() || error.is_damage() => Err(error),
        Err(error) => {
            findings.push(format!(
                "a {what} cannot be read ({error}): a server could not start"
            ));
            Ok(())
        }
    };
    read(
        "partner_uuid in setting",
        settings::partner_uuid(connection).map(drop),
    )?;
    read(
        "token_key in setting",
        settings::token_key(connection).map(drop),
    )?;
    read("credential", credentials::all_active(connection).map(drop))?;
    read("program", programs::all_access(connection).map(drop))?;
    read(
        "organization",
        organizations::all_access(connection).map(drop),
    )?;
    read("member", members::raised_epochs(connection).map(drop))?;
    read(
        "webhook_endpoint",
        webhooks::all_active(connection).map(drop),
    )?;
    Ok(findings)
}
