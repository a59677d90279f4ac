//! A single object: a table of one row, whose columns are its keys.

use std::collections::BTreeMap;

use runtime_testing_models::{Column, TableSchema};

use super::json_type::JsonType;
use crate::joined_type::map_of;
use crate::type_words::TypeWords;

/// The most keys of an object that make columns or fields. Where there are more, they are data.
const MOST_KEYS: usize = 100;

/// The table that an object is, unless it has so many keys that they are data.
pub(super) fn schema(fields: BTreeMap<String, JsonType>) -> Option<TableSchema> {
    (fields.len() <= MOST_KEYS).then(|| {
        let column = |(name, value): (String, JsonType)| {
            let is_null = value == JsonType::Null;
            Column {
                nullable: is_null,
                nulls: Some(is_null.into()),
                ..Column::new(name, without_data(value.words()).to_string())
            }
        };
        TableSchema { columns: fields.into_iter().map(column).collect(), rows: 1 }
    })
}

/// The type with maps in the place of objects that have so many keys that they are data.
fn without_data(words: TypeWords) -> TypeWords {
    match words {
        TypeWords::List(item) => TypeWords::List(Box::new(without_data(*item))),
        TypeWords::Struct(fields) => {
            let inner = |(name, field)| (name, without_data(field));
            let fields: Vec<(String, TypeWords)> = fields.into_iter().map(inner).collect();
            if fields.len() > MOST_KEYS { map_of(&fields) } else { TypeWords::Struct(fields) }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_keys_are_those_of_a_map() {
        let object = |keys: usize| {
            let numbers = (0..keys).map(|key| {
                let value = if key == 0 { JsonType::Float } else { JsonType::Int };
                (key.to_string(), value)
            });
            JsonType::Struct(numbers.collect())
        };
        let told = |value| {
            let schema = schema([("a".to_owned(), value)].into()).expect("one key is a column");
            schema.columns[0].data_type.clone()
        };
        assert_eq!(told(object(101)), "map<text, float64>");
        assert_eq!(told(JsonType::List(Box::new(object(101)))), "list<map<text, float64>>");
        assert!(told(object(100)).starts_with("struct<0: float64, 1: int64, "));
        assert_eq!(
            told(JsonType::Struct([("b".to_owned(), object(200))].into())),
            "struct<b: map<text, float64>>"
        );
        let keys = |keys: usize| (0..keys).map(|key| (key.to_string(), JsonType::Null)).collect();
        assert_eq!(schema(keys(100)).map(|schema| schema.columns.len()), Some(100));
        assert_eq!(schema(keys(101)), None);
    }
}
