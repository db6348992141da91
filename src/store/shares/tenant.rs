//! Tenants, and the shares that their work takes.

use crate::domain::{Environment, OrganizationNumber, ProgramNumber};

/// The number of upkeep tasks that may wait, in addition to those of the other tenants.
const UPKEEP_MAX: usize = 256;

/// A share of the time: the live organizations, those of the sandbox, and upkeep.
pub(super) const LIVE: usize = 0;
pub(super) const SANDBOX: usize = 1;
pub(super) const UPKEEP: usize = 2;

/// The party that work is done for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenant {
    /// A program, by its key or one of its members.
    Program {
        /// Its organization, which owns the share.
        organization: OrganizationNumber,
        /// The program.
        program: ProgramNumber,
        /// Its environment.
        environment: Environment,
    },
    /// The partner, which counts as a separate organization in each environment.
    Partner(Environment),
    /// The server itself.
    Upkeep,
}

/// Limits on the work that may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Bounds {
    /// For all tenants; half of it for those of the sandbox.
    pub(in crate::store) all: usize,
    /// For one organization.
    pub(in crate::store) one: usize,
}

impl Bounds {
    /// A limit for all tenants, and a percentage of it for each organization.
    pub(in crate::store) fn new(all: usize, percent_of_one: u32) -> Self {
        let percent = usize::try_from(percent_of_one).unwrap_or(usize::MAX);
        let one = all.saturating_mul(percent).div_ceil(100).max(1);
        Self { all, one }
    }

    pub(super) fn of_class(self, class: usize) -> usize {
        match class {
            SANDBOX => self.all.div_ceil(2),
            UPKEEP => UPKEEP_MAX,
            _ => self.all,
        }
    }
}

/// The owner of a share: an organization in an environment, the partner, or the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Holder {
    pub(super) class: usize,
    pub(super) organization: i64,
}

impl Holder {
    /// Whether it is the server.
    pub(in crate::store) fn is_upkeep(self) -> bool {
        self.class == UPKEEP
    }

    /// Whether it belongs to the sandbox.
    pub(in crate::store) fn is_sandbox(self) -> bool {
        self.class == SANDBOX
    }
}

impl Tenant {
    /// The program, if the work is for one.
    pub fn program(self) -> Option<ProgramNumber> {
        match self {
            Self::Program { program, .. } => Some(program),
            Self::Partner(_) | Self::Upkeep => None,
        }
    }

    /// The owner of the share that the tenant takes, and the program within it.
    pub(super) fn place(self) -> (Holder, i64) {
        let class = |environment| match environment {
            Environment::Live => LIVE,
            Environment::Sandbox => SANDBOX,
        };
        let (class, organization, program) = match self {
            Self::Program {
                organization,
                program,
                environment,
            } => (class(environment), organization.0, program.0),
            // No organization has the number 0.
            Self::Partner(environment) => (class(environment), 0, 0),
            Self::Upkeep => (UPKEEP, 0, 0),
        };
        (
            Holder {
                class,
                organization,
            },
            program,
        )
    }
}
