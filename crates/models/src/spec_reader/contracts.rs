use runtime_testing_dag::json::{self, Node, Value};
use runtime_testing_dag::nearest;

use super::Reader;
use crate::{ColumnContract, ExtraColumns, TableContract, TypeWord};

impl Reader<'_> {
    pub(super) fn contract(&mut self, node: &Node<'_>, path: &str) -> Option<TableContract> {
        let mut contract = TableContract::default();
        let mut has_columns = false;
        let before = self.mistakes.len();
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            match &*member.key {
                "columns" => {
                    has_columns = true;
                    for column in self.object(&member.value, &key) {
                        if let Some(read) = self.column(&column.value, &json::join(&key, &column.key)) {
                            contract.columns.insert(column.key.clone().into_owned(), read);
                        }
                    }
                }
                "extra_columns" => match self.string(&member.value, &key).as_deref() {
                    Some("allow") => contract.extra_columns = ExtraColumns::Allow,
                    Some("forbid") => contract.extra_columns = ExtraColumns::Forbid,
                    Some(other) => {
                        self.mistake(
                            member.value.offset,
                            &key,
                            format!("expected `allow` or `forbid`, found `{other}`"),
                        );
                    }
                    None => {}
                },
                "min_rows" => match member.value.value {
                    Value::Number(text) if text.parse::<u64>().is_ok() => {
                        contract.min_rows = text.parse().ok()
                    }
                    _ => self.mistake(member.value.offset, &key, "expected a whole number, zero or more"),
                },
                _ => self.unknown_key(member, path, &["columns", "extra_columns", "min_rows"]),
            }
        }
        if !has_columns && self.mistakes.len() == before {
            self.mistake(node.offset, path, "the key `columns` is missing");
        }
        (self.mistakes.len() == before).then_some(contract)
    }

    fn column(&mut self, node: &Node<'_>, path: &str) -> Option<ColumnContract> {
        if let Value::String(word) = &node.value {
            return self.type_word(node, path, word).map(ColumnContract::new);
        }
        if !matches!(node.value, Value::Object(_)) {
            self.wrong_type(node, path, r#"a type such as "integer", or an object with `type`"#);
            return None;
        }
        let (mut data_type, mut nullable, mut optional) = (None, true, false);
        let before = self.mistakes.len();
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            match &*member.key {
                "type" => {
                    data_type = self
                        .string(&member.value, &key)
                        .and_then(|word| self.type_word(&member.value, &key, &word));
                }
                "nullable" => nullable = self.boolean(&member.value, &key).unwrap_or(nullable),
                "optional" => optional = self.boolean(&member.value, &key).unwrap_or(optional),
                _ => self.unknown_key(member, path, &["type", "nullable", "optional"]),
            }
        }
        if data_type.is_none() && self.mistakes.len() == before {
            self.mistake(node.offset, path, "the key `type` is missing");
        }
        Some(ColumnContract { data_type: data_type?, nullable, optional })
    }

    fn type_word(&mut self, node: &Node<'_>, path: &str, word: &str) -> Option<TypeWord> {
        let known = TypeWord::from_word(word);
        if known.is_none() {
            let meant = match word.to_ascii_lowercase().as_str() {
                "int" | "int32" | "int64" | "long" | "bigint" => Some("integer"),
                "str" | "string" | "object" | "varchar" | "utf8" => Some("text"),
                "double" | "float32" | "float64" | "real" | "number" => Some("float"),
                "bool" => Some("boolean"),
                "datetime" | "datetime64" => Some("timestamp"),
                "bytes" | "blob" => Some("binary"),
                "array" => Some("list"),
                lower => nearest(lower, TypeWord::ALL.iter().map(|word| word.as_str())),
            };
            let all: Vec<&str> = TypeWord::ALL.iter().map(|word| word.as_str()).collect();
            let hint = match meant {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("the types are `{}`", all.join("`, `")),
            };
            self.hinted(node.offset, path, format!("unknown type `{word}`"), hint);
        }
        known
    }
}
