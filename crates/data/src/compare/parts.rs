//! The files of a folder that have the same columns are parts of one table.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use runtime_testing_models::{Column, DataProfile, FileProfile};

use super::rows::column_names;
use crate::joined_type::{Typing, joined};
use crate::type_words::TypeWords;

/// Data in which each part of a table has the types that the rows of all parts show: what is text in one of them is
/// text. What declares its types stays as it is, and so do parts that have no type in common.
pub(crate) fn settled(data: &DataProfile) -> Cow<'_, DataProfile> {
    let mut settled = Cow::Borrowed(data);
    for parts in tables(data) {
        let columns = columns_of_all(data, &parts);
        for part in parts {
            let schema = settled.to_mut().files[part].schema.as_mut().expect("a part is a table");
            for column in &mut schema.columns {
                columns[&*column.name].settle(column);
            }
        }
    }
    settled
}

/// The places of the files of each table that has several whose types are not declared.
fn tables(data: &DataProfile) -> impl Iterator<Item = Vec<usize>> {
    let mut tables: HashMap<Vec<&str>, Vec<usize>> = HashMap::new();
    if data.files.len() > 1 {
        for (place, file) in data.files.iter().enumerate() {
            let is_shown = file.findings.is_empty() && Typing::of(file.format) != Typing::Declared;
            if let Some(schema) = file.schema.as_ref().filter(|_| is_shown) {
                tables.entry(column_names(schema)).or_default().push(place);
            }
        }
    }
    tables.into_values().filter(|parts| parts.len() > 1)
}

/// A column over all parts.
#[derive(Debug, PartialEq)]
struct Joined {
    /// None where the parts have no type in common.
    words: Option<TypeWords>,
    nullable: bool,
}

impl Joined {
    fn of(column: &Column) -> Self {
        Self { words: Some(TypeWords::parse(&column.data_type)), nullable: column.nullable }
    }

    fn join(&mut self, next: &Self, typing: Typing) {
        let words = self.words.as_ref().zip(next.words.as_ref());
        self.words = words.and_then(|(one, other)| joined(one, other, typing));
        self.nullable |= next.nullable;
    }

    fn settle(&self, column: &mut Column) {
        column.nullable = self.nullable;
        let Some(words) = &self.words else { return };
        let data_type = words.to_string();
        if column.data_type != data_type {
            column.data_type = data_type;
            // It decided another type.
            column.deciding_row = None;
            column.deciding_value = None;
        }
    }
}

/// The columns of all parts, by name.
fn columns_of_all<'a>(data: &'a DataProfile, parts: &[usize]) -> HashMap<&'a str, Joined> {
    let files: Vec<&FileProfile> = parts.iter().map(|part| &data.files[*part]).collect();
    let typing = files.iter().map(|file| Typing::of(file.format)).min().unwrap_or(Typing::Declared);
    let mut all: HashMap<&str, Joined> = HashMap::new();
    for column in files.iter().filter_map(|file| file.schema.as_ref()).flat_map(|schema| &schema.columns) {
        let next = Joined::of(column);
        match all.entry(&column.name) {
            Entry::Vacant(entry) => drop(entry.insert(next)),
            Entry::Occupied(mut entry) => entry.get_mut().join(&next, typing),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use runtime_testing_models::TypeWord;

    use super::*;
    use crate::compare::Expected;
    use crate::compare::testing::{check, folder, single, table};

    fn contract(word: TypeWord) -> runtime_testing_models::TableContract {
        runtime_testing_models::TableContract::default().with_column("zip", word)
    }

    /// Postal codes, of which one part shows those with letters alone.
    fn postal_codes() -> DataProfile {
        let parts = [("north.csv", "int64"), ("south.csv", "text"), ("west.csv", "null?")];
        folder(&parts.map(|(path, data_type)| table(path, &[("zip", data_type)], 2)))
    }

    #[test]
    fn parts_are_what_the_whole_is() {
        let text = single(table("all.csv", &[("zip", "text?")], 6));
        check(&Expected::Contract(&contract(TypeWord::Text)), &postal_codes(), &[]);
        check(&Expected::Inferred(&text), &postal_codes(), &[]);
        check(&Expected::Inferred(&postal_codes()), &text, &[]);
        let integers =
            [table("north.csv", &[("zip", "int64?")], 2), table("east.csv", &[("zip", "int64")], 2)];
        let changed = "! north.csv: column `zip`: expected text, found int64";
        let expected = ["! east.csv: column `zip`: expected text, found int64", changed];
        check(&Expected::Inferred(&postal_codes()), &folder(&integers), &expected);
    }

    #[test]
    fn the_part_that_breaks_is_told() {
        let integers = single(table("all.csv", &[("zip", "int64?")], 6));
        check(
            &Expected::Inferred(&integers),
            &postal_codes(),
            &["! south.csv: column `zip`: expected int64, found text"],
        );
        check(
            &Expected::Contract(&contract(TypeWord::Integer)),
            &postal_codes(),
            &["! south.csv: column `zip`: expected integer, found text"],
        );
    }

    #[test]
    fn what_is_no_part_is_judged_by_itself() {
        let text = contract(TypeWord::Text);
        let other =
            [table("a.csv", &[("zip", "int64")], 1), table("b.csv", &[("zip", "text"), ("x", "text")], 1)];
        let changed = "! a.csv: column `zip`: expected text, found int64";
        check(&Expected::Contract(&text), &folder(&other), &[changed, "b.csv: extra column `x` (text)"]);
        for path in ["b.ndjson", "b.arrow"] {
            let declared = [table("a.csv", &[("zip", "int64")], 1), table(path, &[("zip", "text")], 1)];
            check(&Expected::Contract(&text), &folder(&declared), &[changed]);
        }
    }

    #[test]
    fn the_row_that_decides_is_that_of_the_type() {
        let mut data = postal_codes();
        for file in &mut data.files {
            let column = &mut file.schema.as_mut().expect("a table").columns[0];
            (column.deciding_row, column.deciding_value) = (Some(2), Some("x".to_owned()));
        }
        let settled = settled(&data);
        let of = |place: usize| &settled.files[place].schema.as_ref().expect("a table").columns[0];
        assert_eq!((&*of(0).data_type, of(0).nullable, of(0).deciding_row), ("text", true, None));
        assert_eq!((&*of(1).data_type, of(1).nullable, of(1).deciding_row), ("text", true, Some(2)));
    }
}
