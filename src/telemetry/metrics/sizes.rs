//! Metrics that are read when they are requested.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// Numbers that are read when the metrics are requested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
    /// Bytes of the database file.
    pub database_bytes: u64,
    /// Whether the database takes writes.
    pub is_writable: bool,
    /// The newest activity.
    pub activity_seq: u64,
    /// Programs that have figures.
    pub programs: u64,
    /// Entries of all timelines.
    pub timeline_entries: u64,
    /// Bytes that the timelines take.
    pub timeline_bytes: u64,
    /// Bytes that the visits of members take.
    pub visits_bytes: u64,
    /// Members with an account in the books.
    pub books_members: u64,
    /// Bytes that the books take.
    pub books_bytes: u64,
    /// The newest activity in the stored snapshot.
    pub snapshot_seq: u64,
    /// Programs in which more is due than was applied yet.
    pub sweeps: u64,
    /// For how long the oldest of it is due.
    pub overdue: Duration,
    /// Open streams.
    pub streams: u64,
    /// Bytes held for clients that do not read, or do not finish sending.
    pub buffered_bytes: u64,
    /// Resident memory of the process, in bytes.
    pub resident_bytes: u64,
    /// Lines of the log that could not be written.
    pub log_lines_lost: u64,
    /// The time by which the system's clock is behind the newest row.
    pub clock_behind: Duration,
    /// The refused step of the system's clock.
    pub clock_refused: Duration,
    /// Steps of the system's clock forward, by outcome.
    pub clock_steps: [(&'static str, u64); 3],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabels {
    outcome: &'static str,
}

/// A gauge: its name, its description, and its value.
type SizeGauge = (&'static str, &'static str, fn(&Sizes) -> u64);

/// The gauges of sizes.
const GAUGES: [SizeGauge; 16] = [
    (
        "writer_is_writable",
        "1 while the database takes writes, else 0",
        |sizes| u64::from(sizes.is_writable),
    ),
    ("database_bytes", "Size of the database", |sizes| {
        sizes.database_bytes
    }),
    (
        "database_wal_bytes",
        "Size of the write-ahead log",
        |sizes| sizes.wal_bytes,
    ),
    ("activity_seq", "Number of the newest activity", |sizes| {
        sizes.activity_seq
    }),
    ("engine_programs", "Programs that have figures", |sizes| {
        sizes.programs
    }),
    (
        "engine_timeline_entries",
        "Entries of all timelines",
        |sizes| sizes.timeline_entries,
    ),
    (
        "engine_timeline_bytes",
        "Memory that the timelines take",
        |sizes| sizes.timeline_bytes,
    ),
    (
        "engine_visits_bytes",
        "Memory that distinct members take",
        |sizes| sizes.visits_bytes,
    ),
    (
        "books_members",
        "Members whose accounts are in memory",
        |sizes| sizes.books_members,
    ),
    (
        "books_bytes",
        "Memory that the accounts of members take",
        |sizes| sizes.books_bytes,
    ),
    (
        "snapshot_seq",
        "Number of the newest activity in the snapshot",
        |sizes| sizes.snapshot_seq,
    ),
    (
        "due_sweeps",
        "Programs in which more is due than was applied yet",
        |sizes| sizes.sweeps,
    ),
    ("streams_open", "Streams that are open", |sizes| {
        sizes.streams
    }),
    (
        "http_buffered_bytes",
        "Memory held for clients that do not read, or do not finish sending",
        |sizes| sizes.buffered_bytes,
    ),
    (
        "process_resident_memory_bytes",
        "Resident memory of the process",
        |sizes| sizes.resident_bytes,
    ),
    (
        "log_lines_lost",
        "Lines of the log that could not be written",
        |sizes| sizes.log_lines_lost,
    ),
];

pub(super) fn register_sizes(registry: &mut Registry, sizes: &Sizes) {
    for (name, help, value) in GAUGES {
        let gauge = Gauge::<u64, AtomicU64>::default();
        gauge.set(value(sizes));
        registry.register(name, help, gauge);
    }
}

pub(super) fn register_clock(registry: &mut Registry, sizes: &Sizes) {
    let mut gauge = |name: &str, help: &str, value: Duration| {
        let gauge = Gauge::<f64, AtomicU64>::default();
        gauge.set(value.as_secs_f64());
        registry.register_with_unit(name, help, Unit::Seconds, gauge);
    };
    gauge(
        "clock_behind",
        "How far the system clock is behind the newest row",
        sizes.clock_behind,
    );
    gauge(
        "clock_refused",
        "How far the system clock was set forward, while that is refused and writes are stopped",
        sizes.clock_refused,
    );
    gauge(
        "due_overdue",
        "For how long the oldest thing is due that was not applied yet, else 0",
        sizes.overdue,
    );
    let steps = Family::<StepLabels, Counter>::default();
    for (outcome, count) in sizes.clock_steps {
        steps.get_or_create(&StepLabels { outcome }).inc_by(count);
    }
    registry.register(
        "clock_steps",
        "Forward steps of the system clock, by result",
        steps,
    );
}
