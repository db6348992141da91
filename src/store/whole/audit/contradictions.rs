//! Checks of rows against each other, except those against the log.

use rusqlite::Connection;
use uuid::Uuid;

use super::findings::{FINDINGS_MAX, lines};
use crate::domain::{
    ConversationId, ENDPOINTS_MAX, Environment, EventKind, MemberNumber, Shown, TRIAL_CREDITS_MAX,
    WebhookUrl,
};
use crate::store::Error;
use crate::store::log::COMMENT;

/// Finds rows that contradict each other.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn contradictions(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut findings = Vec::new();
    for sql in CONTRADICTIONS {
        // A finding is one line, also if its text spans several lines here.
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut sql = sql.replace("{trial}", &TRIAL_CREDITS_MAX.to_string());
        for (place, kind) in KINDS {
            sql = sql.replace(place, &kind.number().to_string());
        }
        let sql = sql
            .replace("{configuring}", &configuring_kinds())
            .replace("{stored}", &stored_kinds())
            .replace("{comment}", &COMMENT.to_string());
        findings.extend(lines(connection, &format!("{sql} LIMIT {FINDINGS_MAX}"))?);
    }
    findings.extend(support_ids(connection)?);
    findings.extend(endpoints(connection)?);
    Ok(findings)
}

/// The places of single kinds of events in the queries.
const KINDS: [(&str, EventKind); 6] = [
    ("{rated}", EventKind::RedemptionRated),
    ("{funded}", EventKind::PoolFunded),
    ("{published}", EventKind::TermsPublished),
    ("{accepted}", EventKind::TermsAccepted),
    ("{interested}", EventKind::InterestCreated),
    ("{interest_changed}", EventKind::InterestChanged),
];

/// The numbers of the events whose object is stored for webhooks.
fn stored_kinds() -> String {
    kinds(|kind| matches!(kind.shown(), Shown::Member | Shown::Redemption))
}

/// The numbers of the events that change a program's configuration.
fn configuring_kinds() -> String {
    kinds(|kind| matches!(kind, EventKind::ProgramCreated | EventKind::ProgramChanged))
}

/// The numbers of some events, as SQL.
fn kinds(is_one: impl Fn(EventKind) -> bool) -> String {
    let numbers: Vec<String> = EventKind::ALL
        .into_iter()
        .filter(|kind| is_one(*kind))
        .map(|kind| kind.number().to_string())
        .collect();
    numbers.join(", ")
}

/// Queries that each select a finding for every row that contradicts another one, or itself.
const CONTRADICTIONS: &[&str] = &[
    "SELECT format('organization row %d: its allocation is incomplete', id) FROM organization
     WHERE (allocation IS NULL) <> (allocation_uuid IS NULL)
        OR (allocation IS NULL) <> (allocated_at IS NULL)
        OR (allocation IS NULL AND allocation_notes IS NOT NULL)",
    "SELECT format('organization row %d: its allocation of %d is not possible on trial', id,
         allocation)
     FROM organization WHERE tier = 'trial' AND allocation > {trial}",
    "SELECT format('program row %d: its configuration is not that of its version', p.id)
     FROM program p LEFT JOIN configuration c
        ON c.program_id = p.id AND c.version = p.configuration_version
     WHERE c.currency_name IS NOT p.currency_name OR c.currency_symbol IS NOT p.currency_symbol
        OR c.rate_per_point IS NOT p.rate_per_point OR c.units_per_usd IS NOT p.units_per_usd
        OR c.default_tier IS NOT p.default_tier",
    "SELECT format('configuration of program row %d, version %d: the log has no such change',
         c.program_id, c.version)
     FROM configuration c LEFT JOIN activity a ON a.seq = c.version
     WHERE a.program_id IS NOT c.program_id OR a.kind NOT IN ({configuring})
        OR coalesce(a.name, c.default_tier) <> c.default_tier",
    "SELECT format('asset row %d: opening_after must be 0 or a member of its program', a.id)
     FROM asset a LEFT JOIN member m ON m.id = a.opening_after
     WHERE a.opening_after <> 0 AND m.program_id IS NOT a.program_id",
    "SELECT format('credential row %d: its environment is %s, but that of its program is %s', c.id,
         c.environment, o.environment)
     FROM credential c JOIN program p ON p.id = c.program_id
        JOIN organization o ON o.id = p.organization_id
     WHERE c.environment <> o.environment",
    "SELECT format('credential row %d: its prefix is that of another kind of key', id)
     FROM credential
     WHERE instr(prefix, iif(kind = 'org', 'expys_', 'partner_') || environment || '_') <> 1",
    "SELECT format('offer row %d ends before it starts', id) FROM offer WHERE end_at < start_at",
    "SELECT format('offer row %d expires before it is available', id) FROM offer
     WHERE expires_at <= available_from",
    "SELECT format('redemption row %d ends before it starts', id) FROM redemption
     WHERE end_at < start_at",
    "SELECT format('redemption row %d: it has a reason or a note of cancellation, but is not
         canceled', id)
     FROM redemption WHERE status <> 'CANCELED'
        AND (canceled_reason IS NOT NULL OR canceled_note IS NOT NULL)",
    "SELECT format('redemption row %d: its rating_comment is not that of its newest rating in the
         log', r.id)
     FROM redemption r WHERE r.rating IS NOT NULL AND r.rating_comment IS NOT (
        SELECT t.text FROM activity a LEFT JOIN log_text t ON t.seq = a.seq AND t.part = {comment}
        WHERE a.redemption_id = r.id AND a.kind = {rated} ORDER BY a.seq DESC LIMIT 1)",
    "SELECT format('redemption row %d: its member or offer is of another program', r.id)
     FROM redemption r JOIN member m ON m.id = r.member_id JOIN offer o ON o.id = r.offer_id
     WHERE m.program_id <> r.program_id OR o.program_id <> r.program_id",
    "SELECT format('conversation row %d: its member is of another program', c.id)
     FROM conversation c JOIN member m ON m.id = c.member_id
     WHERE m.program_id <> c.program_id",
    "SELECT format('conversation row %d: its redemption does not match its id or its member, or it
         has no title', c.id)
     FROM conversation c JOIN redemption r ON r.id = c.redemption_id
     WHERE c.uuid <> r.uuid OR c.member_id <> r.member_id OR c.title IS NULL",
    "SELECT format('redemption row %d has no conversation', r.id) FROM redemption r
     WHERE NOT EXISTS (SELECT 1 FROM conversation c WHERE c.uuid = r.uuid)",
    "SELECT format('conversation row %d: it is of support and has no message', id)
     FROM conversation WHERE redemption_id IS NULL AND last_message_at IS NULL
        AND uuid NOT IN (SELECT uuid FROM interest)",
    "SELECT format('conversation row %d: its member was erased, but its title was not', c.id)
     FROM conversation c JOIN member m ON m.id = c.member_id
     WHERE c.redemption_id IS NULL AND c.title IS NOT NULL AND m.external_user_id GLOB 'erased_*'
        AND m.archived_at IS NOT NULL",
    "SELECT format('conversation row %d: its messages contradict since when the member waits', c.id)
     FROM conversation c JOIN member m ON m.id = c.member_id
     WHERE c.waiting_since IS NOT iif(m.archived_at IS NULL, (SELECT min(s.created_at)
         FROM message s WHERE s.conversation_id = c.id AND s.id > coalesce((SELECT max(a.id)
             FROM message a WHERE a.conversation_id = c.id AND a.role = 'agent'), 0)), NULL)",
    "SELECT format('conversation row %d: its messages contradict its last message or its times',
         c.id)
     FROM conversation c LEFT JOIN redemption r ON r.id = c.redemption_id
        LEFT JOIN message s ON s.id = (SELECT max(id) FROM message WHERE conversation_id = c.id)
     WHERE c.last_message_at IS NOT s.created_at OR c.last_role IS NOT s.role
        OR c.active_at IS NOT coalesce(s.created_at, (SELECT a.at FROM interest i
            JOIN activity a ON a.seq = i.seq WHERE i.uuid = c.uuid), r.created_at)",
    "SELECT format('message row %d has no text, but member row %d was not erased', s.id, m.id)
     FROM message s JOIN conversation c ON c.id = s.conversation_id
        JOIN member m ON m.id = c.member_id
     WHERE s.body IS NULL AND m.external_user_id NOT GLOB 'erased_*'",
    "SELECT format('message row %d has neither a text nor a file', s.id) FROM message s
     WHERE s.body = '' AND NOT EXISTS (SELECT 1 FROM attachment a WHERE a.message_id = s.id)",
    "SELECT format('attachment row %d: its message is not of the operator of its program, has a text
         or is older than its day', a.id)
     FROM attachment a JOIN message s ON s.id = a.message_id
        JOIN conversation c ON c.id = s.conversation_id
     WHERE s.role <> 'agent' OR coalesce(s.body, '') <> '' OR c.program_id <> a.program_id
        OR a.day > s.created_at / 86400000",
    "SELECT format('attachment row %d: it and its message were not erased together', a.id)
     FROM attachment a JOIN message s ON s.id = a.message_id
     WHERE (a.name IS NULL) <> (s.body IS NULL)",
    "SELECT format('pool_funding of activity %d: the activity added nothing to a pool', f.seq)
     FROM pool_funding f LEFT JOIN activity a ON a.seq = f.seq WHERE a.kind IS NOT {funded}",
    "SELECT format('terms_version of activity %d: the activity did not publish it', v.seq)
     FROM terms_version v LEFT JOIN activity a ON a.seq = v.seq
     WHERE a.kind IS NOT {published} OR a.program_id IS NOT v.program_id
        OR a.object_uuid IS NOT v.uuid OR a.name IS NOT v.type",
    "SELECT format('terms_acceptance of activity %d: its member did not accept its version then',
         c.seq)
     FROM terms_acceptance c LEFT JOIN activity a ON a.seq = c.seq
        LEFT JOIN terms_version v ON v.seq = c.version_seq
     WHERE a.kind IS NOT {accepted} OR a.member_id IS NOT c.member_id
        OR a.program_id IS NOT v.program_id OR a.object_uuid IS NOT v.uuid",
    "SELECT format('interest of activity %d: the activity did not create it', i.seq)
     FROM interest i LEFT JOIN activity a ON a.seq = i.seq
     WHERE a.kind IS NOT {interested} OR a.program_id IS NOT i.program_id
        OR a.member_id IS NOT i.member_id OR a.offer_id IS NOT i.offer_id
        OR a.object_uuid IS NOT i.uuid",
    "SELECT format('interest of activity %d: its status or verification is not that of its last
         change', i.seq)
     FROM interest i LEFT JOIN activity a ON a.seq = i.changed_seq
     WHERE iif(i.changed_seq = i.seq, i.status <> 'submitted' OR i.phone_verified,
         a.kind IS NOT {interest_changed} OR a.object_uuid IS NOT i.uuid
            OR a.member_id IS NOT i.member_id OR a.to_state IS NOT i.status
            OR a.flag IS NOT i.phone_verified)",
    "SELECT format('interest of activity %d: a redemption contradicts its status', i.seq)
     FROM interest i LEFT JOIN redemption r
        ON r.uuid = i.uuid AND r.member_id = i.member_id AND r.offer_id = i.offer_id
     WHERE (i.status = 'converted') <> (r.id IS NOT NULL)",
    "SELECT format('interest of activity %d has no conversation of its member', i.seq)
     FROM interest i LEFT JOIN conversation c ON c.uuid = i.uuid
     WHERE c.member_id IS NOT i.member_id",
    "SELECT format('phone_code row %d: it does not match its interest, or a number is out of range',
         c.id)
     FROM phone_code c LEFT JOIN interest i ON i.seq = c.interest
     WHERE i.member_id IS NOT c.member_id OR i.program_id IS NOT c.program_id OR c.id < 1
        OR c.tries NOT BETWEEN 0 AND 1000000 OR c.created_at NOT BETWEEN 0 AND 253402300799999",
    "SELECT format('event_payload of activity %d: the activity is no event of its program whose
         object is stored', p.seq)
     FROM event_payload p JOIN activity a ON a.seq = p.seq
     WHERE a.program_id IS NOT p.program_id OR a.kind NOT IN ({stored})",
    "SELECT format('event_payload of activity %d: its data is not a JSON object', seq)
     FROM event_payload
     WHERE data IS NOT NULL AND iif(json_valid(data), json_type(data), '') <> 'object'",
    "SELECT format('event_payload of activity %d has no data, but member row %d was not erased',
         p.seq, m.id)
     FROM event_payload p JOIN activity a ON a.seq = p.seq JOIN member m ON m.id = a.member_id
     WHERE p.data IS NULL AND m.external_user_id NOT GLOB 'erased_*'",
    "SELECT format('webhook_delivery of activity %d to endpoint row %d: the activity is no event of
         its program and time', d.seq, d.endpoint_id)
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
    "SELECT format('webhook_delivery of activity %d to endpoint row %d: a number is out of range',
         seq, endpoint_id)
     FROM webhook_delivery
     WHERE attempts > 1000000 OR duration < 0 OR duration > 9007199254740992
        OR response_status NOT BETWEEN 100 AND 999
        OR max(created_at, coalesce(next_at, 0), coalesce(last_at, 0)) > 253402300799999
        OR min(created_at, coalesce(next_at, 0), coalesce(last_at, 0)) < 0",
    "SELECT format('webhook_delivery of activity %d to endpoint row %d: it is pending, but the
         endpoint was deleted', d.seq, d.endpoint_id)
     FROM webhook_delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id
     WHERE d.status = 'pending' AND w.disabled_at IS NOT NULL",
    "SELECT format('idempotency row %d: its number, its hashes, its time or its status is out of
         range', id)
     FROM idempotency
     WHERE id < 1 OR length(key_hash) <> 16 OR length(body_hash) <> 16
        OR created_at NOT BETWEEN 0 AND 253402300799999
        OR iif(status = 0, length(response) <> 0, status NOT BETWEEN 100 AND 999)",
    "SELECT format('idempotency row %d: it has a renderer, but is encrypted or erased', id)
     FROM idempotency WHERE renderer IS NOT NULL AND (sealed OR status = 0)",
    "SELECT format('idempotency_words row %d: there is no such idempotency record', answer)
     FROM idempotency_words WHERE answer NOT IN (SELECT id FROM idempotency)",
];

/// Finds support conversations with a wrong id. It is that of the member, if the conversation has
/// no title, or that of the first message, which the operator sent.
fn support_ids(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT c.id, c.uuid, c.member_id, c.title IS NOT NULL, s.uuid
               FROM conversation c LEFT JOIN message s ON s.role = 'agent'
                   AND s.id = (SELECT min(id) FROM message WHERE conversation_id = c.id)
               WHERE c.redemption_id IS NULL AND c.uuid NOT IN (SELECT uuid FROM interest)";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, uuid, member, has_title, first): Support = row.try_into()?;
        let own = ConversationId::of_support(MemberNumber(member));
        let finding = if *own.as_uuid() == Uuid::from_bytes(uuid) {
            has_title.then_some("it has a title, but is the support conversation of its member")
        } else {
            (first != Some(uuid)).then_some("its id is not that of its member or first message")
        };
        if let Some(finding) = finding.filter(|_| findings.len() < FINDINGS_MAX) {
            findings.push(format!("conversation row {id}: {finding}"));
        }
    }
    Ok(findings)
}

/// A support conversation: its row, its id, its member, whether it has a title, and the id of its
/// first message if that is the operator's.
type Support = (i64, [u8; 16], i64, bool, Option<[u8; 16]>);

/// Finds webhook endpoints that the API would not have accepted.
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
