//! Changes in the text of a JSON object that leave every other byte of it as it is.

use std::io::{self, Write};

use runtime_testing_models::dag::json::{self, Mistake, Node, Value};
use runtime_testing_models::dag::text::ascii_json;
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use serde_json::value::RawValue;

/// Puts a value at the place that `keys` lead to, in the manner the text is written in: in lines, indented as its first key
/// is, or all in one line. Objects on the way that are not there, or are `null`, are made, behind what is there.
///
/// # Errors
///
/// The first mistake in the text, or what stands on the way and is no object.
pub(crate) fn put(text: &str, keys: &[&str], value: &impl Serialize) -> Result<String, Mistake> {
    let root = json::parse(text)?;
    let manner = Manner::of(text, root.offset);
    put_in(text, &root, &manner, 1, keys, value)
}

fn put_in(
    text: &str,
    object: &Node<'_>,
    manner: &Manner<'_>,
    depth: usize,
    keys: &[&str],
    value: &impl Serialize,
) -> Result<String, Mistake> {
    let (key, rest) = keys.split_first().expect("there is a key");
    let Value::Object(members) = &object.value else {
        return Err(Mistake::new(text, object.offset, *key, "expected an object"));
    };
    let replaced = |from: usize, to: usize, new: String| Ok([&text[..from], &new, &text[to..]].concat());
    if let Some(member) = members.iter().find(|member| member.key == *key) {
        let Node { offset, value: found } = &member.value;
        return match found {
            Value::Object(_) if !rest.is_empty() => {
                put_in(text, &member.value, manner, depth + 1, rest, value)
            }
            Value::Null => replaced(*offset, end(text, *offset), manner.nested(rest, value, depth)),
            _ if rest.is_empty() => replaced(*offset, end(text, *offset), manner.rendered(value, depth)),
            _ => Err(Mistake::new(text, *offset, *key, "expected an object")),
        };
    }
    match members.last() {
        Some(last) => {
            let at = end(text, last.value.offset);
            let member = format!(",{}{}", manner.gap(depth), manner.member(key, rest, value, depth));
            replaced(at, at, member)
        }
        None => replaced(object.offset, end(text, object.offset), manner.nested(keys, value, depth - 1)),
    }
}

/// Where the value that begins at an offset ends.
fn end(text: &str, offset: usize) -> usize {
    let mut values = serde_json::Deserializer::from_str(&text[offset..]).into_iter::<&RawValue>();
    let raw = values.next().and_then(Result::ok).expect("the text was parsed before");
    offset + raw.get().len()
}

/// How a text is written.
struct Manner<'a> {
    /// What ends its lines, where it has more than one.
    line_end: Option<&'static str>,
    /// What each level is indented by.
    indent: &'a str,
}

impl<'a> Manner<'a> {
    fn of(text: &'a str, object: usize) -> Self {
        let inside = text[object..].strip_prefix('{').unwrap_or_default();
        let blank = &inside[..inside.len() - inside.trim_start().len()];
        match blank.rsplit_once('\n') {
            Some((before, indent)) => {
                let line_end = if before.ends_with('\r') { "\r\n" } else { "\n" };
                // An empty object shows no indentation.
                let indent = if inside.trim_start().starts_with('}') { "  " } else { indent };
                Self { line_end: Some(line_end), indent }
            }
            None => Self { line_end: None, indent: "" },
        }
    }

    /// What stands before a key.
    fn gap(&self, depth: usize) -> String {
        self.line_end.map_or_else(|| " ".to_owned(), |end| format!("{end}{}", self.indent.repeat(depth)))
    }

    fn member(&self, key: &str, rest: &[&str], value: &impl Serialize, depth: usize) -> String {
        format!(
            "{}: {}",
            ascii_json(&serde_json::Value::from(key).to_string()),
            self.nested(rest, value, depth)
        )
    }

    /// The value, in an object for each of the keys.
    fn nested(&self, keys: &[&str], value: &impl Serialize, depth: usize) -> String {
        let Some((key, rest)) = keys.split_first() else { return self.rendered(value, depth) };
        let member = self.member(key, rest, value, depth + 1);
        match self.line_end {
            Some(_) => format!("{{{}{member}{}}}", self.gap(depth + 1), self.gap(depth)),
            None => format!("{{{member}}}"),
        }
    }

    /// The value, its lines indented as its place asks for.
    fn rendered(&self, value: &impl Serialize, depth: usize) -> String {
        const PLAIN: &str = "plain values with string keys can be written";
        let mut bytes = Vec::new();
        let Some(line_end) = self.line_end else {
            value.serialize(&mut Serializer::with_formatter(&mut bytes, OneLine)).expect(PLAIN);
            return ascii_json(&String::from_utf8(bytes).expect("JSON is text"));
        };
        let formatter = PrettyFormatter::with_indent(self.indent.as_bytes());
        value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter)).expect(PLAIN);
        let text = ascii_json(&String::from_utf8(bytes).expect("JSON is text"));
        text.replace('\n', &format!("{line_end}{}", self.indent.repeat(depth)))
    }
}

/// One line with blanks behind commas and colons, as Python writes it and people do.
struct OneLine;

impl OneLine {
    fn comma<W: ?Sized + Write>(writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }
}

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        Self::comma(writer, first)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        Self::comma(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, keys: &[&str], expected: &str) {
        let put = put(text, keys, &json!({"x": 1})).unwrap();
        assert_eq!(put, expected);
        json::parse(&put).unwrap();
    }

    #[test]
    fn what_is_there_stays_as_it_is_written() {
        check("{\"n\": 1e400,\n \"a\" :\t{ } }\n", &["a"], "{\"n\": 1e400,\n \"a\" :\t{\"x\": 1} }\n");
        check(
            "{\n    \"n\": 0.10,\n    \"a\": 3 ,\n    \"z\": [1,\n2]\n}",
            &["a"],
            "{\n    \"n\": 0.10,\n    \"a\": {\n        \"x\": 1\n    } ,\n    \"z\": [1,\n2]\n}",
        );
        check(
            "{\r\n\t\"n\": \"a\u{308}\"\r\n}\r\n",
            &["a", "b"],
            "{\r\n\t\"n\": \"a\u{308}\",\r\n\t\"a\": {\r\n\t\t\"b\": {\r\n\t\t\t\"x\": 1\r\n\t\t}\r\n\t}\r\n}\r\n",
        );
    }

    #[test]
    fn what_is_not_there_is_made() {
        check("{}", &["a"], "{\"a\": {\"x\": 1}}");
        let several = put("{}", &["a"], &json!([1, {"x": [], "y": "a,b:c"}])).unwrap();
        assert_eq!(several, "{\"a\": [1, {\"x\": [], \"y\": \"a,b:c\"}]}");
        check("{\n}", &["a"], "{\n  \"a\": {\n    \"x\": 1\n  }\n}");
        check("{\"n\": 1}", &["a", "b"], "{\"n\": 1, \"a\": {\"b\": {\"x\": 1}}}");
        check("{\"a\": null, \"n\": 1}", &["a", "b"], "{\"a\": {\"b\": {\"x\": 1}}, \"n\": 1}");
        check("{\"a\": {\"c\": 2}}", &["a", "b"], "{\"a\": {\"c\": 2, \"b\": {\"x\": 1}}}");
        check("{\"\\u0061\": {\"b\": 2}}", &["a", "b"], "{\"\\u0061\": {\"b\": {\"x\": 1}}}");
        check(
            "{\n  \"a\": {}\n}",
            &["a", "b\""],
            "{\n  \"a\": {\n    \"b\\\"\": {\n      \"x\": 1\n    }\n  }\n}",
        );
    }

    #[test]
    fn what_is_no_object_is_not_written_over_on_the_way() {
        let refused = |text: &str| put(text, &["a", "b"], &1).unwrap_err().to_string();
        assert_eq!(refused("{\"a\": [1]}"), "line 1, column 7: `a`: expected an object");
        assert_eq!(refused("[]"), "line 1, column 1: `a`: expected an object");
        assert!(refused("{").starts_with("line 1"));
    }

    proptest! {
        /// Against the same change made to the values.
        #[test]
        fn it_is_the_same_as_changing_the_values(
            members in prop::collection::btree_map("[abcé\"]{1,2}", prop::collection::btree_map("[ab]", 0..9, 0..3), 0..4),
            pretty: bool,
            outer in "[abcé\"]{1,2}",
            inner in "[abc]",
        ) {
            let mut values = serde_json::to_value(&members).unwrap();
            let text =
                if pretty { serde_json::to_string_pretty(&values) } else { serde_json::to_string(&values) }.unwrap();
            let put = put(&text, &[&outer, &inner], &json!([1, {"x": null}])).unwrap();
            values[&outer][&inner] = json!([1, {"x": null}]);
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&put).unwrap(), values);
        }
    }
}
