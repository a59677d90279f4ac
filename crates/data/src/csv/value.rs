//! Cells as Arrow values. What a cell can be read as is for [`classify`] alone to say.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, NullArray, StringBuilder,
    TimestampMicrosecondBuilder, UInt64Builder,
};
use arrow::datatypes::{DataType, TimeUnit};

use super::shapes::{is_plain_timestamp, is_short_integer, is_short_number};
use crate::text::cell::{Cell, classify};
use crate::text::clock::{days, microseconds};
use crate::text::nulls::NullWords;

/// The values of a column so far.
#[derive(Debug)]
pub(super) enum Values {
    Null(usize),
    Boolean(BooleanBuilder),
    Int(Int64Builder),
    Uint(UInt64Builder),
    Float(Float64Builder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    ZonedTimestamp(TimestampMicrosecondBuilder),
    Text(StringBuilder),
    /// Nobody asks for them.
    Skipped,
}

impl Values {
    /// A column of one of the types that a text can show; none for the others.
    pub(super) fn new(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Null => Self::Null(0),
            DataType::Boolean => Self::Boolean(BooleanBuilder::new()),
            DataType::Int64 => Self::Int(Int64Builder::new()),
            DataType::UInt64 => Self::Uint(UInt64Builder::new()),
            DataType::Float64 => Self::Float(Float64Builder::new()),
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let values = TimestampMicrosecondBuilder::new().with_timezone_opt(zone.clone());
                if zone.is_some() { Self::ZonedTimestamp(values) } else { Self::Timestamp(values) }
            }
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            _ => return None,
        })
    }

    /// Takes in the next cell, and says whether it is of the column's type.
    pub(super) fn append(&mut self, cell: &[u8], nulls: &NullWords) -> bool {
        if matches!(self, Self::Skipped) {
            return true;
        }
        if let Self::Text(values) = self {
            // In text, a word for a null is text, unless it was named.
            let text = std::str::from_utf8(cell);
            if let Ok(text) = text {
                values.append_option(Some(text).filter(|_| !cell.is_empty() && !nulls.is_null_in_text(cell)));
            }
            return text.is_ok();
        }
        if !nulls.hide_values() && self.append_plain(cell) {
            return true;
        }
        let found = classify(cell, nulls);
        match (self, found) {
            (Self::Null(rows), Cell::Null) => *rows += 1,
            (Self::Boolean(values), Cell::Null) => values.append_null(),
            (Self::Int(values), Cell::Null) => values.append_null(),
            (Self::Uint(values), Cell::Null) => values.append_null(),
            (Self::Float(values), Cell::Null) => values.append_null(),
            (Self::Date(values), Cell::Null) => values.append_null(),
            (Self::Timestamp(values) | Self::ZonedTimestamp(values), Cell::Null) => values.append_null(),
            (Self::Boolean(values), Cell::Boolean) => values.append_value(matches!(cell[0], b't' | b'T')),
            (Self::Int(values), Cell::Int) => match number(cell) {
                Some(number) => values.append_value(number),
                None => return false,
            },
            (Self::Uint(values), Cell::Int | Cell::Uint) => match number(cell) {
                Some(number) => values.append_value(number),
                None => return false,
            },
            (Self::Float(values), Cell::Int | Cell::Float) => match number(cell) {
                Some(number) => values.append_value(number),
                None => return false,
            },
            (Self::Date(values), Cell::Date) => values.append_value(days(cell)),
            (Self::Timestamp(values), Cell::Date | Cell::Timestamp)
            | (Self::ZonedTimestamp(values), Cell::ZonedTimestamp) => values.append_value(microseconds(cell)),
            _ => return false,
        }
        true
    }

    /// Takes in a cell that is of the column's type at first sight, if it is.
    #[inline]
    fn append_plain(&mut self, cell: &[u8]) -> bool {
        match self {
            Self::Int(values) if is_short_integer(cell) => {
                let (is_negative, digits) = unsigned(cell);
                let number = digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
                values.append_value(if is_negative { -number } else { number });
            }
            Self::Float(values) if is_short_number(cell) => match short_float(cell) {
                Some(number) => values.append_value(number),
                None => return false,
            },
            Self::Timestamp(values) if is_plain_timestamp(cell) => values.append_value(microseconds(cell)),
            _ => return false,
        }
        true
    }

    /// The values, after which the column is empty again.
    pub(super) fn finish(&mut self) -> Option<ArrayRef> {
        Some(match self {
            Self::Skipped => return None,
            Self::Null(rows) => Arc::new(NullArray::new(std::mem::take(rows))),
            Self::Boolean(values) => Arc::new(values.finish()),
            Self::Int(values) => Arc::new(values.finish()),
            Self::Uint(values) => Arc::new(values.finish()),
            Self::Float(values) => Arc::new(values.finish()),
            Self::Date(values) => Arc::new(values.finish()),
            Self::Timestamp(values) | Self::ZonedTimestamp(values) => Arc::new(values.finish()),
            Self::Text(values) => Arc::new(values.finish()),
        })
    }
}

/// A number without its minus.
fn unsigned(cell: &[u8]) -> (bool, &[u8]) {
    match cell {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    }
}

/// A short number as the float that is nearest to it, where dividing two whole numbers that floats hold is enough to tell.
fn short_float(cell: &[u8]) -> Option<f64> {
    const POWERS: [f64; 17] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16];
    const MOST: u64 = 1 << f64::MANTISSA_DIGITS;
    let (is_negative, digits) = unsigned(cell);
    let (mut number, mut behind, mut is_behind) = (0_u64, 0, false);
    for digit in digits {
        if *digit == b'.' {
            is_behind = true;
        } else {
            number = number * 10 + u64::from(digit - b'0');
            behind += usize::from(is_behind);
        }
    }
    let float = number as f64 / POWERS[behind];
    (number <= MOST).then_some(if is_negative { -float } else { float })
}

/// The number in a cell that was found to be one. Blanks around it do not count.
pub(super) fn number<T: std::str::FromStr>(cell: &[u8]) -> Option<T> {
    std::str::from_utf8(cell).ok()?.trim_matches([' ', '\t']).parse().ok()
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Date32Type, TimestampMicrosecondType};
    use arrow::util::display::{ArrayFormatter, FormatOptions};
    use proptest::prelude::*;

    use super::*;

    fn timestamps(zone: Option<&str>) -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, zone.map(Arc::from))
    }

    /// Each cell with the value that it becomes.
    #[track_caller]
    fn check(data_type: &DataType, cells: &[(&str, &str)]) {
        let mut values = Values::new(data_type).expect("a type that text shows");
        for (cell, _) in cells {
            assert!(values.append(cell.as_bytes(), NullWords::by_default()), "{cell:?}");
        }
        let array = values.finish().expect("values that are kept");
        assert_eq!(array.data_type(), data_type);
        let options = FormatOptions::default().with_null("null");
        let shown = ArrayFormatter::try_new(&array, &options).expect("an array that can be shown");
        for (row, (cell, expected)) in cells.iter().enumerate() {
            assert_eq!(shown.value(row).to_string(), *expected, "{cell:?}");
        }
        assert_eq!(values.finish().expect("values that are kept").len(), 0);
    }

    #[test]
    fn cells_become_values() {
        check(&DataType::Null, &[("", "null"), ("NA", "null")]);
        check(
            &DataType::Boolean,
            &[("true", "true"), ("FALSE", "false"), ("None", "null"), ("True", "true")],
        );
        check(&DataType::Int64, &[(" 12\t", "12"), ("+7", "7"), ("-0", "0"), ("<NA>", "null"), ("", "null")]);
        check(
            &DataType::Float64,
            &[("1", "1.0"), (".5", "0.5"), (" 5. ", "5.0"), ("-inf", "-inf"), ("+Infinity", "inf")],
        );
        check(&DataType::Float64, &[("nan", "null"), ("-NaN", "null"), ("1.#IND", "null"), ("1e400", "inf")]);
        check(&DataType::Utf8, &[("NA", "NA"), ("", "null"), (" ", " "), ("\u{e9}", "\u{e9}")]);
        check(
            &DataType::Date32,
            &[("1970-01-01", "1970-01-01"), ("2000-02-29", "2000-02-29"), ("NA", "null")],
        );
    }

    #[test]
    fn timestamps_become_microseconds() {
        check(
            &timestamps(None),
            &[
                ("2024-01-31", "2024-01-31T00:00:00"),
                ("2024-03-01 10:20", "2024-03-01T10:20:00"),
                ("2024-12-31T23:59:59.5", "2024-12-31T23:59:59.500"),
                ("1969-12-31T23:59:59.999999999", "1969-12-31T23:59:59.999999"),
                ("0001-01-01T00:00", "0001-01-01T00:00:00"),
                ("9999-12-31T23:59:59.000001", "9999-12-31T23:59:59.000001"),
            ],
        );
        check(
            &timestamps(Some("+00:00")),
            &[
                ("2024-01-31T10:00Z", "2024-01-31T10:00:00Z"),
                ("2024-01-31T10:00:00.25+01:30", "2024-01-31T08:30:00.250Z"),
                ("2024-01-31 10:00:00-0130", "2024-01-31T11:30:00Z"),
                ("2024-01-31 10:00-05", "2024-01-31T15:00:00Z"),
            ],
        );
    }

    #[test]
    fn cells_of_another_type_are_refused() {
        for (data_type, cell) in [
            (DataType::Null, "x"),
            (DataType::Boolean, "1"),
            (DataType::Int64, "1.5"),
            (DataType::Int64, "007"),
            (DataType::Float64, "x"),
            (DataType::Date32, "2024-01-31T10:00"),
            (timestamps(None), "2024-01-31T10:00Z"),
            (timestamps(Some("UTC")), "2024-01-31"),
        ] {
            let mut values = Values::new(&data_type).expect("a type that text shows");
            assert!(!values.append(cell.as_bytes(), NullWords::by_default()), "{cell} as {data_type}");
        }
        assert!(!Values::new(&DataType::Utf8).expect("text").append(b"\xFF", NullWords::by_default()));
        assert!(Values::new(&DataType::Int32).is_none());
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_the_standard_library(cell in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{0,9})?") {
            let mut values = Values::new(&DataType::Float64).expect("a type that text shows");
            prop_assert!(values.append(cell.as_bytes(), NullWords::by_default()));
            let found = values.finish().expect("values that are kept");
            let found = found.as_primitive::<arrow::datatypes::Float64Type>().value(0);
            let expected: f64 = cell.parse().expect("a number");
            prop_assert_eq!(found.to_bits(), expected.to_bits());
        }

        #[test]
        fn days_are_those_that_arrow_writes(days in -719_162..2_932_896_i32) {
            let array = arrow::array::Date32Array::from(vec![days]);
            let shown = arrow::util::display::array_value_to_string(&array, 0).expect("a date");
            let mut values = Values::new(&DataType::Date32).expect("a type that text shows");
            prop_assert!(values.append(shown.as_bytes(), NullWords::by_default()));
            prop_assert_eq!(values.finish().expect("values that are kept").as_primitive::<Date32Type>().value(0), days);
        }

        #[test]
        fn microseconds_are_those_that_arrow_writes(
            microseconds in -62_135_596_800_000_000..253_402_300_800_000_000_i64,
        ) {
            for zone in [None, Some("+00:00"), Some("+05:30")] {
                let array = arrow::array::TimestampMicrosecondArray::from(vec![microseconds]);
                let array = array.with_timezone_opt(zone);
                let shown = arrow::util::display::array_value_to_string(&array, 0).expect("a timestamp");
                // An offset can lead out of the years that text may show.
                prop_assume!(zone != Some("+05:30") || !shown.starts_with(['0', '+', '-']));
                let data_type = timestamps(zone.map(|_| "UTC"));
                let mut values = Values::new(&data_type).expect("a type that text shows");
                prop_assert!(values.append(shown.as_bytes(), NullWords::by_default()), "{}", shown);
                prop_assert_eq!(values.finish().expect("values that are kept").as_primitive::<TimestampMicrosecondType>().value(0), microseconds);
            }
        }
    }
}
