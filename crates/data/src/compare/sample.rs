//! The rules for data that the consumer itself has.

use std::collections::{HashMap, HashSet};

use camino::Utf8Path;
use runtime_testing_models::{Column, DataProfile, Difference, FileFormat, FileProfile, NotCompared};

use super::counterpart::Sample;
use super::nested::{self, TakenNames};
use super::rename::renamed;
use super::table::{
    add_column_order, add_types, extra_column, file_of, missing_column, nullable_file, promoted,
};
use super::{Differences, file};
use crate::tables::{Table, TableColumn, object_table, tables, tables_of, unnumbered};
use crate::types::fit::{self, Fit};
use crate::types::join::Typing;
use runtime_testing_models::LogicalType;

/// Holds what was found against a sample: each file against the one of its path, as far as there is one, and each table
/// against the table.
pub(super) fn compare(sample: &DataProfile, found: &DataProfile, list: &mut Differences) {
    let sample = Sample::of(sample, tables(sample), found);
    let mut sound: HashSet<&Utf8Path> = HashSet::new();
    for file in &found.files {
        let differences = file_differences(sample.file(file), file);
        if differences.is_empty() {
            sound.insert(&file.path);
        }
        list.add(&file.path, differences);
    }
    let tables = tables_of(found, |file| sound.contains(file.path.as_path()));
    let tables: Vec<Table<'_>> = tables.into_iter().flat_map(|table| sample.split(table)).collect();
    let pairs: Vec<(&Table<'_>, Option<&Table<'_>>)> =
        tables.iter().map(|table| (table, sample.table(table))).collect();
    let mut standing: HashMap<*const Table<'_>, usize> = HashMap::new();
    for expected in pairs.iter().filter_map(|(_, expected)| *expected) {
        *standing.entry(std::ptr::from_ref(expected)).or_default() += 1;
    }
    let in_tables: HashSet<&Utf8Path> =
        tables.iter().flat_map(|table| &table.files).map(|(file, _)| file.path.as_path()).collect();
    let are_all_sound = found.files.iter().all(file::is_sound);
    for file in found.files.iter().filter(|file| sound.contains(file.path.as_path())) {
        if in_tables.contains(file.path.as_path()) {
            continue;
        }
        match sample.file(file) {
            None => list.add(&file.path, [Difference::ExtraFile]),
            // Beside tables, an object is held against that of its path alone.
            Some(expected) => {
                if let Some((expected, object)) = object_table(expected).zip(object_table(file)) {
                    compare_table(&sample, &expected, &object, are_all_sound, list);
                }
            }
        }
    }
    for (table, expected) in &pairs {
        match expected {
            Some(expected) => {
                // Of one table that has become several, each is what its own files were.
                let own = match standing[&std::ptr::from_ref(*expected)] {
                    1 => None,
                    _ => {
                        let paths: HashSet<&Utf8Path> =
                            table.files.iter().map(|(file, _)| file.path.as_path()).collect();
                        expected.of_files(|file| paths.contains(file.path.as_path()))
                    }
                };
                compare_table(&sample, own.as_ref().unwrap_or(expected), table, are_all_sound, list);
            }
            None => add_unexpected(&sample, table, list),
        }
    }
    sample.add_missing(found, &pairs, list);
}

/// How a file differs from the file of the sample that stands for it, but for the content of a table.
fn file_differences(expected: Option<&FileProfile>, found: &FileProfile) -> Vec<Difference> {
    let mut differences = file::unsound(found);
    let Some(expected) = expected else { return differences };
    differences.retain(|difference| !file::is_misnamed_alike(expected, found, difference));
    if found.promised.is_none() && tells_its_format(expected) {
        differences.extend(file::format_changed(expected, found));
    }
    if !differences.is_empty() {
        return differences;
    }
    if let Some(finding) = expected.findings.first() {
        let reason = NotCompared::SampleUnreadable { finding: finding.clone() };
        let has_no_rows = found.schema.as_ref().is_some_and(|schema| schema.rows == 0);
        let no_rows = has_no_rows.then_some(Difference::NoRows);
        return [Difference::NotCompared { reason }].into_iter().chain(no_rows).collect();
    }
    file::no_longer_a_table(expected, found).into_iter().collect()
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

/// Adds the files of a table that stands for none of the sample.
fn add_unexpected(sample: &Sample<'_>, table: &Table<'_>, list: &mut Differences) {
    for (file, schema) in table.files.iter().filter(|(file, _)| sample.file(file).is_none()) {
        match sample.broken().filter(|_| !file.is_object()) {
            Some(broken) => {
                list.add(&file.path, file_differences(Some(broken), file));
            }
            // What shows nothing can be a part of any table.
            None if schema.columns.is_empty() && schema.rows == 0 && !sample.tables.is_empty() => {}
            None => list.add(&file.path, [Difference::ExtraFile]),
        }
    }
}

/// Holds a table against that of the sample.
fn compare_table<'a>(
    sample: &Sample<'a>,
    expected: &Table<'a>,
    found: &Table<'a>,
    are_all_sound: bool,
    list: &mut Differences,
) {
    let mut has_other_format = false;
    for (file, _) in found.files.iter().filter(|(file, _)| sample.file(file).is_none()) {
        let changed = file::format_changed(expected.first(), file);
        has_other_format |= changed.is_some();
        list.add(&file.path, changed);
    }
    if has_other_format {
        return;
    }
    let paired = Paired::of(sample, expected, found);
    if expected.is_blank() && !found.is_blank() {
        list.add(&found.first().path, [Difference::NotCompared { reason: NotCompared::SampleBlank }]);
    } else if !found.is_blank() {
        compare_columns(expected, found, &paired, list);
        for (file, _) in &found.files {
            let expected = sample.file(file).unwrap_or(expected.first());
            list.add(&file.path, file::text_differences(None, Some(expected), file));
        }
    }
    add_rows(expected, found, &paired, are_all_sound, list);
    if found.rows > 0 && found.rows < expected.rows / FEW {
        list.add(&found.first().path, [Difference::FewRows { expected: expected.rows, found: found.rows }]);
    }
}

/// A table with less than one row of so many that the sample has is worth a note.
const FEW: u64 = 10;

/// Adds files that have no rows, although those of their paths in the sample do, and a table that has none at all. A part may have
/// none where others do that are called the same but for numbers.
fn add_rows(
    expected: &Table<'_>,
    found: &Table<'_>,
    paired: &Paired<'_>,
    are_all_sound: bool,
    list: &mut Differences,
) {
    let is_empty = |path: &Utf8Path| {
        let is_expected = paired.own.get(path).is_some_and(|own| own.has_rows);
        is_expected && (found.rows == 0 || !paired.twins.contains(path))
    };
    let mut is_told = false;
    for (file, schema) in &found.files {
        if schema.rows == 0 && is_empty(&file.path) && !(is_told && found.rows == 0) {
            is_told = true;
            list.add(&file.path, [Difference::NoRows]);
        }
    }
    // What cannot be read may well have the rows that are missing.
    if found.rows == 0 && expected.rows > 0 && !is_told && are_all_sound {
        list.add(&found.first().path, [Difference::NoRows]);
    }
}

/// What the sample says of the files of a table by their paths.
struct Paired<'a> {
    own: HashMap<&'a Utf8Path, Own<'a>>,
    /// The files beside which there are others that are called the same but for numbers: none of them has to be as it was.
    twins: HashSet<&'a Utf8Path>,
}

/// A file of the sample.
struct Own<'a> {
    /// Its place among the files of its table.
    place: usize,
    columns: Vec<&'a Column>,
    has_rows: bool,
}

impl<'a> Paired<'a> {
    fn of(sample: &Sample<'a>, expected: &Table<'a>, found: &Table<'a>) -> Self {
        let by_path: HashMap<&Utf8Path, usize> =
            expected.files.iter().zip(0..).map(|((file, _), place)| (file.path.as_path(), place)).collect();
        let mut own = HashMap::new();
        for (file, _) in &found.files {
            let place = sample.file(file).and_then(|file| by_path.get(file.path.as_path()));
            if let Some(place) = place.copied() {
                let (file_of_sample, schema) = expected.files[place];
                let columns = schema.columns.iter().collect();
                own.insert(
                    file.path.as_path(),
                    Own { place, columns, has_rows: may_have_rows(file_of_sample) },
                );
            }
        }
        let mut names: HashMap<String, Vec<&Utf8Path>> = HashMap::new();
        if found.files.len() > 1 {
            for (file, _) in &found.files {
                names.entry(unnumbered(&file.path)).or_default().push(&file.path);
            }
        }
        let twins = names.into_values().filter(|names| names.len() > 1).flatten().collect();
        Self { own, twins }
    }

    /// The file of the sample that a file alone is held against, if it is not one of many parts.
    fn alone(&self, path: &Utf8Path) -> Option<&Own<'a>> {
        self.own.get(path).filter(|_| !self.twins.contains(path))
    }
}

fn compare_columns<'a>(expected: &Table<'a>, found: &Table<'a>, paired: &Paired<'_>, list: &mut Differences) {
    let typing = Typing::of(expected.first().format).min(Typing::of(found.first().format));
    let of_data = (expected.is_object() && found.is_object())
        .then(|| nested::types_of_data(column_types(expected), column_types(found), typing))
        .flatten();
    let Columns { pairs, missing, extra } = Columns::of(expected, found);
    add_missing_columns(&missing, found, &extra, of_data.is_some(), list);
    add_missing_in_files(found, paired, list);
    let begun = list.0.len();
    let names = expected.columns.iter().chain(extra.iter().copied()).map(|column| column.name);
    let taken = TakenNames::of(names);
    for (column, expected) in &pairs {
        add_column_types(found, column, expected, paired, (&taken, typing), list);
    }
    if let Some(of_data) = of_data {
        // Where no value of a key that both have shows it, the others may.
        if !list.0[begun..].iter().any(|told| told.difference.is_breaking()) {
            list.add(&found.first().path, nested::differences_of_data(&of_data));
        }
    }
    for (column, expected) in &pairs {
        add_nullability(found, column, expected, paired, list);
    }
    for column in extra {
        list.add(file_of(found, column), [extra_column(column)]);
    }
    let names = expected.columns.iter().map(|column| column.name);
    add_column_order(names, |place, name| expected.place_near(place, name), found, list);
}

/// The types of columns that have one.
fn column_types<'t>(table: &'t Table<'_>) -> impl Iterator<Item = &'t LogicalType> {
    table.columns.iter().filter_map(|column| column.whole.as_ref())
}

/// The columns of two tables by their names.
struct Columns<'t, 'a> {
    /// Those that are there, each with that of the sample.
    pairs: Vec<(&'t TableColumn<'a>, &'t TableColumn<'a>)>,
    missing: Vec<&'t TableColumn<'a>>,
    extra: Vec<&'t TableColumn<'a>>,
}

impl<'t, 'a> Columns<'t, 'a> {
    fn of(expected: &'t Table<'a>, found: &'t Table<'a>) -> Self {
        let mut columns = Self { pairs: Vec::new(), missing: Vec::new(), extra: Vec::new() };
        let mut is_expected = vec![false; found.columns.len()];
        for (place, column) in expected.columns.iter().enumerate() {
            match found.place_near(place, column.name) {
                Some(place) => {
                    is_expected[place] = true;
                    columns.pairs.push((&found.columns[place], column));
                }
                None => columns.missing.push(column),
            }
        }
        let all = found.columns.iter().zip(is_expected);
        columns.extra.extend(all.filter(|(_, is_expected)| !is_expected).map(|(column, _)| column));
        columns
    }
}

/// Adds the columns of the sample that are in no part.
fn add_missing_columns(
    missing: &[&TableColumn<'_>],
    found: &Table<'_>,
    extra: &[&TableColumn<'_>],
    are_data: bool,
    list: &mut Differences,
) {
    let names: Vec<&str> = missing.iter().map(|column| column.name).collect();
    let fits = |place: usize, new: usize| match (&missing[place].whole, &extra[new].whole) {
        (Some(expected), Some(found)) => fit::to_sample(expected, found) != Fit::Changed,
        _ => false,
    };
    let extra: Vec<&str> = extra.iter().map(|column| column.name).collect();
    for (column, renamed) in missing.iter().zip(renamed(&names, &extra, fits)) {
        let difference = missing_column(column.name.to_owned(), column.shown(), renamed, are_data);
        list.add(&found.first().path, [difference]);
    }
}

/// Adds the columns that a file of the sample has and that of its path does not have any more, although others do.
fn add_missing_in_files(found: &Table<'_>, paired: &Paired<'_>, list: &mut Differences) {
    if found.files.len() == 1 {
        return;
    }
    for (file, schema) in &found.files {
        let Some(own) = paired.alone(&file.path) else { continue };
        let there: HashSet<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
        for column in &own.columns {
            if !there.contains(&*column.name) && found.column(&column.name).is_some() {
                let (column, expected) = (column.name.clone(), column.data_type.to_string());
                list.add(&file.path, [Difference::MissingColumn { column, expected, renamed: None }]);
            }
        }
    }
}

/// Adds how the type of a column differs. It is that of the whole table, unless the sample shows that a file has one of its own.
fn add_column_types(
    found: &Table<'_>,
    column: &TableColumn<'_>,
    expected: &TableColumn<'_>,
    paired: &Paired<'_>,
    (taken, typing): (&TakenNames<'_>, Typing),
    list: &mut Differences,
) {
    if column.own.len() == 1 && expected.own.len() == 1 && column.whole == expected.whole {
        return;
    }
    let judge = |expected: &LogicalType, found: &LogicalType, own: Option<&Column>| {
        nested::types(column.name, expected, found, own, taken, typing)
    };
    let own_of_sample: HashMap<usize, &Column> = match expected.own.len() {
        1 if expected.whole.is_some() => HashMap::new(),
        _ => expected.own.iter().copied().collect(),
    };
    let shown = expected.shown();
    let mut is_own = 0;
    for (file, own) in &column.own {
        let path = &found.files[*file].0.path;
        let of_sample = paired.alone(path).and_then(|own| own_of_sample.get(&own.place));
        let of_sample = of_sample
            .filter(|of_sample| of_sample.data_type != *shown && of_sample.data_type != LogicalType::Null);
        if let Some(of_sample) = of_sample {
            is_own += 1;
            list.add(path, judge(&of_sample.data_type, &own.data_type, Some(own)));
        }
    }
    if is_own == column.own.len() {
        return;
    }
    let types: Vec<LogicalType> = match &expected.whole {
        Some(whole) => vec![whole.clone()],
        None => expected.own_types().iter().map(|(_, own)| own.data_type.clone()).collect(),
    };
    let nearest = |found: &LogicalType, own: Option<&Column>| {
        let differences = types.iter().map(|expected| judge(expected, found, own));
        let weight = |differences: &Vec<Difference>| {
            (differences.iter().any(Difference::is_breaking), !differences.is_empty())
        };
        differences.min_by_key(weight).unwrap_or_default()
    };
    add_types(found, column, nearest, list);
}

/// Whether a column holds nulls, or may for all that is known: what a file allows says nothing where they are counted.
fn may_have_nulls(column: &TableColumn<'_>) -> bool {
    column.nulls.map_or(column.nullable, |nulls| nulls > 0)
}

/// Adds that a column may hold nulls where that of the sample does not, or the other way round; and that one of the two shows
/// nothing but nulls.
fn add_nullability(
    found: &Table<'_>,
    column: &TableColumn<'_>,
    expected: &TableColumn<'_>,
    paired: &Paired<'_>,
    list: &mut Differences,
) {
    // Nothing is known of a type that no row shows.
    if found.rows == 0 && column.is_null() {
        return;
    }
    let (expects_nulls, has_nulls) = (may_have_nulls(expected), may_have_nulls(column));
    let difference = if expects_nulls != has_nulls {
        Difference::Nullability {
            column: column.name.to_owned(),
            expected_nullable: expects_nulls,
            found_nullable: has_nulls,
        }
    } else if expected.is_null() != column.is_null() {
        promoted(
            column.name,
            expected.shown().to_string(),
            column.whole.as_ref().unwrap_or(&LogicalType::Null),
        )
    } else {
        return;
    };
    let file = if has_nulls { nullable_file(found, column) } else { file_of(found, column) };
    // That a file lacks the column says it all.
    let lacks = |place: usize| column.own.iter().all(|(own, _)| *own != place);
    let place = found.files.iter().position(|(known, _)| known.path == *file);
    let is_told =
        || paired.alone(file).is_some_and(|own| own.columns.iter().any(|own| own.name == column.name));
    if !(column.own.len() < found.files.len() && place.is_some_and(lacks) && is_told()) {
        list.add(file, [difference]);
    }
}

#[cfg(test)]
mod tests;
