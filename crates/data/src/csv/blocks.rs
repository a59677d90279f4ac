use std::io::{self, Read};

use memchr::{memchr_iter, memrchr2};

const QUOTE: u8 = b'"';

/// The most bytes that a character has, and the fewest that a block can have.
const CHARACTER_BYTES: usize = 4;

/// Cuts a text into blocks, where a record ends as far as that can be told without reading the records.
#[derive(Debug)]
pub(super) struct Blocks<R> {
    source: R,
    block_bytes: usize,
    /// What was read and belongs to the next block.
    rest: Vec<u8>,
    at_end: bool,
    count: u64,
    cut_within_line: bool,
}

/// A piece of a text. Its memory is used again for another.
#[derive(Debug, Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    length: usize,
    /// How many blocks come before it.
    pub(super) index: u64,
    /// Whether it begins within a line.
    pub(super) is_within_line: bool,
}

impl Block {
    pub(super) fn text(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl<R: Read> Blocks<R> {
    /// The blocks, none of them with more bytes than `block_bytes`, of a text that begins with `head`.
    pub(super) fn new(head: Vec<u8>, source: R, block_bytes: usize) -> Self {
        let block_bytes = block_bytes.max(CHARACTER_BYTES);
        Self { source, block_bytes, rest: head, at_end: false, count: 0, cut_within_line: false }
    }

    /// How many were read.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Reads the next block into the memory of another, and says whether there is one.
    ///
    /// It ends behind a line that has as many quotes before it as closes them all, if there is one; otherwise behind the
    /// last line. If no line ends in it, it ends behind a character.
    pub(super) fn read(&mut self, block: &mut Block) -> io::Result<bool> {
        block.bytes.resize(self.block_bytes, 0);
        let known = self.rest.len().min(self.block_bytes);
        block.bytes[..known].copy_from_slice(&self.rest[..known]);
        self.rest.drain(..known);
        let mut filled = known;
        while !self.at_end && filled < self.block_bytes {
            match self.source.read(&mut block.bytes[filled..]) {
                Ok(0) => self.at_end = true,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // A block of nothing but zero bytes is what a file has in it that was never written: there may be no end to them.
        if filled == self.block_bytes && block.bytes[0] == 0 && block.bytes.iter().all(|byte| *byte == 0) {
            self.at_end = true;
            self.rest.clear();
        }
        block.is_within_line = self.cut_within_line;
        block.index = self.count;
        block.length = filled;
        self.cut_within_line = false;
        if !self.at_end || !self.rest.is_empty() {
            block.length = line_end(block.text()).unwrap_or_else(|| {
                self.cut_within_line = true;
                character_end(block.text())
            });
            // There is a rest already only as long as the blocks are smaller than the head.
            self.rest.splice(..0, block.bytes[block.length..filled].iter().copied());
        }
        self.count += u64::from(block.length > 0);
        Ok(block.length > 0)
    }
}

/// Where a block ends best: behind a line. A `\r` that a `\n` may follow ends none.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let all = memchr_iter(QUOTE, bytes).count();
    let mut behind = 0;
    let mut last = None;
    let mut end = bytes.len();
    while let Some(at) = memrchr2(b'\n', b'\r', &bytes[..end]) {
        let is_end = bytes[at] == b'\n' || bytes.get(at + 1).is_some_and(|next| *next != b'\n');
        behind += memchr_iter(QUOTE, &bytes[at..end]).count();
        end = at;
        if is_end {
            if (all - behind).is_multiple_of(2) {
                return Some(at + 1);
            }
            last = last.or(Some(at + 1));
        }
    }
    last
}

/// The end of the last character that is there as a whole.
fn character_end(bytes: &[u8]) -> usize {
    let is_first = |byte: &u8| !(0x80..0xC0).contains(byte);
    let tail = bytes.len().saturating_sub(CHARACTER_BYTES - 1);
    let Some(first) = bytes[tail..].iter().rposition(is_first) else { return bytes.len() };
    let first = tail + first;
    let length = match bytes[first] {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    };
    if first + length > bytes.len() { first } else { bytes.len() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(head: &[u8], source: &[u8], block_bytes: usize) -> Vec<(Vec<u8>, bool)> {
        let mut blocks = Blocks::new(head.to_vec(), source, block_bytes);
        let mut block = Block::default();
        let mut found = Vec::new();
        while blocks.read(&mut block).expect("a slice can be read") {
            assert_eq!(block.index, found.len() as u64);
            found.push((block.text().to_vec(), block.is_within_line));
        }
        found
    }

    #[track_caller]
    fn check(text: &str, block_bytes: usize, expected: &[&str]) {
        let found = cut(b"", text.as_bytes(), block_bytes);
        let found: Vec<_> = found.iter().map(|(block, _)| String::from_utf8_lossy(block)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn blocks_end_with_lines() {
        check("", 8, &[]);
        check("a\nb\nc", 8, &["a\nb\nc"]);
        check("a,b\n1,2\n3,4\n", 8, &["a,b\n1,2\n", "3,4\n"]);
        check("a,b\n1,2\n3,4\n", 9, &["a,b\n1,2\n", "3,4\n"]);
        check("a,b\r1,2\r3,4\r", 8, &["a,b\r", "1,2\r", "3,4\r"]);
        check("a,b\r\n1,2\r\n", 9, &["a,b\r\n", "1,2\r\n"]);
    }

    #[test]
    fn blocks_do_not_end_within_quotes() {
        check("a\n\"b\nc\"\nd\n", 6, &["a\n", "\"b\nc\"\n", "d\n"]);
        // This quote is none, or a cell is longer than a block.
        check("\"b\nc\nd\ne\n", 6, &["\"b\nc\n", "d\ne\n"]);
    }

    #[test]
    fn long_lines_are_cut_behind_a_character() {
        check("aaaaaaaaa\nb", 4, &["aaaa", "aaaa", "a\nb"]);
        check("aaa\u{20ac}bbbb", 4, &["aaa", "\u{20ac}b", "bbb"]);
        let within: Vec<bool> =
            cut(b"", b"aaaaaaaaa\nb\nc", 5).into_iter().map(|(_, within)| within).collect();
        assert_eq!(within, [false, true, false]);
    }

    #[test]
    fn what_was_never_written_is_not_read() {
        use std::io::Read as _;

        let mut blocks = Blocks::new(b"a\n".to_vec(), std::io::repeat(0).take(u64::MAX), 64);
        let mut block = Block::default();
        let count = std::iter::from_fn(|| blocks.read(&mut block).expect("zeros").then_some(())).count();
        assert!((1..4).contains(&count), "{count}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(head: Vec<u8>, source: Vec<u8>, block_bytes in 1..12_usize) {
            let all = [head.clone(), source.clone()].concat();
            prop_assume!(!all.windows(4).any(|bytes| bytes == [0; 4]));
            let found: Vec<u8> = cut(&head, &source, block_bytes).into_iter().flat_map(|(block, _)| block).collect();
            prop_assert_eq!(found, [head, source].concat());
        }

        #[test]
        fn characters_are_whole(text in "[a\n\"\u{e9}\u{20ac}\u{1f600}]{0,40}", block_bytes in 4..12_usize) {
            for (block, _) in cut(b"", text.as_bytes(), block_bytes) {
                prop_assert!(std::str::from_utf8(&block).is_ok());
            }
        }
    }
}
