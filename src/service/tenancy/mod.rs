//! Organizations, their programs and keys, and the credential checks.

pub mod bootstrap;
pub(in crate::service) mod caps;
pub(in crate::service) mod credentials;
mod keys;
mod operator_keys;
mod organizations;
pub(in crate::service) mod pools;
mod programs;
pub(in crate::service) mod tenants;

pub use self::credentials::{
    Caller, CredentialError, Directory, DirectoryVersion, KeyPrincipal, MemberPrincipal,
    PartnerPrincipal, TokenKey,
};
pub use self::organizations::OrganizationChange;
