use std::io::{self, Read};

use runtime_testing_models::{FileFormat, TableSchema};

use super::lexer::Lexer;
use super::rows::Rows;
use crate::findings::{Findings, Stop, finding_on};
use crate::profile::Content;
use crate::text_reader::TextReader;

const BYTE_ORDER_MARK: &str = "the text begins with a byte order mark, which JSON does not allow";

/// Profiles a text that is one JSON value, or one object on each of several lines, which is NDJSON.
pub(crate) fn profile_document(text: &mut TextReader<impl Read>) -> io::Result<(FileFormat, Content)> {
    let mut lexer = Lexer::new(text);
    match read_document(&mut lexer) {
        Ok(Document::Value(schema)) => {
            Ok((FileFormat::Json, Content::of_text(schema, lexer.into_duplicate_keys())))
        }
        Ok(Document::Lines(first)) => Ok((FileFormat::Ndjson, read_lines(lexer, first)?)),
        Err(stop) => {
            let mut findings = vec![stop.into_finding()?];
            findings.extend(lexer.into_duplicate_keys());
            Ok((FileFormat::Json, Content::of_text(None, findings)))
        }
    }
}

/// Profiles a text that holds one JSON object a line.
pub(crate) fn profile_lines(text: &mut TextReader<impl Read>) -> io::Result<Content> {
    read_lines(Lexer::new(text), Rows::default())
}

/// What a text of JSON turns out to be.
#[derive(Debug)]
enum Document {
    /// One value; an array of objects is a table.
    Value(Option<TableSchema>),
    /// One object a line, of which the first was read.
    Lines(Rows),
}

fn read_document<R: Read>(lexer: &mut Lexer<'_, R>) -> Result<Document, Stop> {
    let first = lexer.next()?;
    if lexer.has_byte_order_mark() {
        return Err(Stop::Bad(finding_on(1, BYTE_ORDER_MARK)));
    }
    let schema = match first {
        Some(b'[') => read_array(lexer)?,
        Some(b'{') => {
            let begins = lexer.line();
            let mut rows = Rows::default();
            rows.read_row(lexer)?;
            let ends = lexer.line();
            if lexer.next()? == Some(b'{') && begins == ends && lexer.line() > ends {
                return Ok(Document::Lines(rows));
            }
            None
        }
        _ => {
            lexer.value(0)?;
            None
        }
    };
    match lexer.next()? {
        None => Ok(Document::Value(schema)),
        Some(_) => Err(lexer.unexpected("nothing behind the value")),
    }
}

/// Reads an array. It is a table if all it holds is objects.
fn read_array<R: Read>(lexer: &mut Lexer<'_, R>) -> Result<Option<TableSchema>, Stop> {
    lexer.expect(b'[', "`[`")?;
    let mut rows = Some(Rows::default());
    let mut more = !lexer.take_if(b']')?;
    while more {
        match &mut rows {
            Some(table) if lexer.next()? == Some(b'{') => table.read_row(lexer)?,
            _ => {
                rows = None;
                lexer.value(1)?;
            }
        }
        more = !lexer.take_if(b']')?;
        if more {
            lexer.expect(b',', "`,` or `]`")?;
        }
    }
    Ok(rows.map(Rows::into_schema))
}

fn read_lines<R: Read>(mut lexer: Lexer<'_, R>, mut rows: Rows) -> io::Result<Content> {
    lexer.go_line_by_line();
    let mut bad_lines = Findings::default();
    loop {
        match read_line(&mut lexer, &mut rows) {
            Ok(true) => {}
            Ok(false) => break,
            Err(stop) => {
                let finding = stop.into_finding()?;
                bad_lines.push(|| finding);
                lexer.skip_line()?;
            }
        }
    }
    let mut findings = bad_lines.into_list("lines that are no JSON object");
    if lexer.has_byte_order_mark() {
        findings.insert(0, finding_on(1, BYTE_ORDER_MARK));
    }
    findings.extend(lexer.into_duplicate_keys());
    Ok(Content::of_text(Some(rows.into_schema()), findings))
}

/// Reads the next line, and says whether there was one.
fn read_line<R: Read>(lexer: &mut Lexer<'_, R>, rows: &mut Rows) -> Result<bool, Stop> {
    match lexer.next()? {
        None => return Ok(false),
        Some(b'\n') => {}
        Some(b'{') => rows.read_row(lexer)?,
        Some(_) => {
            lexer.value(0)?;
            return Err(Stop::Bad(finding_on(lexer.line(), "the line is no object")));
        }
    }
    if lexer.take_line_end()? || lexer.next()?.is_none() {
        return Ok(true);
    }
    Err(lexer.unexpected("nothing behind the object"))
}
