use runtime_testing_models::{FileFormat, FileProfile, TableContract, TypeWord};

use crate::compare::Expected;
use crate::compare::testing::{check, columns, file, folder, single, table};
use crate::findings::unreadable;

const ORDERS: [(&str, &str); 2] = [("amount", "float64"), ("name", "text")];

#[track_caller]
fn check_columns(sample: &[(&str, &str)], found: &[(&str, &str)], differences: &[&str]) {
    let sample = single(table("sample.csv", sample, 3));
    check(&Expected::Inferred(&sample), &single(table("a.csv", found, 5)), differences);
    check(&Expected::Inferred(&sample), &sample, &[]);
}

#[test]
fn missing_and_extra_columns() {
    check_columns(&ORDERS, &ORDERS, &[]);
    check_columns(&ORDERS, &ORDERS[..1], &["! a.csv: column `name` (text) is missing"]);
    check_columns(&ORDERS[..1], &ORDERS, &["a.csv: extra column `name` (text)"]);
    check_columns(
        &ORDERS,
        &[("total", "int64"), ("name", "text")],
        &[
            "! a.csv: column `amount` (float64) is missing; was it renamed to `total`?",
            "a.csv: extra column `total` (int64)",
        ],
    );
}

#[test]
fn types() {
    check_columns(
        &[("a", "int64"), ("b", "float64"), ("c", "int64"), ("d", "date")],
        &[("a", "float64"), ("b", "int64"), ("c", "text"), ("d", "timestamp[us]")],
        &[
            "a.csv: column `a`: expected int64, found float64, which will do",
            "a.csv: column `b`: expected float64, found int64, which will do",
            "! a.csv: column `c`: expected int64, found text",
            "! a.csv: column `d`: expected date, found timestamp[us]",
        ],
    );
}

#[test]
fn nullability() {
    check_columns(&[("a", "int64")], &[("a", "int64?")], &["a.csv: column `a` may hold nulls"]);
    check_columns(&[("a", "int64?")], &[("a", "int64")], &["a.csv: column `a` holds no nulls"]);
    check_columns(
        &[("a", "int64")],
        &[("a", "float64?")],
        &[
            "a.csv: column `a`: expected int64, found float64, which will do",
            "a.csv: column `a` may hold nulls",
        ],
    );
}

#[test]
fn nulls_alone_are_no_type() {
    check_columns(&[("a", "int64")], &[("a", "null?")], &["a.csv: column `a` may hold nulls"]);
    check_columns(&[("a", "null?")], &[("a", "int64")], &["a.csv: column `a` holds no nulls"]);
    check_columns(
        &[("a", "int64?")],
        &[("a", "null?")],
        &["a.csv: column `a`: expected int64, found null, which will do"],
    );
    check_columns(
        &[("a", "null?")],
        &[("a", "text?")],
        &["a.csv: column `a`: expected null, found text, which will do"],
    );
}

#[test]
fn order() {
    check_columns(
        &[("a", "int64"), ("b", "int64"), ("c", "int64")],
        &[("c", "int64"), ("x", "int64"), ("a", "int64")],
        &[
            "! a.csv: column `b` (int64) is missing; was it renamed to `x`?",
            "a.csv: extra column `x` (int64)",
            "a.csv: the columns come as `c`, `a`, not as `a`, `c`",
        ],
    );
    let sample = single(table("a.ndjson", &ORDERS, 1));
    let reversed = single(table("a.ndjson", &[ORDERS[1], ORDERS[0]], 1));
    check(&Expected::Inferred(&sample), &reversed, &[]);
}

#[test]
fn rows() {
    let full = single(table("a.csv", &ORDERS, 3));
    let header = single(table("a.csv", &[("amount", "null"), ("name", "null")], 0));
    check(&Expected::Inferred(&full), &header, &["! a.csv: there are no rows"]);
    check(&Expected::Inferred(&header), &header, &[]);
    check(
        &Expected::Inferred(&header),
        &full,
        &[
            "a.csv: column `amount`: expected null, found float64, which will do",
            "a.csv: column `name`: expected null, found text, which will do",
        ],
    );
    let blank = single(table("a.json", &[], 0));
    check(
        &Expected::Inferred(&single(table("a.json", &ORDERS, 3))),
        &blank,
        &["! a.json: there are no rows"],
    );
    check(&Expected::Inferred(&blank), &blank, &[]);
    let full = single(table("a.json", &ORDERS, 3));
    check(&Expected::Inferred(&blank), &full, &["a.json: not compared: the sample has no columns"]);
}

#[test]
fn formats() {
    let csv = single(table("a.csv", &ORDERS, 3));
    let json = single(table("a.json", &ORDERS[..1], 3));
    let opaque = single(file("a.pkl", FileFormat::Opaque, None));
    check(&Expected::Inferred(&csv), &json, &["! a.json: expected the format csv, found json"]);
    check(&Expected::Inferred(&csv), &opaque, &["! a.pkl: expected the format csv, found opaque"]);
    check(&Expected::Inferred(&opaque), &csv, &["! a.csv: expected the format opaque, found csv"]);
    check(&Expected::Inferred(&opaque), &opaque, &[]);
    let disguised = single(file("b.csv", FileFormat::Json, None));
    check(&Expected::Inferred(&csv), &disguised, &["! b.csv: the name promises csv, the content is json"]);
}

#[test]
fn files_that_cannot_be_read() {
    let csv = single(table("a.csv", &ORDERS, 3));
    let mut broken = single(table("a.csv", &ORDERS[..1], 0));
    broken.files[0].findings = vec![unreadable("the file is empty")];
    check(&Expected::Inferred(&csv), &broken, &["! a.csv: cannot be read: the file is empty"]);
    let told = "a.csv: not compared: the sample cannot be read: the file is empty";
    check(&Expected::Inferred(&broken), &csv, &[told]);
    let no_rows = single(table("a.csv", &ORDERS, 0));
    check(&Expected::Inferred(&broken), &no_rows, &[told, "! a.csv: there are no rows"]);
    let zip = single(FileProfile {
        findings: vec![unreadable("this is a ZIP archive")],
        ..file("a.csv", FileFormat::Opaque, None)
    });
    check(
        &Expected::Inferred(&zip),
        &csv,
        &["a.csv: not compared: the sample cannot be read: this is a ZIP archive"],
    );
}

#[test]
fn a_sample_that_cannot_be_read_has_parts_too() {
    for columns in [Some(columns(&[("1", "int64")], 2)), None] {
        let mut broken = single(file("orders.csv", FileFormat::Csv, columns));
        broken.files[0].findings = vec![unreadable("no header")];
        check(
            &Expected::Inferred(&broken),
            &folder(&[table("p-0.csv", &ORDERS, 4), table("p-1.csv", &ORDERS, 5)]),
            &[
                "p-0.csv: not compared: the sample cannot be read: no header",
                "p-1.csv: not compared: the sample cannot be read: no header",
            ],
        );
    }
}

#[test]
fn values_and_tables() {
    let value = single(file("a.json", FileFormat::Json, None));
    let rows = single(table("a.json", &ORDERS, 3));
    check(&Expected::Inferred(&value), &value, &[]);
    check(&Expected::Inferred(&rows), &value, &["! a.json: cannot be read: not a table"]);
    let expected = ["! a.json: cannot be read: a table, where a single value is expected"];
    check(&Expected::Inferred(&value), &rows, &expected);
}

/// A single object with these keys.
fn object(path: &str, keys: &[(&str, &str)]) -> FileProfile {
    file(path, FileFormat::JsonObject, Some(columns(keys, 1)))
}

#[test]
fn keys_are_data_where_all_values_are_of_one_type() {
    let object = |columns: &[(&str, &str)]| single(object("metrics.json", columns));
    let sample =
        object(&[("auc", "float64"), ("by class", "struct<a: float64, b: int64>"), ("name", "text")]);
    check(&Expected::Inferred(&sample), &sample, &[]);
    check(
        &Expected::Inferred(&sample),
        &object(&[("Auc", "int64"), ("by class", "struct<a: int64>"), ("name", "int64")]),
        &[
            "! metrics.json: column `auc` (float64) is missing; it is called \"Auc\", which differs in case alone",
            "metrics.json: key `by class.b` (int64) is missing",
            "metrics.json: column `by class.a`: expected float64, found int64, which will do",
            "! metrics.json: column `name`: expected text, found int64",
            "metrics.json: extra column `Auc` (int64)",
        ],
    );
    let scores = object(&[("auc", "float64"), ("f1", "int64")]);
    check(
        &Expected::Inferred(&scores),
        &object(&[("auc", "float64"), ("f1 score", "float64")]),
        &[
            "metrics.json: key `f1` (int64) is missing; was it renamed to `f1 score`?",
            "metrics.json: extra column `f1 score` (float64)",
        ],
    );
    // Of one type no longer, and of another: keys that both have show it, or else the others.
    check(
        &Expected::Inferred(&scores),
        &object(&[("auc", "float64"), ("note", "text")]),
        &["! metrics.json: column `f1` (int64) is missing", "metrics.json: extra column `note` (text)"],
    );
    check(
        &Expected::Inferred(&scores),
        &object(&[("auc", "text"), ("f1", "text")]),
        &[
            "! metrics.json: column `auc`: expected float64, found text",
            "! metrics.json: column `f1`: expected int64, found text",
        ],
    );
    check(
        &Expected::Inferred(&object(&[("a", "int64"), ("b", "int64")])),
        &object(&[("c", "text"), ("d", "text")]),
        &[
            "metrics.json: key `a` (int64) is missing",
            "metrics.json: key `b` (int64) is missing",
            "! metrics.json: column `{}`: expected int64, found text",
            "metrics.json: extra column `c` (text)",
            "metrics.json: extra column `d` (text)",
        ],
    );
    check(
        &Expected::Inferred(&object(&[("data", "list<struct<a: int64>>")])),
        &object(&[("code", "int64"), ("error", "text")]),
        &[
            "! metrics.json: column `data` (list<struct<a: int64>>) is missing",
            "metrics.json: extra column `code` (int64)",
            "metrics.json: extra column `error` (text)",
        ],
    );
    // Columns as pandas writes them by default.
    check(
        &Expected::Inferred(&object(&[
            ("a", "struct<0: int64, 1: int64>"),
            ("b", "struct<0: int64, 1: int64>"),
        ])),
        &object(&[("a", "struct<0: int64, 1: int64, 2: int64>")]),
        &[
            "! metrics.json: column `b` (struct<0: int64, 1: int64>) is missing",
            "metrics.json: extra column `a.2` (int64)",
        ],
    );
    let sample = object(&[("auc", "float64"), ("name", "text")]);
    let rows = single(file("metrics.json", FileFormat::Json, Some(columns(&[("auc", "float64")], 1))));
    let changed = ["! metrics.json: expected the format json_object, found json"];
    check(&Expected::Inferred(&sample), &rows, &changed);
    let many = single(file("metrics.json", FileFormat::JsonObject, None));
    let told =
        ["metrics.json: not compared: one of the two objects has more keys than are kept, which are data"];
    check(&Expected::Inferred(&sample), &many, &told);
    check(&Expected::Inferred(&many), &sample, &told);
    check(&Expected::Inferred(&many), &many, &[]);
}

#[test]
fn many_keys_within_objects_are_those_of_a_map() {
    let few =
        single(object("a.json", &[("ids", "struct<b: list<struct<x: int64>>>"), ("z", "struct<x: text>")]));
    let many = |value: &str| {
        let ids = format!("struct<b: list<map<text, {value}>>>");
        single(object("a.json", &[("ids", &ids), ("z", "struct<x: text>")]))
    };
    for (one, other) in [(&few, &many("int64")), (&many("int64"), &few)] {
        check(&Expected::Inferred(one), other, &[]);
    }
    let changed = ["! a.json: column `ids.b[]{}`: expected int64, found text"];
    check(&Expected::Inferred(&few), &many("text"), &changed);
    let changed = ["! a.json: column `ids.b[]{}`: expected text, found int64"];
    check(&Expected::Inferred(&many("text")), &few, &changed);
}

#[test]
fn objects_beside_tables_are_no_parts_of_them() {
    let sample = folder(&[table("p-0.csv", &ORDERS, 3), object("metrics.json", &[("auc", "float64")])]);
    let found = folder(&[
        table("p-1.csv", &ORDERS, 3),
        table("p-2.csv", &ORDERS, 3),
        object("metrics.json", &[("auc", "text")]),
        object("params.json", &[("depth", "int64")]),
    ]);
    let told = ["! metrics.json: column `auc`: expected float64, found text", "params.json: extra file"];
    check(&Expected::Inferred(&sample), &found, &told);
    let alone = folder(&[table("p-0.csv", &ORDERS, 3)]);
    check(&Expected::Inferred(&sample), &alone, &["! metrics.json: the file is missing"]);
}

#[test]
fn tables_are_no_parts_of_objects() {
    let metrics = object("metrics.json", &[("auc", "float64")]);
    let model = file("model.pkl", FileFormat::Opaque, None);
    let report = table("report.csv", &ORDERS, 3);
    let sample = folder(&[metrics.clone(), model.clone()]);
    check(
        &Expected::Inferred(&sample),
        &folder(&[metrics.clone(), model, report.clone()]),
        &["report.csv: extra file"],
    );
    let mut broken = report;
    broken.findings = vec![unreadable("it is cut off")];
    let sample = folder(&[metrics.clone(), broken]);
    let told = "part-0.csv: not compared: the sample cannot be read: it is cut off";
    check(&Expected::Inferred(&sample), &folder(&[metrics, table("part-0.csv", &ORDERS, 3)]), &[told]);
}

#[test]
fn objects_that_are_missing_are_told() {
    let [train, test] = ["train.json", "test.json"].map(|path| object(path, &[("id", "int64")]));
    let missing = "! test.json: the file is missing";
    for beside in [&[][..], &[table("orders.csv", &[("id", "int64")], 3)]] {
        let sample = folder(&[beside, &[train.clone(), test.clone()]].concat());
        let found = folder(&[beside, std::slice::from_ref(&train)].concat());
        check(&Expected::Inferred(&sample), &found, &[missing]);
    }
    let blank = file("errors.json", FileFormat::Json, Some(columns(&[], 0)));
    let orders = table("orders.csv", &ORDERS, 3);
    let sample = folder(&[blank, orders.clone()]);
    check(&Expected::Inferred(&sample), &folder(&[orders]), &["! errors.json: the file is missing"]);
}

#[test]
fn an_object_a_file_is_a_table_in_parts() {
    let annotation = |path, label| object(path, &[("image", "text"), ("label", label)]);
    let sample = folder(&[annotation("1.json", "int64"), annotation("2.json", "int64")]);
    let found = [annotation("7.json", "int64"), annotation("8.json", "int64"), annotation("9.json", "text")];
    check(&Expected::Inferred(&sample), &folder(&found[..2]), &[]);
    let changed = ["! 9.json: column `label`: expected int64, found text"];
    check(&Expected::Inferred(&sample), &folder(&found), &changed);
}

#[test]
fn a_split_that_is_not_there_is_missed_beside_others() {
    let split = |name: &str| table(name, &ORDERS, 3);
    let sample = folder(&[split("test.csv"), split("train.csv"), split("val.csv")]);
    let expected = Expected::Inferred(&sample);
    let missing = ["! val.csv: the file is missing"];
    check(&expected, &folder(&[split("test.csv"), split("train.csv")]), &missing);
    check(&expected, &folder(&[split("test.csv"), split("train.csv"), split("valid.csv")]), &missing);
    // Parts that are called in another way altogether, or by numbers.
    check(&expected, &folder(&[split("0.csv"), split("1.csv")]), &[]);
    let numbered = folder(&[split("fold-1.csv"), split("fold-2.csv")]);
    check(&Expected::Inferred(&numbered), &folder(&[split("fold-1.csv")]), &[]);
}

#[test]
fn files_are_matched_by_path() {
    let other = [("x", "boolean")];
    let model = file("model.pkl", FileFormat::Opaque, None);
    let sample = folder(&[table("a.csv", &ORDERS, 3), table("b.csv", &other, 3), model.clone()]);
    check(&Expected::Inferred(&sample), &sample, &[]);
    let found = folder(&[
        table("a.csv", &ORDERS[..1], 3),
        table("c.csv", &other, 3),
        file("notes.txt", FileFormat::Opaque, None),
    ]);
    check(
        &Expected::Inferred(&sample),
        &found,
        &[
            "! a.csv: column `name` (text) is missing",
            "! model.pkl: the file is missing",
            "notes.txt: extra file",
        ],
    );
    check(
        &Expected::Inferred(&folder(&[table("a.csv", &ORDERS, 3), table("b.csv", &other, 3)])),
        &folder(&[table("a.csv", &ORDERS, 3), model]),
        &["! b.csv: the file is missing", "model.pkl: extra file"],
    );
}

#[test]
fn parts_of_one_table_come_in_any_number() {
    let whole = single(table("orders.csv", &ORDERS, 9));
    let part = |name: &str, rows| table(name, &ORDERS, rows);
    check(&Expected::Inferred(&whole), &folder(&[part("p-0.csv", 4), part("p-1.csv", 5)]), &[]);
    check(&Expected::Inferred(&whole), &folder(&[part("p-0.csv", 0), part("p-1.csv", 5)]), &[]);
    check(
        &Expected::Inferred(&whole),
        &folder(&[part("p-0.csv", 0), part("p-1.csv", 0)]),
        &["! p-0.csv: there are no rows"],
    );
    let mut broken = table("p-1.csv", &ORDERS, 0);
    broken.findings = vec![unreadable("the file is empty")];
    check(
        &Expected::Inferred(&whole),
        &folder(&[part("p-0.csv", 0), broken]),
        &["! p-1.csv: cannot be read: the file is empty"],
    );
    let parts = folder(&[part("p-0.csv", 4), part("p-1.csv", 5)]);
    check(&Expected::Inferred(&parts), &whole, &[]);
    check(&Expected::Inferred(&parts), &folder(&[part("p-0.csv", 0), part("p-1.csv", 9)]), &[]);
    check(
        &Expected::Inferred(&parts),
        &folder(&[table("p-0.csv", &ORDERS[..1], 4), table("p-7.csv", &ORDERS[..1], 4)]),
        &["! p-0.csv: column `name` (text) is missing"],
    );
}

#[test]
fn parts_that_show_nothing_are_parts_of_any_table() {
    let whole = single(table("orders.json", &ORDERS, 9));
    let parts = folder(&[table("p-0.json", &ORDERS, 9), table("x.json", &[], 0)]);
    check(&Expected::Inferred(&whole), &parts, &[]);
    check(&Expected::Inferred(&parts), &whole, &[]);
    let blank = folder(&[table("p-0.json", &[], 0), table("p-1.json", &[], 0)]);
    let told = "orders.json: not compared: the sample has no columns";
    check(&Expected::Inferred(&blank), &whole, &[told]);
}

#[test]
fn tables_without_rows_keep_their_own_counterparts() {
    let sample = folder(&[table("a.csv", &[("x", "null")], 0), table("b.csv", &ORDERS, 3)]);
    check(&Expected::Inferred(&sample), &sample, &[]);
}

#[test]
fn an_empty_sample_expects_nothing() {
    let found = single(table("a.csv", &ORDERS, 3));
    check(&Expected::Inferred(&folder(&[])), &found, &[]);
    check(&Expected::Inferred(&found), &folder(&[]), &[]);
}

/// A table in text with this delimiter, if it is not the usual one, and perhaps a byte order mark.
fn text(path: &str, delimiter: Option<char>, byte_order_mark: bool) -> FileProfile {
    FileProfile { delimiter, byte_order_mark, ..table(path, &ORDERS, 3) }
}

#[test]
fn what_readers_have_to_be_told() {
    let check = |sample: FileProfile, found: FileProfile, differences: &[&str]| {
        check(&Expected::Inferred(&single(sample)), &single(found), differences);
    };
    let (comma, semicolon) = (|| text("a.csv", None, false), || text("a.csv", Some(';'), false));
    check(comma(), semicolon(), &["! a.csv: the delimiter is `;` and not `,`"]);
    check(semicolon(), comma(), &["! a.csv: the delimiter is `,` and not `;`"]);
    check(semicolon(), semicolon(), &[]);
    let marked = "a.csv: begins with a byte order mark, which some readers take for a part of the first name";
    check(comma(), text("a.csv", None, true), &[marked]);
    check(text("a.csv", None, true), comma(), &[]);
    check(text("a.csv", None, true), text("a.csv", None, true), &[]);
    let tabs = text("a.csv", Some('\t'), true);
    check(semicolon(), tabs, &["! a.csv: the delimiter is a tab and not `;`", marked]);
    check(text("a.tsv", None, false), text("a.tsv", None, false), &[]);
}

#[test]
fn one_column_shows_no_delimiter() {
    let one = || single(table("a.csv", &ORDERS[..1], 3));
    let two = single(text("a.csv", Some(';'), false));
    let missing = "! a.csv: column `name` (text) is missing";
    check(&Expected::Inferred(&two), &one(), &[missing]);
    let told =
        ["a.csv: extra column `name` (text)", "a.csv: the delimiter is `;`, which readers have to be told"];
    check(&Expected::Inferred(&one()), &two, &told);
}

#[test]
fn each_part_of_a_table_tells_its_delimiter() {
    let sample = single(text("all.csv", None, false));
    let parts =
        [text("p-0.csv", Some(';'), false), text("p-1.csv", None, false), text("p-2.csv", Some('|'), false)];
    check(
        &Expected::Inferred(&sample),
        &folder(&parts),
        &["! p-0.csv: the delimiter is `;` and not `,`", "! p-2.csv: the delimiter is `|` and not `,`"],
    );
}

/// Parts by any name, of which the types are those of all.
#[test]
fn parts_are_what_the_whole_is() {
    let part = |path: &str, zip: &str| table(path, &[("id", "int64"), ("zip", zip)], 1);
    let sample = folder(&[part("p0.csv", "text"), part("p1.csv", "text")]);
    for names in [["p0.csv", "p1.csv"], ["north.csv", "south.csv"]] {
        let found = folder(&[part(names[0], "text"), part(names[1], "int64")]);
        check(&Expected::Inferred(&sample), &found, &[]);
        check(&Expected::Inferred(&found), &sample, &[]);
    }
    let integers = folder(&[part("p0.csv", "int64"), part("p1.csv", "int64")]);
    let changed = ["! p0.csv: column `zip`: expected text, found int64"];
    check(&Expected::Inferred(&sample), &integers, &changed);
    let moments = folder(&[part("a.csv", "timestamp[us]"), part("b.csv", "timestamp[us]")]);
    let dates = folder(&[part("a.csv", "timestamp[us]"), part("b.csv", "date")]);
    check(&Expected::Inferred(&moments), &dates, &[]);
    let lacking = [part("a.json", "struct<x: int64, y: text>"), part("b.json", "struct<x: int64>")];
    let whole = [part("a.json", "struct<x: int64, y: text>"), part("b.json", "struct<x: int64, y: text>")];
    check(&Expected::Inferred(&folder(&whole)), &folder(&lacking), &[]);
    // As the sample shows, each is something of its own.
    let values = |age: &str, city: &str| {
        folder(&[table("age.csv", &[("v", age)], 2), table("city.csv", &[("v", city)], 2)])
    };
    let changed = ["! age.csv: column `v`: expected int64, found text"];
    check(&Expected::Inferred(&values("int64", "text")), &values("text", "text"), &changed);
}

#[test]
fn a_part_that_is_not_in_the_sample_may_lack_columns() {
    let sample = folder(&[table("a.csv", &ORDERS, 3), table("b.csv", &ORDERS, 3)]);
    let found = folder(&[table("x.csv", &ORDERS, 3), table("y.csv", &ORDERS[..1], 2)]);
    check(&Expected::Inferred(&sample), &found, &["y.csv: column `name` may hold nulls"]);
    let numbered = folder(&[table("p0.csv", &ORDERS, 3), table("p1.csv", &ORDERS, 3)]);
    let found = folder(&[table("p0.csv", &ORDERS, 3), table("p1.csv", &ORDERS[..1], 2)]);
    check(&Expected::Inferred(&numbered), &found, &["p1.csv: column `name` may hold nulls"]);
    // A file of its own is held to what it was.
    let found = folder(&[table("a.csv", &ORDERS, 3), table("b.csv", &ORDERS[..1], 2)]);
    check(&Expected::Inferred(&sample), &found, &["! b.csv: column `name` (text) is missing"]);
}

#[test]
fn an_empty_part_is_fine_unless_the_sample_shows_it_full() {
    let sample = folder(&[table("train.csv", &ORDERS, 3), table("val.csv", &ORDERS, 3)]);
    let found = folder(&[table("x.csv", &ORDERS, 3), table("y.csv", &ORDERS, 0)]);
    check(&Expected::Inferred(&sample), &found, &[]);
    let found = folder(&[table("train.csv", &ORDERS, 3), table("val.csv", &ORDERS, 0)]);
    check(&Expected::Inferred(&sample), &found, &["! val.csv: there are no rows"]);
}

#[test]
fn what_lacks_in_all_of_many_files_is_told_once() {
    let files = |columns: &[(&str, &str)]| {
        let names: Vec<String> = (0..200).map(|part| format!("part-{part:03}.csv")).collect();
        folder(&names.iter().map(|name| table(name, columns, 1)).collect::<Vec<_>>())
    };
    let missing = ["! part-000.csv: column `name` (text) is missing"];
    check(&Expected::Inferred(&files(&ORDERS)), &files(&ORDERS[..1]), &missing);
}

#[test]
fn a_sample_decides_what_a_contract_is_silent_on() {
    let contract = TableContract::default().with_column("amount", TypeWord::Float);
    let sample =
        folder(&[table("train.csv", &ORDERS, 3), table("val.csv", &ORDERS, 3), object("m.json", &ORDERS)]);
    let check = |contract: &TableContract, found: &[FileProfile], differences: &[&str]| {
        let contract = &contract.clone().into();
        check(&Expected::Both { contract, sample: &sample }, &folder(found), differences);
    };
    let same = sample.files.clone();
    check(&contract, &same, &["train.csv: extra column `name` (text)"]);
    let mut empty = same.clone();
    empty[1] = table("val.csv", &ORDERS, 0);
    check(&contract, &empty, &["train.csv: extra column `name` (text)", "! val.csv: there are no rows"]);
    let any_rows = TableContract { min_rows: Some(0), ..contract.clone() };
    check(&any_rows, &empty, &["train.csv: extra column `name` (text)"]);
    check(&contract, &same[..2], &["! m.json: the file is missing", "train.csv: extra column `name` (text)"]);
    let mut other = same;
    other[0].delimiter = Some(';');
    let told = ["train.csv: extra column `name` (text)", "! train.csv: the delimiter is `;` and not `,`"];
    check(&contract, &other, &told);
    // What the contract says of columns is all there is to say of them.
    let named =
        [table("train.csv", &[("amount", "int64")], 3), sample.files[1].clone(), sample.files[2].clone()];
    check(&contract, &named, &["val.csv: extra column `name` (text)"]);
}

#[test]
fn what_a_file_lost_is_missed_although_it_is_a_part_of_another_table_now() {
    let (id, amount, name) = (("id", "int64"), ("amount", "float64"), ("name", "text"));
    let files = |customers: &[(&str, &str)], orders: &[(&str, &str)]| {
        folder(&[table("customers.csv", customers, 3), table("orders.csv", orders, 3)])
    };
    let sample = files(&[id, name], &[id, amount]);
    let missing = ["! customers.csv: column `name` (text) is missing"];
    check(&Expected::Inferred(&sample), &files(&[id], &[id, amount]), &missing);
    let found = files(&[id, amount], &[id, amount, name]);
    let told = [
        "! customers.csv: column `name` (text) is missing",
        "customers.csv: extra column `amount` (float64)",
        "orders.csv: extra column `name` (text)",
    ];
    check(&Expected::Inferred(&sample), &found, &told);
    // The other way round nothing is missing.
    let sample = files(&[id], &[id, amount]);
    let found = files(&[id, name], &[id, amount]);
    check(&Expected::Inferred(&sample), &found, &["customers.csv: extra column `name` (text)"]);
}
