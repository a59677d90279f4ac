use runtime_testing_models::Column;

use super::shapes::{is_plain_timestamp, is_short_integer, is_short_number};
use crate::text::cell::{Cell, classify, is_boolean};
use crate::text::nulls::NullWords;
use crate::text::shown;
use runtime_testing_models::{LogicalType, TimeUnit};

/// What is known of a column after some of its rows.
#[derive(Debug)]
pub(crate) struct ColumnState {
    /// The narrowest type of all cells so far; [`Cell::Null`] as long as there is no value.
    kind: Cell,
    empty_cells: u64,
    null_words: u64,
    /// What made the type what it is: the first value, and each that made it wider.
    changes: Vec<Change>,
}

/// A value that changed the type of its column.
#[derive(Debug)]
struct Change {
    kind: Cell,
    row: u64,
    value: String,
}

impl ColumnState {
    pub(crate) fn new() -> Self {
        Self { kind: Cell::Null, empty_cells: 0, null_words: 0, changes: Vec::new() }
    }

    /// Takes in the cell of a row.
    #[inline]
    pub(crate) fn see(&mut self, cell: &[u8], row: u64, nulls: &NullWords) {
        let is_as_before = match self.kind {
            // In text, a word for a null is text, unless it was named.
            Cell::Text => {
                self.empty_cells += u64::from(cell.is_empty());
                self.null_words += u64::from(nulls.is_null_in_text(cell));
                return;
            }
            Cell::Int => is_short_integer(cell) && cell[0] != b'-',
            Cell::Signed => is_short_integer(cell),
            Cell::Float => is_short_number(cell),
            Cell::Timestamp => is_plain_timestamp(cell),
            Cell::Boolean => is_boolean(cell),
            _ => false,
        };
        if !is_as_before || nulls.hide_values() {
            self.look(cell, row, nulls);
        }
    }

    /// Takes in a cell that may be anything.
    fn look(&mut self, cell: &[u8], row: u64, nulls: &NullWords) {
        if cell.is_empty() {
            self.empty_cells += 1;
            return;
        }
        match classify(cell, nulls) {
            Cell::Null => self.null_words += 1,
            Cell::Int if cell.trim_ascii_start().starts_with(b"-") => {
                self.widen(Cell::Signed, row, || shown(cell))
            }
            found => self.widen(found, row, || shown(cell)),
        }
    }

    fn widen(&mut self, found: Cell, row: u64, value: impl FnOnce() -> String) {
        let kind = join(self.kind, found);
        if kind != self.kind {
            self.kind = kind;
            self.changes.push(Change { kind, row, value: value() });
        }
    }

    /// Takes in what is known of the rows that follow the first `rows`.
    pub(crate) fn append(&mut self, next: Self, rows: u64) {
        self.empty_cells += next.empty_cells;
        self.null_words += next.null_words;
        for change in next.changes {
            self.widen(change.kind, rows + change.row, || change.value);
        }
    }

    /// The narrowest type of all cells so far.
    pub(super) fn kind(&self) -> Cell {
        self.kind
    }

    /// What a text is, if it is a value like those of the column, and the column is not text.
    pub(crate) fn kind_of_value(&self, text: &str, nulls: &NullWords) -> Option<Cell> {
        let kind = classify(text.as_bytes(), nulls);
        let is_value = !matches!(kind, Cell::Null | Cell::Text);
        (is_value && self.kind != Cell::Text && join(self.kind, kind) == self.kind).then_some(kind)
    }

    pub(crate) fn into_column(self, name: String, are_nulls_in_text: bool) -> Column {
        let nulls = match self.kind {
            Cell::Text if !are_nulls_in_text => self.empty_cells,
            _ => self.empty_cells + self.null_words,
        };
        // The first value makes nothing wider, and is nobody's business; neither is a sign.
        let mut deciding = None;
        let mut before = None;
        for change in self.changes {
            let after = type_of(change.kind);
            if before.as_ref().is_some_and(|before| *before != after) {
                deciding = Some((change.row, change.value));
            }
            before = Some(after);
        }
        let (deciding_row, deciding_value) = deciding.unzip();
        Column {
            nullable: nulls > 0,
            nulls: Some(nulls),
            deciding_row,
            deciding_value,
            ..Column::new(name, type_of(self.kind))
        }
    }
}

/// The type of a column.
fn type_of(kind: Cell) -> LogicalType {
    match kind {
        Cell::Null => LogicalType::Null,
        Cell::Boolean => LogicalType::Boolean,
        Cell::Int | Cell::Signed => LogicalType::Int(64),
        Cell::Uint => LogicalType::Uint(64),
        Cell::Float => LogicalType::Float(64),
        Cell::Date => LogicalType::Date,
        Cell::Timestamp => LogicalType::Timestamp(TimeUnit::Microsecond, None),
        Cell::ZonedTimestamp => LogicalType::Timestamp(TimeUnit::Microsecond, Some("UTC".to_owned())),
        Cell::Text => LogicalType::Text,
    }
}

/// The narrowest type of a column with both.
fn join(one: Cell, other: Cell) -> Cell {
    match (one, other) {
        (Cell::Null, kind) | (kind, Cell::Null) => kind,
        (one, other) if one == other => one,
        (Cell::Int, Cell::Signed) | (Cell::Signed, Cell::Int) => Cell::Signed,
        (Cell::Int, Cell::Uint) | (Cell::Uint, Cell::Int) => Cell::Uint,
        (Cell::Int | Cell::Signed | Cell::Float, Cell::Int | Cell::Signed | Cell::Float) => Cell::Float,
        (Cell::Date | Cell::Timestamp, Cell::Date | Cell::Timestamp) => Cell::Timestamp,
        _ => Cell::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The type, the nulls, and the row and value that decided.
    #[track_caller]
    fn check(cells: &[&str], expected: (&str, u64), deciding: Option<(u64, &str)>) {
        let mut state = ColumnState::new();
        for (index, cell) in cells.iter().enumerate() {
            state.see(cell.as_bytes(), index as u64 + 1, NullWords::by_default());
        }
        let column = state.into_column("c".to_owned(), false);
        for cut in 0..=cells.len() {
            assert_eq!(in_two_parts(cells, cut), column, "cut before cell {cut}");
        }
        assert_eq!((&*column.data_type.to_string(), column.nulls), (expected.0, Some(expected.1)));
        assert_eq!(column.nullable, expected.1 > 0);
        assert_eq!(column.deciding_row, deciding.map(|(row, _)| row));
        assert_eq!(column.deciding_value.as_deref(), deciding.map(|(_, value)| value));
    }

    /// The column of which the cells before and behind a cut are seen by themselves.
    fn in_two_parts(cells: &[&str], cut: usize) -> Column {
        let mut parts = [ColumnState::new(), ColumnState::new()];
        for (part, cells) in parts.iter_mut().zip([&cells[..cut], &cells[cut..]]) {
            for (index, cell) in cells.iter().enumerate() {
                part.see(cell.as_bytes(), index as u64 + 1, NullWords::by_default());
            }
        }
        let [mut first, second] = parts;
        first.append(second, cut as u64);
        first.into_column("c".to_owned(), false)
    }

    #[test]
    fn columns_of_one_type() {
        check(&[], ("null", 0), None);
        check(&["", "NA", ""], ("null", 3), None);
        check(&["1", "-2", ""], ("int64", 1), None);
        check(&["NaN", "1.5", "inf"], ("float64", 1), None);
        check(&["true", "", "FALSE"], ("boolean", 1), None);
        check(&["2024-01-31", "NA"], ("date", 1), None);
        check(&["2024-01-31T10:00", "2024-01-31 10:00:01.5"], ("timestamp[us]", 0), None);
        check(&["2024-01-31T10:00Z"], ("timestamp[us, UTC]", 0), None);
        check(&["a", "1", "NA", ""], ("text", 1), None);
        check(&["NA", "a"], ("text", 0), None);
    }

    #[test]
    fn columns_that_widen() {
        check(&["1", "2", "2.5", "3"], ("float64", 0), Some((3, "2.5")));
        check(&["1.5", "2"], ("float64", 0), None);
        check(&["1", "2.5", "n/a?"], ("text", 0), Some((3, "n/a?")));
        check(&["2024-01-31", "2024-01-31T10:00"], ("timestamp[us]", 0), Some((2, "2024-01-31T10:00")));
        check(&["2024-01-31T10:00", "2024-01-31"], ("timestamp[us]", 0), None);
        check(&["2024-01-31", "2024-01-31T10:00Z"], ("text", 0), Some((2, "2024-01-31T10:00Z")));
        check(&["2024-01-31T10:00", "2024-01-31T10:00Z"], ("text", 0), Some((2, "2024-01-31T10:00Z")));
        check(&["true", "1"], ("text", 0), Some((2, "1")));
        check(&["1", "007"], ("text", 0), Some((2, "007")));
        check(&["1", "9223372036854775808"], ("uint64", 0), Some((2, "9223372036854775808")));
        check(&["1", "-2", "3"], ("int64", 0), None);
        check(&["1", "9223372036854775808", "-1"], ("text", 0), Some((3, "-1")));
        check(&["-1", "9223372036854775808"], ("text", 0), Some((2, "9223372036854775808")));
        check(&["0.5", "9223372036854775808"], ("text", 0), Some((2, "9223372036854775808")));
        check(&["1", "18446744073709551616"], ("text", 0), Some((2, "18446744073709551616")));
        check(&["1", "2024-01-31"], ("text", 0), Some((2, "2024-01-31")));
    }

    #[test]
    fn deciding_values_are_cut() {
        let long = "\u{20ac}".repeat(100);
        check(&["1", &long], ("text", 0), Some((2, &long[..240])));
        assert_eq!(shown(b"a\xFFb"), "a\u{fffd}b");
    }
}
