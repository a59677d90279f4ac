use std::sync::Arc;

use runtime_testing_data::arrow::array::{Array, ArrayRef, Int64Array, NullArray, RecordBatch};
use runtime_testing_data::arrow::datatypes::{
    DataType, Field, Fields, IntervalUnit, Schema, TimeUnit, UnionFields, UnionMode,
};
use runtime_testing_data::{Expected, SampleData, WriteTableError, compare, digest_path, profile_path};
use runtime_testing_models::{ColumnContract, DigestOptions, Permission, TableContract, TypeWord};

use crate::folder::{Folder, shown_all, write_batch};

/// The formats that this build writes, and the words whose values each can hold.
fn formats() -> Vec<(&'static str, Vec<TypeWord>)> {
    use TypeWord::{Any, Boolean, Date, Float, Integer, List, Struct, Text, Timestamp};

    let text = vec![Boolean, Integer, Float, Text, Date, Timestamp, Any];
    let json = vec![Boolean, Integer, Float, Text, List, Struct, Any];
    let all = TypeWord::ALL.to_vec();
    let mut formats = vec![
        ("csv", text.clone()),
        ("tsv", text.clone()),
        ("tab", text),
        ("json", json.clone()),
        ("ndjson", json.clone()),
        ("jsonl", json),
        ("arrow", all.clone()),
        ("feather", all.clone()),
        ("ipc", all.clone()),
        ("arrows", all.clone()),
    ];
    if cfg!(feature = "parquet") {
        formats.extend([("parquet", all.clone()), ("pq", all)]);
    }
    formats
}

#[test]
fn data_made_from_a_contract_keeps_to_it() {
    for (extension, words) in formats() {
        let mut contract = TableContract {
            extra_columns: Permission::Forbid,
            min_rows: Some(7),
            ..TableContract::default()
        };
        for word in words {
            let column = ColumnContract { nullable: false, ..ColumnContract::new(word) };
            contract.columns.insert(word.to_string(), column);
        }
        let folder = Folder::new();
        let path = folder.path().join(format!("a.{extension}"));
        assert!(SampleData::can_write(&path));
        let written = SampleData::from_contract(&contract).write(&path).expect("sample data can be written");
        let profile = profile_path(&written).expect("what was just written");
        assert_eq!(compare(&Expected::Contract(&contract.into()), &profile), [], "{extension}");
    }
}

#[test]
fn a_path_without_extension_is_a_folder() {
    let folder = Folder::new();
    let path = folder.path().join("deep/data_input");
    let written = SampleData::default().write(&path).unwrap();
    assert_eq!(written, path.join("data.csv"));
    assert_eq!(
        std::fs::read_to_string(&written).unwrap(),
        "feature1,feature2,label\n1,0.1,0\n2,0.2,1\n3,0.3,0\n4,0.4,1\n5,0.5,0\n",
    );
    let again = SampleData::from_json(r#"{"a": [1]}"#).unwrap().write(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&again).unwrap(), "a\n1\n", "what was there is replaced");
}

#[test]
fn json_is_an_array_and_ndjson_an_object_a_line() {
    let folder = Folder::new();
    let sample = SampleData::from_json(r#"{"a": [1, null], "b": [true, false]}"#).unwrap();
    let array = sample.write(&folder.path().join("a.json")).unwrap();
    assert_eq!(std::fs::read_to_string(array).unwrap(), r#"[{"a":1,"b":true},{"a":null,"b":false}]"#);
    let lines = sample.write(&folder.path().join("a.jsonl")).unwrap();
    assert_eq!(std::fs::read_to_string(lines).unwrap(), "{\"a\":1,\"b\":true}\n{\"a\":null,\"b\":false}\n");
}

#[test]
fn a_column_of_nulls_is_not_lost() {
    let one = Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let columns = [("a", one, true), ("b", Arc::new(NullArray::new(1)) as ArrayRef, true)];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let folder = Folder::new();
    for (extension, _) in formats() {
        write_batch(&folder.path().join(format!("a.{extension}")), &batch);
    }
    for file in profile_path(folder.path()).unwrap().files {
        let column = file.schema.expect("a table").columns.remove(1);
        assert_eq!((&*column.data_type.to_string(), column.nulls), ("null", Some(1)), "{}", file.path);
    }
}

#[track_caller]
fn check_refused(name: &str, sample: &SampleData, expected: &str) -> WriteTableError {
    let folder = Folder::new();
    let path = folder.path().join(name);
    let error = sample.write(&path).expect_err("data that cannot be written");
    assert_eq!(error.to_string().replace(path.as_str(), name), expected);
    assert!(!path.exists());
    error
}

#[test]
fn what_cannot_be_written() {
    check_refused(
        "a.pkl",
        &SampleData::default(),
        "cannot write a table to `a.pkl`: its extension names no format; \
         use .csv, .tsv, .json, .ndjson, .parquet or .arrow",
    );
    let lists = SampleData::from_contract(&TableContract::default().with_column("x", TypeWord::List));
    check_refused("a.csv", &lists, "cannot write `a.csv`: csv cannot hold column `x`, which is list<int64>");
    if cfg!(not(feature = "parquet")) {
        check_refused(
            "a.parquet",
            &SampleData::default(),
            "cannot write `a.parquet`: this build cannot write parquet; enable the feature `parquet`",
        );
    }
    let folder = Folder::new();
    let file = folder.write("file", "");
    let error = SampleData::default().write(&file.join("a.csv")).unwrap_err();
    assert!(matches!(error, WriteTableError::Io { .. }), "{error}");
}

#[test]
fn samples_can_be_sent_to_other_threads() {
    fn check<T: Send + Sync>() {}
    check::<SampleData>();
    check::<WriteTableError>();
    check::<runtime_testing_data::DataError>();
    check::<runtime_testing_data::ReadTableError>();
    check::<Expected<'_>>();
}

#[test]
fn the_default_in_every_format() {
    let folder = Folder::new();
    for (extension, _) in formats() {
        SampleData::default().write(&folder.path().join(format!("a.{extension}"))).unwrap();
    }
    let text = shown_all(&profile_path(folder.path()).unwrap());
    assert_eq!(text.matches(", 5 rows").count(), formats().len());
    assert!(!text.contains('!'), "{text}");
}

fn field(name: &str, data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new(name, data_type, true))
}

/// Every type of Arrow that has values, and whether text formats can tell its values: flat text, JSON.
fn every_type() -> Vec<(DataType, bool, bool)> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};

    let item = || field("item", DataType::Int32);
    let record = Fields::from(vec![
        field("x", DataType::Float64),
        field("y", DataType::new_list(DataType::Utf8, true)),
    ]);
    let entries = Fields::from(vec![
        Arc::new(Field::new("key", DataType::Utf8, false)),
        field("value", DataType::Struct(record.clone())),
    ]);
    let entries = Arc::new(Field::new("entries", DataType::Struct(entries), false));
    let ends = Arc::new(Field::new("run_ends", DataType::Int32, false));
    let union = |mode| {
        let kinds = [field("i", DataType::Int64), field("t", DataType::Utf8)];
        DataType::Union(UnionFields::try_new([0, 7], kinds).expect("two kinds"), mode)
    };
    let mut types = vec![
        (DataType::Null, true, true),
        (DataType::Boolean, true, true),
        (DataType::Float16, true, true),
        (DataType::Float32, true, true),
        (DataType::Float64, true, true),
        (DataType::Decimal32(9, 2), true, true),
        (DataType::Decimal64(18, 0), true, true),
        (DataType::Decimal128(38, 10), true, true),
        (DataType::Decimal256(76, 3), true, true),
        (DataType::Decimal128(3, -2), true, true),
        (DataType::Utf8, true, true),
        (DataType::LargeUtf8, true, true),
        (DataType::Utf8View, true, true),
        (DataType::Binary, false, false),
        (DataType::LargeBinary, false, false),
        (DataType::BinaryView, false, false),
        (DataType::FixedSizeBinary(3), false, false),
        (DataType::FixedSizeBinary(16), false, false),
        (DataType::Date32, true, true),
        (DataType::Date64, true, true),
        (DataType::Time32(Second), true, true),
        (DataType::Time32(Millisecond), true, true),
        (DataType::Time64(Microsecond), true, true),
        (DataType::Time64(Nanosecond), true, true),
        (DataType::Interval(IntervalUnit::YearMonth), false, false),
        (DataType::Interval(IntervalUnit::DayTime), false, false),
        (DataType::Interval(IntervalUnit::MonthDayNano), false, false),
        (DataType::List(item()), false, true),
        (DataType::LargeList(item()), false, true),
        (DataType::ListView(item()), false, true),
        (DataType::LargeListView(item()), false, true),
        (DataType::FixedSizeList(item(), 3), false, true),
        (DataType::FixedSizeList(item(), 0), false, true),
        (DataType::Struct(record), false, true),
        (DataType::Struct(Fields::empty()), false, true),
        (DataType::Map(entries, false), false, true),
        (DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)), true, true),
        (DataType::Dictionary(Box::new(DataType::UInt64), Box::new(DataType::Int64)), true, true),
        (DataType::RunEndEncoded(ends, field("values", DataType::Utf8)), true, true),
        (union(UnionMode::Dense), false, false),
        (union(UnionMode::Sparse), false, false),
    ];
    let wholes = [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
    ];
    types.extend(wholes.map(|whole| (whole, true, true)));
    for unit in [Second, Millisecond, Microsecond, Nanosecond] {
        types.push((DataType::Timestamp(unit, None), true, true));
        types.push((DataType::Timestamp(unit, Some("Europe/Oslo".into())), true, true));
        types.push((DataType::Duration(unit), false, false));
    }
    types
}

#[test]
fn every_type_has_the_same_values_in_every_format() {
    let folder = Folder::new();
    let mut wrong = Vec::new();
    for (data_type, in_text, in_json) in every_type() {
        let schema = Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("a", data_type.clone(), true),
        ]);
        let builder = SampleData::builder(&schema).rows(300);
        let sample = builder.build().expect("every type has values");
        assert_eq!(*sample.batch().schema(), schema);
        assert_eq!(sample, builder.build().expect("every type has values"), "{data_type}");
        let has_nulls = !matches!(data_type, DataType::Null | DataType::Union(..));
        let with_nulls =
            builder.null_every(4.try_into().expect("not zero")).build().expect("every type has values");
        let nulls = with_nulls.batch().column(1).logical_null_count();
        assert_eq!(nulls == 75, has_nulls, "{nulls} nulls in {data_type}");
        let in_parquet = cfg!(feature = "parquet") && is_in_parquet(&data_type);
        for sample in [sample, with_nulls] {
            let digest = |extension: &str| {
                let written = sample.write(&folder.path().join(format!("a.{extension}")));
                let path = written.map_err(|error| format!("{error:?}"))?;
                digest_path(&path, &DigestOptions::default()).map_err(|error| error.to_string())
            };
            let expected = digest("arrow");
            let formats = [("arrows", true), ("parquet", in_parquet), ("csv", in_text), ("tsv", in_text)];
            for (extension, _) in
                formats.into_iter().chain([("json", in_json), ("ndjson", in_json)]).filter(|(_, can)| *can)
            {
                let found = digest(extension);
                if found != expected || found.is_err() {
                    wrong.push(format!("{data_type} in {extension}: {found:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_in_parquet(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(..) | DataType::RunEndEncoded(..) => false,
        DataType::Interval(IntervalUnit::MonthDayNano) => false,
        DataType::Decimal128(_, scale) => *scale >= 0,
        DataType::Struct(fields) => !fields.is_empty(),
        _ => true,
    }
}
