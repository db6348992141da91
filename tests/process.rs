//! The program as its users run it: its output, its refusals, how it stops, and the data after a
//! kill. Every test starts the real binary on its own database.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

#[path = "process/attachments.rs"]
mod attachments;
#[path = "process/backup.rs"]
mod backup;
#[path = "process/campaign/mod.rs"]
mod campaign;
#[path = "process/client.rs"]
mod client;
#[path = "process/clock.rs"]
mod clock;
#[path = "process/command_line.rs"]
mod command_line;
#[path = "process/converting.rs"]
mod converting;
#[path = "process/crash.rs"]
mod crash;
#[path = "process/crossing.rs"]
mod crossing;
#[path = "process/demo.rs"]
mod demo;
#[path = "process/due.rs"]
mod due;
#[path = "process/erasure.rs"]
mod erasure;
#[path = "process/events.rs"]
mod events;
#[path = "process/fairness.rs"]
mod fairness;
#[path = "process/faults.rs"]
mod faults;
#[path = "process/files.rs"]
mod files;
#[path = "process/keys.rs"]
mod keys;
#[path = "process/killed.rs"]
mod killed;
#[path = "process/locked.rs"]
mod locked;
#[path = "process/logs.rs"]
mod logs;
#[path = "process/lost.rs"]
mod lost;
#[path = "support/lots.rs"]
mod lots;
#[path = "process/migration.rs"]
mod migration;
#[path = "process/outputs.rs"]
mod outputs;
#[path = "process/overload/mod.rs"]
mod overload;
#[path = "process/proxy.rs"]
mod proxy;
#[path = "process/races.rs"]
mod races;
#[path = "process/receiver.rs"]
mod receiver;
#[path = "process/samples.rs"]
mod samples;
#[path = "process/saved_books.rs"]
mod saved_books;
#[path = "support/sdk.rs"]
#[allow(dead_code, reason = "what the other test program uses of it")]
mod sdk;
#[path = "support/secrets.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "what the other test programs use of it"
)]
mod secrets;
#[path = "process/server.rs"]
mod server;
#[path = "process/settings.rs"]
mod settings;
#[path = "process/soak.rs"]
mod soak;
#[path = "process/stop.rs"]
mod stop;
#[path = "process/tables.rs"]
mod tables;
#[path = "process/tampered.rs"]
mod tampered;
#[path = "process/threads.rs"]
mod threads;
#[path = "process/transfer.rs"]
mod transfer;
#[path = "process/verify.rs"]
mod verify;
#[path = "process/wallets.rs"]
mod wallets;
#[path = "process/webhooks.rs"]
mod webhooks;
