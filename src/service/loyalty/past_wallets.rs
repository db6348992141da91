//! Wallets of a past time, from the chain of ledger entries.

use super::sandbox;
use super::wallets::Account;
use crate::domain::{ExternalUserId, Invalid, Refusal, Seq, Timestamp, Wallet};
use crate::service::{Caller, ServiceError, Services};
use crate::store::log::AccountLog;
use crate::wire::WalletResponse;

impl Services {
    /// A member's wallet at a time, the entries of that very time included.
    ///
    /// # Errors
    /// As [`Services::get_wallet`]; `VALIDATION` for a time to come.
    pub async fn get_past_wallet(
        &self,
        caller: Caller,
        on_behalf: Option<ExternalUserId>,
        at: Timestamp,
    ) -> Result<WalletResponse, ServiceError> {
        let program = caller.program();
        let currency = self.directory.currency_of(program)?;
        let account = self.account(caller, on_behalf.as_ref(), false);
        // A time to come is refused before a member who does not exist.
        let unknown = match account {
            Err(ServiceError::Refused(Refusal::NotFound(what))) => Some(what),
            Err(error) => return Err(error),
            Ok(_) => None,
        };
        let account = account.ok();
        let clock = self.clock.clone();
        self.look_up(caller, move |connection| {
            let now = sandbox::now(connection, &clock, program)?;
            if at > now {
                let expected = format!("must not be in the future: it is {now}");
                return Err(Invalid::new("at", expected).into());
            }
            if let Some(what) = unknown {
                return Err(Refusal::NotFound(what).into());
            }
            let entry = match account {
                Some(Account { record, .. }) => {
                    AccountLog::new(connection, record.number, &record.account).newest_by(at)?
                }
                None => None,
            };
            let (wallet, as_of) = match entry {
                Some(row) => (row.after, row.seq),
                None => (Wallet::default(), Seq(0)),
            };
            Ok(WalletResponse::new(&wallet, &[], as_of, &currency))
        })
        .await
    }
}
