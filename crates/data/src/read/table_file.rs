use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{Column, FileFormat, FileKind, FileProfile, TableSchema};

use crate::error::ReadTableError;
use crate::files::partitions::Constant;
use crate::kind::detect::{FileContent, read_content};
use crate::options::ProfileOptions;
use crate::types::arrow_type::to_arrow;

/// The Arrow schema of a table: what the file itself says, for Parquet and Arrow IPC, and what all of its rows show, for
/// text formats.
///
/// ```
/// use runtime_testing_data::arrow::datatypes::DataType;
/// use runtime_testing_data::schema_of;
///
/// let folder = tempfile::tempdir()?;
/// let path = camino::Utf8PathBuf::try_from(folder.path().join("orders.csv"))?;
/// std::fs::write(&path, "id,day\n1,2024-02-29\n")?;
///
/// let schema = schema_of(&path)?;
/// assert_eq!(schema.field(1).data_type(), &DataType::Date32);
/// assert!(!schema.field(1).is_nullable());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ReadTableError`] where the file cannot be read, or is no table. A folder is none, even if its files are parts of one.
pub fn schema_of(path: &Utf8Path) -> Result<Schema, ReadTableError> {
    Ok(TableFile::look_at(path, &ProfileOptions::default())?.schema)
}

/// A file that is a table, and what was found out about it without keeping its rows.
#[derive(Debug)]
pub(crate) struct TableFile {
    pub(crate) path: Utf8PathBuf,
    pub(crate) kind: FileKind,
    /// The size of what is in it, decompressed.
    pub(crate) text_bytes: u64,
    pub(crate) rows: u64,
    /// Whether it is one value of JSON on one line.
    pub(crate) is_one_line: bool,
    /// The columns that its content has.
    pub(crate) schema: Schema,
    /// Those that its path says besides.
    pub(crate) constants: Vec<Constant>,
}

impl TableFile {
    /// All of its columns.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &FieldRef> {
        self.schema.fields().iter().chain(self.constants.iter().map(|constant| &constant.field))
    }

    /// Whether it is a single JSON object.
    pub(crate) fn is_object(&self) -> bool {
        self.kind.format == FileFormat::JsonObject
    }

    /// What a profile of a text says of it, with the columns for whose values Arrow has a type.
    pub(crate) fn of_profile(path: &Utf8Path, file: &FileProfile, schema: &TableSchema) -> Self {
        let is_own = |column: &&Column| !file.partition_columns.contains(&column.name);
        let fields = schema.columns.iter().filter(is_own).map(|column| {
            // In CSV every column has a type, and in JSON the others are not read.
            let data_type = to_arrow(&column.data_type).unwrap_or(DataType::Null);
            Field::new(&column.name, data_type, column.nullable)
        });
        Self {
            path: path.to_owned(),
            kind: file.kind(),
            text_bytes: file.bytes,
            rows: schema.rows,
            is_one_line: file.one_line,
            schema: Schema::new(fields.collect::<Vec<_>>()),
            constants: Vec::new(),
        }
    }

    pub(crate) fn look_at(path: &Utf8Path, options: &ProfileOptions) -> Result<Self, ReadTableError> {
        let path = path.to_owned();
        let FileContent { text_bytes, kind, content, .. } = read_content(&path, options)?;
        let format = kind.format;
        if !content.findings.is_empty() {
            return Err(ReadTableError::Unreadable { path, format, findings: content.findings });
        }
        let Some(table) = content.schema else {
            return Err(ReadTableError::NotATable { path, format });
        };
        let schema = match content.declared {
            Some(schema) => schema,
            None => shown_schema(&path, table.columns)?,
        };
        Ok(Self {
            path,
            kind,
            text_bytes,
            rows: table.rows,
            is_one_line: content.is_one_line,
            schema,
            constants: Vec::new(),
        })
    }
}

/// The schema of a text, from what its rows show.
fn shown_schema(path: &Utf8Path, columns: Vec<Column>) -> Result<Schema, ReadTableError> {
    let fields = columns.into_iter().map(|column| match to_arrow(&column.data_type) {
        Some(data_type) => Ok(Field::new(column.name, data_type, column.nullable)),
        None => Err(ReadTableError::NoArrowType {
            path: path.to_owned(),
            column: column.name,
            data_type: column.data_type.to_string(),
        }),
    });
    Ok(Schema::new(fields.collect::<Result<Vec<_>, _>>()?))
}
