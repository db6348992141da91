//! Preconditions of a request on the settings version of the resource that it changes.

use super::{Refusal, Seq};

/// A settings version that the resource must have, or that the resource must not exist.
///
/// Source: RFC 9110, sections 13.1.1 and 13.1.2.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// The value of `If-Match`, if it was sent.
    pub expected: Option<ExpectedVersion>,
    /// Whether the resource must not exist: `If-None-Match: *`.
    pub must_be_new: bool,
}

/// The versions that `If-Match` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Any version: the resource must exist.
    Any,
    /// One of these. Tags that cannot be a version are left out.
    OneOf(Vec<Seq>),
}

impl Precondition {
    /// No precondition.
    pub const NONE: Self = Self {
        expected: None,
        must_be_new: false,
    };

    /// Checks the precondition on the version of a resource, `None` if it does not exist.
    ///
    /// # Errors
    /// [`Refusal::PreconditionFailed`] if it is not met.
    pub fn check(&self, version: Option<Seq>) -> Result<(), Refusal> {
        if self.must_be_new && version.is_some() {
            let message = "the resource already exists, but the request has If-None-Match: *";
            return Err(Refusal::PreconditionFailed(message));
        }
        let fits = match (&self.expected, version) {
            (None, _) | (Some(ExpectedVersion::Any), Some(_)) => true,
            (Some(ExpectedVersion::OneOf(versions)), Some(version)) => versions.contains(&version),
            (Some(_), None) => {
                let message = "the resource does not exist, but the request has If-Match";
                return Err(Refusal::PreconditionFailed(message));
            }
        };
        if fits {
            return Ok(());
        }
        Err(Refusal::PreconditionFailed(
            "the resource has changed since the ETag in If-Match; read it again",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expected: Option<ExpectedVersion>, must_be_new: bool) -> Precondition {
        Precondition {
            expected,
            must_be_new,
        }
    }

    #[test]
    fn a_version_fits_if_it_is_named() {
        let named = of(Some(ExpectedVersion::OneOf(vec![Seq(3), Seq(7)])), false);
        let fits = |precondition: &Precondition, version: Option<i64>| {
            precondition.check(version.map(Seq)).is_ok()
        };
        assert!(fits(&named, Some(3)) && fits(&named, Some(7)));
        assert!(!fits(&named, Some(4)) && !fits(&named, None));
        let any = of(Some(ExpectedVersion::Any), false);
        assert!(fits(&any, Some(0)) && !fits(&any, None));
        let none = of(Some(ExpectedVersion::OneOf(Vec::new())), false);
        assert!(!fits(&none, Some(0)) && !fits(&none, None));
        let new = of(None, true);
        assert!(fits(&new, None) && !fits(&new, Some(1)));
        let contradictory = of(Some(ExpectedVersion::Any), true);
        assert!(!fits(&contradictory, None) && !fits(&contradictory, Some(1)));
        let nothing = Precondition::NONE;
        assert!(fits(&nothing, None) && fits(&nothing, Some(1)));
    }
}
