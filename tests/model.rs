//! Random histories compared with a model and with plain SQL.
//!
//! `proptest` generates a history, and a real server runs it over HTTP. A small model predicts the
//! response to each step. At the end every figure is computed by the SELECTs in `oracle`, which
//! share no code with the engine or with `stampcard verify`, and compared.
//!
//! A history that fails is shrunk, and its seed is written to tests/model.proptest-regressions.
//! Commit that file: its seeds are tried first from then on. For a longer search than the few cases
//! of an ordinary run: `PROPTEST_CASES=500 cargo test --test model`.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

#[path = "model/history.rs"]
mod history;
#[path = "model/oracle.rs"]
mod oracle;
#[path = "model/pool/mod.rs"]
mod pool;
#[path = "model/step.rs"]
mod step;
#[path = "support/mod.rs"]
mod support;
#[path = "model/units.rs"]
mod units;

use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed};

/// Histories in an ordinary run, and steps in each.
const CASES: u32 = 24;
const CASES_OF_UNITS: u32 = 8;
const STEPS: std::ops::RangeInclusive<usize> = 40..=120;

fn config(cases: u32) -> ProptestConfig {
    let defaults = ProptestConfig::default();
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if is_asked { defaults.cases } else { cases },
        // The same ones each time, unless more are requested.
        rng_seed: if is_asked {
            defaults.rng_seed
        } else {
            RngSeed::Fixed(1)
        },
        // A history takes the larger part of a second, so shrinking needs a limit.
        max_shrink_iters: 300,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/model.proptest-regressions",
        ))),
        ..defaults
    }
}

proptest! {
    #![proptest_config(config(CASES))]

    #[test]
    fn every_history_adds_up(steps in proptest::collection::vec(step::step(), STEPS)) {
        history::live(&steps);
    }
}

proptest! {
    #![proptest_config(config(CASES_OF_UNITS))]

    #[test]
    fn redemptions_of_several_units_add_up(
        steps in proptest::collection::vec(units::step(), STEPS)
    ) {
        units::live(&steps);
    }
}
