//! Contracts: what is read is what is written, and every mistake is told with its place.

use insta::assert_snapshot;
use runtime_testing_models::{DataContract, TableContract, TypeWord};

#[test]
fn contracts_are_written_as_they_are_read() {
    let texts = [
        r#"{"columns":{}}"#,
        r#"{"columns":{"a":"timestamp[us, UTC]","b":{"type":"decimal(9,2)","nullable":false,"minimum":0.10,"maximum":1e3}}}"#,
        r#"{"columns":{"a":{"type":"list","items":{"type":"struct","fields":{"x":"float"}}},"b":{"type":"map","values":"text"}}}"#,
        r#"{"columns":{"a":{"type":"text","values":["x","1"],"pattern":"[a-z]+","max_null_fraction":0.5}},"extra_columns":"forbid","min_rows":0,"max_rows":3,"unique":["a"],"empty_files":"allow","delimiter":";","null_values":["-",""]}"#,
        r#"{"columns":{"a":"text","b":"text"},"unique":[["a","b"],["b"]]}"#,
        r#"{"files":{"train/*.csv":{"columns":{"a":"text"},"empty_files":"allow"},"model.bst":"present","{a,b}.txt":"optional"},"extra_files":"forbid","null_values":["-"]}"#,
    ];
    for text in texts {
        let contract: DataContract = text.parse().unwrap();
        assert_eq!(serde_json::to_string(&contract).unwrap(), text);
    }
    let contract = DataContract::from(TableContract::default().with_column("a", TypeWord::Text));
    assert_eq!(serde_json::to_string(&contract).unwrap(), r#"{"columns":{"a":"text"}}"#);
    let one: DataContract = r#"{"columns":{"a":"text"},"unique":[["a"]]}"#.parse().unwrap();
    assert_eq!(serde_json::to_string(&one).unwrap(), r#"{"columns":{"a":"text"},"unique":["a"]}"#);
}

#[test]
fn mistakes() {
    let text = r#"{"files": {
  "[a.csv": "present",
  "a.csv": "there",
  "b.csv": {"columns": {"a": "text"}, "null_values": ["-"]},
  "c.csv": {"columns": {
    "a": {"type": "text", "minimum": 1, "fields": {"x": "text"}, "values": []},
    "b": {"type": "date", "minimum": "yesterday", "maximum": "2024-02-30", "pattern": "x"},
    "c": {"type": "integer", "minimum": 3, "maximum": 2, "values": [null], "unique": 1},
    "d": {"type": "text", "pattern": "[a", "max_null_fraction": 1.5},
    "e": {"type": "list", "items": {"type": "integer", "minimum": 1}, "unique": true},
    "f": {"type": "map", "values": "int"},
    "g": "decimal(9)",
    "h": {"type": "timestamp", "minimum": "noon", "item": "text"}
  }, "min_rows": 3, "max_rows": 2, "delimiter": "ab", "empty_files": "yes"},
  "d.csv": {"columns": {"a": "text"}, "unique": ["a", "z"]},
  "e.csv": {"columns": {"a": "text"}, "unique": [[]]}
}, "extra_file": "allow", "extra_files": "none"}"#;
    let error = text.parse::<DataContract>().unwrap_err();
    assert_snapshot!(error.to_string(), @r#"
    27 mistakes:
      - line 2, column 3: `files.[a.csv`: no glob: unclosed character class; missing ']'
      - line 3, column 12: `files.a.csv`: expected `"present"`, `"optional"`, or an object with `columns`, found a string
      - line 4, column 39: `files.b.csv.null_values`: it holds for all files: write it beside `files`
      - line 5, column 12: `files.c.csv`: `min_rows` is more than `max_rows`
      - line 6, column 27: `files.c.csv.columns.a.minimum`: it is for columns of type integer, float, decimal, date, timestamp, any, and this is text
      - line 6, column 41: `files.c.csv.columns.a.fields`: it is for columns of type struct, and this is text
      - line 6, column 76: `files.c.csv.columns.a.values`: no value is allowed then
      - line 7, column 38: `files.c.csv.columns.b.minimum`: expected a day such as "2024-01-31", found a string
      - line 7, column 62: `files.c.csv.columns.b.maximum`: expected a day such as "2024-01-31", found a string
      - line 7, column 76: `files.c.csv.columns.b.pattern`: it is for columns of type text, any, and this is date
      - line 8, column 10: `files.c.csv.columns.c`: `minimum` is more than `maximum`
      - line 8, column 69: `files.c.csv.columns.c.values`: expected a number, found null
      - line 8, column 86: `files.c.csv.columns.c.unique`: expected true or false, found a number
      - line 9, column 38: `files.c.csv.columns.d.pattern`: no regular expression: unclosed character class
      - line 9, column 65: `files.c.csv.columns.d.max_null_fraction`: expected a number from 0 to 1
      - line 10, column 56: `files.c.csv.columns.e.items.minimum`: only columns have such, and nothing within them
      - line 10, column 71: `files.c.csv.columns.e.unique`: it is for columns of type boolean, integer, float, decimal, text, date, time, timestamp, duration, binary, any, and this is list
      - line 11, column 36: `files.c.csv.columns.f.values`: unknown type `int`; did you mean `integer`?
      - line 12, column 10: `files.c.csv.columns.g`: unknown type `decimal(9)`; did you mean `decimal`?
      - line 13, column 43: `files.c.csv.columns.h.minimum`: expected a moment such as "2024-01-31T12:00:00Z", found a string
      - line 13, column 51: `files.c.csv.columns.h.item`: unknown key; did you mean `items`?
      - line 14, column 49: `files.c.csv.delimiter`: expected `,`, `;`, `|` or a tab, which are found in data
      - line 14, column 70: `files.c.csv.empty_files`: expected `allow` or `forbid`, found `yes`
      - line 15, column 12: `files.d.csv.unique`: `z` is no key of `columns`
      - line 16, column 49: `files.e.csv.unique`: a list of columns is empty
      - line 17, column 4: `extra_file`: unknown key; did you mean `extra_files`?
      - line 17, column 42: `extra_files`: expected `allow` or `forbid`, found `none`
    "#);
}
