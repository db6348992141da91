//! What an evaluation may cost.

use super::error::Limit;

/// What is left of the steps and the memory that a rule may use for an event. Its condition and
/// all of its amounts and values share them.
///
/// A step is the evaluation of one part of an expression, one comparison of elements, or 64 bytes
/// of a text that is read. Memory is what texts, lists and maps that the rule makes would take
/// together: nothing is returned before the rule is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meter {
    steps: u32,
    bytes: u32,
}

impl Default for Meter {
    fn default() -> Self {
        Self::new(Self::STEPS_MAX, Self::BYTES_MAX)
    }
}

impl Meter {
    /// The most steps of a rule.
    pub const STEPS_MAX: u32 = 20_000;
    /// The most bytes of a rule.
    pub const BYTES_MAX: u32 = 256 * 1024;

    /// A meter with other limits.
    pub const fn new(steps: u32, bytes: u32) -> Self {
        Self { steps, bytes }
    }

    /// The steps that are left.
    pub const fn steps_left(&self) -> u32 {
        self.steps
    }

    /// The bytes that are left.
    pub const fn bytes_left(&self) -> u32 {
        self.bytes
    }

    pub(super) fn steps(&mut self, steps: usize) -> Result<(), Limit> {
        self.steps = spend(self.steps, steps).ok_or_else(|| {
            self.steps = 0;
            Limit::Steps
        })?;
        Ok(())
    }

    /// The steps of reading a text.
    pub(super) fn text(&mut self, bytes: usize) -> Result<(), Limit> {
        self.steps(bytes / 64)
    }

    pub(super) fn memory(&mut self, bytes: usize) -> Result<(), Limit> {
        self.bytes = spend(self.bytes, bytes).ok_or_else(|| {
            self.bytes = 0;
            Limit::Memory
        })?;
        Ok(())
    }
}

fn spend(left: u32, amount: usize) -> Option<u32> {
    left.checked_sub(u32::try_from(amount).ok()?)
}
