//! The timelines of programs, by their names in findings.

use crate::analytics::Measure;

/// The names of a program's timelines in `audit::timeline_days`.
pub(super) const MEASURES: [(&str, Measure); Measure::ALL.len()] = [
    ("signups", Measure::Signups),
    ("minted", Measure::Minted),
    ("spent", Measure::Spent),
    ("events", Measure::Events),
    ("exchanges", Measure::Exchanges),
    ("identifications", Measure::Identifications),
    ("credits", Measure::Credits),
    ("refunded", Measure::Refunded),
    ("forfeited", Measure::Forfeited),
    ("debited", Measure::Debited),
    ("expired", Measure::Expired),
    ("voided", Measure::Voided),
    ("redeemed", Measure::Redeemed),
    ("active", Measure::Active),
    ("earned", Measure::Earned),
    ("stored events", Measure::StoredEvents),
];
