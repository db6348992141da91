//! What rows say about each other, where the log has no part in it.

use rusqlite::Connection;
use uuid::Uuid;

use super::{constraints, lines};
use crate::domain::{
    ConversationId, ENDPOINTS_MAX, Environment, EventKind, MemberNumber, Shown, TRIAL_CREDITS_MAX,
    WebhookUrl,
};
use crate::store::Error;
use crate::store::tables::settings;
use crate::store::whole::transfer;

/// Findings of one table after which no more are looked for.
pub(super) const FINDINGS_MAX: usize = 100;

/// Values that no version's API accepted.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn values(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut findings = constraints::broken(connection)?;
    findings.extend(setting_values(connection)?);
    for table in transfer::tables(crate::store::schema_version())? {
        // The log is looked at row by row anyway.
        if !matches!(table.name, "activity" | "setting") {
            findings.extend(table.impossible(connection, FINDINGS_MAX)?);
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

/// Settings that a server needs and that are missing.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn missing_settings(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM organization) OR EXISTS (SELECT 1 FROM setting)";
    if !connection.query_row(sql, [], |row| row.get(0))? {
        // No server was started on it yet.
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    for name in settings::NEEDED {
        let sql = "SELECT EXISTS (SELECT 1 FROM setting WHERE name = ?1)";
        if !connection.query_row(sql, [name], |row| row.get(0))? {
            findings.push(format!(
                "setting {name:?} is missing: no server could start"
            ));
        }
    }
    Ok(findings)
}

/// Rows that contradict each other.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn contradictions(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut findings = Vec::new();
    for sql in CONTRADICTIONS {
        // Sentences that go over several lines are one line for a person.
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let sql = sql
            .replace("{trial}", &TRIAL_CREDITS_MAX.to_string())
            .replace("{kept}", &kept_kinds());
        findings.extend(lines(connection, &format!("{sql} LIMIT {FINDINGS_MAX}"))?);
    }
    findings.extend(support_ids(connection)?);
    findings.extend(endpoints(connection)?);
    Ok(findings)
}

/// The numbers of the events whose object is kept for webhooks.
fn kept_kinds() -> String {
    let is_kept = |kind: &EventKind| matches!(kind.shown(), Shown::Member | Shown::Redemption);
    let numbers: Vec<String> = EventKind::ALL
        .into_iter()
        .filter(is_kept)
        .map(|kind| kind.number().to_string())
        .collect();
    numbers.join(", ")
}

/// Each gives a sentence for each row that contradicts another one, or itself.
const CONTRADICTIONS: &[&str] = &[
    "SELECT format('organization row %d: its allocation is not whole', id) FROM organization
     WHERE (allocation IS NULL) <> (allocation_uuid IS NULL)
        OR (allocation IS NULL) <> (allocated_at IS NULL)
        OR (allocation IS NULL AND allocation_notes IS NOT NULL)",
    "SELECT format('organization row %d: on trial, it can have no allocation of %d', id, allocation)
     FROM organization WHERE tier = 'trial' AND allocation > {trial}",
    "SELECT format('credential row %d: it is of %s, its program of %s', c.id, c.environment,
         o.environment)
     FROM credential c JOIN program p ON p.id = c.program_id
        JOIN organization o ON o.id = p.organization_id
     WHERE c.environment <> o.environment",
    "SELECT format('credential row %d: its prefix is that of another kind of key', id)
     FROM credential
     WHERE instr(prefix, iif(kind = 'org', 'expys_', 'partner_') || environment || '_') <> 1",
    "SELECT format('offer row %d ends before it starts', id) FROM offer WHERE end_at < start_at",
    "SELECT format('redemption row %d ends before it starts', id) FROM redemption
     WHERE end_at < start_at",
    "SELECT format('redemption row %d: it says why it was canceled, but it is not', id)
     FROM redemption WHERE status <> 'CANCELED'
        AND (canceled_reason IS NOT NULL OR canceled_note IS NOT NULL)",
    "SELECT format('redemption row %d: its member or offer is of another program', r.id)
     FROM redemption r JOIN member m ON m.id = r.member_id JOIN offer o ON o.id = r.offer_id
     WHERE m.program_id <> r.program_id OR o.program_id <> r.program_id",
    "SELECT format('conversation row %d: its member is of another program', c.id)
     FROM conversation c JOIN member m ON m.id = c.member_id
     WHERE m.program_id <> c.program_id",
    "SELECT format('conversation row %d: its redemption is another one than its id says, or of
         another member, or it has no title', c.id)
     FROM conversation c JOIN redemption r ON r.id = c.redemption_id
     WHERE c.uuid <> r.uuid OR c.member_id <> r.member_id OR c.title IS NULL",
    "SELECT format('redemption row %d has no conversation', r.id) FROM redemption r
     WHERE NOT EXISTS (SELECT 1 FROM conversation c WHERE c.uuid = r.uuid)",
    "SELECT format('conversation row %d: of support, nothing was said in it', id)
     FROM conversation WHERE redemption_id IS NULL AND last_message_at IS NULL",
    "SELECT format('conversation row %d: its member was erased, but its title was not', c.id)
     FROM conversation c JOIN member m ON m.id = c.member_id
     WHERE c.redemption_id IS NULL AND c.title IS NOT NULL AND m.external_user_id GLOB 'erased_*'
        AND m.archived_at IS NOT NULL",
    "SELECT format('conversation row %d: its messages say otherwise since when the member waits', c.id)
     FROM conversation c JOIN member m ON m.id = c.member_id
     WHERE c.waiting_since IS NOT iif(m.archived_at IS NULL, (SELECT min(s.created_at)
         FROM message s WHERE s.conversation_id = c.id AND s.id > coalesce((SELECT max(a.id)
             FROM message a WHERE a.conversation_id = c.id AND a.role = 'agent'), 0)), NULL)",
    "SELECT format('conversation row %d: its last message or its time is another one', c.id)
     FROM conversation c LEFT JOIN redemption r ON r.id = c.redemption_id
        LEFT JOIN message s ON s.id = (SELECT max(id) FROM message WHERE conversation_id = c.id)
     WHERE c.last_message_at IS NOT s.created_at OR c.last_role IS NOT s.role
        OR c.active_at IS NOT coalesce(s.created_at, r.created_at)",
    "SELECT format('message row %d lost its text, but member row %d was not erased', s.id, m.id)
     FROM message s JOIN conversation c ON c.id = s.conversation_id
        JOIN member m ON m.id = c.member_id
     WHERE s.body IS NULL AND m.external_user_id NOT GLOB 'erased_*'",
    "SELECT format('log_text of activity %d has part %d, which no event has', seq, part)
     FROM log_text WHERE part <> 1",
    "SELECT format('event_payload of activity %d: that is no event of its program whose object is
         kept', p.seq)
     FROM event_payload p JOIN activity a ON a.seq = p.seq
     WHERE a.program_id IS NOT p.program_id OR a.kind NOT IN ({kept})",
    "SELECT format('event_payload of activity %d: its data is no JSON object', seq)
     FROM event_payload
     WHERE data IS NOT NULL AND iif(json_valid(data), json_type(data), '') <> 'object'",
    "SELECT format('event_payload of activity %d lost its data, but member row %d was not erased',
         p.seq, m.id)
     FROM event_payload p JOIN activity a ON a.seq = p.seq JOIN member m ON m.id = a.member_id
     WHERE p.data IS NULL AND m.external_user_id NOT GLOB 'erased_*'",
    "SELECT format('webhook_delivery of activity %d to endpoint row %d: that is no event of its
         program and time', d.seq, d.endpoint_id)
     FROM webhook_delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id
        LEFT JOIN activity a ON a.seq = d.seq
     WHERE d.seq >= 0 AND (a.program_id IS NOT w.program_id OR a.at IS NOT d.created_at
        OR a.kind >= 20)",
    "SELECT format('webhook_delivery of activity %d to endpoint row %d: its status contradicts its
         attempts', seq, endpoint_id)
     FROM webhook_delivery
     WHERE (last_at IS NULL) <> (duration IS NULL) OR (last_at IS NULL) <> (attempts = 0)
        OR (status = 'delivered' AND (last_at IS NULL OR error IS NOT NULL))
        OR (last_at IS NULL AND (error IS NOT NULL OR response_status IS NOT NULL))",
    "SELECT format('webhook_delivery of activity %d to endpoint row %d: a number in it is impossible',
         seq, endpoint_id)
     FROM webhook_delivery
     WHERE attempts > 1000000 OR duration < 0 OR duration > 9007199254740992
        OR response_status NOT BETWEEN 100 AND 999
        OR max(created_at, coalesce(next_at, 0), coalesce(last_at, 0)) > 253402300799999
        OR min(created_at, coalesce(next_at, 0), coalesce(last_at, 0)) < 0",
    "SELECT format('webhook_delivery of activity %d to endpoint row %d: it waits, but the endpoint
         was deleted', d.seq, d.endpoint_id)
     FROM webhook_delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id
     WHERE d.status = 'pending' AND w.disabled_at IS NOT NULL",
    "SELECT format('idempotency row %d: its number, its hashes, its time or its status are
         impossible', id)
     FROM idempotency
     WHERE id < 1 OR length(key_hash) <> 16 OR length(body_hash) <> 16
        OR created_at NOT BETWEEN 0 AND 253402300799999
        OR iif(status = 0, length(response) <> 0, status NOT BETWEEN 100 AND 999)",
    "SELECT format('idempotency_words row %d: there is no such answer', answer)
     FROM idempotency_words WHERE answer NOT IN (SELECT id FROM idempotency)",
];

/// Support conversations whose id is neither that of their member, which have no title, nor that of
/// their first message, which the operator sent.
fn support_ids(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT c.id, c.uuid, c.member_id, c.title IS NOT NULL, s.uuid
               FROM conversation c LEFT JOIN message s ON s.role = 'agent'
                   AND s.id = (SELECT min(id) FROM message WHERE conversation_id = c.id)
               WHERE c.redemption_id IS NULL";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, uuid, member, has_title, first): Support = row.try_into()?;
        let own = ConversationId::of_support(MemberNumber(member));
        let finding = if *own.as_uuid() == Uuid::from_bytes(uuid) {
            has_title.then_some("it has a title, but it is the support conversation of its member")
        } else {
            (first != Some(uuid)).then_some("its id is not that of its member or first message")
        };
        if let Some(finding) = finding.filter(|_| findings.len() < FINDINGS_MAX) {
            findings.push(format!("conversation row {id}: {finding}"));
        }
    }
    Ok(findings)
}

/// What is compared of a support conversation: its row, its id, its member, whether it has a title,
/// and the id of its first message if that is the operator's.
type Support = (i64, [u8; 16], i64, bool, Option<[u8; 16]>);

/// Endpoints that cannot have been made, or that wait for what never comes.
fn endpoints(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT w.id, w.url, o.environment FROM webhook_endpoint w
        JOIN program p ON p.id = w.program_id JOIN organization o ON o.id = p.organization_id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, url, environment): (i64, String, String) = row.try_into()?;
        let environment = Environment::parse(&environment).unwrap_or(Environment::Live);
        if let Err(refusal) = WebhookUrl::parse_stored(&url, environment)
            && findings.len() < FINDINGS_MAX
        {
            findings.push(format!("webhook_endpoint row {id}: its url {refusal}"));
        }
    }
    let many = format!(
        "SELECT format('webhook_endpoint: program row %d has %d in use', program_id, count(*))
         FROM webhook_endpoint WHERE disabled_at IS NULL
         GROUP BY program_id HAVING count(*) > {ENDPOINTS_MAX}"
    );
    findings.extend(lines(connection, &many)?);
    Ok(findings)
}

/// Endpoints whose place in the log does not exist.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn cursors(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT format('webhook_endpoint row %d: its cursor_seq %d is not in the log', id,
                   cursor_seq)
               FROM webhook_endpoint
               WHERE cursor_seq NOT BETWEEN 0 AND (SELECT coalesce(max(seq), 0) FROM activity)";
    lines(connection, sql)
}

/// What a start reads besides the log, tried.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn start(connection: &Connection) -> Result<Vec<String>, Error> {
    use crate::store::tables::{credentials, members, organizations, programs, webhooks};
    let mut findings = Vec::new();
    let mut read = |what: &str, outcome: Result<(), Error>| match outcome {
        Ok(()) => Ok(()),
        Err(error) if error.is_of_storage() || error.is_of_damage() => Err(error),
        Err(error) => {
            findings.push(format!(
                "no server could start: a {what} cannot be read ({error})"
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SCHEMA;

    #[test]
    fn an_empty_database_has_no_findings() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        for check in [values, missing_settings, contradictions, cursors, start] {
            assert_eq!(check(&connection).unwrap(), Vec::<String>::new());
        }
    }
}
