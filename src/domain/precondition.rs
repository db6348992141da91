//! What a request expects of the settings version of the resource that it changes.

use super::{Refusal, Seq};

/// The settings version that a resource must have, or that there must be no such resource.
///
/// Source: RFC 9110, sections 13.1.1 and 13.1.2.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// What `If-Match` says, if it was sent.
    pub expected: Option<ExpectedVersion>,
    /// Whether the resource must not exist: `If-None-Match: *`.
    pub must_be_new: bool,
}

/// Which versions `If-Match` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Any: the resource has to exist.
    Any,
    /// One of these; tags that can be no version are left out.
    OneOf(Vec<Seq>),
}

impl Precondition {
    /// Nothing is expected.
    pub const NONE: Self = Self {
        expected: None,
        must_be_new: false,
    };

    /// Checks what is expected of a resource that has a version, or that does not exist.
    ///
    /// # Errors
    /// [`Refusal::PreconditionFailed`] if it is otherwise.
    pub fn check(&self, version: Option<Seq>) -> Result<(), Refusal> {
        if self.must_be_new && version.is_some() {
            let message = "it exists already, and If-None-Match: * asks for a new one";
            return Err(Refusal::PreconditionFailed(message));
        }
        let fits = match (&self.expected, version) {
            (None, _) | (Some(ExpectedVersion::Any), Some(_)) => true,
            (Some(ExpectedVersion::OneOf(versions)), Some(version)) => versions.contains(&version),
            (Some(_), None) => {
                let message = "it does not exist, and If-Match expects that it does";
                return Err(Refusal::PreconditionFailed(message));
            }
        };
        if fits {
            return Ok(());
        }
        Err(Refusal::PreconditionFailed(
            "it changed since the ETag that If-Match names; read it again",
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
