//! Versions of a program's legal documents, and their acceptance by members.
//!
//! A row has the number of the activity that made it, whose time is that of the publication or the
//! acceptance.

use rusqlite::{Connection, Row};

use crate::domain::{
    MemberNumber, PresentTerms, ProgramNumber, Seq, TermsContent, TermsHtml, TermsType,
    TermsVersion, TermsVersionId,
};
use crate::store::tables::columns::{column, optional_time, time, uuid, word};
use crate::store::tables::query;
use crate::store::{Error, Transaction};

/// The present version of each document of program `?1`, and when member `?2` accepted it.
const PRESENT: &str = "SELECT v.seq, v.uuid, v.type, p.at AS published_at, a.at AS accepted_at
    FROM terms_version v JOIN activity p ON p.seq = v.seq
        LEFT JOIN terms_acceptance c ON c.version_seq = v.seq AND c.member_id = ?2
        LEFT JOIN activity a ON a.seq = c.seq
    WHERE v.program_id = ?1 AND v.seq = (SELECT max(seq) FROM terms_version
        WHERE program_id = ?1 AND type = v.type)
    ORDER BY v.type DESC";

const CONTENT: &str = "SELECT v.uuid, v.type, p.at AS published_at, v.content
    FROM terms_version v JOIN activity p ON p.seq = v.seq
    WHERE v.program_id = ?1 AND v.uuid = ?2";

/// The present version of each document of a program, and when a member accepted it.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn present(
    connection: &Connection,
    program: ProgramNumber,
    member: Option<MemberNumber>,
) -> Result<Vec<PresentTerms>, Error> {
    let mut statement = connection.prepare_cached(PRESENT)?;
    let mut rows = statement.query((program.0, member.map(|member| member.0)))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(PresentTerms {
            seq: Seq(row.get(column!(PRESENT, "v.seq"))?),
            version: version(row, column!(PRESENT, "v.uuid"))?,
            published_at: time(row, column!(PRESENT, "published_at"))?,
            accepted_at: optional_time(row, column!(PRESENT, "accepted_at"))?,
        });
    }
    Ok(all)
}

/// A version of a program's documents, with its text.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn content(
    connection: &Connection,
    program: ProgramNumber,
    id: TermsVersionId,
) -> Result<Option<TermsContent>, Error> {
    query::one(
        connection,
        CONTENT,
        (program.0, id.as_uuid().as_bytes()),
        |row| {
            Ok(TermsContent {
                version: version(row, column!(CONTENT, "v.uuid"))?,
                published_at: time(row, column!(CONTENT, "published_at"))?,
                html: TermsHtml::stored(row.get(column!(CONTENT, "content"))?),
            })
        },
    )
}

/// The activity that published a version of a program's documents.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn publication(
    connection: &Connection,
    program: ProgramNumber,
    id: TermsVersionId,
) -> Result<Option<Seq>, Error> {
    let sql = "SELECT seq FROM terms_version WHERE program_id = ?1 AND uuid = ?2";
    let values = (program.0, id.as_uuid().as_bytes());
    query::one(connection, sql, values, |row| Ok(Seq(row.get(0)?)))
}

/// Adds a version, which the activity `seq` published.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn publish(
    tx: &Transaction<'_>,
    (program, seq): (ProgramNumber, Seq),
    version: TermsVersion,
    html: &TermsHtml,
) -> Result<(), Error> {
    let sql = "INSERT INTO terms_version (seq, program_id, uuid, type, content)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let id = version.id.as_uuid().as_bytes();
    let values = (seq.0, program.0, id, version.of.as_str(), html.as_str());
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// Whether a member accepted the version that an activity published.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn is_accepted(
    connection: &Connection,
    member: MemberNumber,
    published: Seq,
) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM terms_acceptance WHERE member_id = ?1 AND version_seq = ?2";
    let found = query::one(connection, sql, (member.0, published.0), |_| Ok(()))?;
    Ok(found.is_some())
}

/// Adds a member's acceptance, by the activity `seq`, of the version that `published` published.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn accept(
    tx: &Transaction<'_>,
    member: MemberNumber,
    published: Seq,
    seq: Seq,
) -> Result<(), Error> {
    let sql = "INSERT INTO terms_acceptance (seq, member_id, version_seq) VALUES (?1, ?2, ?3)";
    let values = (seq.0, member.0, published.0);
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// Reads the id of a version from a column, and its document from the next one.
fn version(row: &Row<'_>, column: usize) -> Result<TermsVersion, Error> {
    Ok(TermsVersion {
        id: TermsVersionId::from_uuid(uuid(row, column)?),
        of: word(row, column + 1, TermsType::parse, "legal document")?,
    })
}
