//! What a contract asks of values, against a naive look at the same values; and what it says of data that was accepted and then
//! changed.

use std::collections::HashMap;
use std::sync::Arc;

use camino::Utf8Path;
use proptest::prelude::*;
use runtime_testing_data::arrow::array::{
    Array, ArrayRef, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array, ListArray,
    RecordBatch, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt64Array,
};
use runtime_testing_data::arrow::buffer::OffsetBuffer;
use runtime_testing_data::arrow::compute::cast;
use runtime_testing_data::arrow::datatypes::{DataType, Field, Schema};
use runtime_testing_data::{
    ConstraintScope, Expected, FileDifference, ProfileOptions, compare_values, observe_constraints,
    observe_contract, profile_path, profile_path_with,
};
use runtime_testing_models::{DataContract, Difference};

use crate::folder::{Folder, write_batch};

fn differences(contract: &str, path: &Utf8Path) -> Vec<FileDifference> {
    let contract: DataContract = contract.parse().expect("a contract");
    let options = ProfileOptions::default().for_contract(&contract);
    let found = profile_path_with(path, &options).expect("data");
    compare_values(&Expected::Contract(&contract), path, &found, &options).expect("data that can be read")
}

#[track_caller]
fn check(contract: &str, path: &Utf8Path, expected: &[&str]) {
    let told = differences(contract, path);
    let told = told.iter().filter(|told| told.difference.is_breaking());
    let told: Vec<String> = told.map(|told| format!("{}: {}", told.file, told.difference)).collect();
    assert_eq!(told, expected);
}

#[test]
fn rows_are_counted_over_all_files() {
    let folder = Folder::new();
    folder.write("0.csv", "id,amount\n1,5\n2,0.5\n");
    folder.write("1.csv", "amount,id\n-1,2\n,1\n-2.5,1\n");
    let contract = r#"{"columns": {"id": {"type": "integer", "unique": true},
        "amount": {"type": "float", "minimum": 0, "max_null_fraction": 0.1}}}"#;
    check(
        contract,
        folder.path(),
        &[
            "1.csv: column `amount`: 1 of 5 rows are null, and at most a share of 0.1 may be",
            "1.csv: column `amount`: not `minimum 0`: row 1 is \"-1.0\", and one more row",
            "1.csv: column `id`: not `unique`: row 1 is \"2\", and 2 more rows",
        ],
    );
}

#[test]
fn values_are_those_of_each_format() {
    let folder = Folder::new();
    folder.write(
        "a.csv",
        "day,at,zip,ok\n2024-01-01,2024-01-01 10:00:00,0123,true\n2024-03-01,2024-01-02 10:00:00,123,false\n",
    );
    let contract = r#"{"columns": {
        "day": {"type": "date", "maximum": "2024-02-01"},
        "at": {"type": "timestamp", "minimum": "2024-01-01T12:00:00"},
        "zip": {"type": "text", "pattern": "\\d{4}", "values": ["0123", "0456"]},
        "ok": {"type": "boolean", "values": [true]}}}"#;
    let told = [
        "column `day`: not `maximum \"2024-02-01\"`: row 2 is \"2024-03-01\"",
        "column `at`: not `minimum \"2024-01-01T12:00:00\"`: row 1 is \"2024-01-01T10:00:00\"",
        "column `zip`: not `values [\"0123\",\"0456\"]`: row 2 is \"123\"",
        "column `zip`: not `pattern \\d{4}`: row 2 is \"123\"",
        "column `ok`: not `values [true]`: row 2 is \"false\"",
    ];
    let of = |name: &str| told.map(|told| format!("{name}: {told}"));
    check(contract, &folder.path().join("a.csv"), &of("a.csv").each_ref().map(String::as_str));
    let rows = runtime_testing_data::read_batches(&folder.path().join("a.csv")).expect("a table");
    let schema = rows.schema();
    let arrow = folder.path().join("a.arrow");
    runtime_testing_data::write_batches(&arrow, &schema, rows).expect("Arrow holds every type");
    check(contract, &arrow, &of("a.arrow").each_ref().map(String::as_str));
}

#[test]
fn what_cannot_be_looked_at_breaks() {
    let folder = Folder::new();
    let path = folder.write("a.json", r#"[{"a": [1], "b": "x"}, {"a": [1], "b": 2}]"#);
    check(
        r#"{"columns": {"a": {"type": "any", "unique": true}, "b": {"type": "any", "minimum": 3}}}"#,
        &path,
        &[
            "a.json: column `b`: `minimum 3` cannot be looked at: the column holds mixed",
            "a.json: column `a`: `unique` cannot be looked at: the column holds list<int64>",
        ],
    );
}

#[test]
fn nulls_within_columns_are_found() {
    let folder = Folder::new();
    let path = folder.write(
        "a.ndjson",
        "{\"p\": {\"x\": 1, \"y\": \"a\"}, \"l\": [1, 2]}\n{\"p\": {\"x\": null, \"y\": \"b\"}, \"l\": [null]}\n{\"l\": []}\n",
    );
    check(
        r#"{"columns": {
            "p": {"type": "struct", "fields": {"x": {"type": "integer", "nullable": false}, "y": {"type": "text", "nullable": false}}},
            "l": {"type": "list", "items": {"type": "integer", "nullable": false}}}}"#,
        &path,
        &[
            "a.ndjson: column `p.x`: not `nullable false`: row 2 is \"{x: null, y: b}\"",
            "a.ndjson: column `l[]`: not `nullable false`: row 2 is \"[null]\"",
        ],
    );
}

#[test]
fn nulls_within_every_layout_of_lists_are_found() {
    let folder = Folder::new();
    let rows = |last: Option<i64>| {
        // What lies behind a null is no value.
        let values = Int64Array::from(vec![Some(1), Some(2), None, None, Some(3), last]);
        let offsets = OffsetBuffer::from_lengths([2, 2, 2]);
        let item = Arc::new(Field::new_list_field(DataType::Int64, true));
        ListArray::new(item, offsets, Arc::new(values), Some(vec![true, false, true].into()))
    };
    let item = || Arc::new(Field::new_list_field(DataType::Int64, true));
    let contract = r#"{"columns": {"l": {"type": "list", "items": {"type": "integer", "nullable": false}}}}"#;
    for layout in [DataType::List(item()), DataType::LargeList(item()), DataType::FixedSizeList(item(), 2)] {
        for (last, told) in [
            (Some(4), vec![]),
            (None, vec!["a.arrow: column `l[]`: not `nullable false`: row 3 is \"[3, null]\""]),
        ] {
            let lists = cast(&rows(last), &layout).expect("another layout");
            let batch = RecordBatch::try_from_iter_with_nullable([("l", lists, true)]).expect("a column");
            let path = folder.path().join("a.arrow");
            write_batch(&path, &batch);
            check(contract, &path, &told);
        }
    }
}

#[test]
fn other_words_are_nulls_for_a_contract() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "a,b\n1,-\n2,3\n");
    let contract =
        |more: &str| format!(r#"{{"columns": {{"b": {{"type": "integer", "minimum": 3}}}}{more}}}"#);
    check(&contract(r#", "null_values": ["-"]"#), &path, &[]);
    check(&contract(""), &path, &["a.csv: column `b`: expected integer, found text"]);
}

#[test]
fn what_is_no_number_is_a_null_in_every_format() {
    let folder = Folder::new();
    let values = Float64Array::from(vec![Some(1.0), Some(f64::NAN), None]);
    let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Float64, true)]));
    let batch = RecordBatch::try_new(schema, vec![Arc::new(values)]).expect("one column");
    for format in ["arrow", "csv", "ndjson"] {
        let path = folder.path().join(format!("a.{format}"));
        write_batch(&path, &batch);
        let told = differences(r#"{"columns": {"a": {"type": "float", "nullable": false}}}"#, &path);
        let told: Vec<&Difference> = told.iter().map(|told| &told.difference).collect();
        assert_eq!(told, [&Difference::NullsFound { column: "a".to_owned(), nulls: Some(2) }], "{format}");
    }
}

/// Writes a column in Arrow IPC.
fn arrow(folder: &Folder, name: &str, array: ArrayRef) {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
    write_batch(&path, &RecordBatch::try_from_iter_with_nullable([("a", array, true)]).expect("one column"));
}

#[test]
fn values_of_different_types_are_the_same_values() {
    let milliseconds = |zone: Option<&str>| -> ArrayRef {
        Arc::new(TimestampMillisecondArray::from(vec![1000]).with_timezone_opt(zone))
    };
    let decimal = |value: i128, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(vec![value]).with_precision_and_scale(10, scale).expect("digits"))
    };
    let pairs: [(&str, ArrayRef, ArrayRef, bool); 8] = [
        ("timestamp", milliseconds(None), Arc::new(TimestampMicrosecondArray::from(vec![1_000_000])), true),
        (
            "timestamp",
            Arc::new(TimestampNanosecondArray::from(vec![1000])),
            Arc::new(TimestampMicrosecondArray::from(vec![1000])),
            false,
        ),
        ("timestamp", milliseconds(Some("UTC")), milliseconds(None), false),
        (
            "timestamp",
            Arc::new(Date32Array::from(vec![1])),
            Arc::new(TimestampSecondArray::from(vec![86_400])),
            true,
        ),
        ("decimal", decimal(15, 1), decimal(150, 2), true),
        ("decimal", decimal(100, 2), Arc::new(Int64Array::from(vec![1])), true),
        ("float", Arc::new(Int64Array::from(vec![1])), Arc::new(Float64Array::from(vec![1.0])), true),
        ("integer", Arc::new(UInt64Array::from(vec![u64::MAX])), Arc::new(Int64Array::from(vec![-1])), false),
    ];
    for (word, one, other, are_same) in pairs {
        let folder = Folder::new();
        let what = format!("{} and {}", one.data_type(), other.data_type());
        arrow(&folder, "0.arrow", one);
        arrow(&folder, "1.arrow", other);
        let contract = format!(r#"{{"columns": {{"a": {{"type": "{word}", "unique": true}}}}}}"#);
        let told = differences(&contract, folder.path());
        let found = told.iter().any(|told| matches!(told.difference, Difference::Constraint { .. }));
        assert_eq!(found, are_same, "{what}: {told:?}");
    }
}

#[test]
fn limits_are_exact() {
    let folder = Folder::new();
    let exact = Decimal128Array::from(vec![12_345_678_901_234_567_890]).with_precision_and_scale(30, 0);
    arrow(&folder, "d.arrow", Arc::new(exact.expect("digits")));
    arrow(&folder, "f.arrow", Arc::new(Float32Array::from(vec![0.1])));
    arrow(&folder, "n.arrow", Arc::new(Int64Array::from(vec![None, None])));
    arrow(&folder, "z.arrow", Arc::new(TimestampSecondArray::from(vec![0]).with_timezone("Europe/Oslo")));
    folder.write("u.csv", "a\n18446744073709551615\n");
    folder.write("t.csv", "a,b\n9999-12-31 00:00:00,1\n");
    folder.write("e.csv", "a,b\n,1\n,2\n");
    folder.write("p.csv", "a,b\nhello,1\n");
    for (file, column, breaks) in [
        ("u.csv", r#"{"type": "integer", "maximum": 18446744073709551614}"#, true),
        ("u.csv", r#"{"type": "integer", "maximum": 18446744073709551615}"#, false),
        ("u.csv", r#"{"type": "integer", "values": [18446744073709551614]}"#, true),
        ("d.arrow", r#"{"type": "decimal", "maximum": 12345678901234567889}"#, true),
        ("d.arrow", r#"{"type": "decimal", "maximum": 12345678901234567890.00}"#, false),
        ("d.arrow", r#"{"type": "decimal", "minimum": 12345678901234567890.01}"#, true),
        ("d.arrow", r#"{"type": "decimal", "maximum": 1e99}"#, false),
        ("f.arrow", r#"{"type": "float", "maximum": 0.1, "values": [0.1]}"#, false),
        ("t.csv", r#"{"type": "timestamp", "maximum": "9999-12-31T00:00:00"}"#, false),
        ("t.csv", r#"{"type": "timestamp", "maximum": "2100-01-01T00:00:00"}"#, true),
        ("e.csv", r#"{"type": "integer", "minimum": 0, "unique": true}"#, false),
        ("n.arrow", r#"{"type": "integer", "minimum": 0}"#, false),
        ("p.csv", r#"{"type": "text", "pattern": "(?x) [0-9]{5} # zip"}"#, true),
        ("p.csv", r#"{"type": "text", "pattern": "(?x) [a-z]{5} # word"}"#, false),
    ] {
        let told = differences(&format!(r#"{{"columns": {{"a": {column}}}}}"#), &folder.path().join(file));
        let found = told.iter().any(|told| told.difference.is_breaking());
        assert_eq!(found, breaks, "{file}, {column}: {told:?}");
    }
    check(
        r#"{"columns": {"a": {"type": "timestamp", "minimum": "2000-01-01T00:00:00Z"}}}"#,
        &folder.path().join("z.arrow"),
        &["z.arrow: column `a`: not `minimum \"2000-01-01T00:00:00Z\"`: row 1 is \"1970-01-01T00:00:00Z\""],
    );
}

#[test]
fn every_unique_rule_is_looked_at() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "a,b,c\n1,x,p\n1,x,q\n2,x,r\n");
    check(
        r#"{"columns": {"a": {"type": "integer", "unique": true}, "b": {"type": "text", "unique": true}, "c": "text"}, "unique": ["a", "b"]}"#,
        &path,
        &[
            "a.csv: column `a`: not `unique`: row 2 is \"1\"",
            "a.csv: column `b`: not `unique`: row 2 is \"x\", and one more row",
            "a.csv: column `a`, `b`: not `unique`: row 2 is \"1, x\"",
        ],
    );
}

#[test]
fn no_number_counts_wherever_nulls_do() {
    let folder = Folder::new();
    arrow(&folder, "a.arrow", Arc::new(Float64Array::from(vec![f64::NAN, 1.0])));
    let told = ["a.arrow: column `a`: 1 of 2 rows are null, and at most a share of 0.1 may be"];
    let contract =
        |share: &str| format!(r#"{{"columns": {{"a": {{"type": "float", "max_null_fraction": {share}}}}}}}"#);
    check(&contract("0.1"), &folder.path().join("a.arrow"), &told);
    check(&contract("0.5"), &folder.path().join("a.arrow"), &[]);
    let hundred: Vec<String> =
        (0..100).map(|row| if row < 29 { ",1\n".to_owned() } else { "1,1\n".to_owned() }).collect();
    let path = folder.write("b.csv", format!("a,b\n{}", hundred.concat()));
    check(&contract("0.29"), &path, &[]);
    let path = folder.write("m.ndjson", "{\"a\": {\"k\": 1}}\n{\"a\": {\"k\": null}}\n");
    let map = r#"{"columns": {"a": {"type": "map", "values": {"type": "integer", "nullable": false}}}}"#;
    assert!(
        differences(map, &path).iter().any(|told| matches!(told.difference, Difference::NotChecked { .. }))
    );
}

#[test]
fn words_that_are_named_are_nulls_in_text() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "z,i\n-,1\nUS,-\n");
    let contract = r#"{"columns": {"z": {"type": "text", "nullable": false, "values": ["US"]}, "i": "integer"}, "null_values": ["-"]}"#;
    check(contract, &path, &["a.csv: column `z`: expected no nulls, found 1"]);
}

fn constrained(contract: &DataContract, path: &Utf8Path, scope: ConstraintScope) -> DataContract {
    let options = ProfileOptions::default().for_contract(contract);
    let found = profile_path_with(path, &options).expect("data");
    observe_constraints(contract, path, &found, scope, &options).expect("rows")
}

#[test]
fn constraints_that_data_breaks_become_what_it_shows() {
    let folder = Folder::new();
    folder.write("0.csv", "id,city,amount,code\n1,Rome,0.5,A1\n2,Oslo,,B1\n");
    folder.write("1.csv", "id,city,amount,code\n1,Rome,9.5,x\n-3,Oslo,1,C1\n");
    let contract: DataContract = r#"{"columns": {
        "id": {"type": "integer", "minimum": 0, "maximum": 99, "unique": true},
        "city": {"type": "text", "values": ["Rome", "Bonn"]},
        "amount": {"type": "float", "maximum": 8, "max_null_fraction": 0.1},
        "code": {"type": "text", "pattern": "[A-Z]1"}}}"#
        .parse()
        .expect("a contract");
    let shown = |scope| {
        let found = profile_path(folder.path()).expect("data");
        let contract = observe_contract(&found, Some(&contract)).expect("a table").contract;
        let contract = constrained(&contract, folder.path(), scope);
        let columns = &contract.tables().next().expect("a table").columns;
        let lines = columns.iter().map(|(name, column)| format!("{name}: {column}\n"));
        lines.collect::<String>()
    };
    insta::assert_snapshot!(shown(ConstraintScope::Broken), @r#"
    id: integer, minimum -3, maximum 99
    city: text, values ["Rome","Bonn","Oslo"]
    amount: float, maximum 9.5, max_null_fraction 0.25
    code: text
    "#);
    insta::assert_snapshot!(shown(ConstraintScope::All), @r#"
    id: integer, minimum -3, maximum 99
    city: text, values ["Rome","Bonn","Oslo"]
    amount: float, minimum 0.5, maximum 9.5, max_null_fraction 0.25
    code: text
    "#);
}

#[test]
fn constraints_of_rows_that_cannot_be_read_are_not_kept_in_silence() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "id\n1\n2\n");
    let contract: DataContract =
        r#"{"columns": {"id": {"type": "integer", "minimum": 0}}}"#.parse().expect("a contract");
    let found = profile_path(&path).expect("data");
    folder.write("a.csv", "id\nx\ny\n");
    for scope in [ConstraintScope::Broken, ConstraintScope::All] {
        let observed = observe_constraints(&contract, &path, &found, scope, &ProfileOptions::default());
        let told = observed.expect_err("the rows are other ones").to_string();
        assert!(told.contains("a.csv"), "{told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is asked of whole numbers is what a look at each of them says, in one file or in two, and in any format.
    #[test]
    fn constraints_are_what_each_value_says(
        values in prop::collection::vec(prop::option::of(-4..5_i64), 1..12),
        cut in any::<prop::sample::Index>(),
        (least, most) in (-4..5_i64, -4..5_i64),
        allowed in prop::collection::vec(-4..5_i64, 1..4),
        format in prop::sample::select(&["csv", "ndjson"][..]),
    ) {
        let folder = Folder::new();
        let cut = cut.index(values.len());
        let mut parts = vec![(0_usize, &values[..cut]), (cut, &values[cut..])];
        parts.retain(|(_, part)| !part.is_empty());
        for (place, (_, part)) in parts.iter().enumerate() {
            let row = |value: &Option<i64>| match (format, value) {
                ("csv", Some(value)) => format!("x,{value}\n"),
                ("csv", None) => "x,\n".to_owned(),
                (_, Some(value)) => format!("{{\"a\": \"x\", \"b\": {value}}}\n"),
                (_, None) => "{\"a\": \"x\", \"b\": null}\n".to_owned(),
            };
            let head = if format == "csv" { "a,b\n" } else { "" };
            folder.write(&format!("{place}.{format}"), format!("{head}{}", part.iter().map(row).collect::<String>()));
        }
        let (least, most) = (least.min(most), least.max(most));
        let contract = format!(
            r#"{{"columns": {{"b": {{"type": "integer", "minimum": {least}, "maximum": {most}, "values": {allowed:?}, "unique": true}}}}}}"#
        );
        let told = differences(&contract, folder.path());
        let mut found: HashMap<String, (usize, u64)> = HashMap::new();
        for FileDifference { file, difference } in told {
            if let Difference::Constraint { constraint, row, rows, .. } = difference {
                let part: usize = file.file_stem().expect("a name").parse().expect("a number");
                let rule = constraint.split(' ').next().expect("a word").to_owned();
                found.insert(rule, (parts[part].0 + usize::try_from(row).expect("a row") - 1, rows));
            }
        }
        let naive = |fails: &dyn Fn(usize, i64) -> bool| {
            let rows = values.iter().enumerate().filter_map(|(row, value)| value.map(|value| (row, value)));
            let failing: Vec<usize> = rows.filter(|(row, value)| fails(*row, *value)).map(|(row, _)| row).collect();
            failing.first().map(|first| (*first, failing.len() as u64))
        };
        prop_assert_eq!(found.get("minimum").copied(), naive(&|_, value| value < least));
        prop_assert_eq!(found.get("maximum").copied(), naive(&|_, value| value > most));
        prop_assert_eq!(found.get("values").copied(), naive(&|_, value| !allowed.contains(&value)));
        prop_assert_eq!(found.get("unique").copied(), naive(&|row, value| values[..row].contains(&Some(value))));
    }

    /// What was accepted is what there is: the same data has no difference, and data with one change has one that breaks.
    #[test]
    fn accepted_data_keeps_to_its_contract_and_changed_data_does_not(
        rows in prop::collection::vec((0..100_i64, "[a-z]{1,4}"), 2..6),
        splits in 1..4_usize,
        has_model: bool,
        are_constrained: bool,
        delimiter in prop::sample::select(&[",", ";"][..]),
        change in 0..9_usize,
    ) {
        let folder = Folder::new();
        let names = ["train/a.csv", "test/a.csv", "val/a.csv"];
        let text = |delimiter: &str, columns: [&str; 3], rows: &[(i64, String)], odd: &str| {
            let row = |(id, name): &(i64, String)| [id.to_string(), name.clone(), format!("{id}.5")].join(delimiter) + "\n";
            columns.join(delimiter) + "\n" + &rows.iter().map(row).collect::<String>() + odd
        };
        let columns = ["id", "name", "amount"];
        for name in &names[..splits] {
            folder.write(name, text(delimiter, columns, &rows, ""));
        }
        folder.write("config/model.bin", "\u{1}binary");
        if !has_model {
            std::fs::remove_file(folder.path().join("config/model.bin")).expect("it was just written");
        }
        let found = profile_path(folder.path()).expect("data");
        let mut contract = observe_contract(&found, None).expect("tables").contract;
        if are_constrained {
            contract = constrained(&contract, folder.path(), ConstraintScope::All);
        }
        let written = serde_json::to_string(&contract).expect("a contract");
        prop_assert_eq!(written.parse::<DataContract>().expect("what was written"), contract);
        let told = differences(&written, folder.path());
        prop_assert_eq!(told.iter().filter(|told| told.difference.is_breaking()).count(), 0, "{:?}", told);

        let last = names[splits - 1];
        let other = if delimiter == "," { ";" } else { "," };
        let odd_row = ["x", "y", "z"].join(delimiter) + "\n";
        let null_row = ["", "y", "1.5"].join(delimiter) + "\n";
        let great_row = ["100", "y", "1.5"].join(delimiter) + "\n";
        match change {
            0 => folder.write(last, text(delimiter, ["id", "name", "total"], &rows, "")),
            1 => folder.write(last, text(delimiter, columns, &rows, &odd_row)),
            2 => folder.write(last, text(delimiter, columns, &rows, &null_row)),
            3 => folder.write(last, text(delimiter, columns, &[], "")),
            4 if splits > 1 => {
                std::fs::remove_file(folder.path().join(last)).expect("it was just written");
                folder.path().to_owned()
            }
            5 if delimiter == ";" => folder.write(last, text(other, columns, &rows, "")),
            6 if has_model => {
                std::fs::remove_file(folder.path().join("config/model.bin")).expect("it was just written");
                folder.path().to_owned()
            }
            7 if are_constrained => folder.write(last, text(delimiter, columns, &rows, &great_row)),
            _ => folder.write(last, "id\n1\n"),
        };
        let told = differences(&written, folder.path());
        prop_assert!(told.iter().any(|told| told.difference.is_breaking()), "{}: {:?}", written, told);
    }
}
