use std::io;

use arrow::array::Array as _;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use runtime_testing_models::{Column, DataFinding, TableSchema};

use crate::columnar::panic::caught;
use crate::content::Content;
use crate::findings::{Stop, damaged, duplicate_names, unreadable};
use crate::options::ProfileOptions;
use crate::types::arrow_type::of_arrow;

/// What the metadata of a file says that has an Arrow schema.
#[derive(Debug)]
pub(crate) struct ArrowTable {
    pub(crate) schema: Schema,
    pub(crate) rows: u64,
    /// The nulls of each column, where they are known.
    pub(crate) nulls: Vec<Option<u64>>,
    /// The most bytes that a decoder of Arrow IPC holds at once, if that was looked at.
    pub(crate) largest_batch: u64,
}

impl ArrowTable {
    /// What the attempt to read a table yields.
    pub(crate) fn content(read: impl FnOnce() -> Result<Self, Stop>) -> io::Result<Content> {
        match caught(read) {
            Some(Ok(table)) => Ok(table.into_content()),
            Some(Err(stop)) => Ok(Content::of_finding(stop.into_finding()?)),
            None => Ok(Content::of_finding(damaged("what it says of its tables is damaged"))),
        }
    }

    fn into_content(self) -> Content {
        let fields = self.schema.fields().iter();
        let columns = fields.zip(self.nulls).map(|(field, nulls)| Column {
            nullable: field.is_nullable(),
            nulls,
            ..Column::new(field.name(), of_arrow(field.data_type()).to_string())
        });
        let columns: Vec<Column> = columns.collect();
        let findings = duplicate_names(columns.iter().map(|column| column.name.as_str()), unreadable);
        let schema = Some(TableSchema { columns, rows: self.rows });
        Content { declared: Some(self.schema), ..Content::of_text(schema, findings) }
    }
}

/// Counts the nulls of the columns where they are not known, by reading those at their places. They stay unknown where that
/// fails, and where it is given up. What a decoder panics over is damaged.
pub(crate) fn settle_nulls(
    columns: &mut [Column],
    read: impl FnOnce(&[usize]) -> Result<Option<Vec<u64>>, ArrowError>,
) -> Option<DataFinding> {
    let unknown: Vec<usize> = (0..columns.len()).filter(|place| columns[*place].nulls.is_none()).collect();
    if unknown.is_empty() {
        return None;
    }
    match caught(|| read(&unknown)) {
        None => return Some(damaged("its rows are damaged")),
        Some(Ok(Some(nulls))) => {
            for (place, nulls) in unknown.into_iter().zip(nulls) {
                columns[place].nulls = Some(nulls);
            }
        }
        Some(Ok(None)) => {}
        Some(Err(error)) => tracing::debug!(%error, "nulls cannot be counted"),
    }
    None
}

/// The nulls of each of so many columns over all batches; none where it was canceled.
pub(crate) fn sum_nulls(
    batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>,
    columns: usize,
    options: &ProfileOptions,
) -> Result<Option<Vec<u64>>, ArrowError> {
    let mut nulls = vec![0; columns];
    for batch in batches {
        let batch = batch?;
        // Of a column that has nothing to read, such as a struct without fields in Parquet, there is nothing to count.
        if options.is_canceled() || batch.num_columns() != columns {
            return Ok(None);
        }
        for (nulls, column) in nulls.iter_mut().zip(batch.columns()) {
            *nulls += column.logical_null_count() as u64;
        }
    }
    Ok(Some(nulls))
}

/// A batch with another schema of the same columns, which may differ in its metadata and in what may be null.
pub(crate) fn with_schema(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if batch.schema_ref() == schema {
        return Ok(batch);
    }
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let (found, columns, _) = batch.into_parts();
    for (place, (found, expected)) in found.fields().iter().zip(schema.fields()).enumerate() {
        if found.name() != expected.name() {
            let message =
                format!("column {} is `{}` where `{}` is expected", place + 1, found.name(), expected.name());
            return Err(ArrowError::SchemaError(message));
        }
    }
    RecordBatch::try_new_with_options(SchemaRef::clone(schema), columns, &rows)
}
