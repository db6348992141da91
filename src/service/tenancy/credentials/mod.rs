//! Credentials: keys are found in memory by their hash, member tokens and addresses of files are
//! decrypted.

mod directory;
mod held_key;
mod key_uses;
mod links;
mod member_tokens;
mod principals;
mod recheck;
mod validity;

pub use self::directory::Directory;
pub(in crate::service) use self::key_uses::KeyUses;
pub(in crate::service) use self::links::Links;
pub use self::member_tokens::TokenKey;
pub(in crate::service) use self::principals::principal_member;
pub use self::principals::{
    Caller, DirectoryVersion, KeyPrincipal, MemberPrincipal, PartnerPrincipal,
};
pub(in crate::service) use self::recheck::Principal;
pub use self::validity::CredentialError;
pub(in crate::service) use self::validity::hash;
