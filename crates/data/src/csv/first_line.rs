//! Whether the first line of a table with columns of text is one of its rows, so that the header is missing.
//!
//! Mostly a profile shows that it is none: there are words above numbers and dates. Where there are none, as in a table without a
//! header, and in a pivot with years for names, the rows have to tell, and are read a second time.

use std::io::{self, Read};

use super::column::ColumnState;
use super::records::{RecordSink, Splitter};
use super::value::number;
use crate::text::cell::{Cell, LONGEST_CELL, classify};
use crate::text::nulls::NullWords;
use crate::text::reader::TextReader;

/// In how many rows a text has to stand again. Once is chance: a list of words has the word `word`.
const FEWEST_AGAIN: usize = 2;

/// The integers that may be years.
const YEARS: std::ops::Range<i64> = 1800..2200;

/// How many rows have to count on from the first line.
const FEWEST_COUNTED: usize = 3;

/// A first line that may be a row, and what the rows seen so far say of that.
#[derive(Debug)]
pub(super) struct FirstLine<'n> {
    nulls: &'n NullWords,
    columns: Vec<Column>,
    /// Whether programs write what it has beside text as names, so that the rows have to show more.
    may_be_names: bool,
    /// The numbers of the first column, as long as they go on from that of the first line.
    count: Option<Count>,
    is_past: bool,
    /// The cells of the open row.
    cells: usize,
}

/// What the first line has above a column, and whether the open row has the same.
#[derive(Debug)]
struct Column {
    cell: String,
    is_same: bool,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Text above text, which so many rows hold again.
    Text(usize),
    /// A number or the like above text.
    TextBelowValue,
    Number(Range),
    /// A date, a time or a boolean above its like, or nothing above nothing.
    Other,
}

/// A number, and between which numbers the rows below it lie.
#[derive(Debug)]
struct Range {
    first: f64,
    open: Option<f64>,
    bounds: Option<(f64, f64)>,
}

#[derive(Debug)]
struct Count {
    next: i64,
    open: Option<i64>,
    rows: usize,
}

impl<'n> FirstLine<'n> {
    /// The first line, if there is text in the table, and values, and none of them below what can only be a name.
    pub(super) fn in_doubt(states: &[ColumnState], cells: &[String], nulls: &'n NullWords) -> Option<Self> {
        let mut columns = Vec::new();
        let mut values = Vec::new();
        for (state, cell) in states.iter().zip(cells) {
            let kind = match state.kind() {
                Cell::Text if cell.trim().is_empty() => return None,
                Cell::Text if classify(cell.as_bytes(), nulls) == Cell::Text => Kind::Text(0),
                Cell::Text => Kind::TextBelowValue,
                // Behind the last delimiter of each line, in some tables.
                Cell::Null if cell.is_empty() => Kind::Other,
                _ => {
                    let value = state.kind_of_value(cell, nulls)?;
                    values.push((value, cell.as_str()));
                    Kind::of_value(value, cell)?
                }
            };
            columns.push(Column { cell: cell.clone(), is_same: false, kind });
        }
        let is_text = |column: &Column| matches!(column.kind, Kind::Text(_));
        if values.is_empty() || !columns.iter().any(is_text) {
            return None;
        }
        let count = Count::begin(&columns, &values);
        let may_be_names = may_be_names(&values);
        Some(Self { nulls, columns, may_be_names, count, is_past: false, cells: 0 })
    }

    /// Reads the text again, with such a delimiter, as far as it takes to say whether the line is a row.
    pub(super) fn proves_to_be_row(
        mut self,
        text: impl Read,
        delimiter: u8,
        chunk_bytes: usize,
    ) -> io::Result<bool> {
        let mut text = TextReader::with_chunk_bytes(text, chunk_bytes);
        let mut splitter = Splitter::new(delimiter);
        while self.can_be_row() && !self.is_told_by_text() && text.advance()? {
            splitter.feed(text.chunk(), &mut self);
        }
        splitter.finish(&mut self);
        Ok(self.is_told_by_text() || self.is_told_by_count())
    }

    /// Whether rows that are still to come may show that the line is one.
    fn can_be_row(&self) -> bool {
        let texts = self.columns.iter().filter(|column| matches!(column.kind, Kind::Text(_)));
        self.count.is_some() || texts.count() >= self.fewest_texts()
    }

    /// In how many columns texts have to stand again.
    fn fewest_texts(&self) -> usize {
        if self.may_be_names { 2 } else { 1 }
    }

    /// Whether texts of the line stand again below it, and its numbers are not far from those below it.
    fn is_told_by_text(&self) -> bool {
        let stands_again =
            |column: &&Column| matches!(column.kind, Kind::Text(again) if again >= FEWEST_AGAIN);
        let is_near = |column: &Column| match &column.kind {
            Kind::Number(range) => range.is_near(),
            _ => true,
        };
        self.columns.iter().filter(stands_again).count() >= self.fewest_texts()
            && self.columns.iter().all(is_near)
    }

    fn is_told_by_count(&self) -> bool {
        self.count.as_ref().is_some_and(|count| count.rows >= FEWEST_COUNTED)
    }

    fn end_row(&mut self) {
        let is_text = |column: &&Column| matches!(column.kind, Kind::Text(_) | Kind::TextBelowValue);
        // It may be the header of another table that was put behind this one, with other numbers for names.
        let is_like_header = self.columns.iter().filter(is_text).all(|column| column.is_same);
        for column in &mut self.columns {
            match &mut column.kind {
                Kind::Text(again) => {
                    *again += usize::from(column.is_same && !(is_like_header && self.may_be_names));
                }
                Kind::Number(range) if !is_like_header => range.widen(),
                _ => {}
            }
        }
        self.count = self.count.take().and_then(Count::go_on);
    }
}

impl RecordSink for FirstLine<'_> {
    fn cell(&mut self, cell: &[u8]) {
        if let Some(column) = self.columns.get_mut(self.cells)
            && self.is_past
        {
            column.is_same = column.cell.as_bytes() == &cell[..cell.len().min(LONGEST_CELL)];
            let is_number = || matches!(classify(cell, self.nulls), Cell::Int | Cell::Float);
            if let Kind::Number(range) = &mut column.kind {
                range.open = if is_number() { number(cell) } else { None };
            }
            if let Some(count) = self.count.as_mut().filter(|_| self.cells == 0) {
                count.open = number(cell);
            }
        }
        self.cells += 1;
    }

    fn end_record(&mut self, _: impl FnOnce() -> u64) {
        let is_whole = std::mem::take(&mut self.cells) == self.columns.len();
        let is_row = std::mem::replace(&mut self.is_past, true);
        // A header stands again where files were put one behind the other.
        if is_row && is_whole && !self.columns.iter().all(|column| column.is_same) {
            self.end_row();
        }
    }
}

impl Kind {
    fn of_value(value: Cell, cell: &str) -> Option<Self> {
        Some(match value {
            Cell::Int | Cell::Float => {
                Self::Number(Range { first: number(cell.as_bytes())?, open: None, bounds: None })
            }
            _ => Self::Other,
        })
    }
}

impl Range {
    fn widen(&mut self) {
        let Some(number) = self.open.take().filter(|number| number.is_finite()) else { return };
        let (low, high) = self.bounds.unwrap_or((number, number));
        self.bounds = Some((low.min(number), high.max(number)));
    }

    /// Whether the first number is no farther from the others than they are from each other. The year above a column is,
    /// mostly, and the first of growing identifiers is not.
    fn is_near(&self) -> bool {
        self.bounds.is_some_and(|(low, high)| {
            let width = high - low;
            (low - width..=high + width).contains(&self.first)
        })
    }
}

impl Count {
    /// The count that begins in the first cell, if it is an integer that nobody would take for a name. A zero may be one, of
    /// a column that pandas has numbered, unless there is something else than integers.
    fn begin(columns: &[Column], values: &[(Cell, &str)]) -> Option<Self> {
        let is_doubtful = |column: &Column| matches!(column.kind, Kind::TextBelowValue);
        let column = columns.first().filter(|column| matches!(column.kind, Kind::Number(_)))?;
        if columns.iter().any(is_doubtful) {
            return None;
        }
        let first: i64 = number(column.cell.as_bytes())?;
        let fewest = if values.iter().all(|(kind, _)| *kind == Cell::Int) { 1 } else { 0 };
        // What is above years may be a year, too.
        let next = first.checked_add(1).filter(|_| first >= fewest && !YEARS.contains(&first))?;
        Some(Self { next, open: None, rows: 0 })
    }

    fn go_on(self) -> Option<Self> {
        let next = self.open.filter(|open| *open == self.next)?.checked_add(1)?;
        Some(Self { next, open: None, rows: self.rows + 1 })
    }
}

/// Whether programs write such values as the names of columns: integers and booleans, and numbers and dates in their order, as
/// those of a pivot are. Measurements fall from column to column often enough, and dates do not.
fn may_be_names(values: &[(Cell, &str)]) -> bool {
    let are_all = |kind| values.iter().all(|(found, _)| *found == kind);
    let numbers = values.iter().map(|(kind, cell)| match kind {
        Cell::Int | Cell::Float => number::<f64>(cell.as_bytes()),
        _ => None,
    });
    let numbers: Option<Vec<f64>> = numbers.collect();
    // Dates and moments are in the order of their texts.
    let is_time =
        |kind: &Cell| !matches!(kind, Cell::Int | Cell::Float | Cell::Boolean | Cell::Null | Cell::Text);
    let times = values.iter().map(|(kind, cell)| is_time(kind).then_some(*cell));
    let times: Option<Vec<&str>> = times.collect();
    let are_in_order = numbers.is_some_and(|numbers| numbers.is_sorted_by(|one, other| one < other))
        || times.is_some_and(|times| {
            times.is_sorted_by(|one, other| one < other) || times.is_sorted_by(|one, other| one > other)
        });
    are_all(Cell::Int) || are_all(Cell::Boolean) || are_in_order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::csv::{Delimiter, profile};
    use crate::options::{NullTokens, ProfileOptions};

    fn is_row_with(text: &str, options: &ProfileOptions) -> bool {
        let content = profile(|| Ok(text.as_bytes()), Delimiter::Detected, options);
        let findings = content.expect("a slice can be read").findings;
        findings.iter().any(|finding| finding.message.starts_with("the first line looks like a row"))
    }

    fn is_row(text: &str) -> bool {
        is_row_with(text, &ProfileOptions::default())
    }

    /// Lines with commas and blanks between cells.
    #[track_caller]
    fn check(lines: &[&str], expected: bool) {
        assert_eq!(is_row(&lines.join("\n")), expected, "{lines:#?}");
    }

    #[test]
    fn texts_that_stand_again() {
        let iris = [
            "5.1,3.5,1.4,0.2,Iris-setosa",
            "4.9,3.0,1.4,0.2,Iris-setosa",
            "4.7,3.2,1.3,0.2,Iris-setosa",
            "7.0,3.2,4.7,1.4,Iris-versicolor",
            "6.4,3.2,4.5,1.5,Iris-versicolor",
            "5.1,2.5,3.0,1.1,Iris-versicolor",
            "6.3,3.3,6.0,2.5,Iris-virginica",
            "4.9,2.5,4.5,1.7,Iris-virginica",
        ];
        check(&iris, true);
        let named = ["sepal_length,sepal_width,petal_length,petal_width,class"];
        check(&[&named, &iris[..]].concat(), false);
        // Too few rows, or none with other text, which tell between which numbers the first ones should lie.
        check(&iris[..1], false);
        check(&[&iris[..2], &iris[3..]].concat(), false);
        check(&iris[..4], false);
        check(&iris[..3], false);
        let abalone = [
            "M,0.455,0.365,0.095,15",
            "M,0.35,0.265,0.09,7",
            "F,0.53,0.42,0.135,12",
            "M,0.44,0.365,0.125,10",
            "I,0.33,0.255,0.08,7",
        ];
        check(&abalone, true);
        check(&[&["sex,length,diameter,height,rings"], &abalone[..]].concat(), false);
        // A moment and a number are no names that go together.
        check(
            &[
                "2024-01-01,Oslo,3",
                "2024-01-02,Oslo,4",
                "2024-01-03,Graz,2",
                "2024-01-04,Oslo,4",
                "2024-01-05,Graz,5",
            ],
            true,
        );
        check(&["true,Oslo,3", "false,Oslo,4", "true,Graz,2", "false,Oslo,4", "true,Graz,5"], true);
        // As the names of a pivot are.
        check(&["M,2024-01-01", "F,2024-01-02", "M,2024-01-02", "M,2024-01-04"], false);
        let due = ["store,2024-02-01,2024-01-01", "store,2024-01-05,2024-01-20", "a,2024-01-09,2024-01-04"];
        check(&[&due[..], &["store,2024-01-03,2024-02-02", "a,2024-02-09,2024-03-04"]].concat(), false);
    }

    #[test]
    fn integers_need_two_columns_of_text() {
        let adult = [
            "39, State-gov, 77516, Bachelors, 13, Adm-clerical, White, 2174, 0, <=50K",
            "50, Self-emp, 83311, Bachelors, 13, Exec-managerial, White, 5178, 0, <=50K",
            "38, Private, 215646, HS-grad, 9, Handlers-cleaners, White, 0, 0, <=50K",
            "53, Private, 234721, 11th, 7, Handlers-cleaners, Black, 0, 0, >50K",
            "28, Private, 338409, Bachelors, 13, Prof-specialty, Black, 0, 0, <=50K",
        ];
        check(&adult, true);
        let header = "age,workclass,fnlwgt,education,education-num,occupation,race,gain,loss,income";
        check(&[&[header], &adult[..]].concat(), false);
        check(&["Oslo,M,30", "Oslo,F,20", "Graz,M,25", "Oslo,F,35", "Graz,M,30"], true);
        check(&["Oslo,M,30", "Oslo,F,20", "Graz,F,25", "Oslo,F,35", "Graz,M,30"], false);
        check(&["Oslo,30", "Oslo,20", "Graz,25", "Oslo,35"], false);
    }

    #[test]
    fn integers_that_count_on() {
        check(&["1,alice,3.5", "2,bob,4.5", "3,carol,1.5", "4,dan,2.5"], true);
        check(&["1001,alice", "1002,bob", "1003,carol", "1004,dan"], true);
        check(&["0,alice,2024-01-01", "1,bob,2024-01-02", "2,carol,2024-01-03", "3,dan,2024-01-01"], true);
        check(&["+1,alice", " 2,bob", "3 ,carol", "4,dan"], true);
        check(&["1999,US", "2000,FR", "2001,DE", "2002,IT", "2003,AT"], false);
        // Each row has to.
        check(&["1,alice,3.5", "2,bob,4.5"], false);
        check(&["1,alice,3.5", "2,bob,4.5", "3,carol,1.5"], false);
        check(&["1,alice", "2,bob", "3,carol", "4,dan", "6,eve"], false);
        check(&["1,alice", "2,bob", "3,carol", "4,dan", ",eve"], false);
        check(&["1,alice", "2,bob", "3,carol", "3,dan"], false);
        check(&["id,name", "1,alice", "2,bob", "3,carol", "4,dan"], false);
        // Only the first column, for the others may be those of a pivot.
        check(&["grade,1", "B,2", "C,3", "D,4"], false);
        // What pandas names `0` may count from one.
        check(&["0,name", "1,alice", "2,bob", "3,carol"], false);
        check(&["0,1", "1,alice", "2,bob", "3,carol"], false);
        check(&["0,1,name", "1,alice,x", "2,bob,y", "3,carol,z"], false);
        check(&["1,2,name", "2,alice,x", "3,bob,y", "4,carol,z"], false);
        check(&["007,alice,1", "008,bob,5", "009,carol,7", "010,dan,1"], false);
        check(&["9223372036854775807,alice", "1,bob", "2,carol", "3,dan"], false);
    }

    #[test]
    fn pivots() {
        check(&["country,2019,2020", "Norway,5,6", "Austria,7,8", "Peru,9,10"], false);
        check(&["country,2019,2020", "Norway,2020,2021", "Austria,2021,2022", "Peru,2022,2023"], false);
        check(&["product,2020-01-01,2020-01-02", "x,1,2", "y,3,4", "z,5,6"], false);
        check(&["name,0.1,0.5,0.9", "name,0.2,0.4,0.6", "name,0.1,0.5,0.8", "other,0.0,0.1,2.0"], false);
        check(&["smoker,False,True", "smoker,True,False", "smoker,True,True", "none,True,False"], false);
        check(&["treatment,0,7,14", "treatment,5,6,7", "placebo,9,0,20", "treatment,1,2,3"], false);
        check(
            &["word,lemma,2019", "word,word,1", "words,word,5000", "lemma,lemma,4", "lemmas,lemma,2"],
            false,
        );
        // A spectrum has its wave numbers for names, from high to low.
        check(&["sample,3999.6,3995.7", "sample,0.1,0.2", "sample,0.3,0.2", "blank,0.0,0.1"], false);
        check(&[",a,b", "0,x,1", "1,y,2", "2,x,3", "3,x,4"], false);
        check(&[",0,1", "x,5,6", "y,7,8", "x,5,5", "x,6,6"], false);
        check(&[" ,0.5,0.1", " ,0.5,0.1", " ,0.6,0.2", "x,0.4,0.3"], false);
        check(&["0,1,label", "0.5,1.5,label", "0.2,1.1,other", "0.1,2.5,label"], false);
    }

    #[test]
    fn headers_that_stand_again() {
        check(&["a,2.5,0.5", "x,3.5,1.5", "a,2.5,0.5", "y,2.0,0.1", "a,2.5,0.5", "z,1.0,0.2"], false);
        let years = ["country,region,2019", "Peru,south,5", "country,region,2020", "Norway,north,3"];
        check(&[&years[..], &["country,region,2021", "Laos,east,5000"]].concat(), false);
        let waves = ["sample,3999.6,3995.7", "a,0.1,0.2", "sample,3998.6,3994.7", "b,0.3,0.2"];
        check(&[&waves[..], &["sample,3997.6,3993.7", "c,0.2,0.2"]].concat(), false);
        check(&["id,name", "1,alice", "id,name", "2,bob", "id,name", "3,carol"], false);
    }

    #[test]
    fn text_alone_and_names_above_numbers() {
        check(&["name,city", "name,city", "name,Oslo", "alice,city", "name,Graz", "bob,city"], false);
        check(&["Oslo,M", "Oslo,F", "Graz,M", "Oslo,M"], false);
        check(&["x,2.5,n", "x,1.5,1", "y,3.5,2", "x,2.0,3", "x,2.1,4"], false);
        check(&["x,2.5,", "x,1.5,1", "y,3.5,2", "x,2.0,3", "x,2.1,4"], false);
        // Nothing above nothing says nothing.
        check(&["x,2.5,0.5,", "x,1.5,1.5,", "y,3.5,2.5,", "x,2.0,3.5,", "z,1.0,0.1,"], true);
        check(&["x,2.5,0.5,note", "x,1.5,1.5,", "y,3.5,2.5,", "x,2.0,3.5,", "z,1.0,0.1,"], false);
    }

    #[test]
    fn rows_that_say_nothing() {
        // Of another length.
        check(&["x,2.5,0.5", "x,1.5", "y,3.5,2.5", "x,2.0,3.5,1"], false);
        // A number is no text, though its column is, and a word for a null may stand in any.
        check(&["5,2.5,0.5", "5,1.5,0.5", "y,3.5,2.5", "5,2.0,3.5", "z,2.0,3.5"], false);
        check(&["NA,2.5,0.5", "NA,1.5,0.5", "y,3.5,2.5", "NA,2.0,3.5", "z,2.0,3.5"], false);
        // Nulls do not count among numbers.
        check(&["x,2.5,0.5", "x,NA,1.5", "y,,2.5", "x,2.0,0.1", "z,3.0,0.1", "z,2.0,0.2"], true);
        let lines = ["x,2.5,0.5", "x,-9,1.5", "y,9,2.5", "x,-9,0.1", "z,1.0,0.1"].join("\n");
        assert!(is_row(&lines));
        let nulls = NullTokens::default().with_token("9").with_token("-9");
        assert!(!is_row_with(&lines, &ProfileOptions::default().with_null_tokens(nulls)));
        check(&["x,inf,0.5", "x,1.5,1.5", "y,3.5,2.5", "x,2.0,3.5"], false);
    }

    #[test]
    fn marks_quotes_and_delimiters() {
        check(&["\u{feff}1;alice", "2;bob", "3;carol", "4;dan"], true);
        check(&["\"a,\"\"b\",2.5,0.5", "y,3.5,2.5", "\"a,\"\"b\",2.5,0.1", "\"a,\"\"b\",1,0", "z,1,0"], true);
        check(&["x\t2.5\t0.5", "x\t1.5\t1.5", "y\t3.5\t2.5", "x\t2.0\t3.5", "z\t1.0\t0.1"], true);
    }

    /// A name, or one of few texts.
    fn any_word() -> impl Strategy<Value = String> {
        prop_oneof![Just("name".to_owned()), "[ab]", "[0-9]"]
    }

    proptest! {
        #[test]
        fn a_pivot_has_a_header(
            first in 0..3000_u32,
            columns in 1..4_u32,
            rows in prop::collection::vec((any_word(), prop::collection::vec(0..3000_u32, 3)), 0..30),
        ) {
            let numbers = (first..first + columns).map(|name| format!(",{name}"));
            let mut text = format!("name{}\n", numbers.collect::<String>());
            for (word, values) in rows {
                let values = values.iter().take(columns as usize).map(|value| format!(",{value}"));
                text.push_str(&format!("{word}{}\n", values.collect::<String>()));
            }
            prop_assert!(!is_row(&text), "{}", text);
        }

        #[test]
        fn words_are_names(
            rows in prop::collection::vec((1..50_u32, any_word(), "[0-9]\\.[0-9]"), 0..30),
        ) {
            let mut text = "number,name,share\n".to_owned();
            for (number, word, share) in rows {
                text.push_str(&format!("{number},{word},{share}\n"));
            }
            prop_assert!(!is_row(&text), "{}", text);
        }

        #[test]
        fn rows_without_a_header_are_told(
            rows in prop::collection::vec((5000..6000_u32, "cat|dog", 0..100_u32, "in|out"), 100..200),
        ) {
            let lines = rows.iter().map(|(number, kind, count, place)| format!("{number},{kind},{count},{place}\n"));
            let text: String = lines.collect();
            prop_assert!(is_row(&text), "{}", text);
        }
    }
}
