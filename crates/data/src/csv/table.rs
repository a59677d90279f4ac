use std::io::{self, Read};
use std::num::NonZeroUsize;

use runtime_testing_models::TableSchema;

use super::blocks::{Block, Blocks};
use super::delimiter::{Delimiter, HEAD_BYTES};
use super::parallel::feed_all;
use super::part::{NotUtf8, Part};
use super::records::{RecordSink, Splitter};
use super::rows::Rows;
use crate::content::Content;
use crate::findings::{duplicate_names, unreadable, unreadable_on};
use crate::options::ProfileOptions;
use crate::text::cell::LONGEST_CELL;
use crate::text::nulls::NullWords;
use crate::text::reader::BYTE_ORDER_MARK;

/// The size of a block: large enough to make little of what it costs to change between them, small enough for a cache.
const BLOCK_BYTES: usize = 512 * 1024;

/// More threads than this would need more memory than they save time: reading is what limits them.
const MOST_JOBS: NonZeroUsize = NonZeroUsize::new(8).expect("eight is not zero");

/// Tables with more columns are read by one thread, so that what is known of each is kept once.
const MOST_COLUMNS_IN_PARALLEL: usize = 4096;

/// What a header may cost in memory, with a column, its name not counted, reckoned at `COLUMN_BYTES`.
const HEADER_BYTES: usize = 48 * 1024 * 1024;
const COLUMN_BYTES: usize = 384;

/// Profiles all rows of a CSV or TSV text.
pub(crate) fn profile(
    source: impl Read + Send,
    delimiter: Delimiter,
    options: &ProfileOptions,
) -> io::Result<Content> {
    profile_in_blocks(source, delimiter, options, BLOCK_BYTES)
}

fn profile_in_blocks(
    mut source: impl Read + Send,
    delimiter: Delimiter,
    options: &ProfileOptions,
    block_bytes: usize,
) -> io::Result<Content> {
    let mut head = Vec::new();
    source.by_ref().take((BYTE_ORDER_MARK.len() + HEAD_BYTES) as u64).read_to_end(&mut head)?;
    let byte_order_mark = head.starts_with(BYTE_ORDER_MARK);
    if byte_order_mark {
        head.drain(..BYTE_ORDER_MARK.len());
    }
    let separator = delimiter.byte(&head);
    let nulls = NullWords::of(options);
    let mut splitter = Splitter::new(separator);
    let mut table = Table { header: Header::default(), rows: Rows::new(0, &nulls) };
    let mut not_utf8 = NotUtf8::default();
    let mut blocks = Blocks::new(head, source, block_bytes);
    let mut block = Block::default();
    while table.header.line.is_none() && !table.header.is_too_long() && blocks.read(&mut block)? {
        not_utf8.look(&block, splitter.lines());
        splitter.feed(block.text(), &mut table);
    }
    drop(block);
    if table.header.line.is_some() {
        let columns = table.header.names.len();
        let jobs = match columns {
            0..=MOST_COLUMNS_IN_PARALLEL => options.jobs().min(MOST_JOBS),
            _ => NonZeroUsize::MIN,
        };
        let part = Part { splitter, rows: table.rows, not_utf8 };
        let part = feed_all(part, blocks, jobs, || Part::new(separator, columns, &nulls))?;
        (splitter, table.rows, not_utf8) = (part.splitter, part.rows, part.not_utf8);
    }
    let unclosed = splitter.finish(&mut table);
    let header_is_row = table.rows.has_values(&table.header.names);
    let delimiter = delimiter.unusual(separator);
    let content = table.into_content(not_utf8, unclosed, header_is_row);
    Ok(Content { delimiter, byte_order_mark, ..content })
}

/// The names of the columns, as they come in.
#[derive(Debug, Default)]
struct Header {
    /// The line it stands on, once it is complete.
    line: Option<u64>,
    names: Vec<String>,
    bytes: usize,
    /// Whether there is a name of which not all is kept.
    has_long_name: bool,
}

impl Header {
    fn is_too_long(&self) -> bool {
        self.bytes > HEADER_BYTES
    }
}

/// A table as its cells come in.
#[derive(Debug)]
struct Table<'n> {
    header: Header,
    rows: Rows<'n>,
}

impl RecordSink for Table<'_> {
    fn cell(&mut self, cell: &[u8]) {
        let header = &mut self.header;
        if header.line.is_some() {
            return self.rows.cell(cell);
        }
        header.has_long_name |= cell.len() > LONGEST_CELL;
        let name = &cell[..cell.len().min(LONGEST_CELL)];
        header.bytes += COLUMN_BYTES + name.len();
        if !header.is_too_long() {
            header.names.push(String::from_utf8_lossy(name).into_owned());
        }
    }

    fn has_blank_records(&self) -> bool {
        self.header.line.is_some() && self.rows.has_blank_records()
    }

    fn end_record(&mut self, line: impl FnOnce() -> u64) {
        if self.header.line.is_some() {
            return self.rows.end_record(line);
        }
        self.header.line = Some(line());
        self.rows.widen(self.header.names.len());
    }
}

impl Table<'_> {
    fn into_content(self, not_utf8: NotUtf8, unclosed: Option<u64>, header_is_row: bool) -> Content {
        let mut findings = Vec::from_iter(not_utf8.0);
        if self.header.is_too_long() {
            findings.push(unreadable("the first line is too long for a header"));
            return Content::of_text(None, findings);
        }
        let unclosed = unclosed.map(|line| unreadable_on(line, "the quote that opens here is not closed"));
        let Some(header_line) = self.header.line else {
            findings.extend(unclosed.or_else(|| Some(unreadable("there is no header line"))));
            return Content::of_text(None, findings);
        };
        if self.header.has_long_name {
            let message = format!("the name of a column has more than {LONGEST_CELL} bytes");
            findings.push(unreadable_on(header_line, message));
            return Content::of_text(None, findings);
        }
        let names = self.header.names.iter().map(String::as_str);
        let is_instruction = self.header.names.len() < 3
            && self.header.names[0].get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("sep="));
        if is_instruction {
            let message = "the first line tells a spreadsheet the delimiter, and readers take it for the header; remove it";
            let schema = TableSchema { columns: Vec::new(), rows: self.rows.count() };
            findings.push(unreadable_on(header_line, message));
            return Content::of_text(Some(schema), findings);
        }
        if header_is_row {
            let message =
                "the first line looks like a row, not like a header; write the names of the columns first";
            findings.push(unreadable_on(header_line, message));
        }
        findings.extend(duplicate_names(names, |message| unreadable_on(header_line, message)));
        let rows = self.rows.count();
        let (columns, ragged) = self.rows.finish(self.header.names, header_line);
        findings.extend(ragged);
        findings.extend(unclosed);
        Content::of_text(Some(TableSchema { columns, rows }), findings)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use runtime_testing_models::DataFinding;

    use super::*;

    fn profile_with(text: &[u8], delimiter: Delimiter, jobs: usize, block_bytes: usize) -> Content {
        let jobs = NonZeroUsize::new(jobs).expect("some jobs");
        let options = ProfileOptions::default().with_jobs(jobs);
        profile_in_blocks(text, delimiter, &options, block_bytes).expect("a slice can be read")
    }

    fn profile_text(text: &[u8], delimiter: Delimiter) -> Content {
        let content = profile_with(text, delimiter, 1, BLOCK_BYTES);
        for (jobs, block_bytes) in [(1, 4), (1, 48), (2, 4), (2, 11), (3, 48), (8, 7)] {
            let other = profile_with(text, delimiter, jobs, block_bytes);
            assert_eq!(other, content, "{jobs} threads, blocks of {block_bytes} bytes");
        }
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
    fn names_that_are_not_kept_whole_are_refused() {
        let name = |bytes: usize| format!("{},b\n1,2\n", "x".repeat(bytes));
        let delimiter = Delimiter::Detected;
        assert!(profile_with(name(LONGEST_CELL).as_bytes(), delimiter, 1, 64).schema.is_some());
        let content = profile_with(name(LONGEST_CELL + 1).as_bytes(), delimiter, 1, 64);
        assert!(content.schema.is_none());
        let told: Vec<String> = content.findings.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["line 1: the name of a column has more than 4096 bytes"]);
    }

    #[test]
    fn tables() {
        check("a,b\n1,x\n2,\n", "2 rows; a: int64, b: text?");
        check("a,b\r\n1,x\r\n", "1 rows; a: int64, b: text");
        check("\u{feff}a,b\n1,2", "1 rows; a: int64, b: int64");
        check("a,b\n", "0 rows; a: null, b: null");
        check("a,b", "0 rows; a: null, b: null");
        check(",x\n0,1.5\n", "1 rows; : int64, x: float64");
        // Behind the header of one column, a blank line is a null; with several columns it is no row.
        check("\n\na\n\n1\n\n2\n", "4 rows; a: int64?");
        check("a\r\n1\r\n\r\n3", "3 rows; a: int64?");
        check("a,b\n\n1,2\n\n", "1 rows; a: int64, b: int64");
        check("a\n\"\"\n1\n", "2 rows; a: int64?");
        check("\"a,\nb\",\"c\"\"\"\n\"1\",\"x\ny\"\n", "1 rows; a,\nb: int64, c\": text");
        check("gr\u{f6}\u{df}e\n\u{e9}\n", "1 rows; gr\u{f6}\u{df}e: text");
        check("a\n2024-01-31T10:00:00+01:00\n", "1 rows; a: timestamp[us, UTC]");
    }

    #[test]
    fn delimiters() {
        check("a;b;c\n1;2,5;3\n", "1 rows; a: int64, b: text, c: int64");
        check("\"a;b;c\",d\n1,2\n", "1 rows; a;b;c: int64, d: int64");
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
    fn a_row_in_place_of_a_header() {
        let message = "line 1: the first line looks like a row, not like a header; write the names of the columns first";
        check_findings(b"1,2.5\n3,4.5\n", "1 rows; 1: int64, 2.5: float64", &[message]);
        check_findings(b"2024-01-31\n2024-02-29\n", "1 rows; 2024-01-31: date", &[message]);
        check_findings(b"true,1\nNA,2\nfalse,\n", "2 rows; true: boolean?, 1: int64?", &[message]);
        let above = "1 rows; M: text, 0.455: float64, 0.365: float64, 15: int64";
        check_findings(b"M,0.455,0.365,15\nF,0.53,0.42,9\n", above, &[message]);
        check_findings(
            b"Oslo,2024-01-01,3\nGraz,2024-01-02,4\n",
            "1 rows; Oslo: text, 2024-01-01: date, 3: int64",
            &[message],
        );
        check_findings(b"x,2.5,\ny,3.5,\n", "1 rows; x: text, 2.5: float64, : null?", &[message]);
        let again = b"\nx,2.5,x\nx,1.5,z\n";
        let message = message.replace("line 1", "line 2");
        let twice = "line 2: duplicate column name `x`";
        check_findings(again, "1 rows; x: text, 2.5: float64, x: text", &[&message, twice]);
        // What is or may be a name.
        check("0,1,2\n3,4,5\n", "1 rows; 0: int64, 1: int64, 2: int64");
        check("2024-01-31,2024-02-29\n1,2\n", "1 rows; 2024-01-31: int64, 2024-02-29: int64");
        check("id,2024\n7,1.5\n", "1 rows; id: int64, 2024: float64");
        check("1,2.5\nx,4.5\n", "1 rows; 1: text, 2.5: float64");
        check("1.5\n", "0 rows; 1.5: null");
        check("true,NA\nfalse,NA\n", "1 rows; true: boolean, NA: null?");
        check("1,ann\n2,bob\n", "1 rows; 1: int64, ann: text");
        check("x,2.5,n\ny,1.5,1\n", "1 rows; x: text, 2.5: float64, n: int64");
        check(" ,0.5,0.1\nx,0.4,0.3\n", "1 rows;  : text, 0.5: float64, 0.1: float64");
        // As in a pivot.
        check("name,0.1,0.5\nx,0.2,0.4\n", "1 rows; name: text, 0.1: float64, 0.5: float64");
        check("smoker,False,True\nx,True,False\n", "1 rows; smoker: text, False: boolean, True: boolean");
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
        check_findings(b"a,b\n1,x\0y\n", "1 rows; a: int64, b: text", &["line 2: the text has a NUL byte"]);
    }

    #[test]
    fn what_is_wrong_with_all_rows_is_told_with_its_cause() {
        let told = |text: &str| {
            let findings = profile_text(text.as_bytes(), Delimiter::Detected).findings;
            findings.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let comment = "line 1: the first line is a comment, which readers take for the header; remove it";
        assert_eq!(told("# by x\nid,name\n1,a\n"), [comment]);
        assert_eq!(told("#id,name\n1,a\n"), [""; 0]);
        let title = |columns| {
            format!("line 1: the first line is a title above a table of {columns} columns; remove it")
        };
        assert_eq!(told("Report\nid,name\n1,a\n"), [title(2)]);
        assert_eq!(told("Report\n\nid,name,x\n1,a,2\n"), [title(3)]);
        let instruction = "line 1: the first line tells a spreadsheet the delimiter, and readers take it for the header; remove it";
        assert_eq!(told("sep=;\nid;name\n1;a\n"), [instruction]);
        let trailing = "line 1: each row ends with a delimiter, and the header does not";
        assert_eq!(told("id,name\n1,a,\n2,b,\n"), [trailing]);
        let index =
            "line 1: each row has one field more than the header: a column without a name, such as an index";
        assert_eq!(told("id,name\n0,1,a\n1,2,b\n"), [index]);
        // Of some rows alone, each is told.
        assert_eq!(told("id,name\n1,a,\n2,b\n"), ["line 2: row has 3 fields, the header has 2"]);
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

    #[test]
    fn long_lines_take_no_memory_with_them() {
        let long = "x".repeat(3 * BLOCK_BYTES);
        check(&format!("a,b\n1,{long}\n2,\"{long}\"\n3,y\n"), "3 rows; a: int64, b: text");
    }

    /// Rows with what makes it hard to say where a record begins.
    fn any_rows() -> impl Strategy<Value = String> {
        let plain = prop::sample::select(&[
            "",
            "1",
            "-7",
            "2.5",
            "007",
            "true",
            "NA",
            "2024-02-29",
            "2024-02-29 10:20:30",
            "x",
            "\u{e9}",
            "5\"",
            " ",
            "nan",
        ]);
        let quoted = prop::sample::select(&["", "1", ",", "\n", "\r\n", "a\nb,c\n", "\"\"", "1\"\"\n", "\r"]);
        let cell = prop_oneof![
            6 => plain.prop_map(str::to_owned),
            2 => quoted.prop_map(|cell| format!("\"{cell}\"")),
            1 => "[a\"\r]{0,2}",
        ];
        let end = prop::sample::select(&["\n", "\n", "\n", "\r\n", "\r", ""]);
        let row = (prop::collection::vec(cell, 1..4), end).prop_map(|(cells, end)| cells.join(",") + end);
        prop::collection::vec(row, 0..60).prop_map(|rows| rows.concat())
    }

    proptest! {
        #[test]
        fn the_number_of_threads_does_not_count(
            header in prop::sample::select(&["a,b,c", "x,2.5,x", "1,x,2.5", "1,x", "x,2.5,1", "x,2024-02-29"]),
            rows in any_rows(),
            bad in prop::option::weighted(0.2, any::<prop::sample::Index>()),
            block_bytes in prop_oneof![4..40_usize, 64..200_usize],
        ) {
            let mut text = format!("{header}\n{rows}").into_bytes();
            if let Some(bad) = bad {
                text.insert(bad.index(text.len()), 0xFF);
            }
            let expected = profile_with(&text, Delimiter::Detected, 1, BLOCK_BYTES);
            for jobs in [1, 2, 3, 8] {
                let found = profile_with(&text, Delimiter::Detected, jobs, block_bytes);
                prop_assert_eq!(&found, &expected, "{} threads", jobs);
            }
        }
    }
}
