//! Changes of earning rules that `verify` finds.

/// SQL, and a text of the finding that it must cause.
pub(super) const FOUND: &[(&str, &str)] = &[
    (
        "UPDATE rule SET program_id = program_id - 1",
        "its program_id does not match",
    ),
    (
        "UPDATE rule SET name = 'Another'",
        "its name does not match",
    ),
    (
        "UPDATE rule SET position = position + 1",
        "its position does not match",
    ),
    (
        "UPDATE rule SET status = 'SUSPENDED' WHERE status = 'ACTIVE'",
        "its status does not match",
    ),
    ("UPDATE rule SET newest = 1", "its newest does not match"),
    (
        "UPDATE rule SET created_at = created_at - 1",
        "its created_at does not match",
    ),
    (
        "UPDATE rule SET updated_at = updated_at + 1",
        "its updated_at does not match",
    ),
    (
        "UPDATE rule SET archived_at = archived_at - 1 WHERE archived_at IS NOT NULL",
        "its archived_at does not match",
    ),
    (
        "INSERT INTO rule SELECT 99, randomblob(16), program_id, name, status, position + 50,
             newest, created_at, updated_at, archived_at FROM rule LIMIT 1",
        "rule row 99: the log does not contain it",
    ),
    (
        "DELETE FROM rule_version WHERE number = 2",
        "has no row in the table rule_version",
    ),
    (
        "UPDATE rule_version SET number = number + 5 WHERE number = 2",
        "its number does not match",
    ),
    (
        "UPDATE rule_version SET seq = seq + 100000",
        "its seq does not match",
    ),
    (
        "UPDATE rule_version SET change_type = 'activated' WHERE change_type = 'updated'",
        "its change_type does not match",
    ),
    (
        "UPDATE rule_version SET document = replace(document, '\"ACTIVE\"', '\"SUSPENDED\"')",
        "its document does not match",
    ),
    (
        "UPDATE rule_version SET document = '{}'",
        "must be an earning rule in JSON",
    ),
    (
        "UPDATE rule_version SET evaluator = 99",
        "evaluator must be",
    ),
    (
        "INSERT INTO rule_version SELECT 99, rule_id, 99, 1, change_type, evaluator, document
             FROM rule_version LIMIT 1",
        "table rule_version has",
    ),
    (
        "UPDATE rule_budget SET asset_id = (SELECT min(id) FROM asset)",
        "its asset_id does not match",
    ),
    (
        "UPDATE activity SET to_state = 'SUSPENDED' WHERE kind = 73 AND to_state = 'ACTIVE'",
        "does not match the log",
    ),
    ("DELETE FROM activity WHERE kind = 73", "rule row"),
    (
        "UPDATE activity SET rule_version = 1 WHERE kind = 74",
        "which is not the present one of a rule",
    ),
];
