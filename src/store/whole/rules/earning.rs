//! The rules of the tables of the earning engine.

use super::kinds::{
    ANY, COUNT, COUNTER_VALUE, EVALUATOR, ROW, RULE, Rule, STAMP, TAG, TIME, expected, text,
};
use crate::domain::{CounterKey, Name};

pub(super) const RULES: &[(&str, &[(&str, Rule)])] = &[
    (
        "rule",
        &[
            ("name", text!(Name)),
            ("position", ROW),
            ("newest", ROW),
            ("updated_at", STAMP),
        ],
    ),
    (
        "rule_version",
        &[
            ("rule_id", ROW),
            ("number", ROW),
            ("seq", ROW),
            ("change_type", ANY),
            ("evaluator", EVALUATOR),
            ("document", RULE),
        ],
    ),
    (
        "rule_budget",
        &[
            ("rule_id", ROW),
            ("asset_id", ROW),
            ("consumed", ANY),
            ("next_reset_at", STAMP),
        ],
    ),
    ("member_tag", &[("tag", TAG)]),
    (
        "counter",
        &[
            ("key", text!(CounterKey)),
            ("value", COUNTER_VALUE),
            ("reset_after", ROW),
            ("last_reset_at", STAMP),
        ],
    ),
    (
        "event",
        &[
            ("seq", ROW),
            ("recipient_id", ROW),
            ("type", ANY),
            ("happened_at", TIME),
            ("depth", ANY),
            ("error", ANY),
        ],
    ),
    (
        "evaluation",
        &[
            ("event_seq", ROW),
            ("place", COUNT),
            ("rule_id", ROW),
            ("rule_version", ROW),
            ("reason", ANY),
            ("error", ANY),
            ("stopped_by", ROW),
        ],
    ),
];
