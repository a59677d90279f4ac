use std::io::{self, Read};

use runtime_testing_models::{DataFinding, TableSchema};

use super::cell::LONGEST_CELL;
use super::column::ColumnState;
use super::records::{LineCount, RecordSink, Splitter};
use crate::arrow_table::duplicate_names;
use crate::findings::{Findings, finding, finding_on};
use crate::profile::Content;
use crate::text_reader::TextReader;

/// What a header may cost in memory, with a column reckoned at `COLUMN_BYTES` and its name.
const HEADER_BYTES: usize = 64 * 1024 * 1024;
const COLUMN_BYTES: usize = 64;

/// What stands between the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiter {
    /// The one of `,`, `;`, `|` and tab that is most frequent in the header.
    Detected,
    Tab,
}

/// Profiles all rows of a CSV or TSV text.
pub(crate) fn profile(text: &mut TextReader<impl Read>, delimiter: Delimiter) -> io::Result<Content> {
    let mut lines = LineCount::default();
    let mut not_utf8 = None;
    let mut table = Table::default();
    let mut splitter = None;
    while text.advance()? {
        let chunk = text.chunk();
        if let Some(offset) = text.invalid() {
            not_utf8 = Some(finding_on(lines.line_of(chunk, offset), not_utf8_message(chunk, offset)));
        }
        if not_utf8.is_none() {
            lines.add(chunk);
        }
        let splitter = splitter.get_or_insert_with(|| {
            Splitter::new(match delimiter {
                Delimiter::Detected => detect_delimiter(chunk),
                Delimiter::Tab => b'\t',
            })
        });
        splitter.feed(chunk, &mut table);
        if table.header_bytes > HEADER_BYTES {
            break;
        }
    }
    let unclosed = splitter.and_then(|mut splitter| splitter.finish(&mut table));
    Ok(table.into_content(not_utf8, unclosed))
}

fn not_utf8_message(chunk: &[u8], offset: usize) -> String {
    if offset == 0 && (chunk.starts_with(b"\xFF\xFE") || chunk.starts_with(b"\xFE\xFF")) {
        return "the text is UTF-16; write it as UTF-8".to_owned();
    }
    format!("the text is not UTF-8: byte 0x{:02X}", chunk[offset])
}

/// The delimiter that is most frequent in the first line that is not blank, outside quotes. The comma wins a tie.
fn detect_delimiter(head: &[u8]) -> u8 {
    const CANDIDATES: [u8; 4] = [b',', b';', b'|', b'\t'];
    let mut counts = [0_usize; CANDIDATES.len()];
    let mut bytes = head.iter().skip_while(|byte| matches!(byte, b'\n' | b'\r')).peekable();
    let mut at_start = true;
    let mut quoted = false;
    while let Some(byte) = bytes.next() {
        let candidate = CANDIDATES.iter().position(|candidate| candidate == byte);
        match byte {
            b'"' if quoted && bytes.next_if(|next| **next == b'"').is_none() => quoted = false,
            b'"' if at_start => quoted = true,
            b'\n' | b'\r' if !quoted => break,
            _ => {
                if let Some(index) = candidate.filter(|_| !quoted) {
                    counts[index] += 1;
                }
            }
        }
        at_start = candidate.is_some() && !quoted;
    }
    let most = counts.into_iter().max().unwrap_or_default();
    let winner = counts.into_iter().position(|count| count == most).unwrap_or_default();
    CANDIDATES[winner]
}

/// A table as its cells come in.
#[derive(Debug, Default)]
struct Table {
    /// The line and the cells of the header. As long as it has no line, cells are names.
    header_line: Option<u64>,
    names: Vec<String>,
    header_bytes: usize,
    columns: Vec<ColumnState>,
    rows: u64,
    /// The cells of the open row.
    cells: usize,
    ragged: Findings,
}

impl RecordSink for Table {
    fn cell(&mut self, cell: &[u8]) {
        if self.header_line.is_none() {
            self.header_bytes += COLUMN_BYTES + cell.len();
            if self.header_bytes <= HEADER_BYTES {
                self.names.push(String::from_utf8_lossy(&cell[..cell.len().min(LONGEST_CELL)]).into_owned());
            }
            return;
        }
        if let Some(column) = self.columns.get_mut(self.cells) {
            column.see(cell, self.rows + 1);
        }
        self.cells += 1;
    }

    fn end_record(&mut self, line: impl FnOnce() -> u64) {
        if self.header_line.is_none() {
            self.header_line = Some(line());
            self.columns.extend(self.names.iter().map(|_| ColumnState::new()));
            return;
        }
        self.rows += 1;
        let (found, expected) = (self.cells, self.names.len());
        if found != expected {
            self.ragged.push(|| {
                let fields = if found == 1 { "1 field".to_owned() } else { format!("{found} fields") };
                finding_on(line(), format!("row has {fields}, the header has {expected}"))
            });
        }
        self.cells = 0;
    }
}

impl Table {
    fn into_content(self, not_utf8: Option<DataFinding>, unclosed: Option<u64>) -> Content {
        let mut findings = Vec::from_iter(not_utf8);
        if self.header_bytes > HEADER_BYTES {
            findings.push(finding("the first line is too long for a header"));
            return Content::of_text(None, findings);
        }
        let unclosed = unclosed.map(|line| finding_on(line, "the quote that opens here is not closed"));
        let Some(header_line) = self.header_line else {
            findings.extend(unclosed.or_else(|| Some(finding("there is no header line"))));
            return Content::of_text(None, findings);
        };
        let names = self.names.iter().map(String::as_str);
        findings.extend(duplicate_names(names, |message| finding_on(header_line, message)));
        findings.extend(self.ragged.into_list("rows with another number of fields"));
        findings.extend(unclosed);
        let columns = self.names.into_iter().zip(self.columns);
        let columns = columns.map(|(name, column)| column.into_column(name)).collect();
        Content::of_text(Some(TableSchema { columns, rows: self.rows }), findings)
    }
}
