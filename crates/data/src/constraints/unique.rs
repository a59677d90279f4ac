//! Whether no two rows have the same values.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal256Type, Float64Type, Int64Type, UInt64Type};
use arrow::record_batch::RecordBatch;

use super::column::value_of;
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

    /// Finds the values that come more than once, and says whether there are any.
    pub(super) fn settle(&mut self) -> bool {
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.sort_unstable();
        let twice: HashSet<u128> =
            hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        self.twice = twice.into_iter().map(|hash| (hash, 0)).collect();
        !self.twice.is_empty()
    }

    /// Looks for the rows of a batch that have what an earlier one has.
    pub(super) fn find(&mut self, file: usize, first_row: u64, batch: &RecordBatch) {
        if self.twice.is_empty() || self.obstacle.is_some() {
            return;
        }
        let Ok(hashes) = hashes(&self.names, batch) else { return };
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
            (None, failure) => Ok(failure?),
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
                twox_hash::XxHash3_128::oneshot(&bytes)
            });
        }
    }
    Ok(all)
}

fn hashes_of(array: &ArrayRef) -> Result<Vec<Option<u128>>, String> {
    use DataType::{Binary, Boolean, Decimal256, Float64, Int64, UInt64, Utf8};

    let as_type = |data_type: &DataType| cast(array, data_type).map_err(|error| error.to_string());
    // Bits of 64 are as good as a hash of them.
    Ok(match array.data_type() {
        UInt64 => {
            let values = array.as_primitive::<UInt64Type>();
            values.iter().map(|value| value.map(u128::from)).collect()
        }
        data_type if data_type.is_integer() || matches!(data_type, Boolean) => {
            let values = as_type(&Int64)?;
            values.as_primitive::<Int64Type>().iter().map(|value| value.map(bits_of)).collect()
        }
        data_type if data_type.is_floating() => {
            let values = as_type(&Float64)?;
            let values = values.as_primitive::<Float64Type>().iter();
            // What is no number is a null, and there is one zero.
            values
                .map(|value| {
                    value.filter(|value| !value.is_nan()).map(|value| u128::from((value + 0.0).to_bits()))
                })
                .collect()
        }
        DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(..)
        | DataType::Duration(_) => {
            let values = match array.data_type() {
                DataType::Date32 | DataType::Time32(_) => cast(&as_type(&DataType::Int32)?, &Int64),
                _ => cast(array, &Int64),
            };
            let values = values.map_err(|error| error.to_string())?;
            values.as_primitive::<Int64Type>().iter().map(|value| value.map(bits_of)).collect()
        }
        data_type if data_type.is_decimal() => {
            let scale = match data_type {
                DataType::Decimal32(_, scale)
                | DataType::Decimal64(_, scale)
                | DataType::Decimal128(_, scale)
                | DataType::Decimal256(_, scale) => *scale,
                _ => 0,
            };
            let values = as_type(&Decimal256(76, scale))?;
            let values = values.as_primitive::<Decimal256Type>().iter();
            values
                .map(|value| value.map(|value| twox_hash::XxHash3_128::oneshot(&value.to_le_bytes())))
                .collect()
        }
        Utf8 => {
            let values = array.as_string::<i32>().iter();
            values.map(|value| value.map(|value| twox_hash::XxHash3_128::oneshot(value.as_bytes()))).collect()
        }
        DataType::LargeUtf8 | DataType::Utf8View => hashes_of(&as_type(&Utf8)?)?,
        DataType::Dictionary(_, values) => hashes_of(&as_type(values)?)?,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            let values = as_type(&Binary)?;
            let values = values.as_binary::<i32>().iter();
            values.map(|value| value.map(twox_hash::XxHash3_128::oneshot)).collect()
        }
        DataType::Null => vec![None; array.len()],
        other => return Err(holds(&of_arrow(other))),
    })
}

fn bits_of(value: i64) -> u128 {
    u128::from(value.cast_unsigned())
}
