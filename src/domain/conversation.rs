//! Conversations between a member and the operator.

use std::cmp::Reverse;

use super::{
    Attachment, ConversationId, ConversationNumber, DisplayName, ExternalUserId, MemberNumber,
    MessageId, MessageNumber, MessageText, RedemptionId, Timestamp, Title,
};

/// The sender of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The member.
    Member,
    /// A person or program of the operator.
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

/// A position in a list of conversations. The list keeps the order that it had when its first page
/// was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationPlace {
    /// The conversation's last activity at that time.
    pub active_at: Timestamp,
    /// The conversation.
    pub number: ConversationNumber,
    /// The last activity of the first conversation in the list at that time. Later ones are left
    /// out.
    pub newest: Timestamp,
    /// The newest message at that time.
    pub message: MessageNumber,
}

/// The rank of a conversation in the inbox. Conversations whose member waits for an answer come
/// first, the longest wait at the top; then the others, the last active one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxRank {
    /// The time since which the member waits, if any.
    pub waiting_since: Option<Timestamp>,
    /// The conversation's last activity.
    pub active_at: Timestamp,
    /// The conversation.
    pub number: ConversationNumber,
}

impl InboxRank {
    /// A key to sort by, smallest at the top.
    pub fn key(&self) -> impl Ord + use<> {
        match self.waiting_since {
            Some(since) => (false, Some((since, self.number)), None),
            None => (true, None, Some(Reverse((self.active_at, self.number)))),
        }
    }
}

/// A position in the inbox. The inbox keeps the order that it had when its first page was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxPlace {
    /// The rank of a page's last conversation at that time.
    pub rank: InboxRank,
    /// The last activity of any conversation of the program at that time.
    pub newest: Timestamp,
    /// The newest message at that time.
    pub message: MessageNumber,
    /// The newest conversation at that time.
    pub opened: ConversationNumber,
}

/// A thread about a redemption, or for support.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its row; `None` for a support thread without messages.
    pub number: Option<ConversationNumber>,
    /// Its public id.
    pub id: ConversationId,
    /// The member it belongs to.
    pub member: MemberNumber,
    /// The operator's id of the member.
    pub external_user_id: ExternalUserId,
    /// The member's display name.
    pub display_name: Option<DisplayName>,
    /// The redemption it is about, if any.
    pub redemption: Option<RedemptionId>,
    /// The title of the redeemed offer, or the one that the operator gave it.
    pub title: Option<Title>,
    /// The time and the sender of the last message.
    pub last_message: Option<(Timestamp, Role)>,
    /// The beginning of the last message, at most [`Conversation::PREVIEW_CHARS`] characters and
    /// one more; `None` if there is no message or it was erased.
    pub preview: Option<String>,
    /// The time since which the member waits for an answer, if any.
    pub waiting_since: Option<Timestamp>,
    /// The time of the last message, or when the thread was opened.
    pub active_at: Timestamp,
}

impl Conversation {
    /// Characters of the last message that a list shows.
    pub const PREVIEW_CHARS: usize = 140;
    /// The most waiting conversations that are counted.
    pub const WAITING_COUNTED: usize = 1000;
    /// The most members found by a search, newest first, whose conversations are listed.
    pub const MEMBERS_SEARCHED: usize = 100;
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its row.
    pub number: MessageNumber,
    /// Its public id.
    pub id: MessageId,
    /// The sender.
    pub role: Role,
    /// The text, which is empty if the message is only a file; `None` after the member was erased.
    pub body: Option<MessageText>,
    /// The file, if the message is one.
    pub attachment: Option<Attachment>,
    /// When it was sent.
    pub created_at: Timestamp,
}
