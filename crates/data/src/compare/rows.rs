//! Rules about rows. Tables of one folder with the same columns are parts of one table, of which some may be empty.

use std::collections::HashMap;

use runtime_testing_models::{Difference, TableSchema};

use super::Differences;
use super::file::Table;

/// Each table needs as many rows, over all of its parts, as a contract asks for; one, where nothing is asked for.
pub(super) fn at_least(min_rows: Option<u64>, tables: &[Table<'_>], list: &mut Differences) {
    for (first, rows) in parts_of_one(tables) {
        let difference = match min_rows {
            None if rows == 0 => Difference::NoRows,
            Some(expected) if rows < expected => Difference::TooFewRows { expected, found: rows },
            _ => continue,
        };
        list.add(&first.0.path, [difference]);
    }
}

/// The first part of each table, and the rows of all its parts. What has neither columns nor rows, such as an empty
/// JSON array, can be a part of any table.
fn parts_of_one<'a>(tables: &[Table<'a>]) -> Vec<(Table<'a>, u64)> {
    let mut groups: Vec<(Table<'a>, u64)> = Vec::new();
    let mut places: HashMap<Vec<&str>, usize> = HashMap::new();
    for table in tables.iter().filter(|(_, schema)| !is_blank(schema)) {
        let place = *places.entry(column_names(table.1)).or_insert_with(|| {
            groups.push((*table, 0));
            groups.len() - 1
        });
        groups[place].1 = groups[place].1.saturating_add(table.1.rows);
    }
    if groups.is_empty() {
        groups.extend(tables.first().map(|table| (*table, 0)));
    }
    groups
}

/// The names of the columns, in an order of their own.
pub(super) fn column_names(schema: &TableSchema) -> Vec<&str> {
    let mut names: Vec<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
    names.sort_unstable();
    names
}

/// Whether a table shows nothing at all of what it should be: neither columns nor rows.
pub(crate) fn is_blank(schema: &TableSchema) -> bool {
    schema.columns.is_empty() && schema.rows == 0
}
