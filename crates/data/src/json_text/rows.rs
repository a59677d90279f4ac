use std::collections::HashMap;
use std::io::Read;

use runtime_testing_models::{Column, TableSchema};

use super::json_type::JsonType;
use super::lexer::Lexer;
use crate::csv_text::shown;
use crate::findings::Stop;

/// What is known of a table of objects after some of its rows.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    columns: Vec<ColumnState>,
    places: HashMap<String, usize>,
    rows: u64,
    /// The objects that were begun, those that turned out to be broken included.
    begun: u64,
}

#[derive(Debug)]
struct ColumnState {
    name: String,
    json_type: JsonType,
    /// The values that are not null, those of broken objects included.
    values: u64,
    last_begun: u64,
    deciding: Option<(u64, String)>,
}

impl Rows {
    /// Reads an object as the next row.
    pub(crate) fn read_row<R: Read>(&mut self, lexer: &mut Lexer<'_, R>) -> Result<(), Stop> {
        self.begun += 1;
        let row = self.rows + 1;
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
            column.values += u64::from(json_type != JsonType::Null);
            if column.json_type.widen(json_type) {
                column.deciding = Some((row, shown(lexer.raw())));
            }
            Ok(())
        })?;
        self.rows = row;
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

    /// The table, with its columns sorted by name. A key that a row does not have is a null in it.
    pub(crate) fn into_schema(mut self) -> TableSchema {
        self.columns.sort_by(|one, other| one.name.cmp(&other.name));
        let rows = self.rows;
        let columns = self.columns.into_iter().map(|column| {
            let nulls = rows.saturating_sub(column.values);
            let (deciding_row, deciding_value) = column.deciding.unzip();
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
