//! Whether no two rows have the same values.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal256Type, Float64Type, Int64Type, TimeUnit, UInt64Type, i256};
use arrow::record_batch::RecordBatch;
use twox_hash::XxHash3_128;

use super::column::value_of;
use super::limit::{nanoseconds, scale_of};
use super::{Failure, Outcome, holds};
use crate::types::arrow_type::of_arrow;

/// The most rows that are looked at: 1 GiB of hashes.
const MOST_ROWS: u64 = 1 << 26;

/// The check of one column or of several together. Of each row no more is kept than a hash of 16 bytes.
#[derive(Debug)]
pub(super) struct UniqueCheck {
    names: Vec<String>,
    hashes: Vec<u128>,
    obstacle: Option<String>,
    /// The values that come more than once, and how often they were seen in the second reading.
    twice: HashMap<u128, u64>,
    failure: Option<Failure>,
}

impl UniqueCheck {
    pub(super) fn new(names: &[&str], rows: u64) -> Self {
        let obstacle = (rows > MOST_ROWS).then(|| format!("{rows} rows are more than {MOST_ROWS}"));
        Self {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            hashes: Vec::new(),
            obstacle,
            twice: HashMap::new(),
            failure: None,
        }
    }

    pub(super) fn is_possible(&self) -> bool {
        self.obstacle.is_none()
    }

    /// Says that a column cannot be looked at.
    pub(super) fn refuse(&mut self, name: &str, obstacle: &str) {
        if self.names().any(|known| known == name) {
            self.obstacle = Some(obstacle.to_owned());
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    pub(super) fn add(&mut self, batch: &RecordBatch) {
        if self.obstacle.is_some() {
            return;
        }
        match hashes(&self.names, batch) {
            Ok(hashes) => self.hashes.extend(hashes.into_iter().flatten()),
            Err(obstacle) => self.obstacle = Some(obstacle),
        }
    }

    /// Finds the values that come more than once, if there are any.
    pub(super) fn settle(&mut self) -> Option<()> {
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.sort_unstable();
        let twice: HashSet<u128> =
            hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        self.twice = twice.into_iter().map(|hash| (hash, 0)).collect();
        (!self.twice.is_empty()).then_some(())
    }

    /// Looks for the rows of a batch that have what an earlier one has.
    pub(super) fn find(&mut self, file: usize, first_row: u64, batch: &RecordBatch) {
        if self.twice.is_empty() || self.obstacle.is_some() {
            return;
        }
        let hashes = match hashes(&self.names, batch) {
            Ok(hashes) => hashes,
            Err(obstacle) => return self.obstacle = Some(obstacle),
        };
        for (row, hash) in hashes.into_iter().enumerate() {
            let Some(seen) = hash.and_then(|hash| self.twice.get_mut(&hash)) else { continue };
            *seen += 1;
            if *seen > 1 {
                Failure::add(&mut self.failure, file, first_row + row as u64, || {
                    let columns = self.names.iter().filter_map(|name| batch.column_by_name(name));
                    columns.map(|column| value_of(column, row)).collect::<Vec<_>>().join(", ")
                });
            }
        }
    }

    pub(super) fn outcome(self) -> Option<Outcome> {
        let result = match (self.obstacle, self.failure) {
            (Some(obstacle), _) => Err(obstacle),
            (None, Some(failure)) => Ok(failure),
            (None, None) if self.twice.is_empty() => return None,
            (None, None) => Err("the rows were other ones when they were read again".to_owned()),
        };
        Some(Outcome { column: self.names.join("`, `"), constraint: "unique".to_owned(), result })
    }
}

/// A hash of the values of each row, unless one of them is null.
fn hashes(names: &[String], batch: &RecordBatch) -> Result<Vec<Option<u128>>, String> {
    let columns = names.iter().map(|name| match batch.column_by_name(name) {
        Some(column) => hashes_of(column),
        // A file that lacks the column has nothing but nulls in it.
        None => Ok(vec![None; batch.num_rows()]),
    });
    let mut columns = columns.collect::<Result<Vec<_>, _>>()?.into_iter();
    let Some(mut all) = columns.next() else { return Ok(Vec::new()) };
    for column in columns {
        for (all, own) in all.iter_mut().zip(column) {
            *all = all.zip(own).map(|(one, other)| {
                let bytes = [one.to_le_bytes(), other.to_le_bytes()].concat();
                XxHash3_128::oneshot(&bytes)
            });
        }
    }
    Ok(all)
}

/// What each row holds in 128 bits: the value itself where it is a number or a time, and a hash of any other. Values that are equal
/// are the same whatever type a file declares for them.
fn hashes_of(array: &ArrayRef) -> Result<Vec<Option<u128>>, String> {
    use DataType::{
        Binary, Boolean, Date32, Decimal256, Float32, Float64, Int64, Time32, Time64, UInt64, Utf8,
    };

    let error = |error: arrow::error::ArrowError| error.to_string();
    let as_type = |data_type: &DataType| cast(array, data_type).map_err(error);
    let wholes = |array: &ArrayRef, of: &dyn Fn(i128) -> u128| -> Vec<Option<u128>> {
        array
            .as_primitive::<Int64Type>()
            .iter()
            .map(|value| value.map(|value| of(i128::from(value))))
            .collect()
    };
    let plain = |value: i128| value.cast_unsigned();
    Ok(match array.data_type() {
        UInt64 => array.as_primitive::<UInt64Type>().iter().map(|value| value.map(u128::from)).collect(),
        data_type if data_type.is_integer() || matches!(data_type, Boolean) => {
            wholes(&as_type(&Int64)?, &plain)
        }
        data_type if data_type.is_floating() => {
            // As they are written: the nearest float of 64 bits is another number.
            let values = match data_type {
                Float64 => array.clone(),
                _ => cast(&cast(&as_type(&Float32)?, &Utf8).map_err(error)?, &Float64).map_err(error)?,
            };
            // What is no number is a null.
            let values = values
                .as_primitive::<Float64Type>()
                .iter()
                .map(|value| value.filter(|value| !value.is_nan()));
            values.map(|value| value.map(of_float)).collect()
        }
        data_type if data_type.is_decimal() => {
            let scale = scale_of(data_type);
            let values = as_type(&Decimal256(76, scale))?;
            let values = values.as_primitive::<Decimal256Type>().iter();
            values.map(|value| value.map(|value| of_decimal(value, scale))).collect()
        }
        DataType::Date32 | DataType::Date64 => {
            let days = cast(&as_type(&Date32)?, &DataType::Int32).map_err(error)?;
            let day = 86_400 * nanoseconds(TimeUnit::Second);
            wholes(&cast(&days, &Int64).map_err(error)?, &|days| plain(days * day))
        }
        DataType::Timestamp(unit, zone) => {
            // A moment in a zone never equals a time of which nobody knows the zone.
            let (factor, zoned) = (nanoseconds(*unit), u128::from(zone.is_some()) << ZONED);
            wholes(&as_type(&Int64)?, &|value| plain(value * factor) ^ zoned)
        }
        Time32(unit) => {
            let values = cast(&as_type(&DataType::Int32)?, &Int64).map_err(error)?;
            wholes(&values, &|value| plain(value * nanoseconds(*unit)))
        }
        Time64(unit) | DataType::Duration(unit) => {
            wholes(&as_type(&Int64)?, &|value| plain(value * nanoseconds(*unit)))
        }
        Utf8 => {
            let values = array.as_string::<i32>().iter();
            values.map(|value| value.map(|value| XxHash3_128::oneshot(value.as_bytes()))).collect()
        }
        DataType::LargeUtf8 | DataType::Utf8View => hashes_of(&as_type(&Utf8)?)?,
        DataType::Dictionary(_, values) => hashes_of(&as_type(values)?)?,
        DataType::RunEndEncoded(_, values) => hashes_of(&as_type(values.data_type())?)?,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            let values = as_type(&Binary)?;
            values.as_binary::<i32>().iter().map(|value| value.map(XxHash3_128::oneshot)).collect()
        }
        DataType::Null => vec![None; array.len()],
        other => return Err(holds(&of_arrow(other))),
    })
}

/// The bits that tell moments from clocks, and fractions from whole numbers.
const ZONED: u32 = 100;
const FRACTION: u32 = 101;

/// A float, which is the whole number that it is.
fn of_float(value: f64) -> u128 {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and of fewer bits")]
    if value.fract() == 0.0 && value.abs() < 2_f64.powi(64) {
        return (value as i128).cast_unsigned();
    }
    u128::from(value.to_bits()) | 1 << FRACTION
}

/// A decimal, which is the whole number or the float that it is where one of them is written in its digits.
fn of_decimal(mut value: i256, scale: i8) -> u128 {
    let ten = i256::from_i128(10);
    let mut scale = i32::from(scale);
    while scale > 0 && value.wrapping_rem(ten) == i256::ZERO {
        value = value.wrapping_div(ten);
        scale -= 1;
    }
    match value.to_i128().filter(|value| value.unsigned_abs() < 1 << 64) {
        Some(whole) if scale == 0 => whole.cast_unsigned(),
        Some(digits) if digits.unsigned_abs() < 10_u128.pow(15) => {
            format!("{digits}e{}", -scale).parse().map_or(0, of_float)
        }
        _ => XxHash3_128::oneshot(&[&value.to_le_bytes()[..], &scale.to_le_bytes()].concat()),
    }
}
