//! What can go wrong where data is looked at.

use std::fmt;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{DataFinding, FileFormat};

use crate::text::reader::is_cancellation;

/// Why data could not be looked at. What is wrong with a file's *content* is never an error but a
/// [`DataFinding`](runtime_testing_models::DataFinding).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// There is nothing at the path.
    #[error("`{path}` does not exist")]
    NotFound {
        /// The path.
        path: Utf8PathBuf,
    },
    /// The path is neither a file nor a folder, but a socket, a pipe or a device.
    #[error("`{path}` is neither a file nor a folder")]
    NotAFile {
        /// The path.
        path: Utf8PathBuf,
    },
    /// A folder was given where a file is needed.
    #[error("`{path}` is a folder, not a file")]
    IsAFolder {
        /// The path.
        path: Utf8PathBuf,
    },
    /// A symbolic link leads to a folder that it lies in.
    #[error("`{path}` is a link to a folder that it lies in; remove it")]
    LinkLoop {
        /// The link.
        path: Utf8PathBuf,
    },
    /// A file's name is not UTF-8, so no report can name it.
    #[error("the name of `{shown}` is not UTF-8; rename the file")]
    NameNotUtf8 {
        /// The path below the folder that was looked at, with replacement characters.
        shown: String,
    },
    /// [`ProfileOptions::with_cancel`](crate::ProfileOptions::with_cancel) said to give up.
    #[error("canceled while `{path}` was looked at")]
    Canceled {
        /// The file, or the folder before its first file.
        path: Utf8PathBuf,
    },
    /// The operating system refused.
    #[error("cannot read `{path}`: {}", .source.kind())]
    Io {
        /// The path.
        path: Utf8PathBuf,
        /// Its reason.
        source: io::Error,
    },
}

impl DataError {
    pub(crate) fn new(path: &Utf8Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path: path.to_owned() },
            _ if is_cancellation(&source) => Self::Canceled { path: path.to_owned() },
            _ => Self::Io { path: path.to_owned(), source },
        }
    }
}

/// Why a table has no Arrow schema or cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadTableError {
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
    /// The folder holds no file that counts as data.
    #[error("`{path}` holds no data files")]
    NoFiles {
        /// The folder.
        path: Utf8PathBuf,
    },
    /// Two files of a folder are no parts of one table.
    #[error("`{path}` and `{other}` are no parts of one table: {difference}")]
    FilesDiffer {
        /// The file that comes first.
        other: Utf8PathBuf,
        /// The file that differs from it.
        path: Utf8PathBuf,
        /// In what, in one line.
        difference: String,
    },
    /// The rows of a file cannot be decoded, although its schema can be read.
    #[error("`{path}` cannot be read as {format}")]
    Decode {
        /// The path.
        path: Utf8PathBuf,
        /// The format.
        format: FileFormat,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file has more or fewer rows than when it was first looked at.
    #[error("`{path}` was changed while it was read")]
    Changed {
        /// The path.
        path: Utf8PathBuf,
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
