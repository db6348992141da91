//! Configuration files.

use proptest::prelude::*;
use stampcard::config::{DEFAULTS, Overrides, Settings};

use crate::cases;
use crate::damage::{apply, damages};

/// The settings from a file with these bytes, or the error.
fn load(bytes: &[u8]) -> Result<Settings, String> {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let overrides = Overrides {
        file: Some(file.path().to_owned()),
        ..Overrides::default()
    };
    match Settings::load(&overrides) {
        Ok(loaded) => Ok(loaded.settings),
        Err(error) => {
            let message = format!("{error:#}");
            let name = file.path().to_string_lossy().into_owned();
            assert!(message.contains(&name), "{message} does not name {name}");
            Err(message)
        }
    }
}

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(settings) = load(bytes) {
        prop_assert!(settings.server.body_bytes_max > 0);
        prop_assert!(settings.database.queue_max > 0);
        prop_assert!(settings.auth.member_token_ttl > 0);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn a_damaged_file_is_read_or_refused_by_its_name(damages in damages()) {
        check(&apply(DEFAULTS.as_bytes(), &damages))?;
    }

    #[test]
    fn a_setting_of_any_value_is_read_or_refused(
        key in prop::sample::select(vec![
            "server.listen", "server.workers", "server.keep_alive", "server.cors_origins",
            "database.path", "database.readers", "database.queue_max", "database.wal_bytes_max",
            "auth.member_token_ttl", "analytics.bucket_time", "analytics.snapshot_interval", "analytics.snapshot_rows", "idempotency.retention",
            "partner.credit_pool", "webhooks.timeout", "phone.webhook_url", "phone.webhook_secret", "rate_limit.per_minute", "log.level",
            "log.format", "bootstrap.sandbox_key", "metrics.public", "nothing.such", "server",
        ]),
        value in prop_oneof![
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_map(|number| format!("{number:?}")),
            any::<bool>().prop_map(|value| value.to_string()),
            "\\PC{0,40}".prop_map(|text| format!("{text:?}")),
            Just("[]".to_owned()),
            Just("{}".to_owned()),
            Just("2026-06-01T00:00:00Z".to_owned()),
        ],
    ) {
        check(format!("{key} = {value}\n").as_bytes())?;
    }
}
