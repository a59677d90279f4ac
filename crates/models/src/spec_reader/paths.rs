use camino::Utf8PathBuf;
use indexmap::IndexMap;
use runtime_testing_dag::json::{self, Member, Node, Value};
use runtime_testing_dag::nearest;

use super::Reader;
use crate::{LogicalName, PathKind, PathSpec};

/// The paths of `input_paths` or `output_paths`.
struct KnownPaths<'a> {
    paths: &'a IndexMap<LogicalName, Utf8PathBuf>,
    /// Where they stand.
    at: String,
    /// Whether all could be read. A name whose path is broken would look unknown.
    are_all: bool,
}

impl Reader<'_, '_> {
    /// The paths of the inputs or outputs, and what the spec says of them besides. `noun` is `input` or `output`, `get` finds
    /// the value of a key of the spec, which stands at `path`.
    pub(super) fn paths_and_specs<'n, 'a: 'n>(
        &mut self,
        path: &str,
        noun: &str,
        get: impl Fn(&str) -> Option<&'n Node<'a>>,
    ) -> (IndexMap<LogicalName, Utf8PathBuf>, IndexMap<LogicalName, PathSpec>) {
        let (paths_key, specs_key) = (format!("{noun}_paths"), format!("{noun}_path_specs"));
        let before = self.mistakes.count();
        let at = json::join(path, &paths_key);
        let paths = get(&paths_key).map(|node| self.paths(node, &at)).unwrap_or_default();
        let known = KnownPaths { paths: &paths, at, are_all: self.mistakes.count() == before };
        let specs = get(&specs_key).map(|node| self.path_specs(node, &json::join(path, &specs_key), &known));
        let specs = specs.unwrap_or_default();
        (paths, specs)
    }

    fn paths(&mut self, node: &Node<'_>, path: &str) -> IndexMap<LogicalName, Utf8PathBuf> {
        let members = self.object(node, path);
        let entry = |member: &Member<'_>| {
            let name = self.member_name(member, path);
            let value = self.path(&member.value, &json::join(path, &member.key));
            name.zip(value)
        };
        members.iter().filter_map(entry).collect()
    }

    fn path_specs(
        &mut self,
        node: &Node<'_>,
        path: &str,
        known: &KnownPaths<'_>,
    ) -> IndexMap<LogicalName, PathSpec> {
        let mut specs = IndexMap::new();
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            let Some(name) = self.member_name::<crate::LogicalKind>(member, path) else { continue };
            let Some(spec) = self.path_spec(&member.value, &key, &name) else { continue };
            let (offset, at) = (member.value.offset, &known.at);
            match (&spec.path, known.paths.get(&name)) {
                (Some(own), Some(known)) if own != known => self.hinted(
                    offset,
                    &key,
                    format!("the path is `{own}` here and `{known}` in `{at}`"),
                    "make them the same or remove one",
                ),
                (None, None) if known.are_all => {
                    let names = known.paths.keys().map(LogicalName::as_str);
                    let near = self.mistakes.has_hints().then(|| nearest(name.as_str(), names));
                    let hint = match near.flatten() {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("add `path` here or `{name}` there"),
                    };
                    self.hinted(offset, &key, format!("it has no path, here or in `{at}`"), hint);
                }
                _ => {}
            }
            specs.insert(name, spec);
        }
        specs
    }

    fn path_spec(&mut self, node: &Node<'_>, path: &str, name: &LogicalName) -> Option<PathSpec> {
        let before = self.mistakes.count();
        let mut spec = PathSpec::default();
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            match &*member.key {
                "logical_name" => {
                    spec.logical_name = self.name(&member.value, &key);
                    if spec.logical_name.as_ref().is_some_and(|inner| inner != name) {
                        self.mistake(member.value.offset, &key, format!("it differs from its key `{name}`"));
                    }
                }
                "path" => spec.path = self.path(&member.value, &key),
                "aliases" => match &member.value.value {
                    Value::Array(items) => {
                        spec.aliases = items.iter().filter_map(|item| self.string(item, &key)).collect();
                    }
                    _ => self.wrong_type(&member.value, &key, "an array of strings"),
                },
                "kind" => spec.kind = self.word(&member.value, &key, &PathKind::ALL),
                _ => self.unknown_key(member, path, &["logical_name", "path", "aliases", "kind"]),
            }
        }
        (self.mistakes.count() == before).then_some(spec)
    }
}
