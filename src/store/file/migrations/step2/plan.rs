//! The tables that are moved, and in what order.

/// The most rows that are moved in one transaction.
pub(super) const STEP_ROWS: i64 = 100_000;
/// The tables that are moved, in this order, each with its key. The last ones keep their columns,
/// but their values may be longer than a page, so that the end of a page may hold older data.
pub(super) const TABLES: &[(&str, &[&str])] = &[
    ("activity", &["seq"]),
    ("member", &["id"]),
    ("offer", &["id"]),
    ("redemption", &["id"]),
    ("message", &["id"]),
    ("event_payload", &["program_id", "seq"]),
    ("idempotency", &["id"]),
    ("idempotency_list", &["id"]),
    ("idempotency_filter", &["last_segment"]),
    ("organization", &["id"]),
    ("program", &["id"]),
    ("snapshot_state", &["last_seq", "part"]),
    (
        "snapshot_segment",
        &["program_id", "offer_id", "measure", "number"],
    ),
];

/// The position of the members among them.
pub(super) const MEMBERS: usize = 1;

/// The tables that version 1 did not have.
pub(super) const NEW_TABLES: &[&str] = &[
    "configuration",
    "asset",
    "rule",
    "rule_version",
    "rule_budget",
    "log_text",
    "idempotency_words",
    "search_term",
    "removal",
    "book_generation",
    "book_part",
    "organization_pool",
    "pool_funding",
    "terms_version",
    "terms_acceptance",
    "interest",
    "phone_code",
    "gateway",
    "attachment",
    "attachment_piece",
    "event",
    "evaluation",
    "member_tag",
    "counter",
];
