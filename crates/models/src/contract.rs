use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

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
    #[serde(skip_serializing_if = "ExtraColumns::is_default")]
    pub extra_columns: ExtraColumns,
    /// The least number of rows. Without it a table needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_rows: Option<u64>,
}

/// What a person wrote about one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnContract {
    /// What kind of values it holds.
    pub data_type: TypeWord,
    /// Whether nulls may be in it. They may, by default.
    pub nullable: bool,
    /// Whether the column may be missing. It may not, by default.
    pub optional: bool,
}

/// Whether columns that a contract does not name may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtraColumns {
    /// They may.
    #[default]
    Allow,
    /// Each is a break.
    Forbid,
}

impl ExtraColumns {
    fn is_default(&self) -> bool {
        *self == Self::Allow
    }
}

/// The type of a column in one word. Each stands for all widths and units of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

impl TableContract {
    /// The contract with one more column, which may hold nulls and must be there.
    #[must_use]
    pub fn with_column(mut self, name: impl Into<String>, data_type: TypeWord) -> Self {
        self.columns.insert(name.into(), ColumnContract::new(data_type));
        self
    }
}

impl ColumnContract {
    /// A column that may hold nulls and must be there.
    pub fn new(data_type: TypeWord) -> Self {
        Self { data_type, nullable: true, optional: false }
    }
}

/// Written as the type alone where all else is as by default.
impl Serialize for ColumnContract {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;

        if self.nullable && !self.optional {
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
        map.end()
    }
}
