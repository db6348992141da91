//! Answers computed from memory: short ones immediately, long ones when the tenant is scheduled.

use crate::service::ServiceError;
use crate::store::{Tenant, Turns};

/// Buckets, offers or programs up to which the thread that serves the request computes the answer.
/// A longer answer takes as long as a read and would delay every other request of that thread.
const INLINE_PARTS_MAX: usize = 1000;

/// Computes an answer that has `parts` parts: immediately if they are few, otherwise when the
/// tenant is scheduled, as for a read.
pub(super) async fn compute<C, T, F>(
    context: &C,
    turns: &Turns,
    (tenant, parts): (impl Into<Tenant>, usize),
    work: F,
) -> Result<T, ServiceError>
where
    C: Clone + Send + 'static,
    F: FnOnce(&C) -> T + Send + 'static,
    T: Send + 'static,
{
    if parts <= INLINE_PARTS_MAX {
        return Ok(work(context));
    }
    let context = context.clone();
    let work = move || work(&context);
    Ok(turns.run(tenant.into(), work).await?)
}
