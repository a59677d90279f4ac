use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{JobNumber, JobValue, LogicalType};

/// What a person wrote about an input or output.
///
/// ```
/// use runtime_testing_models::DataContract;
///
/// let contract: DataContract = r#"{"files": {
///     "train/*.csv": {"columns": {"id": {"type": "integer", "unique": true}}},
///     "model.bst": "present"
/// }}"#.parse()?;
/// assert_eq!(contract.tables().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DataContract {
    /// What holds for each table that the data has.
    Table(TableContract),
    /// What holds for each file of a folder.
    Files(FilesContract),
}

/// What a person wrote about the files of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FilesContract {
    /// What is asked of files, by their paths below the folder, as globs: `train/*.csv`, `**/part-?.parquet`, `{a,b}.json`. `*`
    /// stands for no `/`. A file is of the first glob that it matches.
    pub files: IndexMap<String, FileContract>,
    /// Whether there may be files that match no glob. They may, by default.
    #[serde(skip_serializing_if = "Permission::is_allow")]
    pub extra_files: Permission,
    /// The words that stand for nulls in CSV and TSV, as [`TableContract::null_values`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null_values: Option<Vec<String>>,
}

/// What a person wrote about the files of one glob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileContract {
    /// There must be one. What it holds is not asked.
    Present,
    /// There may be one. What it holds is not asked.
    Optional,
    /// There must be one, and what holds for each table that the files are.
    #[serde(untagged)]
    Table(TableContract),
}

/// What a person wrote about a table: its columns, whether others may be there, and how many rows there must be.
///
/// ```
/// use runtime_testing_models::{TableContract, TypeWord};
///
/// let contract = TableContract::default().with_column("amount", TypeWord::Float);
/// assert!(contract.columns["amount"].nullable);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TableContract {
    /// The columns that must be there, unless they are optional.
    pub columns: IndexMap<String, ColumnContract>,
    /// Whether there may be other columns. They may, by default.
    #[serde(skip_serializing_if = "Permission::is_allow")]
    pub extra_columns: Permission,
    /// The least number of rows. Without it a table needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_rows: Option<u64>,
    /// The greatest number of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<u64>,
    /// Columns of which no two rows have the same values in all of them, each list for itself. Rows with a null in one of them
    /// do not count.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "serialize_unique")]
    pub unique: Vec<Vec<String>>,
    /// Whether files of the table may have no rows as long as another has some. Where it is not said, the sample of an input decides;
    /// without one they may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_files: Option<Permission>,
    /// What stands between the cells of CSV. Where it is not said, the sample of an input decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// The words that stand for nulls in CSV and TSV, in place of the usual ones. The empty cell always does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null_values: Option<Vec<String>>,
}

/// What a person wrote about one column, or about something within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnContract {
    /// What kind of values it holds.
    pub data_type: ContractType,
    /// Whether nulls may be in it. They may, by default.
    pub nullable: bool,
    /// Whether the column may be missing. It may not, by default.
    pub optional: bool,
    /// The fields of a struct that must be there, unless they are optional. Others may be there.
    pub fields: IndexMap<String, ColumnContract>,
    /// What the items of a list are.
    pub items: Option<Box<ColumnContract>>,
    /// What the values of a map are.
    pub map_values: Option<Box<ColumnContract>>,
    /// What its values must be. Nothing within a column has such.
    pub constraints: Constraints,
}

/// What the values of a column must be. Nulls are not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Constraints {
    /// Whether no value comes twice.
    pub unique: bool,
    /// The least value: a number, or a day or moment as text (`2024-01-31`, `2024-01-31T00:00:00Z`).
    pub minimum: Option<JobValue>,
    /// The greatest value, as the least one.
    pub maximum: Option<JobValue>,
    /// All values that there may be: texts, numbers, or truth values. Where it is empty, there may be any.
    pub values: Vec<JobValue>,
    /// A regular expression that each text matches as a whole.
    pub pattern: Option<String>,
    /// The greatest share of rows that may be null, from 0 to 1.
    pub max_null_fraction: Option<JobNumber>,
}

/// Whether something that a contract does not name may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// It may.
    #[default]
    Allow,
    /// It is a break.
    Forbid,
}

impl Permission {
    /// The word as specs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Forbid => "forbid",
        }
    }

    fn is_allow(&self) -> bool {
        *self == Self::Allow
    }
}

/// The type that a contract asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ContractType {
    /// A type of any width, unit, zone and scale.
    Word(TypeWord),
    /// A type with its unit and zone, or its digits: `timestamp[us, UTC]`, `time[ms]`, `duration[s]`, `decimal(9,2)`.
    Exact(LogicalType),
}

impl ContractType {
    /// The type that a text of a spec stands for.
    pub fn from_text(text: &str) -> Option<Self> {
        if let Some(word) = TypeWord::from_word(text) {
            return Some(Self::Word(word));
        }
        use LogicalType::{Decimal, Duration, Time, Timestamp};
        let exact = LogicalType::from(text);
        let is_exact = match &exact {
            Decimal(digits, scale) => (1..=76).contains(digits) && i16::from(*scale) <= i16::from(*digits),
            Timestamp(_, Some(zone)) => !zone.trim().is_empty(),
            Duration(_) | Time(_) | Timestamp(_, None) => true,
            _ => false,
        };
        is_exact.then_some(Self::Exact(exact))
    }

    /// The kind of type that it is.
    pub fn word(&self) -> TypeWord {
        match self {
            Self::Word(word) => *word,
            Self::Exact(LogicalType::Decimal(..)) => TypeWord::Decimal,
            Self::Exact(LogicalType::Time(_)) => TypeWord::Time,
            Self::Exact(LogicalType::Timestamp(..)) => TypeWord::Timestamp,
            Self::Exact(LogicalType::Duration(_)) => TypeWord::Duration,
            Self::Exact(_) => TypeWord::Any,
        }
    }
}

impl From<TypeWord> for ContractType {
    fn from(word: TypeWord) -> Self {
        Self::Word(word)
    }
}

impl PartialEq<TypeWord> for ContractType {
    fn eq(&self, word: &TypeWord) -> bool {
        *self == Self::Word(*word)
    }
}

impl fmt::Display for ContractType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => word.fmt(formatter),
            Self::Exact(exact) => exact.fmt(formatter),
        }
    }
}

/// The type of a column in one word. Each stands for all widths and units of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TypeWord {
    /// True or false.
    Boolean,
    /// A whole number of any width, signed or not.
    Integer,
    /// A floating-point number of any width. A column of integers is accepted: it promotes safely.
    Float,
    /// A decimal number of any precision and scale.
    Decimal,
    /// Text.
    Text,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A point in time, with or without zone, in any unit.
    Timestamp,
    /// A span of time.
    Duration,
    /// Bytes.
    Binary,
    /// A list of any values.
    List,
    /// A struct of any fields.
    Struct,
    /// A map of any keys and values.
    Map,
    /// Anything.
    Any,
}

impl TypeWord {
    /// Every word, in the order of the enum.
    pub const ALL: [Self; 14] = [
        Self::Boolean,
        Self::Integer,
        Self::Float,
        Self::Decimal,
        Self::Text,
        Self::Date,
        Self::Time,
        Self::Timestamp,
        Self::Duration,
        Self::Binary,
        Self::List,
        Self::Struct,
        Self::Map,
        Self::Any,
    ];

    /// The word as specs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::Text => "text",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Binary => "binary",
            Self::List => "list",
            Self::Struct => "struct",
            Self::Map => "map",
            Self::Any => "any",
        }
    }

    /// The type that a word of a spec stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

impl fmt::Display for TypeWord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl DataContract {
    /// What it says of tables.
    pub fn tables(&self) -> impl Iterator<Item = &TableContract> {
        let (table, files) = match self {
            Self::Table(table) => (Some(table), None),
            Self::Files(files) => (None, Some(files.files.values())),
        };
        let of_files = files.into_iter().flatten().filter_map(|file| match file {
            FileContract::Table(table) => Some(table),
            FileContract::Present | FileContract::Optional => None,
        });
        table.into_iter().chain(of_files)
    }

    /// The words that stand for nulls in CSV and TSV, if it says so.
    pub fn null_values(&self) -> Option<&[String]> {
        match self {
            Self::Table(table) => table.null_values.as_deref(),
            Self::Files(files) => files.null_values.as_deref(),
        }
    }
}

impl From<TableContract> for DataContract {
    fn from(table: TableContract) -> Self {
        Self::Table(table)
    }
}

impl From<FilesContract> for DataContract {
    fn from(files: FilesContract) -> Self {
        Self::Files(files)
    }
}

impl TableContract {
    /// The contract with one more column, which may hold nulls and must be there.
    #[must_use]
    pub fn with_column(mut self, name: impl Into<String>, data_type: impl Into<ContractType>) -> Self {
        self.columns.insert(name.into(), ColumnContract::new(data_type));
        self
    }

    /// Whether it asks something of values, which only rows show.
    pub fn has_constraints(&self) -> bool {
        let is_asked =
            |column: &ColumnContract| column.constraints.are_of_values() || column.has_inner_rules();
        !self.unique.is_empty() || self.columns.values().any(is_asked)
    }
}

impl ColumnContract {
    /// A column that may hold nulls and must be there.
    pub fn new(data_type: impl Into<ContractType>) -> Self {
        Self {
            data_type: data_type.into(),
            nullable: true,
            optional: false,
            fields: IndexMap::new(),
            items: None,
            map_values: None,
            constraints: Constraints::default(),
        }
    }
}

impl ColumnContract {
    /// Whether something within it must not be null.
    fn has_inner_rules(&self) -> bool {
        let of_fields = self.fields.values().chain(self.items.as_deref()).chain(self.map_values.as_deref());
        of_fields.into_iter().any(|inner| !inner.nullable || inner.has_inner_rules())
    }
}

impl Constraints {
    /// Whether something is asked of values, and not of nulls alone.
    pub fn are_of_values(&self) -> bool {
        let Self { unique, minimum, maximum, values, pattern, max_null_fraction: _ } = self;
        *unique || minimum.is_some() || maximum.is_some() || !values.is_empty() || pattern.is_some()
    }
}

impl Serialize for ContractType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Written as the type alone where all else is as by default.
impl Serialize for ColumnContract {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;

        if *self == Self::new(self.data_type.clone()) {
            return self.data_type.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &self.data_type)?;
        if !self.nullable {
            map.serialize_entry("nullable", &false)?;
        }
        if self.optional {
            map.serialize_entry("optional", &true)?;
        }
        if !self.fields.is_empty() {
            map.serialize_entry("fields", &self.fields)?;
        }
        if let Some(items) = &self.items {
            map.serialize_entry("items", items)?;
        }
        if let Some(values) = &self.map_values {
            map.serialize_entry("values", values)?;
        }
        for (key, value) in self.constraints.entries() {
            map.serialize_entry(key, &value)?;
        }
        map.end()
    }
}

/// One list of columns is written as it is.
fn serialize_unique<S: serde::Serializer>(unique: &[Vec<String>], serializer: S) -> Result<S::Ok, S::Error> {
    match unique {
        [only] => only.serialize(serializer),
        several => several.serialize(serializer),
    }
}

impl Constraints {
    /// The keys and values by which specs write them.
    pub(crate) fn entries(&self) -> Vec<(&'static str, JobValue)> {
        let mut entries = Vec::new();
        if self.unique {
            entries.push(("unique", JobValue::Bool(true)));
        }
        entries.extend(self.minimum.clone().map(|minimum| ("minimum", minimum)));
        entries.extend(self.maximum.clone().map(|maximum| ("maximum", maximum)));
        if !self.values.is_empty() {
            entries.push(("values", JobValue::Array(self.values.clone())));
        }
        entries.extend(self.pattern.clone().map(|pattern| ("pattern", JobValue::String(pattern))));
        let fraction = self.max_null_fraction.clone();
        entries.extend(fraction.map(|fraction| ("max_null_fraction", JobValue::Number(fraction))));
        entries
    }
}
