//! Profiles as tests write them.

use runtime_testing_models::{Column, DataProfile, FileFormat, FileProfile, TableSchema};

use super::{Expected, compare};
use crate::kind::name::broken_promise;

pub(crate) fn file(path: &str, format: FileFormat, schema: Option<TableSchema>) -> FileProfile {
    FileProfile {
        path: path.into(),
        format,
        compression: None,
        promised: broken_promise(path.into(), format.into()),
        delimiter: None,
        byte_order_mark: false,
        one_line: false,
        partition_columns: Vec::new(),
        bytes: 100,
        schema,
        findings: Vec::new(),
    }
}

/// Columns of names and types. They hold no nulls, unless the type ends with `?`: then they hold one.
pub(crate) fn columns(columns: &[(&str, &str)], rows: u64) -> TableSchema {
    let column = |(name, data_type): &(&str, &str)| {
        let nulls = u64::from(data_type.ends_with('?'));
        Column {
            nullable: nulls > 0,
            nulls: Some(nulls),
            ..Column::new(*name, data_type.trim_end_matches('?'))
        }
    };
    TableSchema { columns: columns.iter().map(column).collect(), rows }
}

/// A file of columns, its format as its extension says.
pub(crate) fn table(path: &str, of_columns: &[(&str, &str)], rows: u64) -> FileProfile {
    file(path, crate::format_of_extension(path.as_ref()), Some(columns(of_columns, rows)))
}

pub(crate) fn folder(files: &[FileProfile]) -> DataProfile {
    DataProfile { is_folder: true, files: files.to_vec() }
}

pub(crate) fn single(file: FileProfile) -> DataProfile {
    DataProfile { is_folder: false, files: vec![file] }
}

/// Compares, and checks each difference as `file: difference`, with `!` before those that break.
#[track_caller]
pub(super) fn check(expected: &Expected<'_>, found: &DataProfile, differences: &[&str]) {
    let told: Vec<String> = compare(expected, found)
        .iter()
        .map(|told| {
            let mark = if told.difference.is_breaking() { "! " } else { "" };
            format!("{mark}{}: {}", told.file, told.difference)
        })
        .collect();
    assert_eq!(told, differences);
}
