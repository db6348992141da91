//! Numbers in no more bytes than they can need.

/// A number from 0 to 2^(8 N) − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Small<const N: usize>([u8; N]);

/// A row number, points or a time, which end at about 2^53.
pub(super) type U56 = Small<7>;

/// A time in milliseconds, which ends below 2^48.
pub(super) type U48 = Small<6>;

impl<const N: usize> Default for Small<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Small<N> {
    pub(super) fn new(number: u64) -> Self {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&number.to_le_bytes()[..N]);
        Self(bytes)
    }

    pub(super) fn of(number: i64) -> Self {
        Self::new(number.cast_unsigned())
    }

    pub(super) fn get(self) -> u64 {
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(&self.0);
        u64::from_le_bytes(bytes)
    }

    pub(super) fn signed(self) -> i64 {
        self.get().cast_signed()
    }
}
