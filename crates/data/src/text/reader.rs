use std::io::{self, Read};

use crate::options::ProfileOptions;

/// The size of a chunk.
const CHUNK_BYTES: usize = 256 * 1024;

/// What the last character of a chunk may lack of its bytes.
const CHARACTER_BYTES: usize = 4;

/// What some programs write before a text in UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads on as long as nobody cancels, and then fails with an error that [`is_cancellation`] knows.
#[derive(Debug)]
pub(crate) struct CancelableReader<'o, R> {
    source: R,
    options: &'o ProfileOptions,
}

impl<'o, R> CancelableReader<'o, R> {
    pub(crate) fn new(source: R, options: &'o ProfileOptions) -> Self {
        Self { source, options }
    }
}

impl<R: Read> Read for CancelableReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.options.is_canceled() {
            return Err(io::Error::other(Cancellation));
        }
        self.source.read(buffer)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("canceled")]
struct Cancellation;

/// Whether reading failed because it was canceled.
pub(crate) fn is_cancellation(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Cancellation>())
}

/// Reads a text in chunks that end where a character ends, and says where it is not UTF-8.
#[derive(Debug)]
pub(crate) struct TextReader<R> {
    source: R,
    buffer: Vec<u8>,
    /// The bounds of the chunk in the buffer.
    start: usize,
    end: usize,
    /// The end of what was read into the buffer.
    filled: usize,
    begun: bool,
    has_mark: bool,
    invalid: Option<usize>,
    was_invalid: bool,
}

impl<R: Read> TextReader<R> {
    pub(crate) fn new(source: R) -> Self {
        Self::with_chunk_bytes(source, CHUNK_BYTES)
    }

    /// A reader of small chunks, for tests of what lies across two of them.
    pub(crate) fn with_chunk_bytes(source: R, bytes: usize) -> Self {
        Self {
            source,
            buffer: vec![0; bytes.max(2 * CHARACTER_BYTES)],
            start: 0,
            end: 0,
            filled: 0,
            begun: false,
            has_mark: false,
            invalid: None,
            was_invalid: false,
        }
    }

    /// Goes to the next chunk, and says whether there is one.
    pub(crate) fn advance(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.end..self.filled, 0);
        self.filled -= self.end;
        self.start = 0;
        self.invalid = None;
        let at_end = self.fill()?;
        if !self.begun {
            self.begun = true;
            self.has_mark = self.buffer[..self.filled].starts_with(BYTE_ORDER_MARK);
            self.start = if self.has_mark { BYTE_ORDER_MARK.len() } else { 0 };
        }
        self.end = self.filled;
        if !self.was_invalid
            && let Err(error) = std::str::from_utf8(&self.buffer[self.start..self.end])
        {
            if error.error_len().is_none() && !at_end {
                self.end = self.start + error.valid_up_to();
            } else {
                self.invalid = Some(error.valid_up_to());
                self.was_invalid = true;
            }
        }
        Ok(self.start < self.end)
    }

    fn fill(&mut self) -> io::Result<bool> {
        while self.filled < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Ok(true),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// The chunk. Empty before the first and after the last.
    pub(crate) fn chunk(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Where in the chunk the first byte of the text stands that is not UTF-8, if it is in this chunk.
    pub(crate) fn invalid(&self) -> Option<usize> {
        self.invalid
    }

    /// Whether the text begins with a byte order mark. It is not part of the first chunk.
    pub(crate) fn has_byte_order_mark(&self) -> bool {
        self.has_mark
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All chunks together, and where in them the first invalid byte stands.
    fn read(bytes: &[u8], chunk_bytes: usize) -> (Vec<u8>, Option<usize>) {
        let mut reader = TextReader::with_chunk_bytes(bytes, chunk_bytes);
        let (mut all, mut invalid) = (Vec::new(), None);
        while reader.advance().expect("a slice can be read") {
            if let Some(offset) = reader.invalid() {
                assert_eq!(invalid, None, "the first alone is told");
                invalid = Some(all.len() + offset);
            }
            all.extend_from_slice(reader.chunk());
        }
        assert!(reader.chunk().is_empty());
        (all, invalid)
    }

    #[test]
    fn byte_order_mark_is_no_text() {
        let mut reader = TextReader::new(&b"\xEF\xBB\xBFa"[..]);
        assert!(reader.advance().unwrap());
        assert!(reader.has_byte_order_mark());
        assert_eq!(reader.chunk(), b"a");
        assert_eq!(read(b"\xEF\xBB\xBF", 8), (Vec::new(), None));
        assert_eq!(read("a\u{feff}".as_bytes(), 8).0, "a\u{feff}".as_bytes());
    }

    #[test]
    fn a_character_cut_off_at_the_end_is_invalid() {
        assert_eq!(read(b"abcdefg\xE2\x82", 8).1, Some(7));
        assert_eq!(read("abcdefg\u{20ac}".as_bytes(), 8).1, None);
    }

    proptest! {
        #[test]
        fn chunks_make_up_the_text(text in "[a-c\u{e9}\u{20ac}\u{1f600}]{0,40}", bytes in 0..12_usize) {
            prop_assert_eq!(read(text.as_bytes(), bytes), (text.as_bytes().to_vec(), None));
        }

        #[test]
        fn invalid_bytes_are_found_where_they_are(content: Vec<u8>, bytes in 0..12_usize) {
            prop_assume!(!content.starts_with(BYTE_ORDER_MARK));
            let expected = std::str::from_utf8(&content).err().map(|error| error.valid_up_to());
            prop_assert_eq!(read(&content, bytes), (content, expected));
        }
    }
}
