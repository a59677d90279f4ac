use runtime_testing_models::{Column, DataFinding};

use super::column::ColumnState;
use super::records::RecordSink;
use super::value::number;
use crate::findings::{Findings, unreadable_on};
use crate::text::cell::{Cell, classify};
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

    /// Whether these names are values of the columns they are to name, as far as types tell: each is text above text or a value
    /// of the column's type, and together the values are no names that programs write.
    pub(super) fn has_values(&self, names: &[String]) -> bool {
        let mut values = Vec::new();
        for (column, name) in self.columns.iter().zip(names) {
            match column.kind() {
                Cell::Text
                    if !name.trim().is_empty() && classify(name.as_bytes(), self.nulls) == Cell::Text => {}
                Cell::Text => return false,
                // Behind the last delimiter of each line, in some tables.
                Cell::Null if name.is_empty() => {}
                _ => match column.kind_of_value(name, self.nulls) {
                    Some(kind) => values.push((kind, name.as_str())),
                    None => return false,
                },
            }
        }
        !are_names(&values)
    }

    /// The columns, which take these names, and what is wrong with rows.
    pub(super) fn finish(self, names: Vec<String>) -> (Vec<Column>, Vec<DataFinding>) {
        let columns = names.into_iter().zip(self.columns);
        let columns = columns.map(|(name, column)| column.into_column(name)).collect();
        (columns, self.ragged.into_list("rows with another number of fields"))
    }
}

/// Whether programs write such values as the names of columns: integers, booleans, and several floats or times from low to
/// high, as those of a pivot are.
fn are_names(values: &[(Cell, &str)]) -> bool {
    let Some((kind, _)) = values.first() else { return true };
    if values.iter().any(|(other, _)| other != kind) {
        return false;
    }
    // Dates and moments are in the order of their texts.
    let float = |name: &str| if *kind == Cell::Float { number::<f64>(name.as_bytes()) } else { None };
    let are_in_order = || {
        values.len() > 1
            && values.is_sorted_by(|(_, one), (_, other)| (float(one), one) < (float(other), other))
    };
    matches!(kind, Cell::Int | Cell::Boolean) || are_in_order()
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
