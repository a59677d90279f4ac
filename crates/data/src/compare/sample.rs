//! The rules for data that the consumer itself has.

use std::collections::{HashMap, HashSet};

use camino::Utf8Path;
use runtime_testing_models::{Column, DataProfile, Difference, FileProfile, TableSchema};

use super::fit::{self, Fit};
use super::rename::renamed;
use super::table::{Found, column_order, extra_column, has_order, promoted, type_changed, words};
use super::{Differences, file, rows};
use crate::type_words::TypeWords;

/// The file of the sample that a found file is compared with.
#[derive(Debug, Clone, Copy)]
enum Counterpart<'a> {
    /// The file of the same path, or the only one.
    File(&'a FileProfile),
    /// Any file of the table that the found one is a part of.
    Part(&'a FileProfile),
    /// The sample has no such file.
    None,
}

impl<'a> Counterpart<'a> {
    fn expected(self) -> Option<&'a FileProfile> {
        match self {
            Self::File(expected) | Self::Part(expected) => Some(expected),
            Self::None => None,
        }
    }
}

fn is_one_to_one(sample: &DataProfile, found: &DataProfile) -> bool {
    sample.files.len() == 1 && found.files.len() == 1
}

fn counterparts<'a>(sample: &'a DataProfile, found: &DataProfile) -> Vec<Counterpart<'a>> {
    if is_one_to_one(sample, found) {
        return vec![Counterpart::File(&sample.files[0])];
    }
    let by_path: HashMap<&Utf8Path, &FileProfile> =
        sample.files.iter().map(|file| (file.path.as_path(), file)).collect();
    let whole = only_table(sample);
    let counterpart = |file: &FileProfile| match (by_path.get(file.path.as_path()), whole) {
        (Some(expected), _) => Counterpart::File(expected),
        (None, Some(expected)) if file.schema.is_some() => Counterpart::Part(expected),
        _ => Counterpart::None,
    };
    found.files.iter().map(counterpart).collect()
}

/// A file of the sample's table, if all its tables have the same columns and so are parts of one.
fn only_table(sample: &DataProfile) -> Option<&FileProfile> {
    let mut tables = sample.tables();
    let (first, schema) = tables.next()?;
    let names = rows::column_names(schema);
    tables.all(|(_, other)| rows::column_names(other) == names).then_some(first)
}

/// Holds what was found against a sample, file by file.
pub(super) fn compare(sample: &DataProfile, found: &DataProfile, list: &mut Differences) {
    let counterparts = counterparts(sample, found);
    // Parts of one table may be empty as long as one of them is not.
    let mut parts = Vec::new();
    for (file, counterpart) in found.files.iter().zip(&counterparts) {
        let mut differences = file::unsound(file);
        let Some(expected) = counterpart.expected() else {
            if differences.is_empty() {
                differences.push(Difference::ExtraFile);
            }
            list.add(&file.path, differences);
            continue;
        };
        let changed = file::format_changed(expected, file).filter(|changed| !differences.contains(changed));
        differences.extend(changed);
        if differences.is_empty() {
            differences.extend(content_differences(expected, file));
            match (counterpart, &file.schema) {
                (Counterpart::File(_), Some(schema)) if schema.rows == 0 => differences.extend(no_rows(expected)),
                (_, Some(schema)) => parts.push((file, schema)),
                (_, None) => {}
            }
        }
        list.add(&file.path, differences);
    }
    if sample.tables().any(|(_, schema)| schema.rows > 0) {
        rows::at_least(None, &parts, list);
    }
    missing_files(sample, found, &counterparts, list);
}

/// There are no rows where the sample has some.
fn no_rows(expected: &FileProfile) -> Option<Difference> {
    expected.schema.as_ref().filter(|schema| schema.rows > 0).map(|_| Difference::NoRows)
}

/// Files of the sample that are not there. A part of a table may be left out as long as another is there.
fn missing_files(
    sample: &DataProfile,
    found: &DataProfile,
    counterparts: &[Counterpart<'_>],
    list: &mut Differences,
) {
    if is_one_to_one(sample, found) {
        return;
    }
    for expected in &sample.files {
        let is_there = found.files.iter().any(|file| file.path == expected.path);
        let has_part = expected.schema.as_ref().is_some_and(|schema| {
            let names = rows::column_names(schema);
            let has_names = |schema: &Option<TableSchema>| {
                schema.as_ref().is_some_and(|schema| rows::column_names(schema) == names)
            };
            // One that lacks a column is still a part: the column is what is wrong with it.
            let is_part = |(file, counterpart): (&FileProfile, &Counterpart<'_>)| {
                has_names(&file.schema) || counterpart.expected().is_some_and(|expected| has_names(&expected.schema))
            };
            found.files.iter().zip(counterparts).any(is_part)
        });
        if !is_there && !has_part {
            list.add(&expected.path, [Difference::MissingFile]);
        }
    }
}

fn content_differences(expected: &FileProfile, found: &FileProfile) -> Vec<Difference> {
    if let Some(difference) = file::no_longer_a_table(expected, found) {
        return vec![difference];
    }
    // A sample that cannot be read itself shows nothing.
    let sample = expected.schema.as_ref().filter(|_| expected.findings.is_empty());
    match (sample, &found.schema) {
        (Some(sample), Some(schema)) if !rows::is_blank(schema) => {
            let found = Found::new(schema);
            let mut differences = missing_columns(sample, &found);
            differences.extend(types(sample, &found));
            differences.extend(nullability(sample, &found));
            differences.extend(extra_columns(sample, &found));
            if has_order(expected.format) {
                let names: Vec<&str> = sample.columns.iter().map(|column| column.name.as_str()).collect();
                differences.extend(column_order(&names, &found));
            }
            differences
        }
        _ => Vec::new(),
    }
}

/// Columns of the sample that are not there.
fn missing_columns(sample: &TableSchema, found: &Found<'_>) -> Vec<Difference> {
    let missing: Vec<&Column> =
        sample.columns.iter().filter(|column| found.column(&column.name).is_none()).collect();
    let names: Vec<&str> = missing.iter().map(|column| column.name.as_str()).collect();
    let extra: Vec<&Column> = unknown(sample, found).collect();
    let fits =
        |place: usize, column: &Column| fit::to_sample(&words(missing[place]), &words(column)) != Fit::Changed;
    let candidates = renamed(&names, &extra, fits);
    let differences = missing.iter().zip(candidates).map(|(column, renamed)| Difference::MissingColumn {
        column: column.name.clone(),
        expected: column.data_type.clone(),
        renamed,
    });
    differences.collect()
}

/// Columns of the sample that are there.
fn pairs<'a>(sample: &'a TableSchema, found: &Found<'a>) -> Vec<(&'a Column, &'a Column)> {
    sample.columns.iter().filter_map(|column| Some((column, found.column(&column.name)?))).collect()
}

/// Columns of another type. Nulls alone are no type: what they differ in is a matter of nullability.
fn types(sample: &TableSchema, found: &Found<'_>) -> Vec<Difference> {
    let difference = |(expected, column): (&Column, &Column)| {
        let (expected_words, words) = (words(expected), words(column));
        if expected_words == TypeWords::Null || words == TypeWords::Null {
            return None;
        }
        match fit::to_sample(&expected_words, &words) {
            Fit::Same => None,
            Fit::Promotes => Some(promoted(column, &expected.data_type)),
            Fit::Changed => Some(type_changed(column, &expected.data_type)),
        }
    };
    pairs(sample, found).into_iter().filter_map(difference).collect()
}

/// Columns that may hold nulls where those of the sample do not, or the other way round; and those of which one side
/// shows nothing but nulls.
fn nullability(sample: &TableSchema, found: &Found<'_>) -> Vec<Difference> {
    let difference = |(expected, column): (&Column, &Column)| {
        let is_null = |column: &Column| words(column) == TypeWords::Null;
        if found.has_no_type(column) {
            None
        } else if expected.nullable != column.nullable {
            Some(Difference::Nullability {
                column: column.name.clone(),
                expected_nullable: expected.nullable,
                found_nullable: column.nullable,
            })
        } else if is_null(expected) != is_null(column) {
            Some(promoted(column, &expected.data_type))
        } else {
            None
        }
    };
    pairs(sample, found).into_iter().filter_map(difference).collect()
}

/// Columns that the sample does not have.
fn extra_columns(sample: &TableSchema, found: &Found<'_>) -> Vec<Difference> {
    unknown(sample, found).map(extra_column).collect()
}

fn unknown<'a>(sample: &TableSchema, found: &Found<'a>) -> impl Iterator<Item = &'a Column> {
    let names: HashSet<&str> = sample.columns.iter().map(|column| column.name.as_str()).collect();
    found.schema.columns.iter().filter(move |column| !names.contains(column.name.as_str()))
}
