use std::fmt;
use std::str::FromStr;

use camino::Utf8PathBuf;
use indexmap::{IndexMap, IndexSet};
use runtime_testing_dag::json::{self, Member, Mistake, Mistakes, Node, Value};
use runtime_testing_dag::{Name, NameKind, StepName, nearest};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use crate::{
    Isolation, JobValue, LogicalName, OutputBinding, ResourceLimits, ScriptExecutionSpec, ScriptName,
    WorkingDirectory,
};

mod contracts;
mod paths;

/// Everything that is wrong with a spec, in the order of the file. Never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct ParseSpecError {
    /// The mistakes.
    pub mistakes: Vec<Mistake>,
}

/// Its text, which is what a test prints that ends with `?`.
impl fmt::Debug for ParseSpecError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for ParseSpecError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        runtime_testing_dag::write_list(formatter, "mistakes", &self.mistakes)
    }
}

impl std::error::Error for ParseSpecError {}

/// The keys of a spec file, in the order they are written.
pub(crate) const KEYS: [&str; 24] = [
    "$schema",
    "script_name",
    "step_name",
    "script_path",
    "input_paths",
    "output_paths",
    "environ_vars",
    "job_args",
    "last_updated",
    "user_notes",
    "input_path_specs",
    "output_path_specs",
    "bindings",
    "input_schemas",
    "output_schemas",
    "timeout_seconds",
    "python",
    "isolation",
    "working_directory",
    "optional_inputs",
    "optional_outputs",
    "mutable_inputs",
    "sample_data",
    "limits",
];

impl ScriptExecutionSpec {
    /// Parses the text of a spec file.
    ///
    /// # Errors
    ///
    /// [`ParseSpecError`] with every mistake in it: a syntax error alone, else all unknown keys, missing keys, wrong types,
    /// invalid names and values, each with its line and column.
    pub fn parse(text: &str) -> Result<Self, ParseSpecError> {
        let root = json::parse(text).map_err(|mistake| ParseSpecError { mistakes: vec![mistake] })?;
        let mut mistakes = Mistakes::of(text);
        let spec = read_node(&mut mistakes, &root, "");
        finish(mistakes, spec)
    }
}

impl FromStr for ScriptExecutionSpec {
    type Err = ParseSpecError;

    fn from_str(text: &str) -> Result<Self, ParseSpecError> {
        Self::parse(text)
    }
}

/// Works for JSON only: mistakes are collected and numbers keep their text, which other formats cannot give.
impl<'de> Deserialize<'de> for ScriptExecutionSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(de::Error::custom)
    }
}

/// Reads the spec at `root`, which stands at the key `path` of a larger text. None where that adds to the mistakes.
pub(crate) fn read_node(
    mistakes: &mut Mistakes<'_>,
    root: &Node<'_>,
    path: &str,
) -> Option<ScriptExecutionSpec> {
    let before = mistakes.count();
    let spec = Reader { mistakes }.spec(root, path);
    spec.filter(|_| mistakes.count() == before)
}

/// What was read, if there is no mistake in it.
fn finish<T>(mistakes: Mistakes<'_>, read: Option<T>) -> Result<T, ParseSpecError> {
    match read {
        Some(read) if mistakes.count() == 0 => Ok(read),
        _ => Err(ParseSpecError { mistakes: mistakes.into_list() }),
    }
}

/// The inputs or outputs of a spec, where they could be read.
struct Known<'a> {
    noun: &'static str,
    names: Option<IndexSet<&'a LogicalName>>,
}

/// How many names are listed where one is not among them.
const MOST_NAMES: usize = 20;

struct Reader<'m, 't> {
    mistakes: &'m mut Mistakes<'t>,
}

impl Reader<'_, '_> {
    fn mistake(&mut self, offset: usize, key: &str, message: impl Into<String>) {
        self.mistakes.add(offset, key, message, None);
    }

    fn hinted(&mut self, offset: usize, key: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.mistakes.add(offset, key, message, Some(hint.into()));
    }

    fn wrong_type(&mut self, node: &Node<'_>, key: &str, expected: &str) {
        self.mistake(node.offset, key, format!("expected {expected}, found {}", node.value.describe()));
    }

    fn unknown_key(&mut self, member: &Member<'_>, path: &str, known: &[&str]) {
        self.mistakes.add_unknown_key(member.offset, path, &member.key, known);
    }

    fn spec(&mut self, root: &Node<'_>, path: &str) -> Option<ScriptExecutionSpec> {
        let Value::Object(members) = &root.value else {
            self.wrong_type(root, path, "an object");
            return None;
        };
        for member in members {
            if !KEYS.contains(&&*member.key) {
                self.unknown_key(member, path, &KEYS);
            }
        }
        let at = |key: &str| json::join(path, key);
        let get = |key: &str| {
            let member = members.iter().find(|member| member.key == key)?;
            // `null` stands for "not set", as the original writes it.
            (member.value.value != Value::Null).then_some(&member.value)
        };
        let required = |reader: &mut Self, key: &str| {
            let node = get(key);
            if node.is_none() {
                reader.mistake(root.offset, path, format!("the key `{key}` is missing"));
            }
            node
        };
        let script_name = required(self, "script_name").and_then(|node| self.name(node, &at("script_name")));
        let step_name = required(self, "step_name").and_then(|node| self.name(node, &at("step_name")));
        let (script_name, step_name): (Option<ScriptName>, Option<StepName>) = (script_name, step_name);

        let before_paths = self.mistakes.count();
        let (input_paths, input_path_specs) = self.paths_and_specs(path, "input", get);
        let (output_paths, output_path_specs) = self.paths_and_specs(path, "output", get);
        // Names that stand in a broken part of the file would look unknown.
        let knows_names = self.mistakes.count() == before_paths;
        let environ_vars = get("environ_vars").map(|node| self.environ_vars(node, &at("environ_vars")));
        let job_args = get("job_args").map(|node| self.job_args(node, &at("job_args")));
        let schema = get("$schema").and_then(|node| self.string(node, &at("$schema")));
        let script_path = get("script_path").and_then(|node| self.path(node, &at("script_path")));
        let python = get("python").and_then(|node| self.path(node, &at("python")));
        let last_updated = get("last_updated").and_then(|node| self.string(node, &at("last_updated")));
        let user_notes = get("user_notes").and_then(|node| self.string(node, &at("user_notes")));
        let timeout_seconds =
            get("timeout_seconds").and_then(|node| self.timeout(node, &at("timeout_seconds")));
        let isolation = get("isolation").and_then(|node| self.word(node, &at("isolation"), &Isolation::ALL));
        let working_directory = get("working_directory")
            .and_then(|node| self.word(node, &at("working_directory"), &WorkingDirectory::ALL));
        let limits = get("limits").map(|node| self.limits(node, &at("limits")));
        let sample_data = get("sample_data").and_then(|node| self.boolean(node, &at("sample_data")));

        let inputs: Vec<&LogicalName> = input_paths.keys().chain(input_path_specs.keys()).collect();
        let outputs: Vec<&LogicalName> = output_paths.keys().chain(output_path_specs.keys()).collect();
        let inputs = Known { noun: "input", names: knows_names.then(|| inputs.into_iter().collect()) };
        let outputs = Known { noun: "output", names: knows_names.then(|| outputs.into_iter().collect()) };
        let bindings = get("bindings").map(|node| self.named(node, &at("bindings"), &inputs, Self::binding));
        let input_schemas =
            get("input_schemas").map(|node| self.named(node, &at("input_schemas"), &inputs, Self::contract));
        let output_schemas = get("output_schemas")
            .map(|node| self.named(node, &at("output_schemas"), &outputs, Self::contract));
        let optional_inputs =
            get("optional_inputs").map(|node| self.names(node, &at("optional_inputs"), &inputs));
        let optional_outputs =
            get("optional_outputs").map(|node| self.names(node, &at("optional_outputs"), &outputs));
        let mutable_inputs =
            get("mutable_inputs").map(|node| self.names(node, &at("mutable_inputs"), &inputs));

        let mut spec = ScriptExecutionSpec::new(script_name?, step_name?);
        spec.schema = schema;
        spec.script_path = script_path;
        spec.input_paths = input_paths;
        spec.output_paths = output_paths;
        spec.environ_vars = environ_vars.unwrap_or_default();
        spec.job_args = job_args.unwrap_or_default();
        spec.last_updated = last_updated;
        spec.user_notes = user_notes;
        spec.input_path_specs = input_path_specs;
        spec.output_path_specs = output_path_specs;
        spec.bindings = bindings.unwrap_or_default();
        spec.input_schemas = input_schemas.unwrap_or_default();
        spec.output_schemas = output_schemas.unwrap_or_default();
        spec.timeout_seconds = timeout_seconds;
        spec.python = python;
        spec.isolation = isolation;
        spec.working_directory = working_directory;
        spec.optional_inputs = optional_inputs.unwrap_or_default();
        spec.optional_outputs = optional_outputs.unwrap_or_default();
        spec.mutable_inputs = mutable_inputs.unwrap_or_default();
        spec.sample_data = sample_data;
        spec.limits = limits.unwrap_or_default();
        Some(spec)
    }

    fn string(&mut self, node: &Node<'_>, key: &str) -> Option<String> {
        if let Value::String(text) = &node.value {
            return Some(text.clone().into_owned());
        }
        self.wrong_type(node, key, "a string");
        None
    }

    fn boolean(&mut self, node: &Node<'_>, key: &str) -> Option<bool> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        self.wrong_type(node, key, "true or false");
        None
    }

    fn name<K: NameKind>(&mut self, node: &Node<'_>, key: &str) -> Option<Name<K>> {
        let text = self.string(node, key)?;
        Name::new(text).map_err(|error| self.mistake(node.offset, key, error.to_string())).ok()
    }

    fn path(&mut self, node: &Node<'_>, key: &str) -> Option<Utf8PathBuf> {
        let text = self.string(node, key)?;
        if text.contains('\0') {
            self.mistake(node.offset, key, "a path cannot contain NUL");
            return None;
        }
        Some(text.into())
    }

    fn object<'n, 'a>(&mut self, node: &'n Node<'a>, key: &str) -> &'n [Member<'a>] {
        if let Value::Object(members) = &node.value {
            return members;
        }
        self.wrong_type(node, key, "an object");
        &[]
    }

    fn member_name<K: NameKind>(&mut self, member: &Member<'_>, path: &str) -> Option<Name<K>> {
        let key = json::join(path, &member.key);
        Name::new(&*member.key).map_err(|error| self.mistake(member.offset, &key, error.to_string())).ok()
    }

    fn environ_vars(&mut self, node: &Node<'_>, path: &str) -> IndexMap<String, String> {
        let mut variables = IndexMap::new();
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            if member.key.is_empty() || member.key.contains(['=', '\0']) {
                self.mistake(
                    member.offset,
                    &key,
                    "an environment variable's name is not empty and has no `=` and no NUL",
                );
            }
            match &member.value.value {
                Value::String(text) if text.contains('\0') => {
                    self.mistake(member.value.offset, &key, "an environment variable cannot contain NUL");
                }
                Value::String(text) => {
                    variables.insert(member.key.clone().into_owned(), text.clone().into_owned());
                }
                other => self.hinted(
                    member.value.offset,
                    &key,
                    format!("expected a string, found {}", other.describe()),
                    "environment variables are text: put the value in quotes",
                ),
            }
        }
        variables
    }

    fn job_args(&mut self, node: &Node<'_>, path: &str) -> IndexMap<String, JobValue> {
        let members = self.object(node, path).iter();
        members.map(|member| (member.key.clone().into_owned(), JobValue::from_node(&member.value))).collect()
    }

    fn limits(&mut self, node: &Node<'_>, path: &str) -> ResourceLimits {
        const KEYS: [&str; 2] = ["wall_seconds", "peak_memory_mib"];

        let mut limits = ResourceLimits::default();
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            let limit = match &*member.key {
                "wall_seconds" => &mut limits.wall_seconds,
                "peak_memory_mib" => &mut limits.peak_memory_mib,
                _ => {
                    self.unknown_key(member, path, &KEYS);
                    continue;
                }
            };
            match &member.value.value {
                Value::Null => {}
                Value::Number(text) => match text.parse::<f64>() {
                    Ok(number) if number > 0.0 && number <= 1e12 => *limit = Some(number),
                    _ => self.hinted(
                        member.value.offset,
                        &key,
                        format!("{text} is not a possible limit"),
                        "it is a number, more than 0 and at most 1e12",
                    ),
                },
                _ => self.wrong_type(&member.value, &key, "a number"),
            }
        }
        limits
    }

    fn timeout(&mut self, node: &Node<'_>, key: &str) -> Option<f64> {
        let Value::Number(text) = node.value else {
            self.wrong_type(node, key, "a number of seconds");
            return None;
        };
        match text.parse::<f64>() {
            Ok(seconds) if seconds > 0.0 && seconds <= 1e9 => Some(seconds),
            _ => {
                self.hinted(
                    node.offset,
                    key,
                    format!("{text} is not a possible timeout"),
                    "it is a number of seconds, more than 0 and at most 1e9",
                );
                None
            }
        }
    }

    /// One of a few words.
    fn word<T: Copy + fmt::Display>(&mut self, node: &Node<'_>, key: &str, known: &[T]) -> Option<T> {
        let word = self.string(node, key)?;
        let found = known.iter().copied().find(|known| known.to_string() == word);
        if found.is_none() {
            let known: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
            self.mistake(node.offset, key, format!("expected {}, found `{word}`", known.join(" or ")));
        }
        found
    }

    /// An object whose keys must be names of known inputs or outputs.
    fn named<T>(
        &mut self,
        node: &Node<'_>,
        path: &str,
        known: &Known<'_>,
        mut read: impl FnMut(&mut Self, &Node<'_>, &str) -> Option<T>,
    ) -> IndexMap<LogicalName, T> {
        let mut map = IndexMap::new();
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            let Some(name) = self.member_name::<crate::LogicalKind>(member, path) else { continue };
            self.check_known(member.offset, &key, &name, known);
            if let Some(value) = read(self, &member.value, &key) {
                map.insert(name, value);
            }
        }
        map
    }

    /// A list of names of known inputs or outputs.
    fn names(&mut self, node: &Node<'_>, path: &str, known: &Known<'_>) -> Vec<LogicalName> {
        let Value::Array(items) = &node.value else {
            self.wrong_type(node, path, &format!("an array of names of {}s", known.noun));
            return Vec::new();
        };
        let mut names = IndexSet::with_capacity(items.len());
        for item in items {
            let Some(name) = self.name::<crate::LogicalKind>(item, path) else { continue };
            if names.contains(&name) {
                self.hinted(
                    item.offset,
                    path,
                    format!("`{name}` is in the list twice"),
                    "remove one of the two",
                );
                continue;
            }
            self.check_known(item.offset, path, &name, known);
            names.insert(name);
        }
        names.into_iter().collect()
    }

    /// Reports a name that no input or output of the spec has.
    fn check_known(&mut self, offset: usize, key: &str, name: &LogicalName, known: &Known<'_>) {
        let Some(names) = known.names.as_ref().filter(|names| !names.contains(name)) else { return };
        let noun = known.noun;
        let near =
            self.mistakes.has_hints().then(|| nearest(name.as_str(), names.iter().map(|name| name.as_str())));
        let hint = match near.flatten() {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => format!("it has no {noun}s at all"),
            None => {
                let first: Vec<&str> = names.iter().take(MOST_NAMES).map(|name| name.as_str()).collect();
                let more = names.len() - first.len();
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                format!("the {noun}s are `{}`{more}", first.join("`, `"))
            }
        };
        self.hinted(offset, key, format!("the spec has no {noun} of this name"), hint);
    }

    fn binding(&mut self, node: &Node<'_>, path: &str) -> Option<OutputBinding> {
        let (mut step, mut output) = (None, None);
        let before = self.mistakes.count();
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            match &*member.key {
                "step" => step = self.name(&member.value, &key),
                "output" => output = self.name(&member.value, &key),
                _ => self.unknown_key(member, path, &["step", "output"]),
            }
        }
        let binding = step.zip(output).map(|(step, output)| OutputBinding { step, output });
        if binding.is_none() && self.mistakes.count() == before {
            self.hinted(node.offset, path, "a key is missing", r#"it is {"step": "…", "output": "…"}"#);
        }
        binding
    }
}
