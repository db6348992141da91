-- The schema of a new database.
--
-- Conventions
--   * Table names are singular. `id` is a row number that is never sent to clients; `uuid` is the
--     sixteen bytes of the public id.
--   * Times (`…_at`, `at`) are whole milliseconds since 1970-01-01T00:00:00Z.
--   * Points are whole numbers up to 9007199254740991 (2^53 - 1), which a double represents exactly.
--   * Every table is STRICT, so that SQLite enforces the types of columns.
--   * Everything that happens is in `activity`, which is append-only; all figures follow from it. All
--     other tables are current state, changed in the same transaction.

-- Facts about the server, one per row.
--   partner_uuid  the operator's public id (16 bytes)
--   token_key     the PASETO v4.local key of member tokens (32 bytes)
--   import        progress of an import; while it exists, no server starts; deleted at the end
--   migration     progress of a migration; deleted at the end
--   scrub         exists while unused bytes of pages may contain copies of erased texts
--   clock_refused a refused step of the system clock (its time, the step)
--   write_probe   written after a failure to test whether the disk accepts writes again
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
    metadata    TEXT,                       -- JSON of the partner, byte for byte
    allocation  INTEGER CHECK (allocation >= 0), -- credits per month; NULL: no limit
    allocation_uuid  BLOB CHECK (length(allocation_uuid) = 16), -- the public id of the allocation
    allocation_notes TEXT,                  -- notes of the partner
    allocated_at     INTEGER,               -- when it was last set
    created_at  INTEGER NOT NULL,
    -- The settings version: the number of the activity that last changed the settings; 0: unknown.
    version     INTEGER NOT NULL DEFAULT 0 CONSTRAINT organization_version CHECK (version >= 0)
) STRICT;
CREATE INDEX organization_by_environment ON organization (environment);

-- A loyalty program, which has members, offers, redemptions and figures.
CREATE TABLE program (
    id              INTEGER PRIMARY KEY,
    uuid            BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    organization_id INTEGER NOT NULL REFERENCES organization (id),
    name            TEXT    NOT NULL,
    status          TEXT    NOT NULL        -- SUSPENDED: it can be read
        CONSTRAINT program_status CHECK (status IN ('ACTIVE', 'SUSPENDED', 'ARCHIVED')),
    currency_name   TEXT    NOT NULL,
    currency_symbol TEXT    NOT NULL,
    default_tier    TEXT    NOT NULL,       -- the tier of a new member without one
    clock_offset    INTEGER NOT NULL DEFAULT 0 CHECK (clock_offset >= 0), -- ms that a sandbox clock is ahead
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,       -- last change of name or status
    archived_at     INTEGER,                -- NULL: not archived
    -- The settings versions of name and status, and of currency and default tier.
    version         INTEGER NOT NULL DEFAULT 0 CONSTRAINT program_version CHECK (version >= 0),
    configuration_version INTEGER NOT NULL DEFAULT 0
        CONSTRAINT program_configuration_version CHECK (configuration_version >= 0),
    -- Millionths of a dollar that a point is worth, and of the units that a dollar is displayed as.
    rate_per_point  INTEGER NOT NULL DEFAULT 0
        CONSTRAINT program_rate_per_point CHECK (rate_per_point >= 0),
    units_per_usd   INTEGER NOT NULL DEFAULT 1000000
        CONSTRAINT program_units_per_usd CHECK (units_per_usd > 0),
    -- The life of points without dates of their own, such as 'P12M' or 'year_end+P3M'; NULL: no end.
    expiry          TEXT,
    time_zone       TEXT    NOT NULL DEFAULT 'UTC', -- the name of the calendar's zone in the IANA database
    -- How many days before points expire this is announced; NULL: never.
    expiry_notice   INTEGER
        CONSTRAINT program_expiry_notice CHECK (expiry_notice BETWEEN 1 AND 366),
    description     TEXT,
    -- What an event of an unknown participant does: it creates one, or is refused.
    unknown_participants TEXT NOT NULL DEFAULT 'CREATE' CONSTRAINT program_unknown_participants
        CHECK (unknown_participants IN ('CREATE', 'REJECT')),
    -- The account that later redemptions go to.
    redemption_target TEXT  NOT NULL DEFAULT 'SYSTEM_REDEMPTION' CONSTRAINT program_redemption_target
        CHECK (redemption_target IN ('SYSTEM_REDEMPTION', 'SYSTEM_BREAKAGE')),
    refund_grace    INTEGER                 -- hours that points have which are returned after their time; NULL: none
        CONSTRAINT program_refund_grace CHECK (refund_grace BETWEEN 1 AND 87600)
) STRICT;
CREATE INDEX program_by_organization ON program (organization_id);

-- Every configuration that a program had, so that a response of that time can be rendered again. Rows are
-- only added; the newest has the values of the program's row.
CREATE TABLE configuration (
    program_id      INTEGER NOT NULL CONSTRAINT configuration_program REFERENCES program (id),
    version         INTEGER NOT NULL        -- program.configuration_version while it was in force
        CONSTRAINT configuration_version CHECK (version >= 0),
    currency_name   TEXT    NOT NULL,
    currency_symbol TEXT    NOT NULL,
    rate_per_point  INTEGER NOT NULL
        CONSTRAINT configuration_rate_per_point CHECK (rate_per_point >= 0),
    units_per_usd   INTEGER NOT NULL
        CONSTRAINT configuration_units_per_usd CHECK (units_per_usd > 0),
    default_tier    TEXT    NOT NULL,
    PRIMARY KEY (program_id, version)
) STRICT, WITHOUT ROWID;

-- How the points of a program are kept, and its further assets. The name of the points is the program's
-- currency; without a row they are kept as a sum, and a single credit or debit may move any number of them.
CREATE TABLE asset (
    id                 INTEGER PRIMARY KEY,  -- of a further asset: the one that `activity` names
    program_id         INTEGER NOT NULL CONSTRAINT asset_program REFERENCES program (id),
    name               TEXT,                -- NULL: the points of the program
    symbol             TEXT,
    scale              INTEGER NOT NULL DEFAULT 0 -- the decimals of amounts, which are stored as whole numbers
        CONSTRAINT asset_scale CHECK (scale BETWEEN 0 AND 6),
    created_at         INTEGER,             -- of a further asset
    archived_at        INTEGER,             -- NULL: in use
    -- SIMPLE: as a sum; LOT: in lots, which can have dates. It never becomes SIMPLE again.
    inventory_mode     TEXT    NOT NULL
        CONSTRAINT asset_inventory_mode CHECK (inventory_mode IN ('SIMPLE', 'LOT')),
    -- UNLIMITED: a credit creates points; PREFUNDED: it takes them from the wallet of the program.
    issuance_policy    TEXT    NOT NULL DEFAULT 'UNLIMITED'
        CONSTRAINT asset_issuance_policy CHECK (issuance_policy IN ('UNLIMITED', 'PREFUNDED')),
    burn_order         TEXT    NOT NULL      -- the order in which lots are used
        CONSTRAINT asset_burn_order CHECK (burn_order IN ('fifo', 'soonest_expiry')),
    max_amount         INTEGER              -- of a single credit or debit; NULL: any
        CONSTRAINT asset_max_amount CHECK (max_amount BETWEEN 1 AND 9007199254740991),
    -- The last member whose points from before the conversion were put into lots; NULL: all were, or there was
    -- no conversion.
    opening_after      INTEGER,
    opening_expires_at INTEGER,             -- when these points expire; NULL: never
    updated_at         INTEGER NOT NULL,
    version            INTEGER NOT NULL      -- the settings version
        CONSTRAINT asset_version CHECK (version >= 0),
    CONSTRAINT asset_opening
        CHECK (inventory_mode = 'LOT' OR (opening_after IS NULL AND opening_expires_at IS NULL)),
    CONSTRAINT asset_symbol UNIQUE (program_id, symbol),
    CONSTRAINT asset_further
        CHECK ((name IS NULL) = (symbol IS NULL) AND (created_at IS NULL) = (symbol IS NULL)
            AND (symbol IS NOT NULL OR (scale = 0 AND archived_at IS NULL)))
) STRICT;
CREATE UNIQUE INDEX asset_of_points ON asset (program_id) WHERE symbol IS NULL;

-- An earning rule. What it says is in its newest version.
CREATE TABLE rule (
    id          INTEGER PRIMARY KEY,
    uuid        BLOB    NOT NULL CONSTRAINT rule_uuid UNIQUE
        CONSTRAINT rule_uuid_length CHECK (length(uuid) = 16),
    program_id  INTEGER NOT NULL CONSTRAINT rule_program REFERENCES program (id),
    name        TEXT    NOT NULL,           -- as in the newest version, like the next two
    status      TEXT    NOT NULL
        CONSTRAINT rule_status CHECK (status IN ('ACTIVE', 'SUSPENDED', 'ARCHIVED')),
    position    INTEGER NOT NULL            -- active rules are evaluated in this order
        CONSTRAINT rule_position CHECK (position >= 1),
    newest      INTEGER NOT NULL,           -- the newest version: its `rule_version.id`
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    archived_at INTEGER,
    CONSTRAINT rule_archived CHECK ((status = 'ARCHIVED') = (archived_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX rule_order ON rule (program_id, position) WHERE status = 'ACTIVE';
CREATE INDEX rule_by_program ON rule (program_id);
CREATE INDEX rule_open ON rule (program_id) WHERE archived_at IS NULL;

-- A rule as it was from one change to the next. The activity that began it has the time and the actor.
CREATE TABLE rule_version (
    id          INTEGER PRIMARY KEY,        -- the one that `activity` names
    rule_id     INTEGER NOT NULL CONSTRAINT rule_version_rule REFERENCES rule (id),
    number      INTEGER NOT NULL            -- in the rule, from 1
        CONSTRAINT rule_version_number CHECK (number >= 1),
    seq         INTEGER NOT NULL CONSTRAINT rule_version_seq UNIQUE, -- the activity that began it
    change_type TEXT    NOT NULL CONSTRAINT rule_version_change_type
        CHECK (change_type IN ('created', 'updated', 'activated', 'suspended', 'archived')),
    evaluator   INTEGER NOT NULL            -- the version of the evaluator that checked it
        CONSTRAINT rule_version_evaluator CHECK (evaluator >= 1),
    document    TEXT    NOT NULL,           -- the whole rule, as JSON
    CONSTRAINT rule_version_of_rule UNIQUE (rule_id, number)
) STRICT;

-- What a rule used of its budget of an asset. Without a row: nothing, in the current period.
CREATE TABLE rule_budget (
    id            INTEGER PRIMARY KEY,
    rule_id       INTEGER NOT NULL CONSTRAINT rule_budget_rule REFERENCES rule (id),
    asset_id      INTEGER CONSTRAINT rule_budget_asset REFERENCES asset (id), -- NULL: the program's points
    consumed      INTEGER NOT NULL
        CONSTRAINT rule_budget_consumed CHECK (consumed BETWEEN 0 AND 9007199254740991),
    next_reset_at INTEGER                   -- when it becomes zero; NULL: never
) STRICT;
CREATE UNIQUE INDEX rule_budget_of_asset ON rule_budget (rule_id, ifnull(asset_id, 0));

-- An Org-API-Key (of one program) or a partner key (of one environment). Only the hash is stored.
CREATE TABLE credential (
    id          INTEGER PRIMARY KEY,
    uuid        BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    kind        TEXT    NOT NULL CHECK (kind IN ('org', 'partner')),
    environment TEXT    NOT NULL CHECK (environment IN ('sandbox', 'live')),
    program_id  INTEGER REFERENCES program (id),
    name        TEXT    NOT NULL,
    prefix      TEXT    NOT NULL,           -- the first characters, to identify keys in lists
    hash        BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32), -- SHA-256 of the whole key
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER,
    last_used_at INTEGER,                   -- saved every few minutes and at a stop; NULL: never
    CHECK ((kind = 'org') = (program_id IS NOT NULL))
) STRICT;
CREATE INDEX credential_by_program ON credential (program_id);

-- A member's profile. The wallet is not in this table: it is the sum of the ledger entries in `activity`,
-- see the view `wallet`. The server keeps it in memory.
CREATE TABLE member (
    id               INTEGER PRIMARY KEY,
    program_id       INTEGER NOT NULL CONSTRAINT member_program REFERENCES program (id),
    external_user_id TEXT    NOT NULL,      -- the operator's own id of the person
    display_name     TEXT,
    email            TEXT,
    phone            TEXT,                  -- as it was given; compared by its digits
    tier             TEXT    NOT NULL CONSTRAINT member_tier CHECK (tier <> ''),
    attributes       TEXT,                  -- a JSON object, byte for byte
    token_epoch      INTEGER NOT NULL DEFAULT 0, -- raised by a removal, which invalidates older tokens
    token_expires_at INTEGER,               -- when the last token of version 0.1.0 expires; its log does not tell
    created_at       INTEGER NOT NULL,
    archived_at      INTEGER,               -- NULL: a current member
    suspended_at     INTEGER,               -- NULL: not suspended, or removed
    version          INTEGER NOT NULL DEFAULT 0 -- the settings version
        CONSTRAINT member_version CHECK (version >= 0),
    CONSTRAINT member_external_user_id UNIQUE (program_id, external_user_id),
    CONSTRAINT member_suspended CHECK (suspended_at IS NULL OR archived_at IS NULL)
) STRICT;
CREATE INDEX member_by_program ON member (program_id);
CREATE INDEX member_by_tier ON member (program_id, tier);
-- Members with invalidated tokens: few, and read at every start.
CREATE INDEX member_by_epoch ON member (token_epoch) WHERE token_epoch > 0;
CREATE INDEX member_archived ON member (program_id) WHERE archived_at IS NOT NULL;
CREATE INDEX member_suspended ON member (program_id) WHERE suspended_at IS NOT NULL;

-- The removal of each removed member, so that a repeated removal returns the same response. Deleted when
-- the member is restored.
CREATE TABLE removal (
    member_id  INTEGER PRIMARY KEY CONSTRAINT removal_member REFERENCES member (id),
    retained   INTEGER NOT NULL CONSTRAINT removal_retained CHECK (retained IN (0, 1)), -- 0: the balance was forfeited
    -- Of an erased member: a keyed hash of the program and the deleted external_user_id, and the time; NULL
    -- after idempotency.retention.
    erased_key BLOB CONSTRAINT removal_erased_key CHECK (length(erased_key) = 16),
    erased_at  INTEGER,
    CONSTRAINT removal_erased CHECK ((erased_key IS NULL) = (erased_at IS NULL))
) STRICT;
CREATE INDEX removal_by_erased_key ON removal (erased_key) WHERE erased_key IS NOT NULL;

-- The tags of members, in lower case.
CREATE TABLE member_tag (
    member_id INTEGER NOT NULL CONSTRAINT member_tag_member REFERENCES member (id),
    tag       TEXT    NOT NULL,
    PRIMARY KEY (member_id, tag)
) STRICT, WITHOUT ROWID;

-- The counters of members, as they were last written: a counter whose time is over is zero.
CREATE TABLE counter (
    member_id     INTEGER NOT NULL CONSTRAINT counter_member REFERENCES member (id),
    key           TEXT    NOT NULL,
    value         TEXT    NOT NULL,         -- a decimal number without needless zeros
    reset_after   INTEGER                   -- milliseconds from last_reset_at after which it is zero; NULL: never
        CONSTRAINT counter_reset_after CHECK (reset_after > 0),
    last_reset_at INTEGER NOT NULL,         -- when it was created, set or last reset
    PRIMARY KEY (member_id, key)
) STRICT, WITHOUT ROWID;

-- The search index of members: the terms of ids, names, emails and phone numbers, as defined in
-- src/domain/search.rs and src/domain/contact.rs.
-- Updated with each profile. The existence of the member is not checked with each row; `verify`
-- recomputes all terms.
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
    disclaimer         TEXT,
    kind               TEXT    NOT NULL,
    type               TEXT    NOT NULL,
    points_price       INTEGER              -- NULL: free
        CONSTRAINT offer_points_price CHECK (points_price BETWEEN 0 AND 9007199254740991),
    value_usd          INTEGER,             -- the worth in cents
    display_price      INTEGER,             -- millionths of the display currency; NULL: from points_price
    images             TEXT    NOT NULL,    -- a JSON array of strings
    inclusions         TEXT    NOT NULL DEFAULT '[]', -- a JSON array of objects with group and name
    location           TEXT,                -- a JSON object of texts
    guests_max         INTEGER,             -- the most guests
    tiers              TEXT    NOT NULL,    -- a JSON array of strings; empty: open to every tier
    quantity_remaining INTEGER              -- NULL: unlimited
        CONSTRAINT offer_quantity_remaining CHECK (quantity_remaining >= 0),
    available_from     INTEGER,             -- NULL: from its creation
    expires_at         INTEGER,             -- NULL: never
    is_paused          INTEGER NOT NULL DEFAULT 0 CONSTRAINT offer_is_paused CHECK (is_paused IN (0, 1)),
    -- The most redemptions of a member: of those that are not canceled, or of those that are open. NULL: no
    -- limit.
    limit_per_member   INTEGER DEFAULT 1 CONSTRAINT offer_limit_per_member CHECK (limit_per_member >= 1),
    limit_per          TEXT    NOT NULL DEFAULT 'ever'
        CONSTRAINT offer_limit_per CHECK (limit_per IN ('ever', 'open')),
    start_at           INTEGER,             -- of the experience; not enforced
    end_at             INTEGER,             -- of the experience; not enforced
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
    code            TEXT                    -- for people to read out and type; NULL: created by version 0.1.0
        CONSTRAINT redemption_code CHECK (length(code) = 8),
    status          TEXT    NOT NULL CHECK (status IN ('SUBMITTED', 'OPEN', 'AWAITING_VENDOR',
                        'AWAITING_CUSTOMER', 'PURCHASED', 'COMPLETED', 'CANCELED')),
    charged         INTEGER NOT NULL CHECK (charged BETWEEN 0 AND 9007199254740991), -- the amount of a refund
    took_stock      INTEGER NOT NULL CHECK (took_stock IN (0, 1)), -- 1: a cancellation returns its units
    start_at        INTEGER,
    end_at          INTEGER,
    canceled_reason TEXT CHECK (canceled_reason IN ('SOLD_OUT', 'VENDOR_DECLINED', 'DATE_UNAVAILABLE',
                        'MEMBER_REQUESTED', 'EXPIRED', 'OTHER')),
    canceled_note   TEXT,
    -- The member's feedback, once it is completed.
    rating          INTEGER CONSTRAINT redemption_rating CHECK (rating BETWEEN 0 AND 10),
    rating_comment  TEXT,
    rated_at        INTEGER,
    created_at      INTEGER NOT NULL,
    quantity        INTEGER NOT NULL DEFAULT 1 -- the units of the offer that were redeemed together
        CONSTRAINT redemption_quantity CHECK (quantity BETWEEN 1 AND 10000 AND charged % quantity = 0),
    returned        INTEGER NOT NULL DEFAULT 0 -- those that were returned while the rest was kept
        CONSTRAINT redemption_returned CHECK (returned BETWEEN 0 AND quantity),
    CONSTRAINT redemption_feedback CHECK ((rating IS NULL) = (rated_at IS NULL)
        AND (rating_comment IS NULL OR rating IS NOT NULL))
) STRICT;
-- Serve each list, newest or oldest first and from any time, without reading other rows.
CREATE INDEX redemption_by_program ON redemption (program_id, created_at);
CREATE INDEX redemption_by_status ON redemption (program_id, status, created_at);
CREATE INDEX redemption_by_member ON redemption (member_id, created_at);
CREATE INDEX redemption_by_member_status ON redemption (member_id, status, created_at);
-- A list of an offer's redemptions of all statuses merges seven such lists.
CREATE INDEX redemption_by_offer ON redemption (offer_id, status, created_at);
-- Finds a redemption by its code.
CREATE UNIQUE INDEX redemption_by_code ON redemption (program_id, code) WHERE code IS NOT NULL;
-- Counts the redemptions that a limit concerns, without reading them.
CREATE INDEX redemption_by_member_offer ON redemption (member_id, offer_id, status, returned, quantity);

-- The log: everything that ever happened, in commit order. All figures, streams and webhooks follow from
-- it.
--
-- src/domain/events.rs declares each `kind` and the columns of its events, docs/EVENTS.md lists them, and
-- `stampcard verify` checks every row. Columns that a kind does not use are NULL. Personal texts are not in
-- this table but in `log_text`, from which they can be erased.
CREATE TABLE activity (
    seq             INTEGER PRIMARY KEY,    -- the activity number: the order of commits
    at              INTEGER NOT NULL,       -- never decreases within a program, except after an import
    -- Not a foreign key, because most rows have a member, who has a program; `verify` checks it.
    program_id      INTEGER,
    kind            INTEGER NOT NULL,
    -- The cause: 1 an Org-API-Key, 2 the member, 3 a partner key, 4 a rule, 5 the scheduler, 6 the server
    -- or its command line; NULL in rows of version 0.1.0, which did not record it.
    actor           INTEGER,
    actor_number    INTEGER,                -- the row of the key
    member_id       INTEGER CONSTRAINT activity_member REFERENCES member (id),
    -- Ledger: 1 mint, 2 spend, 3 refund, 4 forfeit, 5 debit, 6 expire, 7 mature, 8 hold, 9 release, 10 void,
    -- 11 open (points are put into lots), 12 reverse.
    entry           INTEGER,
    amount          INTEGER                 -- ledger: points, 1 to 9007199254740991
        CONSTRAINT activity_amount CHECK (amount BETWEEN 0 AND 9007199254740991),
    flag            INTEGER CONSTRAINT activity_flag CHECK (flag IN (0, 1)), -- ledger: the first mint or spend of points
    -- Ledger: the previous entry of the same account, and an earlier one, so that the entry at any past
    -- moment is reached in a few steps: entry n jumps to entry n minus the weight of the last digit of n
    -- as a skew-binary number.
    previous_seq    INTEGER,
    jump_seq        INTEGER,
    -- Ledger: the totals of the account including this entry.
    received_after  INTEGER,
    spent_after     INTEGER,
    -- Ledger, and changes of a program's wallet: every entry has a hash of the hash of the program's previous
    -- entry (zeros for the first), of this row, and of the commitments of its texts. Stored here is the hash of the previous entry, for the
    -- first entry of a program in a commit; all others can be computed.
    chain           BLOB CONSTRAINT activity_chain CHECK (length(chain) = 32),
    offer_id        INTEGER CONSTRAINT activity_offer REFERENCES offer (id),
    redemption_id   INTEGER CONSTRAINT activity_redemption REFERENCES redemption (id),
    from_state      TEXT,                   -- a tier, a status or a rating
    to_state        TEXT,
    expires_at      INTEGER,                -- when the created object expires
    object_uuid     BLOB                    -- the public id of a message or an offer
        CONSTRAINT activity_object_uuid CHECK (length(object_uuid) = 16),
    name            TEXT,                   -- an environment, or the purpose of points, as the caller calls it
    organization_id INTEGER CONSTRAINT activity_organization REFERENCES organization (id),
    -- The following columns come last because few rows use them: a row ends with its last value.
    cause_seq       INTEGER,                -- the activity that caused this one
    matures_at      INTEGER,                -- when the created, changed or held object can first be used
    due_at          INTEGER,                -- the due time, if applied later
    asset           INTEGER,                -- the asset; NULL: the program's points
    -- Ledger: points of a debit that the account did not have; NULL: 0. Of a program's wallet: what it has then.
    available       INTEGER,
    held            INTEGER,                -- ledger: changes of the points that are held, and of those that
    deferred        INTEGER,                -- mature later; NULL: 0
    held_after      INTEGER,                -- ledger: these points including this entry; NULL: 0
    deferred_after  INTEGER,
    -- Ledger: what the entry does to the lots of the account (src/domain/lot_moves.rs has the form); NULL: the
    -- account has no lots.
    lots            BLOB,
    rule_version    INTEGER,                -- the version of the rule that caused it
    CONSTRAINT activity_ledger CHECK (entry IS NULL OR amount >= 1)
) STRICT;

-- The history of a redemption. Most rows have none.
CREATE INDEX activity_by_redemption ON activity (redemption_id) WHERE redemption_id IS NOT NULL;

-- The changes of the tags, counters and attributes of a member.
CREATE INDEX activity_by_state ON activity (member_id) WHERE kind = 37;

-- The reversals of a ledger entry. Few entries are reversals.
CREATE INDEX activity_by_reversed ON activity (cause_seq) WHERE entry = 12;

-- Sums over the ledger entries of a further asset. An entry of the program's points is not in it.
CREATE INDEX activity_by_asset ON activity (asset, at, entry, amount) WHERE asset IS NOT NULL;

CREATE TRIGGER activity_is_never_changed BEFORE UPDATE ON activity
BEGIN
    SELECT RAISE(ABORT, 'activity is append-only');
END;
CREATE TRIGGER activity_is_never_deleted BEFORE DELETE ON activity
BEGIN
    SELECT RAISE(ABORT, 'activity is append-only');
END;

-- The wallet of every member in the program's points, computed from the log. Points that are held or pending are not in the balance;
-- those that are pending, because they mature later, are not received yet. For other programs that open the file: it reads the
-- whole log, so the server does not use it.
CREATE VIEW wallet (member_id, program_id, balance, amount_received, amount_spent, entries, held, pending) AS
    SELECT m.id, m.program_id, coalesce(l.received - l.spent - l.held, 0), coalesce(l.received, 0),
        coalesce(l.spent, 0), coalesce(l.entries, 0), coalesce(l.held, 0), coalesce(l.pending, 0)
    FROM member m LEFT JOIN (
        SELECT member_id, count(*) AS entries,
            sum(CASE WHEN entry IN (1, 3, 12) THEN amount - coalesce(deferred, 0)
                WHEN entry = 7 THEN -coalesce(deferred, 0) ELSE 0 END) AS received,
            sum(CASE WHEN entry IN (2, 4, 5, 6, 10) THEN amount + coalesce(deferred, 0) ELSE 0 END) AS spent,
            coalesce(sum(held), 0) AS held, coalesce(sum(deferred), 0) AS pending
        FROM activity WHERE entry IS NOT NULL AND asset IS NULL GROUP BY member_id
    ) l ON l.member_id = m.id;

-- Personal texts of the log; an erasure deletes them. The chain of hashes covers the commitment
-- SHA-256(salt, text), from which the text cannot be guessed once the salt is deleted.
CREATE TABLE log_text (
    seq        INTEGER NOT NULL CONSTRAINT log_text_activity REFERENCES activity (seq),
    -- 1: the reason of an entry or a return, from the caller; 2: the comment of a member on a redemption; 3: the key
    -- of an event, or of what changed of the state of a participant; 4 and 5: the values before and after; 6: the data
    -- of an event.
    part       INTEGER NOT NULL,
    text       TEXT,                        -- NULL: erased
    salt       BLOB,                        -- 16 random bytes; NULL: erased
    commitment BLOB,                        -- stored when text and salt are erased
    PRIMARY KEY (seq, part),
    CONSTRAINT log_text_salt CHECK ((salt IS NULL) = (text IS NULL) AND length(salt) = 16),
    CONSTRAINT log_text_commitment CHECK ((commitment IS NULL) = (text IS NOT NULL) AND length(commitment) = 32)
) STRICT, WITHOUT ROWID;

-- An event for the earning rules of a program, which was processed when it was stored. A row has the number of the
-- activity that stored it. Its key and its data are in `log_text`.
CREATE TABLE event (
    seq          INTEGER PRIMARY KEY CONSTRAINT event_activity REFERENCES activity (seq),
    uuid         BLOB    NOT NULL CONSTRAINT event_uuid UNIQUE -- derived from the program and the key
        CONSTRAINT event_uuid_length CHECK (length(uuid) = 16),
    program_id   INTEGER NOT NULL CONSTRAINT event_program REFERENCES program (id),
    member_id    INTEGER CONSTRAINT event_member REFERENCES member (id), -- NULL: an event of the program
    recipient_id INTEGER CONSTRAINT event_recipient REFERENCES member (id), -- whom actions are for, if another member
    type         TEXT    NOT NULL CONSTRAINT event_type CHECK (type IN ('EXTERNAL', 'SYSTEM')),
    status       TEXT    NOT NULL CONSTRAINT event_status CHECK (status IN ('COMPLETED', 'FAILED')),
    happened_at  INTEGER NOT NULL,          -- as its sender says
    depth        INTEGER NOT NULL           -- how many events caused each other until it
        CONSTRAINT event_depth CHECK (depth BETWEEN 0 AND 8),
    error        TEXT CONSTRAINT event_error CHECK (status = 'FAILED' OR error IS NULL) -- NULL: completed, or erased
) STRICT;
CREATE INDEX event_by_program ON event (program_id);
CREATE INDEX event_by_time ON event (program_id, happened_at);
CREATE INDEX event_failed ON event (program_id) WHERE status = 'FAILED';
CREATE INDEX event_by_member ON event (member_id) WHERE member_id IS NOT NULL;

-- What the rules made of an event: a row for each rule that matched, failed or was skipped, in the order in which
-- they were evaluated.
CREATE TABLE evaluation (
    event_seq    INTEGER NOT NULL CONSTRAINT evaluation_event REFERENCES event (seq),
    place        INTEGER NOT NULL,          -- from 0
    rule_id      INTEGER NOT NULL CONSTRAINT evaluation_rule REFERENCES rule (id),
    rule_version INTEGER NOT NULL CONSTRAINT evaluation_rule_version REFERENCES rule_version (id),
    status       TEXT    NOT NULL CONSTRAINT evaluation_status
        CHECK (status IN ('SUCCESS', 'FAILED', 'SKIPPED', 'SKIPPED_ERROR', 'SKIPPED_TIMEOUT')),
    reason       TEXT,
    error        TEXT,
    stopped_by   INTEGER CONSTRAINT evaluation_stopped_by REFERENCES rule_version (id),
    PRIMARY KEY (event_seq, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX evaluation_by_rule ON evaluation (rule_id, event_seq) WHERE status IN ('SUCCESS', 'FAILED');

-- Messages between a member and the operator: one conversation per interest or redemption, one for support,
-- whose row is created with its first message, and those that the operator started.
CREATE TABLE conversation (
    id              INTEGER PRIMARY KEY,
    -- The uuid of the interest or redemption; for support, derived from the member; if the operator started it,
    -- the uuid of the first message.
    uuid            BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    program_id      INTEGER NOT NULL REFERENCES program (id),
    member_id       INTEGER NOT NULL REFERENCES member (id),
    redemption_id   INTEGER REFERENCES redemption (id), -- NULL: support, or an interest
    title           TEXT,                   -- of a booking or interest: the offer's title at that time; else the operator's text
    last_message_at INTEGER,
    last_role       TEXT CHECK (last_role IN ('member', 'agent')), -- 'member': an answer is pending
    active_at       INTEGER NOT NULL,       -- time of the last message, else of the creation
    -- The first message of the member after the last one of the operator; NULL: none, or the member was removed.
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

-- The messages of a conversation.
CREATE TABLE message (
    id              INTEGER PRIMARY KEY,
    uuid            BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    conversation_id INTEGER NOT NULL REFERENCES conversation (id),
    role            TEXT    NOT NULL CHECK (role IN ('member', 'agent')),
    body            TEXT,                   -- NULL: erased with the member
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX message_by_conversation ON message (conversation_id);

-- A file of the operator, attached to a message without text, or one that is being uploaded.
CREATE TABLE attachment (
    id         INTEGER PRIMARY KEY,
    program_id INTEGER NOT NULL CONSTRAINT attachment_program REFERENCES program (id),
    message_id INTEGER                      -- NULL: the upload is not finished
        CONSTRAINT attachment_message REFERENCES message (id)
        CONSTRAINT attachment_message_once UNIQUE,
    name       TEXT,                        -- NULL: erased with the member
    type       TEXT    NOT NULL
        CONSTRAINT attachment_type CHECK (type IN ('image/png', 'image/jpeg', 'image/webp', 'application/pdf')),
    size       INTEGER NOT NULL             -- bytes; 0: erased
        CONSTRAINT attachment_size CHECK (size BETWEEN 0 AND 1048576),
    sha256     BLOB CONSTRAINT attachment_sha256 CHECK (length(sha256) = 32), -- NULL: erased
    -- The day by the program's clock (days since 1970, UTC) for whose limit it counts.
    day        INTEGER NOT NULL,
    -- When its pieces, and the row if the upload is not finished, are deleted; NULL: never.
    discard_at INTEGER CONSTRAINT attachment_discard_at CHECK (discard_at >= 0),
    CONSTRAINT attachment_erased CHECK ((name IS NULL) = (size = 0) AND (name IS NULL) = (sha256 IS NULL)),
    CONSTRAINT attachment_unfinished CHECK (name IS NULL OR (message_id IS NULL) = (discard_at IS NOT NULL)),
    CONSTRAINT attachment_erased_message CHECK (name IS NOT NULL OR message_id IS NOT NULL)
) STRICT;
CREATE INDEX attachment_by_day ON attachment (program_id, day, size);
CREATE INDEX attachment_to_discard ON attachment (discard_at) WHERE discard_at IS NOT NULL;

-- The bytes of an attachment. All pieces except the last one are full.
CREATE TABLE attachment_piece (
    attachment_id INTEGER NOT NULL
        CONSTRAINT attachment_piece_attachment REFERENCES attachment (id),
    number        INTEGER NOT NULL          -- counted from 0
        CONSTRAINT attachment_piece_number CHECK (number BETWEEN 0 AND 15),
    data          BLOB    NOT NULL
        CONSTRAINT attachment_piece_data CHECK (length(data) BETWEEN 1 AND 65536),
    PRIMARY KEY (attachment_id, number)
) STRICT;

-- The prepaid points of an organization, from which its live programs draw. Without a row it has none.
CREATE TABLE organization_pool (
    organization_id INTEGER PRIMARY KEY
        CONSTRAINT organization_pool_organization REFERENCES organization (id),
    balance         INTEGER NOT NULL
        CONSTRAINT organization_pool_balance CHECK (balance BETWEEN -2147483647 AND 2147483647),
    lifetime_spent  INTEGER NOT NULL
        CONSTRAINT organization_pool_lifetime_spent CHECK (lifetime_spent BETWEEN 0 AND 2147483647),
    credit_limit    INTEGER NOT NULL
        CONSTRAINT organization_pool_credit_limit CHECK (credit_limit BETWEEN 0 AND 2147483647),
    settlement_mode TEXT    NOT NULL CONSTRAINT organization_pool_settlement_mode
        CHECK (settlement_mode IN ('MEMBER_WALLET', 'ORG_POOL')),
    low_threshold   INTEGER NOT NULL
        CONSTRAINT organization_pool_low_threshold CHECK (low_threshold BETWEEN 0 AND 2147483647)
) STRICT;

-- The partner's note on points that were bought for a pool.
CREATE TABLE pool_funding (
    seq  INTEGER PRIMARY KEY,               -- the activity that added them
    note TEXT
) STRICT;

-- A version of a program's legal document. The newest of a type is the present one.
CREATE TABLE terms_version (
    seq         INTEGER PRIMARY KEY,    -- the activity that published it, at its time
    program_id  INTEGER NOT NULL CONSTRAINT terms_version_program REFERENCES program (id),
    uuid        BLOB    NOT NULL CONSTRAINT terms_version_uuid UNIQUE
        CONSTRAINT terms_version_uuid_length CHECK (length(uuid) = 16),
    type        TEXT    NOT NULL
        CONSTRAINT terms_version_type CHECK (type IN ('TERMS_OF_SERVICE', 'PRIVACY_POLICY')),
    content     TEXT    NOT NULL        -- HTML, as it was published
) STRICT;
CREATE INDEX terms_version_by_program ON terms_version (program_id, type);

-- The acceptance of a version by a member.
CREATE TABLE terms_acceptance (
    seq         INTEGER PRIMARY KEY,    -- the activity, at its time
    member_id   INTEGER NOT NULL CONSTRAINT terms_acceptance_member REFERENCES member (id),
    version_seq INTEGER NOT NULL CONSTRAINT terms_acceptance_version REFERENCES terms_version (seq),
    CONSTRAINT terms_acceptance_once UNIQUE (member_id, version_seq)
) STRICT;

-- An interest of a member in an offer.
CREATE TABLE interest (
    seq             INTEGER PRIMARY KEY,    -- the activity that created it, at its time
    changed_seq     INTEGER NOT NULL,       -- the activity that last changed it; at first `seq`
    -- Also that of its conversation, and of the redemption that came of it.
    uuid            BLOB    NOT NULL CONSTRAINT interest_uuid UNIQUE
        CONSTRAINT interest_uuid_length CHECK (length(uuid) = 16),
    program_id      INTEGER NOT NULL CONSTRAINT interest_program REFERENCES program (id),
    member_id       INTEGER NOT NULL CONSTRAINT interest_member REFERENCES member (id),
    offer_id        INTEGER NOT NULL CONSTRAINT interest_offer REFERENCES offer (id),
    status          TEXT    NOT NULL
        CONSTRAINT interest_status CHECK (status IN ('submitted', 'converted', 'closed')),
    phone_verified  INTEGER NOT NULL CONSTRAINT interest_phone_verified CHECK (phone_verified IN (0, 1)),
    details_sent_at INTEGER,                -- when sensitive details were last forwarded, which are not stored
    -- The intake; an erasure deletes it.
    preferred_dates TEXT,                   -- a JSON array of days; NULL: there is no intake
    blackout_dates  TEXT,                   -- a JSON array of days
    adults          INTEGER,
    children        INTEGER,
    occasion        TEXT CONSTRAINT interest_occasion CHECK (occasion IN ('BIRTHDAY', 'ANNIVERSARY',
        'ENGAGEMENT', 'WEDDING', 'GRADUATION', 'PROMOTION', 'BUSINESS', 'OTHER')),
    contact_method  TEXT CONSTRAINT interest_contact_method
        CHECK (contact_method IN ('APP_CHAT', 'SMS', 'EMAIL', 'PHONE')),
    contact_window  TEXT CONSTRAINT interest_contact_window
        CHECK (contact_window IN ('MORNING', 'AFTERNOON', 'EVENING', 'ANYTIME')),
    phone           TEXT,
    CONSTRAINT interest_dates CHECK ((preferred_dates IS NULL) = (blackout_dates IS NULL))
) STRICT;
CREATE INDEX interest_by_program ON interest (program_id);
CREATE INDEX interest_by_status ON interest (program_id, status);
CREATE INDEX interest_by_member ON interest (member_id);

-- A code that was sent to the phone of an interest, for a day. Only keyed hashes are stored.
CREATE TABLE phone_code (
    id          INTEGER PRIMARY KEY,
    program_id  INTEGER NOT NULL CONSTRAINT phone_code_program REFERENCES program (id),
    member_id   INTEGER NOT NULL CONSTRAINT phone_code_member REFERENCES member (id),
    interest    INTEGER NOT NULL CONSTRAINT phone_code_interest REFERENCES interest (seq),
    number_hash BLOB    NOT NULL CONSTRAINT phone_code_number_hash CHECK (length(number_hash) = 32),
    code_hash   BLOB    NOT NULL CONSTRAINT phone_code_code_hash CHECK (length(code_hash) = 32),
    created_at  INTEGER NOT NULL,
    tries       INTEGER NOT NULL DEFAULT 0, -- wrong ones
    used        INTEGER NOT NULL DEFAULT 0 CONSTRAINT phone_code_used CHECK (used IN (0, 1))
) STRICT;
CREATE INDEX phone_code_by_program ON phone_code (program_id, created_at);
CREATE INDEX phone_code_by_interest ON phone_code (interest);
CREATE INDEX phone_code_by_member ON phone_code (member_id);
CREATE INDEX phone_code_by_number ON phone_code (program_id, number_hash);

-- A server of the operator that gets the phone codes or the sensitive details of a program's interests.
CREATE TABLE gateway (
    program_id INTEGER NOT NULL CONSTRAINT gateway_program REFERENCES program (id),
    kind       TEXT    NOT NULL CONSTRAINT gateway_kind CHECK (kind IN ('phone', 'concierge')),
    url        TEXT    NOT NULL,
    secret     TEXT    NOT NULL,            -- `whsec_…`: in clear text, because signatures need it
    PRIMARY KEY (program_id, kind)
) STRICT, WITHOUT ROWID;

-- An endpoint for a program's events. A deleted one is disabled, and can be enabled again.
CREATE TABLE webhook_endpoint (
    id          INTEGER PRIMARY KEY,
    uuid        BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    program_id  INTEGER NOT NULL REFERENCES program (id),
    url         TEXT    NOT NULL,
    events      TEXT    NOT NULL,           -- a JSON array of names from the catalogue, in the given order
    secret      TEXT    NOT NULL,           -- `whsec_…`: in clear text, because signatures need it
    -- First attempts of all events up to this number are done.
    cursor_seq  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    disabled_at INTEGER,                    -- NULL: active
    -- The settings version; 0: unchanged since version 0.1.0, whose log did not record webhooks.
    version     INTEGER NOT NULL DEFAULT 0
        CONSTRAINT webhook_endpoint_version CHECK (version >= 0)
) STRICT;
CREATE INDEX webhook_endpoint_by_program ON webhook_endpoint (program_id);

-- The object of an event, as the API showed it at that time; stored for events of members and redemptions
-- that an endpoint subscribed to. Objects of ledger entries and messages follow from the log.
CREATE TABLE event_payload (
    program_id INTEGER NOT NULL REFERENCES program (id),
    seq        INTEGER NOT NULL REFERENCES activity (seq),
    data       TEXT,                        -- JSON; NULL: erased with the member
    PRIMARY KEY (program_id, seq)
) STRICT, WITHOUT ROWID;

-- The delivery of an event to an endpoint. The row is created by the first attempt, or by a test.
CREATE TABLE webhook_delivery (
    endpoint_id     INTEGER NOT NULL REFERENCES webhook_endpoint (id),
    seq             INTEGER NOT NULL,       -- the activity; negative: a test, which has none
    status          TEXT    NOT NULL CHECK (status IN ('pending', 'delivered', 'dead')),
    attempts        INTEGER NOT NULL CHECK (attempts >= 0),
    next_at         INTEGER,                -- time of the next attempt
    last_at         INTEGER,                -- time of the last attempt
    duration        INTEGER,                -- milliseconds of the last attempt
    response_status INTEGER,                -- the HTTP status of the response, if any
    error           TEXT,                   -- the reason of a failure
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (endpoint_id, seq),
    CHECK ((next_at IS NOT NULL) = (status = 'pending'))
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, next_at) WHERE next_at IS NOT NULL;

-- Idempotency records: responses to POSTs with an Idempotency-Key, returned again to a retry. Numbered in
-- order of creation, because random keys would each touch a separate page.
CREATE TABLE idempotency (
    id         INTEGER PRIMARY KEY,
    key_hash   BLOB    NOT NULL,            -- of the scope and the key, 16 bytes
    body_hash  BLOB    NOT NULL,            -- of the request body as parsed JSON, or of name, type and hash of a file; 16 bytes
    created_at INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    sealed     INTEGER NOT NULL CHECK (sealed IN (0, 1)), -- 1: encrypted under a key derived from the Idempotency-Key
    response   BLOB    NOT NULL,            -- the body; empty: erased with the member
    -- Of a credit or debit: the renderer of the body. `response` is then the balance and the version of the
    -- configuration, as src/store/answers/compact.rs defines. NULL: `response` is the body itself.
    renderer   INTEGER CONSTRAINT idempotency_renderer CHECK (renderer >= 1)
) STRICT;

-- Idempotency records that contain a member's texts, so that an erasure finds them.
CREATE TABLE idempotency_words (
    answer    INTEGER PRIMARY KEY,          -- the id of the record
    member_id INTEGER NOT NULL CONSTRAINT idempotency_words_member REFERENCES member (id)
) STRICT;
CREATE INDEX idempotency_words_by_member ON idempotency_words (member_id);

-- Idempotency records that were indexed together: those after the last one of the previous segment.
CREATE TABLE idempotency_segment (
    number INTEGER PRIMARY KEY,
    last   INTEGER NOT NULL                 -- the id of its last record
) STRICT;

-- A filter over the segments after those of the previous row, which rules out most keys that they do not
-- list.
CREATE TABLE idempotency_filter (
    last_segment INTEGER PRIMARY KEY,       -- the number of its last segment
    filter       BLOB NOT NULL              -- blocks of 64 bytes; src/store/answers/key_index.rs defines them
) STRICT;

-- The index of a segment in 256 rows: id = number of the segment * 256 + the first byte of the keys.
CREATE TABLE idempotency_list (
    id      INTEGER PRIMARY KEY,
    entries BLOB    NOT NULL                -- 8 bytes: the end of a key; 4 bytes: distance of its id from the last one
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

-- The figures after an activity, so that the next start need not read the whole log. Ignored if a checksum
-- (CRC-32) does not match, because the log has everything. At most one row.
CREATE TABLE snapshot (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    version  INTEGER NOT NULL,              -- of the format of the parts
    last_seq INTEGER NOT NULL,              -- the newest activity included
    parts    INTEGER NOT NULL,              -- number of rows in snapshot_state
    checksum INTEGER NOT NULL               -- of the three columns before
) STRICT;

-- The part of the figures that can still change, in pieces of at most 1 MB, written by every snapshot.
CREATE TABLE snapshot_state (
    last_seq INTEGER NOT NULL,
    part     INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    data     BLOB    NOT NULL,
    PRIMARY KEY (last_seq, part)
) STRICT;

-- Closed blocks of timelines, which never change; only the last segment of a timeline grows. From measure 127 on,
-- parts of what distinct members are counted from, which are replaced by larger or newer ones.
CREATE TABLE snapshot_segment (
    program_id INTEGER NOT NULL,
    offer_id   INTEGER NOT NULL,            -- 0: a timeline of the program
    measure    INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    checksum   INTEGER NOT NULL,
    data       BLOB    NOT NULL,
    PRIMARY KEY (program_id, offer_id, measure, number)
) STRICT;

-- The books after an activity, so that the next start need not read the whole log. A generation is a base, with
-- the record of every member, or a delta, with those that changed since the generation before it. Its row is
-- written after its parts. Ignored if a checksum (CRC-32) does not match, because the log has everything.
CREATE TABLE book_generation (
    number   INTEGER PRIMARY KEY,           -- a delta follows the generation before it
    version  INTEGER NOT NULL,              -- of the format of the parts
    is_base  INTEGER NOT NULL,              -- 0 or 1
    last_seq INTEGER NOT NULL,              -- the newest activity when it began
    parts    INTEGER NOT NULL,              -- number of its rows in book_part
    records  INTEGER NOT NULL,              -- number of records in them
    checksum INTEGER NOT NULL               -- of the columns before
) STRICT;

-- The parts of generations: records of some thousand members, packed.
CREATE TABLE book_part (
    generation INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    checksum   INTEGER NOT NULL,
    data       BLOB    NOT NULL,
    PRIMARY KEY (generation, number)
) STRICT;
