//! Digests: what is equal, what is not, and that nothing else matters.

use std::num::NonZeroU8;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use runtime_testing_data::arrow::array::*;
use runtime_testing_data::arrow::buffer::{OffsetBuffer, ScalarBuffer};
use runtime_testing_data::arrow::compute::cast;
use runtime_testing_data::arrow::datatypes::*;
use runtime_testing_data::{DataError, ProfileOptions, ReadTableError, digest_path, digest_path_with};
use runtime_testing_models::{Digest, DigestOptions, FloatTolerance, RowOrder};

use crate::folder::{Folder, write_batch};

const ORDERED: DigestOptions =
    DigestOptions { row_order: RowOrder::Ordered, float_tolerance: FloatTolerance::None };
const UNORDERED: DigestOptions = DigestOptions { row_order: RowOrder::Ignored, ..ORDERED };

fn rounded(digits: u8) -> DigestOptions {
    DigestOptions {
        float_tolerance: FloatTolerance::Digits(NonZeroU8::new(digits).expect("not zero")),
        ..ORDERED
    }
}

/// The digest of one file with this name and content.
#[track_caller]
fn of_text(name: &str, content: &str, options: &DigestOptions) -> Digest {
    let folder = Folder::new();
    digest_path(&folder.write(name, content), options).expect("a digest")
}

/// The digest of one column in an Arrow file.
#[track_caller]
fn of_array(array: ArrayRef, options: &DigestOptions) -> Digest {
    let folder = Folder::new();
    let path = folder.path().join("a.arrow");
    write_batch(&path, &RecordBatch::try_from_iter_with_nullable([("a", array, true)]).expect("a column"));
    digest_path(&path, options).expect("a digest")
}

#[track_caller]
fn check_equal(csv: &str, arrays: Vec<ArrayRef>) {
    let expected = of_text("a.csv", csv, &ORDERED);
    for array in arrays {
        let data_type = array.data_type().clone();
        assert_eq!(of_array(array, &ORDERED), expected, "{data_type}");
    }
}

/// The bytes of digests are public: they change with the scheme's number only.
#[test]
fn digests_stay_what_they_are() {
    let csv = "id,name,amount,at,is_new\n1,ann,1.50,2024-02-29 10:20:30.5,true\n2,,-3,,false\n";
    let shown = [ORDERED, UNORDERED, rounded(2)].map(|options| of_text("a.csv", csv, &options).to_string());
    insta::assert_snapshot!(shown.join("\n"), @"
    rows1:76498107ceaff53b25c1a57da11f4adc119d4407c608f5369ad3ffd991c86ed5
    rows1-unordered:ebcce94c4b9f1b6d88c2044696947d3c8a4784084ea0a45d843182afa98c9860
    rows1-2digits:f04c383de83c344b5d26bac13c2e626037bac94b07f49e8149a22f6146907e8f
    ");
    insta::assert_snapshot!(
        of_text("a.bin", "abc", &UNORDERED),
        @"bytes1:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
    );
}

#[test]
fn numbers_are_equal_however_they_are_kept() {
    let wholes = Int64Array::from(vec![Some(1), None, Some(-120)]);
    let of = |data_type| cast(&wholes, &data_type).expect("a number is a number");
    check_equal(
        "a\n1\n\"\"\n-120\n",
        vec![
            of(DataType::Int8),
            of(DataType::Int16),
            of(DataType::Int32),
            of(DataType::Int64),
            of(DataType::Float16),
            of(DataType::Float32),
            of(DataType::Float64),
            of(DataType::Decimal32(5, 1)),
            of(DataType::Decimal64(12, 0)),
            of(DataType::Decimal128(10, 2)),
            of(DataType::Decimal256(40, 30)),
            of(DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Int16))),
        ],
    );
    let fractions = Float64Array::from(vec![1.5, 0.1, -2.0]);
    let of = |data_type| cast(&fractions, &data_type).expect("a number is a number");
    check_equal(
        "a\n1.50\n+1e-1\n-2\n",
        vec![
            of(DataType::Float64),
            of(DataType::Float32),
            of(DataType::Decimal128(10, 2)),
            of(DataType::Decimal256(40, 1)),
        ],
    );
    check_equal("a\n0\n-0\n", vec![Arc::new(Float64Array::from(vec![0.0, -0.0]))]);
    check_equal(
        "a\ninf\nnan\n-1e400\n",
        vec![Arc::new(Float64Array::from(vec![f64::INFINITY, f64::NAN, f64::NEG_INFINITY]))],
    );
    let unsigned = Arc::new(UInt64Array::from(vec![3, u64::MAX])) as ArrayRef;
    assert_ne!(
        of_array(unsigned, &ORDERED),
        of_array(Arc::new(UInt64Array::from(vec![3, u64::MAX - 1])), &ORDERED)
    );
}

#[test]
fn moments_are_equal_however_they_are_kept() {
    let seconds = TimestampSecondArray::from(vec![Some(1_700_000_000), None]);
    let of = |unit| cast(&seconds, &DataType::Timestamp(unit, None)).expect("a unit");
    check_equal(
        "a\n2023-11-14T22:13:20\n\"\"\n",
        vec![
            of(TimeUnit::Second),
            of(TimeUnit::Millisecond),
            of(TimeUnit::Microsecond),
            of(TimeUnit::Nanosecond),
            Arc::new(StringArray::from(vec![Some("2023-11-14 22:13:20.000"), None])),
        ],
    );
    let zoned = |zone: &str| Arc::new(seconds.clone().with_timezone(zone)) as ArrayRef;
    check_equal(
        "a\n2023-11-14T23:13:20+01:00\n\"\"\n",
        vec![zoned("UTC"), zoned("Europe/Oslo"), zoned("-05:00")],
    );
    assert_ne!(of_array(zoned("UTC"), &ORDERED), of_array(of(TimeUnit::Second), &ORDERED));
    check_equal(
        "a\n1970-01-02\n",
        vec![
            Arc::new(Date32Array::from(vec![1])),
            Arc::new(Date64Array::from(vec![86_400_000])),
            Arc::new(TimestampSecondArray::from(vec![86_400])),
        ],
    );
    check_equal(
        "a\n10:00:00\n10:00:00.250\n",
        vec![
            Arc::new(Time32MillisecondArray::from(vec![36_000_000, 36_000_250])),
            Arc::new(Time64NanosecondArray::from(vec![36_000_000_000_000, 36_000_250_000_000])),
            Arc::new(StringArray::from(vec!["10:00:00", "10:00:00.250"])),
        ],
    );
    let spans = [
        Arc::new(DurationSecondArray::from(vec![3])) as ArrayRef,
        Arc::new(DurationMillisecondArray::from(vec![3_000])),
        Arc::new(DurationMicrosecondArray::from(vec![3_000_000])),
        Arc::new(DurationNanosecondArray::from(vec![3_000_000_000])),
    ]
    .map(|array| of_array(array, &ORDERED));
    assert!(spans.iter().all(|span| *span == spans[0]));
    assert_ne!(spans[0], of_array(Arc::new(DurationSecondArray::from(vec![4])), &ORDERED));
    let months = of_array(Arc::new(IntervalYearMonthArray::from(vec![2])), &ORDERED);
    let nano = |months, days, nanoseconds| {
        let value = IntervalMonthDayNano::new(months, days, nanoseconds);
        of_array(Arc::new(IntervalMonthDayNanoArray::from(vec![value])), &ORDERED)
    };
    assert_eq!(months, nano(2, 0, 0));
    let days = Arc::new(IntervalDayTimeArray::from(vec![IntervalDayTime::new(2, 5)]));
    assert_eq!(of_array(days, &ORDERED), nano(0, 2, 5_000_000));
    assert_ne!(nano(2, 0, 0), nano(0, 2, 0));
}

#[test]
fn text_and_bytes_are_equal_in_every_layout() {
    let texts = StringArray::from(vec![Some("x,\"\n"), None, Some("\u{e9}")]);
    let of = |data_type| cast(&texts, &data_type).expect("a layout");
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8));
    check_equal(
        "a\n\"x,\"\"\n\"\n\"\"\n\u{e9}\n",
        vec![of(DataType::Utf8), of(DataType::LargeUtf8), of(DataType::Utf8View), of(dictionary)],
    );
    let bytes = of(DataType::Binary);
    let expected = of_array(bytes.clone(), &ORDERED);
    for data_type in [DataType::LargeBinary, DataType::BinaryView] {
        assert_eq!(of_array(cast(&bytes, &data_type).expect("a layout"), &ORDERED), expected);
    }
    assert_ne!(of_array(of(DataType::Utf8), &ORDERED), expected, "text is not bytes");
    let fixed = FixedSizeBinaryArray::try_from_iter([&b"ab"[..], b"cd"].into_iter()).expect("one length");
    let loose = BinaryArray::from(vec![&b"ab"[..], b"cd"]);
    assert_eq!(of_array(Arc::new(fixed), &ORDERED), of_array(Arc::new(loose), &ORDERED));
}

#[test]
fn nested_values_are_equal_in_every_layout() {
    let json = of_text("a.ndjson", "{\"a\": [1, null]}\n{\"a\": []}\n{}\n{\"a\": [2.5]}\n", &ORDERED);
    let lists = ListArray::from_iter_primitive::<Float64Type, _, _>([
        Some(vec![Some(1.0), None]),
        Some(vec![]),
        None,
        Some(vec![Some(2.5)]),
    ]);
    let item = || Arc::new(Field::new_list_field(DataType::Float32, true));
    for data_type in [
        DataType::List(item()),
        DataType::LargeList(item()),
        DataType::ListView(item()),
        DataType::LargeListView(item()),
    ] {
        assert_eq!(of_array(cast(&lists, &data_type).expect("a layout"), &ORDERED), json, "{data_type}");
    }
    let pairs =
        FixedSizeListArray::from_iter_primitive::<Int8Type, _, _>([Some(vec![Some(1), Some(2)]), None], 2);
    let expected = of_text("a.ndjson", "{\"a\": [1, 2]}\n{\"a\": null}\n", &ORDERED);
    assert_eq!(of_array(Arc::new(pairs), &ORDERED), expected);

    // A field that is null is as one that is not there, and a map is as a struct.
    let json = of_text("a.json", r#"[{"a": {"y": 1, "x": "t"}}, {"a": {"x": "u"}}, {"a": null}]"#, &ORDERED);
    let fields = Fields::from(vec![
        Field::new("x", DataType::Utf8, true),
        Field::new("none", DataType::Null, true),
        Field::new("y", DataType::Int8, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["t", "u", "hidden"])),
        Arc::new(NullArray::new(3)),
        Arc::new(Int8Array::from(vec![Some(1), None, None])),
    ];
    let structs = StructArray::new(fields, columns, Some(vec![true, true, false].into()));
    assert_eq!(of_array(Arc::new(structs), &ORDERED), json);
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    for (key, value) in [("b", Some(2)), ("a", Some(1)), ("c", None)] {
        maps.keys().append_value(key);
        maps.values().append_option(value);
    }
    maps.append(true).expect("as many keys as values");
    let expected = of_text("a.json", r#"[{"a": {"a": 1, "b": 2}}]"#, &ORDERED);
    assert_eq!(of_array(Arc::new(maps.finish()), &ORDERED), expected);
}

#[test]
fn runs_dictionaries_and_unions_are_the_values_they_stand_for() {
    let plain = of_array(Arc::new(StringArray::from(vec![Some("x"), Some("x"), None, Some("y")])), &ORDERED);
    let runs: RunArray<Int16Type> = [Some("x"), Some("x"), None, Some("y")].into_iter().collect();
    assert_eq!(of_array(Arc::new(runs), &ORDERED), plain);
    let values = Arc::new(StringArray::from(vec![Some("y"), None, Some("x")]));
    let keys = Int32Array::from(vec![2, 2, 1, 0]);
    assert_eq!(of_array(Arc::new(DictionaryArray::new(keys, values)), &ORDERED), plain);
    let none =
        DictionaryArray::new(Int8Array::from(vec![None, None]), Arc::new(StringArray::from(vec![""; 0])));
    assert_eq!(of_array(Arc::new(none), &ORDERED), of_array(Arc::new(NullArray::new(2)), &ORDERED));
    let kinds = [Field::new("i", DataType::Int64, true), Field::new("t", DataType::Utf8, true)];
    let kinds = UnionFields::try_new([0, 1], kinds).expect("two kinds");
    let union = |ids: Vec<i8>, offsets: Vec<i32>| {
        let children: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from(vec![7])), Arc::new(StringArray::from(vec!["x", "y"]))];
        let (ids, offsets) = (ScalarBuffer::from(ids), ScalarBuffer::from(offsets));
        let union = UnionArray::try_new(kinds.clone(), ids, Some(offsets), children).expect("a union");
        let folder = Folder::new();
        let path = folder.path().join("a.arrow");
        write_batch(
            &path,
            &RecordBatch::try_from_iter([("a", Arc::new(union) as ArrayRef)]).expect("a column"),
        );
        digest_path(&path, &ORDERED).expect("a digest")
    };
    assert_eq!(union(vec![1, 1], vec![0, 1]), of_text("a.csv", "a\nx\ny\n", &ORDERED));
    assert_eq!(union(vec![0], vec![0]), of_text("a.csv", "a\n7\n", &ORDERED));
    assert_ne!(union(vec![1, 0], vec![0, 0]), union(vec![0, 1], vec![0, 0]));
    let slices = ListArray::new(
        Arc::new(Field::new_list_field(DataType::Int64, true)),
        OffsetBuffer::from_lengths([2, 1, 1]),
        Arc::new(Int64Array::from(vec![1, 2, 3, 4])),
        None,
    );
    let expected = of_text("a.ndjson", "{\"a\": [3]}\n{\"a\": [4]}\n", &ORDERED);
    assert_eq!(of_array(Arc::new(slices.slice(1, 2)), &ORDERED), expected);
}

#[test]
fn what_differs_differs() {
    let base = "a,b\n1,x\n2,y\n2,y\n";
    let digest = |content, options| of_text("a.csv", content, options);
    for (other, differs_unordered) in [
        ("a,b\n1,x\n2,y\n", true),
        ("a,b\n1,x\n2,y\n2,z\n", true),
        ("a,b\n1,x\n1,x\n2,y\n", true),
        ("a,b\n2,y\n1,x\n2,y\n", false),
        ("a,c\n1,x\n2,y\n2,y\n", true),
        ("a,b,c\n1,x,\n2,y,\n2,y,\n", true),
        ("b,a\n1,x\n2,y\n2,y\n", true),
        ("a,b\n", true),
    ] {
        assert_ne!(digest(other, &ORDERED), digest(base, &ORDERED), "{other}");
        assert_eq!(digest(other, &UNORDERED) != digest(base, &UNORDERED), differs_unordered, "{other}");
    }
    assert_eq!(digest("b;a\nx;1\ny;2\ny;2.0\n", &ORDERED), digest(base, &ORDERED), "the order of columns");
    assert_ne!(digest(base, &UNORDERED), digest(base, &ORDERED));
    // What stands in one cell does not run over into the next.
    assert_ne!(digest("a,b\nxy,z\n", &ORDERED), digest("a,b\nx,yz\n", &ORDERED));
    assert_ne!(
        of_text("a.ndjson", "{\"a\": [[1], []]}", &ORDERED),
        of_text("a.ndjson", "{\"a\": [[], [1]]}", &ORDERED)
    );
    let texts = |texts: Vec<Option<&str>>| of_array(Arc::new(StringArray::from(texts)), &ORDERED);
    assert_ne!(texts(vec![Some("")]), texts(vec![None]), "an empty text is no null");
    assert_ne!(texts(vec![Some("1")]), of_text("a.csv", "a\n1\n", &ORDERED), "text is no number");
    assert_ne!(texts(vec![Some("true")]), of_text("a.csv", "a\ntrue\n", &ORDERED));
}

#[test]
fn floats_within_a_tolerance_are_equal() {
    let digest = |content, options: &DigestOptions| of_text("a.csv", content, options);
    let (one, other) = ("a\n0.30000000000000004\n1\n", "a\n0.3\n1\n");
    assert_ne!(digest(one, &ORDERED), digest(other, &ORDERED));
    assert_eq!(digest(one, &rounded(15)), digest(other, &rounded(15)));
    assert_ne!(digest(one, &rounded(15)), digest(one, &rounded(14)), "digests of two schemes");
    assert_ne!(
        digest("a\n0.1249\n", &rounded(2)),
        digest("a\n0.1251\n", &rounded(2)),
        "a border lies between"
    );
    assert_ne!(
        digest("a\n1234567\n", &rounded(3)),
        digest("a\n1234568\n", &rounded(3)),
        "integers are not rounded"
    );
    assert_eq!(digest("a\n1234567.5\n", &rounded(3)), digest("a\n1234568.5\n", &rounded(3)));
    let narrow = Arc::new(Float32Array::from(vec![0.1])) as ArrayRef;
    let wide = cast(&narrow, &DataType::Float64).expect("a wider float");
    assert_ne!(of_array(narrow.clone(), &ORDERED), of_array(wide.clone(), &ORDERED));
    assert_eq!(of_array(narrow, &rounded(7)), of_array(wide, &rounded(7)));
}

#[test]
fn folders_are_their_tables_and_their_other_files() {
    let folder = |files: &[(&str, &str)]| {
        let folder = Folder::new();
        for (name, content) in files {
            folder.write(name, content);
        }
        digest_path(folder.path(), &ORDERED)
    };
    let digest = |files: &[(&str, &str)]| folder(files).expect("a digest");
    let whole = of_text("a.csv", "a,b\nNA,1\nx,2.5\n", &ORDERED);
    assert_eq!(
        digest(&[("part-0.csv", "a,b\nNA,1\n"), ("part-1.csv", "a,b\nx,2.5\n"), ("_SUCCESS", "")]),
        whole
    );
    assert_eq!(digest(&[("x.csv", "a,b\nNA,1\nx,2.5\n"), ("y.csv", "a,b\n"), ("z.csv", "b,a\n")]), whole);
    assert_eq!(
        digest(&[("0.json", r#"[{"b": 1, "a": "NA"}]"#), ("1.ndjson", r#"{"a": "x", "b": 2.5}"#)]),
        whole
    );
    assert_ne!(digest(&[("part-1.csv", "a,b\nNA,1\n"), ("part-0.csv", "a,b\nx,2.5\n")]), whole);

    let (half, full) = ("{\"a\": 1}\n", "{\"a\": 2, \"b\": true}\n");
    let whole = of_text("a.ndjson", &format!("{half}{full}"), &ORDERED);
    assert_eq!(digest(&[("part-0.ndjson", half), ("part-1.ndjson", full)]), whole);
    // Keys of folders are columns.
    let keyed = of_text("a.ndjson", "{\"a\": 1, \"x\": 1}\n{\"a\": 2, \"b\": true, \"x\": 2}\n", &ORDERED);
    assert_eq!(digest(&[("x=1/0.ndjson", half), ("x=2/0.ndjson", full)]), keyed);
    assert_eq!(digest(&[("test.ndjson", half), ("train.ndjson", full)]), whole);
    let unlike = digest(&[("0.csv", "a,b\n1,2\n"), ("1.csv", "a,c\n1,2\n")]);
    assert!(unlike.to_string().starts_with("files1:"), "{unlike}");

    let table = ("train.csv", "a\n1\n");
    let with_model = digest(&[table, ("model.pkl", "x")]);
    assert!(with_model.to_string().starts_with("files1:"), "{with_model}");
    assert_eq!(with_model, digest(&[("other.tsv", "a\n1\n"), ("model.pkl", "x")]));
    for other in [
        &[table, ("model.pkl", "y")][..],
        &[table, ("other.pkl", "x")],
        &[("train.csv", "a\n2\n"), ("model.pkl", "x")],
        &[("model.pkl", "x")],
        &[table, ("model.pkl", "x"), ("more.csv", "b\n1\n")],
        &[table, ("model.pkl", "x"), ("model2.pkl", "x")],
    ] {
        assert_ne!(digest(other), with_model, "{other:?}");
    }
    let error = folder(&[]).expect_err("nothing to digest").to_string();
    assert!(error.ends_with("holds no data files"), "{error}");
    let error = folder(&[table, ("b.csv", "a\n1,2\n")]).expect_err("a damaged table").to_string();
    assert!(error.contains("b.csv` cannot be read as csv: line 2"), "{error}");
}

#[test]
fn objects_beside_tables_are_no_parts_of_them() {
    let digest = |(name, content): (&str, &str)| {
        let folder = Folder::new();
        folder.write("out/orders.csv", "id,amount\n1,2\n");
        folder.write(&format!("out/{name}"), content);
        digest_path(&folder.path().join("out"), &ORDERED).expect("what was just written")
    };
    let totals = digest(("totals.json", "{\"id\": 1, \"amount\": 2}"));
    assert!(totals.to_string().starts_with("files1:"), "{totals}");
    assert_eq!(digest(("totals.json", "{\n  \"amount\": 2.0,\n  \"id\": 1\n}\n")), totals);
    assert_ne!(digest(("totals.json", "{\"id\": 1, \"amount\": 3}")), totals);
    assert_ne!(digest(("sums.json", "{\"id\": 1, \"amount\": 2}")), totals);
}

#[test]
fn what_is_no_table_is_its_bytes() {
    let is_bytes = |name, content| of_text(name, content, &ORDERED).to_string().starts_with("bytes1:");
    assert!(
        is_bytes("a.pkl", "x")
            && is_bytes("a.json", "[1]")
            && is_bytes("a.json", "{\"a\": [1, \"x\"]}")
            && is_bytes("a.json", "[{\"a\": 1}, {\"a\": \"x\"}]")
    );
    assert!(!is_bytes("a.json", "[]"));
    let object = of_text("a.json", "{\n\"b\": \"x\",\n\"a\": 1.50\n}", &ORDERED);
    assert_eq!(object, of_text("a.csv", "a,b\n1.5,x\n", &ORDERED));
    let folder = Folder::new();
    let path = folder.path().join("lost");
    assert_eq!(
        digest_path(&path, &ORDERED).expect_err("nothing").to_string(),
        format!("`{path}` does not exist")
    );
}

/// What the documentation says that text formats cannot tell.
#[test]
fn what_text_cannot_say() {
    let array = |array: ArrayRef| of_array(array, &ORDERED);
    let folder = Folder::new();
    let written = |array: ArrayRef, name: &str| {
        let path = folder.path().join(name);
        write_batch(
            &path,
            &RecordBatch::try_from_iter_with_nullable([("a", array, true)]).expect("a column"),
        );
        digest_path(&path, &ORDERED).expect("a digest")
    };
    let lost: [(&str, ArrayRef, &str); 6] = [
        ("empty text", Arc::new(StringArray::from(vec!["x", ""])), "csv"),
        ("text that is a number", Arc::new(StringArray::from(vec!["1"])), "csv"),
        ("infinities", Arc::new(Float64Array::from(vec![f64::INFINITY])), "json"),
        ("bytes", Arc::new(BinaryArray::from(vec![&b"\xAB"[..]])), "csv"),
        ("durations", Arc::new(DurationSecondArray::from(vec![1])), "json"),
        ("nanoseconds", Arc::new(TimestampNanosecondArray::from(vec![1])), "csv"),
    ];
    for (what, values, extension) in lost {
        assert_ne!(
            written(values.clone(), &format!("a.{extension}")),
            array(values),
            "{what} in {extension}"
        );
    }
    let kept: [ArrayRef; 4] = [
        Arc::new(UInt64Array::from(vec![u64::MAX])),
        Arc::new(StringArray::from(vec!["x", ""])),
        Arc::new(TimestampNanosecondArray::from(vec![1, i64::MAX])),
        Arc::new(StringArray::from(vec!["1", "NA"])),
    ];
    for values in kept {
        assert_eq!(written(values.clone(), "a.json"), array(values));
    }
}

#[test]
fn digests_can_be_canceled_at_any_time() {
    let folder = Folder::new();
    let table = folder.write("data/orders.csv", format!("id,amount\n{}", "1,2.5\n".repeat(50_000)));
    let opaque = folder.write("data/model.pkl", vec![b'x'; 1 << 20]);
    for path in [table.as_path(), &opaque, &folder.path().join("data")] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let whole = digest_path_with(
            path,
            &ORDERED,
            &ProfileOptions::default()
                .with_cancel(move || counted.fetch_add(1, Ordering::Relaxed) == usize::MAX),
        );
        assert_eq!(whole.expect("a digest"), digest_path(path, &ORDERED).expect("a digest"));
        let all = asked.load(Ordering::Relaxed);
        assert!(all > 10, "asked {all} times only");
        for before in [0, 1, all / 2, all - 1] {
            let asked = AtomicUsize::new(0);
            let given_up = digest_path_with(
                path,
                &ORDERED,
                &ProfileOptions::default()
                    .with_cancel(move || asked.fetch_add(1, Ordering::Relaxed) >= before),
            );
            let is_canceled = matches!(given_up, Err(ReadTableError::Data(DataError::Canceled { .. })));
            assert!(is_canceled, "{path} after {before} of {all}: {given_up:?}");
        }
    }
}
