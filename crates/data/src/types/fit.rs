//! Whether the type that was found will do where another is expected.

use runtime_testing_models::{ContractType, TypeWord};

use runtime_testing_models::LogicalType;

/// How well a type fits. The order is from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    Same,
    Promotes,
    Changed,
}

/// Holds a type against that of a contract.
pub(crate) fn to_contract(expected: &ContractType, found: &LogicalType) -> Fit {
    use LogicalType::{Decimal, Null, Timestamp};

    match (expected, found) {
        (ContractType::Word(word), found) => to_word(*word, found),
        (_, Null) => Fit::Same,
        (ContractType::Exact(expected), found) if expected == found => Fit::Same,
        (ContractType::Exact(Decimal(digits, scale)), Decimal(found, other)) => match scale == other {
            true if found <= digits => Fit::Same,
            _ => Fit::Changed,
        },
        // Every integer of so many bits has room before the point.
        (ContractType::Exact(Decimal(digits, scale)), found) if found.is_integer() => {
            let room = i16::from(*digits) - i16::from(*scale);
            if room >= digits_of(found) { Fit::Promotes } else { Fit::Changed }
        }
        // A day has no zone.
        (ContractType::Exact(Timestamp(_, None)), LogicalType::Date) => Fit::Promotes,
        _ => Fit::Changed,
    }
}

/// How many digits the largest integer of a type has.
fn digits_of(integer: &LogicalType) -> i16 {
    match integer {
        LogicalType::Int(8) | LogicalType::Uint(8) => 3,
        LogicalType::Int(16) | LogicalType::Uint(16) => 5,
        LogicalType::Int(32) | LogicalType::Uint(32) => 10,
        LogicalType::Int(_) => 19,
        _ => 20,
    }
}

/// Holds a type against a word of a contract. A column of nulls alone has no type that could be wrong.
fn to_word(expected: TypeWord, found: &LogicalType) -> Fit {
    let is_same = match expected {
        TypeWord::Boolean => matches!(found, LogicalType::Boolean),
        TypeWord::Integer => found.is_integer(),
        TypeWord::Float => matches!(found, LogicalType::Float(_)),
        TypeWord::Decimal => matches!(found, LogicalType::Decimal(..)),
        TypeWord::Text => matches!(found, LogicalType::Text),
        TypeWord::Date => matches!(found, LogicalType::Date),
        TypeWord::Time => matches!(found, LogicalType::Time(_)),
        TypeWord::Timestamp => matches!(found, LogicalType::Timestamp(..)),
        TypeWord::Duration => matches!(found, LogicalType::Duration(_)),
        TypeWord::Binary => matches!(found, LogicalType::Binary),
        TypeWord::List => matches!(found, LogicalType::List(_)),
        TypeWord::Struct => matches!(found, LogicalType::Struct(_)),
        TypeWord::Map => matches!(found, LogicalType::Map(..)),
        TypeWord::Any => true,
        _ => false,
    };
    let promotes = match expected {
        TypeWord::Float | TypeWord::Decimal => found.is_integer(),
        TypeWord::Timestamp => matches!(found, LogicalType::Date),
        _ => false,
    };
    match (is_same || *found == LogicalType::Null, promotes) {
        (true, _) => Fit::Same,
        (false, true) => Fit::Promotes,
        (false, false) => Fit::Changed,
    }
}

/// Holds a type against that of a sample, which cannot tell whether its integers are floats that happen to be whole.
pub(crate) fn to_sample(expected: &LogicalType, found: &LogicalType) -> Fit {
    use LogicalType::{Date, Decimal, Duration, Float, List, Map, Null, Struct, Time, Timestamp};

    let is_number = |words: &LogicalType| words.is_integer() || matches!(words, Float(_) | Decimal(..));
    match (expected, found) {
        (one, other) if one == other => Fit::Same,
        (Null, _) | (_, Null) => Fit::Promotes,
        (expected, Decimal(..)) if expected.is_integer() => Fit::Changed,
        // What the sample shows may not hold all of them.
        (LogicalType::Int(_), LogicalType::Uint(64)) => Fit::Changed,
        (expected, found) if is_number(expected) && is_number(found) => Fit::Promotes,
        (Timestamp(_, zone), Timestamp(_, other)) if zone.is_some() == other.is_some() => Fit::Promotes,
        // A day has no zone.
        (Timestamp(_, None), Date) | (Time(_), Time(_)) | (Duration(_), Duration(_)) => Fit::Promotes,
        (List(expected), List(found)) => to_sample(expected, found),
        (Map(key, value), Map(found_key, found_value)) => {
            to_sample(key, found_key).max(to_sample(value, found_value))
        }
        (Struct(expected), Struct(found)) => fields_to_sample(expected, found),
        _ => Fit::Changed,
    }
}

/// Holds the fields of a struct against those of a sample: more of them, and another order, do no harm.
fn fields_to_sample(expected: &[(String, LogicalType)], found: &[(String, LogicalType)]) -> Fit {
    let field_fits = expected.iter().map(|(name, expected)| {
        let found = found.iter().find(|(found_name, _)| found_name == name);
        found.map_or(Fit::Changed, |(_, found)| to_sample(expected, found))
    });
    // The two are not the same, be it in their order alone.
    field_fits.fold(Fit::Promotes, Fit::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The types of each kind of fit. All others of the list must be changes.
    #[track_caller]
    fn check_contract(word: TypeWord, same: &[&str], promote: &[&str]) {
        const ALL: [&str; 22] = [
            "boolean",
            "int8",
            "int64",
            "uint32",
            "float16",
            "float64",
            "decimal(10,2)",
            "text",
            "binary",
            "date",
            "time[ms]",
            "timestamp[us]",
            "timestamp[ns, UTC]",
            "duration[s]",
            "interval",
            "list<int64>",
            "struct<a: int64>",
            "map<text, int64>",
            "mixed",
            "null",
            "list<null>",
            "struct<>",
        ];
        for found in ALL {
            let expected = match found {
                "null" => Fit::Same,
                found if same.contains(&found) => Fit::Same,
                found if promote.contains(&found) => Fit::Promotes,
                _ => Fit::Changed,
            };
            assert_eq!(to_contract(&word.into(), &LogicalType::from(found)), expected, "{found} as {word}");
        }
    }

    #[test]
    fn contracts() {
        let integers = ["int8", "int64", "uint32"];
        check_contract(TypeWord::Boolean, &["boolean"], &[]);
        check_contract(TypeWord::Integer, &integers, &[]);
        check_contract(TypeWord::Float, &["float16", "float64"], &integers);
        check_contract(TypeWord::Decimal, &["decimal(10,2)"], &integers);
        check_contract(TypeWord::Text, &["text"], &[]);
        check_contract(TypeWord::Date, &["date"], &[]);
        check_contract(TypeWord::Time, &["time[ms]"], &[]);
        check_contract(TypeWord::Timestamp, &["timestamp[us]", "timestamp[ns, UTC]"], &["date"]);
        check_contract(TypeWord::Duration, &["duration[s]"], &[]);
        check_contract(TypeWord::Binary, &["binary"], &[]);
        check_contract(TypeWord::List, &["list<int64>", "list<null>"], &[]);
        check_contract(TypeWord::Struct, &["struct<a: int64>", "struct<>"], &[]);
        check_contract(TypeWord::Map, &["map<text, int64>"], &[]);
        assert_eq!(to_contract(&TypeWord::Any.into(), &LogicalType::Mixed), Fit::Same);
    }

    #[track_caller]
    fn check_sample(expected: &str, found: &str, fit: Fit) {
        let (expected, found) = (LogicalType::from(expected), LogicalType::from(found));
        assert_eq!(to_sample(&expected, &found), fit, "{found} as {expected}");
        assert_eq!(to_sample(&found, &found), Fit::Same);
    }

    #[test]
    fn numbers_of_samples() {
        check_sample("int64", "float64", Fit::Promotes);
        check_sample("float64", "int64", Fit::Promotes);
        check_sample("int8", "uint32", Fit::Promotes);
        check_sample("int64", "uint64", Fit::Changed);
        check_sample("uint64", "int64", Fit::Promotes);
        check_sample("float64", "float32", Fit::Promotes);
        check_sample("float64", "decimal(10,2)", Fit::Promotes);
        check_sample("decimal(10,2)", "decimal(12,4)", Fit::Promotes);
        check_sample("decimal(10,2)", "int64", Fit::Promotes);
        check_sample("decimal(10,2)", "float64", Fit::Promotes);
        check_sample("int64", "decimal(10,2)", Fit::Changed);
        check_sample("int64", "text", Fit::Changed);
        check_sample("text", "int64", Fit::Changed);
        check_sample("boolean", "int64", Fit::Changed);
    }

    #[test]
    fn times_of_samples() {
        check_sample("timestamp[us]", "timestamp[ns]", Fit::Promotes);
        check_sample("timestamp[us, UTC]", "timestamp[us, Europe/Oslo]", Fit::Promotes);
        check_sample("timestamp[us]", "timestamp[us, UTC]", Fit::Changed);
        check_sample("timestamp[us, UTC]", "timestamp[us]", Fit::Changed);
        check_sample("timestamp[us]", "date", Fit::Promotes);
        check_sample("timestamp[us, UTC]", "date", Fit::Changed);
        check_sample("date", "timestamp[us]", Fit::Changed);
        check_sample("time[ms]", "time[us]", Fit::Promotes);
        check_sample("duration[s]", "duration[us]", Fit::Promotes);
        check_sample("duration[s]", "time[s]", Fit::Changed);
    }

    #[test]
    fn nested_types_of_samples() {
        check_sample("list<int64>", "list<float64>", Fit::Promotes);
        check_sample("list<int64>", "list<text>", Fit::Changed);
        check_sample("list<null>", "list<text>", Fit::Promotes);
        check_sample("list<int64>", "int64", Fit::Changed);
        check_sample("map<text, int64>", "map<text, float64>", Fit::Promotes);
        check_sample("map<text, int64>", "map<int64, int64>", Fit::Changed);
        check_sample("struct<a: int64>", "struct<a: int64, b: text>", Fit::Promotes);
        check_sample("struct<a: int64, b: text>", "struct<a: int64>", Fit::Changed);
        check_sample("struct<a: int64, b: text>", "struct<b: text, a: int64>", Fit::Promotes);
        check_sample("struct<a: int64>", "struct<a: text>", Fit::Changed);
        check_sample("mixed", "text", Fit::Changed);
        check_sample("money", "text", Fit::Changed);
    }
}
