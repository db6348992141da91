//! Pages of conversations, in either order, and their cursors.

use super::{ListKind, cursor};
use crate::domain::{
    ConversationNumber, ConversationPlace, InboxPlace, InboxRank, Invalid, MessageNumber,
    ProgramNumber, Search, Timestamp,
};

/// Conversations on a page. Clients that know no pages get all conversations in nearly every case.
const PAGE_MAX: usize = 1000;
/// The last millisecond of the year 9999.
const END_OF_TIME: i64 = 253_402_300_799_999;
/// The number in an inbox cursor that stands for a member who does not wait.
const NOT_WAITING: i64 = i64::MIN;

/// A page of conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationPageQuery {
    /// Rows a page.
    pub limit: usize,
    /// Only conversations in which the member waits for an answer.
    pub waiting: bool,
    /// Only conversations of members that match.
    pub search: Option<Search>,
    /// The order, and the last row of the previous page.
    pub order: ConversationOrder,
}

/// The order in which conversations are listed, each with the last row of the previous page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationOrder {
    /// The last active first.
    Recent {
        /// The end of the previous page.
        after: Option<ConversationPlace>,
    },
    /// The members who wait first, the longest wait first.
    Waiting {
        /// The end of the previous page.
        after: Option<InboxPlace>,
        /// Includes conversations without messages.
        silent: bool,
    },
}

impl ConversationPageQuery {
    /// Rows a page by default, and at most.
    pub const LIMITS: (usize, usize) = (PAGE_MAX, PAGE_MAX);

    /// The cursor of the page that follows this place.
    pub fn cursor_after(program: ProgramNumber, last: &ConversationPlace) -> String {
        let numbers = [
            last.active_at.as_millis(),
            last.number.0,
            last.newest.as_millis(),
            last.message.0,
        ];
        cursor::encode(numbers, ListKind::Conversations, program.0)
    }

    /// Reads a cursor of [`Self::cursor_after`].
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub fn place(text: &str, program: ProgramNumber) -> Result<ConversationPlace, Invalid> {
        let [at, number, newest, message] = decode(text, program)?;
        Ok(ConversationPlace {
            active_at: time(at),
            number: ConversationNumber(number),
            newest: time(newest),
            message: MessageNumber(message),
        })
    }

    /// The cursor of the page of the inbox that follows this place.
    pub fn inbox_cursor_after(program: ProgramNumber, last: &InboxPlace) -> String {
        let rank = &last.rank;
        let numbers = [
            rank.waiting_since.map_or(NOT_WAITING, Timestamp::as_millis),
            rank.active_at.as_millis(),
            rank.number.0,
            last.newest.as_millis(),
            last.message.0,
            last.opened.0,
        ];
        cursor::encode(numbers, ListKind::Inbox, program.0)
    }

    /// Reads a cursor of [`Self::inbox_cursor_after`].
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub fn inbox_place(text: &str, program: ProgramNumber) -> Result<InboxPlace, Invalid> {
        let [since, at, number, newest, message, opened] =
            cursor::decode(text, ListKind::Inbox, program.0)?;
        Ok(InboxPlace {
            rank: InboxRank {
                waiting_since: (since != NOT_WAITING).then(|| time(since)),
                active_at: time(at),
                number: ConversationNumber(number),
            },
            newest: time(newest),
            message: MessageNumber(message),
            opened: ConversationNumber(opened),
        })
    }
}

/// A time in a cursor.
fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap_or(Timestamp::EPOCH)
}

/// Reads the numbers of a cursor. Cursors of version 0.1.0 do not tell the newest message of the
/// first page; their next pages show the list as it is now.
fn decode(text: &str, program: ProgramNumber) -> Result<[i64; 4], Invalid> {
    cursor::decode(text, ListKind::Conversations, program.0).or_else(|invalid| {
        let [at, number] =
            cursor::decode(text, ListKind::Conversations, program.0).map_err(|_| invalid)?;
        Ok([at, number, END_OF_TIME, i64::MAX])
    })
}
