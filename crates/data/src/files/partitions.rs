//! Columns that paths say: the keys of folders such as `year=2024`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Date32Array, Float64Array, Int64Array, StringArray, UInt64Array, new_null_array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use camino::Utf8Path;
use jiff::civil;

/// What stands for a null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The keys of folders below one folder, with the type that all values of each have together.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    types: HashMap<String, DataType>,
}

/// The column that a key is in one file.
#[derive(Debug, Clone)]
pub(crate) struct Constant {
    pub(crate) field: FieldRef,
    /// An array of the one value.
    value: ArrayRef,
}

impl Constant {
    /// The value, so many times.
    pub(crate) fn times(&self, rows: usize) -> ArrayRef {
        let first = UInt64Array::from(vec![0; rows]);
        take(&self.value, &first, None).expect("the first of one value")
    }
}

impl Partitions {
    /// The keys of files, by their paths below the folder.
    pub(crate) fn of<'a>(paths: impl IntoIterator<Item = &'a Utf8Path>) -> Self {
        let mut values: HashMap<String, Vec<String>> = HashMap::new();
        for path in paths {
            for (key, value) in keys(path) {
                values.entry(key).or_default().extend(value);
            }
        }
        let types = values.into_iter().map(|(key, values)| (key, type_of(&values)));
        Self { types: types.collect() }
    }

    /// The columns that the path of a file says, in the order of its folders.
    pub(crate) fn constants(&self, path: &Utf8Path) -> Vec<Constant> {
        let constant = |(key, value): (String, Option<String>)| {
            let data_type = self.types.get(&key)?;
            let array = value.as_deref().and_then(|value| array_of(data_type, value));
            let value = array.unwrap_or_else(|| new_null_array(data_type, 1));
            let field = Arc::new(Field::new(key, data_type.clone(), value.null_count() > 0));
            Some(Constant { field, value })
        };
        keys(path).into_iter().filter_map(constant).collect()
    }
}

/// The keys of the folders of a path with their values, each key once: the innermost.
fn keys(path: &Utf8Path) -> Vec<(String, Option<String>)> {
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    for folder in path.parent().into_iter().flat_map(Utf8Path::components) {
        let Some((key, value)) = folder.as_str().split_once('=').filter(|(key, _)| !key.is_empty()) else {
            continue;
        };
        let value = (value != NULL).then(|| decoded(value));
        found.retain(|(known, _)| *known != decoded(key));
        found.push((decoded(key), value));
    }
    found
}

/// A name with the characters that stand as `%3A` in it.
fn decoded(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code =
            behind.get(..2).and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| name.to_owned())
}

/// The narrowest type of values that are written as names of folders.
fn type_of(values: &[String]) -> DataType {
    let types = [DataType::Int64, DataType::Float64, DataType::Date32];
    let fits = |data_type: &DataType| values.iter().all(|value| array_of(data_type, value).is_some());
    match values {
        [] => DataType::Null,
        _ => types.into_iter().find(fits).unwrap_or(DataType::Utf8),
    }
}

/// An array of one value, if it is one of the type.
fn array_of(data_type: &DataType, value: &str) -> Option<ArrayRef> {
    Some(match data_type {
        DataType::Int64 => Arc::new(Int64Array::from(vec![value.parse::<i64>().ok()?])),
        DataType::Float64 => {
            let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
            Arc::new(Float64Array::from(vec![value.parse::<f64>().ok().filter(|_| is_number)?]))
        }
        DataType::Date32 => {
            let day: civil::Date = value.parse().ok().filter(|_| value.len() == "2024-01-31".len())?;
            Arc::new(Date32Array::from(vec![civil::date(1970, 1, 1).until(day).ok()?.get_days()]))
        }
        DataType::Utf8 => Arc::new(StringArray::from(vec![value])),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(paths: &[&str], expected: &[&str]) {
        let partitions = Partitions::of(paths.iter().map(Utf8Path::new));
        let shown = |path: &&str| {
            let constants = partitions.constants(Utf8Path::new(path));
            let constants = constants.iter().map(|constant| {
                let value = arrow::util::display::array_value_to_string(&constant.times(2), 1).unwrap();
                format!("{}: {} {value}", constant.field.name(), constant.field.data_type())
            });
            constants.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(paths.iter().map(shown).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn keys_have_the_type_of_all_their_values() {
        check(
            &["year=2024/month=01/a.csv", "year=2025/month=11/a.csv"],
            &["year: Int64 2024, month: Int64 1", "year: Int64 2025, month: Int64 11"],
        );
        check(&["year=2024/a", "year=__HIVE_DEFAULT_PARTITION__/a"], &["year: Int64 2024", "year: Int64 "]);
        check(&["m=1/a", "m=jan/a"], &["m: Utf8 1", "m: Utf8 jan"]);
        check(
            &["d=2024-01-31/a", "d=2024-02-01/x=0.5/a"],
            &["d: Date32 2024-01-31", "d: Date32 2024-02-01, x: Float64 0.5"],
        );
        check(&["city=S%C3%A3o%20Paulo/a", "=1/a", "b=1"], &["city: Utf8 S\u{e3}o Paulo", "", ""]);
    }
}
