//! Contracts from what data shows.

use std::fmt;

use camino::Utf8PathBuf;
use runtime_testing_models::{ColumnContract, DataProfile, Difference, TableContract, TypeWord};

use crate::compare::{Expected, compare, fits_word};
use crate::tables::{Table, tables};
use runtime_testing_models::LogicalType;

/// A contract that data keeps to, and what of the data it cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedContract {
    /// The contract.
    pub contract: TableContract,
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
/// Of several tables in a folder the contract holds for each: a column that some lack may be missing. One that only some
/// of the numbered parts of a table in JSON have may be null. A table without a
/// row is said to need none. How many rows there are is otherwise not said: the next data has others.
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
/// assert_eq!(contract.columns["id"].to_string(), "integer, no nulls");
/// assert_eq!(contract.columns["amount"].to_string(), "float");
/// assert!(compare(&Expected::Contract(&contract), &profile).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`NoContract`] where there is no table, or none that a contract could describe.
pub fn observe_contract(
    found: &DataProfile,
    known: Option<&TableContract>,
) -> Result<ObservedContract, NoContract> {
    let tables: Vec<Table<'_>> =
        tables(found).into_iter().filter(|table| !table.columns.is_empty()).collect();
    let Some(rows) = tables.iter().map(|table| table.rows).min() else {
        return Err(broken(found, &TableContract::default()).unwrap_or(NoContract::NoTable));
    };
    let mut observed = ObservedContract { contract: TableContract::default(), remarks: Vec::new() };
    for name in names(&tables) {
        let column = ObservedColumn::of(&tables, name);
        let contract =
            column.contract(known.and_then(|known| known.columns.get(name)), &mut observed.remarks);
        observed.contract.columns.insert(name.to_owned(), contract);
    }
    if known.is_none() && observed.contract.columns.values().all(|column| column.optional) {
        return Err(NoContract::NothingInCommon);
    }
    if let Some(known) = known {
        let kept = known.columns.iter().filter(|(_, column)| column.optional);
        for (name, column) in kept {
            observed.contract.columns.entry(name.clone()).or_insert_with(|| column.clone());
        }
        observed.contract.extra_columns = known.extra_columns;
    }
    observed.contract.min_rows = match known.and_then(|known| known.min_rows) {
        Some(least) => Some(least.min(rows)),
        None => (rows == 0).then_some(0),
    };
    if known == Some(&observed.contract) {
        // The columns stay in the order that they are in.
        observed.contract.columns.clone_from(&known.expect("it is the same").columns);
    }
    match broken(found, &observed.contract) {
        Some(broken) => Err(broken),
        None => Ok(observed),
    }
}

/// What in the data breaks a contract.
fn broken(found: &DataProfile, contract: &TableContract) -> Option<NoContract> {
    let allowing = TableContract { min_rows: contract.min_rows.or(Some(0)), ..contract.clone() };
    let contract = if contract.columns.is_empty() { &allowing } else { contract };
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
        };
        let mut all_rows = 0_u64;
        for table in tables {
            let Some(found) = table.column(name) else {
                column.is_in_all = false;
                continue;
            };
            all_rows = all_rows.saturating_add(table.rows);
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

    fn fits(&self, word: TypeWord) -> bool {
        self.types.iter().all(|words| fits_word(word, words))
    }

    fn contract(&self, known: Option<&ColumnContract>, remarks: &mut Vec<ContractRemark>) -> ColumnContract {
        let column = || self.name.to_owned();
        if !self.is_in_all && known.is_none_or(|known| !known.optional) {
            remarks.push(ContractRemark::NotInAll { column: column() });
        }
        let optional = !self.is_in_all || known.is_some_and(|known| known.optional);
        if let Some(known) = known.filter(|known| self.fits(known.data_type)) {
            return ColumnContract { nullable: known.nullable || self.has_nulls, optional, ..known.clone() };
        }
        if self.types_of_parts.len() > 1 {
            remarks.push(ContractRemark::TextInSome { column: column(), found: self.types_of_parts.clone() });
        }
        let data_type = self.types.iter().filter_map(word).find(|word| self.fits(*word));
        let data_type = data_type.unwrap_or_else(|| {
            let found: Vec<String> = self.types.iter().map(ToString::to_string).collect();
            remarks.push(match found.as_slice() {
                [] => ContractRemark::NoWord { column: column(), found: LogicalType::Null.to_string() },
                [only] => ContractRemark::NoWord { column: column(), found: only.clone() },
                _ => ContractRemark::SeveralTypes { column: column(), found },
            });
            TypeWord::Any
        });
        ColumnContract { data_type, nullable: self.may_have_nulls, optional }
    }
}

/// The word that stands for a type.
fn word(words: &LogicalType) -> Option<TypeWord> {
    Some(match words {
        LogicalType::Boolean => TypeWord::Boolean,
        LogicalType::Int(_) | LogicalType::Uint(_) => TypeWord::Integer,
        LogicalType::Float(_) => TypeWord::Float,
        LogicalType::Decimal(..) => TypeWord::Decimal,
        LogicalType::Text => TypeWord::Text,
        LogicalType::Binary => TypeWord::Binary,
        LogicalType::Date => TypeWord::Date,
        LogicalType::Time(_) => TypeWord::Time,
        LogicalType::Timestamp(..) => TypeWord::Timestamp,
        LogicalType::Duration(_) => TypeWord::Duration,
        LogicalType::List(_) => TypeWord::List,
        LogicalType::Struct(_) => TypeWord::Struct,
        LogicalType::Map(..) => TypeWord::Map,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use runtime_testing_models::{ExtraColumns, FileFormat, FileProfile, contract_differences};

    use runtime_testing_models::Column;

    use super::*;
    use crate::compare::testing::{columns, file, folder, single, table};

    /// Observes, and tells the contract column by column, then the remarks. The data must keep to the contract, and a second
    /// look must change nothing.
    #[track_caller]
    fn check(found: &DataProfile, known: Option<&TableContract>, expected: &[&str]) {
        let told = match observe_contract(found, known) {
            Ok(ObservedContract { contract, remarks }) => {
                let broken = compare(&Expected::Contract(&contract), found);
                assert!(broken.iter().all(|found| !found.difference.is_breaking()), "{broken:?}");
                let again = observe_contract(found, Some(&contract)).unwrap().contract;
                assert_eq!(contract_differences(Some(&contract), &again), []);
                let mut told: Vec<String> =
                    contract.columns.iter().map(|(name, column)| format!("{name}: {column}")).collect();
                told.extend(contract.min_rows.map(|rows| format!("min_rows {rows}")));
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
            &["a: any", "min_rows 0", "remark a: it shows no value, so any type is allowed"],
        );
        check(&single(table("a.parquet", &[("a", "int64")], 0)), None, &["a: integer", "min_rows 0"]);
        check(&single(table("a.json", &[], 0)), None, &["none: there is no table with columns"]);
    }

    #[test]
    fn what_is_no_table() {
        let model = file("model.pkl", FileFormat::Opaque, None);
        check(&single(model.clone()), None, &["none: there is no table with columns"]);
        check(&folder(&[]), None, &["none: there is no table with columns"]);
        let rows = table("a.csv", &[("a", "int64")], 1);
        check(&folder(&[model, rows.clone()]), None, &["a: integer, no nulls"]);
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
        check(&folder(&parts), None, &["a: float, no nulls", "b: timestamp, no nulls", "c: text"]);
        let different = [
            table("a.csv", &[("id", "int64"), ("x", "text")], 3),
            table("b.csv", &[("id", "text"), ("y", "decimal(3,1)?")], 0),
            table("c.json", &[], 0),
        ];
        check(
            &folder(&different),
            None,
            &[
                "id: any, no nulls",
                "x: text, no nulls, may be missing",
                "y: decimal, may be missing",
                "min_rows 0",
                "remark id: the tables hold int64 and text, so any type is allowed",
                "remark x: only some of the tables have it, so it may be missing",
                "remark y: only some of the tables have it, so it may be missing",
            ],
        );
        let strangers = [table("a.csv", &[("a", "int64")], 1), table("b.csv", &[("b", "int64")], 1)];
        let told =
            "none: the tables of the folder have no column in common, and a contract holds for each of them";
        check(&folder(&strangers), None, &[told]);
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
            &["a: integer, no nulls", "b: text"],
        );
    }

    #[test]
    fn what_a_known_contract_says_stays_as_far_as_the_data_keeps_to_it() {
        let column = |data_type, nullable, optional| ColumnContract { data_type, nullable, optional };
        let mut known = TableContract { min_rows: Some(2), ..TableContract::default() };
        known.columns.insert("gone".to_owned(), column(TypeWord::Text, true, false));
        known.columns.insert("maybe".to_owned(), column(TypeWord::Text, false, true));
        known.columns.insert("amount".to_owned(), column(TypeWord::Float, true, false));
        known.columns.insert("note".to_owned(), column(TypeWord::Text, false, false));
        known.columns.insert("day".to_owned(), column(TypeWord::Date, true, false));
        known.extra_columns = ExtraColumns::Forbid;
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
                "min_rows 1",
            ],
        );
        let kept = [("note", "text"), ("day", "null?"), ("gone", "text"), ("amount", "int64")];
        let observed = observe_contract(&single(table("a.csv", &kept, 2)), Some(&known)).unwrap();
        assert_eq!(observed.contract, known);
        assert!(observed.contract.columns.keys().eq(known.columns.keys()), "the order stays");
        assert_eq!(observed.remarks, []);
    }

    #[test]
    fn every_word_comes_from_a_type() {
        let types = [
            "boolean",
            "uint8",
            "float16",
            "decimal(10,2)",
            "text",
            "date",
            "time[ms]",
            "timestamp[s, UTC]",
            "duration[s]",
            "binary",
            "list<int64>",
            "struct<a: text>",
            "map<text, int64>",
            "mixed",
        ];
        let words: Vec<TypeWord> =
            types.iter().map(|text| word(&LogicalType::from(*text)).unwrap_or(TypeWord::Any)).collect();
        assert_eq!(words, TypeWord::ALL);
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
