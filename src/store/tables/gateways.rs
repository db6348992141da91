//! Gateways of programs: the servers of the operator that get phone codes and sensitive details.

use rusqlite::Connection;
use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::{Gateway, ProgramNumber, WebhookUrl};
use crate::store::tables::query;
use crate::store::{Error, Transaction};

/// A gateway's address, and the secret of its signatures.
#[derive(Debug, Clone)]
pub struct GatewayTarget {
    /// The address.
    pub url: WebhookUrl,
    /// The secret.
    pub secret: SecretString,
}

/// A gateway of a program.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    program: ProgramNumber,
    kind: Gateway,
) -> Result<Option<GatewayTarget>, Error> {
    let sql = "SELECT url, secret FROM gateway WHERE program_id = ?1 AND kind = ?2";
    query::one(connection, sql, (program.0, kind.as_str()), |row| {
        let url: String = row.get(0)?;
        Ok(GatewayTarget {
            url: WebhookUrl::stored(&url).ok_or(Error::Impossible("gateway address"))?,
            secret: SecretString::from(row.get::<_, String>(1)?),
        })
    })
}

/// Sets or deletes a gateway of a program.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn set(
    tx: &Transaction<'_>,
    program: ProgramNumber,
    kind: Gateway,
    target: Option<&GatewayTarget>,
) -> Result<(), Error> {
    let sql = "DELETE FROM gateway WHERE program_id = ?1 AND kind = ?2";
    let key = (program.0, kind.as_str());
    tx.run(sql, |statement| statement.execute(key))?;
    if let Some(target) = target {
        let sql = "INSERT INTO gateway (program_id, kind, url, secret) VALUES (?1, ?2, ?3, ?4)";
        let secret = target.secret.expose_secret();
        let values = (program.0, kind.as_str(), target.url.as_str(), secret);
        tx.run(sql, |statement| statement.execute(values))?;
    }
    Ok(())
}

/// Moves the gateways of a program to another one.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn move_all(tx: &Transaction<'_>, from: ProgramNumber, to: ProgramNumber) -> Result<(), Error> {
    let sql = "UPDATE gateway SET program_id = ?2 WHERE program_id = ?1";
    tx.run(sql, |statement| statement.execute((from.0, to.0)))?;
    Ok(())
}
