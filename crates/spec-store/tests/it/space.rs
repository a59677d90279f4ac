use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{ScriptExecutionSpec, StepName};
use runtime_testing_spec_store::SpecStore;
use tempfile::TempDir;

/// A workspace of its own for one test.
pub(crate) struct Space {
    root: TempDir,
    pub(crate) store: SpecStore,
}

impl Space {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let store = SpecStore::in_workspace(Utf8Path::from_path(root.path()).unwrap());
        Self { root, store }
    }

    /// Puts a file into the folder of specs.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Utf8PathBuf {
        fs::create_dir_all(self.store.folder()).unwrap();
        let path = self.store.folder().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Every file of the folder of specs but the lock file, by name.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let Ok(entries) = fs::read_dir(self.store.folder()) else { return BTreeMap::new() };
        let files = entries.map(|entry| {
            let entry = entry.unwrap();
            let content =
                if entry.path().is_dir() { Vec::new() } else { fs::read(entry.path()).unwrap_or_default() };
            (entry.file_name().to_string_lossy().into_owned(), content)
        });
        files.filter(|(name, _)| name != ".lock").collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.files().into_keys().collect()
    }

    /// A message without what differs between machines.
    pub(crate) fn shown(&self, error: impl Display) -> String {
        error.to_string().replace(self.root.path().to_str().unwrap(), "<root>").replace('\\', "/")
    }
}

pub(crate) fn step(name: &str) -> StepName {
    StepName::new(name).unwrap()
}

pub(crate) fn spec(name: &str) -> ScriptExecutionSpec {
    ScriptExecutionSpec::create_default(&step(name).cast(), &step(name), "data")
}

/// The text of a spec file as the original writes it.
pub(crate) fn text(script: &str, step: &str) -> String {
    format!(
        "{{\n  \"script_name\": \"{script}\",\n  \"step_name\": \"{step}\",\n  \"script_path\": null,\n  \"input_paths\": {{}},\n  \
         \"output_paths\": {{}},\n  \"environ_vars\": {{}},\n  \"job_args\": {{}},\n  \"last_updated\": null,\n  \"user_notes\": null\n}}"
    )
}
