//! The rules for data that the consumer itself has.

use std::collections::HashSet;

use runtime_testing_models::{
    Column, DataProfile, Difference, FileFormat, FileProfile, NotCompared, TableSchema,
};

use super::counterpart::{Counterpart, counterparts, missing_files};
use super::nested::{self, TakenNames};
use super::parts::{PartColumn, Parts, settled};
use super::rename::renamed;
use super::table::{Found, FoundColumn, column_order, extra_column, has_order, is_null, promoted, words};
use super::{Differences, file, rows};
use crate::types::fit::{self, Fit};

/// Holds what was found against a sample, file by file.
pub(super) fn compare(sample: &DataProfile, found: &DataProfile, list: &mut Differences) {
    let (settled, found_parts) = (settled(sample), Parts::of(found));
    let counterparts = counterparts(sample, &settled, found);
    // Parts of one table may be empty as long as one of them is not.
    let mut parts = Vec::new();
    let mut all_sound = true;
    for (place, (file, counterpart)) in found.files.iter().zip(&counterparts).enumerate() {
        let mut differences = file::unsound(file);
        if let Some(expected) = counterpart.expected() {
            differences.retain(|difference| !file::is_misnamed_alike(expected, file, difference));
        }
        all_sound &= differences.is_empty();
        let Some(expected) = counterpart.expected() else {
            if differences.is_empty() {
                differences.push(Difference::ExtraFile);
            }
            list.add(&file.path, differences);
            continue;
        };
        if file.promised.is_none() && tells_its_format(expected) {
            differences.extend(file::format_changed(expected, file));
        }
        if differences.is_empty() {
            // A file of the sample is held against the file of its name alone, a table against the table.
            let is_part = matches!(counterpart, Counterpart::Part(_));
            let columns = found_parts.columns(place).filter(|_| is_part);
            differences.extend(content_differences(expected, file, columns));
            match (counterpart, &file.schema) {
                (Counterpart::File(_), Some(schema)) if schema.rows == 0 => {
                    differences.extend(no_rows(expected))
                }
                (_, Some(schema)) => parts.push((file, schema)),
                (_, None) => {}
            }
        }
        list.add(&file.path, differences);
    }
    // What cannot be read may well have the rows that are missing.
    if all_sound && sample.files.iter().any(may_have_rows) {
        rows::at_least(None, &parts, list);
    }
    missing_files(sample, found, &counterparts, list);
}

/// Whether a file of the sample has rows, as far as is known: one that cannot be read does not show that it has none.
fn may_have_rows(expected: &FileProfile) -> bool {
    !expected.findings.is_empty() || expected.schema.as_ref().is_some_and(|schema| schema.rows > 0)
}

/// Whether the format of a file of the sample is known: of one that is no table although its name promises one, only
/// what it is not is known.
fn tells_its_format(expected: &FileProfile) -> bool {
    expected.findings.is_empty() || expected.format != FileFormat::Opaque
}

/// There are no rows where the sample has some.
fn no_rows(expected: &FileProfile) -> Option<Difference> {
    may_have_rows(expected).then_some(Difference::NoRows)
}

/// How the content of a file differs, whose columns may be parts of those of a table.
fn content_differences(
    expected: &FileProfile,
    found: &FileProfile,
    parts: Option<&[PartColumn]>,
) -> Vec<Difference> {
    let not_compared = |reason| vec![Difference::NotCompared { reason }];
    if let Some(finding) = expected.findings.first() {
        return not_compared(NotCompared::SampleUnreadable { finding: finding.clone() });
    }
    if let Some(difference) = file::no_longer_a_table(expected, found) {
        return vec![difference];
    }
    let text = file::text_differences(Some(expected), found);
    match (&expected.schema, &found.schema) {
        (Some(sample), Some(schema)) if rows::is_blank(sample) && !rows::is_blank(schema) => {
            not_compared(NotCompared::SampleBlank)
        }
        (Some(sample), Some(schema)) if !rows::is_blank(schema) => {
            let are_objects = expected.is_object() && found.is_object();
            let found = Found::new(schema, parts);
            let pairs = Pairs::of(sample, &found);
            let mut differences = missing_columns(&pairs);
            differences.extend(types(&pairs, are_objects));
            differences.extend(nullability(&pairs, &found));
            differences.extend(pairs.extra.iter().map(|column| extra_column(column)));
            if has_order(expected.format) {
                let names: Vec<&str> = sample.columns.iter().map(|column| column.name.as_str()).collect();
                differences.extend(column_order(&names, &found));
            }
            differences.extend(text);
            if are_objects { differences.into_iter().map(of_object).collect() } else { differences }
        }
        _ => Vec::new(),
    }
}

/// A difference between single objects, of which a key that is missing may be data.
fn of_object(difference: Difference) -> Difference {
    match difference {
        Difference::MissingColumn { column: key, expected, renamed } => {
            Difference::MissingKey { key, expected, renamed }
        }
        other => other,
    }
}

/// The columns of the sample and those that were found.
struct Pairs<'a> {
    /// Columns of the sample that are there.
    both: Vec<(&'a Column, FoundColumn<'a>)>,
    missing: Vec<&'a Column>,
    /// Columns that the sample does not have.
    extra: Vec<&'a Column>,
}

impl<'a> Pairs<'a> {
    fn of(sample: &'a TableSchema, found: &Found<'a>) -> Self {
        let (mut both, mut missing) = (Vec::new(), Vec::new());
        for (place, expected) in sample.columns.iter().enumerate() {
            match found.column_near(&expected.name, place) {
                Some(column) => both.push((expected, column)),
                None => missing.push(expected),
            }
        }
        let extra =
            if both.len() == found.schema.columns.len() { Vec::new() } else { unknown(sample, found) };
        Self { both, missing, extra }
    }
}

fn unknown<'a>(sample: &TableSchema, found: &Found<'a>) -> Vec<&'a Column> {
    let names: HashSet<&str> = sample.columns.iter().map(|column| column.name.as_str()).collect();
    found.schema.columns.iter().filter(|column| !names.contains(column.name.as_str())).collect()
}

/// Columns of the sample that are not there.
fn missing_columns(pairs: &Pairs<'_>) -> Vec<Difference> {
    let names: Vec<&str> = pairs.missing.iter().map(|column| column.name.as_str()).collect();
    let fits = |place: usize, new: usize| {
        fit::to_sample(&words(pairs.missing[place]), &words(pairs.extra[new])) != Fit::Changed
    };
    let extra: Vec<&str> = pairs.extra.iter().map(|column| column.name.as_str()).collect();
    let candidates = renamed(&names, &extra, fits);
    let differences = pairs.missing.iter().zip(candidates).map(|(column, renamed)| {
        Difference::MissingColumn { column: column.name.clone(), expected: column.data_type.clone(), renamed }
    });
    differences.collect()
}

/// Columns of another type, or with another one inside. Nulls alone are no type: what they differ in is a matter of
/// nullability.
fn types(pairs: &Pairs<'_>, are_objects: bool) -> Vec<Difference> {
    let known = pairs.both.iter().map(|(expected, _)| *expected);
    let columns = known.chain(pairs.missing.iter().copied()).chain(pairs.extra.iter().copied());
    let taken = TakenNames::of(columns.map(|column| column.name.as_str()));
    let is_same = |expected: &Column, found: &Column| {
        expected.data_type == found.data_type || is_null(expected) || is_null(found)
    };
    let others = pairs.both.iter().filter(|(expected, column)| !is_same(expected, column.settled()));
    others.flat_map(|(expected, column)| nested::types(expected, *column, &taken, are_objects)).collect()
}

/// Columns that may hold nulls where those of the sample do not, or the other way round; and those of which one side
/// shows nothing but nulls.
fn nullability(pairs: &Pairs<'_>, found: &Found<'_>) -> Vec<Difference> {
    let difference = |(expected, column): &(&Column, FoundColumn<'_>)| {
        let (own, settled) = (column.own, column.settled());
        if found.has_no_type(own) {
            None
        } else if expected.nullable != settled.nullable && expected.nullable != own.nullable {
            Some(Difference::Nullability {
                column: own.name.clone(),
                expected_nullable: expected.nullable,
                found_nullable: own.nullable,
            })
        } else if is_null(expected) != is_null(settled) {
            Some(promoted(settled, &expected.data_type))
        } else {
            None
        }
    };
    pairs.both.iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests;
