//! The system clock after a jump that is refused: the reason, and its acceptance.

use crate::error::Surface;
use crate::service::{Answer, IdempotencyKey, PartnerPrincipal, Reply, Services};
use crate::store::{self, WriteError};
use crate::wire::AcceptedClockResponse;

impl Services {
    /// The reason why writes are refused until the clock is corrected or accepted; `None` while the
    /// clock is accepted.
    pub fn clock_refusal(&self) -> Option<String> {
        let refused = self.clock.refused()?;
        Some(crate::clock::refusal(refused.length()))
    }

    /// Accepts the system clock as it is now, so that writes go on.
    ///
    /// # Errors
    /// [`WriteError`] if the acceptance cannot be stored for the next start; it may have taken
    /// effect nevertheless.
    pub async fn accept_clock(
        &self,
        partner: PartnerPrincipal,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Reply, WriteError> {
        let clock = self.clock.clone();
        self.write_by_any_clock(Surface::Bullseye, partner, idempotency, move |tx, _| {
            store::settings::forget_refused_step(tx)?;
            let accepted = clock.accept();
            Ok(Answer::ok(&AcceptedClockResponse::new(
                accepted,
                clock.now(),
            )))
        })
        .await
    }
}
