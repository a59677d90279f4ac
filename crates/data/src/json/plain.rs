//! Reading rows that are like those before them: the same keys, values of known types. Whatever is new, unusual or wrong
//! is left to the lexer, so nothing is decided here but that there is nothing to decide.

use super::json_type::JsonType;
use super::scan::{digits_end, string_end};
use super::values::{MAX_DEPTH, is_of_number, number_type, unescaped};

/// The longest integer of which it is certain that 64 bits hold it.
const CERTAIN_DIGITS: usize = 18;

/// The longest fraction that is looked at here.
const LONG_FRACTION: usize = 1000;

/// The end of a value that stands at `at` in so many arrays and objects, if the type takes it in without a change.
#[inline]
pub(super) fn absorbed(json_type: &JsonType, text: &[u8], at: usize, depth: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' if matches!(json_type, JsonType::Text | JsonType::Mixed) => string_end(text, at + 1),
        b'-' | b'0'..=b'9' => {
            let (end, number) = number_end(text, at)?;
            let fits = match json_type {
                JsonType::Float | JsonType::Mixed => true,
                JsonType::Long => number != JsonType::Float,
                JsonType::Uint => matches!(number, JsonType::Int | JsonType::Uint),
                JsonType::Signed => matches!(number, JsonType::Int | JsonType::Signed),
                JsonType::Int => number == JsonType::Int,
                _ => false,
            };
            fits.then_some(end)
        }
        b'n' => word_end(text, at, b"null"),
        b't' if matches!(json_type, JsonType::Boolean | JsonType::Mixed) => word_end(text, at, b"true"),
        b'f' if matches!(json_type, JsonType::Boolean | JsonType::Mixed) => word_end(text, at, b"false"),
        b'[' | b'{' if depth < MAX_DEPTH => absorbed_nested(json_type, text, at, depth),
        _ => None,
    }
}

fn absorbed_nested(json_type: &JsonType, text: &[u8], at: usize, depth: usize) -> Option<usize> {
    let mut at = at + 1;
    match (text[at - 1], json_type) {
        (b'[', JsonType::List(item)) => {
            at = past_blanks(text, at);
            if text.get(at)? == &b']' {
                return Some(at + 1);
            }
            loop {
                at = absorbed(item, text, past_blanks(text, at), depth + 1)?;
                at = past_blanks(text, at);
                match text.get(at)? {
                    b',' => at += 1,
                    b']' => return Some(at + 1),
                    _ => return None,
                }
            }
        }
        (b'{', JsonType::Struct(fields)) => {
            let mut seen = 0_u64;
            let mut is_first = true;
            loop {
                let key = match next_key(text, at, is_first)? {
                    Key::None { end } => return Some(end),
                    Key::Found(key) => key,
                };
                let name = std::str::from_utf8(&text[key.start..key.end]).ok()?;
                let name = unescaped(name);
                let place = fields.keys().take(64).position(|field| *field == name)?;
                if seen & (1 << place) != 0 {
                    return None;
                }
                seen |= 1 << place;
                at = absorbed(fields.get(&*name)?, text, key.value, depth + 1)?;
                is_first = false;
            }
        }
        _ => None,
    }
}

/// What comes next in an object.
pub(super) enum Key {
    Found(FoundKey),
    /// The object is at its end.
    None {
        end: usize,
    },
}

/// Where a key stands between its quotes, and its value.
pub(super) struct FoundKey {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) value: usize,
}

/// The key from `at` on, with the comma before it unless it is the first.
pub(super) fn next_key(text: &[u8], at: usize, is_first: bool) -> Option<Key> {
    let mut at = past_blanks(text, at);
    if text.get(at)? == &b'}' {
        return Some(Key::None { end: at + 1 });
    }
    if !is_first {
        if text[at] != b',' {
            return None;
        }
        at = past_blanks(text, at + 1);
    }
    if text.get(at)? != &b'"' {
        return None;
    }
    let start = at + 1;
    let past = string_end(text, start)?;
    at = past_blanks(text, past);
    if text.get(at)? != &b':' {
        return None;
    }
    Some(Key::Found(FoundKey { start, end: past - 1, value: past_blanks(text, at + 1) }))
}

/// Where the first byte stands that is no blank. The end of a line is none.
pub(super) fn past_blanks(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(is_blank) {
        at += 1;
    }
    at
}

pub(super) fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

fn word_end(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    let end = at + word.len();
    (text.get(at..end)? == word).then_some(end)
}

/// The end of a number, which has to be within the text, and its type.
#[inline]
fn number_end(text: &[u8], at: usize) -> Option<(usize, JsonType)> {
    let first = at + usize::from(text[at] == b'-');
    let whole_end = digits_end(text, first);
    let whole = whole_end - first;
    let is_plain = whole == 1 || (whole > 1 && whole <= CERTAIN_DIGITS && text[first] != b'0');
    let next = text.get(whole_end)?;
    if is_plain && !is_of_number(next) {
        return Some((whole_end, if first > at { JsonType::Signed } else { JsonType::Int }));
    }
    if is_plain && *next == b'.' {
        let end = digits_end(text, whole_end + 1);
        let fraction = end - whole_end - 1;
        if (1..LONG_FRACTION).contains(&fraction) && !is_of_number(text.get(end)?) {
            return Some((end, JsonType::Float));
        }
    }
    let rest = text.get(at..)?.iter().take(LONG_FRACTION);
    let end = at + rest.take_while(|byte| is_of_number(byte)).count();
    if is_of_number(text.get(end)?) {
        return None;
    }
    number_type(&text[at..end]).map(|number| (end, number))
}
