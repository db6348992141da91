//! Stampcard: the loyalty backend in one binary, on one SQLite file.
//!
//! The modules, in the order to read them:
//!
//! * [`domain`]: plain types and rules.
//! * [`analytics`]: the figures, folded from the activity log and kept in memory.
//! * [`rules`]: earning rules as a function of an event and a state; no request reaches it yet.
//! * [`store`]: the only SQL: one writing thread, a pool of readers.
//! * [`wire`]: the JSON of every resource.
//! * [`service`]: the use cases.
//! * [`realtime`]: live streams of committed events.
//! * [`webhooks`]: deliveries of committed events to subscribed endpoints.
//! * [`http`]: routes, credentials and errors; the only use of actix.
//! * [`app`]: the whole server, assembled the same way for `main` and for every test.
//! * [`budget`]: the limit of memory that the server holds for clients.
//! * [`cli`], [`config`], [`telemetry`], [`clock`], [`error`]: command line, settings, logs and
//!   metrics, time, and error codes.
//!
//! A request goes through `http`, which checks the credential and parses the input; `service`,
//! which checks the rules in a transaction of `store`'s writer, changes rows and records events in
//! the activity log; and, after the commit, `analytics`, which counts the events. Then the response
//! is sent.

pub mod analytics;
pub mod app;
pub mod books;
pub mod budget;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
pub mod http;
pub mod realtime;
pub mod rules;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod webhooks;
pub mod wire;
