//! What a step starts from.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::domain::{AssetNumber, Points, Timestamp};

use super::budget::Consumed;
use super::effect::{Caused, Effect, ParticipantKey, Recipient};
use super::expression::{Counter, Data, Number, Traits};

/// The participant of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Participant {
    /// Its id.
    pub id: Uuid,
    /// The operator's own id.
    pub external_id: Box<str>,
    /// Whether points and counters of it may change.
    pub is_active: bool,
    /// Its tags, counters and attributes.
    pub traits: Traits,
}

impl Participant {
    /// Whether a key names this participant.
    pub fn is(&self, key: &ParticipantKey) -> bool {
        match key {
            ParticipantKey::Id(id) => *id == self.id,
            ParticipantKey::ExternalId(id) => *id == self.external_id,
        }
    }
}

/// What a step starts from: everything that rules can see or that bounds what they do, when the
/// event is processed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The participant of the event, if it has one.
    pub participant: Option<Participant>,
    /// What was used of the budgets of rules, by the number of the rule and the asset. Nothing was
    /// used of one that is absent.
    pub budgets: BTreeMap<(u64, Option<AssetNumber>), Consumed>,
    /// The most points that one credit or debit may move, by asset.
    pub amount_limits: BTreeMap<Option<AssetNumber>, Points>,
}

impl State {
    /// Makes the change of tags, counters or attributes that an effect is, if it is for the
    /// participant of the event. Points are not part of the state.
    pub fn apply(&mut self, caused: &Caused, at: Timestamp) {
        let Some(participant) = &mut self.participant else {
            return;
        };
        let Recipient::Participant(key) = &caused.recipient else {
            return;
        };
        if !participant.is(key) {
            return;
        }
        let traits = &mut participant.traits;
        match &caused.effect {
            Effect::Tag(tag) => _ = traits.add_tag(tag),
            Effect::Untag(tag) => _ = traits.remove_tag(tag),
            Effect::SetAttribute { key, value } => {
                traits
                    .attributes
                    .insert(key.clone(), Data::Text(value.clone()));
            }
            Effect::Count {
                key,
                increment,
                reset_after,
            } => {
                let counter = traits.counters.get(key).copied();
                // The step refused the increment if the sum is out of range.
                if let Some(counter) = counted(counter, *increment, *reset_after, at) {
                    traits.counters.insert(key.clone(), counter);
                }
            }
            _ => (),
        }
    }
}

/// A counter after an increment; `None` if the sum is out of range.
///
/// A counter whose time is over starts from zero then, and its time starts again. An increment does
/// not start it.
pub fn counted(
    counter: Option<Counter>,
    increment: Number,
    reset_after: Option<std::time::Duration>,
    at: Timestamp,
) -> Option<Counter> {
    let before = counter.filter(|counter| !counter.is_over(at));
    let value = before.map_or(Number::ZERO, |counter| counter.value);
    Some(Counter {
        value: value.checked_add(increment)?,
        reset_after: reset_after.or(counter.and_then(|counter| counter.reset_after)),
        last_reset_at: before.map_or(at, |counter| counter.last_reset_at),
    })
}
