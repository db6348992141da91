//! The limit of open connections that the system imposes.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors reserved for the database, webhooks and files.
const OTHERS: u64 = 256;

/// Raises the limit of open descriptors as far as the system allows. Returns the limit of
/// connections: the wanted number, or as many as there are descriptors for.
pub(super) fn connections_max(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            limit.current
        }
    };
    let room = current.map_or(u64::MAX, |current| {
        current.saturating_sub(OTHERS).max(current / 2)
    });
    let room = usize::try_from(room).unwrap_or(usize::MAX).max(1);
    if room < wanted {
        tracing::warn!(
            connections_max = room,
            "the system allows this process fewer connections than server.connections_max: raise \
             its limit of open files"
        );
    }
    wanted.min(room)
}
