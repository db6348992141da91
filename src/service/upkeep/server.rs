//! The state of the server, for its operator.

use std::path::Path;

use crate::domain::Timestamp;
use crate::service::{PartnerPrincipal, ServiceError, Services};
use crate::store::checks;
use crate::store::checks::{BackupMade, Verification};
use crate::wire::{ServerBackupResponse, ServerFileResponse, ServerResponse, ServerVerifyResponse};

impl Services {
    /// The version, the state of the database, and when it was last verified and backed up.
    ///
    /// # Errors
    /// [`ServiceError`] if too many reads wait.
    pub async fn get_server(
        &self,
        partner: PartnerPrincipal,
    ) -> Result<ServerResponse, ServiceError> {
        let services = self.clone();
        // Access to files may block.
        let look = move |_: &crate::store::Connection| Ok(services.server());
        self.read(partner, look).await
    }

    fn server(&self) -> ServerResponse {
        let text = |millis| Timestamp::from_millis(millis).map(|at| at.to_string());
        let verify = checks::last::<Verification>(&self.database);
        let backup = checks::last::<BackupMade>(&self.database);
        ServerResponse {
            version: env!("CARGO_PKG_VERSION"),
            started_at: self.started_at.to_string(),
            now: self.now().to_string(),
            takes_writes: self.is_ready(),
            reason: self.unreadiness(),
            clock_refused: self.clock.refused().is_some(),
            database: ServerFileResponse {
                bytes: super::metrics::file_bytes(&self.database),
                log_bytes: super::metrics::file_bytes(Path::new(&self.wal())),
            },
            last_verify: verify.and_then(|check| {
                Some(ServerVerifyResponse {
                    at: text(check.at)?,
                    agrees: check.findings == 0,
                    figures: check.figures,
                    findings: check.findings,
                })
            }),
            last_backup: backup.and_then(|made| {
                Some(ServerBackupResponse {
                    at: text(made.at)?,
                    bytes: made.bytes,
                })
            }),
        }
    }

    /// The reason why no writes are accepted; `None` if they are.
    pub fn unreadiness(&self) -> Option<String> {
        if self.is_ready() {
            return None;
        }
        Some(match (self.loss(), self.clock_refusal()) {
            (Some(loss), _) => loss.to_owned(),
            (None, Some(refusal)) => refusal,
            (None, None) if self.writer.is_writable() => {
                "what became due while the server was stopped is being applied".to_owned()
            }
            (None, None) => "the database takes no writes".to_owned(),
        })
    }
}
