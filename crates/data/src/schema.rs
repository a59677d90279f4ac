use std::fmt;

use arrow::datatypes::{Field, Schema};
use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{DataFinding, FileFormat};

use crate::files::DataError;
use crate::profile::read_content;
use crate::type_words::TypeWords;

/// Why a file has no Arrow schema.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// It could not be looked at.
    #[error(transparent)]
    Data(#[from] DataError),
    /// It is no table.
    #[error("`{path}` is no table: its format is {format}")]
    NotATable {
        /// The path.
        path: Utf8PathBuf,
        /// The format.
        format: FileFormat,
    },
    /// It should be a table, and cannot be read as one.
    #[error("`{path}` cannot be read as {format}: {}", Listed(.findings))]
    Unreadable {
        /// The path.
        path: Utf8PathBuf,
        /// The format.
        format: FileFormat,
        /// Why not. Never empty.
        findings: Vec<DataFinding>,
    },
    /// A column holds values of several kinds, for which Arrow has no type.
    #[error("column `{column}` of `{path}` is {data_type}, for which Arrow has no type")]
    NoArrowType {
        /// The path.
        path: Utf8PathBuf,
        /// The column.
        column: String,
        /// Its type in our words.
        data_type: String,
    },
}

/// The findings in one line.
struct Listed<'a>(&'a [DataFinding]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{finding}")?;
        }
        Ok(())
    }
}

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
/// [`SchemaError`] where the file cannot be read, or is no table.
pub fn schema_of(path: &Utf8Path) -> Result<Schema, SchemaError> {
    let (_, format, content) = read_content(path)?;
    if !content.findings.is_empty() {
        return Err(SchemaError::Unreadable { path: path.to_owned(), format, findings: content.findings });
    }
    if let Some(schema) = content.declared {
        return Ok(schema);
    }
    let Some(table) = content.schema else {
        return Err(SchemaError::NotATable { path: path.to_owned(), format });
    };
    let fields =
        table.columns.into_iter().map(|column| match TypeWords::parse(&column.data_type).to_arrow() {
            Some(data_type) => Ok(Field::new(column.name, data_type, column.nullable)),
            None => Err(SchemaError::NoArrowType {
                path: path.to_owned(),
                column: column.name,
                data_type: column.data_type,
            }),
        });
    Ok(Schema::new(fields.collect::<Result<Vec<_>, _>>()?))
}
