//! Pages of lists. A list reads one row more than fits on the page, so that it knows whether
//! another page follows.

use crate::wire::{Cursor, ListKind, PageQuery};

/// Truncates `rows` to `limit`. Returns the last row of a page that another page follows.
pub(in crate::service) fn cut<T>(rows: &mut Vec<T>, limit: usize) -> Option<&T> {
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| has_more)
}

/// Truncates `rows` to a page of a list that is ordered by the number of its rows. Returns the
/// cursor of the next page. `owner` is the number of the program or organization whose list it is.
pub(in crate::service) fn next_cursor<T>(
    rows: &mut Vec<T>,
    page: PageQuery,
    (list, owner): (ListKind, i64),
    number: impl FnOnce(&T) -> i64,
) -> Option<String> {
    cut(rows, page.limit).map(|last| Cursor(number(last)).encode(list, owner))
}
