//! Earning rules: expressions beside the conformance cases of their language and beside a plain
//! evaluator that shares no code with ours, their bounds under random input, and steps.
//!
//! `RULES_RUNS` sets the number of runs of the long forms.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod bounds;
mod caused;
mod conformance;
mod expressions;
mod index;
mod naive;
mod steps;
mod support;
mod targets;
mod written;
