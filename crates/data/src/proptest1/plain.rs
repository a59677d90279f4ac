//! Values of types that hold no others.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::laid_out;

/// The first day of the year 1 and the last of the year 9999, in days since 1970.
const FIRST_DAY: i64 = -719_162;
const LAST_DAY: i64 = 2_932_896;

const SECONDS_OF_DAY: i64 = 86_400;

/// What some reader takes for a null, a number, a boolean, a moment, or the end of something.
const HARD_TEXTS: [&str; 18] = [
    "",
    "NA",
    "null",
    "nan",
    "1",
    "-0",
    "007",
    "1e5",
    "true",
    "2024-01-31",
    "2024-01-31 10:00:00Z",
    "\"",
    ",\t;|",
    "\r\n",
    "\0",
    " x ",
    "\u{feff}",
    "\u{e9}\u{6f22}\u{1f980}",
];

/// The length of a text that no reader expects.
const LONG: usize = 5000;

/// Values of a type, none of them a null.
pub(super) fn arrays(data_type: &DataType, rows: usize) -> BoxedStrategy<ArrayRef> {
    match data_type {
        DataType::Null => Just(Arc::new(NullArray::new(rows)) as ArrayRef).boxed(),
        DataType::Boolean => vec(any::<bool>(), rows)
            .prop_map(|values| Arc::new(BooleanArray::from(values)) as ArrayRef)
            .boxed(),
        DataType::Int8 => of::<Int8Type>(data_type, among(&[i8::MIN, -1, 0, 1, i8::MAX]), rows),
        DataType::Int16 => of::<Int16Type>(data_type, among(&[i16::MIN, -1, 0, 1, i16::MAX]), rows),
        DataType::Int32 => of::<Int32Type>(data_type, among(&[i32::MIN, -1, 0, 1, i32::MAX]), rows),
        DataType::Int64 => {
            of::<Int64Type>(data_type, among(&[i64::MIN, -1, 0, 1, (1 << 53) + 1, i64::MAX]), rows)
        }
        DataType::UInt8 => of::<UInt8Type>(data_type, among(&[0, 1, u8::MAX]), rows),
        DataType::UInt16 => of::<UInt16Type>(data_type, among(&[0, 1, u16::MAX]), rows),
        DataType::UInt32 => of::<UInt32Type>(data_type, among(&[0, 1, u32::MAX]), rows),
        DataType::UInt64 => of::<UInt64Type>(data_type, among(&[0, 1, 1 << 63, u64::MAX]), rows),
        DataType::Float16 => {
            type Half = <Float16Type as ArrowPrimitiveType>::Native;
            let extremes = [
                Half::NAN,
                Half::INFINITY,
                Half::NEG_INFINITY,
                Half::MAX,
                Half::MIN,
                Half::NEG_ZERO,
                Half::MIN_POSITIVE_SUBNORMAL,
            ];
            let any = any::<u16>().prop_map(Half::from_bits);
            of::<Float16Type>(data_type, prop_oneof![2 => any, 1 => select(extremes.to_vec())], rows)
        }
        DataType::Float32 => {
            let extremes = [
                f32::NAN,
                f32::INFINITY,
                f32::NEG_INFINITY,
                f32::MAX,
                f32::MIN,
                -0.0,
                f32::MIN_POSITIVE,
                1e-45,
            ];
            of::<Float32Type>(data_type, prop_oneof![2 => any::<f32>(), 1 => select(extremes.to_vec())], rows)
        }
        DataType::Float64 => {
            let extremes = [
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::MAX,
                f64::MIN,
                -0.0,
                f64::MIN_POSITIVE,
                5e-324,
            ];
            of::<Float64Type>(data_type, prop_oneof![2 => any::<f64>(), 1 => select(extremes.to_vec())], rows)
        }
        DataType::Decimal32(precision, _) => {
            let most = 10_i32.pow((*precision).into()) - 1;
            of::<Decimal32Type>(
                data_type,
                prop_oneof![2 => -most..=most, 1 => select(vec![-most, -1, 0, 1, most])],
                rows,
            )
        }
        DataType::Decimal64(precision, _) => {
            let most = 10_i64.pow((*precision).into()) - 1;
            of::<Decimal64Type>(
                data_type,
                prop_oneof![2 => -most..=most, 1 => select(vec![-most, -1, 0, 1, most])],
                rows,
            )
        }
        DataType::Decimal128(precision, _) => {
            let most = 10_i128.pow((*precision).into()) - 1;
            of::<Decimal128Type>(
                data_type,
                prop_oneof![2 => -most..=most, 1 => select(vec![-most, -1, 0, 1, most])],
                rows,
            )
        }
        DataType::Decimal256(precision, _) => {
            let most = i256::from_i128(10).wrapping_pow((*precision).into()).wrapping_sub(i256::ONE);
            let any = any::<(u128, i128)>()
                .prop_map(move |(low, high)| i256::from_parts(low, high).wrapping_rem(most));
            let extremes = vec![most, most.wrapping_neg(), i256::ZERO, i256::ONE, i256::MINUS_ONE];
            of::<Decimal256Type>(data_type, prop_oneof![2 => any, 1 => select(extremes)], rows)
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let data_type = data_type.clone();
            let array = move |texts: Vec<String>| {
                laid_out(&(Arc::new(StringArray::from(texts)) as ArrayRef), &data_type)
            };
            vec(texts(), rows).prop_map(array).boxed()
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            let data_type = data_type.clone();
            let array = move |values: Vec<Vec<u8>>| {
                laid_out(&(Arc::new(BinaryArray::from_iter_values(values)) as ArrayRef), &data_type)
            };
            let bytes = prop_oneof![3 => vec(any::<u8>(), 0..8), 1 => vec(any::<u8>(), LONG)];
            vec(bytes, rows).prop_map(array).boxed()
        }
        DataType::FixedSizeBinary(width) => {
            let length = usize::try_from(*width).expect("a width is not negative");
            let width = *width;
            let array = move |values: Vec<Vec<u8>>| {
                let mut array = FixedSizeBinaryBuilder::with_capacity(values.len(), width);
                for value in values {
                    array.append_value(value).expect("the values are as wide as the type");
                }
                Arc::new(array.finish()) as ArrayRef
            };
            vec(vec(any::<u8>(), length), rows).prop_map(array).boxed()
        }
        DataType::Date32 => {
            let day = |day: i64| i32::try_from(day).expect("ten thousand years of days");
            of::<Date32Type>(data_type, within(FIRST_DAY, LAST_DAY).prop_map(day), rows)
        }
        DataType::Date64 => {
            let milliseconds = |day: i64| day * SECONDS_OF_DAY * 1000;
            of::<Date64Type>(data_type, within(FIRST_DAY, LAST_DAY).prop_map(milliseconds), rows)
        }
        DataType::Timestamp(unit, _) => {
            let factor = of_second(*unit);
            let of_day = |day: i64| i128::from(day * SECONDS_OF_DAY) * i128::from(factor);
            let narrow = |moment: i128| moment.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
            let (first, last) = (narrow(of_day(FIRST_DAY)), narrow(of_day(LAST_DAY + 1) - 1));
            let moments = within(first, last);
            match unit {
                TimeUnit::Second => of::<TimestampSecondType>(data_type, moments, rows),
                TimeUnit::Millisecond => of::<TimestampMillisecondType>(data_type, moments, rows),
                TimeUnit::Microsecond => of::<TimestampMicrosecondType>(data_type, moments, rows),
                TimeUnit::Nanosecond => of::<TimestampNanosecondType>(data_type, moments, rows),
            }
        }
        DataType::Time32(unit) => {
            let narrow = |time: i64| i32::try_from(time).expect("a day has few milliseconds");
            let times = within(0, SECONDS_OF_DAY * of_second(*unit) - 1).prop_map(narrow);
            match unit {
                TimeUnit::Second => of::<Time32SecondType>(data_type, times, rows),
                _ => of::<Time32MillisecondType>(data_type, times, rows),
            }
        }
        DataType::Time64(unit) => {
            let times = within(0, SECONDS_OF_DAY * of_second(*unit) - 1);
            match unit {
                TimeUnit::Microsecond => of::<Time64MicrosecondType>(data_type, times, rows),
                _ => of::<Time64NanosecondType>(data_type, times, rows),
            }
        }
        DataType::Duration(unit) => {
            let spans = within(i64::MIN, i64::MAX);
            match unit {
                TimeUnit::Second => of::<DurationSecondType>(data_type, spans, rows),
                TimeUnit::Millisecond => of::<DurationMillisecondType>(data_type, spans, rows),
                TimeUnit::Microsecond => of::<DurationMicrosecondType>(data_type, spans, rows),
                TimeUnit::Nanosecond => of::<DurationNanosecondType>(data_type, spans, rows),
            }
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            of::<IntervalYearMonthType>(data_type, among(&[i32::MIN, 0, i32::MAX]), rows)
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            let parts = (among(&[i32::MIN, 0, i32::MAX]), among(&[i32::MIN, 0, i32::MAX]));
            let values = parts.prop_map(|(days, milliseconds)| IntervalDayTime::new(days, milliseconds));
            of::<IntervalDayTimeType>(data_type, values, rows)
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let parts = (any::<i32>(), any::<i32>(), among(&[i64::MIN, 0, i64::MAX]));
            let values = parts
                .prop_map(|(months, days, nanoseconds)| IntervalMonthDayNano::new(months, days, nanoseconds));
            of::<IntervalMonthDayNanoType>(data_type, values, rows)
        }
        other => unreachable!("{other} holds values of other types"),
    }
}

fn of<T: ArrowPrimitiveType>(
    data_type: &DataType,
    values: impl Strategy<Value = T::Native> + 'static,
    rows: usize,
) -> BoxedStrategy<ArrayRef> {
    let data_type = data_type.clone();
    let array = move |values: Vec<T::Native>| {
        Arc::new(PrimitiveArray::<T>::from_iter_values(values).with_data_type(data_type.clone())) as ArrayRef
    };
    vec(values, rows).prop_map(array).boxed()
}

/// Any value, and often one of these.
fn among<T: Arbitrary + Clone + std::fmt::Debug + 'static>(
    extremes: &[T],
) -> impl Strategy<Value = T> + use<T> {
    prop_oneof![2 => any::<T>(), 1 => select(extremes.to_vec())]
}

/// Any number from the first to the last, and often one of these two.
fn within(first: i64, last: i64) -> impl Strategy<Value = i64> {
    prop_oneof![4 => first..=last, 1 => Just(first), 1 => Just(last), 1 => Just(0)]
}

pub(super) fn texts() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        3 => "\\PC{0,8}",
        2 => select(&HARD_TEXTS).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-z\u{e9}\n]".prop_map(|letter| letter.repeat(LONG)),
    ]
}

fn of_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}
