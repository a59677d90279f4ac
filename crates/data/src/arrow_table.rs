use std::collections::HashSet;

use arrow::datatypes::Schema;
use runtime_testing_models::{Column, DataFinding, TableSchema};

use crate::findings::{Findings, finding};
use crate::profile::Content;
use crate::type_words::TypeWords;

/// What the metadata of a file says that has an Arrow schema.
#[derive(Debug)]
pub(crate) struct ArrowTable {
    pub(crate) schema: Schema,
    pub(crate) rows: u64,
    /// The nulls of each column, where they are known.
    pub(crate) nulls: Vec<Option<u64>>,
}

impl ArrowTable {
    pub(crate) fn into_content(self) -> Content {
        let fields = self.schema.fields().iter();
        let columns = fields.zip(self.nulls).map(|(field, nulls)| Column {
            nullable: field.is_nullable(),
            nulls,
            ..Column::new(field.name(), TypeWords::of_arrow(field.data_type()).to_string())
        });
        let columns: Vec<Column> = columns.collect();
        let findings = duplicate_names(columns.iter().map(|column| column.name.as_str()), finding);
        let schema = Some(TableSchema { columns, rows: self.rows });
        Content { schema, findings, declared: Some(self.schema) }
    }
}

/// A finding for each name that more than one column has.
pub(crate) fn duplicate_names<'a>(
    names: impl Iterator<Item = &'a str>,
    finding: impl Fn(String) -> DataFinding,
) -> Vec<DataFinding> {
    let mut seen = HashSet::new();
    let mut told = HashSet::new();
    let mut findings = Findings::default();
    for name in names {
        if !seen.insert(name) && told.insert(name) {
            findings.push(|| finding(format!("duplicate column name `{name}`")));
        }
    }
    findings.into_list("duplicate column names")
}
