//! The configuration of a program.

use crate::domain::{Currency, Event, Precondition, Refusal, Seq};
use crate::service::{Answer, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::{self, WriteError};
use crate::wire::{ConfigurationRequest, ConfigurationResponse};

impl Services {
    /// Returns the configuration with its settings version.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn get_configuration(
        &self,
        key: KeyPrincipal,
    ) -> Result<(ConfigurationResponse, Seq), ServiceError> {
        self.look_up(key, move |connection| {
            let program = store::programs::get(connection, key.program)?;
            let version = program.configuration_version;
            Ok((ConfigurationResponse::from(&program), version))
        })
        .await
    }

    /// Updates the settings that the request names.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn update_configuration(
        &self,
        key: KeyPrincipal,
        precondition: Precondition,
        request: ConfigurationRequest,
    ) -> Result<Reply, WriteError> {
        self.write(key, None, move |tx, key| {
            let before = store::programs::get(tx, key.program)?;
            precondition.check(Some(before.configuration_version))?;
            let mut program = before.clone();
            let currency = &mut program.currency;
            if let Some(name) = request.currency_name {
                currency.name = name;
            }
            if let Some(symbol) = request.currency_symbol {
                currency.symbol = symbol;
            }
            let rate = request.rate_per_point;
            currency.rate_per_point = rate.unwrap_or(currency.rate_per_point);
            let units = request.currency_units_per_usd;
            currency.units_per_usd = units.unwrap_or(currency.units_per_usd);
            let worth = |of: &Currency| (of.rate_per_point, of.units_per_usd);
            if worth(&program.currency) != worth(&before.currency)
                && !request.confirm_reprice
                && store::offers::any_has_price(tx, key.program)?
            {
                return Err(Refusal::RepriceNotConfirmed.into());
            }
            program.default_tier = request.default_tier.unwrap_or(program.default_tier);
            if program != before {
                let at = tx.now(key.program);
                let event = Event::program_changed(&program);
                program.configuration_version = tx.record(Some(key.program), at, event)?;
                store::programs::configure(tx, &program)?;
            }
            let answer = Answer::ok(&ConfigurationResponse::from(&program));
            Ok(answer.at(program.configuration_version))
        })
        .await
    }
}
