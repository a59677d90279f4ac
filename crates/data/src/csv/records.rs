use memchr::memchr;

use super::ends::{BLOCK, ends_in};
use super::lines::LineCount;
use crate::text::cell::LONGEST_CELL;

const QUOTE: u8 = b'"';

/// A longer cell is not read.
pub(crate) const MOST_CELL_BYTES: usize = 64 * 1024 * 1024;

/// What takes the cells of a text, one after the other.
pub(crate) trait RecordSink {
    /// The next cell of the record, without quotes. Unless the splitter keeps all, no more than [`LONGEST_CELL`] and one
    /// byte of it are sure to be there.
    fn cell(&mut self, cell: &[u8]);

    /// The end of the record. `line` counts the lines up to the record's first.
    fn end_record(&mut self, line: impl FnOnce() -> u64);

    /// Whether a blank line is a record, with one cell that is empty: it is where there is one column, behind the header.
    fn has_blank_records(&self) -> bool {
        false
    }
}

/// Where in a text something begins: in an earlier chunk, on a line that was counted then, or in this one.
#[derive(Debug, Clone, Copy)]
enum Place {
    Line(u64),
    Offset(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a cell.
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted cell: the cell's end, or the first half of a quote that is written twice.
    Closed,
}

/// Splits a text, chunk by chunk, into records and their cells.
#[derive(Debug)]
pub(crate) struct Splitter {
    delimiter: u8,
    /// For each byte, whether it ends a plain cell.
    ends: [bool; 256],
    state: State,
    /// The cell so far, where it does not lie in one piece in the chunk, and how many bytes of it are kept at most.
    cell: Vec<u8>,
    most_kept: usize,
    /// Whether the record has a cell already.
    begun: bool,
    /// Whether the chunk before ended with a carriage return, of which a line feed may be the second half.
    is_behind_return: bool,
    record: Place,
    quote: Place,
    lines: LineCount,
}

impl Splitter {
    pub(crate) fn new(delimiter: u8) -> Self {
        let mut ends = [false; 256];
        for end in [delimiter, b'\n', b'\r'] {
            ends[usize::from(end)] = true;
        }
        Self {
            delimiter,
            ends,
            state: State::Start,
            cell: Vec::new(),
            most_kept: LONGEST_CELL + 1,
            begun: false,
            is_behind_return: false,
            record: Place::Offset(0),
            quote: Place::Offset(0),
            lines: LineCount::default(),
        }
    }

    /// A splitter that hands over every cell as a whole, up to [`MOST_CELL_BYTES`]; of what is longer, one byte more.
    pub(crate) fn keeping_all(delimiter: u8) -> Self {
        Self { most_kept: MOST_CELL_BYTES + 1, ..Self::new(delimiter) }
    }

    /// Takes in the next chunk.
    pub(crate) fn feed(&mut self, chunk: &[u8], sink: &mut impl RecordSink) {
        let mut at = 0;
        while at < chunk.len() {
            at = match self.state {
                State::Start => self.cells(chunk, at, sink),
                State::Plain => self.plain(chunk, at, sink),
                State::Quoted => match memchr(QUOTE, &chunk[at..]) {
                    Some(length) => {
                        self.keep(&chunk[at..at + length]);
                        self.state = State::Closed;
                        at + length + 1
                    }
                    None => {
                        self.keep(&chunk[at..]);
                        chunk.len()
                    }
                },
                State::Closed if chunk[at] == QUOTE => {
                    self.keep(&[QUOTE]);
                    self.state = State::Quoted;
                    at + 1
                }
                // Text behind the closing quote belongs to the cell, as for Python.
                State::Closed => self.plain(chunk, at, sink),
            };
        }
        // An offset means nothing in the next chunk. Between two records, nobody asks for a place before it is set again.
        let line_of = |place| if self.is_between_records() { 0 } else { self.line_of(place, chunk) };
        (self.record, self.quote) = (Place::Line(line_of(self.record)), Place::Line(line_of(self.quote)));
        self.is_behind_return = chunk.last().map_or(self.is_behind_return, |last| *last == b'\r');
        self.lines.add(chunk);
    }

    /// Whether the next byte is the first of a record.
    pub(crate) fn is_between_records(&self) -> bool {
        self.state == State::Start && !self.begun
    }

    /// The lines so far.
    pub(crate) fn lines(&self) -> &LineCount {
        &self.lines
    }

    /// Goes on to the end of a text that follows, which was split by itself. This one must be between two records.
    pub(crate) fn append(&mut self, next: Self) {
        debug_assert!(self.is_between_records(), "what follows was taken for the beginning of a record");
        let before = self.lines.ended();
        let later = |place| match place {
            Place::Line(line) => Place::Line(before + line),
            Place::Offset(offset) => Place::Offset(offset),
        };
        self.lines.append(&next.lines);
        let lines = std::mem::take(&mut self.lines);
        *self = Self { record: later(next.record), quote: later(next.quote), lines, ..next };
    }

    /// Goes through the plain cells from the first byte of a cell on, as long as a quoted cell or the end of the chunk does
    /// not get in the way.
    fn cells(&mut self, chunk: &[u8], at: usize, sink: &mut impl RecordSink) -> usize {
        let mut start = at;
        let mut block = at;
        let mut begun = self.begun;
        'blocks: while let Some(bytes) = chunk.get(block..).and_then(<[u8]>::first_chunk::<BLOCK>) {
            let mut ends = ends_in(bytes, self.delimiter);
            while ends != 0 {
                let end = block + ends.trailing_zeros() as usize;
                ends &= ends - 1;
                let is_last = chunk[end] != self.delimiter;
                if chunk[start] == QUOTE {
                    self.begun = begun;
                    start = self.start(chunk, start, sink);
                    if self.state != State::Start {
                        return start;
                    }
                    begun = self.begun;
                    block = start;
                    continue 'blocks;
                }
                if !begun {
                    self.record = Place::Offset(start);
                    if is_last && start == end {
                        self.blank_line(chunk, start, sink);
                        start = end + 1;
                        continue;
                    }
                }
                sink.cell(&chunk[start..end]);
                begun = !is_last;
                if is_last {
                    sink.end_record(|| self.line_of(self.record, chunk));
                }
                start = end + 1;
            }
            block += BLOCK;
        }
        self.begun = begun;
        if start < chunk.len() { self.start(chunk, start, sink) } else { start }
    }

    /// Handles a line end that no record stands before: a blank line, or the second half of a line end.
    fn blank_line(&mut self, chunk: &[u8], at: usize, sink: &mut impl RecordSink) {
        if !sink.has_blank_records() {
            return;
        }
        let before = at.checked_sub(1).map_or(self.is_behind_return, |before| chunk[before] == b'\r');
        if !(before && chunk[at] == b'\n') {
            sink.cell(b"");
            sink.end_record(|| self.line_of(self.record, chunk));
        }
    }

    fn start(&mut self, chunk: &[u8], at: usize, sink: &mut impl RecordSink) -> usize {
        let first = chunk[at];
        if !self.begun {
            self.record = Place::Offset(at);
            if first == b'\n' || first == b'\r' {
                self.blank_line(chunk, at, sink);
                return at + 1;
            }
        }
        if first != QUOTE {
            return self.plain(chunk, at, sink);
        }
        self.quote = Place::Offset(at);
        let inside = &chunk[at + 1..];
        if let Some(length) = memchr(QUOTE, inside)
            && let Some(next) = inside.get(length + 1)
            && self.ends[usize::from(*next)]
        {
            sink.cell(&inside[..length]);
            return self.end_cell(chunk, at + length + 2, sink);
        }
        self.state = State::Quoted;
        at + 1
    }

    /// Goes to the end of a plain cell.
    fn plain(&mut self, chunk: &[u8], at: usize, sink: &mut impl RecordSink) -> usize {
        let rest = &chunk[at..];
        let Some(length) = rest.iter().position(|byte| self.ends[usize::from(*byte)]) else {
            self.keep(rest);
            self.state = State::Plain;
            return chunk.len();
        };
        if self.cell.is_empty() {
            sink.cell(&rest[..length]);
        } else {
            self.keep(&rest[..length]);
            sink.cell(&self.cell);
            self.cell.clear();
        }
        self.end_cell(chunk, at + length, sink)
    }

    /// Handles the byte behind a cell: a delimiter or a line's end.
    fn end_cell(&mut self, chunk: &[u8], at: usize, sink: &mut impl RecordSink) -> usize {
        self.state = State::Start;
        self.begun = chunk[at] == self.delimiter;
        if !self.begun {
            sink.end_record(|| self.line_of(self.record, chunk));
        }
        at + 1
    }

    fn keep(&mut self, part: &[u8]) {
        let room = self.most_kept.saturating_sub(self.cell.len());
        self.cell.extend_from_slice(&part[..part.len().min(room)]);
    }

    fn line_of(&self, place: Place, chunk: &[u8]) -> u64 {
        match place {
            Place::Line(line) => line,
            Place::Offset(offset) => self.lines.line_of(chunk, offset),
        }
    }

    /// Ends the text. The line of a quote that is not closed, if there is one; its record is left out.
    pub(crate) fn finish(&mut self, sink: &mut impl RecordSink) -> Option<u64> {
        if self.is_between_records() {
            return None;
        }
        if self.state == State::Quoted {
            return Some(self.line_of(self.quote, &[]));
        }
        sink.cell(&self.cell);
        sink.end_record(|| self.line_of(self.record, &[]));
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The records of a text, each with its line.
    #[derive(Debug, Default, PartialEq)]
    struct Records {
        open: Vec<String>,
        all: Vec<(u64, Vec<String>)>,
    }

    impl RecordSink for Records {
        fn cell(&mut self, cell: &[u8]) {
            self.open.push(String::from_utf8_lossy(cell).into_owned());
        }

        fn end_record(&mut self, line: impl FnOnce() -> u64) {
            self.all.push((line(), std::mem::take(&mut self.open)));
        }
    }

    fn split(text: &str, chunk_bytes: usize) -> (Vec<(u64, Vec<String>)>, Option<u64>) {
        let mut splitter = Splitter::new(b',');
        let mut records = Records::default();
        for chunk in text.as_bytes().chunks(chunk_bytes) {
            splitter.feed(chunk, &mut records);
        }
        let unclosed = splitter.finish(&mut records);
        (records.all, unclosed)
    }

    #[track_caller]
    fn check(text: &str, expected: &[(u64, &[&str])], unclosed: Option<u64>) {
        for chunk_bytes in [1, 2, 3, 1000] {
            let (records, found) = split(text, chunk_bytes);
            let shown: Vec<_> = records
                .iter()
                .map(|(line, cells)| (*line, cells.iter().map(String::as_str).collect::<Vec<_>>()))
                .collect();
            let expected: Vec<_> = expected.iter().map(|(line, cells)| (*line, cells.to_vec())).collect();
            assert_eq!((shown, found), (expected, unclosed), "in chunks of {chunk_bytes}");
        }
    }

    #[test]
    fn cells_and_lines() {
        check("", &[], None);
        check("a,b\n1,2\n", &[(1, &["a", "b"]), (2, &["1", "2"])], None);
        check("a,b\r\n1,2", &[(1, &["a", "b"]), (2, &["1", "2"])], None);
        check("a\r1\r\r2\r", &[(1, &["a"]), (2, &["1"]), (4, &["2"])], None);
        check("\n\na,\n,\n\n,b", &[(3, &["a", ""]), (4, &["", ""]), (6, &["", "b"])], None);
        check("a,", &[(1, &["a", ""])], None);
    }

    #[test]
    fn quotes() {
        check("\"a,b\",\"c\"\"d\"\n", &[(1, &["a,b", "c\"d"])], None);
        check("\"a\nb\"\nc\n", &[(1, &["a\nb"]), (3, &["c"])], None);
        check("\"a\r\n\r\nb\"\r\nc\r\n", &[(1, &["a\r\n\r\nb"]), (4, &["c"])], None);
        check("\"\"\n\"\"", &[(1, &[""]), (2, &[""])], None);
        check("a\"b,\"c\"d\n", &[(1, &["a\"b", "cd"])], None);
        check("a\n1,\n\"2,\n3\n", &[(1, &["a"]), (2, &["1", ""])], Some(3));
    }

    #[test]
    fn of_a_very_long_cell_the_beginning_is_kept() {
        let long = "x".repeat(3 * LONGEST_CELL);
        let (records, _) = split(&format!("{long},y"), 7);
        assert_eq!(records[0].1[0].len(), LONGEST_CELL + 1);
        assert_eq!(records[0].1[1], "y");
        let mut all = Records::default();
        let mut splitter = Splitter::keeping_all(b',');
        for chunk in long.as_bytes().chunks(7) {
            splitter.feed(chunk, &mut all);
        }
        splitter.finish(&mut all);
        assert_eq!(all.all[0].1, [long]);
    }

    proptest! {
        #[test]
        fn records_are_those_of_the_csv_crate(
            mut text in prop_oneof!["[ab,\"\n\r]{0,24}", "[ab,\"\n\r]{200,300}", "([a-z]{0,9}[,\n\r]|\"[a-z,\n]{0,90}\"[,\n]){20,40}"],
            chunk_bytes in prop_oneof![1..9_usize, 60..300_usize],
        ) {
            if split(&text, chunk_bytes).1.is_some() {
                text.push('"');
            }
            let (records, unclosed) = split(&text, chunk_bytes);
            prop_assert_eq!(unclosed, None);
            let mut reader =
                csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let expected: Vec<Vec<String>> = reader
                .records()
                .map(|record| record.expect("text is UTF-8").iter().map(str::to_owned).collect())
                .collect();
            let found: Vec<Vec<String>> = records.into_iter().map(|(_, cells)| cells).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn lines_do_not_depend_on_the_chunks(
            text in prop_oneof!["[a,\"\n\r]{0,24}", "([a-z]{0,9}[,\n\r]|\"[a-z,\n]{0,90}\"[,\n]){20,40}"],
            chunk_bytes in prop_oneof![1..9_usize, 60..300_usize],
        ) {
            prop_assert_eq!(split(&text, chunk_bytes), split(&text, 1000));
        }
    }
}
