use std::fmt;

use indexmap::IndexMap;

use crate::{
    ColumnContract, ContractType, DataContract, FileContract, FilesContract, Permission, TableContract,
};

/// One way in which a contract differs from the one that is to take its place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContractDifference {
    /// A column is asked for that was not.
    ColumnAdded {
        /// The column, or the path of what is within it.
        column: String,
        /// What is asked of it.
        contract: ColumnContract,
    },
    /// A column is no longer asked for.
    ColumnRemoved {
        /// The column, or the path of what is within it.
        column: String,
        /// What was asked of it.
        contract: ColumnContract,
    },
    /// A column is to have another type.
    TypeChanged {
        /// The column, or the path of what is within it.
        column: String,
        /// The type it was to have.
        before: ContractType,
        /// The type it is to have.
        after: ContractType,
    },
    /// Nulls are allowed in a column, or no longer.
    NullableChanged {
        /// The column, or the path of what is within it.
        column: String,
        /// Whether they are allowed now.
        nullable: bool,
    },
    /// A column may be missing, or no longer.
    OptionalChanged {
        /// The column, or the path of what is within it.
        column: String,
        /// Whether it may be missing now.
        optional: bool,
    },
    /// Columns that are not named are allowed, or no longer.
    ExtraColumnsChanged {
        /// Whether they are allowed now.
        extra_columns: Permission,
    },
    /// Another number of rows is asked for.
    MinRowsChanged {
        /// The least number of rows before.
        before: u64,
        /// The least number of rows now.
        after: u64,
    },
    /// Another key of a column or a table says something else.
    SettingChanged {
        /// The key, behind the column that it is of: `max_rows`, `amount.minimum`.
        key: String,
        /// What it said, as JSON. Nothing where it was not there.
        before: Option<String>,
        /// What it says, as JSON. Nothing where it is not there.
        after: Option<String>,
    },
    /// Files are asked for that were not, or in another way.
    FilesAdded {
        /// Their glob.
        glob: String,
        /// What is asked of them.
        contract: FileContract,
    },
    /// Files are no longer asked for.
    FilesRemoved {
        /// Their glob.
        glob: String,
    },
    /// The table that files are is to be another.
    InFiles {
        /// Their glob.
        glob: String,
        /// How.
        difference: Box<ContractDifference>,
    },
}

/// All ways in which `before` differs from `after`; without a contract before, everything is new. Where there are none, the
/// contracts are equal.
///
/// ```
/// use runtime_testing_models::{TableContract, TypeWord, contract_differences};
///
/// let before = TableContract::default().with_column("amount", TypeWord::Integer).into();
/// let after = TableContract::default().with_column("amount", TypeWord::Float).into();
/// assert_eq!(contract_differences(Some(&before), &after)[0].to_string(), "~ amount: integer -> float");
/// assert!(contract_differences(Some(&after), &after).is_empty());
/// ```
pub fn contract_differences(before: Option<&DataContract>, after: &DataContract) -> Vec<ContractDifference> {
    let mut differences = Vec::new();
    match (before, after) {
        (None, DataContract::Table(after)) => tables(&TableContract::default(), after, &mut differences),
        (None, DataContract::Files(after)) => files(&FilesContract::default(), after, &mut differences),
        (Some(DataContract::Table(before)), DataContract::Table(after)) => {
            tables(before, after, &mut differences);
        }
        (Some(DataContract::Files(before)), DataContract::Files(after)) => {
            files(before, after, &mut differences);
        }
        (Some(DataContract::Table(before)), DataContract::Files(after)) => {
            tables(before, &TableContract::default(), &mut differences);
            files(&FilesContract::default(), after, &mut differences);
        }
        (Some(DataContract::Files(before)), DataContract::Table(after)) => {
            files(before, &FilesContract::default(), &mut differences);
            tables(&TableContract::default(), after, &mut differences);
        }
    }
    differences
}

fn files(before: &FilesContract, after: &FilesContract, list: &mut Vec<ContractDifference>) {
    for (glob, contract) in &after.files {
        let empty = TableContract::default();
        let (old, new) = match (before.files.get(glob), contract) {
            (Some(old), new) if old == new => continue,
            (Some(FileContract::Table(old)), FileContract::Table(new)) => (old, new),
            (None, FileContract::Table(new)) if *new != empty => (&empty, new),
            _ => {
                list.push(ContractDifference::FilesAdded { glob: glob.clone(), contract: contract.clone() });
                continue;
            }
        };
        let mut of_table = Vec::new();
        tables(old, new, &mut of_table);
        list.extend(of_table.into_iter().map(|difference| ContractDifference::InFiles {
            glob: glob.clone(),
            difference: Box::new(difference),
        }));
    }
    for glob in before.files.keys().filter(|glob| !after.files.contains_key(*glob)) {
        list.push(ContractDifference::FilesRemoved { glob: glob.clone() });
    }
    add_setting("", "extra_files", &before.extra_files.as_str(), &after.extra_files.as_str(), list);
    add_setting("", "null_values", &before.null_values, &after.null_values, list);
}

fn tables(before: &TableContract, after: &TableContract, list: &mut Vec<ContractDifference>) {
    columns(&before.columns, &after.columns, "", list);
    if before.extra_columns != after.extra_columns {
        list.push(ContractDifference::ExtraColumnsChanged { extra_columns: after.extra_columns });
    }
    if before.min_rows != after.min_rows {
        // Where nothing is said, a table needs one row.
        let (before, after) = (before.min_rows.unwrap_or(1), after.min_rows.unwrap_or(1));
        list.push(ContractDifference::MinRowsChanged { before, after });
    }
    add_setting("", "max_rows", &before.max_rows, &after.max_rows, list);
    add_setting("", "unique", &before.unique, &after.unique, list);
    let empty_files = |contract: &TableContract| contract.empty_files.map(Permission::as_str);
    add_setting("", "empty_files", &empty_files(before), &empty_files(after), list);
    add_setting("", "delimiter", &before.delimiter, &after.delimiter, list);
    add_setting("", "null_values", &before.null_values, &after.null_values, list);
}

fn columns(
    before: &IndexMap<String, ColumnContract>,
    after: &IndexMap<String, ColumnContract>,
    path: &str,
    list: &mut Vec<ContractDifference>,
) {
    for (name, contract) in after {
        let column = format!("{path}{name}");
        match before.get(name) {
            Some(old) => column_differences(old, contract, &column, list),
            None => list.push(ContractDifference::ColumnAdded { column, contract: contract.clone() }),
        }
    }
    for (name, contract) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        let (column, contract) = (format!("{path}{name}"), contract.clone());
        list.push(ContractDifference::ColumnRemoved { column, contract });
    }
}

fn column_differences(
    before: &ColumnContract,
    after: &ColumnContract,
    column: &str,
    list: &mut Vec<ContractDifference>,
) {
    if before.data_type != after.data_type {
        let (before, after) = (before.data_type.clone(), after.data_type.clone());
        list.push(ContractDifference::TypeChanged { column: column.to_owned(), before, after });
    }
    if before.nullable != after.nullable {
        let nullable = after.nullable;
        list.push(ContractDifference::NullableChanged { column: column.to_owned(), nullable });
    }
    if before.optional != after.optional {
        let optional = after.optional;
        list.push(ContractDifference::OptionalChanged { column: column.to_owned(), optional });
    }
    columns(&before.fields, &after.fields, &format!("{column}."), list);
    let inner = [(&before.items, &after.items, "[]"), (&before.map_values, &after.map_values, "{}")];
    for (before, after, step) in inner {
        let column = format!("{column}{step}");
        match (before.as_deref(), after.as_deref()) {
            (None, None) => {}
            (Some(before), Some(after)) => column_differences(before, after, &column, list),
            (None, Some(after)) => {
                list.push(ContractDifference::ColumnAdded { column, contract: after.clone() });
            }
            (Some(before), None) => {
                list.push(ContractDifference::ColumnRemoved { column, contract: before.clone() });
            }
        }
    }
    let (before, after) = (before.constraints.entries(), after.constraints.entries());
    let mut keys: Vec<&str> = before.iter().chain(&after).map(|(key, _)| *key).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let of = |entries: &[(&'static str, crate::JobValue)]| {
            entries.iter().find(|(known, _)| *known == key).map(|(_, value)| value.clone())
        };
        add_setting(&format!("{column}."), key, &of(&before), &of(&after), list);
    }
}

/// Adds that a key says something else. What is written as `null`, or as a list of nothing, is not there.
fn add_setting<T: PartialEq + serde::Serialize>(
    path: &str,
    key: &str,
    before: &T,
    after: &T,
    list: &mut Vec<ContractDifference>,
) {
    if before == after {
        return;
    }
    let shown = |value: &T| {
        let text = serde_json::to_string(value).expect("what contracts hold can be written");
        Some(text).filter(|text| text != "null" && text != "[]")
    };
    let key = format!("{path}{key}");
    list.push(ContractDifference::SettingChanged { key, before: shown(before), after: shown(after) });
}

/// A line of a list: `+` for what is added, `-` for what is removed, `~` for what changes.
impl fmt::Display for ContractDifference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ColumnAdded { column, contract } => write!(formatter, "+ {column}: {contract}"),
            Self::ColumnRemoved { column, contract } => write!(formatter, "- {column}: {contract}"),
            Self::TypeChanged { column, before, after } => {
                write!(formatter, "~ {column}: {before} -> {after}")
            }
            Self::NullableChanged { column, nullable: true } => {
                write!(formatter, "~ {column}: nulls are allowed")
            }
            Self::NullableChanged { column, nullable: false } => {
                write!(formatter, "~ {column}: no nulls")
            }
            Self::OptionalChanged { column, optional: true } => {
                write!(formatter, "~ {column}: may be missing")
            }
            Self::OptionalChanged { column, optional: false } => {
                write!(formatter, "~ {column}: must be there")
            }
            Self::ExtraColumnsChanged { extra_columns: Permission::Allow } => {
                formatter.write_str("~ other columns are allowed")
            }
            Self::ExtraColumnsChanged { extra_columns: Permission::Forbid } => {
                formatter.write_str("~ other columns are forbidden")
            }
            Self::MinRowsChanged { before, after } => {
                write!(formatter, "~ rows: at least {before} -> at least {after}")
            }
            Self::SettingChanged { key, before, after } => match (before, after) {
                (Some(before), Some(after)) => write!(formatter, "~ {key}: {before} -> {after}"),
                (None, Some(after)) => write!(formatter, "+ {key}: {after}"),
                (before, None) => write!(formatter, "- {key}: {}", before.as_deref().unwrap_or_default()),
            },
            Self::FilesAdded { glob, contract } => write!(formatter, "+ {glob}: {contract}"),
            Self::FilesRemoved { glob } => write!(formatter, "- {glob}"),
            Self::InFiles { glob, difference } => {
                let line = difference.to_string();
                let (sign, rest) = line.split_at(2);
                write!(formatter, "{sign}{glob}: {rest}")
            }
        }
    }
}

/// The type, and what is not as by default.
impl fmt::Display for ColumnContract {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.data_type)?;
        if !self.nullable {
            formatter.write_str(", no nulls")?;
        }
        if self.optional {
            formatter.write_str(", may be missing")?;
        }
        let inner = |formatter: &mut fmt::Formatter<'_>, name: &str, inner: &Self| {
            if *inner == Self::new(inner.data_type.clone()) {
                write!(formatter, "{name} {inner}")
            } else {
                write!(formatter, "{name} ({inner})")
            }
        };
        for (place, (name, field)) in self.fields.iter().enumerate() {
            formatter.write_str(if place == 0 { ", with " } else { " and " })?;
            inner(formatter, &format!("`{name}`"), field)?;
        }
        if let Some(items) = &self.items {
            inner(formatter, ", each", items)?;
        }
        if let Some(values) = &self.map_values {
            inner(formatter, ", each", values)?;
        }
        for (key, value) in self.constraints.entries() {
            match value {
                crate::JobValue::Bool(true) => write!(formatter, ", {key}")?,
                value => write!(formatter, ", {key} {value}")?,
            }
        }
        Ok(())
    }
}

/// What is asked of files.
impl fmt::Display for FileContract {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Present => "must be there",
            Self::Optional => "may be there",
            Self::Table(_) => "a table",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TypeWord;

    fn contract(columns: &[(&str, TypeWord, bool, bool)]) -> TableContract {
        let column = |(name, data_type, nullable, optional): &(&str, TypeWord, bool, bool)| {
            (
                (*name).to_owned(),
                ColumnContract {
                    nullable: *nullable,
                    optional: *optional,
                    ..ColumnContract::new(*data_type)
                },
            )
        };
        TableContract { columns: columns.iter().map(column).collect(), ..TableContract::default() }
    }

    #[track_caller]
    fn check(before: Option<&TableContract>, after: &TableContract, expected: &[&str]) {
        let (before, after) = (before.cloned().map(DataContract::from), DataContract::from(after.clone()));
        let lines: Vec<String> =
            contract_differences(before.as_ref(), &after).iter().map(ToString::to_string).collect();
        assert_eq!(lines, expected);
        assert_eq!(lines.is_empty(), before.unwrap_or(TableContract::default().into()) == after);
    }

    #[test]
    fn everything_that_changes_is_told_and_nothing_else() {
        use TypeWord::{Float, Integer, Text};
        let before =
            contract(&[("a", Integer, true, false), ("b", Text, false, true), ("c", Text, true, false)]);
        let mut after =
            contract(&[("b", Text, true, false), ("a", Float, false, true), ("d", Float, false, true)]);
        check(Some(&before), &before, &[]);
        check(None, &before, &["+ a: integer", "+ b: text, no nulls, may be missing", "+ c: text"]);
        check(None, &TableContract::default(), &[]);
        let told = [
            "~ b: nulls are allowed",
            "~ b: must be there",
            "~ a: integer -> float",
            "~ a: no nulls",
            "~ a: may be missing",
            "+ d: float, no nulls, may be missing",
            "- c: text",
        ];
        check(Some(&before), &after, &told);
        after = TableContract { min_rows: Some(0), extra_columns: Permission::Forbid, ..before.clone() };
        check(Some(&before), &after, &["~ other columns are forbidden", "~ rows: at least 1 -> at least 0"]);
        check(Some(&after), &before, &["~ other columns are allowed", "~ rows: at least 0 -> at least 1"]);
    }

    #[test]
    fn settings_files_and_what_is_within_are_told() {
        let contract = |text: &str| text.parse::<DataContract>().unwrap();
        let told = |before: &DataContract, after: &DataContract| {
            let differences = contract_differences(Some(before), after);
            differences.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let before = contract(
            r#"{"columns": {"a": {"type": "struct", "fields": {"x": "integer"}}, "b": {"type": "list", "items": "text"}}}"#,
        );
        let after = contract(
            r#"{"columns": {"a": {"type": "struct", "fields": {"x": "float", "y": "text"}}, "b": {"type": "list"},
                "c": {"type": "map", "values": {"type": "float", "nullable": false}}},
                "max_rows": 3, "unique": ["a", "b"], "null_values": ["-"]}"#,
        );
        assert_eq!(
            told(&before, &after),
            [
                "~ a.x: integer -> float",
                "+ a.y: text",
                "- b[]: text",
                "+ c: map, each (float, no nulls)",
                "+ max_rows: 3",
                "+ unique: [[\"a\",\"b\"]]",
                "+ null_values: [\"-\"]",
            ]
        );
        let limits =
            |limits: &str| contract(&format!(r#"{{"columns": {{"a": {{"type": "integer", {limits}}}}}}}"#));
        assert_eq!(
            told(&limits(r#""minimum": 0, "unique": true"#), &limits(r#""minimum": 1, "values": [1, 2]"#)),
            ["~ a.minimum: 0 -> 1", "- a.unique: true", "+ a.values: [1,2]"]
        );
        let files = contract(r#"{"files": {"*.csv": {"columns": {"a": "text"}}, "m.bst": "present"}}"#);
        let changed = contract(
            r#"{"files": {"*.csv": {"columns": {"a": "date"}}, "n": "optional"}, "extra_files": "forbid"}"#,
        );
        assert_eq!(
            told(&files, &changed),
            [
                "~ *.csv: a: text -> date",
                "+ n: may be there",
                "- m.bst",
                "~ extra_files: \"allow\" -> \"forbid\""
            ]
        );
        assert_eq!(told(&before, &files)[2..], ["+ *.csv: a: text", "+ m.bst: must be there"]);
    }
}
