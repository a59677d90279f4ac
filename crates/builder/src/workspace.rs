use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{ScriptExecutionSpec, StepName};
use runtime_testing_spec_store::SpecStore;

/// A test workspace: its folder, the specs saved in it, and what the spec of a step is by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workspace {
    folder: Utf8PathBuf,
    store: SpecStore,
}

impl Workspace {
    pub(crate) fn new(folder: Utf8PathBuf) -> Self {
        Self { store: SpecStore::in_workspace(&folder), folder }
    }

    pub(crate) fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    pub(crate) fn store(&self) -> &SpecStore {
        &self.store
    }

    /// The default spec of a step, with a script of the step's name.
    pub(crate) fn draft(&self, step: &StepName) -> ScriptExecutionSpec {
        ScriptExecutionSpec::create_default(&step.cast(), step, &self.folder)
    }
}
