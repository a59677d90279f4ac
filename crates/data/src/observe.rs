//! Contracts from what data shows.

use std::fmt;

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use runtime_testing_models::{
    ColumnContract, Constraints, ContractType, DataContract, DataProfile, Difference, FileContract,
    FileFormat, FileProfile, FilesContract, LogicalType, Permission, TableContract, TypeWord,
};

use crate::compare::{Expected, compare, files_of, is_more_than_share, is_within, share_of};
use crate::tables::{Table, glob_of, tables};
use crate::types::join::{Typing, one_type};

/// A contract that data keeps to, and what of the data it cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedContract {
    /// The contract.
    pub contract: DataContract,
    /// What it cannot say.
    pub remarks: Vec<ContractRemark>,
}

/// Something of data that a contract cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContractRemark {
    /// No type word stands for what a column holds, so it may hold anything.
    NoWord {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// The tables of a folder hold values of several types in a column, so it may hold anything.
    SeveralTypes {
        /// The column.
        column: String,
        /// Its types.
        found: Vec<String>,
    },
    /// The parts of a table in CSV or TSV hold values of several types in a column, which are text together.
    TextInSome {
        /// The column.
        column: String,
        /// The types of the parts.
        found: Vec<String>,
    },
    /// Only some tables of a folder have a column, so it may be missing.
    NotInAll {
        /// The column.
        column: String,
    },
}

impl fmt::Display for ContractRemark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWord { column, found } if found == "null" => {
                write!(formatter, "{column}: it shows no value, so any type is allowed")
            }
            Self::NoWord { column, found } => {
                write!(formatter, "{column}: no type word stands for {found}, so any type is allowed")
            }
            Self::SeveralTypes { column, found } => {
                write!(formatter, "{column}: the tables hold {}, so any type is allowed", found.join(" and "))
            }
            Self::TextInSome { column, found } => {
                write!(formatter, "{column}: the files hold {}, which together is text", found.join(" and "))
            }
            Self::NotInAll { column } => {
                write!(formatter, "{column}: only some of the tables have it, so it may be missing")
            }
        }
    }
}

/// Why no contract can say what data is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoContract {
    /// There is no table with columns.
    #[error("there is no table with columns")]
    NoTable,
    /// A contract holds for every table of a folder, and these have not one column in common.
    #[error("the tables of the folder have no column in common, and a contract holds for each of them")]
    NothingInCommon,
    /// The data breaks any contract.
    #[error("{file}: {difference}")]
    Broken {
        /// The file.
        file: Utf8PathBuf,
        /// How.
        difference: Box<Difference>,
    },
}

/// The contract that says what data shows: each column with the word for its type, and without nulls where none are in any
/// row. With a contract that is known already, whatever of it the data keeps to stays: an optional column, a float that
/// happens to be whole, a column without nulls that may have some.
///
/// A file, or a folder of parts of one table whose names are equal but for numbers, gets the contract of a table; any other folder is
/// described glob by glob, with `*` for what numbers a name. A column that some parts of a table lack may be null. A table without a
/// row is said to need none. How many rows there are is otherwise not said: the next data has others. A contract of a table that is
/// known stays one as long as it can, and holds for each table of a folder: a column that some lack may be missing.
///
/// ```
/// use runtime_testing_data::{Expected, compare, observe_contract, profile_path};
///
/// let folder = tempfile::tempdir()?;
/// let path = camino::Utf8PathBuf::try_from(folder.path().join("orders.csv"))?;
/// std::fs::write(&path, "id,amount\n1,19.99\n2,\n")?;
///
/// let profile = profile_path(&path)?;
/// let contract = observe_contract(&profile, None)?.contract;
/// let columns = &contract.tables().next().expect("it is one table").columns;
/// assert_eq!(columns["id"].to_string(), "integer, no nulls");
/// assert_eq!(columns["amount"].to_string(), "float");
/// assert!(compare(&Expected::Contract(&contract), &profile).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`NoContract`] where there is no table, or none that a contract could describe.
pub fn observe_contract(
    found: &DataProfile,
    known: Option<&DataContract>,
) -> Result<ObservedContract, NoContract> {
    let mut remarks = Vec::new();
    let contract = match known {
        Some(DataContract::Files(known)) => observe_files(found, Some(known), &mut remarks)?.into(),
        Some(DataContract::Table(known)) => match observe_table(found, Some(known), &mut remarks) {
            Ok(table) => table.into(),
            Err(NoContract::NothingInCommon) => observe_files(found, None, &mut remarks)?.into(),
            Err(error) => return Err(error),
        },
        None if is_one_table(found) => observe_table(found, None, &mut remarks)?.into(),
        None => observe_files(found, None, &mut remarks)?.into(),
    };
    match broken(found, &contract) {
        Some(broken) => Err(broken),
        None => Ok(ObservedContract { contract, remarks }),
    }
}

/// Whether data is one table and nothing else: a file, or parts that are called the same but for what numbers them.
fn is_one_table(found: &DataProfile) -> bool {
    let mut globs = found.files.iter().map(|file| glob_of(&file.path));
    let Some(first) = globs.next() else { return true };
    !found.is_folder || (tables(found).len() == 1 && globs.all(|glob| glob == first))
}

/// What a folder holds, glob by glob: the tables, and what else must be there.
fn observe_files(
    found: &DataProfile,
    known: Option<&FilesContract>,
    remarks: &mut Vec<ContractRemark>,
) -> Result<FilesContract, NoContract> {
    if let Some(broken) = broken(found, &FilesContract::default().into()) {
        return Err(broken);
    }
    let mut contract = FilesContract {
        files: IndexMap::new(),
        extra_files: known.map(|known| known.extra_files).unwrap_or_default(),
        null_values: known.and_then(|known| known.null_values.clone()),
    };
    let mut others: Vec<&FileProfile> = found.files.iter().collect();
    if let Some(known) = known {
        let (groups, extra) = files_of(known, found);
        for (glob, asked, files) in groups {
            let asked = match asked {
                FileContract::Table(_) | FileContract::Present if files.is_empty() => continue,
                FileContract::Table(table) => {
                    FileContract::Table(observe_table(&of_files(files), Some(table), remarks)?)
                }
                other => other.clone(),
            };
            contract.files.insert(glob.to_owned(), asked);
        }
        others = if known.extra_files == Permission::Allow { Vec::new() } else { extra };
    }
    for (glob, files) in by_glob(others) {
        let is_table =
            files.iter().any(|file| file.schema.as_ref().is_some_and(|schema| !schema.columns.is_empty()));
        let asked = match is_table {
            true => FileContract::Table(observe_table(&of_files(files), None, remarks)?),
            false => FileContract::Present,
        };
        contract.files.insert(glob, asked);
    }
    let has_columns = |asked: &FileContract| match asked {
        FileContract::Table(table) => !table.columns.is_empty(),
        FileContract::Present | FileContract::Optional => false,
    };
    if contract.files.values().any(has_columns) { Ok(contract) } else { Err(NoContract::NoTable) }
}

fn of_files(files: Vec<&FileProfile>) -> DataProfile {
    DataProfile { is_folder: true, files: files.into_iter().cloned().collect() }
}

/// Files by what their names have in common but for numbers; by their paths, where these are tables of which one is no part of the
/// other.
fn by_glob(files: Vec<&FileProfile>) -> IndexMap<String, Vec<&FileProfile>> {
    let mut groups: IndexMap<String, Vec<&FileProfile>> = IndexMap::new();
    for file in files {
        groups.entry(glob_of(&file.path)).or_default().push(file);
    }
    let mut split: IndexMap<String, Vec<&FileProfile>> = IndexMap::new();
    for (glob, files) in groups {
        let all = of_files(files.clone());
        let is_alike = files.len() == 1
            || files.iter().all(|file| file.schema.is_none())
            || (tables(&all).len() == 1 && all.files.iter().all(|file| file.schema.is_some()));
        if is_alike {
            split.insert(glob, files);
        } else {
            split.extend(files.into_iter().map(|file| (globset::escape(file.path.as_str()), vec![file])));
        }
    }
    split
}

fn observe_table(
    found: &DataProfile,
    known: Option<&TableContract>,
    remarks: &mut Vec<ContractRemark>,
) -> Result<TableContract, NoContract> {
    let tables: Vec<Table<'_>> =
        tables(found).into_iter().filter(|table| !table.columns.is_empty()).collect();
    let Some(rows) = tables.iter().map(|table| table.rows).min() else {
        return Err(broken(found, &TableContract::default().into()).unwrap_or(NoContract::NoTable));
    };
    let mut contract = TableContract::default();
    for name in names(&tables) {
        let column = ObservedColumn::of(&tables, name);
        let observed = column.contract(known.and_then(|known| known.columns.get(name)), remarks);
        contract.columns.insert(name.to_owned(), observed);
    }
    if contract.columns.values().all(|column| column.optional) && tables.len() > 1 && known.is_none() {
        return Err(NoContract::NothingInCommon);
    }
    let has_empty_file =
        tables.iter().any(|table| table.rows > 0 && table.files.iter().any(|(_, schema)| schema.rows == 0));
    contract.empty_files = (has_empty_file && rows > 0).then_some(Permission::Allow);
    let mut delimiters = tables.iter().flat_map(|table| &table.files).filter_map(|(file, _)| file.delimiter);
    contract.delimiter = delimiters.next();
    contract.min_rows = (rows == 0).then_some(0);
    if let Some(known) = known {
        let kept = known.columns.iter().filter(|(_, column)| column.optional);
        for (name, column) in kept {
            contract.columns.entry(name.clone()).or_insert_with(|| column.clone());
        }
        let most = tables.iter().map(|table| table.rows).max();
        contract.extra_columns = known.extra_columns;
        contract.min_rows = known.min_rows.map_or(contract.min_rows, |least| Some(least.min(rows)));
        contract.max_rows = known.max_rows.max(most.filter(|_| known.max_rows.is_some()));
        contract.empty_files = if has_empty_file { contract.empty_files } else { known.empty_files };
        contract.null_values.clone_from(&known.null_values);
        let is_there = |names: &&Vec<String>| names.iter().all(|name| contract.columns.contains_key(name));
        contract.unique = known.unique.iter().filter(is_there).cloned().collect();
        if known.delimiter.is_some() && contract.delimiter.is_none() {
            let has_comma = tables.iter().any(|table| table.first().format == FileFormat::Csv);
            contract.delimiter = if has_comma { Some(',') } else { known.delimiter };
        }
        if *known == contract {
            // The columns stay in the order that they are in.
            contract.columns.clone_from(&known.columns);
        }
    }
    Ok(contract)
}

/// What in the data breaks a contract.
fn broken(found: &DataProfile, contract: &DataContract) -> Option<NoContract> {
    let allowing;
    let contract = match contract {
        DataContract::Table(table) if table.columns.is_empty() => {
            allowing = TableContract { min_rows: table.min_rows.or(Some(0)), ..table.clone() }.into();
            &allowing
        }
        contract => contract,
    };
    let differences = compare(&Expected::Contract(contract), found);
    let first = differences.into_iter().find(|found| found.difference.is_breaking())?;
    // What is merely no table has a reason of its own.
    let is_sound = found.files.iter().all(|file| file.findings.is_empty());
    let is_no_table = is_sound && matches!(first.difference, Difference::Unreadable { .. });
    (!is_no_table).then(|| NoContract::Broken { file: first.file, difference: first.difference.into() })
}

/// The names of all columns, in the order they come.
fn names<'a>(tables: &[Table<'a>]) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    let all = tables.iter().flat_map(|table| &table.columns).map(|column| column.name);
    all.filter(|name| seen.insert(*name)).collect()
}

/// A column over all tables that have it.
struct ObservedColumn<'a> {
    name: &'a str,
    /// The types that it shows, each once. A column of nulls alone shows none.
    types: Vec<LogicalType>,
    /// Those that parts of a table show by themselves, where all of them are text together.
    types_of_parts: Vec<String>,
    /// Whether a null is in it for certain.
    has_nulls: bool,
    /// Whether there may be a null in it, or nobody knows because there are no rows.
    may_have_nulls: bool,
    is_in_all: bool,
    /// The nulls and the rows of the table of which the greatest share is null.
    nulls_of_rows: (u64, u64),
    typing: Typing,
}

impl<'a> ObservedColumn<'a> {
    fn of(tables: &[Table<'_>], name: &'a str) -> Self {
        let mut column = Self {
            name,
            types: Vec::new(),
            types_of_parts: Vec::new(),
            has_nulls: false,
            may_have_nulls: false,
            is_in_all: true,
            nulls_of_rows: (0, 1),
            typing: tables
                .iter()
                .map(|table| Typing::of(table.first().format))
                .min()
                .unwrap_or(Typing::Declared),
        };
        let mut all_rows = 0_u64;
        for table in tables {
            let Some(found) = table.column(name) else {
                column.is_in_all = false;
                continue;
            };
            all_rows = all_rows.saturating_add(table.rows);
            let (nulls, rows) = column.nulls_of_rows;
            let own = found.nulls.unwrap_or_default();
            if u128::from(own) * u128::from(rows) > u128::from(nulls) * u128::from(table.rows) {
                column.nulls_of_rows = (own, table.rows);
            }
            column.has_nulls |= found.nulls.is_some_and(|nulls| nulls > 0);
            column.may_have_nulls |= found.nulls.is_none() && found.nullable;
            let own = found.own_types().into_iter().map(|(_, own)| &own.data_type);
            let own = own.filter(|own| **own != LogicalType::Null);
            let types = match &found.whole {
                Some(whole) => {
                    if *whole == LogicalType::Text {
                        column.types_of_parts.extend(own.map(ToString::to_string));
                    }
                    vec![whole.clone()]
                }
                None => own.cloned().collect(),
            };
            for words in types {
                if words != LogicalType::Null && !column.types.contains(&words) {
                    column.types.push(words);
                }
            }
        }
        column.types_of_parts.sort_unstable();
        column.types_of_parts.dedup();
        column.may_have_nulls |= column.has_nulls || all_rows == 0;
        column
    }

    /// Whether all that it shows is what a contract asks.
    fn keeps_to(&self, contract: &ColumnContract) -> bool {
        self.types.iter().all(|found| is_within(contract, found, self.typing))
    }

    fn contract(&self, known: Option<&ColumnContract>, remarks: &mut Vec<ContractRemark>) -> ColumnContract {
        let column = || self.name.to_owned();
        if !self.is_in_all && known.is_none_or(|known| !known.optional) {
            remarks.push(ContractRemark::NotInAll { column: column() });
        }
        let optional = !self.is_in_all || known.is_some_and(|known| known.optional);
        let (nulls, rows) = self.nulls_of_rows;
        let with_share = |mut constraints: Constraints| {
            let asked = constraints.max_null_fraction.as_mut();
            if let Some(asked) = asked.filter(|asked| is_more_than_share(nulls, rows, asked)) {
                *asked = share_of(nulls, rows);
            }
            constraints
        };
        if let Some(known) = known.filter(|known| self.keeps_to(known)) {
            let constraints = with_share(known.constraints.clone());
            let nullable = known.nullable || self.has_nulls;
            return ColumnContract { nullable, optional, constraints, ..known.clone() };
        }
        if self.types_of_parts.len() > 1 {
            remarks.push(ContractRemark::TextInSome { column: column(), found: self.types_of_parts.clone() });
        }
        let observed = self.types.iter().map(|found| of_type(found, self.typing));
        let observed = observed.flatten().find(|observed| self.keeps_to(observed));
        let observed = observed.unwrap_or_else(|| {
            let found: Vec<String> = self.types.iter().map(ToString::to_string).collect();
            remarks.push(match found.as_slice() {
                [] => ContractRemark::NoWord { column: column(), found: LogicalType::Null.to_string() },
                [only] => ContractRemark::NoWord { column: column(), found: only.clone() },
                _ => ContractRemark::SeveralTypes { column: column(), found },
            });
            ColumnContract::new(TypeWord::Any)
        });
        let constraints = known
            .map(|known| known.constraints.clone())
            .filter(|_| known.is_some_and(|known| known.data_type.word() == observed.data_type.word()));
        let constraints = with_share(constraints.unwrap_or_default());
        ColumnContract { nullable: self.may_have_nulls, optional, constraints, ..observed }
    }
}

/// What is asked of values of a type, and of what is within them, if a contract can say it.
fn of_type(found: &LogicalType, typing: Typing) -> Option<ColumnContract> {
    let word = match found {
        LogicalType::Boolean => TypeWord::Boolean,
        LogicalType::Int(_) | LogicalType::Uint(_) => TypeWord::Integer,
        LogicalType::Float(_) => TypeWord::Float,
        LogicalType::Text => TypeWord::Text,
        LogicalType::Binary => TypeWord::Binary,
        LogicalType::Date => TypeWord::Date,
        LogicalType::Decimal(..)
        | LogicalType::Time(_)
        | LogicalType::Timestamp(..)
        | LogicalType::Duration(_) => {
            return Some(ColumnContract::new(ContractType::Exact(found.clone())));
        }
        LogicalType::List(_) => TypeWord::List,
        LogicalType::Struct(_) if values_of(found, typing).is_some() => TypeWord::Map,
        LogicalType::Struct(_) => TypeWord::Struct,
        LogicalType::Map(..) => TypeWord::Map,
        _ => return None,
    };
    let inner = |found: &LogicalType| of_type(found, typing).unwrap_or(ColumnContract::new(TypeWord::Any));
    let mut contract = ColumnContract::new(word);
    match found {
        LogicalType::List(items) if **items != LogicalType::Null => {
            contract.items = Some(inner(items).into())
        }
        LogicalType::Struct(fields) if word == TypeWord::Struct => {
            contract.fields = fields.iter().rev().map(|(name, field)| (name.clone(), inner(field))).collect();
            contract.fields.reverse();
        }
        other => {
            let values = values_of(other, typing).filter(|values| *values != LogicalType::Null);
            contract.map_values = values.map(|values| inner(&values).into());
        }
    }
    Some(contract)
}

/// The type of the values of a map, and of an object in JSON whose keys are data.
fn values_of(found: &LogicalType, typing: Typing) -> Option<LogicalType> {
    match found {
        LogicalType::Map(_, values) => Some((**values).clone()),
        LogicalType::Struct(fields) if typing == Typing::Values => {
            one_type(fields.iter().map(|(_, field)| field.clone()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
