use std::collections::BTreeMap;

use crate::limits::{MOST_NAME_BYTES, name_bytes};
use crate::types::join::one_type;
use runtime_testing_models::LogicalType;

/// What widening a type has done to it. The later, the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Widened {
    /// It took in the other already.
    Same,
    /// A first value came after nulls.
    Filled,
    /// A first negative integer came.
    Signed,
    /// A struct has a new field.
    Added,
    /// What was known before is no longer so.
    Changed,
}

/// The type of one or of many JSON values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JsonType {
    Null,
    Boolean,
    /// Integers of 64 bits, none of them negative.
    Int,
    /// The same with negative ones.
    Signed,
    /// Integers of 64 bits without a sign.
    Uint,
    /// Integers of which 64 bits do not hold all. They are text, which says them exactly.
    Long,
    Float,
    Text,
    List(Box<JsonType>),
    Struct(BTreeMap<String, JsonType>),
    /// The values of an object with more keys than are kept.
    Map(Box<JsonType>),
    Mixed,
}

impl JsonType {
    /// Widens the type so that it takes in another. What the names take that it gains is added to `names`.
    pub(crate) fn widen(&mut self, other: Self, names: &mut usize) -> Widened {
        match (&mut *self, other) {
            (_, Self::Null) | (Self::Mixed, _) => Widened::Same,
            (Self::Null, other) => {
                *names += other.name_bytes();
                *self = other;
                Widened::Filled
            }
            (Self::Boolean, Self::Boolean) | (Self::Text, Self::Text) => Widened::Same,
            (one, other) if one.is_number() && other.is_number() => {
                let both = one.number_with(&other);
                let widened = match (&*one, &both) {
                    (one, both) if one == both => Widened::Same,
                    (Self::Int, Self::Signed) => Widened::Signed,
                    _ => Widened::Changed,
                };
                *one = both;
                widened
            }
            (Self::List(item), Self::List(other)) => item.widen(*other, names),
            (Self::Map(values), Self::Map(other)) => values.widen(*other, names),
            (Self::Map(values), Self::Struct(fields)) => {
                fields.into_values().map(|field| values.widen(field, names)).max().unwrap_or(Widened::Same)
            }
            (Self::Struct(_), map @ Self::Map(_)) => {
                let fields = std::mem::replace(self, map);
                self.widen(fields, names);
                Widened::Changed
            }
            (Self::Struct(fields), Self::Struct(others)) => {
                let mut widened = Widened::Same;
                for (name, other) in others {
                    let field = match fields.get_mut(&name) {
                        Some(field) => field.widen(other, names),
                        None => {
                            *names += name_bytes(&name) + other.name_bytes();
                            fields.insert(name, other);
                            Widened::Added
                        }
                    };
                    widened = widened.max(field);
                }
                widened
            }
            _ => {
                *self = Self::Mixed;
                Widened::Changed
            }
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Signed | Self::Uint | Self::Long | Self::Float)
    }

    /// The narrowest type of numbers that are of both types.
    fn number_with(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Float, _) | (_, Self::Float) => Self::Float,
            (one, other) if one == other => one.clone(),
            (Self::Int, wider) | (wider, Self::Int) => wider.clone(),
            _ => Self::Long,
        }
    }

    /// Makes maps of the outermost structs whose values are all of one type: their keys are data.
    fn forget_keys(&mut self, names: &mut usize) {
        match self {
            Self::List(inner) | Self::Map(inner) => inner.forget_keys(names),
            Self::Struct(fields) if one_type(fields.values().map(Self::words)).is_some() => {
                let mut values = Self::Null;
                for (name, field) in std::mem::take(fields) {
                    *names = names.saturating_sub(name_bytes(&name) + field.name_bytes());
                    values.widen(field, names);
                }
                *self = Self::Map(Box::new(values));
            }
            Self::Struct(fields) => fields.values_mut().for_each(|field| field.forget_keys(names)),
            _ => {}
        }
    }

    /// Forgets keys that are data until the names, which take more than they may, take half of that, and says whether they do.
    pub(crate) fn forget_data(&mut self, names: &mut usize) -> bool {
        loop {
            let before = *names;
            self.forget_keys(names);
            if *names <= MOST_NAME_BYTES / 2 || *names >= before {
                return *names <= MOST_NAME_BYTES / 2;
            }
        }
    }

    /// What its names take.
    fn name_bytes(&self) -> usize {
        match self {
            Self::List(item) | Self::Map(item) => item.name_bytes(),
            Self::Struct(fields) => {
                fields.iter().map(|(name, field)| name_bytes(name) + field.name_bytes()).sum()
            }
            _ => 0,
        }
    }

    pub(crate) fn words(&self) -> LogicalType {
        match self {
            Self::Null => LogicalType::Null,
            Self::Boolean => LogicalType::Boolean,
            Self::Int | Self::Signed => LogicalType::Int(64),
            Self::Uint => LogicalType::Uint(64),
            Self::Float => LogicalType::Float(64),
            Self::Text | Self::Long => LogicalType::Text,
            Self::List(item) => LogicalType::List(Box::new(item.words())),
            Self::Struct(fields) => LogicalType::Struct(
                fields.iter().map(|(name, field)| (name.clone(), field.words())).collect(),
            ),
            Self::Map(values) => LogicalType::Map(Box::new(LogicalType::Text), Box::new(values.words())),
            Self::Mixed => LogicalType::Mixed,
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
    fn check(first: &JsonType, second: &JsonType, expected: &str, change: Widened) {
        let (mut widened, mut names) = (first.clone(), first.name_bytes());
        assert_eq!(widened.widen(second.clone(), &mut names), change);
        assert_eq!(widened.words().to_string(), expected);
        if widened != JsonType::Mixed {
            assert_eq!(names, widened.name_bytes());
        }
        let mut reversed = second.clone();
        reversed.widen(first.clone(), &mut 0);
        assert_eq!(reversed, widened, "the order of values does not change the type");
        for again in [first, second] {
            assert_eq!(widened.clone().widen(again.clone(), &mut 0), Widened::Same);
        }
    }

    #[test]
    fn types_widen() {
        use JsonType::{Boolean, Float, Int, Long, Mixed, Null, Signed, Text, Uint};
        use Widened::{Changed, Filled, Same};

        check(&Null, &Null, "null", Same);
        check(&Null, &Int, "int64", Filled);
        check(&Text, &Null, "text", Same);
        check(&Boolean, &Boolean, "boolean", Same);
        check(&Int, &Float, "float64", Changed);
        check(&Float, &Int, "float64", Same);
        check(&Int, &Signed, "int64", Widened::Signed);
        check(&Int, &Uint, "uint64", Changed);
        check(&Signed, &Uint, "text", Changed);
        check(&Long, &Uint, "text", Same);
        check(&Long, &Float, "float64", Changed);
        check(&Long, &Text, "mixed", Changed);
        check(&Int, &Text, "mixed", Changed);
        check(&Boolean, &Int, "mixed", Changed);
        check(&Mixed, &Int, "mixed", Same);
        check(&list(Null), &list(Int), "list<int64>", Filled);
        check(&list(Int), &list(Float), "list<float64>", Changed);
        check(&list(Int), &Int, "mixed", Changed);
        check(&list(Int), &list(Text), "list<mixed>", Changed);
    }

    #[test]
    fn structs_gain_fields() {
        let (a, b) = (record(&[("a", JsonType::Int)]), record(&[("b", JsonType::Text)]));
        check(&a, &b, "struct<a: int64, b: text>", Widened::Added);
        check(&a, &record(&[("a", JsonType::Null)]), "struct<a: int64>", Widened::Same);
        check(&a, &record(&[("a", JsonType::Float)]), "struct<a: float64>", Widened::Changed);
        check(&a, &list(a.clone()), "mixed", Widened::Changed);
        check(&record(&[]), &a, "struct<a: int64>", Widened::Added);
        let both = record(&[("a", JsonType::Text), ("b", JsonType::Int)]);
        check(&a, &both, "struct<a: mixed, b: int64>", Widened::Changed);
    }
}
