//! Keyed hashes that stand for the operators' ids of members.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::LazyLock;

use crate::domain::{ExternalUserId, ProgramNumber};

/// The hash of a member's program and id. All zeros: the id is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct IdHash(pub(super) [u8; 12]);

impl IdHash {
    pub(super) fn of(program: ProgramNumber, id: &ExternalUserId) -> Self {
        let [low, high] = KEYS.each_ref().map(|keys| {
            let mut hasher = keys.build_hasher();
            hasher.write_i64(program.0);
            hasher.write(id.as_str().as_bytes());
            hasher.finish().to_le_bytes()
        });
        let mut hash = [0; 12];
        hash[..8].copy_from_slice(&low);
        hash[8..].copy_from_slice(&high[..4]);
        Self(hash)
    }

    /// The part by which hash tables place it.
    pub(super) fn place(self) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[..8]);
        u64::from_le_bytes(bytes)
    }
}

/// The random keys of the process.
static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
