use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_dag::json::{self, Mistakes, Value};
use runtime_testing_dag::{
    ParsePipelineError, PipelineDag, PipelineFile, PipelineFileProblem, Selection, StepName,
};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

use crate::{ScriptExecutionSpec, spec_reader};

/// Where test data, specs and scripts lie unless something else is said: `test/integration/runtime`.
pub const DEFAULT_WORKSPACE_ROOT: &str = "test/integration/runtime";

/// A DAG and the spec of each of its steps: all that is needed to test a pipeline.
///
/// ```
/// use runtime_testing_models::{PipelineDag, PipelineTestingSpec};
///
/// let spec = PipelineTestingSpec::new(PipelineDag::from_names(["clean"], [])?);
/// assert_eq!(spec.test_workspace_root, "test/integration/runtime");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PipelineTestingSpec {
    /// The steps and edges.
    pub dag: PipelineDag,
    /// The spec of each step, by the step's name in the DAG.
    pub script_specs: IndexMap<StepName, ScriptExecutionSpec>,
    /// The test workspace: where `.specs`, `scripts` and `.runs` lie.
    pub test_workspace_root: Utf8PathBuf,
    /// The root of a project whose scripts are looked for too.
    pub workspace_aware_root: Option<Utf8PathBuf>,
}

/// A pipeline testing spec and what to test of it.
///
/// ```
/// use runtime_testing_models::{PipelineDag, PipelineTestingSpec, RuntimeTestingConfiguration};
///
/// let spec = PipelineTestingSpec::new(PipelineDag::from_names(["clean"], [])?);
/// let configuration = RuntimeTestingConfiguration::new(spec);
/// assert!(configuration.test_individual_scripts && configuration.test_pipeline_flow);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeTestingConfiguration {
    /// What is tested.
    pub pipeline_spec: PipelineTestingSpec,
    /// Whether each step is run on its own inputs. On by default.
    #[serde(default = "on")]
    pub test_individual_scripts: bool,
    /// Whether each edge is judged. On by default.
    #[serde(default = "on")]
    pub test_data_compatibility: bool,
    /// Whether each step is run on what its upstream steps wrote. On by default.
    #[serde(default = "on")]
    pub test_pipeline_flow: bool,
    /// Whether scripts are looked for under `workspace_aware_root` too. Off by default.
    #[serde(default)]
    pub use_workspace_aware: bool,
    /// The part of the pipeline that is tested. None, the default, is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
}

fn on() -> bool {
    true
}

impl RuntimeTestingConfiguration {
    /// Everything is tested, in the test workspace alone.
    pub fn new(pipeline_spec: PipelineTestingSpec) -> Self {
        Self {
            pipeline_spec,
            test_individual_scripts: true,
            test_data_compatibility: true,
            test_pipeline_flow: true,
            use_workspace_aware: false,
            selection: None,
        }
    }

    /// The same for a part of the pipeline: `"+train"` is a selection.
    #[must_use]
    pub fn with_selection(mut self, selection: impl Into<Selection>) -> Self {
        self.selection = Some(selection.into());
        self
    }
}

/// Everything is tested.
impl From<PipelineTestingSpec> for RuntimeTestingConfiguration {
    fn from(pipeline_spec: PipelineTestingSpec) -> Self {
        Self::new(pipeline_spec)
    }
}

impl PipelineTestingSpec {
    /// A DAG without specs, in the default workspace.
    pub fn new(dag: PipelineDag) -> Self {
        Self {
            dag,
            script_specs: IndexMap::new(),
            test_workspace_root: DEFAULT_WORKSPACE_ROOT.into(),
            workspace_aware_root: None,
        }
    }

    /// The same with another workspace.
    #[must_use]
    pub fn with_workspace_root(mut self, root: impl AsRef<Utf8Path>) -> Self {
        self.test_workspace_root = root.as_ref().to_owned();
        self
    }

    /// Parses what [`serde_json`] writes of a pipeline testing spec, which is also a pipeline file.
    ///
    /// # Errors
    ///
    /// [`ParsePipelineError`] with every mistake of the DAG and of every spec.
    pub fn parse(text: &str) -> Result<Self, ParsePipelineError> {
        let mut problems = Vec::new();
        let dag = match PipelineFile::parse(text) {
            Ok(file) => Some(file.into_dag()),
            Err(error) => {
                problems = error.problems;
                None
            }
        };
        // A syntax error is among the problems already.
        let Ok(root) = json::parse(text) else { return Err(ParsePipelineError { problems }) };
        let mut spec = Self::new(dag.unwrap_or_default());
        let Value::Object(members) = &root.value else { return Err(ParsePipelineError { problems }) };
        let mut mistakes = Mistakes::of(text);
        for member in members {
            match (&*member.key, &member.value.value) {
                ("dag", _) | ("workspace_aware_root", Value::Null) | ("$schema", Value::String(_)) => {}
                ("script_specs", Value::Object(specs)) => {
                    for entry in specs {
                        let key = json::join("script_specs", &entry.key);
                        match StepName::new(&*entry.key) {
                            Ok(step) => {
                                let read = spec_reader::read_node(&mut mistakes, &entry.value, &key);
                                read.map(|read| spec.script_specs.insert(step, read));
                            }
                            Err(error) => mistakes.add(entry.offset, &key, error.to_string(), None),
                        }
                    }
                }
                ("test_workspace_root", Value::String(path)) => {
                    spec.test_workspace_root = path.as_ref().into()
                }
                ("workspace_aware_root", Value::String(path)) => {
                    spec.workspace_aware_root = Some(path.as_ref().into())
                }
                ("script_specs" | "test_workspace_root" | "workspace_aware_root", other) => {
                    let expected = if member.key == "script_specs" { "an object" } else { "a string" };
                    let message = format!("expected {expected}, found {}", other.describe());
                    mistakes.add(member.value.offset, &member.key, message, None);
                }
                (key, _) => mistakes.add_unknown_key(
                    member.offset,
                    "",
                    key,
                    &["dag", "script_specs", "test_workspace_root", "workspace_aware_root"],
                ),
            }
        }
        problems.extend(mistakes.into_list().into_iter().map(PipelineFileProblem::Mistake));
        if problems.is_empty() { Ok(spec) } else { Err(ParsePipelineError { problems }) }
    }
}

/// Works for JSON only, as for [`ScriptExecutionSpec`].
impl<'de> Deserialize<'de> for PipelineTestingSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(de::Error::custom)
    }
}
