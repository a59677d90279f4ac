use runtime_testing_models::{FileFormat, TypeWord};

use super::*;
use crate::compare::Expected;
use crate::compare::testing::{check, columns, file, folder, single, table};

/// `amount`, a float, and `day`, a date; neither may hold nulls. `note`, a text, may be missing.
fn contract() -> TableContract {
    let column = |data_type, nullable, optional| ColumnContract {
        nullable,
        optional,
        ..ColumnContract::new(data_type)
    };
    let mut contract = TableContract::default();
    contract.columns.insert("amount".to_owned(), column(TypeWord::Float, false, false));
    contract.columns.insert("day".to_owned(), column(TypeWord::Date, false, false));
    contract.columns.insert("note".to_owned(), column(TypeWord::Text, true, true));
    contract
}

const KEPT: [(&str, &str); 3] = [("amount", "float64"), ("day", "date"), ("note", "text?")];

#[track_caller]
fn check_columns(columns: &[(&str, &str)], differences: &[&str]) {
    let found = single(table("a.csv", columns, 3));
    check(&Expected::Contract(&contract().into()), &found, differences);
}

#[test]
fn kept() {
    check_columns(&KEPT, &[]);
    check_columns(&KEPT[..2], &[]);
}

#[test]
fn missing() {
    check_columns(&KEPT[..1], &["! a.csv: column `day` (date) is missing"]);
    check_columns(
        &[("day", "date"), ("sum", "float64")],
        &[
            "! a.csv: column `amount` (float) is missing; was it renamed to `sum`?",
            "a.csv: extra column `sum` (float64)",
        ],
    );
    check_columns(
        &[("Amount", "int64"), ("day", "date"), ("discount", "float64")],
        &[
            "! a.csv: column `amount` (float) is missing; it is called \"Amount\", which differs in case alone",
            "a.csv: extra column `Amount` (int64)",
            "a.csv: extra column `discount` (float64)",
        ],
    );
}

#[test]
fn types_that_differ() {
    check_columns(
        &[("amount", "int64"), ("day", "date")],
        &["a.csv: column `amount`: expected float, found int64, which will do"],
    );
    check_columns(
        &[("amount", "text"), ("day", "timestamp[us]")],
        &[
            "! a.csv: column `amount`: expected float, found text",
            "! a.csv: column `day`: expected date, found timestamp[us]",
        ],
    );
}

#[test]
fn the_row_that_decides_is_told() {
    let mut schema = columns(&KEPT, 3000);
    schema.columns[0] = Column {
        deciding_row: Some(2999),
        deciding_value: Some("n/a?".to_owned()),
        ..Column::new("amount", "text")
    };
    let found = single(file("a.csv", FileFormat::Csv, Some(schema)));
    let expected = [
        "! a.csv: column `amount`: expected float, found text; row 2999 is \"n/a?\"",
        "a.csv: column `amount` may hold nulls",
    ];
    check(&Expected::Contract(&contract().into()), &found, &expected);
}

#[test]
fn nulls_that_must_not_be() {
    check_columns(
        &[("amount", "float64?"), ("day", "date")],
        &["! a.csv: column `amount`: expected no nulls, found 1"],
    );
    check_columns(
        &[("amount", "null?"), ("day", "date"), ("note", "null?")],
        &["! a.csv: column `amount`: expected no nulls, found 3"],
    );
    let mut schema = columns(&KEPT, 3);
    let declared = |nulls| Column { nulls, ..Column::new("amount", "float64") };
    schema.columns[0] = declared(Some(0));
    let found = single(file("a.parquet", FileFormat::Parquet, Some(schema.clone())));
    check(&Expected::Contract(&contract().into()), &found, &[]);
    schema.columns[0] = declared(None);
    let found = single(file("a.parquet", FileFormat::Parquet, Some(schema)));
    check(&Expected::Contract(&contract().into()), &found, &["a.parquet: column `amount` may hold nulls"]);
}

#[test]
fn columns_that_are_not_named() {
    let found = single(table("a.csv", &[("amount", "float64"), ("day", "date"), ("x", "text")], 3));
    check(&Expected::Contract(&contract().into()), &found, &["a.csv: extra column `x` (text)"]);
    let strict = TableContract { extra_columns: Permission::Forbid, ..contract() };
    let expected = ["! a.csv: column `x` (text) is forbidden by the contract"];
    check(&Expected::Contract(&strict.into()), &found, &expected);
}

#[test]
fn another_order() {
    let reversed = [("day", "date"), ("x", "text"), ("amount", "float64")];
    check_columns(
        &reversed,
        &[
            "a.csv: extra column `x` (text)",
            "a.csv: the columns come as `day`, `amount`, not as `amount`, `day`",
        ],
    );
    let found = single(table("a.json", &reversed, 3));
    check(&Expected::Contract(&contract().into()), &found, &["a.json: extra column `x` (text)"]);
}

#[test]
fn what_readers_have_to_be_told() {
    let mut odd = table("a.csv", &KEPT, 3);
    (odd.delimiter, odd.byte_order_mark) = (Some(';'), true);
    let told = [
        "! a.csv: the delimiter is `;` and not `,`",
        "a.csv: begins with a byte order mark, which some readers take for a part of the first name",
    ];
    check(&Expected::Contract(&contract().into()), &single(odd.clone()), &told);
    check(&Expected::Contract(&contract().into()), &folder(&[odd, table("b.csv", &KEPT, 3)]), &told);
    check(&Expected::Contract(&contract().into()), &single(table("a.tsv", &KEPT, 3)), &[]);
}

#[track_caller]
fn check_rows(min_rows: Option<u64>, rows: u64, differences: &[&str]) {
    let contract = TableContract { min_rows, ..contract() };
    check(&Expected::Contract(&contract.into()), &single(table("a.csv", &KEPT[..2], rows)), differences);
}

#[test]
fn too_few_rows() {
    check_rows(None, 1, &[]);
    check_rows(None, 0, &["! a.csv: there are no rows"]);
    check_rows(Some(0), 0, &[]);
    check_rows(Some(3), 3, &[]);
    check_rows(Some(3), 2, &["! a.csv: expected at least 3 rows, found 2"]);
    check_rows(Some(3), 0, &["! a.csv: expected at least 3 rows, found 0"]);
}

#[test]
fn a_header_alone_has_no_types() {
    let header = [("amount", "null"), ("day", "null")];
    let found = single(table("a.csv", &header, 0));
    check(&Expected::Contract(&contract().into()), &found, &["! a.csv: there are no rows"]);
    let allowed = TableContract { min_rows: Some(0), ..contract() };
    check(&Expected::Contract(&allowed.into()), &found, &[]);
    check(
        &Expected::Contract(&contract().into()),
        &single(table("a.json", &[], 0)),
        &["! a.json: there are no rows"],
    );
}

#[test]
fn what_is_no_table() {
    let value = file("metrics.json", FileFormat::Json, None);
    let model = file("model.pkl", FileFormat::Opaque, None);
    let contract = contract().into();
    let expected = Expected::Contract(&contract);
    check(&expected, &single(value.clone()), &["! metrics.json: cannot be read: not a table"]);
    check(
        &expected,
        &folder(&[value.clone(), model.clone()]),
        &["! metrics.json: cannot be read: no table among the files"],
    );
    check(&expected, &folder(&[value, model, table("part.csv", &KEPT, 2)]), &[]);
    let object = file("metrics.json", FileFormat::JsonObject, Some(columns(&[("day", "date")], 1)));
    check(&expected, &folder(&[object.clone(), table("part.csv", &KEPT, 2)]), &[]);
    let missing = "! metrics.json: column `amount` (float) is missing";
    let many = single(file("metrics.json", FileFormat::JsonObject, None));
    let told = "! metrics.json: cannot be read: an object with more keys than are kept, which are data";
    check(&expected, &many, &[told]);
    let mut broken = file("part.csv", FileFormat::Csv, None);
    broken.findings = vec![crate::findings::unreadable("it is cut off")];
    check(&expected, &folder(&[object.clone(), broken]), &["! part.csv: cannot be read: it is cut off"]);
    for objects in [single(object.clone()), folder(std::slice::from_ref(&object))] {
        check(&expected, &objects, &[missing]);
    }
    let empty = [object, table("part.csv", &KEPT, 0)];
    check(&expected, &folder(&empty), &["! part.csv: there are no rows"]);
    check(&expected, &folder(&[]), &[]);
}

#[test]
fn a_struct_and_a_map_are_one_in_a_single_object() {
    for word in [TypeWord::Struct, TypeWord::Map] {
        let contract = TableContract::default().with_column("ids", word).into();
        for data_type in ["struct<a: int64>", "map<text, int64>"] {
            let columns = Some(columns(&[("ids", data_type)], 1));
            let object = single(file("a.json", FileFormat::JsonObject, columns.clone()));
            check(&Expected::Contract(&contract), &object, &[]);
            let told = format!("! a.arrow: column `ids`: expected {word}, found {data_type}");
            let is_same = data_type.starts_with(word.as_str());
            let table = single(file("a.arrow", FileFormat::ArrowIpc, columns));
            let told: &[&str] = if is_same { &[] } else { &[&told] };
            check(&Expected::Contract(&contract), &table, told);
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_has_no_other_differences() {
    let mut ragged = table("a.csv", &[("x", "text")], 0);
    ragged.findings = vec![crate::findings::unreadable_on(3, "bad row")];
    let disguised = file("b.csv", FileFormat::Json, Some(columns(&[("x", "text")], 1)));
    let unnamed = file("c", FileFormat::Opaque, None);
    check(
        &Expected::Contract(&contract().into()),
        &folder(&[ragged, disguised, unnamed]),
        &["! a.csv: cannot be read: line 3: bad row", "! b.csv: the name promises csv, the content is json"],
    );
}

#[test]
fn every_table_of_a_folder_is_held_against_the_contract() {
    let parts = [
        table("part-0.csv", &KEPT[..2], 2),
        table("part-1.csv", &[("amount", "null"), ("day", "null")], 0),
        table("part-2.csv", &[("amount", "text"), ("day", "date")], 1),
    ];
    let wanted = ["! part-2.csv: column `amount`: expected float, found text"];
    let empty = "! part-1.csv: there are no rows";
    check(&Expected::Contract(&contract().into()), &folder(&parts), &[empty, wanted[0]]);
    let allowing = TableContract { empty_files: Some(Permission::Allow), ..contract() };
    check(&Expected::Contract(&allowing.clone().into()), &folder(&parts), &wanted);
    let more = TableContract { min_rows: Some(4), ..allowing };
    check(
        &Expected::Contract(&more.into()),
        &folder(&parts),
        &["! part-0.csv: expected at least 4 rows, found 3", wanted[0]],
    );
}
