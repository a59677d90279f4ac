//! Parquet. Schema, rows and mostly nulls stand in the footer; pages are read for the nulls that do not.

use std::fs::File;
#[cfg(feature = "parquet")]
use std::io::{self, Read as _, Seek as _, SeekFrom};

#[cfg(feature = "parquet")]
use parquet::file::metadata::ParquetMetaData;
use runtime_testing_models::{Column, DataFinding};

use crate::columnar::table::ArrowTable;
#[cfg(feature = "parquet")]
use crate::columnar::table::settle_nulls;
#[cfg(feature = "parquet")]
use crate::findings::damaged;
use crate::findings::{Stop, unreadable};
use crate::options::ProfileOptions;

/// The length of the footer and the mark at the end of a file.
#[cfg(feature = "parquet")]
const FOOTER_END: i64 = 8;

/// Reads the footer of a Parquet file.
#[cfg(feature = "parquet")]
pub(crate) fn read(file: &File) -> Result<ArrowTable, Stop> {
    use parquet::arrow::parquet_to_arrow_schema;
    use parquet::errors::ParquetError;
    use parquet::file::metadata::ParquetMetaDataReader;

    // The library's own words change from version to version, so they go to the log and not into the finding.
    let footer = |error: ParquetError| {
        tracing::debug!(%error, "a Parquet file is damaged");
        Stop::Bad(match error {
            ParquetError::NYI(_) => unreadable("the Parquet file has something that is not supported"),
            _ => damaged("the Parquet file is cut off or damaged: its footer cannot be read"),
        })
    };
    let types = |error: ParquetError| {
        tracing::debug!(%error, "the schema of a Parquet file is not known");
        Stop::Bad(unreadable(
            "the schema of the Parquet file is damaged, or has a type that is not supported",
        ))
    };
    let metadata = ParquetMetaDataReader::new().parse_and_finish(file).map_err(footer)?;
    let about = metadata.file_metadata();
    let schema = parquet_to_arrow_schema(about.schema_descr(), about.key_value_metadata()).map_err(types)?;
    let rows = u64::try_from(about.num_rows())
        .map_err(|_| Stop::Bad(damaged("the Parquet file is damaged: it has a negative number of rows")))?;
    if misses_bytes(&metadata, footer_start(file)?) {
        return Err(Stop::Bad(damaged(
            "the Parquet file is damaged: it lacks bytes that its footer tells of",
        )));
    }
    let nulls = nulls::of_columns(&metadata, &schema, rows);
    Ok(ArrowTable { schema, rows, nulls, largest_batch: 0 })
}

/// Where the footer of a file begins that has one.
#[cfg(feature = "parquet")]
fn footer_start(mut file: &File) -> io::Result<u64> {
    let end = file.seek(SeekFrom::End(-FOOTER_END))?;
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    Ok(end.saturating_sub(u32::from_le_bytes(length).into()))
}

/// Whether the footer tells of columns that lie beyond what is in front of it. Those in other files are not its own.
#[cfg(feature = "parquet")]
fn misses_bytes(metadata: &ParquetMetaData, bytes: u64) -> bool {
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    let mut own = columns.filter(|column| column.file_path().is_none_or(str::is_empty));
    own.any(|column| {
        let data = column.data_page_offset();
        let start = column.dictionary_page_offset().map_or(data, |dictionary| dictionary.min(data));
        let end = start.checked_add(column.compressed_size()).and_then(|end| u64::try_from(end).ok());
        end.is_none_or(|end| end > bytes)
    })
}

/// An error where a column is packed so tightly that it was made to take all memory.
#[cfg(feature = "parquet")]
pub(crate) fn refuse_bombs(metadata: &ParquetMetaData) -> Result<(), arrow::error::ArrowError> {
    let is_bomb = |packed: i64, unpacked: i64| {
        let (packed, unpacked) =
            (u64::try_from(packed).unwrap_or(0), u64::try_from(unpacked).unwrap_or(u64::MAX));
        unpacked > crate::limits::most_unpacked(packed)
    };
    let mut columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    match columns.find(|column| is_bomb(column.compressed_size(), column.uncompressed_size())) {
        Some(column) => {
            let (name, bytes) = (column.column_path().string(), column.uncompressed_size());
            let message = format!("column `{name}` is {bytes} bytes in a row group of few");
            Err(arrow::error::ArrowError::MemoryError(message))
        }
        None => Ok(()),
    }
}

#[cfg(not(feature = "parquet"))]
pub(crate) fn read(_file: &File) -> Result<ArrowTable, Stop> {
    Err(Stop::Bad(unreadable("this build cannot read Parquet: enable the feature `parquet`")))
}

/// Counts the nulls of columns of which the footer does not tell them, by reading as little of each as shows them.
#[cfg(feature = "parquet")]
pub(crate) fn count_nulls(
    file: File,
    columns: &mut [Column],
    options: &ProfileOptions,
) -> Option<DataFinding> {
    settle_nulls(columns, |places| nulls::read(file, places, options))
}

#[cfg(not(feature = "parquet"))]
pub(crate) fn count_nulls(
    _file: File,
    _columns: &mut [Column],
    _options: &ProfileOptions,
) -> Option<DataFinding> {
    None
}

#[cfg(feature = "parquet")]
mod nulls {
    use std::fs::File;

    use arrow::datatypes::{DataType, Schema};
    use arrow::error::ArrowError;
    use parquet::arrow::ProjectionMask;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::basic::Repetition;
    use parquet::file::metadata::ParquetMetaData;

    use crate::columnar::table::sum_nulls;
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
        super::refuse_bombs(builder.metadata())?;
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
