//! The configuration of a program.

use serde::Serialize;
use utoipa::ToSchema;

use super::field_types::{BOOLEAN, RATE_PER_POINT, UNITS_PER_USD, text};
use super::request::request;
use crate::domain::{CurrencyName, CurrencySymbol, Money, Program, Rate, Tier};

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
}

impl From<&Program> for ConfigurationResponse {
    fn from(program: &Program) -> Self {
        Self {
            currency_name: program.currency.name.as_str().to_owned(),
            currency_symbol: program.currency.symbol.as_str().to_owned(),
            currency_units_per_usd: program.currency.units_per_usd.into(),
            rate_per_point: program.currency.rate_per_point.into(),
            default_tier: program.default_tier.as_str().to_owned(),
        }
    }
}
