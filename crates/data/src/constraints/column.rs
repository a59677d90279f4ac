//! What is asked of the values of one column.

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::compute::{cast, filter, is_not_null};
use arrow::datatypes::{ArrowNativeType as _, DataType, Float64Type};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use regex::Regex;
use runtime_testing_models::{ColumnContract, JobValue, path_name};

use super::limit::{Comparable, Kind, Limit};
use super::{FEW_NULLS, Failure, NO_NULLS, Outcome, holds};
use crate::text::shown;
use crate::types::arrow_type::of_arrow;

/// The checks of a column.
#[derive(Debug)]
pub(super) struct ColumnCheck {
    pub(super) name: String,
    rules: Vec<Rule>,
    /// What within it must not be null.
    inner: Vec<InnerNulls>,
}

/// Something that is asked of each value.
#[derive(Debug)]
struct Rule {
    constraint: String,
    asked: Asked,
    /// The same in the form of the columns of one type, which files of a table need not share.
    limit: Option<(DataType, Option<Limit>)>,
    failure: Option<Failure>,
    /// Why it could not be looked at.
    obstacle: Option<String>,
}

#[derive(Debug)]
enum Asked {
    Minimum(JobValue),
    Maximum(JobValue),
    Values(Vec<JobValue>),
    Pattern(Regex),
    /// A float that is a number.
    Number,
    /// What cannot be asked.
    Unknown(String),
}

impl Asked {
    fn limit(&self, kind: Kind) -> Option<Limit> {
        match self {
            Self::Minimum(least) => Limit::range(Some(least), None, kind),
            Self::Maximum(most) => Limit::range(None, Some(most), kind),
            Self::Values(values) => Some(Limit::values(values, kind)),
            Self::Pattern(pattern) => Some(Limit::Pattern(pattern.clone())),
            Self::Number => Some(Limit::Number),
            Self::Unknown(_) => None,
        }
    }
}

/// Something within a column that must not be null.
#[derive(Debug)]
struct InnerNulls {
    path: String,
    steps: Vec<Step>,
    failure: Option<Failure>,
    obstacle: Option<String>,
}

#[derive(Debug, Clone)]
enum Step {
    Field(String),
    Items,
    Values,
}

impl ColumnCheck {
    /// The checks that a contract asks for, if it asks for any.
    /// `may_be_no_number` says that it may hold NaN, which counts as a null.
    pub(super) fn of(name: &str, contract: &ColumnContract, may_be_no_number: bool) -> Option<Self> {
        let asked = &contract.constraints;
        let mut rules = Vec::new();
        let mut add = |constraint: String, asked: Asked| {
            rules.push(Rule { constraint, asked, limit: None, failure: None, obstacle: None });
        };
        if let Some(minimum) = &asked.minimum {
            add(format!("minimum {minimum}"), Asked::Minimum(minimum.clone()));
        }
        if let Some(maximum) = &asked.maximum {
            add(format!("maximum {maximum}"), Asked::Maximum(maximum.clone()));
        }
        if !asked.values.is_empty() {
            let values = JobValue::Array(asked.values.clone());
            add(format!("values {values}"), Asked::Values(asked.values.clone()));
        }
        // The reader of contracts has seen that it is one.
        if let Some(pattern) = &asked.pattern {
            // A comment at its end would take what follows with it, if it did not end with the line.
            let whole = Regex::new(&format!("^(?:{pattern})$"))
                .or_else(|_| Regex::new(&format!("^(?:{pattern}\n)$")));
            add(
                format!("pattern {pattern}"),
                whole.map_or_else(|error| Asked::Unknown(error.to_string()), Asked::Pattern),
            );
        }
        if may_be_no_number {
            if !contract.nullable {
                add(NO_NULLS.to_owned(), Asked::Number);
            }
            if asked.max_null_fraction.is_some() {
                add(FEW_NULLS.to_owned(), Asked::Number);
            }
        }
        let mut inner = Vec::new();
        add_inner(contract, &path_name(name, false), &[], &mut inner);
        (!rules.is_empty() || !inner.is_empty()).then(|| Self { name: name.to_owned(), rules, inner })
    }

    /// Says that nothing of the column can be looked at.
    pub(super) fn refuse(&mut self, obstacle: &str) {
        self.rules.iter_mut().for_each(|rule| rule.obstacle = Some(obstacle.to_owned()));
        for inner in &mut self.inner {
            inner.obstacle = Some(obstacle.to_owned());
        }
    }

    /// Looks at the rows of a batch.
    pub(super) fn add(&mut self, file: usize, first_row: u64, batch: &RecordBatch) {
        let Some(array) = batch.column_by_name(&self.name) else { return };
        for inner in &mut self.inner {
            inner.add(file, first_row, array);
        }
        if self.rules.is_empty() || array.logical_null_count() == array.len() {
            return;
        }
        let comparable = Comparable::of(array);
        for rule in self.rules.iter_mut().filter(|rule| rule.obstacle.is_none()) {
            if let Asked::Unknown(why) = &rule.asked {
                rule.obstacle = Some(why.clone());
                continue;
            }
            if rule.limit.as_ref().is_none_or(|(known, _)| known != array.data_type()) {
                let limit = Kind::of(array.data_type()).and_then(|kind| rule.asked.limit(kind));
                rule.limit = Some((array.data_type().clone(), limit));
            }
            let failure = &mut rule.failure;
            let limit = rule.limit.as_ref().and_then(|(_, limit)| limit.as_ref());
            let checked = comparable.as_ref().zip(limit).and_then(|(values, limit)| {
                values.check(limit, |row| {
                    Failure::add(failure, file, first_row + row as u64, || value_of(array, row));
                })
            });
            if checked.is_none() {
                rule.obstacle = Some(holds(&of_arrow(array.data_type())));
            }
        }
    }

    pub(super) fn outcomes(self) -> impl Iterator<Item = Outcome> {
        let column = self.name.clone();
        let rules = self.rules.into_iter().filter_map(move |rule| {
            let result = match (rule.obstacle, rule.failure) {
                (Some(obstacle), _) => Err(obstacle),
                (None, failure) => Ok(failure?),
            };
            Some(Outcome { column: column.clone(), constraint: rule.constraint, result })
        });
        let inner = self.inner.into_iter().filter_map(|inner| {
            let result = match (inner.obstacle, inner.failure) {
                (Some(obstacle), _) => Err(obstacle),
                (None, failure) => Ok(failure?),
            };
            Some(Outcome { column: inner.path, constraint: NO_NULLS.to_owned(), result })
        });
        rules.chain(inner)
    }
}

/// The beginning of what stands in a row.
pub(super) fn value_of(array: &ArrayRef, row: usize) -> String {
    shown(text_of(array, row).as_bytes())
}

/// What stands in a row.
pub(super) fn text_of(array: &ArrayRef, row: usize) -> String {
    // Arrow shows no moment in a zone that it has no table of.
    let moments = match array.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            cast(array, &DataType::Timestamp(*unit, Some("+00:00".into()))).ok()
        }
        _ => None,
    };
    let options = FormatOptions::new().with_null("null");
    let text = ArrayFormatter::try_new(moments.as_ref().unwrap_or(array), &options)
        .and_then(|values| values.value(row).try_to_string());
    text.unwrap_or_else(|error| error.to_string())
}

/// Adds what within a column must not be null.
fn add_inner(contract: &ColumnContract, path: &str, steps: &[Step], list: &mut Vec<InnerNulls>) {
    let mut within = |inner: &ColumnContract, path: String, step: Step| {
        let steps = [steps, &[step]].concat();
        if !inner.nullable {
            list.push(InnerNulls { path: path.clone(), steps: steps.clone(), failure: None, obstacle: None });
        }
        add_inner(inner, &path, &steps, list);
    };
    for (name, field) in &contract.fields {
        within(field, format!("{path}.{}", path_name(name, false)), Step::Field(name.clone()));
    }
    if let Some(items) = &contract.items {
        within(items, format!("{path}[]"), Step::Items);
    }
    if let Some(values) = &contract.map_values {
        within(values, format!("{path}{{}}"), Step::Values);
    }
}

impl InnerNulls {
    fn add(&mut self, file: usize, first_row: u64, array: &ArrayRef) {
        match has_null(array, &self.steps) {
            Ok(false) => return,
            Ok(true) => {}
            Err(obstacle) => self.obstacle = Some(obstacle),
        }
        for row in (0..array.len()).filter(|_| self.obstacle.is_none()) {
            if has_null(&array.slice(row, 1), &self.steps) == Ok(true) {
                Failure::add(&mut self.failure, file, first_row + row as u64, || value_of(array, row));
            }
        }
    }
}

/// Whether a null stands at the end of the steps in one of the values, or why that cannot be told.
fn has_null(array: &ArrayRef, steps: &[Step]) -> Result<bool, String> {
    let Some((step, rest)) = steps.split_first() else {
        let is_no_number = || {
            array.data_type().is_floating()
                && cast(array, &DataType::Float64).is_ok_and(|floats| {
                    floats.as_primitive::<Float64Type>().iter().flatten().any(f64::is_nan)
                })
        };
        return Ok(array.logical_null_count() > 0 || is_no_number());
    };
    let is_there = is_not_null(array).map_err(|error| error.to_string())?;
    // Nothing is within a null, whatever lies behind it.
    let array = filter(array, &is_there).map_err(|error| error.to_string())?;
    if array.is_empty() {
        return Ok(false);
    }
    let slice = |values: &ArrayRef, from: usize, to: usize| values.slice(from, to - from);
    let inner = match (step, array.data_type()) {
        (Step::Field(name), DataType::Struct(_)) => {
            let Some(field) = array.as_struct().column_by_name(name) else { return Ok(false) };
            field.clone()
        }
        (
            Step::Items,
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::FixedSizeList(item, _)
            | DataType::ListView(item)
            | DataType::LargeListView(item),
        ) => {
            let lists =
                cast(&array, &DataType::LargeList(item.clone())).map_err(|error| error.to_string())?;
            let lists = lists.as_list::<i64>();
            let offsets = lists.value_offsets();
            slice(lists.values(), offsets[0].as_usize(), offsets[lists.len()].as_usize())
        }
        (Step::Values, DataType::Map(..)) => {
            let maps = array.as_map();
            let offsets = maps.value_offsets();
            slice(maps.values(), offsets[0].as_usize(), offsets[maps.len()].as_usize())
        }
        (Step::Values, DataType::Struct(_)) => {
            let fields = array.as_struct().columns();
            if fields.iter().any(|field| field.logical_null_count() > 0) {
                return Err(
                    "in JSON, a key that an object does not have is read as one that is null".to_owned()
                );
            }
            for field in fields {
                if has_null(field, rest)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        (_, data_type) => return Err(holds(&of_arrow(data_type))),
    };
    has_null(&inner, rest)
}
