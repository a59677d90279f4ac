use camino::Utf8Path;
use proptest::prelude::*;
use runtime_testing_data::arrow::array::{Array, RecordBatch};
use runtime_testing_data::arrow::datatypes::Schema;
use runtime_testing_data::{SampleData, profile_file, read_batches, schema_of};
use runtime_testing_models::{FileFormat, FileProfile, TableContract, TypeWord};

use crate::folder::Folder;

const EXTENSIONS: [&str; 18] = [
    "",
    ".csv",
    ".csv.gz",
    ".json.zst",
    ".ndjson.gz",
    ".tsv",
    ".tab",
    ".json",
    ".ndjson",
    ".jsonl",
    ".parquet",
    ".pq",
    ".arrow",
    ".feather",
    ".ipc",
    ".arrows",
    ".pkl",
    ".gz",
];

/// Profiles bytes under every name. Whatever they are, that is no error and no panic.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let folder = Folder::new();
    for extension in EXTENSIONS {
        let path = folder.write(&format!("a{extension}"), bytes);
        let profile = profile_file(&path);
        prop_assert!(profile.is_ok(), "{extension}: {:?}", profile);
        let profile = profile.expect("it was just looked at");
        prop_assert_eq!(profile.bytes, bytes.len() as u64);
        let is_table = profile.findings.is_empty() && profile.schema.is_some();
        prop_assert!(schema_of(&path).is_err() || is_table);
        if let Ok(schema) = schema_of(&path) {
            check_batches(&path, &schema, &profile)?;
        }
    }
    Ok(())
}

/// Reads a table whose schema is known. What is in a text is known of all rows, so nothing can go wrong any more. The
/// nulls of a Parquet file are what its footer says, which the damage to a page does not change.
fn check_batches(path: &Utf8Path, schema: &Schema, profile: &FileProfile) -> Result<(), TestCaseError> {
    let batches = read_batches(path).expect("a table");
    prop_assert_eq!(&*batches.schema(), schema);
    let batches: Result<Vec<RecordBatch>, _> = batches.collect();
    let Ok(batches) = batches else {
        let is_binary =
            matches!(profile.format, FileFormat::Parquet | FileFormat::ArrowIpc | FileFormat::ArrowStream);
        prop_assert!(is_binary, "{:?}", batches);
        return Ok(());
    };
    let table = profile.schema.as_ref().expect("a table");
    prop_assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>() as u64, table.rows);
    if profile.format == FileFormat::Parquet {
        return Ok(());
    }
    for (place, column) in table.columns.iter().enumerate() {
        let nulls: usize = batches.iter().map(|batch| batch.column(place).logical_null_count()).sum();
        prop_assert!(column.nulls.is_none_or(|expected| expected == nulls as u64), "{}", column.name);
    }
    Ok(())
}

/// A table with a column of every kind, in a binary format.
fn good_file(extension: &str) -> Vec<u8> {
    let contract = TypeWord::ALL
        .into_iter()
        .fold(TableContract::default(), |contract, word| contract.with_column(word.as_str(), word));
    let folder = Folder::new();
    let path = folder.path().join(format!("a.{extension}"));
    SampleData::from_contract(&contract).write(&path).expect("sample data can be written");
    std::fs::read(path).expect("what was just written")
}

/// Changes bytes of a file, counted from its end or start, and cuts it off.
fn damaged(good: &[u8], changes: &[(bool, usize, u8)], cut: usize) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for (from_end, place, byte) in changes {
        let place = place % good.len();
        bytes[if *from_end { good.len() - 1 - place } else { place }] = *byte;
    }
    bytes.truncate(good.len() - cut % good.len());
    bytes
}

fn any_changes() -> impl Strategy<Value = (Vec<(bool, usize, u8)>, usize)> {
    let changes = prop::collection::vec((any::<bool>(), 0..3000_usize, any::<u8>()), 0..6);
    (changes, prop_oneof![4 => Just(0), 1 => any::<usize>()])
}

proptest! {
    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        check(&bytes)?;
    }

    #[test]
    fn any_bytes_behind_a_mark(mark in prop::sample::select(&["PAR1", "ARROW1\0\0", "FEA1", "[", "{\"a\": "]), bytes: Vec<u8>) {
        check(&[mark.as_bytes(), &bytes].concat())?;
        check(&[mark.as_bytes(), &bytes, mark.trim_end_matches('\0').as_bytes()].concat())?;
    }

    #[test]
    fn any_text(text in "[a-c0-9\"',;\\[\\]{}:.\n\r\t -]{0,60}") {
        check(text.as_bytes())?;
    }

    #[test]
    fn damaged_arrow_files((changes, cut) in any_changes()) {
        check(&damaged(&good_file("arrow"), &changes, cut))?;
    }

    #[test]
    fn damaged_arrow_streams((changes, cut) in any_changes()) {
        check(&damaged(&good_file("arrows"), &changes, cut))?;
    }
}

#[cfg(feature = "parquet")]
proptest! {
    #[test]
    fn damaged_parquet_files((changes, cut) in any_changes()) {
        check(&damaged(&good_file("parquet"), &changes, cut))?;
    }
}
