//! What reading a file yields.

use arrow::datatypes::Schema;
use runtime_testing_models::{DataFinding, TableSchema};

/// What a file's content yields.
#[derive(Debug, PartialEq)]
pub(crate) struct Content {
    pub(crate) schema: Option<TableSchema>,
    pub(crate) findings: Vec<DataFinding>,
    /// The schema that the file declares, for formats that do.
    pub(crate) declared: Option<Schema>,
    /// What stands between the cells, where it is not what the format is named for.
    pub(crate) delimiter: Option<char>,
    /// Whether a table in text begins with a byte order mark.
    pub(crate) byte_order_mark: bool,
    /// Whether it is one value of JSON on one line.
    pub(crate) is_one_line: bool,
}

impl Content {
    /// What a text yields, which declares nothing.
    pub(crate) fn of_text(schema: Option<TableSchema>, findings: Vec<DataFinding>) -> Self {
        Self { schema, findings, declared: None, delimiter: None, byte_order_mark: false, is_one_line: false }
    }

    pub(crate) fn of_finding(finding: DataFinding) -> Self {
        Self::of_text(None, vec![finding])
    }
}
