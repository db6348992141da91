//! Addresses of files, which open for everyone who has one, for a short time. They are encrypted
//! with the key of member tokens and checked against the server's clock.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::member_tokens::TokenKey;
use crate::domain::{Message, MessageNumber, ProgramNumber, Timestamp};
use crate::wire::FileLink;

/// How long an address is valid.
const VALID: Duration = Duration::from_mins(15);

/// Bound into every address, so that no member token passes for one.
const ASSERTION: &[u8] = b"stampcard attachment 1";

/// The encrypted claims of an address.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    program: i64,
    message: i64,
    /// The expiry in Unix milliseconds.
    expires: i64,
}

/// The file that a valid address leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct Linked {
    pub(in crate::service) program: ProgramNumber,
    /// The message that has the file.
    pub(in crate::service) message: MessageNumber,
    pub(in crate::service) expires_at: Timestamp,
}

/// Makes the addresses of files, as of one time.
#[derive(Debug, Clone)]
pub(in crate::service) struct Links {
    key: Arc<TokenKey>,
    now: Timestamp,
}

impl Links {
    pub(in crate::service) fn new(key: &Arc<TokenKey>, now: Timestamp) -> Self {
        let key = Arc::clone(key);
        Self { key, now }
    }

    /// The address of the file of a message, if it has one that was not erased.
    pub(in crate::service) fn of(
        &self,
        program: ProgramNumber,
        message: &Message,
    ) -> Option<FileLink> {
        message.attachment.as_ref()?.name.as_ref()?;
        let expires_at = self.now.saturating_add(VALID);
        let claims = Claims {
            program: program.0,
            message: message.number.0,
            expires: expires_at.as_millis(),
        };
        let signature = self.key.seal(&claims, ASSERTION);
        Some(FileLink {
            url: format!("/a/{signature}"),
            expires_at,
        })
    }

    /// How long the address of a file is still valid.
    pub(in crate::service) fn valid_for(&self, linked: &Linked) -> Duration {
        let millis = linked.expires_at.as_millis() - self.now.as_millis();
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// Reads the signature of an address; `None` if this server did not make it, or it has expired.
    pub(in crate::service) fn open(&self, signature: &str) -> Option<Linked> {
        let claims: Claims = self.key.unseal(signature, ASSERTION)?;
        let expires_at = Timestamp::from_millis(claims.expires)?;
        let linked = Linked {
            program: ProgramNumber(claims.program),
            message: MessageNumber(claims.message),
            expires_at,
        };
        (self.now < expires_at).then_some(linked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Attachment, FileName, FileType, MessageId, MessageText, Role};

    fn message(name: Option<&str>) -> Message {
        Message {
            number: MessageNumber(7),
            id: MessageId::from_uuid(uuid::Uuid::nil()),
            role: Role::Agent,
            body: Some(MessageText::empty()),
            attachment: Some(Attachment {
                name: name.map(|name| FileName::parse("name", name).unwrap()),
                file_type: FileType::Png,
                size: 8,
            }),
            created_at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn an_address_opens_with_its_own_key_until_it_ends() {
        let key = Arc::new(TokenKey::new(&[7; 32]));
        let now = Timestamp::parse("2026-11-21T09:00:00Z").unwrap();
        let links = Links::new(&key, now);
        let link = links.of(ProgramNumber(3), &message(Some("a.png"))).unwrap();
        assert_eq!(link.expires_at.to_string(), "2026-11-21T09:15:00.000Z");
        let signature = link.url.strip_prefix("/a/").unwrap();
        let linked = Linked {
            program: ProgramNumber(3),
            message: MessageNumber(7),
            expires_at: link.expires_at,
        };
        let at = |now: Timestamp| Links::new(&key, now).open(signature);
        assert_eq!(at(now), Some(linked));
        let last = link.expires_at.saturating_sub(Duration::from_millis(1));
        assert_eq!(at(last), Some(linked));
        assert_eq!(at(link.expires_at), None);
        let other = Arc::new(TokenKey::new(&[8; 32]));
        assert_eq!(Links::new(&other, now).open(signature), None);
        // Neither passes for the other.
        assert_eq!(key.open(signature, now), None);
        assert_eq!(links.of(ProgramNumber(3), &message(None)), None);
    }
}
