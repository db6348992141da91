//! What a program is set to.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::fields::{Fields, text};
use super::schema::{self, request_schema};
use crate::domain::{CurrencyName, CurrencySymbol, Invalid, Program, Tier};

/// The body of `PUT /v1/configuration`. What is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct ConfigurationRequest {
    pub currency_name: Option<CurrencyName>,
    pub currency_symbol: Option<CurrencySymbol>,
    pub default_tier: Option<Tier>,
}

impl ConfigurationRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        Ok(Self {
            currency_name: fields.optional("currencyName", text(CurrencyName::parse))?,
            currency_symbol: fields.optional("currencySymbol", text(CurrencySymbol::parse))?,
            default_tier: fields.optional("defaultTier", text(Tier::parse))?,
        })
    }
}

request_schema!(ConfigurationRequest {
    /// What points are called.
    optional currencyName: schema::text(CurrencyName::RULE),
    /// Their short form.
    optional currencySymbol: schema::text(CurrencySymbol::RULE),
    /// The tier of a new member who is given none.
    optional defaultTier: schema::text(Tier::RULE),
} example {"currencyName": "Miles", "currencySymbol": "mi"});

/// The answer to both methods.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({"currencyName": "Points", "currencySymbol": "pts", "defaultTier": "standard"})))]
pub struct ConfigurationResponse {
    /// What points are called.
    pub currency_name: String,
    /// Their short form.
    pub currency_symbol: String,
    /// The tier of a new member who is given none.
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
