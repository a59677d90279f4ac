//! Where tokens end, eight bytes at a time. `None` stands for whatever is unusual or wrong: the lexer knows what it is.

/// The same byte eight times.
const fn repeated(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

fn word(text: &[u8], at: usize) -> Option<u64> {
    let bytes = text.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}

/// In which byte of the word the first bit is set.
fn first_byte(bits: u64) -> usize {
    bits.trailing_zeros() as usize / 8
}

/// The end of a string whose opening quote stands before `at`: where its closing quote is past.
#[inline]
pub(super) fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        while let Some(word) = word(text, at) {
            let special = special_bytes(word);
            if special != 0 {
                at += first_byte(special);
                break;
            }
            at += 8;
        }
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = escape_end(text, at + 1)?,
            0..b' ' => return None,
            _ => at += 1,
        }
    }
}

/// A bit in each byte that is a quote, a backslash or a control character. Those behind the first may be set in error.
#[inline]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = repeated(1);
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let is_control = word.wrapping_sub(repeated(b' ')) & !word;
    (is_zero(word ^ repeated(b'"')) | is_zero(word ^ repeated(b'\\')) | is_control) & repeated(0x80)
}

/// The end of an escape whose backslash stands before `at`, or of the two that make up one character.
fn escape_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
        b'u' => match text.get(at + 1..at + 5)? {
            // Halves of characters, of which the second has to follow the first.
            [b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', rest @ ..] if are_digits(rest) => {
                match text.get(at + 5..at + 11)? {
                    [b'\\', b'u', b'd' | b'D', b'c'..=b'f' | b'C'..=b'F', rest @ ..] if are_digits(rest) => {
                        Some(at + 11)
                    }
                    _ => None,
                }
            }
            [b'd' | b'D', b'c'..=b'f' | b'C'..=b'F', ..] => None,
            digits => are_digits(digits).then_some(at + 5),
        },
        _ => None,
    }
}

fn are_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_hexdigit)
}

/// The end of the digits from `at` on.
#[inline]
pub(super) fn digits_end(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = word(text, at) {
        // A digit is 0x30 to 0x39: its upper half is a 3, and still is with six more.
        let is_other = (word ^ repeated(0x30)) | (word.wrapping_add(repeated(6)) ^ repeated(0x30));
        let others = is_other & repeated(0xF0);
        if others != 0 {
            return at + first_byte(others);
        }
        at += 8;
    }
    at + text.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strings() {
        let check = |text: &str, end: Option<usize>| {
            assert_eq!(string_end(text.as_bytes(), 1), end, "{text}");
            let long = format!("\"{}{}", "x".repeat(11), &text[1..]);
            assert_eq!(string_end(long.as_bytes(), 1), end.map(|end| end + 11), "{long}");
        };
        check("\"\"", Some(2));
        check("\"abcdefghijklm\",1", Some(15));
        check("\"a\\\"b\" ", Some(6));
        check("\"\\u00e9\\\\\"...........", Some(10));
        check("\"é\u{1f600}\u{7f}\"", Some(9));
        check(r#""\ud83d\uDE00!""#, Some(15));
        check(r#""\ud7ff\ue000...""#, Some(17));
        for half in [r#""\ud83d""#, r#""\ud83d\n......""#, r#""\uD83D\ud83d...""#, r#""\ude00......""#] {
            check(half, None);
        }
        for wrong in ["\"", "\"abcdefghijk", "\"a\nb\"", "\"\u{1f}........\"", "\"\\x\"", "\"\\u12\"", "\"\\"]
        {
            check(wrong, None);
        }
    }

    proptest! {
        #[test]
        fn a_string_ends_at_its_first_special_byte(text in "[ -~\u{e9}\u{1f}\n\"\\\\]{0,40}") {
            let bytes = text.as_bytes();
            let first = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\') || *byte < b' ');
            match first.map(|at| (at, bytes[at])) {
                Some((at, b'"')) => prop_assert_eq!(string_end(bytes, 0), Some(at + 1)),
                Some((_, b'\\')) => {}
                _ => prop_assert_eq!(string_end(bytes, 0), None),
            }
        }

        #[test]
        fn digits_end_where_there_is_none(bytes in prop::collection::vec(prop_oneof![8 => b'0'..=b'9', 1 => any::<u8>()], 0..40)) {
            let expected = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
            prop_assert_eq!(digits_end(&bytes, 0), expected);
        }
    }
}
