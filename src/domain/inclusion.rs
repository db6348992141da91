//! What an offer includes.

use serde::{Deserialize, Serialize};

use super::{Caption, Invalid};

/// Something that an offer includes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inclusion {
    /// The heading under which it is listed, such as `Food`.
    pub group: Caption,
    /// Its name, such as `A glass of wine`.
    pub name: Caption,
}

impl Inclusion {
    /// The longest list of inclusions.
    pub const LIST_MAX: usize = 100;

    /// Reads a stored list.
    ///
    /// # Errors
    /// [`Invalid`] if the API does not accept it.
    pub fn parse_stored_list(field: &str, json: &str) -> Result<Vec<Self>, Invalid> {
        serde_json::from_str(json)
            .ok()
            .filter(|list: &Vec<Self>| list.len() <= Self::LIST_MAX)
            .ok_or_else(|| {
                let most = Self::LIST_MAX;
                let expected = format!(
                    "must be a JSON array of at most {most} objects, each a group and a name"
                );
                Invalid::new(field, expected)
            })
    }
}
