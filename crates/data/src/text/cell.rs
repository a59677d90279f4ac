use super::nulls::NullWords;

/// What the text of a cell can be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Nothing, or one of the words that stand for it.
    Null,
    Boolean,
    /// An integer that 64 bits hold with a sign. Of a column: no value is negative.
    Int,
    /// Of a column alone: integers of which one is negative.
    Signed,
    /// An integer that 64 bits hold without a sign alone.
    Uint,
    Float,
    Date,
    Timestamp,
    ZonedTimestamp,
    Text,
}

/// A cell longer than this is text, whatever it holds.
pub(crate) const LONGEST_CELL: usize = 4096;

/// What a cell is. Blanks around a number do not count, as for the readers of Python.
pub(crate) fn classify(cell: &[u8], nulls: &NullWords) -> Cell {
    if cell.is_empty() || (nulls.hide_values() && nulls.contains(cell)) {
        return Cell::Null;
    }
    match value(cell) {
        Cell::Text if nulls.contains(cell) => Cell::Null,
        found => found,
    }
}

/// What a cell is if no word stands for a null.
pub(crate) fn value(cell: &[u8]) -> Cell {
    let Some(first) = cell.first() else { return Cell::Text };
    if cell.len() > LONGEST_CELL {
        return Cell::Text;
    }
    match first {
        b'0'..=b'9' if cell.len() >= 10 && cell[4] == b'-' => time(cell),
        b'0'..=b'9' | b'+' | b'-' | b'.' | b' ' | b'\t' | b'i' | b'I' => number(cell),
        b't' | b'T' | b'f' | b'F' if is_boolean(cell) => Cell::Boolean,
        _ => Cell::Text,
    }
}

#[inline]
pub(crate) fn is_boolean(cell: &[u8]) -> bool {
    matches!(cell, b"true" | b"True" | b"TRUE" | b"false" | b"False" | b"FALSE")
}

/// An integer that 64 bits hold, with a sign or without, a float, or text. Zero-padded numbers are codes, and so text.
pub(crate) fn number(cell: &[u8]) -> Cell {
    let cell = match cell {
        [b' ' | b'\t', ..] | [.., b' ' | b'\t'] => trim_blanks(cell),
        _ => cell,
    };
    let (negative, unsigned) = match cell {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, cell),
    };
    let whole = digits(unsigned);
    if whole > 1 && unsigned[0] == b'0' {
        return Cell::Text;
    }
    let mut rest = &unsigned[whole..];
    if rest.is_empty() {
        return match negative {
            _ if whole == 0 => Cell::Text,
            true if fits(unsigned, b"9223372036854775808") => Cell::Int,
            false if fits(unsigned, b"9223372036854775807") => Cell::Int,
            false if fits(unsigned, b"18446744073709551615") => Cell::Uint,
            _ => Cell::Text,
        };
    }
    let mut any_digit = whole > 0;
    if let [b'.', fraction @ ..] = rest {
        let count = digits(fraction);
        any_digit |= count > 0;
        rest = &fraction[count..];
    }
    if !any_digit {
        return if is_infinity(unsigned) { Cell::Float } else { Cell::Text };
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
        let count = digits(exponent);
        if count == 0 {
            return Cell::Text;
        }
        rest = &exponent[count..];
    }
    if rest.is_empty() { Cell::Float } else { Cell::Text }
}

fn trim_blanks(mut cell: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = cell {
        cell = rest;
    }
    cell
}

/// The number of digits at the front.
fn digits(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}

fn fits(digits: &[u8], largest: &[u8]) -> bool {
    // Without leading zeros, digits of one length stand in the order of their numbers.
    digits.len() < largest.len() || (digits.len() == largest.len() && digits <= largest)
}

fn is_infinity(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity")
}

/// A date or timestamp, or text.
fn time(cell: &[u8]) -> Cell {
    let (date, rest) = cell.split_at(10);
    if !is_date(date) {
        return Cell::Text;
    }
    let [b'T' | b' ', clock @ ..] = rest else {
        return if rest.is_empty() { Cell::Date } else { Cell::Text };
    };
    let [h1, h2, b':', m1, m2, seconds @ ..] = clock else { return Cell::Text };
    if !is_two_digits_below(*h1, *h2, 24) || !is_two_digits_below(*m1, *m2, 60) {
        return Cell::Text;
    }
    let mut zone = seconds;
    if let [b':', s1, s2, fraction @ ..] = seconds {
        if !is_two_digits_below(*s1, *s2, 60) {
            return Cell::Text;
        }
        zone = fraction;
        if let [b'.', fraction @ ..] = fraction {
            let count = digits(fraction);
            if count == 0 || count > 9 {
                return Cell::Text;
            }
            zone = &fraction[count..];
        }
    }
    match zone {
        [] => Cell::Timestamp,
        b"Z" => Cell::ZonedTimestamp,
        [b'+' | b'-', h1, h2] if is_two_digits_below(*h1, *h2, 24) => Cell::ZonedTimestamp,
        [b'+' | b'-', h1, h2, b':', m1, m2] | [b'+' | b'-', h1, h2, m1, m2]
            if is_two_digits_below(*h1, *h2, 24) && is_two_digits_below(*m1, *m2, 60) =>
        {
            Cell::ZonedTimestamp
        }
        _ => Cell::Text,
    }
}

fn is_two_digits_below(tens: u8, ones: u8, limit: u8) -> bool {
    tens.is_ascii_digit() && ones.is_ascii_digit() && (tens - b'0') * 10 + (ones - b'0') < limit
}

/// Whether ten bytes are `YYYY-MM-DD`, a day that there is in the years 1 to 9999.
fn is_date(text: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return false };
    if ![y1, y2, y3, y4, m1, m2, d1, d2].into_iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number =
        |digits: &[&u8]| digits.iter().fold(0_u32, |number, digit| number * 10 + u32::from(**digit - b'0'));
    let (year, month, day) = (number(&[y1, y2, y3, y4]), number(&[m1, m2]), number(&[d1, d2]));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    };
    year > 0 && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn classify_by_default(cell: &[u8]) -> Cell {
        classify(cell, NullWords::by_default())
    }

    #[track_caller]
    fn check(cells: &[&str], expected: Cell) {
        for cell in cells {
            assert_eq!(classify_by_default(cell.as_bytes()), expected, "{cell:?}");
        }
    }

    #[test]
    fn nulls() {
        check(
            &[
                "", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None", "none", "n/a", "<NA>", "-nan",
                "-NaN", "\\N", "#NA", "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
            ],
            Cell::Null,
        );
        check(&["n/a?", "na", "Null", " ", "-", "<na>", "NAN", "?", "nanx", " NA"], Cell::Text);
    }

    #[test]
    fn other_words_for_nulls() {
        let nulls = NullWords::new([]);
        for (cell, expected) in [("", Cell::Null), ("NA", Cell::Text), ("NaN", Cell::Text), ("1", Cell::Int)]
        {
            assert_eq!(classify(cell.as_bytes(), &nulls), expected, "{cell:?}");
        }
        let tokens = ["-999", "-", "1900-01-01"];
        let nulls = NullWords::new(tokens);
        for cell in ["-999", "-", "1900-01-01"] {
            assert_eq!(classify(cell.as_bytes(), &nulls), Cell::Null, "{cell:?}");
        }
        for (cell, expected) in [("-99", Cell::Int), ("1900-01-02", Cell::Date), ("--", Cell::Text)] {
            assert_eq!(classify(cell.as_bytes(), &nulls), expected, "{cell:?}");
        }
    }

    #[test]
    fn booleans() {
        check(&["true", "True", "TRUE", "false", "False", "FALSE"], Cell::Boolean);
        check(&["tRUE", "t", "yes", "truely", "T", " true"], Cell::Text);
    }

    #[test]
    fn integers() {
        check(
            &["0", "-0", "+7", "12", "-9223372036854775808", "9223372036854775807", " 12", "12\t "],
            Cell::Int,
        );
        check(
            &[
                "00",
                "007",
                "-01",
                "18446744073709551616",
                "-9223372036854775809",
                "123456789012345678901",
                "1_000",
            ],
            Cell::Text,
        );
        check(&["9223372036854775808", "+18446744073709551615"], Cell::Uint);
        check(&["+", "--1", "1-", "1 2", "0x10", "1,5", "\u{0661}"], Cell::Text);
    }

    #[test]
    fn floats() {
        check(
            &["0.5", ".5", "5.", "-1.25", "1e5", "1E-5", "+2.5e+10", "123456789012345678901.0", " 1.5 "],
            Cell::Float,
        );
        check(&["inf", "-inf", "+Inf", "Infinity", "INF", "-infinity"], Cell::Float);
        check(&[".", "e5", "1e", "1e+", "1.2.3", "01.5", "1.5f", "5%", "i", "infi", "-.", "1d5"], Cell::Text);
    }

    #[test]
    fn dates() {
        check(&["2024-02-29", "0001-01-01", "9999-12-31", "2000-02-29"], Cell::Date);
        check(
            &["2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-04-31", "2024-01-00"],
            Cell::Text,
        );
        check(
            &[
                "0000-01-01",
                "2024-1-01",
                "2024-01-1",
                "2024/01/01",
                "01-02-2024",
                "2024-01-01x",
                "2024-0a-01",
            ],
            Cell::Text,
        );
    }

    #[test]
    fn timestamps() {
        check(
            &[
                "2024-01-01T00:00",
                "2024-01-01 23:59:59",
                "2024-01-01T10:00:00.5",
                "2024-01-01T10:00:00.123456789",
            ],
            Cell::Timestamp,
        );
        check(
            &[
                "2024-01-01T00:00Z",
                "2024-01-01 10:00:00+00:00",
                "2024-01-01T10:00:00.123-11:30",
                "2024-01-01 10:00:00.0+0100",
                "2024-01-01 10:00:00-05",
            ],
            Cell::ZonedTimestamp,
        );
        check(
            &[
                "2024-01-01T",
                "2024-01-01T24:00",
                "2024-01-01T10:60",
                "2024-01-01T10:00:60",
                "2024-01-01T10:00:00.",
                "2024-01-01T10:00:00.1234567890",
                "2024-01-01T10",
                "2024-01-01T10:00+1:00",
                "2024-01-01T10:00 UTC",
                "2024-01-01t10:00",
                "2023-02-29T10:00",
            ],
            Cell::Text,
        );
    }

    #[test]
    fn a_very_long_cell_is_text() {
        let long = "1".repeat(LONGEST_CELL) + ".5";
        check(&[&long], Cell::Text);
        check(&[&long[3..]], Cell::Float);
    }

    proptest! {
        #[test]
        fn numbers_are_what_the_standard_library_parses(
            cell in prop_oneof!["[+-]?[0-9]{1,22}", "[+-]?[0-9]{0,3}[.e]?[0-9]{0,3}([eE][+-]?[0-9]{0,2})?"],
        ) {
            let digits = cell.trim_start_matches(['+', '-']).as_bytes();
            let is_padded = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
            let expected = match () {
                () if cell.is_empty() => Cell::Null,
                () if is_padded => Cell::Text,
                () if cell.parse::<i64>().is_ok() => Cell::Int,
                () if cell.parse::<u64>().is_ok() => Cell::Uint,
                () if cell.contains(['.', 'e', 'E']) && cell.parse::<f64>().is_ok() => Cell::Float,
                () => Cell::Text,
            };
            prop_assert_eq!(classify_by_default(cell.as_bytes()), expected);
        }

        #[test]
        fn any_bytes_are_something(cell: Vec<u8>) {
            let is_word = crate::text::nulls::USUAL.iter().any(|word| word.as_bytes() == cell);
            let found = classify_by_default(&cell);
            prop_assert_eq!(found == Cell::Null, cell.is_empty() || is_word);
        }
    }
}
