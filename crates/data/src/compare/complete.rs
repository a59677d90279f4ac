//! Numbered parts of a table in JSON, each with the columns of all of them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use camino::Utf8Path;
use runtime_testing_models::{Column, DataProfile, Difference, FileProfile, TableSchema};

use super::FileDifference;
use super::nested::STEPS;
use super::rows::is_blank;
use super::table::is_null;
use crate::numbered::{Numbered, lacking};

/// The names of a file's columns: those that were added, and its own.
struct Added<'a> {
    names: HashSet<&'a str>,
    own: HashSet<&'a str>,
}

/// Data in which a part has the columns that other parts have and no row of its own, as columns of nulls.
pub(crate) struct Complete<'a> {
    pub(crate) data: Cow<'a, DataProfile>,
    /// The columns that were added to each file.
    added: HashMap<&'a Utf8Path, Added<'a>>,
}

impl<'a> Complete<'a> {
    pub(crate) fn of(data: &'a DataProfile) -> Self {
        if data.files.len() < 2 {
            return Self { data: Cow::Borrowed(data), added: HashMap::new() };
        }
        let tables: Vec<(usize, Numbered<'a>)> =
            data.files.iter().enumerate().filter_map(|(place, file)| Some((place, part(file)?))).collect();
        let (places, tables): (Vec<usize>, Vec<Numbered<'a>>) = tables.into_iter().unzip();
        let mut complete = Self { data: Cow::Borrowed(data), added: HashMap::new() };
        for ((place, table), names) in places.into_iter().zip(&tables).zip(lacking(&tables)) {
            if !names.is_empty() {
                let schema = complete.data.to_mut().files[place].schema.as_mut().expect("a part is a table");
                add_columns(schema, &names);
                let (names, own) = (names.into_iter().collect(), table.columns.iter().copied().collect());
                complete.added.insert(&data.files[place].path, Added { names, own });
            }
        }
        complete
    }

    /// Whether a difference is about the file as it is: of a column that it does not have, all but its nulls is told of
    /// the parts that have it, and nothing was renamed to it.
    pub(super) fn settle(&self, told: &mut FileDifference) -> bool {
        let Some(added) = self.added.get(told.file.as_path()) else { return true };
        if let Difference::MissingColumn { renamed, .. } | Difference::MissingKey { renamed, .. } =
            &mut told.difference
        {
            renamed.take_if(|name| added.names.contains(name.as_str()));
        }
        let of_nulls =
            matches!(told.difference, Difference::NullsFound { .. } | Difference::Nullability { .. });
        of_nulls || !told.difference.column().is_some_and(|column| added.has(column))
    }

    /// Whether no file lacked a column.
    pub(super) fn is_as_it_was(&self) -> bool {
        self.added.is_empty()
    }

    /// The type that a column has in other parts, if it was added to the file.
    pub(super) fn type_elsewhere(&self, file: &Utf8Path, column: &str) -> Option<String> {
        if !self.is_added(file, column) {
            return None;
        }
        let schemas = self.data.files.iter().filter_map(|file| file.schema.as_ref());
        let mut types = schemas.flat_map(|schema| &schema.columns);
        let known = types.find(|known| known.name == column && !is_null(known));
        known.map(|known| known.data_type.clone())
    }

    /// Whether a column of a file was added.
    pub(super) fn is_added(&self, file: &Utf8Path, column: &str) -> bool {
        self.added.get(file).is_some_and(|added| added.names.contains(column))
    }
}

impl Added<'_> {
    /// Whether a path is that of a column that was added, or of something within one.
    fn has(&self, path: &str) -> bool {
        let is_within = || first_name(path).is_some_and(|name| self.names.contains(&*name));
        self.names.contains(path) || (!self.own.contains(path) && is_within())
    }
}

/// The column that a path begins with, if it leads on. Quotes stand around one that could be taken for something else.
fn first_name(path: &str) -> Option<Cow<'_, str>> {
    let Some(quoted) = path.strip_prefix('"') else {
        return Some(path.split_once(STEPS)?.0.into());
    };
    let mut name = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some(name.into()),
            '\\' => name.push(characters.next()?),
            other => name.push(other),
        }
    }
}

/// A file as what may be a part of a table. What has neither columns nor rows can be a part of any table as it is.
fn part(file: &FileProfile) -> Option<Numbered<'_>> {
    let schema = file.schema.as_ref().filter(|schema| file.findings.is_empty() && !is_blank(schema))?;
    let columns = schema.columns.iter().map(|column| column.name.as_str()).collect();
    Some(Numbered { path: &file.path, kind: file.kind(), columns })
}

/// Adds columns of nulls to those of JSON, which come in the order of their names.
fn add_columns(schema: &mut TableSchema, names: &[&str]) {
    let nulls = |name: &&str| Column {
        nullable: schema.rows > 0,
        nulls: Some(schema.rows),
        ..Column::new(*name, "null")
    };
    let added: Vec<Column> = names.iter().map(nulls).collect();
    schema.columns.extend(added);
    schema.columns.sort_by(|one, other| one.name.cmp(&other.name));
}

#[cfg(test)]
mod tests {
    use runtime_testing_models::{ExtraColumns, TableContract, TypeWord};

    use crate::compare::testing::{check, folder, single, table};
    use crate::compare::{Expected, compare};

    fn contract() -> TableContract {
        let mut contract = TableContract::default()
            .with_column("id", TypeWord::Integer)
            .with_column("label", TypeWord::Integer);
        contract.columns.values_mut().for_each(|column| column.nullable = false);
        contract
    }

    const BOTH: [(&str, &str); 2] = [("id", "int64"), ("label", "int64")];

    #[test]
    fn a_column_that_a_numbered_part_lacks_is_null_there() {
        let expected = contract();
        let expected = Expected::Contract(&expected);
        let parts = folder(&[
            table("part-0.json", &BOTH, 3),
            table("part-1.json", &BOTH[..1], 7),
            table("x.json", &[], 0),
        ]);
        check(&expected, &parts, &["! part-1.json: column `label`: expected no nulls, found 7"]);
        let sample = single(table("all.json", &BOTH, 10));
        let may = "part-1.json: column `label` may hold nulls";
        check(&Expected::Inferred(&sample), &parts, &[may]);
        check(&Expected::Inferred(&parts), &parts, &[]);
        check(&Expected::Inferred(&parts), &sample, &["all.json: column `label` holds no nulls"]);
        let with_nulls = single(table("all.json", &[BOTH[0], ("label", "int64?")], 10));
        check(&Expected::Inferred(&with_nulls), &parts, &[]);
        let whole = folder(&[table("part-0.json", &BOTH, 3), table("part-1.json", &BOTH, 7)]);
        check(&Expected::Inferred(&whole), &parts, &[may]);
    }

    #[test]
    fn a_column_that_all_parts_lack_is_missing() {
        let expected = contract();
        let missing = |file: &str| format!("! {file}: column `label` (integer) is missing");
        for (one, other) in [("part-0.json", "part-1.json"), ("test.json", "validation.json")] {
            let parts = folder(&[table(one, &BOTH[..1], 3), table(other, &BOTH[..1], 7)]);
            check(&Expected::Contract(&expected), &parts, &[&missing(one), &missing(other)]);
        }
        let unlike = folder(&[table("test.json", &BOTH[..1], 3), table("train.json", &BOTH, 7)]);
        check(&Expected::Contract(&expected), &unlike, &[&missing("test.json")]);
        let sample = single(table("all.json", &BOTH, 10));
        let missing = "! test.json: column `label` (int64) is missing";
        check(&Expected::Inferred(&sample), &unlike, &[missing]);
    }

    #[test]
    fn what_else_is_wrong_is_told_of_the_parts_that_have_it() {
        let mut expected = contract();
        expected.columns["label"].nullable = true;
        let parts = |label, extra| {
            let more = [BOTH[0], ("label", label), ("note", extra)];
            folder(&[table("0.ndjson", &more, 3), table("1.ndjson", &BOTH[..1], 7)])
        };
        check(
            &Expected::Contract(&expected),
            &parts("text", "text"),
            &[
                "! 0.ndjson: column `label`: expected integer, found text",
                "0.ndjson: extra column `note` (text)",
            ],
        );
        expected.extra_columns = ExtraColumns::Forbid;
        let forbidden = "! 0.ndjson: column `note` (null) is forbidden by the contract";
        check(&Expected::Contract(&expected), &parts("int64", "null"), &[forbidden]);
    }

    #[test]
    fn fields_are_told_of_the_parts_that_have_the_column() {
        let address = |fields| [("id", "int64"), ("address", fields)];
        let sample = single(table("all.json", &address("struct<city: text, zip: text>?"), 9));
        let parts =
            [table("0.json", &address("struct<city: text, zip: int64>?"), 3), table("1.json", &BOTH[..1], 7)];
        check(
            &Expected::Inferred(&sample),
            &folder(&parts),
            &["! 0.json: column `address.zip`: expected text, found int64"],
        );
        let parts = [table("0.json", &address("struct<city: text>?"), 3), table("1.json", &BOTH[..1], 7)];
        let missing = "! 0.json: column `address.zip` (text) is missing";
        check(&Expected::Inferred(&sample), &folder(&parts), &[missing]);
    }

    #[test]
    fn a_name_with_a_point_is_a_column_of_its_own() {
        let mut expected = contract();
        expected.columns["label"].optional = true;
        expected.extra_columns = ExtraColumns::Forbid;
        let parts = [
            table("0.json", &[BOTH[0], ("label", "null?")], 1),
            table("1.json", &[BOTH[0], ("label.id", "int64")], 1),
        ];
        let told = compare(&Expected::Contract(&expected), &folder(&parts));
        let told: Vec<String> =
            told.iter().map(|told| format!("{}: {}", told.file, told.difference)).collect();
        assert!(
            told.contains(&"1.json: column `label.id` (int64) is forbidden by the contract".to_owned()),
            "{told:?}"
        );
    }

    #[test]
    fn a_column_that_is_in_no_part_any_more_is_missing() {
        let sample = folder(&[table("0.json", &BOTH, 3), table("1.json", &BOTH[..1], 7)]);
        let found = folder(&[table("1.json", &BOTH[..1], 7)]);
        let missing = "! 1.json: column `label` (int64) is missing";
        check(&Expected::Inferred(&sample), &found, &[missing]);
    }

    #[test]
    fn nothing_was_renamed_to_a_column_that_a_part_lacks() {
        let parts = [table("0.json", &[BOTH[0], ("labels", "text")], 3), table("1.json", &BOTH[..1], 7)];
        let missing = |file: &str| format!("! {file}: column `label` (integer) is missing");
        check(
            &Expected::Contract(&contract()),
            &folder(&parts),
            &[&missing("0.json"), "0.json: extra column `labels` (text)", &missing("1.json")],
        );
    }

    #[test]
    fn a_part_that_is_as_its_sample_is_not_to_blame() {
        let sample = folder(&[table("0.json", &BOTH, 3), table("1.json", &BOTH[..1], 7)]);
        let found = folder(&[table("0.json", &BOTH[..1], 3), table("1.json", &BOTH[..1], 7)]);
        let missing = "! 0.json: column `label` (int64) is missing";
        check(&Expected::Inferred(&sample), &found, &[missing]);
    }
}
