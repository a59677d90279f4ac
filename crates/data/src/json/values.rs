//! Reading values: of each no more than its type.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::json_type::JsonType;
use super::lexer::{Chunks, Lexer};
use crate::findings::Stop;
use crate::limits::{MOST_NAME_BYTES, TOO_MANY_NAMES, name_bytes};

/// How deep arrays and objects may be nested.
pub(super) const MAX_DEPTH: usize = 128;

/// The longest key or number.
const LONGEST_TOKEN: usize = 64 * 1024;

/// The numbers that are no characters: of two in a row, the first of the lower and the second of the upper half of them,
/// make up one character.
const FIRST_HALF_FROM: u16 = 0xD800;
const SECOND_HALF_FROM: u16 = 0xDC00;
const SECOND_HALF_TO: u16 = 0xDFFF;

impl<T: Chunks> Lexer<'_, T> {
    /// Reads a value, which lies in so many arrays and objects.
    pub(crate) fn value(&mut self, depth: usize) -> Result<JsonType, Stop> {
        self.names = 0;
        self.value_within(depth)
    }

    /// Reads a value that may be a part of another. What its names take is added to that of the other.
    fn value_within(&mut self, depth: usize) -> Result<JsonType, Stop> {
        if depth > MAX_DEPTH {
            return Err(self.bad(&format!("nested deeper than {MAX_DEPTH} levels")));
        }
        match self.next()? {
            Some(b'{') => {
                let mut object = JsonType::Struct(BTreeMap::new());
                let outer = self.names;
                self.object(|lexer, key| {
                    let kept = lexer.names;
                    let field = lexer.value_within(depth + 1)?;
                    if let JsonType::Map(values) = &mut object {
                        lexer.names = kept;
                        values.widen(field, &mut lexer.names);
                    } else if let JsonType::Struct(fields) = &mut object {
                        if fields.insert(key.to_owned(), field).is_some() {
                            lexer.add_duplicate_key(key);
                        } else {
                            lexer.names += name_bytes(key);
                        }
                    }
                    lexer.bound_names(&mut object, outer)
                })?;
                Ok(object)
            }
            Some(b'[') => {
                self.take(1);
                let mut item = JsonType::Null;
                let outer = self.names;
                if self.take_if(b']')? {
                    return Ok(JsonType::List(Box::new(item)));
                }
                loop {
                    // Of the items no more is kept than the type that takes in all of them.
                    let kept = self.names;
                    let value = self.value_within(depth + 1)?;
                    self.names = kept;
                    item.widen(value, &mut self.names);
                    self.bound_names(&mut item, outer)?;
                    if self.take_if(b']')? {
                        return Ok(JsonType::List(Box::new(item)));
                    }
                    self.expect(b',', "`,` or `]`")?;
                }
            }
            Some(b'"') => self.string(None).map(|()| JsonType::Text),
            Some(b't') => self.word(b"true", JsonType::Boolean),
            Some(b'f') => self.word(b"false", JsonType::Boolean),
            Some(b'n') => self.word(b"null", JsonType::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'N') => Err(self.bad("`NaN` is no JSON; write null")),
            Some(b'I') => Err(self.bad("`Infinity` is no JSON; write null")),
            _ => Err(self.unexpected("a value")),
        }
    }

    /// Sees to it that what is known of a value takes no more names than it may, beside the `outer` ones: where maps are made, keys
    /// that are data are forgotten.
    fn bound_names(&mut self, value: &mut JsonType, outer: usize) -> Result<(), Stop> {
        let mut names = self.names.saturating_sub(outer);
        if names <= MOST_NAME_BYTES {
            return Ok(());
        }
        let is_bounded = self.makes_maps && value.forget_data(&mut names);
        self.names = outer + names;
        if is_bounded { Ok(()) } else { Err(self.bad(TOO_MANY_NAMES)) }
    }

    /// Reads an object, whose `{` comes next. `member` reads the value of each key.
    pub(crate) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.expect(b'{', "`{`")?;
        if self.take_if(b'}')? {
            return Ok(());
        }
        loop {
            if self.next()? != Some(b'"') {
                return Err(self.unexpected("a key in quotes"));
            }
            let mut key = std::mem::take(&mut self.key);
            key.clear();
            self.string(Some(&mut key))?;
            self.expect(b':', "`:`")?;
            member(self, &unescaped(&String::from_utf8_lossy(&key)))?;
            self.key = key;
            if self.take_if(b'}')? {
                return Ok(());
            }
            self.expect(b',', "`,` or `}`")?;
        }
    }

    /// Reads a string, whose opening quote comes next, and puts it into `into` with its escapes.
    fn string(&mut self, mut into: Option<&mut Vec<u8>>) -> Result<(), Stop> {
        self.take(1);
        loop {
            if self.peek()?.is_none() {
                return Err(self.unexpected("`\"`"));
            }
            let rest = self.rest();
            let special = |byte: &u8| matches!(byte, b'"' | b'\\') || *byte < b' ';
            let length = rest.iter().position(special).unwrap_or(rest.len());
            let end = rest.get(length).copied();
            self.take_into(length, &mut into);
            if into.as_ref().is_some_and(|into| into.len() > LONGEST_TOKEN) {
                return Err(self.bad(&format!("a key of more than {LONGEST_TOKEN} bytes")));
            }
            match end {
                None => {}
                Some(b'"') => {
                    self.take(1);
                    return Ok(());
                }
                Some(b'\\') => self.escape(&mut into)?,
                Some(_) => return Err(self.unexpected("the end of the string")),
            }
        }
    }

    fn take_into(&mut self, bytes: usize, into: &mut Option<&mut Vec<u8>>) {
        if let Some(into) = into {
            into.extend_from_slice(&self.rest()[..bytes]);
        }
        self.take(bytes);
    }

    /// Reads an escape, whose backslash comes next, or the two that make up one character.
    fn escape(&mut self, into: &mut Option<&mut Vec<u8>>) -> Result<(), Stop> {
        let Some(unit) = self.one_escape(into)? else { return Ok(()) };
        let is_whole = match unit {
            FIRST_HALF_FROM..SECOND_HALF_FROM => {
                let second = if self.peek()? == Some(b'\\') { self.one_escape(into)? } else { None };
                matches!(second, Some(SECOND_HALF_FROM..=SECOND_HALF_TO))
            }
            SECOND_HALF_FROM..=SECOND_HALF_TO => false,
            _ => true,
        };
        if is_whole { Ok(()) } else { Err(self.half(unit)?) }
    }

    /// Reads an escape, whose backslash comes next, and tells the number in it if it has one.
    fn one_escape(&mut self, into: &mut Option<&mut Vec<u8>>) -> Result<Option<u16>, Stop> {
        self.take_into(1, into);
        let kind = self.peek()?;
        if !matches!(kind, Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | b'u')) {
            return Err(self.unexpected("an escape"));
        }
        self.take_into(1, into);
        if kind == Some(b'u') { self.four_digits(into).map(Some) } else { Ok(None) }
    }

    fn four_digits(&mut self, into: &mut Option<&mut Vec<u8>>) -> Result<u16, Stop> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = self.peek()?.and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return Err(self.unexpected("four hexadecimal digits")) };
            number = number * 16 + digit;
            self.take_into(1, into);
        }
        Ok(u16::try_from(number).expect("four digits"))
    }

    /// A finding that a character is only half there. No text holds it.
    fn half(&mut self, unit: u16) -> Result<Stop, Stop> {
        let message = format!("`\\u{unit:04x}` is half a character, and its other half is missing");
        Ok(if self.peek()?.is_none() { self.cut_off(&message) } else { self.bad(&message) })
    }

    fn word(&mut self, word: &[u8], json_type: JsonType) -> Result<JsonType, Stop> {
        for wanted in word {
            if self.peek()? != Some(*wanted) {
                return Err(self.unexpected(&format!("`{}`", String::from_utf8_lossy(word))));
            }
            self.take(1);
        }
        Ok(json_type)
    }

    fn number(&mut self) -> Result<JsonType, Stop> {
        let mut number = std::mem::take(&mut self.number);
        number.clear();
        while self.peek()?.is_some_and(|byte| is_of_number(&byte)) {
            let rest = self.rest();
            let length = rest.iter().position(|byte| !is_of_number(byte)).unwrap_or(rest.len());
            self.take_into(length, &mut Some(&mut number));
            if number.len() > LONGEST_TOKEN {
                return Err(self.bad(&format!("a number of more than {LONGEST_TOKEN} digits")));
            }
        }
        self.number = number;
        match number_type(&self.number) {
            Some(json_type) => Ok(json_type),
            None if self.number == b"-" && self.peek()? == Some(b'I') => {
                Err(self.bad("`-Infinity` is no JSON; write null"))
            }
            None => {
                let shown: String = String::from_utf8_lossy(&self.number).chars().take(40).collect();
                let message = format!("`{shown}` is no number");
                // With a digit more it may be one.
                let is_begun =
                    self.peek()?.is_none() && number_type(&[&self.number, &b"0"[..]].concat()).is_some();
                Err(if is_begun { self.cut_off(&message) } else { self.bad(&message) })
            }
        }
    }
}

pub(super) fn is_of_number(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
}

/// A key without its escapes, which are well formed and in which no character is only half there.
pub(super) fn unescaped(key: &str) -> Cow<'_, str> {
    let Some(first) = key.find('\\') else { return Cow::Borrowed(key) };
    let (plain, mut rest) = key.split_at(first);
    let mut text = plain.to_owned();
    while let Some(escape) = rest.strip_prefix('\\') {
        let mut units = Vec::new();
        let mut after = rest;
        while let Some((digits, next)) =
            after.strip_prefix("\\u").and_then(|digits| digits.split_at_checked(4))
        {
            units.extend(u16::from_str_radix(digits, 16));
            after = next;
        }
        if units.is_empty() {
            text.push(match escape.as_bytes()[0] {
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                other => char::from(other),
            });
            after = &escape[1..];
        }
        text.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
        let plain = after.find('\\').unwrap_or(after.len());
        text.push_str(&after[..plain]);
        rest = &after[plain..];
    }
    Cow::Owned(text)
}

/// The type of a number: a float where it has a fraction or exponent.
pub(super) fn number_type(token: &[u8]) -> Option<JsonType> {
    let digits = |text: &[u8]| text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let unsigned = token.strip_prefix(b"-").unwrap_or(token);
    let whole = digits(unsigned);
    if whole == 0 || (whole > 1 && unsigned[0] == b'0') {
        return None;
    }
    let mut rest = &unsigned[whole..];
    if rest.is_empty() {
        let text = std::str::from_utf8(token).ok()?;
        return Some(match token {
            [b'-', ..] if text.parse::<i64>().is_ok() => JsonType::Signed,
            _ if text.parse::<i64>().is_ok() => JsonType::Int,
            _ if text.parse::<u64>().is_ok() => JsonType::Uint,
            _ => JsonType::Long,
        });
    }
    if let [b'.', fraction @ ..] = rest {
        let count = digits(fraction);
        if count == 0 {
            return None;
        }
        rest = &fraction[count..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
        let count = digits(exponent);
        if count == 0 {
            return None;
        }
        rest = &exponent[count..];
    }
    rest.is_empty().then_some(JsonType::Float)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use runtime_testing_models::DataFinding;
    use serde::de::IgnoredAny;

    use super::*;
    use crate::json::document::DUPLICATE_KEYS;
    use crate::json::scan::string_end;
    use crate::text::reader::TextReader;

    /// The type of the value that makes up a text, and the findings about it.
    fn read(text: &str, chunk_bytes: usize) -> Result<(String, Vec<String>), String> {
        let mut reader = TextReader::with_chunk_bytes(text.as_bytes(), chunk_bytes);
        let mut lexer = Lexer::new(&mut reader);
        let value = lexer.value(0).and_then(|json_type| match lexer.next()? {
            None => Ok(json_type),
            Some(_) => Err(lexer.unexpected("nothing more")),
        });
        match value {
            Ok(json_type) => {
                let duplicates = lexer.into_duplicate_keys().into_list(DUPLICATE_KEYS);
                Ok((json_type.words().to_string(), duplicates.iter().map(DataFinding::to_string).collect()))
            }
            Err(stop) => Err(stop.into_finding().expect("a slice can be read").to_string()),
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        for chunk_bytes in [8, 9, 11, 1000] {
            assert_eq!(
                read(text, chunk_bytes),
                Ok((expected.to_owned(), Vec::new())),
                "in chunks of {chunk_bytes}"
            );
        }
    }

    #[track_caller]
    fn check_bad(text: &str, expected: &str) {
        for chunk_bytes in [8, 9, 11, 1000] {
            assert_eq!(read(text, chunk_bytes), Err(expected.to_owned()), "in chunks of {chunk_bytes}");
        }
    }

    #[test]
    fn values() {
        check(" null\n", "null");
        check("true", "boolean");
        check("-0", "int64");
        check("9223372036854775807", "int64");
        check("9223372036854775808", "uint64");
        check("123456789012345678901234567890", "text");
        check("1.5e-7", "float64");
        check("1E9", "float64");
        check(r#""a\"\\\u20ac\ud83d\ude00\uD83D\uDE00\ud7ff\ue000""#, "text");
        check("[]", "list<null>");
        check("[1, 2.5, null]", "list<float64>");
        check(r#"{"b": [1], "a": {"c": "x"}}"#, "struct<a: struct<c: text>, b: list<int64>>");
        check(r#"{"a\u00e9\n": 1, "\ud83d\ude00": 2}"#, "struct<\"a\u{e9}\n\": int64, \u{1f600}: int64>");
    }

    #[test]
    fn what_is_no_json() {
        check_bad("", "line 1: invalid JSON: expected a value, found the end of the text");
        check_bad("[1,\n]", "line 2: invalid JSON: expected a value, found `]`");
        check_bad("[1 2]", "line 1: invalid JSON: expected `,` or `]`, found `2`");
        check_bad("{a: 1}", "line 1: invalid JSON: expected a key in quotes, found `a`");
        check_bad(r#"{"a" 1}"#, "line 1: invalid JSON: expected `:`, found `1`");
        check_bad(r#"{"a": 1,}"#, "line 1: invalid JSON: expected a key in quotes, found `}`");
        check_bad(r#"[{"amo"#, "line 1: invalid JSON: expected `\"`, found the end of the text");
        check_bad(
            "\"a\nb\"",
            "line 1: invalid JSON: expected the end of the string, found the end of the line",
        );
        check_bad(r#""\x""#, "line 1: invalid JSON: expected an escape, found `x`");
        check_bad(r#""\u12g4""#, "line 1: invalid JSON: expected four hexadecimal digits, found `g`");
        check_bad("[\n\nnul]", "line 3: invalid JSON: expected `null`, found `]`");
        check_bad("01", "line 1: invalid JSON: `01` is no number");
        check_bad("1.", "line 1: invalid JSON: `1.` is no number");
        check_bad("NaN", "line 1: invalid JSON: `NaN` is no JSON; write null");
        check_bad("[-Infinity]", "line 1: invalid JSON: `-Infinity` is no JSON; write null");
        check_bad("1 \u{20ac}", "line 1: invalid JSON: expected nothing more, found `\u{20ac}`");
        check_bad(&"[".repeat(200), "line 1: invalid JSON: nested deeper than 128 levels");
    }

    #[test]
    fn halves_of_characters() {
        let high = r"line 1: invalid JSON: `\ud83d` is half a character, and its other half is missing";
        let low = r"line 1: invalid JSON: `\ude00` is half a character, and its other half is missing";
        for text in [
            r#""\ud83d""#,
            r#""\uD83D""#,
            r#""x\ud83dx""#,
            r#""\ud83d\n""#,
            r#""\ud83d\u0041""#,
            r#""\ud83d\ud83d\ude00""#,
            r#""\ud83d"#,
            r#"{"\ud83d": 1}"#,
            r#"[{"a": {"b\ud83d": 1}}]"#,
        ] {
            check_bad(text, high);
        }
        for text in [r#""\ude00""#, r#""\uDE00\ud83d""#, r#""\ud83d\ude00\ude00""#, r#"{"x\ude00": 1}"#] {
            check_bad(text, low);
        }
        check_bad(
            "[\n\"\\udfff\"]",
            r"line 2: invalid JSON: `\udfff` is half a character, and its other half is missing",
        );
        check_bad(r#""\ud83d\u12g4""#, "line 1: invalid JSON: expected four hexadecimal digits, found `g`");
        check_bad(r#""\ud83d\x""#, "line 1: invalid JSON: expected an escape, found `x`");
    }

    #[test]
    fn keys_that_stand_twice() {
        let text = "{\"a\": 1,\n \"b\": {\"x\": 1, \"x\": 2},\n \"\\u0061\": 2}";
        let expected = [
            "line 2: the key `x` stands twice in one object",
            "line 3: the key `a` stands twice in one object",
        ];
        assert_eq!(read(text, 8).unwrap().1, expected);
    }

    #[test]
    fn very_long_keys_and_numbers() {
        let long = "1".repeat(LONGEST_TOKEN + 1);
        assert!(read(&long, 1000).is_err());
        assert!(read(&format!("{{\"{long}\": 1}}"), 1000).is_err());
        check(&format!("\"{long}\""), "text");
    }

    proptest! {
        #[test]
        fn keys_are_decoded(characters: Vec<(char, bool)>) {
            let key: String = characters.iter().map(|(character, _)| character).collect();
            let mut written = String::new();
            for (character, as_numbers) in &characters {
                if *as_numbers {
                    let units = character.encode_utf16(&mut [0; 2]).to_vec();
                    written.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
                } else {
                    let quoted = serde_json::to_string(&character).expect("a character can be written");
                    written.push_str(&quoted[1..quoted.len() - 1]);
                }
            }
            prop_assert_eq!(unescaped(&written), key);
        }

        #[test]
        fn strings_are_what_serde_json_takes(
            text in r"(x|\\n|\\u00e9|\\u[dD][789abcABCdef][0-9a-f]{2}|\\ud83d|\\ude00){0,6}",
            chunk_bytes in 8..20_usize,
        ) {
            let text = format!("\"{text}\"");
            let expected = serde_json::from_str::<String>(&text).is_ok();
            prop_assert_eq!(read(&text, chunk_bytes).is_ok(), expected, "{}", text);
            prop_assert_eq!(string_end(text.as_bytes(), 1).is_some(), expected, "{}", text);
        }

        #[test]
        fn json_is_what_serde_json_takes(
            text in r#"(\{|\}|\[|\]|"a"|"b\\n"|:|,|-?[0-9]{1,2}|[.e]|true|null| |\n){0,12}"#,
            chunk_bytes in 8..20_usize,
        ) {
            let expected = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            prop_assert_eq!(read(&text, chunk_bytes).is_ok(), expected);
        }

        #[test]
        fn good_json_with_one_change_is_what_serde_json_takes(
            place in 0..200_usize,
            byte in "[\\[\\]{}:,\"0-9eE.+\\-a-z \n\\\\]",
            chunk_bytes in 8..40_usize,
        ) {
            let good = r#"{"a": [1, -2.5e+3, {"b": null}], "c\u00e9": "x\ty", "d": {"e": [true, false, []]}}"#;
            let place = place % good.len();
            let text = format!("{}{byte}{}", &good[..place], &good[place + 1..]);
            let expected = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            prop_assert_eq!(read(&text, chunk_bytes).is_ok(), expected, "{}", text);
        }
    }
}
