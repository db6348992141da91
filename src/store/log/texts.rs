//! Texts that people wrote, in a table next to the log, so that they can be erased.

use rusqlite::{Connection, OptionalExtension as _};

use super::chain::{self, Hash, SALT_BYTES};
use crate::domain::{Activity, Comment, Event, EventKind, MemberNumber, Reason, Seq};
use crate::store::Error;
use crate::store::writer::{Prepared, run};

/// The number of the text that is the reason of an entry of the journal, or of a return of units.
pub(in crate::store) const REASON: i64 = 1;

/// The number of the text that is a member's comment on a redemption.
pub(in crate::store) const COMMENT: i64 = 2;

/// The number of the text that is the key of an event, or of what changed of a participant's state.
pub(in crate::store) const KEY: i64 = 3;

/// The number of the text that is the value before a change of a participant's state.
pub(in crate::store) const OLD: i64 = 4;

/// The number of the text that is the value after a change of a participant's state.
pub(in crate::store) const NEW: i64 = 5;

/// The number of the text that is the data of an event.
pub(in crate::store) const DATA: i64 = 6;

/// A text that is about to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct NewText<'a> {
    pub(in crate::store) part: i64,
    pub(in crate::store) text: &'a str,
    salt: Salt,
}

/// Random bytes, without which a text cannot be guessed from its commitment.
pub(super) type Salt = [u8; SALT_BYTES];

impl<'a> NewText<'a> {
    /// A text with a new salt.
    ///
    /// # Panics
    /// If the operating system provides no random bytes.
    pub(in crate::store) fn new(part: i64, text: &'a str) -> Self {
        let salt = new_salt();
        Self { part, text, salt }
    }

    /// The commitment that the chain covers.
    pub(in crate::store) fn commitment(&self) -> Hash {
        chain::commitment(&self.salt, self.text)
    }

    /// The salt.
    pub(in crate::store) fn salt(&self) -> [u8; SALT_BYTES] {
        self.salt
    }
}

fn new_salt() -> Salt {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).expect("the system provides random bytes");
    salt
}

/// The numbers of the texts that events of a kind may have, in rising order.
pub(super) fn parts_of(kind: EventKind) -> &'static [i64] {
    match kind {
        EventKind::WalletCredited
        | EventKind::WalletDebited
        | EventKind::WalletMoved
        | EventKind::ProgramFunded
        | EventKind::ProgramBurned
        | EventKind::RedemptionReturned => &[REASON],
        EventKind::RedemptionRated => &[COMMENT],
        EventKind::StateChanged => &[KEY, OLD, NEW],
        EventKind::EventStored => &[KEY, DATA],
        _ => &[],
    }
}

/// The texts of an event, in the order of the numbers of [`parts_of`].
fn texts_of(event: &Event) -> [Option<&str>; 3] {
    let one = |text| [text, None, None];
    match event {
        Event::WalletCredited(entry) | Event::WalletDebited(entry) | Event::WalletMoved(entry) => {
            one(entry.reason.as_ref().map(Reason::as_str))
        }
        Event::ProgramFunded(funding) | Event::ProgramBurned(funding) => {
            one(funding.description.as_ref().map(Reason::as_str))
        }
        Event::RedemptionRated(rated) => one(rated.comment.as_ref().map(Comment::as_str)),
        Event::RedemptionReturned(returned) => one(returned.reason.as_ref().map(Reason::as_str)),
        Event::StateChanged(change) => {
            [&change.key, &change.old, &change.new].map(|text| text.as_deref())
        }
        Event::EventStored(stored) => [stored.key.as_deref(), stored.data.as_deref(), None],
        _ => one(None),
    }
}

/// A salt for the texts of an event, if it has any.
pub(super) fn salt_of(event: &Event) -> Option<Salt> {
    texts_of(event).iter().any(Option::is_some).then(new_salt)
}

/// The texts of an event, with their salt.
pub(super) fn salted(event: &Event, salt: Salt) -> impl Iterator<Item = NewText<'_>> {
    let parts = parts_of(event.kind()).iter().zip(texts_of(event));
    parts.filter_map(move |(part, text)| {
        Some(NewText {
            part: *part,
            text: text?,
            salt,
        })
    })
}

/// Adds the texts of an event, which are stored in a separate table.
pub(super) fn read(connection: &Connection, activity: &mut Activity) -> Result<(), Error> {
    let seq = activity.seq;
    let find = |part| find(connection, seq, part);
    let find_box = |part| find(part).map(|text| text.map(String::into_boxed_str));
    match &mut activity.event {
        Event::WalletCredited(entry) | Event::WalletDebited(entry) | Event::WalletMoved(entry) => {
            entry.reason = find(REASON)?.map(Reason::stored);
        }
        Event::ProgramFunded(funding) | Event::ProgramBurned(funding) => {
            funding.description = find(REASON)?.map(Reason::stored);
        }
        Event::RedemptionRated(rated) => rated.comment = find(COMMENT)?.map(Comment::stored),
        Event::RedemptionReturned(returned) => {
            returned.reason = find(REASON)?.map(Reason::stored);
        }
        Event::StateChanged(change) => {
            [change.key, change.old, change.new] = of_state(connection, seq)?;
        }
        Event::EventStored(stored) => {
            stored.key = find_box(KEY)?;
            stored.data = find_box(DATA)?;
        }
        _ => {}
    }
    Ok(())
}

/// The texts of a change of a participant's state: the key, and the values before and after.
pub(super) fn of_state(connection: &Connection, seq: Seq) -> Result<[Option<Box<str>>; 3], Error> {
    let find = |part| find(connection, seq, part).map(|text| text.map(String::into_boxed_str));
    Ok([find(KEY)?, find(OLD)?, find(NEW)?])
}

/// Stores a text of a row.
pub(super) fn insert(statements: &dyn Prepared, seq: Seq, text: &NewText<'_>) -> Result<(), Error> {
    let sql = "INSERT INTO log_text (seq, part, text, salt) VALUES (?1, ?2, ?3, ?4)";
    let values = (seq.0, text.part, text.text, text.salt);
    run(statements, sql, |statement| statement.execute(values))?;
    Ok(())
}

/// The numbers of a row's texts in rising order, each with its commitment.
pub(super) fn commitments(connection: &Connection, seq: Seq) -> Result<Vec<(i64, Hash)>, Error> {
    let sql = "SELECT part, text, salt, commitment FROM log_text WHERE seq = ?1 ORDER BY part";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([seq.0])?;
    let mut commitments = Vec::new();
    while let Some(row) = rows.next()? {
        let text: Option<(String, Vec<u8>)> = row.get::<_, Option<String>>(1)?.zip(row.get(2)?);
        let commitment = match text {
            Some((text, salt)) => chain::commitment(&salt, &text),
            None => row.get(3)?,
        };
        commitments.push((row.get(0)?, commitment));
    }
    Ok(commitments)
}

/// A text of a row, if it has one that was not erased.
pub(in crate::store) fn find(
    connection: &Connection,
    seq: Seq,
    part: i64,
) -> Result<Option<String>, Error> {
    let sql = "SELECT text FROM log_text WHERE seq = ?1 AND part = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((seq.0, part))?;
    let text: Option<Option<String>> = rows.next()?.map(|row| row.get(0)).transpose()?;
    Ok(text.flatten())
}

/// Erases the texts of a member's ledger entries, of which `lasts` are the newest of each account,
/// of the member's redemptions, and of the changes of the member's state. Their commitments stay,
/// for the chain.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn erase_texts(
    connection: &Connection,
    member: MemberNumber,
    lasts: &[Option<Seq>],
) -> Result<(), Error> {
    let sql = "SELECT previous_seq FROM activity WHERE seq = ?1 AND member_id = ?2";
    let mut before = connection.prepare_cached(sql)?;
    let sql = "SELECT part, text, salt FROM log_text WHERE seq = ?1 AND text IS NOT NULL";
    let mut texts = connection.prepare_cached(sql)?;
    let sql = "UPDATE log_text SET text = NULL, salt = NULL, commitment = ?3
               WHERE seq = ?1 AND part = ?2";
    let mut erase = connection.prepare_cached(sql)?;
    let mut erase_of = |seq: Seq| -> Result<(), Error> {
        let found: Vec<(i64, String, Vec<u8>)> = texts
            .query_map([seq.0], |row| row.try_into())?
            .collect::<Result<_, _>>()?;
        for (part, text, salt) in found {
            erase.execute((seq.0, part, chain::commitment(&salt, &text)))?;
        }
        Ok(())
    };
    for seq in of_redemptions(connection, member)? {
        erase_of(seq)?;
    }
    for seq in of_changes(connection, member)? {
        erase_of(seq)?;
    }
    for seq in of_events(connection, member)? {
        erase_of(seq)?;
    }
    for last in lasts {
        let mut next = *last;
        while let Some(seq) = next {
            erase_of(seq)?;
            let previous: Option<Option<i64>> = before
                .query_row((seq.0, member.0), |row| row.get(0))
                .optional()?;
            // A damaged chain is followed as far as it leads back.
            next = previous
                .flatten()
                .map(Seq)
                .filter(|previous| *previous < seq);
        }
    }
    Ok(())
}

/// The rows of the log with a member's feedback, and those of returned units.
fn of_redemptions(connection: &Connection, member: MemberNumber) -> Result<Vec<Seq>, Error> {
    let sql = "SELECT a.seq FROM redemption r CROSS JOIN activity a ON a.redemption_id = r.id
               WHERE r.member_id = ?1 AND (r.rating IS NOT NULL OR r.returned > 0)
                   AND a.kind IN (?2, ?3)";
    let mut statement = connection.prepare_cached(sql)?;
    let kinds = [EventKind::RedemptionRated, EventKind::RedemptionReturned].map(EventKind::number);
    let values = (member.0, kinds[0], kinds[1]);
    let rows = statement.query_map(values, |row| row.get(0).map(Seq))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The rows of the log with the events of a member.
fn of_events(connection: &Connection, member: MemberNumber) -> Result<Vec<Seq>, Error> {
    let sql = "SELECT seq FROM event WHERE member_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([member.0], |row| row.get(0).map(Seq))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The rows of the log with the changes of a member's state.
fn of_changes(connection: &Connection, member: MemberNumber) -> Result<Vec<Seq>, Error> {
    let sql = format!(
        "SELECT seq FROM activity INDEXED BY activity_by_state WHERE member_id = ?1 AND kind = {}",
        EventKind::StateChanged.number()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([member.0], |row| row.get(0).map(Seq))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
