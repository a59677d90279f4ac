/// How many characters of a value are shown.
const VALUE_CHARACTERS: usize = 80;

/// The beginning of a value, as text.
pub(crate) fn shown(value: &[u8]) -> String {
    // Four bytes a character at most, and what is cut off in the middle of one is past the last that is kept.
    let beginning = &value[..value.len().min(4 * (VALUE_CHARACTERS + 1))];
    String::from_utf8_lossy(beginning).chars().take(VALUE_CHARACTERS).collect()
}
