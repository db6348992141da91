//! The lengths of the histories that the benchmarks run on.

use super::history::Size;

/// The histories for the whole server.
pub(crate) const THOUSAND: Size = Size {
    name: "1k",
    events: 1_000,
    members: 200,
    offers: 12,
    others: 0,
};
pub(crate) const MILLION: Size = Size {
    name: "1M",
    events: 1_000_000,
    members: 20_000,
    ..THOUSAND
};
pub(crate) const TEN_MILLION: Size = Size {
    name: "10M",
    events: 10_000_000,
    members: 200_000,
    ..THOUSAND
};
/// Many members: half of the events are sign-ups.
pub(crate) const MILLION_MEMBERS: Size = Size {
    name: "1M-members",
    events: 2_000_000,
    members: 1_000_000,
    ..THOUSAND
};

/// The smallest size, from which growth is measured.
pub(crate) const BASE: Size = Size {
    name: "base",
    events: 10_000,
    members: 1_000,
    offers: 10,
    others: 0,
};
/// The quantities that grow ten and a hundred times: members (each with one more sign-up in the
/// log), offers, programs, the rows of the log.
pub(crate) const GROWTH: [(&str, [Size; 2]); 4] = [
    (
        "members",
        [
            Size {
                name: "members-10",
                events: 19_000,
                members: 10_000,
                ..BASE
            },
            Size {
                name: "members-100",
                events: 109_000,
                members: 100_000,
                ..BASE
            },
        ],
    ),
    (
        "offers",
        [
            Size {
                name: "offers-10",
                offers: 100,
                ..BASE
            },
            Size {
                name: "offers-100",
                offers: 1_000,
                ..BASE
            },
        ],
    ),
    (
        "programs",
        [
            Size {
                name: "programs-10",
                others: 9,
                ..BASE
            },
            Size {
                name: "programs-100",
                others: 99,
                ..BASE
            },
        ],
    ),
    (
        "history",
        [
            Size {
                name: "history-10",
                events: 100_000,
                ..BASE
            },
            Size {
                name: "history-100",
                events: 1_000_000,
                ..BASE
            },
        ],
    ),
];
