//! The books: the account of every member, folded from the activity log and kept in memory.
//!
//! A loyalty program's balance is a figure: it is the sum of the member's ledger entries. So no
//! row of the database holds it. The log is the ledger, every entry is appended to it, and this
//! module keeps the sums. A credit therefore changes no row in place, and a read of a wallet needs
//! no database.
//!
//! **The parts.** [`Books`] hold a [`Record`] for each member, in a packed form of about a hundred
//! bytes, and find it by the member's number, or by the operator's own id for it. [`Row`] is what
//! the fold reads from a row of the log, and [`Books::apply`] is the fold. The same fold runs over
//! the [`Draft`] of the open batch: it copies a record when it first changes it, so that the
//! published books stay untouched until the batch is committed. [`Published`] shares the books
//! between the writer and the readers.
//!
//! **Marks.** A write of a batch can fail alone. [`Draft::mark`] begins a write and
//! [`Draft::undo`] takes back what it changed, as a savepoint does for rows. A batch that was
//! committed is published as a whole; one that was lost is dropped.
//!
//! **Lots.** The row of a ledger entry shows whether its account has lots: it then names the lots
//! that the entry makes, takes from, restores or moves. The fold follows that, and refuses what
//! cannot be; which lots an entry uses is chosen before it is written, by functions that change
//! nothing ([`Plan`]). What matures or expires some day is in a calendar of each program:
//! [`Draft::due`] lists what its time has come for, and the caller writes a row for each. No
//! request of this version makes lots, holds points or lets any expire.
//!
//! **Further assets.** An account in an asset that is not the points of its program is a record of
//! its own beside that of its member, with a place of its own, so that members without one pay
//! nothing. [`Books::account`] and [`Draft::account`] return the member with the account of an
//! asset in place of that of the program's points, so that plans of entries need not know more.
//!
//! **Saved.** From time to time the records are stored as packed parts ([`parts`]), so that
//! a start need not fold the whole log. They are copied in chunks while writes go on, and so the
//! chunks may be of different moments. The start folds the rows since the *first* of these moments
//! again, and each record skips the rows that it includes already, because it holds the number of
//! the last row that was applied to it (a physiological redo).
//!
//! **Ids.** The index holds keyed hashes of 96 bits in place of the operators' ids. The keys are
//! random and change with each start, so nobody can choose ids that collide, and among ten million
//! members two collide with a probability of about 10⁻¹⁵. The ids themselves are rows: the books
//! contain no personal data, and neither do their parts.
//!
//! **Must not know**: SQL, HTTP, or a clock.
//!
//! Sources: Mohan et al., "ARIES: A Transaction Recovery Method Supporting Fine-Granularity
//! Locking and Partial Rollbacks Using Write-Ahead Logging", 1992, for fuzzy checkpoints and for
//! the number of the last applied log row in what it was applied to; Aumasson and Bernstein,
//! "`SipHash`: a fast short-input PRF", 2012, for the hashes.

mod agenda;
mod contradiction;
mod draft;
mod fold;
mod id_hash;
mod ledger;
mod lots;
mod overlay;
mod packed;
pub mod parts;
mod places;
mod programs;
mod published;
mod record;
mod rows;
mod sides;
mod small;
mod tiers;

pub use self::contradiction::{Contradiction, ContradictionKind};
pub use self::draft::Draft;
pub use self::fold::member_of;
pub use self::ledger::Books;
pub use self::lots::Lots;
pub use self::lots::expiries::{Expiries, LotSum};
pub use self::lots::moves::{Grace, Pick, Taken};
pub use self::lots::plan::{LotDates, Plan};
pub use self::published::Published;
pub use self::record::{AssetRecord, ProgramRecord, Record, TierNumber};
pub use self::rows::Row;
