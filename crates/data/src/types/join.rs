//! The type of a column that shows one type in some parts of its table and another in others.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use runtime_testing_models::FileFormat;

use runtime_testing_models::LogicalType;

use super::arrow_type::{of_arrow, to_arrow};

/// How the types of a table's columns are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Typing {
    /// The file declares them.
    Declared,
    /// They are the narrowest that all values of the column fit, and JSON has several kinds of values.
    Values,
    /// They are the narrowest that all cells fit, and every cell is a text.
    Cells,
}

impl Typing {
    pub(crate) fn of(format: FileFormat) -> Self {
        match format {
            FileFormat::Csv | FileFormat::Tsv => Self::Cells,
            FileFormat::Json | FileFormat::JsonObject | FileFormat::Ndjson => Self::Values,
            _ => Self::Declared,
        }
    }
}

/// The type of a column with the rows of both, if it has one: as within one file, where types are shown by the rows.
/// Declared types alone can have none.
pub(crate) fn joined(one: &LogicalType, other: &LogicalType, typing: Typing) -> Option<LogicalType> {
    use LogicalType::{Date, Float, Int, List, Map, Mixed, Null, Struct, Text, Timestamp, Uint};

    if one == other {
        return Some(one.clone());
    }
    if typing == Typing::Declared {
        return None;
    }
    match (one, other) {
        (Null, wider)
        | (wider, Null)
        | (Int(_), wider @ Float(_))
        | (wider @ Float(_), Int(_))
        | (Date, wider @ Timestamp(_, None))
        | (wider @ Timestamp(_, None), Date) => Some(wider.clone()),
        (Uint(_), wider @ Float(_)) | (wider @ Float(_), Uint(_)) if typing == Typing::Values => {
            Some(wider.clone())
        }
        // Whoever reads the rows says so if one of the integers is negative.
        (Int(_), Uint(bits)) | (Uint(bits), Int(_)) => Some(Uint(*bits)),
        // Cells with different types inside are two texts.
        _ if typing == Typing::Cells => Some(Text),
        (List(one), List(other)) => joined(one, other, typing).map(|item| List(Box::new(item))),
        (Struct(ours), Struct(theirs)) => joined_fields(ours, theirs, typing).map(Struct),
        (Map(key, one), Map(_, other)) => {
            joined(one, other, typing).map(|value| Map(key.clone(), Box::new(value)))
        }
        // In JSON a map is an object with more keys than are kept.
        (Map(key, one), Struct(fields)) | (Struct(fields), Map(key, one)) => {
            let join = |all, (_, field): &(String, LogicalType)| joined(&all, field, typing);
            let values = fields.iter().try_fold((**one).clone(), join);
            values.map(|values| Map(key.clone(), Box::new(values)))
        }
        _ => Some(Mixed),
    }
}

/// The one type that values of an object in JSON have, whose keys are data then, if they have one. Of tables by columns, which
/// have a value for each number of a row, keys are columns.
pub(crate) fn one_type(values: impl IntoIterator<Item = LogicalType>) -> Option<LogicalType> {
    let (mut all, mut are_columns, mut is_empty) = (LogicalType::Null, true, true);
    for value in values {
        is_empty = false;
        are_columns &= is_column_by_rows(&value);
        all = of_one_type(all, value)?;
    }
    (is_empty || !are_columns).then_some(all)
}

/// Whether an object has a value for each row, as pandas writes a column by default: its keys are 0, 1, 2 and so on.
fn is_column_by_rows(value: &LogicalType) -> bool {
    let LogicalType::Struct(fields) = value else { return false };
    // The fields are sorted as texts.
    let mut numbers: Vec<usize> = fields.iter().filter_map(|(name, _)| name.parse().ok()).collect();
    numbers.sort_unstable();
    !fields.is_empty() && numbers.len() == fields.len() && numbers.iter().copied().eq(0..fields.len())
}

/// The type that two types of values in JSON are, if they are one: numbers, objects with much the same keys, and objects whose own
/// keys are data.
fn of_one_type(one: LogicalType, other: LogicalType) -> Option<LogicalType> {
    use LogicalType::{Float, Int, List, Map, Mixed, Null, Struct, Uint};

    let of_map = |values: LogicalType| Map(Box::new(LogicalType::Text), Box::new(values));
    match (one, other) {
        (Mixed, _) | (_, Mixed) => None,
        (one, other) if one == other => Some(one),
        (Null, only) | (only, Null) => Some(only),
        (Int(_) | Uint(_), Float(bits)) | (Float(bits), Int(_) | Uint(_)) => Some(Float(bits)),
        (Int(_), Uint(bits)) | (Uint(bits), Int(_)) => Some(Uint(bits)),
        (List(one), List(other)) => of_one_type(*one, *other).map(|item| List(Box::new(item))),
        (Map(_, one), Map(_, other)) => of_one_type(*one, *other).map(of_map),
        (Map(_, one), Struct(fields)) | (Struct(fields), Map(_, one)) => {
            let values = fields.into_iter().map(|(_, field)| field);
            of_one_type(*one, one_type(values)?).map(of_map)
        }
        (Struct(one), Struct(other)) => of_one_struct(&one, &other).map(Struct).or_else(|| {
            let values = one.into_iter().chain(other).map(|(_, field)| field);
            one_type(values).map(of_map)
        }),
        _ => None,
    }
}

/// The fields of two objects that have much the same.
fn of_one_struct(
    one: &[(String, LogicalType)],
    other: &[(String, LogicalType)],
) -> Option<Vec<(String, LogicalType)>> {
    let mut fields: BTreeMap<&String, LogicalType> =
        one.iter().map(|(name, field)| (name, field.clone())).collect();
    let common = other.iter().filter(|(name, _)| fields.contains_key(name)).count();
    if !are_columns_alike(common, one.len(), other.len()) {
        return None;
    }
    for (name, field) in other {
        let own = fields.entry(name).or_insert(LogicalType::Null);
        *own = of_one_type(std::mem::replace(own, LogicalType::Null), field.clone())?;
    }
    Some(fields.into_iter().map(|(name, field)| (name.clone(), field)).collect())
}

/// Whether columns, or fields, of which so many are in common are those of one table: all of the one, or most of both.
pub(crate) fn are_columns_alike(common: usize, one: usize, other: usize) -> bool {
    common > 0 && (common == one.min(other) || 2 * common > one + other - common)
}

/// The fields of structs, each of which may be in one of them alone, in the order of their names.
fn joined_fields(
    ours: &[(String, LogicalType)],
    theirs: &[(String, LogicalType)],
    typing: Typing,
) -> Option<Vec<(String, LogicalType)>> {
    let mut fields: BTreeMap<&String, LogicalType> = BTreeMap::new();
    for (name, own) in ours.iter().chain(theirs) {
        let words = match fields.get(name) {
            Some(other) => joined(other, own, typing)?,
            None => own.clone(),
        };
        fields.insert(name, words);
    }
    Some(fields.into_iter().map(|(name, words)| (name.clone(), words)).collect())
}

/// The same of Arrow types, of which several can be one in words.
pub(crate) fn joined_arrow(one: &DataType, other: &DataType, typing: Typing) -> Option<DataType> {
    if one == other {
        return Some(one.clone());
    }
    if typing == Typing::Declared {
        return None;
    }
    to_arrow(&joined(&of_arrow(one), &of_arrow(other), typing)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &str, other: &str, typing: Typing, expected: Option<&str>) {
        let (one, other) = (LogicalType::from(one), LogicalType::from(other));
        let expected = expected.map(LogicalType::from);
        assert_eq!(joined(&one, &other, typing).as_ref(), expected.as_ref());
        assert_eq!(joined(&other, &one, typing).as_ref(), expected.as_ref());
        let arrow = |words: &LogicalType| to_arrow(words).expect("the type of a text");
        // Arrow has none for values of several kinds.
        let expected = expected.and_then(|expected| to_arrow(&expected));
        assert_eq!(joined_arrow(&arrow(&one), &arrow(&other), typing), expected);
    }

    #[test]
    fn types_widen_as_within_one_file() {
        for typing in [Typing::Values, Typing::Cells] {
            check("int64", "int64", typing, Some("int64"));
            check("null", "date", typing, Some("date"));
            check("int64", "float64", typing, Some("float64"));
            check("int64", "uint64", typing, Some("uint64"));
            check("date", "timestamp[us]", typing, Some("timestamp[us]"));
        }
        for (one, other) in [("int64", "boolean"), ("date", "timestamp[us, UTC]"), ("float64", "text")] {
            check(one, other, Typing::Cells, Some("text"));
            check(one, other, Typing::Values, Some("mixed"));
        }
        check("uint64", "float64", Typing::Cells, Some("text"));
        check("uint64", "float64", Typing::Values, Some("float64"));
        // No text shows these in its cells, but a profile may come from anywhere.
        check("struct<a: int64>", "struct<b: int64>", Typing::Cells, Some("text"));
        check("list<int64>", "list<float64>", Typing::Cells, Some("text"));
        let (one, other) = ("list<struct<a: int64, b: null>>", "list<struct<a: float64, b: text>>");
        check(one, other, Typing::Values, Some(other));
        let more = "list<struct<a: float64, b: null, c: text>>";
        check(one, "list<struct<a: float64, c: text>>", Typing::Values, Some(more));
        check(one, "list<struct<a: text>>", Typing::Values, Some("list<struct<a: mixed, b: null>>"));
    }

    #[test]
    fn declared_types_do_not_widen() {
        check("int64", "int64", Typing::Declared, Some("int64"));
        check("int64", "float64", Typing::Declared, None);
        check("null", "int64", Typing::Declared, None);
        assert_eq!(joined_arrow(&DataType::Utf8, &DataType::LargeUtf8, Typing::Declared), None);
    }
}
