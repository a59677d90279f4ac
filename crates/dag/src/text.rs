//! Text of others as people may safely see it.

/// A text as one line: what ends a line, drives a terminal, changes the direction of the text around it, or is not seen at all is
/// written as an escape.
///
/// ```
/// use runtime_testing_dag::text::one_line;
///
/// assert_eq!(one_line("a\tb\n\u{1b}[31mÄ\u{202e}"), r"a\tb\n\u{1b}[31mÄ\u{202e}");
/// ```
pub fn one_line(text: &str) -> String {
    shown(text, |_| false)
}

/// A text as [`one_line`] shows it, but with its lines and tabs.
///
/// ```
/// assert_eq!(runtime_testing_dag::text::lines("a\tb\r\n\u{7}"), "a\tb\n\\u{7}");
/// ```
pub fn lines(text: &str) -> String {
    shown(&text.replace("\r\n", "\n"), |character| matches!(character, '\n' | '\t'))
}

/// JSON with every character beyond ASCII as an escape, as Python writes it: such characters stand in strings alone.
///
/// ```
/// assert_eq!(runtime_testing_dag::text::ascii_json("{\"a\": \"K\u{f6}ln \u{1f600}\"}"), r#"{"a": "K\u00f6ln \ud83d\ude00"}"#);
/// ```
pub fn ascii_json(json: &str) -> String {
    if json.is_ascii() {
        return json.to_owned();
    }
    let mut ascii = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            ascii.extend(character.encode_utf16(&mut [0; 2]).iter().map(|half| format!("\\u{half:04x}")));
        }
    }
    ascii
}

fn shown(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            kept if is_kept(kept) => shown.push(kept),
            '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => shown.extend(character.escape_unicode()),
            control if control.is_control() => shown.extend(control.escape_default()),
            plain => shown.push(plain),
        }
    }
    shown
}
