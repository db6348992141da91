//! What rules make of an event.

use std::borrow::Cow;

use crate::domain::{AssetNumber, Points};

use super::action::Action;
use super::budget::Consumed;
use super::effect::{Caused, Effect, Recipient};
use super::expression::{Expression, Meter, NoValue, Number};
use super::outcome::{Evaluation, Outcome, Verdict};
use super::rule::Rule;
use super::set::RuleSet;
use super::state::{State, counted};
use super::values::{Event, Values};

/// The most effects of an event: all of them happen in one write.
pub(super) const EFFECTS_MAX: usize = 256;

/// Which evaluations are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Only those that an event stores: of rules that matched, or that could not be evaluated.
    Stored,
    /// Those of all rules.
    All,
}

/// What rules make of an event, from a state that is not changed. The same arguments always give
/// the same outcome.
///
/// Rules are evaluated in their order, and actions of each in theirs. Each sees the tags, counters,
/// attributes and budgets as those before it left them. If an action fails, nothing of the event
/// happens. Balances are not part of the state: the caller makes the effects happen, and reports
/// one that is impossible by [`Outcome::refused`].
///
/// ```
/// use stampcard::domain::Timestamp;
/// use stampcard::rules::{
///     ActionDraft, AssetTerms, Data, Effect, Event, Listed, Participant, Rule, RuleDraft, RuleSet,
///     RuleVersion, State, step,
/// };
/// let draft = RuleDraft {
///     condition: "event.type == 'purchase'".to_owned(),
///     actions: vec![ActionDraft {
///         kind: "CREDIT".to_owned(),
///         asset_id: Some("points".to_owned()),
///         amount: Some("event.amount * 0.1".to_owned()),
///         ..ActionDraft::default()
///     }],
///     order: 10,
///     ..RuleDraft::default()
/// };
/// let assets = |_: &str| Some(AssetTerms::default());
/// let rule = Rule::compile(RuleVersion { rule: 1, version: 1 }, &draft, &assets).unwrap();
/// let rules = RuleSet::new(vec![rule]);
///
/// let data = Data::parse_event(r#"{"type": "purchase", "amount": 129.90}"#).unwrap();
/// let at = Timestamp::parse("2026-11-30T12:00:00Z").unwrap();
/// let event = Event { data: &data, now: at, at, recipient: None, depth: 0 };
/// let ann = Participant {
///     external_id: "ann".into(),
///     is_active: true,
///     ..Participant::default()
/// };
/// let state = State { participant: Some(ann), ..State::default() };
///
/// let outcome = step(&rules, &event, &state, Listed::Stored);
/// let Effect::Credit { amount, .. } = &outcome.effects[0].effect else { panic!() };
/// assert_eq!(amount.get(), 12, "12.99, cut to whole points");
/// assert_eq!(outcome.evaluations[0].verdict.status(), Some("SUCCESS"));
/// ```
pub fn step(rules: &RuleSet, event: &Event<'_>, state: &State, listed: Listed) -> Outcome {
    let mut step = Step {
        event,
        state: Cow::Borrowed(state),
        outcome: Outcome::default(),
        stopped_by: None,
        has_broadcast: false,
    };
    let name = Expression::type_of(event.data);
    if listed == Listed::Stored {
        step.run(rules.for_type(name), listed);
        return step.outcome;
    }
    let asks = |rule: &Rule| match (rule.types(), name) {
        (None, _) => true,
        (Some(types), Some(name)) => types.iter().any(|asked| **asked == *name),
        (Some(_), None) => false,
    };
    for rule in rules.rules() {
        if !asks(rule) {
            step.list(rule, Verdict::OtherType);
        } else if !step.run(std::iter::once(rule), listed) {
            break;
        }
    }
    step.outcome
}

struct Step<'a> {
    event: &'a Event<'a>,
    state: Cow<'a, State>,
    outcome: Outcome,
    stopped_by: Option<&'a Rule>,
    has_broadcast: bool,
}

impl<'a> Step<'a> {
    fn values(&self) -> Values<'_> {
        Values {
            event: self.event,
            state: &self.state,
        }
    }

    fn list(&mut self, rule: &Rule, verdict: Verdict) {
        let rule = rule.version;
        self.outcome.evaluations.push(Evaluation { rule, verdict });
    }

    /// Evaluates rules, in order; whether later ones are evaluated, too.
    fn run(&mut self, rules: impl Iterator<Item = &'a Rule>, listed: Listed) -> bool {
        for rule in rules {
            let mut meter = Meter::default();
            let verdict = match rule.condition.boolean(self.values().scope(), &mut meter) {
                Ok(true) => self.matched(rule, &mut meter),
                Ok(false) => Verdict::NotMet,
                Err(NoValue::Absent(field)) => Verdict::Absent(field),
                Err(no_value @ NoValue::Failed(_)) => Verdict::SkippedError(no_value.to_string()),
                Err(no_value) => Verdict::SkippedTimeout(no_value.to_string()),
            };
            let has_failed = matches!(verdict, Verdict::Failed { .. });
            if listed == Listed::All || verdict.status().is_some() {
                self.list(rule, verdict);
            }
            if has_failed {
                self.outcome.effects.clear();
                self.outcome.budgets.clear();
                return false;
            }
        }
        true
    }

    /// A rule whose condition is met.
    fn matched(&mut self, rule: &'a Rule, meter: &mut Meter) -> Verdict {
        if !rule.is_active_at(self.event.at) {
            return Verdict::OutsideTimeWindow;
        }
        if let Some(prior) = self.stopped_by {
            return Verdict::StoppedByPriorRule(prior.version);
        }
        let mut is_over_budget = false;
        for (place, action) in rule.actions.iter().enumerate() {
            match self.act(rule, place, action, meter) {
                Ok(is_over) => is_over_budget |= is_over,
                Err(message) => {
                    let action = place;
                    return Verdict::Failed { action, message };
                }
            }
        }
        if rule.stop_after_match {
            self.stopped_by = Some(rule);
        }
        Verdict::Success { is_over_budget }
    }

    /// Runs an action; whether a budget does not allow it.
    ///
    /// # Errors
    /// A message that says why the action failed.
    fn act(
        &mut self,
        rule: &Rule,
        place: usize,
        action: &Action,
        meter: &mut Meter,
    ) -> Result<bool, String> {
        let recipient = self
            .values()
            .recipient(&action.target, &action.deed, meter)?;
        let Some(effect) = self.values().effect(&action.deed, meter)? else {
            return Ok(false);
        };
        self.check_active(&recipient, &effect)?;
        if let Effect::Credit { asset, amount, .. } = &effect
            && !self.draw(rule, *asset, *amount)
        {
            return Ok(true);
        }
        if let Effect::Count { key, increment, .. } = &effect {
            self.check_counter(&recipient, key, *increment)?;
        }
        if matches!(effect, Effect::Broadcast { .. }) {
            if self.has_broadcast {
                return Err("an event can be broadcast once".to_owned());
            }
            self.has_broadcast = true;
        }
        let caused = Caused {
            rule: rule.version,
            action: place,
            recipient,
            effect,
        };
        let is_trait = matches!(
            caused.effect,
            Effect::Tag(_) | Effect::Untag(_) | Effect::Count { .. } | Effect::SetAttribute { .. }
        );
        if is_trait {
            self.state.to_mut().apply(&caused, self.event.at);
        }
        if self.outcome.effects.len() >= EFFECTS_MAX {
            return Err(format!("an event has at most {EFFECTS_MAX} effects"));
        }
        self.outcome.effects.push(caused);
        Ok(false)
    }

    /// Uses the budget of a rule; whether it allows that.
    fn draw(&mut self, rule: &Rule, asset: Option<AssetNumber>, amount: Points) -> bool {
        let budget = rule.budgets.iter().find(|it| it.asset.asset == asset);
        let Some(budget) = budget else {
            return true;
        };
        let key = (rule.version.rule, asset);
        let stored: Option<Consumed> = self.outcome.budgets.get(&key).copied();
        let stored = stored.or_else(|| self.state.budgets.get(&key).copied());
        let Some(consumed) = budget.with(stored, self.event.at, amount) else {
            return false;
        };
        self.outcome.budgets.insert(key, consumed);
        true
    }

    fn is_own(&self, recipient: &Recipient) -> bool {
        let own = self.state.participant.as_ref();
        match recipient {
            Recipient::Participant(key) => own.is_some_and(|participant| participant.is(key)),
            Recipient::Program => false,
        }
    }

    fn check_active(&self, recipient: &Recipient, effect: &Effect) -> Result<(), String> {
        let needs_active = matches!(
            effect,
            Effect::Credit { .. }
                | Effect::Debit { .. }
                | Effect::Operation { .. }
                | Effect::Count { .. }
        );
        let own = self.state.participant.as_ref();
        let is_active = !self.is_own(recipient) || own.is_some_and(|own| own.is_active);
        if needs_active && !is_active {
            return Err("the participant is not active".to_owned());
        }
        Ok(())
    }

    fn check_counter(
        &self,
        recipient: &Recipient,
        key: &str,
        increment: Number,
    ) -> Result<(), String> {
        let own = self
            .state
            .participant
            .as_ref()
            .filter(|_| self.is_own(recipient));
        let counter = own.and_then(|own| own.traits.counters.get(key).copied());
        let sum = counted(counter, increment, None, self.event.at);
        sum.map(|_| ())
            .ok_or_else(|| format!("the counter {key} is out of range"))
    }
}
