//! Earning rules: what an event brings about, as a function without side effects.
//!
//! **The parts.** [`Expression`] is a condition, an amount or a text: a subset of the Common
//! Expression Language on decimals, with bounds on its length, its depth, its steps and its memory.
//! [`RuleDraft`] is a rule as it is written; [`Rule::compile`] checks all of it and names the field
//! that is wrong. [`RuleSet`] holds the rules of a program and finds those that ask for the type of
//! an event. [`step`] takes rules, an [`Event`] and a [`State`] and returns an [`Outcome`]: the
//! effects, the evaluations and the budgets.
//!
//! **The caller.** Processing, simulating and checking an event are one function with states from
//! different places. A caller fills the state as it is when the event is processed, calls [`step`],
//! and makes the effects happen in order. Balances are its affair: if an effect is impossible, it
//! rolls back and takes [`Outcome::refused`]. A caller that keeps a state of its own changes it by
//! [`State::apply`] and the outcome's budgets.
//!
//! **Versions.** An effect names the version of the rule that caused it. The version of the
//! evaluator, [`EVALUATOR_VERSION`], is stored with each version of a rule, so that an event can be
//! checked by the one that processed it.
//!
//! **Must not know**: HTTP, SQL, or a clock.

mod action;
mod budget;
mod cron;
mod document;
mod draft;
mod duration;
mod effect;
mod expression;
mod json;
mod outcome;
mod rule;
mod set;
mod state;
mod step;
mod values;

pub use self::budget::{Budget, Consumed, Schedule};
pub use self::cron::Cron;
pub use self::document::RuleDocument;
pub use self::draft::{
    ActionDraft, ActionKind, AssetTerms, BudgetDraft, Problem, RuleDraft, RuleError, TargetDraft,
};
pub use self::duration::parse_duration;
pub use self::effect::{Caused, Effect, ParticipantKey, Recipient, RuleVersion};
pub use self::expression::{
    Counter, Data, DataMap, Expression, Failure, Kind, Limit, Meter, NoData, NoValue, Number,
    Place, Scope, SyntaxError, Traits, parse_decimal,
};
pub use self::outcome::{Evaluation, Outcome, Verdict};
pub use self::rule::Rule;
pub use self::set::RuleSet;
pub use self::state::{Participant, State, counted};
pub use self::step::{Listed, step};
pub use self::values::{DEPTH_MAX, Event};

/// The version of the evaluator. It changes when an expression, a rounding, an order of actions or
/// a limit has another result than before.
pub const EVALUATOR_VERSION: u32 = 1;
