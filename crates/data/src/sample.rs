//! Data for steps that have none of their own.

mod builder;
mod from_contract;
mod from_json;
mod values;

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::record_batch::RecordBatch;
use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{FileContract, FilesContract, TableContract};

use crate::write::{WriteTableError, writable_kind, write_batches};

pub use builder::{BuildSampleError, SampleDataBuilder};
pub use from_json::ParseSampleError;

/// The rows of sample data, unless a contract asks for more.
const ROWS: u64 = 5;

/// The most rows that a contract gets.
const MOST_ROWS: u64 = 1_000_000;

/// A small table, the same every time it is made, for a step whose own inputs do not exist.
///
/// ```
/// use runtime_testing_data::{SampleData, profile_file};
///
/// let folder = tempfile::tempdir()?;
/// let path = camino::Utf8PathBuf::try_from(folder.path().join("raw/orders.tsv"))?;
///
/// let written = SampleData::default().write(&path)?;
/// assert_eq!(std::fs::read_to_string(&written)?.lines().next(), Some("feature1\tfeature2\tlabel"));
/// assert_eq!(profile_file(&written)?.schema.expect("a table").rows, 5);
///
/// let sample = SampleData::from_json(r#"{"id": [1, 2], "name": ["a", null]}"#)?;
/// assert_eq!(sample.batch().num_rows(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SampleData {
    batch: RecordBatch,
}

/// `feature1` from 1 to 5, `feature2` from 0.1 to 0.5, and `label`, which is 0 and 1 in turn.
impl Default for SampleData {
    fn default() -> Self {
        Self::features(ROWS, |_| None)
    }
}

impl SampleData {
    /// Data for a `&Schema` of Arrow, nested types included, or for a `&TableContract`: as many rows and nulls as are asked
    /// for.
    pub fn builder(shape: impl Into<SampleDataBuilder>) -> SampleDataBuilder {
        shape.into()
    }

    /// Data that keeps to a contract, optional columns included and without nulls: five rows, or as many as it asks for
    /// up to a million. A contract that names no columns gets those of [`SampleData::default`].
    pub fn from_contract(contract: &TableContract) -> Self {
        Self::builder(contract)
            .build()
            .expect("every word of a contract has values, and the rows are its own")
    }

    /// Writes data that keeps to a contract of files into a folder: for each glob of a table one file, with `0` for its `*` and `?`.
    ///
    /// # Errors
    ///
    /// [`WriteTableError`] where a table cannot be written, and where files must be there that are no tables, or whose glob does
    /// not show a path.
    pub fn write_files(contract: &FilesContract, folder: &Utf8Path) -> Result<(), WriteTableError> {
        for (glob, asked) in &contract.files {
            let refused = |reason: &str| WriteTableError::NoSample {
                path: folder.join(glob),
                reason: reason.to_owned(),
            };
            let table = match asked {
                FileContract::Table(table) => table,
                FileContract::Optional => continue,
                FileContract::Present => return Err(refused("what it holds is not known")),
            };
            let below = glob.replace("**/", "").replace(['*', '?'], "0");
            if below.contains(['[', '{', '\\']) {
                return Err(refused("its glob does not show a path"));
            }
            let path = folder.join(below);
            let parent = path.parent().unwrap_or(folder);
            std::fs::create_dir_all(parent)
                .map_err(|source| WriteTableError::Io { path: parent.to_owned(), source })?;
            Self::from_contract(table).write(&path)?;
        }
        Ok(())
    }

    /// Reads an object of arrays, one for each column: `{"id": [1, 2], "name": ["a", null]}`. Values are booleans,
    /// numbers, strings and nulls, of one kind in a column; integers and floats together are floats.
    ///
    /// # Errors
    ///
    /// [`ParseSampleError`] with everything that is wrong, each with its place.
    pub fn from_json(text: &str) -> Result<Self, ParseSampleError> {
        from_json::read(text)
    }

    /// The data.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Whether data can be written to a path: its extension names a table format that this build can write, or it has
    /// none.
    pub fn can_write(path: &Utf8Path) -> bool {
        path.extension().is_none() || writable_kind(path).is_ok()
    }

    /// Writes the data in the format that the path's extension names. A path without extension is a folder, in which
    /// `data.csv` is written. Folders that are not there are made, and a file that is there is replaced. The path of
    /// the file that was written.
    ///
    /// # Errors
    ///
    /// [`WriteTableError`] where the format cannot be written or cannot hold the data, or the disk refuses.
    pub fn write(&self, path: &Utf8Path) -> Result<Utf8PathBuf, WriteTableError> {
        let path = if path.extension().is_none() { path.join("data.csv") } else { path.to_owned() };
        write_batches(&path, self.batch.schema_ref(), [Ok(self.batch.clone())])?;
        Ok(path)
    }

    /// The default columns, with the nulls that are wanted of each by its place.
    fn features(rows: u64, nulls: impl Fn(usize) -> Option<NullBuffer>) -> Self {
        let numbers = || 1..=i64::try_from(rows).expect("the number of rows is limited");
        let wholes =
            |values: Vec<i64>, place| Arc::new(Int64Array::new(values.into(), nulls(place))) as ArrayRef;
        let tenths: Vec<f64> = numbers().map(|number| number as f64 / 10.0).collect();
        Self::of_columns([
            ("feature1", wholes(numbers().collect(), 0), true),
            ("feature2", Arc::new(Float64Array::new(tenths.into(), nulls(1))), true),
            ("label", wholes(numbers().map(|number| (number - 1) % 2).collect(), 2), true),
        ])
    }

    /// Columns of one length, each with its name and whether it may hold nulls.
    fn of_columns<'a>(columns: impl IntoIterator<Item = (&'a str, ArrayRef, bool)>) -> Self {
        let batch = RecordBatch::try_from_iter_with_nullable(columns);
        Self { batch: batch.expect("the columns have one length, and no nulls where none are allowed") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_that_of_the_original() {
        let sample = SampleData::default();
        let shown = arrow::json::writer::ArrayWriter::new(Vec::new());
        let mut writer = shown;
        writer.write(sample.batch()).unwrap();
        writer.finish().unwrap();
        insta::assert_snapshot!(
            String::from_utf8(writer.into_inner()).unwrap().replace("},{", "},\n{"),
            @r#"
        [{"feature1":1,"feature2":0.1,"label":0},
        {"feature1":2,"feature2":0.2,"label":1},
        {"feature1":3,"feature2":0.3,"label":0},
        {"feature1":4,"feature2":0.4,"label":1},
        {"feature1":5,"feature2":0.5,"label":0}]
        "#
        );
    }

    #[test]
    fn paths_that_can_be_written() {
        for path in ["a.csv", "a/b.TSV", "a.json", "a.jsonl", "a.feather", "a.arrows", "folder", "a/b"] {
            assert!(SampleData::can_write(path.into()), "{path}");
        }
        for path in ["a.pkl", "a.txt", "a.parquet.gz"] {
            assert!(!SampleData::can_write(path.into()), "{path}");
        }
        assert_eq!(SampleData::can_write("a.parquet".into()), cfg!(feature = "parquet"));
        assert_eq!(SampleData::can_write("a.csv.gz".into()), cfg!(feature = "compression"));
    }
}
