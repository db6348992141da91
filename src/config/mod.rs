//! Settings, from `config.toml` (compiled in as the defaults), a settings file, `STAMPCARD_*`
//! environment variables and command-line options. A later source overrides the earlier ones.
//!
//! **Must not know**: what a setting is used for.

mod checks;
mod settings;
mod sources;

pub use self::settings::{
    AnalyticsSettings, AuthSettings, BootstrapSettings, BucketTime, DEFAULTS, DatabaseSettings,
    IdempotencySettings, LimitSettings, LogFormat, LogSettings, MetricsSettings, Overrides,
    PartnerSettings, PhoneSettings, RateLimitSettings, ServerSettings, Settings, WebhookSettings,
};
pub use self::sources::{Effective, Loaded, Origin};

#[cfg(test)]
mod tests {
    use std::path::Path;

    use secrecy::ExposeSecret as _;

    use super::*;

    fn with_environment(pairs: &[(&str, &str)]) -> Result<Settings, anyhow::Error> {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables = pairs.iter().map(pair).collect();
        sources::gather(&Overrides::default(), variables).map(|loaded| loaded.settings)
    }

    #[test]
    fn the_defaults_are_those_of_the_documented_file() {
        let settings = Settings::defaults();
        assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.database.path, Path::new("stampcard.db"));
        assert_eq!(settings.auth.member_token_ttl, 900);
        assert!(settings.bootstrap.sandbox_key.is_none());
    }

    #[test]
    fn the_environment_wins_over_the_defaults() {
        let settings = with_environment(&[
            ("STAMPCARD_SERVER__LISTEN", "127.0.0.1:0"),
            ("STAMPCARD_AUTH__MEMBER_TOKEN_TTL", "60"),
            ("STAMPCARD_BOOTSTRAP__SANDBOX_KEY", "expys_sandbox_1234"),
        ])
        .unwrap();
        assert_eq!(settings.server.listen.port(), 0);
        assert_eq!(settings.auth.member_token_ttl, 60);
        let key = settings.bootstrap.sandbox_key.unwrap();
        assert_eq!(key.expose_secret(), "expys_sandbox_1234");
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = with_environment(&[("STAMPCARD_SERVER__LISTN", "x")]).unwrap_err();
        assert!(format!("{error:#}").contains("listn"), "{error:#}");
    }

    #[test]
    fn a_bootstrap_key_with_the_wrong_prefix_is_refused_without_repeating_it() {
        let error = with_environment(&[("STAMPCARD_BOOTSTRAP__LIVE_KEY", "expys_sandbox_secret")])
            .unwrap_err();
        let message = format!("{error:#}");
        assert!(
            message.contains("bootstrap.live_key must begin with expys_live_"),
            "{message}"
        );
        assert!(!message.contains("secret"), "{message}");
    }

    #[test]
    fn a_value_out_of_range_is_refused_by_name() {
        let error = with_environment(&[("STAMPCARD_AUTH__MEMBER_TOKEN_TTL", "0")]).unwrap_err();
        assert!(
            format!("{error:#}").contains("auth.member_token_ttl is 0"),
            "{error:#}"
        );
    }
}
