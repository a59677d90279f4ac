//! The types of columns in words: what profiles, differences and reports say, whatever format the data comes in.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

use super::parser;

/// A type. Its `Display` is what stands in [`Column::data_type`](runtime_testing_models::Column::data_type).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TypeWords {
    Null,
    Boolean,
    /// A signed integer of so many bits.
    Int(u8),
    /// An unsigned integer of so many bits.
    Uint(u8),
    /// A floating-point number of so many bits.
    Float(u8),
    Decimal(u8, i8),
    Text,
    Binary,
    Date,
    Time(TimeUnit),
    Timestamp(TimeUnit, Option<String>),
    Duration(TimeUnit),
    Interval,
    List(Box<TypeWords>),
    Struct(Vec<(String, TypeWords)>),
    Map(Box<TypeWords>, Box<TypeWords>),
    /// Values of several kinds. Only JSON has such columns, and Arrow's unions, which none of our readers make.
    Mixed,
    /// What [`TypeWords::parse`] does not know.
    Other(String),
}

impl TypeWords {
    /// The words for an Arrow type. How values are laid out does not count: widths of offsets, views, dictionaries
    /// and runs all hold the same values.
    pub(crate) fn of_arrow(data_type: &DataType) -> Self {
        let of = |field: &Field| Box::new(Self::of_arrow(field.data_type()));
        match data_type {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::Int(8),
            DataType::Int16 => Self::Int(16),
            DataType::Int32 => Self::Int(32),
            DataType::Int64 => Self::Int(64),
            DataType::UInt8 => Self::Uint(8),
            DataType::UInt16 => Self::Uint(16),
            DataType::UInt32 => Self::Uint(32),
            DataType::UInt64 => Self::Uint(64),
            DataType::Float16 => Self::Float(16),
            DataType::Float32 => Self::Float(32),
            DataType::Float64 => Self::Float(64),
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale)
            | DataType::Decimal256(precision, scale) => Self::Decimal(*precision, *scale),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Self::Binary,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(unit) | DataType::Time64(unit) => Self::Time(*unit),
            DataType::Timestamp(unit, zone) => Self::Timestamp(*unit, zone.as_deref().map(zone_name)),
            DataType::Duration(unit) => Self::Duration(*unit),
            DataType::Interval(_) => Self::Interval,
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::ListView(item)
            | DataType::LargeListView(item)
            | DataType::FixedSizeList(item, _) => Self::List(of(item)),
            DataType::Struct(fields) => {
                Self::Struct(fields.iter().map(|field| (field.name().clone(), *of(field))).collect())
            }
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => Self::Map(of(&fields[0]), of(&fields[1])),
                other => Self::Other(format!("map<{}>", Self::of_arrow(other))),
            },
            DataType::Dictionary(_, values) => Self::of_arrow(values),
            DataType::RunEndEncoded(_, values) => *of(values),
            DataType::Union(..) => Self::Mixed,
        }
    }

    /// The Arrow type for what text formats yield, and none for what Arrow has no single type for.
    pub(crate) fn to_arrow(&self) -> Option<DataType> {
        Some(match self {
            Self::Null => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::Int(64) => DataType::Int64,
            Self::Float(64) => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Date => DataType::Date32,
            Self::Timestamp(unit, zone) => DataType::Timestamp(*unit, zone.as_deref().map(Arc::from)),
            Self::List(item) => DataType::List(Arc::new(Field::new_list_field(item.to_arrow()?, true))),
            Self::Struct(fields) => {
                let fields =
                    fields.iter().map(|(name, words)| Some(Field::new(name, words.to_arrow()?, true)));
                DataType::Struct(fields.collect::<Option<Vec<_>>>()?.into())
            }
            Self::Map(key, value) => {
                let key = Field::new("keys", key.to_arrow()?, false);
                let value = Field::new("values", value.to_arrow()?, true);
                let entries = DataType::Struct(vec![key, value].into());
                DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
            }
            _ => return None,
        })
    }

    /// Reads what `Display` writes. A text that is none of that is a type of its own, equal to itself alone.
    pub(crate) fn parse(text: &str) -> Self {
        parser::parse(text).unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    /// Whether it is an integer of any width.
    pub(crate) fn is_integer(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Uint(_))
    }
}

/// The name of a time zone: the several ways to say UTC are one.
fn zone_name(zone: &str) -> String {
    match zone {
        "Z" | "UTC" | "utc" | "+00:00" | "-00:00" | "+0000" | "Etc/UTC" => "UTC".to_owned(),
        other => other.to_owned(),
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

impl fmt::Display for TypeWords {
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
            Self::Time(unit) => write!(formatter, "time[{}]", unit_name(*unit)),
            Self::Timestamp(unit, None) => write!(formatter, "timestamp[{}]", unit_name(*unit)),
            Self::Timestamp(unit, Some(zone)) => write!(formatter, "timestamp[{}, {zone}]", unit_name(*unit)),
            Self::Duration(unit) => write!(formatter, "duration[{}]", unit_name(*unit)),
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
pub(crate) fn path_name(name: &str, is_quoted: bool) -> Cow<'_, str> {
    if is_quoted || name.contains(OF_PATHS) { quoted(name).into() } else { field_name(name) }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Fields, IntervalUnit, UnionFields, UnionMode};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(data_type: &DataType, expected: &str) {
        let words = TypeWords::of_arrow(data_type);
        assert_eq!(words.to_string(), expected);
        assert_eq!(TypeWords::parse(expected), words);
    }

    fn field(name: &str, data_type: DataType) -> Arc<Field> {
        Arc::new(Field::new(name, data_type, true))
    }

    #[test]
    fn plain_types() {
        check(&DataType::Null, "null");
        check(&DataType::Boolean, "boolean");
        check(&DataType::Int8, "int8");
        check(&DataType::Int16, "int16");
        check(&DataType::Int32, "int32");
        check(&DataType::Int64, "int64");
        check(&DataType::UInt8, "uint8");
        check(&DataType::UInt16, "uint16");
        check(&DataType::UInt32, "uint32");
        check(&DataType::UInt64, "uint64");
        check(&DataType::Float16, "float16");
        check(&DataType::Float32, "float32");
        check(&DataType::Float64, "float64");
        check(&DataType::Decimal32(5, -2), "decimal(5,-2)");
        check(&DataType::Decimal64(12, 2), "decimal(12,2)");
        check(&DataType::Decimal128(10, 2), "decimal(10,2)");
        check(&DataType::Decimal256(40, 0), "decimal(40,0)");
        for text in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View] {
            check(&text, "text");
        }
        for binary in
            [DataType::Binary, DataType::LargeBinary, DataType::BinaryView, DataType::FixedSizeBinary(16)]
        {
            check(&binary, "binary");
        }
    }

    #[test]
    fn times() {
        check(&DataType::Date32, "date");
        check(&DataType::Date64, "date");
        check(&DataType::Time32(TimeUnit::Second), "time[s]");
        check(&DataType::Time64(TimeUnit::Nanosecond), "time[ns]");
        check(&DataType::Timestamp(TimeUnit::Microsecond, None), "timestamp[us]");
        check(&DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into())), "timestamp[ms, UTC]");
        check(
            &DataType::Timestamp(TimeUnit::Second, Some("Europe/Oslo".into())),
            "timestamp[s, Europe/Oslo]",
        );
        check(&DataType::Duration(TimeUnit::Microsecond), "duration[us]");
        check(&DataType::Interval(IntervalUnit::MonthDayNano), "interval");
    }

    #[test]
    fn nested_types() {
        let item = field("item", DataType::Int64);
        for list in [
            DataType::List(item.clone()),
            DataType::LargeList(item.clone()),
            DataType::ListView(item.clone()),
            DataType::LargeListView(item.clone()),
            DataType::FixedSizeList(item.clone(), 3),
        ] {
            check(&list, "list<int64>");
        }
        let point = Fields::from(vec![field("x", DataType::Float64), field("a b", DataType::Utf8)]);
        check(&DataType::Struct(point.clone()), "struct<x: float64, a b: text>");
        check(&DataType::Struct(Fields::empty()), "struct<>");
        let odd = Fields::from(vec![field("", DataType::Null), field("a: \"b\\", DataType::Null)]);
        check(&DataType::Struct(odd), r#"struct<"": null, "a: \"b\\": null>"#);
        let entries = field("entries", DataType::Struct(point));
        check(&DataType::Map(entries, false), "map<float64, text>");
        check(&DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), "text");
        check(&DataType::RunEndEncoded(field("run_ends", DataType::Int32), item), "int64");
        check(&DataType::Union(UnionFields::empty(), UnionMode::Sparse), "mixed");
    }

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
            assert_eq!(TypeWords::parse(text), TypeWords::Other(text.to_owned()));
        }
    }

    #[test]
    fn text_formats_have_arrow_types() {
        for text in ["null", "int64", "timestamp[us, UTC]", "list<struct<a: text>>", "struct<>", "date"] {
            let words = TypeWords::parse(text);
            let data_type = words.to_arrow().expect("an Arrow type");
            assert_eq!(TypeWords::of_arrow(&data_type), words);
        }
        assert_eq!(TypeWords::parse("list<mixed>").to_arrow(), None);
    }

    fn any_words() -> impl Strategy<Value = TypeWords> {
        let unit =
            prop_oneof![Just(TimeUnit::Second), Just(TimeUnit::Millisecond), Just(TimeUnit::Nanosecond)];
        let leaf = prop_oneof![
            Just(TypeWords::Null),
            Just(TypeWords::Mixed),
            prop_oneof![Just(8_u8), Just(16), Just(32), Just(64)].prop_map(TypeWords::Uint),
            (any::<u8>(), any::<i8>()).prop_map(|(precision, scale)| TypeWords::Decimal(precision, scale)),
            (unit, prop::option::of("[A-Za-z/+:0-9]{1,12}"))
                .prop_map(|(unit, zone)| TypeWords::Timestamp(unit, zone)),
        ];
        leaf.prop_recursive(4, 16, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|item| TypeWords::List(Box::new(item))),
                (inner.clone(), inner.clone())
                    .prop_map(|(key, value)| TypeWords::Map(Box::new(key), Box::new(value))),
                prop::collection::vec((any::<String>(), inner), 0..4).prop_map(TypeWords::Struct),
            ]
        })
    }

    proptest! {
        #[test]
        fn parsing_reverses_writing(words in any_words()) {
            prop_assert_eq!(TypeWords::parse(&words.to_string()), words);
        }
    }
}
