//! STUB
use crate::domain::{Cause, MemberNumber, Timestamp};
use crate::rules::{Number, Traits};
use crate::service::ServiceError;
use crate::store::Transaction;
use std::time::Duration;

pub(super) fn traits_of(_: &Transaction<'_>, _: MemberNumber) -> Result<Traits, ServiceError> {
    Ok(Traits::default())
}
pub(super) fn tag(
    _: &mut Transaction<'_>,
    _: Timestamp,
    _: MemberNumber,
    _: &str,
    _: Option<Cause>,
) -> Result<bool, ServiceError> {
    Ok(true)
}
pub(super) fn untag(
    _: &mut Transaction<'_>,
    _: Timestamp,
    _: MemberNumber,
    _: &str,
    _: Option<Cause>,
) -> Result<bool, ServiceError> {
    Ok(true)
}
pub(super) fn count(
    _: &mut Transaction<'_>,
    _: Timestamp,
    _: MemberNumber,
    _: &str,
    _: Number,
    _: Option<Duration>,
    _: Option<Cause>,
) -> Result<(), ServiceError> {
    Ok(())
}
pub(super) fn set_attribute(
    _: &mut Transaction<'_>,
    _: Timestamp,
    _: MemberNumber,
    _: &str,
    _: &str,
    _: Option<Cause>,
) -> Result<(), ServiceError> {
    Ok(())
}
