//! Reading JSON that people write by hand: every value knows where it stands, numbers keep their exact text, and a
//! key that is written twice is a mistake rather than a lost value.
//!
//! [`parse`] turns a text into a tree of [`Node`]s over the same text. Whoever reads the tree collects
//! [`Mistake`]s, one for each thing that is wrong, and reports them together.
//!
//! ```
//! use runtime_testing_dag::json::{self, Value};
//!
//! let text = "{\n  \"epochs\": 12345678901234567890123\n}";
//! let root = json::parse(text)?;
//! let Value::Object(members) = &root.value else { panic!("an object") };
//! assert!(matches!(members[0].value.value, Value::Number("12345678901234567890123")));
//! assert_eq!(json::position(text, members[0].value.offset).to_string(), "line 2, column 13");
//! # Ok::<(), json::Mistake>(())
//! ```
//!
//! # Limitations
//!
//! Values nested deeper than [`MAX_DEPTH`] are a mistake. `NaN` and `Infinity`, which Python's `json` module writes, are not
//! JSON and are refused with a hint.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::nearest;

/// How deep arrays and objects may be nested.
pub const MAX_DEPTH: usize = 128;

/// A value and where it stands in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'a> {
    /// The byte offset of the value's first character.
    pub offset: usize,
    /// The value.
    pub value: Value<'a>,
}

/// A JSON value over the text it was read from.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it is written.
    Number(&'a str),
    /// A string, without quotes and escapes.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Node<'a>>),
    /// An object, in the order written. No key stands twice.
    Object(Vec<Member<'a>>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Member<'a> {
    /// The byte offset of the key.
    pub offset: usize,
    /// The key, without quotes and escapes.
    pub key: Cow<'a, str>,
    /// The value.
    pub value: Node<'a>,
}

/// A place in a text. Both count from one; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)
    }
}

/// One thing that is wrong with a hand-written file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {}{message}{}", KeyPrefix(.key), Hint(.hint.as_deref()))]
pub struct Mistake {
    /// Where it stands.
    pub position: Position,
    /// The path of keys that leads there, such as `input_paths.raw`; empty for the whole text.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

struct KeyPrefix<'a>(&'a str);

impl fmt::Display for KeyPrefix<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(formatter, "`{}`: ", self.0) }
    }
}

struct Hint<'a>(Option<&'a str>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |hint| write!(formatter, "; {hint}"))
    }
}

impl Mistake {
    /// A mistake at a byte offset of a text.
    pub fn new(text: &str, offset: usize, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { position: position(text, offset), key: key.into(), message: message.into(), hint: None }
    }

    /// The same mistake with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// How many mistakes of a text are told with their places, before one that says how many more there are.
const MOST_MISTAKES: usize = 99;

/// How many of them come with a name that was probably meant, of as many as a user has written.
const MOST_HINTS: usize = 20;

/// The mistakes of a text: the first hundred with their places, and how many there are besides.
#[derive(Debug)]
pub struct Mistakes<'t> {
    text: &'t str,
    list: Vec<Mistake>,
    /// The offset and the key of the first that is not in the list, and how many there are of them.
    omitted: Option<(usize, String, usize)>,
}

impl<'t> Mistakes<'t> {
    /// None yet, of a text.
    pub fn of(text: &'t str) -> Self {
        Self { text, list: Vec::new(), omitted: None }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.list.len() + self.omitted.as_ref().map_or(0, |(_, _, count)| *count)
    }

    /// Whether others are only counted.
    pub fn is_full(&self) -> bool {
        self.list.len() >= MOST_MISTAKES
    }

    /// Whether a mistake comes with a name that was probably meant: finding one among thousands for thousands would take too long.
    pub fn has_hints(&self) -> bool {
        self.list.len() < MOST_HINTS
    }

    /// Adds one at a byte offset, with advice where there is some.
    pub fn add(&mut self, offset: usize, key: &str, message: impl Into<String>, hint: Option<String>) {
        if let Some((_, _, count)) = &mut self.omitted {
            *count += 1;
        } else if self.is_full() {
            self.omitted = Some((offset, key.to_owned(), 1));
        } else {
            self.list.push(Mistake { hint, ..Mistake::new(self.text, offset, key, message) });
        }
    }

    /// Adds that of a key that is not known.
    pub fn add_unknown_key(&mut self, offset: usize, path: &str, key: &str, known: &[&str]) {
        let near = if self.is_full() { None } else { nearest(key, known.iter().copied()) };
        let hint = near.map_or_else(
            || format!("the keys are `{}`", known.join("`, `")),
            |near| format!("did you mean `{near}`?"),
        );
        self.add(offset, &join(path, key), "unknown key", Some(hint));
    }

    /// All that are told, in the order of the text; where there are more, the last one says how many.
    pub fn into_list(self) -> Vec<Mistake> {
        let mut list = self.list;
        list.sort_by_key(|mistake| mistake.position);
        if let Some((offset, key, count)) = self.omitted {
            let message = match count {
                1 => "one more mistake is not listed".to_owned(),
                count => format!("{count} more mistakes from here on are not listed"),
            };
            list.push(Mistake::new(self.text, offset, key, message));
        }
        list
    }
}

/// The path of `key` under `path`: `input_paths` and `raw` make `input_paths.raw`.
pub fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

impl Value<'_> {
    /// The value's type as a noun with its article: `a string`, `an array`.
    pub fn describe(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

/// The place of a byte offset in `text`.
pub fn position(text: &str, offset: usize) -> Position {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    // Counts the bytes that begin a character, so that an offset inside one does no harm.
    let column = before[line_start..].iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1;
    Position { line, column }
}

/// Decodes the bytes of a JSON file. A byte order mark at the start is left out.
///
/// # Errors
///
/// A [`Mistake`] at the first byte that is not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<&str, Mistake> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()])
                .expect("the bytes up to the first invalid one are valid");
            Err(Mistake::new(valid, valid.len(), "", "the text is not UTF-8")
                .with_hint("save the file with the encoding UTF-8"))
        }
    }
}

/// Parses one JSON value that makes up the whole of `text`.
///
/// # Errors
///
/// The first syntax error, key that stands twice, or value nested too deep.
pub fn parse(text: &str) -> Result<Node<'_>, Mistake> {
    if text.trim().is_empty() {
        return Err(Mistake::new(text, 0, "", "the file is empty").with_hint("it should hold a JSON object"));
    }
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| syntax_mistake(text, &error))?;
    node(text, raw, 0, "")
}

fn syntax_mistake(text: &str, error: &serde_json::Error) -> Mistake {
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    // serde_json counts bytes and points behind the offending one, or at zero when that one is a newline.
    let mut offset = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let mistake = Mistake::new(text, offset, "", message);
    match syntax_hint(text, offset, message) {
        Some(hint) => mistake.with_hint(hint),
        None => mistake,
    }
}

const NO_NUMBER: &str = "`NaN` and `Infinity` are not JSON: write a string or null instead";

/// What to do about a syntax error at `offset`, of which serde_json has said `message`.
fn syntax_hint(text: &str, offset: usize, message: &str) -> Option<&'static str> {
    let (before, rest) = (text[..offset].trim_end(), &text[offset..]);
    if message.starts_with("control character") {
        return Some("write a line break in a string as `\\n` and a tab as `\\t`");
    }
    if message == "invalid escape" {
        return Some("write a backslash in a string as `\\\\`");
    }
    if message.starts_with("EOF") {
        return Some("something that was opened before is not closed");
    }
    let word_end = rest.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(rest.len());
    match &rest[..word_end] {
        "NaN" | "Infinity" => return Some(NO_NUMBER),
        "None" => return Some("write `null`"),
        "True" => return Some("write `true`"),
        "False" => return Some("write `false`"),
        _ => {}
    }
    if !text.trim_start().starts_with(['{', '[', '"', '\'', '/', '#']) {
        return Some("this is no JSON, which begins with `{` or `[`");
    }
    match rest.chars().next()? {
        '/' | '#' => Some("JSON has no comments: remove it"),
        '\'' | '‘' | '’' | '“' | '”' | '„' | '«' => Some("JSON has strings in double quotes (\")"),
        '}' | ']' if before.ends_with(',') => Some("remove the comma before the closing bracket"),
        '(' => Some("JSON has lists in square brackets"),
        _ if message == "key must be a string" => Some("put the key in double quotes"),
        _ if message == "trailing characters" => Some("nothing may come behind the first value"),
        '"' | '{' | '[' | '0'..='9' | '-' if message.starts_with("expected `,`") => {
            Some("put a comma before it")
        }
        _ => None,
    }
}

fn offset_in(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize).expect("the part is borrowed from the text")
}

fn node<'a>(text: &'a str, raw: &'a RawValue, depth: usize, path: &str) -> Result<Node<'a>, Mistake> {
    let source = raw.get();
    let offset = offset_in(text, source);
    let inner = |error: &serde_json::Error| {
        let message = error.to_string();
        Mistake::new(text, offset, path, message.split(" at line ").next().unwrap_or(&message))
    };
    if depth > MAX_DEPTH {
        return Err(Mistake::new(text, offset, "", format!("nested deeper than {MAX_DEPTH} levels")));
    }
    let value = match source.as_bytes().first() {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(source).map_err(|error| inner(&error))?;
            let mut nodes: Vec<Member<'a>> = Vec::with_capacity(members.len());
            let mut seen = std::collections::HashSet::with_capacity(members.len());
            for (key, raw) in members {
                let key_offset = match &key {
                    // One back, to stand on the quote.
                    Cow::Borrowed(key) => offset_in(text, key) - 1,
                    Cow::Owned(_) => offset_in(text, raw.get()),
                };
                if !seen.insert(key.clone()) {
                    return Err(Mistake::new(text, key_offset, join(path, &key), "duplicate key")
                        .with_hint("remove one of the two"));
                }
                let value = node(text, raw, depth + 1, &join(path, &key))?;
                nodes.push(Member { offset: key_offset, key, value });
            }
            Value::Object(nodes)
        }
        Some(b'[') => {
            let raws: Vec<&'a RawValue> = serde_json::from_str(source).map_err(|error| inner(&error))?;
            let nodes = raws
                .into_iter()
                .enumerate()
                .map(|(index, raw)| node(text, raw, depth + 1, &format!("{path}[{index}]")));
            Value::Array(nodes.collect::<Result<_, _>>()?)
        }
        Some(b'"') => {
            let Text(string) = serde_json::from_str(source).map_err(|error| inner(&error))?;
            Value::String(string)
        }
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => Value::Number(source),
    };
    Ok(Node { offset, value })
}

/// The members of an object, duplicates included.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(key), raw)) = access.next_entry()? {
                    members.push((key, raw));
                }
                Ok(Members(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Members<'de>, A::Error> {
                Err(de::Error::custom("expected an object"))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// A string that borrows where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_mistake(text: &str, expected: &str) {
        let mistake = parse(text).unwrap_err();
        assert_eq!(mistake.to_string(), expected, "for {text:?}");
    }

    #[test]
    fn values_know_their_place() {
        let text = "{\"a\": [1, \"ü\", {\"b\\u0041\": null}],\n \"c\": 1.50}";
        let root = parse(text).unwrap();
        let Value::Object(members) = &root.value else { panic!("not an object") };
        let Value::Array(items) = &members[0].value.value else { panic!("not an array") };
        assert_eq!(items[0].value, Value::Number("1"));
        assert_eq!(position(text, items[2].offset), Position { line: 1, column: 16 });
        let Value::Object(inner) = &items[2].value else { panic!("not an object") };
        assert_eq!(inner[0].key, "bA");
        assert_eq!(position(text, members[1].offset), Position { line: 2, column: 2 });
        assert_eq!(members[1].value.value, Value::Number("1.50"));
    }

    #[test]
    fn mistakes_have_a_place_and_a_way_out() {
        check_mistake("", "line 1, column 1: the file is empty; it should hold a JSON object");
        check_mistake(" \n", "line 1, column 1: the file is empty; it should hold a JSON object");
        check_mistake(
            "{\"a\": 1,\n \"a\": 2}",
            "line 2, column 2: `a`: duplicate key; remove one of the two",
        );
        check_mistake(
            "{\"x\": {\"a\": 1, \"a\": 2}}",
            "line 1, column 16: `x.a`: duplicate key; remove one of the two",
        );
        check_mistake(
            "{\"lr\": NaN}",
            "line 1, column 8: expected value; `NaN` and `Infinity` are not JSON: write a string or null instead",
        );
        check_mistake(
            "{\"lr\": 1,}",
            "line 1, column 10: key must be a string; remove the comma before the closing bracket",
        );
        check_mistake(
            "{\"lr\": -Infinity}",
            "line 1, column 9: invalid number; `NaN` and `Infinity` are not JSON: write a string or null instead",
        );
        check_mistake("{\"ä\": x}", "line 1, column 7: expected value");
        check_mistake(
            "{} {}",
            "line 1, column 4: trailing characters; nothing may come behind the first value",
        );
        check_mistake(
            "{\"a\"",
            "line 1, column 4: EOF while parsing an object; something that was opened before is not closed",
        );
        check_mistake(
            "{\"a\": \"b",
            "line 1, column 8: EOF while parsing a string; something that was opened before is not closed",
        );
    }

    #[test]
    fn what_other_languages_have_is_told_from_json() {
        check_mistake(
            "{\"a\": 1, // one\n \"b\": 2}",
            "line 1, column 10: key must be a string; JSON has no comments: remove it",
        );
        check_mistake(
            "# one\n{\"a\": 1}",
            "line 1, column 1: expected value; JSON has no comments: remove it",
        );
        check_mistake(
            "{\"a\": [1 /* one */]}",
            "line 1, column 10: expected `,` or `]`; JSON has no comments: remove it",
        );
        check_mistake(
            "{'a': 1}",
            "line 1, column 2: key must be a string; JSON has strings in double quotes (\")",
        );
        check_mistake(
            "{\"a\": 'b'}",
            "line 1, column 7: expected value; JSON has strings in double quotes (\")",
        );
        check_mistake("{a: 1}", "line 1, column 2: key must be a string; put the key in double quotes");
        check_mistake("{\"a\": None}", "line 1, column 7: expected value; write `null`");
        check_mistake("[True, 1]", "line 1, column 2: expected value; write `true`");
        check_mistake("{\"a\": False}", "line 1, column 7: expected value; write `false`");
        check_mistake(
            "{\"a\": (1, 2)}",
            "line 1, column 7: expected value; JSON has lists in square brackets",
        );
        check_mistake(
            "{\"a\": \"C:\\users\"}",
            "line 1, column 15: invalid escape; write a backslash in a string as `\\\\`",
        );
        check_mistake(
            "{\"a\": \"b\tc\"}",
            "line 1, column 8: control character (\\u0000-\\u001F) found while parsing a string; write a line break in a string as `\\n` and a tab as `\\t`",
        );
        check_mistake("{\"a\": [1 2]}", "line 1, column 10: expected `,` or `]`; put a comma before it");
        check_mistake("{\"a\": 1 \"b\": 2}", "line 1, column 9: expected `,` or `}`; put a comma before it");
        check_mistake(
            "nodes:\n - a",
            "line 1, column 2: expected ident; this is no JSON, which begins with `{` or `[`",
        );
        check_mistake(
            "dag = 1",
            "line 1, column 1: expected value; this is no JSON, which begins with `{` or `[`",
        );
    }

    #[test]
    fn deep_nesting_is_a_mistake_not_a_crash() {
        let text = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        check_mistake(&text, "line 1, column 130: nested deeper than 128 levels");
        let fits = format!("{}{}", "[".repeat(129), "]".repeat(129));
        assert!(parse(&fits).is_ok());
    }

    #[test]
    fn bytes_that_are_no_text() {
        let mistake = decode(b"{\n  \"a\": \"\xff\"}").unwrap_err();
        assert_eq!(
            mistake.to_string(),
            "line 2, column 9: the text is not UTF-8; save the file with the encoding UTF-8"
        );
        assert_eq!(decode(b"\xef\xbb\xbf{}"), Ok("{}"));
    }
}
