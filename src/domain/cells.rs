//! Conversions between values of the domain and cells of the activity log.

use uuid::Uuid;

use super::row::Field;
use super::{
    AssetNumber, AssetSymbol, BurnOrder, Cell, Entry, Environment, ExternalUserId, InterestId,
    InterestStatus, InventoryMode, IssuancePolicy, MemberNumber, MessageId, OfferId, OfferNumber,
    OrganizationNumber, OrganizationStatus, Points, ProgramStatus, RedemptionNumber, ReferenceId,
    Role, RuleStatus, RuleVersionNumber, Scale, Seq, SettlementMode, StateKind, StateOperation,
    Status, StoredEventId, TermsType, TermsVersionId, Tier, Timestamp, WebhookId,
};

impl Field for Points {
    fn cell(&self) -> Cell<'_> {
        Cell::Integer(self.get())
    }

    fn of(cell: Cell<'_>) -> Option<Self> {
        cell.integer().and_then(Self::new)
    }
}

impl Field for Scale {
    fn cell(&self) -> Cell<'_> {
        Cell::Integer(self.decimals().into())
    }

    fn of(cell: Cell<'_>) -> Option<Self> {
        let decimals = u8::try_from(cell.integer()?).ok()?;
        Self::new(decimals)
    }
}

/// Only an asset whose points come from the wallet of its program has a mark.
impl Field for IssuancePolicy {
    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Unlimited => Cell::Null,
            Self::Prefunded => Cell::Integer(1),
        }
    }

    fn of(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Null => Some(Self::Unlimited),
            Cell::Integer(1) => Some(Self::Prefunded),
            _ => None,
        }
    }
}

impl Field for Timestamp {
    fn cell(&self) -> Cell<'_> {
        Cell::Integer(self.as_millis())
    }

    fn of(cell: Cell<'_>) -> Option<Self> {
        cell.integer().and_then(Self::from_millis)
    }
}

impl Field for Entry {
    fn cell(&self) -> Cell<'_> {
        Cell::Integer(self.number())
    }

    fn of(cell: Cell<'_>) -> Option<Self> {
        cell.integer().and_then(Self::of_number)
    }
}

macro_rules! text_fields {
    ($($text:ident)*) => { $(
        impl Field for $text {
            fn cell(&self) -> Cell<'_> {
                Cell::Text(self.as_str())
            }

            fn of(cell: Cell<'_>) -> Option<Self> {
                cell.text().map(|text| Self::stored(text.to_owned()))
            }
        }
    )* };
}
text_fields! { Tier ExternalUserId ReferenceId AssetSymbol }

macro_rules! row_number_fields {
    ($($number:ident)*) => { $(
        impl Field for $number {
            fn cell(&self) -> Cell<'_> {
                Cell::Integer(self.0)
            }

            fn of(cell: Cell<'_>) -> Option<Self> {
                cell.integer().map(Self)
            }
        }
    )* };
}
row_number_fields! {
    AssetNumber Seq MemberNumber OfferNumber RedemptionNumber OrganizationNumber RuleVersionNumber
}

macro_rules! word_fields {
    ($($word:ident)*) => { $(
        impl Field for $word {
            fn cell(&self) -> Cell<'_> {
                Cell::Text(self.as_str())
            }

            fn of(cell: Cell<'_>) -> Option<Self> {
                cell.text().and_then(Self::parse)
            }
        }
    )* };
}
word_fields! {
    Status Environment OrganizationStatus ProgramStatus Role SettlementMode TermsType InterestStatus
    InventoryMode BurnOrder RuleStatus StateKind StateOperation
}

macro_rules! public_id_fields {
    ($($id:ident)*) => { $(
        impl Field for $id {
            fn cell(&self) -> Cell<'_> {
                Cell::Blob(self.as_uuid().as_bytes())
            }

            fn of(cell: Cell<'_>) -> Option<Self> {
                Uuid::from_slice(cell.blob()?).ok().map(Self::from_uuid)
            }
        }
    )* };
}
public_id_fields! { MessageId OfferId WebhookId TermsVersionId InterestId StoredEventId }
