//! A text in parts of whole lines, and what reads one of them.

use std::io::{self, Read};

use super::lexer::Chunks;

/// A text in parts of whole lines.
#[derive(Debug)]
pub(super) struct Parts<R> {
    pub(super) source: R,
    pub(super) part_bytes: usize,
    longest_line: usize,
    /// What was read behind the last line end.
    pub(super) begun_line: Vec<u8>,
    pub(super) is_ended: bool,
    /// Whether the next line is too long for a part.
    pub(super) is_too_long: bool,
}

impl<R: Read> Parts<R> {
    pub(super) fn new(source: R, part_bytes: usize, longest_line: usize) -> Self {
        let begun_line = Vec::new();
        Self { source, part_bytes, longest_line, begun_line, is_ended: false, is_too_long: false }
    }

    /// Goes past a byte order mark at the beginning, and says whether there is one.
    pub(super) fn skip_byte_order_mark(&mut self) -> io::Result<bool> {
        fill(&mut self.source, &mut self.begun_line, 3)?;
        let has_mark = self.begun_line == b"\xEF\xBB\xBF";
        if has_mark {
            self.begun_line.clear();
        }
        Ok(has_mark)
    }

    /// Puts the next part into `part`, which is empty where there is none.
    pub(super) fn next(&mut self, part: &mut Vec<u8>) -> io::Result<()> {
        part.clear();
        if self.is_ended {
            return Ok(());
        }
        part.append(&mut self.begun_line);
        let mut wanted = self.part_bytes.max(part.len() + 1);
        loop {
            let room = wanted - part.len();
            let read = fill(&mut self.source, part, room)?;
            if read < room {
                self.is_ended = true;
                return Ok(());
            }
            if let Some(line_end) = memchr::memrchr(b'\n', &part[part.len() - read..]) {
                let rest = part.len() - read + line_end + 1;
                self.begun_line.extend_from_slice(&part[rest..]);
                part.truncate(rest);
                return Ok(());
            }
            if part.len() >= self.longest_line {
                self.begun_line.append(part);
                (self.is_ended, self.is_too_long) = (true, true);
                return Ok(());
            }
            wanted = part.len() + self.part_bytes;
        }
    }
}

/// Reads so many more bytes, or fewer at the end.
fn fill(source: &mut impl Read, part: &mut Vec<u8>, room: usize) -> io::Result<usize> {
    let begin = part.len();
    part.resize(begin + room, 0);
    let mut read = 0;
    while read < room {
        match source.read(&mut part[begin + read..]) {
            Ok(0) => break,
            Ok(bytes) => read += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    part.truncate(begin + read);
    Ok(read)
}

/// A part as a text.
pub(super) struct Part<'p> {
    bytes: &'p [u8],
    is_begun: bool,
    /// Where the first byte stands that is not UTF-8, of those that are still to come.
    invalid: Option<usize>,
}

impl<'p> Part<'p> {
    pub(super) fn new(bytes: &'p [u8]) -> Self {
        Self { bytes, is_begun: false, invalid: first_invalid(bytes, 0) }
    }
}

fn first_invalid(bytes: &[u8], from: usize) -> Option<usize> {
    std::str::from_utf8(&bytes[from..]).err().map(|error| from + error.valid_up_to())
}

impl Chunks for Part<'_> {
    fn advance(&mut self) -> io::Result<bool> {
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        if !is_first {
            self.bytes = &[];
            self.invalid = None;
        }
        Ok(!self.bytes.is_empty())
    }

    fn chunk(&self) -> &[u8] {
        if self.is_begun { self.bytes } else { &[] }
    }

    fn has_byte_order_mark(&self) -> bool {
        false
    }

    fn invalid_from(&mut self, at: usize) -> Option<usize> {
        if self.invalid.is_some_and(|invalid| invalid < at) {
            self.invalid = first_invalid(self.bytes, at);
        }
        self.invalid
    }
}

/// A text whose lines are too long for parts.
pub(super) struct Rest<R> {
    source: R,
    chunk_bytes: usize,
    chunk: Vec<u8>,
    /// The beginning of a character that the chunk ends with.
    begun_character: Vec<u8>,
    invalid: Option<usize>,
}

impl<R: Read> Rest<R> {
    pub(super) fn new(source: R, chunk_bytes: usize) -> Self {
        Self { source, chunk_bytes, chunk: Vec::new(), begun_character: Vec::new(), invalid: None }
    }
}

impl<R: Read> Chunks for Rest<R> {
    fn advance(&mut self) -> io::Result<bool> {
        self.chunk.clear();
        // A character that comes byte by byte makes no chunk before it is complete.
        while self.chunk.is_empty() {
            self.chunk.append(&mut self.begun_character);
            if fill(&mut self.source, &mut self.chunk, self.chunk_bytes.max(4))? == 0 {
                break;
            }
            let end = self.chunk.len();
            let is_begun =
                |tail: &&[u8]| std::str::from_utf8(tail).is_err_and(|error| error.error_len().is_none());
            let mut tails = (1..=end.min(3)).rev().map(|bytes| &self.chunk[end - bytes..]);
            let begun = tails.find(is_begun).map_or(0, <[u8]>::len);
            self.begun_character = self.chunk.split_off(end - begun);
        }
        self.invalid = first_invalid(&self.chunk, 0);
        Ok(!self.chunk.is_empty())
    }

    fn chunk(&self) -> &[u8] {
        &self.chunk
    }

    fn has_byte_order_mark(&self) -> bool {
        false
    }

    fn invalid_from(&mut self, at: usize) -> Option<usize> {
        if self.invalid.is_some_and(|invalid| invalid < at) {
            self.invalid = first_invalid(&self.chunk, at);
        }
        self.invalid
    }

    fn ends_the_text(&self) -> bool {
        self.begun_character.is_empty()
    }
}
