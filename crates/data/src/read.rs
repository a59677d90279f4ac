use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::new_null_array;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions, RecordBatchReader};
use camino::Utf8Path;
use runtime_testing_models::FileFormat;

use crate::columnar::ipc::open_rows;
use crate::columnar::panic::without_panic;
use crate::csv::{CsvBatches, Delimiter};
use crate::error::{DataError, ReadTableError};
use crate::kind::detect::open_text;
use crate::options::ProfileOptions;
use crate::read::table_file::TableFile;
use crate::text::nulls::NullWords;
use crate::text::reader::{TextReader, is_cancellation};
use crate::types::join::Typing;

mod ahead;
mod parts;
pub(crate) mod table_file;

pub(crate) use parts::{add_partition_columns, joined_schema, read_lines_among_lines, table_places};

/// The most rows, cells and bytes of text that a batch is to have.
const BATCH_ROWS: u64 = 8192;
const BATCH_CELLS: u64 = 1024 * 1024;
const BATCH_TEXT_BYTES: u64 = 16 * 1024 * 1024;

/// Opens a table, in whatever format it is, to read its rows as Arrow record batches.
///
/// The columns have the types that [`profile_file`](crate::profile_file) tells, over *all* rows: in CSV and TSV, text
/// that shows nothing but dates is `Date32`, the words for a null are nulls, and so on. For a file the schema is that of
/// [`schema_of`](crate::schema_of). JSON has no order of keys, so its columns are sorted by name. Text with a time zone is
/// read as microseconds in `UTC`, a name that Arrow's own functions make text of only with its feature `chrono-tz`.
///
/// Of a folder, the files that [`data_files`](crate::data_files) counts are read one after the other. They must be parts of one
/// table: of one kind of format, and with much the same columns in any order. A column that some of them lack is null there, and
/// in text formats types are settled over the rows of all files, so that one may show integers or nothing but nulls where another
/// shows floats, and in CSV where another shows text. A column may hold nulls if it may in any of the files, and the schema has
/// metadata if all files have the same.
///
/// Memory does not grow with the number of rows: text is read twice, first for its types and then for its values, and
/// batches have 8192 rows at most, fewer where rows are long; those of Arrow IPC are as they lie in the file.
///
/// ```
/// use runtime_testing_data::arrow::array::AsArray;
/// use runtime_testing_data::arrow::datatypes::{DataType, Int64Type};
/// use runtime_testing_data::read_batches;
///
/// let folder = tempfile::tempdir()?;
/// let path = camino::Utf8PathBuf::try_from(folder.path().join("orders.csv"))?;
/// std::fs::write(&path, "id,day\n1,2024-02-29\n2,NA\n")?;
///
/// let rows = read_batches(&path)?;
/// assert_eq!(rows.schema().field(1).data_type(), &DataType::Date32);
/// let mut sum = 0;
/// for batch in rows {
///     let batch = batch?;
///     sum += batch.column(0).as_primitive::<Int64Type>().values().iter().sum::<i64>();
///     assert_eq!(batch.column(1).null_count(), 1);
/// }
/// assert_eq!(sum, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ReadTableError`] where a file cannot be read or is no table, where the files of a folder differ, or where it has none.
/// What goes wrong later is an error among the batches.
pub fn read_batches(path: &Utf8Path) -> Result<Batches, ReadTableError> {
    read_batches_with(path, &ProfileOptions::default())
}

/// Opens a table as [`read_batches`] does, with other words for nulls, or a way to cancel until the first batch.
///
/// # Errors
///
/// As [`read_batches`]; [`DataError::Canceled`] where the options say to give up.
pub fn read_batches_with(path: &Utf8Path, options: &ProfileOptions) -> Result<Batches, ReadTableError> {
    let (files, schema) = parts::look_at(path, options)?;
    Ok(Batches::of(files, schema, options))
}

/// The rows of a table, batch by batch, from [`read_batches`]. Batches without rows are left out.
///
/// It is a [`RecordBatchReader`], so an error is an [`ArrowError`]: an
/// [`ExternalError`](ArrowError::ExternalError) that holds a [`ReadTableError`], which names the file. No batch comes
/// behind an error.
pub struct Batches {
    schema: SchemaRef,
    nulls: NullWords,
    files: std::vec::IntoIter<TableFile>,
    open: Option<OpenFile>,
}

impl fmt::Debug for Batches {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Batches").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Batches {
    /// The rows of files that have this schema in common, or more columns, which are left out.
    pub(crate) fn of(files: Vec<TableFile>, schema: Schema, options: &ProfileOptions) -> Self {
        let nulls = NullWords::of(options);
        Self { schema: Arc::new(schema), nulls, files: files.into_iter(), open: None }
    }

    /// The schema of every batch.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    /// The next batch with rows, if there is one.
    pub(crate) fn advance(&mut self) -> Result<Option<RecordBatch>, ReadTableError> {
        loop {
            let open = match &mut self.open {
                Some(open) => open,
                closed => match self.files.next() {
                    Some(file) => closed.insert(OpenFile::new(file, &self.schema, &self.nulls)?),
                    None => return Ok(None),
                },
            };
            match open.advance(&self.schema)? {
                Some(batch) if batch.num_rows() > 0 => return Ok(Some(batch)),
                Some(_) => {}
                None => self.open = None,
            }
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.advance();
        if batch.is_err() {
            self.open = None;
            self.files = Vec::new().into_iter();
        }
        batch.map_err(|error| ArrowError::ExternalError(Box::new(error))).transpose()
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        Self::schema(self)
    }
}

type Decoder = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// A file that is being read, and how many of its rows were.
struct OpenFile {
    file: TableFile,
    decoder: Decoder,
    rows: u64,
}

impl OpenFile {
    fn new(file: TableFile, schema: &SchemaRef, nulls: &NullWords) -> Result<Self, ReadTableError> {
        match without_panic(|| decoder(&file, schema, nulls)) {
            Ok(decoder) => Ok(Self { file, decoder, rows: 0 }),
            Err(error) => Err(decode_error(&file, error)),
        }
    }

    fn advance(&mut self, schema: &SchemaRef) -> Result<Option<RecordBatch>, ReadTableError> {
        let batch = without_panic(|| self.decoder.next().transpose());
        let batch =
            batch.and_then(|batch| batch.map(|batch| projected(batch, &self.file, schema)).transpose());
        let Some(batch) = batch.map_err(|error| decode_error(&self.file, error))? else {
            // What is cut off between the two looks at it would otherwise be a table with fewer rows.
            let is_whole = self.rows == self.file.rows;
            return if is_whole {
                Ok(None)
            } else {
                Err(ReadTableError::Changed { path: self.file.path.clone() })
            };
        };
        self.rows += batch.num_rows() as u64;
        Ok(Some(batch))
    }
}

/// The schema that a file of a table is read with: its own columns, of the types that all files show.
fn own_schema(file: &TableFile, schema: &SchemaRef) -> SchemaRef {
    if file.schema.fields().len() == schema.fields().len() {
        let names =
            |schema: &Schema| schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        if names(&file.schema) == names(schema) {
            return SchemaRef::clone(schema);
        }
    }
    let known = by_name(schema);
    let of_table = |field: &FieldRef| known.get(field.name().as_str()).map(|found| Arc::clone(found));
    let fields: Vec<FieldRef> = file
        .schema
        .fields()
        .iter()
        .map(|field| of_table(field).unwrap_or_else(|| Arc::clone(field)))
        .collect();
    Arc::new(Schema::new(fields))
}

/// The fields of a schema by their names: a search for each of many columns would take long.
fn by_name(schema: &Schema) -> HashMap<&str, &FieldRef> {
    schema.fields().iter().map(|field| (field.name().as_str(), field)).collect()
}

/// A batch of a file with the columns of its table, those that the file lacks all nulls.
fn projected(batch: RecordBatch, file: &TableFile, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if batch.schema_ref() == schema {
        return Ok(batch);
    }
    let rows = batch.num_rows();
    let own_schema = batch.schema();
    let found: HashMap<&str, usize> =
        own_schema.fields().iter().enumerate().map(|(place, field)| (field.name().as_str(), place)).collect();
    let (of_table, of_file) = (by_name(schema), by_name(&file.schema));
    let is_known = |name: &str| of_table.contains_key(name) || of_file.contains_key(name);
    if let Some(strange) = own_schema.fields().iter().find(|field| !is_known(field.name())) {
        return Err(ArrowError::SchemaError(format!("column `{}` is new", strange.name())));
    }
    let column = |field: &FieldRef| match found.get(field.name().as_str()) {
        Some(place) => Arc::clone(batch.column(*place)),
        None => match file.constants.iter().find(|constant| constant.field.name() == field.name()) {
            Some(constant) => constant.times(rows),
            None => new_null_array(field.data_type(), rows),
        },
    };
    let columns = schema.fields().iter().map(column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(SchemaRef::clone(schema), columns, &options)
}

/// Whether an error is one of the data: what decompresses it tells damage so.
fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};

    matches!(error.kind(), InvalidData | InvalidInput | Other | UnexpectedEof) && !is_cancellation(error)
}

fn decode_error(file: &TableFile, error: ArrowError) -> ReadTableError {
    let (path, format) = (file.path.clone(), file.kind.format);
    match error {
        ArrowError::IoError(_, source) if !is_damage(&source) => {
            ReadTableError::Data(DataError::new(&path, source))
        }
        // Arrow says which of its own features is missing, which is not what a user has to add.
        #[cfg(not(feature = "compression"))]
        ArrowError::InvalidArgumentError(message) if message.contains("IPC decompression requires") => {
            let message = "its batches are compressed, and this build cannot read them: enable the feature `compression`";
            ReadTableError::Unreadable { path, format, findings: vec![crate::findings::unreadable(message)] }
        }
        source => ReadTableError::Decode { path, format, source: Box::new(source) },
    }
}

/// What reads a file: the columns that it has of those of the schema, and perhaps others.
fn decoder(table: &TableFile, schema: &SchemaRef, nulls: &NullWords) -> Result<Decoder, ArrowError> {
    let file = File::open(&table.path)?;
    let own = own_schema(table, schema);
    let wanted = by_name(schema);
    let is_wanted = |name: &str| wanted.contains_key(name);
    let batch_rows = batch_rows(table)?;
    let format = table.kind.format;
    Ok(match format {
        FileFormat::Csv | FileFormat::Tsv => {
            let delimiter = if format == FileFormat::Tsv { Delimiter::Tab } else { Delimiter::Detected };
            let text = TextReader::new(open_text(file, table.kind.compression)?);
            Box::new(CsvBatches::new(text, delimiter, (&own, is_wanted), nulls.clone(), batch_rows)?)
        }
        FileFormat::Json | FileFormat::JsonObject | FileFormat::Ndjson => {
            let wanted: Vec<FieldRef> =
                own.fields().iter().filter(|field| is_wanted(field.name())).cloned().collect();
            let builder = arrow::json::ReaderBuilder::new(Arc::new(Schema::new(wanted)));
            // Integers that no 64 bits hold are text.
            let builder = builder.with_batch_size(batch_rows).with_coerce_primitive(true);
            let since_batch = Arc::new(AtomicU64::new(0));
            let source = open_text(file, table.kind.compression)?;
            let text = BufReader::new(Bounded { source, since_batch: Arc::clone(&since_batch) });
            let rows = builder.with_flatten(format == FileFormat::Json).build(text)?;
            Box::new(rows.inspect(move |_| since_batch.store(0, Ordering::Relaxed)))
        }
        #[cfg(feature = "parquet")]
        FileFormat::Parquet => {
            let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)?;
            crate::columnar::parquet::refuse_bombs(builder.metadata())?;
            let places = builder.schema().fields().iter().enumerate();
            let wanted: Vec<usize> =
                places.filter(|(_, field)| is_wanted(field.name())).map(|(place, _)| place).collect();
            let mask = parquet::arrow::ProjectionMask::roots(builder.parquet_schema(), wanted);
            Box::new(builder.with_projection(mask).with_batch_size(batch_rows).build()?)
        }
        // Of the formats that are tables, those of Arrow IPC are left.
        _ => {
            let bytes = file.metadata()?.len();
            open_rows(file, format, None, crate::limits::most_unpacked(bytes))?
        }
    })
}

/// No batch of JSON is made of more bytes. One of 8192 rows is far from it, unless one of them is very long.
const MOST_BATCH_BYTES: u64 = 64 * 1024 * 1024;

/// A text in JSON of which no more than so many bytes are read for one batch: what reads it keeps them all.
struct Bounded<R> {
    source: R,
    since_batch: Arc<AtomicU64>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        if self.since_batch.fetch_add(read as u64, Ordering::Relaxed) > MOST_BATCH_BYTES {
            let message = format!("it has rows of more than {} MiB", MOST_BATCH_BYTES >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(read)
    }
}

/// The most values that the lists of a batch may hold, were they all as short as they can be written, and the most of one row.
const LISTED_VALUES: u64 = 64 * 1024 * 1024;
const MOST_LISTED_VALUES: u64 = 512 * 1024 * 1024;

/// The fewest bytes that an item of a list takes in a text.
const ITEM_BYTES: u64 = 3;

/// How many rows of a file make up a batch.
fn batch_rows(table: &TableFile) -> Result<usize, ArrowError> {
    let row_bytes = table.text_bytes / table.rows.max(1);
    let columns = table.schema.fields().len() as u64;
    let fields =
        table.schema.fields().iter().map(|field| listed_fields(field.data_type(), false)).sum::<u64>();
    // Each item of a list has all fields, whatever was written.
    let listed = (row_bytes / ITEM_BYTES).saturating_mul(fields);
    if listed > MOST_LISTED_VALUES && Typing::of(table.kind.format) == Typing::Values {
        let message = format!(
            "it has rows of {row_bytes} bytes with lists of {fields} fields, which may be too many values"
        );
        return Err(ArrowError::MemoryError(message));
    }
    let fitting =
        [BATCH_CELLS / columns.max(1), BATCH_TEXT_BYTES / row_bytes.max(1), LISTED_VALUES / listed.max(1)];
    let fitting = fitting.into_iter().min().unwrap_or(BATCH_ROWS);
    Ok(usize::try_from(fitting.clamp(1, BATCH_ROWS)).expect("a small number"))
}

/// How many fields a value of a type has that lie within lists.
fn listed_fields(data_type: &DataType, is_listed: bool) -> u64 {
    match data_type {
        DataType::List(item) | DataType::Map(item, _) => listed_fields(item.data_type(), true),
        DataType::Struct(fields) => {
            fields.iter().map(|field| listed_fields(field.data_type(), is_listed)).sum()
        }
        _ => is_listed.into(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn batches_of_long_rows_have_few() {
        let rows_of = |columns: usize, rows, bytes| {
            let field = |place| Field::new(format!("c{place}"), DataType::Int64, true);
            let schema = Schema::new((0..columns).map(field).collect::<Vec<_>>());
            let table = TableFile {
                path: "a.csv".into(),
                kind: FileFormat::Csv.into(),
                text_bytes: bytes,
                rows,
                is_one_line: false,
                constants: Vec::new(),
                schema,
            };
            batch_rows(&table).expect("it has no lists")
        };
        assert_eq!(rows_of(3, 1_000_000, 20_000_000), 8192);
        assert_eq!(rows_of(0, 0, 0), 8192);
        assert_eq!(rows_of(1024, 1_000_000, 20_000_000), 1024);
        assert_eq!(rows_of(3, 1000, 1000 * 1024 * 1024), 16);
        assert_eq!(rows_of(3, 1, u64::MAX), 1);
    }
}
