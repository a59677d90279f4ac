//! Cells that are of a type at first sight. What is not may still be of it: [`classify`](crate::text::cell::classify) says.

const EIGHT: usize = 8;

/// The highest bit of each of sixteen bytes, and the sixteen bytes of `0`.
const HIGH: u128 = u128::from_ne_bytes([0x80; 16]);
const ZEROS: u128 = u128::from_ne_bytes([b'0'; 16]);

/// Whether a cell is an integer of up to 16 digits, with or without a minus, and without zeros before it.
#[inline]
pub(super) fn is_short_integer(cell: &[u8]) -> bool {
    let digits = cell.strip_prefix(b"-").unwrap_or(cell);
    match digits {
        [] | [b'0', _, ..] => false,
        _ => load(digits).is_some_and(|bytes| others(bytes, digits.len()) == 0),
    }
}

/// Whether a cell is a number of up to 16 digits, with or without a minus and a point between them, and without zeros
/// before it.
#[inline]
pub(super) fn is_short_number(cell: &[u8]) -> bool {
    let digits = cell.strip_prefix(b"-").unwrap_or(cell);
    match digits {
        [] | [b'0', b'0'..=b'9', ..] | [b'.', ..] => false,
        _ => load(digits).is_some_and(|bytes| {
            let others = others(bytes, digits.len());
            // None, or one that is the point.
            others & others.wrapping_sub(1) == 0
                && (others == 0 || digits[others.trailing_zeros() as usize / 8] == b'.')
        }),
    }
}

/// Whether a cell is `YYYY-MM-DD`, a `T` or blank, and `hh:mm:ss`, on a day that every month has, in a year from 1 to 9999.
#[inline]
pub(super) fn is_plain_timestamp(cell: &[u8]) -> bool {
    let Ok(cell) = <&[u8; 19]>::try_from(cell) else { return false };
    let mut date = [0; 16];
    date.copy_from_slice(&cell[..16]);
    // What stands between the digits is made a digit, if it is what it has to be.
    for (at, mark) in [(4, b'-'), (7, b'-'), (13, b':')] {
        date[at] ^= mark ^ b'0';
    }
    if cell[10] != b' ' && cell[10] != b'T' {
        return false;
    }
    date[10] = b'0';
    let digits = date.map(|digit| digit.wrapping_sub(b'0'));
    let two = |at: usize| digits[at] * 10 + digits[at + 1];
    others(u128::from_le_bytes(date), 16) == 0
        && (digits[4] | digits[7] | digits[13]) == 0
        && (digits[0] | digits[1] | digits[2] | digits[3]) != 0
        && (1..=12).contains(&two(5))
        && (1..=28).contains(&two(8))
        && two(11) < 24
        && two(14) < 60
        && cell[16] == b':'
        && (b'0'..=b'5').contains(&cell[17])
        && cell[18].is_ascii_digit()
}

/// Up to sixteen bytes as a number, the first the lowest, with zeros behind them. Parts that overlap are the same bytes.
#[inline]
fn load(bytes: &[u8]) -> Option<u128> {
    let length = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk::<EIGHT>(), bytes.last_chunk::<EIGHT>()) {
        let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        return (length <= 2 * EIGHT).then(|| u128::from(first) | u128::from(last) << (8 * (length - EIGHT)));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return Some(u128::from(u64::from(first) | u64::from(last) << (8 * (length - 4))));
    }
    let (first, last) = (bytes.first()?, bytes.last()?);
    let middle = length / 2;
    let three =
        u32::from(*first) | u32::from(bytes[middle]) << (8 * middle) | u32::from(*last) << (8 * (length - 1));
    Some(u128::from(three))
}

/// Which of the first bytes are no digits, as the highest bit of each.
#[inline]
fn others(bytes: u128, length: usize) -> u128 {
    // A digit less `0` is below ten: adding 118 to it does not reach the highest bit.
    let less = bytes ^ ZEROS;
    let beyond = ((less & !HIGH) + u128::from_ne_bytes([0x76; 16])) | less;
    beyond & HIGH & (u128::MAX >> (128 - 8 * length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::cell::{Cell, value};

    /// Whether each shape knows the cell, which none may do wrongly.
    fn shapes(cell: &str) -> [bool; 3] {
        let (cell, kind) = (cell.as_bytes(), value(cell.as_bytes()));
        let found = [is_short_integer(cell), is_short_number(cell), is_plain_timestamp(cell)];
        let allowed = [kind == Cell::Int, matches!(kind, Cell::Int | Cell::Float), kind == Cell::Timestamp];
        for (found, allowed) in found.into_iter().zip(allowed) {
            assert!(allowed || !found, "{cell:?} is {kind:?}");
        }
        found
    }

    #[track_caller]
    fn check(cells: &[&str], expected: [bool; 3]) {
        for cell in cells {
            assert_eq!(shapes(cell), expected, "{cell:?}");
        }
    }

    #[test]
    fn what_is_seen_at_once() {
        check(
            &["0", "-0", "7", "12", "-123", "1234567", "12345678", "123456789", "-1234567890123456"],
            [true, true, false],
        );
        check(
            &["0.5", "-1.25", "5.", "123.4567", "1234567.890123", "0.12345678901234"],
            [false, true, false],
        );
        check(&["2024-02-28 23:59:59", "0001-01-01T00:00:00", "9999-12-28 10:20:30"], [false, false, true]);
    }

    #[test]
    fn what_is_looked_at_more_closely() {
        check(
            &["", "-", ".", "-.", "00", "007", "-01", "01.5", "--1", "1-", "1.2.3", "1e5", "+1", " 1", "x"],
            [false; 3],
        );
        check(&["12345678901234567", "1:", "1/", "\u{661}", "0.123456789012345"], [false; 3]);
        check(
            &[
                "2024-02-29 10:00:00",
                "2024-00-10 10:00:00",
                "2024-13-10 10:00:00",
                "2024-01-00 10:00:00",
                "0000-01-01 10:00:00",
                "2024-01-01 24:00:00",
                "2024-01-01 10:60:00",
                "2024-01-01 10:00:60",
                "2024-01-01_10:00:00",
                "2024-01-01 10:00:00Z",
                "2024/01/01 10:00:00",
                "2024-01-01 10.00:00",
            ],
            [false; 3],
        );
    }

    proptest! {
        #[test]
        fn nothing_is_taken_for_what_it_is_not(
            cell in prop_oneof![
                "[-0-9.]{0,18}",
                "[-+0-9.e:/ ]{0,10}",
                "[0-9]{3,4}[-/][0-3][0-9]-[0-3][0-9][ T_][0-2][0-9][:.][0-6][0-9]:[0-6][0-9:]",
                any::<String>(),
            ],
        ) {
            shapes(&cell);
        }

        #[test]
        fn short_numbers_are_seen_at_once(number in -9_999_999_999_999_999_i64..=9_999_999_999_999_999, point in 1..16_usize) {
            let text = number.to_string();
            prop_assert!(shapes(&text)[0]);
            let (sign, mut digits) = (if number < 0 { "-" } else { "" }, number.unsigned_abs().to_string());
            if digits.len() < 16 {
                digits.insert(point.min(digits.len()), '.');
                digits.insert_str(0, sign);
                prop_assert!(shapes(&digits)[1]);
            }
        }
    }
}
