use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::LogicalType;

/// The format of a data file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileFormat {
    /// Comma-separated values with a header.
    Csv,
    /// Tab-separated values with a header.
    Tsv,
    /// One JSON value that is no object: an array of objects is a table, anything else is not.
    Json,
    /// One JSON object: a table of one row, whose columns are its keys. It has no schema where these are more than 2 MiB, which
    /// are data.
    JsonObject,
    /// One JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow IPC, as a file: Feather 2.
    ArrowIpc,
    /// Apache Arrow IPC, as a stream.
    ArrowStream,
    /// Anything else: models, images, archives, text. Looked at for its size only.
    Opaque,
}

impl FileFormat {
    /// The format's name, as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Json => "json",
            Self::JsonObject => "json_object",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
            Self::ArrowIpc => "arrow_ipc",
            Self::ArrowStream => "arrow_stream",
            Self::Opaque => "opaque",
        }
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How the whole of a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Compression {
    /// gzip, `.gz`.
    Gzip,
    /// Zstandard, `.zst`.
    Zstd,
}

impl Compression {
    /// The compression's name, as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What a reader has to know of a file: its format, and how it is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileKind {
    /// The format of the content.
    pub format: FileFormat,
    /// How the whole of the file is compressed, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
}

impl From<FileFormat> for FileKind {
    fn from(format: FileFormat) -> Self {
        Self { format, compression: None }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.compression {
            Some(compression) => write!(formatter, "{} in {compression}", self.format),
            None => write!(formatter, "{}", self.format),
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Column {
    /// Its name. A field of a struct column is not a column of its own.
    pub name: String,
    /// Its type in the words of docs/semantics.md: `int64`, `float64`, `text`, `timestamp[us, UTC]`, `list<int64>`, …
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub data_type: LogicalType,
    /// Whether it may hold nulls: for formats that declare it, what they declare; for text formats, whether it does.
    pub nullable: bool,
    /// How many nulls it holds, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nulls: Option<u64>,
    /// The row (from one, the header not counted) that decided the type, for text formats: the first whose value fits no narrower type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deciding_row: Option<u64>,
    /// What stands in that row, cut to 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deciding_value: Option<String>,
}

impl Column {
    /// A column that may hold nulls, about which no more is known.
    pub fn new(name: impl Into<String>, data_type: impl Into<LogicalType>) -> Self {
        Self {
            name: name.into(),
            data_type: data_type.into(),
            nullable: true,
            nulls: None,
            deciding_row: None,
            deciding_value: None,
        }
    }
}

/// The columns of a table, in order, and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TableSchema {
    /// The columns, in the order of the file. JSON has no order: there they are sorted by name.
    pub columns: Vec<Column>,
    /// The number of rows.
    pub rows: u64,
}

/// Something about a file that keeps it from being read as the table it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DataFinding {
    /// What is wrong, as a lowercase fragment.
    pub message: String,
    /// The line it stands on (from one), where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Whether the file is broken, or only cannot be read here.
    pub kind: FindingKind,
}

/// What a finding means for the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The file itself is broken: cut off, without bytes where its format needs some, or not at all what its name promises.
    Damaged,
    /// Other tools may read it: an encoding, a dialect, rows of different lengths, more than is read here, or a feature that
    /// this build does not have.
    Unreadable,
}

impl DataFinding {
    /// A finding about a file that is broken.
    pub fn damaged(message: impl Into<String>, line: Option<u64>) -> Self {
        Self { message: message.into(), line, kind: FindingKind::Damaged }
    }

    /// A finding about a file that other tools may read.
    pub fn unreadable(message: impl Into<String>, line: Option<u64>) -> Self {
        Self { message: message.into(), line, kind: FindingKind::Unreadable }
    }
}

impl fmt::Display for DataFinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "line {line}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

/// What is known of one data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileProfile {
    /// The path below the input or output it belongs to, with `/`; the file name where that is a file itself.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// The format, by content first and extension second.
    pub format: FileFormat,
    /// How the whole of the file is compressed, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// What the file's name promises, where its content is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised: Option<FileKind>,
    /// What stands between the cells of CSV or TSV, where it is not what the format is named for: comma or tab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Whether CSV or TSV begins with a byte order mark. JSON must not: there it is a finding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub byte_order_mark: bool,
    /// Whether it is one JSON object on one line, which is what a file with one object a line looks like that has one row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_line: bool,
    /// The columns that its path says, and not its content: the keys of folders such as `year=2024`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_columns: Vec<String>,
    /// The size in bytes.
    pub bytes: u64,
    /// The columns and rows, for a table that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<TableSchema>,
    /// Why it could not be read. Empty for a good file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<DataFinding>,
}

impl FileProfile {
    /// Whether it is a single JSON object.
    pub fn is_object(&self) -> bool {
        self.format == FileFormat::JsonObject
    }

    /// The format, and how it is compressed.
    pub fn kind(&self) -> FileKind {
        FileKind { format: self.format, compression: self.compression }
    }
}

/// What is known of an input or output: one file, or a folder's files in the order of their paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DataProfile {
    /// Whether it is a folder.
    pub is_folder: bool,
    /// The files. Temporary and system files (`*.tmp`, `*~`, `.DS_Store`, `__pycache__`, `_SUCCESS`, …) do not count.
    pub files: Vec<FileProfile>,
}

impl DataProfile {
    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files that are tables and could be read, with their schemas. What was seen of a table that could not be read to
    /// its end does not count, and neither do single JSON objects that stand aside.
    pub fn tables(&self) -> impl Iterator<Item = (&FileProfile, &TableSchema)> {
        let stand_aside = self.objects_stand_aside();
        let meant = self.files.iter().filter(move |file| !(stand_aside && file.is_object()));
        meant.filter(|file| file.findings.is_empty()).filter_map(|file| Some((file, file.schema.as_ref()?)))
    }

    /// Whether there are tables of other kinds, readable or not, beside which single JSON objects are no tables but tell
    /// something of them.
    pub fn objects_stand_aside(&self) -> bool {
        let is_table = |file: &FileProfile| {
            let is_value = matches!(file.format, FileFormat::Json | FileFormat::JsonObject);
            // A value of JSON that cannot be read may have been an object.
            (file.schema.is_some() && !file.is_object()) || (!file.findings.is_empty() && !is_value)
        };
        self.files.iter().any(is_table)
    }

    /// The formats of the files, each once, in the order they come: `csv`, or `csv, opaque`.
    pub fn formats(&self) -> String {
        let mut formats: Vec<&str> = Vec::new();
        for file in &self.files {
            if !formats.contains(&file.format.as_str()) {
                formats.push(file.format.as_str());
            }
        }
        formats.join(", ")
    }
}
