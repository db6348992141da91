//! Idempotency records: the stored responses, and the index that finds them.

mod compact;
pub mod idempotency;
pub(in crate::store) mod key_index;
pub(in crate::store) mod stored_index;
