//! Values of types that hold others, and of layouts that stand for others.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::plain::texts;
use super::{arrays_of, laid_out, nulls, with_nulls};

/// The most items of a list, and the most different values of a dictionary.
const MOST_ITEMS: usize = 4;

/// Arrays of a type that holds others. None where it is a plain one.
pub(super) fn arrays(data_type: &DataType, nullable: bool, rows: usize) -> Option<BoxedStrategy<ArrayRef>> {
    Some(match data_type {
        DataType::List(item) => lists::<i32>(item, nullable, rows),
        DataType::LargeList(item) => lists::<i64>(item, nullable, rows),
        DataType::ListView(item) => lists::<i32>(item, nullable, rows)
            .prop_map(|lists| Arc::new(ListViewArray::from(lists.as_list::<i32>().clone())) as ArrayRef)
            .boxed(),
        DataType::LargeListView(item) => lists::<i64>(item, nullable, rows)
            .prop_map(|lists| Arc::new(LargeListViewArray::from(lists.as_list::<i64>().clone())) as ArrayRef)
            .boxed(),
        DataType::FixedSizeList(item, length) => {
            let (item, length) = (Arc::clone(item), *length);
            let items = rows * usize::try_from(length).expect("a length is not negative");
            (arrays_of(&item, items), nulls(nullable, rows))
                .prop_map(move |(values, nulls)| {
                    let lists = FixedSizeListArray::try_new_with_length(
                        Arc::clone(&item),
                        length,
                        values,
                        nulls,
                        rows,
                    );
                    Arc::new(lists.expect("as many items as the length says")) as ArrayRef
                })
                .boxed()
        }
        DataType::Struct(fields) => {
            let fields = fields.clone();
            let columns: Vec<BoxedStrategy<ArrayRef>> =
                fields.iter().map(|field| arrays_of(field, rows)).collect();
            (columns, nulls(nullable, rows))
                .prop_map(move |(columns, nulls)| {
                    let structs = StructArray::try_new_with_length(fields.clone(), columns, nulls, rows);
                    Arc::new(structs.expect("fields of one length")) as ArrayRef
                })
                .boxed()
        }
        DataType::Map(entries, is_sorted) => maps(entries, *is_sorted, nullable, rows),
        DataType::Dictionary(keys, values) => dictionaries(keys, values, nullable, rows),
        DataType::RunEndEncoded(_, values) => {
            let data_type = data_type.clone();
            let values = arrays_of(&Arc::new(values.as_ref().clone().with_nullable(nullable)), rows);
            values.prop_map(move |values| laid_out(&values, &data_type)).boxed()
        }
        DataType::Union(fields, mode) => unions(fields, *mode, rows),
        _ => return None,
    })
}

/// How many items each list has, and which lists are there. A list that is not there has no items.
fn lengths(nullable: bool, rows: usize) -> impl Strategy<Value = (Vec<usize>, Option<NullBuffer>)> {
    (vec(0..=MOST_ITEMS, rows), nulls(nullable, rows)).prop_map(|(mut lengths, nulls)| {
        for (row, length) in lengths.iter_mut().enumerate() {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                *length = 0;
            }
        }
        (lengths, nulls)
    })
}

fn lists<O: OffsetSizeTrait>(item: &FieldRef, nullable: bool, rows: usize) -> BoxedStrategy<ArrayRef> {
    let item = Arc::clone(item);
    lengths(nullable, rows)
        .prop_flat_map(move |(lengths, nulls)| {
            let item = Arc::clone(&item);
            arrays_of(&item, lengths.iter().sum()).prop_map(move |values| {
                let offsets = OffsetBuffer::<O>::from_lengths(lengths.iter().copied());
                Arc::new(GenericListArray::new(Arc::clone(&item), offsets, values, nulls.clone())) as ArrayRef
            })
        })
        .boxed()
}

fn maps(entries: &FieldRef, is_sorted: bool, nullable: bool, rows: usize) -> BoxedStrategy<ArrayRef> {
    let entries = Arc::clone(entries);
    let DataType::Struct(fields) = entries.data_type().clone() else {
        unreachable!("the entries of a map are structs");
    };
    lengths(nullable, rows)
        .prop_flat_map(move |(lengths, nulls)| {
            let (entries, fields) = (Arc::clone(&entries), fields.clone());
            let keys = if fields[0].data_type() == &DataType::Utf8 {
                distinct_texts(&lengths)
            } else {
                arrays_of(&fields[0], lengths.iter().sum())
            };
            (keys, arrays_of(&fields[1], lengths.iter().sum())).prop_map(move |(keys, values)| {
                let pairs = StructArray::new(fields.clone(), vec![keys, values], None);
                let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
                Arc::new(MapArray::new(Arc::clone(&entries), offsets, pairs, nulls.clone(), is_sorted))
                    as ArrayRef
            })
        })
        .boxed()
}

/// The keys of maps, which differ in each: those behind the first have their place in front.
fn distinct_texts(lengths: &[usize]) -> BoxedStrategy<ArrayRef> {
    let places: Vec<usize> = lengths.iter().flat_map(|length| 0..*length).collect();
    vec(texts(), places.len())
        .prop_map(move |texts| {
            let key = |(place, text): (&usize, &String)| match place {
                // What begins with a digit could be one of the others.
                0 => text.trim_start_matches(|character: char| character.is_ascii_digit()).to_owned(),
                place => format!("{place}{text}"),
            };
            Arc::new(StringArray::from_iter_values(places.iter().zip(&texts).map(key))) as ArrayRef
        })
        .boxed()
}

fn dictionaries(keys: &DataType, values: &DataType, nullable: bool, rows: usize) -> BoxedStrategy<ArrayRef> {
    let data_type = DataType::Dictionary(Box::new(keys.clone()), Box::new(values.clone()));
    // The rows that are null have no key: to some, a null among the values is another one.
    let values = arrays_of(&Arc::new(Field::new("", values.clone(), false)), MOST_ITEMS);
    (values, vec(any::<Index>(), rows), nulls(nullable, rows))
        .prop_map(move |(values, keys, nulls)| {
            let keys = keys.iter().map(|key| i32::try_from(key.index(MOST_ITEMS)).expect("a small number"));
            let keys = with_nulls(&(Arc::new(Int32Array::from_iter_values(keys)) as ArrayRef), nulls);
            let keys = keys.as_primitive::<Int32Type>().clone();
            laid_out(&(Arc::new(DictionaryArray::new(keys, values)) as ArrayRef), &data_type)
        })
        .boxed()
}

/// A union has no nulls of its own.
fn unions(fields: &UnionFields, mode: UnionMode, rows: usize) -> BoxedStrategy<ArrayRef> {
    let fields = fields.clone();
    let kinds: Vec<i8> = fields.iter().map(|(id, _)| id).collect();
    let children: Vec<BoxedStrategy<ArrayRef>> =
        fields.iter().map(|(_, field)| arrays_of(field, rows)).collect();
    (children, vec(any::<Index>(), rows))
        .prop_map(move |(children, chosen)| {
            let ids: ScalarBuffer<i8> = chosen.iter().map(|kind| *kind.get(&kinds)).collect();
            let offsets = match mode {
                UnionMode::Sparse => None,
                UnionMode::Dense => Some((0..i32::try_from(rows).expect("few rows")).collect()),
            };
            let union = UnionArray::try_new(fields.clone(), ids, offsets, children);
            Arc::new(union.expect("a value of each kind for each row")) as ArrayRef
        })
        .boxed()
}
