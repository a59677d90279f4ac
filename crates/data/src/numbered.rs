//! Files of JSON that their names tell to be numbered parts of one table. A key that a row does not have is a null, and
//! many writers leave out all nulls, so one of the parts may lack a column of the others.

use std::collections::{BTreeSet, HashMap, HashSet};

use camino::Utf8Path;
use runtime_testing_models::{FileFormat, FileKind};

use crate::limits::{MOST_NAME_BYTES, name_bytes};
use crate::types::join::Typing;

/// What tells whether a table is a numbered part of another one.
#[derive(Debug)]
pub(crate) struct Numbered<'a> {
    pub(crate) path: &'a Utf8Path,
    pub(crate) kind: FileKind,
    pub(crate) columns: Vec<&'a str>,
}

impl Numbered<'_> {
    /// Whether rows of the file may leave out columns.
    fn leaves_out(&self) -> bool {
        Typing::of(self.kind.format) == Typing::Values
    }
}

/// The columns that each file lacks and that others have of which it is a numbered part, in the order of their names.
///
/// Such parts have paths that are equal but for digits and the values of folders such as `year=2024`, are JSON or NDJSON and
/// compressed alike. Those with a column in common, directly or by way of others, are parts of one table; one without any
/// column, which shows nothing of what it is, where all the others are.
pub(crate) fn lacking<'a>(files: &[Numbered<'a>]) -> Vec<Vec<&'a str>> {
    let mut lacking = vec![Vec::new(); files.len()];
    for family in families(files) {
        for parts in tables(files, &family) {
            let all: BTreeSet<&str> =
                parts.iter().flat_map(|part| files[*part].columns.iter().copied()).collect();
            if !is_small(files, &parts, &all) {
                continue;
            }
            for part in parts {
                let own: BTreeSet<&str> = files[part].columns.iter().copied().collect();
                lacking[part] = all.difference(&own).copied().collect();
            }
        }
    }
    lacking
}

/// Whether not much more is added to the parts of a table than they have. What lacks so many keys has data for keys.
fn is_small(files: &[Numbered<'_>], parts: &[usize], all: &BTreeSet<&str>) -> bool {
    let all: usize = all.iter().map(|name| name_bytes(name)).sum();
    let own: usize = parts.iter().flat_map(|part| &files[*part].columns).map(|name| name_bytes(name)).sum();
    all.saturating_mul(parts.len()).saturating_sub(own) <= own.max(MOST_NAME_BYTES)
}

/// The places of files that have one name but for what numbers them.
fn families(files: &[Numbered<'_>]) -> Vec<Vec<usize>> {
    let mut families: HashMap<(String, FileKind), Vec<usize>> = HashMap::new();
    if files.iter().filter(|file| file.leaves_out()).nth(1).is_some() {
        for (place, file) in files.iter().enumerate().filter(|(_, file)| file.leaves_out()) {
            families.entry((unnumbered(file.path), file.kind)).or_default().push(place);
        }
    }
    families.into_values().filter(|family| family.len() > 1).collect()
}

/// The tables whose parts the files of a family are.
fn tables(files: &[Numbered<'_>], family: &[usize]) -> Vec<Vec<usize>> {
    let mut sets = Sets::new(family.len());
    let mut with_column: HashMap<&str, usize> = HashMap::new();
    for (member, place) in family.iter().enumerate() {
        for column in &files[*place].columns {
            sets.join(*with_column.entry(column).or_insert(member), member);
        }
    }
    let mut tables: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut without = Vec::new();
    for (member, place) in family.iter().enumerate() {
        if files[*place].columns.is_empty() {
            without.push(*place);
        } else {
            tables.entry(sets.root(member)).or_default().push(*place);
        }
    }
    let mut tables: Vec<Vec<usize>> = tables.into_values().collect();
    if let [only] = tables.as_mut_slice() {
        only.extend(without);
    }
    tables
}

/// Sets of members, each named by one of them.
struct Sets(Vec<usize>);

impl Sets {
    fn new(members: usize) -> Self {
        Self((0..members).collect())
    }

    fn root(&mut self, mut member: usize) -> usize {
        while self.0[member] != member {
            self.0[member] = self.0[self.0[member]];
            member = self.0[member];
        }
        member
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }
}

/// The places of single objects that are one line of files which have several, of which they are numbered parts. `files` has
/// the path and kind of each, and whether it is one value on one line.
pub(crate) fn lines_among_lines<'a>(
    files: impl Iterator<Item = (&'a Utf8Path, FileKind, bool)> + Clone,
) -> Vec<usize> {
    let lines: HashSet<_> = files
        .clone()
        .filter(|(_, kind, _)| kind.format == FileFormat::Ndjson)
        .map(|(path, kind, _)| (unnumbered(path), kind.compression))
        .collect();
    let is_line = |(path, kind, is_one_line): (&Utf8Path, FileKind, bool)| {
        let may_be = is_one_line && kind.format == FileFormat::JsonObject && !lines.is_empty();
        may_be && lines.contains(&(unnumbered(path), kind.compression))
    };
    files.enumerate().filter(|(_, file)| is_line(*file)).map(|(place, _)| place).collect()
}

/// Whether two paths are equal but for what numbers them.
pub(crate) fn are_numbered_alike(one: &Utf8Path, other: &Utf8Path) -> bool {
    unnumbered(one) == unnumbered(other)
}

/// A path with one zero for each number in it, and without the values of folders such as `year=2024`.
fn unnumbered(path: &Utf8Path) -> String {
    let mut names: Vec<String> = path
        .parent()
        .into_iter()
        .flat_map(Utf8Path::components)
        .map(|folder| match folder.as_str().split_once('=') {
            Some((key, _)) if !key.is_empty() => format!("{key}="),
            _ => without_numbers(folder.as_str()),
        })
        .collect();
    names.extend(path.file_name().map(without_numbers));
    names.join("/")
}

fn without_numbers(name: &str) -> String {
    let mut rest = String::with_capacity(name.len());
    for character in name.chars() {
        if !character.is_ascii_digit() {
            rest.push(character);
        } else if !rest.ends_with('0') {
            rest.push('0');
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::name::kind_of_name;

    /// Files, each of a path and its columns, and what each of them lacks.
    #[track_caller]
    fn check(files: &[(&str, &[&str], &[&str])]) {
        let numbered: Vec<Numbered<'_>> = files
            .iter()
            .map(|(path, columns, _)| Numbered {
                path: Utf8Path::new(path),
                kind: kind_of_name(Utf8Path::new(path)),
                columns: columns.to_vec(),
            })
            .collect();
        let expected: Vec<Vec<&str>> = files.iter().map(|(_, _, lacking)| lacking.to_vec()).collect();
        assert_eq!(lacking(&numbered), expected, "{files:?}");
    }

    /// Of two files, the one has a column that the other does not have.
    #[track_caller]
    fn check_names(one: &str, other: &str, are_parts: bool) {
        let lacking: &[&str] = if are_parts { &["b"] } else { &[] };
        check(&[(one, &["b", "a"], &[]), (other, &["a"], lacking)]);
        check(&[(one, &["a"], lacking), (other, &["a", "b"], &[])]);
    }

    #[test]
    fn names_of_numbered_parts() {
        for (one, other) in [
            ("part-0000.json", "part-0001.json"),
            ("data_9.ndjson", "data_10.ndjson"),
            ("0.jsonl.gz", "1.jsonl.gz"),
            ("part-00000-3f2a-c000.json", "part-00001-3f2a-c000.json"),
            ("year=2023/part-0.json", "year=2024/part-0.json"),
            ("country=de/city=x/0.json", "country=fr/city=y/1.json"),
            ("2024/01/orders.json", "2025/12/orders.json"),
        ] {
            check_names(one, other, true);
        }
        for (one, other) in [
            ("train.json", "test.json"),
            ("train-0.json", "test-0.json"),
            ("data.json", "data_1.json"),
            ("part-0.json", "part-0.ndjson"),
            ("part-0.json", "part-1.json.gz"),
            ("part-0.csv", "part-1.csv"),
            ("part-0.parquet", "part-1.parquet"),
            ("part-0-3f2a.json", "part-1-3f2b.json"),
            ("year=2023/part-0.json", "month=2024/part-0.json"),
            ("=a/part-0.json", "=b/part-0.json"),
            ("a/part-0.json", "b/part-0.json"),
            ("a/part-0.json", "part-0.json"),
        ] {
            check_names(one, other, false);
        }
    }

    #[test]
    fn parts_have_columns_in_common() {
        check(&[("0.json", &["a"], &[]), ("1.json", &["b"], &[])]);
        check(&[
            ("0.json", &["c"], &["a", "b"]),
            ("1.json", &["a"], &["b", "c"]),
            ("2.json", &["c", "b"], &["a"]),
            ("3.json", &["a", "b"], &["c"]),
            ("4.json", &["x"], &[]),
            ("x.json", &["a"], &[]),
        ]);
    }

    #[test]
    fn keys_that_are_data_are_not_added_to_every_part() {
        let names: Vec<String> = (0..20_000).map(|key| format!("key {key}")).collect();
        let paths: Vec<String> = (0..100).map(|part| format!("{part}.json")).collect();
        fn file<'a>((path, own): (&'a str, Vec<&'a str>)) -> Numbered<'a> {
            let columns = std::iter::once("id").chain(own).collect();
            Numbered { path: Utf8Path::new(path), kind: kind_of_name(Utf8Path::new(path)), columns }
        }
        let own = names.chunks(200).map(|own| own.iter().map(String::as_str).collect::<Vec<_>>());
        let files: Vec<Numbered<'_>> = paths.iter().map(String::as_str).zip(own).map(file).collect();
        assert!(lacking(&files).iter().all(Vec::is_empty));
        assert!(lacking(&files[..10]).iter().all(|lacking| lacking.len() == 1800));
    }

    #[test]
    fn a_part_without_columns_is_one_of_the_only_table() {
        check(&[("0.json", &[], &["a", "b"]), ("1.json", &["a"], &["b"]), ("2.json", &["b", "a"], &[])]);
        check(&[("0.json", &[], &[]), ("1.json", &["a"], &[]), ("2.json", &["b"], &[])]);
        check(&[("0.json", &[], &[]), ("1.json", &[], &[])]);
    }
}
