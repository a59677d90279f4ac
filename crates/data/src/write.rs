mod replacement;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use arrow::json::writer::{JsonArray, LineDelimited, WriterBuilder};
use arrow::record_batch::{RecordBatch, RecordBatchWriter};
use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{Compression, FileFormat, FileKind};

use self::replacement::Replacement;
use crate::columnar::table::with_schema;
use crate::kind::name::{is_text, kind_of_name};
use crate::text::compression;
use crate::text::compression::Sink;
use crate::types::arrow_type::of_arrow;
use runtime_testing_models::LogicalType;

/// The most bytes of a row group of Parquet, about.
#[cfg(feature = "parquet")]
const ROW_GROUP_BYTES: usize = 128 * 1024 * 1024;

/// Why data could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteTableError {
    /// The extension names no format of tables.
    #[error(
        "cannot write a table to `{path}`: its extension names no format; use .csv, .tsv, .json, .ndjson, .parquet or .arrow"
    )]
    NoFormat {
        /// The path.
        path: Utf8PathBuf,
    },
    /// The extension names a format that this build cannot write.
    #[error("cannot write `{path}`: this build cannot write {format}; enable the feature `{format}`")]
    NotBuilt {
        /// The path.
        path: Utf8PathBuf,
        /// The format.
        format: FileFormat,
    },
    /// The extension names a compression that this build does not have.
    #[error("cannot write `{path}`: this build cannot write {compression}; enable the feature `compression`")]
    NoCompression {
        /// The path.
        path: Utf8PathBuf,
        /// The compression.
        compression: Compression,
    },
    /// The format has no values of a column's type.
    #[error("cannot write `{path}`: {format} cannot hold column `{column}`, which is {data_type}")]
    TypeNotHeld {
        /// The path.
        path: Utf8PathBuf,
        /// The format.
        format: FileFormat,
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// A contract asks for files of which there is no sample.
    #[error("cannot write a sample for `{path}`: {reason}; put data there")]
    NoSample {
        /// The glob of the files, in the folder.
        path: Utf8PathBuf,
        /// Why not.
        reason: String,
    },
    /// An error came in the place of a batch.
    #[error("cannot write `{path}`: its batches end with an error")]
    NoBatch {
        /// The path.
        path: Utf8PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A batch does not have the columns that the schema says.
    #[error("cannot write `{path}`: a batch does not have the schema")]
    OtherSchema {
        /// The path.
        path: Utf8PathBuf,
        /// In what it differs.
        source: ArrowError,
    },
    /// The data could not be encoded.
    #[error("cannot write `{path}` as {format}")]
    Encode {
        /// The path.
        path: Utf8PathBuf,
        /// The format.
        format: FileFormat,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The operating system refused.
    #[error("cannot write `{path}`: {}", .source.kind())]
    Io {
        /// The path.
        path: Utf8PathBuf,
        /// Its reason.
        source: io::Error,
    },
}

/// The format in which this build can write to a path.
pub(crate) fn writable_kind(path: &Utf8Path) -> Result<FileKind, WriteTableError> {
    let kind = kind_of_name(path);
    if let Some(compression) = kind.compression.filter(|_| !compression::is_built()) {
        return Err(WriteTableError::NoCompression { path: path.to_owned(), compression });
    }
    match kind.format {
        FileFormat::Opaque => Err(WriteTableError::NoFormat { path: path.to_owned() }),
        format @ FileFormat::Parquet if cfg!(not(feature = "parquet")) => {
            Err(WriteTableError::NotBuilt { path: path.to_owned(), format })
        }
        _ => Ok(kind),
    }
}

/// Writes a table in the format that the path's extension names, batch by batch.
///
/// Folders that are not there are made, and a file that is there is replaced. A text is compressed if `.gz` or `.zst`
/// follows its extension. `.arrows` is a stream, the other extensions
/// of Arrow IPC are files. Where something goes wrong, what was there stays as it was: the table is written to a file
/// beside it, which takes its place when it is whole. So the batches may come from the file that is written.
///
/// [`read_batches`](crate::read_batches) reads back what was written; but text has fewer types, and does not tell them:
///
/// | type | from CSV, TSV | from JSON, NDJSON | from Arrow, Parquet |
/// | --- | --- | --- | --- |
/// | boolean | same | same | same |
/// | integers | `Int64`; text beyond 64 bits | `Int64`; `Float64` beyond 64 bits | same |
/// | floats | `Float64`; NaN is a null | `Float64`; NaN and infinities are nulls | same |
/// | decimals | `Float64`; `Int64` without a fraction | the same | same |
/// | text | `Utf8`; what shows another type in all rows has that, and an empty text is a null | `Utf8` | same |
/// | dates, timestamps without zone | `Date32`, microseconds | `Utf8` | same |
/// | timestamps with a zone | microseconds in UTC | `Utf8` | same |
/// | times of day, durations | `Utf8` | `Utf8` | same |
/// | bytes | `Utf8` of hexadecimal digits, or what those show | the same | same |
/// | lists, structs | refused | same, of the types that JSON has | same |
/// | maps | refused | structs | same |
/// | a column without a value | `Null` | `Null` | same |
///
/// In text a column may hold nulls if it does; JSON loses the order of columns, and all columns where there is no row.
/// Parquet cannot hold unions, runs and some intervals.
///
/// ```
/// use std::sync::Arc;
///
/// use runtime_testing_data::arrow::array::{ArrayRef, Int64Array, RecordBatch};
/// use runtime_testing_data::{read_batches, write_batches};
///
/// let folder = tempfile::tempdir()?;
/// let folder = camino::Utf8PathBuf::try_from(folder.path().to_owned())?;
/// let ids = Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef;
/// let batch = RecordBatch::try_from_iter([("id", ids)])?;
/// write_batches(&folder.join("ids.csv"), &batch.schema(), [Ok(batch)])?;
///
/// // From one format to another, however many rows there are.
/// let rows = read_batches(&folder.join("ids.csv"))?;
/// write_batches(&folder.join("ids.ndjson"), &rows.schema(), rows)?;
/// assert_eq!(std::fs::read_to_string(folder.join("ids.ndjson"))?, "{\"id\":1}\n{\"id\":2}\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`WriteTableError`] where the format cannot be written or cannot hold the data, where a batch is an error or does not
/// have the schema, or where the disk refuses.
pub fn write_batches(
    path: &Utf8Path,
    schema: &SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<(), WriteTableError> {
    let kind = writable_kind(path)?;
    let format = kind.format;
    if matches!(format, FileFormat::Csv | FileFormat::Tsv) {
        check_is_flat(path, format, schema)?;
    }
    let refused = |source| WriteTableError::Io { path: path.to_owned(), source };
    // Half a table in a text format looks like a whole one.
    let replacement = Replacement::begin(path).map_err(refused)?;
    let written = write_rows(replacement.file(), kind, schema, &mut batches.into_iter());
    written.map_err(|failure| failure.into_error(path, format))?;
    replacement.finish().map_err(refused)
}

/// Why a table is not written to its end.
enum Failure {
    NoBatch(ArrowError),
    OtherSchema(ArrowError),
    Encode(ArrowError),
}

impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Self {
        Self::Encode(error)
    }
}

impl Failure {
    fn into_error(self, path: &Utf8Path, format: FileFormat) -> WriteTableError {
        let path = path.to_owned();
        match self {
            Self::NoBatch(ArrowError::ExternalError(source)) => WriteTableError::NoBatch { path, source },
            Self::NoBatch(source) => WriteTableError::NoBatch { path, source: Box::new(source) },
            Self::OtherSchema(source) => WriteTableError::OtherSchema { path, source },
            Self::Encode(ArrowError::IoError(_, source)) => WriteTableError::Io { path, source },
            Self::Encode(source) => WriteTableError::Encode { path, format, source: Box::new(source) },
        }
    }
}

type Rows<'a> = dyn Iterator<Item = Result<RecordBatch, Failure>> + 'a;

fn write_rows(
    file: &File,
    kind: FileKind,
    schema: &SchemaRef,
    batches: &mut dyn Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<(), Failure> {
    let mut sink = Sink::new(BufWriter::new(file), kind.compression).map_err(ArrowError::from)?;
    let format = kind.format;
    let mut count = 0;
    let is_text = is_text(format);
    let mut rows = batches.map(|batch| {
        let batch = with_schema(batch.map_err(Failure::NoBatch)?, schema).map_err(Failure::OtherSchema)?;
        count += batch.num_rows();
        if is_text { Ok(in_utc(batch)?) } else { Ok(batch) }
    });
    match format {
        FileFormat::Csv | FileFormat::Tsv => {
            let delimiter = if format == FileFormat::Tsv { b'\t' } else { b',' };
            let mut writer = arrow::csv::WriterBuilder::new().with_delimiter(delimiter).build(&mut sink);
            // The header is there even if no batch is.
            writer.write(&in_utc(RecordBatch::new_empty(SchemaRef::clone(schema)))?)?;
            write_all(writer, &mut rows)?;
        }
        FileFormat::Json => write_all(json().build::<_, JsonArray>(&mut sink), &mut rows)?,
        FileFormat::Ndjson => {
            write_all(json().build::<_, LineDelimited>(&mut sink), &mut rows)?;
            drop(rows);
            if count == 0 {
                // An empty file is no table, a blank line is one without rows.
                sink.write_all(b"\n").map_err(ArrowError::from)?;
            }
        }
        #[cfg(feature = "parquet")]
        FileFormat::Parquet => {
            // A row group is kept in memory until it is written.
            let properties = parquet::file::properties::WriterProperties::builder();
            let properties = properties.set_max_row_group_bytes(Some(ROW_GROUP_BYTES)).build();
            let schema = SchemaRef::clone(schema);
            let writer = parquet::arrow::ArrowWriter::try_new(&mut sink, schema, Some(properties));
            write_all(writer.map_err(ArrowError::from)?, &mut rows)?;
        }
        FileFormat::ArrowIpc => write_all(FileWriter::try_new(&mut sink, schema)?, &mut rows)?,
        // Of the formats that can be written, the stream is left.
        _ => write_all(StreamWriter::try_new(&mut sink, schema)?, &mut rows)?,
    }
    Ok(sink.finish().map_err(ArrowError::from)?)
}

fn json() -> WriterBuilder {
    WriterBuilder::new().with_explicit_nulls(true)
}

fn write_all(mut writer: impl RecordBatchWriter, rows: &mut Rows<'_>) -> Result<(), Failure> {
    for batch in rows {
        writer.write(&batch?)?;
    }
    Ok(writer.close()?)
}

/// The same moments, all told in UTC: of the zones, Arrow writes those as text that are an offset and no name.
fn in_utc(batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
    let fields = batch.schema_ref().fields();
    if fields.iter().all(|field| zone_in_utc(field.data_type()) == *field.data_type()) {
        return Ok(batch);
    }
    let fields =
        fields.iter().map(|field| field.as_ref().clone().with_data_type(zone_in_utc(field.data_type())));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| cast(column, field.data_type())).collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::new(schema), columns)
}

fn zone_in_utc(data_type: &DataType) -> DataType {
    let inner = |field: &Field| field.clone().with_data_type(zone_in_utc(field.data_type()));
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("+00:00".into())),
        DataType::List(item) => DataType::List(Arc::new(inner(item))),
        DataType::LargeList(item) => DataType::LargeList(Arc::new(inner(item))),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| inner(field)).collect()),
        other => other.clone(),
    }
}

/// CSV has no values within values.
fn check_is_flat(path: &Utf8Path, format: FileFormat, schema: &Schema) -> Result<(), WriteTableError> {
    for field in schema.fields() {
        let words = of_arrow(field.data_type());
        if matches!(
            words,
            LogicalType::List(_) | LogicalType::Struct(_) | LogicalType::Map(..) | LogicalType::Mixed
        ) {
            return Err(WriteTableError::TypeNotHeld {
                path: path.to_owned(),
                format,
                column: field.name().clone(),
                data_type: words.to_string(),
            });
        }
    }
    Ok(())
}
