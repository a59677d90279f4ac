//! What a contract asks of values, against a naive look at the same values; and what it says of data that was accepted and then
//! changed.

use std::collections::HashMap;
use std::sync::Arc;

use camino::Utf8Path;
use proptest::prelude::*;
use runtime_testing_data::arrow::array::{Float64Array, RecordBatch};
use runtime_testing_data::arrow::datatypes::{DataType, Field, Schema};
use runtime_testing_data::{
    Expected, FileDifference, ProfileOptions, compare_values, observe_contract, profile_path,
    profile_path_with,
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
            "a.ndjson: column `p.x`: not `nullable false`: row 2 is \"{x: , y: b}\"",
            "a.ndjson: column `l[]`: not `nullable false`: row 2 is \"[]\"",
        ],
    );
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
        delimiter in prop::sample::select(&[",", ";"][..]),
        change in 0..8_usize,
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
        let contract = observe_contract(&profile_path(folder.path()).expect("data"), None).expect("tables").contract;
        let written = serde_json::to_string(&contract).expect("a contract");
        prop_assert_eq!(written.parse::<DataContract>().expect("what was written"), contract);
        let told = differences(&written, folder.path());
        prop_assert_eq!(told.iter().filter(|told| told.difference.is_breaking()).count(), 0, "{:?}", told);

        let last = names[splits - 1];
        let other = if delimiter == "," { ";" } else { "," };
        let odd_row = ["x", "y", "z"].join(delimiter) + "\n";
        let null_row = ["", "y", "1.5"].join(delimiter) + "\n";
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
            _ => folder.write(last, "id\n1\n"),
        };
        let told = differences(&written, folder.path());
        prop_assert!(told.iter().any(|told| told.difference.is_breaking()), "{}: {:?}", written, told);
    }
}
