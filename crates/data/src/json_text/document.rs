use std::io::{self, Read};

use runtime_testing_models::{FileFormat, TableSchema};

use super::lexer::Lexer;
use super::rows::Rows;
use crate::findings::{Findings, Stop, finding_on};
use crate::profile::Content;
use crate::text_reader::TextReader;

const BYTE_ORDER_MARK: &str = "the text begins with a byte order mark, which JSON does not allow";

/// Profiles a text that is one JSON value, or one object on each of several lines, which is NDJSON.
pub(crate) fn profile_document(text: &mut TextReader<impl Read>) -> io::Result<(FileFormat, Content)> {
    let mut lexer = Lexer::new(text);
    match read_document(&mut lexer) {
        Ok(Document::Value(schema)) => {
            Ok((FileFormat::Json, Content::of_text(schema, lexer.into_duplicate_keys())))
        }
        Ok(Document::Lines(first)) => Ok((FileFormat::Ndjson, read_lines(lexer, first)?)),
        Err(stop) => {
            let mut findings = vec![stop.into_finding()?];
            findings.extend(lexer.into_duplicate_keys());
            Ok((FileFormat::Json, Content::of_text(None, findings)))
        }
    }
}

/// Profiles a text that holds one JSON object a line.
pub(crate) fn profile_lines(text: &mut TextReader<impl Read>) -> io::Result<Content> {
    read_lines(Lexer::new(text), Rows::default())
}

/// What a text of JSON turns out to be.
#[derive(Debug)]
enum Document {
    /// One value; an array of objects is a table.
    Value(Option<TableSchema>),
    /// One object a line, of which the first was read.
    Lines(Rows),
}

fn read_document<R: Read>(lexer: &mut Lexer<'_, R>) -> Result<Document, Stop> {
    let first = lexer.next()?;
    if lexer.has_byte_order_mark() {
        return Err(Stop::Bad(finding_on(1, BYTE_ORDER_MARK)));
    }
    let schema = match first {
        Some(b'[') => read_array(lexer)?,
        Some(b'{') => {
            let begins = lexer.line();
            let mut rows = Rows::default();
            rows.read_row(lexer)?;
            let ends = lexer.line();
            if lexer.next()? == Some(b'{') && begins == ends && lexer.line() > ends {
                return Ok(Document::Lines(rows));
            }
            None
        }
        _ => {
            lexer.value(0)?;
            None
        }
    };
    match lexer.next()? {
        None => Ok(Document::Value(schema)),
        Some(_) => Err(lexer.unexpected("nothing behind the value")),
    }
}

/// Reads an array. It is a table if all it holds is objects.
fn read_array<R: Read>(lexer: &mut Lexer<'_, R>) -> Result<Option<TableSchema>, Stop> {
    lexer.expect(b'[', "`[`")?;
    let mut rows = Some(Rows::default());
    let mut more = !lexer.take_if(b']')?;
    while more {
        match &mut rows {
            Some(table) if lexer.next()? == Some(b'{') => table.read_row(lexer)?,
            _ => {
                rows = None;
                lexer.value(1)?;
            }
        }
        more = !lexer.take_if(b']')?;
        if more {
            lexer.expect(b',', "`,` or `]`")?;
        }
    }
    Ok(rows.map(Rows::into_schema))
}

fn read_lines<R: Read>(mut lexer: Lexer<'_, R>, mut rows: Rows) -> io::Result<Content> {
    lexer.go_line_by_line();
    let mut bad_lines = Findings::default();
    loop {
        match read_line(&mut lexer, &mut rows) {
            Ok(true) => {}
            Ok(false) => break,
            Err(stop) => {
                let finding = stop.into_finding()?;
                bad_lines.push(|| finding);
                lexer.skip_line()?;
            }
        }
    }
    let mut findings = bad_lines.into_list("lines that are no JSON object");
    if lexer.has_byte_order_mark() {
        findings.insert(0, finding_on(1, BYTE_ORDER_MARK));
    }
    findings.extend(lexer.into_duplicate_keys());
    Ok(Content::of_text(Some(rows.into_schema()), findings))
}

/// Reads the next line, and says whether there was one.
fn read_line<R: Read>(lexer: &mut Lexer<'_, R>, rows: &mut Rows) -> Result<bool, Stop> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The format, the columns with `?` where they hold nulls, and the rows; then the findings.
    fn shown(format: FileFormat, content: &Content) -> (String, Vec<String>) {
        let findings = content.findings.iter().map(ToString::to_string).collect();
        let Some(schema) = &content.schema else { return (format!("{format}, no table"), findings) };
        let columns: Vec<String> = schema
            .columns
            .iter()
            .map(|column| {
                format!("{}: {}{}", column.name, column.data_type, if column.nullable { "?" } else { "" })
            })
            .collect();
        (format!("{format}, {} rows; {}", schema.rows, columns.join(", ")), findings)
    }

    #[track_caller]
    fn check(text: &[u8], expected: &str, findings: &[&str]) {
        for chunk_bytes in [8, 1000] {
            let mut reader = TextReader::with_chunk_bytes(text, chunk_bytes);
            let (format, content) = profile_document(&mut reader).expect("a slice can be read");
            let (shown, found) = shown(format, &content);
            assert_eq!(found, findings);
            assert_eq!(shown, expected);
        }
    }

    #[track_caller]
    fn check_lines(text: &[u8], expected: &str, findings: &[&str]) {
        for chunk_bytes in [8, 1000] {
            let mut reader = TextReader::with_chunk_bytes(text, chunk_bytes);
            let content = profile_lines(&mut reader).expect("a slice can be read");
            let (shown, found) = shown(FileFormat::Ndjson, &content);
            assert_eq!(found, findings);
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn arrays_of_objects_are_tables() {
        check(b"[]", "json, 0 rows; ", &[]);
        check(b"[{\"b\": 1, \"a\": \"x\"},\n {\"a\": null}]\n", "json, 2 rows; a: text?, b: int64?", &[]);
        check(b"[{\"a\": 1}, {\"a\": 2.5}, {\"a\": null}]", "json, 3 rows; a: float64?", &[]);
        check(b"[{\"a\": 1}, {\"a\": \"x\"}]", "json, 2 rows; a: mixed", &[]);
        check(b"[{\"a\": \"2024-01-31\"}, {}]", "json, 2 rows; a: text?", &[]);
        check(b"[{}]", "json, 1 rows; ", &[]);
    }

    #[test]
    fn other_values_are_none() {
        for text in
            ["{\"a\": 1}", "{\n\"a\":\n1}", "5", "\"x\"", "[1, 2]", "[{\"a\": 1}, 2]", "[[{}]]", "null"]
        {
            check(text.as_bytes(), "json, no table", &[]);
        }
    }

    #[test]
    fn one_object_a_line_is_ndjson() {
        check(b"{\"a\": 1}\n{\"b\": 2}\n", "ndjson, 2 rows; a: int64?, b: int64?", &[]);
        check(b"\n{\"a\": 1}\n\n{\"a\": 2}\n{\"a\": 3}", "ndjson, 3 rows; a: int64", &[]);
        check(
            b"{\"a\": 1}\n{\"a\": 2\n{\"a\": 3}\n",
            "ndjson, 2 rows; a: int64",
            &["line 2: invalid JSON: expected `,` or `}`, found the end of the line"],
        );
        check(
            b"{\"a\":\n1}\n{\"a\": 2}",
            "json, no table",
            &["line 3: invalid JSON: expected nothing behind the value, found `{`"],
        );
        check(
            b"{\"a\": 1} {\"a\": 2}",
            "json, no table",
            &["line 1: invalid JSON: expected nothing behind the value, found `{`"],
        );
    }

    #[test]
    fn lines() {
        check_lines(b"{\"a\": 1}", "ndjson, 1 rows; a: int64", &[]);
        check_lines(b"\n \r\n", "ndjson, 0 rows; ", &[]);
        check_lines(
            b"{\"b\": [1]}\r\n{\"a\": {\"x\": 1}}\r\n",
            "ndjson, 2 rows; a: struct<x: int64>?, b: list<int64>?",
            &[],
        );
        check_lines(
            b"{\"a\": 1}\n[1]\n{\"a\": }\n{\"a\": 2} x\n{\"a\": 2}",
            "ndjson, 3 rows; a: int64",
            &[
                "line 2: the line is no object",
                "line 3: invalid JSON: expected a value, found `}`",
                "line 4: invalid JSON: expected nothing behind the object, found `x`",
            ],
        );
        check_lines(
            "x\n".repeat(8).as_bytes(),
            "ndjson, 0 rows; ",
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
            "ndjson, 1 rows; a: int64, b: int64",
            &["line 1: invalid JSON: expected `:`, found `}`"],
        );
    }

    #[test]
    fn text_that_is_not_utf8() {
        check(b"[{\"a\":\n\"\xFF\"}]", "json, no table", &["line 2: the text is not UTF-8"]);
        check_lines(
            b"x\n{\"a\": \"\xFF\"}\n{\"a\": 1}\n",
            "ndjson, 1 rows; a: int64",
            &["line 1: invalid JSON: expected a value, found `x`", "line 2: the text is not UTF-8"],
        );
    }

    #[test]
    fn byte_order_marks() {
        let told = "line 1: the text begins with a byte order mark, which JSON does not allow";
        check(b"\xEF\xBB\xBF[]", "json, no table", &[told]);
        check_lines(b"\xEF\xBB\xBF{\"a\": 1}\n", "ndjson, 1 rows; a: int64", &[told]);
    }

    #[test]
    fn keys_that_stand_twice() {
        check(
            b"[{\"a\": 1,\n\"a\": \"x\"}]",
            "json, 1 rows; a: int64",
            &["line 2: the key `a` stands twice in one object"],
        );
    }

    #[test]
    fn the_row_that_decides() {
        let mut text = "{\"a\": 1, \"b\": [1]}\n".repeat(20);
        text.push_str("{\"a\": \"n/a?\", \"b\": [1, {\"x\": 2}]}\n");
        for chunk_bytes in [8, 1000] {
            let mut reader = TextReader::with_chunk_bytes(text.as_bytes(), chunk_bytes);
            let schema = profile_lines(&mut reader).expect("a slice can be read").schema.expect("a table");
            let deciding = |column: usize| {
                (schema.columns[column].deciding_row, schema.columns[column].deciding_value.clone())
            };
            assert_eq!(deciding(0), (Some(21), Some("\"n/a?\"".to_owned())));
            assert_eq!(deciding(1), (Some(21), Some("[1, {\"x\": 2}]".to_owned())));
            assert_eq!(schema.columns[1].data_type, "list<mixed>");
        }
    }
}
