//! Sandbox and live.

/// The environment of a credential and of everything that it can reach. Nothing crosses from one
/// environment to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Environment {
    /// For tests and integration work.
    Sandbox,
    /// For real members.
    Live,
}

impl Environment {
    /// Both, the sandbox first.
    pub const ALL: [Self; 2] = [Self::Sandbox, Self::Live];

    /// The lower-case name, as in a key's prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        }
    }

    /// Reads the lower-case name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.as_str() == name)
    }
}
