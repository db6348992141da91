//! Random bytes for keys, secrets and ids.

/// Bytes from the operating system's random generator.
///
/// # Panics
/// If the operating system returns none.
pub(in crate::service) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system returns random bytes");
    bytes
}
