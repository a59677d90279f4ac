use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest a name may be, in bytes of UTF-8. File systems allow 255 for a file name; the rest is left for what
/// is put around a name, `_runtime_test_spec.json` for one.
pub const MAX_NAME_BYTES: usize = 200;

/// What a [`Name`] names. Two names of different kinds are different types.
pub trait NameKind: 'static {
    /// The noun that error messages use, such as `step name`.
    const NOUN: &'static str;
}

/// The kind of [`StepName`].
#[derive(Debug)]
pub enum StepKind {}

impl NameKind for StepKind {
    const NOUN: &'static str = "step name";
}

/// The name of a step: one node of the pipeline's DAG.
pub type StepName = Name<StepKind>;

/// A validated name. Names end up in file names, so an invalid one cannot be made: not empty, at most
/// [`MAX_NAME_BYTES`] bytes, no `/` or `\`, no control character, not `.` or `..`, and no `->`, which separates
/// the two ends of an edge in a report.
///
/// Cloning is cheap (a reference count).
///
/// ```
/// use runtime_testing_dag::StepName;
///
/// let name: StepName = "train_model".parse()?;
/// assert_eq!(name.as_str(), "train_model");
/// let error = StepName::new("../train").unwrap_err();
/// assert_eq!(error.to_string(), r"invalid step name `../train`: it contains `/`");
/// # Ok::<(), runtime_testing_dag::InvalidName>(())
/// ```
pub struct Name<K> {
    text: Arc<str>,
    kind: PhantomData<fn() -> K>,
}

/// Why a text is not a name.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {noun} `{}`: {rule}", shown(.name))]
pub struct InvalidName {
    /// What it was to be the name of, such as `step name`.
    pub noun: &'static str,
    /// The text as it was given.
    pub name: String,
    /// The rule it breaks.
    pub rule: NameRule,
}

/// Its text, which is what a test prints that ends with `?`.
impl fmt::Debug for InvalidName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The rules of a name; an [`InvalidName`] carries the first that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameRule {
    /// A name has at least one character.
    #[error("it is empty")]
    Empty,
    /// A name is at most [`MAX_NAME_BYTES`] bytes long.
    #[error("it is {0} bytes long and may have at most {MAX_NAME_BYTES}")]
    TooLong(usize),
    /// A name is one component of a path.
    #[error("it contains `{0}`")]
    Separator(char),
    /// A name has no control characters, NUL and newline included.
    #[error("it contains the control character U+{:04X}", u32::from(*.0))]
    Control(char),
    /// A name is not one of the two special folders.
    #[error("it means a folder of the file system")]
    SpecialFolder,
    /// A name has no `->`.
    #[error("it contains `->`, which separates the ends of an edge")]
    Arrow,
}

fn shown(name: &str) -> String {
    let mut shown: String = name.chars().take(60).flat_map(char::escape_debug).collect();
    if name.chars().nth(60).is_some() {
        shown.push('…');
    }
    // `escape_debug` also escapes quotes, which the message does not need.
    shown.replace("\\'", "'").replace("\\\"", "\"").replace("\\\\", "\\")
}

fn check(text: &str) -> Result<(), NameRule> {
    if text.is_empty() {
        return Err(NameRule::Empty);
    }
    if text.len() > MAX_NAME_BYTES {
        return Err(NameRule::TooLong(text.len()));
    }
    if let Some(character) = text.chars().find(|character| character.is_control()) {
        return Err(NameRule::Control(character));
    }
    if let Some(separator) = text.chars().find(|character| matches!(character, '/' | '\\')) {
        return Err(NameRule::Separator(separator));
    }
    if text == "." || text == ".." {
        return Err(NameRule::SpecialFolder);
    }
    if text.contains("->") {
        return Err(NameRule::Arrow);
    }
    Ok(())
}

impl<K: NameKind> Name<K> {
    /// Validates `text` and makes a name of it.
    ///
    /// # Errors
    ///
    /// [`InvalidName`], with the first rule that `text` breaks.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidName> {
        let text = text.as_ref();
        match check(text) {
            Ok(()) => Ok(Self { text: text.into(), kind: PhantomData }),
            Err(rule) => Err(InvalidName { noun: K::NOUN, name: text.to_owned(), rule }),
        }
    }

    /// The same text as a name of another kind. The rules are the same for every kind, so this cannot fail.
    pub fn cast<Other: NameKind>(&self) -> Name<Other> {
        Name { text: Arc::clone(&self.text), kind: PhantomData }
    }
}

impl<K> Name<K> {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

// The impls below are written out because a derive would ask the same of the kind `K`, which is never a value.

impl<K> Clone for Name<K> {
    fn clone(&self) -> Self {
        Self { text: Arc::clone(&self.text), kind: PhantomData }
    }
}

impl<K> fmt::Debug for Name<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl<K> fmt::Display for Name<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), formatter)
    }
}

impl<K> PartialEq for Name<K> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<K> Eq for Name<K> {}

impl<K> PartialEq<str> for Name<K> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl<K> PartialEq<&str> for Name<K> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl<K> PartialOrd for Name<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Name<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl<K> Hash for Name<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl<K> Borrow<str> for Name<K> {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl<K> AsRef<str> for Name<K> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<K: NameKind> FromStr for Name<K> {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl<K: NameKind> TryFrom<&str> for Name<K> {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl<K: NameKind> TryFrom<String> for Name<K> {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

/// As the rules of names are: text.
#[cfg(feature = "schema")]
impl<K> schemars::JsonSchema for Name<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX_NAME_BYTES })
    }
}

impl<K> Serialize for Name<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, K: NameKind> Deserialize<'de> for Name<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor<K>(PhantomData<fn() -> K>);

        impl<K: NameKind> de::Visitor<'_> for NameVisitor<K> {
            type Value = Name<K>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a {}", K::NOUN)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name<K>, E> {
                Name::new(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(NameVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_rule(text: &str, rule: NameRule) {
        assert_eq!(StepName::new(text).unwrap_err().rule, rule, "for {text:?}");
    }

    #[test]
    fn every_rule_refuses() {
        check_rule("", NameRule::Empty);
        check_rule(&"x".repeat(201), NameRule::TooLong(201));
        check_rule(&"é".repeat(101), NameRule::TooLong(202));
        check_rule("a/b", NameRule::Separator('/'));
        check_rule("a\\b", NameRule::Separator('\\'));
        check_rule("/", NameRule::Separator('/'));
        check_rule("../../etc/passwd", NameRule::Separator('/'));
        check_rule("a\0b", NameRule::Control('\0'));
        check_rule("a\nb", NameRule::Control('\n'));
        check_rule("a\u{7f}", NameRule::Control('\u{7f}'));
        check_rule("a\u{85}", NameRule::Control('\u{85}'));
        check_rule(".", NameRule::SpecialFolder);
        check_rule("..", NameRule::SpecialFolder);
        check_rule("a->b", NameRule::Arrow);
        check_rule("->", NameRule::Arrow);
    }

    #[test]
    fn what_is_not_forbidden_is_allowed() {
        for text in [
            "a",
            "...",
            ".hidden",
            "a-b",
            "a>b",
            "a-",
            "XGBoostModelEval_evaluation",
            "schön 日本",
            &"x".repeat(200),
        ] {
            assert_eq!(StepName::new(text).map(|name| name.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn no_way_around_validation() {
        assert!("a/b".parse::<StepName>().is_err());
        assert!(StepName::try_from("a/b".to_owned()).is_err());
        let error = serde_json::from_str::<StepName>("\"a/b\"").unwrap_err().to_string();
        assert!(error.contains("invalid step name `a/b`"), "{error}");
        assert!(
            serde_json::from_str::<StepName>("3").unwrap_err().to_string().contains("expected a step name")
        );
    }

    #[test]
    fn messages_stay_on_one_short_line() {
        let error = StepName::new(format!("bell\u{7}{}", "x".repeat(500))).unwrap_err().to_string();
        assert!(error.len() < 200 && !error.chars().any(char::is_control), "{error}");
        let error = StepName::new("bell\u{7}\"'\\").unwrap_err().to_string();
        assert_eq!(error, r#"invalid step name `bell\u{7}"'\`: it contains the control character U+0007"#);
    }
}
