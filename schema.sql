-- Stampcard's whole schema, as a new database gets it.
--
-- Conventions
--   * A table is named in the singular. `id` is a row number that never leaves the server; `uuid`
--     is the sixteen bytes behind the public id.
--   * Times (`…_at`, `at`) are whole milliseconds since 1970-01-01T00:00:00Z.
--   * Points are whole numbers; 9007199254740991 (2^53 - 1) is the largest that a double holds exactly.
--   * Every table is STRICT, so that a column holds what it says.
--   * What happened is in `activity`, which is append-only; all figures follow from it alone. Every
--     other table is the state as it stands, changed in the same transaction.

-- Facts about this server as a whole, one a row.
--   partner_uuid  the operator's public id (16 bytes)
--   token_key     the PASETO v4.local key of member tokens (32 bytes)
--   import        how far an import has come; gone once it is finished, and no server starts before
--   migration     how far a change of this schema has come; gone once it is finished
--   scrub         there while copies of erased words may be left in unused bytes of pages
--   clock_refused a step of the system clock that was refused (the time it showed, the step)
--   write_probe   written to find out whether the disk takes writes again after a failure
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- A tenant in one environment.
CREATE TABLE organization (
    id          INTEGER PRIMARY KEY,
    uuid        BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    environment TEXT    NOT NULL CHECK (environment IN ('sandbox', 'live')),
    name        TEXT    NOT NULL,
    external_id TEXT,                       -- the partner's own id for it
    status      TEXT    NOT NULL CHECK (status IN ('active', 'suspended', 'canceled')),
    tier        TEXT    NOT NULL CHECK (tier IN ('trial', 'paid')),
    metadata    TEXT,                       -- the partner's own JSON, as given
    allocation  INTEGER CHECK (allocation >= 0), -- credits a month; NULL: no cap of its own
    allocation_uuid  BLOB CHECK (length(allocation_uuid) = 16), -- the public id of the allocation
    allocation_notes TEXT,                  -- what the partner said about it
    allocated_at     INTEGER,               -- when it was last set
    created_at  INTEGER NOT NULL,
    -- The settings version: the number of the activity that last changed what a request can set. 0: none is known.
    version     INTEGER NOT NULL DEFAULT 0 CONSTRAINT organization_version CHECK (version >= 0)
) STRICT;
CREATE INDEX organization_by_environment ON organization (environment);

-- A loyalty program: the owner of members, offers, redemptions and figures.
CREATE TABLE program (
    id              INTEGER PRIMARY KEY,
    uuid            BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    organization_id INTEGER NOT NULL REFERENCES organization (id),
    name            TEXT    NOT NULL,
    status          TEXT    NOT NULL CHECK (status IN ('ACTIVE', 'ARCHIVED')),
    currency_name   TEXT    NOT NULL,
    currency_symbol TEXT    NOT NULL,
    default_tier    TEXT    NOT NULL,       -- the tier of a member who is given none
    -- The sums over all wallets, kept so that no total ever passes what a double holds exactly.
    amount_received INTEGER NOT NULL DEFAULT 0 CHECK (amount_received BETWEEN 0 AND 9007199254740991),
    amount_spent    INTEGER NOT NULL DEFAULT 0 CHECK (amount_spent BETWEEN 0 AND 9007199254740991),
    clock_offset    INTEGER NOT NULL DEFAULT 0 CHECK (clock_offset >= 0), -- a sandbox's time is so many ms ahead
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,       -- when its name or status last changed
    archived_at     INTEGER,                -- NULL: in use
    -- The hash of the program's newest ledger entry; NULL before the first. See activity.chain.
    chain           BLOB CONSTRAINT program_chain CHECK (length(chain) = 32),
    -- The settings version of name and status, and that of currency and default tier.
    version         INTEGER NOT NULL DEFAULT 0 CONSTRAINT program_version CHECK (version >= 0),
    configuration_version INTEGER NOT NULL DEFAULT 0
        CONSTRAINT program_configuration_version CHECK (configuration_version >= 0)
) STRICT;
CREATE INDEX program_by_organization ON program (organization_id);

-- An Org-API-Key (of one program) or a partner key (of one environment). Only the hash is kept.
CREATE TABLE credential (
    id          INTEGER PRIMARY KEY,
    uuid        BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    kind        TEXT    NOT NULL CHECK (kind IN ('org', 'partner')),
    environment TEXT    NOT NULL CHECK (environment IN ('sandbox', 'live')),
    program_id  INTEGER REFERENCES program (id),
    name        TEXT    NOT NULL,
    prefix      TEXT    NOT NULL,           -- the first characters, to tell keys apart in a list
    hash        BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32), -- SHA-256 of the whole key
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER,
    last_used_at INTEGER,                   -- written every few minutes and at a stop; NULL: never
    CHECK ((kind = 'org') = (program_id IS NOT NULL))
) STRICT;
CREATE INDEX credential_by_program ON credential (program_id);

-- A member and the wallet, which are one to one.
CREATE TABLE member (
    id               INTEGER PRIMARY KEY,
    program_id       INTEGER NOT NULL CONSTRAINT member_program REFERENCES program (id),
    external_user_id TEXT    NOT NULL,      -- the operator's own id for the person
    display_name     TEXT,
    email            TEXT,                  -- taken at the token exchange, never returned
    tier             TEXT    NOT NULL CONSTRAINT member_tier CHECK (tier <> ''),
    attributes       TEXT,                  -- a JSON object, byte for byte as given
    balance          INTEGER NOT NULL DEFAULT 0 CONSTRAINT member_balance CHECK (balance >= 0),
    amount_received  INTEGER NOT NULL DEFAULT 0
        CONSTRAINT member_amount_received CHECK (amount_received BETWEEN 0 AND 9007199254740991),
    amount_spent     INTEGER NOT NULL DEFAULT 0
        CONSTRAINT member_amount_spent CHECK (amount_spent BETWEEN 0 AND 9007199254740991),
    -- The newest ledger entry of this wallet, the head of the chain that activity.previous_seq continues;
    -- the entry that it jumps to; the one that this jumps to, unless it would have to be looked up; and how
    -- many entries there are.
    last_entry_seq   INTEGER,
    last_jump_seq    INTEGER,
    last_far_seq     INTEGER,
    entries          INTEGER NOT NULL DEFAULT 0 CONSTRAINT member_entries CHECK (entries >= 0),
    participated     INTEGER NOT NULL DEFAULT 0
        CONSTRAINT member_participated CHECK (participated IN (0, 1)), -- ever had a mint or a spend
    token_epoch      INTEGER NOT NULL DEFAULT 0, -- raised by a removal; older tokens are dead
    token_expires_at INTEGER,               -- when the last token minted for this member runs out
    created_at       INTEGER NOT NULL,
    archived_at      INTEGER,               -- NULL: a current member
    version          INTEGER NOT NULL DEFAULT 0 -- the settings version
        CONSTRAINT member_version CHECK (version >= 0),
    -- How many of its redemptions stand where, so that nobody has to count them.
    redemptions_submitted INTEGER NOT NULL DEFAULT 0
        CONSTRAINT member_redemptions_submitted CHECK (redemptions_submitted >= 0),
    redemptions_open INTEGER NOT NULL DEFAULT 0
        CONSTRAINT member_redemptions_open CHECK (redemptions_open >= 0),
    redemptions_awaiting_vendor INTEGER NOT NULL DEFAULT 0
        CONSTRAINT member_redemptions_awaiting_vendor CHECK (redemptions_awaiting_vendor >= 0),
    redemptions_awaiting_customer INTEGER NOT NULL DEFAULT 0
        CONSTRAINT member_redemptions_awaiting_customer CHECK (redemptions_awaiting_customer >= 0),
    redemptions_purchased INTEGER NOT NULL DEFAULT 0
        CONSTRAINT member_redemptions_purchased CHECK (redemptions_purchased >= 0),
    redemptions_completed INTEGER NOT NULL DEFAULT 0
        CONSTRAINT member_redemptions_completed CHECK (redemptions_completed >= 0),
    redemptions_canceled INTEGER NOT NULL DEFAULT 0
        CONSTRAINT member_redemptions_canceled CHECK (redemptions_canceled >= 0),
    CONSTRAINT member_external_user_id UNIQUE (program_id, external_user_id),
    CONSTRAINT member_wallet CHECK (balance = amount_received - amount_spent)
) STRICT;
CREATE INDEX member_by_program ON member (program_id);
CREATE INDEX member_by_tier ON member (program_id, tier);
-- Those whose earlier tokens are dead; few, and read at every start.
CREATE INDEX member_by_epoch ON member (token_epoch) WHERE token_epoch > 0;

-- How each removed member was removed, so that a removal that is repeated gets the same answer. The row
-- goes when the member is restored.
CREATE TABLE removal (
    member_id  INTEGER PRIMARY KEY CONSTRAINT removal_member REFERENCES member (id),
    retained   INTEGER NOT NULL CONSTRAINT removal_retained CHECK (retained IN (0, 1)), -- 0: the balance was forfeited
    -- Of a member who was erased: a keyed hash of the program and the external_user_id that went, and when;
    -- NULL after idempotency.retention.
    erased_key BLOB CONSTRAINT removal_erased_key CHECK (length(erased_key) = 16),
    erased_at  INTEGER,
    CONSTRAINT removal_erased CHECK ((erased_key IS NULL) = (erased_at IS NULL))
) STRICT;
CREATE INDEX removal_by_erased_key ON removal (erased_key) WHERE erased_key IS NOT NULL;

-- Which members a search finds: the folded terms of ids and names, as src/domain/search.rs makes them.
-- Written whenever a profile changes. That a member of the row exists is not looked up each time:
-- `verify` works all terms out again.
CREATE TABLE search_term (
    program_id INTEGER NOT NULL,
    term       TEXT    NOT NULL,
    member_id  INTEGER NOT NULL,
    PRIMARY KEY (program_id, term, member_id)
) STRICT, WITHOUT ROWID;

-- Something members spend points on.
CREATE TABLE offer (
    id                 INTEGER PRIMARY KEY,
    uuid               BLOB    NOT NULL CONSTRAINT offer_uuid UNIQUE
        CONSTRAINT offer_uuid_length CHECK (length(uuid) = 16),
    program_id         INTEGER NOT NULL CONSTRAINT offer_program REFERENCES program (id),
    title              TEXT    NOT NULL,
    description        TEXT    NOT NULL,
    short_description  TEXT    NOT NULL,
    kind               TEXT    NOT NULL,
    type               TEXT    NOT NULL,
    points_price       INTEGER              -- NULL: has no price
        CONSTRAINT offer_points_price CHECK (points_price BETWEEN 0 AND 9007199254740991),
    images             TEXT    NOT NULL,    -- a JSON array of strings
    tiers              TEXT    NOT NULL,    -- a JSON array of strings; empty: open to every tier
    quantity_remaining INTEGER              -- NULL: unlimited
        CONSTRAINT offer_quantity_remaining CHECK (quantity_remaining >= 0),
    expires_at         INTEGER,             -- NULL: never
    start_at           INTEGER,             -- of the experience; gates nothing
    end_at             INTEGER,             -- of the experience; gates nothing
    created_at         INTEGER NOT NULL,
    archived_at        INTEGER,
    version            INTEGER NOT NULL DEFAULT 0 -- the settings version
        CONSTRAINT offer_version CHECK (version >= 0)
) STRICT;
CREATE INDEX offer_by_program ON offer (program_id);

-- A member's booking of an offer.
CREATE TABLE redemption (
    id              INTEGER PRIMARY KEY,
    uuid            BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    program_id      INTEGER NOT NULL REFERENCES program (id),
    member_id       INTEGER NOT NULL REFERENCES member (id),
    offer_id        INTEGER NOT NULL REFERENCES offer (id),
    status          TEXT    NOT NULL CHECK (status IN ('SUBMITTED', 'OPEN', 'AWAITING_VENDOR',
                        'AWAITING_CUSTOMER', 'PURCHASED', 'COMPLETED', 'CANCELED')),
    charged         INTEGER NOT NULL CHECK (charged BETWEEN 0 AND 9007199254740991), -- what a refund returns
    took_stock      INTEGER NOT NULL CHECK (took_stock IN (0, 1)), -- a cancellation gives the piece back
    start_at        INTEGER,
    end_at          INTEGER,
    canceled_reason TEXT CHECK (canceled_reason IN ('SOLD_OUT', 'VENDOR_DECLINED', 'DATE_UNAVAILABLE',
                        'MEMBER_REQUESTED', 'EXPIRED', 'OTHER')),
    canceled_note   TEXT,
    created_at      INTEGER NOT NULL
) STRICT;
-- Each list, newest or oldest first, from any time on, without reading what it leaves out.
CREATE INDEX redemption_by_program ON redemption (program_id, created_at);
CREATE INDEX redemption_by_status ON redemption (program_id, status, created_at);
CREATE INDEX redemption_by_member ON redemption (member_id, created_at);
CREATE INDEX redemption_by_member_status ON redemption (member_id, status, created_at);
-- An offer's redemptions of every status are seven such lists.
CREATE INDEX redemption_by_offer ON redemption (offer_id, status, created_at);
CREATE INDEX redemption_by_member_offer ON redemption (member_id, offer_id);

-- Everything that ever happened, in commit order. All figures, streams and webhooks follow from it.
--
-- What `kind` means, and which columns its events use, is declared in src/domain/events.rs and listed in
-- docs/EVENTS.md; `stampcard verify` holds every row to it. Columns that a kind does not use are NULL. No person's words are in this table:
-- they stand in `log_text`, from which they can be erased.
CREATE TABLE activity (
    seq             INTEGER PRIMARY KEY,    -- the activity number: the order of commits
    at              INTEGER NOT NULL,       -- never goes back within a program, but for an import
    -- Not looked up with each row, of which most have a member, who has a program: `verify` does.
    program_id      INTEGER,
    kind            INTEGER NOT NULL,
    -- Who or what caused it: 1 an Org-API-Key, 2 the member, 3 a partner key, 4 a rule, 5 the scheduler,
    -- 6 the server itself or its command line; NULL in rows of version 0.1.0, which did not note it.
    actor           INTEGER,
    actor_number    INTEGER,                -- the row of the key
    member_id       INTEGER CONSTRAINT activity_member REFERENCES member (id),
    entry           INTEGER,                -- ledger: 1 mint, 2 spend, 3 refund, 4 forfeit, 5 debit
    amount          INTEGER                 -- ledger: points, 1 to 9007199254740991
        CONSTRAINT activity_amount CHECK (amount BETWEEN 0 AND 9007199254740991),
    flag            INTEGER CONSTRAINT activity_flag CHECK (flag IN (0, 1)), -- ledger: the first mint or spend
    -- Ledger: the entry of the same account before this one, and an earlier one, so that the entry at any
    -- past moment is reached in a few steps: entry n jumps to entry n minus the weight of the last digit
    -- of n as a skew-binary number.
    previous_seq    INTEGER,
    jump_seq        INTEGER,
    -- Ledger: what the account received and spent up to and with this entry.
    received_after  INTEGER,
    spent_after     INTEGER,
    -- Ledger: every entry has a hash, of the hash of the program's entry before it (zeros before the
    -- first), of this row, and of its texts' commitments. The first entry of a program in a commit has
    -- the hash of the one before it here; all others follow. The newest is in program.chain.
    chain           BLOB CONSTRAINT activity_chain CHECK (length(chain) = 32),
    offer_id        INTEGER CONSTRAINT activity_offer REFERENCES offer (id),
    redemption_id   INTEGER CONSTRAINT activity_redemption REFERENCES redemption (id),
    from_state      TEXT,                   -- a tier or a status
    to_state        TEXT,
    expires_at      INTEGER,                -- when what it created ends
    object_uuid     BLOB                    -- the public id of a message or an offer
        CONSTRAINT activity_object_uuid CHECK (length(object_uuid) = 16),
    name            TEXT,                   -- an environment
    organization_id INTEGER CONSTRAINT activity_organization REFERENCES organization (id),
    -- Few rows have what follows, and a row ends with its last value. No event of this version uses any but
    -- matures_at.
    cause_seq       INTEGER,                -- the activity that caused this one
    matures_at      INTEGER,                -- when what it created, or changed, can first be used
    due_at          INTEGER,                -- when it was due, if it was applied later
    asset           INTEGER,                -- which asset moved; NULL: the program's own points
    available       INTEGER,                -- changes of the buckets, where `entry` and `amount` do not tell
    held            INTEGER,
    deferred        INTEGER,
    held_after      INTEGER,                -- what is in these buckets up to and with this entry
    deferred_after  INTEGER,
    lots            BLOB,                   -- how much was taken from, or given to, which lots
    rule_version    INTEGER,                -- the version of the rule that caused it
    CONSTRAINT activity_ledger CHECK (entry IS NULL OR amount >= 1)
) STRICT;

-- What happened to a redemption. Most rows are about none.
CREATE INDEX activity_by_redemption ON activity (redemption_id) WHERE redemption_id IS NOT NULL;

CREATE TRIGGER activity_is_never_changed BEFORE UPDATE ON activity
BEGIN
    SELECT RAISE(ABORT, 'activity is append-only');
END;
CREATE TRIGGER activity_is_never_deleted BEFORE DELETE ON activity
BEGIN
    SELECT RAISE(ABORT, 'activity is append-only');
END;

-- People's words that belong to the log; an erasure deletes them. The chain of hashes covers the
-- commitment SHA-256(salt, text): once the salt is deleted, the text cannot be guessed from it.
CREATE TABLE log_text (
    seq        INTEGER NOT NULL CONSTRAINT log_text_activity REFERENCES activity (seq),
    part       INTEGER NOT NULL,            -- 1: the caller's reason of a ledger entry
    text       TEXT,                        -- NULL: erased
    salt       BLOB,                        -- 16 random bytes; NULL: erased
    commitment BLOB,                        -- kept once text and salt are gone
    PRIMARY KEY (seq, part),
    CONSTRAINT log_text_salt CHECK ((salt IS NULL) = (text IS NULL) AND length(salt) = 16),
    CONSTRAINT log_text_commitment CHECK ((commitment IS NULL) = (text IS NOT NULL) AND length(commitment) = 32)
) STRICT, WITHOUT ROWID;

-- A thread between a member and the operator: one for each redemption, and one for support, whose row is
-- made with its first message.
CREATE TABLE conversation (
    id              INTEGER PRIMARY KEY,
    -- The redemption's own sixteen bytes; of a member's support thread, bytes worked out from the member; of one that
    -- the operator started, those of its first message.
    uuid            BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    program_id      INTEGER NOT NULL REFERENCES program (id),
    member_id       INTEGER NOT NULL REFERENCES member (id),
    redemption_id   INTEGER REFERENCES redemption (id), -- NULL: support
    title           TEXT,                   -- of a booking: the offer's when it was booked; else the operator's words
    last_message_at INTEGER,
    last_role       TEXT CHECK (last_role IN ('member', 'agent')), -- 'member': the operator is waited for
    active_at       INTEGER NOT NULL,       -- the last message, else when it was opened
    -- The first message of the member's since the operator's last one; NULL: there is none, or the member was removed.
    waiting_since   INTEGER CONSTRAINT conversation_waiting_since
        CHECK (waiting_since IS NULL OR last_role = 'member'),
    CHECK ((last_message_at IS NULL) = (last_role IS NULL))
) STRICT;
CREATE INDEX conversation_by_program ON conversation (program_id, active_at);
CREATE INDEX conversation_by_member ON conversation (member_id, active_at);
CREATE INDEX conversation_waiting ON conversation (program_id, active_at) WHERE waiting_since IS NOT NULL;
CREATE INDEX conversation_by_wait ON conversation (program_id, waiting_since) WHERE waiting_since IS NOT NULL;
CREATE INDEX conversation_answered ON conversation (program_id, active_at)
    WHERE last_message_at IS NOT NULL AND waiting_since IS NULL;

-- What was said in a conversation.
CREATE TABLE message (
    id              INTEGER PRIMARY KEY,
    uuid            BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    conversation_id INTEGER NOT NULL REFERENCES conversation (id),
    role            TEXT    NOT NULL CHECK (role IN ('member', 'agent')),
    body            TEXT,                   -- NULL: erased with the member
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX message_by_conversation ON message (conversation_id);

-- Where a program's events are sent. An endpoint that was deleted stays, disabled; it can be enabled again.
CREATE TABLE webhook_endpoint (
    id          INTEGER PRIMARY KEY,
    uuid        BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    program_id  INTEGER NOT NULL REFERENCES program (id),
    url         TEXT    NOT NULL,
    events      TEXT    NOT NULL,           -- a JSON array of names from the catalogue, as given
    secret      TEXT    NOT NULL,           -- `whsec_…`: signatures need it as it is
    -- The log up to here needs no first attempt any more.
    cursor_seq  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    disabled_at INTEGER,                    -- NULL: in use
    -- The settings version; 0: it has not changed since version 0.1.0, whose log does not tell of it.
    version     INTEGER NOT NULL DEFAULT 0
        CONSTRAINT webhook_endpoint_version CHECK (version >= 0)
) STRICT;
CREATE INDEX webhook_endpoint_by_program ON webhook_endpoint (program_id);

-- The object that an event is about, as the API showed it then; kept for events of members and redemptions
-- that some endpoint listened to when they happened. Of a ledger entry or a message the log tells it.
CREATE TABLE event_payload (
    program_id INTEGER NOT NULL REFERENCES program (id),
    seq        INTEGER NOT NULL REFERENCES activity (seq),
    data       TEXT,                        -- JSON; NULL: erased with the member
    PRIMARY KEY (program_id, seq)
) STRICT, WITHOUT ROWID;

-- An event on its way to an endpoint; a row exists once it was tried, of a test at once.
CREATE TABLE webhook_delivery (
    endpoint_id     INTEGER NOT NULL REFERENCES webhook_endpoint (id),
    seq             INTEGER NOT NULL,       -- the activity; below zero: a test, which has none
    status          TEXT    NOT NULL CHECK (status IN ('pending', 'delivered', 'dead')),
    attempts        INTEGER NOT NULL CHECK (attempts >= 0),
    next_at         INTEGER,                -- when it is tried again
    last_at         INTEGER,                -- when it was last tried
    duration        INTEGER,                -- how long that took, in ms
    response_status INTEGER,                -- the HTTP status of the answer, if there was one
    error           TEXT,                   -- why it failed
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (endpoint_id, seq),
    CHECK ((next_at IS NOT NULL) = (status = 'pending'))
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, next_at) WHERE next_at IS NOT NULL;

-- Answers to POSTs that carried an Idempotency-Key, so that a retry gets the first one again. They are
-- numbered in the order they come: random keys would each touch a page of their own.
CREATE TABLE idempotency (
    id         INTEGER PRIMARY KEY,
    key_hash   BLOB    NOT NULL,            -- of the scope and the key, 16 bytes
    body_hash  BLOB    NOT NULL,            -- of the request body as parsed JSON, 16 bytes
    created_at INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    sealed     INTEGER NOT NULL CHECK (sealed IN (0, 1)), -- 1: encrypted under a key made from the Idempotency-Key
    response   BLOB    NOT NULL             -- empty: erased with the member
) STRICT;

-- The answers that have a member's words, so that an erasure finds them.
CREATE TABLE idempotency_words (
    answer    INTEGER PRIMARY KEY,          -- the id of the answer
    member_id INTEGER NOT NULL CONSTRAINT idempotency_words_member REFERENCES member (id)
) STRICT;
CREATE INDEX idempotency_words_by_member ON idempotency_words (member_id);

-- Answers that were listed by key together: those after the last of the segment before.
CREATE TABLE idempotency_segment (
    number INTEGER PRIMARY KEY,
    last   INTEGER NOT NULL                 -- the id of its last answer
) STRICT;

-- What tells of most other keys that no segment lists them, from the row before up to this one.
CREATE TABLE idempotency_filter (
    last_segment INTEGER PRIMARY KEY,       -- the number of the last of them
    filter       BLOB NOT NULL              -- blocks of 64 bytes; src/store/answers/key_index.rs says of what
) STRICT;

-- The list of a segment in 256 rows: id = number of the segment * 256 + the first byte of the keys.
CREATE TABLE idempotency_list (
    id      INTEGER PRIMARY KEY,
    entries BLOB    NOT NULL                -- each the last 8 bytes of a key, and in 4 how far its id is before the last
) STRICT;

-- Partner credits used in a calendar month (UTC), `month` counted since 1970.
CREATE TABLE pool_usage (
    environment TEXT    NOT NULL CHECK (environment IN ('sandbox', 'live')),
    month       INTEGER NOT NULL,
    credits     INTEGER NOT NULL CHECK (credits >= 0),
    PRIMARY KEY (environment, month)
) STRICT, WITHOUT ROWID;

-- The same for each organization.
CREATE TABLE organization_usage (
    organization_id INTEGER NOT NULL REFERENCES organization (id),
    month           INTEGER NOT NULL,
    credits         INTEGER NOT NULL CHECK (credits >= 0),
    PRIMARY KEY (organization_id, month)
) STRICT, WITHOUT ROWID;

-- The figures as they stood after some activity, so that the next start need not read the whole log.
-- Worth nothing if a checksum (CRC-32) does not fit: the log holds everything. One row at most.
CREATE TABLE snapshot (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    version  INTEGER NOT NULL,              -- of the form of the parts
    last_seq INTEGER NOT NULL,              -- the newest activity in it
    parts    INTEGER NOT NULL,              -- rows of its snapshot_state
    checksum INTEGER NOT NULL               -- of the three before
) STRICT;

-- What can still change, in parts of at most 1 MB; every snapshot writes its own.
CREATE TABLE snapshot_state (
    last_seq INTEGER NOT NULL,
    part     INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    data     BLOB    NOT NULL,
    PRIMARY KEY (last_seq, part)
) STRICT;

-- Closed blocks of timelines, which never change; only a timeline's last segment still grows.
CREATE TABLE snapshot_segment (
    program_id INTEGER NOT NULL,
    offer_id   INTEGER NOT NULL,            -- 0: a timeline of the program itself
    measure    INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    checksum   INTEGER NOT NULL,
    data       BLOB    NOT NULL,
    PRIMARY KEY (program_id, offer_id, measure, number)
) STRICT;
