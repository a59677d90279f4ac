use camino::Utf8PathBuf;
use indexmap::IndexMap;
use runtime_testing_dag::json::{self, Member, Node, Value};

use super::Reader;
use crate::{LogicalName, PathKind, PathSpec};

impl Reader<'_> {
    pub(super) fn paths(&mut self, node: &Node<'_>, path: &str) -> IndexMap<LogicalName, Utf8PathBuf> {
        let members = self.object(node, path);
        let entry = |member: &Member<'_>| {
            let name = self.member_name(member, path);
            let value = self.path(&member.value, &json::join(path, &member.key));
            name.zip(value)
        };
        members.iter().filter_map(entry).collect()
    }

    pub(super) fn path_specs(
        &mut self,
        node: &Node<'_>,
        path: &str,
        paths: &IndexMap<LogicalName, Utf8PathBuf>,
    ) -> IndexMap<LogicalName, PathSpec> {
        let mut specs = IndexMap::new();
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            let Some(name) = self.member_name::<crate::LogicalKind>(member, path) else { continue };
            let Some(spec) = self.path_spec(&member.value, &key, &name) else { continue };
            if paths.get(&name).is_some_and(|known| *known != spec.path) {
                let known = &paths[&name];
                self.hinted(
                    member.value.offset,
                    &key,
                    format!(
                        "the path is `{}` here and `{known}` in `{}`",
                        spec.path,
                        path.replace("path_specs", "paths")
                    ),
                    "make them the same or remove one",
                );
            }
            specs.insert(name, spec);
        }
        specs
    }

    fn path_spec(&mut self, node: &Node<'_>, path: &str, name: &LogicalName) -> Option<PathSpec> {
        let before = self.mistakes.len();
        let mut spec = PathSpec {
            logical_name: name.clone(),
            path: Utf8PathBuf::new(),
            aliases: Vec::new(),
            kind: None,
        };
        let mut has_path = false;
        for member in self.object(node, path) {
            let key = json::join(path, &member.key);
            match &*member.key {
                "logical_name" => {
                    let inner: Option<LogicalName> = self.name(&member.value, &key);
                    if inner.is_some_and(|inner| inner != *name) {
                        self.mistake(member.value.offset, &key, format!("it differs from its key `{name}`"));
                    }
                }
                "path" => {
                    has_path = true;
                    spec.path = self.path(&member.value, &key).unwrap_or_default();
                }
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
        if !has_path && self.mistakes.len() == before {
            self.mistake(node.offset, path, "the key `path` is missing");
        }
        (self.mistakes.len() == before).then_some(spec)
    }
}
