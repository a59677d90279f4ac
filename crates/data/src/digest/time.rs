//! Days, moments and times of day, whatever they are kept as.

use crate::text::cell::{Cell, value};
use crate::text::clock::microseconds;

/// Nanoseconds of a second.
pub(super) const SECOND: i128 = 1_000_000_000;

pub(super) const DAY: i128 = 86_400 * SECOND;

/// A point in time, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// By some clock on a wall. A day is its midnight.
    Local(i128),
    /// In UTC.
    Zoned(i128),
}

impl Moment {
    /// What a text tells, if it is a day or a moment as CSV knows them.
    pub(super) fn of_text(text: &[u8]) -> Option<Self> {
        // Most text is ruled out by this.
        if text.len() < 10 || !text[0].is_ascii_digit() || text[4] != b'-' {
            return None;
        }
        let nanoseconds = || i128::from(microseconds(text)) * 1000 + below_microseconds(text);
        match value(text) {
            Cell::Date | Cell::Timestamp => Some(Self::Local(nanoseconds())),
            Cell::ZonedTimestamp => Some(Self::Zoned(nanoseconds())),
            _ => None,
        }
    }
}

/// The nanoseconds that a timestamp's digits behind the sixth tell.
fn below_microseconds(text: &[u8]) -> i128 {
    let Some(point) = text.iter().position(|byte| *byte == b'.') else { return 0 };
    let digit = |place: usize| match text.get(point + place) {
        Some(digit @ b'0'..=b'9') if text[point + 1..point + place].iter().all(u8::is_ascii_digit) => {
            i128::from(digit - b'0')
        }
        _ => 0,
    };
    digit(7) * 100 + digit(8) * 10 + digit(9)
}

/// A time of day as text formats write it: `10:20:30`, with three, six or nine digits behind a point where it needs them.
pub(super) fn clock_text(nanoseconds: i128) -> String {
    let (seconds, fraction) = (nanoseconds.div_euclid(SECOND), nanoseconds.rem_euclid(SECOND));
    let clock = format!(
        "{:02}:{:02}:{:02}",
        seconds.div_euclid(3600),
        seconds.div_euclid(60).rem_euclid(60),
        seconds.rem_euclid(60)
    );
    match fraction {
        0 => clock,
        _ if fraction % 1_000_000 == 0 => format!("{clock}.{:03}", fraction / 1_000_000),
        _ if fraction % 1000 == 0 => format!("{clock}.{:06}", fraction / 1000),
        _ => format!("{clock}.{fraction:09}"),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Time64NanosecondArray, TimestampNanosecondArray};
    use arrow::util::display::array_value_to_string;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_that_are_moments() {
        let of = |text: &str| Moment::of_text(text.as_bytes());
        assert_eq!(of("1970-01-02"), Some(Moment::Local(DAY)));
        assert_eq!(of("1970-01-01 00:00"), Some(Moment::Local(0)));
        assert_eq!(of("1970-01-01T00:00:01.5"), Some(Moment::Local(SECOND * 3 / 2)));
        assert_eq!(of("1970-01-01T00:00:00.000000123"), Some(Moment::Local(123)));
        assert_eq!(of("1970-01-01T00:00:00.00000012Z"), Some(Moment::Zoned(120)));
        assert_eq!(of("1970-01-01T01:00:00+01:00"), Some(Moment::Zoned(0)));
        assert_eq!(of("1969-12-31T23:59:59.9999999"), Some(Moment::Local(-100)));
        for text in ["", "1970", "1970-02-30", "1970-01-01T", "x970-01-01", "1970-01-01 10:00 ", "12345-1234"]
        {
            assert_eq!(of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn moments_are_those_that_arrow_writes(nanoseconds in any::<i64>()) {
            let shown = array_value_to_string(&TimestampNanosecondArray::from(vec![nanoseconds]), 0).unwrap();
            prop_assert_eq!(Moment::of_text(shown.as_bytes()), Some(Moment::Local(nanoseconds.into())));
        }

        #[test]
        fn clocks_are_those_that_arrow_writes(nanoseconds in 0..86_400_000_000_000_i64, unit in prop::sample::select(vec![1, 1000, 1_000_000, 1_000_000_000])) {
            let nanoseconds = nanoseconds / unit * unit;
            let shown = array_value_to_string(&Time64NanosecondArray::from(vec![nanoseconds]), 0).unwrap();
            prop_assert_eq!(clock_text(nanoseconds.into()), shown);
        }
    }
}
