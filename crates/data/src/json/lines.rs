//! NDJSON, one object a line. A line break never lies within a value, so the text is split into parts of whole lines, and
//! several threads read a part each.
//!
//! What a row changes depends on the types of the rows before it. So a part is read with the types that were known when
//! it was begun, and read again if the parts before it have changed them. Parts are put together in their order, which
//! makes the result that of reading one line after the other.

use std::io::{self, Cursor, Read};
use std::num::NonZeroUsize;

use runtime_testing_models::DataFinding;

use super::document::{BYTE_ORDER_MARK, DUPLICATE_KEYS};
use super::lexer::{Chunks, Lexer};
use super::parts::{Part, Parts, Rest};
use super::rows::{Counts, Rows};
use super::threads::read_parts;
use crate::content::Content;
use crate::findings::{Findings, Stop, after_lines, unreadable_on};

/// The size of a part, about.
const PART_BYTES: usize = 512 * 1024;

/// A line that is longer is not kept as a whole. What comes from there on is read by one thread.
const LONGEST_LINE: usize = 2 * 1024 * 1024;

/// More threads would only wait for what is read from the disk, and hold memory.
const MOST_JOBS: usize = 16;

/// Profiles a text that holds one JSON object a line.
pub(crate) fn profile_lines(source: impl Read + Send, jobs: NonZeroUsize) -> io::Result<Content> {
    profile_parts(source, jobs, PART_BYTES, LONGEST_LINE)
}

fn profile_parts(
    source: impl Read + Send,
    jobs: NonZeroUsize,
    part_bytes: usize,
    longest_line: usize,
) -> io::Result<Content> {
    let mut parts = Parts::new(source, part_bytes, longest_line);
    let has_mark = parts.skip_byte_order_mark()?;
    let mut begin = Vec::new();
    parts.next(&mut begin)?;
    // The types are mostly known after the first part.
    let mut table = Table::default();
    table.read_now(&begin);
    if !parts.is_ended {
        (parts, table) = read_parts(parts, table, jobs.get().min(MOST_JOBS))?;
    }
    table.read_rest(parts)?;
    Ok(table.into_content(has_mark))
}

/// What is wrong in some lines, and how many these are.
#[derive(Debug, Default)]
pub(super) struct Lines {
    count: u64,
    bad: Findings,
    duplicate_keys: Findings,
    /// Why the rest was not read.
    end: Option<DataFinding>,
}

/// Reads a part.
pub(super) fn read_part(rows: &mut Rows, part: &[u8]) -> Lines {
    let mut part = Part::new(part);
    let mut lexer = Lexer::new(&mut part);
    let mut bad = Findings::default();
    let end = read_lines(&mut lexer, rows, &mut bad).expect("a slice can be read");
    Lines { count: lexer.line() - 1, bad, duplicate_keys: lexer.into_duplicate_keys(), end }
}

/// Reads all lines, or up to one behind which there is no use in reading on.
fn read_lines<T: Chunks>(
    lexer: &mut Lexer<'_, T>,
    rows: &mut Rows,
    bad: &mut Findings,
) -> io::Result<Option<DataFinding>> {
    lexer.go_line_by_line();
    // What lies in later parts was not to be read.
    if rows.is_full() {
        return Ok(None);
    }
    loop {
        match read_line(lexer, rows) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(stop) => {
                let finding = stop.into_finding()?;
                if rows.is_full() {
                    return Ok(Some(finding));
                }
                bad.add(finding);
                lexer.skip_line()?;
            }
        }
    }
}

/// Reads the next line, and says whether there was one.
fn read_line<T: Chunks>(lexer: &mut Lexer<'_, T>, rows: &mut Rows) -> Result<bool, Stop> {
    if let Some(bytes) = rows.read_plain_line(lexer.rest()) {
        lexer.take_line(bytes);
        return Ok(true);
    }
    match lexer.next()? {
        None => return Ok(false),
        Some(b'\n') => {}
        Some(b'{') => rows.read_row(lexer)?,
        Some(_) => {
            lexer.value(0)?;
            return Err(Stop::Bad(unreadable_on(lexer.line(), "the line is no object")));
        }
    }
    if lexer.take_line_end()? || lexer.next()?.is_none() {
        return Ok(true);
    }
    Err(lexer.unexpected("nothing behind the object"))
}

/// What is known after some of the parts, in their order.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Rows,
    lines: Lines,
    /// Grows whenever a column is added or becomes wider.
    pub(super) version: u64,
}

impl Table {
    /// Reads a part that comes behind all that is known.
    pub(super) fn read_now(&mut self, part: &[u8]) {
        let mut rows = self.rows.like();
        let lines = read_part(&mut rows, part);
        self.append(rows, lines);
    }

    pub(super) fn append(&mut self, rows: Rows, lines: Lines) {
        self.version += u64::from(rows.is_changed());
        self.rows.append(rows);
        self.append_lines(lines);
    }

    /// Adds rows that changed nothing but counts.
    pub(super) fn append_counts(&mut self, counts: &Counts, lines: Lines) {
        self.rows.add_counts(counts);
        self.append_lines(lines);
    }

    /// No rows yet, of columns with the types that are known.
    pub(super) fn rows_like_known(&self) -> Rows {
        self.rows.like()
    }

    fn append_lines(&mut self, lines: Lines) {
        self.lines.bad.append(lines.bad, self.lines.count);
        self.lines.duplicate_keys.append(lines.duplicate_keys, self.lines.count);
        if let Some(end) = lines.end {
            self.lines.end.get_or_insert(after_lines(end, self.lines.count));
        }
        self.lines.count += lines.count;
    }

    /// Reads a text from a line on that is too long for a part, if there is one.
    fn read_rest<R: Read>(&mut self, parts: Parts<R>) -> io::Result<()> {
        if !parts.is_too_long {
            return Ok(());
        }
        let mut text = Rest::new(Cursor::new(parts.begun_line).chain(parts.source), parts.part_bytes);
        let mut lexer = Lexer::new(&mut text);
        lexer.begin_on_line(self.lines.count + 1);
        let end = read_lines(&mut lexer, &mut self.rows, &mut self.lines.bad)?;
        self.lines.end = self.lines.end.take().or(end);
        self.lines.duplicate_keys.append(lexer.into_duplicate_keys(), 0);
        Ok(())
    }

    fn into_content(self, has_mark: bool) -> Content {
        let mut findings = self.lines.bad.into_list("lines that are no JSON object");
        if has_mark {
            findings.insert(0, unreadable_on(1, BYTE_ORDER_MARK));
        }
        findings.extend(self.lines.duplicate_keys.into_list(DUPLICATE_KEYS));
        findings.extend(self.lines.end);
        Content::of_text(Some(self.rows.into_schema()), findings)
    }
}

#[cfg(test)]
mod tests;
