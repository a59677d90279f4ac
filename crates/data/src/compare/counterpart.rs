//! Which file of a sample stands for which of the files that were found.

use std::collections::{HashMap, HashSet};

use camino::Utf8Path;
use runtime_testing_models::{DataProfile, Difference, FileProfile};

use super::file::is_line_of;
use super::{Differences, rows};
use crate::numbered::are_numbered_alike;

/// The file of the sample that a found file is compared with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counterpart<'a> {
    /// The file of the same path, or the only one.
    File(&'a FileProfile),
    /// Any file of the table that the found one is a part of.
    Part(&'a FileProfile),
    /// The sample has no such file.
    None,
}

impl<'a> Counterpart<'a> {
    pub(super) fn expected(self) -> Option<&'a FileProfile> {
        match self {
            Self::File(expected) | Self::Part(expected) => Some(expected),
            Self::None => None,
        }
    }
}

fn is_one_to_one(sample: &DataProfile, found: &DataProfile) -> bool {
    sample.files.len() == 1 && found.files.len() == 1
}

/// The counterpart of each file that was found. Parts of a table are held against the sample with the types of the whole.
pub(super) fn counterparts<'a>(
    sample: &'a DataProfile,
    settled: &'a DataProfile,
    found: &DataProfile,
) -> Vec<Counterpart<'a>> {
    if is_one_to_one(sample, found) {
        return vec![Counterpart::File(&sample.files[0])];
    }
    let by_path: HashMap<&Utf8Path, &FileProfile> =
        sample.files.iter().map(|file| (file.path.as_path(), file)).collect();
    let whole = only_table(settled);
    let counterpart = |file: &FileProfile| match (by_path.get(file.path.as_path()), whole) {
        (Some(expected), _) => Counterpart::File(expected),
        (None, Some(expected)) if may_be_part(file, expected) => Counterpart::Part(expected),
        _ => Counterpart::None,
    };
    found.files.iter().map(counterpart).collect()
}

/// Whether a file is a table that can be a part of one with an expected file. Single objects are parts of one where their
/// names number them.
fn may_be_part(found: &FileProfile, expected: &FileProfile) -> bool {
    match (found.is_object(), expected.is_object()) {
        (false, false) => found.schema.is_some(),
        (true, true) => found.schema.is_some() && are_numbered_alike(&found.path, &expected.path),
        (true, false) => is_line_of(expected, found),
        (false, true) => false,
    }
}

/// A file of the sample's table, if all its tables have the same columns and so are parts of one. What has neither columns
/// nor rows can be a part of any. Where there is none, a file that should be one and cannot be read stands for it.
fn only_table(sample: &DataProfile) -> Option<&FileProfile> {
    let mut tables = sample.tables().filter(|(_, schema)| !rows::is_blank(schema));
    let Some((first, schema)) = tables.next() else {
        let broken = sample.files.iter().find(|file| !file.findings.is_empty());
        return broken.or(sample.tables().map(|(blank, _)| blank).next());
    };
    let names = rows::column_names(schema);
    tables.all(|(_, other)| rows::column_names(other) == names).then_some(first)
}

/// Files of the sample that are not there. A part of a table may be left out as long as another is there.
pub(super) fn missing_files(
    sample: &DataProfile,
    found: &DataProfile,
    counterparts: &[Counterpart<'_>],
    list: &mut Differences,
) {
    if is_one_to_one(sample, found) {
        return;
    }
    // One that lacks a column is still a part: the column is what is wrong with it.
    let is_table = |(file, counterpart): &(&FileProfile, &Counterpart<'_>)| {
        !file.is_object() || counterpart.expected().is_some_and(|expected| is_line_of(expected, file))
    };
    let tables = found.files.iter().zip(counterparts).filter(is_table);
    let schemas = tables.flat_map(|(file, counterpart)| {
        [file.schema.as_ref(), counterpart.expected().and_then(|expected| expected.schema.as_ref())]
    });
    let parts: HashSet<Vec<&str>> = schemas.flatten().map(rows::column_names).collect();
    let there: HashSet<&Utf8Path> = found.files.iter().map(|file| file.path.as_path()).collect();
    let stand_aside = sample.objects_stand_aside();
    // The tables that a file can be a part of by its kind.
    let alike = |expected: &FileProfile| {
        let kind = expected.kind();
        found.files.iter().filter(move |file| file.kind() == kind && file.schema.is_some())
    };
    for expected in &sample.files {
        let has_part = match &expected.schema {
            // What tells something of tables is there or not, whatever it holds.
            Some(_) if expected.is_object() => {
                !stand_aside && alike(expected).any(|file| are_numbered_alike(&file.path, &expected.path))
            }
            Some(schema) if rows::is_blank(schema) => alike(expected).next().is_some(),
            Some(schema) => parts.contains(&rows::column_names(schema)),
            None => false,
        };
        // Of a file that cannot be read, nobody knows of which table it is a part.
        let may_have_part = !expected.findings.is_empty() && !parts.is_empty();
        if !has_part && !may_have_part && !there.contains(expected.path.as_path()) {
            list.add(&expected.path, [Difference::MissingFile]);
        }
    }
}
