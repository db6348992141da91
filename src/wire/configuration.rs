//! The configuration of a program.

use serde::Serialize;
use utoipa::ToSchema;

use super::field_types::text;
use super::request::request;
use crate::domain::{CurrencyName, CurrencySymbol, Program, Tier};

request! {
    /// The body of `PUT /v1/configuration`. Absent fields keep their value.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct ConfigurationRequest {
        /// The display name of points.
        pub currency_name: Option<CurrencyName> = optional("currencyName", text!(CurrencyName)),
        /// Their symbol.
        pub currency_symbol: Option<CurrencySymbol> =
            optional("currencySymbol", text!(CurrencySymbol)),
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
    "defaultTier": "standard",
})))]
pub struct ConfigurationResponse {
    /// The display name of points.
    pub currency_name: String,
    /// Their symbol.
    pub currency_symbol: String,
    /// The tier of a new member without one.
    pub default_tier: String,
}

impl From<&Program> for ConfigurationResponse {
    fn from(program: &Program) -> Self {
        Self {
            currency_name: program.currency.name.as_str().to_owned(),
            currency_symbol: program.currency.symbol.as_str().to_owned(),
            default_tier: program.default_tier.as_str().to_owned(),
        }
    }
}
