//! Everything that is printed goes through here: results to standard output, all else to standard error.

use std::io::{self, Write as _};

use anstream::{AutoStream, ColorChoice};
use console::Term;
use runtime_testing::TextOptions;
pub(crate) use runtime_testing::dag::text::one_line as harmless;

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
