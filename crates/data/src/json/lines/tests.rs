use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::json::json_type::{JsonType, Widened};
use crate::json::testing::shown;

/// Reads a text in parts of several sizes, with several threads, with and without lines that are too long, to the same
/// end.
#[track_caller]
fn read(text: &[u8]) -> Content {
    let read = |jobs, part_bytes, longest_line| {
        let jobs = NonZeroUsize::new(jobs).expect("a thread");
        profile_parts(text, jobs, part_bytes, longest_line).expect("a slice can be read")
    };
    let whole = read(1, 10_000, 10_000);
    for jobs in [1, 2, 5] {
        for (part_bytes, longest_line) in [(1, 10_000), (7, 10_000), (64, 10_000), (5, 5), (30, 40)] {
            let parts = read(jobs, part_bytes, longest_line);
            assert_eq!(parts.schema, whole.schema, "{jobs} threads, {part_bytes} bytes, {longest_line}");
            assert_eq!(parts.findings, whole.findings);
        }
    }
    whole
}

#[track_caller]
fn check_lines(text: &[u8], expected: &str, findings: &[&str]) {
    let (shown, found) = shown(&read(text));
    assert_eq!(found, findings);
    assert_eq!(shown, expected);
}

#[test]
fn lines() {
    check_lines(b"{\"a\": 1}", "1 rows; a: int64", &[]);
    check_lines(b"\n \r\n", "0 rows; ", &[]);
    check_lines(
        b"{\"b\": [1]}\r\n{\"a\": {\"x\": 1}}\r\n",
        "2 rows; a: struct<x: int64>?, b: list<int64>?",
        &[],
    );
    check_lines(
        b"{\"a\": 1}\n[1]\n{\"a\": }\n{\"a\": 2} x\n{\"a\": 2}",
        "3 rows; a: int64",
        &[
            "line 2: the line is no object",
            "line 3: invalid JSON: expected a value, found `}`",
            "line 4: invalid JSON: expected nothing behind the object, found `x`",
        ],
    );
    check_lines(
        "x\n".repeat(8).as_bytes(),
        "0 rows; ",
        &[
            "line 1: invalid JSON: expected a value, found `x`",
            "line 2: invalid JSON: expected a value, found `x`",
            "line 3: invalid JSON: expected a value, found `x`",
            "line 4: invalid JSON: expected a value, found `x`",
            "line 5: invalid JSON: expected a value, found `x`",
            "3 more lines that are no JSON object",
        ],
    );
}

#[test]
fn a_broken_line_does_not_make_the_next_one_look_wrong() {
    check_lines(
        b"{\"a\": 1, \"b\"}\n{\"a\": 1, \"b\": 2}\n",
        "1 rows; a: int64, b: int64",
        &["line 1: invalid JSON: expected `:`, found `}`"],
    );
}

#[test]
fn broken_lines() {
    check_lines(
        b"{\"a\": 1}\n{\"a\": 2\n{\"a\": 3}\n",
        "2 rows; a: int64",
        &["line 2: invalid JSON: expected `,` or `}`, found the end of the line"],
    );
    check_lines(b"\n{\"a\": 1}\n\n{\"a\": 2}\n{\"a\": 3}", "3 rows; a: int64", &[]);
}

#[test]
fn text_that_is_not_utf8() {
    check_lines(
        b"x\n{\"a\": \"\xFF\"}\n{\"a\": 1}\n",
        "1 rows; a: int64",
        &["line 1: invalid JSON: expected a value, found `x`", "line 2: the text is not UTF-8"],
    );
    // The beginning of a character, and no more.
    check_lines(b"a }\t:\xC2", "0 rows; ", &["line 1: invalid JSON: expected a value, found `a`"]);
}

#[test]
fn halves_of_characters() {
    let told = |line| {
        format!(r"line {line}: invalid JSON: `\ud800` is half a character, and its other half is missing")
    };
    let text = r#"{"a": "\ud83d\ude00", "b": [{"c": "x"}]}
{"a": "\ud800", "b": []}
{"a": "x", "b": [{"c": "\ud800\n"}]}
{"a": "\ud83d\ude00", "\ud800": 1}
{"a": "\ud83d\uDE00\ud83d\ude00", "b": []}
"#;
    let told = [2, 3, 4].map(told);
    check_lines(
        text.as_bytes(),
        "2 rows; a: text, b: list<struct<c: text>>",
        &told.each_ref().map(String::as_str),
    );
}

#[test]
fn byte_order_marks() {
    let told = "line 1: the text begins with a byte order mark, which JSON does not allow";
    check_lines(b"\xEF\xBB\xBF{\"a\": 1}\n", "1 rows; a: int64", &[told]);
}

#[test]
fn keys_that_stand_twice() {
    check_lines(
        b"{\"a\": 1}\n{\"a\": 1, \"a\": \"x\"}\n{\"b\": {\"c\": 1}}\n{\"b\": {\"c\": 1, \"c\": 2}}\n",
        "4 rows; a: int64?, b: struct<c: int64>?",
        &["line 2: the key `a` stands twice in one object", "line 4: the key `c` stands twice in one object"],
    );
}

#[test]
fn the_row_that_decides() {
    let mut text = "{\"a\": 1, \"b\": [1]}\n".repeat(20);
    text.push_str("{\"a\": \"n/a?\", \"b\": [1, {\"x\": 2}]}\n");
    text.push_str(&"{\"a\": 1, \"b\": [1]}\n".repeat(20));
    let schema = read(text.as_bytes()).schema.expect("a table");
    let deciding =
        |column: usize| (schema.columns[column].deciding_row, schema.columns[column].deciding_value.clone());
    assert_eq!(deciding(0), (Some(21), Some("n/a?".to_owned())));
    assert_eq!(deciding(1), (Some(21), Some("[1, {\"x\": 2}]".to_owned())));
    assert_eq!(schema.columns[1].data_type, "list<mixed>".into());
}

#[track_caller]
fn check_deciding(text: &str, row: u64, value: &str) {
    let schema = read(text.as_bytes()).schema.expect("a table");
    let found = (schema.columns[0].deciding_row, schema.columns[0].deciding_value.as_deref());
    assert_eq!(found, (Some(row), Some(value)));
}

#[test]
fn a_new_field_decides_only_where_nothing_else_has() {
    let rows =
        |fields: &[&str]| fields.iter().map(|row| format!("{{\"a\":{{{row}}}}}\n")).collect::<String>();
    let (bad, new) = (r#""x":"bad""#, r#""x":2,"y":1"#);
    check_deciding(&rows(&[r#""x":1"#, bad, new]), 2, r#"{"x":"bad"}"#);
    check_deciding(&rows(&[r#""x":1"#, new, bad]), 3, r#"{"x":"bad"}"#);
    check_deciding(&rows(&[r#""x":1"#, new, r#""z":1"#]), 2, r#"{"x":2,"y":1}"#);
    check_deciding(&rows(&[r#""x":null"#, r#""x":1"#, new]), 3, r#"{"x":2,"y":1}"#);
}

#[test]
fn nulls_are_those_of_sound_rows() {
    let content = read(b"{\"a\":1}\n{\"a\":null}\n{\"a\":3,\n");
    let schema = content.schema.expect("a table");
    assert_eq!((schema.rows, schema.columns[0].nulls), (2, Some(1)));
    assert_eq!(content.findings.len(), 1);
}

/// Reads a text in one part, which takes a second; it would take minutes if each line were compared with all.
#[track_caller]
fn read_at_once(text: &str) -> Content {
    let begin = std::time::Instant::now();
    let content = profile_parts(text.as_bytes(), NonZeroUsize::MIN, 10_000_000, 10_000_000);
    assert!(begin.elapsed().as_secs() < 30, "{:?}", begin.elapsed());
    content.expect("a slice can be read")
}

#[test]
fn bad_lines_take_no_longer_the_more_there_are() {
    let content = read_at_once(&"x \u{e9}\n".repeat(300_000));
    let last = content.findings.last().map(ToString::to_string);
    assert_eq!(last.as_deref(), Some("299995 more lines that are no JSON object"));
}

#[test]
fn new_fields_take_no_longer_the_more_there_are() {
    let rows: String = (0..25_000).map(|id| format!("{{\"a\":{{\"id{id}\":1}}}}\n")).collect();
    let schema = read_at_once(&rows).schema.expect("a table");
    assert_eq!((schema.rows, schema.columns[0].deciding_row), (25_000, Some(2)));
}

#[test]
fn too_many_different_keys_end_it() {
    let long = "k".repeat(10_000);
    let rows = |shape: fn(String) -> String| {
        let mut text = "x\n".repeat(6);
        for number in 0..220 {
            text.push_str(&shape(format!("\"{number}{long}\":{number}")));
        }
        text.into_bytes()
    };
    let flat = rows(|member| format!("{{{member}}}\n"));
    let nested = rows(|member| format!("{{\"a\":[{{\"b\":{{{member}}}}}]}}\n"));
    for (text, rows) in [(flat, 208), (nested, 208)] {
        for jobs in [1, 3] {
            let jobs = NonZeroUsize::new(jobs).expect("a thread");
            for (part_bytes, longest_line) in [(200_000, 1_000_000), (5_000, 5_000)] {
                let content = profile_parts(&*text, jobs, part_bytes, longest_line).expect("a text");
                let schema = content.schema.expect("a table");
                assert_eq!(schema.rows, rows);
                let told: Vec<String> = content.findings[5..].iter().map(ToString::to_string).collect();
                assert_eq!(
                    told,
                    [
                        "1 more lines that are no JSON object",
                        "line 215: invalid JSON: too many different keys: they look like data, and not like columns or fields",
                    ]
                );
            }
        }
    }
}

#[test]
fn the_same_keys_over_and_over_are_not_many() {
    let items = format!("{{\"{}\":1}},", "k".repeat(10_000)).repeat(2000);
    let text = format!("{{\"a\":[{}1]}}\n", items);
    assert_eq!(read_once(&text), []);
    assert_eq!(read_once(&text.repeat(2)), []);
    let items = (0..1700).map(|number| format!("{{\"{number}{}\":1}},", "k".repeat(10_000)));
    let told = read_once(&format!("{{\"a\":[{}1]}}\n", items.collect::<String>()));
    assert!(told.len() == 1 && told[0].message.contains("too many different keys"), "{told:?}");
}

fn read_once(text: &str) -> Vec<DataFinding> {
    profile_lines(text.as_bytes(), NonZeroUsize::MIN).expect("a slice can be read").findings
}

#[test]
fn what_cannot_be_read_ends_it() {
    struct Refusing(usize);
    impl Read for Refusing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::PermissionDenied)?;
            buffer[0] = b'\n';
            Ok(1)
        }
    }
    for jobs in [1, 3] {
        let jobs = NonZeroUsize::new(jobs).expect("a thread");
        let error = profile_parts(Refusing(100), jobs, 10, 20).expect_err("it is refused");
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}

fn json_type(value: &Value) -> JsonType {
    match value {
        Value::Null => JsonType::Null,
        Value::Bool(_) => JsonType::Boolean,
        Value::Number(number) if number.as_i64().is_some_and(|number| number < 0) => JsonType::Signed,
        Value::Number(number) if number.is_i64() => JsonType::Int,
        Value::Number(number) if number.is_u64() => JsonType::Uint,
        Value::Number(_) => JsonType::Float,
        Value::String(_) => JsonType::Text,
        Value::Array(items) => {
            let mut item = JsonType::Null;
            for value in items {
                item.widen(json_type(value), &mut 0);
            }
            JsonType::List(Box::new(item))
        }
        Value::Object(fields) => {
            JsonType::Struct(fields.iter().map(|(name, value)| (name.clone(), json_type(value))).collect())
        }
    }
}

/// A name, a type, the number of nulls, and the row that decided the type.
type ExpectedColumn = (String, String, u64, Option<u64>);

/// Columns with their types, nulls and deciding rows, and the number of rows, one line after the other.
fn expected(text: &str) -> (u64, Vec<ExpectedColumn>) {
    let mut columns: BTreeMap<String, (JsonType, u64, Option<u64>)> = BTreeMap::new();
    let mut rows = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let Ok(Value::Object(row)) = serde_json::from_str(line) else { continue };
        rows += 1;
        for (name, value) in row {
            let column = columns.entry(name).or_insert((JsonType::Null, 0, None));
            column.1 += u64::from(!value.is_null());
            match column.0.widen(json_type(&value), &mut 0) {
                Widened::Changed => column.2 = Some(rows),
                Widened::Added => column.2 = column.2.or(Some(rows)),
                Widened::Same | Widened::Filled | Widened::Signed => {}
            }
        }
    }
    let column = |(name, (json_type, values, row)): (String, (JsonType, u64, _))| {
        (name, json_type.words().to_string(), rows - values, row)
    };
    (rows, columns.into_iter().map(column).collect())
}

fn any_json() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(&[
        "null",
        "true",
        "false",
        "0",
        "-7",
        "12",
        "123456789012345678",
        "12345678901234567890",
        "-7",
        "0.5",
        "-1.25e3",
        "1E2",
        "\"\"",
        "\"x\"",
        "\"a longer text\"",
        "\"\u{e9}\\n\\u00e9\"",
        "[]",
        "{}",
    ]);
    scalar.prop_map(str::to_owned).prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
            (inner.clone(), inner).prop_map(|(x, y)| format!("{{\"x\": {x},\"y\":{y} }}")),
        ]
    })
}

fn any_line() -> impl Strategy<Value = String> {
    let member = |key: &'static str| {
        prop::option::weighted(0.9, any_json().prop_map(move |value| format!("\"{key}\":{value}")))
    };
    let plain = (0..100_i64, any::<bool>())
        .prop_map(|(id, flag)| format!("{{\"a\":{id},\"b\":\"x{id}\",\"c\":{flag}}}"));
    let row = (member("a"), member("b"), member("c"), member("d\\u00e9"));
    let row = row.prop_map(|(a, b, c, d)| {
        let members: Vec<String> = [a, b, c, d].into_iter().flatten().collect();
        format!("{{{}}}", members.join(","))
    });
    prop_oneof![6 => plain, 2 => row, 1 => Just(String::new())]
}

proptest! {
    #[test]
    fn parts_and_threads_do_not_matter(lines in prop::collection::vec(any_line(), 0..30)) {
        let text = lines.join("\n");
        let content = read(text.as_bytes());
        prop_assert_eq!(&content.findings, &[]);
        let schema = content.schema.expect("a table");
        let columns = schema.columns.into_iter().map(|column| {
            (column.name, column.data_type.to_string(), column.nulls.expect("all is counted"), column.deciding_row)
        });
        prop_assert_eq!((schema.rows, columns.collect::<Vec<_>>()), expected(&text));
    }

    #[test]
    fn parts_and_threads_do_not_matter_for_what_is_wrong(
        lines in prop::collection::vec("[a-b0-1\"\\\\:,{}\\[\\] \r\t.-]{0,12}", 0..20),
        damaged in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut text = lines.join("\n").into_bytes();
        for (place, byte) in damaged {
            if !text.is_empty() {
                let place = place.index(text.len());
                text[place] = byte;
            }
        }
        read(&text);
    }
}

#[test]
fn rows_stay_plain_behind_one_that_was_cut_off_or_written_in_another_way() {
    let mut rows = Rows::default();
    read_part(&mut rows, b"{\"a\": 1, \"b\": 2}\n");
    assert_eq!(rows.read_plain_row(b"{\"a\": 1, \"b\":"), None);
    for text in ["{\"a\": 1, \"b\": 2}", "{\"a\":1,\"b\":2}", "{\"a\": 1, \"b\":  2}"] {
        for _ in 0..2 {
            assert_eq!(rows.read_plain_row(text.as_bytes()), Some(text.len()), "{text}");
        }
    }
}

#[test]
fn long_texts_are_told_wherever_they_are_cut() {
    for length in 380..410 {
        let long = "x".repeat(length);
        for rest in ["\\\" more", "\\u00e9 more", "\\\\", "\\\\\\\"", ""] {
            let rows = format!("{{\"a\":1}}\n{{\"a\":\"{long}{rest}\"}}\n");
            let schema = read(rows.as_bytes()).schema.expect("a table");
            assert_eq!(schema.columns[0].deciding_value, Some("x".repeat(80)));
        }
    }
    let schema = read(b"{\"a\":1}\n{\"a\":\"say \\\"\\u00e9\\\"\"}").schema.expect("a table");
    assert_eq!(schema.columns[0].deciding_value.as_deref(), Some("say \"\u{e9}\""));
}

#[test]
fn half_characters_in_a_row_are_not_the_end_of_the_text() {
    for text in
        [&b"\xF1\xC3\n"[..], b"{\"a\": \"\xE1\xC3\xF1\"}\n{}\n", b"{}\n{\"bcdef\": \"\xF1\x81\xF1\x81\xC3"]
    {
        read(text);
    }
}
