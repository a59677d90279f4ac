//! Values of every Arrow type that are made of numbers.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::*;

/// The first of January 2024, in days since 1970.
const FIRST_DAY: i64 = 19_723;

const SECONDS_OF_HOUR: i64 = 3600;
const SECONDS_OF_DAY: i64 = 24 * SECONDS_OF_HOUR;

/// How many different values a dictionary has.
const CATEGORIES: i64 = 5;

/// The items of a list whose length is not fixed.
const ITEMS: i64 = 2;

/// The value for each number: the number itself, or what comes next to that. None where the type has no values.
pub(super) fn values(data_type: &DataType, numbers: &[i64], nulls: Option<&NullBuffer>) -> Option<ArrayRef> {
    let array: ArrayRef = match data_type {
        DataType::Null => return Some(Arc::new(NullArray::new(numbers.len()))),
        DataType::Boolean => {
            Arc::new(numbers.iter().map(|number| Some(number % 2 == 1)).collect::<BooleanArray>())
        }
        DataType::Int8 => wholes::<Int8Type>(numbers, 100),
        DataType::Int16 => wholes::<Int16Type>(numbers, 10_000),
        DataType::Int32 => wholes::<Int32Type>(numbers, i64::MAX),
        DataType::Int64 => wholes::<Int64Type>(numbers, i64::MAX),
        DataType::UInt8 => wholes::<UInt8Type>(numbers, 100),
        DataType::UInt16 => wholes::<UInt16Type>(numbers, 10_000),
        DataType::UInt32 => wholes::<UInt32Type>(numbers, i64::MAX),
        DataType::UInt64 => wholes::<UInt64Type>(numbers, i64::MAX),
        DataType::Float16 => {
            let tenth =
                |number: &i64| <Float16Type as ArrowPrimitiveType>::Native::from_f64(*number as f64 / 10.0);
            Arc::new(Float16Array::from_iter_values(
                numbers.iter().map(|number| tenth(&wrapped(*number, 100))),
            ))
        }
        DataType::Float32 => {
            Arc::new(Float32Array::from_iter_values(numbers.iter().map(|number| *number as f32 / 10.0)))
        }
        DataType::Float64 => {
            Arc::new(Float64Array::from_iter_values(numbers.iter().map(|number| *number as f64 / 10.0)))
        }
        DataType::Decimal32(precision, _) => of_numbers::<Decimal32Type>(data_type, numbers, |number| {
            unscaled(number, *precision).try_into().expect("so many digits fit")
        }),
        DataType::Decimal64(precision, _) => {
            of_numbers::<Decimal64Type>(data_type, numbers, |number| unscaled(number, *precision))
        }
        DataType::Decimal128(precision, _) => {
            of_numbers::<Decimal128Type>(data_type, numbers, |number| unscaled(number, *precision).into())
        }
        DataType::Decimal256(precision, _) => of_numbers::<Decimal256Type>(data_type, numbers, |number| {
            i256::from_i128(unscaled(number, *precision).into())
        }),
        DataType::Utf8 => Arc::new(StringArray::from_iter_values(texts(numbers))),
        DataType::LargeUtf8 => Arc::new(LargeStringArray::from_iter_values(texts(numbers))),
        DataType::Utf8View => Arc::new(StringViewArray::from_iter_values(texts(numbers))),
        DataType::Binary => Arc::new(BinaryArray::from_iter_values(texts(numbers))),
        DataType::LargeBinary => Arc::new(LargeBinaryArray::from_iter_values(texts(numbers))),
        DataType::BinaryView => Arc::new(BinaryViewArray::from_iter_values(texts(numbers))),
        DataType::FixedSizeBinary(width) => {
            let width = usize::try_from(*width).ok()?;
            let mut bytes = FixedSizeBinaryBuilder::with_capacity(numbers.len(), i32::try_from(width).ok()?);
            for number in numbers {
                let mut value = vec![0; width];
                let digits = number.to_be_bytes();
                for (place, digit) in value.iter_mut().rev().zip(digits.iter().rev()) {
                    *place = *digit;
                }
                bytes.append_value(value).expect("the values are as wide as the type");
            }
            Arc::new(bytes.finish())
        }
        DataType::Date32 => of_numbers::<Date32Type>(data_type, numbers, |number| {
            i32::try_from(FIRST_DAY + number - 1).expect("days of the next millennia")
        }),
        DataType::Date64 => of_numbers::<Date64Type>(data_type, numbers, |number| {
            (FIRST_DAY + number - 1) * SECONDS_OF_DAY * 1000
        }),
        DataType::Timestamp(unit, _) => {
            let factor = of_second(*unit);
            let value = |number| (FIRST_DAY * SECONDS_OF_DAY + number * SECONDS_OF_HOUR) * factor;
            match unit {
                TimeUnit::Second => of_numbers::<TimestampSecondType>(data_type, numbers, value),
                TimeUnit::Millisecond => of_numbers::<TimestampMillisecondType>(data_type, numbers, value),
                TimeUnit::Microsecond => of_numbers::<TimestampMicrosecondType>(data_type, numbers, value),
                TimeUnit::Nanosecond => of_numbers::<TimestampNanosecondType>(data_type, numbers, value),
            }
        }
        DataType::Time32(unit) => {
            let value = |number| i32::try_from(clock(number, *unit)).expect("a day has few milliseconds");
            match unit {
                TimeUnit::Second => of_numbers::<Time32SecondType>(data_type, numbers, value),
                TimeUnit::Millisecond => of_numbers::<Time32MillisecondType>(data_type, numbers, value),
                TimeUnit::Microsecond | TimeUnit::Nanosecond => return None,
            }
        }
        DataType::Time64(unit) => {
            let value = |number| clock(number, *unit);
            match unit {
                TimeUnit::Microsecond => of_numbers::<Time64MicrosecondType>(data_type, numbers, value),
                TimeUnit::Nanosecond => of_numbers::<Time64NanosecondType>(data_type, numbers, value),
                TimeUnit::Second | TimeUnit::Millisecond => return None,
            }
        }
        DataType::Duration(unit) => {
            let factor = of_second(*unit);
            let value = |number| number * SECONDS_OF_HOUR * factor;
            match unit {
                TimeUnit::Second => of_numbers::<DurationSecondType>(data_type, numbers, value),
                TimeUnit::Millisecond => of_numbers::<DurationMillisecondType>(data_type, numbers, value),
                TimeUnit::Microsecond => of_numbers::<DurationMicrosecondType>(data_type, numbers, value),
                TimeUnit::Nanosecond => of_numbers::<DurationNanosecondType>(data_type, numbers, value),
            }
        }
        DataType::Interval(unit) => {
            let days = |number| i32::try_from(number).expect("numbers of rows are limited");
            match unit {
                IntervalUnit::YearMonth => of_numbers::<IntervalYearMonthType>(data_type, numbers, days),
                IntervalUnit::DayTime => of_numbers::<IntervalDayTimeType>(data_type, numbers, |number| {
                    IntervalDayTime::new(days(number), 0)
                }),
                IntervalUnit::MonthDayNano => {
                    of_numbers::<IntervalMonthDayNanoType>(data_type, numbers, |number| {
                        IntervalMonthDayNano::new(0, days(number), 0)
                    })
                }
            }
        }
        DataType::List(item) => {
            return lists::<i32>(item, numbers, nulls);
        }
        DataType::LargeList(item) => {
            return lists::<i64>(item, numbers, nulls);
        }
        DataType::ListView(item) => {
            let lists = values(&DataType::List(item.clone()), numbers, nulls)?;
            return Some(Arc::new(ListViewArray::from(lists.as_list::<i32>().clone())));
        }
        DataType::LargeListView(item) => {
            let lists = values(&DataType::LargeList(item.clone()), numbers, nulls)?;
            return Some(Arc::new(LargeListViewArray::from(lists.as_list::<i64>().clone())));
        }
        DataType::FixedSizeList(item, length) => {
            let values = values(item.data_type(), &items(numbers, i64::from(*length)), None)?;
            let (item, nulls, rows) = (item.clone(), nulls.cloned(), numbers.len());
            let lists = FixedSizeListArray::try_new_with_length(item, *length, values, nulls, rows);
            return Some(Arc::new(lists.expect("as many items as the length says")));
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().map(|field| values(field.data_type(), numbers, None));
            let columns = columns.collect::<Option<Vec<_>>>()?;
            let nulls = nulls.cloned();
            let structs = StructArray::try_new_with_length(fields.clone(), columns, nulls, numbers.len());
            return Some(Arc::new(structs.expect("fields of one length")));
        }
        DataType::Map(entries, is_sorted) => {
            let DataType::Struct(fields) = entries.data_type() else { return None };
            let [key, value] = &fields[..] else { return None };
            let keys = match key.data_type() {
                DataType::Utf8 => Arc::new(StringArray::from_iter_values(numbers.iter().map(|_| "key"))),
                other => values(other, numbers, None)?,
            };
            let pairs =
                StructArray::new(fields.clone(), vec![keys, values(value.data_type(), numbers, None)?], None);
            let offsets = OffsetBuffer::from_lengths(numbers.iter().map(|_| 1));
            return Some(Arc::new(MapArray::new(
                entries.clone(),
                offsets,
                pairs,
                nulls.cloned(),
                *is_sorted,
            )));
        }
        DataType::Dictionary(_, of) => {
            let categories: Vec<i64> = numbers.iter().map(|number| wrapped(*number, CATEGORIES)).collect();
            return cast(&values(of, &categories, nulls)?, data_type).ok();
        }
        DataType::RunEndEncoded(_, of) => {
            return cast(&values(of.data_type(), numbers, nulls)?, data_type).ok();
        }
        DataType::Union(fields, mode) => return unions(fields, *mode, numbers),
    };
    let Some(nulls) = nulls else { return Some(array) };
    let data = array.to_data().into_builder().nulls(Some(nulls.clone())).build();
    Some(make_array(data.expect("as many nulls as values")))
}

fn of_numbers<T: ArrowPrimitiveType>(
    data_type: &DataType,
    numbers: &[i64],
    value: impl Fn(i64) -> T::Native,
) -> ArrayRef {
    let values = numbers.iter().map(|number| value(*number));
    Arc::new(PrimitiveArray::<T>::from_iter_values(values).with_data_type(data_type.clone()))
}

fn wholes<T: ArrowPrimitiveType<Native: TryFrom<i64>>>(numbers: &[i64], most: i64) -> ArrayRef {
    let value = |number: &i64| T::Native::try_from(wrapped(*number, most)).ok();
    let values = numbers.iter().map(|number| value(number).expect("the type holds this much"));
    Arc::new(PrimitiveArray::<T>::from_iter_values(values))
}

/// The number, and one again behind the largest.
fn wrapped(number: i64, most: i64) -> i64 {
    (number - 1) % most + 1
}

/// A number of no more digits than a decimal has.
fn unscaled(number: i64, precision: u8) -> i64 {
    wrapped(number, 10_i64.pow(u32::from(precision.min(18))) - 1)
}

fn texts(numbers: &[i64]) -> impl Iterator<Item = String> {
    numbers.iter().map(|number| format!("text{number}"))
}

fn of_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

fn clock(number: i64, unit: TimeUnit) -> i64 {
    number * SECONDS_OF_HOUR % SECONDS_OF_DAY * of_second(unit)
}

/// So many numbers for each: the number itself and those behind it.
fn items(numbers: &[i64], count: i64) -> Vec<i64> {
    numbers.iter().flat_map(|number| *number..*number + count).collect()
}

fn lists<O: OffsetSizeTrait>(
    item: &FieldRef,
    numbers: &[i64],
    nulls: Option<&NullBuffer>,
) -> Option<ArrayRef> {
    let offsets = OffsetBuffer::from_lengths(numbers.iter().map(|_| ITEMS as usize));
    let values = values(item.data_type(), &items(numbers, ITEMS), None)?;
    Some(Arc::new(GenericListArray::<O>::new(FieldRef::clone(item), offsets, values, nulls.cloned())))
}

/// A union has a value of each of its kinds in turn. It has no nulls of its own.
fn unions(fields: &UnionFields, mode: UnionMode, numbers: &[i64]) -> Option<ArrayRef> {
    let kinds: Vec<i8> = fields.iter().map(|(id, _)| id).collect();
    if kinds.is_empty() {
        return None;
    }
    let ids: ScalarBuffer<i8> = (0..numbers.len()).map(|row| kinds[row % kinds.len()]).collect();
    let children = fields.iter().map(|(_, field)| values(field.data_type(), numbers, None));
    let children = children.collect::<Option<Vec<_>>>()?;
    let offsets = match mode {
        UnionMode::Sparse => None,
        UnionMode::Dense => Some((0..i32::try_from(numbers.len()).ok()?).collect()),
    };
    Some(Arc::new(UnionArray::try_new(fields.clone(), ids, offsets, children).ok()?))
}
