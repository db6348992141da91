//! `/partner`, also served as `/api/v1/partner`: the partner's organizations, keys and figures.

pub(super) mod analytics;
pub(super) mod clock;
pub(super) mod keys;
pub(super) mod organizations;
pub(super) mod pools;
pub(super) mod server;
