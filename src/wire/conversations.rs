//! Conversations and messages.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::fields::{Fields, known_id, text};
use super::schema::{self, request_schema};
use crate::domain::{
    Conversation, ConversationId, DisplayName, ExternalUserId, Invalid, Message, MessageText, Role,
    Title,
};

/// The body of `POST /v1/conversations/{id}/messages`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendMessageRequest {
    /// What is said.
    pub message: MessageText,
    /// Additive: `agent` if a key speaks for the operator.
    pub speaks_as: Option<Role>,
}

impl SendMessageRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        let role = |name: &str, word: String| match Role::parse(&word) {
            Some(Role::Agent) => Ok(Role::Agent),
            _ => Err(Invalid::new(name, "must be agent, or be left out")),
        };
        Ok(Self {
            message: fields.required("message", text(MessageText::parse))?,
            speaks_as: fields.nullable("as", text(role))?,
        })
    }
}

request_schema!(SendMessageRequest {
    /// What is said.
    required message: schema::text(MessageText::RULE),
    /// `agent` if an Org-API-Key speaks for the operator.
    optional as: schema::nullable(schema::one_of([Role::Agent.as_str()])),
} example {"message": "Is the window seat free?"});

/// The body of `POST /v1/conversations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartConversationRequest {
    /// With whom.
    pub external_user_id: ExternalUserId,
    /// What it is called.
    pub title: Option<Title>,
    /// What is said first.
    pub message: MessageText,
}

impl StartConversationRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        Ok(Self {
            external_user_id: fields.required("externalUserID", known_id)?,
            title: fields.nullable("title", text(Title::parse))?,
            message: fields.required("message", text(MessageText::parse))?,
        })
    }
}

request_schema!(StartConversationRequest {
    /// The member it is with.
    required externalUserID: schema::text(ExternalUserId::RULE),
    /// What it is called; nothing by default.
    optional title: schema::nullable(schema::text(Title::RULE)),
    /// The operator's first message.
    required message: schema::text(MessageText::RULE),
} example {
    "externalUserID": "ada",
    "title": "Your coat",
    "message": "You left a coat here on Friday."
});

/// `SendMessageResponse`: exactly this field.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct SendMessageResponse {
    pub ok: bool,
}

/// `Conversation`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct ConversationResponse {
    pub id: String,
    #[serde(rename = "type")]
    pub conversation_type: &'static str,
    pub title: Option<String>,
    pub last_message_at: Option<String>,
    /// Additive: whose it is.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
    /// Additive: the redemption that a booking is about.
    #[serde(rename = "redemptionID")]
    pub redemption_id: Option<String>,
    /// Additive: whether the member spoke last, and was not removed.
    pub waiting: bool,
    /// For a key: since when, if so: the first message without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false, format = DateTime)]
    pub waiting_since: Option<Option<String>>,
    /// For a key: the member's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    pub display_name: Option<Option<String>>,
    /// For a key: the last message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LastMessageResponse>, required = false)]
    pub last_message: Option<Option<LastMessageResponse>>,
}

/// The last message of a conversation, as a list shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastMessageResponse {
    /// Its first 140 characters, with `…` if there are more; null once it is erased.
    pub text: Option<String>,
    /// `member` or `agent`.
    pub role: &'static str,
    /// When it was said.
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
    /// A conversation as a key sees it.
    pub fn for_key(conversation: &Conversation) -> Self {
        let name = conversation.display_name.as_ref();
        Self {
            waiting_since: Some(super::time(conversation.waiting_since)),
            display_name: Some(name.map(DisplayName::as_str).map(str::to_owned)),
            last_message: Some(LastMessageResponse::of(conversation)),
            ..Self::for_member(conversation)
        }
    }

    /// A conversation as its member sees it.
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
#[expect(missing_docs, reason = "the names are the API's")]
pub struct ConversationListResponse {
    pub conversations: Vec<ConversationResponse>,
    /// Additive: the list has pages when it is long.
    pub next_cursor: Option<String>,
    /// For a key: in how many of the program's the member waits; 1000 stands for more, too.
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
    /// What was said; null once it is erased.
    pub body: Option<String>,
    /// When it was said.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Empty: none can be sent.
    pub attachments: [AttachmentResponse; 0],
    /// Additive: `member` or `agent`.
    pub role: &'static str,
}

/// A file that a message carries. No message does; models of some SDKs need the list all the same.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct AttachmentResponse {
    pub name: String,
    pub url: Option<String>,
    pub expires_at: String,
}

impl MessageResponse {
    /// A message in a conversation of the member with this id.
    pub fn new(message: &Message, external_user_id: &str) -> Self {
        Self {
            id: message.id.to_string(),
            author_id: match message.role {
                Role::Member => external_user_id.to_owned(),
                Role::Agent => Role::Agent.as_str().to_owned(),
            },
            message_type: "text",
            body: message.body.as_ref().map(|text| text.as_str().to_owned()),
            created_at: message.created_at.to_string(),
            attachments: [],
            role: message.role.as_str(),
        }
    }
}

/// A page of messages, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct MessageListResponse {
    pub messages: Vec<MessageResponse>,
    pub next_cursor: Option<String>,
}

/// A frame of a conversation's stream, made of what a `conversation.message_created` is about, and
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

/// What `conversation.message_created` is about: the message, and where it was said.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageEventData {
    /// The message.
    #[serde(flatten)]
    pub message: MessageResponse,
    /// The conversation it was said in.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// The member whose conversation it is.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
}

impl MessageEventData {
    /// A message said in a conversation of the member with this id.
    pub fn new(message: &Message, conversation: ConversationId, external_user_id: &str) -> Self {
        Self {
            message: MessageResponse::new(message, external_user_id),
            conversation_id: conversation.to_string(),
            external_user_id: external_user_id.to_owned(),
        }
    }
}
