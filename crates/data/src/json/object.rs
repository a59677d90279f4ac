//! A single object: a table of one row, whose columns are its keys.

use std::collections::BTreeMap;

use runtime_testing_models::{Column, TableSchema};

use super::json_type::JsonType;

/// The table that an object is.
pub(super) fn schema(fields: BTreeMap<String, JsonType>) -> TableSchema {
    let column = |(name, value): (String, JsonType)| {
        let is_null = value == JsonType::Null;
        Column {
            nullable: is_null,
            nulls: Some(is_null.into()),
            ..Column::new(name, value.words().to_string())
        }
    };
    TableSchema { columns: fields.into_iter().map(column).collect(), rows: 1 }
}
