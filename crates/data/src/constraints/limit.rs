//! The values that a contract names, as the columns of a table hold them.

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal256Type, Float64Type, Int64Type, TimeUnit, UInt64Type, i256};
use jiff::civil;
use runtime_testing_models::JobValue;

/// A column in a form in which its values can be compared with what a contract names.
#[derive(Debug)]
pub(super) enum Comparable {
    /// Whole numbers, days since 1970, and moments in a unit that is so many nanoseconds.
    Whole {
        array: ArrayRef,
        factor: i128,
    },
    /// Whole numbers without a sign.
    Unsigned(ArrayRef),
    /// Decimals of 256 bits.
    Decimal(ArrayRef),
    Float(ArrayRef),
    Text(ArrayRef),
    Boolean(ArrayRef),
}

impl Comparable {
    /// The form of a column, if it has one.
    pub(super) fn of(array: &ArrayRef) -> Option<Self> {
        use DataType::{
            Boolean, Date32, Date64, Decimal256, Dictionary, Float16, Float32, Float64, Int32, Int64,
            LargeUtf8, RunEndEncoded, Timestamp, UInt64, Utf8, Utf8View,
        };

        let as_type = |data_type: &DataType| cast(array, data_type).ok();
        Some(match array.data_type() {
            UInt64 => Self::Unsigned(array.clone()),
            data_type if data_type.is_integer() => Self::Whole { array: as_type(&Int64)?, factor: 1 },
            Float64 => Self::Float(array.clone()),
            // As they are written: the nearest float of 64 bits is another number.
            Float16 | Float32 => Self::Float(
                cast(&as_type(&Float32).and_then(|array| cast(&array, &Utf8).ok())?, &Float64).ok()?,
            ),
            data_type if data_type.is_decimal() => {
                Self::Decimal(as_type(&Decimal256(MOST_DIGITS, scale_of(data_type)))?)
            }
            Date32 | Date64 => {
                let days = as_type(&Date32).and_then(|days| cast(&days, &Int32).ok())?;
                Self::Whole { array: cast(&days, &Int64).ok()?, factor: 1 }
            }
            Timestamp(unit, _) => Self::Whole { array: as_type(&Int64)?, factor: nanoseconds(*unit) },
            Utf8 | LargeUtf8 | Utf8View => Self::Text(as_type(&Utf8)?),
            Boolean => Self::Boolean(array.clone()),
            Dictionary(_, values) => return Self::of(&as_type(values)?),
            RunEndEncoded(_, values) => return Self::of(&as_type(values.data_type())?),
            _ => return None,
        })
    }

    /// What stands in a row, to be compared with that of another row of a column of this kind; none where it is a null, or of no order.
    pub(super) fn key(&self, row: usize) -> Option<Key> {
        let (Self::Whole { array, .. }
        | Self::Unsigned(array)
        | Self::Decimal(array)
        | Self::Float(array)
        | Self::Text(array)
        | Self::Boolean(array)) = self;
        if array.is_null(row) {
            return None;
        }
        match self {
            Self::Whole { array, factor } => {
                Some(Key::Whole(i128::from(array.as_primitive::<Int64Type>().value(row)) * factor))
            }
            Self::Unsigned(array) => {
                Some(Key::Whole(i128::from(array.as_primitive::<UInt64Type>().value(row))))
            }
            Self::Decimal(array) => Some(Key::Decimal(array.as_primitive::<Decimal256Type>().value(row))),
            Self::Float(array) => {
                let value = array.as_primitive::<Float64Type>().value(row);
                // What is no number is a null.
                (!value.is_nan()).then_some(Key::Float(value))
            }
            Self::Text(_) | Self::Boolean(_) => Some(Key::None),
        }
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
            (Self::Whole { array, factor }, Limit::Whole { least, most }) => {
                rows!(array.as_primitive::<Int64Type>(), |value: i64| {
                    let value = i128::from(value) * factor;
                    least.is_none_or(|least| value >= least) && most.is_none_or(|most| value <= most)
                });
            }
            (Self::Unsigned(array), Limit::Whole { least, most }) => {
                rows!(array.as_primitive::<UInt64Type>(), |value: u64| {
                    let value = i128::from(value);
                    least.is_none_or(|least| value >= least) && most.is_none_or(|most| value <= most)
                });
            }
            (Self::Decimal(array), Limit::Decimal { least, most }) => {
                rows!(array.as_primitive::<Decimal256Type>(), |value: i256| {
                    least.is_none_or(|least| value >= least) && most.is_none_or(|most| value <= most)
                });
            }
            (Self::Decimal(array), Limit::Decimals(values)) => {
                rows!(array.as_primitive::<Decimal256Type>(), |value: i256| values.contains(&value));
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
            (Self::Whole { array, factor }, Limit::Wholes(values)) => {
                rows!(array.as_primitive::<Int64Type>(), |value: i64| {
                    values.binary_search(&(i128::from(value) * factor)).is_ok()
                });
            }
            (Self::Unsigned(array), Limit::Wholes(values)) => {
                rows!(array.as_primitive::<UInt64Type>(), |value: u64| {
                    values.binary_search(&i128::from(value)).is_ok()
                });
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

/// A value among others of its kind.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) enum Key {
    Whole(i128),
    Decimal(i256),
    Float(f64),
    /// A value whose order says nothing.
    None,
}

/// What a contract names, in the form of a column.
#[derive(Debug)]
pub(super) enum Limit {
    Whole { least: Option<i128>, most: Option<i128> },
    Decimal { least: Option<i256>, most: Option<i256> },
    Float { least: Option<f64>, most: Option<f64> },
    Text { least: Option<String>, most: Option<String> },
    Wholes(Vec<i128>),
    Decimals(Vec<i256>),
    Floats(Vec<f64>),
    Texts(Vec<String>),
    Booleans(Vec<bool>),
    Pattern(regex::Regex),
    Number,
}

/// What kind of values a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Whole,
    Decimal { scale: i8 },
    Float,
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
            DataType::RunEndEncoded(_, values) => return Self::of(values.data_type()),
            data_type if data_type.is_integer() => Self::Whole,
            data_type if data_type.is_decimal() => Self::Decimal { scale: scale_of(data_type) },
            data_type if data_type.is_floating() => Self::Float,
            _ => return None,
        })
    }
}

/// The most digits of a decimal.
const MOST_DIGITS: u8 = 76;

pub(super) fn scale_of(data_type: &DataType) -> i8 {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}

/// How many nanoseconds a unit is.
pub(super) fn nanoseconds(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
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
            Kind::Whole => {
                let (least, most) = both(limits, |limit, is_least| whole(limit, Some(is_least)))?;
                Self::Whole { least, most }
            }
            Kind::Decimal { scale } => {
                let (least, most) = both(limits, |limit, is_least| decimal(limit, scale, Some(is_least)))?;
                Self::Decimal { least, most }
            }
            Kind::Float => {
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
            Kind::Whole => Self::Wholes(sorted(values.iter().filter_map(|value| whole(value, None)))),
            Kind::Decimal { scale } => {
                Self::Decimals(values.iter().filter_map(|value| decimal(value, scale, None)).collect())
            }
            Kind::Float => Self::Floats(values.iter().filter_map(JobValue::as_f64).collect()),
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

/// The whole number that a number is for whole numbers: the next one above a least, and the next one below a greatest; of
/// neither, the number itself if it is whole.
fn whole(limit: &JobValue, is_least: Option<bool>) -> Option<i128> {
    decimal(limit, 0, is_least)?.to_i128()
}

/// The same for decimals with so many digits behind the point, without the point.
fn decimal(limit: &JobValue, scale: i8, is_least: Option<bool>) -> Option<i256> {
    let JobValue::Number(number) = limit else { return None };
    let (mantissa, exponent) = match number.as_str().split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (number.as_str(), 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => (true, mantissa),
        None => (false, mantissa),
    };
    let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{before}{behind}");
    let places = i32::try_from(behind.len()).ok()?.checked_sub(exponent)?;
    let shift = i32::from(scale).checked_sub(places)?;
    let digits = digits.trim_start_matches('0');
    // What is beyond all numbers of the column is the greatest or the least of them.
    let beyond = || is_least.map(|_| if negative { i256::MIN } else { i256::MAX });
    let (kept, rest) = if shift >= 0 {
        let zeros = usize::try_from(shift).ok()?;
        if !digits.is_empty() && digits.len() + zeros > usize::from(MOST_DIGITS) {
            return beyond();
        }
        (format!("{digits}{}", "0".repeat(if digits.is_empty() { 0 } else { zeros })), "")
    } else {
        let cut = digits.len().saturating_sub(usize::try_from(shift.unsigned_abs()).ok()?);
        if cut > usize::from(MOST_DIGITS) {
            return beyond();
        }
        (digits[..cut].to_owned(), &digits[cut..])
    };
    let whole = if kept.is_empty() { i256::ZERO } else { i256::from_string(&kept)? };
    let whole = if negative { whole.wrapping_neg() } else { whole };
    let is_exact = rest.bytes().all(|digit| digit == b'0');
    match is_least {
        _ if is_exact => Some(whole),
        None => None,
        // A number is cut towards zero.
        Some(true) if !negative => Some(whole.wrapping_add(i256::ONE)),
        Some(false) if negative => Some(whole.wrapping_sub(i256::ONE)),
        Some(_) => Some(whole),
    }
}

/// A day since 1970, or the nanoseconds since then.
fn point(limit: &JobValue, kind: Kind) -> Option<i128> {
    let text = limit.as_str()?;
    if kind == Kind::Day {
        let day: civil::Date = text.parse().ok()?;
        return Some(i128::from(civil::date(1970, 1, 1).until(day).ok()?.get_days()));
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_nanosecond());
    }
    let clock: civil::DateTime = text.parse().ok()?;
    Some(clock.duration_since(civil::datetime(1970, 1, 1, 0, 0, 0, 0)).as_nanos())
}
