//! What data differs in from what is expected of it. Every rule is a function of its own that returns differences, and
//! "identical" is nothing but an empty list of them.

mod contract;
mod counterpart;
mod file;
mod nested;
mod rename;
mod sample;
mod table;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use contract::{files_of, is_more_than_share, is_within, share_of};

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{DataContract, DataProfile, Difference, FileProfile};
use serde::Serialize;

use crate::tables::tables;

/// What is expected of data.
#[derive(Debug, Clone, Copy)]
pub enum Expected<'a> {
    /// What a person wrote: types are strict, but for a safe promotion.
    Contract(&'a DataContract),
    /// The consumer's own data. It is a sample, so integers and floats may stand for each other.
    Inferred(&'a DataProfile),
    /// Both. The contract decides what it speaks of: columns, their types and nulls, and the rows, if it says how many there
    /// are. The sample decides the rest: which files there are, of which formats, which of them have rows, and the delimiter.
    Both {
        /// What a person wrote.
        contract: &'a DataContract,
        /// The consumer's own data.
        sample: &'a DataProfile,
    },
    /// Nothing but that the data can be read and that tables have rows.
    Nothing,
}

/// One way in which a file differs from what is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileDifference {
    /// The file: its path in the profile of what was found, or, for one that is missing, of what is expected.
    pub file: Utf8PathBuf,
    /// How it differs.
    pub difference: Difference,
}

/// Compares data with what is expected of it. Nothing is the same as identical; what breaks and what is only worth a
/// note comes in one list, file by file. A table that cannot be compared, because the sample shows nothing of it, is noted
/// as [`Difference::NotCompared`]. Of files that are no tables, only the formats are compared: [`without_table`] names
/// them. Data without files yields nothing: that it is missing is for the caller to say.
///
/// A contract holds for every table of a folder. A sample holds file by file, by their paths; a single file is compared
/// with a single file whatever their names. Files of one table in several parts may come in any number under any names, and
/// in text formats they are one table in their types, too: digits in one part of CSV are text where another has letters.
/// Files have the same columns if they have the same names of columns. In JSON, where a key without a value is often left
/// out, numbered parts (`part-0.json`, `part-1.json`, `year=2024/0.json`) have the columns of all of them: one that a part
/// lacks is all nulls there.
///
/// Against a sample, what differs within structs, lists and maps is told by its path, as [`Difference`] has it.
///
/// What a missing column may be called now is a guess by names and types: profiles hold no values.
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
///         compression: None,
///         promised: None,
///         delimiter: None,
///         byte_order_mark: false,
///         one_line: false,
///         partition_columns: Vec::new(),
///         bytes: 40,
///         schema: Some(schema),
///         findings: Vec::new(),
///     }],
/// };
/// let contract = TableContract::default().with_column("amount", TypeWord::Float).into();
///
/// let differences = compare(&Expected::Contract(&contract), &found);
/// assert_eq!(differences[0].difference.to_string(), "column `amount`: expected float, found text");
/// assert!(compare(&Expected::Inferred(&found), &found).is_empty());
/// ```
pub fn compare(expected: &Expected<'_>, found: &DataProfile) -> Vec<FileDifference> {
    let mut list = Differences::default();
    match expected {
        _ if found.is_empty() => {}
        Expected::Contract(contract) => contract::compare(contract, found, false, &mut list),
        Expected::Inferred(sample) if !sample.is_empty() => sample::compare(sample, found, &mut list),
        Expected::Both { contract, sample } => compare_with_both(contract, sample, found, &mut list),
        Expected::Inferred(_) | Expected::Nothing => compare_with_nothing(found, &mut list),
    }
    list.0.sort_by(|one, other| one.file.as_str().cmp(other.file.as_str()));
    list.0
}

/// The files that [`compare`] holds against a sample by their formats alone, because neither is a table: of each pair, the
/// file of the sample comes first.
pub fn without_table<'a>(
    sample: &'a DataProfile,
    found: &'a DataProfile,
) -> Vec<(&'a FileProfile, &'a FileProfile)> {
    let sample = counterpart::Sample::of(sample, Vec::new(), found);
    let pairs = found.files.iter().filter_map(|file| Some((sample.file(file)?, file)));
    let is_no_table = |file: &FileProfile| file.schema.is_none() && file.findings.is_empty();
    pairs.filter(|(expected, file)| is_no_table(expected) && is_no_table(file)).collect()
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

fn compare_with_both(
    contract: &DataContract,
    sample: &DataProfile,
    found: &DataProfile,
    list: &mut Differences,
) {
    contract::compare(contract, found, !sample.is_empty(), list);
    if sample.is_empty() {
        return;
    }
    // What readers have to be told, the sample shows.
    list.0.retain(|told| {
        !matches!(
            told.difference,
            Difference::Delimiter { expected: None, .. } | Difference::ByteOrderMark | Difference::ExtraFile
        )
    });
    let mut of_sample = Differences::default();
    sample::compare(sample, found, &mut of_sample);
    let table = |file: &Utf8Path| contract::table_of(contract, file);
    let is_silent_on = |FileDifference { file, difference }: &FileDifference| match difference {
        Difference::NoRows => {
            // How many rows all files have together says nothing of each.
            table(file).is_none_or(|table| table.min_rows != Some(0) && table.empty_files.is_none())
        }
        Difference::Delimiter { .. } => table(file).is_none_or(|table| table.delimiter.is_none()),
        Difference::MissingFile => matches!(contract, DataContract::Table(_)),
        Difference::ExtraFile | Difference::FormatChanged { .. } | Difference::ByteOrderMark => true,
        _ => false,
    };
    for told in of_sample.0 {
        let has_too_few = |known: &FileDifference| {
            known.file == told.file && matches!(known.difference, Difference::TooFewRows { .. })
        };
        let is_told = told.difference == Difference::NoRows && list.0.iter().any(has_too_few);
        if is_silent_on(&told) && !is_told && !list.0.contains(&told) {
            list.0.push(told);
        }
    }
}

fn compare_with_nothing(found: &DataProfile, list: &mut Differences) {
    if file::add_unsound(found, list) {
        contract::add_rows(None, &tables(found), list);
    }
}

#[cfg(test)]
mod tests {
    use runtime_testing_models::FileFormat;

    use super::Expected::Nothing;
    use super::testing::{check, file, folder, single, table};
    use crate::findings::unreadable;

    #[test]
    fn where_nothing_is_expected_data_must_be_sound() {
        check(&Nothing, &single(table("a.csv", &[("a", "int64")], 1)), &[]);
        check(&Nothing, &single(table("a.csv", &[("a", "null")], 0)), &["! a.csv: there are no rows"]);
        check(&Nothing, &single(file("a.pkl", FileFormat::Opaque, None)), &[]);
        let disguised = file("a.csv", FileFormat::ArrowIpc, None);
        check(&Nothing, &single(disguised), &["! a.csv: the name promises csv, the content is arrow_ipc"]);
        let mut empty = file("a.csv", FileFormat::Csv, None);
        empty.findings = vec![unreadable("the file is empty")];
        check(&Nothing, &single(empty), &["! a.csv: cannot be read: the file is empty"]);
        check(&Nothing, &folder(&[]), &[]);
    }

    #[test]
    fn files_without_a_table_are_named() {
        let opaque = |path| file(path, FileFormat::Opaque, None);
        let mut broken = opaque("c.csv");
        broken.findings = vec![unreadable("the file is empty")];
        let sample =
            folder(&[opaque("a.pkl"), opaque("b.pkl"), broken.clone(), table("d.csv", &[("a", "int64")], 1)]);
        let found = folder(&[opaque("b.pkl"), broken, opaque("d.csv"), opaque("e.pkl")]);
        let pairs = super::without_table(&sample, &found);
        let paths = pairs.iter().map(|(expected, found)| (expected.path.as_str(), found.path.as_str()));
        assert_eq!(paths.collect::<Vec<_>>(), [("b.pkl", "b.pkl")]);
        let (one, other) = (single(opaque("x.pkl")), single(opaque("y.bin")));
        assert_eq!(super::without_table(&one, &other).len(), 1);
    }

    #[test]
    fn parts_without_rows_are_fine_next_to_one_with() {
        let parts = [table("p-0.csv", &[("a", "null")], 0), table("p-1.csv", &[("a", "int64")], 2)];
        check(&Nothing, &folder(&parts), &[]);
        let other = [table("p-0.csv", &[("a", "null")], 0), table("p-1.csv", &[("b", "int64")], 2)];
        check(&Nothing, &folder(&other), &["! p-0.csv: there are no rows"]);
        let blank = [table("p-0.json", &[], 0), table("p-1.json", &[("b", "int64")], 2)];
        check(&Nothing, &folder(&blank), &[]);
    }
}
