//! NDJSON, one object a line. A line break never lies within a value, so the text is split into parts of whole lines, and
//! several threads read a part each.
//!
//! What a row changes depends on the types of the rows before it. So a part is read with the types that were known when
//! it was begun, and read again if the parts before it have changed them. Parts are put together in their order, which
//! makes the result that of reading one line after the other.

use std::io::{self, Cursor, Read};
use std::num::NonZeroUsize;

use runtime_testing_models::DataFinding;

use super::document::{BYTE_ORDER_MARK, DUPLICATE_KEYS};
use super::lexer::{Chunks, Lexer};
use super::parts::{Part, Parts, Rest};
use super::rows::{Counts, Rows};
use super::threads::read_parts;
use crate::findings::{Findings, Stop, finding_on};
use crate::profile::Content;

/// The size of a part, about.
const PART_BYTES: usize = 512 * 1024;

/// A line that is longer is not kept as a whole. What comes from there on is read by one thread.
const LONGEST_LINE: usize = 2 * 1024 * 1024;

/// More threads would only wait for what is read from the disk, and hold memory.
const MOST_JOBS: usize = 16;

/// Profiles a text that holds one JSON object a line.
pub(crate) fn profile_lines(source: impl Read + Send, jobs: NonZeroUsize) -> io::Result<Content> {
    profile_parts(source, jobs, PART_BYTES, LONGEST_LINE)
}

fn profile_parts(
    source: impl Read + Send,
    jobs: NonZeroUsize,
    part_bytes: usize,
    longest_line: usize,
) -> io::Result<Content> {
    let mut parts = Parts::new(source, part_bytes, longest_line);
    let has_mark = parts.skip_byte_order_mark()?;
    let mut begin = Vec::new();
    parts.next(&mut begin)?;
    // The types are mostly known after the first part.
    let mut table = Table::default();
    table.read_now(&begin);
    if !parts.is_ended {
        (parts, table) = read_parts(parts, table, jobs.get().min(MOST_JOBS))?;
    }
    table.read_rest(parts)?;
    Ok(table.into_content(has_mark))
}

/// What is wrong in some lines, and how many these are.
#[derive(Debug, Default)]
pub(super) struct Lines {
    count: u64,
    bad: Findings,
    duplicate_keys: Findings,
    /// Why the rest was not read.
    end: Option<DataFinding>,
}

/// Reads a part.
pub(super) fn read_part(rows: &mut Rows, part: &[u8]) -> Lines {
    let mut part = Part::new(part);
    let mut lexer = Lexer::new(&mut part);
    let mut bad = Findings::default();
    let end = read_lines(&mut lexer, rows, &mut bad).expect("a slice can be read");
    Lines { count: lexer.line() - 1, bad, duplicate_keys: lexer.into_duplicate_keys(), end }
}

/// Reads all lines, or up to one behind which there is no use in reading on.
fn read_lines<T: Chunks>(
    lexer: &mut Lexer<'_, T>,
    rows: &mut Rows,
    bad: &mut Findings,
) -> io::Result<Option<DataFinding>> {
    lexer.go_line_by_line();
    // What lies in later parts was not to be read.
    if rows.is_full() {
        return Ok(None);
    }
    loop {
        match read_line(lexer, rows) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(stop) => {
                let finding = stop.into_finding()?;
                if rows.is_full() {
                    return Ok(Some(finding));
                }
                bad.push(|| finding);
                lexer.skip_line()?;
            }
        }
    }
}

/// Reads the next line, and says whether there was one.
fn read_line<T: Chunks>(lexer: &mut Lexer<'_, T>, rows: &mut Rows) -> Result<bool, Stop> {
    if let Some(bytes) = rows.read_plain_line(lexer.rest()) {
        lexer.take_line(bytes);
        return Ok(true);
    }
    match lexer.next()? {
        None => return Ok(false),
        Some(b'\n') => {}
        Some(b'{') => rows.read_row(lexer)?,
        Some(_) => {
            lexer.value(0)?;
            return Err(Stop::Bad(finding_on(lexer.line(), "the line is no object")));
        }
    }
    if lexer.take_line_end()? || lexer.next()?.is_none() {
        return Ok(true);
    }
    Err(lexer.unexpected("nothing behind the object"))
}

/// What is known after some of the parts, in their order.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Rows,
    lines: Lines,
    /// Grows whenever a column is added or becomes wider.
    pub(super) version: u64,
}

impl Table {
    /// Reads a part that comes behind all that is known.
    pub(super) fn read_now(&mut self, part: &[u8]) {
        let mut rows = self.rows.like();
        let lines = read_part(&mut rows, part);
        self.append(rows, lines);
    }

    pub(super) fn append(&mut self, rows: Rows, lines: Lines) {
        self.version += u64::from(rows.is_changed());
        self.rows.append(rows);
        self.append_lines(lines);
    }

    /// Adds rows that changed nothing but counts.
    pub(super) fn append_counts(&mut self, counts: &Counts, lines: Lines) {
        self.rows.add_counts(counts);
        self.append_lines(lines);
    }

    /// No rows yet, of columns with the types that are known.
    pub(super) fn rows_like_known(&self) -> Rows {
        self.rows.like()
    }

    fn append_lines(&mut self, lines: Lines) {
        self.lines.bad.append(lines.bad, self.lines.count);
        self.lines.duplicate_keys.append(lines.duplicate_keys, self.lines.count);
        if let Some(end) = lines.end {
            let line = end.line.map(|line| self.lines.count + line);
            self.lines.end.get_or_insert(DataFinding { line, ..end });
        }
        self.lines.count += lines.count;
    }

    /// Reads a text from a line on that is too long for a part, if there is one.
    fn read_rest<R: Read>(&mut self, parts: Parts<R>) -> io::Result<()> {
        if !parts.is_too_long {
            return Ok(());
        }
        let mut text = Rest::new(Cursor::new(parts.begun_line).chain(parts.source), parts.part_bytes);
        let mut lexer = Lexer::new(&mut text);
        lexer.begin_on_line(self.lines.count + 1);
        let end = read_lines(&mut lexer, &mut self.rows, &mut self.lines.bad)?;
        self.lines.end = self.lines.end.take().or(end);
        self.lines.duplicate_keys.append(lexer.into_duplicate_keys(), 0);
        Ok(())
    }

    fn into_content(self, has_mark: bool) -> Content {
        let mut findings = self.lines.bad.into_list("lines that are no JSON object");
        if has_mark {
            findings.insert(0, finding_on(1, BYTE_ORDER_MARK));
        }
        findings.extend(self.lines.duplicate_keys.into_list(DUPLICATE_KEYS));
        findings.extend(self.lines.end);
        Content::of_text(Some(self.rows.into_schema()), findings)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::json_text::json_type::{JsonType, Widened};
    use crate::json_text::testing::shown;

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
    fn byte_order_marks() {
        let told = "line 1: the text begins with a byte order mark, which JSON does not allow";
        check_lines(b"\xEF\xBB\xBF{\"a\": 1}\n", "1 rows; a: int64", &[told]);
    }

    #[test]
    fn keys_that_stand_twice() {
        check_lines(
            b"{\"a\": 1}\n{\"a\": 1, \"a\": \"x\"}\n{\"b\": {\"c\": 1}}\n{\"b\": {\"c\": 1, \"c\": 2}}\n",
            "4 rows; a: int64?, b: struct<c: int64>?",
            &[
                "line 2: the key `a` stands twice in one object",
                "line 4: the key `c` stands twice in one object",
            ],
        );
    }

    #[test]
    fn the_row_that_decides() {
        let mut text = "{\"a\": 1, \"b\": [1]}\n".repeat(20);
        text.push_str("{\"a\": \"n/a?\", \"b\": [1, {\"x\": 2}]}\n");
        text.push_str(&"{\"a\": 1, \"b\": [1]}\n".repeat(20));
        let schema = read(text.as_bytes()).schema.expect("a table");
        let deciding = |column: usize| {
            (schema.columns[column].deciding_row, schema.columns[column].deciding_value.clone())
        };
        assert_eq!(deciding(0), (Some(21), Some("\"n/a?\"".to_owned())));
        assert_eq!(deciding(1), (Some(21), Some("[1, {\"x\": 2}]".to_owned())));
        assert_eq!(schema.columns[1].data_type, "list<mixed>");
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

    #[test]
    fn bad_lines_take_no_longer_the_more_there_are() {
        // One part, in which each bad line would be looked at up to the end of the part.
        let text = "x \u{e9}\n".repeat(40_000);
        let begin = std::time::Instant::now();
        let content =
            profile_parts(text.as_bytes(), NonZeroUsize::MIN, 1_000_000, 1_000_000).expect("a text");
        assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
        assert_eq!(
            content.findings.last().map(ToString::to_string).as_deref(),
            Some("39995 more lines that are no JSON object")
        );
    }

    #[test]
    fn too_many_different_keys_end_it() {
        let long = "k".repeat(10_000);
        let rows = |shape: fn(String) -> String| {
            let mut text = "x\n".repeat(6);
            for number in 0..1700 {
                text.push_str(&shape(format!("\"{number}{long}\":{number}")));
            }
            text.into_bytes()
        };
        let flat = rows(|member| format!("{{{member}}}\n"));
        let nested = rows(|member| format!("{{\"a\":[{{\"b\":{{{member}}}}}]}}\n"));
        for (text, rows) in [(flat, 1666), (nested, 1666)] {
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
                            "line 1673: invalid JSON: too many different keys: they look like data, and not like columns or fields",
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
            Value::Number(number) if number.is_i64() => JsonType::Int,
            Value::Number(_) => JsonType::Float,
            Value::String(_) => JsonType::Text,
            Value::Array(items) => {
                let mut item = JsonType::Null;
                for value in items {
                    item.widen(json_type(value), &mut 0);
                }
                JsonType::List(Box::new(item))
            }
            Value::Object(fields) => JsonType::Struct(
                fields.iter().map(|(name, value)| (name.clone(), json_type(value))).collect(),
            ),
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
                    Widened::Same | Widened::Filled => {}
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
                prop::collection::vec(inner.clone(), 0..3)
                    .prop_map(|items| format!("[{}]", items.join(", "))),
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
                (column.name, column.data_type, column.nulls.expect("all is counted"), column.deciding_row)
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
}
