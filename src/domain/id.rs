//! Ids: public ids with their prefixes, and row numbers that never leave the server.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Timestamp;

macro_rules! public_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The id of these sixteen bytes.
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The sixteen bytes behind the id.
            pub fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// Reads the id as the API writes it; `None` if the text is not an id of this kind.
            pub fn parse(text: &str) -> Option<Self> {
                let digits = text.strip_prefix($prefix)?;
                let uuid = Uuid::try_parse(digits).ok()?;
                // The only spelling is lower case with hyphens.
                (uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == digits)
                    .then_some(Self(uuid))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

public_id!(
    /// An offer's id: `off_` and a `UUIDv7`.
    ///
    /// ```
    /// use stampcard::domain::OfferId;
    /// let id = OfferId::parse("off_01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
    /// assert_eq!(id.to_string(), "off_01890a5d-ac96-774b-bcce-b302099a8057");
    /// assert_eq!(OfferId::parse("rdm_01890a5d-ac96-774b-bcce-b302099a8057"), None);
    /// ```
    OfferId, "off_"
);
public_id!(
    /// A redemption's id: `rdm_` and a `UUIDv7`.
    RedemptionId, "rdm_"
);
public_id!(
    /// A ledger entry's id: `txn_` and a `UUIDv7`.
    TransactionId, "txn_"
);

public_id!(
    /// A conversation's id: `cnv_` and a `UUIDv7`.
    ConversationId, "cnv_"
);
public_id!(
    /// An interest's id: `int_` and a `UUIDv7`.
    InterestId, "int_"
);
public_id!(
    /// A message's id: `msg_` and a `UUIDv7`.
    MessageId, "msg_"
);
public_id!(
    /// The id of a version of a legal document: `ldv_` and a `UUIDv7`.
    TermsVersionId, "ldv_"
);
public_id!(
    /// A webhook's id: `wh_` and a `UUIDv7`.
    WebhookId, "wh_"
);
public_id!(
    /// The id of an event in webhooks and streams: `evt_` and a `UUIDv7`.
    EventId, "evt_"
);
public_id!(
    /// The id of an event's delivery to one endpoint, the same on every attempt: `dlv_` and a
    /// `UUIDv7`.
    DeliveryId, "dlv_"
);

macro_rules! row_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);
    };
}

row_number!(
    /// The row of an organization.
    OrganizationNumber
);
row_number!(
    /// The row of a program.
    ProgramNumber
);
row_number!(
    /// The row of a further asset.
    AssetNumber
);
row_number!(
    /// The row of a credential.
    CredentialNumber
);
row_number!(
    /// The row of a member.
    MemberNumber
);
row_number!(
    /// The row of an offer.
    OfferNumber
);
row_number!(
    /// The row of a redemption.
    RedemptionNumber
);
row_number!(
    /// The row of an earning rule.
    RuleNumber
);
row_number!(
    /// The row of a version of an earning rule.
    RuleVersionNumber
);
row_number!(
    /// The row of a conversation.
    ConversationNumber
);
row_number!(
    /// The row of a message.
    MessageNumber
);
row_number!(
    /// The row of an attachment.
    AttachmentNumber
);
row_number!(
    /// The row of a webhook endpoint.
    EndpointNumber
);

/// The number of an activity, from 1 in the order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seq(pub i64);

impl Seq {
    /// The largest number of a row, 2^53. A double holds it exactly, and no server reaches it.
    pub const MAX: i64 = 1 << 53;

    /// Reads the number of a stored row.
    pub fn parse_stored(number: i64) -> Option<Self> {
        (1..=Self::MAX).contains(&number).then_some(Self(number))
    }
}

impl TransactionId {
    /// The id of the ledger entry with this number and time.
    pub fn of_entry(seq: Seq, at: Timestamp) -> Self {
        Self(derived(at, mix(seq.0.unsigned_abs())))
    }
}

impl EventId {
    /// The id of the event with this number and time.
    pub fn of_activity(seq: Seq, at: Timestamp) -> Self {
        Self(derived(at, mix(seq.0.unsigned_abs())))
    }
}

impl DeliveryId {
    /// The id of the delivery of an event to an endpoint.
    pub fn of(endpoint: EndpointNumber, seq: Seq, at: Timestamp) -> Self {
        let endpoint = mix(endpoint.0.unsigned_abs());
        Self(derived(at, mix(seq.0.cast_unsigned() ^ endpoint)))
    }

    /// The number of the delivered event, if the delivery is one of the endpoint's.
    pub fn seq(self, endpoint: EndpointNumber) -> Seq {
        let endpoint = mix(endpoint.0.unsigned_abs());
        Seq((unmix(number_in(self.0)) ^ endpoint).cast_signed())
    }
}

impl ConversationId {
    /// The id of a member's support conversation, which exists before its first message.
    pub fn of_support(member: MemberNumber) -> Self {
        Self(derived(Timestamp::EPOCH, mix(member.0.unsigned_abs())))
    }

    /// The id of a conversation that the operator opens with this message.
    pub fn of_first(message: MessageId) -> Self {
        Self(*message.as_uuid())
    }

    /// The member of a support conversation; `None` for any other conversation.
    pub fn support_of(self) -> Option<MemberNumber> {
        let number = i64::try_from(unmix(number_in(self.0))).ok()?;
        let member = MemberNumber(number);
        (Self::of_support(member) == self).then_some(member)
    }
}

/// Computes an id that is not stored: a `UUIDv7` of a time whose random part is a number mixed by a
/// bijection, so that ids neither repeat nor count up.
fn derived(at: Timestamp, mixed: u64) -> Uuid {
    let mixed = mixed.to_be_bytes();
    let mut random = [0; 10];
    // Version and variant take the high bits of bytes 0 and 2.
    random[1] = mixed[0];
    random[3..].copy_from_slice(&mixed[1..]);
    let millis = at.as_millis().max(0).unsigned_abs();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// The mixed number in an id made by [`derived`].
fn number_in(uuid: Uuid) -> u64 {
    let bytes = uuid.as_bytes();
    let mut mixed = [0; 8];
    mixed[0] = bytes[7];
    mixed[1..].copy_from_slice(&bytes[9..]);
    u64::from_be_bytes(mixed)
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood, 2014): one to one on 64 bits.
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The inverse of [`mix`].
pub(super) fn unmix(mixed: u64) -> u64 {
    let mut z = mixed;
    z ^= z >> 31 ^ z >> 62;
    z = z.wrapping_mul(0x3196_42b2_d24d_8ec3);
    z ^= z >> 27 ^ z >> 54;
    z = z.wrapping_mul(0x96de_1b17_3f11_9089);
    z ^= z >> 30 ^ z >> 60;
    z.wrapping_sub(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_in_an_id_can_be_read_back() {
        let at = Timestamp::parse("2026-11-21T09:00:00Z").unwrap();
        for number in [1, 2, 77, 1_000_000, i64::MAX] {
            let member = MemberNumber(number);
            assert_eq!(
                ConversationId::of_support(member).support_of(),
                Some(member)
            );
            for seq in [Seq(number), Seq(-number)] {
                let endpoint = EndpointNumber(number / 2 + 1);
                assert_eq!(DeliveryId::of(endpoint, seq, at).seq(endpoint), seq);
            }
        }
        let booking = ConversationId::from_uuid(Uuid::now_v7());
        assert_eq!(booking.support_of(), None);
    }

    #[test]
    fn each_ledger_entry_has_its_own_id_that_is_a_version_7_uuid() {
        let at = Timestamp::parse("2026-11-21T09:00:00Z").unwrap();
        let ids: std::collections::HashSet<_> = (1..=10_000)
            .map(|seq| TransactionId::of_entry(Seq(seq), at).to_string())
            .collect();
        assert_eq!(ids.len(), 10_000);
        let id = TransactionId::of_entry(Seq(1), at);
        assert_eq!(id.as_uuid().get_version_num(), 7);
        assert_eq!(TransactionId::parse(&id.to_string()), Some(id));
        assert!(TransactionId::parse(&id.to_string().to_uppercase()).is_none());
    }
}
