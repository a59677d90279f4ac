//! Lines of text, colored and wrapped.

use textwrap::{Options, WordSeparator};
use unicode_width::UnicodeWidthStr as _;

use crate::TextOptions;
use crate::paint::{Paint, Tone, harmless};

/// The word in front of a line, and its tone.
pub(crate) type Mark = (&'static str, Tone);

/// The narrowest that lines are wrapped to: below, nothing would be readable.
const NARROWEST: usize = 30;

/// A text that grows line by line.
pub(crate) struct Page {
    text: String,
    paint: Paint,
    width: Option<usize>,
    ascii: bool,
}

impl Page {
    pub(crate) fn new(options: TextOptions) -> Self {
        Self {
            text: String::new(),
            paint: Paint { color: options.color },
            width: options.width.map(|width| width.max(NARROWEST)),
            ascii: options.ascii,
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A text at an indent, which its further lines have too.
    pub(crate) fn line(&mut self, indent: usize, tone: Tone, text: &str) {
        for line in self.shown(text).lines() {
            for piece in self.wrapped(line, indent, 0) {
                self.push(indent, tone, &piece);
            }
        }
    }

    /// A text behind a word that says what it is. Further lines stand below the text.
    pub(crate) fn field(&mut self, indent: usize, word: &str, tone: Tone, text: &str) {
        let text_indent = indent + word.width();
        let text = self.shown(&text.replace('\n', " "));
        for (at, piece) in self.wrapped(&text, text_indent, 0).iter().enumerate() {
            match at {
                0 => self.push(indent, tone, &format!("{word}{piece}")),
                _ => self.push(text_indent, tone, piece),
            }
        }
    }

    /// A line that begins with a mark. Further lines stand below the text.
    pub(crate) fn marked(&mut self, (word, word_tone): Mark, tone: Tone, text: &str) {
        const INDENT: usize = 6;
        let text = self.shown(&text.replace('\n', " "));
        for (at, piece) in self.wrapped(&text, INDENT, 0).iter().enumerate() {
            if at == 0 {
                let word = self.paint.paint(word_tone, word);
                self.push(0, Tone::Plain, &format!("{word}  {}", self.paint.paint(tone, piece)));
            } else {
                self.push(INDENT, tone, piece);
            }
        }
    }

    /// A line of what a script printed. Where it goes on, it is indented further.
    pub(crate) fn quoted(&mut self, indent: usize, line: &str) {
        let line = self.shown(line).replace('\t', "    ");
        for (at, piece) in self.wrapped(&line, indent, 2).iter().enumerate() {
            self.push(indent + if at == 0 { 0 } else { 2 }, Tone::Quiet, piece);
        }
    }

    /// A shell command, which stays one when it is copied: it goes on behind a backslash, between its words only.
    pub(crate) fn command(&mut self, indent: usize, before: &str, command: &str) {
        let command = self.shown(command);
        let room = self.width.map(|width| width - indent);
        let mut line = before.to_owned();
        let mut is_first = true;
        for word in shell_words(&command) {
            let taken = line.width() + 1 + word.width() + 2;
            if !is_first && room.is_some_and(|room| taken > room) {
                self.push(indent, Tone::Plain, &format!("{line} \\"));
                line = " ".repeat(4);
                is_first = true;
            }
            if !is_first {
                line.push(' ');
            }
            line.push_str(word);
            is_first = false;
        }
        self.push(indent, Tone::Plain, &line);
    }

    /// The width of a column of names. Names that are very long do not push the others aside.
    pub(crate) fn names<'a>(&self, names: impl Iterator<Item = &'a str>) -> usize {
        let most = self.width.map_or(40, |width| (width / 2).min(40));
        names.map(|name| self.shown(name).width()).filter(|width| *width <= most).max().unwrap_or(0)
    }

    /// A line of a table. Where there is no room for the remark beside the name, it stands below.
    pub(crate) fn row(&mut self, (word, tone): Mark, name: &str, names: usize, remark: &str) {
        const INDENT: usize = 8;
        let (name, remark) = (self.shown(name), self.shown(remark));
        let word = self.paint.paint(tone, word);
        let padding = " ".repeat(names.saturating_sub(name.width()));
        let width = INDENT + name.width() + padding.len() + 2 + remark.width();
        if self.width.is_none_or(|most| width <= most) {
            return self.push(2, Tone::Plain, &format!("{word}  {name}{padding}  {remark}"));
        }
        for (at, piece) in self.wrapped(&name, INDENT, 0).iter().enumerate() {
            match at {
                0 => self.push(2, Tone::Plain, &format!("{word}  {piece}")),
                _ => self.push(INDENT, Tone::Plain, piece),
            }
        }
        for piece in self.wrapped(&remark, INDENT, 0) {
            self.push(INDENT, Tone::Plain, &piece);
        }
    }

    /// A line of a list: something short, a name in a column of names, and a remark. Where there is no room for the remark
    /// beside the name, it goes on below.
    pub(crate) fn entry(&mut self, before: &str, name: &str, names: usize, remark: &str) {
        let (name, remark) = (self.shown(name), self.shown(remark));
        let indent = before.width() + 2;
        let padding = " ".repeat(names.saturating_sub(name.width()));
        let first = format!("{before}  {name}{padding}  {remark}");
        if remark.is_empty() || self.width.is_none_or(|most| first.width() <= most) {
            return self.push(0, Tone::Plain, if remark.is_empty() { first.trim_end() } else { &first });
        }
        for (at, piece) in self.wrapped(&name, indent, 0).iter().enumerate() {
            match at {
                0 => self.push(0, Tone::Plain, &format!("{before}  {piece}")),
                _ => self.push(indent, Tone::Plain, piece),
            }
        }
        for piece in self.wrapped(&remark, indent + 2, 0) {
            self.push(indent + 2, Tone::Plain, &piece);
        }
    }

    fn push(&mut self, indent: usize, tone: Tone, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(&self.paint.paint(tone, text));
        self.text.push('\n');
    }

    /// The lines that a line takes at an indent; those behind the first have `further` less.
    fn wrapped(&self, line: &str, indent: usize, further: usize) -> Vec<String> {
        let Some(width) = self.width else { return vec![line.to_owned()] };
        let spaces = " ".repeat(further);
        let options =
            Options::new(width - indent).subsequent_indent(&spaces).word_separator(WordSeparator::AsciiSpace);
        let mut pieces: Vec<String> = textwrap::wrap(line, options).into_iter().map(String::from).collect();
        for piece in pieces.iter_mut().skip(1) {
            *piece = piece.split_off(further);
        }
        pieces
    }

    /// Text as a terminal may safely show it, in the characters that are wanted.
    fn shown(&self, text: &str) -> String {
        let text = harmless(text);
        if !self.ascii || text.is_ascii() {
            return text;
        }
        let mut shown = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '…' => shown.push_str("..."),
                ascii if ascii.is_ascii() => shown.push(ascii),
                other => shown.extend(other.escape_unicode()),
            }
        }
        shown
    }
}

/// The words of a shell command, each with its quotes.
fn shell_words(command: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut quote, mut is_escaped) = (0, None, false);
    for (at, character) in command.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if quote != Some('\'') => is_escaped = true,
            '\'' | '"' if quote.is_none() => quote = Some(character),
            end if quote == Some(end) => quote = None,
            ' ' if quote.is_none() => {
                words.push(&command[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&command[start..]);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &str, width: usize, expected: &[&str]) {
        let mut page = Page::new(TextOptions { width: Some(width), ..TextOptions::default() });
        page.command(0, "", command);
        assert_eq!(page.into_text().lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_command_goes_on_between_its_words_only() {
        check("cd /p && python3 a.py", 80, &["cd /p && python3 a.py"]);
        check(
            "cd '/a folder with blanks' && A=\"x y\" python3 run.py",
            32,
            &["cd '/a folder with blanks' && \\", "    A=\"x y\" python3 run.py"],
        );
        check(r"one\ word 'it'\''s  one' two", 30, &[r"one\ word 'it'\''s  one' two"]);
        assert_eq!(shell_words(r"a\ b 'c d'\''e f' g"), [r"a\ b", r"'c d'\''e f'", "g"]);
    }
}
