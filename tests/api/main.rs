//! Tests of the API over HTTP: one program, one module per resource, one server per test.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first surprise, and reads best when it is short"
)]

#[path = "../support/lots.rs"]
mod lots;
#[path = "../support/sdk.rs"]
mod sdk;
#[path = "../support/mod.rs"]
mod support;

mod client;
mod compact_records;

mod access;
mod analytics;
mod assets;
mod attachments;
mod bad_input;
mod balance_histories;
mod balances;
mod books_on_disk;
mod caps;
mod conditional;
mod configuration;
mod contacts;
mod conversations;
mod cors;
mod dashboard;
mod deliveries;
mod expiry;
mod expiry_events;
mod expiry_notices;
mod feedback;
mod figures_on_disk;
mod further_assets;
mod hardening;
mod health;
mod idempotency;
mod imports;
mod inbox;
mod interests;
mod kept_answers;
mod keys;
mod ledger;
mod lived;
mod lived_points;
mod logs;
mod measures;
mod member_figures;
mod members;
mod names;
mod numbers;
mod offer_fields;
mod offer_prices;
mod offers;
mod openapi;
mod organizations;
mod pagination;
mod panics;
mod participant_redemptions;
mod participants;
mod partner;
mod partner_credits;
mod partner_history;
mod past_wallets;
mod paths;
mod points_life;
mod pools;
mod preconditions;
mod prefunded;
mod profiles;
mod program_settings;
mod programs;
mod rate_limit;
mod redemption_codes;
mod redemption_limits;
mod redemption_lists;
mod redemption_units;
mod redemptions;
mod removals;
mod repeated;
mod reports;
mod rule_simulations;
mod rules;
mod sandbox;
mod scrip_posts;
mod search;
mod snapshots;
mod state;
mod statements;
mod stored_events;
mod streams;
mod streams_ending;
mod tampers;
mod terms;
mod timeseries;
mod timeseries_input;
mod tokens;
mod typed;
mod wallet_view;
mod wallets;
mod webhook_changes;
mod webhook_targets;
mod webhooks;
