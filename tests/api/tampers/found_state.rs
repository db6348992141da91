//! Changes of tags, counters and attributes that `verify` finds.

const TAGS: &str = "its member_tag does not match the log";
const COUNTER: &str = "its counter does not match the log";
const ATTRIBUTES: &str = "its attributes does not match the log";
const EARLIER: &str = "it does not fit the earlier changes of the state of member row";

/// SQL, and a text of the finding that it must cause.
pub(super) const FOUND: &[(&str, &str)] = &[
    ("DELETE FROM member_tag WHERE tag = 'vip'", TAGS),
    (
        "UPDATE member_tag SET tag = 'other' WHERE tag = 'vip'",
        TAGS,
    ),
    (
        "UPDATE member_tag SET tag = 'VIP' WHERE tag = 'vip'",
        "tag must be in lower case",
    ),
    (
        "INSERT INTO member_tag (member_id, tag)
         SELECT id, 'vip' FROM member WHERE external_user_id = 'bob'",
        TAGS,
    ),
    (
        "UPDATE counter SET value = '5' WHERE key = 'visits'",
        COUNTER,
    ),
    (
        "UPDATE counter SET value = '4.50' WHERE key = 'visits'",
        "value must be a decimal number",
    ),
    (
        "UPDATE counter SET reset_after = 2000 WHERE key = 'visits'",
        COUNTER,
    ),
    (
        "UPDATE counter SET last_reset_at = last_reset_at - 1 WHERE key = 'visits'",
        COUNTER,
    ),
    (
        "UPDATE counter SET last_reset_at = 99999999999999 WHERE key = 'visits'",
        COUNTER,
    ),
    (
        "UPDATE counter SET key = 'other' WHERE key = 'visits'",
        COUNTER,
    ),
    ("DELETE FROM counter WHERE key = 'spent'", COUNTER),
    (
        "INSERT INTO counter (member_id, key, value, last_reset_at)
         SELECT id, 'visits', '1', 1 FROM member WHERE external_user_id = 'bob'",
        COUNTER,
    ),
    (
        "UPDATE member SET attributes = '{}' WHERE display_name IS NOT NULL",
        ATTRIBUTES,
    ),
    (
        "UPDATE member SET attributes = json_set(attributes, '$.city', 'Oslo')
         WHERE external_user_id = 'ann'",
        ATTRIBUTES,
    ),
    (
        "UPDATE member SET attributes = '{\"a\":1}' WHERE external_user_id = 'bob'",
        ATTRIBUTES,
    ),
    (
        "UPDATE log_text SET text = 'other' WHERE part = 3 AND text = 'old'",
        TAGS,
    ),
    (
        "UPDATE log_text SET text = '9' WHERE part = 5 AND text = '3'",
        EARLIER,
    ),
    (
        "UPDATE log_text SET text = '9' WHERE part = 4 AND text = '3'",
        EARLIER,
    ),
    (
        "UPDATE log_text SET text = '\"Oslo\"' WHERE part = 4 AND text = '\"Bath\"'",
        EARLIER,
    ),
    (
        "UPDATE log_text SET text = '13' WHERE part = 5 AND text = '12.25'",
        COUNTER,
    ),
    (
        "DELETE FROM log_text WHERE part = 3 AND text = 'visits'",
        EARLIER,
    ),
    (
        "UPDATE log_text SET text = NULL, salt = NULL, commitment = randomblob(32)
         WHERE part = 3 AND text = 'old'",
        "was erased, but member row",
    ),
    (
        "DELETE FROM activity WHERE kind = 37",
        "which does not exist",
    ),
    (
        "UPDATE activity SET to_state = 'remove' WHERE kind = 37 AND to_state = 'add'",
        EARLIER,
    ),
    (
        "UPDATE activity SET to_state = 'delete' WHERE kind = 37 AND from_state = 'tag'",
        "activity",
    ),
    (
        "UPDATE activity SET amount = 7 WHERE kind = 37 AND to_state = 'auto_reset'",
        EARLIER,
    ),
    (
        "UPDATE activity SET amount = NULL WHERE kind = 37 AND to_state = 'auto_reset'",
        "activity",
    ),
];
