//! The types that Arrow's types are.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use runtime_testing_models::{self as models, LogicalType};

/// The type that an Arrow type is. How values are laid out does not count: widths of offsets, views, dictionaries
/// and runs all hold the same values.
pub(crate) fn of_arrow(data_type: &DataType) -> LogicalType {
    let of = |field: &Field| Box::new(of_arrow(field.data_type()));
    match data_type {
        DataType::Null => LogicalType::Null,
        DataType::Boolean => LogicalType::Boolean,
        DataType::Int8 => LogicalType::Int(8),
        DataType::Int16 => LogicalType::Int(16),
        DataType::Int32 => LogicalType::Int(32),
        DataType::Int64 => LogicalType::Int(64),
        DataType::UInt8 => LogicalType::Uint(8),
        DataType::UInt16 => LogicalType::Uint(16),
        DataType::UInt32 => LogicalType::Uint(32),
        DataType::UInt64 => LogicalType::Uint(64),
        DataType::Float16 => LogicalType::Float(16),
        DataType::Float32 => LogicalType::Float(32),
        DataType::Float64 => LogicalType::Float(64),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => LogicalType::Decimal(*precision, *scale),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => LogicalType::Text,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            LogicalType::Binary
        }
        DataType::Date32 | DataType::Date64 => LogicalType::Date,
        DataType::Time32(unit) | DataType::Time64(unit) => LogicalType::Time(unit_of(*unit)),
        DataType::Timestamp(unit, zone) => {
            LogicalType::Timestamp(unit_of(*unit), zone.as_deref().map(zone_name))
        }
        DataType::Duration(unit) => LogicalType::Duration(unit_of(*unit)),
        DataType::Interval(_) => LogicalType::Interval,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => LogicalType::List(of(item)),
        DataType::Struct(fields) => {
            LogicalType::Struct(fields.iter().map(|field| (field.name().clone(), *of(field))).collect())
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => LogicalType::Map(of(&fields[0]), of(&fields[1])),
            other => LogicalType::Other(format!("map<{}>", of_arrow(other))),
        },
        DataType::Dictionary(_, values) => of_arrow(values),
        DataType::RunEndEncoded(_, values) => *of(values),
        DataType::Union(..) => LogicalType::Mixed,
    }
}

/// The Arrow type for what text formats yield, and none for what Arrow has no single type for.
pub(crate) fn to_arrow(logical_type: &LogicalType) -> Option<DataType> {
    Some(match logical_type {
        LogicalType::Null => DataType::Null,
        LogicalType::Boolean => DataType::Boolean,
        LogicalType::Int(64) => DataType::Int64,
        LogicalType::Uint(64) => DataType::UInt64,
        LogicalType::Float(64) => DataType::Float64,
        LogicalType::Text => DataType::Utf8,
        LogicalType::Date => DataType::Date32,
        LogicalType::Timestamp(unit, zone) => {
            DataType::Timestamp(unit_to_arrow(*unit), zone.as_deref().map(Arc::from))
        }
        LogicalType::List(item) => DataType::List(Arc::new(Field::new_list_field(to_arrow(item)?, true))),
        LogicalType::Struct(fields) => {
            let fields = fields.iter().map(|(name, words)| Some(Field::new(name, to_arrow(words)?, true)));
            DataType::Struct(fields.collect::<Option<Vec<_>>>()?.into())
        }
        LogicalType::Map(key, value) => {
            let key = Field::new("keys", to_arrow(key)?, false);
            let value = Field::new("values", to_arrow(value)?, true);
            let entries = DataType::Struct(vec![key, value].into());
            DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
        }
        _ => return None,
    })
}

/// The name of a time zone: the several ways to say UTC are one.
fn zone_name(zone: &str) -> String {
    match zone {
        "Z" | "UTC" | "utc" | "+00:00" | "-00:00" | "+0000" | "Etc/UTC" => "UTC".to_owned(),
        other => other.to_owned(),
    }
}

fn unit_of(unit: TimeUnit) -> models::TimeUnit {
    match unit {
        TimeUnit::Second => models::TimeUnit::Second,
        TimeUnit::Millisecond => models::TimeUnit::Millisecond,
        TimeUnit::Microsecond => models::TimeUnit::Microsecond,
        TimeUnit::Nanosecond => models::TimeUnit::Nanosecond,
    }
}

pub(crate) fn unit_to_arrow(unit: models::TimeUnit) -> TimeUnit {
    match unit {
        models::TimeUnit::Second => TimeUnit::Second,
        models::TimeUnit::Millisecond => TimeUnit::Millisecond,
        models::TimeUnit::Microsecond => TimeUnit::Microsecond,
        models::TimeUnit::Nanosecond => TimeUnit::Nanosecond,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Fields, IntervalUnit, UnionFields, UnionMode};

    use super::*;

    #[track_caller]
    fn check(data_type: &DataType, expected: &str) {
        let words = of_arrow(data_type);
        assert_eq!(words.to_string(), expected);
        assert_eq!(LogicalType::from(expected), words);
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
    fn text_formats_have_arrow_types() {
        for text in ["null", "int64", "timestamp[us, UTC]", "list<struct<a: text>>", "struct<>", "date"] {
            let words = LogicalType::from(text);
            let data_type = to_arrow(&words).expect("an Arrow type");
            assert_eq!(of_arrow(&data_type), words);
        }
        assert_eq!(to_arrow(&LogicalType::from("list<mixed>")), None);
    }
}
