use arrow::array::{Array, AsArray};
use arrow::datatypes::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::*;

/// What is wanted, in words and as a test.
type Wanted<'a, V> = (&'a str, &'a dyn Fn(&V) -> bool);

/// Whether a value that is wanted comes among a few hundred, the same each time.
#[track_caller]
fn check_occurs<V>(values: impl Strategy<Value = V>, wanted: &[Wanted<'_, V>]) {
    let mut runner = TestRunner::deterministic();
    let values: Vec<V> = (0..300).map(|_| values.new_tree(&mut runner).expect("a value").current()).collect();
    for (what, is_wanted) in wanted {
        assert!(values.iter().any(is_wanted), "{what} does not occur");
    }
}

fn of<T: ArrowPrimitiveType>(data_type: &DataType) -> impl Strategy<Value = Vec<Option<T::Native>>> + use<T> {
    arrays(data_type, true, 5).prop_map(|array| array.as_primitive::<T>().iter().collect())
}

#[test]
fn extremes_of_numbers_occur() {
    check_occurs(
        of::<Int64Type>(&DataType::Int64),
        &[
            ("a null", &|values| values.contains(&None)),
            ("nothing but nulls", &|values| values.iter().all(Option::is_none)),
            ("no null", &|values| values.iter().all(Option::is_some)),
            ("the least", &|values| values.contains(&Some(i64::MIN))),
            ("the largest", &|values| values.contains(&Some(i64::MAX))),
            ("zero", &|values| values.contains(&Some(0))),
            ("what no float holds", &|values| values.contains(&Some((1 << 53) + 1))),
        ],
    );
    check_occurs(
        of::<UInt8Type>(&DataType::UInt8),
        &[("the largest", &|values| values.contains(&Some(255)))],
    );
    let is_any = |wanted: fn(f64) -> bool| {
        move |values: &Vec<Option<f64>>| values.iter().flatten().any(|value| wanted(*value))
    };
    check_occurs(
        of::<Float64Type>(&DataType::Float64),
        &[
            ("NaN", &is_any(f64::is_nan)),
            ("infinity", &is_any(|value| value == f64::INFINITY)),
            ("negative infinity", &is_any(|value| value == f64::NEG_INFINITY)),
            ("negative zero", &is_any(|value| value == 0.0 && value.is_sign_negative())),
            ("the largest", &is_any(|value| value == f64::MAX)),
            ("subnormal", &is_any(f64::is_subnormal)),
        ],
    );
    check_occurs(
        of::<Decimal128Type>(&DataType::Decimal128(38, 2)),
        &[
            ("the largest", &|values| values.contains(&Some(10_i128.pow(38) - 1))),
            ("the least", &|values| values.contains(&Some(1 - 10_i128.pow(38)))),
        ],
    );
}

#[test]
fn extremes_of_times_occur() {
    check_occurs(
        of::<Date32Type>(&DataType::Date32),
        &[
            ("the first day", &|days| days.contains(&Some(-719_162))),
            ("the last day", &|days| days.contains(&Some(2_932_896))),
        ],
    );
    check_occurs(
        of::<TimestampNanosecondType>(&DataType::Timestamp(TimeUnit::Nanosecond, None)),
        &[
            ("the first moment", &|moments| moments.contains(&Some(i64::MIN))),
            ("the last moment", &|moments| moments.contains(&Some(i64::MAX))),
        ],
    );
    check_occurs(
        of::<Time32SecondType>(&DataType::Time32(TimeUnit::Second)),
        &[
            ("midnight", &|times| times.contains(&Some(0))),
            ("the last second", &|times| times.contains(&Some(86_399))),
        ],
    );
}

#[test]
fn hard_texts_occur() {
    let texts = arrays(&DataType::Utf8, true, 5).prop_map(|array| {
        array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
    });
    let is_any = |wanted: fn(&str) -> bool| {
        move |texts: &Vec<Option<String>>| texts.iter().flatten().any(|text| wanted(text))
    };
    check_occurs(
        texts,
        &[
            ("an empty text", &is_any(str::is_empty)),
            ("a long text", &is_any(|text| text.len() >= 5000)),
            ("a text that is not ASCII", &is_any(|text| !text.is_ascii())),
            ("a word for a null", &is_any(|text| text == "NA")),
            ("a line end", &is_any(|text| text.contains("\r\n"))),
            ("NUL", &is_any(|text| text.contains('\0'))),
            ("a null", &|texts| texts.contains(&None)),
        ],
    );
}

#[test]
fn empty_and_missing_lists_and_records_occur() {
    let lists = arrays(&DataType::new_list(DataType::Int8, true), true, 5);
    check_occurs(
        lists,
        &[
            ("an empty list", &|lists| {
                (0..5).any(|row| lists.is_valid(row) && lists.as_list::<i32>().value(row).is_empty())
            }),
            ("a list of several", &|lists| (0..5).any(|row| lists.as_list::<i32>().value_length(row) > 1)),
            ("a null", &|lists| lists.null_count() > 0),
            ("a null in a list", &|lists| lists.as_list::<i32>().values().null_count() > 0),
        ],
    );
    let types = data_types();
    let depth = |data_type: &DataType| data_type.to_string().matches("List").count();
    check_occurs(
        types,
        &[
            ("a list of lists", &|data_type| depth(data_type) > 1),
            ("a struct", &|data_type| matches!(data_type, DataType::Struct(_))),
            ("a map", &|data_type| matches!(data_type, DataType::Map(..))),
            ("a dictionary", &|data_type| matches!(data_type, DataType::Dictionary(..))),
            ("a wide decimal", &|data_type| matches!(data_type, DataType::Decimal256(..))),
        ],
    );
}

#[test]
fn sizes_of_schemas_and_batches_occur() {
    check_occurs(
        schemas(),
        &[
            ("no columns", &|schema| schema.fields().is_empty()),
            ("six columns", &|schema| schema.fields().len() == 6),
            ("a column without nulls", &|schema| schema.fields().iter().any(|field| !field.is_nullable())),
            ("a name that is not ASCII", &|schema| {
                schema.fields().iter().any(|field| !field.name().is_ascii())
            }),
            ("an empty name", &|schema| schema.fields().iter().any(|field| field.name().is_empty())),
        ],
    );
    let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int8, true)]));
    check_occurs(
        record_batches(schema, 0..3),
        &[("no rows", &|batch| batch.num_rows() == 0), ("two rows", &|batch| batch.num_rows() == 2)],
    );
}

proptest! {
    #[test]
    fn every_type_has_arrays(rows in 0..5_usize, nullable in any::<bool>(), mode in select(&[UnionMode::Sparse, UnionMode::Dense])) {
        let item = || Arc::new(Field::new_list_field(DataType::Int32, nullable));
        let kinds = [Field::new("i", DataType::Int8, true), Field::new("t", DataType::Utf8, false)];
        let kinds = UnionFields::try_new([0, 3], kinds).expect("two kinds");
        let ends = Arc::new(Field::new("run_ends", DataType::Int16, false));
        let more = [
            DataType::ListView(item()),
            DataType::LargeListView(item()),
            DataType::Union(kinds, mode),
            DataType::RunEndEncoded(ends, Arc::new(Field::new("values", DataType::Utf8, true))),
            DataType::Interval(IntervalUnit::MonthDayNano),
        ];
        let mut runner = TestRunner::deterministic();
        for data_type in plain_types().into_iter().chain(more) {
            let array = arrays(&data_type, nullable, rows).new_tree(&mut runner).expect("a value").current();
            prop_assert_eq!((array.data_type(), array.len()), (&data_type, rows));
            let has_nulls = nullable || matches!(data_type, DataType::Null | DataType::Union(..));
            prop_assert!(has_nulls || array.logical_null_count() == 0, "{}", data_type);
        }
    }
}
