use std::convert::Infallible;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{
    DEFAULT_WORKSPACE_ROOT, PipelineDag, PipelineTestingSpec, ScriptExecutionSpec, ScriptMainParams,
    ScriptName, StepName,
};
use runtime_testing_spec_store::{
    LoadSpecError, ReadFolderError, SaveSpecError, SpecFile, SpecStore, UpdateSpecError,
};

use crate::workspace::Workspace;
use crate::{BuildError, InteractiveError, Prompter, SpecProblem, Validation, build, interactive};

/// Builds pipeline testing specs from DAGs and from the specs saved in a test workspace. Making a builder touches
/// nothing; `.specs` is made when the first spec is saved.
///
/// ```
/// use runtime_testing_builder::{PipelineTestingSpecBuilder, Validation};
/// use runtime_testing_models::PipelineDag;
///
/// # let scratch = tempfile::tempdir()?;
/// # let workspace = camino::Utf8Path::from_path(scratch.path()).expect("a UTF-8 path");
/// let builder = PipelineTestingSpecBuilder::new(workspace);
/// let dag = PipelineDag::from_names(["clean"], [])?;
/// let spec = builder.build_from_dag(&dag, Validation::Skipped)?;
/// assert_eq!(spec.script_specs["clean"].input_paths["data_input"], workspace.join("clean/input"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineTestingSpecBuilder {
    workspace: Workspace,
}

/// Why a spec could not be got by its name. That there is none is no error.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum GetSpecError {
    /// It is there and could not be loaded, or may be there in a broken file.
    #[error(transparent)]
    Load(#[from] LoadSpecError),
    /// Several steps run the script of this name.
    #[error("{} steps run script `{script_name}`: {}; ask for one of them", .steps.len(), listed(.steps))]
    AmbiguousScript {
        /// The script.
        script_name: ScriptName,
        /// The steps. At least two.
        steps: Vec<StepName>,
    },
}

/// Its text, which is what a test prints that ends with `?`.
impl fmt::Debug for GetSpecError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

fn listed(steps: &[StepName]) -> String {
    steps.iter().map(|step| format!("`{step}`")).collect::<Vec<_>>().join(", ")
}

/// In `test/integration/runtime`.
impl Default for PipelineTestingSpecBuilder {
    fn default() -> Self {
        Self::new(DEFAULT_WORKSPACE_ROOT)
    }
}

impl PipelineTestingSpecBuilder {
    /// A builder for the test workspace `test_data_dir`.
    pub fn new(test_data_dir: impl Into<Utf8PathBuf>) -> Self {
        Self { workspace: Workspace::new(test_data_dir.into()) }
    }

    /// The test workspace.
    pub fn test_data_dir(&self) -> &Utf8Path {
        self.workspace.folder()
    }

    /// The folder of saved specs, which need not be there.
    pub fn specs_dir(&self) -> &Utf8Path {
        self.store().folder()
    }

    /// The store of saved specs.
    pub fn store(&self) -> &SpecStore {
        self.workspace.store()
    }

    /// Gives each step of the DAG its saved spec. A step without one gets a default draft, which is saved.
    ///
    /// # Errors
    ///
    /// [`BuildError::Specs`] with everything that is wrong: broken, ambiguous and displaced files under both kinds of
    /// validation, and then nothing is written; missing, drafted and incomplete specs where validation is required.
    pub fn build_from_dag(
        &self,
        dag: &PipelineDag,
        validation: Validation,
    ) -> Result<PipelineTestingSpec, BuildError> {
        build::build(&self.workspace, dag, validation)
    }

    /// Gives each step of the DAG its saved spec, and writes nothing: where validation is skipped, a step without one gets
    /// a default draft that is not saved.
    ///
    /// # Errors
    ///
    /// As [`PipelineTestingSpecBuilder::build_from_dag`].
    pub fn load_from_dag(
        &self,
        dag: &PipelineDag,
        validation: Validation,
    ) -> Result<PipelineTestingSpec, BuildError> {
        build::load(&self.workspace, dag, validation)
    }

    /// The specs of a pipeline in the original's older form, of which only the steps are given: the saved spec of each step,
    /// or else the default of [`PipelineTestingSpecBuilder::spec_for_call`]. Writes nothing.
    ///
    /// # Errors
    ///
    /// As [`PipelineTestingSpecBuilder::load_from_dag`] without validation.
    pub fn load_chain(&self, dag: &PipelineDag) -> Result<PipelineTestingSpec, BuildError> {
        let mut pipeline = self.load_from_dag(dag, Validation::Skipped)?;
        for (step, spec) in &mut pipeline.script_specs {
            // What is saved has the time of that.
            if *spec == self.workspace.draft(step) {
                *spec = self.default_for_call(&spec.script_name, step);
            }
        }
        Ok(pipeline)
    }

    /// The spec for a call that names a script: that of [`PipelineTestingSpecBuilder::get_script_spec_by_name`], or else a
    /// default whose input `data_input` is the file `test_<script>/input_data.csv` in the workspace.
    ///
    /// # Errors
    ///
    /// As [`PipelineTestingSpecBuilder::get_script_spec_by_name`].
    pub fn spec_for_call(&self, script: &ScriptName) -> Result<ScriptExecutionSpec, GetSpecError> {
        let saved = self.get_script_spec_by_name(script)?;
        Ok(saved.unwrap_or_else(|| self.default_for_call(script, &script.cast())))
    }

    fn default_for_call(&self, script: &ScriptName, step: &StepName) -> ScriptExecutionSpec {
        let folder = self.test_data_dir();
        let mut spec = ScriptExecutionSpec::create_default(script, step, folder);
        for path in spec.input_paths.values_mut() {
            *path = folder.join(format!("test_{script}")).join("input_data.csv");
        }
        spec
    }

    /// What is wrong with the saved specs of the DAG's steps, in declaration order. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`ReadFolderError`] where the folder of specs cannot be read.
    pub fn validate_specs_completeness(
        &self,
        dag: &PipelineDag,
    ) -> Result<Vec<SpecProblem>, ReadFolderError> {
        build::survey(self.store(), dag).map(|survey| survey.problems)
    }

    /// Saves a spec and returns its file.
    ///
    /// # Errors
    ///
    /// As [`SpecStore::save`].
    pub fn save_script_spec(&self, spec: &ScriptExecutionSpec) -> Result<Utf8PathBuf, SaveSpecError> {
        self.store().save(spec)
    }

    /// Changes the spec of a step, or a default draft where there is none, and saves it. No other update comes in
    /// between.
    ///
    /// # Errors
    ///
    /// As [`SpecStore::update`]; [`UpdateSpecError::StepChanged`] where `change` sets another `step_name`.
    pub fn update_script_spec(
        &self,
        step: &StepName,
        change: impl FnOnce(&mut ScriptExecutionSpec),
    ) -> Result<ScriptExecutionSpec, UpdateSpecError> {
        self.store().update(step, |saved| {
            let mut spec = saved.unwrap_or_else(|| self.workspace.draft(step));
            change(&mut spec);
            Ok::<_, Infallible>(spec)
        })
    }

    /// Asks for what the spec of a step lacks: input path, output path, environment and arguments. A draft that nobody
    /// has changed lacks all four, and its inputs and outputs may be given other names, and be several, as `NAME=PATH`. A blank
    /// answer takes the default, and what cannot be understood is asked again.
    ///
    /// # Errors
    ///
    /// [`InteractiveError`]. Where the person cancels nothing at all is saved, not even a draft.
    pub fn update_script_spec_interactive(
        &self,
        step: &StepName,
        prompter: &mut dyn Prompter,
    ) -> Result<ScriptExecutionSpec, InteractiveError> {
        interactive::update(&self.workspace, step, prompter)
    }

    /// Everything in the folder of specs: the good files by step name, then the broken ones.
    ///
    /// # Errors
    ///
    /// [`ReadFolderError`] where the folder cannot be read. One that is not there is empty.
    pub fn list_saved_specs(&self) -> Result<Vec<SpecFile>, ReadFolderError> {
        self.store().list()
    }

    /// The spec of the step of this name, or else the one whose script has this name. `None` where there is neither.
    ///
    /// # Errors
    ///
    /// [`GetSpecError`] where it is there and cannot be loaded, or where several steps run the script.
    pub fn get_script_spec_by_name(
        &self,
        name: impl AsRef<str>,
    ) -> Result<Option<ScriptExecutionSpec>, GetSpecError> {
        // What is no name is the name of nothing.
        let Ok(step) = StepName::new(name) else { return Ok(None) };
        let index = self.store().load_all().map_err(LoadSpecError::from)?;
        let not_found = match index.find(&step) {
            Ok(saved) => return Ok(Some(saved.spec.clone())),
            Err(error @ LoadSpecError::NotFound { .. }) => error,
            Err(error) => return Err(error.into()),
        };
        let script_name: ScriptName = step.cast();
        let mut of_script =
            index.specs().map(|saved| &saved.spec).filter(|spec| spec.script_name == script_name);
        if let Some(spec) = of_script.next() {
            let mut steps = vec![spec.step_name.clone()];
            steps.extend(of_script.map(|spec| spec.step_name.clone()));
            steps.dedup();
            return match steps.len() {
                1 => Ok(Some(index.find(&spec.step_name)?.spec.clone())),
                _ => Err(GetSpecError::AmbiguousScript { script_name, steps }),
            };
        }
        // A file named after the script, as the original does it, whose step can still be read in it.
        let path = self.store().default_path(&step);
        if let Some(broken) = index.broken().iter().find(|broken| broken.path == path) {
            return Err(LoadSpecError::Broken(broken.clone()).into());
        }
        match index.unattributed().next() {
            Some(_) => Err(not_found.into()),
            None => Ok(None),
        }
    }

    /// The four parameters that a script is called with.
    pub fn get_script_main_params(&self, spec: &ScriptExecutionSpec) -> ScriptMainParams {
        spec.main_params()
    }
}
