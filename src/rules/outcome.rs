//! What rules made of an event.

use std::collections::BTreeMap;

use crate::domain::AssetNumber;

use super::budget::Consumed;
use super::effect::{Caused, RuleVersion};

/// The result of a rule for an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It matched, and its actions have effects.
    Success {
        /// Whether a credit was left out because a budget does not allow it.
        is_over_budget: bool,
    },
    /// It matched, and an action failed: nothing of the event happens.
    Failed {
        /// The place of the action in the rule, from 0.
        action: usize,
        /// Why.
        message: String,
    },
    /// It would have matched, but the time is outside of its window.
    OutsideTimeWindow,
    /// It would have matched, but an earlier rule stopped the evaluation.
    StoppedByPriorRule(RuleVersion),
    /// Its condition failed.
    SkippedError(String),
    /// Its condition reached a limit.
    SkippedTimeout(String),
    /// Its condition is false.
    NotMet,
    /// Its condition reached a field that is absent.
    Absent(Box<str>),
    /// It asks for other types of events.
    OtherType,
}

impl Verdict {
    /// The status of the evaluation on the wire; `None` if the rule did not match.
    pub fn status(&self) -> Option<&'static str> {
        Some(match self {
            Self::Success { .. } => "SUCCESS",
            Self::Failed { .. } => "FAILED",
            Self::OutsideTimeWindow | Self::StoppedByPriorRule(_) => "SKIPPED",
            Self::SkippedError(_) => "SKIPPED_ERROR",
            Self::SkippedTimeout(_) => "SKIPPED_TIMEOUT",
            Self::NotMet | Self::Absent(_) | Self::OtherType => return None,
        })
    }

    /// The reason of the evaluation on the wire, if it has one.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Success {
                is_over_budget: true,
            } => Some("BUDGET_EXCEEDED"),
            Self::OutsideTimeWindow => Some("OUTSIDE_TIME_WINDOW"),
            Self::StoppedByPriorRule(_) => Some("STOPPED_BY_PRIOR_RULE"),
            _ => None,
        }
    }

    /// What went wrong, if something did.
    pub fn error_message(&self) -> Option<&str> {
        match self {
            Self::Failed { message, .. }
            | Self::SkippedError(message)
            | Self::SkippedTimeout(message) => Some(message),
            _ => None,
        }
    }
}

/// The evaluation of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The rule.
    pub rule: RuleVersion,
    /// The result.
    pub verdict: Verdict,
}

/// What rules made of an event. If an action failed, there are no effects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The effects, in the order in which they happen.
    pub effects: Vec<Caused>,
    /// The evaluations, in the order of the rules.
    pub evaluations: Vec<Evaluation>,
    /// What is used of the budgets that were drawn on, by the number of the rule and the asset.
    pub budgets: BTreeMap<(u64, Option<AssetNumber>), Consumed>,
}

impl Outcome {
    /// The rule whose action failed, and why; `None` if the event is completed.
    pub fn failure(&self) -> Option<(RuleVersion, &str)> {
        let last = self.evaluations.iter().rev();
        let mut failed = last.filter(|it| matches!(it.verdict, Verdict::Failed { .. }));
        let evaluation = failed.next()?;
        Some((evaluation.rule, evaluation.verdict.error_message()?))
    }

    /// The outcome if the effect at a place turns out to be impossible, such as a debit of more
    /// points than there are. It is as if the action had failed in the step.
    ///
    /// # Panics
    /// If there is no such effect.
    #[must_use]
    pub fn refused(mut self, effect: usize, message: String) -> Self {
        let (rule, action) = (self.effects[effect].rule, self.effects[effect].action);
        let place = self.evaluations.iter().position(|it| it.rule == rule);
        self.evaluations
            .truncate(place.unwrap_or(self.evaluations.len()));
        let verdict = Verdict::Failed { action, message };
        self.evaluations.push(Evaluation { rule, verdict });
        self.effects.clear();
        self.budgets.clear();
        self
    }
}
