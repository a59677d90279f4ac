//! What the rules for contracts and for samples have in common.

use std::cell::OnceCell;
use std::collections::HashMap;

use runtime_testing_models::{Column, Difference, FileFormat, TableSchema};

use super::parts::PartColumn;
use crate::types::fit::Fit;
use crate::types::logical::TypeWords;

/// A table that was found, or a part of one, with its columns by name.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) schema: &'a TableSchema,
    /// The same columns as all parts show them, if there are several.
    parts: Option<&'a [PartColumn]>,
    /// The places of the columns. Made when the first one is not where it is expected.
    by_name: OnceCell<HashMap<&'a str, usize>>,
}

/// A column of a table that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundColumn<'a> {
    /// As the file shows it.
    pub(super) own: &'a Column,
    /// As all parts of the table show it, if there are several.
    part: Option<&'a PartColumn>,
}

impl<'a> FoundColumn<'a> {
    /// As all rows of the table show it.
    pub(super) fn settled(self) -> &'a Column {
        self.part.map_or(self.own, |part| &part.settled)
    }

    /// The types that the parts of the table show by themselves, if there are several.
    pub(super) fn types(self) -> &'a [String] {
        self.part.map_or(&[], |part| &part.types)
    }

    /// How well the type of the column fits. It is that of the whole table. Where that does not fit because of other
    /// parts, it is told of those.
    pub(super) fn fit(self, fit: impl Fn(&str) -> Fit) -> (Fit, &'a Column) {
        let settled = self.settled();
        let whole = fit(&settled.data_type);
        if whole != Fit::Changed || self.part.is_none() {
            return (whole, settled);
        }
        if self.types().iter().any(|data_type| fit(data_type) == Fit::Changed) {
            (fit(&self.own.data_type), self.own)
        } else {
            // Each by itself would do.
            (whole, settled)
        }
    }
}

impl<'a> Found<'a> {
    pub(super) fn new(schema: &'a TableSchema, parts: Option<&'a [PartColumn]>) -> Self {
        Self { schema, parts, by_name: OnceCell::new() }
    }

    pub(super) fn column(&self, name: &str) -> Option<FoundColumn<'a>> {
        let names = self.schema.columns.iter().map(|column| column.name.as_str());
        let places = || names.zip(0..).collect();
        Some(self.column_at(*self.by_name.get_or_init(places).get(name)?))
    }

    fn column_at(&self, place: usize) -> FoundColumn<'a> {
        FoundColumn { own: &self.schema.columns[place], part: self.parts.map(|parts| &parts[place]) }
    }

    /// The column of this name, which is probably the one at this place.
    pub(super) fn column_near(&self, name: &str, place: usize) -> Option<FoundColumn<'a>> {
        match self.schema.columns.get(place) {
            Some(own) if own.name == name => Some(self.column_at(place)),
            _ => self.column(name),
        }
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
    !matches!(format, FileFormat::Json | FileFormat::JsonObject | FileFormat::Ndjson)
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
    let (row, value) = deciding(found);
    Difference::TypeChanged {
        column: found.name.clone(),
        expected: expected.into(),
        found: found.data_type.clone(),
        row,
        value,
    }
}

/// The row that made a column's type what it is, and what stands in it: the first with a value, where no other did.
pub(super) fn deciding(column: &Column) -> (Option<u64>, Option<String>) {
    match column.deciding_row {
        Some(row) => (Some(row), column.deciding_value.clone()),
        None => column.first_value.clone().unzip(),
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
