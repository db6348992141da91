//! The attributes of a member, one by one: as texts, as the earning engine shows them, and as JSON.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{Attributes, Invalid};

/// Attributes that differ, by name, each with its JSON before and after.
pub type AttributeChanges = BTreeMap<String, (Option<String>, Option<String>)>;

impl Attributes {
    /// Every attribute as a text: a string as it is, and any other value as its JSON.
    ///
    /// ```
    /// use stampcard::domain::Attributes;
    /// let attributes = Attributes::parse("attributes", r#"{"b": "x", "a": [1.50]}"#).unwrap();
    /// let texts: Vec<(String, String)> = attributes.texts().into_iter().collect();
    /// assert_eq!(texts, [("a".into(), "[1.50]".into()), ("b".into(), "x".into())]);
    /// ```
    pub fn texts(&self) -> BTreeMap<String, String> {
        let values = values(self.as_str()).into_iter();
        values
            .map(|(name, value)| (name, Self::text_of(value.get())))
            .collect()
    }

    /// Every attribute as JSON, as it was given.
    pub fn values(&self) -> BTreeMap<String, String> {
        let values = values(self.as_str()).into_iter();
        values
            .map(|(name, value)| (name, value.get().to_owned()))
            .collect()
    }

    /// The attributes without one of them; `None` if no other is left. The others stay as they are.
    pub fn without(&self, name: &str) -> Option<Self> {
        let mut all = values(self.as_str());
        all.remove(name);
        let json = serde_json::to_string(&all).unwrap_or_default();
        (!all.is_empty()).then_some(Self::stored(json))
    }

    /// The names of the attributes that differ, each with its JSON before and after.
    ///
    /// ```
    /// use stampcard::domain::Attributes;
    /// let [before, after] = [r#"{"a": 1, "b": 2}"#, r#"{"b":2, "c":"x"}"#]
    ///     .map(|json| Attributes::parse("attributes", json).unwrap());
    /// let changes = Attributes::changes(Some(&before), Some(&after));
    /// assert_eq!(changes["a"], (Some("1".into()), None));
    /// assert_eq!(changes["c"], (None, Some("\"x\"".into())));
    /// assert!(!changes.contains_key("b"));
    /// ```
    pub fn changes(before: Option<&Self>, after: Option<&Self>) -> AttributeChanges {
        let [before, mut after] =
            [before, after].map(|all| all.map(Self::values).unwrap_or_default());
        let mut changes = AttributeChanges::new();
        for (name, old) in before {
            let new = after.remove(&name);
            if new.as_ref() != Some(&old) {
                changes.insert(name, (Some(old), new));
            }
        }
        changes.extend(
            after
                .into_iter()
                .map(|(name, new)| (name, (None, Some(new)))),
        );
        changes
    }

    /// The text of the JSON of an attribute: a string as it is, and any other value as its JSON.
    pub fn text_of(json: &str) -> String {
        serde_json::from_str(json).unwrap_or_else(|_| json.to_owned())
    }

    /// Attributes of which one is a text from now on. The others stay as they are, byte for byte.
    ///
    /// # Errors
    /// [`Invalid`] if all of them are longer than [`Attributes::BYTES_MAX`].
    pub fn with_text(current: Option<&Self>, name: &str, text: &str) -> Result<Self, Invalid> {
        let mut all = current.map(|all| values(all.as_str())).unwrap_or_default();
        if let Ok(value) = serde_json::value::to_raw_value(text) {
            if let (Some(current), Some(known)) = (current, all.get(name))
                && known.get() == value.get()
            {
                return Ok(current.clone());
            }
            all.insert(name.to_owned(), value);
        }
        let json = serde_json::to_string(&all).unwrap_or_default();
        Self::parse("attributes", &json)
    }

    /// Attributes of which some got other texts. The others stay as they are, byte for byte.
    ///
    /// # Errors
    /// [`Invalid`] if all of them are longer than [`Attributes::BYTES_MAX`].
    pub fn merged(
        current: Option<&Self>,
        texts: &BTreeMap<String, String>,
    ) -> Result<Option<Self>, Invalid> {
        let before = current.map(Self::texts).unwrap_or_default();
        if texts
            .iter()
            .all(|(name, text)| before.get(name) == Some(text))
        {
            return Ok(current.cloned());
        }
        let mut all = current.map(|all| values(all.as_str())).unwrap_or_default();
        for (name, text) in texts {
            if let Ok(value) = serde_json::value::to_raw_value(text) {
                all.insert(name.clone(), value);
            }
        }
        let json = serde_json::to_string(&all).unwrap_or_default();
        Self::parse("attributes", &json).map(Some)
    }
}

/// The values of a JSON object.
fn values(json: &str) -> BTreeMap<String, Box<RawValue>> {
    serde_json::from_str(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_attributes_keep_the_others_as_they_are() {
        let before = r#"{"z": 1.50, "city": "Bath", "tags": ["a",  "b"]}"#;
        let before = Attributes::parse("attributes", before).unwrap();
        let change = |name: &str, text: &str| BTreeMap::from([(name.to_owned(), text.to_owned())]);
        let same = Attributes::merged(Some(&before), &change("city", "Bath"));
        assert_eq!(same.unwrap(), Some(before.clone()));
        let merged = Attributes::merged(Some(&before), &change("city", "Rome")).unwrap();
        assert_eq!(
            merged.unwrap().as_str(),
            r#"{"city":"Rome","tags":["a",  "b"],"z":1.50}"#
        );
        let first = Attributes::merged(None, &change("a", "\""))
            .unwrap()
            .unwrap();
        assert_eq!(first.as_str(), r#"{"a":"\""}"#);
        assert_eq!(Attributes::merged(None, &BTreeMap::new()), Ok(None));
        let long = "x".repeat(Attributes::BYTES_MAX);
        assert!(Attributes::merged(None, &change("a", &long)).is_err());
    }
}
