use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use runtime_testing_models::{
    ColumnContract, Constraints, ContractType, JobValue, LogicalType, TableContract, TypeWord,
};

use crate::types::arrow_type::unit_to_arrow;

const DECIMAL_PRECISION: u8 = 10;
const DECIMAL_SCALE: i8 = 2;

/// The schema of data that keeps to a contract, with or without what is optional.
pub(super) fn schema_of_contract(contract: &TableContract, without_optional: bool) -> Schema {
    let columns = contract.columns.iter().filter(|(_, column)| !(without_optional && column.optional));
    let fields = columns.map(|(name, column)| field_of(name, column, without_optional));
    Schema::new(fields.collect::<Vec<_>>())
}

fn field_of(name: &str, column: &ColumnContract, without_optional: bool) -> Field {
    Field::new(name, type_of_contract(column, without_optional), column.nullable)
}

fn type_of_contract(column: &ColumnContract, without_optional: bool) -> DataType {
    let of = |name: &str, column: &ColumnContract| field_of(name, column, without_optional);
    match (&column.data_type, &column.items, &column.map_values) {
        (ContractType::Exact(LogicalType::Decimal(digits, scale)), ..) => {
            DataType::Decimal128(*digits, *scale)
        }
        (ContractType::Exact(LogicalType::Time(unit)), ..) => match unit_to_arrow(*unit) {
            unit @ (TimeUnit::Second | TimeUnit::Millisecond) => DataType::Time32(unit),
            unit => DataType::Time64(unit),
        },
        (ContractType::Exact(LogicalType::Timestamp(unit, zone)), ..) => {
            DataType::Timestamp(unit_to_arrow(*unit), zone.as_deref().map(Arc::from))
        }
        (ContractType::Exact(LogicalType::Duration(unit)), ..) => DataType::Duration(unit_to_arrow(*unit)),
        (_, Some(items), _) => DataType::List(Arc::new(of("item", items))),
        (_, _, Some(values)) => map_of(of("values", values)),
        _ if !column.fields.is_empty() => {
            let fields = column.fields.iter().filter(|(_, field)| !(without_optional && field.optional));
            DataType::Struct(fields.map(|(name, field)| of(name, field)).collect())
        }
        (data_type, ..) => type_of_word(data_type.word()),
    }
}

/// Values that a contract allows, one after the other: those that it lists, or numbers from its least to its greatest. None where it
/// says neither; texts are not made after a pattern.
pub(super) fn allowed_values(
    asked: &Constraints,
    data_type: &DataType,
    numbers: &[i64],
    nulls: Option<&NullBuffer>,
) -> Option<ArrayRef> {
    let is_null = |row: usize| nulls.is_some_and(|nulls| nulls.is_null(row));
    let limit = |limit: &Option<JobValue>| limit.as_ref().and_then(JobValue::as_f64);
    let made: ArrayRef = match (limit(&asked.minimum), limit(&asked.maximum)) {
        _ if !asked.values.is_empty() => {
            let shown = |value: &JobValue| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let texts = asked.values.iter().map(shown).cycle().take(numbers.len()).enumerate();
            Arc::new(texts.map(|(row, text)| (!is_null(row)).then_some(text)).collect::<StringArray>())
        }
        (None, None) => return None,
        (least, most) => {
            #[expect(clippy::cast_precision_loss, reason = "a sample has few rows")]
            let count = numbers.len() as f64;
            let least = least.unwrap_or_else(|| most.unwrap_or_default() - count).ceil();
            let span = most.map_or(count, |most| (most - least).floor() + 1.0).max(1.0);
            #[expect(clippy::cast_precision_loss, reason = "a sample has few rows")]
            let value = |row: usize| least + (row as f64) % span;
            let values = (0..numbers.len()).map(|row| (!is_null(row)).then(|| value(row)));
            Arc::new(values.collect::<Float64Array>())
        }
    };
    cast(&made, data_type).ok()
}

fn map_of(values: Field) -> DataType {
    let fields = [Field::new("keys", DataType::Utf8, false), values];
    let entries = Field::new("entries", DataType::Struct(fields.into_iter().collect()), false);
    DataType::Map(Arc::new(entries), false)
}

fn type_of_word(word: TypeWord) -> DataType {
    match word {
        TypeWord::Boolean => DataType::Boolean,
        TypeWord::Integer => DataType::Int64,
        TypeWord::Float => DataType::Float64,
        TypeWord::Decimal => DataType::Decimal128(DECIMAL_PRECISION, DECIMAL_SCALE),
        TypeWord::Date => DataType::Date32,
        TypeWord::Time => DataType::Time64(TimeUnit::Microsecond),
        TypeWord::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        TypeWord::Duration => DataType::Duration(TimeUnit::Microsecond),
        TypeWord::Binary => DataType::Binary,
        TypeWord::List => DataType::new_list(DataType::Int64, true),
        TypeWord::Struct => DataType::Struct(vec![Field::new("value", DataType::Int64, true)].into()),
        TypeWord::Map => map_of(Field::new("values", DataType::Int64, true)),
        // Of what may be anything, and of what later versions know, text asks the least.
        _ => DataType::Utf8,
    }
}

#[cfg(test)]
mod tests {
    use runtime_testing_models::ColumnContract;

    use super::*;
    use crate::SampleData;
    use crate::types::arrow_type::of_arrow;

    #[test]
    fn every_word_has_values() {
        let mut contract = TableContract::default();
        for word in TypeWord::ALL {
            contract = contract.with_column(word.as_str(), word);
        }
        let sample = SampleData::from_contract(&contract);
        let types: Vec<String> = sample
            .batch()
            .schema()
            .fields()
            .iter()
            .map(|field| format!("{}: {}", field.name(), of_arrow(field.data_type())))
            .collect();
        insta::assert_snapshot!(types.join("\n"), @"
        boolean: boolean
        integer: int64
        float: float64
        decimal: decimal(10,2)
        text: text
        date: date
        time: time[us]
        timestamp: timestamp[us]
        duration: duration[us]
        binary: binary
        list: list<int64>
        struct: struct<value: int64>
        map: map<text, int64>
        any: text
        ");
        assert!(sample.batch().columns().iter().all(|column| column.len() == 5 && column.null_count() == 0));
        assert_eq!(sample, SampleData::from_contract(&contract));
    }

    #[track_caller]
    fn check_rows(min_rows: Option<u64>, expected: usize) {
        let mut contract = TableContract { min_rows, ..TableContract::default() };
        assert_eq!(SampleData::from_contract(&contract).batch().num_rows(), expected, "without columns");
        let column =
            ColumnContract { nullable: false, optional: true, ..ColumnContract::new(TypeWord::Date) };
        contract.columns.insert("day".to_owned(), column);
        let sample = SampleData::from_contract(&contract);
        assert_eq!(sample.batch().num_rows(), expected);
        assert!(!sample.batch().schema().field(0).is_nullable());
    }

    #[test]
    fn contracts_get_the_rows_they_ask_for() {
        check_rows(None, 5);
        check_rows(Some(0), 5);
        check_rows(Some(12), 12);
        check_rows(Some(u64::MAX), 1_000_000);
    }

    #[test]
    fn a_contract_without_columns_gets_the_default() {
        assert_eq!(SampleData::from_contract(&TableContract::default()), SampleData::default());
    }
}
