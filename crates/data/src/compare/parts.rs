//! The files of a folder that have the same columns are parts of one table. Numbered parts in JSON have been given those of
//! all of them before.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use runtime_testing_models::{Column, DataProfile};

use super::rows::column_names;
use crate::types::join::{Typing, joined};
use crate::types::logical::TypeWords;

/// A column of a table in several parts, as a part of it has it.
#[derive(Debug)]
pub(super) struct PartColumn {
    /// The column as the rows of all parts show it: what is text in one of several CSV files is text.
    pub(super) settled: Column,
    /// The types that the parts show by themselves, each once.
    pub(super) types: Rc<[String]>,
}

/// The columns of each file that is a part of a table in several, in the order of its own columns. Only of text formats,
/// which have their types from the rows: what declares its types has them in each part.
pub(super) struct Parts(Vec<Option<Vec<PartColumn>>>);

impl Parts {
    pub(super) fn of(data: &DataProfile) -> Self {
        let mut columns_of_files: Vec<Option<Vec<PartColumn>>> = data.files.iter().map(|_| None).collect();
        for (typing, parts) in tables(data) {
            let all = columns_of_all(data, &parts, typing);
            for part in parts {
                let columns = columns_of(data, part).iter().map(|column| all[&*column.name].part(column));
                columns_of_files[part] = Some(columns.collect());
            }
        }
        Self(columns_of_files)
    }

    /// The columns of the file at a place, if it is a part.
    pub(super) fn columns(&self, place: usize) -> Option<&[PartColumn]> {
        self.0[place].as_deref()
    }
}

/// Data in which each part of a table has the types that the rows of all parts show.
pub(crate) fn settled(data: &DataProfile) -> Cow<'_, DataProfile> {
    let Parts(parts) = Parts::of(data);
    let mut settled = Cow::Borrowed(data);
    for (place, columns) in parts.into_iter().enumerate() {
        if let Some(columns) = columns {
            let schema = settled.to_mut().files[place].schema.as_mut().expect("a part is a table");
            schema.columns = columns.into_iter().map(|column| column.settled).collect();
        }
    }
    settled
}

/// The places of the files of each table that has several, and how its types are known.
fn tables(data: &DataProfile) -> impl Iterator<Item = (Typing, Vec<usize>)> {
    let stand_aside = data.objects_stand_aside();
    let mut tables: HashMap<(Typing, bool, Vec<&str>), Vec<usize>> = HashMap::new();
    if data.files.len() > 1 {
        for (place, file) in data.files.iter().enumerate() {
            let typing = Typing::of(file.format);
            let is_aside = stand_aside && file.is_object();
            let is_shown = file.findings.is_empty() && typing != Typing::Declared && !is_aside;
            if let Some(schema) = file.schema.as_ref().filter(|_| is_shown) {
                tables.entry((typing, file.is_object(), column_names(schema))).or_default().push(place);
            }
        }
    }
    let several = tables.into_iter().filter(|(_, parts)| parts.len() > 1);
    several.map(|((typing, ..), parts)| (typing, parts))
}

fn columns_of(data: &DataProfile, place: usize) -> &[Column] {
    data.files[place].schema.as_ref().map_or(&[], |schema| &schema.columns)
}

/// A column over all parts.
struct Whole {
    data_type: String,
    nullable: bool,
    types: Rc<[String]>,
}

impl Whole {
    fn of<'a>(columns: impl Iterator<Item = &'a Column>, typing: Typing) -> Self {
        let (mut words, mut nullable, mut types) = (TypeWords::Null, false, Vec::new());
        for column in columns {
            nullable |= column.nullable;
            if !types.contains(&column.data_type) {
                let own = TypeWords::parse(&column.data_type);
                words = joined(&words, &own, typing).expect("the type is not declared");
                types.push(column.data_type.clone());
            }
        }
        Self { data_type: words.to_string(), nullable, types: types.into() }
    }

    fn part(&self, own: &Column) -> PartColumn {
        let mut settled = own.clone();
        settled.nullable = self.nullable;
        if settled.data_type != self.data_type {
            settled.data_type.clone_from(&self.data_type);
            // It decided another type.
            settled.deciding_row = None;
            settled.deciding_value = None;
            settled.first_value = None;
        }
        PartColumn { settled, types: Rc::clone(&self.types) }
    }
}

/// The columns of all parts, by name.
fn columns_of_all<'a>(data: &'a DataProfile, parts: &[usize], typing: Typing) -> HashMap<&'a str, Whole> {
    let mut by_name: HashMap<&str, Vec<&Column>> = HashMap::new();
    for column in parts.iter().flat_map(|part| columns_of(data, *part)) {
        by_name.entry(&column.name).or_default().push(column);
    }
    by_name.into_iter().map(|(name, columns)| (name, Whole::of(columns.into_iter(), typing))).collect()
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
            [table("east.csv", &[("zip", "int64")], 2), table("north.csv", &[("zip", "int64?")], 2)];
        let expected =
            ["! east.csv: column `zip`: expected text, found int64", "east.csv: column `zip` holds no nulls"];
        check(&Expected::Inferred(&postal_codes()), &folder(&integers[..1]), &expected);
    }

    #[test]
    fn files_of_one_name_are_held_against_each_other_alone() {
        let other = |path: &str, data_type| table(path, &[("id", "int64"), ("value", data_type)], 2);
        let sample = folder(&[other("age.csv", "int64"), other("city.csv", "text")]);
        let changed = "! age.csv: column `value`: expected int64, found text";
        let both = folder(&[other("age.csv", "text"), other("city.csv", "text")]);
        check(&Expected::Inferred(&sample), &both, &[changed]);
        check(&Expected::Inferred(&sample), &folder(&[other("age.csv", "int64")]), &[]);
    }

    #[test]
    fn parts_that_break_together_are_told() {
        let parts =
            [table("a.csv", &[("zip", "date")], 1), table("b.csv", &[("zip", "timestamp[us, UTC]")], 1)];
        check(
            &Expected::Contract(&contract(TypeWord::Timestamp)),
            &folder(&parts),
            &[
                "! a.csv: column `zip`: expected timestamp, found text",
                "! b.csv: column `zip`: expected timestamp, found text",
            ],
        );
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
            let mut files = vec![table("a.csv", &[("zip", "int64")], 1), table(path, &[("zip", "text")], 1)];
            check(&Expected::Contract(&text), &folder(&files), &[changed]);
            files.push(table("c.csv", &[("zip", "text")], 1));
            check(&Expected::Contract(&text), &folder(&files), &[]);
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
