use std::sync::Arc;

use runtime_testing_data::arrow::array::{ArrayRef, Int64Array, NullArray, RecordBatch};
use runtime_testing_data::{Expected, SampleData, WriteTableError, compare, profile_path};
use runtime_testing_models::{ColumnContract, ExtraColumns, TableContract, TypeWord};

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
            extra_columns: ExtraColumns::Forbid,
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
        assert_eq!(compare(&Expected::Contract(&contract), &profile), [], "{extension}");
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
        assert_eq!((column.data_type.as_str(), column.nulls), ("null", Some(1)), "{}", file.path);
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
