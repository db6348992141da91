//! Rules as they are stored: as JSON, with the names of the API.

use serde::{Deserialize, Serialize};

use super::draft::RuleDraft;
use crate::domain::{Name, Note, RuleStatus};

/// A whole rule, as a version of it is stored.
///
/// ```
/// use stampcard::domain::{Name, RuleStatus};
/// use stampcard::rules::{RuleDocument, RuleDraft};
/// let document = RuleDocument {
///     name: Name::parse("name", "Tenth coffee").unwrap(),
///     description: None,
///     status: RuleStatus::Active,
///     draft: RuleDraft { condition: "true".to_owned(), order: 10, ..RuleDraft::default() },
/// };
/// assert_eq!(RuleDocument::parse(&document.to_json()), Some(document));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RuleDocument {
    /// The name.
    pub name: Name,
    /// What it is for.
    pub description: Option<Note>,
    /// Whether it is evaluated.
    pub status: RuleStatus,
    /// What it says.
    pub draft: RuleDraft,
}

/// The form on the disk.
#[derive(Serialize, Deserialize)]
struct Stored {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    status: String,
    rule: RuleDraft,
}

impl RuleDocument {
    /// The JSON.
    ///
    /// # Panics
    /// Never: it has only texts, numbers, lists and objects.
    pub fn to_json(&self) -> String {
        let stored = Stored {
            name: self.name.as_str().to_owned(),
            description: self.description.as_ref().map(|it| it.as_str().to_owned()),
            status: self.status.as_str().to_owned(),
            rule: self.draft.clone(),
        };
        serde_json::to_string(&stored).expect("a rule has only texts, numbers, lists and objects")
    }

    /// Reads the JSON; `None` if it is no rule.
    pub fn parse(json: &str) -> Option<Self> {
        let stored: Stored = serde_json::from_str(json).ok()?;
        let description = stored.description.as_deref();
        let description = description.map(|text| Note::parse_stored("description", text));
        Some(Self {
            name: Name::parse_stored("name", &stored.name).ok()?,
            description: description.transpose().ok()?,
            status: RuleStatus::parse(&stored.status)?,
            draft: stored.rule,
        })
    }
}
