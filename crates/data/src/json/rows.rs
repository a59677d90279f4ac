use std::collections::HashMap;

use runtime_testing_models::{Column, TableSchema};

use super::json_type::{JsonType, Widened};
use super::lexer::{Chunks, Lexer, RAW_BYTES};
use super::plain::{Key, absorbed, is_blank, next_key, past_blanks};
use super::values::unescaped;
use crate::findings::Stop;
use crate::limits::{MOST_NAME_BYTES, TOO_MANY_NAMES, name_bytes};
use crate::text::shown;

/// What is known of a table of objects after some of its rows.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    columns: Vec<ColumnState>,
    places: HashMap<String, usize>,
    rows: u64,
    /// The objects that were begun, those that turned out to be broken included.
    begun: u64,
    /// Whether a column was added or has become wider.
    changed: bool,
    /// What the names of all columns and fields take.
    names: usize,
    /// What followed the first brace, and then each column, in the last row that had it.
    successors: Vec<Successor>,
    /// The columns of the row that is being read, and whether each has a value. Room that is used again.
    row: Vec<(usize, bool)>,
}

#[derive(Debug, Clone)]
struct ColumnState {
    name: String,
    json_type: JsonType,
    /// The values that are not null.
    values: u64,
    last_begun: u64,
    deciding: Option<Deciding>,
}

/// The row that decided a column's type, and what stands in it. The last that changed the type is the one, or the first
/// that added a field where none has, or the first with a value.
#[derive(Debug, Clone)]
struct Deciding {
    row: u64,
    value: String,
    widened: Widened,
}

/// Whether what widened a type so decides more than the row that has decided so far.
fn outdoes(widened: Widened, known: Option<&Deciding>) -> bool {
    match widened {
        Widened::Same | Widened::Signed => false,
        Widened::Filled => known.is_none(),
        Widened::Added => known.is_none_or(|known| known.widened == Widened::Filled),
        Widened::Changed => true,
    }
}

/// The beginning of a value as it is told: of a text, what it says.
fn shown_value(raw: &[u8]) -> String {
    let Some(text) = raw.strip_prefix(b"\"") else { return shown(raw) };
    // Where the end is cut off, so may be an escape.
    let whole = text.strip_suffix(b"\"").filter(|_| raw.len() < RAW_BYTES);
    match whole.and_then(|text| std::str::from_utf8(text).ok()) {
        Some(text) => shown(unescaped(text).as_bytes()),
        None => shown(text),
    }
}

/// The bytes from a value to the next one, and the column that this is of.
#[derive(Debug, Clone, Default)]
struct Successor {
    bytes: Vec<u8>,
    place: usize,
}

/// What rows that changed no type add to what is known.
#[derive(Debug)]
pub(super) struct Counts {
    rows: u64,
    values: Vec<u64>,
}

impl Rows {
    /// No rows yet, of columns that have the types these have.
    pub(super) fn like(&self) -> Self {
        let state = |column: &ColumnState| ColumnState {
            name: column.name.clone(),
            json_type: column.json_type.clone(),
            values: 0,
            last_begun: 0,
            deciding: None,
        };
        Self {
            columns: self.columns.iter().map(state).collect(),
            places: self.places.clone(),
            names: self.names,
            successors: self.successors.clone(),
            ..Self::default()
        }
    }

    /// Whether a column was added or has become wider since [`Rows::like`].
    pub(super) fn is_changed(&self) -> bool {
        self.changed
    }

    /// Whether there are too many names to read on.
    pub(super) fn is_full(&self) -> bool {
        self.names > MOST_NAME_BYTES
    }

    /// What was counted, which starts from nothing again.
    pub(super) fn take_counts(&mut self) -> Counts {
        let values = self.columns.iter_mut().map(|column| std::mem::take(&mut column.values));
        Counts { rows: std::mem::take(&mut self.rows), values: values.collect() }
    }

    /// Adds rows that come behind these, and that are of the same columns.
    pub(super) fn add_counts(&mut self, counts: &Counts) {
        for (column, values) in self.columns.iter_mut().zip(&counts.values) {
            column.values += values;
        }
        self.rows += counts.rows;
    }

    /// Adds rows that come behind these, and that were read as [`Rows::like`] these.
    pub(super) fn append(&mut self, later: Self) {
        for (place, mut column) in later.columns.into_iter().enumerate() {
            if let Some(deciding) = &mut column.deciding {
                deciding.row += self.rows;
            }
            match self.columns.get_mut(place) {
                Some(known) => {
                    known.json_type = column.json_type;
                    known.values += column.values;
                    let later =
                        column.deciding.filter(|later| outdoes(later.widened, known.deciding.as_ref()));
                    known.deciding = later.or(known.deciding.take());
                }
                None => self.columns.push(column),
            }
        }
        self.places = later.places;
        self.successors = later.successors;
        self.names = later.names;
        self.rows += later.rows;
        self.begun += later.begun;
    }

    /// Reads an object as the next row.
    pub(crate) fn read_row<T: Chunks>(&mut self, lexer: &mut Lexer<'_, T>) -> Result<(), Stop> {
        self.begun += 1;
        let row = self.rows + 1;
        self.row.clear();
        // Rows tend to have the same keys in the same order.
        let mut guess = 0;
        lexer.object(|lexer, key| {
            lexer.next()?;
            lexer.begin_raw();
            let json_type = lexer.value(1)?;
            let place = self.place(key, guess);
            guess = place + 1;
            let column = &mut self.columns[place];
            if column.last_begun == self.begun {
                lexer.add_duplicate_key(key);
                return Ok(());
            }
            column.last_begun = self.begun;
            self.row.push((place, json_type != JsonType::Null));
            let widened = column.json_type.widen(json_type, &mut self.names);
            if outdoes(widened, column.deciding.as_ref()) {
                column.deciding = Some(Deciding { row, value: shown_value(lexer.raw()), widened });
            }
            self.changed |= widened != Widened::Same;
            if self.is_full() { Err(lexer.bad(TOO_MANY_NAMES)) } else { Ok(()) }
        })?;
        self.end_row();
        Ok(())
    }

    fn place(&mut self, key: &str, guess: usize) -> usize {
        if self.columns.get(guess).is_some_and(|column| column.name == key) {
            return guess;
        }
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = self.columns.len();
        self.changed = true;
        self.names += name_bytes(key);
        self.places.insert(key.to_owned(), place);
        self.columns.push(ColumnState {
            name: key.to_owned(),
            json_type: JsonType::Null,
            values: 0,
            last_begun: 0,
            deciding: None,
        });
        place
    }

    /// Reads a line that holds an object, if there is nothing new in it. The bytes of the line with its end.
    pub(super) fn read_plain_line(&mut self, text: &[u8]) -> Option<usize> {
        let end = self.plain_row_end(text)?;
        let end = past_blanks(text, end);
        (text.get(end)? == &b'\n').then(|| {
            self.end_row();
            end + 1
        })
    }

    /// Reads an object as the next row, if there is nothing new in it. The bytes of the object.
    pub(super) fn read_plain_row(&mut self, text: &[u8]) -> Option<usize> {
        let end = self.plain_row_end(text)?;
        self.end_row();
        Some(end)
    }

    /// Counts the values of the row that was read, now that nothing in it is broken.
    fn end_row(&mut self) {
        for (place, is_value) in &self.row {
            self.columns[*place].values += u64::from(*is_value);
        }
        self.rows += 1;
    }

    /// The end of an object of known keys with values of known types.
    fn plain_row_end(&mut self, text: &[u8]) -> Option<usize> {
        if text.first()? != &b'{' {
            return None;
        }
        self.begun += 1;
        self.row.clear();
        self.successors.resize_with(self.columns.len() + 1, Successor::default);
        let mut at = 1;
        let mut previous = 0;
        loop {
            let expected = &self.successors[previous];
            let bytes = expected.bytes.as_slice();
            let follows = !bytes.is_empty() && text[at..].starts_with(bytes);
            let place = if follows && !text.get(at + bytes.len()).is_some_and(is_blank) {
                at += bytes.len();
                expected.place
            } else {
                match next_key(text, at, previous == 0)? {
                    Key::None { end } => return Some(end),
                    Key::Found(key) => {
                        let name = std::str::from_utf8(&text[key.start..key.end]).ok()?;
                        let place = *self.places.get(&*unescaped(name))?;
                        // Where the text ends, more blanks may come before the value.
                        text.get(key.value)?;
                        let bytes = text[at..key.value].to_vec();
                        self.successors[previous] = Successor { bytes, place };
                        at = key.value;
                        place
                    }
                }
            };
            let column = &mut self.columns[place];
            if column.last_begun == self.begun {
                return None;
            }
            column.last_begun = self.begun;
            let is_value = text.get(at)? != &b'n';
            at = absorbed(&column.json_type, text, at, 1)?;
            self.row.push((place, is_value));
            if text.get(at)? == &b'}' {
                return Some(at + 1);
            }
            previous = place + 1;
        }
    }

    /// The table, with its columns sorted by name. A key that a row does not have is a null in it.
    pub(crate) fn into_schema(mut self) -> TableSchema {
        self.columns.sort_by(|one, other| one.name.cmp(&other.name));
        let rows = self.rows;
        let columns = self.columns.into_iter().map(|column| {
            let nulls = rows.saturating_sub(column.values);
            // The first value makes nothing wider, and is nobody's business.
            let deciding = column.deciding.filter(|deciding| deciding.widened != Widened::Filled);
            let (deciding_row, deciding_value) =
                deciding.map(|deciding| (deciding.row, deciding.value)).unzip();
            Column {
                nullable: nulls > 0,
                nulls: Some(nulls),
                deciding_row,
                deciding_value,
                ..Column::new(column.name, column.json_type.words().to_string())
            }
        });
        TableSchema { columns: columns.collect(), rows }
    }
}
