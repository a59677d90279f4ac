use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, NullArray, StringArray};
use runtime_testing_models::dag::json::{self, Member, Mistake, Node, Value};

use super::SampleData;

/// Everything that is wrong with sample data, in the order of the text. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseSampleError {
    /// The mistakes.
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for ParseSampleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        runtime_testing_models::dag::write_list(formatter, "mistakes", &self.mistakes)
    }
}

impl std::error::Error for ParseSampleError {}

const SHAPE: &str = r#"write an array for each column: {"id": [1, 2], "name": ["a", "b"]}"#;

pub(super) fn read(text: &str) -> Result<SampleData, ParseSampleError> {
    let fail = |mistakes| Err(ParseSampleError { mistakes });
    let root = match json::parse(text) {
        Ok(root) => root,
        Err(mistake) => return fail(vec![mistake]),
    };
    let Value::Object(members) = &root.value else {
        let message = format!("expected an object, found {}", root.value.describe());
        return fail(vec![Mistake::new(text, root.offset, "", message).with_hint(SHAPE)]);
    };
    if members.is_empty() {
        return fail(vec![Mistake::new(text, root.offset, "", "there are no columns").with_hint(SHAPE)]);
    }
    let mut mistakes = Vec::new();
    let mut columns = Vec::new();
    let mut first_length = None;
    for member in members {
        let Value::Array(nodes) = &member.value.value else {
            let message = format!("expected an array, found {}", member.value.value.describe());
            mistakes.push(Mistake::new(text, member.value.offset, &*member.key, message).with_hint(SHAPE));
            continue;
        };
        let (first, length) = *first_length.get_or_insert((&member.key, nodes.len()));
        if nodes.len() != length {
            let message = format!("the length is {}, that of `{first}` is {length}", nodes.len());
            mistakes.push(Mistake::new(text, member.value.offset, &*member.key, message));
        }
        match column(text, member, nodes) {
            Ok(column) => columns.push((&*member.key, column, true)),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() { Ok(SampleData::of_columns(columns)) } else { fail(mistakes) }
}

/// The values of a column, which are of one kind.
fn column(text: &str, member: &Member<'_>, nodes: &[Node<'_>]) -> Result<ArrayRef, Mistake> {
    let mistake = |place: usize, message: String| {
        Mistake::new(text, nodes[place].offset, format!("{}[{place}]", member.key), message)
    };
    let mut kind: Option<&'static str> = None;
    for (place, node) in nodes.iter().enumerate() {
        let found = node.value.describe();
        match (&node.value, kind) {
            (Value::Null, _) => {}
            (Value::Array(_) | Value::Object(_), _) => {
                let message = format!("expected a boolean, a number, a string or null, found {found}");
                return Err(mistake(place, message));
            }
            (_, Some(kind)) if kind != found => {
                return Err(mistake(place, format!("expected {kind} as before, found {found}")));
            }
            _ => kind = Some(found),
        }
    }
    let values = || nodes.iter().map(|node| &node.value);
    Ok(match values().find(|value| **value != Value::Null) {
        None => Arc::new(NullArray::new(nodes.len())),
        Some(Value::Bool(_)) => Arc::new(values().map(boolean).collect::<BooleanArray>()),
        Some(Value::String(_)) => Arc::new(values().map(string).collect::<StringArray>()),
        Some(_) => {
            let is_integer = |value: &Value<'_>| number(value).is_none_or(|text| text.parse::<i64>().is_ok());
            if values().all(is_integer) {
                let integers = values().map(|value| number(value)?.parse().ok());
                return Ok(Arc::new(integers.collect::<Int64Array>()));
            }
            let floats: Vec<Option<f64>> = values().map(|value| number(value)?.parse().ok()).collect();
            if let Some(place) = floats.iter().position(|float| float.is_some_and(f64::is_infinite)) {
                return Err(mistake(place, "the number is too large for a float".to_owned()));
            }
            Arc::new(Float64Array::from(floats))
        }
    })
}

fn boolean(value: &Value<'_>) -> Option<bool> {
    if let Value::Bool(value) = value { Some(*value) } else { None }
}

fn string<'a>(value: &'a Value<'_>) -> Option<&'a str> {
    if let Value::String(value) = value { Some(value) } else { None }
}

fn number<'a>(value: &'a Value<'_>) -> Option<&'a str> {
    if let Value::Number(value) = value { Some(value) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::arrow_type::of_arrow;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let sample = read(text).expect("good sample data");
        let schema = sample.batch().schema();
        let columns = schema.fields().iter().zip(sample.batch().columns()).map(|(field, column)| {
            let nulls = column.logical_null_count();
            format!("{}: {}, {nulls} nulls", field.name(), of_arrow(field.data_type()))
        });
        assert_eq!(columns.collect::<Vec<_>>().join("; "), expected);
    }

    #[test]
    fn columns_have_types() {
        check(r#"{"b": [1, 2], "a": ["x", null]}"#, "b: int64, 0 nulls; a: text, 1 nulls");
        check(r#"{"a": [1, 2.5, null, 9223372036854775808]}"#, "a: float64, 1 nulls");
        check(r#"{"a": [null, true], "b": [null, null]}"#, "a: boolean, 1 nulls; b: null, 2 nulls");
        check(r#"{"a": []}"#, "a: null, 0 nulls");
    }

    #[track_caller]
    fn check_mistakes(text: &str, expected: &str) {
        assert_eq!(read(text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn mistakes_have_a_place() {
        check_mistakes("[1]", &format!("line 1, column 1: expected an object, found an array; {SHAPE}"));
        check_mistakes("{}", &format!("line 1, column 1: there are no columns; {SHAPE}"));
        check_mistakes(
            "{\"a\": 1}",
            &format!("line 1, column 7: `a`: expected an array, found a number; {SHAPE}"),
        );
        check_mistakes(
            r#"{"a": [1, "x"]}"#,
            "line 1, column 11: `a[1]`: expected a number as before, found a string",
        );
        check_mistakes(
            r#"{"a": [[1]]}"#,
            "line 1, column 8: `a[0]`: expected a boolean, a number, a string or null, found an array",
        );
        check_mistakes(
            r#"{"a": [0.5, 1e999]}"#,
            "line 1, column 13: `a[1]`: the number is too large for a float",
        );
        check_mistakes(
            "{\"a\": [NaN]}",
            "line 1, column 8: expected value; `NaN` and `Infinity` are not JSON: write a string or null instead",
        );
    }

    #[test]
    fn mistakes_are_reported_together() {
        let error = read("{\"a\": [1, 2],\n \"b\": [1],\n \"c\": [true, 1]}").unwrap_err();
        insta::assert_snapshot!(error, @"
        2 mistakes:
          - line 2, column 7: `b`: the length is 1, that of `a` is 2
          - line 3, column 14: `c[1]`: expected a boolean as before, found a number
        ");
    }
}
