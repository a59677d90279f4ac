use std::collections::BTreeMap;

use crate::type_words::TypeWords;

/// The type of one or of many JSON values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JsonType {
    Null,
    Boolean,
    Int,
    Float,
    Text,
    List(Box<JsonType>),
    Struct(BTreeMap<String, JsonType>),
    Mixed,
}

impl JsonType {
    /// Widens the type so that it takes in another. Whether that changed what was known before: a first value after
    /// nulls does not, a new field of a struct does.
    pub(crate) fn widen(&mut self, other: Self) -> bool {
        match (&mut *self, other) {
            (_, Self::Null) | (Self::Mixed, _) | (Self::Float, Self::Int) => false,
            (Self::Null, other) => {
                *self = other;
                false
            }
            (Self::Boolean, Self::Boolean)
            | (Self::Int, Self::Int)
            | (Self::Float, Self::Float)
            | (Self::Text, Self::Text) => false,
            (Self::Int, Self::Float) => {
                *self = Self::Float;
                true
            }
            (Self::List(item), Self::List(other)) => item.widen(*other),
            (Self::Struct(fields), Self::Struct(others)) => {
                let mut changed = false;
                for (name, other) in others {
                    match fields.get_mut(&name) {
                        Some(field) => changed |= field.widen(other),
                        None => {
                            fields.insert(name, other);
                            changed = true;
                        }
                    }
                }
                changed
            }
            _ => {
                *self = Self::Mixed;
                true
            }
        }
    }

    pub(crate) fn words(&self) -> TypeWords {
        match self {
            Self::Null => TypeWords::Null,
            Self::Boolean => TypeWords::Boolean,
            Self::Int => TypeWords::Int(64),
            Self::Float => TypeWords::Float(64),
            Self::Text => TypeWords::Text,
            Self::List(item) => TypeWords::List(Box::new(item.words())),
            Self::Struct(fields) => {
                TypeWords::Struct(fields.iter().map(|(name, field)| (name.clone(), field.words())).collect())
            }
            Self::Mixed => TypeWords::Mixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(item: JsonType) -> JsonType {
        JsonType::List(Box::new(item))
    }

    fn record(fields: &[(&str, JsonType)]) -> JsonType {
        JsonType::Struct(fields.iter().map(|(name, field)| ((*name).to_owned(), field.clone())).collect())
    }

    #[track_caller]
    fn check(first: &JsonType, second: &JsonType, expected: &str, changes: bool) {
        let mut widened = first.clone();
        assert_eq!(widened.widen(second.clone()), changes);
        assert_eq!(widened.words().to_string(), expected);
        let mut reversed = second.clone();
        reversed.widen(first.clone());
        assert_eq!(reversed, widened, "the order of values does not change the type");
        assert!(!widened.clone().widen(first.clone()) && !widened.clone().widen(second.clone()));
    }

    #[test]
    fn types_widen() {
        use JsonType::{Boolean, Float, Int, Mixed, Null, Text};

        check(&Null, &Null, "null", false);
        check(&Null, &Int, "int64", false);
        check(&Text, &Null, "text", false);
        check(&Boolean, &Boolean, "boolean", false);
        check(&Int, &Float, "float64", true);
        check(&Float, &Int, "float64", false);
        check(&Int, &Text, "mixed", true);
        check(&Boolean, &Int, "mixed", true);
        check(&Mixed, &Int, "mixed", false);
        check(&list(Null), &list(Int), "list<int64>", false);
        check(&list(Int), &list(Float), "list<float64>", true);
        check(&list(Int), &Int, "mixed", true);
        check(&list(Int), &list(Text), "list<mixed>", true);
    }

    #[test]
    fn structs_gain_fields() {
        let (a, b) = (record(&[("a", JsonType::Int)]), record(&[("b", JsonType::Text)]));
        check(&a, &b, "struct<a: int64, b: text>", true);
        check(&a, &record(&[("a", JsonType::Null)]), "struct<a: int64>", false);
        check(&a, &record(&[("a", JsonType::Float)]), "struct<a: float64>", true);
        check(&a, &list(a.clone()), "mixed", true);
        check(&record(&[]), &a, "struct<a: int64>", true);
    }
}
