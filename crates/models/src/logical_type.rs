//! The types of columns: what profiles, differences, contracts and reports say, whatever format the data comes in.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The unit of times and of spans of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeUnit {
    /// Seconds, `s`.
    Second,
    /// Milliseconds, `ms`.
    Millisecond,
    /// Microseconds, `us`.
    Microsecond,
    /// Nanoseconds, `ns`.
    Nanosecond,
}

impl TimeUnit {
    /// The unit's name, as types write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Millisecond => "ms",
            Self::Microsecond => "us",
            Self::Nanosecond => "ns",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        let units = [Self::Second, Self::Millisecond, Self::Microsecond, Self::Nanosecond];
        units.into_iter().find(|unit| unit.as_str() == name)
    }
}

/// The type of a column. It is written and read as a text: `int64`, `timestamp[us, UTC]`, `list<struct<a: text>>`.
///
/// How values are laid out does not count: all layouts of Arrow that hold the same values have one type.
///
/// ```
/// use runtime_testing_models::{LogicalType, TimeUnit};
///
/// let moment = LogicalType::Timestamp(TimeUnit::Microsecond, Some("UTC".to_owned()));
/// assert_eq!(moment.to_string(), "timestamp[us, UTC]");
/// assert_eq!(LogicalType::from("timestamp[us, UTC]"), moment);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum LogicalType {
    /// No value is known.
    Null,
    /// True or false.
    Boolean,
    /// A signed integer of so many bits.
    Int(u8),
    /// An unsigned integer of so many bits.
    Uint(u8),
    /// A floating-point number of so many bits.
    Float(u8),
    /// A decimal number: how many digits it has, and how many of them stand behind the point.
    Decimal(u8, i8),
    /// Text.
    Text,
    /// Bytes.
    Binary,
    /// A day.
    Date,
    /// A time of day.
    Time(TimeUnit),
    /// A point in time, and its zone if it has one.
    Timestamp(TimeUnit, Option<String>),
    /// A span of time.
    Duration(TimeUnit),
    /// A span of months, days and time.
    Interval,
    /// A list of items of one type.
    List(Box<LogicalType>),
    /// Fields with their names.
    Struct(Vec<(String, LogicalType)>),
    /// Keys and values.
    Map(Box<LogicalType>, Box<LogicalType>),
    /// Values of several kinds. Only JSON has such columns, and Arrow's unions, which none of our readers make.
    Mixed,
    /// Any other text: a type that equals only itself.
    Other(String),
}

impl LogicalType {
    /// Whether it is an integer of any width.
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Uint(_))
    }
}

impl From<&str> for LogicalType {
    fn from(text: &str) -> Self {
        parse(text).unwrap_or_else(|| Self::Other(text.to_owned()))
    }
}

impl From<String> for LogicalType {
    fn from(text: String) -> Self {
        parse(&text).unwrap_or(Self::Other(text))
    }
}

impl From<LogicalType> for String {
    fn from(logical_type: LogicalType) -> Self {
        logical_type.to_string()
    }
}

impl fmt::Display for LogicalType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Boolean => formatter.write_str("boolean"),
            Self::Int(bits) => write!(formatter, "int{bits}"),
            Self::Uint(bits) => write!(formatter, "uint{bits}"),
            Self::Float(bits) => write!(formatter, "float{bits}"),
            Self::Decimal(precision, scale) => write!(formatter, "decimal({precision},{scale})"),
            Self::Text => formatter.write_str("text"),
            Self::Binary => formatter.write_str("binary"),
            Self::Date => formatter.write_str("date"),
            Self::Time(unit) => write!(formatter, "time[{}]", unit.as_str()),
            Self::Timestamp(unit, None) => write!(formatter, "timestamp[{}]", unit.as_str()),
            Self::Timestamp(unit, Some(zone)) => write!(formatter, "timestamp[{}, {zone}]", unit.as_str()),
            Self::Duration(unit) => write!(formatter, "duration[{}]", unit.as_str()),
            Self::Interval => formatter.write_str("interval"),
            Self::List(item) => write!(formatter, "list<{item}>"),
            Self::Struct(fields) => {
                formatter.write_str("struct<")?;
                for (index, (name, words)) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(formatter, "{comma}{}: {words}", field_name(name))?;
                }
                formatter.write_str(">")
            }
            Self::Map(key, value) => write!(formatter, "map<{key}, {value}>"),
            Self::Mixed => formatter.write_str("mixed"),
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

/// The characters of types that could be taken for something else within the name of a field.
const OF_TYPES: [char; 6] = [',', ':', '<', '>', '"', '\\'];

/// Those of paths.
const OF_PATHS: [char; 5] = ['.', '[', ']', '{', '}'];

/// The name of a struct's field, in quotes where it could be taken for something else.
fn field_name(name: &str) -> Cow<'_, str> {
    let is_plain = !name.is_empty() && name.trim() == name && !name.contains(OF_TYPES);
    if is_plain { name.into() } else { quoted(name).into() }
}

/// The name of a column or a field in a path, in quotes where it could be taken for something else, or if it is to be.
pub fn path_name(name: &str, is_quoted: bool) -> Cow<'_, str> {
    if is_quoted || name.contains(OF_PATHS) { quoted(name).into() } else { field_name(name) }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// How deep types may be nested in a text.
const MAX_DEPTH: usize = 256;

/// The type that a text writes in words, if it does.
fn parse(text: &str) -> Option<LogicalType> {
    let mut parser = Parser { rest: text };
    parser.words(0).filter(|_| parser.rest.is_empty())
}

/// Reads words from the front of a text; none where they are not what is wanted.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn words(&mut self, depth: usize) -> Option<LogicalType> {
        if depth > MAX_DEPTH {
            return None;
        }
        let name = self.take_while(|byte| byte.is_ascii_alphanumeric())?;
        Some(match name {
            "null" => LogicalType::Null,
            "boolean" => LogicalType::Boolean,
            "int8" => LogicalType::Int(8),
            "int16" => LogicalType::Int(16),
            "int32" => LogicalType::Int(32),
            "int64" => LogicalType::Int(64),
            "uint8" => LogicalType::Uint(8),
            "uint16" => LogicalType::Uint(16),
            "uint32" => LogicalType::Uint(32),
            "uint64" => LogicalType::Uint(64),
            "float16" => LogicalType::Float(16),
            "float32" => LogicalType::Float(32),
            "float64" => LogicalType::Float(64),
            "text" => LogicalType::Text,
            "binary" => LogicalType::Binary,
            "date" => LogicalType::Date,
            "interval" => LogicalType::Interval,
            "mixed" => LogicalType::Mixed,
            "decimal" => {
                let (precision, scale) = self.between("(", ")")?.split_once(',')?;
                LogicalType::Decimal(precision.parse().ok()?, scale.parse().ok()?)
            }
            "time" => LogicalType::Time(TimeUnit::from_name(self.between("[", "]")?)?),
            "duration" => LogicalType::Duration(TimeUnit::from_name(self.between("[", "]")?)?),
            "timestamp" => {
                let inside = self.between("[", "]")?;
                match inside.split_once(", ") {
                    Some((name, zone)) => {
                        LogicalType::Timestamp(TimeUnit::from_name(name)?, Some(zone.to_owned()))
                    }
                    None => LogicalType::Timestamp(TimeUnit::from_name(inside)?, None),
                }
            }
            "list" => {
                self.take("<")?;
                let item = self.words(depth + 1)?;
                self.take(">")?;
                LogicalType::List(Box::new(item))
            }
            "map" => {
                self.take("<")?;
                let key = self.words(depth + 1)?;
                self.take(", ")?;
                let value = self.words(depth + 1)?;
                self.take(">")?;
                LogicalType::Map(Box::new(key), Box::new(value))
            }
            "struct" => {
                self.take("<")?;
                let mut fields = Vec::new();
                while self.take(">").is_none() {
                    if !fields.is_empty() {
                        self.take(", ")?;
                    }
                    let name = self.field_name()?;
                    self.take(": ")?;
                    fields.push((name, self.words(depth + 1)?));
                }
                LogicalType::Struct(fields)
            }
            _ => return None,
        })
    }

    fn field_name(&mut self) -> Option<String> {
        if self.take("\"").is_none() {
            let end = self.rest.find(':')?;
            let (name, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Some(name.to_owned());
        }
        let mut name = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[index + 1..];
                    return Some(name);
                }
                '\\' => name.push(characters.next()?.1),
                other => name.push(other),
            }
        }
        None
    }

    fn take(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn between(&mut self, open: &str, close: &str) -> Option<&'a str> {
        self.take(open)?;
        let (inside, rest) = self.rest.split_once(close)?;
        self.rest = rest;
        Some(inside)
    }

    fn take_while(&mut self, wanted: impl Fn(&u8) -> bool) -> Option<&'a str> {
        let end = self.rest.bytes().position(|byte| !wanted(&byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        (end > 0).then_some(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_in_paths() {
        for plain in ["a", "a b", "Größe", "it's"] {
            assert_eq!(path_name(plain, false), plain);
        }
        for (name, quoted) in [
            ("a.b", r#""a.b""#),
            ("", r#""""#),
            ("x[]", r#""x[]""#),
            (" a", r#"" a""#),
            (r#"a"\"#, r#""a\"\\""#),
        ] {
            assert_eq!(path_name(name, false), quoted);
        }
        assert_eq!(path_name("a", true), r#""a""#);
    }

    #[test]
    fn what_is_not_known_is_equal_to_itself_alone() {
        let deep = "list<".repeat(100_000);
        for text in
            ["", "int63", "list<int64", "list<int64>>", "timestamp[h]", "decimal(1)", "struct<a>", &deep]
        {
            assert_eq!(LogicalType::from(text), LogicalType::Other(text.to_owned()));
        }
    }

    fn any_words() -> impl Strategy<Value = LogicalType> {
        let unit =
            prop_oneof![Just(TimeUnit::Second), Just(TimeUnit::Millisecond), Just(TimeUnit::Nanosecond)];
        let leaf = prop_oneof![
            Just(LogicalType::Null),
            Just(LogicalType::Mixed),
            prop_oneof![Just(8_u8), Just(16), Just(32), Just(64)].prop_map(LogicalType::Uint),
            (any::<u8>(), any::<i8>()).prop_map(|(precision, scale)| LogicalType::Decimal(precision, scale)),
            (unit, prop::option::of("[A-Za-z/+:0-9]{1,12}"))
                .prop_map(|(unit, zone)| LogicalType::Timestamp(unit, zone)),
        ];
        leaf.prop_recursive(4, 16, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|item| LogicalType::List(Box::new(item))),
                (inner.clone(), inner.clone())
                    .prop_map(|(key, value)| LogicalType::Map(Box::new(key), Box::new(value))),
                prop::collection::vec((any::<String>(), inner), 0..4).prop_map(LogicalType::Struct),
            ]
        })
    }

    proptest! {
        #[test]
        fn parsing_reverses_writing(words in any_words()) {
            prop_assert_eq!(LogicalType::from(words.to_string()), words);
        }
    }
}
