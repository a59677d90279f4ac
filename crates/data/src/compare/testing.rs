//! Profiles as tests write them.

use runtime_testing_models::{Column, FileFormat, FileProfile, TableSchema};

pub(super) fn file(path: &str, format: FileFormat, schema: Option<TableSchema>) -> FileProfile {
    FileProfile { path: path.into(), format, bytes: 100, schema, findings: Vec::new() }
}

/// Columns of names and types. They hold no nulls, unless the type ends with `?`: then they hold one.
pub(super) fn columns(columns: &[(&str, &str)], rows: u64) -> TableSchema {
    let column = |(name, data_type): &(&str, &str)| {
        let nulls = u64::from(data_type.ends_with('?'));
        Column { nullable: nulls > 0, nulls: Some(nulls), ..Column::new(*name, data_type.trim_end_matches('?')) }
    };
    TableSchema { columns: columns.iter().map(column).collect(), rows }
}
