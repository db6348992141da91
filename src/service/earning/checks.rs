//! What requests about balances must not combine.

use uuid::Uuid;

use super::scope::{self, Named};
use crate::domain::{BalanceOperation, Bucket, Change, Invalid};
use crate::service::loyalty::points::NEEDS_LOTS;
use crate::service::{KeyPrincipal, ServiceError};
use crate::store::{self, Transaction};
use crate::wire::{AdjustBalanceRequest, BalanceOperationRequest, OperatedAsset};

/// Checks the program and the asset of a request. Returns the id of the program, and the asset.
pub(super) fn check_asset(
    tx: &Transaction<'_>,
    key: &KeyPrincipal,
    asset: &OperatedAsset,
) -> Result<(Uuid, Named), ServiceError> {
    let program = store::programs::get(tx, key.program)?.uuid;
    scope::check_program_text(program, &asset.program_id)?;
    let asset = scope::asset_of_text(tx, (key.program, program), &asset.asset_id)?;
    Ok((program, asset))
}

/// Refuses fields that do not go together.
pub(super) fn check_adjustment(request: &AdjustBalanceRequest) -> Result<(), Invalid> {
    let is_held = request.bucket == Bucket::Held;
    if request.is_credit {
        if request.allow_negative {
            return Err(Invalid::new(
                "allow_negative",
                "must be left out of a CREDIT",
            ));
        }
        if is_held && request.matures_at.is_some() {
            let expected = "must be left out with bucket HELD";
            return Err(Invalid::new("matures_at", expected));
        }
        return Ok(());
    }
    let of_credits = "must be left out of a DEBIT";
    if request.expires_at != Change::Keep {
        return Err(Invalid::new("expires_at", of_credits));
    }
    if request.matures_at.is_some() {
        return Err(Invalid::new("matures_at", of_credits));
    }
    if request.reference_id.is_some() && !is_held {
        let expected = "must be left out of a DEBIT from AVAILABLE";
        return Err(Invalid::new("reference_id", expected));
    }
    if request.allow_negative && is_held {
        let expected = "must be left out with bucket HELD";
        return Err(Invalid::new("allow_negative", expected));
    }
    Ok(())
}

/// Refuses fields that an operation does not have.
pub(super) fn check_operation(
    operation: BalanceOperation,
    request: &BalanceOperationRequest,
) -> Result<(), Invalid> {
    if operation != BalanceOperation::Hold && request.hold_until.is_some() {
        return Err(Invalid::new("hold_until", "is only a field of a hold"));
    }
    if let (Some(from), Some(to)) = (request.earned_from, request.earned_to)
        && to < from
    {
        return Err(Invalid::new("earned_to", "must not be before earned_from"));
    }
    match operation {
        BalanceOperation::Hold | BalanceOperation::Release => Ok(()),
        BalanceOperation::Forfeit => match request.bucket {
            None => Err(Invalid::new("bucket", "is required: AVAILABLE or HELD")),
            Some(Bucket::Available) if request.reference_id.is_some() => {
                let expected = "must be left out with bucket AVAILABLE: a reference is that of \
                                held points";
                Err(Invalid::new("reference_id", expected))
            }
            Some(_) => Ok(()),
        },
        BalanceOperation::VoidHold => {
            if request.reference_id.is_none() {
                return Err(Invalid::new("reference_id", "is required"));
            }
            let given = [
                ("amount", request.amount.is_some()),
                ("lot_ids", request.lot_ids.is_some()),
                ("earned_from", request.earned_from.is_some()),
                ("earned_to", request.earned_to.is_some()),
            ];
            let expected = "must be left out: all points of the reference are taken back";
            match given.into_iter().find(|(_, is_given)| *is_given) {
                Some((name, _)) => Err(Invalid::new(name, expected)),
                None => Ok(()),
            }
        }
    }
}

/// Refuses what needs lots, in a program without them.
pub(super) fn refuse_lot_fields(
    operation: BalanceOperation,
    request: &BalanceOperationRequest,
) -> Result<(), Invalid> {
    let given = [
        ("reference_id", request.reference_id.is_some()),
        ("lot_ids", request.lot_ids.is_some()),
        ("earned_from", request.earned_from.is_some()),
        ("earned_to", request.earned_to.is_some()),
        ("hold_until", request.hold_until.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) => Err(Invalid::new(name, NEEDS_LOTS)),
        None if operation == BalanceOperation::VoidHold => {
            Err(Invalid::new("reference_id", NEEDS_LOTS))
        }
        None => Ok(()),
    }
}
