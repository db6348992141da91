//! The erasure of a member's personal data.

mod places;

pub(in crate::store) use self::places::empty;
use crate::domain::{AccountKey, MemberNumber};
use crate::store::tables::{attachments, settings};
use crate::store::{Error, Transaction, log};

/// Deletes the personal data of a member, except in the member's own row. The bytes of files are
/// deleted by [`crate::store::attachments::discard_step`]. Copies in unused bytes of pages are
/// overwritten after the commit.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn erase(tx: &mut Transaction<'_>, member: MemberNumber) -> Result<(), Error> {
    let last = tx.account(member).and_then(|record| record.account.last);
    attachments::uncount(tx, member)?;
    empty(tx, member, last)?;
    for asset in tx.assets_of(member) {
        let asset = Some(asset);
        let account = tx.account_in(AccountKey { asset, member });
        let last = account.and_then(|record| record.account.last);
        log::erase_texts(tx, member, last)?;
    }
    settings::want_scrub(tx)?;
    tx.words_erased();
    Ok(())
}
