use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use runtime_testing_data::arrow::array::{
    ArrayRef, DictionaryArray, Int32RunArray, Int64Array, Int64Builder, ListBuilder, MapBuilder, NullArray,
    RecordBatch, StringBuilder, StructArray,
};
use runtime_testing_data::arrow::datatypes::{DataType, Field, Int8Type};
use runtime_testing_data::{
    DataError, Expected, ProfileOptions, ReadTableError, SampleData, compare, digest_path, digest_path_with,
    profile_file, profile_file_with, profile_path, profile_path_with, read_batches, read_batches_with,
    schema_of,
};
use runtime_testing_models::DigestOptions;

use crate::folder::{Folder, shown, write_batch};

/// Writes a file and checks its profile as text, without the file's name.
#[track_caller]
fn check(path: &str, content: impl AsRef<[u8]>, expected: &str) {
    let folder = Folder::new();
    let path = folder.write(path, content);
    let shown = shown(&profile_file(&path).expect("a file that can be read"));
    assert_eq!(shown.split_once(": ").expect("a name and a format").1, expected);
}

#[test]
fn formats_follow_the_content_first() {
    check("a.csv", "a\n1\n", "csv, 1 rows\n  a: int64");
    check("a.tsv", "a,b\n1,2\n", "csv, promised tsv, 1 rows\n  a: int64\n  b: int64");
    check("a.csv", r#" [{"a": 1}]"#, "json, promised csv, 1 rows\n  a: int64");
    check("a.csv", "{\"a\": 1}\n{\"a\": 2}\n", "ndjson, promised csv, 2 rows\n  a: int64");
    check("a.tsv", r#"{"a": 1}"#, "json_object, promised tsv, 1 rows\n  a: int64");
    check("a.csv", "[id],{x}\n1,2\n", "csv, 1 rows\n  [id]: int64\n  {x}: int64");
    check("a.json", "{\"a\": 1}\n{\"a\": 2}\n", "ndjson, promised json, 2 rows\n  a: int64");
    check(
        "a.json",
        "{\n  \"b\": {\"c\": []},\n  \"a\": null\n}\n",
        "json_object, 1 rows\n  a: null?, 1 nulls\n  b: struct<c: list<null>>",
    );
    check("a.json", "[1, 2]", "json");
    check("a.jsonl", r#"[{"a": 1}]"#, "json, promised ndjson, 1 rows\n  a: int64");
    check("a.jsonl", "[1]\n", "ndjson, 0 rows\n  ! line 1: the line is no object");
}

#[test]
fn headers_may_begin_with_the_letters_of_a_mark() {
    let columns = "1 rows\n  ";
    check("a.csv", "FEA1,b\n1,2\n", &format!("csv, {columns}FEA1: int64\n  b: int64"));
    check("a.csv", "PAR1,PAR2\n1,2\n", &format!("csv, {columns}PAR1: int64\n  PAR2: int64"));
    check("a.tsv", "ARROW1\tb\n1\t2\n", &format!("tsv, {columns}ARROW1: int64\n  b: int64"));
    check("a.txt", "PAR1,PAR2\n1,2\n", "opaque");
    #[cfg(feature = "parquet")]
    check(
        "a.parquet",
        "PAR1",
        "parquet\n  ! the Parquet file is cut off or damaged: its footer cannot be read",
    );
}

#[test]
fn what_names_no_table_is_opaque() {
    check("model.pkl", "a,b\n1,2\n", "opaque");
    check("part-0000", "{\"a\": 1}\n", "opaque");
    check("empty", "", "opaque");
    check("a.tar.gz", [0x1F, 0x8B, 8, 0], "opaque");
    check("minus_ones.bin", [0xFF; 64], "opaque");
}

#[test]
fn what_the_content_is_not_where_the_name_promises_it() {
    let csv = "a,b\n1,2\n";
    let columns = "1 rows\n  a: int64\n  b: int64";
    for (name, promised) in
        [("a.parquet", "parquet"), ("a.json", "json"), ("a.ndjson", "ndjson"), ("a.arrow", "arrow_ipc")]
    {
        check(name, csv, &format!("csv, promised {promised}, {columns}"));
    }
    check("a.parquet", "a\tb\n1\t2\n", &format!("tsv, promised parquet, {columns}"));
    check("a.parquet", r#"[{"a": 1}]"#, "json, promised parquet, 1 rows\n  a: int64");
    check("a.parquet", "{\"a\": 1}\n{\"a\": 2}", "ndjson, promised parquet, 2 rows\n  a: int64");
    // What is no table without a flaw is what its name says, and broken.
    check("a.json", "a,b\n1,2,3\n", "json\n  ! line 1: invalid JSON: expected a value, found `a`");
    check(
        "a.csv",
        "PK\x03\x04\x14\0",
        "opaque, promised csv\n  ! this is a ZIP archive or a workbook, and not csv",
    );
    check("a.json", "BZh91AY&SY", "opaque, promised json\n  ! this is compressed with bzip2, and not json");
}

#[test]
fn binary_data_under_the_name_of_a_text() {
    for name in ["a.csv", "a.tsv", "a.json", "a.ndjson"] {
        let folder = Folder::new();
        for (binary, format) in [("b.arrow", "arrow_ipc"), ("b.arrows", "arrow_stream")] {
            let binary = SampleData::default().write(&folder.path().join(binary)).unwrap();
            let path = folder.path().join(name);
            std::fs::rename(binary, &path).unwrap();
            let promised = runtime_testing_data::format_of_extension(&path);
            let expected = format!("{name}: {format}, promised {promised}, 5 rows\n");
            assert!(shown(&profile_file(&path).unwrap()).starts_with(&expected));
        }
    }
}

#[test]
fn files_and_streams_of_arrow_data() {
    let folder = Folder::new();
    for (written, name, promised) in [
        ("a.arrows", "b.arrow", None),
        ("a.arrows", "b.ipc", None),
        ("a.arrows", "b.feather", Some("arrow_ipc")),
        ("a.arrow", "b.arrows", Some("arrow_stream")),
    ] {
        let written = SampleData::default().write(&folder.path().join(written)).unwrap();
        let path = folder.path().join(name);
        std::fs::rename(written, &path).unwrap();
        let found = profile_file(&path).unwrap().promised.map(|promised| promised.to_string());
        assert_eq!(found.as_deref(), promised, "{name}");
    }
}

#[test]
fn files_without_a_byte() {
    for (path, format) in [
        ("a.csv", "csv"),
        ("a.tsv", "tsv"),
        ("a.json", "json"),
        ("a.ndjson", "ndjson"),
        ("a.parquet", "parquet"),
        ("a.arrow", "arrow_ipc"),
    ] {
        check(path, "", &format!("{format}\n  ! the file is empty"));
    }
}

#[test]
fn a_header_alone() {
    check("a.csv", "a,b\n", "csv, 0 rows\n  a: null\n  b: null");
}

#[test]
fn what_readers_of_text_have_to_be_told() {
    let told = |path: &str, content: &str| {
        let folder = Folder::new();
        let file = profile_file(&folder.write(path, content)).expect("a file that can be read");
        assert_eq!(file.findings, []);
        (file.delimiter, file.byte_order_mark)
    };
    assert_eq!(told("a.csv", "a,b\n1,2\n"), (None, false));
    assert_eq!(told("a.csv", "a;b\n1;2\n"), (Some(';'), false));
    assert_eq!(told("a.csv", "a\tb\n1\t2\n"), (Some('\t'), false));
    assert_eq!(told("a.csv", "a\n1\n"), (None, false));
    assert_eq!(told("a.csv", "\u{feff}a|b\n1|2\n"), (Some('|'), true));
    assert_eq!(told("a.csv", "\u{feff}a\n1\n"), (None, true));
    assert_eq!(told("a.tsv", "\u{feff}a\tb\n1\t2\n"), (None, true));
    assert_eq!(told("a.tsv", "a;b\n1;2\n"), (Some(';'), false), "csv under another name");
    assert_eq!(told("a.json", "[{\"a\": 1}]"), (None, false));
}

#[test]
fn what_is_not_what_its_name_says() {
    check("a.parquet", "a\n", "parquet\n  ! this is no Parquet file: it does not begin with `PAR1`");
    check("a.feather", "a\n", "arrow_ipc\n  ! this is neither an Arrow IPC file nor a stream");
    check(
        "a.feather",
        "FEA1....",
        "arrow_ipc\n  ! Feather version 1 is not supported; write Feather 2 / Arrow IPC",
    );
    check("a.arrow", "ARROW1\0\0", "arrow_ipc\n  ! the Arrow file is cut off");
    check("a.arrows", [0xFF; 64], "arrow_stream\n  ! the Arrow data is cut off");
    check(
        "a.csv",
        [0xFF, 0xFF, 0xFF, 0xFF, b'\n'],
        "csv, 0 rows\n  \u{fffd}\u{fffd}\u{fffd}\u{fffd}: null\n  ! line 1: the text is not UTF-8: byte 0xFF",
    );
}

#[test]
fn the_row_that_decides_is_found_however_late() {
    let mut text = "id,quantity\n".to_owned();
    for row in 1..=6000 {
        let quantity = if row == 5001 { "n/a?".to_owned() } else { (row % 5).to_string() };
        text.push_str(&format!("{row},{quantity}\n"));
    }
    check("a.csv", &text, "csv, 6000 rows\n  id: int64\n  quantity: text, row 5001 is \"n/a?\"");
}

#[test]
fn profiles_can_be_canceled_at_any_time() {
    let folder = Folder::new();
    let path = folder.write("orders.csv", format!("id,amount\n{}", "1,2.5\n".repeat(1_000_000)));
    for jobs in [1, 2, 8] {
        let jobs = NonZeroUsize::new(jobs).expect("some jobs");
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let options = ProfileOptions::default()
            .with_jobs(jobs)
            .with_cancel(move || counted.fetch_add(1, Ordering::Relaxed) >= 5);
        let error = profile_path_with(&path, &options).expect_err("it is canceled");
        assert!(matches!(&error, DataError::Canceled { path: canceled } if *canceled == path), "{error:?}");
        assert_eq!(error.to_string(), format!("canceled while `{path}` was looked at"));
        assert!((6..20).contains(&asked.load(Ordering::Relaxed)), "the rest is not read: {asked:?}");
    }
    // A text in JSON as well, and a folder.
    let json = folder.write("orders.json", "[{\"id\": 1}]");
    for asked_before in 0..3 {
        let asked = AtomicUsize::new(0);
        let options = ProfileOptions::default()
            .with_cancel(move || asked.fetch_add(1, Ordering::Relaxed) >= asked_before);
        assert!(matches!(profile_file_with(&json, &options), Err(DataError::Canceled { .. })));
        assert!(matches!(profile_path_with(folder.path(), &options), Err(DataError::Canceled { .. })));
    }
    assert!(profile_path_with(folder.path(), &ProfileOptions::default().with_cancel(|| false)).is_ok());
}

#[test]
fn other_words_for_nulls() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "a,b,c\n1,-999,NA\n-,1.5,\n");
    let shown_with = |options: &ProfileOptions| {
        shown(&profile_file_with(&path, options).expect("a file that can be read"))
    };
    let by_default =
        "a.csv: csv, 2 rows\n  a: text, row 2 is \"-\"\n  b: float64, row 2 is \"1.5\"\n  c: null?, 2 nulls";
    assert_eq!(shown_with(&ProfileOptions::default()), by_default);
    let others = ProfileOptions::default().with_null_values(["-", "-999"]);
    assert_eq!(
        shown_with(&others),
        "a.csv: csv, 2 rows\n  a: int64?, 1 nulls\n  b: float64?, 1 nulls\n  c: text?, 1 nulls",
    );
    // Rows and digests have the same nulls.
    let rows = read_batches_with(&path, &others).expect("a table").next().expect("a batch").expect("rows");
    assert_eq!(rows.columns().iter().map(|column| column.null_count()).collect::<Vec<_>>(), [1, 1, 1]);
    let same = folder.write("b.csv", "a,b,c\n1,,NA\n,1.5,\n");
    let digest = |path, options| digest_path_with(path, &DigestOptions::default(), options).expect("a table");
    let none = ProfileOptions::default().with_null_values([""; 0]);
    assert_eq!(digest(&path, &others), digest(&same, &none));
    assert_ne!(digest(&path, &others), digest(&path, &none));
}

/// Writes the default sample under a name, then changes the file's bytes.
fn changed_sample(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let folder = Folder::new();
    let path = SampleData::default().write(&folder.path().join(name)).expect("sample data can be written");
    let mut bytes = std::fs::read(&path).expect("what was just written");
    change(&mut bytes);
    std::fs::write(&path, bytes).expect("files can be written");
    shown(&profile_file(&path).expect("a file that can be read"))
}

#[test]
fn arrow_files_and_streams() {
    let columns = "5 rows\n  feature1: int64?\n  feature2: float64?\n  label: int64?";
    assert_eq!(changed_sample("a.arrow", |_| {}), format!("a.arrow: arrow_ipc, {columns}"));
    assert_eq!(changed_sample("a.arrows", |_| {}), format!("a.arrows: arrow_stream, {columns}"));
    // The end of a stream need not be written.
    assert_eq!(
        changed_sample("a.arrows", |bytes| bytes.truncate(bytes.len() - 8)),
        format!("a.arrows: arrow_stream, {columns}")
    );
}

#[test]
fn arrow_data_that_is_cut_off() {
    assert_eq!(
        changed_sample("a.arrow", |bytes| bytes.truncate(bytes.len() - 1)),
        "a.arrow: arrow_ipc\n  ! the Arrow file is cut off: its footer is missing",
    );
    assert_eq!(
        changed_sample("a.arrows", |bytes| bytes.truncate(bytes.len() - 20)),
        "a.arrows: arrow_stream\n  ! the Arrow stream is cut off",
    );
    assert_eq!(
        changed_sample("a.arrows", |bytes| bytes.truncate(20)),
        "a.arrows: arrow_stream\n  ! the Arrow data is cut off",
    );
    assert_eq!(
        changed_sample("a.arrows", |bytes| bytes[8..40].fill(0xEE)),
        "a.arrows: arrow_stream\n  ! a message of the Arrow data is damaged",
    );
    let claims_too_much = |bytes: &mut Vec<u8>| {
        let footer_length = bytes.len() - 10;
        bytes[footer_length..footer_length + 4].copy_from_slice(&i32::MAX.to_le_bytes());
    };
    assert_eq!(
        changed_sample("a.arrow", claims_too_much),
        "a.arrow: arrow_ipc\n  ! the footer of the Arrow file is damaged",
    );
}

#[test]
fn an_arrow_stream_is_known_without_an_extension() {
    let folder = Folder::new();
    let path = SampleData::default().write(&folder.path().join("a.arrows")).unwrap();
    let bare = folder.path().join("bare");
    std::fs::rename(path, &bare).unwrap();
    assert!(shown(&profile_file(&bare).unwrap()).starts_with("bare: arrow_stream, 5 rows"));
}

#[test]
fn two_columns_of_one_name() {
    let column = || Arc::new(Int64Array::from(vec![1, 2])) as _;
    let batch = RecordBatch::try_from_iter([("a", column()), ("a", column())]).unwrap();
    let folder = Folder::new();
    let path = folder.path().join("a.arrow");
    write_batch(&path, &batch);
    assert_eq!(
        shown(&profile_file(&path).unwrap()),
        "a.arrow: arrow_ipc, 2 rows\n  a: int64\n  a: int64\n  ! duplicate column name `a`",
    );
}

/// Columns with columns inside, each with a null, and a plain one behind them all.
fn nested_batch() -> Vec<(&'static str, ArrayRef, bool)> {
    let mut lists = ListBuilder::new(Int64Builder::new());
    lists.append_value([Some(1), None]);
    lists.append_null();
    lists.append_value([]);
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    for is_there in [true, false, false] {
        maps.append(is_there).expect("each map has as many keys as values");
    }
    let inner = Arc::new(Int64Array::from(vec![None, None, Some(1)])) as ArrayRef;
    let structs = StructArray::from(vec![(Arc::new(Field::new("x", DataType::Int64, true)), inner)]);
    let dictionary: DictionaryArray<Int8Type> = [Some("a"), None, Some("a")].into_iter().collect();
    vec![
        ("list", Arc::new(lists.finish()), true),
        ("map", Arc::new(maps.finish()), true),
        ("struct", Arc::new(structs), true),
        ("dictionary", Arc::new(dictionary), true),
        ("null", Arc::new(NullArray::new(3)), true),
        ("plain", Arc::new(Int64Array::from(vec![Some(1), None, None])), true),
    ]
}

#[test]
fn nulls_behind_nested_columns_are_counted() {
    let runs: Int32RunArray = [Some("a"), Some("a"), None].into_iter().collect();
    let mut columns = nested_batch();
    columns.insert(0, ("runs", Arc::new(runs), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let folder = Folder::new();
    for (name, format) in [("a.arrow", "arrow_ipc"), ("a.arrows", "arrow_stream")] {
        write_batch(&folder.path().join(name), &batch);
        let shown = shown(&profile_file(&folder.path().join(name)).unwrap());
        assert_eq!(
            shown.split_once(": ").unwrap().1,
            format!(
                "{format}, 3 rows\n  runs: text?, 1 nulls\n  list: list<int64>?, 1 nulls\n  \
                 map: map<text, int64>?, 2 nulls\n  struct: struct<x: int64>?\n  dictionary: text?, 1 nulls\n  \
                 null: null?, 3 nulls\n  plain: int64?, 2 nulls",
            ),
        );
    }
}

#[cfg(feature = "parquet")]
#[test]
fn nulls_that_parquet_does_not_tell_are_read() {
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::{EnabledStatistics, WriterProperties};

    let folder = Folder::new();
    let path = folder.path().join("a.parquet");
    let mut columns = nested_batch();
    let outer = StructArray::from(vec![(
        Arc::new(Field::new("map", columns[1].1.data_type().clone(), true)),
        Arc::clone(&columns[1].1),
    )]);
    columns.push(("outer", Arc::new(outer), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let without = WriterProperties::builder().set_statistics_enabled(EnabledStatistics::None).build();
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(without)).unwrap();
    for _ in 0..1000 {
        writer.write(&batch).unwrap();
    }
    writer.close().unwrap();
    assert_eq!(
        shown(&profile_file(&path).unwrap()),
        "a.parquet: parquet, 3000 rows\n  list: list<int64>?, 1000 nulls\n  map: map<text, int64>?, 2000 nulls\n  \
         struct: struct<x: int64>?\n  dictionary: text?, 1000 nulls\n  null: null?, 3000 nulls\n  \
         plain: int64?, 2000 nulls\n  outer: struct<map: map<text, int64>>?",
    );
    let never = ProfileOptions::default().with_cancel(|| true);
    assert!(matches!(profile_file_with(&path, &never), Err(DataError::Canceled { .. })));
}

#[cfg(feature = "parquet")]
#[test]
fn nulls_in_the_statistics_of_parquet_are_counted() {
    let folder = Folder::new();
    let path = folder.path().join("a.parquet");
    let mut columns = nested_batch();
    columns.push(("never", Arc::new(Int64Array::from(vec![1, 2, 3])), false));
    write_batch(&path, &RecordBatch::try_from_iter_with_nullable(columns).unwrap());
    assert_eq!(
        shown(&profile_file(&path).unwrap()),
        "a.parquet: parquet, 3 rows\n  list: list<int64>?, 1 nulls\n  \
         map: map<text, int64>?, 2 nulls\n  struct: struct<x: int64>?\n  \
         dictionary: text?, 1 nulls\n  null: null?, 3 nulls\n  plain: int64?, 2 nulls\n  never: int64",
    );
}

#[cfg(feature = "parquet")]
#[test]
fn a_parquet_file_without_rows_has_no_nulls() {
    let batch = RecordBatch::try_from_iter_with_nullable(nested_batch()).unwrap().slice(0, 0);
    let folder = Folder::new();
    let path = folder.path().join("a.parquet");
    write_batch(&path, &batch);
    let schema = profile_file(&path).unwrap().schema.unwrap();
    assert!(schema.rows == 0 && schema.columns.iter().all(|column| column.nulls == Some(0)));
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_files() {
    let columns = "parquet, 5 rows\n  feature1: int64?\n  feature2: float64?\n  label: int64?";
    assert_eq!(changed_sample("a.parquet", |_| {}), format!("a.parquet: {columns}"));
    assert_eq!(
        changed_sample("a.parquet", |bytes| bytes.truncate(bytes.len() - 1)),
        "a.parquet: parquet\n  ! the Parquet file is cut off or damaged: its footer cannot be read",
    );
    check(
        "a.csv",
        "PAR1\x15\x04",
        "parquet, promised csv\n  ! the Parquet file is cut off or damaged: its footer cannot be read",
    );
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_files_need_the_feature() {
    let message = "this build cannot read Parquet: enable the feature `parquet`";
    check("a.parquet", "PAR1....PAR1", &format!("parquet\n  ! {message}"));
    check("bare", "PAR1\x15\x04PAR1", &format!("parquet\n  ! {message}"));
}

#[test]
fn a_profile_that_was_written_is_the_one_that_is_read() {
    let folder = Folder::new();
    folder.write("0.csv", "a;b\n1;x\n2;2024-01-31\n");
    folder.write("1.csv", "\u{feff}a;b\nsecret;\n");
    folder.write("0.json", "{\"a\": 1}");
    folder.write("1.json", "{\"a\": 1}\n{\"a\": \"y\"}\n");
    let profile = profile_path(folder.path()).unwrap();
    let text = serde_json::to_string(&profile).unwrap();
    assert!(!text.contains("31") && !text.contains("\"1\""), "what decided nothing is not written: {text}");
    let read = serde_json::from_str(&text).unwrap();
    assert_eq!(profile, read);
    assert_eq!(compare(&Expected::Inferred(&profile), &read), []);
}

/// Rows as those of `iris.data`, which has no header.
const IRIS: &str = "5.1,3.5,1.4,0.2,Iris-setosa\n4.9,3.0,1.4,0.2,Iris-setosa\n4.7,3.2,1.3,0.2,Iris-setosa\n\
    7.0,3.2,4.7,1.4,Iris-versicolor\n5.1,2.5,3.0,1.1,Iris-versicolor\n4.9,2.5,4.5,1.7,Iris-virginica\n\
    6.3,3.3,6.0,2.5,Iris-virginica\n";

const NO_HEADER: &str =
    "line 1: the first line looks like a row, not like a header; write the names of the columns first";

#[test]
fn a_table_with_text_and_no_header_is_read_by_nobody() {
    let folder = Folder::new();
    let tsv = IRIS.replace(',', "\t");
    for (name, content) in [("a.csv", IRIS), ("a.tsv", &tsv)] {
        let path = folder.write(name, content);
        let findings: Vec<String> =
            profile_file(&path).unwrap().findings.iter().map(ToString::to_string).collect();
        assert_eq!(findings, [NO_HEADER]);
        let told = |error: ReadTableError| assert!(error.to_string().ends_with(NO_HEADER), "{error}");
        told(schema_of(&path).unwrap_err());
        told(read_batches(&path).expect_err("a finding"));
        told(digest_path(&path, &DigestOptions::default()).unwrap_err());
    }
}

#[test]
fn each_part_of_a_table_needs_a_header() {
    let folder = Folder::new();
    let named = format!("a,b,c,d,e\n{IRIS}");
    folder.write("parts/1.csv", &named);
    folder.write("parts/2.csv", &named);
    assert_eq!(
        read_batches(&folder.path().join("parts"))
            .unwrap()
            .map(|batch| batch.unwrap().num_rows())
            .sum::<usize>(),
        14
    );
    folder.write("parts/2.csv", IRIS);
    let profile = profile_path(&folder.path().join("parts")).unwrap();
    let findings: Vec<usize> = profile.files.iter().map(|file| file.findings.len()).collect();
    assert_eq!(findings, [0, 1]);
}
