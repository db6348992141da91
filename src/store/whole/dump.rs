//! Tables for other programs, such as spreadsheets: members, ledger entries or redemptions, with
//! public ids and names instead of row numbers.

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use uuid::Uuid;

use crate::store::Error;
use crate::store::log::sums;

/// A table to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dump {
    /// Every member with its wallet, including archived ones.
    Members,
    /// Every ledger entry of the program's points.
    Ledger,
    /// Every redemption.
    Redemptions,
}

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// Milliseconds since 1970.
    Time,
    /// A public id with this prefix.
    Id(&'static str),
}

/// A field of every row. Its value may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: FieldKind,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// Text or an id.
    Text(String),
    /// A number or a time.
    Integer(i64),
}

use FieldKind::{Id, Integer, Text, Time};

const MEMBERS: &[(&str, FieldKind, &str)] = &[
    ("environment", Text, "o.environment"),
    ("organization", Text, "o.name"),
    ("program_id", Id(""), "p.uuid"),
    ("external_user_id", Text, "m.external_user_id"),
    ("display_name", Text, "m.display_name"),
    ("tier", Text, "m.tier"),
    ("attributes", Text, "m.attributes"),
    ("balance", Integer, "w.balance"),
    ("amount_received", Integer, "w.amount_received"),
    ("amount_spent", Integer, "w.amount_spent"),
    ("created_at", Time, "m.created_at"),
    ("archived_at", Time, "m.archived_at"),
    ("email", Text, "m.email"),
    ("phone", Text, "m.phone"),
    (
        "status",
        Text,
        "CASE WHEN m.archived_at IS NOT NULL THEN 'CLOSED'
            WHEN m.suspended_at IS NOT NULL THEN 'SUSPENDED' ELSE 'ACTIVE' END",
    ),
];
const FROM_MEMBERS: &str = "FROM member m JOIN wallet w ON w.member_id = m.id
    JOIN program p ON p.id = m.program_id JOIN organization o ON o.id = p.organization_id ORDER BY m.id";

/// Stands for the change of the balance by a ledger entry.
const BALANCE: &str = "{balance}";

const LEDGER: &[(&str, FieldKind, &str)] = &[
    ("environment", Text, "o.environment"),
    ("organization", Text, "o.name"),
    ("program_id", Id(""), "p.uuid"),
    ("seq", Integer, "a.seq"),
    ("at", Time, "a.at"),
    ("external_user_id", Text, "m.external_user_id"),
    (
        "entry",
        Text,
        "CASE a.entry WHEN 1 THEN 'mint' WHEN 2 THEN 'spend' WHEN 3 THEN 'refund'
            WHEN 4 THEN 'forfeit' WHEN 5 THEN 'debit' WHEN 6 THEN 'expire' WHEN 7 THEN 'mature'
            WHEN 8 THEN 'hold' WHEN 9 THEN 'release' WHEN 10 THEN 'void' WHEN 11 THEN 'open'
            ELSE 'reverse' END",
    ),
    ("amount", Integer, "a.amount"),
    // The change of the balance, so that a sum over entries is a balance.
    ("change", Integer, BALANCE),
    (
        "reason",
        Text,
        "coalesce(t.text, CASE a.entry WHEN 2 THEN 'redemption' WHEN 3 THEN 'refund'
            WHEN 4 THEN 'member removed' WHEN 6 THEN 'expired' END)",
    ),
    ("redemption_id", Id("rdm_"), "r.uuid"),
    ("offer_id", Id("off_"), "f.uuid"),
];
const FROM_LEDGER: &str = "FROM activity a JOIN member m ON m.id = a.member_id
    JOIN program p ON p.id = a.program_id JOIN organization o ON o.id = p.organization_id
    LEFT JOIN redemption r ON r.id = a.redemption_id LEFT JOIN offer f ON f.id = a.offer_id
    LEFT JOIN log_text t ON t.seq = a.seq AND t.part = 1
    WHERE a.entry IS NOT NULL AND a.asset IS NULL ORDER BY a.seq";

const REDEMPTIONS: &[(&str, FieldKind, &str)] = &[
    ("environment", Text, "o.environment"),
    ("organization", Text, "o.name"),
    ("program_id", Id(""), "p.uuid"),
    ("id", Id("rdm_"), "r.uuid"),
    ("external_user_id", Text, "m.external_user_id"),
    ("offer_id", Id("off_"), "f.uuid"),
    ("offer_title", Text, "f.title"),
    ("status", Text, "r.status"),
    ("charged", Integer, "r.charged"),
    ("created_at", Time, "r.created_at"),
    ("start_at", Time, "r.start_at"),
    ("end_at", Time, "r.end_at"),
    ("canceled_reason", Text, "r.canceled_reason"),
    ("canceled_note", Text, "r.canceled_note"),
    ("rating", Integer, "r.rating"),
    ("rating_comment", Text, "r.rating_comment"),
    ("rated_at", Time, "r.rated_at"),
    ("code", Text, "r.code"),
    ("quantity", Integer, "r.quantity"),
    ("returned", Integer, "r.returned"),
];
const FROM_REDEMPTIONS: &str = "FROM redemption r JOIN member m ON m.id = r.member_id
    JOIN offer f ON f.id = r.offer_id JOIN program p ON p.id = r.program_id
    JOIN organization o ON o.id = p.organization_id ORDER BY r.id";

impl Dump {
    fn parts(
        self,
    ) -> (
        &'static [(&'static str, FieldKind, &'static str)],
        &'static str,
    ) {
        match self {
            Self::Members => (MEMBERS, FROM_MEMBERS),
            Self::Ledger => (LEDGER, FROM_LEDGER),
            Self::Redemptions => (REDEMPTIONS, FROM_REDEMPTIONS),
        }
    }

    /// Its fields, in order.
    pub fn fields(self) -> Vec<Field> {
        let (columns, _) = self.parts();
        let field = |(name, kind, _): &(&'static str, FieldKind, &str)| Field { name, kind: *kind };
        columns.iter().map(field).collect()
    }

    /// Passes every row to `take`, oldest first, with the total number of rows.
    ///
    /// # Errors
    /// The error of `take`, or [`Error`] if the database fails.
    pub fn each_row<E: From<Error>>(
        self,
        connection: &Connection,
        mut take: impl FnMut(&[Value], u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let (columns, from) = self.parts();
        // One snapshot for the count and the rows.
        let moment = connection.unchecked_transaction().map_err(Error::from)?;
        let count: i64 = moment
            .query_row(&format!("SELECT count(*) {from}"), [], |row| row.get(0))
            .map_err(Error::from)?;
        let count = count.unsigned_abs();
        let expressions: Vec<&str> = columns.iter().map(|(.., sql)| *sql).collect();
        let expressions = expressions.join(", ").replace(BALANCE, &sums::balance());
        let sql = format!("SELECT {expressions} {from}");
        let mut statement = moment.prepare(&sql).map_err(Error::from)?;
        let mut rows = statement.query([]).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            let mut values = Vec::with_capacity(columns.len());
            for (index, (_, kind, _)) in columns.iter().enumerate() {
                values.push(value(row.get_ref(index).map_err(Error::from)?, *kind)?);
            }
            take(&values, count)?;
        }
        Ok(())
    }
}

fn value(value: ValueRef<'_>, kind: FieldKind) -> Result<Value, Error> {
    match (value, kind) {
        (ValueRef::Null, _) => Ok(Value::Null),
        (ValueRef::Integer(number), Integer | Time) => Ok(Value::Integer(number)),
        (ValueRef::Text(text), Text) => {
            let text = std::str::from_utf8(text).map_err(|_| Error::Impossible("text"))?;
            Ok(Value::Text(text.to_owned()))
        }
        (ValueRef::Blob(bytes), Id(prefix)) => {
            let uuid = Uuid::from_slice(bytes).map_err(|_| Error::Impossible("id"))?;
            Ok(Value::Text(format!("{prefix}{uuid}")))
        }
        _ => Err(Error::Impossible("value")),
    }
}
