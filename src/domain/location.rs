//! Where an offer takes place.

use serde::{Deserialize, Serialize};

use super::{Caption, Invalid};

/// The place of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The place in one line.
    pub display: Caption,
    /// The name of the place.
    pub venue: Option<Caption>,
    /// The street and the number.
    pub address: Option<Caption>,
    /// The city.
    pub city: Option<Caption>,
    /// The state or the region.
    pub state: Option<Caption>,
    /// The country.
    pub country_code: Option<CountryCode>,
}

impl Location {
    /// Reads a stored location.
    ///
    /// # Errors
    /// [`Invalid`] if the API does not accept it.
    pub fn parse_stored(field: &str, json: &str) -> Result<Self, Invalid> {
        let expected = "must be a JSON object with the texts of a location";
        serde_json::from_str(json).map_err(|_| Invalid::new(field, expected))
    }
}

/// A country: two capital letters, as in ISO 3166-1 alpha-2. Whether such a country exists is not
/// checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct CountryCode(String);

impl CountryCode {
    /// The letters.
    pub const LETTERS: usize = 2;

    /// Checks the code given as `field`.
    ///
    /// # Errors
    /// [`Invalid`] if it is anything else than two capital letters.
    pub fn parse(field: &str, code: String) -> Result<Self, Invalid> {
        if code.len() == Self::LETTERS && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Ok(Self(code));
        }
        let expected = "must be two capital letters, as in ISO 3166-1, such as GR";
        Err(Invalid::new(field, expected))
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CountryCode {
    type Error = Invalid;

    fn try_from(code: String) -> Result<Self, Invalid> {
        Self::parse("country", code)
    }
}
