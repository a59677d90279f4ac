//! Whether values are what a contract asks of them, which only the rows show.

mod column;
mod limit;
mod rows;
pub(crate) mod seen;
mod unique;

use std::collections::HashSet;

use camino::Utf8Path;
use runtime_testing_models::{
    DataContract, DataProfile, Difference, FileContract, LogicalType, NotCompared, TableContract,
};

use self::column::ColumnCheck;
use self::rows::RowReader;
use self::unique::UniqueCheck;
use crate::compare::{Expected, FileDifference, compare, files_of, is_more_than_share};
use crate::error::{DataError, ReadTableError};
use crate::options::ProfileOptions;
use crate::tables::{Table, tables};
use crate::types::arrow_type::to_arrow;
use crate::types::join::Typing;

/// Compares data with what is expected of it as [`compare`] does, and looks at its values where a contract asks something of
/// them: `found` is the profile of what lies at `path`, made with [`ProfileOptions::for_contract`].
///
/// Rows are read only then, and of them only the columns that are asked about. Memory grows with the rows for what must be unique:
/// 16 bytes for each, up to 64 million of them; of more, [`Difference::NotChecked`] says that they were not looked at.
///
/// ```
/// use runtime_testing_data::{Expected, ProfileOptions, compare_values, profile_path};
/// use runtime_testing_models::DataContract;
///
/// let folder = tempfile::tempdir()?;
/// let path = camino::Utf8PathBuf::try_from(folder.path().join("orders.csv"))?;
/// std::fs::write(&path, "id,amount\n1,5\n2,-3\n3,-4\n")?;
/// let contract: DataContract = r#"{"columns": {"amount": {"type": "float", "minimum": 0}}}"#.parse()?;
///
/// let found = profile_path(&path)?;
/// let expected = Expected::Contract(&contract);
/// let differences = compare_values(&expected, &path, &found, &ProfileOptions::default())?;
/// let told = differences.last().expect("there are negative amounts").difference.to_string();
/// assert_eq!(told, "column `amount`: not `minimum 0`: row 2 is \"-3\", and one more row");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`DataError`] where a file cannot be read any more, or where the options say to give up. What goes wrong with the content is a
/// difference.
pub fn compare_values(
    expected: &Expected<'_>,
    path: &Utf8Path,
    found: &DataProfile,
    options: &ProfileOptions,
) -> Result<Vec<FileDifference>, DataError> {
    let mut differences = compare(expected, found);
    let (Expected::Contract(contract) | Expected::Both { contract, .. }) = expected else {
        return Ok(differences);
    };
    let is_left_out = Difference::NotCompared { reason: NotCompared::Values };
    differences.retain(|told| told.difference != is_left_out);
    // Where a type breaks, the values are those of another.
    let broken: HashSet<String> = differences
        .iter()
        .filter(|told| matches!(told.difference, Difference::TypeChanged { .. }))
        .filter_map(|told| told.difference.column().map(str::to_owned))
        .collect();
    let root = if found.is_folder { path } else { path.parent().unwrap_or(path) };
    let mut check = |contract: &TableContract, found: &DataProfile| {
        if found.files.iter().any(|file| !file.findings.is_empty()) {
            return Ok(());
        }
        for table in tables(found) {
            let told = check_table(contract, root, &table, &broken, options)?;
            // What is known of nulls without the rows is a part of what they show.
            let is_of_nulls = |difference: &Difference| {
                matches!(difference, Difference::NullsFound { .. } | Difference::TooManyNulls { .. })
            };
            let is_told_better = |known: &FileDifference| {
                let same = |told: &&FileDifference| told.difference.as_str() == known.difference.as_str();
                told.iter().filter(same).any(|told| told.difference.column() == known.difference.column())
            };
            differences.retain(|known| !(is_of_nulls(&known.difference) && is_told_better(known)));
            differences.extend(told);
        }
        Ok::<(), DataError>(())
    };
    match contract {
        DataContract::Table(table) => check(table, found)?,
        DataContract::Files(files) => {
            for (_, asked, files) in files_of(files, found).0 {
                if let FileContract::Table(table) = asked {
                    let files = files.into_iter().cloned().collect();
                    check(table, &DataProfile { is_folder: true, files })?;
                }
            }
        }
    }
    differences.sort_by(|one, other| one.file.as_str().cmp(other.file.as_str()));
    Ok(differences)
}

/// The first row that is not as it should be, and how many there are.
#[derive(Debug, Clone)]
struct Failure {
    file: usize,
    row: u64,
    value: String,
    rows: u64,
}

impl Failure {
    /// Counts one more row.
    fn add(failure: &mut Option<Self>, file: usize, row: u64, value: impl FnOnce() -> String) {
        match failure {
            Some(failure) => failure.rows += 1,
            None => *failure = Some(Self { file, row, value: value(), rows: 1 }),
        }
    }
}

/// What is asked of a column that must not hold nulls.
const NO_NULLS: &str = "nullable false";

/// What is asked of a column of which few rows may be null.
const FEW_NULLS: &str = "max_null_fraction";

/// What was asked, and what came of it.
struct Outcome {
    column: String,
    constraint: String,
    result: Result<Failure, String>,
}

fn check_table(
    contract: &TableContract,
    root: &Utf8Path,
    table: &Table<'_>,
    broken: &HashSet<String>,
    options: &ProfileOptions,
) -> Result<Vec<FileDifference>, DataError> {
    // Where a type breaks within a column, its path begins with the name.
    let is_broken = |name: &str| {
        let is_within = |path: &String| {
            path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
        };
        broken.iter().any(is_within)
    };
    let is_there = |name: &str| table.column(name).is_some() && !is_broken(name);
    let asked = contract.columns.iter().filter(|(name, _)| is_there(name));
    // In a format that declares types, a float that is no number is no null by itself, and counts as one here as in text.
    let is_declared = Typing::of(table.first().format) == Typing::Declared;
    let may_be_no_number = |name: &str| {
        let own = table.column(name).filter(|_| is_declared).map(|column| column.own_types());
        own.into_iter().flatten().any(|(_, own)| matches!(own.data_type, LogicalType::Float(_)))
    };
    let mut columns: Vec<ColumnCheck> =
        asked.filter_map(|(name, column)| ColumnCheck::of(name, column, may_be_no_number(name))).collect();
    let of_columns = contract.columns.iter().filter(|(_, column)| column.constraints.unique);
    let mut keys: Vec<Vec<&str>> = of_columns.map(|(name, _)| vec![name.as_str()]).collect();
    keys.extend(contract.unique.iter().map(|names| names.iter().map(String::as_str).collect()));
    keys.retain(|names| names.iter().all(|name| is_there(name)));
    let mut unique: Vec<UniqueCheck> = keys.iter().map(|names| UniqueCheck::new(names, table.rows)).collect();
    for (name, obstacle) in unreadable_columns(table) {
        columns.iter_mut().filter(|check| check.name == name).for_each(|check| check.refuse(&obstacle));
        unique.iter_mut().for_each(|check| check.refuse(name, &obstacle));
    }
    let mut wanted: Vec<String> = columns.iter().map(|check| check.name.clone()).collect();
    wanted.extend(
        unique.iter().filter(|check| check.is_possible()).flat_map(UniqueCheck::names).map(str::to_owned),
    );
    if wanted.is_empty() && unique.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = RowReader { root, table, options, broken: Vec::new() };
    rows.read(&wanted, |file, first_row, batch| {
        columns.iter_mut().for_each(|check| check.add(file, first_row, batch));
        unique.iter_mut().for_each(|check| check.add(batch));
    })?;
    // Each settles, whatever another one finds.
    if unique.iter_mut().filter_map(UniqueCheck::settle).count() > 0 {
        // Which rows have the values that come twice only shows once all are known.
        let wanted: Vec<String> = keys.iter().flatten().map(|name| (*name).to_owned()).collect();
        rows.read(&wanted, |file, first_row, batch| {
            unique.iter_mut().for_each(|check| check.find(file, first_row, batch));
        })?;
    }
    let outcomes = columns.into_iter().flat_map(ColumnCheck::outcomes);
    let outcomes = outcomes.chain(unique.into_iter().filter_map(UniqueCheck::outcome));
    let difference = |Outcome { column, constraint, result }| {
        let (file, difference) = match result {
            Ok(Failure { file, rows, .. }) if constraint == NO_NULLS && table.column(&column).is_some() => {
                let known = table.column(&column).and_then(|column| column.nulls).unwrap_or_default();
                (file, Difference::NullsFound { column, nulls: Some(known.saturating_add(rows)) })
            }
            Ok(Failure { file, rows, .. }) if constraint == FEW_NULLS => {
                let known = table.column(&column).and_then(|column| column.nulls).unwrap_or_default();
                let nulls = known.saturating_add(rows);
                let asked = contract
                    .columns
                    .get(&column)
                    .and_then(|column| column.constraints.max_null_fraction.as_ref());
                let allowed = asked
                    .filter(|allowed| is_more_than_share(nulls, table.rows, allowed))?
                    .as_str()
                    .to_owned();
                (file, Difference::TooManyNulls { column, allowed, nulls, rows: table.rows })
            }
            Ok(Failure { file, row, value, rows }) => {
                (file, Difference::Constraint { column, constraint, row, value, rows })
            }
            Err(reason) => (0, Difference::NotChecked { column, constraint, reason }),
        };
        Some(FileDifference { file: table.files[file].0.path.clone(), difference })
    };
    let mut differences: Vec<FileDifference> = outcomes.filter_map(difference).collect();
    differences.append(&mut rows.broken);
    Ok(differences)
}

/// The columns of a text whose values no Arrow type holds, and why that is.
fn unreadable_columns<'t>(table: &'t Table<'_>) -> impl Iterator<Item = (&'t str, String)> {
    let is_text = Typing::of(table.first().format) != Typing::Declared;
    let columns = table.columns.iter().filter(move |_| is_text);
    columns.filter_map(|column| {
        let is_readable = column.whole.as_ref().is_some_and(|whole| to_arrow(whole).is_some());
        // Of nulls alone there is nothing to look at.
        (!is_readable && !column.is_null()).then(|| (column.name, holds(column.shown())))
    })
}

/// What a column holds that is not looked at.
fn holds(found: &LogicalType) -> String {
    format!("the column holds {found}")
}

/// An error with what caused it.
fn with_source(error: &ReadTableError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
