//! What data differs in from what is expected of it. Every rule is a function of its own that returns differences, and
//! "identical" is nothing but an empty list of them.

mod contract;
mod file;
mod fit;
mod rename;
mod rows;
mod sample;
mod table;
#[cfg(test)]
mod testing;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{DataProfile, Difference, TableContract};

/// What is expected of data.
#[derive(Debug, Clone, Copy)]
pub enum Expected<'a> {
    /// What a person wrote: types are strict, but for a safe promotion.
    Contract(&'a TableContract),
    /// The consumer's own data. It is a sample, so integers and floats may stand for each other.
    Inferred(&'a DataProfile),
    /// Nothing but that the data can be read and that tables have rows.
    Nothing,
}

/// One way in which a file differs from what is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDifference {
    /// The file: its path in the profile of what was found, or, for one that is missing, of what is expected.
    pub file: Utf8PathBuf,
    /// How it differs.
    pub difference: Difference,
}

/// Compares data with what is expected of it. Nothing is the same as identical; what breaks and what is only worth a
/// note comes in one list, file by file. Data without files yields nothing: that it is missing is for the caller to say.
///
/// A contract holds for every table of a folder. A sample holds file by file, by their paths; a single file is compared
/// with a single file whatever their names. Files of one table in several parts may come in any number under any names.
///
/// ```
/// use runtime_testing_data::{Expected, compare};
/// use runtime_testing_models::{
///     Column, DataProfile, FileFormat, FileProfile, TableContract, TableSchema, TypeWord,
/// };
///
/// let schema = TableSchema { columns: vec![Column::new("amount", "text")], rows: 3 };
/// let found = DataProfile {
///     is_folder: false,
///     files: vec![FileProfile {
///         path: "orders.csv".into(),
///         format: FileFormat::Csv,
///         bytes: 40,
///         schema: Some(schema),
///         findings: Vec::new(),
///     }],
/// };
/// let contract = TableContract::default().with_column("amount", TypeWord::Float);
///
/// let differences = compare(&Expected::Contract(&contract), &found);
/// assert_eq!(differences[0].difference.to_string(), "column `amount`: expected float, found text");
/// assert!(compare(&Expected::Inferred(&found), &found).is_empty());
/// ```
pub fn compare(expected: &Expected<'_>, found: &DataProfile) -> Vec<FileDifference> {
    let mut list = Differences::default();
    match expected {
        Expected::Contract(contract) => contract::compare(contract, found, &mut list),
        Expected::Inferred(sample) if !sample.is_empty() => sample::compare(sample, found, &mut list),
        Expected::Inferred(_) | Expected::Nothing => compare_with_nothing(found, &mut list),
    }
    list.0.sort_by(|one, other| one.file.as_str().cmp(other.file.as_str()));
    list.0
}

/// The differences of all files. Those of one file come in the order of the rules.
#[derive(Debug, Default)]
struct Differences(Vec<FileDifference>);

impl Differences {
    fn add(&mut self, file: &Utf8Path, differences: impl IntoIterator<Item = Difference>) {
        let of_file = |difference| FileDifference { file: file.to_owned(), difference };
        self.0.extend(differences.into_iter().map(of_file));
    }
}

fn compare_with_nothing(found: &DataProfile, list: &mut Differences) {
    let (tables, all_sound) = file::sound_tables(found, list);
    if all_sound {
        rows::at_least(None, &tables, list);
    }
}
