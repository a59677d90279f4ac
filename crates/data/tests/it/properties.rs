//! What holds for every table, of any types and values.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::Utf8Path;
use proptest::prelude::*;
use runtime_testing_data::arrow::array::{Array, RecordBatch};
use runtime_testing_data::arrow::compute::concat_batches;
use runtime_testing_data::arrow::datatypes::{DataType, Field, Schema, UnionFields, UnionMode};
use runtime_testing_data::proptest1::{data_types, record_batches, schemas};
use runtime_testing_data::{
    Expected, ObservedContract, WriteTableError, compare, digest_path, observe_contract, profile_path,
    read_batches, write_batches,
};
use runtime_testing_models::proptest1::table_contracts;
use runtime_testing_models::{
    ColumnContract, DataContract, DataProfile, Difference, DigestOptions, Permission, RowOrder,
    TableContract, TypeWord,
};

use crate::folder::Folder;

fn any_batch() -> impl Strategy<Value = RecordBatch> {
    schemas().prop_flat_map(|schema| record_batches(schema, 0..6))
}

/// Types that Arrow IPC alone holds.
fn arrow_types() -> impl Strategy<Value = DataType> {
    let item = || data_types().prop_map(|item| Arc::new(Field::new_list_field(item, true)));
    let kinds = prop::collection::vec((data_types(), any::<bool>()), 1..4);
    let modes = prop::sample::select(&[UnionMode::Sparse, UnionMode::Dense]);
    let ends = prop::sample::select(&[DataType::Int16, DataType::Int32, DataType::Int64]);
    let values =
        prop::sample::select(&[DataType::Boolean, DataType::Int64, DataType::Utf8, DataType::Date32]);
    prop_oneof![
        1 => item().prop_map(DataType::ListView),
        1 => item().prop_map(DataType::LargeListView),
        3 => (ends, values).prop_map(|(ends, values)| {
            let (ends, values) = (Field::new("run_ends", ends, false), Field::new("values", values, true));
            DataType::RunEndEncoded(Arc::new(ends), Arc::new(values))
        }),
        3 => (kinds, modes).prop_map(|(kinds, mode)| {
            let field = |(place, (kind, nullable)): (usize, (DataType, bool))| {
                let nullable = nullable || kind == DataType::Null;
                Field::new(format!("k{place}"), kind, nullable)
            };
            DataType::Union(UnionFields::from_fields(kinds.into_iter().enumerate().map(field)), mode)
        }),
    ]
}

fn any_arrow_batch() -> impl Strategy<Value = RecordBatch> {
    prop::collection::vec(arrow_types(), 1..4).prop_flat_map(|types| {
        let fields = types.into_iter().enumerate();
        let fields = fields.map(|(place, data_type)| Field::new(format!("c{place}"), data_type, true));
        record_batches(Arc::new(Schema::new(fields.collect::<Vec<_>>())), 0..6)
    })
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

/// How many rows a table of cells has.
const ROWS: usize = 8;

/// The cells of a column: mostly of one type, with empty ones, and some of another type here and there.
fn any_cells() -> impl Strategy<Value = Vec<&'static str>> {
    const TYPES: [&[&str]; 7] = [
        &["1", "-7"],
        &["2.5", "1e3"],
        &["true", "False"],
        &["2024-02-29", "1999-12-31"],
        &["2024-02-29 10:20:30"],
        &["2024-02-29T10:20:30Z"],
        &["x", "007"],
    ];
    let cells = |one: usize, other: usize| {
        let of_one = prop::sample::select(TYPES[one]);
        let of_other = prop::sample::select(TYPES[other]);
        prop::collection::vec(prop_oneof![6 => of_one, 1 => of_other, 1 => Just("\"\"")], ROWS)
    };
    (0..TYPES.len(), 0..TYPES.len()).prop_flat_map(move |(one, other)| cells(one, other))
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    cells.collect::<Vec<_>>().join(",") + "\n"
}

/// The values of a column of JSON: mostly of one type, with nulls, and some of another type here and there.
fn any_values() -> impl Strategy<Value = Vec<&'static str>> {
    const TYPES: [&[&str]; 8] = [
        &["1", "-7"],
        &["2.5", "1e3"],
        &["true", "false"],
        &["\"x\"", "\"007\""],
        &["[]", "[1]", "[2.5, null]"],
        &["[\"x\"]"],
        &["{}", "{\"p\": 1}", "{\"q\": null, \"o\": {\"p\": true}}"],
        &["{\"p\": 2.5}", "{\"p\": \"x\", \"o\": {\"n\": 1}}"],
    ];
    let values = |one: usize, other: usize| {
        let of_one = prop::sample::select(TYPES[one]);
        let of_other = prop::sample::select(TYPES[other]);
        prop::collection::vec(prop_oneof![6 => of_one, 1 => of_other, 1 => Just("null")], ROWS)
    };
    (0..TYPES.len(), 0..TYPES.len()).prop_flat_map(move |(one, other)| values(one, other))
}

/// Which keys each row of JSON has: the first at least, so that all parts have one in common, or none at all.
fn any_keys() -> impl Strategy<Value = Vec<[bool; 3]>> {
    let keys = any::<[bool; 2]>().prop_map(|[second, third]| [true, second, third]);
    let rows = prop::collection::vec(prop_oneof![9 => keys, 1 => Just([false; 3])], ROWS);
    prop_oneof![1 => Just(vec![[true; 3]; ROWS]), 3 => rows]
}

fn object<'a>(values: impl Iterator<Item = &'a str>, keys: [bool; 3]) -> String {
    let members = ["a", "b", "c"].iter().zip(values).zip(keys).filter(|(_, is_there)| *is_there);
    let members = members.map(|((name, value), _)| format!("\"{name}\": {value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}

/// The first row of each part, and the one after its last.
fn parts(cuts: &BTreeSet<usize>) -> impl Iterator<Item = (usize, usize)> {
    std::iter::once(0).chain(cuts.iter().copied()).zip(cuts.iter().copied().chain([ROWS]))
}

/// What breaks a contract, or is a note on it, and of which columns.
fn told(
    contract: &TableContract,
    profile: &DataProfile,
    counts: impl Fn(&Difference) -> bool,
) -> BTreeSet<(&'static str, Option<String>)> {
    let told = compare(&Expected::Contract(&contract.clone().into()), profile)
        .into_iter()
        .map(|told| told.difference);
    told.filter(counts).map(|told| (told.as_str(), told.column().map(str::to_owned))).collect()
}

/// Whether the files in the folder `parts` hold what the file `whole` does, for whoever looks at them.
fn check_parts(folder: &Folder, whole: &str, contract: &TableContract) -> Result<(), TestCaseError> {
    let path = folder.path().join(whole);
    let (whole, parts) = (profile_of(folder, whole), profile_of(folder, "parts"));
    prop_assert_eq!(compare(&Expected::Inferred(&whole), &parts), &[]);
    prop_assert_eq!(compare(&Expected::Inferred(&parts), &whole), &[]);
    let breaking = |profile: &DataProfile| told(contract, profile, Difference::is_breaking);
    prop_assert_eq!(breaking(&parts), breaking(&whole));
    if is_mixed(&whole) {
        // It has the digest of its bytes.
        return Ok(());
    }
    for row_order in [RowOrder::Ordered, RowOrder::Ignored] {
        let options = DigestOptions { row_order, ..DigestOptions::default() };
        let digest = |path: &Utf8Path| digest_path(path, &options).expect("what was just written");
        prop_assert_eq!(digest(&folder.path().join("parts")), digest(&path));
    }
    Ok(())
}

/// Whether a column holds values of several kinds.
fn is_mixed(whole: &DataProfile) -> bool {
    let columns = &whole.files[0].schema.as_ref().expect("a table").columns;
    columns.iter().any(|column| column.data_type.to_string().contains("mixed"))
}

/// The same of JSON, of which all parts are read alike.
fn check_json_parts(folder: &Folder, whole: &str, contract: &TableContract) -> Result<(), TestCaseError> {
    check_parts(folder, whole, contract)?;
    let (path, (whole, parts)) =
        (folder.path().join(whole), (profile_of(folder, whole), profile_of(folder, "parts")));
    // Where a part breaks a contract, one that would do by itself is not told to break it.
    let but_promoted = |told: &Difference| !matches!(told, Difference::Promoted { .. });
    prop_assert_eq!(told(contract, &parts, but_promoted), told(contract, &whole, but_promoted));
    let contract = DataContract::from(contract.clone());
    for known in [None, Some(&contract)] {
        let observed = |data: &DataProfile| {
            let mut observed = observe_contract(data, known);
            // Whether a part has no rows, one file does not show.
            if let Ok(ObservedContract { contract: DataContract::Table(table), .. }) = &mut observed {
                table.empty_files = None;
            }
            observed
        };
        prop_assert_eq!(observed(&parts), observed(&whole));
    }
    if !is_mixed(&whole) {
        prop_assert_eq!(rows_of(&folder.path().join("parts")), rows_of(&path));
    }
    Ok(())
}

/// All rows of a file or folder, with the schema of it.
fn rows_of(path: &Utf8Path) -> RecordBatch {
    let rows = read_batches(path).expect("what was just written");
    let schema = rows.schema();
    let rows: Vec<RecordBatch> = rows.collect::<Result<_, _>>().expect("what was just written");
    concat_batches(&schema, &rows).expect("batches of one schema")
}

fn any_cell_contract() -> impl Strategy<Value = TableContract> {
    let column = (prop::sample::select(&TypeWord::ALL[..]), any::<bool>());
    let extra_columns = prop::sample::select(&[Permission::Allow, Permission::Forbid][..]);
    (prop::collection::vec(column, 1..4), extra_columns).prop_map(|(columns, extra_columns)| {
        let empty_files = Some(Permission::Allow);
        let mut contract = TableContract { extra_columns, empty_files, ..TableContract::default() };
        for (name, (data_type, nullable)) in ["a", "b", "c"].into_iter().zip(columns) {
            let column = ColumnContract { nullable, ..ColumnContract::new(data_type) };
            contract.columns.insert(name.to_owned(), column);
        }
        contract
    })
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
            prop_assert_eq!(&rows_of(&folder.path().join(&name)), &batch, "{}", format);
        }
    }

    #[test]
    fn every_batch_of_arrow_is_read_as_it_was_written_and_has_its_nulls(
        batch in prop_oneof![any_batch(), any_arrow_batch()],
        rows in 1..4_usize,
    ) {
        let folder = Folder::new();
        let nulls_of = |batch: &RecordBatch| {
            let columns = batch.columns().iter();
            columns.map(|column| Some(column.logical_null_count() as u64)).collect::<Vec<_>>()
        };
        for format in ["arrow", "arrows"] {
            let name = format!("a.{format}");
            prop_assert!(write(&folder, &name, &batch, rows)?, "{} holds every type", format);
            let read = read_batches(&folder.path().join(&name)).expect("what was just written");
            for (place, read) in read.enumerate() {
                let read = read.expect("what was just written");
                prop_assert_eq!(&read, &batch.slice(place * rows, read.num_rows()), "{}", format);
            }
            let profile = profile_of(&folder, &name);
            let columns = &profile.files[0].schema.as_ref().expect("a table").columns;
            let nulls: Vec<_> = columns.iter().map(|column| column.nulls).collect();
            prop_assert_eq!(nulls, nulls_of(&batch), "{}", format);
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

    /// Wherever a table is cut into parts, it holds what it holds.
    #[test]
    fn parts_of_a_table_are_the_table(
        columns in prop::collection::vec(any_cells(), 1..4),
        cuts in prop::collection::btree_set(1..ROWS, 0..4),
        contract in any_cell_contract(),
    ) {
        let folder = Folder::new();
        let lines: Vec<String> = (0..ROWS).map(|row| line(columns.iter().map(|cells| cells[row]))).collect();
        let header = line((0..columns.len()).map(|place| ["a", "b", "c"][place]));
        folder.write("whole.csv", header.clone() + &lines.concat());
        for (start, end) in parts(&cuts) {
            folder.write(&format!("parts/{start:02}.csv"), header.clone() + &lines[start..end].concat());
        }
        check_parts(&folder, "whole.csv", &contract)?;
    }

    /// The same of JSON, in which rows leave out keys, so that a part may lack a column.
    #[test]
    fn numbered_parts_of_json_are_the_table(
        columns in prop::collection::vec(any_values(), 1..4),
        keys in any_keys(),
        cuts in prop::collection::btree_set(1..ROWS, 0..4),
        contract in any_cell_contract(),
        is_array: bool,
        has_empty: bool,
    ) {
        let folder = Folder::new();
        let line = |row: usize| object(columns.iter().map(|values| values[row]), keys[row]);
        let lines: Vec<String> = (0..ROWS).map(line).collect();
        let document = |lines: &[String]| if is_array { format!("[{}]", lines.join(",\n")) } else { lines.join("\n") };
        let extension = if is_array { "json" } else { "ndjson" };
        let whole = format!("whole.{extension}");
        folder.write(&whole, document(&lines));
        for (start, end) in parts(&cuts) {
            folder.write(&format!("parts/{start:02}.{extension}"), document(&lines[start..end]));
        }
        if is_array && has_empty {
            folder.write("parts/99.json", "[]");
        }
        check_json_parts(&folder, &whole, &contract)?;
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
            expected: removed.data_type.to_string(),
            renamed: None,
        };
        prop_assert_eq!(kinds(&whole, &part), vec![missing]);
        let extra = Difference::ExtraColumn { column: removed.name, found: removed.data_type.to_string() };
        prop_assert_eq!(kinds(&part, &whole), vec![extra]);
    }

    /// What a contract finds in a folder, it finds in one of the files. Rows and nulls alone are those of all.
    #[test]
    fn a_folder_differs_as_its_files_do(batches in prop::collection::vec(any_batch(), 1..4), contract in table_contracts()) {
        let folder = Folder::new();
        for (place, batch) in batches.iter().enumerate() {
            write(&folder, &format!("{place}.arrow"), batch, 8)?;
        }
        let contract = with_columns_of(contract, &batches[0]).into();
        let expected = Expected::Contract(&contract);
        let profile = profile_path(folder.path()).expect("a folder");
        let is_of_all = |difference: &Difference| {
            use Difference::{
                NoRows, NotChecked, NotCompared, Nullability, NullsFound, TooFewRows, TooManyNulls, TooManyRows,
            };
            let of_rows = matches!(difference, NoRows | TooFewRows { .. } | TooManyRows { .. } | NotCompared { .. });
            let of_nulls = matches!(difference, NullsFound { .. } | Nullability { .. } | TooManyNulls { .. });
            of_rows || of_nulls || matches!(difference, NotChecked { .. })
        };
        let of = |profile: &DataProfile| {
            let told = compare(&expected, profile).into_iter();
            told.filter(|told| !is_of_all(&told.difference)).collect::<Vec<_>>()
        };
        let alone = profile.files.iter().flat_map(|file| of(&DataProfile { is_folder: false, files: vec![file.clone()] }));
        let alone: Vec<_> = alone.collect();
        for told in of(&profile) {
            prop_assert!(alone.contains(&told), "{:?}", told);
        }
    }
}

/// A step into a value of JSON.
#[derive(Debug, Clone)]
enum Step {
    Items,
    Field(&'static str),
}

impl Step {
    /// A value that has another one inside, and more beside it.
    fn around(&self, value: &str) -> String {
        match self {
            Self::Items => format!("[{value}]"),
            Self::Field(name) => format!(r#"{{"x": true, "{name}": {value}, "y": [1]}}"#),
        }
    }

    fn path(&self) -> String {
        match self {
            Self::Items => "[]".to_owned(),
            Self::Field(name) if name.contains('.') => format!(".\"{name}\""),
            Self::Field(name) => format!(".{name}"),
        }
    }
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let field = prop::sample::select(&["zip", "b c", "x.y", "größe"][..]).prop_map(Step::Field);
    prop::collection::vec(prop_oneof![1 => Just(Step::Items), 2 => field], 0..6)
}

proptest! {
    /// What changes within a column is told by its path, and nothing else is.
    #[test]
    fn a_field_that_changes_is_told_by_its_path(steps in any_steps()) {
        let folder = Folder::new();
        let profile = |name: &str, value: &str| {
            let value = steps.iter().rfold(value.to_owned(), |value, step| step.around(&value));
            folder.write(name, format!(r#"[{{"a": {value}, "b": 1}}]"#));
            profile_of(&folder, name)
        };
        let text = profile("text.json", "\"1010\"");
        let differences = |value: &str| {
            let told = compare(&Expected::Inferred(&text), &profile("other.json", value));
            told.into_iter().map(|told| without_place(told.difference)).collect::<Vec<_>>()
        };
        prop_assert_eq!(differences("\"x\""), vec![]);
        let column = format!("a{}", steps.iter().map(Step::path).collect::<String>());
        let changed = |found: &str| Difference::TypeChanged {
            column: column.clone(),
            expected: "text".to_owned(),
            found: found.to_owned(),
            row: None,
            value: None,
        };
        prop_assert_eq!(differences("1010"), vec![changed("int64")]);
        prop_assert_eq!(differences("[\"1010\"]"), vec![changed("list<text>")]);
    }
}

/// A difference without the row that it was decided by.
fn without_place(mut difference: Difference) -> Difference {
    if let Difference::TypeChanged { row, value, .. } = &mut difference {
        (*row, *value) = (None, None);
    }
    difference
}

/// The contract with the columns that are there too, which are to be integers in turn.
fn with_columns_of(mut contract: TableContract, batch: &RecordBatch) -> TableContract {
    for (field, word) in batch.schema().fields().iter().zip([TypeWord::Integer, TypeWord::Any].iter().cycle())
    {
        contract = contract.with_column(field.name(), *word);
    }
    contract
}
