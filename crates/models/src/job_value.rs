use indexmap::IndexMap;
use runtime_testing_dag::json::{Node, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

/// A value of `job_args`: any JSON value. Numbers keep the text they were written with, so that `1.10`,
/// `1e400` and integers of any length survive a round trip.
///
/// ```
/// use runtime_testing_models::JobValue;
///
/// let value = JobValue::from(serde_json::json!({"depth": 6, "names": ["a", "b"]}));
/// assert_eq!(serde_json::to_string(&value)?, r#"{"depth":6,"names":["a","b"]}"#);
/// let exact: JobValue = serde_json::from_str("1.10")?;
/// assert_eq!(exact, JobValue::Number("1.10".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobValue {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(JobNumber),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<JobValue>),
    /// An object, in the order written.
    Object(IndexMap<String, JobValue>),
}

/// A number in the text it was written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobNumber(String);

/// A text is not a number as JSON writes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a number as JSON writes it")]
pub struct InvalidNumber(pub String);

impl std::fmt::Display for JobNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl JobNumber {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for JobNumber {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        match runtime_testing_dag::json::parse(text) {
            Ok(Node { value: Value::Number(number), .. }) if number == text => Ok(Self(text.to_owned())),
            _ => Err(InvalidNumber(text.to_owned())),
        }
    }
}

impl JobValue {
    pub(crate) fn from_node(node: &Node<'_>) -> Self {
        match &node.value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(text) => Self::Number(JobNumber((*text).to_owned())),
            Value::String(text) => Self::String(text.clone().into_owned()),
            Value::Array(items) => Self::Array(items.iter().map(Self::from_node).collect()),
            Value::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|member| (member.key.clone().into_owned(), Self::from_node(&member.value)))
                    .collect(),
            ),
        }
    }
}

impl JobValue {
    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value, if it is `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if it is a whole one of 64 bits, written without a point.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_str().parse().ok(),
            _ => None,
        }
    }

    /// The number, if it is one: the float that is nearest to it.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_str().parse().ok(),
            _ => None,
        }
    }
}

/// Written as JSON.
impl std::fmt::Display for JobValue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&serde_json::to_string(self).map_err(|_| std::fmt::Error)?)
    }
}

impl From<serde_json::Value> for JobValue {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => Self::Number(JobNumber(number.to_string())),
            serde_json::Value::String(text) => Self::String(text),
            serde_json::Value::Array(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(members) => {
                Self::Object(members.into_iter().map(|(key, value)| (key, Self::from(value))).collect())
            }
        }
    }
}

impl From<&str> for JobValue {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<bool> for JobValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for JobValue {
    fn from(value: i64) -> Self {
        Self::Number(JobNumber(value.to_string()))
    }
}

impl Serialize for JobValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => serialize_number(number.as_str(), serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => serializer.collect_map(members),
        }
    }
}

/// As a plain number where that writes the same text, so that any format can take it; else as raw JSON.
fn serialize_number<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Number(number)) if number.to_string() == text => number.serialize(serializer),
        _ => {
            let raw: Box<RawValue> = serde_json::from_str(text).map_err(ser::Error::custom)?;
            raw.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for JobValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let node = runtime_testing_dag::json::parse(raw.get()).map_err(de::Error::custom)?;
        Ok(Self::from_node(&node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_round_trip(text: &str) {
        let value: JobValue = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
    }

    #[test]
    fn every_value_survives() {
        for text in [
            "null",
            "true",
            "0",
            "-0",
            "-0.0",
            "1.10",
            "1e400",
            "1E5",
            "0.1000000000000000055511151231257827",
            "123456789012345678901234567890",
            "18446744073709551616",
            r#""\u0000 é \"""#,
            r#"[1,[2.50,{"b":null,"a":[]}],{}]"#,
        ] {
            check_round_trip(text);
        }
    }

    #[test]
    fn only_numbers_are_numbers() {
        for text in ["six", "", " 1", "01", "+1", "1.", "NaN", "\"1\"", "1 "] {
            assert!(text.parse::<JobNumber>().is_err(), "{text:?}");
        }
        assert_eq!("-1.50e+3".parse::<JobNumber>().unwrap().as_str(), "-1.50e+3");
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error() {
        let error = serde_json::from_str::<JobValue>(r#"{"a": {"b": 1, "b": 2}}"#).unwrap_err().to_string();
        assert!(error.contains("`a.b`: duplicate key"), "{error}");
    }
}
