//! The chain of hashes over a program's ledger entries.
//!
//! h = SHA-256(h of the entry before it ‖ the row in canonical form ‖ the commitments to its
//! texts). The canonical form contains no number that counts rows of the log, so that hashes stay
//! the same in an import, or if a program is moved. It contains the numbers of members, offers,
//! redemptions and keys, which such a move has to preserve.

use sha2::{Digest as _, Sha256};

use crate::domain::{Cell, Cells, Column};

/// A hash of the chain, or a commitment to a text.
pub type Hash = [u8; 32];

/// The hash before a program's first ledger entry.
pub const START: Hash = [0; 32];

/// The number of bytes of a text's salt.
pub(in crate::store) const SALT_BYTES: usize = 16;

/// The version of the canonical form.
const FORM: u8 = 1;

/// The number of columns that the chain covers.
const HASHED_COUNT: usize = {
    let (mut count, mut index) = (0, 0);
    while index < Column::ALL.len() {
        count += Column::ALL[index].is_hashed() as usize;
        index += 1;
    }
    count
};

/// The columns that the chain covers, in the order of the table.
const HASHED: [Column; HASHED_COUNT] = {
    let mut hashed = [Column::At; HASHED_COUNT];
    let (mut count, mut index) = (0, 0);
    while index < Column::ALL.len() {
        if Column::ALL[index].is_hashed() {
            hashed[count] = Column::ALL[index];
            count += 1;
        }
        index += 1;
    }
    hashed
};

/// The hash of an entry, from the hash of the entry before it. `texts` are the numbers of its texts
/// in rising order, each with its commitment.
pub(in crate::store) fn next(previous: &Hash, row: &impl Cells, texts: &[(i64, Hash)]) -> Hash {
    let mut form = Vec::with_capacity(256);
    form.extend_from_slice(previous);
    form.push(FORM);
    for column in HASHED {
        let cell = row.cell(column);
        if cell != Cell::Null {
            form.push(column_byte(column));
            write_cell(&mut form, cell);
        }
    }
    for (part, commitment) in texts {
        // No column has this byte.
        form.push(u8::MAX);
        write_number(&mut form, *part);
        form.extend_from_slice(commitment);
    }
    Sha256::digest(&form).into()
}

/// The commitment to a text, which the chain covers in place of the text, as that may be erased.
pub(in crate::store) fn commitment(salt: &[u8], text: &str) -> Hash {
    Sha256::new()
        .chain_update(salt)
        .chain_update(text)
        .finalize()
        .into()
}

/// The byte of a column. Columns are only ever added at the end.
fn column_byte(column: Column) -> u8 {
    column as u8
}

fn write_cell(form: &mut Vec<u8>, cell: Cell<'_>) {
    let write_bytes = |form: &mut Vec<u8>, bytes: &[u8]| {
        write_number(form, i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        form.extend_from_slice(bytes);
    };
    match cell {
        Cell::Null => {}
        Cell::Integer(number) => {
            form.push(b'i');
            write_number(form, number);
        }
        Cell::Text(text) => {
            form.push(b't');
            write_bytes(form, text.as_bytes());
        }
        Cell::Blob(bytes) => {
            form.push(b'b');
            write_bytes(form, bytes);
        }
    }
}

/// Writes a number in as few bytes as possible, with seven bits in each (LEB128 of its zigzag
/// form).
fn write_number(form: &mut Vec<u8>, number: i64) {
    let mut rest = (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned();
    while rest >= 0x80 {
        form.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    form.push(rest.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;
    use crate::domain::Row;

    fn row(amount: i64) -> Row<'static> {
        let mut row = Row::default();
        row.set(Column::Seq, Cell::Integer(17));
        row.set(Column::At, Cell::Integer(1_780_000_000_000));
        row.set(Column::Kind, Cell::Integer(4));
        row.set(Column::Amount, Cell::Integer(amount));
        row.set(Column::To, Cell::Text("gold"));
        row
    }

    #[test]
    fn the_form_is_pinned() {
        let hash = next(&START, &row(-300), &[(1, [7; 32])]);
        assert_eq!(
            HEXLOWER.encode(&hash),
            "168b361f2719df58a8c646bc852751abe3605f852539e1bf43839eb4879c7b85"
        );
    }

    #[test]
    fn numbers_of_rows_are_left_out_and_all_else_is_covered() {
        let plain = next(&START, &row(5), &[]);
        let mut moved = row(5);
        for column in [Column::Seq, Column::Previous, Column::Jump, Column::Cause] {
            moved.set(column, Cell::Integer(99));
        }
        assert_eq!(next(&START, &moved, &[]), plain);
        let mut other = row(5);
        other.set(Column::SpentAfter, Cell::Integer(0));
        for changed in [
            next(&[1; 32], &row(5), &[]),
            next(&START, &row(6), &[]),
            next(&START, &other, &[]),
            next(&START, &row(5), &[(1, [7; 32])]),
        ] {
            assert_ne!(changed, plain);
        }
    }
}
