//! The event catalogue: the thirteen names that webhooks can listen to and reports count.

use super::{Invalid, Status};

/// The name of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say all there is to say")]
pub enum EventName {
    RedemptionCreated,
    RedemptionOpen,
    RedemptionAwaitingVendor,
    RedemptionAwaitingCustomer,
    RedemptionPurchased,
    RedemptionCompleted,
    RedemptionCanceled,
    WalletCredited,
    WalletDebited,
    MemberCreated,
    MemberTierChanged,
    MemberRemoved,
    ConversationMessageCreated,
}

impl EventName {
    /// The whole catalogue.
    pub const ALL: [Self; 13] = [
        Self::RedemptionCreated,
        Self::RedemptionOpen,
        Self::RedemptionAwaitingVendor,
        Self::RedemptionAwaitingCustomer,
        Self::RedemptionPurchased,
        Self::RedemptionCompleted,
        Self::RedemptionCanceled,
        Self::WalletCredited,
        Self::WalletDebited,
        Self::MemberCreated,
        Self::MemberTierChanged,
        Self::MemberRemoved,
        Self::ConversationMessageCreated,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RedemptionCreated => "redemption.created",
            Self::RedemptionOpen => "redemption.open",
            Self::RedemptionAwaitingVendor => "redemption.awaiting_vendor",
            Self::RedemptionAwaitingCustomer => "redemption.awaiting_customer",
            Self::RedemptionPurchased => "redemption.purchased",
            Self::RedemptionCompleted => "redemption.completed",
            Self::RedemptionCanceled => "redemption.canceled",
            Self::WalletCredited => "wallet.credited",
            Self::WalletDebited => "wallet.debited",
            Self::MemberCreated => "member.created",
            Self::MemberTierChanged => "member.tier_changed",
            Self::MemberRemoved => "member.removed",
            Self::ConversationMessageCreated => "conversation.message_created",
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }

    /// The event of a redemption that enters a status.
    pub fn of_status(status: Status) -> Self {
        match status {
            Status::Submitted => Self::RedemptionCreated,
            Status::Open => Self::RedemptionOpen,
            Status::AwaitingVendor => Self::RedemptionAwaitingVendor,
            Status::AwaitingCustomer => Self::RedemptionAwaitingCustomer,
            Status::Purchased => Self::RedemptionPurchased,
            Status::Completed => Self::RedemptionCompleted,
            Status::Canceled => Self::RedemptionCanceled,
        }
    }
}

/// A set of events of the catalogue.
///
/// ```
/// use stampcard::domain::{EventName, EventSet};
/// let set: EventSet = [EventName::MemberCreated].into_iter().collect();
/// assert!(set.contains(EventName::MemberCreated));
/// assert!(!set.contains(EventName::MemberRemoved));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventSet(u16);

impl EventSet {
    /// Whether an event is in it.
    pub fn contains(self, event: EventName) -> bool {
        self.0 & (1 << event as u16) != 0
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<EventName> for EventSet {
    fn from_iter<I: IntoIterator<Item = EventName>>(events: I) -> Self {
        let add = |set: u16, event: EventName| set | 1 << event as u16;
        Self(events.into_iter().fold(0, add))
    }
}

/// The events that a webhook listens to: at least one, each once, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription(Vec<EventName>);

impl Subscription {
    /// Takes a list of events given as `field`.
    ///
    /// # Errors
    /// [`Invalid`] if it is empty or names one twice.
    pub fn new(field: &str, events: Vec<EventName>) -> Result<Self, Invalid> {
        if events.is_empty() {
            return Err(Invalid::new(field, "must name at least one event"));
        }
        for (index, event) in events.iter().enumerate() {
            if events[..index].contains(event) {
                let expected = format!("must name each event once; {} is repeated", event.as_str());
                return Err(Invalid::new(field, expected));
            }
        }
        Ok(Self(events))
    }

    /// Takes a list that the database holds.
    pub(crate) fn stored(events: Vec<EventName>) -> Self {
        Self(events)
    }

    /// The events, in the order given.
    pub fn events(&self) -> &[EventName] {
        &self.0
    }

    /// The events, as a set.
    pub fn set(&self) -> EventSet {
        self.0.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_has_a_bit_of_its_own() {
        let mut union = EventSet::default();
        for event in EventName::ALL {
            assert_eq!(EventName::parse(event.as_str()), Some(event));
            assert!(!union.contains(event));
            union = union.union([event].into_iter().collect());
            assert!(union.contains(event));
        }
        assert_eq!(EventName::parse("org.points.low"), None);
    }

    #[test]
    fn a_subscription_names_each_event_once() {
        let twice = vec![EventName::MemberCreated, EventName::MemberCreated];
        let error = Subscription::new("events", twice).unwrap_err();
        assert!(
            error.to_string().contains("member.created is repeated"),
            "{error}"
        );
        assert!(Subscription::new("events", Vec::new()).is_err());
    }
}
