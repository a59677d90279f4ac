//! How alike the values of two columns are.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::types::logical::TypeWords;

/// How alike ranges at least are that have anything in common, be it a single number.
const TOUCHING: f64 = 0.01;

/// The values of a column, without its nulls.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// The hash of each, because texts may be long.
    distinct: HashSet<u64>,
    /// The least and the greatest, of numbers.
    range: Option<(f64, f64)>,
}

/// How alike two columns are that both show values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Likeness {
    /// How many values they have in common, each counted once.
    pub(super) common: usize,
    /// Whether one has all values of the other.
    pub(super) is_full: bool,
    /// From 0, where they have nothing in common, to 1.
    pub(super) score: f64,
}

impl Values {
    /// Adds values of the column. They are written as text, so that types which differ in width, unit or layout
    /// alone have the same; numbers are all floats, and dates and timestamps have the same unit and no zone.
    pub(super) fn add(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        match TypeWords::of_arrow(array.data_type()) {
            TypeWords::Null => Ok(()),
            TypeWords::Int(_) | TypeWords::Uint(_) | TypeWords::Float(_) | TypeWords::Decimal(..) => {
                self.add_numbers(&cast(array, &DataType::Float64)?);
                Ok(())
            }
            TypeWords::Date | TypeWords::Timestamp(..) => {
                // Arrow cannot write a time in a zone of which it knows only the name.
                self.add_texts(&cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?)
            }
            _ => self.add_texts(array),
        }
    }

    fn add_numbers(&mut self, array: &ArrayRef) {
        let numbers = array.as_primitive::<Float64Type>().iter().flatten();
        for number in numbers.filter(|number| number.is_finite()) {
            // There are two zeros.
            self.distinct.insert((number + 0.0).to_bits());
            let (least, greatest) = self.range.unwrap_or((number, number));
            self.range = Some((least.min(number), greatest.max(number)));
        }
    }

    fn add_texts(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        let options = FormatOptions::default();
        let formatter = ArrayFormatter::try_new(array, &options)?;
        let nulls = array.logical_nulls();
        for row in 0..array.len() {
            if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                let mut hasher = DefaultHasher::new();
                formatter.value(row).try_to_string()?.hash(&mut hasher);
                self.distinct.insert(hasher.finish());
            }
        }
        Ok(())
    }

    /// How alike two columns are, if that can be said: both have values, and either both or none are numbers.
    ///
    /// It is the share of values in common, of the column that has fewer. Of numbers it is also the share that the
    /// range in common has of the range of both together, if that is more.
    pub(super) fn likeness(&self, other: &Self) -> Option<Likeness> {
        let fewer = self.distinct.len().min(other.distinct.len());
        if fewer == 0 || self.range.is_some() != other.range.is_some() {
            return None;
        }
        let common = self.distinct.intersection(&other.distinct).count();
        let share = common as f64 / fewer as f64;
        let overlap = self.range.zip(other.range).map_or(0.0, |(one, other)| overlap(one, other));
        Some(Likeness { common, is_full: common == fewer, score: share.max(overlap) })
    }
}

/// The share that what two ranges have in common has of both together.
fn overlap(one: (f64, f64), other: (f64, f64)) -> f64 {
    let common = one.1.min(other.1) - one.0.max(other.0);
    let all = one.1.max(other.1) - one.0.min(other.0);
    match common {
        ..0.0 => 0.0,
        _ if all > 0.0 => (common / all).max(TOUCHING),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Date32Array, Decimal128Array, Float64Array, Int64Array, NullArray, StringArray, TimestampSecondArray,
        UInt8Array,
    };

    use super::*;

    fn values(array: impl Array + 'static) -> Values {
        let mut values = Values::default();
        let array: ArrayRef = Arc::new(array);
        values.add(&array).unwrap();
        values
    }

    #[track_caller]
    fn check(one: impl Array + 'static, other: impl Array + 'static, expected: Option<(usize, f64)>) {
        let (one, other) = (values(one), values(other));
        let likeness = one.likeness(&other);
        assert_eq!(likeness.map(|likeness| (likeness.common, likeness.score)), expected);
        assert_eq!(other.likeness(&one), likeness);
    }

    fn texts(values: &[&str]) -> StringArray {
        StringArray::from(values.to_vec())
    }

    #[test]
    fn texts_have_values_in_common() {
        check(texts(&["a", "b"]), texts(&["b", "a", "a"]), Some((2, 1.0)));
        check(texts(&["a", "b"]), texts(&["b", "c", "d"]), Some((1, 0.5)));
        check(texts(&["a"]), texts(&["b"]), Some((0, 0.0)));
        check(StringArray::from(vec![Some("a"), None]), texts(&["a"]), Some((1, 1.0)));
    }

    #[test]
    fn numbers_have_ranges_in_common_too() {
        check(Int64Array::from(vec![0, 4]), Float64Array::from(vec![-0.0, 4.0]), Some((2, 1.0)));
        check(Int64Array::from(vec![0, 4]), Float64Array::from(vec![2.0, 6.0, 5.0]), Some((0, 2.0 / 6.0)));
        check(Int64Array::from(vec![0, 4]), UInt8Array::from(vec![4, 9, 8]), Some((1, 0.5)));
        check(Int64Array::from(vec![0, 4]), Int64Array::from(vec![3]), Some((0, TOUCHING)));
        check(Int64Array::from(vec![0, 4]), Int64Array::from(vec![5, 9]), Some((0, 0.0)));
        let decimals = Decimal128Array::from(vec![250, 1999]).with_precision_and_scale(9, 2).unwrap();
        check(decimals, Float64Array::from(vec![2.5, 19.99, f64::NAN, f64::INFINITY]), Some((2, 1.0)));
    }

    #[test]
    fn days_are_points_in_time() {
        let seconds = || TimestampSecondArray::from(vec![0, 86_400]);
        check(Date32Array::from(vec![0, 1]), seconds(), Some((2, 1.0)));
        check(seconds(), seconds().with_timezone("UTC"), Some((2, 1.0)));
    }

    #[test]
    fn of_columns_without_values_nothing_is_known() {
        check(NullArray::new(2), texts(&["a"]), None);
        check(Float64Array::from(vec![None, Some(f64::NAN)]), Float64Array::from(vec![1.0]), None);
        check(Int64Array::from(vec![1]), texts(&["1"]), None);
    }
}
