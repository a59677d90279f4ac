//! What the rules for contracts and for samples have in common.

use std::collections::HashSet;

use camino::Utf8Path;
use runtime_testing_models::{Column, Difference, FileFormat};

use super::Differences;
use crate::tables::{Table, TableColumn};
use runtime_testing_models::LogicalType;

/// Adds how the type of a column differs, as `judge` tells of a type, which is the one of the column of a file where that is told
/// with it. It is that of the whole table. Where that breaks because of a part, the first such part is told.
pub(super) fn add_types(
    table: &Table<'_>,
    column: &TableColumn<'_>,
    judge: impl Fn(&LogicalType, Option<&Column>) -> Vec<Difference>,
    list: &mut Differences,
) {
    let path = |file: usize| -> &Utf8Path { &table.files[file].0.path };
    let (first, own) = column.own[0];
    let types = column.own_types();
    let known = Some(own).filter(|_| types.len() == 1);
    let of_own = |own: &Column| judge(&own.data_type, Some(own));
    let Some(whole) = column.whole.as_ref().map(|whole| judge(whole, known)) else {
        types.into_iter().for_each(|(file, own)| list.add(path(file), of_own(own)));
        return;
    };
    if types.len() == 1 || !whole.iter().any(Difference::is_breaking) {
        list.add(path(first), whole);
        return;
    }
    let shown = types.into_iter().filter(|(_, own)| own.data_type != LogicalType::Null);
    let by_file: Vec<(usize, Vec<Difference>)> = shown.map(|(file, own)| (file, of_own(own))).collect();
    for difference in whole {
        let is_same = |own: &&Difference| {
            own.as_str() == difference.as_str() && own.column() == difference.column() && own.is_breaking()
        };
        let of_file = by_file.iter().find_map(|(file, own)| Some((*file, own.iter().find(is_same)?)));
        match of_file {
            Some((file, own)) => list.add(path(file), [own.clone()]),
            // It is a note, or each by itself would do.
            None => list.add(path(first), [difference]),
        }
    }
}

/// The first file of a table that may hold nulls in a column, or lacks it.
pub(super) fn nullable_file<'a>(table: &Table<'a>, column: &TableColumn<'_>) -> &'a Utf8Path {
    let mut own = column.own.iter().peekable();
    for (place, (file, schema)) in table.files.iter().enumerate() {
        let here = own.next_if(|(at, _)| *at == place);
        if schema.rows > 0
            && here.is_none_or(|(_, column)| column.nulls.map_or(column.nullable, |nulls| nulls > 0))
        {
            return &file.path;
        }
    }
    &table.first().path
}

/// Whether the columns of a format have an order.
fn has_order(format: FileFormat) -> bool {
    !matches!(format, FileFormat::Json | FileFormat::JsonObject | FileFormat::Ndjson)
}

/// Adds that the columns that are expected and there come in another order, in the first file in which they do. `place_of` tells the
/// place of a column among those that are expected, which is probably its own.
pub(super) fn add_column_order<'e>(
    expected: impl Iterator<Item = &'e str>,
    place_of: impl Fn(usize, &str) -> Option<usize>,
    table: &Table<'_>,
    list: &mut Differences,
) {
    if !has_order(table.first().format) {
        return;
    }
    for (file, schema) in &table.files {
        let names = || schema.columns.iter().map(|column| column.name.as_str()).enumerate();
        if !names().filter_map(|(place, name)| place_of(place, name)).is_sorted() {
            let found: Vec<&str> = names()
                .filter(|(place, name)| place_of(*place, name).is_some())
                .map(|(_, name)| name)
                .collect();
            let there: HashSet<&str> = found.iter().copied().collect();
            let expected = expected.filter(|name| there.contains(name)).map(str::to_owned).collect();
            let found = found.into_iter().map(str::to_owned).collect();
            list.add(&file.path, [Difference::ColumnOrder { expected, found }]);
            return;
        }
    }
}

/// A column has another type than it should. The row is told where it is known that it decided.
pub(super) fn type_changed(
    name: &str,
    expected: impl Into<String>,
    found: &LogicalType,
    own: Option<&Column>,
) -> Difference {
    let (row, value) = deciding(own);
    Difference::TypeChanged {
        column: name.to_owned(),
        expected: expected.into(),
        found: found.to_string(),
        row,
        value,
    }
}

/// The row that made a column's type what it is, and what stands in it, where that is known.
pub(super) fn deciding(column: Option<&Column>) -> (Option<u64>, Option<String>) {
    column.map(|column| (column.deciding_row, column.deciding_value.clone())).unwrap_or_default()
}

/// A column has a type that promotes to the one it should have.
pub(super) fn promoted(name: &str, expected: impl Into<String>, found: &LogicalType) -> Difference {
    Difference::Promoted { column: name.to_owned(), expected: expected.into(), found: found.to_string() }
}

/// A column, or a key that may be data, is not there.
pub(super) fn missing_column(
    column: String,
    expected: &LogicalType,
    renamed: Option<String>,
    is_data: bool,
) -> Difference {
    let expected = expected.to_string();
    match is_data {
        true => Difference::MissingKey { key: column, expected, renamed },
        false => Difference::MissingColumn { column, expected, renamed },
    }
}

/// Adds columns that are not expected and may be there, each told of the first file that has it.
pub(super) fn extra_column(found: &TableColumn<'_>) -> Difference {
    Difference::ExtraColumn { column: found.name.to_owned(), found: found.shown().to_string() }
}

/// The first file that has a column.
pub(super) fn file_of<'a>(table: &Table<'a>, column: &TableColumn<'_>) -> &'a Utf8Path {
    &table.files[column.own[0].0].0.path
}
