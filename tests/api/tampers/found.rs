//! Changes by SQL that `verify` finds.

/// SQL that changes rows, and the finding of `verify`.
pub(super) const FOUND: &[(&str, &str)] = &[
    (
        "DELETE FROM setting WHERE name = 'token_key'",
        "setting \"token_key\" is missing",
    ),
    (
        "DELETE FROM setting WHERE name = 'partner_uuid'",
        "setting \"partner_uuid\" is missing",
    ),
    (
        "UPDATE setting SET value = x'00' WHERE name = 'token_key'",
        "setting \"token_key\"",
    ),
    (
        "INSERT INTO setting VALUES ('door', x'00')",
        "setting \"door\" is not known",
    ),
    (
        "UPDATE organization SET status = 'active' WHERE name = 'Other'",
        "organization row",
    ),
    (
        "UPDATE organization SET created_at = created_at + 1",
        "organization row",
    ),
    (
        "UPDATE organization SET allocation_uuid = NULL",
        "organization row",
    ),
    (
        "UPDATE organization SET allocation = 501 WHERE allocation IS NOT NULL",
        "organization row",
    ),
    (
        "UPDATE organization SET metadata = '[1]' WHERE metadata IS NOT NULL",
        "metadata",
    ),
    (
        "UPDATE organization SET name = ''",
        "organization row 1: name",
    ),
    (
        "UPDATE organization SET environment = 'live' WHERE id = 1",
        "organization row 1",
    ),
    (
        "UPDATE program SET status = 'ACTIVE', archived_at = NULL WHERE archived_at IS NOT NULL",
        "its status",
    ),
    (
        "UPDATE program SET archived_at = archived_at + 1",
        "its archived_at",
    ),
    (
        "UPDATE program SET default_tier = 'gold'",
        "its default_tier",
    ),
    ("UPDATE program SET clock_offset = 0", "its clock_offset"),
    (
        "UPDATE program SET created_at = created_at - 1",
        "its created_at",
    ),
    (
        "UPDATE program SET updated_at = updated_at + 1",
        "its updated_at",
    ),
    (
        "UPDATE program SET organization_id = 2 WHERE id = 1",
        "its organization_id",
    ),
    ("UPDATE program SET currency_symbol = ''", "currency_symbol"),
    (
        "UPDATE program SET currency_name = 'Another' WHERE id = 1",
        "program row 1: its configuration",
    ),
    (
        "DELETE FROM configuration",
        "program row 1: its configuration",
    ),
    (
        "UPDATE configuration SET currency_symbol = 'a' WHERE program_id = 1",
        "program row 1: its configuration",
    ),
    (
        "UPDATE configuration SET currency_name = ''",
        "configuration row 1",
    ),
    (
        "UPDATE configuration SET default_tier = 'gold' WHERE (program_id, version) IN
             (SELECT program_id, min(version) FROM configuration GROUP BY program_id)",
        "the log has no such change",
    ),
    (
        "UPDATE configuration SET version = version + 1000000",
        "the log has no such change",
    ),
    (
        "UPDATE credential SET environment = 'live' WHERE kind = 'org' AND environment = 'sandbox'",
        "credential row",
    ),
    (
        "UPDATE credential SET prefix = 'expys_live_' WHERE environment = 'sandbox'",
        "credential row",
    ),
    (
        "UPDATE credential SET program_id = (SELECT max(id) FROM program) WHERE id = 1",
        "activity",
    ),
    (
        "PRAGMA foreign_keys = OFF; DELETE FROM credential WHERE id = 1",
        "activity",
    ),
    (
        "UPDATE member SET tier = 'gold' WHERE external_user_id = 'ann'",
        "its tier",
    ),
    (
        "UPDATE member SET token_epoch = 0 WHERE token_epoch > 0",
        "its token_epoch",
    ),
    (
        "UPDATE member SET token_epoch = 7 WHERE external_user_id = 'ann'",
        "its token_epoch",
    ),
    (
        // The log has the end of the token, and so the row must not.
        "UPDATE member SET token_expires_at = created_at WHERE external_user_id = 'ann'",
        "its token_expires_at",
    ),
    (
        "UPDATE member SET created_at = created_at + 1 WHERE external_user_id = 'bob'",
        "created_at",
    ),
    ("UPDATE removal SET retained = 1 - retained", "its removal"),
    ("DELETE FROM removal", "its removal"),
    (
        "INSERT INTO removal (member_id, retained) SELECT id, 1 FROM member
         WHERE external_user_id = 'ann'",
        "its removal",
    ),
    (
        "UPDATE removal SET erased_key = zeroblob(16), erased_at = 1 WHERE erased_key IS NULL",
        "its erasure",
    ),
    // The times of two removals are exchanged.
    (
        "CREATE TEMP TABLE two AS SELECT id, archived_at AS at FROM member
          WHERE archived_at IS NOT NULL;
      UPDATE member SET archived_at = (SELECT at FROM two WHERE two.id <> member.id)
          WHERE archived_at IS NOT NULL",
        "its archived_at",
    ),
    (
        "UPDATE member SET archived_at = NULL WHERE external_user_id = 'cyd'",
        "its archived_at",
    ),
    (
        "UPDATE member SET suspended_at = created_at WHERE external_user_id = 'ann'",
        "its suspended_at",
    ),
    (
        "UPDATE member SET external_user_id = 'erased_0' WHERE external_user_id GLOB 'erased_*'",
        "its external_user_id",
    ),
    (
        "UPDATE member SET external_user_id = 'bob' || char(13) WHERE external_user_id = 'bob'",
        "external_user_id must not",
    ),
    (
        "UPDATE member SET attributes = '{' WHERE attributes IS NOT NULL",
        "attributes must be",
    ),
    ("UPDATE member SET email = ''", "email must be"),
    ("UPDATE member SET phone = 'none'", "phone must"),
    (
        "UPDATE member SET email = 'other@example.com' WHERE display_name IS NOT NULL",
        "the search index lacks a word",
    ),
    (
        "UPDATE member SET phone = '+44 7700 900999' WHERE display_name IS NOT NULL",
        "the search index lacks a word",
    ),
    (
        "UPDATE activity SET amount = amount + 1 WHERE entry = 1",
        "its received_after is",
    ),
    (
        "UPDATE activity SET received_after = received_after + 1 WHERE entry = 1",
        "its received_after is",
    ),
    (
        "UPDATE activity SET spent_after = spent_after - 1 WHERE entry = 2",
        "its spent_after is",
    ),
    (
        "UPDATE activity SET jump_seq = previous_seq WHERE jump_seq <> previous_seq",
        "its jump_seq is",
    ),
    (
        "UPDATE activity SET held = 5 WHERE entry = 2",
        "must not have a held",
    ),
    (
        "UPDATE activity SET held_after = 5 WHERE entry = 1",
        "its held_after is",
    ),
    (
        "UPDATE activity SET deferred_after = 5 WHERE entry = 1",
        "its deferred_after is",
    ),
    (
        "UPDATE activity SET due_at = 5 WHERE entry = 5",
        "must not have a due_at",
    ),
    (
        "UPDATE activity SET lots = x'' WHERE entry = 1",
        "the lots that it moves do not fit the entry",
    ),
    (
        "UPDATE activity SET lots = x'ff' WHERE entry = 2",
        "its lots must be what a ledger entry does to lots",
    ),
    // A debit becomes a spend.
    (
        "UPDATE activity SET entry = 2 WHERE entry = 5",
        "does not follow the one before it",
    ),
    (
        "UPDATE activity SET offer_id = NULL WHERE entry = 2",
        "with entry 2 it must have an offer_id",
    ),
    (
        "UPDATE activity SET redemption_id = 1 WHERE entry = 1",
        "with entry 1 it must not have an offer_id",
    ),
    (
        "UPDATE activity SET program_id = NULL WHERE entry = 1",
        "does not follow the one before it",
    ),
    (
        "UPDATE offer SET quantity_remaining = NULL WHERE id = 1",
        "its quantity_remaining",
    ),
    (
        "UPDATE offer SET quantity_remaining = 4 WHERE title = 'Gone'",
        "its quantity_remaining",
    ),
    (
        "UPDATE program SET rate_per_point = 1 WHERE id = 1",
        "program row 1: its configuration",
    ),
    (
        "UPDATE program SET units_per_usd = 1 WHERE id = 1",
        "program row 1: its configuration",
    ),
    (
        "UPDATE organization_pool SET balance = balance + 1",
        "its balance",
    ),
    (
        "UPDATE organization_pool SET lifetime_spent = 0",
        "its lifetime_spent",
    ),
    (
        "UPDATE organization_pool SET credit_limit = 7",
        "its credit_limit",
    ),
    (
        "UPDATE organization_pool SET settlement_mode = 'ORG_POOL'",
        "its settlement_mode",
    ),
    (
        "UPDATE organization_pool SET low_threshold = 7",
        "its low_threshold",
    ),
    ("DELETE FROM organization_pool", "has a pool in the log"),
    (
        "DELETE FROM pool_funding",
        "has no row in the table pool_funding",
    ),
    (
        "INSERT INTO pool_funding (seq) VALUES (1)",
        "the activity added nothing to a pool",
    ),
    (
        "UPDATE terms_version SET type = 'PRIVACY_POLICY'",
        "the activity did not publish it",
    ),
    (
        "UPDATE terms_version SET uuid = randomblob(16)",
        "the activity did not publish it",
    ),
    ("UPDATE terms_version SET content = ''", "content must be"),
    (
        "PRAGMA foreign_keys = OFF;
         DELETE FROM terms_version WHERE seq = (SELECT min(seq) FROM terms_version)",
        "has no row in the table terms_version",
    ),
    (
        "UPDATE terms_acceptance SET member_id = (SELECT id FROM member
             WHERE external_user_id = 'bob')",
        "its member did not accept",
    ),
    (
        "UPDATE terms_acceptance SET seq = seq + 1000000",
        "has no row in the table terms_acceptance",
    ),
    (
        "UPDATE interest SET status = 'submitted' WHERE status = 'closed'",
        "its status or verification is not that of its last change",
    ),
    (
        "UPDATE interest SET phone_verified = 0 WHERE phone_verified = 1",
        "its status or verification is not that of its last change",
    ),
    (
        "UPDATE interest SET status = 'submitted', phone_verified = 0, changed_seq = seq
         WHERE status = 'closed'",
        "changed an interest, but its row is older",
    ),
    (
        "UPDATE interest SET offer_id = 1 WHERE status = 'closed'",
        "the activity did not create it",
    ),
    (
        "UPDATE interest SET uuid = randomblob(16)",
        "the activity did not create it",
    ),
    (
        "DELETE FROM interest WHERE status = 'closed'",
        "has no row in the table interest",
    ),
    (
        "PRAGMA foreign_keys = OFF; DELETE FROM phone_code; DELETE FROM interest",
        "has no row in the table interest",
    ),
    ("UPDATE interest SET adults = -1", "adults must be"),
    (
        "UPDATE interest SET preferred_dates = '[\"soon\"]'",
        "preferred_dates must be",
    ),
    ("UPDATE interest SET phone = 'me'", "phone must"),
    ("UPDATE gateway SET secret = ''", "secret must be"),
    ("UPDATE gateway SET url = 'ftp://x'", "url"),
    ("UPDATE offer SET archived_at = NULL", "its archived_at"),
    ("UPDATE offer SET created_at = 0", "its created_at"),
    (
        "UPDATE offer SET uuid = randomblob(16) WHERE id = 1",
        "its uuid",
    ),
    ("UPDATE offer SET tiers = '{}'", "tiers must be"),
    ("UPDATE offer SET images = 'a'", "images must be"),
    ("UPDATE offer SET inclusions = '[{}]'", "inclusions must be"),
    ("UPDATE offer SET location = '{}'", "location must be"),
    (
        "UPDATE offer SET expires_at = available_from",
        "expires before it is available",
    ),
    (
        "UPDATE offer SET end_at = 1, start_at = 2 WHERE id = 1",
        "offer row 1 ends",
    ),
    (
        "UPDATE redemption SET created_at = created_at + 1",
        "redemption row",
    ),
    (
        "UPDATE redemption SET code = 'k7x2m9qp' WHERE id = 1",
        "redemption row 1: code must be a code of 8",
    ),
    (
        "UPDATE redemption SET took_stock = 1 - took_stock WHERE id = 1",
        "took_stock",
    ),
    (
        "UPDATE redemption SET member_id = 3 WHERE id = 1",
        "redemption row 1",
    ),
    (
        "UPDATE redemption SET offer_id = 2 WHERE id = 1",
        "redemption row 1",
    ),
    (
        "UPDATE redemption SET charged = 8 WHERE id = 1",
        "redemption row 1",
    ),
    (
        "UPDATE redemption SET status = 'COMPLETED' WHERE id = 1",
        "redemption row 1",
    ),
    (
        "UPDATE redemption SET status = 'OPEN' WHERE status = 'COMPLETED'",
        "its number of redemptions of a status is",
    ),
    (
        "UPDATE redemption SET canceled_note = 'x' WHERE id = 1",
        "redemption row 1",
    ),
    (
        "UPDATE redemption SET end_at = 1, start_at = 2 WHERE id = 1",
        "redemption row 1 ends",
    ),
    (
        "UPDATE redemption SET start_at = 2 WHERE id = 1",
        "redemption row 1: its start_at or end_at",
    ),
    (
        "UPDATE redemption SET end_at = end_at + 1",
        "its start_at or end_at",
    ),
    (
        "UPDATE redemption SET rating = rating + 1",
        "its rating does not match the log",
    ),
    (
        "UPDATE redemption SET rating = NULL, rating_comment = NULL, rated_at = NULL",
        "its rating does not match the log",
    ),
    (
        "UPDATE redemption SET rating = 7, rated_at = created_at WHERE status = 'OPEN'",
        "its rating does not match the log",
    ),
    (
        "UPDATE redemption SET rated_at = rated_at + 1",
        "its rated_at does not match the log",
    ),
    (
        "UPDATE redemption SET rating_comment = 'Great' WHERE rating_comment IS NOT NULL",
        "its rating_comment is not that of its newest rating",
    ),
    (
        "UPDATE redemption SET rating_comment = 'Great'
         WHERE rating IS NOT NULL AND rating_comment IS NULL",
        "its rating_comment is not that of its newest rating",
    ),
    (
        "UPDATE redemption SET rating_comment = NULL;
         UPDATE log_text SET text = NULL, salt = NULL, commitment = zeroblob(32) WHERE part = 2",
        "was erased, but member row",
    ),
    (
        "UPDATE activity SET to_state = '8' WHERE kind = 34",
        "does not fit redemption row",
    ),
    (
        "UPDATE activity SET from_state = NULL WHERE kind = 34",
        "does not fit redemption row",
    ),
    (
        "UPDATE activity SET to_state = '11' WHERE kind = 34",
        "redemption.rated, lacks a required value",
    ),
    ("DELETE FROM activity WHERE kind = 34", "its rating"),
    ("DELETE FROM activity WHERE kind = 42", "offer row"),
    ("DELETE FROM activity WHERE kind = 13", "message"),
    (
        "UPDATE activity SET from_state = 'OPEN' WHERE kind = 9",
        "does not fit redemption row",
    ),
    (
        "UPDATE activity SET kind = 99 WHERE kind = 51",
        "has an unknown kind",
    ),
    (
        "UPDATE activity SET actor_number = 99 WHERE kind = 1",
        "its actor",
    ),
    (
        "UPDATE activity SET actor = NULL, actor_number = NULL WHERE kind = 20",
        "has no actor",
    ),
    (
        "UPDATE activity SET at = 253402300800000 WHERE kind = 41",
        "its at must be",
    ),
    (
        "UPDATE log_text SET text = 'for nothing' WHERE text IS NOT NULL",
        "ledger entry",
    ),
    (
        "UPDATE log_text SET part = 2 WHERE text IS NOT NULL AND part = 1",
        "log_text",
    ),
    (
        "UPDATE conversation SET last_role = 'agent', waiting_since = NULL
          WHERE last_role = 'member';
      UPDATE conversation SET last_role = 'member' WHERE last_role = 'agent'",
        "conversation row",
    ),
    (
        "UPDATE conversation SET active_at = active_at + 1",
        "conversation row",
    ),
    ("UPDATE conversation SET title = NULL", "conversation row"),
    (
        "UPDATE conversation SET title = 'Mine' WHERE redemption_id IS NULL AND title IS NULL
             AND last_role = 'member'",
        "it has a title",
    ),
    (
        "UPDATE conversation SET title = 'Dee' WHERE redemption_id IS NULL
             AND member_id = (SELECT id FROM member WHERE external_user_id GLOB 'erased_*')",
        "its title was not",
    ),
    (
        "UPDATE conversation SET waiting_since = NULL",
        "since when the member waits",
    ),
    (
        "UPDATE conversation SET waiting_since = waiting_since + 1",
        "since when the member waits",
    ),
    (
        "UPDATE message SET uuid = randomblob(16) WHERE body = 'It is here.'",
        "conversation row",
    ),
    (
        "UPDATE conversation SET member_id = 3 WHERE redemption_id IS NULL",
        "conversation row",
    ),
    (
        "UPDATE conversation SET uuid = randomblob(16) WHERE redemption_id IS NULL",
        "conversation row",
    ),
    ("UPDATE message SET role = 'agent'", "the table message"),
    (
        "UPDATE message SET created_at = created_at + 1",
        "the table message",
    ),
    ("UPDATE message SET body = NULL", "message row"),
    (
        "UPDATE message SET conversation_id = 1",
        "the table message",
    ),
    ("DELETE FROM message WHERE id = 1", "the table message"),
    (
        "INSERT INTO message (uuid, conversation_id, role, body, created_at)
      VALUES (randomblob(16), 1, 'agent', 'x', 1)",
        "message has",
    ),
    (
        "UPDATE message SET body = '' WHERE body = 'It is here.'",
        "has neither a text nor a file",
    ),
    (
        "PRAGMA foreign_keys = OFF; DELETE FROM attachment",
        "has neither a text nor a file",
    ),
    (
        "UPDATE attachment SET message_id = 1 WHERE name IS NOT NULL",
        "its message is not of the operator",
    ),
    (
        "UPDATE attachment SET program_id = 1",
        "its message is not of the operator",
    ),
    (
        "UPDATE attachment SET day = day + 1",
        "its message is not of the operator",
    ),
    (
        "UPDATE attachment SET name = 'dee.png', size = 1, sha256 = zeroblob(32)
         WHERE name IS NULL",
        "it and its message were not erased together",
    ),
    (
        "UPDATE attachment SET name = NULL, size = 0, sha256 = NULL WHERE name IS NOT NULL",
        "the file was erased, but they were not",
    ),
    (
        "UPDATE attachment SET name = 'a/b' WHERE name IS NOT NULL",
        "name must not contain",
    ),
    (
        "UPDATE attachment SET type = 'image/jpeg' WHERE name IS NOT NULL",
        "the file does not begin as one of its type",
    ),
    (
        "UPDATE attachment SET size = size - 1 WHERE name IS NOT NULL",
        "the file is not complete",
    ),
    (
        "UPDATE attachment SET sha256 = zeroblob(32) WHERE name IS NOT NULL",
        "the file does not have its SHA-256",
    ),
    (
        "UPDATE attachment_piece SET data = CAST(substr(data, 1, length(data) - 1) || x'01' AS BLOB)
         WHERE number = 1",
        "the file does not have its SHA-256",
    ),
    (
        "DELETE FROM attachment_piece WHERE number = 1",
        "the file is not complete",
    ),
    (
        "UPDATE attachment_piece SET number = 15 - number",
        "the file is not complete",
    ),
    (
        "INSERT INTO attachment_piece SELECT attachment_id, 2, x'00' FROM attachment_piece
         WHERE number = 1",
        "the file is not complete",
    ),
    (
        "INSERT INTO attachment_piece VALUES (99, 0, x'00')",
        "attachment_piece row",
    ),
    (
        "UPDATE webhook_endpoint SET events = '[\"member.invented\"]'",
        "webhook_endpoint row",
    ),
    (
        "UPDATE webhook_endpoint SET url = 'gopher://a.example/'",
        "webhook_endpoint row",
    ),
    (
        "UPDATE webhook_endpoint SET secret = 'x'",
        "webhook_endpoint row",
    ),
    (
        "UPDATE webhook_endpoint SET cursor_seq = 9007199254740992",
        "webhook_endpoint row",
    ),
    (
        "UPDATE webhook_endpoint SET program_id = (SELECT id FROM program p
          WHERE (SELECT environment FROM organization WHERE id = p.organization_id) = 'live')",
        "webhook_endpoint row",
    ),
    (
        "UPDATE webhook_delivery SET created_at = created_at + 1",
        "webhook_delivery of",
    ),
    (
        "UPDATE webhook_delivery SET seq = 1 WHERE seq = (SELECT max(seq) FROM webhook_delivery)",
        "webhook_delivery of",
    ),
    (
        "UPDATE webhook_delivery SET status = 'delivered', next_at = NULL",
        "webhook_delivery of",
    ),
    (
        "UPDATE webhook_delivery SET response_status = 7",
        "webhook_delivery of",
    ),
    ("UPDATE event_payload SET data = '[1]'", "event_payload of"),
    ("UPDATE event_payload SET data = NULL", "event_payload of"),
    (
        "UPDATE event_payload SET program_id = 1",
        "event_payload of",
    ),
    ("UPDATE idempotency SET key_hash = x'00'", "idempotency row"),
    ("UPDATE idempotency SET status = 7", "idempotency row"),
    (
        "UPDATE idempotency SET sealed = 1 WHERE renderer = 1",
        "idempotency row",
    ),
    (
        "UPDATE idempotency SET response = x'05ffff7f' WHERE renderer = 1",
        "no program has version 2097151",
    ),
    (
        "DELETE FROM idempotency; DELETE FROM idempotency_segment",
        "idempotency_words row",
    ),
    (
        "UPDATE member SET display_name = 'Another' WHERE display_name IS NOT NULL",
        "the search index lacks a word",
    ),
    (
        "UPDATE search_term SET term = term || 'x'",
        "the search index lacks a word",
    ),
    ("UPDATE pool_usage SET credits = credits + 1", "pool"),
    ("DELETE FROM organization_usage", "organization row"),
];
