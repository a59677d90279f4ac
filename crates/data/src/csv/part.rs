use runtime_testing_models::DataFinding;

use super::blocks::Block;
use super::lines::LineCount;
use super::records::Splitter;
use super::rows::Rows;
use crate::findings::{after_lines, unreadable_on};
use crate::text::nulls::NullWords;

/// What is known of a piece of a text that is behind the header.
#[derive(Debug)]
pub(super) struct Part<'n> {
    pub(super) splitter: Splitter,
    pub(super) rows: Rows<'n>,
    pub(super) not_utf8: NotUtf8,
}

impl<'n> Part<'n> {
    /// Nothing yet, of a text with such a delimiter and so many columns.
    pub(super) fn new(delimiter: u8, columns: usize, nulls: &'n NullWords) -> Self {
        Self {
            splitter: Splitter::new(delimiter),
            rows: Rows::new(columns, nulls),
            not_utf8: NotUtf8::default(),
        }
    }

    /// Takes in the next block.
    pub(super) fn feed(&mut self, block: &Block) {
        self.not_utf8.look(block, self.splitter.lines());
        self.splitter.feed(block.text(), &mut self.rows);
    }

    /// Takes in the next block, of which something is known already if it begins with a record.
    pub(super) fn feed_known(&mut self, block: &Block, known: Option<Self>) {
        match known {
            Some(next) if self.splitter.is_between_records() => self.append(next),
            _ => self.feed(block),
        }
    }

    fn append(&mut self, next: Self) {
        let lines = self.splitter.lines().ended();
        self.not_utf8.append(next.not_utf8, lines);
        self.rows.append(next.rows, lines);
        self.splitter.append(next.splitter);
    }
}

/// Where a text is not UTF-8 for the first time, or has a byte that no text has, if anywhere.
#[derive(Debug, Default)]
pub(super) struct NotUtf8(pub(super) Option<DataFinding>);

/// What is wrong with a byte that many readers take for the end of the text, or of the cell.
const NUL: &str = "the text has a NUL byte";

impl NotUtf8 {
    /// Looks at the next block, before its lines are counted.
    pub(super) fn look(&mut self, block: &Block, lines: &LineCount) {
        if self.0.is_none()
            && let Err(error) = std::str::from_utf8(block.text())
        {
            let at = error.valid_up_to();
            self.0 = Some(unreadable_on(lines.line_of(block.text(), at), message(block, at)));
        }
        if self.0.is_none()
            && let Some(at) = memchr::memchr(0, block.text())
        {
            self.0 = Some(unreadable_on(lines.line_of(block.text(), at), NUL));
        }
    }

    fn append(&mut self, next: Self, lines: u64) {
        self.0 = self.0.take().or(next.0.map(|finding| after_lines(finding, lines)));
    }
}

fn message(block: &Block, at: usize) -> String {
    format!("the text is not UTF-8: byte 0x{:02X}", block.text()[at])
}
