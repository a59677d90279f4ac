/// How many bytes are looked at together.
pub(super) const BLOCK: usize = 64;

/// Where a plain cell may end: the delimiters and line ends among the bytes, a bit for each, the lowest for the first.
///
/// It is written so that the compiler makes vector instructions of it.
#[inline]
pub(super) fn ends_in(bytes: &[u8; BLOCK], delimiter: u8) -> u64 {
    let mut is_end = [0_u8; BLOCK];
    for (is_end, byte) in is_end.iter_mut().zip(bytes) {
        *is_end = u8::from(*byte == delimiter) | u8::from(*byte == b'\n') | u8::from(*byte == b'\r');
    }
    let (eights, _) = is_end.as_chunks::<8>();
    eights.iter().rev().fold(0, |bits, eight| (bits << 8) | gather(u64::from_le_bytes(*eight)))
}

/// The lowest bits of eight bytes that are 0 or 1, side by side. The product moves each to its place in the highest byte.
fn gather(bytes: u64) -> u64 {
    bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_stand_where_bytes_are_ends(text in "[a;\n\r]{64}") {
            let bytes = text.as_bytes().first_chunk().expect("64 bytes");
            let found = ends_in(bytes, b';');
            for (at, byte) in bytes.iter().enumerate() {
                prop_assert_eq!(found >> at & 1 == 1, b";\n\r".contains(byte), "{}", at);
            }
        }
    }
}
