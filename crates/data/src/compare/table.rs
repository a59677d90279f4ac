//! What the rules for contracts and for samples have in common.

use std::cell::OnceCell;
use std::collections::HashMap;

use runtime_testing_models::{Column, Difference, FileFormat, TableSchema};

use crate::type_words::TypeWords;

/// A table that was found, with its columns by name.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) schema: &'a TableSchema,
    /// Made when the first column is not where it is expected.
    by_name: OnceCell<HashMap<&'a str, &'a Column>>,
}

impl<'a> Found<'a> {
    pub(super) fn new(schema: &'a TableSchema) -> Self {
        Self { schema, by_name: OnceCell::new() }
    }

    pub(super) fn column(&self, name: &str) -> Option<&'a Column> {
        let columns = || self.schema.columns.iter().map(|column| (column.name.as_str(), column)).collect();
        self.by_name.get_or_init(columns).get(name).copied()
    }

    /// The column of this name, which is probably the one at this place.
    pub(super) fn column_near(&self, name: &str, place: usize) -> Option<&'a Column> {
        let there = self.schema.columns.get(place).filter(|column| column.name == name);
        there.or_else(|| self.column(name))
    }

    /// Whether nothing is known of a column's type because there are no rows to tell it.
    pub(super) fn has_no_type(&self, column: &Column) -> bool {
        self.schema.rows == 0 && is_null(column)
    }
}

/// Whether a column shows nothing but nulls.
pub(super) fn is_null(column: &Column) -> bool {
    column.data_type == "null"
}

pub(super) fn words(column: &Column) -> TypeWords {
    TypeWords::parse(&column.data_type)
}

/// Whether the columns of a format have an order.
pub(super) fn has_order(format: FileFormat) -> bool {
    !matches!(format, FileFormat::Json | FileFormat::Ndjson)
}

/// The columns that are expected and there come in another order.
pub(super) fn column_order(expected: &[&str], found: &Found<'_>) -> Option<Difference> {
    if found.schema.columns.iter().map(|column| column.name.as_str()).eq(expected.iter().copied()) {
        return None;
    }
    let expected: Vec<&str> = expected.iter().copied().filter(|name| found.column(name).is_some()).collect();
    let places: HashMap<&str, usize> =
        expected.iter().enumerate().map(|(place, name)| (*name, place)).collect();
    let names = found.schema.columns.iter().map(|column| column.name.as_str());
    let found: Vec<&str> = names.filter(|name| places.contains_key(name)).collect();
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    (expected != found).then(|| Difference::ColumnOrder { expected: owned(expected), found: owned(found) })
}

/// A column has another type than it should.
pub(super) fn type_changed(found: &Column, expected: impl Into<String>) -> Difference {
    Difference::TypeChanged {
        column: found.name.clone(),
        expected: expected.into(),
        found: found.data_type.clone(),
        row: found.deciding_row,
        value: found.deciding_value.clone(),
    }
}

/// A column has a type that promotes to the one it should have.
pub(super) fn promoted(found: &Column, expected: impl Into<String>) -> Difference {
    Difference::Promoted {
        column: found.name.clone(),
        expected: expected.into(),
        found: found.data_type.clone(),
    }
}

/// A column that is not expected and may be there.
pub(super) fn extra_column(found: &Column) -> Difference {
    Difference::ExtraColumn { column: found.name.clone(), found: found.data_type.clone() }
}
