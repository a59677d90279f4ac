//! Which files form one table.
//!
//! Files of one kind whose columns are much the same are parts of one table, whatever they are called. What a part lacks of the
//! columns is null there, and what is text in one of several parts in CSV is text.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use camino::Utf8Path;

use runtime_testing_models::{Column, DataProfile, FileFormat, FileKind, FileProfile, TableSchema};

use twox_hash::XxHash3_128;

use crate::limits::{MOST_NAME_BYTES, name_bytes};
use crate::types::join::{Typing, are_columns_alike, joined};
use runtime_testing_models::LogicalType;

/// A table: one file, or several that are parts of it.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    /// Its parts, in the order of their paths. There is at least one.
    pub(crate) files: Vec<(&'a FileProfile, &'a TableSchema)>,
    /// The columns of all parts: those of the first, then what others have besides.
    pub(crate) columns: Vec<TableColumn<'a>>,
    /// The rows of all parts.
    pub(crate) rows: u64,
    /// The places of the columns by hashes of their names, once one was not where it was looked for.
    places: OnceCell<HashMap<u128, usize>>,
}

/// A column of a table.
#[derive(Debug)]
pub(crate) struct TableColumn<'a> {
    pub(crate) name: &'a str,
    /// The type that the rows of all parts show. None where parts declare types that no type joins.
    pub(crate) whole: Option<LogicalType>,
    /// Whether it may hold nulls in any part, or is lacking in one that has rows.
    pub(crate) nullable: bool,
    /// How many nulls it holds in all parts, where that is known.
    pub(crate) nulls: Option<u64>,
    /// The parts that have it, by their places among the files, and the column as they show it.
    pub(crate) own: Vec<(usize, &'a Column)>,
}

impl<'a> Table<'a> {
    fn of(files: Vec<(&'a FileProfile, &'a TableSchema)>) -> Self {
        let typing = Typing::of(files[0].0.format);
        let rows = files.iter().fold(0_u64, |rows, (_, schema)| rows.saturating_add(schema.rows));
        let mut columns: Vec<TableColumn<'a>> = Vec::with_capacity(files[0].1.columns.len());
        if let [(_, schema)] = files.as_slice() {
            columns.extend(
                schema
                    .columns
                    .iter()
                    .map(|column| TableColumn { own: vec![(0, column)], ..TableColumn::new(&column.name) }),
            );
        } else {
            let mut places: HashMap<&str, usize> = HashMap::new();
            for (file, (_, schema)) in files.iter().enumerate() {
                for column in &schema.columns {
                    let place = *places.entry(&column.name).or_insert_with(|| {
                        columns.push(TableColumn::new(&column.name));
                        columns.len() - 1
                    });
                    columns[place].own.push((file, column));
                }
            }
            if typing == Typing::Values {
                // JSON has no order.
                columns.sort_by(|one, other| one.name.cmp(other.name));
            }
        }
        let mut table = Self { files, columns, rows, places: OnceCell::new() };
        for column in &mut table.columns {
            column.settle(&table.files, typing);
        }
        table
    }

    /// The first of its files that shows columns, or rows, if one does.
    pub(crate) fn first(&self) -> &'a FileProfile {
        let with_columns = self.files.iter().find(|(_, schema)| !schema.columns.is_empty());
        let with_rows = || self.files.iter().find(|(_, schema)| schema.rows > 0);
        with_columns.or_else(with_rows).unwrap_or(&self.files[0]).0
    }

    /// The table that those of its files are that are meant, if any is.
    pub(crate) fn of_files(&self, is_meant: impl Fn(&FileProfile) -> bool) -> Option<Self> {
        let files: Vec<_> = self.files.iter().copied().filter(|(file, _)| is_meant(file)).collect();
        (!files.is_empty()).then(|| Self::of(files))
    }

    pub(crate) fn column(&self, name: &str) -> Option<&TableColumn<'a>> {
        self.place(name).map(|place| &self.columns[place])
    }

    /// The place of a column, which is probably this one.
    pub(crate) fn place_near(&self, place: usize, name: &str) -> Option<usize> {
        let is_there = self.columns.get(place).is_some_and(|column| column.name == name);
        if is_there { Some(place) } else { self.place(name) }
    }

    fn place(&self, name: &str) -> Option<usize> {
        let hash = |name: &str| XxHash3_128::oneshot(name.as_bytes());
        let places =
            || self.columns.iter().zip(0..).map(|(column, place)| (hash(column.name), place)).collect();
        self.places.get_or_init(places).get(&hash(name)).copied()
    }

    /// Whether it shows nothing at all of what it should be: neither columns nor rows.
    pub(crate) fn is_blank(&self) -> bool {
        self.columns.is_empty() && self.rows == 0
    }

    /// Whether it is made of single JSON objects.
    pub(crate) fn is_object(&self) -> bool {
        self.first().is_object()
    }
}

impl<'a> TableColumn<'a> {
    fn new(name: &'a str) -> Self {
        Self { name, whole: None, nullable: false, nulls: None, own: Vec::new() }
    }

    /// Finds out what the parts say together.
    fn settle(&mut self, files: &[(&FileProfile, &TableSchema)], typing: Typing) {
        let mut whole = Some(LogicalType::Null);
        let join = |whole: LogicalType, own: &LogicalType| match (whole, own) {
            (LogicalType::Null, only) => Some(only.clone()),
            (only, LogicalType::Null) => Some(only),
            (whole, own) => joined(&whole, own, typing),
        };
        let (mut nulls, mut rows) = (Some(0_u64), 0_u64);
        for (file, column) in &self.own {
            self.nullable |= column.nullable;
            nulls = nulls.zip(nulls_of(column, files[*file].1)).map(|(all, own)| all.saturating_add(own));
            rows = rows.saturating_add(files[*file].1.rows);
            if whole.as_ref() != Some(&column.data_type) {
                whole = whole.and_then(|whole| join(whole, &column.data_type));
            }
        }
        self.whole = whole;
        let all_rows = files.iter().fold(0_u64, |rows, (_, schema)| rows.saturating_add(schema.rows));
        let lacking = if self.own.len() < files.len() { all_rows.saturating_sub(rows) } else { 0 };
        self.nullable |= lacking > 0;
        self.nulls = nulls.map(|nulls| nulls.saturating_add(lacking));
    }

    /// Whether it shows nothing but nulls.
    pub(crate) fn is_null(&self) -> bool {
        self.whole == Some(LogicalType::Null)
    }

    /// Its type, or that of its first part where the parts have no type in common.
    pub(crate) fn shown(&self) -> &LogicalType {
        self.whole.as_ref().unwrap_or(&self.own[0].1.data_type)
    }

    /// The types that parts show by themselves, each once, with the first part that does.
    pub(crate) fn own_types(&self) -> Vec<(usize, &'a Column)> {
        if self.own.len() == 1 {
            return self.own.clone();
        }
        let mut seen = HashSet::new();
        self.own.iter().copied().filter(|(_, column)| seen.insert(&column.data_type)).collect()
    }
}

/// How many nulls a column holds in its file, where that is known.
pub(crate) fn nulls_of(column: &Column, schema: &TableSchema) -> Option<u64> {
    if column.data_type == LogicalType::Null { Some(schema.rows) } else { column.nulls }
}

/// The tables that data holds, in the order of their first files. What cannot be read, and single JSON objects that stand aside,
/// are in none.
pub(crate) fn tables(data: &DataProfile) -> Vec<Table<'_>> {
    tables_of(data, |_| true)
}

/// The tables that those files hold that are meant.
pub(crate) fn tables_of(data: &DataProfile, is_meant: impl Fn(&FileProfile) -> bool) -> Vec<Table<'_>> {
    let files: Vec<(&FileProfile, &TableSchema)> = data.tables().filter(|(file, _)| is_meant(file)).collect();
    let parts: Vec<Part<'_>> = files.iter().map(|(file, schema)| Part::of(file, schema)).collect();
    let table = |places: Vec<usize>| Table::of(places.into_iter().map(|place| files[place]).collect());
    group(&parts).into_iter().map(table).collect()
}

/// A single JSON object as a table of its own, which it is where it stands aside, too.
pub(crate) fn object_table(file: &FileProfile) -> Option<Table<'_>> {
    let schema = file.schema.as_ref().filter(|_| file.is_object())?;
    Some(Table::of(vec![(file, schema)]))
}

/// Whether files of two tables could be parts of one, as far as their columns tell.
pub(crate) fn are_alike(one: &Table<'_>, other: &Table<'_>) -> bool {
    let common = one.columns.iter().filter(|column| other.column(column.name).is_some()).count();
    are_columns_alike(common, one.columns.len(), other.columns.len())
}

/// What tells of which table a file is a part.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) path: &'a Utf8Path,
    pub(crate) format: FileFormat,
    pub(crate) columns: Vec<&'a str>,
}

impl<'a> Part<'a> {
    fn of(file: &'a FileProfile, schema: &'a TableSchema) -> Self {
        let columns = schema.columns.iter().map(|column| column.name.as_str()).collect();
        Self { path: &file.path, format: file.format, columns }
    }
}

/// The places of the files of each table, in the order of their first files.
pub(crate) fn group(parts: &[Part<'_>]) -> Vec<Vec<usize>> {
    let mut sets = Sets::new(parts.len());
    let kind = |part: &Part<'_>| (Typing::of(part.format), part.format == FileFormat::JsonObject);
    let mut kinds: HashMap<(Typing, bool), Vec<usize>> = HashMap::new();
    for (place, part) in parts.iter().enumerate() {
        kinds.entry(kind(part)).or_default().push(place);
    }
    for ((typing, _), places) in kinds {
        join_alike(parts, &places, typing, &mut sets);
    }
    let mut tables: Vec<Vec<usize>> = Vec::new();
    let mut by_root: HashMap<usize, usize> = HashMap::new();
    for place in 0..parts.len() {
        let table = *by_root.entry(sets.root(place)).or_insert(tables.len());
        match tables.get_mut(table) {
            Some(table) => table.push(place),
            None => tables.push(vec![place]),
        }
    }
    if tables.iter().all(|table| is_small(parts, table)) {
        return tables;
    }
    let mut tables: Vec<Vec<usize>> = tables
        .into_iter()
        .flat_map(|table| if is_small(parts, &table) { vec![table] } else { same_columns(parts, &table) })
        .collect();
    tables.sort_unstable_by_key(|table| table[0]);
    tables
}

/// Whether not much more is added to the parts of a table than they have. What lacks so many columns has data for names.
fn is_small(parts: &[Part<'_>], table: &[usize]) -> bool {
    if table.len() == 1 {
        return true;
    }
    let names = || table.iter().flat_map(|place| parts[*place].columns.iter().copied());
    let own: usize = names().map(name_bytes).sum();
    let all: usize = names().collect::<HashSet<&str>>().into_iter().map(name_bytes).sum();
    all.saturating_mul(table.len()).saturating_sub(own) <= own.max(MOST_NAME_BYTES)
}

/// The files of a table, those with the very same columns together.
fn same_columns(parts: &[Part<'_>], table: &[usize]) -> Vec<Vec<usize>> {
    let mut tables: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<Vec<&str>, usize> = HashMap::new();
    for place in table {
        let mut columns = parts[*place].columns.clone();
        columns.sort_unstable();
        let at = *known.entry(columns).or_insert_with(|| {
            tables.push(Vec::new());
            tables.len() - 1
        });
        tables[at].push(*place);
    }
    tables
}

/// Joins files of one kind that are parts of one table.
fn join_alike(parts: &[Part<'_>], places: &[usize], typing: Typing, sets: &mut Sets) {
    if places.len() < 2 {
        return;
    }
    // Files with the very same columns first, which are nearly all.
    let mut distinct: HashMap<Vec<&str>, usize> = HashMap::new();
    let mut shown: Vec<(Vec<&str>, usize)> = Vec::new();
    let mut blank = Vec::new();
    for place in places.iter().copied() {
        let mut columns = parts[place].columns.clone();
        columns.sort_unstable();
        if columns.is_empty() {
            blank.push(place);
            continue;
        }
        match distinct.get(&columns) {
            Some(first) => sets.join(*first, place),
            None => {
                distinct.insert(columns.clone(), place);
                shown.push((columns, place));
            }
        }
    }
    let mut with_column: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, (columns, place)) in shown.iter().enumerate() {
        let mut common: HashMap<usize, usize> = HashMap::new();
        for column in columns {
            for other in with_column.get(column).into_iter().flatten() {
                *common.entry(*other).or_default() += 1;
            }
        }
        for (other, common) in common {
            let (others, other_place) = &shown[other];
            let leaves_out =
                typing == Typing::Values && are_numbered_alike(parts[*place].path, parts[*other_place].path);
            if leaves_out || are_columns_alike(common, columns.len(), others.len()) {
                sets.join(*place, *other_place);
            }
        }
        for column in columns {
            with_column.entry(column).or_default().push(at);
        }
    }
    // What shows nothing of what it is can be a part of the only table there is.
    let roots: HashSet<usize> = shown.iter().map(|(_, place)| sets.root(*place)).collect();
    let mut anchor = roots.into_iter().collect::<Vec<_>>();
    if anchor.len() > 1 {
        return;
    }
    for place in blank {
        match anchor.first() {
            Some(first) => sets.join(*first, place),
            None => anchor.push(place),
        }
    }
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
pub(crate) fn unnumbered(path: &Utf8Path) -> String {
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

/// A path as a glob, with `*` for what numbers it: digits, and words of hexadecimal digits.
pub(crate) fn glob_of(path: &Utf8Path) -> String {
    let mut glob = String::new();
    for part in path.as_str().split_inclusive(|character: char| !character.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|character: char| !character.is_ascii_alphanumeric());
        let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
        let is_hash = word.len() >= LEAST_HASH && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if has_digit && is_hash {
            glob.push('*');
        } else {
            let letters: Vec<&str> = word.split(|character: char| character.is_ascii_digit()).collect();
            glob.push_str(&letters.join("*"));
        }
        glob.push_str(&globset::escape(&part[word.len()..]));
    }
    for several in ["**", "*-*", "*_*"] {
        while glob.contains(several) {
            glob = glob.replace(several, "*");
        }
    }
    glob
}

/// From so many hexadecimal digits on, a word with a digit in it is taken for a number.
const LEAST_HASH: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::name::format_of_extension;

    /// Files, each of a path and its columns, and which of them are one table.
    #[track_caller]
    fn check(files: &[(&str, &[&str])], tables: &[&[usize]]) {
        let parts: Vec<Part<'_>> = files
            .iter()
            .map(|(path, columns)| Part {
                path: Utf8Path::new(path),
                format: format_of_extension(Utf8Path::new(path)),
                columns: columns.to_vec(),
            })
            .collect();
        assert_eq!(group(&parts), tables, "{files:?}");
    }

    #[test]
    fn columns_tell_which_files_are_one_table() {
        check(&[("a.csv", &["x", "y"]), ("b.csv", &["y", "x"])], &[&[0, 1]]);
        check(&[("a.csv", &["x", "y"]), ("b.csv", &["z"]), ("c.tsv", &["x"])], &[&[0, 2], &[1]]);
        check(&[("a.csv", &["id", "name"]), ("b.csv", &["id", "price"])], &[&[0], &[1]]);
        check(&[("a.csv", &["id", "x", "y"]), ("b.csv", &["id", "x", "z"])], &[&[0], &[1]]);
        check(&[("a.csv", &["id", "w", "x", "y"]), ("b.csv", &["id", "w", "x", "z"])], &[&[0, 1]]);
        check(&[("a.csv", &["x"]), ("b.json", &["x"]), ("c.parquet", &["x"])], &[&[0], &[1], &[2]]);
        check(&[("a.json", &["x"]), ("b.ndjson", &["x"])], &[&[0, 1]]);
        // Two that are not alike may be so by way of a third.
        check(&[("a.csv", &["x"]), ("b.csv", &["y"]), ("c.csv", &["x", "y"])], &[&[0, 1, 2]]);
    }

    #[test]
    fn numbered_parts_of_json_leave_out_what_is_null() {
        check(&[("0.json", &["x", "y"]), ("1.json", &["x", "z"])], &[&[0, 1]]);
        check(&[("year=2023/0.json", &["x", "y"]), ("year=2024/0.json", &["x", "z"])], &[&[0, 1]]);
        check(&[("a.json", &["x", "y"]), ("b.json", &["x", "z"])], &[&[0], &[1]]);
        check(&[("0.csv", &["x", "y"]), ("1.csv", &["x", "z"])], &[&[0], &[1]]);
        check(&[("0.json", &["x"]), ("1.json", &["y"])], &[&[0], &[1]]);
    }

    #[test]
    fn names_that_are_data_are_not_added_to_every_part() {
        let names: Vec<String> = (0..20_000).map(|key| format!("key {key}")).collect();
        let paths: Vec<String> = (0..101).map(|part| format!("{part}.json")).collect();
        let file = |(path, own): (&'static str, Vec<&'static str>)| Part {
            path: Utf8Path::new(path),
            format: FileFormat::Json,
            columns: std::iter::once("id").chain(own).collect(),
        };
        let paths: &'static [String] = paths.leak();
        let own = names.leak().chunks(200).map(|own| own.iter().map(String::as_str).collect::<Vec<_>>());
        let own = std::iter::once(Vec::new()).chain(own);
        let files: Vec<Part<'_>> = paths.iter().map(String::as_str).zip(own).map(file).collect();
        assert_eq!(group(&files).len(), 101);
        assert_eq!(group(&files[..10]).len(), 1);
    }

    #[test]
    fn what_shows_nothing_is_a_part_of_the_only_table() {
        check(&[("0.json", &[]), ("1.json", &["x"]), ("2.json", &["x", "y"])], &[&[0, 1, 2]]);
        check(&[("0.json", &[]), ("1.json", &["x"]), ("2.json", &["y"])], &[&[0], &[1], &[2]]);
        check(&[("0.json", &[]), ("1.json", &[])], &[&[0, 1]]);
    }

    #[test]
    fn names_that_are_the_same_but_for_numbers() {
        for (one, other) in [
            ("part-0000.json", "part-0001.json"),
            ("data_9.csv", "data_10.csv"),
            ("year=2023/part-0.json", "year=2024/part-0.json"),
            ("country=de/city=x/0.json", "country=fr/city=y/1.json"),
            ("2024/01/orders.json", "2025/12/orders.json"),
        ] {
            assert!(are_numbered_alike(one.into(), other.into()), "{one}, {other}");
        }
        for (one, other) in [
            ("train.json", "test.json"),
            ("train-0.json", "test-0.json"),
            ("data.json", "data_1.json"),
            ("part-0.json", "part-0.ndjson"),
            ("part-0-3f2a.json", "part-1-3f2b.json"),
            ("year=2023/part-0.json", "month=2024/part-0.json"),
            ("=a/part-0.json", "=b/part-0.json"),
            ("a/part-0.json", "b/part-0.json"),
        ] {
            assert!(!are_numbered_alike(one.into(), other.into()), "{one}, {other}");
        }
    }
}
