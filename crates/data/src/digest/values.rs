//! The canonical bytes of values: the same for equal values, whatever type of Arrow holds them. docs/digest.md says what is
//! equal. Each value says where it ends, so that no two rows run together to the same bytes.

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, GenericListArray, OffsetSizeTrait, RunArray, UnionArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::*;
use runtime_testing_models::FloatTolerance;

use super::number::{add_decimal, add_float, add_narrow_decimal, add_narrow_float, add_whole};
use super::time::{DAY, Moment, SECOND, clock_text};

/// What a value begins with.
pub(super) mod tag {
    pub(in crate::digest) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    /// A number that a float tells.
    pub(in crate::digest) const NUMBER: u8 = 3;
    /// A number with more digits than that.
    pub(in crate::digest) const DIGITS: u8 = 4;
    pub(super) const TEXT: u8 = 5;
    pub(super) const BINARY: u8 = 6;
    pub(super) const LOCAL_MOMENT: u8 = 7;
    pub(super) const ZONED_MOMENT: u8 = 8;
    pub(super) const DURATION: u8 = 9;
    pub(super) const INTERVAL: u8 = 10;
    pub(super) const LIST: u8 = 11;
    /// A struct or a map.
    pub(super) const RECORD: u8 = 12;
    /// Behind the last value of a list, and the last field of a record.
    pub(super) const END: u8 = 13;
}

pub(super) fn add_null(out: &mut Vec<u8>) {
    out.push(tag::NULL);
}

pub(super) fn add_text(out: &mut Vec<u8>, text: &str) {
    match Moment::of_text(text.as_bytes()) {
        Some(moment) => add_moment(out, moment),
        None => add_bytes(out, tag::TEXT, text.as_bytes()),
    }
}

fn add_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend(bytes);
}

fn add_moment(out: &mut Vec<u8>, moment: Moment) {
    let (tag, nanoseconds) = match moment {
        Moment::Local(nanoseconds) => (tag::LOCAL_MOMENT, nanoseconds),
        Moment::Zoned(nanoseconds) => (tag::ZONED_MOMENT, nanoseconds),
    };
    out.push(tag);
    out.extend(nanoseconds.to_le_bytes());
}

type Add = Box<dyn Fn(usize, &mut Vec<u8>)>;

/// The values of an array, one by one.
pub(super) struct Values {
    nulls: Option<NullBuffer>,
    add: Add,
}

impl Values {
    pub(super) fn new(array: &ArrayRef, tolerance: FloatTolerance) -> Self {
        Self { nulls: array.nulls().cloned(), add: adding(array, tolerance) }
    }

    /// Adds the value of a row.
    pub(super) fn add(&self, row: usize, out: &mut Vec<u8>) {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            add_null(out);
        } else {
            (self.add)(row, out);
        }
    }
}

/// What adds a value that is no null.
fn adding(array: &ArrayRef, tolerance: FloatTolerance) -> Add {
    let nanoseconds = |unit: &TimeUnit| match unit {
        TimeUnit::Second => SECOND,
        TimeUnit::Millisecond => SECOND / 1000,
        TimeUnit::Microsecond => SECOND / 1_000_000,
        TimeUnit::Nanosecond => 1,
    };
    match array.data_type() {
        DataType::Null => Box::new(|_, out| add_null(out)),
        DataType::Boolean => {
            let array = array.as_boolean().clone();
            Box::new(move |row, out| out.push(if array.value(row) { tag::TRUE } else { tag::FALSE }))
        }
        DataType::Int8 => wholes::<Int8Type>(array),
        DataType::Int16 => wholes::<Int16Type>(array),
        DataType::Int32 => wholes::<Int32Type>(array),
        DataType::Int64 => wholes::<Int64Type>(array),
        DataType::UInt8 => wholes::<UInt8Type>(array),
        DataType::UInt16 => wholes::<UInt16Type>(array),
        DataType::UInt32 => wholes::<UInt32Type>(array),
        DataType::UInt64 => wholes::<UInt64Type>(array),
        DataType::Float16 => primitives::<Float16Type>(array, move |value, out| {
            add_narrow_float(out, value.to_f32(), tolerance)
        }),
        DataType::Float32 => {
            primitives::<Float32Type>(array, move |value, out| add_narrow_float(out, value, tolerance))
        }
        DataType::Float64 => {
            primitives::<Float64Type>(array, move |value, out| add_float(out, value, tolerance))
        }
        DataType::Decimal32(_, scale) => decimals::<Decimal32Type>(array, *scale, tolerance),
        DataType::Decimal64(_, scale) => decimals::<Decimal64Type>(array, *scale, tolerance),
        DataType::Decimal128(_, scale) => decimals::<Decimal128Type>(array, *scale, tolerance),
        DataType::Decimal256(_, scale) => {
            let scale = *scale;
            primitives::<Decimal256Type>(array, move |value, out| match value.to_i128() {
                Some(value) => add_narrow_decimal(out, value, scale, tolerance),
                None => add_decimal(out, value, scale, tolerance),
            })
        }
        DataType::Utf8 => {
            let array = array.as_string::<i32>().clone();
            Box::new(move |row, out| add_text(out, array.value(row)))
        }
        DataType::LargeUtf8 => {
            let array = array.as_string::<i64>().clone();
            Box::new(move |row, out| add_text(out, array.value(row)))
        }
        DataType::Utf8View => {
            let array = array.as_string_view().clone();
            Box::new(move |row, out| add_text(out, array.value(row)))
        }
        DataType::Binary => {
            let array = array.as_binary::<i32>().clone();
            Box::new(move |row, out| add_bytes(out, tag::BINARY, array.value(row)))
        }
        DataType::LargeBinary => {
            let array = array.as_binary::<i64>().clone();
            Box::new(move |row, out| add_bytes(out, tag::BINARY, array.value(row)))
        }
        DataType::BinaryView => {
            let array = array.as_binary_view().clone();
            Box::new(move |row, out| add_bytes(out, tag::BINARY, array.value(row)))
        }
        DataType::FixedSizeBinary(_) => {
            let array = array.as_fixed_size_binary().clone();
            Box::new(move |row, out| add_bytes(out, tag::BINARY, array.value(row)))
        }
        DataType::Date32 => moments::<Date32Type>(array, Moment::Local, DAY),
        DataType::Date64 => moments::<Date64Type>(array, Moment::Local, SECOND / 1000),
        DataType::Timestamp(unit, zone) => {
            let moment = if zone.is_some() { Moment::Zoned } else { Moment::Local };
            let factor = nanoseconds(unit);
            match unit {
                TimeUnit::Second => moments::<TimestampSecondType>(array, moment, factor),
                TimeUnit::Millisecond => moments::<TimestampMillisecondType>(array, moment, factor),
                TimeUnit::Microsecond => moments::<TimestampMicrosecondType>(array, moment, factor),
                TimeUnit::Nanosecond => moments::<TimestampNanosecondType>(array, moment, factor),
            }
        }
        DataType::Time32(TimeUnit::Second) => clocks::<Time32SecondType>(array, SECOND),
        DataType::Time32(_) => clocks::<Time32MillisecondType>(array, SECOND / 1000),
        DataType::Time64(TimeUnit::Microsecond) => clocks::<Time64MicrosecondType>(array, SECOND / 1_000_000),
        DataType::Time64(_) => clocks::<Time64NanosecondType>(array, 1),
        DataType::Duration(unit) => {
            let factor = nanoseconds(unit);
            match unit {
                TimeUnit::Second => durations::<DurationSecondType>(array, factor),
                TimeUnit::Millisecond => durations::<DurationMillisecondType>(array, factor),
                TimeUnit::Microsecond => durations::<DurationMicrosecondType>(array, factor),
                TimeUnit::Nanosecond => durations::<DurationNanosecondType>(array, factor),
            }
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            primitives::<IntervalYearMonthType>(array, |months, out| add_interval(out, months, 0, 0))
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            primitives::<IntervalDayTimeType>(array, |value, out| {
                add_interval(out, 0, value.days, i64::from(value.milliseconds) * 1_000_000);
            })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            primitives::<IntervalMonthDayNanoType>(array, |value, out| {
                add_interval(out, value.months, value.days, value.nanoseconds);
            })
        }
        DataType::List(_) => lists(array.as_list::<i32>(), tolerance),
        DataType::LargeList(_) => lists(array.as_list::<i64>(), tolerance),
        DataType::ListView(_) => {
            let array = array.as_list_view::<i32>().clone();
            let items = Values::new(array.values(), tolerance);
            Box::new(move |row, out| {
                let start = array.value_offset(row) as usize;
                add_list(out, &items, start..start + array.value_size(row) as usize);
            })
        }
        DataType::LargeListView(_) => {
            let array = array.as_list_view::<i64>().clone();
            let items = Values::new(array.values(), tolerance);
            Box::new(move |row, out| {
                let start = array.value_offset(row) as usize;
                add_list(out, &items, start..start + array.value_size(row) as usize);
            })
        }
        DataType::FixedSizeList(_, _) => {
            let array = array.as_fixed_size_list().clone();
            let items = Values::new(array.values(), tolerance);
            Box::new(move |row, out| {
                let start = array.value_offset_at(row);
                add_list(out, &items, start..start + array.value_length() as usize);
            })
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter();
            let mut columns: Vec<(Vec<u8>, Values)> = fields
                .iter()
                .zip(columns)
                .map(|(field, column)| {
                    let mut key = Vec::new();
                    add_text(&mut key, field.name());
                    (key, Values::new(column, tolerance))
                })
                .collect();
            columns.sort_by(|(one, _), (other, _)| one.cmp(other));
            Box::new(move |row, out| {
                out.push(tag::RECORD);
                for (key, values) in &columns {
                    add_field(out, key, |out| values.add(row, out));
                }
                out.push(tag::END);
            })
        }
        DataType::Map(_, _) => {
            let array = array.as_map().clone();
            let keys = Values::new(array.keys(), tolerance);
            let values = Values::new(array.values(), tolerance);
            Box::new(move |row, out| {
                let offsets = array.value_offsets();
                let mut entries: Vec<(Vec<u8>, usize)> = (offsets[row] as usize..offsets[row + 1] as usize)
                    .map(|place| {
                        let mut key = Vec::new();
                        keys.add(place, &mut key);
                        (key, place)
                    })
                    .collect();
                // Of keys that are there several times, the order counts.
                entries.sort();
                out.push(tag::RECORD);
                for (key, place) in entries {
                    add_field(out, &key, |out| values.add(place, out));
                }
                out.push(tag::END);
            })
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            if dictionary.values().is_empty() {
                return Box::new(|_, out| add_null(out));
            }
            let (keys, values) = (dictionary.normalized_keys(), Values::new(dictionary.values(), tolerance));
            Box::new(move |row, out| values.add(keys[row], out))
        }
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs::<Int16Type>(array, tolerance),
            DataType::Int32 => runs::<Int32Type>(array, tolerance),
            _ => runs::<Int64Type>(array, tolerance),
        },
        DataType::Union(fields, _) => {
            let array = array.as_any().downcast_ref::<UnionArray>().expect("the type says so").clone();
            let values: Vec<(i8, Values)> =
                fields.iter().map(|(id, _)| (id, Values::new(array.child(id), tolerance))).collect();
            Box::new(move |row, out| {
                let of_kind = values.iter().find(|(id, _)| *id == array.type_id(row));
                let (_, values) = of_kind.expect("a union has values of its own kinds only");
                values.add(array.value_offset(row), out);
            })
        }
    }
}

fn primitives<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    add: impl Fn(T::Native, &mut Vec<u8>) + 'static,
) -> Add {
    let array = array.as_primitive::<T>().clone();
    Box::new(move |row, out| add(array.value(row), out))
}

fn wholes<T: ArrowPrimitiveType<Native: Into<i128>>>(array: &ArrayRef) -> Add {
    primitives::<T>(array, |value, out| add_whole(out, value.into()))
}

fn decimals<T: ArrowPrimitiveType<Native: Into<i128>>>(
    array: &ArrayRef,
    scale: i8,
    tolerance: FloatTolerance,
) -> Add {
    primitives::<T>(array, move |value, out| add_narrow_decimal(out, value.into(), scale, tolerance))
}

fn moments<T: ArrowPrimitiveType<Native: Into<i128>>>(
    array: &ArrayRef,
    moment: fn(i128) -> Moment,
    factor: i128,
) -> Add {
    primitives::<T>(array, move |value, out| add_moment(out, moment(value.into() * factor)))
}

fn clocks<T: ArrowPrimitiveType<Native: Into<i128>>>(array: &ArrayRef, factor: i128) -> Add {
    primitives::<T>(array, move |value, out| {
        add_bytes(out, tag::TEXT, clock_text(value.into() * factor).as_bytes());
    })
}

fn durations<T: ArrowPrimitiveType<Native: Into<i128>>>(array: &ArrayRef, factor: i128) -> Add {
    primitives::<T>(array, move |value, out| {
        out.push(tag::DURATION);
        out.extend((value.into() * factor).to_le_bytes());
    })
}

fn add_interval(out: &mut Vec<u8>, months: i32, days: i32, nanoseconds: i64) {
    out.push(tag::INTERVAL);
    out.extend(months.to_le_bytes());
    out.extend(days.to_le_bytes());
    out.extend(nanoseconds.to_le_bytes());
}

fn lists<O: OffsetSizeTrait>(array: &GenericListArray<O>, tolerance: FloatTolerance) -> Add {
    let items = Values::new(array.values(), tolerance);
    let offsets = array.offsets().clone();
    Box::new(move |row, out| add_list(out, &items, offsets[row].as_usize()..offsets[row + 1].as_usize()))
}

fn add_list(out: &mut Vec<u8>, items: &Values, places: std::ops::Range<usize>) {
    out.push(tag::LIST);
    for place in places {
        items.add(place, out);
    }
    out.push(tag::END);
}

/// Adds a field of a struct or a map. One that is null is as one that is not there, as in JSON.
fn add_field(out: &mut Vec<u8>, key: &[u8], add: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(key);
    add(out);
    if out[start + key.len()..] == [tag::NULL] {
        out.truncate(start);
    }
}

fn runs<R: RunEndIndexType>(array: &ArrayRef, tolerance: FloatTolerance) -> Add {
    let array = array.as_any().downcast_ref::<RunArray<R>>().expect("the type says so").clone();
    let values = Values::new(array.values(), tolerance);
    Box::new(move |row, out| values.add(array.get_physical_index(row), out))
}
