//! Steps: what is saved is stored in several writes, so that no other write waits long.

/// The bytes from which a step ends.
const STEP_BYTES: usize = 1 << 20;

/// Passes rows, each with its size in bytes, to `write` in steps of about a megabyte.
pub(super) fn in_steps<R, E>(
    rows: impl IntoIterator<Item = (usize, R)>,
    mut write: impl FnMut(Vec<R>) -> Result<(), E>,
) -> Result<(), E> {
    let (mut step, mut bytes) = (Vec::new(), 0);
    for (size, row) in rows {
        bytes += size;
        step.push(row);
        if bytes >= STEP_BYTES {
            write(std::mem::take(&mut step))?;
            bytes = 0;
        }
    }
    if step.is_empty() {
        return Ok(());
    }
    write(step)
}
