//! Nulls of Arrow IPC that no header counts as the column's: values of dictionaries, of runs, and of unions.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::Utf8Path;
use proptest::prelude::*;
use runtime_testing_data::arrow::array::*;
use runtime_testing_data::arrow::buffer::ScalarBuffer;
use runtime_testing_data::arrow::compute::cast;
use runtime_testing_data::arrow::datatypes::*;
use runtime_testing_data::arrow::ipc::writer::{
    DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter,
};
use runtime_testing_data::{
    DataError, ProfileOptions, digest_path, profile_file, profile_file_with, read_batches, schema_of,
    write_batches,
};
use runtime_testing_models::{Digest, DigestOptions};

use crate::folder::Folder;

const FORMATS: [&str; 2] = ["a.arrow", "a.arrows"];

/// Keys of texts, of which one is a null.
fn dictionary(keys: Vec<Option<i32>>, values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(DictionaryArray::new(Int32Array::from(keys), Arc::new(StringArray::from(values))))
}

/// The same values in one run each.
fn runs(values: &ArrayRef) -> ArrayRef {
    let ends: Int32Array = (1..).take(values.len()).collect();
    Arc::new(RunArray::try_new(&ends, values).expect("as many ends as values"))
}

/// The same values, in turn of one kind and another.
fn union(values: &ArrayRef, mode: UnionMode) -> ArrayRef {
    let kind = |name| Field::new(name, values.data_type().clone(), true);
    let kinds = UnionFields::try_new([0, 3], [kind("one"), kind("other")]).expect("two kinds");
    let ids: ScalarBuffer<i8> = (0..values.len()).map(|row| if row % 2 == 0 { 0 } else { 3 }).collect();
    let offsets = (mode == UnionMode::Dense).then(|| (0..).take(values.len()).collect());
    let children = vec![Arc::clone(values), Arc::clone(values)];
    Arc::new(UnionArray::try_new(kinds, ids, offsets, children).expect("a value of each kind for each row"))
}

/// Every layout of texts in which a null may be one among the values.
fn layouts(dictionary: &ArrayRef) -> Vec<ArrayRef> {
    let plain = cast(dictionary, &DataType::Utf8).expect("a dictionary of texts");
    let wrapped = |values: &ArrayRef| {
        vec![runs(values), union(values, UnionMode::Sparse), union(values, UnionMode::Dense)]
    };
    let mut all = vec![Arc::clone(dictionary)];
    all.extend(wrapped(&plain));
    all.extend(wrapped(dictionary));
    all.push(union(&runs(&plain), UnionMode::Sparse));
    all
}

/// Writes a column in batches of so many rows.
fn write(path: &Utf8Path, column: &ArrayRef, rows: usize) {
    let batch =
        RecordBatch::try_from_iter_with_nullable([("a", Arc::clone(column), true)]).expect("a column");
    let starts = (0..batch.num_rows()).step_by(rows);
    let slices = starts.map(|start| Ok(batch.slice(start, rows.min(batch.num_rows() - start))));
    write_batches(path, batch.schema_ref(), slices).expect("a table that can be written");
}

fn nulls_of(path: &Utf8Path) -> Vec<Option<u64>> {
    let profile = profile_file(path).expect("a file that can be read");
    assert_eq!(profile.findings, &[]);
    profile.schema.expect("a table").columns.into_iter().map(|column| column.nulls).collect()
}

fn digest(path: &Utf8Path) -> Digest {
    digest_path(path, &DigestOptions::default()).expect("a digest")
}

/// The nulls among the rows themselves.
fn nulls_read(path: &Utf8Path) -> Vec<Option<u64>> {
    let batches = read_batches(path).expect("a table");
    let mut nulls = vec![0; batches.schema().fields().len()];
    for batch in batches {
        for (nulls, column) in nulls.iter_mut().zip(batch.expect("a batch").columns()) {
            *nulls += column.logical_null_count() as u64;
        }
    }
    nulls.into_iter().map(Some).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the layout, a column has the nulls and the digest of plain text.
    #[test]
    fn every_layout_has_the_nulls_of_plain_text(
        keys in prop::collection::vec(prop::option::weighted(0.8, 0..4_i32), 0..8),
        values in prop::array::uniform4(prop::option::of(prop::sample::select(&["", "a", "b"]))),
        rows in 1..4_usize,
    ) {
        let folder = Folder::new();
        let dictionary = dictionary(keys, values.to_vec());
        let plain = cast(&dictionary, &DataType::Utf8).expect("a dictionary of texts");
        for name in FORMATS {
            let path = folder.path().join(name);
            write(&path, &plain, rows);
            let (nulls, expected) = (plain.null_count() as u64, digest(&path));
            for layout in layouts(&dictionary) {
                write(&path, &layout, rows);
                prop_assert_eq!(nulls_of(&path), vec![Some(nulls)], "{}", layout.data_type());
                prop_assert_eq!(digest(&path), expected, "{}", layout.data_type());
            }
        }
    }
}

/// Columns of three rows: one whose values are no nulls, one whose values are, and a struct of it.
fn three_columns() -> RecordBatch {
    let without = dictionary(vec![Some(0), None, Some(1)], vec![Some("text of the first"), Some("b")]);
    let with = dictionary(vec![Some(0), None, Some(1)], vec![Some("text of the second"), None]);
    let field = Arc::new(Field::new("x", with.data_type().clone(), true));
    let structs = StructArray::from(vec![(field, Arc::clone(&with))]);
    RecordBatch::try_from_iter_with_nullable([
        ("without", without, true),
        ("with", with, true),
        ("struct", Arc::new(structs), true),
    ])
    .expect("columns of one length")
}

/// Makes the text of a dictionary one that no decoder takes.
fn spoil(path: &Utf8Path, text: &str) {
    let mut bytes = std::fs::read(path).expect("a file");
    let place = bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect("the text");
    bytes[place] = 0xff;
    std::fs::write(path, bytes).expect("a file that can be written");
}

#[test]
fn columns_are_read_only_where_headers_do_not_tell() {
    let folder = Folder::new();
    let batch = three_columns();
    for name in FORMATS {
        let path = folder.path().join(name);
        write_batches(&path, batch.schema_ref(), [Ok(batch.clone()), Ok(batch.clone())]).unwrap();
        assert_eq!(nulls_of(&path), [Some(2), Some(4), Some(0)]);
        assert_eq!(nulls_read(&path), [Some(2), Some(4), Some(0)]);
        spoil(&path, "text of the second");
        assert_eq!(nulls_of(&path), [Some(2), None, Some(0)], "the schema and the others are known");
        assert!(schema_of(&path).is_ok());

        let plain = batch.project(&[0]).unwrap();
        write_batches(&path, plain.schema_ref(), [Ok(plain.clone())]).unwrap();
        spoil(&path, "text of the first");
        assert_eq!(nulls_of(&path), [Some(1)], "nothing but headers is read");
        assert!(read_batches(&path).unwrap().any(|batch| batch.is_err()));
    }
}

#[test]
fn runs_and_unions_without_nulls_are_not_read() {
    let texts = Arc::new(StringArray::from(vec!["text of a run", "b"])) as ArrayRef;
    let folder = Folder::new();
    for column in [runs(&texts), union(&texts, UnionMode::Sparse), union(&texts, UnionMode::Dense)] {
        for name in FORMATS {
            let path = folder.path().join(name);
            write(&path, &column, 2);
            spoil(&path, "text of a run");
            assert_eq!(nulls_of(&path), [Some(0)]);
        }
    }
}

/// Batches whose dictionaries follow each other: one that is replaced, or one that grows.
fn check_dictionaries_that_change(name: &str, handling: DictionaryHandling, parts: &[ArrayRef]) {
    let folder = Folder::new();
    let path = folder.path().join(name);
    let batch = |column: &ArrayRef| {
        RecordBatch::try_from_iter_with_nullable([("a", Arc::clone(column), true)]).expect("a column")
    };
    let (schema, options) =
        (batch(&parts[0]).schema(), IpcWriteOptions::default().with_dictionary_handling(handling));
    let file = File::create(&path).expect("a file");
    let batches = parts.iter().map(batch);
    if name.ends_with(".arrows") {
        write_all(StreamWriter::try_new_with_options(file, &schema, options).expect("a stream"), batches);
    } else {
        write_all(FileWriter::try_new_with_options(file, &schema, options).expect("a file"), batches);
    }
    let nulls: usize = parts.iter().map(|part| part.logical_null_count()).sum();
    assert_eq!(nulls_of(&path), [Some(nulls as u64)], "{name}, {handling:?}");

    let plain = parts.iter().map(|part| {
        let column = cast(part, &DataType::Utf8).expect("a dictionary of texts");
        Ok(batch(&column))
    });
    let plain: Vec<_> = plain.collect();
    let plain_path = folder.path().join("plain.arrow");
    let schema = plain[0].as_ref().map(RecordBatch::schema).expect("a batch");
    write_batches(&plain_path, &schema, plain).expect("a table that can be written");
    assert_eq!(digest(&path), digest(&plain_path), "{name}, {handling:?}");
}

fn write_all(mut writer: impl RecordBatchWriter, batches: impl Iterator<Item = RecordBatch>) {
    batches.for_each(|batch| writer.write(&batch).expect("a batch"));
    writer.close().expect("an end");
}

#[test]
fn dictionaries_may_be_replaced_and_grow() {
    let keys = || vec![Some(1), Some(0), None, Some(1)];
    let with_null = dictionary(keys(), vec![Some("a"), None]);
    let without = dictionary(keys(), vec![Some("b"), Some("c")]);
    let grown = dictionary(vec![Some(2), Some(0), Some(2)], vec![Some("b"), Some("c"), None]);
    for parts in [[&with_null, &without], [&without, &with_null], [&without, &without]] {
        let parts = parts.map(Arc::clone);
        check_dictionaries_that_change("a.arrows", DictionaryHandling::Resend, &parts);
    }
    for name in FORMATS {
        let parts = [Arc::clone(&without), Arc::clone(&grown), Arc::clone(&grown)];
        check_dictionaries_that_change(name, DictionaryHandling::Delta, &parts);
    }
}

#[test]
fn counting_can_be_given_up() {
    let folder = Folder::new();
    let batch = three_columns();
    for name in FORMATS {
        let path = folder.path().join(name);
        write_batches(&path, batch.schema_ref(), vec![batch.clone(); 9].into_iter().map(Ok)).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let options = {
            let asked = Arc::clone(&asked);
            ProfileOptions::default().with_cancel(move || asked.fetch_add(1, Ordering::Relaxed) >= 3)
        };
        let profile = profile_file_with(&path, &options);
        assert!(matches!(profile, Err(DataError::Canceled { .. })));
        assert_eq!(asked.load(Ordering::Relaxed), 5, "once before, at every batch, and once behind");
    }
}
