//! What the commands for data files say, and their exit status.

use crate::space::Space;

fn space() -> Space {
    let space = Space::new();
    space.write("data/orders.csv", "id,amount,note\n1,2.5,\n2,n/a?,x\n3,1,y\n");
    space.write("data/sample.csv", "id,amount\n1,2.5\n");
    space.write("data/more.ndjson", "{\"amount\": 2.50, \"id\": 1.0}\n");
    space.write("data/broken.csv", "id,amount\n1,2.5,3\n");
    space.write("parts/0.csv", "id,amount\n1,2.5\n");
    space.write("parts/model.pkl", "x");
    space
}

#[track_caller]
fn check(space: &Space, arguments: &[&str], status: i32) -> String {
    let arguments: Vec<&str> = std::iter::once("data").chain(arguments.iter().copied()).collect();
    let outcome = space.run(&arguments);
    assert_eq!(outcome.status, Some(status), "{outcome:?}");
    match status {
        2 => assert_eq!(outcome.stdout, "", "standard output is for results"),
        _ if arguments[1] == "digest" => assert!(outcome.stdout.lines().count() <= 1, "{}", outcome.stdout),
        _ => assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 80), "{}", outcome.stdout),
    }
    let text = format!("{}{}", outcome.stdout, outcome.stderr);
    text.replace(space.root.to_str().unwrap(), "ROOT").trim_end().to_owned()
}

#[test]
fn a_profile_is_a_table() {
    let space = space();
    insta::assert_snapshot!(check(&space, &["profile", "data/orders.csv"], 0), @r#"
    orders.csv: csv, 3 rows, 3 columns, 37 bytes
      column  type   nulls  deciding row
      id      int64      0
      amount  text       0  2: "n/a?"
      note    text?      1
    "#);
    insta::assert_snapshot!(check(&space, &["profile", "parts"], 0), @"
    0.csv: csv, 1 row, 2 columns, 16 bytes
      column  type     nulls
      id      int64        0
      amount  float64      0

    model.pkl: opaque, 1 byte
    ");
    insta::assert_snapshot!(check(&space, &["profile", "data/broken.csv"], 1), @"
    broken.csv: csv, 1 row, 2 columns, 18 bytes
      cannot be read: line 2: row has 3 fields, the header has 2
      column  type     nulls
      id      int64        0
      amount  float64      0
    ");
    insta::assert_snapshot!(check(&space, &["profile", "data/sample.csv", "--output-format", "json"], 0), @r#"
    {
      "is_folder": false,
      "files": [
        {
          "path": "sample.csv",
          "format": "csv",
          "bytes": 16,
          "schema": {
            "columns": [
              {
                "name": "id",
                "data_type": "int64",
                "nullable": false,
                "nulls": 0
              },
              {
                "name": "amount",
                "data_type": "float64",
                "nullable": false,
                "nulls": 0
              }
            ],
            "rows": 1
          }
        }
      ]
    }
    "#);
}

#[test]
fn a_comparison_ends_as_an_edge_does() {
    let space = space();
    insta::assert_snapshot!(check(&space, &["compare", "data/sample.csv", "data/orders.csv"], 1), @r#"
    breaking: 1 break, 1 note

    orders.csv
      break  column `amount`: expected float64, found text; row 2 is "n/a?"
      note   extra column `note` (text)
    "#);
    insta::assert_snapshot!(check(&space, &["compare", "data/sample.csv", "parts/0.csv"], 0), @"identical");
    space.write("data/extra.csv", "extra,amount,id\n1,2.5,1\n");
    insta::assert_snapshot!(check(&space, &["compare", "data/sample.csv", "data/extra.csv"], 0), @"
    compatible: 0 breaks, 2 notes

    extra.csv
      note   extra column `extra` (int64)
      note   the columns come as `amount`, `id`, not as `id`, `amount`
    ");
    insta::assert_snapshot!(check(&space, &["compare", "parts", "data/broken.csv"], 1), @"
    breaking: 2 breaks, 0 notes

    broken.csv
      break  cannot be read: line 2: row has 3 fields, the header has 2

    model.pkl
      break  the file is missing
    ");
    insta::assert_snapshot!(
        check(&space, &["compare", "data/extra.csv", "data/sample.csv", "--output-format", "json"], 1),
        @r#"
    {
      "verdict": "breaking",
      "differences": [
        {
          "file": "sample.csv",
          "difference": {
            "kind": "missing_column",
            "column": "extra",
            "expected": "int64"
          }
        },
        {
          "file": "sample.csv",
          "difference": {
            "kind": "column_order",
            "expected": [
              "amount",
              "id"
            ],
            "found": [
              "id",
              "amount"
            ]
          }
        }
      ]
    }
    "#
    );
}

#[test]
fn names_that_promise_something_else_are_told() {
    let space = space();
    space.write("j.csv", "[{\"a\": 1}]");
    insta::assert_snapshot!(check(&space, &["profile", "j.csv"], 1), @"
    j.csv: json, 1 row, 1 column, 10 bytes
      the name promises csv, the content is json
      column  type   nulls
      a       int64      0
    ");
    check(&space, &["profile", "j.csv", "--output-format", "json"], 1);
}

/// No thread can be started whose stack does not fit into memory.
#[cfg(target_os = "linux")]
#[test]
fn threads_that_cannot_be_started_are_done_without() {
    let space = space();
    for (name, row) in [("many.ndjson", "{\"a\":1,\"b\":\"some text\"}\n"), ("many.csv", "1,some text\n")] {
        space.write(name, if name == "many.csv" { "a,b\n" } else { "" }.to_owned() + &row.repeat(200_000));
        let mut command = space.command(&["data", "profile", name]);
        command.env("RUST_MIN_STACK", (1_u64 << 60).to_string());
        let outcome = crate::space::Outcome::of(command.spawn().unwrap());
        assert!(outcome.status == Some(0) && !outcome.stderr.contains("panicked"), "{outcome:?}");
        assert!(outcome.stdout.contains("200000 rows, 2 columns"), "{outcome:?}");
    }
}

#[test]
fn what_cannot_be_compared_is_not_identical() {
    let space = space();
    let compare = |one, other, status| check(&space, &["compare", one, other], status);
    space.write("a.pkl", "x");
    space.write("b.pkl", "y");
    space.write("a.json", "[1]");
    space.write("b.json", "\"x\"");
    space.write("other/0.csv", "id,amount\n1,2.5\n");
    space.write("other/model.pkl", "y");
    insta::assert_snapshot!(compare("a.pkl", "b.pkl", 1), @"
    not compared: 0 breaks, 1 note

    b.pkl
      note   not compared: no table, and other bytes
    ");
    assert_eq!(compare("a.pkl", "parts/model.pkl", 0), "identical");
    assert_eq!(compare("a.json", "a.json", 0), "identical");
    insta::assert_snapshot!(check(&space, &["compare", "a.json", "b.json", "--output-format", "json"], 1), @r#"
    {
      "verdict": "not_compared",
      "differences": [
        {
          "file": "b.json",
          "difference": {
            "kind": "not_compared",
            "reason": {
              "kind": "no_table"
            }
          }
        }
      ]
    }
    "#);
    insta::assert_snapshot!(compare("parts", "other", 1), @"
    not compared: 0 breaks, 1 note

    model.pkl
      note   not compared: no table, and other bytes
    ");
    space.write("no_header.csv", "1,2.5\n2,3.5\n");
    space.write("cities.csv", "city,mayor\nRome,x\n");
    insta::assert_snapshot!(compare("no_header.csv", "cities.csv", 1), @"
    not compared: 0 breaks, 1 note

    cities.csv
      note   not compared: the sample cannot be read: line 1: the first line looks
             like a row, not like a header; write the names of the columns first
    ");
    space.write("blank.json", "[]");
    space.write("rows.json", "[{\"a\": 1}]");
    insta::assert_snapshot!(compare("blank.json", "rows.json", 1), @"
    not compared: 0 breaks, 1 note

    rows.json
      note   not compared: the sample has no columns
    ");
}

#[test]
fn digests_are_of_rows() {
    let space = space();
    let digest = |arguments: &[&str]| check(&space, &[&["digest"], arguments].concat(), 0);
    let sample = digest(&["data/sample.csv"]);
    assert!(sample.starts_with("rows1:") && sample.len() == "rows1:".len() + 64, "{sample}");
    assert_eq!(digest(&["data/more.ndjson"]), sample);
    assert_eq!(digest(&["data/more.ndjson", "--output-format", "json"]), format!("\"{sample}\""));
    space.write("a.csv", "a\n0.3\n2\n");
    space.write("b.csv", "a\n2\n0.30000000000000004\n");
    let options = ["--ignore-row-order", "--float-digits", "12"];
    let rounded = digest(&[&["a.csv"], &options[..]].concat());
    assert!(rounded.starts_with("rows1-unordered-12digits:"), "{rounded}");
    assert_eq!(digest(&[&["b.csv"], &options[..]].concat()), rounded);
    assert_ne!(digest(&["b.csv"]), digest(&["a.csv"]));
    assert!(digest(&["parts/model.pkl"]).starts_with("bytes1:") && digest(&["parts"]).starts_with("files1:"));
    insta::assert_snapshot!(check(&space, &["digest", "data/broken.csv"], 1), @"error: `data/broken.csv` cannot be read as csv: line 2: row has 3 fields, the header has 2");
}

#[test]
fn mistakes_are_told_with_what_was_meant() {
    let space = space();
    space.write("empty/_SUCCESS", "");
    let refused = |arguments: &[&str]| check(&space, arguments, 2);
    insta::assert_snapshot!(refused(&["profile", "dta/order.csv"]), @"error: `dta/order.csv` does not exist; did you mean `data/orders.csv`?");
    insta::assert_snapshot!(refused(&["digest", "data/smaple.csv"]), @"error: `data/smaple.csv` does not exist; did you mean `data/sample.csv`?");
    insta::assert_snapshot!(refused(&["compare", "data/sample.csv", "nothing-like-it"]), @"error: `nothing-like-it` does not exist");
    insta::assert_snapshot!(refused(&["compare", "lost\u{1b}[31m.csv", "data"]), @r"error: `lost\u{1b}[31m.csv` does not exist");
    for command in [
        &["profile", "empty"][..],
        &["digest", "empty"],
        &["compare", "empty", "data"],
        &["compare", "data", "empty"],
    ] {
        assert_eq!(refused(command), "error: `empty` holds no data files");
    }
    insta::assert_snapshot!(refused(&["digest", "data/sample.csv", "--float-digits", "0"]), @"
    error: invalid value '0' for '--float-digits <NUMBER>': expected a number from 1 to 17

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refused(&["compare", "data/sample.csv"]), @"error: say what is expected: EXPECTED FOUND, or --contract and FOUND");
    insta::assert_snapshot!(refused(&["digests", "data"]), @"
    error: unrecognized subcommand 'digests'

      tip: a similar subcommand exists: 'digest'

    Usage: runtime-testing data <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn a_file_cannot_drive_the_terminal() {
    let space = space();
    space.write("odd/a\u{1b}]0;x\u{7}.csv", "\u{1b}[31mred,b\n\u{1b}[0m,1\n");
    for command in [&["profile", "odd"][..], &["compare", "data", "odd"], &["compare", "odd", "data"]] {
        let arguments = [&["data"], command].concat();
        let outcome = space.run(&arguments);
        assert!(!outcome.stdout.contains(['\u{1b}', '\u{7}']), "{outcome:?}");
        assert!(outcome.stdout.contains("u{1b}"), "{outcome:?}");
    }
}
