//! What scripts print, as a terminal would leave it.

use std::borrow::Cow;

/// A text as a terminal would show it after all of it was printed: what comes behind a carriage return overwrites what was
/// before it in the line, character by character, so that of a progress bar only its last state is left. Lines stay lines.
pub(crate) fn as_on_terminal(text: &str) -> Cow<'_, str> {
    // The most frequent carriage return is half of the end of a line.
    if !text.contains('\r') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => {
                push_overwritten(&mut shown, line);
                shown.push('\n');
            }
            None => push_overwritten(&mut shown, line),
        }
    }
    Cow::Owned(shown)
}

fn push_overwritten(shown: &mut String, line: &str) {
    if !line.contains('\r') {
        return shown.push_str(line);
    }
    let mut cells: Vec<char> = Vec::new();
    let mut at = 0;
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\r' => at = 0,
            '\u{1b}' if rest.peek() == Some(&'[') => {
                rest.next();
                let mut parameters = String::new();
                while let Some(next) = rest.next_if(|next| ('\u{20}'..='\u{3f}').contains(next)) {
                    parameters.push(next);
                }
                // Colors are of no width. What erases is part of how progress bars are drawn.
                match (rest.next_if(|next| ('\u{40}'..='\u{7e}').contains(next)), &*parameters) {
                    (Some('K'), "" | "0") => cells.truncate(at),
                    (Some('K'), "2") => cells.clear(),
                    _ => {}
                }
            }
            other => {
                if cells.len() < at {
                    cells.resize(at, ' ');
                }
                match cells.get_mut(at) {
                    Some(cell) => *cell = other,
                    None => cells.push(other),
                }
                at += 1;
            }
        }
    }
    shown.extend(cells);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(as_on_terminal(text), expected);
    }

    #[test]
    fn text_without_carriage_returns_stays() {
        assert!(matches!(as_on_terminal("a\n\u{1b}[31mb\u{1b}[0m\n"), Cow::Borrowed(_)));
        check("", "");
    }

    #[test]
    fn ends_of_lines_stay() {
        check("a\r\nb\r\n", "a\nb\n");
        check("a\r\r\nb", "a\nb");
        check("\r\n\n\r", "\n\n");
    }

    #[test]
    fn what_comes_later_overwrites_what_was_before() {
        check("10 %\r50 %\r100 %\ndone\n", "100 %\ndone\n");
        check("abcdef\rxy\rz", "zycdef");
        check("100 %\rValueError: no rows", "ValueError: no rows");
        check("loading: ████\rmüde", "müdeing: ████");
        check("a\rb\nc", "b\nc");
    }

    #[test]
    fn what_erases_a_line_erases_it() {
        check("progress 100 %\r\u{1b}[Kdone", "done");
        check("abcdef\rab\u{1b}[0K", "ab");
        check("abc\u{1b}[2K\rd", "d");
        check("abc\u{1b}[2Kd\r", "   d");
        check("\u{1b}[31mred\u{1b}[0m\rb", "bed");
        check("ab\r\u{1b}[", "ab");
    }

    #[test]
    fn a_progress_bar_of_any_length_leaves_its_last_state() {
        let bar: String =
            (0..1000).map(|step| format!("\r{step:>4}/1000 [{}]", "#".repeat(step / 100))).collect();
        check(&(bar + "\nTypeError: x\n"), " 999/1000 [#########]\nTypeError: x\n");
    }
}
