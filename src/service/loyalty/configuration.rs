//! The configuration of a program.

use crate::domain::{Event, Precondition, Seq};
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
    pub async fn set_configuration(
        &self,
        key: KeyPrincipal,
        precondition: Precondition,
        request: ConfigurationRequest,
    ) -> Result<Reply, WriteError> {
        self.write(key, None, move |tx, key| {
            let before = store::programs::get(tx, key.program)?;
            precondition.check(Some(before.configuration_version))?;
            let mut program = before.clone();
            program.currency.name = request.currency_name.unwrap_or(program.currency.name);
            program.currency.symbol = request.currency_symbol.unwrap_or(program.currency.symbol);
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
