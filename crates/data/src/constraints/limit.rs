//! The values that a contract names, as the columns of a table hold them.

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use jiff::civil;
use jiff::tz::TimeZone;
use runtime_testing_models::JobValue;

/// A column in a form in which its values can be compared with what a contract names.
#[derive(Debug)]
pub(super) enum Comparable {
    /// Whole numbers that fit 64 bits, days since 1970, and nanoseconds since then.
    Whole(ArrayRef),
    Float(ArrayRef),
    Text(ArrayRef),
    Boolean(ArrayRef),
}

impl Comparable {
    /// The form of a column, if it has one.
    pub(super) fn of(array: &ArrayRef) -> Option<Self> {
        use DataType::{
            Boolean, Date32, Date64, Decimal32, Decimal64, Decimal128, Decimal256, Dictionary, Float16,
            Float32, Float64, Int8, Int16, Int32, Int64, LargeUtf8, Timestamp, UInt8, UInt16, UInt32, UInt64,
            Utf8, Utf8View,
        };

        let as_type = |data_type: &DataType| cast(array, data_type).ok();
        Some(match array.data_type() {
            Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 => Self::Whole(as_type(&Int64)?),
            Float16 | Float32 | Float64 | UInt64 => Self::Float(as_type(&Float64)?),
            Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => {
                Self::Float(as_type(&Float64)?)
            }
            Date32 | Date64 => Self::Whole(
                cast(&as_type(&Date32)?, &DataType::Int32).ok().and_then(|days| cast(&days, &Int64).ok())?,
            ),
            Timestamp(_, zone) => {
                let nanoseconds = as_type(&Timestamp(TimeUnit::Nanosecond, zone.clone()))?;
                // What no 64 bits of nanoseconds hold would be null.
                if nanoseconds.null_count() > array.null_count() {
                    return None;
                }
                Self::Whole(cast(&nanoseconds, &Int64).ok()?)
            }
            Utf8 | LargeUtf8 | Utf8View => Self::Text(as_type(&Utf8)?),
            Boolean => Self::Boolean(array.clone()),
            Dictionary(_, values) => return Self::of(&as_type(values)?),
            _ => return None,
        })
    }

    /// Asks of each row with a value whether it is as it should be.
    pub(super) fn check(&self, limit: &Limit, mut fails: impl FnMut(usize)) -> Option<()> {
        macro_rules! rows {
            ($array:expr, $is_right:expr) => {{
                let array = $array;
                let is_right = $is_right;
                for row in 0..array.len() {
                    if array.is_valid(row) && !is_right(array.value(row)) {
                        fails(row);
                    }
                }
            }};
        }
        match (self, limit) {
            (Self::Whole(array), Limit::Whole { least, most }) => {
                rows!(array.as_primitive::<Int64Type>(), |value: i64| {
                    least.is_none_or(|least| value >= least) && most.is_none_or(|most| value <= most)
                });
            }
            (Self::Float(array), Limit::Float { least, most }) => {
                rows!(array.as_primitive::<Float64Type>(), |value: f64| {
                    // What is no number is a null.
                    value.is_nan()
                        || (least.is_none_or(|least| value >= least) && most.is_none_or(|most| value <= most))
                });
            }
            (Self::Text(array), Limit::Text { least, most }) => {
                rows!(array.as_string::<i32>(), |value: &str| {
                    least.as_deref().is_none_or(|least| value >= least)
                        && most.as_deref().is_none_or(|most| value <= most)
                });
            }
            (Self::Whole(array), Limit::Wholes(values)) => {
                rows!(array.as_primitive::<Int64Type>(), |value: i64| values.binary_search(&value).is_ok());
            }
            (Self::Float(array), Limit::Floats(values)) => {
                rows!(array.as_primitive::<Float64Type>(), |value: f64| {
                    value.is_nan() || values.contains(&value)
                });
            }
            (Self::Text(array), Limit::Texts(values)) => {
                rows!(array.as_string::<i32>(), |value: &str| {
                    values.binary_search_by(|known| known.as_str().cmp(value)).is_ok()
                });
            }
            (Self::Boolean(array), Limit::Booleans(values)) => {
                rows!(array.as_boolean(), |value: bool| values.contains(&value));
            }
            (Self::Float(array), Limit::Number) => {
                rows!(array.as_primitive::<Float64Type>(), |value: f64| !value.is_nan());
            }
            // The files of a table may declare different types.
            (_, Limit::Number) => {}
            (Self::Text(array), Limit::Pattern(pattern)) => {
                rows!(array.as_string::<i32>(), |value: &str| pattern.is_match(value));
            }
            _ => return None,
        }
        Some(())
    }
}

/// What a contract names, in the form of a column.
#[derive(Debug)]
pub(super) enum Limit {
    Whole { least: Option<i64>, most: Option<i64> },
    Float { least: Option<f64>, most: Option<f64> },
    Text { least: Option<String>, most: Option<String> },
    Wholes(Vec<i64>),
    Floats(Vec<f64>),
    Texts(Vec<String>),
    Booleans(Vec<bool>),
    Pattern(regex::Regex),
    Number,
}

/// What kind of values a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number { is_whole: bool },
    Day,
    Moment,
    Text,
    Boolean,
}

impl Kind {
    pub(super) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Date32 | DataType::Date64 => Self::Day,
            DataType::Timestamp(..) => Self::Moment,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Boolean => Self::Boolean,
            DataType::Dictionary(_, values) => return Self::of(values),
            DataType::UInt64 => Self::Number { is_whole: false },
            data_type if data_type.is_integer() => Self::Number { is_whole: true },
            data_type if data_type.is_floating() || data_type.is_decimal() => {
                Self::Number { is_whole: false }
            }
            _ => return None,
        })
    }
}

impl Limit {
    /// The range that a minimum or a maximum is.
    pub(super) fn range(least: Option<&JobValue>, most: Option<&JobValue>, kind: Kind) -> Option<Self> {
        fn both<T>(
            (least, most): (Option<&JobValue>, Option<&JobValue>),
            of: impl Fn(&JobValue, bool) -> Option<T>,
        ) -> Option<(Option<T>, Option<T>)> {
            let one = |limit: Option<&JobValue>, is_least| match limit {
                Some(limit) => of(limit, is_least).map(Some),
                None => Some(None),
            };
            Some((one(least, true)?, one(most, false)?))
        }
        let limits = (least, most);
        Some(match kind {
            Kind::Number { is_whole: true } => {
                let (least, most) = both(limits, whole)?;
                Self::Whole { least, most }
            }
            Kind::Number { is_whole: false } => {
                let (least, most) = both(limits, |limit, _| limit.as_f64())?;
                Self::Float { least, most }
            }
            Kind::Day | Kind::Moment => {
                let (least, most) = both(limits, |limit, _| point(limit, kind))?;
                Self::Whole { least, most }
            }
            Kind::Text => {
                let (least, most) = both(limits, |limit, _| limit.as_str().map(str::to_owned))?;
                Self::Text { least, most }
            }
            Kind::Boolean => return None,
        })
    }

    /// All values that there may be.
    pub(super) fn values(values: &[JobValue], kind: Kind) -> Self {
        match kind {
            Kind::Number { is_whole: true } => {
                let same =
                    |value: &JobValue| whole(value, true).filter(|found| whole(value, false) == Some(*found));
                Self::Wholes(sorted(values.iter().filter_map(same)))
            }
            Kind::Number { is_whole: false } => {
                Self::Floats(values.iter().filter_map(JobValue::as_f64).collect())
            }
            Kind::Day | Kind::Moment => {
                Self::Wholes(sorted(values.iter().filter_map(|value| point(value, kind))))
            }
            Kind::Text => Self::Texts(sorted(values.iter().filter_map(JobValue::as_str).map(str::to_owned))),
            Kind::Boolean => Self::Booleans(values.iter().filter_map(JobValue::as_bool).collect()),
        }
    }
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values
}

/// The whole number that a limit is for whole numbers: the next one above the least, and the next one below the greatest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "beyond 64 bits the nearest number of 64 bits does the same"
)]
fn whole(limit: &JobValue, is_least: bool) -> Option<i64> {
    limit.as_i64().or_else(|| {
        let limit = limit.as_f64()?;
        Some(if is_least { limit.ceil() } else { limit.floor() } as i64)
    })
}

/// A day since 1970, or the nanoseconds since then.
fn point(limit: &JobValue, kind: Kind) -> Option<i64> {
    let text = limit.as_str()?;
    if kind == Kind::Day {
        let day: civil::Date = text.parse().ok()?;
        return Some(i64::from(civil::date(1970, 1, 1).until(day).ok()?.get_days()));
    }
    let moment = text.parse::<jiff::Timestamp>().or_else(|_| {
        text.parse::<civil::DateTime>()?.to_zoned(TimeZone::UTC).map(|moment| moment.timestamp())
    });
    i64::try_from(moment.ok()?.as_nanosecond()).ok()
}
