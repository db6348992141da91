//! Damaged input of every kind: nothing may panic or hang, and refusals have the documented form.
//!
//! Inputs are mostly derived from valid ones: pure noise is refused at the first byte and tests
//! nothing. Failing cases are stored in tests/fuzz.proptest-regressions and tried first from then
//! on; commit that file. `make fuzz` runs many more cases than an ordinary run.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

#[path = "fuzz/addresses.rs"]
mod addresses;
#[path = "fuzz/bodies.rs"]
mod bodies;
#[path = "fuzz/damage.rs"]
mod damage;
#[path = "fuzz/requests.rs"]
mod requests;
#[path = "fuzz/settings.rs"]
mod settings;
#[path = "fuzz/stored.rs"]
mod stored;
#[path = "support/mod.rs"]
mod support;
#[path = "fuzz/texts.rs"]
mod texts;

use proptest::test_runner::{Config, FileFailurePersistence, RngSeed};

/// The number of cases of each target in an ordinary run, unless `PROPTEST_CASES` is set. A target
/// whose cases take longer gets fewer, in the same proportion.
fn cases(ordinary: u32) -> Config {
    let defaults = Config::default();
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    let scaled = u64::from(defaults.cases) * u64::from(ordinary) / u64::from(ORDINARY);
    Config {
        cases: if is_asked {
            u32::try_from(scaled.max(1)).unwrap()
        } else {
            ordinary
        },
        // An ordinary run tries the same cases on every machine.
        rng_seed: if is_asked {
            defaults.rng_seed
        } else {
            RngSeed::Fixed(SEED)
        },
        max_shrink_iters: 2000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/fuzz.proptest-regressions",
        ))),
        ..defaults
    }
}

/// The seed of the cases of an ordinary run.
const SEED: u64 = 1;
/// Cases of a target that takes no time.
const ORDINARY: u32 = 1000;
