//! Ids: the public ones with their prefixes, and the row numbers that never leave the server.

use std::fmt;

use uuid::Uuid;

use super::{Seq, Timestamp};

macro_rules! public_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The id made of these sixteen bytes.
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The sixteen bytes behind the id.
            pub fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// Reads the id as the API writes it; `None` if it is none of this kind.
            pub fn parse(text: &str) -> Option<Self> {
                let digits = text.strip_prefix($prefix)?;
                let uuid = Uuid::try_parse(digits).ok()?;
                // One spelling only: lower case with hyphens.
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

impl TransactionId {
    /// The id of the ledger entry of this number, made at this time. It is worked out rather than
    /// stored: a `UUIDv7` of the time whose random part is the number, mixed by a bijection so that
    /// ids neither repeat nor count up.
    pub fn of_entry(seq: Seq, at: Timestamp) -> Self {
        let mixed = mix(seq.0.unsigned_abs()).to_be_bytes();
        let mut random = [0; 10];
        // Version and variant take the high bits of bytes 0 and 2.
        random[1] = mixed[0];
        random[3..].copy_from_slice(&mixed[1..]);
        let millis = at.as_millis().max(0).unsigned_abs();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood, 2014): one to one on 64 bits.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_entry_has_an_id_of_its_own_that_is_a_version_7_uuid() {
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
