use std::str::FromStr;

use globset::GlobBuilder;
use indexmap::IndexMap;
use regex::Regex;
use runtime_testing_dag::json::{self, Member, Mistakes, Node, Value};
use runtime_testing_dag::nearest;

use super::{ParseSpecError, Reader, finish};
use crate::{
    ColumnContract, Constraints, ContractType, DataContract, FileContract, FilesContract, JobNumber,
    JobValue, Permission, TableContract, TypeWord,
};

/// What is asked of a table.
const TABLE_KEYS: [&str; 8] =
    ["columns", "extra_columns", "min_rows", "max_rows", "unique", "empty_files", "delimiter", "null_values"];

/// What is asked of a folder.
const FOLDER_KEYS: [&str; 3] = ["files", "extra_files", "null_values"];

/// What is asked of a column and of what is within one.
const COLUMN_KEYS: [&str; 6] = ["type", "nullable", "optional", "fields", "items", "values"];

/// What is asked of the values of a column.
const CONSTRAINT_KEYS: [&str; 5] = ["unique", "minimum", "maximum", "pattern", "max_null_fraction"];

/// A contract in a text of its own, as `input_schemas` of a spec have it.
impl FromStr for DataContract {
    type Err = ParseSpecError;

    fn from_str(text: &str) -> Result<Self, ParseSpecError> {
        let root = json::parse(text).map_err(|mistake| ParseSpecError { mistakes: vec![mistake] })?;
        let mut mistakes = Mistakes::of(text);
        let contract = Reader { mistakes: &mut mistakes }.contract(&root, "");
        finish(mistakes, contract)
    }
}

impl Reader<'_, '_> {
    pub(super) fn contract(&mut self, node: &Node<'_>, path: &str) -> Option<DataContract> {
        let is_folder = match &node.value {
            Value::Object(members) => members.iter().any(|member| member.key == "files"),
            _ => false,
        };
        if is_folder {
            return self.folder(node, path).map(DataContract::Files);
        }
        self.table(node, path, true).map(DataContract::Table)
    }

    fn folder(&mut self, node: &Node<'_>, path: &str) -> Option<FilesContract> {
        let mut contract = FilesContract::default();
        let before = self.mistakes.count();
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            match &*member.key {
                "files" => {
                    for file in self.object(&member.value, &key) {
                        let key = json::join(&key, &file.key);
                        self.check_glob(file, &key);
                        if let Some(read) = self.file(&file.value, &key) {
                            contract.files.insert(file.key.clone().into_owned(), read);
                        }
                    }
                }
                "extra_files" => {
                    contract.extra_files = self.permission(&member.value, &key).unwrap_or_default()
                }
                "null_values" => contract.null_values = self.texts(&member.value, &key),
                _ => self.unknown_key(member, path, &FOLDER_KEYS),
            }
        }
        (self.mistakes.count() == before).then_some(contract)
    }

    fn check_glob(&mut self, file: &Member<'_>, key: &str) {
        if file.key.is_empty() {
            self.mistake(file.offset, key, "the glob is empty, which no file matches");
        }
        if let Err(error) = GlobBuilder::new(&file.key).literal_separator(true).build() {
            self.mistake(file.offset, key, format!("no glob: {}", error.kind()));
        }
    }

    fn file(&mut self, node: &Node<'_>, path: &str) -> Option<FileContract> {
        match &node.value {
            Value::String(word) if word == "present" => Some(FileContract::Present),
            Value::String(word) if word == "optional" => Some(FileContract::Optional),
            Value::Object(_) => self.table(node, path, false).map(FileContract::Table),
            _ => {
                self.wrong_type(node, path, "`\"present\"`, `\"optional\"`, or an object with `columns`");
                None
            }
        }
    }

    fn table(&mut self, node: &Node<'_>, path: &str, is_all: bool) -> Option<TableContract> {
        let mut contract = TableContract::default();
        let mut has_columns = false;
        let before = self.mistakes.count();
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            match &*member.key {
                "columns" => {
                    has_columns = true;
                    contract.columns = self.columns(&member.value, &key, true);
                }
                "extra_columns" => {
                    contract.extra_columns = self.permission(&member.value, &key).unwrap_or_default();
                }
                "empty_files" => contract.empty_files = self.permission(&member.value, &key),
                "min_rows" => contract.min_rows = self.count(&member.value, &key),
                "max_rows" => contract.max_rows = self.count(&member.value, &key),
                "unique" => contract.unique = self.unique_columns(&member.value, &key),
                "delimiter" => contract.delimiter = self.delimiter(&member.value, &key),
                "null_values" if is_all => contract.null_values = self.texts(&member.value, &key),
                "null_values" => {
                    self.mistake(member.offset, &key, "it holds for all files: write it beside `files`");
                }
                _ => self.unknown_key(member, path, &TABLE_KEYS),
            }
        }
        if !has_columns && self.mistakes.count() == before {
            self.mistake(node.offset, path, "the key `columns` is missing");
        }
        if contract.max_rows.is_some_and(|most| contract.min_rows.unwrap_or_default() > most) {
            self.mistake(node.offset, path, "`min_rows` is more than `max_rows`");
        }
        for name in contract.unique.iter().flatten().filter(|name| !contract.columns.contains_key(*name)) {
            self.mistake(
                node.offset,
                &json::join(path, "unique"),
                format!("`{name}` is no key of `columns`"),
            );
        }
        (self.mistakes.count() == before).then_some(contract)
    }

    fn columns(&mut self, node: &Node<'_>, path: &str, are_outer: bool) -> IndexMap<String, ColumnContract> {
        let mut columns = IndexMap::new();
        for column in self.object(node, path) {
            if let Some(read) = self.column(&column.value, &json::join(path, &column.key), are_outer) {
                columns.insert(column.key.clone().into_owned(), read);
            }
        }
        columns
    }

    fn column(&mut self, node: &Node<'_>, path: &str, is_outer: bool) -> Option<ColumnContract> {
        if let Value::String(word) = &node.value {
            return self.contract_type(node, path, word).map(ColumnContract::new);
        }
        if !matches!(node.value, Value::Object(_)) {
            self.wrong_type(node, path, r#"a type such as "integer", or an object with `type`"#);
            return None;
        }
        let before = self.mistakes.count();
        let mut data_type = None;
        for member in self.object(node, path).iter().filter(|member| member.key == "type") {
            let key = json::join(path, "type");
            let text = self.string(&member.value, &key);
            data_type = text.and_then(|text| self.contract_type(&member.value, &key, &text));
        }
        if data_type.is_none() && self.mistakes.count() == before {
            self.mistake(node.offset, path, "the key `type` is missing");
        }
        let word = data_type.as_ref().map(ContractType::word);
        let mut column = ColumnContract::new(data_type.unwrap_or(TypeWord::Any.into()));
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            let value = &member.value;
            match &*member.key {
                "type" => {}
                "nullable" => column.nullable = self.boolean(value, &key).unwrap_or(column.nullable),
                "optional" => column.optional = self.boolean(value, &key).unwrap_or(column.optional),
                "fields" if self.is_of(member, &key, word, &[TypeWord::Struct]) => {
                    column.fields = self.columns(value, &key, false);
                }
                "items" if self.is_of(member, &key, word, &[TypeWord::List]) => {
                    column.items = self.column(value, &key, false).map(Box::new);
                }
                "values" if word == Some(TypeWord::Map) => {
                    column.map_values = self.column(value, &key, false).map(Box::new);
                }
                "fields" | "items" => {}
                name if name == "values" || CONSTRAINT_KEYS.contains(&name) => {
                    if is_outer {
                        self.constraint(member, &key, word, &mut column.constraints);
                    } else {
                        self.mistake(member.offset, &key, "only columns have such, and nothing within them");
                    }
                }
                _ => self.unknown_key(member, path, &[&COLUMN_KEYS[..], &CONSTRAINT_KEYS[..]].concat()),
            }
        }
        let (least, most) = (&column.constraints.minimum, &column.constraints.maximum);
        let is_more = least.as_ref().zip(most.as_ref()).is_some_and(|(least, most)| match (least, most) {
            (JobValue::String(least), JobValue::String(most)) => least > most,
            (least, most) => least.as_f64() > most.as_f64(),
        });
        if is_more {
            self.mistake(node.offset, path, "`minimum` is more than `maximum`");
        }
        (self.mistakes.count() == before).then_some(column)
    }

    /// Whether a key is for columns of the type.
    fn is_of(&mut self, member: &Member<'_>, key: &str, word: Option<TypeWord>, words: &[TypeWord]) -> bool {
        let is_of = word.is_none_or(|word| words.contains(&word));
        if let (false, Some(word)) = (is_of, word) {
            let words: Vec<&str> = words.iter().map(|word| word.as_str()).collect();
            let message = format!("it is for columns of type {}, and this is {word}", words.join(", "));
            self.mistake(member.offset, key, message);
        }
        is_of
    }

    fn constraint(
        &mut self,
        member: &Member<'_>,
        key: &str,
        word: Option<TypeWord>,
        constraints: &mut Constraints,
    ) {
        use TypeWord::{Any, Boolean, Date, Decimal, Float, Integer, Text, Timestamp};

        let scalar = [Boolean, Integer, Float, Decimal, Text, Date, Timestamp, Any];
        let value = &member.value;
        match &*member.key {
            "unique" => {
                let flat: Vec<TypeWord> =
                    TypeWord::ALL.into_iter().filter(|word| !is_nested(*word)).collect();
                if self.is_of(member, key, word, &flat) {
                    constraints.unique = self.boolean(value, key).unwrap_or_default();
                }
            }
            name @ ("minimum" | "maximum") => {
                if !self.is_of(member, key, word, &[Integer, Float, Decimal, Date, Timestamp, Any]) {
                    return;
                }
                let limit = match (word, &value.value) {
                    (None | Some(Any), Value::Number(_) | Value::String(_)) => {
                        Some(JobValue::from_node(value))
                    }
                    (Some(Integer | Float | Decimal), Value::Number(_)) => Some(JobValue::from_node(value)),
                    (Some(Date), Value::String(text)) if text.parse::<jiff::civil::Date>().is_ok() => {
                        Some(JobValue::from_node(value))
                    }
                    (Some(Timestamp), Value::String(text)) if is_moment(text) => {
                        Some(JobValue::from_node(value))
                    }
                    _ => None,
                };
                if limit.is_none() {
                    let expected = match word {
                        Some(Date) => "a day such as \"2024-01-31\"",
                        Some(Timestamp) => "a moment such as \"2024-01-31T12:00:00Z\"",
                        _ => "a number",
                    };
                    self.wrong_type(value, key, expected);
                }
                match name {
                    "minimum" => constraints.minimum = limit,
                    _ => constraints.maximum = limit,
                }
            }
            "values" => {
                if !self.is_of(member, key, word, &scalar) {
                    return;
                }
                let Value::Array(items) = &value.value else {
                    return self.wrong_type(value, key, "an array of values");
                };
                let is_meant = |node: &Node<'_>| match (word, &node.value) {
                    (Some(Integer | Float | Decimal), value) => matches!(value, Value::Number(_)),
                    (Some(Boolean), value) => matches!(value, Value::Bool(_)),
                    (Some(Date), Value::String(text)) => text.parse::<jiff::civil::Date>().is_ok(),
                    (Some(Timestamp), Value::String(text)) => is_moment(text),
                    (Some(Text | Date | Timestamp), value) => {
                        word == Some(Text) && matches!(value, Value::String(_))
                    }
                    (_, value) => matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)),
                };
                let expected = match word {
                    Some(Integer | Float | Decimal) => "a number",
                    Some(Boolean) => "true or false",
                    Some(Text) => "a string",
                    Some(Date) => "a day such as \"2024-01-31\"",
                    Some(Timestamp) => "a moment such as \"2024-01-31T12:00:00Z\"",
                    _ => "a string, a number, or true or false",
                };
                match items.iter().find(|item| !is_meant(item)) {
                    Some(item) => self.wrong_type(item, key, expected),
                    None if items.is_empty() => self.mistake(value.offset, key, "no value is allowed then"),
                    None => constraints.values = items.iter().map(JobValue::from_node).collect(),
                }
            }
            "pattern" => {
                if !self.is_of(member, key, word, &[Text, Any]) {
                    return;
                }
                let Some(pattern) = self.string(value, key) else { return };
                match Regex::new(&pattern) {
                    Ok(_) => constraints.pattern = Some(pattern),
                    Err(error) => {
                        let error = error.to_string();
                        let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
                        self.mistake(value.offset, key, format!("no regular expression: {last}"));
                    }
                }
            }
            _ => {
                let fraction = match value.value {
                    Value::Number(text) => text.parse::<JobNumber>().ok(),
                    _ => None,
                };
                let is_share = |number: &JobNumber| {
                    number.as_str().parse::<f64>().is_ok_and(|share| (0.0..=1.0).contains(&share))
                };
                constraints.max_null_fraction = fraction.filter(is_share);
                if constraints.max_null_fraction.is_none() {
                    self.mistake(value.offset, key, "expected a number from 0 to 1");
                }
            }
        }
    }

    fn permission(&mut self, node: &Node<'_>, key: &str) -> Option<Permission> {
        match self.string(node, key)?.as_str() {
            "allow" => Some(Permission::Allow),
            "forbid" => Some(Permission::Forbid),
            other => {
                self.mistake(node.offset, key, format!("expected `allow` or `forbid`, found `{other}`"));
                None
            }
        }
    }

    fn count(&mut self, node: &Node<'_>, key: &str) -> Option<u64> {
        let count = match node.value {
            Value::Number(text) => text.parse().ok(),
            _ => None,
        };
        if count.is_none() {
            self.mistake(node.offset, key, "expected a whole number, zero or more");
        }
        count
    }

    fn delimiter(&mut self, node: &Node<'_>, key: &str) -> Option<char> {
        let text = self.string(node, key)?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(delimiter @ (',' | ';' | '|' | '\t')), None) => Some(delimiter),
            _ => {
                self.mistake(node.offset, key, "expected `,`, `;`, `|` or a tab, which are found in data");
                None
            }
        }
    }

    fn texts(&mut self, node: &Node<'_>, key: &str) -> Option<Vec<String>> {
        let Value::Array(items) = &node.value else {
            self.wrong_type(node, key, "an array of strings");
            return None;
        };
        items.iter().map(|item| self.string(item, key)).collect()
    }

    /// One list of columns, or several.
    fn unique_columns(&mut self, node: &Node<'_>, key: &str) -> Vec<Vec<String>> {
        let Value::Array(items) = &node.value else {
            self.wrong_type(node, key, "an array of names of columns, or of such arrays");
            return Vec::new();
        };
        let are_lists = items.iter().any(|item| matches!(item.value, Value::Array(_)));
        let lists = if are_lists {
            items.iter().filter_map(|item| self.texts(item, key)).collect()
        } else {
            self.texts(node, key).into_iter().collect::<Vec<_>>()
        };
        if lists.iter().any(Vec::is_empty) {
            self.mistake(node.offset, key, "a list of columns is empty");
        }
        lists
    }

    fn contract_type(&mut self, node: &Node<'_>, path: &str, text: &str) -> Option<ContractType> {
        let known = ContractType::from_text(text);
        if known.is_none() {
            let meant = match text.to_ascii_lowercase().as_str() {
                "int" | "int32" | "int64" | "long" | "bigint" => Some("integer"),
                "str" | "string" | "object" | "varchar" | "utf8" => Some("text"),
                "double" | "float32" | "float64" | "real" | "number" => Some("float"),
                "bool" => Some("boolean"),
                "datetime" | "datetime64" => Some("timestamp"),
                "bytes" | "blob" => Some("binary"),
                "array" => Some("list"),
                lower if !self.mistakes.is_full() => {
                    nearest(lower, TypeWord::ALL.iter().map(|word| word.as_str()))
                }
                _ => None,
            };
            let all: Vec<&str> = TypeWord::ALL.iter().map(|word| word.as_str()).collect();
            let exact =
                "with unit, zone and digits: `timestamp[us, UTC]`, `time[ms]`, `duration[s]`, `decimal(9,2)`";
            let hint = match meant {
                Some(word) => format!("did you mean `{word}`?"),
                None if text.contains(['[', '(']) => format!("the types {exact}"),
                None => format!("the types are `{}`", all.join("`, `")),
            };
            self.hinted(node.offset, path, format!("unknown type `{text}`"), hint);
        }
        known
    }
}

fn is_nested(word: TypeWord) -> bool {
    matches!(word, TypeWord::List | TypeWord::Struct | TypeWord::Map)
}

/// Whether a text is a moment, with a zone or without, or a day.
fn is_moment(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok()
}
