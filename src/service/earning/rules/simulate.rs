//! Simulations: what one rule would make of an event, for a participant that the request describes.

use std::collections::HashMap;

use super::{Shown, find};
use crate::domain::{AssetNumber, BalanceOperation, Points, Timestamp};
use crate::rules::{
    Caused, Counter, Data, Effect, Event, Listed, Participant, Recipient, RuleSet, State, Verdict,
    counted, step,
};
use crate::service::loyalty::sandbox;
use crate::service::{KeyPrincipal, ServiceError, Services};
use crate::store::rules::RuleRow;
use crate::store::{self, Connection};
use crate::wire::{
    SimulateRuleRequest, SimulatedActionResponse, SimulatedEvaluationResponse,
    SimulatedResultResponse, SimulatedRuleResponse, SimulationResponse,
};

impl Services {
    /// What a rule would make of an event. Nothing is stored.
    ///
    /// # Errors
    /// `not_found` if the key's program has no such rule.
    pub async fn simulate_rule(
        &self,
        key: KeyPrincipal,
        id: String,
        request: SimulateRuleRequest,
    ) -> Result<SimulationResponse, ServiceError> {
        let uuid = self.directory.uuid_of(key.program)?;
        let clock = self.clock.clone();
        self.look_up(key, move |connection| {
            let at = sandbox::now(connection, &clock, key.program)?;
            let rule = find(connection, &key, &id)?;
            let shown = Shown::of(connection, key, uuid)?;
            let set = RuleSet::new(vec![shown.compiled(&rule)?]);
            let simulation = Simulation::of(connection, key, (&rule, at))?;
            Ok(simulation.run(&set, &request))
        })
        .await
    }
}

/// An asset in a simulation.
struct Shape {
    symbol: String,
    scale: crate::domain::Scale,
}

/// A simulation of a rule at a time.
struct Simulation<'a> {
    rule: &'a RuleRow,
    at: Timestamp,
    assets: HashMap<Option<AssetNumber>, Shape>,
    limits: Vec<(Option<AssetNumber>, Points)>,
}

impl<'a> Simulation<'a> {
    fn of(
        connection: &Connection,
        key: KeyPrincipal,
        (rule, at): (&'a RuleRow, Timestamp),
    ) -> Result<Self, store::Error> {
        let program = store::programs::get(connection, key.program)?;
        let points = store::assets::find(connection, key.program)?;
        let further = store::assets::further(connection, key.program, AssetNumber(0), usize::MAX)?;
        let all = || points.iter().chain(&further);
        let limits = all().filter_map(|asset| Some((asset.number(), asset.max_amount?)));
        let shapes = all().filter_map(|asset| {
            let further = asset.further.as_ref()?;
            let shape = Shape {
                symbol: further.symbol.as_str().to_owned(),
                scale: further.scale,
            };
            Some((Some(further.number), shape))
        });
        let mut assets: HashMap<_, _> = shapes.collect();
        let own = Shape {
            symbol: program.currency.symbol.as_str().to_owned(),
            scale: crate::domain::Scale::WHOLE,
        };
        assets.insert(None, own);
        Ok(Self {
            rule,
            at,
            limits: limits.collect(),
            assets,
        })
    }

    fn run(&self, set: &RuleSet, request: &SimulateRuleRequest) -> SimulationResponse {
        let state = self.state(request);
        let event = Event {
            data: &request.event,
            now: self.at,
            at: self.at,
            recipient: None,
            depth: 0,
        };
        let outcome = step(set, &event, &state, Listed::All);
        let verdict = outcome.evaluations.first().map(|it| &it.verdict);
        let matched = matches!(
            verdict,
            Some(Verdict::Success { .. } | Verdict::Failed { .. })
        );
        let no_value = match verdict {
            Some(Verdict::Absent(field)) => Some(format!("the field {field} is absent")),
            Some(Verdict::SkippedError(why) | Verdict::SkippedTimeout(why)) => Some(why.clone()),
            _ => None,
        };
        let error_message = match verdict {
            Some(Verdict::Failed { message, .. }) => Some(message.clone()),
            _ => None,
        };
        let status = match no_value {
            Some(_) => "condition_failed",
            None => "evaluated",
        };
        let reason = verdict.and_then(Verdict::reason).map(str::to_owned);
        let document = &self.rule.document;
        SimulationResponse {
            rule: SimulatedRuleResponse {
                id: self.rule.uuid.to_string(),
                name: document.name.as_str().to_owned(),
                condition: document.draft.condition.clone(),
                order: document.draft.order,
                stop_after_match: document.draft.stop_after_match,
            },
            evaluation: SimulatedEvaluationResponse {
                matched,
                status,
                reason: no_value.or(reason),
                results: matched.then(|| match error_message {
                    Some(_) => Vec::new(),
                    None => self.results(state, &outcome.effects),
                }),
                error_message,
            },
        }
    }

    /// The state that a request describes.
    fn state(&self, request: &SimulateRuleRequest) -> State {
        let mut own = Participant {
            is_active: true,
            ..Participant::default()
        };
        let given = request.participant.clone().unwrap_or_default();
        for tag in &given.tags {
            own.traits.add_tag(tag);
        }
        let counters = given.counters.into_iter().map(|(key, value)| {
            let counter = Counter {
                value,
                reset_after: None,
                last_reset_at: self.at,
            };
            (key.into(), counter)
        });
        own.traits.counters = counters.collect();
        own.traits.attributes = given.attributes;
        State {
            participant: Some(own),
            amount_limits: self.limits.iter().copied().collect(),
            ..State::default()
        }
    }

    /// What each action would do. Each sees the state as those before it left it.
    fn results(&self, mut state: State, effects: &[Caused]) -> Vec<SimulatedActionResponse> {
        let actions = self.rule.document.draft.actions.iter().enumerate();
        let results = actions.map(|(place, action)| {
            let caused = effects.iter().find(|caused| caused.action == place);
            let result = match caused {
                Some(caused) => {
                    let result = self.result(&state, caused);
                    state.apply(caused, self.at);
                    result
                }
                None => described(
                    "Nothing: the amount is 0, or the budget of the rule does not allow it",
                ),
            };
            SimulatedActionResponse {
                action: action.clone(),
                result,
            }
        });
        results.collect()
    }

    fn result(&self, state: &State, caused: &Caused) -> SimulatedResultResponse {
        let own = state.participant.as_ref();
        let own = own.filter(|own| match &caused.recipient {
            Recipient::Participant(key) => own.is(key),
            Recipient::Program => false,
        });
        let whom = match (&caused.recipient, own) {
            (_, Some(_)) => "participant",
            (Recipient::Program, None) => "program",
            (Recipient::Participant(_), None) => "another participant",
        };
        match &caused.effect {
            Effect::Credit { asset, amount, .. } => {
                self.moved(*asset, Some(*amount), ("Credit", "to", whom))
            }
            Effect::Debit { asset, amount, .. } => {
                self.moved(*asset, Some(*amount), ("Debit", "from", whom))
            }
            Effect::Operation {
                operation: BalanceOperation::VoidHold,
                ..
            } => described("VOID_HOLD is not simulated"),
            Effect::Operation {
                operation,
                asset,
                amount,
                ..
            } => {
                let verb = match operation {
                    BalanceOperation::Hold => "Hold",
                    BalanceOperation::Release => "Release",
                    BalanceOperation::Forfeit | BalanceOperation::VoidHold => "Forfeit",
                };
                self.moved(*asset, *amount, (verb, "of", whom))
            }
            effect => traits(own, effect, (whom, self.at)),
        }
    }

    /// The result of an action that moves points; `None`: all that there are.
    fn moved(
        &self,
        asset: Option<AssetNumber>,
        amount: Option<Points>,
        (verb, side, whom): (&str, &str, &str),
    ) -> SimulatedResultResponse {
        let shape = self.assets.get(&asset);
        let symbol = shape.map(|shape| shape.symbol.clone()).unwrap_or_default();
        let amount = shape
            .zip(amount)
            .map(|(shape, points)| shape.scale.show_points(points));
        let much = amount.as_deref().unwrap_or("all");
        SimulatedResultResponse {
            description: format!("{verb} {much} {symbol} {side} {whom}"),
            asset_symbol: Some(symbol),
            amount,
            ..SimulatedResultResponse::default()
        }
    }
}

fn described(description: impl Into<String>) -> SimulatedResultResponse {
    SimulatedResultResponse {
        description: description.into(),
        ..SimulatedResultResponse::default()
    }
}

/// The result of an action that changes what a participant has; `own` is that of the event, if the
/// action is for it.
fn traits(
    own: Option<&Participant>,
    effect: &Effect,
    (whom, at): (&str, Timestamp),
) -> SimulatedResultResponse {
    let traits = own.map(|own| &own.traits);
    let tags = traits.map(|traits| traits.tags().iter().map(ToString::to_string).collect());
    let has = |tag: &str| traits.map(|traits| traits.tags().iter().any(|own| **own == *tag));
    match effect {
        Effect::Tag(tag) => SimulatedResultResponse {
            current_tags: tags,
            would_add: has(tag).map(|has| !has),
            ..described(format!("Tag {whom} with {tag}"))
        },
        Effect::Untag(tag) => SimulatedResultResponse {
            current_tags: tags,
            would_remove: has(tag),
            ..described(format!("Remove tag {tag} from {whom}"))
        },
        Effect::Count {
            key,
            increment,
            reset_after,
        } => {
            let counter = traits.map(|traits| traits.counters.get(key).copied());
            let after = counter.and_then(|it| counted(it, *increment, *reset_after, at));
            let show = |counter: Option<Counter>| {
                let value = counter.map_or(crate::rules::Number::ZERO, |it| it.value_at(at));
                value.normalize().to_string()
            };
            let increment = increment.normalize();
            SimulatedResultResponse {
                current_value: counter.map(show),
                projected_value: after.map(|after| show(Some(after))),
                value: Some(increment.to_string()),
                ..described(format!("Add {increment} to counter {key} of {whom}"))
            }
        }
        Effect::SetAttribute { key, value } => {
            let current = traits.map(|traits| traits.attributes.get(key));
            let is_same = |data: Option<&Data>| data == Some(&Data::Text(value.clone()));
            SimulatedResultResponse {
                current_value: current.flatten().map(shown),
                value: Some(value.to_string()),
                would_change: current.map(|current| !is_same(current)),
                ..described(format!("Set attribute {key} of {whom}"))
            }
        }
        Effect::Schedule { due, .. } => described(format!("Schedule an event for {due}")),
        Effect::Broadcast { .. } => described("Broadcast an event to all participants"),
        Effect::Credit { .. } | Effect::Debit { .. } | Effect::Operation { .. } => {
            described("Move points")
        }
    }
}

/// An attribute as text.
fn shown(data: &Data) -> String {
    match data {
        Data::Text(text) => text.to_string(),
        Data::Number(number) => number.to_string(),
        Data::Bool(it) => it.to_string(),
        Data::Null | Data::OutOfRange => "null".to_owned(),
        Data::List(_) | Data::Map(_) => "(a list or an object)".to_owned(),
    }
}
