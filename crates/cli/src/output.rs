//! Everything that is printed goes through here: results to standard output, all else to standard error.

use std::io::{self, Write as _};

use anstream::{AutoStream, ColorChoice};
use console::Term;
use runtime_testing::TextOptions;

/// Prints a result. A reader that has gone away is no error: nobody is left to tell.
pub(crate) fn print(text: &str) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    let ending = if text.ends_with('\n') { "" } else { "\n" };
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.write_all(ending.as_bytes()))
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("could not write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Says something beside the result, in one piece: others may be writing to the same place.
pub(crate) fn say(text: &str) {
    // Where standard error is closed there is nowhere to complain.
    drop(io::stderr().write_all(format!("{text}\n").as_bytes()));
}

/// Says what went wrong. Names in it are whatever is in specs and pipelines.
pub(crate) fn error(message: &str) {
    let lines: Vec<String> = message.split('\n').map(harmless).collect();
    say(&format!("error: {}", lines.join("\n")));
}

/// Color and the width of the terminal, where there is one, unless the environment asks for no color.
pub(crate) fn text_options(ascii: bool) -> TextOptions {
    let terminal = Term::stdout();
    TextOptions {
        color: AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        width: terminal
            .size_checked()
            .map(|(_, columns)| usize::from(columns))
            .filter(|_| terminal.is_term()),
        ascii,
    }
}

/// A text of others as one line that a terminal may safely show: what controls the terminal, ends the line, or changes the
/// direction of the text around it is written as an escape.
pub(crate) fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(character.escape_unicode());
            }
            control if control.is_control() => shown.extend(control.escape_default()),
            plain => shown.push(plain),
        }
    }
    shown
}
