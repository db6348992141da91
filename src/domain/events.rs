//! The table of events: everything that can happen, declared once.
//!
//! Each entry gives the number of the kind in the log, the name, the audience, whether reports
//! count it, the object that streams and webhooks show, and the column of the log that carries each
//! field. [`Event`], [`EventKind`] and [`EventName`], the conversion between events and rows, SQL
//! conditions, and the events of the API's description are derived from it. Only the folds and the
//! object shown are written by hand, as matches that do not compile without an arm for each event.

use super::audience::{Audience, Counting, Shown};
use super::row::{Cells, Field as _, Fields, Row};
use super::{
    AssetNumber, AssetSymbol, BurnOrder, Column, Environment, ExternalUserId, Funding, InterestId,
    InterestStatus, InventoryMode, IssuancePolicy, LedgerEntry, MemberNumber, MessageId, OfferId,
    OfferNumber, OrganizationNumber, OrganizationStatus, Points, ProgramStatus, RedemptionMove,
    RedemptionNumber, RedemptionRating, RedemptionReturn, Role, RuleStatus, RuleVersionNumber,
    Scale, Seq, SettlementMode, StateChange, StoredEvent, TermsType, TermsVersionId, Tier,
    Timestamp, Units, WebhookId,
};

macro_rules! events {
    ($(
        $(#[doc = $doc:literal])+
        $number:literal $variant:ident $name:literal $audience:ident $counting:ident $shown:ident
        $( { $( $field:ident : $type:ty = $column:ident ),+ $(,)? } )?
        $( ( $payload:ident : $payload_type:ty ) )?
        ;
    )*) => {
        /// An event with everything that its folds need.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the fields are what the variant's sentence names")]
        pub enum Event {
            $( $(#[doc = $doc])+ $variant $( { $($field: $type),+ } )? $( ($payload_type) )?, )*
        }

        /// The kind of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventKind {
            $( $(#[doc = $doc])+ $variant, )*
        }

        impl EventKind {
            /// All of them, in the order of their numbers.
            pub const ALL: [Self; [$($number),*].len()] = [$(Self::$variant),*];

            /// The number in the log.
            pub const fn number(self) -> i64 {
                match self { $( Self::$variant => $number, )* }
            }

            /// The kind of this number.
            pub const fn of_number(number: i64) -> Option<Self> {
                match number { $( $number => Some(Self::$variant), )* _ => None }
            }

            /// The name: on the wire if it is in the catalogue.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }

            /// The receivers of such an event.
            pub const fn audience(self) -> Audience {
                match self { $( Self::$variant => Audience::$audience, )* }
            }

            /// Whether reports count it.
            pub const fn counting(self) -> Counting {
                match self { $( Self::$variant => Counting::$counting, )* }
            }

            /// The object that streams and webhooks show for it.
            pub const fn shown(self) -> Shown {
                match self { $( Self::$variant => Shown::$shown, )* }
            }

            /// A sentence that says what happened.
            pub fn about(self) -> &'static str {
                match self { $( Self::$variant => concat!($($doc),+).trim_start(), )* }
            }

            /// The columns that carry its fields, besides those of every row.
            pub const fn columns(self) -> &'static [Column] {
                match self { $(
                    Self::$variant => {
                        $( return &[$(Column::$column),+]; )?
                        $( return <$payload_type as Fields>::COLUMNS; )?
                        #[allow(unreachable_code, reason = "an event may have no fields")]
                        { &[] }
                    }
                )* }
            }
        }

        impl Event {
            /// The kind of an event.
            pub const fn kind(&self) -> EventKind {
                match self { $( Self::$variant { .. } => EventKind::$variant, )* }
            }

            /// Writes its fields into their columns.
            pub fn write<'a>(&'a self, row: &mut Row<'a>) {
                match self { $(
                    Self::$variant $( { $($field),+ } )? $( ($payload) )? => {
                        $( $( row.set(Column::$column, $field.cell()); )+ )?
                        $( $payload.write(row); )?
                    }
                )* }
            }

            /// Reads an event of a kind; `None` if the cells do not fit the kind.
            pub fn read(kind: EventKind, cells: &impl Cells) -> Option<Self> {
                let event = match kind { $(
                    EventKind::$variant => Self::$variant
                        $( { $($field: <$type>::of(cells.cell(Column::$column))?),+ } )?
                        $( ({ let $payload: $payload_type = Fields::read(cells)?; $payload }) )?,
                )* };
                event.is_consistent().then_some(event)
            }
        }
    };
}

events! {
    /// A member signed up with a tier, perhaps because of an event that is stored.
    1 MemberCreated "member.created" Catalogue Counted Member
        { member: MemberNumber = Member, tier: Tier = To, cause: Option<Seq> = Cause };
    /// A current member went from one tier to another.
    2 MemberTierChanged "member.tier_changed" Catalogue Counted Member
        { member: MemberNumber = Member, from: Tier = From, to: Tier = To };
    /// A member who held this tier was removed; the balance was retained or forfeited.
    3 MemberRemoved "member.removed" Catalogue Counted Member
        { member: MemberNumber = Member, tier: Tier = From, retained: bool = Flag };
    /// Points came into a wallet.
    4 WalletCredited "wallet.credited" Catalogue Counted Transaction (entry: LedgerEntry);
    /// Points went out of a wallet.
    5 WalletDebited "wallet.debited" Catalogue Counted Transaction (entry: LedgerEntry);
    /// A member redeemed an offer.
    6 RedemptionCreated "redemption.created" Catalogue Counted Redemption {
        member: MemberNumber = Member,
        offer: OfferNumber = Offer,
        redemption: RedemptionNumber = Redemption,
        charged: Points = Amount,
        quantity: Units = Available,
        first: bool = Flag,
    };
    /// A redemption was opened.
    7 RedemptionOpen "redemption.open" Catalogue Counted Redemption (moved: RedemptionMove);
    /// A redemption waits for the vendor.
    8 RedemptionAwaitingVendor "redemption.awaiting_vendor" Catalogue Counted Redemption
        (moved: RedemptionMove);
    /// A redemption waits for the customer.
    9 RedemptionAwaitingCustomer "redemption.awaiting_customer" Catalogue Counted Redemption
        (moved: RedemptionMove);
    /// The offer of a redemption was purchased.
    10 RedemptionPurchased "redemption.purchased" Catalogue Counted Redemption
        (moved: RedemptionMove);
    /// A redemption was completed.
    11 RedemptionCompleted "redemption.completed" Catalogue Counted Redemption
        (moved: RedemptionMove);
    /// A redemption was canceled.
    12 RedemptionCanceled "redemption.canceled" Catalogue Counted Redemption
        (moved: RedemptionMove);
    /// A message was sent in a member's conversation.
    13 MessageCreated "conversation.message_created" Catalogue Counted Message
        { member: MemberNumber = Member, message: MessageId = Object, role: Option<Role> = To };
    /// The pool of the program's organization fell below its threshold.
    14 OrgPointsLow "org.points.low" Catalogue Uncounted PointsLow {
        organization: OrganizationNumber = Organization,
        balance: i64 = Available,
        threshold: i64 = Amount,
    };
    /// Points were bought for the pool of the program's organization.
    15 OrgPointsPurchased "org.points.purchased" Catalogue Uncounted PointsPurchased {
        organization: OrganizationNumber = Organization,
        balance: i64 = Available,
        amount: i64 = Amount,
    };
    /// Points of a member expired at this time; this balance was left.
    16 BalanceExpired "balance.expired" Catalogue Uncounted Expired {
        member: MemberNumber = Member,
        amount: Points = Amount,
        at: Timestamp = ExpiresAt,
        balance: i64 = Available,
    };
    /// Points of a member will expire at this time; this was the balance.
    17 WalletExpiring "wallet.expiring" Catalogue Uncounted Expired {
        member: MemberNumber = Member,
        amount: Points = Amount,
        at: Timestamp = ExpiresAt,
        due_at: Timestamp = DueAt,
        balance: i64 = Available,
    };
    /// Points were put into the program's wallet, from which an asset is credited; this many are in
    /// it now.
    18 ProgramFunded "program.funded" Catalogue Uncounted Funding (funding: Funding);
    /// Points were taken out of the program's wallet; this many are left in it.
    19 ProgramBurned "program.burned" Catalogue Uncounted Funding (funding: Funding);
    /// A member token was created: an identification if the member held none that was good, and
    /// then perhaps with a credit taken.
    20 TokenExchanged "token.exchanged" Internal Uncounted Nothing {
        member: MemberNumber = Member,
        identified: bool = Flag,
        credit: bool = Amount,
        expires_at: Option<Timestamp> = ExpiresAt,
    };
    /// Points moved between a wallet's buckets, or came into one where they cannot be spent.
    21 WalletMoved "wallet.moved" Internal Uncounted Nothing (entry: LedgerEntry);
    /// An event for the earning rules of a program was stored and processed.
    22 EventStored "event.stored" Internal Counted Nothing (stored: StoredEvent);
    /// A removed member came back with this tier.
    30 MemberRestored "member.restored" Internal Uncounted Nothing
        { member: MemberNumber = Member, tier: Tier = To };
    /// A member's personal data was erased; a random id took the place of the operator's.
    31 MemberErased "member.erased" Internal Uncounted Nothing
        { member: MemberNumber = Member, id: ExternalUserId = Name };
    /// A member's name, email, phone number or attributes changed.
    32 MemberChanged "member.changed" Internal Uncounted Nothing { member: MemberNumber = Member };
    /// A redemption's booking dates changed: it begins and ends at these times from then on.
    33 RedemptionChanged "redemption.changed" Internal Uncounted Nothing {
        member: MemberNumber = Member,
        offer: OfferNumber = Offer,
        redemption: RedemptionNumber = Redemption,
        start_at: Option<Timestamp> = MaturesAt,
        end_at: Option<Timestamp> = ExpiresAt,
    };
    /// A member rated a completed redemption, or replaced the rating before.
    34 RedemptionRated "redemption.rated" Internal Uncounted Nothing (rated: RedemptionRating);
    /// A member was suspended, or is not suspended any more.
    35 MemberStatusChanged "member.status_changed" Internal Uncounted Nothing
        { member: MemberNumber = Member, suspended: bool = Flag };
    /// Units of a redemption were returned; its status stayed.
    36 RedemptionReturned "redemption.returned" Internal Uncounted Nothing
        (returned: RedemptionReturn);
    /// A tag, a counter or an attribute of a member changed.
    37 StateChanged "participant.state_changed" Internal Uncounted Nothing (change: StateChange);
    /// An offer was created.
    40 OfferCreated "offer.created" Internal Uncounted Nothing
        { offer: OfferNumber = Offer, id: OfferId = Object, stock: Option<i64> = Amount };
    /// An offer's content changed.
    41 OfferChanged "offer.changed" Internal Uncounted Nothing
        { offer: OfferNumber = Offer, stock: Option<i64> = Amount };
    /// An offer was archived.
    42 OfferArchived "offer.archived" Internal Uncounted Nothing { offer: OfferNumber = Offer };
    /// A program was created.
    50 ProgramCreated "program.created" Internal Uncounted Nothing
        { organization: OrganizationNumber = Organization, default_tier: Option<Tier> = Name };
    /// A program's settings changed, or its clock was moved: it is this many milliseconds ahead.
    /// Points that expire are announced this many days before, or not, if it is 0.
    51 ProgramChanged "program.changed" Internal Uncounted Nothing {
        status: Option<ProgramStatus> = To,
        default_tier: Option<Tier> = Name,
        ahead: Option<i64> = Amount,
        expiry_notice: Option<i64> = Available,
    };
    /// The way in which the program's points or a further asset are kept was set, and perhaps when
    /// the points expire that there were before they were in lots. A further asset is archived from
    /// then on, or in use. It is marked if it is credited from the program's wallet.
    52 AssetChanged "asset.changed" Internal Uncounted Nothing {
        asset: Option<AssetNumber> = Asset,
        mode: InventoryMode = To,
        burn_order: BurnOrder = Name,
        max_amount: Option<Points> = Amount,
        expires_at: Option<Timestamp> = ExpiresAt,
        archived: Option<bool> = Flag,
        policy: IssuancePolicy = Available,
    };
    /// A further asset with a symbol and a number of decimals was created in a program. It is
    /// marked if it is credited from the program's wallet.
    53 AssetCreated "asset.created" Internal Uncounted Nothing {
        asset: AssetNumber = Asset,
        mode: InventoryMode = To,
        burn_order: BurnOrder = From,
        symbol: AssetSymbol = Name,
        scale: Scale = Available,
        max_amount: Option<Points> = Amount,
        policy: IssuancePolicy = Flag,
    };
    /// An organization was created.
    60 OrganizationCreated "organization.created" Internal Uncounted Nothing {
        organization: OrganizationNumber = Organization,
        status: OrganizationStatus = To,
        environment: Environment = Name,
    };
    /// An organization's settings changed; it went from one status to another, or kept its own.
    61 OrganizationChanged "organization.changed" Internal Uncounted Nothing {
        organization: OrganizationNumber = Organization,
        from: OrganizationStatus = From,
        to: OrganizationStatus = To,
    };
    /// The limits or the mode of an organization's pool were set; it has a pool from then on.
    62 PoolChanged "pool.changed" Internal Uncounted Nothing {
        organization: OrganizationNumber = Organization,
        credit_limit: i64 = Amount,
        mode: SettlementMode = To,
        low_threshold: i64 = Available,
    };
    /// Points were bought for an organization's pool; it has a pool from then on.
    63 PoolFunded "pool.funded" Internal Uncounted Nothing
        { organization: OrganizationNumber = Organization, amount: i64 = Amount };
    /// A redemption was paid from the pool of the program's organization.
    64 PoolDrawn "pool.drawn" Internal Uncounted Nothing {
        member: MemberNumber = Member,
        redemption: RedemptionNumber = Redemption,
        amount: Points = Amount,
    };
    /// A canceled redemption gave back to the pool what it drew.
    65 PoolReturned "pool.returned" Internal Uncounted Nothing {
        member: MemberNumber = Member,
        redemption: RedemptionNumber = Redemption,
        amount: Points = Amount,
    };
    /// A webhook was created.
    70 WebhookCreated "webhook.created" Internal Uncounted Nothing { webhook: WebhookId = Object };
    /// A webhook's settings changed; from then on it is disabled, or in use.
    71 WebhookChanged "webhook.changed" Internal Uncounted Nothing
        { webhook: WebhookId = Object, disabled: bool = Flag };
    /// A version of an earning rule is in force from then on, with this status of the rule.
    73 RuleChanged "rule.changed" Internal Uncounted Nothing
        { version: RuleVersionNumber = RuleVersion, status: RuleStatus = To };
    /// What an earning rule used of its budget of an asset was set to zero.
    74 BudgetReset "rule.budget_reset" Internal Uncounted Nothing
        { version: RuleVersionNumber = RuleVersion, asset: Option<AssetNumber> = Asset };
    /// A version of a legal document was published.
    80 TermsPublished "terms.published" Internal Uncounted Nothing
        { version: TermsVersionId = Object, of: TermsType = Name };
    /// A member accepted a version of a legal document.
    81 TermsAccepted "terms.accepted" Internal Uncounted Nothing
        { member: MemberNumber = Member, version: TermsVersionId = Object };
    /// A member showed interest in an offer.
    90 InterestCreated "interest.created" Internal Uncounted Nothing {
        member: MemberNumber = Member,
        offer: OfferNumber = Offer,
        interest: InterestId = Object,
    };
    /// An interest got another intake, phone verification or status.
    91 InterestChanged "interest.changed" Internal Uncounted Nothing {
        member: MemberNumber = Member,
        interest: InterestId = Object,
        status: InterestStatus = To,
        phone_verified: bool = Flag,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Entry;

    #[test]
    fn numbers_and_names_are_unique_and_numbers_rise() {
        for pair in EventKind::ALL.windows(2) {
            assert!(pair[0].number() < pair[1].number(), "{pair:?}");
        }
        for kind in EventKind::ALL {
            assert_eq!(EventKind::of_number(kind.number()), Some(kind));
            let same = |other: &EventKind| other.as_str() == kind.as_str();
            let count = EventKind::ALL.iter().filter(|k| same(k)).count();
            assert_eq!(count, 1, "{kind:?}");
            assert!(kind.about().ends_with('.'), "{kind:?}");
        }
    }

    #[test]
    fn a_row_that_contradicts_its_kind_is_no_event() {
        let entry = LedgerEntry {
            entry: Entry::Spend,
            amount: Points::new(5).unwrap(),
            member: MemberNumber(1),
            asset: None,
            offer: None,
            redemption: None,
            first: true,
            reason: None,
            buckets: None,
        };
        let event = Event::of_entry(entry);
        assert_eq!(event.kind(), EventKind::WalletDebited);
        let mut row = Row::default();
        event.write(&mut row);
        assert_eq!(
            Event::read(EventKind::WalletDebited, &row).as_ref(),
            Some(&event)
        );
        assert_eq!(Event::read(EventKind::WalletCredited, &row), None);
        assert_eq!(Event::read(EventKind::RedemptionOpen, &row), None);
    }

    #[test]
    fn an_entry_of_a_further_asset_is_internal_whatever_its_kind_is() {
        let entry = LedgerEntry {
            entry: Entry::Mint,
            amount: Points::new(5).unwrap(),
            member: MemberNumber(1),
            asset: Some(AssetNumber(7)),
            offer: None,
            redemption: None,
            first: false,
            reason: None,
            buckets: None,
        };
        let event = Event::of_entry(entry.clone());
        assert_eq!(event.kind(), EventKind::WalletMoved);
        assert!(!event.is_counted());
        let mut row = Row::default();
        event.write(&mut row);
        let read = Event::read(EventKind::WalletMoved, &row);
        assert_eq!(read.as_ref(), Some(&event));
        assert_eq!(Event::read(EventKind::WalletCredited, &row), None);
        let first = LedgerEntry {
            first: true,
            ..entry
        };
        let (event, mut row) = (Event::of_entry(first), Row::default());
        event.write(&mut row);
        assert_eq!(Event::read(EventKind::WalletMoved, &row), None);
    }
}
