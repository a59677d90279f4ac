//! Cells that are of a type at first sight. What is not may still be of it: [`classify`](super::cell::classify) says.

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
