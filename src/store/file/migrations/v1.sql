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
    created_at  INTEGER NOT NULL
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
    archived_at     INTEGER                 -- NULL: in use
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
    CHECK ((kind = 'org') = (program_id IS NOT NULL))
) STRICT;
CREATE INDEX credential_by_program ON credential (program_id);

-- A member and the wallet, which are one to one.
CREATE TABLE member (
    id               INTEGER PRIMARY KEY,
    program_id       INTEGER NOT NULL REFERENCES program (id),
    external_user_id TEXT    NOT NULL,      -- the operator's own id for the person
    display_name     TEXT,
    email            TEXT,                  -- taken at the token exchange, never returned
    tier             TEXT    NOT NULL CHECK (tier <> ''),
    attributes       TEXT,                  -- a JSON object, byte for byte as given
    balance          INTEGER NOT NULL DEFAULT 0 CHECK (balance >= 0),
    amount_received  INTEGER NOT NULL DEFAULT 0 CHECK (amount_received BETWEEN 0 AND 9007199254740991),
    amount_spent     INTEGER NOT NULL DEFAULT 0 CHECK (amount_spent BETWEEN 0 AND 9007199254740991),
    -- The newest ledger entry of this wallet: the head of the chain that activity.previous_seq continues.
    last_entry_seq   INTEGER,
    participated     INTEGER NOT NULL DEFAULT 0 CHECK (participated IN (0, 1)), -- ever had a mint or a spend
    token_epoch      INTEGER NOT NULL DEFAULT 0, -- raised by a removal; older tokens are dead
    token_expires_at INTEGER,               -- when the last token minted for this member runs out
    created_at       INTEGER NOT NULL,
    archived_at      INTEGER,               -- NULL: a current member
    -- How many of its redemptions stand where, so that nobody has to count them.
    redemptions_submitted         INTEGER NOT NULL DEFAULT 0 CHECK (redemptions_submitted >= 0),
    redemptions_open              INTEGER NOT NULL DEFAULT 0 CHECK (redemptions_open >= 0),
    redemptions_awaiting_vendor   INTEGER NOT NULL DEFAULT 0 CHECK (redemptions_awaiting_vendor >= 0),
    redemptions_awaiting_customer INTEGER NOT NULL DEFAULT 0 CHECK (redemptions_awaiting_customer >= 0),
    redemptions_purchased         INTEGER NOT NULL DEFAULT 0 CHECK (redemptions_purchased >= 0),
    redemptions_completed         INTEGER NOT NULL DEFAULT 0 CHECK (redemptions_completed >= 0),
    redemptions_canceled          INTEGER NOT NULL DEFAULT 0 CHECK (redemptions_canceled >= 0),
    UNIQUE (program_id, external_user_id),
    CHECK (balance = amount_received - amount_spent)
) STRICT;
CREATE INDEX member_by_program ON member (program_id);
CREATE INDEX member_by_tier ON member (program_id, tier);
-- Those whose earlier tokens are dead; few, and read at every start.
CREATE INDEX member_by_epoch ON member (token_epoch) WHERE token_epoch > 0;

-- Something members spend points on.
CREATE TABLE offer (
    id                 INTEGER PRIMARY KEY,
    uuid               BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    program_id         INTEGER NOT NULL REFERENCES program (id),
    title              TEXT    NOT NULL,
    description        TEXT    NOT NULL,
    short_description  TEXT    NOT NULL,
    kind               TEXT    NOT NULL,
    type               TEXT    NOT NULL,
    points_price       INTEGER CHECK (points_price BETWEEN 0 AND 9007199254740991), -- NULL: has no price
    images             TEXT    NOT NULL,    -- a JSON array of strings
    tiers              TEXT    NOT NULL,    -- a JSON array of strings; empty: open to every tier
    quantity_remaining INTEGER CHECK (quantity_remaining >= 0), -- NULL: unlimited
    expires_at         INTEGER,             -- NULL: never
    start_at           INTEGER,             -- of the experience; gates nothing
    end_at             INTEGER,             -- of the experience; gates nothing
    created_at         INTEGER NOT NULL,
    archived_at        INTEGER
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
CREATE INDEX redemption_by_program ON redemption (program_id);
CREATE INDEX redemption_by_status ON redemption (program_id, status);
CREATE INDEX redemption_by_member ON redemption (member_id);
CREATE INDEX redemption_by_member_status ON redemption (member_id, status);
CREATE INDEX redemption_by_member_offer ON redemption (member_id, offer_id);
-- A member holds at most one redemption of an offer that is not canceled.
CREATE UNIQUE INDEX redemption_held ON redemption (member_id, offer_id) WHERE status <> 'CANCELED';

-- Everything that ever happened, in commit order. All figures, streams and webhooks follow from it.
--
-- kind   1 member.created            to_state = tier
--        2 member.tier_changed       from_state, to_state = tiers
--        3 member.removed            from_state = tier
--        4 wallet.credited           a ledger entry: entry 1 or 3
--        5 wallet.debited            a ledger entry: entry 2, 4 or 5
--        6 redemption.created        amount = points charged, first = the member's first of this offer
--        7 redemption.open           7 to 12: from_state, to_state = statuses
--        8 redemption.awaiting_vendor
--        9 redemption.awaiting_customer
--       10 redemption.purchased
--       11 redemption.completed
--       12 redemption.canceled
--       13 conversation.message_created  note = the message's public id
--       Below: internal, never counted as an event nor delivered.
--       20 token.exchanged           first = an identification, amount = credits taken (0 or 1)
--       30 member.restored           to_state = tier
--       40 offer.created            note = its public id
--       41 offer.changed   42 offer.archived
--       50 program.created   51 program.changed   (organization_id on 50)
--       60 organization.created      to_state = status, note = environment
--       61 organization.changed      from_state, to_state = statuses
CREATE TABLE activity (
    seq             INTEGER PRIMARY KEY,    -- the activity number: the order of commits
    at              INTEGER NOT NULL,       -- never goes back within a program, but for an import
    program_id      INTEGER REFERENCES program (id),
    kind            INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 61),
    member_id       INTEGER REFERENCES member (id),
    offer_id        INTEGER REFERENCES offer (id),
    redemption_id   INTEGER REFERENCES redemption (id),
    organization_id INTEGER REFERENCES organization (id),
    entry           INTEGER,                -- ledger: 1 mint, 2 spend, 3 refund, 4 forfeit, 5 debit
    amount          INTEGER,                -- ledger: points, 1 to 9007199254740991
    first           INTEGER,                -- ledger: 1 if it is the member's first mint or spend
    previous_seq    INTEGER,                -- ledger: the entry of the same wallet before this one
    from_state      TEXT,
    to_state        TEXT,
    note            TEXT,                   -- ledger: the caller's reason
    CHECK ((entry IS NOT NULL) = (kind IN (4, 5))),
    CHECK (kind <> 4 OR entry IN (1, 3)),
    CHECK (kind <> 5 OR entry IN (2, 4, 5)),
    CHECK (entry IS NULL OR (amount BETWEEN 1 AND 9007199254740991 AND member_id IS NOT NULL))
) STRICT;

CREATE TRIGGER activity_is_never_changed BEFORE UPDATE ON activity
BEGIN
    SELECT RAISE(ABORT, 'activity is append-only');
END;
CREATE TRIGGER activity_is_never_deleted BEFORE DELETE ON activity
BEGIN
    SELECT RAISE(ABORT, 'activity is append-only');
END;

-- A thread between a member and the operator: one for each redemption, and one for support, whose row is
-- made with its first message.
CREATE TABLE conversation (
    id              INTEGER PRIMARY KEY,
    -- The redemption's own sixteen bytes; of a support thread, bytes worked out from its member.
    uuid            BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    program_id      INTEGER NOT NULL REFERENCES program (id),
    member_id       INTEGER NOT NULL REFERENCES member (id),
    redemption_id   INTEGER REFERENCES redemption (id), -- NULL: support
    title           TEXT,                   -- of a booking: the offer's title when it was booked
    last_message_at INTEGER,
    last_role       TEXT CHECK (last_role IN ('member', 'agent')), -- 'member': the operator is waited for
    active_at       INTEGER NOT NULL,       -- the last message, else when it was opened
    CHECK ((last_message_at IS NULL) = (last_role IS NULL))
) STRICT;
CREATE INDEX conversation_by_program ON conversation (program_id, active_at);
CREATE INDEX conversation_by_member ON conversation (member_id, active_at);
CREATE INDEX conversation_waiting ON conversation (program_id, active_at) WHERE last_role = 'member';

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

-- Where a program's events are sent. An endpoint that was deleted stays, disabled.
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
    disabled_at INTEGER                     -- NULL: in use
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
    response   BLOB    NOT NULL
) STRICT;

-- Answers that were listed by key together: those after the last of the segment before.
CREATE TABLE idempotency_segment (
    number INTEGER PRIMARY KEY,
    last   INTEGER NOT NULL                 -- the id of its last answer
) STRICT;

-- What tells of most other keys that no segment lists them, from the row before up to this one.
CREATE TABLE idempotency_filter (
    last_segment INTEGER PRIMARY KEY,       -- the number of the last of them
    filter       BLOB NOT NULL              -- blocks of 64 bytes; src/store/key_index.rs says of what
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
