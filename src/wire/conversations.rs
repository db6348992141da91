//! Conversations and messages.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::field_types::{AGENT, EXTERNAL_USER_ID, text};
use super::request::request;
use super::schema::AttachmentType;
use crate::domain::{
    Attachment, Conversation, ConversationId, DisplayName, ExternalUserId, FileName, Message,
    MessageText, Role, Timestamp, Title,
};

request! {
    /// The body of `POST /v1/conversations/{id}/messages`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SendMessageRequest {
        /// The text of the message.
        pub message: MessageText = required("message", text!(MessageText)),
        /// `agent` if an Org-API-Key speaks for the operator.
        pub speaks_as: Option<Role> = nullable("as", AGENT),
    }
    example {"message": "Is the window seat free?"}
    parse(body);
}

request! {
    /// The body of `POST /v1/conversations`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct StartConversationRequest {
        /// The member with whom the conversation is started.
        pub external_user_id: ExternalUserId = required("externalUserID", EXTERNAL_USER_ID),
        /// The title; none by default.
        pub title: Option<Title> = nullable("title", text!(Title)),
        /// The operator's first message.
        pub message: MessageText = required("message", text!(MessageText)),
    }
    example {
        "externalUserID": "ada",
        "title": "Your coat",
        "message": "You left a coat here on Friday."
    }
    parse(body);
}

/// `SendMessageResponse`: exactly this field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SendMessageResponse {
    /// Always true.
    pub ok: bool,
}

/// `Conversation`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConversationResponse {
    /// The id, `cnv_…`.
    pub id: String,
    /// `booking` if it is about a redemption, otherwise `support`.
    #[serde(rename = "type")]
    pub conversation_type: &'static str,
    /// The title.
    pub title: Option<String>,
    /// When the last message was sent.
    pub last_message_at: Option<String>,
    /// The member whose conversation it is.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
    /// The redemption that a booking is about.
    #[serde(rename = "redemptionID")]
    pub redemption_id: Option<String>,
    /// Whether the member sent the last message and is not removed.
    pub waiting: bool,
    /// Only for a key: the time of the first message without a reply, if the member waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false, format = DateTime)]
    pub waiting_since: Option<Option<String>>,
    /// Only for a key: the member's display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    pub display_name: Option<Option<String>>,
    /// Only for a key: the last message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LastMessageResponse>, required = false)]
    pub last_message: Option<Option<LastMessageResponse>>,
}

/// The last message of a conversation, as shown in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastMessageResponse {
    /// Its first 140 characters, with `…` if there are more; empty if it is a file; null after it
    /// was erased.
    pub text: Option<String>,
    /// `member` or `agent`.
    pub role: &'static str,
    /// When it was sent.
    #[schema(format = DateTime)]
    pub created_at: String,
}

impl LastMessageResponse {
    fn of(conversation: &Conversation) -> Option<Self> {
        let (at, role) = conversation.last_message?;
        let cut = |text: &String| {
            let mut rest = text.char_indices().skip(Conversation::PREVIEW_CHARS);
            match rest.next() {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text.clone(),
            }
        };
        Some(Self {
            text: conversation.preview.as_ref().map(cut),
            role: role.as_str(),
            created_at: at.to_string(),
        })
    }
}

impl ConversationResponse {
    /// A conversation as shown to an Org-API-Key.
    pub fn for_key(conversation: &Conversation) -> Self {
        let name = conversation.display_name.as_ref();
        Self {
            waiting_since: Some(super::time(conversation.waiting_since)),
            display_name: Some(name.map(DisplayName::as_str).map(str::to_owned)),
            last_message: Some(LastMessageResponse::of(conversation)),
            ..Self::for_member(conversation)
        }
    }

    /// A conversation as shown to its member.
    pub fn for_member(conversation: &Conversation) -> Self {
        let last = conversation.last_message;
        Self {
            id: conversation.id.to_string(),
            conversation_type: match conversation.redemption {
                Some(_) => "booking",
                None => "support",
            },
            title: conversation
                .title
                .as_ref()
                .map(|title| title.as_str().to_owned()),
            last_message_at: super::time(last.map(|(at, _)| at)),
            external_user_id: conversation.external_user_id.as_str().to_owned(),
            redemption_id: conversation.redemption.map(|id| id.to_string()),
            waiting: conversation.waiting_since.is_some(),
            waiting_since: None,
            display_name: None,
            last_message: None,
        }
    }
}

/// A list of conversations.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConversationListResponse {
    /// The conversations, in the requested order.
    pub conversations: Vec<ConversationResponse>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
    /// Only for a key: the number of the program's conversations in which a member waits, at most
    /// 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub waiting_count: Option<i64>,
}

/// `Message`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageResponse {
    /// The id, `msg_…`.
    pub id: String,
    /// The member's own id, or `agent`.
    #[serde(rename = "authorID")]
    pub author_id: String,
    /// `text`.
    #[serde(rename = "type")]
    pub message_type: &'static str,
    /// The text, empty if the message is a file; null after it was erased.
    pub body: Option<String>,
    /// When it was sent.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The file, if the message is one.
    pub attachments: Vec<AttachmentResponse>,
    /// `member` or `agent`.
    pub role: &'static str,
}

/// A file attached to a message.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentResponse {
    /// The name of the file; empty after it was erased.
    pub name: String,
    /// The path on this server that returns the file, `/a/…`, without a credential; null after it
    /// was erased.
    pub url: Option<String>,
    /// When the path expires, 15 minutes after this response; it is in the past after the file was
    /// erased.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// The media type.
    #[serde(rename = "type")]
    #[schema(value_type = AttachmentType)]
    pub file_type: &'static str,
    /// The size in bytes; 0 after the file was erased.
    pub size: i64,
}

/// The address of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLink {
    /// The path on this server.
    pub url: String,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl AttachmentResponse {
    fn new(attachment: &Attachment, link: Option<FileLink>, created_at: Timestamp) -> Self {
        let (url, expires_at) = match link {
            Some(link) => (Some(link.url), link.expires_at),
            None => (None, created_at),
        };
        let name = attachment.name.as_ref().map(FileName::as_str);
        Self {
            name: name.unwrap_or_default().to_owned(),
            url,
            expires_at: expires_at.to_string(),
            file_type: attachment.file_type.as_str(),
            size: attachment.size,
        }
    }
}

impl MessageResponse {
    /// A message in a conversation of the member with this id. `link` is the address of its file,
    /// if it has one that was not erased.
    pub fn new(message: &Message, external_user_id: &str, link: Option<FileLink>) -> Self {
        let attachment = message.attachment.as_ref();
        let attachments =
            attachment.map(|one| AttachmentResponse::new(one, link, message.created_at));
        Self {
            id: message.id.to_string(),
            author_id: match message.role {
                Role::Member => external_user_id.to_owned(),
                Role::Agent => Role::Agent.as_str().to_owned(),
            },
            message_type: "text",
            body: message.body.as_ref().map(|text| text.as_str().to_owned()),
            created_at: message.created_at.to_string(),
            attachments: attachments.into_iter().collect(),
            role: message.role.as_str(),
        }
    }
}

/// A page of messages, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageListResponse {
    /// The messages, newest first.
    pub messages: Vec<MessageResponse>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// A frame of a conversation's stream, from the data of a `conversation.message_created` event, and
/// the conversation it belongs to.
pub fn message_frame(data: &str) -> Option<(ConversationId, String)> {
    let mut message: serde_json::Map<String, Value> = serde_json::from_str(data).ok()?;
    let conversation = message.remove("conversationID")?;
    message.remove("externalUserID");
    let json = Value::Object(message);
    Some((
        ConversationId::parse(conversation.as_str()?)?,
        format!("data: {json}\n\n"),
    ))
}

/// The data of `conversation.message_created`: the message and its conversation.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageEventData {
    /// The message.
    #[serde(flatten)]
    pub message: MessageResponse,
    /// The conversation of the message.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// The member whose conversation it is.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
}

impl MessageEventData {
    /// A message in a conversation of the member with this id. `link` is as for
    /// [`MessageResponse::new`].
    pub fn new(
        message: &Message,
        conversation: ConversationId,
        external_user_id: &str,
        link: Option<FileLink>,
    ) -> Self {
        Self {
            message: MessageResponse::new(message, external_user_id, link),
            conversation_id: conversation.to_string(),
            external_user_id: external_user_id.to_owned(),
        }
    }
}
