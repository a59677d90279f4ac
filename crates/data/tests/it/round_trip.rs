use std::sync::Arc;

use proptest::prelude::*;
use runtime_testing_data::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, NullArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use runtime_testing_data::arrow::compute::{cast, concat_batches};
use runtime_testing_data::arrow::datatypes::DataType;
use runtime_testing_data::arrow::error::ArrowError;
use runtime_testing_data::{
    Expected, compare, profile_file, profile_path, read_batches, schema_of, write_batches,
};
use runtime_testing_models::{Column, DataProfile, FileFormat, FileProfile, TableSchema};

use crate::folder::Folder;

/// A column's name, its values, its type in words, and how many nulls it holds.
#[derive(Debug, Clone)]
struct Values {
    name: String,
    array: ArrayRef,
    words: &'static str,
    nulls: u64,
}

fn any_values(rows: usize) -> impl Strategy<Value = (ArrayRef, &'static str)> {
    fn of<T: std::fmt::Debug + Clone>(
        value: impl Strategy<Value = T>,
        rows: usize,
    ) -> impl Strategy<Value = Vec<Option<T>>> {
        prop::collection::vec(prop::option::of(value), rows)
    }
    // Text that is no number, no word for a null, and not empty, which text formats cannot tell from a null.
    let text = "x[a-zA-Z ,;|\"\t\r\n\u{e9}]{0,8}";
    let finite = prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::NEGATIVE;
    prop_oneof![
        of(any::<i64>(), rows).prop_map(|values| (Arc::new(Int64Array::from(values)) as ArrayRef, "int64")),
        of(finite, rows).prop_map(|values| (Arc::new(Float64Array::from(values)) as ArrayRef, "float64")),
        of(text, rows).prop_map(|values| (Arc::new(StringArray::from(values)) as ArrayRef, "text")),
        of(any::<bool>(), rows)
            .prop_map(|values| (Arc::new(BooleanArray::from(values)) as ArrayRef, "boolean")),
        of(0..4_000_000_000_000_000_i64, rows).prop_map(|values| (
            Arc::new(TimestampMicrosecondArray::from(values)) as ArrayRef,
            "timestamp[us]"
        )),
    ]
}

fn any_columns() -> impl Strategy<Value = Vec<Values>> {
    let column = |rows| ("[a-z \u{e9}]{0,4}", any_values(rows));
    let columns = (1..20_usize).prop_flat_map(move |rows| prop::collection::vec(column(rows), 1..6));
    columns.prop_map(|columns| {
        let column = |(place, (name, (array, words))): (usize, (String, (ArrayRef, _)))| Values {
            name: format!("{name}{place}"),
            nulls: array.null_count() as u64,
            array,
            words,
        };
        columns.into_iter().enumerate().map(column).collect()
    })
}

fn is_text(extension: &str) -> bool {
    !matches!(extension, "parquet" | "arrow" | "arrows")
}

/// Whether the format keeps the order of columns.
fn has_order(extension: &str) -> bool {
    !extension.contains("json")
}

/// What the format makes of the types: of nulls alone text shows nothing, and JSON has no timestamps.
fn expected_words(values: &Values, extension: &str) -> &'static str {
    if is_text(extension) && values.nulls == values.array.len() as u64 {
        return "null";
    }
    match values.words {
        "timestamp[us]" if !has_order(extension) => "text",
        words => words,
    }
}

/// The rows as they are read: in text a column may hold nulls if it does, and JSON has neither timestamps nor an order.
fn expected_batch(columns: &[Values], extension: &str) -> RecordBatch {
    let mut columns: Vec<&Values> = columns.iter().collect();
    if !has_order(extension) {
        columns.sort_unstable_by_key(|values| &values.name);
    }
    let arrays = columns.iter().map(|values| {
        let array = match expected_words(values, extension) {
            "null" => Arc::new(NullArray::new(values.array.len())) as ArrayRef,
            "text" => cast(&values.array, &DataType::Utf8).expect("everything can be text"),
            _ => values.array.clone(),
        };
        (values.name.as_str(), array, !is_text(extension) || values.nulls > 0)
    });
    RecordBatch::try_from_iter_with_nullable(arrays).expect("columns of one length")
}

/// The columns in batches of a few rows each.
fn in_batches(batch: &RecordBatch, rows: usize) -> impl Iterator<Item = Result<RecordBatch, ArrowError>> {
    let starts = (0..batch.num_rows()).step_by(rows);
    starts.map(move |start| Ok(batch.slice(start, rows.min(batch.num_rows() - start))))
}

fn check_round_trip(columns: &[Values], extension: &str) -> Result<(), TestCaseError> {
    let arrays = columns.iter().map(|values| (values.name.as_str(), values.array.clone(), true));
    let batch = RecordBatch::try_from_iter_with_nullable(arrays).expect("columns of one length");
    let folder = Folder::new();
    let path = folder.path().join(format!("a.{extension}"));
    write_batches(&path, &batch.schema(), in_batches(&batch, 7)).expect("data that every format can hold");

    let profile = profile_file(&path).expect("what was just written");
    prop_assert_eq!(&profile.findings, &[]);
    prop_assert_eq!(profile.promised, None);
    prop_assert_eq!(profile.compression.is_some(), extension.contains('.'));
    let schema = profile.schema.expect("a table");
    prop_assert_eq!(schema.rows, batch.num_rows() as u64);
    let mut expected: Vec<(&str, &str, Option<u64>)> = columns
        .iter()
        .map(|values| (values.name.as_str(), expected_words(values, extension), Some(values.nulls)))
        .collect();
    if !has_order(extension) {
        expected.sort_unstable();
    }
    let types: Vec<String> = schema.columns.iter().map(|column| column.data_type.to_string()).collect();
    let found: Vec<(&str, &str, Option<u64>)> = schema
        .columns
        .iter()
        .zip(&types)
        .map(|(column, data_type)| (column.name.as_str(), data_type.as_str(), column.nulls))
        .collect();
    prop_assert_eq!(found, expected);

    let rows = read_batches(&path).expect("what was just written");
    prop_assert_eq!(&*rows.schema(), &schema_of(&path).expect("what was just written"));
    let rows: Vec<RecordBatch> = rows.collect::<Result<_, _>>().expect("what was just written");
    prop_assert_eq!(
        concat_batches(rows[0].schema_ref(), &rows).expect("batches"),
        expected_batch(columns, extension)
    );

    let profile = profile_path(folder.path()).expect("what was just written");
    prop_assert_eq!(compare(&Expected::Inferred(&profile), &profile), &[]);
    Ok(())
}

proptest! {
    #[test]
    fn csv(columns in any_columns()) {
        check_round_trip(&columns, "csv")?;
    }

    #[test]
    fn tsv(columns in any_columns()) {
        check_round_trip(&columns, "tsv")?;
    }

    #[test]
    fn json(columns in any_columns()) {
        check_round_trip(&columns, "json")?;
    }

    #[test]
    fn ndjson(columns in any_columns()) {
        check_round_trip(&columns, "ndjson")?;
    }

    #[cfg(feature = "compression")]
    #[test]
    fn compressed_text(
        columns in any_columns(),
        extension in prop::sample::select(&["csv.gz", "tsv.zst", "json.gz", "ndjson.zst", "csv.zst", "jsonl.gz"]),
    ) {
        check_round_trip(&columns, extension)?;
    }

    #[test]
    fn arrow_file(columns in any_columns()) {
        check_round_trip(&columns, "arrow")?;
    }

    #[test]
    fn arrow_stream(columns in any_columns()) {
        check_round_trip(&columns, "arrows")?;
    }

    #[cfg(feature = "parquet")]
    #[test]
    fn parquet(columns in any_columns()) {
        check_round_trip(&columns, "parquet")?;
    }
}

fn any_profile() -> impl Strategy<Value = DataProfile> {
    const TYPES: [&str; 10] = [
        "null",
        "boolean",
        "int64",
        "uint8",
        "float64",
        "decimal(10,2)",
        "timestamp[us, UTC]",
        "list<int64>",
        "struct<a: null>",
        "mixed",
    ];
    const FORMATS: [(&str, FileFormat); 4] = [
        ("csv", FileFormat::Csv),
        ("json", FileFormat::Json),
        ("arrow", FileFormat::ArrowIpc),
        ("pkl", FileFormat::Opaque),
    ];
    let column = (prop::sample::select(&TYPES), any::<bool>(), prop::option::of(0..3_u64));
    let schema = (prop::collection::vec(column, 0..4), 0..3_u64).prop_map(|(columns, rows)| TableSchema {
        columns: columns
            .into_iter()
            .enumerate()
            .map(|(place, (words, nullable, nulls))| Column {
                nullable,
                nulls,
                ..Column::new(format!("c{place}"), words)
            })
            .collect(),
        rows,
    });
    let file = (prop::sample::select(&FORMATS), prop::option::of(schema));
    let files = prop::collection::vec(file, 0..4).prop_map(|files| {
        files
            .into_iter()
            .enumerate()
            .map(|(place, ((extension, format), schema))| FileProfile {
                path: format!("{place}.{extension}").into(),
                format,
                compression: None,
                promised: None,
                delimiter: None,
                byte_order_mark: false,
                one_line: false,
                partition_columns: Vec::new(),
                bytes: 1,
                schema,
                findings: Vec::new(),
            })
            .collect()
    });
    (any::<bool>(), files).prop_map(|(is_folder, files)| DataProfile { is_folder, files })
}

proptest! {
    #[test]
    fn data_is_identical_with_itself(profile in any_profile()) {
        prop_assert_eq!(compare(&Expected::Inferred(&profile), &profile), &[]);
    }

    #[test]
    fn comparison_is_deterministic_and_in_the_order_of_files(one in any_profile(), other in any_profile()) {
        let differences = compare(&Expected::Inferred(&one), &other);
        prop_assert!(differences.is_sorted_by_key(|told| told.file.as_str()));
        prop_assert_eq!(differences, compare(&Expected::Inferred(&one), &other));
    }
}
