//! The rules for what a person wrote.

use camino::Utf8Path;
use globset::{GlobBuilder, GlobMatcher};
use runtime_testing_models::{
    Column, ColumnContract, DataContract, DataProfile, Difference, FileContract, FileProfile, FilesContract,
    JobNumber, LogicalType, NotCompared, Permission, TableContract,
};

use super::nested::{Path, TakenNames};
use super::rename::renamed;
use super::table::{
    add_column_order, add_types, extra_column, file_of, nullable_file, promoted, type_changed,
};
use super::{Differences, file};
use crate::findings::unreadable;
use crate::tables::{Table, TableColumn, tables_of};
use crate::types::fit::{self, Fit};
use crate::types::join::{Typing, one_type};

/// Holds what was found against a contract. What only a sample could say is left to it where there is one.
pub(super) fn compare(
    contract: &DataContract,
    found: &DataProfile,
    has_sample: bool,
    list: &mut Differences,
) {
    let all_sound = file::add_unsound(found, list);
    match contract {
        DataContract::Table(contract) => {
            compare_tables(contract, found, all_sound, has_sample, list);
        }
        DataContract::Files(contract) => compare_files(contract, found, all_sound, has_sample, list),
    }
    if let (Some(first), true) = (found.files.first(), contract.tables().any(TableContract::has_constraints))
    {
        list.add(&first.path, [Difference::NotCompared { reason: NotCompared::Values }]);
    }
}

/// The files of a glob of a contract, and what it asks of them.
type GlobFiles<'a, 'c> = (&'c str, &'c FileContract, Vec<&'a FileProfile>);

/// The files of each glob of a contract, in the order of the globs, and those that match none.
pub(crate) fn files_of<'a, 'c>(
    contract: &'c FilesContract,
    found: &'a DataProfile,
) -> (Vec<GlobFiles<'a, 'c>>, Vec<&'a FileProfile>) {
    let mut groups: Vec<_> =
        contract.files.iter().map(|(glob, asked)| (glob.as_str(), asked, Vec::new())).collect();
    let matchers: Vec<GlobMatcher> = contract.files.keys().map(|glob| matcher(glob)).collect();
    let mut others = Vec::new();
    for file in &found.files {
        match matchers.iter().position(|matcher| matcher.is_match(&file.path)) {
            Some(place) => groups[place].2.push(file),
            None => others.push(file),
        }
    }
    (groups, others)
}

/// What a contract says of the table that a file is in.
pub(super) fn table_of<'c>(contract: &'c DataContract, file: &Utf8Path) -> Option<&'c TableContract> {
    let files = match contract {
        DataContract::Table(table) => return Some(table),
        DataContract::Files(files) => files,
    };
    match files.files.iter().find(|(glob, _)| matcher(glob).is_match(file))? {
        (_, FileContract::Table(table)) => Some(table),
        _ => None,
    }
}

/// What a glob matches. No spec has a glob that cannot be read; one that was made in Rust matches the path of that name alone.
fn matcher(glob: &str) -> GlobMatcher {
    let build = |glob: &str| GlobBuilder::new(glob).literal_separator(true).build();
    build(glob)
        .or_else(|_| build(&globset::escape(glob)))
        .expect("an escaped path is a glob")
        .compile_matcher()
}

fn compare_files(
    contract: &FilesContract,
    found: &DataProfile,
    all_sound: bool,
    has_sample: bool,
    list: &mut Differences,
) {
    let (groups, others) = files_of(contract, found);
    for (glob, asked, files) in groups {
        match asked {
            FileContract::Optional => {}
            _ if files.is_empty() => list.add(glob.into(), [Difference::MissingFile]),
            FileContract::Present => {}
            FileContract::Table(table) => {
                let files = files.into_iter().cloned().collect();
                let files = DataProfile { is_folder: true, files };
                compare_tables(table, &files, all_sound, has_sample, list);
            }
        }
    }
    for file in others {
        list.add(
            &file.path,
            [match contract.extra_files {
                Permission::Allow => Difference::ExtraFile,
                Permission::Forbid => Difference::UnexpectedFile,
            }],
        );
    }
}

/// Holds every table of what was found against a contract. What is no table is left alone as long as there is one, and
/// so are single JSON objects, which stand beside tables to tell something of them.
fn compare_tables(
    contract: &TableContract,
    found: &DataProfile,
    all_sound: bool,
    has_sample: bool,
    list: &mut Differences,
) {
    let tables = tables_of(found, file::is_sound);
    for table in &tables {
        for (file, _) in &table.files {
            // Where nobody says otherwise, cells are separated by what the format is named for.
            let delimiter =
                contract.delimiter.or_else(|| file::usual_delimiter(file).filter(|_| !has_sample));
            list.add(&file.path, file::text_differences(delimiter, None, file));
        }
        if !table.is_blank() {
            compare_table(contract, table, list);
        }
    }
    if !all_sound {
        // What cannot be read may well have the rows that are missing.
        return;
    }
    add_rows(contract.min_rows, &tables, list);
    let may_be_empty = match contract.empty_files {
        Some(permission) => permission == Permission::Allow,
        None => has_sample || contract.min_rows == Some(0),
    };
    for table in &tables {
        if let Some(expected) = contract.max_rows.filter(|most| table.rows > *most) {
            list.add(&table.first().path, [Difference::TooManyRows { expected, found: table.rows }]);
        }
        if !may_be_empty && table.rows > 0 {
            let empty = table.files.iter().filter(|(_, schema)| schema.rows == 0);
            empty.for_each(|(file, _)| list.add(&file.path, [Difference::NoRows]));
        }
    }
    if let (Some(first), true) = (found.files.first(), tables.is_empty()) {
        let message = match found.is_folder {
            true => "no table among the files",
            false if first.is_object() => "an object with more keys than are kept, which are data",
            false => "not a table",
        };
        list.add(&first.path, [Difference::Unreadable { finding: unreadable(message) }]);
    }
}

/// Adds tables that have too few rows: fewer than a contract asks for, or none, where it asks for nothing.
pub(super) fn add_rows(min_rows: Option<u64>, tables: &[Table<'_>], list: &mut Differences) {
    let are_all_blank = tables.iter().all(Table::is_blank);
    // What has neither columns nor rows can be a part of any table.
    let counted =
        tables.iter().filter(|table| !table.is_blank()).chain(tables.first().filter(|_| are_all_blank));
    for table in counted {
        let difference = match min_rows {
            None if table.rows == 0 => Difference::NoRows,
            Some(expected) if table.rows < expected => Difference::TooFewRows { expected, found: table.rows },
            _ => continue,
        };
        list.add(&table.first().path, [difference]);
    }
}

fn compare_table(contract: &TableContract, table: &Table<'_>, list: &mut Differences) {
    let typing = Typing::of(table.first().format);
    list.add(&table.first().path, missing_columns(contract, table));
    let names = contract.columns.keys().map(String::as_str);
    let taken = TakenNames::of(names.chain(table.columns.iter().map(|column| column.name)));
    for (name, expected) in &contract.columns {
        if let Some(column) = table.column(name) {
            let judge = |found: &LogicalType, own: Option<&Column>| {
                let mut differences = Vec::new();
                add_type(expected, found, &Path::of(name, own, &taken, typing), &mut differences);
                differences
            };
            add_types(table, column, judge, list);
        }
    }
    for (name, _) in contract.columns.iter().filter(|(_, expected)| !expected.nullable) {
        if let Some(column) = table.column(name) {
            list.add(nullable_file(table, column), nulls(column, table));
        }
    }
    for (name, expected) in &contract.columns {
        if let Some(column) = table.column(name) {
            list.add(nullable_file(table, column), null_share(column, expected, table));
        }
    }
    for column in unnamed(contract, table) {
        let difference = match contract.extra_columns {
            Permission::Allow => extra_column(column),
            Permission::Forbid => Difference::UnexpectedColumn {
                column: column.name.to_owned(),
                found: column.shown().to_string(),
            },
        };
        list.add(file_of(table, column), [difference]);
    }
    let expected = contract.columns.keys().map(String::as_str);
    add_column_order(expected, |_, name| contract.columns.get_index_of(name), table, list);
}

/// Columns that must be there and are not.
fn missing_columns(contract: &TableContract, table: &Table<'_>) -> Vec<Difference> {
    let is_missing =
        |(name, column): &(&String, &ColumnContract)| !column.optional && table.column(name).is_none();
    let missing: Vec<(&String, &ColumnContract)> = contract.columns.iter().filter(is_missing).collect();
    let names: Vec<&str> = missing.iter().map(|(name, _)| name.as_str()).collect();
    let extra: Vec<&TableColumn<'_>> = unnamed(contract, table).collect();
    let fits = |place: usize, new: usize| {
        let found = extra[new].whole.as_ref();
        found.is_some_and(|found| fit::to_contract(&missing[place].1.data_type, found) != Fit::Changed)
    };
    let extra_names: Vec<&str> = extra.iter().map(|column| column.name).collect();
    let candidates = renamed(&names, &extra_names, fits);
    let differences = missing.iter().zip(candidates).map(|((name, column), renamed)| {
        Difference::MissingColumn { column: (*name).clone(), expected: column.data_type.to_string(), renamed }
    });
    differences.collect()
}

/// Adds how the type of a column, or of what is within it, differs. One without a value has none.
fn add_type(expected: &ColumnContract, found: &LogicalType, path: &Path<'_>, list: &mut Vec<Difference>) {
    use LogicalType::{List, Map, Struct};
    use runtime_testing_models::TypeWord;

    let word = expected.data_type.word();
    let fit = match (word, found) {
        // In JSON an object is both, unless its fields are known by name.
        (TypeWord::Struct, Map(..)) if path.typing == Typing::Values && expected.fields.is_empty() => {
            Fit::Same
        }
        (TypeWord::Map, Struct(_)) if path.typing == Typing::Values => Fit::Same,
        _ => fit::to_contract(&expected.data_type, found),
    };
    match fit {
        Fit::Same => {}
        Fit::Promotes => list.push(promoted(&path.told(), expected.data_type.to_string(), found)),
        Fit::Changed => {
            list.push(type_changed(&path.told(), expected.data_type.to_string(), found, path.own));
            return;
        }
    }
    match found {
        Struct(fields) if word == TypeWord::Struct => {
            for (name, asked) in &expected.fields {
                match fields.iter().find(|(found, _)| found == name) {
                    Some((_, found)) => add_type(asked, found, &path.field(name), list),
                    None if asked.optional => {}
                    None => list.push(Difference::MissingColumn {
                        column: path.field(name).told(),
                        expected: asked.data_type.to_string(),
                        renamed: None,
                    }),
                }
            }
        }
        Struct(fields) => {
            let Some(asked) = &expected.map_values else { return };
            match one_type(fields.iter().map(|(_, field)| field.clone())) {
                Some(values) => add_type(asked, &values, &path.within("{}", None), list),
                None => {
                    fields.iter().for_each(|(name, field)| add_type(asked, field, &path.field(name), list));
                }
            }
        }
        List(items) => {
            if let Some(asked) = &expected.items {
                add_type(asked, items, &path.within("[]", path.own), list);
            }
        }
        Map(_, values) => {
            if let Some(asked) = &expected.map_values {
                add_type(asked, values, &path.within("{}", None), list);
            }
        }
        _ => {}
    }
}

/// Whether values of a type, and what is within them, are what is asked of them.
pub(crate) fn is_within(expected: &ColumnContract, found: &LogicalType, typing: Typing) -> bool {
    let mut differences = Vec::new();
    let taken = TakenNames::of(std::iter::empty());
    add_type(expected, found, &Path::of("", None, &taken, typing), &mut differences);
    !differences.iter().any(Difference::is_breaking)
}

/// Whether so many of all rows are more than a share of them.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
pub(crate) fn is_more_than_share(some: u64, all: u64, share: &JobNumber) -> bool {
    all > 0 && share.as_str().parse::<f64>().is_ok_and(|share| some as f64 / all as f64 > share)
}

/// The least share in hundredths that is not exceeded.
pub(crate) fn share_of(some: u64, all: u64) -> JobNumber {
    let hundredths = u128::from(some).saturating_mul(100).div_ceil(u128::from(all.max(1))).min(100);
    let text = match hundredths {
        100 => "1".to_owned(),
        0 => "0".to_owned(),
        some if some % 10 == 0 => format!("0.{}", some / 10),
        some => format!("0.{some:02}"),
    };
    text.parse().expect("a number")
}

/// More rows of a column are null than may be.
fn null_share(column: &TableColumn<'_>, expected: &ColumnContract, table: &Table<'_>) -> Option<Difference> {
    let allowed = expected.constraints.max_null_fraction.as_ref()?;
    let name = column.name.to_owned();
    let Some(nulls) = column.nulls else {
        return column.nullable.then(|| Difference::NotChecked {
            column: name,
            constraint: format!("max_null_fraction {allowed}"),
            reason: "the number of nulls is not known".to_owned(),
        });
    };
    is_more_than_share(nulls, table.rows, allowed).then(|| Difference::TooManyNulls {
        column: name,
        allowed: allowed.as_str().to_owned(),
        nulls,
        rows: table.rows,
    })
}

/// A column that must not hold nulls and does, or that may for all that is known.
fn nulls(column: &TableColumn<'_>, table: &Table<'_>) -> Option<Difference> {
    if table.rows == 0 && column.is_null() {
        return None;
    }
    match column.nulls {
        Some(0) => None,
        Some(_) => Some(Difference::NullsFound { column: column.name.to_owned(), nulls: column.nulls }),
        None if column.nullable => Some(Difference::Nullability {
            column: column.name.to_owned(),
            expected_nullable: false,
            found_nullable: true,
        }),
        None => None,
    }
}

/// Columns that the contract does not name.
fn unnamed<'t, 'a>(
    contract: &'t TableContract,
    table: &'t Table<'a>,
) -> impl Iterator<Item = &'t TableColumn<'a>> {
    table.columns.iter().filter(|column| !contract.columns.contains_key(column.name))
}

#[cfg(test)]
mod tests;
