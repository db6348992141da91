//! Whether a credential is valid.

use sha2::{Digest as _, Sha256};

use crate::domain::{OrganizationStatus, ProgramStatus};
use crate::store::credentials::KeyHash;
use crate::store::organizations::OrganizationAccessRow;
use crate::store::programs::ProgramAccessRow;

/// The reason why a credential is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// It is unknown, revoked or expired.
    #[error("the credential is unknown, revoked or expired")]
    Unauthorized,
    /// Its program is archived, or its organization is suspended or canceled.
    #[error("the program or its organization is not active")]
    Inactive,
}

/// Whether the credentials of a program are valid. Those of a suspended one are, for reads.
pub(super) fn check_active(
    program: &ProgramAccessRow,
    organization: Option<&OrganizationAccessRow>,
) -> Result<(), CredentialError> {
    let is_active = program.status != ProgramStatus::Archived
        && organization.is_some_and(|o| o.status == OrganizationStatus::Active);
    is_active.then_some(()).ok_or(CredentialError::Inactive)
}

/// The hash that identifies a key.
pub(in crate::service) fn hash(key: &str) -> KeyHash {
    Sha256::digest(key.as_bytes()).into()
}
