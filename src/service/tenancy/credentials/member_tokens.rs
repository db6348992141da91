//! Member tokens: PASETO v4.local, decrypted with the server's key and checked against its clock.

use hmac::{Hmac, KeyInit as _, Mac as _};
use pasetors::keys::SymmetricKey;
use pasetors::token::UntrustedToken;
use pasetors::version4::{LocalToken, V4};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::domain::{
    Environment, ExternalUserId, InterestId, MemberNumber, OrganizationNumber, Phone,
    ProgramNumber, Timestamp,
};
use crate::service::{DirectoryVersion, MemberPrincipal};
use crate::store::phone_codes::CodeHash;
use crate::store::removals::ErasedKey;

/// Bound into every member token, so that nothing else encrypted with the same key passes for one.
const ASSERTION: &[u8] = b"stampcard member token 1";

/// The encrypted claims of a token.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    program: i64,
    member: i64,
    epoch: i64,
    live: bool,
    /// The expiry in Unix milliseconds.
    expires: i64,
}

/// Bound into the hash of an erased member's id.
const ERASED: &[u8] = b"stampcard erased member 1";

/// Bound into the hash of a phone number.
const NUMBER: &[u8] = b"stampcard phone number 1";
/// Bound into the hash of a code for a phone.
const CODE: &[u8] = b"stampcard phone code 1";

/// The key of all member tokens.
pub struct TokenKey(SymmetricKey<V4>);

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey([redacted])")
    }
}

impl TokenKey {
    /// Creates the key from these bytes.
    ///
    /// # Panics
    /// Never: the key has 32 bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(SymmetricKey::from(bytes).expect("a v4.local key has 32 bytes"))
    }

    /// The hash by which the id of an erased member is recognized. Without the key, the id cannot
    /// be guessed from it.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    pub fn erased_key(&self, program: ProgramNumber, id: &ExternalUserId) -> ErasedKey {
        let parts = [ERASED, &program.0.to_be_bytes(), id.as_str().as_bytes()];
        let hash: [u8; 32] = self.mac(parts).finalize().into_bytes().into();
        std::array::from_fn(|index| hash[index])
    }

    /// The hash of a phone number of a program, by which its codes are counted.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    pub fn number_hash(&self, program: ProgramNumber, phone: &Phone) -> CodeHash {
        let digits = phone.digits();
        let parts = [NUMBER, &program.0.to_be_bytes(), digits.as_bytes()];
        self.mac(parts).finalize().into_bytes().into()
    }

    /// The hash of a code that was sent to the phone of an interest.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    pub fn code_hash(&self, interest: InterestId, code: &str) -> CodeHash {
        let parts = [CODE, interest.as_uuid().as_bytes(), code.as_bytes()];
        self.mac(parts).finalize().into_bytes().into()
    }

    /// Whether a hash is that of a code; takes the same time for all codes.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    pub fn is_code(&self, interest: InterestId, code: &str, hash: &CodeHash) -> bool {
        let parts = [CODE, interest.as_uuid().as_bytes(), code.as_bytes()];
        self.mac(parts).verify_slice(hash).is_ok()
    }

    fn mac(&self, parts: [&[u8]; 3]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::new_from_slice(self.0.as_bytes()).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(part);
        }
        mac
    }

    /// Mints a token.
    ///
    /// # Panics
    /// If the operating system returns no random bytes.
    pub fn mint(&self, principal: MemberPrincipal) -> String {
        let claims = Claims {
            program: principal.program.0,
            member: principal.member.0,
            epoch: principal.epoch,
            live: principal.environment == Environment::Live,
            expires: principal.expires_at.as_millis(),
        };
        self.seal(&claims, ASSERTION)
    }

    /// Encrypts claims; `assertion` is bound into the result.
    ///
    /// # Panics
    /// If the operating system returns no random bytes.
    pub(super) fn seal<T: Serialize>(&self, claims: &T, assertion: &[u8]) -> String {
        let message = crate::wire::to_json(claims);
        LocalToken::encrypt(&self.0, &message, None, Some(assertion))
            .expect("the system returns random bytes")
    }

    /// Decrypts claims; `None` if this server did not encrypt them with this assertion. The
    /// comparison takes the same time for all forgeries.
    pub(super) fn unseal<T: DeserializeOwned>(&self, text: &str, assertion: &[u8]) -> Option<T> {
        let token = UntrustedToken::try_from(text).ok()?;
        let token = LocalToken::decrypt(&self.0, &token, None, Some(assertion)).ok()?;
        serde_json::from_str(token.payload()).ok()
    }

    /// Decrypts a token; `None` if this server did not mint it or it has expired by `now`. Whether
    /// its member and program are still active is for the directory to check, which also adds the
    /// organization.
    pub fn open(&self, token: &str, now: Timestamp) -> Option<MemberPrincipal> {
        let claims: Claims = self.unseal(token, ASSERTION)?;
        let principal = MemberPrincipal {
            program: ProgramNumber(claims.program),
            member: MemberNumber(claims.member),
            epoch: claims.epoch,
            environment: if claims.live {
                Environment::Live
            } else {
                Environment::Sandbox
            },
            expires_at: Timestamp::from_millis(claims.expires)?,
            organization: OrganizationNumber(0),
            is_suspended: false,
            version: DirectoryVersion::default(),
        };
        (now < principal.expires_at).then_some(principal)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_token_opens_with_its_own_key_until_it_ends() {
        let now = Timestamp::parse("2026-11-21T09:00:00Z").unwrap();
        let end = now.saturating_add(Duration::from_mins(15));
        let principal = MemberPrincipal {
            program: ProgramNumber(1),
            member: MemberNumber(2),
            epoch: 3,
            environment: Environment::Live,
            expires_at: end,
            organization: OrganizationNumber(0),
            is_suspended: false,
            version: DirectoryVersion::default(),
        };
        let key = TokenKey::new(&[7; 32]);
        let token = key.mint(principal);
        assert!(token.starts_with("v4.local."));
        assert_eq!(key.open(&token, now), Some(principal));
        let last = end.saturating_sub(Duration::from_millis(1));
        assert_eq!(key.open(&token, last), Some(principal));
        assert_eq!(key.open(&token, end), None);
        assert_eq!(TokenKey::new(&[8; 32]).open(&token, now), None);
        for garbage in [
            "",
            "v4.local.",
            "v4.local.AAAA",
            "v4.public.AAAA",
            &token[..40],
        ] {
            assert_eq!(key.open(garbage, now), None, "{garbage}");
        }
    }
}
