//! Parquet. Schema, rows and nulls stand in the footer, so no page is read or decompressed.

use std::fs::File;

use crate::arrow_table::ArrowTable;
use crate::findings::{Stop, finding};

/// Reads the footer of a Parquet file.
#[cfg(feature = "parquet")]
pub(crate) fn read(file: &File) -> Result<ArrowTable, Stop> {
    use parquet::arrow::parquet_to_arrow_schema;
    use parquet::errors::ParquetError;
    use parquet::file::metadata::ParquetMetaDataReader;

    let damaged = |error: ParquetError| {
        // The library's own words change from version to version, so they go to the log and not into the finding.
        tracing::debug!(%error, "a Parquet file is damaged");
        Stop::Bad(finding("the Parquet file is cut off or damaged: its footer cannot be read"))
    };
    let metadata = ParquetMetaDataReader::new().parse_and_finish(file).map_err(damaged)?;
    let about = metadata.file_metadata();
    let schema =
        parquet_to_arrow_schema(about.schema_descr(), about.key_value_metadata()).map_err(damaged)?;
    let rows = u64::try_from(about.num_rows())
        .map_err(|_| Stop::Bad(finding("the Parquet file is damaged: it has a negative number of rows")))?;
    let nulls = nulls::of_columns(&metadata, &schema, rows);
    Ok(ArrowTable { schema, rows, nulls })
}

#[cfg(not(feature = "parquet"))]
pub(crate) fn read(_file: &File) -> Result<ArrowTable, Stop> {
    Err(Stop::Bad(finding("this build cannot read Parquet: enable the feature `parquet`")))
}

#[cfg(feature = "parquet")]
mod nulls {
    use arrow::datatypes::{DataType, Schema};
    use parquet::basic::Repetition;
    use parquet::file::metadata::ParquetMetaData;

    /// The nulls of each column: what its type or the number of rows leaves no choice about, or what the statistics say,
    /// if every row group has them and they are not more than there are rows. What is nested has statistics of its leaves
    /// only.
    pub(super) fn of_columns(metadata: &ParquetMetaData, schema: &Schema, rows: u64) -> Vec<Option<u64>> {
        let parquet_schema = metadata.file_metadata().schema_descr();
        let mut nulls: Vec<Option<u64>> = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            nulls.push(match field.data_type() {
                DataType::Null => Some(rows),
                _ if rows == 0 || !field.is_nullable() => Some(0),
                _ => None,
            });
        }
        for leaf in 0..parquet_schema.num_columns() {
            let root = parquet_schema.get_column_root(leaf);
            let info = root.get_basic_info();
            let is_plain =
                root.is_primitive() && info.has_repetition() && info.repetition() == Repetition::OPTIONAL;
            let place = parquet_schema.get_column_root_idx(leaf);
            if let Some(column @ None) = nulls.get_mut(place).filter(|_| is_plain) {
                *column = metadata
                    .row_groups()
                    .iter()
                    .map(|group| group.columns().get(leaf)?.statistics()?.null_count_opt())
                    .try_fold(0_u64, |sum, nulls| sum.checked_add(nulls?))
                    .filter(|nulls| *nulls <= rows);
            }
        }
        nulls
    }
}
