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
    /// How many rows have so many fields that are not as many as the header has, as long as all such rows have as many.
    strange: Strange,
}

/// Rows with another number of fields than the header.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Strange {
    rows: u64,
    /// How many fields each of them has; none where they differ.
    fields: Option<usize>,
    /// Whether a field stands in one of them where the header ends.
    has_value: bool,
}

impl Strange {
    fn add(&mut self, other: Self) {
        self.fields = if self.rows == 0 || other.rows == 0 {
            self.fields.or(other.fields)
        } else {
            self.fields.filter(|fields| other.fields == Some(*fields))
        };
        self.rows += other.rows;
        self.has_value |= other.has_value;
    }
}

impl<'n> Rows<'n> {
    /// No rows yet, of so many columns.
    pub(super) fn new(columns: usize, nulls: &'n NullWords) -> Self {
        let mut rows = Self {
            nulls,
            columns: Vec::new(),
            rows: 0,
            cells: 0,
            ragged: Findings::default(),
            strange: Strange::default(),
        };
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
        self.strange.add(next.strange);
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

    /// Why all rows have another number of fields than the header, where that shows.
    fn cause(&self, names: &[String]) -> Option<String> {
        let Strange { rows, fields: Some(fields), has_value } = self.strange else { return None };
        let are_all = rows == self.rows && rows > 1;
        match names {
            [first] if first.starts_with('#') && fields > 1 => {
                Some("the first line is a comment, which readers take for the header; remove it".to_owned())
            }
            // Blank lines stand below some titles.
            [_] if rows + 2 >= self.rows && rows > 1 && fields > 1 => {
                Some(format!("the first line is a title above a table of {fields} columns; remove it"))
            }
            _ if are_all && fields == names.len() + 1 && !has_value => {
                Some("each row ends with a delimiter, and the header does not".to_owned())
            }
            _ if are_all && fields == names.len() + 1 => Some(
                "each row has one field more than the header: a column without a name, such as an index"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// The columns, which take these names, and what is wrong with rows.
    pub(super) fn finish(self, names: Vec<String>, header_line: u64) -> (Vec<Column>, Vec<DataFinding>) {
        let cause = self.cause(&names);
        let columns = names.into_iter().zip(self.columns);
        let columns =
            columns.map(|(name, column)| column.into_column(name, self.nulls.are_nulls_in_text())).collect();
        let findings = match cause {
            Some(cause) => vec![unreadable_on(header_line, cause)],
            None => self.ragged.into_list("rows with another number of fields"),
        };
        (columns, findings)
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
        } else if self.cells == self.columns.len() {
            self.strange.has_value |= !cell.is_empty();
        }
        self.cells += 1;
    }

    fn has_blank_records(&self) -> bool {
        self.columns.len() == 1
    }

    #[inline]
    fn end_record(&mut self, line: impl FnOnce() -> u64) {
        self.rows += 1;
        let (found, expected) = (self.cells, self.columns.len());
        if found != expected {
            self.strange.add(Strange { rows: 1, fields: Some(found), has_value: false });
            self.ragged.push(|| {
                let fields = if found == 1 { "1 field".to_owned() } else { format!("{found} fields") };
                unreadable_on(line(), format!("row has {fields}, the header has {expected}"))
            });
        }
        self.cells = 0;
    }
}
