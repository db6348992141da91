//! Stampcard: the loyalty backend in one binary, on one SQLite file.
//!
//! The modules, in the order to read them:
//!
//! * [`domain`]: plain types and rules.
//! * [`analytics`]: the figures, folded from the activity log, in memory.
//! * [`store`]: the only SQL: one writing thread, a pool of readers.
//! * [`wire`]: the JSON of every resource.
//! * [`service`]: the use cases.
//! * [`realtime`]: streams of what is committed.
//! * [`webhooks`]: what is committed, sent to whoever listens.
//! * [`http`]: the only actix: routes, credentials, errors.
//! * [`app`]: all of it put together, for `main` and for every test.
//! * [`budget`]: how much memory clients may make the server hold.
//! * [`cli`], [`config`], [`telemetry`], [`clock`], [`error`]: what surrounds them.
//!
//! A request's way: `http` proves who calls and parses what is asked; `service` checks the rules in
//! a transaction of `store`'s writer, changes rows and records what happened in the activity log;
//! after the commit `analytics` counts it; then the answer goes out.

pub mod analytics;
pub mod app;
pub mod budget;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
pub mod http;
pub mod realtime;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod webhooks;
pub mod wire;
