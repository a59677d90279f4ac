use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_builder::PipelineTestingSpecBuilder;
use runtime_testing_models::{PipelineDag, ScriptExecutionSpec, StepName};
use tempfile::TempDir;

/// A workspace of its own for one test.
pub(crate) struct Space {
    root: TempDir,
    pub(crate) builder: PipelineTestingSpecBuilder,
}

impl Space {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let builder = PipelineTestingSpecBuilder::new(Utf8Path::from_path(root.path()).unwrap());
        Self { root, builder }
    }

    /// Puts a file into the folder of specs.
    pub(crate) fn write(&self, name: &str, content: &str) -> Utf8PathBuf {
        fs::create_dir_all(self.builder.specs_dir()).unwrap();
        let path = self.builder.specs_dir().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Every file of the folder of specs but the lock file, by name.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let Ok(entries) = self.builder.specs_dir().read_dir_utf8() else { return BTreeMap::new() };
        let files = entries.map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().to_owned(), fs::read_to_string(entry.path()).unwrap())
        });
        files.filter(|(name, _)| name != ".lock").collect()
    }

    /// A message without what differs between machines.
    pub(crate) fn shown(&self, message: impl Display) -> String {
        message.to_string().replace(self.root.path().to_str().unwrap(), "<root>").replace('\\', "/")
    }
}

pub(crate) fn step(name: &str) -> StepName {
    StepName::new(name).unwrap()
}

/// A chain of steps.
pub(crate) fn chain(steps: &[&str]) -> PipelineDag {
    let edges = steps.windows(2).map(|pair| (pair[0], pair[1]));
    PipelineDag::from_names(steps.iter().copied(), edges).unwrap()
}

/// A complete spec of a user's own.
pub(crate) fn spec(script: &str, name: &str) -> ScriptExecutionSpec {
    ScriptExecutionSpec::parse(&text(script, name)).unwrap()
}

/// The same as a file.
pub(crate) fn text(script: &str, step: &str) -> String {
    format!(
        "{{\n  \"script_name\": \"{script}\",\n  \"step_name\": \"{step}\",\n  \"script_path\": null,\n  \
         \"input_paths\": {{\n    \"raw\": \"data/{step}.csv\"\n  }},\n  \"output_paths\": {{\n    \"rows\": \"output/{step}\"\n  }},\n  \
         \"environ_vars\": {{}},\n  \"job_args\": {{}},\n  \"last_updated\": \"2026-01-15T09:30:00\",\n  \"user_notes\": null\n}}"
    )
}
