//! Digests against a naive oracle: tables of plain values, which are equal if their rows are, and are written in whatever
//! types, formats, batches and parts.

use std::sync::Arc;

use proptest::prelude::*;
use runtime_testing_data::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, TimestampSecondArray,
};
use runtime_testing_data::arrow::compute::cast;
use runtime_testing_data::arrow::datatypes::{DataType, TimeUnit};
use runtime_testing_data::{digest_path, write_batches};
use runtime_testing_models::{Digest, DigestOptions, RowOrder};

use crate::folder::Folder;

/// A kind of values, few of them, so that different tables are often equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    Fraction,
    Text,
    Boolean,
    Moment,
}

const NUMBERS: [f64; 5] = [0.0, 1.0, -2.0, 100.0, 127.0];
const FRACTIONS: [f64; 5] = [0.0, 1.5, -2.0, 100.25, 0.1];
const TEXTS: [&str; 5] = ["x", "y,\"\n", "\u{e9}", "x ", "2024-13-01"];
const SECONDS: [i64; 5] = [0, 86_400, -86_400, 1, 1_700_000_000];

impl Kind {
    const ALL: [Self; 5] = [Self::Whole, Self::Fraction, Self::Text, Self::Boolean, Self::Moment];

    /// Every type that can hold the values.
    fn types(self) -> Vec<DataType> {
        let dictionary = |values| DataType::Dictionary(Box::new(DataType::Int16), Box::new(values));
        let decimals = [DataType::Decimal128(12, 2), DataType::Decimal256(50, 5), DataType::Decimal64(10, 2)];
        match self {
            Self::Whole => vec![
                DataType::Int8,
                DataType::Int32,
                DataType::Int64,
                DataType::Float64,
                DataType::Float32,
                DataType::Decimal128(12, 2),
                dictionary(DataType::Int64),
            ],
            Self::Fraction => [DataType::Float64, DataType::Float32].into_iter().chain(decimals).collect(),
            Self::Text => {
                vec![DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary(DataType::Utf8)]
            }
            Self::Boolean => vec![DataType::Boolean],
            Self::Moment => {
                use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
                [Second, Millisecond, Microsecond, Nanosecond]
                    .map(|unit| DataType::Timestamp(unit, None))
                    .to_vec()
            }
        }
    }

    fn array(self, values: impl Iterator<Item = Option<usize>>, data_type: &DataType) -> ArrayRef {
        let plain: ArrayRef = match self {
            Self::Whole => Arc::new(Float64Array::from_iter(values.map(|value| value.map(|at| NUMBERS[at])))),
            Self::Fraction => {
                Arc::new(Float64Array::from_iter(values.map(|value| value.map(|at| FRACTIONS[at]))))
            }
            Self::Text => Arc::new(StringArray::from_iter(values.map(|value| value.map(|at| TEXTS[at])))),
            Self::Boolean => {
                Arc::new(BooleanArray::from_iter(values.map(|value| value.map(|at| at % 2 == 1))))
            }
            Self::Moment => {
                Arc::new(TimestampSecondArray::from_iter(values.map(|value| value.map(|at| SECONDS[at]))))
            }
        };
        cast(&plain, data_type).expect("a type that holds the values")
    }
}

/// A table: the kind of each column, and rows of places among the values of the kind.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    kinds: Vec<Kind>,
    rows: Vec<Vec<Option<usize>>>,
}

impl Table {
    /// Whether the tables are equal, said as plainly as it can be.
    fn is_equal(&self, other: &Self, row_order: RowOrder) -> bool {
        let sorted = |table: &Self| {
            let mut rows = table.plain_rows();
            rows.sort();
            rows
        };
        match row_order {
            RowOrder::Ordered => self.plain_rows() == other.plain_rows(),
            RowOrder::Ignored => sorted(self) == sorted(other),
        }
    }

    /// Of booleans there are two only.
    fn plain_rows(&self) -> Vec<Vec<Option<usize>>> {
        let plain = |(kind, value): (&Kind, &Option<usize>)| match kind {
            Kind::Boolean => value.map(|at| at % 2),
            _ => *value,
        };
        self.rows.iter().map(|row| self.kinds.iter().zip(row).map(plain).collect()).collect()
    }
}

/// How a table is written.
#[derive(Debug, Clone)]
struct Layout {
    /// For each column, the place of its type among those that can hold it, and its place in the file.
    columns: Vec<(prop::sample::Index, u32)>,
    /// The extension of each part, and the share of the rows that is left for it.
    extension: &'static str,
    parts: Vec<prop::sample::Index>,
    batch_rows: usize,
}

fn any_table() -> impl Strategy<Value = Table> {
    prop::collection::vec(prop::sample::select(&Kind::ALL), 1..4).prop_flat_map(|kinds| {
        let row = prop::collection::vec(prop::option::weighted(0.8, 0..5_usize), kinds.len());
        prop::collection::vec(row, 1..6).prop_map(move |rows| Table { kinds: kinds.clone(), rows })
    })
}

/// What one may do to a table.
#[derive(Debug, Clone)]
enum Change {
    Nothing,
    Cell(prop::sample::Index, prop::sample::Index, Option<usize>),
    Drop(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Repeat(prop::sample::Index),
}

fn any_change() -> impl Strategy<Value = Change> {
    use prop::sample::Index;
    prop_oneof![
        Just(Change::Nothing),
        (any::<Index>(), any::<Index>(), prop::option::of(0..5_usize))
            .prop_map(|(row, column, value)| Change::Cell(row, column, value)),
        any::<Index>().prop_map(Change::Drop),
        (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Change::Swap(one, other)),
        any::<Index>().prop_map(Change::Repeat),
    ]
}

fn changed(mut table: Table, change: &Change) -> Table {
    let count = table.rows.len();
    match change {
        Change::Nothing => {}
        Change::Cell(row, column, value) => {
            table.rows[row.index(count)][column.index(table.kinds.len())] = *value;
        }
        // JSON has no columns where there are no rows.
        Change::Drop(_) if count == 1 => {}
        Change::Drop(row) => drop(table.rows.remove(row.index(count))),
        Change::Swap(one, other) => table.rows.swap(one.index(count), other.index(count)),
        Change::Repeat(row) => table.rows.push(table.rows[row.index(count)].clone()),
    }
    table
}

fn any_layout() -> impl Strategy<Value = Layout> {
    const EXTENSIONS: &[&str] = if cfg!(feature = "parquet") {
        &["csv", "tsv", "json", "ndjson", "arrow", "arrows", "parquet"]
    } else {
        &["csv", "tsv", "json", "ndjson", "arrow", "arrows"]
    };
    let columns = prop::collection::vec(any::<(prop::sample::Index, u32)>(), 4);
    let parts = prop::collection::vec(any::<prop::sample::Index>(), 1..4);
    let extension = prop::sample::select(EXTENSIONS);
    (columns, extension, parts, 1..4_usize).prop_map(|(columns, extension, parts, batch_rows)| Layout {
        extension,
        columns,
        parts,
        batch_rows,
    })
}

fn digest(table: &Table, layout: &Layout, row_order: RowOrder) -> Digest {
    let mut columns: Vec<(u32, String, ArrayRef)> = Vec::new();
    for (place, (kind, (chosen, order))) in table.kinds.iter().zip(&layout.columns).enumerate() {
        let types = kind.types();
        let values = table.rows.iter().map(|row| row[place]);
        columns.push((*order, format!("c{place}"), kind.array(values, chosen.get(&types))));
    }
    columns.sort_by_key(|(order, ..)| *order);
    let columns = columns.into_iter().map(|(_, name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let folder = Folder::new();
    let mut start = 0;
    let extension = layout.extension;
    for (part, share) in layout.parts.iter().enumerate() {
        let left = batch.num_rows() - start;
        let rows = if part + 1 == layout.parts.len() { left } else { share.index(left + 1) };
        let starts = (start..start + rows).step_by(layout.batch_rows);
        let slices = starts.map(|at| Ok(batch.slice(at, layout.batch_rows.min(start + rows - at))));
        let path = folder.path().join(format!("part-{part}.{extension}"));
        write_batches(&path, batch.schema_ref(), slices).expect("data that every format can hold");
        start += rows;
    }
    digest_path(folder.path(), &DigestOptions { row_order, ..DigestOptions::default() }).expect("a digest")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn digests_are_equal_if_the_rows_are(
        table in any_table(), change in any_change(), one in any_layout(), other in any_layout(),
    ) {
        let altered = changed(table.clone(), &change);
        for row_order in [RowOrder::Ordered, RowOrder::Ignored] {
            let are_equal = digest(&table, &one, row_order) == digest(&altered, &other, row_order);
            prop_assert_eq!(are_equal, table.is_equal(&altered, row_order), "{:?}", row_order);
        }
    }
}
