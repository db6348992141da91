//! The words of lists of earning rules.

use super::RuleStatus;
use super::words::words;

words! {
    /// What a version of a rule changed.
    RuleChange {
        /// The rule is new.
        Created "created",
        /// It says something else.
        Updated "updated",
        /// It is evaluated again.
        Activated "activated",
        /// It is not evaluated any more.
        Suspended "suspended",
        /// The same, permanently.
        Archived "archived",
    }
}

impl RuleChange {
    /// What a change is from one status to another.
    pub fn of(before: RuleStatus, after: RuleStatus) -> Self {
        match after {
            _ if before == after => Self::Updated,
            RuleStatus::Active => Self::Activated,
            RuleStatus::Suspended => Self::Suspended,
            RuleStatus::Archived => Self::Archived,
        }
    }
}

words! {
    /// The field by which rules are listed.
    #[derive(Default)]
    RuleSort {
        /// The order in which they are evaluated.
        #[default]
        Order "order",
        /// The name.
        Name "name",
        /// When they were created.
        CreatedAt "created_at",
    }
}

impl RuleSort {
    /// Whether the default direction is descending.
    pub fn is_descending(self) -> bool {
        self == Self::CreatedAt
    }
}
