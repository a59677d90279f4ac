//! Which part of a sample stands for which of what was found.

use std::collections::{BTreeMap, HashMap, HashSet};

use camino::Utf8Path;
use indexmap::IndexSet;
use runtime_testing_models::{DataProfile, Difference, FileProfile};

use super::Differences;
use super::file::is_line_of;
use crate::tables::{Table, are_alike, are_numbered_alike, glob_of};

/// Of a sample of more tables, none stands for one that has none of its paths.
const MOST_ALIKE: usize = 100;

/// The files of a sample, and the tables that they are.
pub(super) struct Sample<'a> {
    data: &'a DataProfile,
    pub(super) tables: Vec<Table<'a>>,
    by_path: HashMap<&'a Utf8Path, &'a FileProfile>,
    /// The table that each file is a part of.
    places: HashMap<&'a Utf8Path, usize>,
    /// The only file, where one file was found.
    one: Option<&'a FileProfile>,
}

impl<'a> Sample<'a> {
    pub(super) fn of(data: &'a DataProfile, tables: Vec<Table<'a>>, found: &DataProfile) -> Self {
        let by_path = data.files.iter().map(|file| (file.path.as_path(), file)).collect();
        let files_of = |(place, table): (usize, &Table<'a>)| {
            table.files.iter().map(move |(file, _)| (file.path.as_path(), place)).collect::<Vec<_>>()
        };
        let places = tables.iter().enumerate().flat_map(files_of).collect();
        let one = data.files.first().filter(|_| data.files.len() == 1 && found.files.len() == 1);
        Self { data, tables, by_path, places, one }
    }

    /// The file that stands for one that was found: the one of its path, or the only one for the only one.
    pub(super) fn file(&self, found: &FileProfile) -> Option<&'a FileProfile> {
        self.one.or_else(|| self.by_path.get(found.path.as_path()).copied())
    }

    /// The table that stands for one that was found: the one with most of its paths, or the only one there is, or the only one with
    /// much the same columns, if it can be of its kind. What has neither columns nor rows stands for another table only where there is nothing else.
    pub(super) fn table(&self, found: &Table<'_>) -> Option<&Table<'a>> {
        let mut common: BTreeMap<usize, usize> = BTreeMap::new();
        for place in found.files.iter().filter_map(|(file, _)| self.place(file)) {
            *common.entry(place).or_default() += 1;
        }
        // Of several the first.
        if let Some((place, _)) = common.iter().rev().max_by_key(|(_, count)| **count) {
            return self.tables.get(*place);
        }
        if self.tables.len() > MOST_ALIKE {
            return None;
        }
        let fitting = || self.tables.iter().filter(|table| may_be_part(found.first(), table.first()));
        let shown: Vec<&Table<'a>> = fitting().filter(|table| !table.is_blank()).collect();
        match shown.as_slice() {
            [] => fitting().next().filter(|_| self.tables.iter().all(Table::is_blank)),
            [only] if self.tables.iter().filter(|table| !table.is_blank()).count() == 1 => Some(only),
            tables => {
                let mut alike = tables.iter().filter(|table| found.is_blank() || are_alike(table, found));
                alike.next().filter(|_| alike.next().is_none()).copied()
            }
        }
    }

    /// The table that the file which stands for one that was found is a part of.
    fn place(&self, found: &FileProfile) -> Option<usize> {
        self.places.get(self.file(found)?.path.as_path()).copied()
    }

    /// A table that was found, cut into those that its paths show to be different tables of the sample.
    pub(super) fn split<'f>(&self, found: Table<'f>) -> Vec<Table<'f>> {
        let mut places: HashMap<&Utf8Path, usize> = HashMap::new();
        let mut known: IndexSet<usize> = IndexSet::new();
        if self.tables.len() > 1 && found.files.len() > 1 {
            for (file, _) in &found.files {
                if let Some(place) = self.place(file) {
                    places.insert(&file.path, place);
                    known.insert(place);
                }
            }
        }
        let Some(first) = known.first().filter(|_| known.len() > 1) else { return vec![found] };
        let place = |file: &FileProfile| places.get(file.path.as_path()).unwrap_or(first);
        known.iter().filter_map(|table| found.of_files(|file| place(file) == table)).collect()
    }

    /// A file that should be a table and cannot be read, which stands for tables where no other does.
    pub(super) fn broken(&self) -> Option<&'a FileProfile> {
        let has_table = self.tables.iter().any(|table| !table.is_blank());
        self.data.files.iter().find(|file| !file.findings.is_empty()).filter(|_| !has_table)
    }

    /// Whether the parts of a file's table are told apart by their names, as splits are, and not by numbers alone, and some of
    /// them still are.
    fn is_named(&self, file: &FileProfile, there: &HashSet<&Utf8Path>) -> bool {
        let Some(table) = self.places.get(file.path.as_path()).map(|place| &self.tables[*place]) else {
            return false;
        };
        let own = glob_of(&file.path);
        let others = table.files.iter().filter(|(known, _)| glob_of(&known.path) != own);
        others.into_iter().any(|(known, _)| there.contains(known.path.as_path()))
    }

    /// Adds the files that are not there. A part of a table may be left out as long as another is there, unless their names say
    /// more than numbers and others are still called as they were.
    pub(super) fn add_missing(
        &self,
        found: &DataProfile,
        tables: &[(&Table<'_>, Option<&Table<'a>>)],
        list: &mut Differences,
    ) {
        if self.one.is_some() {
            return;
        }
        let there: HashSet<&Utf8Path> = found.files.iter().map(|file| file.path.as_path()).collect();
        let stand_aside = self.data.objects_stand_aside();
        let matched: HashSet<&Utf8Path> = tables
            .iter()
            .filter_map(|(_, expected)| *expected)
            .flat_map(|table| table.files.iter().map(|(file, _)| file.path.as_path()))
            .collect();
        // The tables that a file can be a part of by its kind.
        let alike = |expected: &FileProfile| {
            let kind = expected.kind();
            found.files.iter().filter(move |file| file.kind() == kind && file.schema.is_some())
        };
        // What cannot be read may be any of them.
        let may_be_there =
            found.files.iter().any(|file| !file.findings.is_empty() && self.file(file).is_none());
        for expected in self.data.files.iter().filter(|file| !there.contains(file.path.as_path())) {
            let has_part = match &expected.schema {
                _ if !expected.findings.is_empty() => !tables.is_empty(),
                // What tells something of tables is there or not, whatever it holds.
                Some(_) if expected.is_object() => {
                    !stand_aside && alike(expected).any(|file| are_numbered_alike(&file.path, &expected.path))
                }
                Some(schema) if schema.columns.is_empty() && schema.rows == 0 => {
                    alike(expected).next().is_some()
                }
                Some(_) if self.is_named(expected, &there) => {
                    let name = glob_of(&expected.path);
                    may_be_there || alike(expected).any(|file| glob_of(&file.path) == name)
                }
                Some(_) => may_be_there || matched.contains(expected.path.as_path()),
                None => false,
            };
            if !has_part {
                list.add(&expected.path, [Difference::MissingFile]);
            }
        }
    }
}

/// Whether a file is a table that can be a part of one with an expected file. Single objects are parts of one where their
/// names number them.
fn may_be_part(found: &FileProfile, expected: &FileProfile) -> bool {
    match (found.is_object(), expected.is_object()) {
        (false, false) => true,
        (true, true) => are_numbered_alike(&found.path, &expected.path),
        (true, false) => is_line_of(expected, found),
        (false, true) => false,
    }
}
