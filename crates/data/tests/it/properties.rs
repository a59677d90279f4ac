//! What holds for every table, of any types and values.

use proptest::prelude::*;
use runtime_testing_data::arrow::array::RecordBatch;
use runtime_testing_data::arrow::compute::concat_batches;
use runtime_testing_data::proptest1::{record_batches, schemas};
use runtime_testing_data::{
    Expected, WriteTableError, compare, digest_path, profile_path, read_batches, write_batches,
};
use runtime_testing_models::proptest1::contracts;
use runtime_testing_models::{DataProfile, Difference, DigestOptions, RowOrder, TableContract, TypeWord};

use crate::folder::Folder;

fn any_batch() -> impl Strategy<Value = RecordBatch> {
    schemas().prop_flat_map(|schema| record_batches(schema, 0..6))
}

/// The rows in batches of a few each, as a table in a file; none where the format does not hold them.
fn write(folder: &Folder, name: &str, batch: &RecordBatch, rows: usize) -> Result<bool, TestCaseError> {
    let starts = (0..batch.num_rows()).step_by(rows);
    let slices = starts.map(|start| Ok(batch.slice(start, rows.min(batch.num_rows() - start))));
    match write_batches(&folder.path().join(name), batch.schema_ref(), slices) {
        Ok(()) => Ok(true),
        Err(WriteTableError::TypeNotHeld { .. } | WriteTableError::Encode { .. }) => Ok(false),
        Err(error) => Err(TestCaseError::fail(format!("{error:?}"))),
    }
}

fn binary_formats() -> &'static [&'static str] {
    if cfg!(feature = "parquet") { &["arrow", "arrows", "parquet"] } else { &["arrow", "arrows"] }
}

fn profile_of(folder: &Folder, name: &str) -> DataProfile {
    profile_path(&folder.path().join(name)).expect("what was just written")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_batch_is_read_as_it_was_written(batch in any_batch(), rows in 1..4_usize) {
        let folder = Folder::new();
        for format in binary_formats() {
            let name = format!("a.{format}");
            // Without columns Parquet has no rows either.
            if batch.num_columns() == 0 {
                continue;
            }
            prop_assert!(write(&folder, &name, &batch, rows)?, "{} holds every type", format);
            let read = read_batches(&folder.path().join(&name)).expect("what was just written");
            let schema = read.schema();
            let read: Vec<RecordBatch> = read.collect::<Result<_, _>>().expect("what was just written");
            let read = concat_batches(&schema, &read).expect("batches of one schema");
            prop_assert_eq!(&read, &batch, "{}", format);
        }
    }

    #[test]
    fn a_digest_is_the_same_in_every_binary_format(batch in any_batch(), rows in 1..4_usize) {
        prop_assume!(batch.num_columns() > 0);
        let folder = Folder::new();
        for row_order in [RowOrder::Ordered, RowOrder::Ignored] {
            let options = DigestOptions { row_order, ..DigestOptions::default() };
            let digests = binary_formats().iter().map(|format| {
                let name = format!("a.{format}");
                prop_assert!(write(&folder, &name, &batch, rows)?);
                Ok(digest_path(&folder.path().join(&name), &options).expect("what was just written"))
            });
            let digests = digests.collect::<Result<Vec<_>, TestCaseError>>()?;
            prop_assert!(digests.iter().all(|digest| *digest == digests[0]), "{:?}", digests);
        }
    }

    #[test]
    fn data_in_every_format_is_identical_with_itself(batch in any_batch(), rows in 1..4_usize) {
        let folder = Folder::new();
        for format in ["csv", "tsv", "json", "ndjson"].iter().chain(binary_formats()) {
            let name = format!("a.{format}");
            if write(&folder, &name, &batch, rows)? {
                let profile = profile_of(&folder, &name);
                prop_assert_eq!(compare(&Expected::Inferred(&profile), &profile), &[], "{}", format);
            }
        }
        let profile = profile_path(folder.path()).expect("a folder");
        prop_assert_eq!(compare(&Expected::Inferred(&profile), &profile), &[]);
    }

    /// A column that is taken away, or added, is one difference, and the others stay as they are.
    #[test]
    fn each_column_is_compared_by_itself(batch in any_batch(), at in any::<prop::sample::Index>()) {
        prop_assume!(batch.num_columns() > 1 && batch.num_rows() > 0);
        let folder = Folder::new();
        write(&folder, "a.arrow", &batch, 8)?;
        let whole = profile_of(&folder, "a.arrow");
        let mut part = whole.clone();
        let removed = part.files[0].schema.as_mut().expect("a table").columns.remove(at.index(batch.num_columns()));
        let kinds = |expected: &DataProfile, found: &DataProfile| {
            let differences = compare(&Expected::Inferred(expected), found);
            differences.into_iter().map(|told| told.difference).collect::<Vec<_>>()
        };
        let missing = Difference::MissingColumn {
            column: removed.name.clone(),
            expected: removed.data_type.clone(),
            renamed: None,
        };
        prop_assert_eq!(kinds(&whole, &part), vec![missing]);
        let extra = Difference::ExtraColumn { column: removed.name, found: removed.data_type };
        prop_assert_eq!(kinds(&part, &whole), vec![extra]);
    }

    /// What a contract finds in a folder is what it finds in each of the files. The number of rows alone is told for all.
    #[test]
    fn a_folder_differs_as_its_files_do(batches in prop::collection::vec(any_batch(), 1..4), contract in contracts()) {
        let folder = Folder::new();
        for (place, batch) in batches.iter().enumerate() {
            write(&folder, &format!("{place}.arrow"), batch, 8)?;
        }
        let contract = with_columns_of(contract, &batches[0]);
        let expected = Expected::Contract(&contract);
        let profile = profile_path(folder.path()).expect("a folder");
        let is_of_rows = |difference: &Difference| matches!(difference, Difference::NoRows | Difference::TooFewRows { .. });
        let of = |profile: &DataProfile| {
            let told = compare(&expected, profile).into_iter();
            told.filter(|told| !is_of_rows(&told.difference)).collect::<Vec<_>>()
        };
        let alone = profile.files.iter().flat_map(|file| of(&DataProfile { is_folder: false, files: vec![file.clone()] }));
        prop_assert_eq!(of(&profile), alone.collect::<Vec<_>>());
    }
}

/// The contract with the columns that are there too, which are to be integers in turn.
fn with_columns_of(mut contract: TableContract, batch: &RecordBatch) -> TableContract {
    for (field, word) in batch.schema().fields().iter().zip([TypeWord::Integer, TypeWord::Any].iter().cycle())
    {
        contract = contract.with_column(field.name(), *word);
    }
    contract
}
