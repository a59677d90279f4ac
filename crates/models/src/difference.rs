use std::fmt;

use runtime_testing_dag::text::one_line;
use serde::{Deserialize, Serialize};

use crate::list::list;
use crate::{DataFinding, FileFormat, FileKind};

/// One way in which a table differs from what is expected of it.
///
/// What differs within a column is told by its path: `address.zip` is a field of a struct, `tags[]` are the items of a
/// list, `prices{}` the values of a map, and `items[].price` is a field of the items of a list. Names that could be taken
/// for something else are quoted in a path: `address."zip.code"`. A column by itself is told by its name as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Difference {
    /// A column, or a field of a struct, is not there.
    MissingColumn {
        /// The column, or the path of what is within it.
        column: String,
        /// The type it should have.
        expected: String,
        /// A column that is there, was not expected, and may be the same under another name; of a field, the path of one
        /// of the same struct.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        renamed: Option<String>,
    },
    /// A key of a JSON object whose values are all of one type is not there, and those that are there are of one type as well:
    /// its keys are data. They are what the object says something of, each under its name.
    MissingKey {
        /// The key, or the path of what is within it.
        key: String,
        /// The type that its value should have.
        expected: String,
        /// A key that is there, was not expected, and may be the same under another name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        renamed: Option<String>,
    },
    /// A column has a type that does not promote to the expected one.
    TypeChanged {
        /// The column, or the path of what is within it.
        column: String,
        /// The type it should have.
        expected: String,
        /// The type it has.
        found: String,
        /// The row that decided, from one, for text formats; of what is within a column, only where no field stands between
        /// them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row: Option<u64>,
        /// What stands in that row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
    },
    /// A column that must not hold nulls does.
    NullsFound {
        /// The column.
        column: String,
        /// How many, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nulls: Option<u64>,
    },
    /// A column is there that the contract forbids.
    UnexpectedColumn {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// There are fewer rows than the contract asks for.
    TooFewRows {
        /// How many there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// There are more rows than the contract allows.
    TooManyRows {
        /// How many there may be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// More rows of a column are null than the contract allows.
    TooManyNulls {
        /// The column.
        column: String,
        /// The greatest share that may be, as the contract writes it.
        allowed: String,
        /// How many are.
        nulls: u64,
        /// Of how many.
        rows: u64,
    },
    /// Values are not what the contract asks of them.
    Constraint {
        /// The column, or the columns, or the path of what is within one.
        column: String,
        /// What is asked, as the contract writes it: `minimum 0`, `unique`.
        constraint: String,
        /// The first row of the file that is not so, from one.
        row: u64,
        /// What stands there, cut to 80 characters.
        value: String,
        /// How many rows of the table are not so.
        rows: u64,
    },
    /// What the contract asks of values cannot be looked at.
    NotChecked {
        /// The column, or the columns.
        column: String,
        /// What is asked, as the contract writes it.
        constraint: String,
        /// Why not.
        reason: String,
    },
    /// There are few rows beside those of the sample: less than a tenth.
    FewRows {
        /// How many the sample has.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// There are no rows.
    NoRows,
    /// The file cannot be read as what it should be.
    Unreadable {
        /// Why not.
        finding: DataFinding,
    },
    /// The file's name promises something else than its content is, so a reader that goes by names fails on it.
    Misnamed {
        /// What the name promises.
        promised: FileKind,
        /// What the content is.
        found: FileKind,
    },
    /// The file has another format.
    FormatChanged {
        /// The format it should have.
        expected: FileFormat,
        /// The format it has.
        found: FileFormat,
    },
    /// A file of the expected folder is not there.
    MissingFile,
    /// A file is there that the contract forbids.
    UnexpectedFile,
    /// A column has another type than the expected one, which will do.
    Promoted {
        /// The column, or the path of what is within it.
        column: String,
        /// The type it should have.
        expected: String,
        /// The type it has.
        found: String,
    },
    /// A column may hold nulls where none are expected, or the other way round.
    Nullability {
        /// The column.
        column: String,
        /// Whether nulls are expected.
        expected_nullable: bool,
        /// Whether there may be nulls.
        found_nullable: bool,
    },
    /// A column, or a field of a struct, is there that is not expected, which is allowed.
    ExtraColumn {
        /// The column, or the path of what is within it.
        column: String,
        /// Its type.
        found: String,
    },
    /// The columns, or the fields of a struct, come in another order.
    ColumnOrder {
        /// The order of the expected columns; of fields, of their paths.
        expected: Vec<String>,
        /// The order in which they are there.
        found: Vec<String>,
    },
    /// Something else stands between the cells, which readers that are not told of it take for a part of them.
    Delimiter {
        /// What should stand there, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected: Option<char>,
        /// What stands there.
        found: char,
    },
    /// The text begins with a byte order mark, where none is expected.
    ByteOrderMark,
    /// A file is there that is not expected.
    ExtraFile,
    /// The file was not compared, so nothing is known of what it differs in.
    NotCompared {
        /// Why not.
        reason: NotCompared,
    },
}

/// Why a file was not compared with the one that it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotCompared {
    /// The sample cannot be read itself.
    SampleUnreadable {
        /// Why not.
        finding: DataFinding,
    },
    /// The sample has neither columns nor rows, as an empty JSON array.
    SampleBlank,
    /// One of them is a JSON object with more keys than are kept: more than 2 MiB of them.
    ManyKeys,
    /// Neither of them is a table, and they are not the same byte for byte.
    NoTable,
    /// The contract asks something of values, which a profile does not hold.
    Values,
}

impl fmt::Display for NotCompared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SampleUnreadable { finding } => {
                write!(formatter, "not compared: the sample cannot be read: {finding}")
            }
            Self::SampleBlank => formatter.write_str("not compared: the sample has no columns"),
            Self::ManyKeys => formatter.write_str(
                "not compared: one of the two objects has more keys than are kept, which are data",
            ),
            Self::Values => formatter.write_str("what the contract asks of values is not looked at"),
            Self::NoTable => formatter.write_str("not compared: no table, and other bytes"),
        }
    }
}

impl Difference {
    /// Whether the difference breaks the edge. The others are notes.
    pub fn is_breaking(&self) -> bool {
        match self {
            Self::MissingColumn { .. }
            | Self::TypeChanged { .. }
            | Self::NullsFound { .. }
            | Self::UnexpectedColumn { .. }
            | Self::TooFewRows { .. }
            | Self::TooManyRows { .. }
            | Self::TooManyNulls { .. }
            | Self::Constraint { .. }
            | Self::NotChecked { .. }
            | Self::UnexpectedFile
            | Self::NoRows
            | Self::Unreadable { .. }
            | Self::Misnamed { .. }
            | Self::FormatChanged { .. }
            | Self::Delimiter { expected: Some(_), .. }
            | Self::MissingFile => true,
            Self::MissingKey { .. }
            | Self::FewRows { .. }
            | Self::Promoted { .. }
            | Self::Nullability { .. }
            | Self::ExtraColumn { .. }
            | Self::ColumnOrder { .. }
            | Self::Delimiter { expected: None, .. }
            | Self::ByteOrderMark
            | Self::ExtraFile
            | Self::NotCompared { .. } => false,
        }
    }

    /// The kind of difference in one word, as the JSON form has it under `kind`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::MissingColumn { .. } => "missing_column",
            Self::MissingKey { .. } => "missing_key",
            Self::TypeChanged { .. } => "type_changed",
            Self::NullsFound { .. } => "nulls_found",
            Self::UnexpectedColumn { .. } => "unexpected_column",
            Self::TooFewRows { .. } => "too_few_rows",
            Self::TooManyRows { .. } => "too_many_rows",
            Self::TooManyNulls { .. } => "too_many_nulls",
            Self::Constraint { .. } => "constraint",
            Self::NotChecked { .. } => "not_checked",
            Self::UnexpectedFile => "unexpected_file",
            Self::FewRows { .. } => "few_rows",
            Self::NoRows => "no_rows",
            Self::Unreadable { .. } => "unreadable",
            Self::Misnamed { .. } => "misnamed",
            Self::FormatChanged { .. } => "format_changed",
            Self::MissingFile => "missing_file",
            Self::Promoted { .. } => "promoted",
            Self::Nullability { .. } => "nullability",
            Self::ExtraColumn { .. } => "extra_column",
            Self::ColumnOrder { .. } => "column_order",
            Self::Delimiter { .. } => "delimiter",
            Self::ByteOrderMark => "byte_order_mark",
            Self::ExtraFile => "extra_file",
            Self::NotCompared { .. } => "not_compared",
        }
    }

    /// The column it is about, or the path of what is within it, if it is about one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::MissingColumn { column, .. }
            | Self::TypeChanged { column, .. }
            | Self::NullsFound { column, .. }
            | Self::UnexpectedColumn { column, .. }
            | Self::Promoted { column, .. }
            | Self::Nullability { column, .. }
            | Self::ExtraColumn { column, .. }
            | Self::TooManyNulls { column, .. }
            | Self::Constraint { column, .. }
            | Self::NotChecked { column, .. }
            | Self::MissingKey { key: column, .. } => Some(column),
            _ => None,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.column().unwrap_or_default();
        let column = shown_name(name);
        match self {
            Self::MissingColumn { expected, renamed, .. } => {
                let renamed = Renamed { name, renamed: renamed.as_deref() };
                write!(formatter, "column `{column}` ({expected}) is missing{renamed}")
            }
            Self::MissingKey { expected, renamed, .. } => {
                let renamed = Renamed { name, renamed: renamed.as_deref() };
                write!(formatter, "key `{column}` ({expected}) is missing{renamed}")
            }
            Self::TypeChanged { expected, found, row, value, .. } => {
                write!(formatter, "column `{column}`: expected {expected}, found {found}")?;
                if let Some(row) = row {
                    write!(formatter, "; row {row}")?;
                    if let Some(value) = value {
                        write!(formatter, " is {value:?}")?;
                    }
                }
                Ok(())
            }
            Self::NullsFound { nulls: Some(nulls), .. } => {
                write!(formatter, "column `{column}`: expected no nulls, found {nulls}")
            }
            Self::NullsFound { nulls: None, .. } => {
                write!(formatter, "column `{column}`: expected no nulls, found some")
            }
            Self::UnexpectedColumn { found, .. } => {
                write!(formatter, "column `{column}` ({found}) is forbidden by the contract")
            }
            Self::TooFewRows { expected, found } => {
                write!(formatter, "expected at least {expected} rows, found {found}")
            }
            Self::TooManyRows { expected, found } => {
                write!(formatter, "expected at most {expected} rows, found {found}")
            }
            Self::TooManyNulls { allowed, nulls, rows, .. } => write!(
                formatter,
                "column `{column}`: {nulls} of {rows} rows are null, and at most a share of {allowed} may be"
            ),
            Self::Constraint { constraint, row, value, rows, .. } => {
                write!(formatter, "column `{column}`: not `{constraint}`: row {row} is {value:?}")?;
                match rows {
                    0 | 1 => Ok(()),
                    2 => formatter.write_str(", and one more row"),
                    rows => write!(formatter, ", and {} more rows", rows - 1),
                }
            }
            Self::NotChecked { constraint, reason, .. } => {
                write!(formatter, "column `{column}`: `{constraint}` cannot be looked at: {reason}")
            }
            Self::UnexpectedFile => formatter.write_str("the file is forbidden by the contract"),
            Self::FewRows { expected, found } => {
                write!(formatter, "there are {found} rows, where the sample has {expected}")
            }
            Self::NoRows => formatter.write_str("there are no rows"),
            Self::Unreadable { finding } => write!(formatter, "cannot be read: {finding}"),
            Self::Misnamed { promised, found } => {
                write!(formatter, "the name promises {promised}, the content is {found}")
            }
            Self::FormatChanged { expected, found } => {
                write!(formatter, "expected the format {expected}, found {found}")
            }
            Self::MissingFile => formatter.write_str("the file is missing"),
            Self::Promoted { expected, found, .. } => {
                write!(formatter, "column `{column}`: expected {expected}, found {found}, which will do")
            }
            Self::Nullability { expected_nullable: false, .. } => {
                write!(formatter, "column `{column}` may hold nulls")
            }
            Self::Nullability { expected_nullable: true, .. } => {
                write!(formatter, "column `{column}` holds no nulls")
            }
            Self::ExtraColumn { found, .. } if column.is_empty() => {
                write!(formatter, "extra column without a name ({found}): the index of pandas?")
            }
            Self::ExtraColumn { found, .. } => write!(formatter, "extra column `{column}` ({found})"),
            Self::ColumnOrder { expected, found } => {
                write!(formatter, "the columns come as {}, not as {}", first(found), first(expected))
            }
            Self::Delimiter { expected: Some(expected), found } => {
                write!(formatter, "the delimiter is {} and not {}", delimiter(*found), delimiter(*expected))
            }
            Self::Delimiter { expected: None, found } => {
                write!(formatter, "the delimiter is {}, which readers have to be told", delimiter(*found))
            }
            Self::ByteOrderMark => formatter.write_str(
                "begins with a byte order mark, which some readers take for a part of the first name",
            ),
            Self::ExtraFile => formatter.write_str("extra file"),
            Self::NotCompared { reason } => reason.fmt(formatter),
        }
    }
}

/// The longest name that is shown as a whole.
const MOST_NAME_CHARACTERS: usize = 200;

/// The name of a column as people may safely see it: it is whatever is in the data.
fn shown_name(name: &str) -> String {
    match name.char_indices().nth(MOST_NAME_CHARACTERS) {
        Some((end, _)) => one_line(&name[..end]) + "…",
        None => one_line(name),
    }
}

/// What something may be called now.
struct Renamed<'a> {
    name: &'a str,
    renamed: Option<&'a str>,
}

impl fmt::Display for Renamed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(renamed) = self.renamed else { return Ok(()) };
        let plain = |name: &str| name.chars().filter(|character| !is_unseen(*character)).collect::<String>();
        let what = if renamed.to_lowercase() == self.name.to_lowercase() {
            "in case"
        } else if plain(renamed) == plain(self.name) {
            "in blanks and characters that are not seen"
        } else if composed(renamed) == composed(self.name) {
            "in how its characters are put together"
        } else {
            return write!(formatter, "; was it renamed to `{}`?", shown_name(renamed));
        };
        write!(formatter, "; it is called \"{}\", which differs {what} alone", escaped(renamed))
    }
}

/// Whether a character takes up no ink.
fn is_unseen(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// A name with its characters in one form.
fn composed(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;

    name.nfkc().collect()
}

/// A name with what is not seen, or not plain, in its code.
fn escaped(name: &str) -> String {
    name.chars()
        .flat_map(|character| {
            let is_plain = character == ' ' || character.is_ascii_graphic();
            let (plain, code) =
                if is_plain { (Some(character), None) } else { (None, Some(character.escape_unicode())) };
            plain.into_iter().chain(code.into_iter().flatten())
        })
        .collect()
}

/// A delimiter as people read it.
fn delimiter(delimiter: char) -> String {
    match delimiter {
        '\t' => "a tab".to_owned(),
        shown => format!("`{shown}`"),
    }
}

/// The first few names of a list that can be long.
fn first(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = list(&names[..names.len().min(SHOWN)]);
    if names.len() > SHOWN { format!("{shown}, …") } else { shown }
}
