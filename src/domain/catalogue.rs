//! The catalogue: the events to which webhooks subscribe, sets of them, and subscriptions.

use super::{Audience, Event, EventKind, Invalid, Refusal};

const CATALOGUE_COUNT: usize = {
    let (mut count, mut index) = (0, 0);
    while index < EventKind::ALL.len() {
        count += matches!(EventKind::ALL[index].audience(), Audience::Catalogue) as usize;
        index += 1;
    }
    count
};

/// The name of an event of the catalogue, to which webhooks can subscribe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventName(EventKind);

impl EventName {
    /// The whole catalogue, in the order of the table.
    pub const ALL: [Self; CATALOGUE_COUNT] = {
        let mut all = [Self(EventKind::MemberCreated); CATALOGUE_COUNT];
        let (mut count, mut index) = (0, 0);
        while index < EventKind::ALL.len() {
            if matches!(EventKind::ALL[index].audience(), Audience::Catalogue) {
                all[count] = Self(EventKind::ALL[index]);
                count += 1;
            }
            index += 1;
        }
        all
    };

    /// The name of a kind, if it is in the catalogue.
    pub const fn of(kind: EventKind) -> Option<Self> {
        match kind.audience() {
            Audience::Catalogue => Some(Self(kind)),
            Audience::Internal => None,
        }
    }

    /// The kind of event with the name.
    pub const fn kind(self) -> EventKind {
        self.0
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        self.0.as_str()
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }
}

impl Event {
    /// Its name, if it is in the catalogue.
    pub fn name(&self) -> Option<EventName> {
        EventName::of(self.kind())
    }
}

/// A set of events of the catalogue.
///
/// ```
/// use stampcard::domain::{EventName, EventSet};
/// let [created, removed] = ["member.created", "member.removed"].map(|name| {
///     EventName::parse(name).unwrap()
/// });
/// let set: EventSet = [created].into_iter().collect();
/// assert!(set.contains(created));
/// assert!(!set.contains(removed));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventSet(u128);

// A bit for each kind of event.
const _: () = assert!(EventKind::ALL.len() <= 128);

impl EventSet {
    /// Whether the set has an event.
    pub fn contains(self, event: EventName) -> bool {
        self.0 & bit(event) != 0
    }

    /// The events of both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<EventName> for EventSet {
    fn from_iter<I: IntoIterator<Item = EventName>>(events: I) -> Self {
        Self(events.into_iter().fold(0, |set, event| set | bit(event)))
    }
}

fn bit(event: EventName) -> u128 {
    1 << event.kind() as u32
}

/// The events that a webhook receives: at least one, each once, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription(Vec<EventName>);

impl Subscription {
    /// Reads the list of events given as `field`.
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

    /// The refusal of a `field` that names no event of the catalogue.
    pub fn unknown_event(field: impl Into<String>) -> Refusal {
        Refusal::WebhookEventUnknown {
            field: field.into(),
            catalogue: EventName::ALL.map(EventName::as_str).join(", "),
        }
    }

    /// Reads the list of a row: a JSON array of names, as the API of any release accepted it.
    ///
    /// # Errors
    /// [`Invalid`] if no release accepted it.
    pub fn parse_stored(field: &str, json: &str) -> Result<Self, Invalid> {
        let names: Vec<String> = serde_json::from_str(json)
            .map_err(|_| Invalid::new(field, "must be a JSON array of event names"))?;
        let event = |name: &String| {
            EventName::parse(name)
                .ok_or_else(|| Invalid::new(field, format!("names an unknown event, {name:?}")))
        };
        Self::new(field, names.iter().map(event).collect::<Result<_, _>>()?)
    }

    /// Trusts a list from the database.
    pub(crate) fn stored(events: Vec<EventName>) -> Self {
        Self(events)
    }

    /// The events in the order given.
    pub fn events(&self) -> &[EventName] {
        &self.0
    }

    /// The events as a set.
    pub fn set(&self) -> EventSet {
        self.0.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Shown;

    #[test]
    fn only_events_of_the_catalogue_show_an_object() {
        for kind in EventKind::ALL {
            let is_public = kind.audience() == Audience::Catalogue;
            assert_eq!(is_public, kind.shown() != Shown::Nothing, "{kind:?}");
            assert_eq!(is_public, EventName::of(kind).is_some());
        }
        assert_eq!(
            EventName::parse("member.created").unwrap().kind(),
            EventKind::MemberCreated
        );
        assert_eq!(EventName::parse("token.exchanged"), None);
    }

    #[test]
    fn every_name_is_read_back_and_has_its_own_bit() {
        let mut union = EventSet::default();
        for event in EventName::ALL {
            assert_eq!(EventName::parse(event.as_str()), Some(event));
            assert!(!union.contains(event));
            union = union.union([event].into_iter().collect());
            assert!(union.contains(event));
        }
        assert_eq!(EventName::parse("org.points.high"), None);
    }

    #[test]
    fn a_subscription_names_each_event_once() {
        let created = EventName::parse("member.created").unwrap();
        let twice = vec![created, created];
        let error = Subscription::new("events", twice).unwrap_err();
        assert!(
            error.to_string().contains("member.created is repeated"),
            "{error}"
        );
        assert!(Subscription::new("events", Vec::new()).is_err());
    }
}
