//! The participants that an event names, of which some may not exist yet.

use uuid::Uuid;

use crate::books::Record;
use crate::domain::{ExternalUserId, MemberNumber, MemberProfile, Seq};
use crate::service::earning::subject;
use crate::service::loyalty::members;
use crate::service::tenancy::caps::Caps;
use crate::service::{KeyPrincipal, ServiceError};
use crate::store::{self, Transaction};

/// A participant that an event names.
#[derive(Debug, Clone)]
pub(super) enum Named {
    /// One that exists.
    Known(Box<Record>),
    /// One that does not exist, by the operator's own id.
    Unknown(ExternalUserId),
}

impl Named {
    pub(super) fn of(
        tx: &Transaction<'_>,
        key: &KeyPrincipal,
        id: Option<Uuid>,
        external_id: Option<&ExternalUserId>,
    ) -> Result<Option<Self>, ServiceError> {
        if let Some(id) = id {
            let record = subject::account(tx, key, &id.to_string())?;
            return Ok(Some(Self::Known(Box::new(record))));
        }
        Ok(external_id.map(|id| match tx.account_of(key.program, id) {
            Some(record) => Self::Known(Box::new(record)),
            None => Self::Unknown(id.clone()),
        }))
    }

    pub(super) fn number(&self) -> Option<MemberNumber> {
        match self {
            Self::Known(record) => Some(record.number),
            Self::Unknown(_) => None,
        }
    }
}

/// Creates the participants that do not exist. Their rows come right before that of the event.
pub(super) fn create(
    tx: &mut Transaction<'_>,
    (caps, key): (Caps, &KeyPrincipal),
    named: [Option<&Named>; 2],
) -> Result<[Option<Record>; 2], ServiceError> {
    let at = tx.now(key.program);
    let unknown = |named: &Named| match named {
        Named::Unknown(id) => Some(id.clone()),
        Named::Known(_) => None,
    };
    let mut ids: Vec<ExternalUserId> = named.into_iter().flatten().filter_map(unknown).collect();
    ids.dedup();
    let event = Seq(tx.next_seq().0 + i64::try_from(ids.len()).unwrap_or(0));
    for id in &ids {
        let profile = MemberProfile::default();
        members::create(tx, caps, (at, key), id, profile, Some(event))?;
    }
    let record = |it: Option<&Named>| match it {
        None => Ok(None),
        Some(Named::Known(record)) => Ok(Some((**record).clone())),
        Some(Named::Unknown(id)) => {
            let record = tx.account_of(key.program, id);
            let gone = store::Error::Impossible("member that was just created");
            record.map(Some).ok_or(gone)
        }
    };
    let [own, recipient] = named.map(record);
    Ok([own?, recipient?])
}
