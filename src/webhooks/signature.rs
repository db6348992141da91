//! Signatures of webhook bodies.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The value of `X-Expys-Signature`: `sha256=` and the HMAC-SHA256 of the raw body, in hexadecimal.
/// The key is the whole secret, `whsec_` included.
///
/// ```
/// let signature = stampcard::webhooks::sign("whsec_abc", b"{}");
/// assert_eq!(signature.len(), "sha256=".len() + 64);
/// ```
///
/// # Panics
/// Never: HMAC takes a key of any length.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source of the case: RFC 4231, test case 2.
    #[test]
    fn a_signature_is_the_hmac_of_the_body() {
        assert_eq!(
            sign("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
