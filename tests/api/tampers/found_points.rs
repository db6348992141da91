//! Changes of the settings of points that `verify` finds.

/// SQL, and a text of the finding that it must cause.
pub(super) const FOUND: &[(&str, &str)] = &[
    (
        "UPDATE program SET status = 'SUSPENDED' WHERE status = 'ACTIVE'",
        "its status does not match the log",
    ),
    (
        "UPDATE activity SET to_state = 'SYSTEM_BREAKAGE' WHERE entry = 2",
        "does not follow the one before it",
    ),
    (
        "UPDATE redemption SET returned = 2 WHERE quantity = 3",
        "its returned does not match the log",
    ),
    (
        "UPDATE redemption SET quantity = 1 WHERE quantity = 3",
        "another program, member, offer, price, quantity or time",
    ),
    (
        "UPDATE activity SET available = NULL WHERE kind = 6 AND available = 3",
        "another program, member, offer, price, quantity or time",
    ),
    (
        "UPDATE activity SET available = 4 WHERE kind = 36",
        "does not fit redemption row",
    ),
    (
        "UPDATE activity SET available = 2 WHERE kind = 36",
        "its quantity_remaining does not match",
    ),
    (
        "DELETE FROM activity WHERE kind = 36",
        "its returned does not match the log",
    ),
    (
        "UPDATE asset SET burn_order = 'fifo'",
        "its burn_order does not match",
    ),
    (
        "UPDATE asset SET max_amount = 1",
        "its max_amount does not match",
    ),
    (
        "UPDATE asset SET opening_expires_at = NULL",
        "its opening_expires_at does not match",
    ),
    (
        "UPDATE asset SET opening_after = 999999 WHERE inventory_mode = 'LOT'",
        "opening_after must be 0 or a member of its program",
    ),
    (
        "UPDATE asset SET inventory_mode = 'SIMPLE', opening_expires_at = NULL",
        "its inventory_mode does not match",
    ),
    (
        "UPDATE program SET expiry_notice = coalesce(expiry_notice, 0) % 366 + 1",
        "its expiry_notice does not match",
    ),
    ("UPDATE asset SET updated_at = 1", "its updated_at"),
    ("UPDATE asset SET version = 1", "its version"),
    (
        "DELETE FROM asset",
        "has settings of its points in the log, but not in the table asset",
    ),
    (
        "INSERT INTO asset (program_id, inventory_mode, burn_order, updated_at, version)
         SELECT max(id), 'LOT', 'fifo', 1, 1 FROM program
         WHERE id NOT IN (SELECT program_id FROM asset)",
        "the log does not contain it",
    ),
    (
        "UPDATE activity SET to_state = 'SIMPLE' WHERE kind = 52 AND to_state = 'LOT'",
        "were kept as a sum",
    ),
    (
        "INSERT INTO activity (seq, at, program_id, kind, actor, to_state, name)
         SELECT max(seq) + 1, max(at), 1, 52, 6, 'LOT', 'fifo' FROM activity;
         INSERT INTO asset (program_id, inventory_mode, burn_order, updated_at, version)
         SELECT 1, 'LOT', 'fifo', at, seq FROM activity WHERE kind = 52 AND program_id = 1",
        "its points are not in lots",
    ),
    (
        "UPDATE activity SET expires_at = expires_at + 1 WHERE kind = 52
            AND seq = (SELECT max(seq) FROM activity WHERE kind = 52)",
        "does not fit the way in which the points of program row",
    ),
];
