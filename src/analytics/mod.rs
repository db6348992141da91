//! The analytics engine: every figure, folded from the activity log and answered from memory.
//!
//! **Must not know**: HTTP, SQL, or what time it is.

mod counters;
mod engine;

pub use counters::{Counters, OfferFigures, Totals};
pub use engine::{Engine, Figures};
