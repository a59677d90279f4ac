//! Arrow IPC that is damaged anywhere. Whatever the damage, the decoder does not panic over it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Once};

use camino::Utf8Path;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use runtime_testing_data::arrow::array::*;
use runtime_testing_data::arrow::buffer::ScalarBuffer;
use runtime_testing_data::arrow::compute::cast;
use runtime_testing_data::arrow::datatypes::*;
use runtime_testing_data::arrow::ipc::CompressionType;
use runtime_testing_data::arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use runtime_testing_data::{profile_file, read_batches};

use crate::folder::Folder;

thread_local! {
    /// Where the panics of this thread came from, while they are noted.
    static PANICS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Does something and tells where it panicked, even where the panic was caught. The panics of other threads are told as
/// ever.
fn panics_of(run: impl FnOnce()) -> Vec<String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_noted = PANICS.with_borrow_mut(|noted| match noted {
                Some(noted) => {
                    noted.push(panic.location().map(ToString::to_string).unwrap_or_default());
                    true
                }
                None => false,
            });
            if !is_noted {
                before(panic);
            }
        }));
    });
    PANICS.set(Some(Vec::new()));
    run();
    PANICS.take().expect("panics are noted")
}

/// A column of each kind of layout, with nulls where it may have them.
fn columns() -> Vec<(&'static str, ArrayRef)> {
    let ints = Arc::new(Int64Array::from(vec![Some(3), None, Some(-1), Some(700), Some(5)])) as ArrayRef;
    let texts = Arc::new(StringArray::from(vec![
        Some("a"),
        Some("a text that is no view"),
        None,
        Some("a"),
        Some(""),
    ])) as ArrayRef;
    let mut lists = ListBuilder::new(Int32Builder::new());
    lists.append_value([Some(1), None]);
    lists.append_null();
    lists.append_value([]);
    lists.append_value([Some(2), Some(3), Some(4)]);
    lists.append_value([Some(5)]);
    let lists = lists.finish();
    let pairs = (0..5_i16).map(|row| (row != 2).then(|| vec![Some(row), None]));
    let fixed = FixedSizeListArray::from_iter_primitive::<Int16Type, _, _>(pairs, 2);
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    for row in 0..5 {
        if row % 2 == 0 {
            maps.keys().append_value("key");
            maps.values().append_value(row);
        }
        maps.append(row != 3).expect("each map has as many keys as values");
    }
    let field = |name, data_type| Arc::new(Field::new(name, data_type, true));
    let structs = StructArray::new(
        Fields::from(vec![field("i", DataType::Int64), field("t", DataType::Utf8)]),
        vec![Arc::clone(&ints), Arc::clone(&texts)],
        Some(vec![true, true, false, true, true].into()),
    );
    let kinds = || {
        let kinds = [Field::new("i", DataType::Int64, true), Field::new("t", DataType::Utf8, true)];
        UnionFields::try_new([0, 3], kinds).expect("two kinds")
    };
    let union = |offsets| {
        let ids = ScalarBuffer::from(vec![0_i8, 3, 3, 0, 0]);
        let children = vec![Arc::clone(&ints), Arc::clone(&texts)];
        Arc::new(UnionArray::try_new(kinds(), ids, offsets, children).expect("a union")) as ArrayRef
    };
    let as_type = |array: &ArrayRef, data_type| cast(array, &data_type).expect("a layout of the same values");
    let dictionary = |keys, values| DataType::Dictionary(Box::new(keys), Box::new(values));
    let runs = DataType::RunEndEncoded(
        Arc::new(Field::new("run_ends", DataType::Int32, false)),
        field("values", DataType::Utf8),
    );
    vec![
        ("null", Arc::new(NullArray::new(5))),
        ("boolean", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), None, Some(true)]))),
        ("decimal", as_type(&ints, DataType::Decimal128(10, 2))),
        ("text_view", as_type(&texts, DataType::Utf8View)),
        ("large_text", as_type(&texts, DataType::LargeUtf8)),
        (
            "fixed_binary",
            Arc::new(FixedSizeBinaryArray::try_from_iter([b"abc"; 5].into_iter()).expect("three bytes")),
        ),
        ("list_view", Arc::new(ListViewArray::from(lists.clone()))),
        ("list", Arc::new(lists)),
        ("fixed_list", Arc::new(fixed)),
        ("map", Arc::new(maps.finish())),
        ("struct", Arc::new(structs)),
        ("dictionary", as_type(&texts, dictionary(DataType::Int8, DataType::Utf8))),
        ("dictionary_of_ints", as_type(&ints, dictionary(DataType::UInt32, DataType::Int64))),
        ("runs", as_type(&texts, runs)),
        ("sparse_union", union(None)),
        ("dense_union", union(Some(vec![0, 1, 2, 3, 4].into()))),
        ("int", ints),
        ("text", texts),
    ]
}

/// A file or stream of two batches.
fn written(batch: &RecordBatch, is_file: bool, compression: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(compression).expect("known compressions");
    let mut bytes = Vec::new();
    let parts = [batch.clone(), batch.slice(1, 3)];
    if is_file {
        let mut writer =
            FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options).expect("a writer");
        parts.iter().for_each(|part| writer.write(part).expect("a batch"));
        writer.finish().expect("an end");
    } else {
        let mut writer =
            StreamWriter::try_new_with_options(&mut bytes, &batch.schema(), options).expect("a writer");
        parts.iter().for_each(|part| writer.write(part).expect("a batch"));
        writer.finish().expect("an end");
    }
    bytes
}

/// Each column in a file and a stream of its own, plain and compressed, with its name. All of them together are one more.
fn good_data() -> Vec<(String, bool, Vec<u8>)> {
    let compressions: &[_] = if cfg!(feature = "compression") {
        &[None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)]
    } else {
        &[None]
    };
    let columns = columns();
    let batch = |columns: &[(&'static str, ArrayRef)]| {
        let columns = columns.iter().map(|(name, column)| (*name, Arc::clone(column), true));
        RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
    };
    let mut batches: Vec<(&str, RecordBatch)> =
        columns.chunks(1).map(|column| (column[0].0, batch(column))).collect();
    batches.push(("all", batch(&columns)));
    let mut good = Vec::new();
    for (name, batch) in batches {
        for compression in compressions {
            for is_file in [true, false] {
                let kind = if is_file { "file" } else { "stream" };
                let name = format!("{name} in a {kind}, {compression:?}");
                good.push((name, is_file, written(&batch, is_file, *compression)));
            }
        }
    }
    good
}

/// Profiles data and reads it to its end or first error.
fn read(folder: &Folder, is_file: bool, bytes: &[u8]) -> Result<usize, String> {
    // Some file systems wait for the disk where a file that is there is written anew.
    let path = folder.write(if is_file { "a.arrow" } else { "a.arrows" }, bytes);
    let rows = rows_of(&path);
    std::fs::remove_file(path).expect("what was just written");
    rows
}

fn rows_of(path: &Utf8Path) -> Result<usize, String> {
    profile_file(path).map_err(|error| error.to_string())?;
    let batches = read_batches(path).map_err(|error| error.to_string())?;
    batches.map(|batch| batch.map(|batch| batch.num_rows()).map_err(|error| error.to_string())).sum()
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    FlippedBits(u8),
    SameBytes(u8, usize),
    CutOff,
}

impl Damage {
    const ALL: [Self; 8] = [
        Self::FlippedBits(1),
        Self::FlippedBits(0x80),
        Self::SameBytes(0, 1),
        Self::SameBytes(0xff, 1),
        Self::SameBytes(0, 8),
        Self::SameBytes(0xff, 8),
        Self::SameBytes(0x2a, 16),
        Self::CutOff,
    ];

    fn apply(self, bytes: &mut Vec<u8>, place: usize) {
        match self {
            Self::FlippedBits(bits) => bytes[place] ^= bits,
            Self::SameBytes(byte, count) => {
                let end = bytes.len().min(place + count);
                bytes[place..end].fill(byte);
            }
            Self::CutOff => bytes.truncate(place),
        }
    }
}

/// Reads damaged data, and tells whether any of it made the decoder panic.
fn check(damaged: impl Iterator<Item = (String, bool, Vec<u8>)>) {
    let folder = Folder::new();
    let mut found: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (name, is_file, bytes) in damaged {
        for panic in panics_of(|| drop(read(&folder, is_file, &bytes))) {
            found.entry(panic).or_insert_with(|| (0, name.clone())).0 += 1;
        }
    }
    assert!(found.is_empty(), "panics, how many, and the first of each: {found:#?}");
}

#[test]
fn panics_are_noted() {
    let panics = panics_of(|| assert!(std::panic::catch_unwind(|| panic!("caught")).is_err()));
    assert_eq!(panics.len(), 1);
    assert!(panics[0].contains("damage.rs"), "{panics:?}");
}

#[test]
fn undamaged_data_is_read() {
    let folder = Folder::new();
    for (name, is_file, bytes) in good_data() {
        assert_eq!(read(&folder, is_file, &bytes), Ok(8), "{name}");
    }
}

/// How often data is damaged at several places.
const SEVERAL: usize = 8_000;

/// How many places lie between two that are damaged. It has no factor in common with what data is aligned to.
const STEP: usize = 29;

#[test]
fn damage_at_any_place_is_no_panic() {
    check(good_data().into_iter().enumerate().flat_map(|(start, (name, is_file, good))| {
        (start % STEP..good.len()).step_by(STEP).enumerate().map(move |(turn, place)| {
            let damage = Damage::ALL[(start + turn) % Damage::ALL.len()];
            let mut bytes = good.clone();
            damage.apply(&mut bytes, place);
            (format!("{name}: {damage:?} at {place}"), is_file, bytes)
        })
    }));
}

#[test]
fn damage_at_several_places_is_no_panic() {
    let good = good_data();
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut below = move |end: usize| random.next_u32() as usize % end;
    check((0..SEVERAL).map(|_| {
        let (name, is_file, good) = &good[below(good.len())];
        let mut bytes = good.clone();
        let mut told = name.clone();
        for _ in 0..=below(4) {
            // Of the damage, what cuts off is the last, and left to the other test.
            let damage = Damage::ALL[below(Damage::ALL.len() - 1)];
            let place = below(bytes.len());
            damage.apply(&mut bytes, place);
            told.push_str(&format!(", {damage:?} at {place}"));
        }
        (told, *is_file, bytes)
    }));
}
