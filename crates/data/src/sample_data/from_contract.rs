use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMicrosecondArray,
    Float64Array, Int64Array, Int64Builder, ListBuilder, MapBuilder, StringArray, StringBuilder, StructArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field};
use runtime_testing_models::{TableContract, TypeWord};

use super::SampleData;

/// The first of January 2024, in days since 1970.
const FIRST_DAY: i32 = 19_723;

const HOUR: i64 = 3_600_000_000;

const DAY: i64 = 24 * HOUR;

const DECIMAL_PRECISION: u8 = 10;
const DECIMAL_SCALE: i8 = 2;

/// Data that keeps to a contract of at least one column.
pub(super) fn build(contract: &TableContract, rows: u64) -> SampleData {
    let columns = contract.columns.iter();
    SampleData::of_columns(
        columns.map(|(name, column)| (name.as_str(), values(column.data_type, rows), column.nullable)),
    )
}

/// The values of a column: 1, 2, 3 and so on, or what comes next to that.
fn values(word: TypeWord, rows: u64) -> ArrayRef {
    let numbers = || 1..=i64::try_from(rows).expect("the number of rows is limited");
    let texts = || numbers().map(|number| format!("text{number}"));
    match word {
        TypeWord::Boolean => {
            Arc::new(numbers().map(|number| Some(number % 2 == 1)).collect::<BooleanArray>())
        }
        TypeWord::Integer => Arc::new(Int64Array::from_iter_values(numbers())),
        TypeWord::Float => {
            Arc::new(Float64Array::from_iter_values(numbers().map(|number| number as f64 / 10.0)))
        }
        TypeWord::Decimal => Arc::new(
            Decimal128Array::from_iter_values(numbers().map(i128::from))
                .with_precision_and_scale(DECIMAL_PRECISION, DECIMAL_SCALE)
                .expect("so many digits hold a million"),
        ),
        TypeWord::Date => {
            let days = (FIRST_DAY..).take(usize::try_from(rows).expect("the number of rows is limited"));
            Arc::new(Date32Array::from_iter_values(days))
        }
        TypeWord::Time => {
            Arc::new(Time64MicrosecondArray::from_iter_values(numbers().map(|number| number * HOUR % DAY)))
        }
        TypeWord::Timestamp => {
            let start = i64::from(FIRST_DAY) * DAY;
            Arc::new(TimestampMicrosecondArray::from_iter_values(
                numbers().map(|number| start + number * HOUR),
            ))
        }
        TypeWord::Duration => {
            Arc::new(DurationMicrosecondArray::from_iter_values(numbers().map(|number| number * HOUR)))
        }
        TypeWord::Binary => Arc::new(BinaryArray::from_iter_values(texts())),
        TypeWord::List => {
            let mut lists = ListBuilder::new(Int64Builder::new());
            for number in numbers() {
                lists.append_value([Some(number), Some(number + 1)]);
            }
            Arc::new(lists.finish())
        }
        TypeWord::Struct => {
            let values = Arc::new(Int64Array::from_iter_values(numbers())) as ArrayRef;
            Arc::new(StructArray::from(vec![(Arc::new(Field::new("value", DataType::Int64, true)), values)]))
        }
        TypeWord::Map => {
            let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
            for number in numbers() {
                maps.keys().append_value("key");
                maps.values().append_value(number);
                maps.append(true).expect("each map gets as many keys as values");
            }
            Arc::new(maps.finish())
        }
        // Of what may be anything, and of what later versions know, text asks the least.
        _ => Arc::new(StringArray::from_iter_values(texts())),
    }
}

#[cfg(test)]
mod tests {
    use runtime_testing_models::ColumnContract;

    use super::*;
    use crate::type_words::TypeWords;

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
            .map(|field| format!("{}: {}", field.name(), TypeWords::of_arrow(field.data_type())))
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
