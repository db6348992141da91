//! `/v1`: the loyalty surface, one file per resource.

pub(super) mod analytics;
pub(super) mod attachments;
pub(super) mod balance;
pub(super) mod configuration;
pub(super) mod conversations;
pub(super) mod interests;
pub(super) mod keys;
mod member_query;
pub(super) mod members;
pub(super) mod offers;
pub(super) mod redemptions;
pub(super) mod sandbox;
pub(super) mod streams;
pub(super) mod terms;
pub(super) mod tokens;
pub(super) mod wallets;
pub(super) mod webhooks;
