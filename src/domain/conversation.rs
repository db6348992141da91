//! Conversations between a member and the operator.

use std::cmp::Reverse;

use super::{
    ConversationId, ConversationNumber, DisplayName, ExternalUserId, MemberNumber, MessageId,
    MessageNumber, MessageText, RedemptionId, Timestamp, Title,
};

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The member.
    Member,
    /// Somebody on the operator's side.
    Agent,
}

impl Role {
    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Agent => "agent",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "member" => Some(Self::Member),
            "agent" => Some(Self::Agent),
            _ => None,
        }
    }
}

/// A place in a list of conversations, which keeps the order that it had when its first page was
/// read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationPlace {
    /// When the conversation was active last, then.
    pub active_at: Timestamp,
    /// The conversation.
    pub number: ConversationNumber,
    /// When the first of the list was active, then; what came later is not before that.
    pub newest: Timestamp,
    /// The newest message there was then.
    pub message: MessageNumber,
}

/// Where a conversation stands in the inbox: those in which the member waits for an answer come
/// first, and of these the one that waits longest; then the others, the last active one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxRank {
    /// Since when the member waits, if so.
    pub waiting_since: Option<Timestamp>,
    /// When the conversation was active last.
    pub active_at: Timestamp,
    /// The conversation.
    pub number: ConversationNumber,
}

impl InboxRank {
    /// Smaller for what stands further above.
    pub fn key(&self) -> impl Ord + use<> {
        match self.waiting_since {
            Some(since) => (false, Some((since, self.number)), None),
            None => (true, None, Some(Reverse((self.active_at, self.number)))),
        }
    }
}

/// A place in the inbox, which keeps the order that it had when its first page was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxPlace {
    /// Where the last conversation of a page stood then.
    pub rank: InboxRank,
    /// When any conversation of the program was active last, then.
    pub newest: Timestamp,
    /// The newest message there was then.
    pub message: MessageNumber,
    /// The newest conversation there was then.
    pub opened: ConversationNumber,
}

/// A thread: about a redemption, or for support if it is about none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its row; `None`: nothing was said in a support thread yet.
    pub number: Option<ConversationNumber>,
    /// Its public id.
    pub id: ConversationId,
    /// Whose it is.
    pub member: MemberNumber,
    /// The operator's id for that member.
    pub external_user_id: ExternalUserId,
    /// The member's name.
    pub display_name: Option<DisplayName>,
    /// The redemption it is about.
    pub redemption: Option<RedemptionId>,
    /// What the redeemed offer was called, or what the operator called it.
    pub title: Option<Title>,
    /// When somebody last said something, and who.
    pub last_message: Option<(Timestamp, Role)>,
    /// How the last message begins: up to [`Conversation::PREVIEW_CHARS`] and one more; `None` if
    /// there is none, or it was erased.
    pub preview: Option<String>,
    /// Since when the member waits for an answer; `None` if not.
    pub waiting_since: Option<Timestamp>,
    /// The last message, or when it was opened.
    pub active_at: Timestamp,
}

impl Conversation {
    /// Characters of the last message that a list shows.
    pub const PREVIEW_CHARS: usize = 140;
    /// Up to so many conversations that wait are counted.
    pub const WAITING_COUNTED: usize = 1000;
    /// The members of a search, the newest first, whose conversations are listed.
    pub const MEMBERS_SEARCHED: usize = 100;
}

/// Something said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its row.
    pub number: MessageNumber,
    /// Its public id.
    pub id: MessageId,
    /// Who said it.
    pub role: Role,
    /// What was said; `None` once its member was erased.
    pub body: Option<MessageText>,
    /// When.
    pub created_at: Timestamp,
}
