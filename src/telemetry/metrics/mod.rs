//! Metrics of the server, for Prometheus.
//!
//! Each server has its own handles, so that several servers in one process do not share numbers.
//! Sizes, depths and states are read when the metrics are requested.
//!
//! Source: the `OpenMetrics` text format, which Prometheus and compatible systems read.

mod sizes;

use std::cell::{OnceCell, RefCell};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

pub use self::sizes::Sizes;
use self::sizes::{register_clock, register_sizes};

/// Bucket bounds of the duration of a request, in seconds.
const REQUEST_SECONDS: [f64; 12] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 10.0,
];
/// Bucket bounds of the duration of a commit, in seconds.
const COMMIT_SECONDS: [f64; 10] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0,
];
/// Bucket bounds of the number of writes that share a commit.
const BATCH_WRITES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Statuses that alerts look for.
const FAILURES: [u16; 2] = [500, 503];

/// The labels of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

/// The labels of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: &'static str,
}

/// Counts the requests of one path on one thread, which looks up its counters once.
#[derive(Debug)]
pub struct PathMetrics {
    path: &'static str,
    methods: Vec<MethodMetrics>,
    /// Unknown methods and paths are chosen by clients, so all of them are counted together.
    other: MethodMetrics,
}

#[derive(Debug)]
struct MethodMetrics {
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Histogram>,
    labels: RouteLabels,
    seconds: OnceCell<Histogram>,
    by_status: RefCell<Vec<(u16, Counter)>>,
}

impl PathMetrics {
    /// The path, its variable segments in braces.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// Counts a request that has a response.
    pub fn answered(&self, method: &str, status: u16, took: Duration) {
        // HEAD is counted as GET.
        let method = if method == "HEAD" { "GET" } else { method };
        let known = self.methods.iter().find(|of| of.labels.method == method);
        known.unwrap_or(&self.other).answered(status, took);
    }
}

impl MethodMetrics {
    fn answered(&self, status: u16, took: Duration) {
        self.seconds
            .get_or_init(|| self.request_seconds.get_or_create_owned(&self.labels))
            .observe(took.as_secs_f64());
        let mut by_status = self.by_status.borrow_mut();
        if let Some((_, counter)) = by_status.iter().find(|(known, _)| *known == status) {
            counter.inc();
            return;
        }
        let RouteLabels { method, route } = self.labels;
        let counter = self.requests.get_or_create_owned(&RequestLabels {
            method,
            route,
            status,
        });
        counter.inc();
        by_status.push((status, counter));
    }
}

/// Why a connection was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The input was not HTTP.
    Malformed,
    /// The head of a request was not complete in time.
    SlowHead,
    /// No request began in time.
    Idle,
    /// The client did not read its response, or too much memory was held for it.
    Unread,
    /// Too much memory was held for a request that was not complete.
    Unfinished,
}

impl Cut {
    const ALL: [Self; 5] = [
        Self::Malformed,
        Self::SlowHead,
        Self::Idle,
        Self::Unread,
        Self::Unfinished,
    ];

    /// The name of the reason.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::SlowHead => "slow_head",
            Self::Idle => "idle",
            Self::Unread => "unread",
            Self::Unfinished => "unfinished",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CutLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DueLabels {
    kind: &'static str,
}

/// All metrics. Clones share the numbers.
#[derive(Debug, Clone)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Histogram>,
    cuts: Family<CutLabels, Counter>,
    panics: Counter,
    queue_writes: Gauge,
    batch_writes: Histogram,
    commit_seconds: Histogram,
    storage_failures: Counter,
    due_applied: Family<DueLabels, Counter>,
    deliveries: Family<DeliveryLabels, Counter>,
    delivery_seconds: Histogram,
}

impl Metrics {
    /// Creates metrics that are all zero.
    pub fn new() -> Self {
        let metrics = Self {
            requests: Family::default(),
            cuts: Family::default(),
            request_seconds: Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS)),
            panics: Counter::default(),
            queue_writes: Gauge::default(),
            batch_writes: Histogram::new(BATCH_WRITES),
            commit_seconds: Histogram::new(COMMIT_SECONDS),
            storage_failures: Counter::default(),
            due_applied: Family::default(),
            deliveries: Family::default(),
            delivery_seconds: Histogram::new(REQUEST_SECONDS),
        };
        // An alert on the rate of a counter sees its first increment only if it began at 0.
        for reason in Cut::ALL {
            drop(metrics.cuts.get_or_create(&labels_of(reason)));
        }
        metrics
    }

    /// The metrics of a path that has these methods.
    pub fn of_path(&self, path: &'static str, methods: &[&'static str]) -> PathMetrics {
        let of = |method, route| MethodMetrics {
            requests: self.requests.clone(),
            request_seconds: self.request_seconds.clone(),
            labels: RouteLabels { method, route },
            seconds: OnceCell::new(),
            by_status: RefCell::default(),
        };
        for method in methods {
            for status in FAILURES {
                let labels = RequestLabels {
                    method,
                    route: path,
                    status,
                };
                drop(self.requests.get_or_create(&labels));
            }
        }
        PathMetrics {
            path,
            methods: methods.iter().map(|method| of(method, path)).collect(),
            other: of("other", "none"),
        }
    }

    /// The metrics of paths that do not exist.
    pub fn of_no_path(&self) -> PathMetrics {
        self.of_path("", &[])
    }

    /// Counts a connection that the server closed.
    pub fn cut(&self, why: Cut) {
        self.cuts.get_or_create(&labels_of(why)).inc();
    }

    /// Counts a panic that was caught.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// Counts a write that joined the queue.
    pub fn queued(&self) {
        self.queue_writes.inc();
    }

    /// Counts a write that left the queue.
    pub fn taken(&self) {
        self.queue_writes.dec();
    }

    /// Counts a commit and the writes that shared it.
    pub fn committed(&self, writes: usize, took: Duration) {
        let writes = u32::try_from(writes).unwrap_or(u32::MAX);
        self.batch_writes.observe(f64::from(writes));
        self.commit_seconds.observe(took.as_secs_f64());
    }

    /// Counts a failure of the storage.
    pub fn storage_failed(&self) {
        self.storage_failures.inc();
    }

    /// Counts things that were due and were applied, by their kind.
    pub fn due_applied(&self, kind: &'static str, count: u64) {
        let applied = self.due_applied.get_or_create(&DueLabels { kind });
        applied.inc_by(count);
    }

    /// Starts the counter of delivery attempts with this outcome at 0.
    pub fn expect_attempts(&self, outcome: &'static str) {
        drop(self.deliveries.get_or_create(&DeliveryLabels { outcome }));
    }

    /// Counts an attempt to deliver a webhook, by its outcome.
    pub fn attempted(&self, outcome: &'static str, took: Duration) {
        self.deliveries
            .get_or_create(&DeliveryLabels { outcome })
            .inc();
        self.delivery_seconds.observe(took.as_secs_f64());
    }

    /// Renders all metrics as text, with sizes that were just read.
    pub fn render(&self, sizes: &Sizes) -> String {
        let mut registry = Registry::default();
        self.register_requests(&mut registry);
        self.register_writer(&mut registry);
        self.register_webhooks(&mut registry);
        register_sizes(&mut registry, sizes);
        register_clock(&mut registry, sizes);
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = text::encode(&mut text, &registry);
        text
    }

    fn register_requests(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "Requests by method, pattern of the route and status of the answer",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time from the head of a request to the head of its answer",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        registry.register(
            "http_connections_cut",
            "Connections that the server closed, by reason",
            self.cuts.clone(),
        );
        registry.register(
            "panics",
            "Panics that were caught; each is a defect to report",
            self.panics.clone(),
        );
    }

    fn register_writer(&self, registry: &mut Registry) {
        registry.register(
            "writer_queue_writes",
            "Writes that wait for the writer",
            self.queue_writes.clone(),
        );
        registry.register(
            "writer_batch_writes",
            "Writes that shared a commit",
            self.batch_writes.clone(),
        );
        registry.register_with_unit(
            "writer_commit_duration",
            "Time that a commit took until it was durable",
            Unit::Seconds,
            self.commit_seconds.clone(),
        );
        registry.register(
            "writer_storage_failures",
            "Times that the disk or the file failed a write",
            self.storage_failures.clone(),
        );
        registry.register(
            "due_applied",
            "Things that were due and were applied, by kind",
            self.due_applied.clone(),
        );
    }

    fn register_webhooks(&self, registry: &mut Registry) {
        registry.register(
            "webhook_attempts",
            "Attempts to deliver a webhook by how they ended",
            self.deliveries.clone(),
        );
        registry.register_with_unit(
            "webhook_attempt_duration",
            "Time that an attempt to deliver a webhook took",
            Unit::Seconds,
            self.delivery_seconds.clone(),
        );
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn labels_of(why: Cut) -> CutLabels {
    CutLabels {
        reason: why.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rendered_metrics_have_what_was_counted() {
        let metrics = Metrics::new();
        let wallet = metrics.of_path("/v1/wallet", &["GET"]);
        wallet.answered("GET", 200, Duration::from_micros(80));
        wallet.answered("HEAD", 200, Duration::from_millis(3));
        wallet.answered("BREW", 405, Duration::from_millis(3));
        metrics.committed(7, Duration::from_millis(1));
        metrics.attempted("dead", Duration::from_secs(1));
        let text = metrics.render(&Sizes {
            streams: 3,
            ..Sizes::default()
        });
        for line in [
            r#"http_requests_total{method="GET",route="/v1/wallet",status="200"} 2"#,
            r#"http_request_duration_seconds_bucket{le="0.0001",method="GET",route="/v1/wallet"} 1"#,
            r#"http_requests_total{method="other",route="none",status="405"} 1"#,
            "panics_total 0",
            r#"writer_batch_writes_bucket{le="8.0"} 1"#,
            r#"webhook_attempts_total{outcome="dead"} 1"#,
            "streams_open 3",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
