use std::io::{self, Read};

use runtime_testing_models::{FileFormat, TableSchema};

use super::json_type::JsonType;
use super::lexer::{Chunks, Lexer};
use super::object;
use super::rows::Rows;
use crate::content::Content;
use crate::findings::{Stop, unreadable_on};
use crate::text::reader::TextReader;

pub(super) const BYTE_ORDER_MARK: &str = "the text begins with a byte order mark, which JSON does not allow";
pub(super) const DUPLICATE_KEYS: &str = "keys that stand twice in an object";

/// What a text of JSON turns out to be.
#[derive(Debug)]
pub(crate) enum Document {
    /// One value, and which of the two formats of one value it is. An array of objects and an object are tables.
    Value(FileFormat, Content),
    /// One object a line, which is NDJSON. No more than the first was read.
    Lines,
}

/// Profiles a text that is one JSON value.
pub(crate) fn profile_document(text: &mut TextReader<impl Read>) -> io::Result<Document> {
    let mut lexer = Lexer::new(text);
    let value = read_document(&mut lexer);
    let is_one_line = matches!(value, Ok(Value::Object { is_one_line: true, .. }));
    let (format, schema, stop) = match value {
        Ok(Value::Lines) => return Ok(Document::Lines),
        Ok(Value::Object { schema, .. }) => (FileFormat::JsonObject, schema, None),
        Ok(Value::Other(schema)) => (FileFormat::Json, schema, None),
        Err(stop) => (FileFormat::Json, None, Some(stop.into_finding()?)),
    };
    let mut findings: Vec<_> = stop.into_iter().collect();
    findings.extend(lexer.into_duplicate_keys().into_list(DUPLICATE_KEYS));
    Ok(Document::Value(format, Content { is_one_line, ..Content::of_text(schema, findings) }))
}

/// What the value is, and its table if it is one.
enum Value {
    Object {
        schema: Option<TableSchema>,
        is_one_line: bool,
    },
    Other(Option<TableSchema>),
    /// It has others behind it, each on a line.
    Lines,
}

fn read_document<T: Chunks>(lexer: &mut Lexer<'_, T>) -> Result<Value, Stop> {
    let first = lexer.next()?;
    if lexer.has_byte_order_mark() {
        return Err(Stop::Bad(unreadable_on(1, BYTE_ORDER_MARK)));
    }
    let value = match first {
        Some(b'[') => Value::Other(read_array(lexer)?),
        Some(b'{') => {
            let begins = lexer.line();
            let schema = read_object(lexer)?;
            let ends = lexer.line();
            if lexer.next()? == Some(b'{') && begins == ends && lexer.line() > ends {
                return Ok(Value::Lines);
            }
            Value::Object { schema, is_one_line: begins == ends }
        }
        _ => {
            lexer.value(0)?;
            Value::Other(None)
        }
    };
    match lexer.next()? {
        None => Ok(value),
        Some(_) => Err(lexer.unexpected("nothing behind the value")),
    }
}

/// Reads an object. It is a table unless it has more keys than are kept, which are data.
fn read_object<T: Chunks>(lexer: &mut Lexer<'_, T>) -> Result<Option<TableSchema>, Stop> {
    lexer.makes_maps = true;
    let value = lexer.value(0)?;
    match value {
        JsonType::Struct(fields) => Ok(Some(object::schema(fields))),
        _ => Ok(None),
    }
}

/// Reads an array. It is a table if all it holds is objects.
fn read_array<T: Chunks>(lexer: &mut Lexer<'_, T>) -> Result<Option<TableSchema>, Stop> {
    lexer.expect(b'[', "`[`")?;
    let mut rows = Some(Rows::default());
    let mut more = !lexer.take_if(b']')?;
    while more {
        match &mut rows {
            Some(table) if lexer.next()? == Some(b'{') => match table.read_plain_row(lexer.rest()) {
                Some(bytes) => lexer.take(bytes),
                None => table.read_row(lexer)?,
            },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::testing::shown;

    #[track_caller]
    fn check(text: &[u8], expected: &str, findings: &[&str]) {
        for chunk_bytes in [8, 1000] {
            let mut reader = TextReader::with_chunk_bytes(text, chunk_bytes);
            match profile_document(&mut reader).expect("a slice can be read") {
                Document::Value(format, content) => {
                    let (shown, found) = shown(&content);
                    let shown =
                        if format == FileFormat::JsonObject { format!("object, {shown}") } else { shown };
                    assert_eq!(found, findings);
                    assert_eq!(shown, expected);
                }
                Document::Lines => assert_eq!(("lines", &[] as &[&str]), (expected, findings)),
            }
        }
    }

    #[test]
    fn arrays_of_objects_are_tables() {
        check(b"[]", "0 rows; ", &[]);
        check(b"[{\"b\": 1, \"a\": \"x\"},\n {\"a\": null}]\n", "2 rows; a: text?, b: int64?", &[]);
        check(b"[{\"a\": 1}, {\"a\": 2.5}, {\"a\": null}]", "3 rows; a: float64?", &[]);
        check(b"[{\"a\": 1}, {\"a\": \"x\"}]", "2 rows; a: mixed", &[]);
        check(b"[{\"a\": \"2024-01-31\"}, {}]", "2 rows; a: text?", &[]);
        check(b"[{}]", "1 rows; ", &[]);
    }

    #[test]
    fn other_values_are_none() {
        for text in ["5", "\"x\"", "[1, 2]", "[{\"a\": 1}, 2]", "[[{}]]", "null"] {
            check(text.as_bytes(), "no table", &[]);
        }
    }

    #[test]
    fn objects_are_tables_of_one_row() {
        check(b"{}", "object, 1 rows; ", &[]);
        let text =
            b"{\"f1\": 0.9, \"auc\": null, \"by class\": {\"a\": 1, \"b\": 0.5}, \"tags\": [1, \"x\"]}";
        let shown = "object, 1 rows; auc: null?, by class: struct<a: int64, b: float64>, f1: float64, tags: list<mixed>";
        check(text, shown, &[]);
        check(b"{\n\"a\":\n1}\n", "object, 1 rows; a: int64", &[]);
        check(
            b"{\"a\": 1, \"a\": 2}",
            "object, 1 rows; a: int64",
            &["line 1: the key `a` stands twice in one object"],
        );
        check(b"{\"a\": }", "no table", &["line 1: invalid JSON: expected a value, found `}`"]);
    }

    #[test]
    fn more_keys_than_are_kept_make_maps() {
        let object = |keys: usize, value: &dyn Fn(usize) -> String| {
            let members: Vec<String> = (0..keys).map(|key| format!("\"{key}\": {}", value(key))).collect();
            format!("{{{}}}", members.join(","))
        };
        let number = |key: usize| key.to_string();
        let with = |value: &str| format!("{{\"a\": {value}}}");
        let (shown, findings) = profiled(&with(&object(200, &number)));
        assert!(shown.starts_with("1 rows; a: struct<0: int64, 1: int64, "), "{shown}");
        assert_eq!(findings, [""; 0]);
        let many = object(300_000, &number);
        check(many.as_bytes(), "object, no table", &[]);
        check(with(&many).as_bytes(), "object, 1 rows; a: map<text, int64>", &[]);
        check(with(&with(&many)).as_bytes(), "object, 1 rows; a: struct<a: map<text, int64>>", &[]);
        let float_at_last = many.replace(" 299999}", " 0.5}");
        check(with(&float_at_last).as_bytes(), "object, 1 rows; a: map<text, float64>", &[]);
        let carts = object(30_000, &|user| format!("{{\"item {user}\": 1}}"));
        check(with(&carts).as_bytes(), "object, 1 rows; a: map<text, map<text, int64>>", &[]);
        // Keys that few objects share.
        let items: Vec<String> = (0..60_000).map(|item| format!("{{\"{item}\": {item}}}")).collect();
        let text = with(&format!("[{}]", items.join(",")));
        check(text.as_bytes(), "object, 1 rows; a: list<map<text, int64>>", &[]);
        let records = with(&object(100_000, &|key| format!("{{\"x\": 1, \"y\": {key}}}")));
        check(records.as_bytes(), "object, 1 rows; a: map<text, struct<x: int64, y: int64>>", &[]);
        let told = "too many different keys";
        let mixed = object(60_000, &|key| if key % 2 == 0 { key.to_string() } else { "\"x\"".to_owned() });
        for text in [format!("[{many}]"), mixed] {
            let (_, findings) = profiled(&text);
            assert!(findings[0].contains(told), "{findings:?}");
        }
    }

    fn profiled(text: &str) -> (String, Vec<String>) {
        match profile_document(&mut TextReader::new(text.as_bytes())).expect("a slice can be read") {
            Document::Value(_, content) => shown(&content),
            Document::Lines => panic!("it is one value"),
        }
    }

    #[test]
    fn one_object_a_line_is_ndjson() {
        check(b"{\"a\": 1}\n{\"b\": 2}\n", "lines", &[]);
        check(b"\n{\"a\": 1}\n\n{\"a\": 2}\n{\"a\": 3}", "lines", &[]);
        check(b"{\"a\": 1}\n{\"a\": 2\n{\"a\": 3}\n", "lines", &[]);
        check(
            b"{\"a\":\n1}\n{\"a\": 2}",
            "no table",
            &["line 3: invalid JSON: expected nothing behind the value, found `{`"],
        );
        check(
            b"{\"a\": 1} {\"a\": 2}",
            "no table",
            &["line 1: invalid JSON: expected nothing behind the value, found `{`"],
        );
    }

    #[test]
    fn text_that_is_not_utf8() {
        check(b"[{\"a\":\n\"\xFF\"}]", "no table", &["line 2: the text is not UTF-8"]);
    }

    #[test]
    fn byte_order_marks() {
        let told = "line 1: the text begins with a byte order mark, which JSON does not allow";
        check(b"\xEF\xBB\xBF[]", "no table", &[told]);
    }

    #[test]
    fn keys_that_stand_twice() {
        check(
            b"[{\"a\": 1,\n\"a\": \"x\"}]",
            "1 rows; a: int64",
            &["line 2: the key `a` stands twice in one object"],
        );
    }
}
