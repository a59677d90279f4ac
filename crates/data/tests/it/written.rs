//! Tables written from Arrow record batches.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use runtime_testing_data::arrow::array::{
    Array, ArrayRef, BinaryArray, Date32Array, Decimal128Array, DictionaryArray, DurationSecondArray,
    Float32Array, Float64Array, Int8Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    Time64MicrosecondArray, TimestampMillisecondArray, UInt64Array,
};
use runtime_testing_data::arrow::buffer::OffsetBuffer;
use runtime_testing_data::arrow::datatypes::{DataType, Field, Int8Type, Schema, SchemaRef};
use runtime_testing_data::arrow::error::ArrowError;
use runtime_testing_data::arrow::record_batch::RecordBatchOptions;
use runtime_testing_data::{profile_file, read_batches, schema_of, write_batches};

use crate::folder::{Folder, shown, write_batch};

fn ids(ids: &[i64]) -> RecordBatch {
    let ids = Arc::new(Int64Array::from(ids.to_vec())) as ArrayRef;
    RecordBatch::try_from_iter([("id", ids)]).expect("a column")
}

fn extensions() -> Vec<&'static str> {
    let mut extensions = vec!["csv", "tsv", "json", "ndjson", "arrow", "arrows", "feather"];
    if cfg!(feature = "parquet") {
        extensions.push("parquet");
    }
    extensions
}

#[test]
fn batches_become_one_table() {
    let folder = Folder::new();
    for extension in extensions() {
        let path = folder.path().join(format!("new/a.{extension}"));
        let batches = [&[1, 2][..], &[], &[3]].map(ids);
        write_batches(&path, &batches[0].schema(), batches.map(Ok)).unwrap();
        let read: Vec<RecordBatch> = read_batches(&path).unwrap().collect::<Result<_, _>>().unwrap();
        let rows: i64 = read.iter().map(|batch| batch.num_rows() as i64).sum();
        assert_eq!(rows, 3, "{extension}");
        assert_eq!(profile_file(&path).unwrap().findings, [], "{extension}");
    }
    let text = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(text("new/a.csv"), "id\n1\n2\n3\n");
    assert_eq!(text("new/a.json"), r#"[{"id":1},{"id":2},{"id":3}]"#);
    assert_eq!(text("new/a.ndjson"), "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
}

#[test]
fn a_table_without_rows_is_a_table() {
    let schema = ids(&[]).schema();
    let folder = Folder::new();
    for batches in [vec![], vec![ids(&[])]] {
        for extension in extensions() {
            let path = folder.path().join(format!("a.{extension}"));
            write_batches(&path, &schema, batches.iter().cloned().map(Ok)).unwrap();
            let profile = profile_file(&path).unwrap();
            assert_eq!(profile.findings, [], "{extension}");
            assert_eq!(profile.schema.unwrap().rows, 0, "{extension}");
            assert_eq!(read_batches(&path).unwrap().count(), 0);
            match extension {
                "json" | "ndjson" => assert_eq!(schema_of(&path).unwrap(), Schema::empty()),
                _ => assert_eq!(schema_of(&path).unwrap().field(0).name(), "id"),
            }
        }
    }
}

#[test]
fn the_schema_may_allow_nulls_where_a_batch_does_not() {
    let folder = Folder::new();
    let path = folder.path().join("a.arrow");
    let metadata = HashMap::from([("owner".to_owned(), "sales".to_owned())]);
    let schema = Schema::new(vec![Field::new("id", DataType::Int64, true)]).with_metadata(metadata);
    write_batches(&path, &Arc::new(schema.clone()), [Ok(ids(&[1]))]).unwrap();
    assert_eq!(schema_of(&path).unwrap(), schema);
    assert_eq!(*read_batches(&path).unwrap().next().unwrap().unwrap().schema(), schema);
}

#[track_caller]
fn check_refused(
    schema: &SchemaRef,
    batches: Vec<Result<RecordBatch, ArrowError>>,
    expected: &str,
    cause: &str,
) {
    let folder = Folder::new();
    let path = folder.write("a.csv", "what was here before");
    let error = write_batches(&path, schema, batches).expect_err("batches that cannot be written");
    assert_eq!(error.to_string().replace(path.as_str(), "a.csv"), expected);
    assert_eq!(error.source().expect("a cause").to_string(), cause);
    let kept = std::fs::read_to_string(&path).expect("the file that was there");
    assert_eq!(kept, "what was here before");
    let files = std::fs::read_dir(folder.path()).expect("the folder");
    assert_eq!(files.count(), 1, "nothing else is left");
}

#[test]
fn batches_that_cannot_be_written() {
    let schema = ids(&[]).schema();
    let other = RecordBatch::try_from_iter([("name", ids(&[1]).column(0).clone())]).unwrap();
    let told = "cannot write `a.csv`: a batch does not have the schema";
    check_refused(
        &schema,
        vec![Ok(ids(&[1])), Ok(other)],
        told,
        "Schema error: column 1 is `name` where `id` is expected",
    );
    let texts = Arc::new(StringArray::from(vec!["x"])) as ArrayRef;
    check_refused(
        &schema,
        vec![Ok(RecordBatch::try_from_iter([("id", texts)]).unwrap())],
        told,
        "Invalid argument error: column types must match schema types, \
         expected Int64 but found Utf8 at column index 0",
    );
    let none = RecordBatch::try_new_with_options(
        Arc::new(Schema::empty()),
        Vec::new(),
        &RecordBatchOptions::new().with_row_count(Some(2)),
    );
    check_refused(
        &schema,
        vec![none],
        told,
        "Invalid argument error: number of columns(0) must match number of fields(1) in schema",
    );
    check_refused(
        &schema,
        vec![Ok(ids(&[1])), Err(ArrowError::ComputeError("too hard".to_owned()))],
        "cannot write `a.csv`: its batches end with an error",
        "Compute error: too hard",
    );
    check_refused(
        &schema,
        vec![Err(ArrowError::from_external_error("no more".into()))],
        "cannot write `a.csv`: its batches end with an error",
        "no more",
    );
}

#[test]
fn a_file_may_be_written_from_itself() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "a;b\n1;2\n");
    let rows = read_batches(&path).unwrap();
    write_batches(&path, &rows.schema(), rows).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a,b\n1,2\n");
}

/// What becomes of the types that text does not have. The table in the documentation says the same.
#[test]
fn types_that_text_widens() {
    let dictionary: DictionaryArray<Int8Type> = ["x", "x"].into_iter().collect();
    let columns: [(&str, ArrayRef); 13] = [
        ("int8", Arc::new(Int8Array::from(vec![1, -1]))),
        ("uint64", Arc::new(UInt64Array::from(vec![1, 2]))),
        ("huge", Arc::new(UInt64Array::from(vec![1, u64::MAX]))),
        ("float32", Arc::new(Float32Array::from(vec![0.5, 2.0]))),
        ("nan", Arc::new(Float64Array::from(vec![0.5, f64::NAN]))),
        ("infinity", Arc::new(Float64Array::from(vec![0.5, f64::INFINITY]))),
        (
            "decimal",
            Arc::new(Decimal128Array::from(vec![1250, 100]).with_precision_and_scale(10, 2).unwrap()),
        ),
        ("whole", Arc::new(Decimal128Array::from(vec![1, 2]).with_precision_and_scale(10, 0).unwrap())),
        ("category", Arc::new(dictionary)),
        ("day", Arc::new(Date32Array::from(vec![0, 1]))),
        ("at", Arc::new(TimestampMillisecondArray::from(vec![0, 1]).with_timezone("UTC"))),
        ("clock", Arc::new(Time64MicrosecondArray::from(vec![0, 1_500_000]))),
        ("span", Arc::new(DurationSecondArray::from(vec![1, 2]))),
    ];
    let mut batch = RecordBatch::try_from_iter(columns).unwrap();
    let bytes: [&[u8]; 2] = [b"\xAB", b"\xCD\xEF"];
    let with_bytes = Arc::new(BinaryArray::from(bytes.to_vec())) as ArrayRef;
    let mut all: Vec<(String, ArrayRef)> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .zip(batch.columns().iter().cloned())
        .collect();
    all.push(("bytes".to_owned(), with_bytes));
    let moments = TimestampMillisecondArray::from(vec![0, 1]).with_timezone("Europe/Oslo");
    all.push(("zoned".to_owned(), Arc::new(moments)));
    batch = RecordBatch::try_from_iter(all).unwrap();
    let folder = Folder::new();
    let types = |extension: &str| {
        let path = folder.path().join(format!("a.{extension}"));
        write_batch(&path, &batch);
        for batch in read_batches(&path).unwrap() {
            assert_eq!(batch.unwrap().num_rows(), 2);
        }
        shown(&profile_file(&path).unwrap()).lines().skip(1).map(str::trim).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(types("csv"), @r#"
    int8: int64
    uint64: int64
    huge: uint64, row 2 is "18446744073709551615"
    float32: float64
    nan: float64?, 1 nulls
    infinity: float64
    decimal: float64
    whole: int64
    category: text
    day: date
    at: timestamp[us, UTC]
    clock: text
    span: text
    bytes: text
    zoned: timestamp[us, UTC]
    "#);
    insta::assert_snapshot!(types("json"), @r#"
    at: text
    bytes: text
    category: text
    clock: text
    day: text
    decimal: float64
    float32: float64
    huge: uint64, row 2 is "18446744073709551615"
    infinity: float64?, 1 nulls
    int8: int64
    nan: float64?, 1 nulls
    span: text
    uint64: int64
    whole: int64
    zoned: text
    "#);
}

#[test]
fn zones_within_values_are_written_to_json() {
    let moments = TimestampMillisecondArray::from(vec![0, 1]).with_timezone("Europe/Oslo");
    let field = Arc::new(Field::new("at", moments.data_type().clone(), true));
    let structs = StructArray::new(vec![Arc::clone(&field)].into(), vec![Arc::new(moments.clone())], None);
    let lists = ListArray::new(field, OffsetBuffer::from_lengths([1, 1]), Arc::new(moments), None);
    let columns = [("s", Arc::new(structs) as ArrayRef), ("l", Arc::new(lists) as ArrayRef)];
    let folder = Folder::new();
    let path = folder.path().join("a.ndjson");
    write_batch(&path, &RecordBatch::try_from_iter(columns).unwrap());
    let first = std::fs::read_to_string(&path).unwrap();
    let expected = r#"{"s":{"at":"1970-01-01T00:00:00Z"},"l":["1970-01-01T00:00:00Z"]}"#;
    assert_eq!(first.lines().next(), Some(expected));
}
