use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use runtime_testing_models::{TableContract, TypeWord};

const DECIMAL_PRECISION: u8 = 10;
const DECIMAL_SCALE: i8 = 2;

/// The schema of data that keeps to a contract, with or without what is optional.
pub(super) fn schema_of_contract(contract: &TableContract, without_optional: bool) -> Schema {
    let columns = contract.columns.iter().filter(|(_, column)| !(without_optional && column.optional));
    let fields =
        columns.map(|(name, column)| Field::new(name, type_of_word(column.data_type), column.nullable));
    Schema::new(fields.collect::<Vec<_>>())
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
        TypeWord::Map => {
            let fields =
                [Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Int64, true)];
            let entries = Field::new("entries", DataType::Struct(fields.into_iter().collect()), false);
            DataType::Map(Arc::new(entries), false)
        }
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
