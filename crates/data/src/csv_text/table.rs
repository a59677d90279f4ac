use std::io::{self, Read};

use runtime_testing_models::{DataFinding, TableSchema};

use super::cell::LONGEST_CELL;
use super::column::ColumnState;
use super::nulls::NullWords;
use super::records::{LineCount, RecordSink, Splitter};
use crate::arrow_table::duplicate_names;
use crate::findings::{Findings, finding, finding_on};
use crate::options::ProfileOptions;
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

impl Delimiter {
    /// The delimiter of the text that begins with this chunk.
    pub(super) fn byte(self, head: &[u8]) -> u8 {
        match self {
            Self::Detected => detect_delimiter(head),
            Self::Tab => b'\t',
        }
    }
}

/// Profiles all rows of a CSV or TSV text.
pub(crate) fn profile(
    text: &mut TextReader<impl Read>,
    delimiter: Delimiter,
    options: &ProfileOptions,
) -> io::Result<Content> {
    let nulls = NullWords::new(options.null_tokens());
    let mut lines = LineCount::default();
    let mut not_utf8 = None;
    let mut table = Table::new(&nulls);
    let mut splitter = None;
    while text.advance()? {
        let chunk = text.chunk();
        if let Some(offset) = text.invalid() {
            not_utf8 = Some(finding_on(lines.line_of(chunk, offset), not_utf8_message(chunk, offset)));
        }
        if not_utf8.is_none() {
            lines.add(chunk);
        }
        let splitter = splitter.get_or_insert_with(|| Splitter::new(delimiter.byte(chunk)));
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

/// The delimiter that is most frequent in the first line that is not blank, outside quotes, as far as the first chunk
/// goes. The comma wins a tie.
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
#[derive(Debug)]
struct Table<'n> {
    nulls: &'n NullWords,
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

impl RecordSink for Table<'_> {
    fn cell(&mut self, cell: &[u8]) {
        if self.header_line.is_none() {
            self.header_bytes += COLUMN_BYTES + cell.len();
            if self.header_bytes <= HEADER_BYTES {
                self.names.push(String::from_utf8_lossy(&cell[..cell.len().min(LONGEST_CELL)]).into_owned());
            }
            return;
        }
        if let Some(column) = self.columns.get_mut(self.cells) {
            column.see(cell, self.rows + 1, self.nulls);
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

impl<'n> Table<'n> {
    fn new(nulls: &'n NullWords) -> Self {
        Self {
            nulls,
            header_line: None,
            names: Vec::new(),
            header_bytes: 0,
            columns: Vec::new(),
            rows: 0,
            cells: 0,
            ragged: Findings::default(),
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn profile_text(text: &[u8], delimiter: Delimiter) -> Content {
        let content = profile(&mut TextReader::new(text), delimiter, &ProfileOptions::default())
            .expect("a slice can be read");
        let small =
            profile(&mut TextReader::with_chunk_bytes(text, 48), delimiter, &ProfileOptions::default())
                .expect("a slice can be read");
        assert_eq!((&content.schema, &content.findings), (&small.schema, &small.findings), "in small chunks");
        content
    }

    /// The columns with `?` where they hold nulls, and the rows; then the findings.
    fn shown(content: &Content) -> (String, Vec<String>) {
        let findings = content.findings.iter().map(DataFinding::to_string).collect();
        let Some(schema) = &content.schema else { return ("none".to_owned(), findings) };
        let columns: Vec<String> = schema
            .columns
            .iter()
            .map(|column| {
                format!("{}: {}{}", column.name, column.data_type, if column.nullable { "?" } else { "" })
            })
            .collect();
        (format!("{} rows; {}", schema.rows, columns.join(", ")), findings)
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(
            shown(&profile_text(text.as_bytes(), Delimiter::Detected)),
            (expected.to_owned(), Vec::new())
        );
    }

    #[track_caller]
    fn check_findings(text: &[u8], expected: &str, findings: &[&str]) {
        let (schema, found) = shown(&profile_text(text, Delimiter::Detected));
        assert_eq!(found, findings);
        assert_eq!(schema, expected);
    }

    #[test]
    fn tables() {
        check("a,b\n1,x\n2,\n", "2 rows; a: int64, b: text?");
        check("a,b\r\n1,x\r\n", "1 rows; a: int64, b: text");
        check("\u{feff}a,b\n1,2", "1 rows; a: int64, b: int64");
        check("a,b\n", "0 rows; a: null, b: null");
        check("a,b", "0 rows; a: null, b: null");
        check(",x\n0,1.5\n", "1 rows; : int64, x: float64");
        check("a\n\n1\n\n2\n", "2 rows; a: int64");
        check("a\n\"\"\n1\n", "2 rows; a: int64?");
        check("\"a,\nb\",\"c\"\"\"\n\"1\",\"x\ny\"\n", "1 rows; a,\nb: int64, c\": text");
        check("gr\u{f6}\u{df}e\n\u{e9}\n", "1 rows; gr\u{f6}\u{df}e: text");
        check("a\n2024-01-31T10:00:00+01:00\n", "1 rows; a: timestamp[us, UTC]");
    }

    #[test]
    fn delimiters() {
        check("a;b;c\n1;2,5;3\n", "1 rows; a: int64, b: text, c: int64");
        check("a|b\n1|2\n", "1 rows; a: int64, b: int64");
        check("a\tb\n1\t2\n", "1 rows; a: int64, b: int64");
        check("a;b,c\n1;2,3\n", "1 rows; a;b: text, c: int64");
        check("\"a;b;c\",d\n1,2\n", "1 rows; a;b;c: int64, d: int64");
        check("\n\na;b\n1;2\n", "1 rows; a: int64, b: int64");
        check("5\" pipe;a \"b, c\";d\nx;y;1\n", "1 rows; 5\" pipe: text, a \"b, c\": text, d: int64");
        let content = profile_text(b"a,b\tc\n1,5\t2\n", Delimiter::Tab);
        assert_eq!(shown(&content).0, "1 rows; a,b: text, c: int64");
    }

    #[test]
    fn rows_of_another_length() {
        check_findings(
            b"a,b,c,d\n1,2,3,4\n1,2,3\n\"x\ny\",2,3,4,5\n1\n",
            "4 rows; a: text, b: int64, c: int64, d: int64",
            &[
                "line 3: row has 3 fields, the header has 4",
                "line 4: row has 5 fields, the header has 4",
                "line 6: row has 1 field, the header has 4",
            ],
        );
        let many = format!("a,b\n{}", "1\n".repeat(9));
        let found = profile_text(many.as_bytes(), Delimiter::Detected).findings;
        assert_eq!(found.len(), 6);
        assert_eq!(found[5].to_string(), "4 more rows with another number of fields");
    }

    #[test]
    fn names_that_stand_twice() {
        check_findings(
            b"\na,b,a,a,,\n1,2,3,4,5,6\n",
            "1 rows; a: int64, b: int64, a: int64, a: int64, : int64, : int64",
            &["line 2: duplicate column name `a`", "line 2: duplicate column name ``"],
        );
    }

    #[test]
    fn text_that_is_not_utf8() {
        check_findings(
            b"a\nb\nc\xFF\nd\xFF\n",
            "3 rows; a: text",
            &["line 3: the text is not UTF-8: byte 0xFF"],
        );
        check_findings(
            b"a\xE9,b\n1,2\n",
            "1 rows; a\u{fffd}: int64, b: int64",
            &["line 1: the text is not UTF-8: byte 0xE9"],
        );
        let utf16: Vec<u8> = "\u{feff}a,b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let found = profile_text(&utf16, Delimiter::Detected).findings;
        assert_eq!(found[0].to_string(), "line 1: the text is UTF-16; write it as UTF-8");
    }

    #[test]
    fn quotes_that_are_not_closed() {
        check_findings(
            b"a,b\n1,x\n2,\"y\n3,z\n",
            "1 rows; a: int64, b: text",
            &["line 3: the quote that opens here is not closed"],
        );
        check_findings(b"a,\"b\n1,2\n", "none", &["line 1: the quote that opens here is not closed"]);
    }

    #[test]
    fn no_header() {
        check_findings(b"\n\r\n", "none", &["there is no header line"]);
        let long = ",".repeat(HEADER_BYTES / COLUMN_BYTES + 1);
        check_findings(long.as_bytes(), "none", &["the first line is too long for a header"]);
    }
}
