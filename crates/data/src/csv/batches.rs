use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::delimiter::Delimiter;
use super::records::{MOST_CELL_BYTES, RecordSink, Splitter};
use super::value::Values;
use crate::text::nulls::NullWords;
use crate::text::reader::TextReader;

/// A batch is full when its cells make up so many bytes, however few its rows are.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// The rows of a CSV or TSV text with a header, in columns of known types. It ends behind the first error.
#[derive(Debug)]
pub(crate) struct CsvBatches<R> {
    text: TextReader<R>,
    delimiter: Delimiter,
    splitter: Option<Splitter>,
    rows: Rows,
}

impl<R: Read> CsvBatches<R> {
    /// Batches of so many rows, of the columns that are wanted. The types are those that a profile of the text found, or wider
    /// ones.
    pub(crate) fn new(
        text: TextReader<R>,
        delimiter: Delimiter,
        (schema, is_wanted): (&Schema, impl Fn(&str) -> bool),
        nulls: NullWords,
        batch_rows: usize,
    ) -> Result<Self, ArrowError> {
        let columns = schema.fields().iter().map(|field| {
            if !is_wanted(field.name()) {
                return Ok(Values::Skipped);
            }
            let message = || format!("text has no values of type {}", field.data_type());
            Values::new(field.data_type()).ok_or_else(|| ArrowError::CsvError(message()))
        });
        let wanted = schema.fields().iter().filter(|field| is_wanted(field.name())).cloned();
        let rows = Rows {
            columns: columns.collect::<Result<_, _>>()?,
            schema: Arc::new(Schema::new(wanted.collect::<Vec<_>>())),
            nulls,
            batch_rows,
            header_is_past: false,
            cells: 0,
            misfit: false,
            rows: 0,
            finished_rows: 0,
            bytes: 0,
            finished: VecDeque::new(),
            ended: false,
        };
        Ok(Self { text, delimiter, splitter: None, rows })
    }

    /// Reads the next chunk, or what is left behind the last.
    fn read_on(&mut self) -> Result<(), ArrowError> {
        if self.text.advance()? {
            let chunk = self.text.chunk();
            let delimiter = self.delimiter;
            let splitter = self.splitter.get_or_insert_with(|| Splitter::keeping_all(delimiter.byte(chunk)));
            splitter.feed(chunk, &mut self.rows);
            return Ok(());
        }
        if let Some(mut splitter) = self.splitter.take()
            && splitter.finish(&mut self.rows).is_some()
        {
            self.rows.refuse("a quote is not closed");
        }
        self.rows.finish_batch();
        self.rows.ended = true;
        Ok(())
    }
}

impl<R: Read> Iterator for CsvBatches<R> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(finished) = self.rows.finished.pop_front() {
                return Some(finished);
            }
            if self.rows.ended {
                return None;
            }
            if let Err(error) = self.read_on() {
                self.rows.ended = true;
                return Some(Err(error));
            }
        }
    }
}

/// The rows of the batch that is being filled, and the batches that nobody has asked for yet.
#[derive(Debug)]
struct Rows {
    schema: SchemaRef,
    nulls: NullWords,
    columns: Vec<Values>,
    batch_rows: usize,
    header_is_past: bool,
    /// The cells of the open row, and whether one of them is not of its column's type.
    cells: usize,
    misfit: bool,
    rows: usize,
    finished_rows: u64,
    bytes: usize,
    finished: VecDeque<Result<RecordBatch, ArrowError>>,
    ended: bool,
}

impl RecordSink for Rows {
    fn cell(&mut self, cell: &[u8]) {
        if !self.header_is_past || self.ended {
            return;
        }
        if cell.len() > MOST_CELL_BYTES {
            let row = self.finished_rows + self.rows as u64 + 1;
            return self.refuse(&format!("row {row} has a cell of more than {} MiB", MOST_CELL_BYTES >> 20));
        }
        match self.columns.get_mut(self.cells) {
            Some(column) => self.misfit |= !column.append(cell, &self.nulls),
            None => self.misfit = true,
        }
        self.cells += 1;
        self.bytes += cell.len();
    }

    fn has_blank_records(&self) -> bool {
        self.header_is_past && self.columns.len() == 1
    }

    fn end_record(&mut self, _: impl FnOnce() -> u64) {
        if !std::mem::replace(&mut self.header_is_past, true) || self.ended {
            return;
        }
        if self.misfit || self.cells != self.columns.len() {
            let row = self.finished_rows + self.rows as u64 + 1;
            self.refuse(&format!("row {row} does not have the types that the text had before"));
            return;
        }
        self.cells = 0;
        self.rows += 1;
        if self.rows >= self.batch_rows || self.bytes >= BATCH_BYTES {
            self.finish_batch();
        }
    }
}

impl Rows {
    fn refuse(&mut self, message: &str) {
        self.finished.push_back(Err(ArrowError::CsvError(message.to_owned())));
        self.ended = true;
    }

    fn finish_batch(&mut self) {
        if self.rows == 0 || self.ended {
            return;
        }
        let columns: Vec<ArrayRef> = self.columns.iter_mut().filter_map(Values::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let schema = SchemaRef::clone(&self.schema);
        self.finished.push_back(RecordBatch::try_new_with_options(schema, columns, &options));
        self.finished_rows += self.rows as u64;
        self.rows = 0;
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};

    use super::*;
    use crate::text::cell::LONGEST_CELL;

    fn batches(text: &str, batch_rows: usize) -> Vec<Result<RecordBatch, String>> {
        let schema =
            Schema::new(vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8, true)]);
        let text = TextReader::with_chunk_bytes(text.as_bytes(), 16);
        let nulls = NullWords::by_default().clone();
        let batches = CsvBatches::new(text, Delimiter::Detected, (&schema, |_| true), nulls, batch_rows);
        let batches = batches.expect("types that text shows");
        batches.map(|batch| batch.map_err(|error| error.to_string())).collect()
    }

    #[test]
    fn rows_come_in_batches() {
        let found = batches("a;b\n1;x\n\n2;\"y;\n\"\n3;\nNA;NA", 3);
        let rows: Vec<usize> = found.iter().map(|batch| batch.as_ref().unwrap().num_rows()).collect();
        assert_eq!(rows, [3, 1]);
        let first = found[0].as_ref().unwrap();
        assert_eq!(first.column(0).as_primitive::<Int64Type>().values(), &[1, 2, 3]);
        let texts: Vec<Option<&str>> = first.column(1).as_string::<i32>().iter().collect();
        assert_eq!(texts, [Some("x"), Some("y;\n"), None]);
        let last = found[1].as_ref().unwrap();
        assert!(last.column(0).is_null(0));
        assert_eq!(last.column(1).as_string::<i32>().value(0), "NA");
        assert_eq!(batches("a,b\n", 3), []);
    }

    #[test]
    fn long_cells_are_read_as_a_whole() {
        let long = "x".repeat(5 * LONGEST_CELL);
        let found = batches(&format!("a,b\n1,{long}\n2,\"{long}\"\n"), 10);
        let texts: Vec<Option<&str>> =
            found[0].as_ref().unwrap().column(1).as_string::<i32>().iter().collect();
        assert_eq!(texts, [Some(long.as_str()); 2]);
    }

    #[test]
    fn cells_that_are_too_long_are_refused() {
        use std::io::Cursor;

        let long = std::io::repeat(b'x').take(MOST_CELL_BYTES as u64 + 1);
        let text = Cursor::new("a,b\n1,y\n2,").chain(long).chain(Cursor::new("\n3,z\n"));
        let schema =
            Schema::new(vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8, true)]);
        let nulls = NullWords::by_default().clone();
        let batches =
            CsvBatches::new(TextReader::new(text), Delimiter::Detected, (&schema, |_| true), nulls, 10);
        let last = batches.expect("types that text shows").last().expect("an error").unwrap_err();
        assert_eq!(last.to_string(), "Csv error: row 2 has a cell of more than 64 MiB");
    }

    #[test]
    fn many_bytes_fill_a_batch() {
        let long = "x".repeat(BATCH_BYTES);
        let found = batches(&format!("a,b\n1,{long}\n2,y\n"), 10);
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_no_longer_fits_ends_the_batches() {
        for (text, row) in [("a,b\n1,x\n2,y\nz,z\n4,x\n", 3), ("a,b\n1,x,2\n", 1), ("a,b\n1\n2,x\n", 1)] {
            let found = batches(text, 2);
            let last = found.last().expect("an error").as_ref().unwrap_err();
            assert_eq!(
                last,
                &format!("Csv error: row {row} does not have the types that the text had before")
            );
        }
        let found = batches("a,b\n1,x\n2,\"y\n", 2);
        assert_eq!(found, [Err("Csv error: a quote is not closed".to_owned())]);
    }
}
