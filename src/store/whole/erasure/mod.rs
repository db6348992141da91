//! The erasure of a member's personal data.

mod places;

pub(in crate::store) use self::places::empty;
use crate::domain::MemberNumber;
use crate::store::tables::{attachments, settings};
use crate::store::{Error, Transaction};

/// Deletes the personal data of a member, except in the member's own row. The bytes of files are
/// deleted by [`crate::store::attachments::discard_step`]. Copies in unused bytes of pages are
/// overwritten after the commit.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn erase(tx: &mut Transaction<'_>, member: MemberNumber) -> Result<(), Error> {
    let accounts = tx.accounts_of(member).into_iter();
    let lasts: Vec<_> = accounts.map(|record| record.account.last).collect();
    attachments::uncount(tx, member)?;
    empty(tx, member, &lasts)?;
    settings::want_scrub(tx)?;
    tx.words_erased();
    Ok(())
}
