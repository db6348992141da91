//! Earning rules.

mod actions;
mod requests;
mod responses;
mod simulation;

pub use self::requests::{CreateRuleRequest, PatchRuleRequest, ValidateRuleRequest};
pub use self::responses::{
    BudgetUse, RuleBudgetResponse, RuleListResponse, RuleResponse, RuleTimes,
    RuleVersionListResponse, RuleVersionResponse, ValidatedRuleResponse,
};
pub use self::simulation::{
    SimulateRuleRequest, SimulatedActionResponse, SimulatedEvaluationResponse,
    SimulatedResultResponse, SimulatedRuleResponse, SimulationResponse,
};
