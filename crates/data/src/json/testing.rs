//! Contents as tests write them.

use crate::content::Content;

/// The rows, and the columns with `?` where they hold nulls; then the findings.
pub(super) fn shown(content: &Content) -> (String, Vec<String>) {
    let findings = content.findings.iter().map(ToString::to_string).collect();
    let Some(schema) = &content.schema else { return ("no table".to_owned(), findings) };
    let columns: Vec<String> = schema
        .columns
        .iter()
        .map(|column| {
            let mark = if column.nullable { "?" } else { "" };
            format!("{}: {}{mark}", column.name, column.data_type)
        })
        .collect();
    (format!("{} rows; {}", schema.rows, columns.join(", ")), findings)
}
