//! Strategies of proptest 1: schemas, and record batches with all that is hard on those who read them.
//!
//! ```
//! use proptest::prelude::*;
//! use runtime_testing_data::proptest1::{record_batches, schemas};
//!
//! proptest!(|(batch in schemas().prop_flat_map(|schema| record_batches(schema, 0..10)))| {
//!     prop_assert!(batch.num_rows() < 10);
//! });
//! ```

mod nested;
mod plain;

use std::sync::Arc;

use arrow::array::{ArrayRef, make_array};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use proptest::collection::{SizeRange, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;

/// Types that Parquet and Arrow IPC both hold: every plain one, dictionaries, and lists, structs and maps of them up to three
/// levels deep.
pub fn data_types() -> impl Strategy<Value = DataType> {
    let leaf = prop_oneof![
        6 => select(plain_types()),
        1 => (1..=9_u8, 0..=9_i8).prop_map(|(precision, scale)| DataType::Decimal32(precision, scale.min(precision as i8))),
        1 => (1..=18_u8, 0..=18_i8).prop_map(|(precision, scale)| DataType::Decimal64(precision, scale.min(precision as i8))),
        1 => (1..=38_u8, 0..=38_i8).prop_map(|(precision, scale)| DataType::Decimal128(precision, scale.min(precision as i8))),
        1 => (1..=76_u8, 0..=76_i8).prop_map(|(precision, scale)| DataType::Decimal256(precision, scale.min(precision as i8))),
        1 => (1..=40_i32).prop_map(DataType::FixedSizeBinary),
        1 => (select(&[DataType::Int8, DataType::Int32, DataType::UInt64]), select(&[DataType::Utf8, DataType::Int64]))
            .prop_map(|(keys, values)| DataType::Dictionary(Box::new(keys), Box::new(values))),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        let item = (inner.clone(), any::<bool>())
            .prop_map(|(item, nullable)| Arc::new(field(Field::LIST_FIELD_DEFAULT_NAME, item, nullable)));
        prop_oneof![
            item.clone().prop_map(DataType::List),
            item.clone().prop_map(DataType::LargeList),
            (item, 1..4_i32).prop_map(|(item, length)| DataType::FixedSizeList(item, length)),
            fields_of(inner.clone(), 1..4).prop_map(DataType::Struct),
            (inner, any::<bool>()).prop_map(|(value, nullable)| {
                let fields = vec![Field::new("key", DataType::Utf8, false), field("value", value, nullable)];
                let entries = Field::new("entries", DataType::Struct(fields.into()), false);
                DataType::Map(Arc::new(entries), false)
            }),
        ]
    })
}

/// Schemas of up to six columns of [`data_types`], each with a name of its own.
pub fn schemas() -> impl Strategy<Value = SchemaRef> {
    fields_of(data_types(), 0..7).prop_map(|fields| Arc::new(Schema::new(fields)))
}

/// Batches of a schema, with so many rows: `0..10`, or a number. Every type of Arrow has values.
///
/// Where the schema allows it there are nulls, in some columns none and in others nothing else. Numbers have their extremes,
/// and floats are also NaN, infinite, negative zero and subnormal. Days and moments lie in the years 1 to 9999, or as far
/// as their unit reaches, and times within a day. Text is empty, long, not ASCII, or what some reader takes for something
/// else; so is the text of dictionaries. Lists are empty. The text keys of one map differ.
pub fn record_batches(schema: SchemaRef, rows: impl Into<SizeRange>) -> impl Strategy<Value = RecordBatch> {
    vec(Just(()), rows).prop_flat_map(move |rows| {
        let schema = Arc::clone(&schema);
        let columns: Vec<BoxedStrategy<ArrayRef>> =
            schema.fields().iter().map(|field| arrays_of(field, rows.len())).collect();
        columns.prop_map(move |columns| {
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)
                .expect("columns of the schema's types, and nulls where it allows them")
        })
    })
}

/// Arrays of a type and length, with nulls if it may have any.
pub fn arrays(data_type: &DataType, nullable: bool, rows: usize) -> impl Strategy<Value = ArrayRef> + use<> {
    arrays_of(&Arc::new(Field::new("", data_type.clone(), nullable)), rows)
}

fn arrays_of(field: &FieldRef, rows: usize) -> BoxedStrategy<ArrayRef> {
    let data_type = field.data_type();
    if let Some(arrays) = nested::arrays(data_type, field.is_nullable(), rows) {
        return arrays;
    }
    let field = Arc::clone(field);
    let values = plain::arrays(data_type, rows);
    (values, nulls(field.is_nullable(), rows))
        .prop_map(move |(values, nulls)| with_nulls(&values, nulls))
        .boxed()
}

/// Which rows are there: some, all, or none.
fn nulls(nullable: bool, rows: usize) -> BoxedStrategy<Option<NullBuffer>> {
    if !nullable {
        return Just(None).boxed();
    }
    prop_oneof![
        3 => vec(prop::bool::weighted(0.7), rows).prop_map(|there| Some(there.into())),
        1 => Just(None),
        1 => Just(Some(NullBuffer::new_null(rows))),
    ]
    .boxed()
}

fn with_nulls(values: &ArrayRef, nulls: Option<NullBuffer>) -> ArrayRef {
    if values.data_type() == &DataType::Null {
        return Arc::clone(values);
    }
    let data = values.to_data().into_builder().nulls(nulls).build();
    make_array(data.expect("as many nulls as values"))
}

/// The values in another layout of the same.
fn laid_out(values: &ArrayRef, data_type: &DataType) -> ArrayRef {
    cast(values, data_type).expect("a layout of the same values")
}

fn fields_of(
    types: impl Strategy<Value = DataType>,
    count: impl Into<SizeRange>,
) -> impl Strategy<Value = Fields> {
    let name = prop_oneof![3 => "[a-z][a-z_]{0,8}", 1 => "[a-zA-Z0-9 .,:;\"'<>\u{e9}\u{6f22}-]{0,8}"];
    let names = btree_set(name, count).prop_map(|names| names.into_iter().collect::<Vec<_>>());
    let types = vec((types, any::<bool>()), 6);
    (names.prop_shuffle(), types).prop_map(|(names, types)| {
        let fields = names.into_iter().zip(types);
        fields.map(|(name, (data_type, nullable))| field(&name, data_type, nullable)).collect()
    })
}

/// A field that may hold nulls if it is to, or has nothing else.
fn field(name: &str, data_type: DataType, nullable: bool) -> Field {
    let nullable = nullable || data_type == DataType::Null;
    Field::new(name, data_type, nullable)
}

/// The types without parameters, and those of times in every unit.
fn plain_types() -> Vec<DataType> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};

    let mut types = vec![
        DataType::Null,
        DataType::Boolean,
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Float16,
        DataType::Float32,
        DataType::Float64,
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Binary,
        DataType::LargeBinary,
        DataType::BinaryView,
        DataType::Date32,
        DataType::Date64,
        DataType::Time32(Second),
        DataType::Time32(Millisecond),
        DataType::Time64(Microsecond),
        DataType::Time64(Nanosecond),
        DataType::Interval(IntervalUnit::YearMonth),
        DataType::Interval(IntervalUnit::DayTime),
    ];
    for unit in [Second, Millisecond, Microsecond, Nanosecond] {
        types.push(DataType::Timestamp(unit, None));
        types.push(DataType::Timestamp(unit, Some("UTC".into())));
        types.push(DataType::Timestamp(unit, Some("Europe/Oslo".into())));
        types.push(DataType::Duration(unit));
    }
    types
}

#[cfg(test)]
mod tests;
