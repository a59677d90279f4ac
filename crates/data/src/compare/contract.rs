//! The rules for what a person wrote.

use runtime_testing_models::{
    Column, ColumnContract, DataProfile, Difference, ExtraColumns, FileFormat, TableContract, TableSchema, TypeWord,
};

use super::fit::{self, Fit};
use super::rename::renamed;
use super::table::{Found, column_order, extra_column, has_order, promoted, type_changed, words};
use super::{Differences, file, rows};
use crate::findings::finding;
use crate::type_words::TypeWords;

/// Holds every table of what was found against a contract. What is no table is left alone as long as there is one.
pub(super) fn compare(contract: &TableContract, found: &DataProfile, list: &mut Differences) {
    let (tables, all_sound) = file::sound_tables(found, list);
    for (file, schema) in &tables {
        list.add(&file.path, table_differences(contract, schema, file.format));
    }
    if !all_sound {
        // What cannot be read may well have the rows that are missing.
        return;
    }
    rows::at_least(contract.min_rows, &tables, list);
    if let (Some(first), true) = (found.files.first(), tables.is_empty()) {
        let message = if found.is_folder { "no table among the files" } else { "not a table" };
        list.add(&first.path, [Difference::Unreadable { finding: finding(message) }]);
    }
}

fn table_differences(contract: &TableContract, schema: &TableSchema, format: FileFormat) -> Vec<Difference> {
    if rows::is_blank(schema) {
        return Vec::new();
    }
    let found = Found::new(schema);
    let mut differences = missing_columns(contract, &found);
    differences.extend(types(contract, &found));
    differences.extend(nulls(contract, &found));
    differences.extend(extra_columns(contract, &found));
    if has_order(format) {
        let expected: Vec<&str> = contract.columns.keys().map(String::as_str).collect();
        differences.extend(column_order(&expected, &found));
    }
    differences
}

/// Columns that must be there and are not.
fn missing_columns(contract: &TableContract, found: &Found<'_>) -> Vec<Difference> {
    let is_missing =
        |(name, column): &(&String, &ColumnContract)| !column.optional && found.column(name).is_none();
    let missing: Vec<(&String, &ColumnContract)> = contract.columns.iter().filter(is_missing).collect();
    let names: Vec<&str> = missing.iter().map(|(name, _)| name.as_str()).collect();
    let extra: Vec<&Column> = unnamed(contract, found).collect();
    let fits = |place: usize, column: &Column| {
        fit::to_contract(missing[place].1.data_type, &words(column)) != Fit::Changed
    };
    let candidates = renamed(&names, &extra, fits);
    let differences = missing.iter().zip(candidates).map(|((name, column), renamed)| Difference::MissingColumn {
        column: (*name).clone(),
        expected: column.data_type.to_string(),
        renamed,
    });
    differences.collect()
}

/// Columns of the contract that are there.
fn pairs<'a>(contract: &'a TableContract, found: &Found<'a>) -> Vec<(&'a ColumnContract, &'a Column)> {
    contract.columns.iter().filter_map(|(name, column)| Some((column, found.column(name)?))).collect()
}

/// Columns of another type. One without a value has none.
fn types(contract: &TableContract, found: &Found<'_>) -> Vec<Difference> {
    let difference = |(expected, column): (&ColumnContract, &Column)| {
        let expected: TypeWord = expected.data_type;
        match fit::to_contract(expected, &words(column)) {
            Fit::Same => None,
            Fit::Promotes => Some(promoted(column, expected.as_str())),
            Fit::Changed => Some(type_changed(column, expected.as_str())),
        }
    };
    pairs(contract, found).into_iter().filter_map(difference).collect()
}

/// Columns that must not hold nulls and do, or that may for all that is known.
fn nulls(contract: &TableContract, found: &Found<'_>) -> Vec<Difference> {
    let difference = |(expected, column): (&ColumnContract, &Column)| {
        if expected.nullable || found.has_no_type(column) {
            return None;
        }
        let nulls = match words(column) {
            TypeWords::Null => Some(found.schema.rows),
            _ => column.nulls,
        };
        match nulls {
            Some(0) => None,
            Some(_) => Some(Difference::NullsFound { column: column.name.clone(), nulls }),
            None if column.nullable => Some(Difference::Nullability {
                column: column.name.clone(),
                expected_nullable: false,
                found_nullable: true,
            }),
            None => None,
        }
    };
    pairs(contract, found).into_iter().filter_map(difference).collect()
}

/// Columns that the contract does not name.
fn extra_columns(contract: &TableContract, found: &Found<'_>) -> Vec<Difference> {
    let difference = |column: &Column| match contract.extra_columns {
        ExtraColumns::Allow => extra_column(column),
        ExtraColumns::Forbid => {
            Difference::UnexpectedColumn { column: column.name.clone(), found: column.data_type.clone() }
        }
    };
    unnamed(contract, found).map(difference).collect()
}

fn unnamed<'a>(contract: &'a TableContract, found: &Found<'a>) -> impl Iterator<Item = &'a Column> {
    found.schema.columns.iter().filter(|column| !contract.columns.contains_key(&column.name))
}
