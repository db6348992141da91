//! The configuration of a program.

use crate::domain::{
    Change, Currency, Event, Gateway, Precondition, ProgramNumber, Refusal, Seq, WebhookUrl,
};
use crate::service::events::webhooks::new_secret;
use crate::service::{Answer, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::gateways::GatewayTarget;
use crate::store::{self, Connection, Transaction, WriteError};
use crate::wire::{ConfigurationRequest, ConfigurationResponse, GatewayResponse};

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
            let gateways = gateways(connection, key.program)?;
            Ok((ConfigurationResponse::new(&program, gateways), version))
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
        mut request: ConfigurationRequest,
    ) -> Result<Reply, WriteError> {
        let phone = std::mem::take(&mut request.phone_webhook);
        let concierge = std::mem::take(&mut request.concierge_webhook);
        let phone = self.checked(key, phone).await;
        let concierge = self.checked(key, concierge).await;
        self.write(key, None, move |tx, key| {
            let before = store::programs::get(tx, key.program)?;
            precondition.check(Some(before.configuration_version))?;
            let mut program = before.clone();
            let currency = &mut program.currency;
            if let Some(name) = request.currency_name {
                currency.name = name;
            }
            if let Some(symbol) = request.currency_symbol {
                let is_new = symbol != currency.symbol;
                if is_new && store::assets::has_symbol(tx, key.program, symbol.as_str())? {
                    return Err(Refusal::SymbolTaken.into());
                }
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
            let changes = [phone?, concierge?];
            let known = gateways(tx, key.program)?;
            let changes_gateways = changes
                .iter()
                .zip(known)
                .any(|(change, known)| match change {
                    Change::Keep => false,
                    Change::Clear => known.is_some(),
                    Change::Set(_) => true,
                });
            if program != before || changes_gateways {
                let at = tx.now(key.program);
                let event = Event::program_changed(&program);
                program.configuration_version = tx.record(Some(key.program), at, event)?;
                store::programs::configure(tx, &program)?;
            }
            let gateways = set_gateways(tx, key.program, changes)?;
            let answer = Answer::ok(&ConfigurationResponse::new(&program, gateways));
            Ok(answer.at(program.configuration_version))
        })
        .await
    }
    /// Checks the address of a gateway as that of a webhook.
    async fn checked(
        &self,
        key: KeyPrincipal,
        url: Change<String>,
    ) -> Result<Change<WebhookUrl>, ServiceError> {
        Ok(match url {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            Change::Set(url) => Change::Set(self.check_target(key, &url, |_| Ok(())).await?),
        })
    }
}

/// Sets or removes the gateways of a program. Only the result shows the secret of one that is set.
fn set_gateways(
    tx: &Transaction<'_>,
    program: ProgramNumber,
    changes: [Change<WebhookUrl>; 2],
) -> Result<[Option<GatewayResponse>; 2], store::Error> {
    let mut secrets = [None, None];
    for ((kind, change), secret) in Gateway::ALL.into_iter().zip(changes).zip(&mut secrets) {
        let target = match change {
            Change::Keep => continue,
            Change::Clear => None,
            Change::Set(url) => Some(GatewayTarget {
                url,
                secret: new_secret(),
            }),
        };
        store::gateways::set(tx, program, kind, target.as_ref())?;
        *secret = target.map(|target| target.secret);
    }
    let mut shown = gateways(tx, program)?;
    for (gateway, secret) in shown.iter_mut().zip(secrets) {
        if let Some(gateway) = gateway {
            gateway.secret = secret;
        }
    }
    Ok(shown)
}

/// The gateways of a program without their secrets.
fn gateways(
    connection: &Connection,
    program: ProgramNumber,
) -> Result<[Option<GatewayResponse>; 2], store::Error> {
    let find = |kind| -> Result<_, store::Error> {
        let target = store::gateways::find(connection, program, kind)?;
        Ok(target.map(|target| GatewayResponse {
            url: target.url.as_str().to_owned(),
            secret: None,
        }))
    };
    let [phone, concierge] = Gateway::ALL.map(find);
    Ok([phone?, concierge?])
}
