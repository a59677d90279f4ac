//! Parquet. Schema, rows and mostly nulls stand in the footer; pages are read for the nulls that do not.

use std::fs::File;

use runtime_testing_models::Column;

use crate::arrow_table::ArrowTable;
#[cfg(feature = "parquet")]
use crate::arrow_table::settle_nulls;
use crate::findings::{Stop, finding};
use crate::options::ProfileOptions;

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
    Ok(ArrowTable { schema, rows, nulls, largest_batch: 0 })
}

#[cfg(not(feature = "parquet"))]
pub(crate) fn read(_file: &File) -> Result<ArrowTable, Stop> {
    Err(Stop::Bad(finding("this build cannot read Parquet: enable the feature `parquet`")))
}

/// Counts the nulls of columns of which the footer does not tell them, by reading as little of each as shows them.
#[cfg(feature = "parquet")]
pub(crate) fn count_nulls(file: File, columns: &mut [Column], options: &ProfileOptions) {
    settle_nulls(columns, |places| nulls::read(file, places, options));
}

#[cfg(not(feature = "parquet"))]
pub(crate) fn count_nulls(_file: File, _columns: &mut [Column], _options: &ProfileOptions) {}

#[cfg(feature = "parquet")]
mod nulls {
    use std::fs::File;

    use arrow::datatypes::{DataType, Schema};
    use arrow::error::ArrowError;
    use parquet::arrow::ProjectionMask;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::basic::Repetition;
    use parquet::file::metadata::ParquetMetaData;

    use crate::arrow_table::sum_nulls;
    use crate::options::ProfileOptions;

    /// How many rows are decoded at once. A row of lists may be long.
    const BATCH_ROWS: usize = 1024;

    /// The nulls of the columns at these places, which are in order; none where it was canceled.
    pub(super) fn read(
        file: File,
        places: &[usize],
        options: &ProfileOptions,
    ) -> Result<Option<Vec<u64>>, ArrowError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
        let leaves: Vec<usize> =
            places.iter().flat_map(|place| leaves_of(builder.metadata(), builder.schema(), *place)).collect();
        let mask = ProjectionMask::leaves(builder.parquet_schema(), leaves);
        let batches = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()?;
        sum_nulls(batches, places.len(), options)
    }

    /// The leaves of a column that have to be read to see its nulls: any one of them, and so the smallest. A map cannot be
    /// read in part.
    fn leaves_of(metadata: &ParquetMetaData, schema: &Schema, place: usize) -> Vec<usize> {
        let parquet_schema = metadata.file_metadata().schema_descr();
        let is_own = |leaf: &usize| parquet_schema.get_column_root_idx(*leaf) == place;
        let own: Vec<usize> = (0..parquet_schema.num_columns()).filter(is_own).collect();
        if has_map(schema.field(place).data_type()) {
            return own;
        }
        let bytes = |leaf: &usize| -> i64 {
            let groups = metadata.row_groups().iter();
            groups.map(|group| group.column(*leaf).compressed_size()).sum()
        };
        own.into_iter().min_by_key(bytes).into_iter().collect()
    }

    fn has_map(data_type: &DataType) -> bool {
        match data_type {
            DataType::Map(..) => true,
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                has_map(item.data_type())
            }
            DataType::Struct(fields) => fields.iter().any(|field| has_map(field.data_type())),
            _ => false,
        }
    }

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
