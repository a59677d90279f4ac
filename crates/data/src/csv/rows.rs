use runtime_testing_models::{Column, DataFinding};

use super::column::ColumnState;
use super::first_line::FirstLine;
use super::records::RecordSink;
use crate::findings::{Findings, unreadable_on};
use crate::text::cell::Cell;
use crate::text::nulls::NullWords;

/// What is known of some rows that follow each other.
#[derive(Debug)]
pub(super) struct Rows<'n> {
    nulls: &'n NullWords,
    columns: Vec<ColumnState>,
    rows: u64,
    /// The cells of the open row.
    cells: usize,
    ragged: Findings,
}

impl<'n> Rows<'n> {
    /// No rows yet, of so many columns.
    pub(super) fn new(columns: usize, nulls: &'n NullWords) -> Self {
        let mut rows = Self { nulls, columns: Vec::new(), rows: 0, cells: 0, ragged: Findings::default() };
        rows.widen(columns);
        rows
    }

    /// Makes room for so many columns, before the first row.
    pub(super) fn widen(&mut self, columns: usize) {
        self.columns.resize_with(columns, ColumnState::new);
    }

    pub(super) fn count(&self) -> u64 {
        self.rows
    }

    /// Takes in the rows that follow, which begin behind so many lines. There must be no open row.
    pub(super) fn append(&mut self, next: Self, lines: u64) {
        for (column, next) in self.columns.iter_mut().zip(next.columns) {
            column.append(next, self.rows);
        }
        self.ragged.append(next.ragged, lines);
        self.rows += next.rows;
        self.cells = next.cells;
    }

    /// Whether these names are values of the columns they are to name, and not all of them integers, which names may be.
    pub(super) fn has_values(&self, names: &[String]) -> bool {
        let found =
            self.columns.iter().zip(names).map(|(column, name)| column.kind_of_value(name, self.nulls));
        let found: Option<Vec<Cell>> = found.collect();
        found.is_some_and(|kinds| kinds.iter().any(|kind| *kind != Cell::Int))
    }

    /// The first line with these cells, if it may be a row of columns with text, which only the rows can tell.
    pub(super) fn first_line_in_doubt(&self, cells: &[String]) -> Option<FirstLine<'n>> {
        FirstLine::in_doubt(&self.columns, cells, self.nulls)
    }

    /// The columns, which take these names, and what is wrong with rows.
    pub(super) fn finish(self, names: Vec<String>) -> (Vec<Column>, Vec<DataFinding>) {
        let columns = names.into_iter().zip(self.columns);
        let columns = columns.map(|(name, column)| column.into_column(name)).collect();
        (columns, self.ragged.into_list("rows with another number of fields"))
    }
}

impl RecordSink for Rows<'_> {
    #[inline]
    fn cell(&mut self, cell: &[u8]) {
        if let Some(column) = self.columns.get_mut(self.cells) {
            column.see(cell, self.rows + 1, self.nulls);
        }
        self.cells += 1;
    }

    #[inline]
    fn end_record(&mut self, line: impl FnOnce() -> u64) {
        self.rows += 1;
        let (found, expected) = (self.cells, self.columns.len());
        if found != expected {
            self.ragged.push(|| {
                let fields = if found == 1 { "1 field".to_owned() } else { format!("{found} fields") };
                unreadable_on(line(), format!("row has {fields}, the header has {expected}"))
            });
        }
        self.cells = 0;
    }
}
