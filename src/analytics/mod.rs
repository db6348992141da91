//! The analytics engine: every figure, folded from the activity log and kept in memory.
//!
//! [`Timeline`] is one measure over time. [`Counters`] are the totals, the offers, the timelines
//! and the visits of members of one program. [`Engine`] holds those of all programs behind one
//! lock. [`Window`] divides time into buckets, and [`Series`] are the numbers that a bucket may
//! have. [`snapshot`] stores the figures, so that the next start can skip most of the log. A log
//! that contradicts itself cannot be folded: [`Contradiction`] names the activity.
//!
//! [`MemberFigures`] are the distinct members of any window.
//!
//! **Must not know**: HTTP, SQL, or what time it is.

mod contradiction;
mod counters;
mod engine;
mod measures;
mod members;
mod series;
pub mod snapshot;
mod timeline;
mod visits;
mod window;

pub use contradiction::{Contradiction, ContradictionKind};
pub use counters::Counters;
pub use engine::{Engine, Figures, Versioned};
pub use measures::{Bucket, Measure, OfferCounters, OfferFigures, Ratings, Totals};
pub use members::{MemberFigures, Moment};
pub use series::Series;
pub use timeline::{BLOCK_LEN, Cursor, OpenState, Sum, Timeline};
pub use visits::{Deed, Merge, Merged};
pub use window::{Interval, Window, WindowError};
