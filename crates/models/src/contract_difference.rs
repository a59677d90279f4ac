use std::fmt;

use crate::{ColumnContract, ExtraColumns, TableContract, TypeWord};

/// One way in which a contract differs from the one that is to take its place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContractDifference {
    /// A column is asked for that was not.
    ColumnAdded {
        /// The column.
        column: String,
        /// What is asked of it.
        contract: ColumnContract,
    },
    /// A column is no longer asked for.
    ColumnRemoved {
        /// The column.
        column: String,
        /// What was asked of it.
        contract: ColumnContract,
    },
    /// A column is to have another type.
    TypeChanged {
        /// The column.
        column: String,
        /// The type it was to have.
        before: TypeWord,
        /// The type it is to have.
        after: TypeWord,
    },
    /// Nulls are allowed in a column, or no longer.
    NullableChanged {
        /// The column.
        column: String,
        /// Whether they are allowed now.
        nullable: bool,
    },
    /// A column may be missing, or no longer.
    OptionalChanged {
        /// The column.
        column: String,
        /// Whether it may be missing now.
        optional: bool,
    },
    /// Columns that are not named are allowed, or no longer.
    ExtraColumnsChanged {
        /// Whether they are allowed now.
        extra_columns: ExtraColumns,
    },
    /// Another number of rows is asked for.
    MinRowsChanged {
        /// The least number of rows before.
        before: u64,
        /// The least number of rows now.
        after: u64,
    },
}

/// All ways in which `before` differs from `after`; without a contract before, everything is new. Where there are none, the
/// contracts are equal.
///
/// ```
/// use runtime_testing_models::{TableContract, TypeWord, contract_differences};
///
/// let before = TableContract::default().with_column("amount", TypeWord::Integer);
/// let after = TableContract::default().with_column("amount", TypeWord::Float);
/// assert_eq!(contract_differences(Some(&before), &after)[0].to_string(), "~ amount: integer -> float");
/// assert!(contract_differences(Some(&after), &after).is_empty());
/// ```
pub fn contract_differences(
    before: Option<&TableContract>,
    after: &TableContract,
) -> Vec<ContractDifference> {
    let empty = TableContract::default();
    let before = before.unwrap_or(&empty);
    let mut differences = Vec::new();
    for (name, contract) in &after.columns {
        let column = || name.clone();
        let Some(old) = before.columns.get(name) else {
            differences
                .push(ContractDifference::ColumnAdded { column: column(), contract: contract.clone() });
            continue;
        };
        if old.data_type != contract.data_type {
            let (before, after) = (old.data_type, contract.data_type);
            differences.push(ContractDifference::TypeChanged { column: column(), before, after });
        }
        if old.nullable != contract.nullable {
            let nullable = contract.nullable;
            differences.push(ContractDifference::NullableChanged { column: column(), nullable });
        }
        if old.optional != contract.optional {
            let optional = contract.optional;
            differences.push(ContractDifference::OptionalChanged { column: column(), optional });
        }
    }
    for (name, contract) in before.columns.iter().filter(|(name, _)| !after.columns.contains_key(*name)) {
        let (column, contract) = (name.clone(), contract.clone());
        differences.push(ContractDifference::ColumnRemoved { column, contract });
    }
    if before.extra_columns != after.extra_columns {
        differences.push(ContractDifference::ExtraColumnsChanged { extra_columns: after.extra_columns });
    }
    if before.min_rows != after.min_rows {
        // Where nothing is said, a table needs one row.
        let (before, after) = (before.min_rows.unwrap_or(1), after.min_rows.unwrap_or(1));
        differences.push(ContractDifference::MinRowsChanged { before, after });
    }
    differences
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
            Self::ExtraColumnsChanged { extra_columns: ExtraColumns::Allow } => {
                formatter.write_str("~ other columns are allowed")
            }
            Self::ExtraColumnsChanged { extra_columns: ExtraColumns::Forbid } => {
                formatter.write_str("~ other columns are forbidden")
            }
            Self::MinRowsChanged { before, after } => {
                write!(formatter, "~ rows: at least {before} -> at least {after}")
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
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract(columns: &[(&str, TypeWord, bool, bool)]) -> TableContract {
        let column = |(name, data_type, nullable, optional): &(&str, TypeWord, bool, bool)| {
            (
                (*name).to_owned(),
                ColumnContract { data_type: *data_type, nullable: *nullable, optional: *optional },
            )
        };
        TableContract { columns: columns.iter().map(column).collect(), ..TableContract::default() }
    }

    #[track_caller]
    fn check(before: Option<&TableContract>, after: &TableContract, expected: &[&str]) {
        let lines: Vec<String> =
            contract_differences(before, after).iter().map(ToString::to_string).collect();
        assert_eq!(lines, expected);
        assert_eq!(lines.is_empty(), before.unwrap_or(&TableContract::default()) == after);
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
        after = TableContract { min_rows: Some(0), extra_columns: ExtraColumns::Forbid, ..before.clone() };
        check(Some(&before), &after, &["~ other columns are forbidden", "~ rows: at least 1 -> at least 0"]);
        check(Some(&after), &before, &["~ other columns are allowed", "~ rows: at least 0 -> at least 1"]);
    }
}
