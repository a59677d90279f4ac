//! What values show that a contract can ask of the next ones.

use std::collections::{BTreeSet, HashSet};

use arrow::record_batch::RecordBatch;
use camino::Utf8Path;
use runtime_testing_models::{
    ColumnContract, Constraints, DataContract, DataProfile, Difference, FileContract, JobValue,
    TableContract, TypeWord,
};

use super::column::text_of;
use super::limit::{Comparable, Key, Kind};
use super::rows::RowReader;
use super::unique::UniqueCheck;
use super::{FEW_NULLS, check_table, unreadable_columns};
use crate::compare::{files_of, is_more_than_share, share_of};
use crate::error::ReadTableError;
use crate::options::ProfileOptions;
use crate::tables::{Table, tables};

/// The most values that are listed, and the most bytes of one of them.
const MOST_VALUES: usize = 20;
const LONGEST_VALUE: usize = 100;

/// How many rows tell that no value comes twice.
const FEWEST_ROWS: u64 = 10;

/// Whether values come twice is looked at where all columns that may be unique have no more values than this: a GiB of hashes.
const MOST_UNIQUE_VALUES: u64 = 1 << 26;

/// Which constraints of a contract [`observe_constraints`] takes from data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintScope {
    /// Those that the contract has, and the data breaks.
    Broken,
    /// These, and all that the contract does not have and the data shows.
    All,
}

/// A contract with what the values of data show: `found` is the profile of what lies at `path`, made with
/// [`ProfileOptions::for_contract`].
///
/// A constraint that the data keeps to stays as it is, and one that it breaks becomes what the data shows, or goes. With
/// [`ConstraintScope::All`], a column whose contract lacks them gets: `minimum` and `maximum`, where it holds numbers, days or
/// moments; `values`, where it holds at most 20 texts, on average twice each; `unique`, where it holds integers or texts and none
/// comes twice in ten rows or more, of 64 million such values at most; `max_null_fraction`, in hundredths, where it holds nulls. What lies within a column gets none.
///
/// ```
/// use runtime_testing_data::{
///     ConstraintScope, ProfileOptions, observe_constraints, observe_contract, profile_path,
/// };
///
/// let folder = tempfile::tempdir()?;
/// let path = camino::Utf8PathBuf::try_from(folder.path().join("orders.csv"))?;
/// std::fs::write(&path, "id,city\n1,Rome\n7,Rome\n3,Oslo\n4,Oslo\n")?;
///
/// let found = profile_path(&path)?;
/// let contract = observe_contract(&found, None)?.contract;
/// let options = ProfileOptions::default();
/// let contract = observe_constraints(&contract, &path, &found, ConstraintScope::All, &options)?;
/// let columns = &contract.tables().next().expect("it is one table").columns;
/// assert_eq!(columns["id"].to_string(), "integer, no nulls, minimum 1, maximum 7");
/// assert_eq!(columns["city"].to_string(), r#"text, no nulls, values ["Oslo","Rome"]"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ReadTableError`] where the rows cannot be read.
pub fn observe_constraints(
    contract: &DataContract,
    path: &Utf8Path,
    found: &DataProfile,
    scope: ConstraintScope,
    options: &ProfileOptions,
) -> Result<DataContract, ReadTableError> {
    let root = if found.is_folder { path } else { path.parent().unwrap_or(path) };
    let observe = |contract: &mut TableContract, found: &DataProfile| {
        let is_sound = found.files.iter().all(|file| file.findings.is_empty());
        let tables = tables(found);
        let reader = |table| RowReader { root, table, options, broken: Vec::new() };
        if is_sound { observe_tables(contract, &tables, scope, reader) } else { Ok(()) }
    };
    let mut contract = contract.clone();
    match &mut contract {
        DataContract::Table(table) => observe(table, found)?,
        DataContract::Files(files) => {
            let known = files.clone();
            for (glob, _, group) in files_of(&known, found).0 {
                if let Some(FileContract::Table(table)) = files.files.get_mut(glob) {
                    let files = group.into_iter().cloned().collect();
                    observe(table, &DataProfile { is_folder: true, files })?;
                }
            }
        }
    }
    Ok(contract)
}

fn observe_tables<'t>(
    contract: &mut TableContract,
    tables: &'t [Table<'t>],
    scope: ConstraintScope,
    reader: impl Fn(&'t Table<'t>) -> RowReader<'t>,
) -> Result<(), ReadTableError> {
    let mut broken = HashSet::new();
    for table in tables {
        let RowReader { root, options, .. } = reader(table);
        for told in check_table(contract, root, table, &HashSet::new(), options)? {
            match told.difference {
                Difference::Constraint { column, constraint, .. } => {
                    broken.insert((column, constraint));
                }
                Difference::TooManyNulls { column, .. } => {
                    broken.insert((column, FEW_NULLS.to_owned()));
                }
                Difference::Unreadable { finding } => {
                    let (path, format) = (root.join(&told.file), table.first().format);
                    return Err(ReadTableError::Unreadable { path, format, findings: vec![finding] });
                }
                _ => {}
            }
        }
    }
    contract.unique.retain(|names| !broken.contains(&(names.join("`, `"), "unique".to_owned())));
    let is_asked =
        |name: &str| scope == ConstraintScope::All || broken.iter().any(|(column, _)| column == name);
    let mut columns: Vec<Seen> =
        contract.columns.keys().filter(|name| is_asked(name)).map(|name| Seen::new(name)).collect();
    for table in tables {
        let obstacles: Vec<&str> = unreadable_columns(table).map(|(name, _)| name).collect();
        let is_there =
            |seen: &&mut Seen| table.column(&seen.name).is_some() && !obstacles.contains(&seen.name.as_str());
        let may_be_unique = |name: &str| {
            matches!(contract.columns[name].data_type.word(), TypeWord::Integer | TypeWord::Text)
        };
        let candidates = columns.iter().filter(|seen| may_be_unique(&seen.name)).count() as u64;
        let values = candidates.saturating_mul(table.rows);
        let looks_for_unique = scope == ConstraintScope::All && values <= MOST_UNIQUE_VALUES;
        let mut open: Vec<(&mut Seen, Option<UniqueCheck>)> = columns
            .iter_mut()
            .filter(is_there)
            .map(|seen| {
                let unique = (looks_for_unique && may_be_unique(&seen.name))
                    .then(|| UniqueCheck::new(&[&seen.name], table.rows));
                (seen, unique)
            })
            .collect();
        let wanted: Vec<String> = open.iter().map(|(seen, _)| seen.name.clone()).collect();
        let reader = reader(table);
        for place in 0..table.files.len() {
            reader.read_file(place, &wanted, &mut |_, _, batch| {
                for (seen, unique) in &mut open {
                    seen.add(batch);
                    unique.iter_mut().for_each(|unique| unique.add(batch));
                }
            })?;
        }
        for (seen, unique) in open {
            let filled = std::mem::take(&mut seen.filled_of_table);
            seen.filled += filled;
            let nulls = table.rows.saturating_sub(filled);
            let (worst, rows) = seen.nulls_of_rows;
            if u128::from(nulls) * u128::from(rows) > u128::from(worst) * u128::from(table.rows) {
                seen.nulls_of_rows = (nulls, table.rows);
            }
            let is_unique = |mut unique: UniqueCheck| unique.is_possible() && unique.settle().is_none();
            seen.is_unique &= unique.is_some_and(is_unique);
        }
    }
    for seen in columns {
        let column = contract.columns.get_mut(&seen.name).expect("one of the contract's columns");
        let name = seen.name.clone();
        let is_broken = |constraint: String| broken.contains(&(name.clone(), constraint));
        seen.put_into(column, scope, is_broken);
    }
    Ok(())
}

/// The values of a column so far.
struct Seen {
    name: String,
    kind: Option<Kind>,
    /// Whether files declare types whose values are not compared with each other.
    is_mixed: bool,
    least: Option<(Key, String)>,
    most: Option<(Key, String)>,
    /// All values, as long as they are few.
    values: Option<BTreeSet<String>>,
    /// In how many rows a value stands, and in how many of the table that is being read.
    filled: u64,
    filled_of_table: u64,
    /// The nulls and the rows of the table of which the greatest share is null.
    nulls_of_rows: (u64, u64),
    /// Whether no value comes twice in a table.
    is_unique: bool,
}

impl Seen {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: None,
            is_mixed: false,
            least: None,
            most: None,
            values: Some(BTreeSet::new()),
            filled: 0,
            filled_of_table: 0,
            nulls_of_rows: (0, 1),
            is_unique: true,
        }
    }

    fn add(&mut self, batch: &RecordBatch) {
        let Some(array) = batch.column_by_name(&self.name) else { return };
        let Some((kind, values)) = Kind::of(array.data_type()).zip(Comparable::of(array)) else {
            self.is_mixed |= array.logical_null_count() < array.len();
            self.filled_of_table += (array.len() - array.logical_null_count()) as u64;
            return;
        };
        self.is_mixed |= self.kind.is_some_and(|known| known != kind);
        self.kind = Some(kind);
        for row in 0..array.len() {
            let Some(key) = values.key(row) else { continue };
            self.filled_of_table += 1;
            if self.least.as_ref().is_none_or(|(least, _)| key < *least) {
                self.least = Some((key, text_of(array, row)));
            }
            if self.most.as_ref().is_none_or(|(most, _)| key > *most) {
                self.most = Some((key, text_of(array, row)));
            }
            if let Some(values) = &mut self.values {
                let text = text_of(array, row);
                if text.len() > LONGEST_VALUE || (values.insert(text) && values.len() > MOST_VALUES) {
                    self.values = None;
                }
            }
        }
    }

    /// A value as a contract writes it, if it can.
    fn value(&self, text: &str) -> Option<JobValue> {
        match self.kind? {
            Kind::Whole | Kind::Decimal { .. } | Kind::Float => text.parse().ok().map(JobValue::Number),
            Kind::Boolean => text.parse().ok().map(JobValue::Bool),
            Kind::Day | Kind::Moment | Kind::Text => Some(JobValue::String(text.to_owned())),
        }
    }

    fn put_into(
        self,
        column: &mut ColumnContract,
        scope: ConstraintScope,
        is_broken: impl Fn(String) -> bool,
    ) {
        let has_order = !matches!(self.kind, None | Some(Kind::Text | Kind::Boolean)) && !self.is_mixed;
        let extreme = |found: &Option<(Key, String)>| {
            found.as_ref().filter(|_| has_order).and_then(|(_, text)| self.value(text))
        };
        let listed = || {
            let values = self.values.as_ref().filter(|values| !values.is_empty() && !self.is_mixed)?;
            values.iter().map(|value| self.value(value)).collect::<Option<Vec<_>>>()
        };
        let known = column.constraints.clone();
        let asked: &mut Constraints = &mut column.constraints;
        let all = scope == ConstraintScope::All;
        if known.minimum.as_ref().map_or(all, |known| is_broken(format!("minimum {known}"))) {
            asked.minimum = extreme(&self.least);
        }
        if known.maximum.as_ref().map_or(all, |known| is_broken(format!("maximum {known}"))) {
            asked.maximum = extreme(&self.most);
        }
        if known.values.is_empty() {
            let is_of_few = |values: &Vec<JobValue>| {
                self.kind == Some(Kind::Text) && self.filled >= 2 * values.len() as u64
            };
            asked.values = listed().filter(|values| all && is_of_few(values)).unwrap_or_default();
        } else if is_broken(format!("values {}", JobValue::Array(known.values.clone()))) {
            let new = listed().unwrap_or_default();
            let is_known = |value: &JobValue| known.values.contains(value);
            asked.values = match new.is_empty() {
                true => Vec::new(),
                false => known
                    .values
                    .iter()
                    .cloned()
                    .chain(new.into_iter().filter(|value| !is_known(value)))
                    .collect(),
            };
        }
        if known.pattern.as_ref().is_some_and(|known| is_broken(format!("pattern {known}"))) {
            asked.pattern = None;
        }
        let may_be_unique = matches!(self.kind, Some(Kind::Whole | Kind::Text)) && self.filled >= FEWEST_ROWS;
        asked.unique = match known.unique {
            true => !is_broken("unique".to_owned()),
            false => all && may_be_unique && self.is_unique && !self.is_mixed,
        };
        let (nulls, rows) = self.nulls_of_rows;
        match &known.max_null_fraction {
            Some(known) if is_more_than_share(nulls, rows, known) => {
                asked.max_null_fraction = Some(share_of(nulls, rows));
            }
            None if all && column.nullable && nulls > 0 && nulls < rows => {
                asked.max_null_fraction = Some(share_of(nulls, rows));
            }
            _ => {}
        }
    }
}
