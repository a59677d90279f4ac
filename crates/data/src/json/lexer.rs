use std::io::{self, Read};

use runtime_testing_models::DataFinding;

use crate::findings::{Findings, Stop, damaged_on, unreadable_on};
use crate::text::reader::TextReader;

/// How much of a value is kept to be shown.
pub(super) const RAW_BYTES: usize = 400;

/// A text that is there chunk by chunk, each of which ends where a character ends.
pub(crate) trait Chunks {
    /// Goes to the next chunk, and says whether there is one.
    fn advance(&mut self) -> io::Result<bool>;

    /// The chunk. Empty before the first and after the last.
    fn chunk(&self) -> &[u8];

    /// Whether the text begins with a byte order mark, which is not part of the first chunk.
    fn has_byte_order_mark(&self) -> bool;

    /// Where the first byte of the chunk from `at` on stands that is not UTF-8.
    fn invalid_from(&mut self, at: usize) -> Option<usize>;

    /// Whether half a character at the end of the chunk is the end of the text, too.
    fn ends_the_text(&self) -> bool {
        true
    }
}

impl<R: Read> Chunks for TextReader<R> {
    fn advance(&mut self) -> io::Result<bool> {
        self.advance()
    }

    fn chunk(&self) -> &[u8] {
        self.chunk()
    }

    fn has_byte_order_mark(&self) -> bool {
        self.has_byte_order_mark()
    }

    fn invalid_from(&mut self, at: usize) -> Option<usize> {
        self.invalid().filter(|invalid| *invalid >= at)
    }
}

/// A place in a text of JSON, and what can be read from there.
#[derive(Debug)]
pub(crate) struct Lexer<'t, T> {
    text: &'t mut T,
    at: usize,
    /// The end of what can be read of the chunk: its own, or a byte that is not UTF-8.
    limit: usize,
    /// Whether a byte that is not UTF-8 is what ends it.
    is_stopped: bool,
    line: u64,
    /// In NDJSON, the end of a line is no blank but the end of what can be read.
    line_by_line: bool,
    /// Where in the chunk the value begins that may have to be shown, and the beginning of what lies in earlier chunks.
    raw_start: usize,
    raw: Vec<u8>,
    /// Room for the number or key that is being read.
    pub(super) number: Vec<u8>,
    pub(super) key: Vec<u8>,
    /// What the names of the value that is being read take.
    pub(super) names: usize,
    /// Whether an object with many keys has data for keys.
    pub(super) makes_maps: bool,
    duplicate_keys: Findings,
}

impl<'t, T: Chunks> Lexer<'t, T> {
    pub(crate) fn new(text: &'t mut T) -> Self {
        Self {
            text,
            at: 0,
            limit: 0,
            is_stopped: false,
            line: 1,
            line_by_line: false,
            raw_start: 0,
            raw: Vec::new(),
            number: Vec::new(),
            key: Vec::new(),
            names: 0,
            makes_maps: false,
            duplicate_keys: Findings::default(),
        }
    }

    /// The line of the next byte.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// From now on, every value must stand on one line.
    pub(crate) fn go_line_by_line(&mut self) {
        self.line_by_line = true;
    }

    /// Whether the text begins with a byte order mark.
    pub(crate) fn has_byte_order_mark(&self) -> bool {
        self.text.has_byte_order_mark()
    }

    /// Goes on counting lines from here, where a text is the rest of a longer one.
    pub(crate) fn begin_on_line(&mut self, line: u64) {
        self.line = line;
    }

    /// The findings about keys that stand twice in an object.
    pub(crate) fn into_duplicate_keys(self) -> Findings {
        self.duplicate_keys
    }

    pub(crate) fn add_duplicate_key(&mut self, key: &str) {
        let line = self.line;
        self.duplicate_keys
            .push(|| unreadable_on(line, format!("the key `{key}` stands twice in one object")));
    }

    /// Here begins a value that may have to be shown.
    pub(crate) fn begin_raw(&mut self) {
        self.raw.clear();
        self.raw_start = self.at;
    }

    /// The beginning of what was read since [`Lexer::begin_raw`].
    pub(crate) fn raw(&mut self) -> &[u8] {
        let room = RAW_BYTES.saturating_sub(self.raw.len());
        let part = &self.text.chunk()[self.raw_start..self.at];
        self.raw.extend_from_slice(&part[..part.len().min(room)]);
        self.raw_start = self.at;
        &self.raw
    }

    /// What is there of the text without reading on.
    pub(super) fn rest(&self) -> &[u8] {
        &self.text.chunk()[self.at..self.limit]
    }

    /// The next byte, blanks included; none at the end of the text.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Stop> {
        match self.rest().first() {
            Some(byte) => Ok(Some(*byte)),
            None => self.peek_into_next_chunk(),
        }
    }

    #[cold]
    fn peek_into_next_chunk(&mut self) -> Result<Option<u8>, Stop> {
        while self.rest().is_empty() {
            if self.is_stopped {
                return Err(Stop::Bad(self.not_utf8()));
            }
            if !self.advance()? {
                return Ok(None);
            }
        }
        Ok(self.rest().first().copied())
    }

    /// What is wrong with the byte that is not UTF-8. Half a character at the end may be what was to come.
    fn not_utf8(&self) -> DataFinding {
        let is_begun = std::str::from_utf8(&self.text.chunk()[self.limit..])
            .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none());
        if is_begun && self.text.ends_the_text() {
            damaged_on(self.line, "the text is cut off within a character")
        } else {
            unreadable_on(self.line, "the text is not UTF-8")
        }
    }

    fn advance(&mut self) -> io::Result<bool> {
        self.raw();
        self.raw_start = 0;
        self.at = 0;
        let is_more = self.text.advance()?;
        self.find_limit();
        Ok(is_more)
    }

    fn find_limit(&mut self) {
        let invalid = self.text.invalid_from(self.at);
        self.is_stopped = invalid.is_some();
        self.limit = invalid.unwrap_or(self.text.chunk().len());
    }

    /// Goes past a whole line.
    pub(super) fn take_line(&mut self, bytes: usize) {
        self.at += bytes;
        self.line += 1;
    }

    pub(super) fn take(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Goes past blanks, and tells what comes next.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<u8>, Stop> {
        loop {
            let byte = self.peek()?;
            match byte {
                Some(b'\n') if !self.line_by_line => self.line += 1,
                Some(b' ' | b'\t' | b'\r') => {}
                _ => return Ok(byte),
            }
            self.take(1);
        }
    }

    /// Goes past the end of a line, if that comes next.
    pub(crate) fn take_line_end(&mut self) -> Result<bool, Stop> {
        let is_line_end = self.next()? == Some(b'\n');
        if is_line_end {
            self.take(1);
            self.line += 1;
        }
        Ok(is_line_end)
    }

    /// Goes to the end of the line, whatever stands there.
    pub(crate) fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let chunk = self.text.chunk();
            let length = memchr::memchr(b'\n', &chunk[self.at..]);
            self.at = length.map_or(chunk.len(), |length| self.at + length);
            // A byte that is not UTF-8 stops the reader if it is still to come.
            self.find_limit();
            if length.is_some() || !self.advance()? {
                return Ok(());
            }
        }
    }

    /// A finding that something else should stand here.
    pub(crate) fn unexpected(&self, expected: &str) -> Stop {
        // No character is longer; of what follows there may be much.
        let rest = self.rest();
        let next = rest[..rest.len().min(4)].utf8_chunks().next();
        let next = next.and_then(|character| character.valid().chars().next());
        let found = match next {
            Some('\n') => "the end of the line".to_owned(),
            Some(character) => format!("`{}`", character.escape_debug()),
            None => return self.cut_off(&format!("expected {expected}, found the end of the text")),
        };
        self.bad(&format!("expected {expected}, found {found}"))
    }

    /// A finding that others may read the text in spite of.
    pub(super) fn bad(&self, message: &str) -> Stop {
        Stop::Bad(unreadable_on(self.line, format!("invalid JSON: {message}")))
    }

    /// A finding that the text ends too early.
    pub(super) fn cut_off(&self, message: &str) -> Stop {
        Stop::Bad(damaged_on(self.line, format!("invalid JSON: {message}")))
    }

    /// Takes `wanted` where it comes next.
    pub(crate) fn take_if(&mut self, wanted: u8) -> Result<bool, Stop> {
        let found = self.next()? == Some(wanted);
        if found {
            self.take(1);
        }
        Ok(found)
    }

    pub(crate) fn expect(&mut self, wanted: u8, name: &str) -> Result<(), Stop> {
        if self.take_if(wanted)? { Ok(()) } else { Err(self.unexpected(name)) }
    }
}
