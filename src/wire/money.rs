//! Money and rates as JSON numbers: exact, and whole ones without a fraction, as some clients have
//! integers for them.

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::Money;

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.whole() {
            Some(whole) => serializer.serialize_i64(whole),
            None => RawValue::from_string(self.to_string())
                .map_err(S::Error::custom)?
                .serialize(serializer),
        }
    }
}
