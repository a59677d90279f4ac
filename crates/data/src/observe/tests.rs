use proptest::prelude::*;
use runtime_testing_models::{FileFormat, FileProfile, Permission, contract_differences};

use runtime_testing_models::Column;

use super::*;
use crate::compare::testing::{columns, file, folder, single, table};

/// Observes, and tells the contract column by column, then the remarks. The data must keep to the contract, and a second
/// look must change nothing.
#[track_caller]
fn check(found: &DataProfile, known: Option<&TableContract>, expected: &[&str]) {
    let known = known.cloned().map(DataContract::from);
    let known = known.as_ref();
    let told = match observe_contract(found, known) {
        Ok(ObservedContract { contract, remarks }) => {
            let broken = compare(&Expected::Contract(&contract), found);
            assert!(broken.iter().all(|found| !found.difference.is_breaking()), "{broken:?}");
            let again = observe_contract(found, Some(&contract)).unwrap().contract;
            assert_eq!(contract_differences(Some(&contract), &again), []);
            let lines = contract_differences(None, &contract);
            let mut told: Vec<String> = lines.iter().map(|line| line.to_string()[2..].to_owned()).collect();
            told.extend(remarks.iter().map(|remark| format!("remark {remark}")));
            told
        }
        Err(error) => vec![format!("none: {error}")],
    };
    assert_eq!(told, expected);
}

#[test]
fn a_single_table() {
    let found = table("a.csv", &[("id", "int64"), ("amount", "float64?"), ("day", "date")], 3);
    check(&single(found), None, &["id: integer, no nulls", "amount: float", "day: date, no nulls"]);
    let mut unknown = columns(&[("id", "int64")], 3);
    unknown.columns[0] = Column::new("id", "int64");
    check(&single(file("a.parquet", FileFormat::Parquet, Some(unknown))), None, &["id: integer"]);
}

#[test]
fn what_no_word_stands_for_is_said() {
    let found = [("a", "mixed"), ("b", "null?"), ("c", "interval?"), ("d", "int64")];
    check(
        &single(table("a.json", &found, 3)),
        None,
        &[
            "a: any, no nulls",
            "b: any",
            "c: any",
            "d: integer, no nulls",
            "remark a: no type word stands for mixed, so any type is allowed",
            "remark b: it shows no value, so any type is allowed",
            "remark c: no type word stands for interval, so any type is allowed",
        ],
    );
}

#[test]
fn a_table_without_rows_shows_neither_types_nor_nulls() {
    check(
        &single(table("a.csv", &[("a", "null")], 0)),
        None,
        &["a: any", "rows: at least 1 -> at least 0", "remark a: it shows no value, so any type is allowed"],
    );
    check(
        &single(table("a.parquet", &[("a", "int64")], 0)),
        None,
        &["a: integer", "rows: at least 1 -> at least 0"],
    );
    check(&single(table("a.json", &[], 0)), None, &["none: there is no table with columns"]);
}

#[test]
fn what_is_no_table() {
    let model = file("model.pkl", FileFormat::Opaque, None);
    check(&single(model.clone()), None, &["none: there is no table with columns"]);
    check(&folder(&[]), None, &["none: there is no table with columns"]);
    let rows = table("a.csv", &[("a", "int64")], 1);
    check(
        &folder(&[model, rows.clone()]),
        None,
        &["model.pkl: must be there", "a.csv: a: integer, no nulls"],
    );
    let mut ragged = FileProfile { schema: None, ..table("b.csv", &[("a", "int64")], 1) };
    ragged.findings = vec![crate::findings::unreadable_on(3, "bad row")];
    let told = ["none: b.csv: cannot be read: line 3: bad row"];
    check(&folder(&[rows, ragged.clone()]), None, &told);
    check(&single(ragged), None, &told);
    let disguised = file("a.csv", FileFormat::Json, Some(columns(&[("a", "int64")], 1)));
    check(&single(disguised), None, &["none: a.csv: the name promises csv, the content is json"]);
}

#[test]
fn tables_of_a_folder() {
    let parts = [
        table("p-0.csv", &[("a", "int64"), ("b", "date"), ("c", "null?")], 3),
        table("p-1.csv", &[("c", "text"), ("a", "float64"), ("b", "timestamp[us]")], 0),
    ];
    check(
        &folder(&parts),
        None,
        &["a: float, no nulls", "b: timestamp[us], no nulls", "c: text", "empty_files: \"allow\""],
    );
    let different = [
        table("a.csv", &[("id", "int64"), ("x", "text")], 3),
        table("b.csv", &[("id", "text"), ("y", "decimal(3,1)?")], 0),
        table("c.json", &[], 0),
    ];
    check(
        &folder(&different),
        None,
        &[
            "a.csv: id: integer, no nulls",
            "a.csv: x: text, no nulls",
            "b.csv: id: text",
            "b.csv: y: decimal(3,1)",
            "b.csv: rows: at least 1 -> at least 0",
            "c.json: must be there",
        ],
    );
    let strangers = [table("a.csv", &[("a", "int64")], 1), table("b.csv", &[("b", "int64")], 1)];
    check(&folder(&strangers), None, &["a.csv: a: integer, no nulls", "b.csv: b: integer, no nulls"]);
    // A contract that is there holds for every table as long as it can.
    let known = TableContract::default().with_column("id", TypeWord::Any);
    check(
        &folder(&different[..2]),
        Some(&known),
        &[
            "id: any",
            "x: text, no nulls, may be missing",
            "y: decimal(3,1), may be missing",
            "rows: at least 1 -> at least 0",
            "remark x: only some of the tables have it, so it may be missing",
            "remark y: only some of the tables have it, so it may be missing",
        ],
    );
}

#[test]
fn folders_are_told_glob_by_glob() {
    let rows = [("id", "int64"), ("zip", "text")];
    let splits = [
        table("test/0.csv", &rows, 1),
        table("train/part-00000-550e8400-e29b.c000.csv", &rows, 3),
        table("train/part-00001-550e8400-a716.c000.csv", &rows, 0),
        file("model-7.bst", FileFormat::Opaque, None),
        file("metrics.json", FileFormat::JsonObject, Some(columns(&[("auc", "float64")], 1))),
        file("params.json", FileFormat::JsonObject, Some(columns(&[("depth", "int64")], 1))),
    ];
    check(
        &folder(&splits),
        None,
        &[
            "test/*.csv: id: integer, no nulls",
            "test/*.csv: zip: text, no nulls",
            "train/part-*.*.csv: id: integer, no nulls",
            "train/part-*.*.csv: zip: text, no nulls",
            "train/part-*.*.csv: empty_files: \"allow\"",
            "model-*.bst: must be there",
            "metrics.json: auc: float, no nulls",
            "params.json: depth: integer, no nulls",
        ],
    );
    // One glob would match both, and they are two tables.
    let strangers = [table("t1.csv", &rows, 1), table("t2.csv", &[("x", "date")], 1)];
    check(
        &folder(&strangers),
        None,
        &["t1.csv: id: integer, no nulls", "t1.csv: zip: text, no nulls", "t2.csv: x: date, no nulls"],
    );
    let observed = observe_contract(&folder(&splits), None).unwrap().contract;
    let again = observe_contract(&folder(&splits[..4]), Some(&observed)).unwrap().contract;
    let changes = contract_differences(Some(&observed), &again);
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(changes, ["- metrics.json", "- params.json"]);
}

#[test]
fn what_is_within_columns_is_told() {
    let found = [
        ("a", "list<struct<x: float64, y: timestamp[us, UTC]>>"),
        ("b", "struct<p: int64, q: int64>"),
        ("c", "map<text, null>"),
    ];
    check(
        &single(table("a.parquet", &found, 1)),
        None,
        &[
            "a: list, no nulls, each (struct, with `x` float and `y` timestamp[us, UTC])",
            "b: struct, no nulls, with `p` integer and `q` integer",
            "c: map, no nulls",
        ],
    );
    // In JSON, keys are data where all values are of one type.
    check(&single(table("a.json", &found[1..2], 1)), None, &["b: map, no nulls, each integer"]);
}

#[test]
fn a_column_that_parts_leave_out_may_be_null() {
    let all = [("a", "int64"), ("b", "text")];
    let mut parts = vec![table("0.json", &all[..1], 3), table("1.json", &all, 2)];
    check(&folder(&parts), None, &["a: integer, no nulls", "b: text"]);
    parts.push(table("2.json", &[], 1));
    check(&folder(&parts), None, &["a: integer", "b: text"]);
    check(
        &folder(&[table("test.json", &all[..1], 3), table("train.json", &all, 2)]),
        None,
        &[
            "test.json: a: integer, no nulls",
            "train.json: a: integer, no nulls",
            "train.json: b: text, no nulls",
        ],
    );
}

#[test]
fn what_a_known_contract_says_stays_as_far_as_the_data_keeps_to_it() {
    let column = |data_type, nullable, optional| ColumnContract {
        nullable,
        optional,
        ..ColumnContract::new(data_type)
    };
    let mut known = TableContract { min_rows: Some(2), ..TableContract::default() };
    known.columns.insert("gone".to_owned(), column(TypeWord::Text, true, false));
    known.columns.insert("maybe".to_owned(), column(TypeWord::Text, false, true));
    known.columns.insert("amount".to_owned(), column(TypeWord::Float, true, false));
    known.columns.insert("note".to_owned(), column(TypeWord::Text, false, false));
    known.columns.insert("day".to_owned(), column(TypeWord::Date, true, false));
    known.extra_columns = Permission::Forbid;
    let found = [("amount", "int64"), ("day", "text"), ("note", "text?"), ("new", "boolean")];
    let found = single(table("a.csv", &found, 1));
    check(
        &found,
        Some(&known),
        &[
            "amount: float",
            "day: text, no nulls",
            "note: text",
            "new: boolean, no nulls",
            "maybe: text, no nulls, may be missing",
            "other columns are forbidden",
            "rows: at least 1 -> at least 1",
        ],
    );
    let kept = [("note", "text"), ("day", "null?"), ("gone", "text"), ("amount", "int64")];
    let observed = observe_contract(&single(table("a.csv", &kept, 2)), Some(&known.clone().into())).unwrap();
    let DataContract::Table(observed_table) = &observed.contract else { panic!("it was a table") };
    assert_eq!(*observed_table, known);
    assert!(observed_table.columns.keys().eq(known.columns.keys()), "the order stays");
    assert_eq!(observed.remarks, []);
}

fn any_profile() -> impl Strategy<Value = DataProfile> {
    let data_type = prop::sample::select(vec![
        "boolean",
        "int8",
        "uint64",
        "float32",
        "decimal(9,2)",
        "text",
        "date",
        "time[us]",
        "timestamp[us]",
        "timestamp[ns, UTC]",
        "duration[s]",
        "binary",
        "list<mixed>",
        "struct<>",
        "map<text, null>",
        "mixed",
        "null",
        "interval",
        "something else",
    ]);
    let table = (prop::collection::btree_map("[a-d]", (data_type, 0..3_u8), 0..5), 0..3_u64);
    let tables = prop::collection::vec(table, 0..4);
    (tables, prop::sample::select(&["parquet", "json", "csv"])).prop_map(|(tables, extension)| {
        let declares = extension == "parquet";
        let files = tables.into_iter().enumerate().map(|(at, (of_columns, rows))| {
            let column = |(name, (data_type, nulls)): (String, (&str, u8))| Column {
                nullable: nulls > 0,
                nulls: if declares && nulls > 1 { None } else { Some(u64::from(nulls).min(rows)) },
                ..Column::new(name, data_type)
            };
            let mut found = table_file(&format!("p-{at}.{extension}"));
            let columns = of_columns.into_iter().map(column).collect();
            found.schema = Some(runtime_testing_models::TableSchema { columns, rows });
            found
        });
        folder(&files.collect::<Vec<_>>())
    })
}

fn table_file(path: &str) -> FileProfile {
    file(path, crate::format_of_extension(path.as_ref()), None)
}

proptest! {
    /// Whatever was observed keeps to its contract, and a second look changes nothing.
    #[test]
    fn data_keeps_to_its_own_contract(found in any_profile(), other in any_profile()) {
        if let Ok(ObservedContract { contract, .. }) = observe_contract(&found, None) {
            let differences = compare(&Expected::Contract(&contract), &found);
            prop_assert!(differences.iter().all(|found| !found.difference.is_breaking()), "{:?}", differences);
            prop_assert_eq!(&observe_contract(&found, Some(&contract)).unwrap().contract, &contract);
            // Drift is accepted on top of it.
            if let Ok(ObservedContract { contract: after, .. }) = observe_contract(&other, Some(&contract)) {
                let differences = compare(&Expected::Contract(&after), &other);
                prop_assert!(differences.iter().all(|found| !found.difference.is_breaking()), "{:?}", differences);
                prop_assert_eq!(&observe_contract(&other, Some(&after)).unwrap().contract, &after);
            }
        }
    }
}
