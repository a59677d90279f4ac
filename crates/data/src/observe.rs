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
mod tests {
    use proptest::prelude::*;
    use runtime_testing_models::{FileFormat, FileProfile, Permission, contract_differences};

    use runtime_testing_models::Column;

    use super::*;
    use crate::compare::testing::{columns, file, folder, single, table};

    /// Observes, and tells the contract column by column, then the remarks. The data must keep to the contract, and a second
    /// look must change nothing.
    #[track_caller]
    fn check(found: &DataProfile, known: Option<&TableContract>, expected: &[&str]) {
        let known = known.cloned().map(DataContract::from);
        let known = known.as_ref();
        let told = match observe_contract(found, known) {
            Ok(ObservedContract { contract, remarks }) => {
                let broken = compare(&Expected::Contract(&contract), found);
                assert!(broken.iter().all(|found| !found.difference.is_breaking()), "{broken:?}");
                let again = observe_contract(found, Some(&contract)).unwrap().contract;
                assert_eq!(contract_differences(Some(&contract), &again), []);
                let lines = contract_differences(None, &contract);
                let mut told: Vec<String> =
                    lines.iter().map(|line| line.to_string()[2..].to_owned()).collect();
                told.extend(remarks.iter().map(|remark| format!("remark {remark}")));
                told
            }
            Err(error) => vec![format!("none: {error}")],
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn a_single_table() {
        let found = table("a.csv", &[("id", "int64"), ("amount", "float64?"), ("day", "date")], 3);
        check(&single(found), None, &["id: integer, no nulls", "amount: float", "day: date, no nulls"]);
        let mut unknown = columns(&[("id", "int64")], 3);
        unknown.columns[0] = Column::new("id", "int64");
        check(&single(file("a.parquet", FileFormat::Parquet, Some(unknown))), None, &["id: integer"]);
    }

    #[test]
    fn what_no_word_stands_for_is_said() {
        let found = [("a", "mixed"), ("b", "null?"), ("c", "interval?"), ("d", "int64")];
        check(
            &single(table("a.json", &found, 3)),
            None,
            &[
                "a: any, no nulls",
                "b: any",
                "c: any",
                "d: integer, no nulls",
                "remark a: no type word stands for mixed, so any type is allowed",
                "remark b: it shows no value, so any type is allowed",
                "remark c: no type word stands for interval, so any type is allowed",
            ],
        );
    }

    #[test]
    fn a_table_without_rows_shows_neither_types_nor_nulls() {
        check(
            &single(table("a.csv", &[("a", "null")], 0)),
            None,
            &[
                "a: any",
                "rows: at least 1 -> at least 0",
                "remark a: it shows no value, so any type is allowed",
            ],
        );
        check(
            &single(table("a.parquet", &[("a", "int64")], 0)),
            None,
            &["a: integer", "rows: at least 1 -> at least 0"],
        );
        check(&single(table("a.json", &[], 0)), None, &["none: there is no table with columns"]);
    }

    #[test]
    fn what_is_no_table() {
        let model = file("model.pkl", FileFormat::Opaque, None);
        check(&single(model.clone()), None, &["none: there is no table with columns"]);
        check(&folder(&[]), None, &["none: there is no table with columns"]);
        let rows = table("a.csv", &[("a", "int64")], 1);
        check(
            &folder(&[model, rows.clone()]),
            None,
            &["model.pkl: must be there", "a.csv: a: integer, no nulls"],
        );
        let mut ragged = FileProfile { schema: None, ..table("b.csv", &[("a", "int64")], 1) };
        ragged.findings = vec![crate::findings::unreadable_on(3, "bad row")];
        let told = ["none: b.csv: cannot be read: line 3: bad row"];
        check(&folder(&[rows, ragged.clone()]), None, &told);
        check(&single(ragged), None, &told);
        let disguised = file("a.csv", FileFormat::Json, Some(columns(&[("a", "int64")], 1)));
        check(&single(disguised), None, &["none: a.csv: the name promises csv, the content is json"]);
    }

    #[test]
    fn tables_of_a_folder() {
        let parts = [
            table("p-0.csv", &[("a", "int64"), ("b", "date"), ("c", "null?")], 3),
            table("p-1.csv", &[("c", "text"), ("a", "float64"), ("b", "timestamp[us]")], 0),
        ];
        check(
            &folder(&parts),
            None,
            &["a: float, no nulls", "b: timestamp[us], no nulls", "c: text", "empty_files: \"allow\""],
        );
        let different = [
            table("a.csv", &[("id", "int64"), ("x", "text")], 3),
            table("b.csv", &[("id", "text"), ("y", "decimal(3,1)?")], 0),
            table("c.json", &[], 0),
        ];
        check(
            &folder(&different),
            None,
            &[
                "a.csv: id: integer, no nulls",
                "a.csv: x: text, no nulls",
                "b.csv: id: text",
                "b.csv: y: decimal(3,1)",
                "b.csv: rows: at least 1 -> at least 0",
                "c.json: must be there",
            ],
        );
        let strangers = [table("a.csv", &[("a", "int64")], 1), table("b.csv", &[("b", "int64")], 1)];
        check(&folder(&strangers), None, &["a.csv: a: integer, no nulls", "b.csv: b: integer, no nulls"]);
        // A contract that is there holds for every table as long as it can.
        let known = TableContract::default().with_column("id", TypeWord::Any);
        check(
            &folder(&different[..2]),
            Some(&known),
            &[
                "id: any",
                "x: text, no nulls, may be missing",
                "y: decimal(3,1), may be missing",
                "rows: at least 1 -> at least 0",
                "remark x: only some of the tables have it, so it may be missing",
                "remark y: only some of the tables have it, so it may be missing",
            ],
        );
    }

    #[test]
    fn folders_are_told_glob_by_glob() {
        let rows = [("id", "int64"), ("zip", "text")];
        let splits = [
            table("test/0.csv", &rows, 1),
            table("train/part-00000-550e8400-e29b.c000.csv", &rows, 3),
            table("train/part-00001-550e8400-a716.c000.csv", &rows, 0),
            file("model-7.bst", FileFormat::Opaque, None),
            file("metrics.json", FileFormat::JsonObject, Some(columns(&[("auc", "float64")], 1))),
            file("params.json", FileFormat::JsonObject, Some(columns(&[("depth", "int64")], 1))),
        ];
        check(
            &folder(&splits),
            None,
            &[
                "test/*.csv: id: integer, no nulls",
                "test/*.csv: zip: text, no nulls",
                "train/part-*.*.csv: id: integer, no nulls",
                "train/part-*.*.csv: zip: text, no nulls",
                "train/part-*.*.csv: empty_files: \"allow\"",
                "model-*.bst: must be there",
                "metrics.json: auc: float, no nulls",
                "params.json: depth: integer, no nulls",
            ],
        );
        // One glob would match both, and they are two tables.
        let strangers = [table("t1.csv", &rows, 1), table("t2.csv", &[("x", "date")], 1)];
        check(
            &folder(&strangers),
            None,
            &["t1.csv: id: integer, no nulls", "t1.csv: zip: text, no nulls", "t2.csv: x: date, no nulls"],
        );
        let observed = observe_contract(&folder(&splits), None).unwrap().contract;
        let again = observe_contract(&folder(&splits[..4]), Some(&observed)).unwrap().contract;
        let changes = contract_differences(Some(&observed), &again);
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(changes, ["- metrics.json", "- params.json"]);
    }

    #[test]
    fn what_is_within_columns_is_told() {
        let found = [
            ("a", "list<struct<x: float64, y: timestamp[us, UTC]>>"),
            ("b", "struct<p: int64, q: int64>"),
            ("c", "map<text, null>"),
        ];
        check(
            &single(table("a.parquet", &found, 1)),
            None,
            &[
                "a: list, no nulls, each (struct, with `x` float and `y` timestamp[us, UTC])",
                "b: struct, no nulls, with `p` integer and `q` integer",
                "c: map, no nulls",
            ],
        );
        // In JSON, keys are data where all values are of one type.
        check(&single(table("a.json", &found[1..2], 1)), None, &["b: map, no nulls, each integer"]);
    }

    #[test]
    fn a_column_that_parts_leave_out_may_be_null() {
        let all = [("a", "int64"), ("b", "text")];
        let mut parts = vec![table("0.json", &all[..1], 3), table("1.json", &all, 2)];
        check(&folder(&parts), None, &["a: integer, no nulls", "b: text"]);
        parts.push(table("2.json", &[], 1));
        check(&folder(&parts), None, &["a: integer", "b: text"]);
        check(
            &folder(&[table("test.json", &all[..1], 3), table("train.json", &all, 2)]),
            None,
            &[
                "test.json: a: integer, no nulls",
                "train.json: a: integer, no nulls",
                "train.json: b: text, no nulls",
            ],
        );
    }

    #[test]
    fn what_a_known_contract_says_stays_as_far_as_the_data_keeps_to_it() {
        let column = |data_type, nullable, optional| ColumnContract {
            nullable,
            optional,
            ..ColumnContract::new(data_type)
        };
        let mut known = TableContract { min_rows: Some(2), ..TableContract::default() };
        known.columns.insert("gone".to_owned(), column(TypeWord::Text, true, false));
        known.columns.insert("maybe".to_owned(), column(TypeWord::Text, false, true));
        known.columns.insert("amount".to_owned(), column(TypeWord::Float, true, false));
        known.columns.insert("note".to_owned(), column(TypeWord::Text, false, false));
        known.columns.insert("day".to_owned(), column(TypeWord::Date, true, false));
        known.extra_columns = Permission::Forbid;
        let found = [("amount", "int64"), ("day", "text"), ("note", "text?"), ("new", "boolean")];
        let found = single(table("a.csv", &found, 1));
        check(
            &found,
            Some(&known),
            &[
                "amount: float",
                "day: text, no nulls",
                "note: text",
                "new: boolean, no nulls",
                "maybe: text, no nulls, may be missing",
                "other columns are forbidden",
                "rows: at least 1 -> at least 1",
            ],
        );
        let kept = [("note", "text"), ("day", "null?"), ("gone", "text"), ("amount", "int64")];
        let observed =
            observe_contract(&single(table("a.csv", &kept, 2)), Some(&known.clone().into())).unwrap();
        let DataContract::Table(observed_table) = &observed.contract else { panic!("it was a table") };
        assert_eq!(*observed_table, known);
        assert!(observed_table.columns.keys().eq(known.columns.keys()), "the order stays");
        assert_eq!(observed.remarks, []);
    }

    fn any_profile() -> impl Strategy<Value = DataProfile> {
        let data_type = prop::sample::select(vec![
            "boolean",
            "int8",
            "uint64",
            "float32",
            "decimal(9,2)",
            "text",
            "date",
            "time[us]",
            "timestamp[us]",
            "timestamp[ns, UTC]",
            "duration[s]",
            "binary",
            "list<mixed>",
            "struct<>",
            "map<text, null>",
            "mixed",
            "null",
            "interval",
            "something else",
        ]);
        let table = (prop::collection::btree_map("[a-d]", (data_type, 0..3_u8), 0..5), 0..3_u64);
        let tables = prop::collection::vec(table, 0..4);
        (tables, prop::sample::select(&["parquet", "json", "csv"])).prop_map(|(tables, extension)| {
            let declares = extension == "parquet";
            let files = tables.into_iter().enumerate().map(|(at, (of_columns, rows))| {
                let column = |(name, (data_type, nulls)): (String, (&str, u8))| Column {
                    nullable: nulls > 0,
                    nulls: if declares && nulls > 1 { None } else { Some(u64::from(nulls).min(rows)) },
                    ..Column::new(name, data_type)
                };
                let mut found = table_file(&format!("p-{at}.{extension}"));
                let columns = of_columns.into_iter().map(column).collect();
                found.schema = Some(runtime_testing_models::TableSchema { columns, rows });
                found
            });
            folder(&files.collect::<Vec<_>>())
        })
    }

    fn table_file(path: &str) -> FileProfile {
        file(path, crate::format_of_extension(path.as_ref()), None)
    }

    proptest! {
        /// Whatever was observed keeps to its contract, and a second look changes nothing.
        #[test]
        fn data_keeps_to_its_own_contract(found in any_profile(), other in any_profile()) {
            if let Ok(ObservedContract { contract, .. }) = observe_contract(&found, None) {
                let differences = compare(&Expected::Contract(&contract), &found);
                prop_assert!(differences.iter().all(|found| !found.difference.is_breaking()), "{:?}", differences);
                prop_assert_eq!(&observe_contract(&found, Some(&contract)).unwrap().contract, &contract);
                // Drift is accepted on top of it.
                if let Ok(ObservedContract { contract: after, .. }) = observe_contract(&other, Some(&contract)) {
                    let differences = compare(&Expected::Contract(&after), &other);
                    prop_assert!(differences.iter().all(|found| !found.difference.is_breaking()), "{:?}", differences);
                    prop_assert_eq!(&observe_contract(&other, Some(&after)).unwrap().contract, &after);
                }
            }
        }
    }
}
