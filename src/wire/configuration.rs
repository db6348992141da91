//! The configuration of a program.

use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::field_types::{BOOLEAN, GATEWAY, RATE_PER_POINT, UNITS_PER_USD, text};
use super::request::request;
use crate::domain::{Change, CurrencyName, CurrencySymbol, Money, Program, Rate, Tier};

request! {
    /// The body of `PUT /v1/configuration`. Absent fields keep their value.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct ConfigurationRequest {
        /// The display name of points.
        pub currency_name: Option<CurrencyName> = optional("currencyName", text!(CurrencyName)),
        /// Their symbol.
        pub currency_symbol: Option<CurrencySymbol> =
            optional("currencySymbol", text!(CurrencySymbol)),
        /// The dollars that a point is worth.
        pub rate_per_point: Option<Rate> = optional("ratePerPoint", RATE_PER_POINT),
        /// The units in which a dollar's worth of points is displayed.
        pub currency_units_per_usd: Option<Rate> =
            optional("currencyUnitsPerUSD", UNITS_PER_USD),
        /// Must be true to change one of the two while offers have display prices of their own.
        pub confirm_reprice: bool = optional_or("confirmReprice", BOOLEAN, false),
        /// The tier of a new member without one.
        pub default_tier: Option<Tier> = optional("defaultTier", text!(Tier)),
        /// The server that sends codes to phones; null removes it.
        pub phone_webhook: Change<String> = change("phoneWebhook", GATEWAY),
        /// The server that gets the sensitive details of intakes; null removes it.
        pub concierge_webhook: Change<String> = change("conciergeWebhook", GATEWAY),
    }
    example {"currencyName": "Miles", "currencySymbol": "mi"}
    parse(body);
}

/// The configuration of a program.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "currencyName": "Points",
    "currencySymbol": "pts",
    "currencyUnitsPerUSD": 100,
    "ratePerPoint": 0.01,
    "defaultTier": "standard",
    "phoneWebhook": {"url": "https://example.com/codes"},
    "conciergeWebhook": null,
})))]
pub struct ConfigurationResponse {
    /// The display name of points.
    pub currency_name: String,
    /// Their symbol.
    pub currency_symbol: String,
    /// The units in which a dollar's worth of points is displayed.
    #[serde(rename = "currencyUnitsPerUSD")]
    #[schema(value_type = f64, minimum = 0)]
    pub currency_units_per_usd: Money,
    /// The dollars that a point is worth.
    #[schema(value_type = f64, minimum = 0)]
    pub rate_per_point: Money,
    /// The tier of a new member without one.
    pub default_tier: String,
    /// The server that sends codes to phones; null if the program has none.
    pub phone_webhook: Option<GatewayResponse>,
    /// The server that gets the sensitive details of intakes; null if the program has none.
    pub concierge_webhook: Option<GatewayResponse>,
}

/// A server of the operator.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GatewayResponse {
    /// The address.
    pub url: String,
    /// The secret that signs the requests to it. Only the response that sets it shows it.
    #[serde(
        serialize_with = "super::exposed_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub secret: Option<SecretString>,
}

impl ConfigurationResponse {
    /// The configuration of a program with its two servers: for phones, and the concierge.
    pub fn new(program: &Program, [phone, concierge]: [Option<GatewayResponse>; 2]) -> Self {
        Self {
            phone_webhook: phone,
            concierge_webhook: concierge,
            currency_name: program.currency.name.as_str().to_owned(),
            currency_symbol: program.currency.symbol.as_str().to_owned(),
            currency_units_per_usd: program.currency.units_per_usd.into(),
            rate_per_point: program.currency.rate_per_point.into(),
            default_tier: program.default_tier.as_str().to_owned(),
        }
    }
}
