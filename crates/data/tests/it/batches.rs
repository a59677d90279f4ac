//! Tables read as Arrow record batches.

use camino::Utf8Path;
use runtime_testing_data::arrow::array::{AsArray, RecordBatch};
use runtime_testing_data::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use runtime_testing_data::arrow::error::ArrowError;
use runtime_testing_data::arrow::util::display::{ArrayFormatter, FormatOptions};
use runtime_testing_data::{
    Batches, ReadTableError, SampleData, profile_file, read_batches, schema_of, write_batches,
};
use runtime_testing_models::{TableContract, TypeWord};

use crate::folder::Folder;

/// The columns, with `?` where they may hold nulls, and the rows of a table.
#[track_caller]
fn shown(batches: Batches) -> String {
    let schema = batches.schema();
    let columns = schema.fields().iter().map(|field| {
        format!("{}: {}{}", field.name(), field.data_type(), if field.is_nullable() { "?" } else { "" })
    });
    let mut lines = vec![columns.collect::<Vec<_>>().join(", ")];
    for batch in batches {
        let batch = batch.expect("a batch");
        assert_eq!(batch.schema(), schema);
        let options = FormatOptions::default().with_null("null");
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).expect("values that can be shown"))
            .collect();
        lines.extend((0..batch.num_rows()).map(|row| {
            columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(", ")
        }));
    }
    lines.join("\n")
}

#[track_caller]
fn check(name: &str, content: &str, expected: &str) {
    let folder = Folder::new();
    let path = folder.write(name, content);
    let batches = read_batches(&path).expect("a table");
    assert_eq!(*batches.schema(), schema_of(&path).expect("a table"));
    assert_eq!(shown(batches), expected);
}

#[test]
fn text_has_the_types_that_its_profile_tells() {
    check(
        "a.csv",
        "a,b,c,d,e,f,g\n\
         1,1,x,true,2024-01-31,2024-01-31,\n\
         NA,.5,NA,None,NA,2024-01-31 10:00,NA\n\
         \" +2 \",nan,,FALSE,,,\n",
        "a: Int64?, b: Float64?, c: Utf8?, d: Boolean?, e: Date32?, f: Timestamp(µs)?, g: Null?\n\
         1, 1.0, x, true, 2024-01-31, 2024-01-31T00:00:00, null\n\
         null, 0.5, NA, null, null, 2024-01-31T10:00:00, null\n\
         2, null, null, false, null, null, null",
    );
    check("a.csv", "a;b\n1;007\n", "a: Int64, b: Utf8\n1, 007");
    check("a.tsv", "a\tb\n1\tx,y\n", "a: Int64, b: Utf8\n1, x,y");
    check("a.csv", "\u{feff}a\r\n1\r\n\r\n2.5\r\n", "a: Float64?\n1.0\nnull\n2.5");
    check("a.csv", "a,b\n", "a: Null, b: Null");
}

#[test]
fn text_with_a_zone_is_read_in_utc() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "at\n1970-01-01T01:00:00.25+01:00\n\"\"\n1969-12-31 23:00Z\n");
    let batch = read_batches(&path).unwrap().next().expect("a batch").unwrap();
    let zone = Some("UTC".into());
    assert_eq!(batch.column(0).data_type(), &DataType::Timestamp(TimeUnit::Microsecond, zone));
    let values: Vec<Option<i64>> =
        batch.column(0).as_primitive::<TimestampMicrosecondType>().iter().collect();
    assert_eq!(values, [Some(250_000), None, Some(-3_600_000_000)]);
    for (name, expected) in [
        ("b.csv", "at\n1970-01-01T00:00:00.250Z\n\"\"\n1969-12-31T23:00:00Z\n"),
        (
            "b.ndjson",
            "{\"at\":\"1970-01-01T00:00:00.250Z\"}\n{\"at\":null}\n{\"at\":\"1969-12-31T23:00:00Z\"}\n",
        ),
    ] {
        let written = folder.path().join(name);
        write_batches(&written, batch.schema_ref(), [Ok(batch.clone())]).unwrap();
        assert_eq!(std::fs::read_to_string(&written).unwrap(), expected);
    }
    assert_eq!(read_batches(&folder.path().join("b.csv")).unwrap().next().unwrap().unwrap(), batch);
}

#[test]
fn a_part_of_one_line_is_a_part_of_lines() {
    let folder = Folder::new();
    folder.write("out/part-0.json", "{\"x\": 1}\n{\"x\": 2}\n");
    folder.write("out/part-1.json", "{\"x\": 0.5, \"y\": 1}\n");
    folder.write("out/totals.json", "{\"x\": 3}");
    folder.write("out/part-2.json", "{\n\"x\": 4}");
    let path = folder.path().join("out");
    let profile = runtime_testing_data::profile_path(&path).unwrap();
    let formats: Vec<String> = profile.files.iter().map(|file| file.format.to_string()).collect();
    assert_eq!(formats, ["ndjson", "ndjson", "json_object", "json_object"]);
    let promised: Vec<bool> = profile.files.iter().map(|file| file.promised.is_some()).collect();
    assert_eq!(promised, [true, true, false, false]);
    let error = read_batches(&path).unwrap_err().to_string();
    assert!(error.contains("part-2.json` and `") && error.contains("a single JSON object"), "{error}");
    for lost in ["part-2.json", "totals.json"] {
        std::fs::remove_file(path.join(lost)).unwrap();
    }
    let rows: usize = read_batches(&path).unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 3);
}

#[test]
fn json_has_the_types_that_its_profile_tells() {
    check(
        "a.json",
        r#"[{"b": "2024-01-31", "a": 1}, {"a": -0, "c": [1.0, null]}]"#,
        "a: Int64, b: Utf8?, c: List(Float64)?\n1, 2024-01-31, null\n0, null, [1.0, null]",
    );
    let lines = "{\"b\": \"2024-01-31\", \"a\": 1}\n\n{\"a\": -0, \"c\": [1]}\n{\"c\": [0.5]}";
    for name in ["a.ndjson", "a.json"] {
        let columns = "a: Int64?, b: Utf8?, c: List(Float64)?";
        check(name, lines, &format!("{columns}\n1, 2024-01-31, null\n0, null, [1.0]\nnull, null, [0.5]"));
    }
    check("a.csv", "[{\"a\": 1}, {\"a\": null}]", "a: Int64?\n1\nnull");
    check("a.jsonl", "[{\"a\": true}]", "a: Boolean\ntrue");
    check(
        "a.json",
        r#"[{"s": {"x": 9223372036854775808, "e": []}}, {"s": {"y": "\ud83d\ude00\n"}}, {}]"#,
        "s: Struct(\"e\": List(Null), \"x\": UInt64, \"y\": Utf8)?\n\
         {e: [], x: 9223372036854775808, y: null}\n{e: null, x: null, y: \u{1f600}\n}\nnull",
    );
    check("a.json", "{\n\"b\": [true],\n\"a\": null}\n", "a: Null?, b: List(Boolean)\nnull, [true]");
    let all = |separator: &str| {
        (0..40_000).map(|key| format!("{separator}k{key}{separator}: 0.5")).collect::<Vec<_>>()
    };
    let keys = |separator: &str| format!("{{{}}}", all(separator).join(", "));
    let entries = "non-null Struct(\"keys\": non-null Utf8, \"values\": Float64)";
    check(
        "a.json",
        &format!("{{\"a\": {}}}", keys("\"")),
        &format!("a: Map(\"entries\": {entries}, unsorted)\n{}", keys("")),
    );
    check("a.json", "[{}, {}]", "\n\n");
    check("a.json", "[]", "");
    check("a.ndjson", "\n", "");
}

#[test]
fn binary_formats_give_what_they_hold() {
    let words = TypeWord::ALL.into_iter();
    let contract =
        words.fold(TableContract::default(), |contract, word| contract.with_column(word.as_str(), word));
    let sample = SampleData::from_contract(&contract);
    let parquet = if cfg!(feature = "parquet") { "a.parquet" } else { "a.feather" };
    for name in ["a.arrow", "a.arrows", parquet] {
        let folder = Folder::new();
        let path = sample.write(&folder.path().join(name)).unwrap();
        let batches: Vec<RecordBatch> = read_batches(&path).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(batches, [sample.batch().clone()], "{name}");
    }
}

#[test]
fn many_rows_come_in_many_batches() {
    let folder = Folder::new();
    let numbers: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    let path = folder.write("a.csv", format!("a\n{numbers}"));
    let lines: String = (0..20_000).map(|number| format!("{{\"a\": {number}}}\n")).collect();
    folder.write("a.ndjson", lines);
    for path in [path, folder.path().join("a.ndjson")] {
        let rows: Vec<usize> = read_batches(&path).unwrap().map(|batch| batch.unwrap().num_rows()).collect();
        assert_eq!(rows, [8192, 8192, 3616], "{path}");
        assert_eq!(profile_file(&path).unwrap().schema.unwrap().rows, 20_000);
    }
}

#[test]
fn the_files_of_a_folder_are_one_table() {
    let folder = Folder::new();
    folder.write("table/part-1.csv", "id,day,x\n3,2024-02-01,\n");
    folder.write("table/part-0.csv", "id,day,x\n1,2024-01-31,1\n2,2024-01-31,2\n");
    folder.write("table/more/part-2.csv", "id;day;x\n4;2024-02-01 10:00;0.5\n");
    folder.write("table/part-3.csv", "id,day,x\n");
    folder.write("table/part-0.csv.tmp", "not this");
    folder.write("table/_SUCCESS", "");
    assert_eq!(
        shown(read_batches(&folder.path().join("table")).unwrap()),
        "id: Int64, day: Timestamp(µs), x: Float64?\n\
         4, 2024-02-01T10:00:00, 0.5\n\
         1, 2024-01-31T00:00:00, 1.0\n\
         2, 2024-01-31T00:00:00, 2.0\n\
         3, 2024-02-01T00:00:00, null",
    );
    folder.write("json/0.json", r#"[{"a": [], "s": {"x": 1}}]"#);
    folder.write("json/1.json", r#"[{"a": [1], "s": {"x": 0.5}}, {"a": null, "s": null}]"#);
    assert_eq!(
        shown(read_batches(&folder.path().join("json")).unwrap()),
        "a: List(Int64)?, s: Struct(\"x\": Float64)?\n[], {x: 1.0}\n[1], {x: 0.5}\nnull, null",
    );
}

#[test]
fn cells_of_a_folder_are_text_where_one_file_of_all_rows_would_show_text() {
    let folder = Folder::new();
    folder.write("0.csv", "a,b\n007,1.50\nNA,\n");
    folder.write("1.csv", "a,b\n8,true\n");
    assert_eq!(
        shown(read_batches(folder.path()).unwrap()),
        "a: Utf8, b: Utf8?\n007, 1.50\nNA, null\n8, true"
    );
    folder.write("0.csv", "a,b\n7,1.50\nNA,\n");
    assert_eq!(
        shown(read_batches(folder.path()).unwrap()),
        "a: Int64?, b: Utf8?\n7, 1.50\nnull, null\n8, true"
    );
}

#[test]
fn objects_of_several_files_have_the_fields_of_all() {
    let folder = Folder::new();
    folder.write("0.json", r#"[{"s": {"x": 1}}]"#);
    folder.write("1.ndjson", r#"{"s": {"w": "y", "x": 2.5}}"#);
    assert_eq!(
        shown(read_batches(folder.path()).unwrap()),
        "s: Struct(\"w\": Utf8, \"x\": Float64)\n{w: null, x: 1.0}\n{w: y, x: 2.5}"
    );
}

#[test]
fn parts_may_lack_columns_and_have_them_in_any_order() {
    let folder = Folder::new();
    folder.write("year=2023/0.json", r#"[{"b": 1}]"#);
    folder.write("year=2024/0.json", "[]");
    folder.write("year=2024/1.json", r#"[{"a": "x", "b": 2}]"#);
    folder.write("year=2024/2.json", "[{}]");
    let with_key = "a: Utf8?, b: Int64?, year: Int64\nnull, 1, 2023\nx, 2, 2024\nnull, null, 2024";
    assert_eq!(shown(read_batches(folder.path()).unwrap()), with_key);
    let folder = Folder::new();
    folder.write("north.csv", "b,a\n1,x\n");
    folder.write("south.csv", "a,c,b\ny,2024-01-31,2\n");
    folder.write("west.csv", "b\n3\n");
    assert_eq!(
        shown(read_batches(folder.path()).unwrap()),
        "b: Int64, a: Utf8?, c: Date32?\n1, x, null\n2, y, 2024-01-31\n3, null, null"
    );
    let folder = Folder::new();
    SampleData::from_json(r#"{"a": [1], "b": ["x"]}"#)
        .unwrap()
        .write(&folder.path().join("0.arrow"))
        .unwrap();
    SampleData::from_json(r#"{"a": [2]}"#).unwrap().write(&folder.path().join("1.arrow")).unwrap();
    assert_eq!(shown(read_batches(folder.path()).unwrap()), "a: Int64?, b: Utf8?\n1, x\n2, null");
}

#[track_caller]
fn check_refused(files: &[(&str, &str)], expected: &str) {
    let folder = Folder::new();
    for (name, content) in files {
        folder.write(name, content);
    }
    let error = read_batches(folder.path()).expect_err("no table").to_string();
    let root = format!("{}/", folder.path());
    assert_eq!(error.replace(&root, "").replace(folder.path().as_str(), "."), expected);
}

#[test]
fn files_that_are_no_parts_of_one_table() {
    check_refused(&[], "`.` holds no data files");
    check_refused(
        &[("0.csv", "a,b\n1,2\n"), ("2.ndjson", "{\"a\": 1, \"b\": \"x\"}\n")],
        "`2.ndjson` and `0.csv` are no parts of one table: it is ndjson, and that is csv",
    );
    check_refused(
        &[("0.csv", "a,b\n1,2\n"), ("1.csv", "a,c\n1,2\n")],
        "`1.csv` and `0.csv` are no parts of one table: it has `c` and lacks `b`, with little in common",
    );
    check_refused(
        &[("0.json", r#"[{"s": {"x": 1}}]"#), ("1.json", r#"[{"s": {"x": "y"}}]"#)],
        "`1.json` and `0.json` are no parts of one table: \
         column `s` is struct<x: text> and not struct<x: int64>",
    );
    check_refused(
        &[("0.csv", "a\n1\n"), ("README.md", "about")],
        "`README.md` is no table: its format is opaque",
    );
    check_refused(
        &[("0.csv", "a\n1\n"), ("1.csv", "a\n1,2\n")],
        "`1.csv` cannot be read as csv: line 2: row has 2 fields, the header has 1",
    );
}

/// Reads a file that is written again when its schema has been settled.
#[track_caller]
fn check_changed(name: &str, before: &str, after: &str) -> ReadTableError {
    let folder = Folder::new();
    let path = folder.write(name, before);
    let mut batches = read_batches(&path).expect("a table");
    folder.write(name, after);
    let error = batches.by_ref().find_map(Result::err).expect("an error");
    assert!(batches.next().is_none(), "nothing comes behind an error");
    match error {
        ArrowError::ExternalError(error) => *error.downcast::<ReadTableError>().expect("our own error"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_changes_is_not_half_read() {
    let is_changed = |error: &ReadTableError| matches!(error, ReadTableError::Changed { .. });
    assert!(is_changed(&check_changed("a.csv", "a\n1\n2\n", "a\n1\n")));
    assert!(is_changed(&check_changed("a.csv", "a\n1\n2\n", "")));
    assert!(is_changed(&check_changed("a.ndjson", "{\"a\":1}\n", "{\"a\":1}\n{\"a\":2}\n")));
    let decode = check_changed("a.csv", "a\n1\n2\n", "a\n1\nx\n");
    assert!(matches!(decode, ReadTableError::Decode { .. }), "{decode}");
    let cause = std::error::Error::source(&decode).expect("a cause").to_string();
    assert_eq!(cause, "Csv error: row 2 does not have the types that the text had before");
    let decode = check_changed("a.json", "[{\"a\":1}]", "[{\"a\":\"x\"}]");
    assert!(decode.to_string().ends_with("cannot be read as json"), "{decode}");

    let folder = Folder::new();
    let path = folder.write("a.csv", "a\n1\n");
    let mut batches = read_batches(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = batches.next().expect("an error").unwrap_err().to_string();
    assert_eq!(error, format!("External error: `{path}` does not exist"));
}

#[test]
fn what_is_no_table_is_refused_at_once() {
    let folder = Folder::new();
    let message = |path: &Utf8Path| read_batches(path).unwrap_err().to_string();
    let path = folder.write("a.pkl", "x");
    assert_eq!(message(&path), format!("`{path}` is no table: its format is opaque"));
    let path = folder.path().join("nowhere");
    assert_eq!(message(&path), format!("`{path}` does not exist"));
}

#[test]
fn batches_can_be_sent_to_other_threads() {
    fn check<T: Send>() {}
    check::<Batches>();
}
