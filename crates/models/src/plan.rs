use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use runtime_testing_dag::{Selection, StepName};
use serde::{Deserialize, Serialize};

use crate::{
    Binding, BindingRule, EdgeIssue, InputSource, Isolation, LogicalName, RunKind, ScriptFailure, ScriptName,
    StepNote, UntestedStep,
};

/// The version of the plan's serialized form. It grows when a key changes its meaning or goes away.
pub const PLAN_FORMAT_VERSION: u32 = 1;

/// What a test of a pipeline would do: which runs it would make, on what, and why, and what it already knows will not work.
///
/// Steps and edges come in declaration order; an edge's key is `from->to`. Paths are shown as reports show them: relative
/// to the workspace where they lie below it or below the base folder.
///
/// ```
/// use runtime_testing_models::{PLAN_FORMAT_VERSION, PipelineTestPlan};
///
/// let plan = PipelineTestPlan::default();
/// assert_eq!(plan.format_version, PLAN_FORMAT_VERSION);
/// assert_eq!(plan.run_count(), 0);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PipelineTestPlan {
    /// The version of the serialized form: [`PLAN_FORMAT_VERSION`].
    pub format_version: u32,
    /// The test workspace, as an absolute path: what relative paths in the plan are relative to.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub workspace: Utf8PathBuf,
    /// The part of the pipeline that is tested. None where it is all of it.
    pub selection: Option<Selection>,
    /// Whether each step is run on its own inputs.
    pub test_individual_scripts: bool,
    /// Whether each edge is judged.
    pub test_data_compatibility: bool,
    /// Whether each step is run on what its upstream steps write.
    pub test_pipeline_flow: bool,
    /// The steps, each after all it depends on.
    pub execution_order: Vec<StepName>,
    /// What is done with each step.
    pub steps: IndexMap<StepName, StepPlan>,
    /// What each edge carries, by `from->to`.
    pub edges: IndexMap<String, EdgePlan>,
}

/// A plan of nothing.
impl Default for PipelineTestPlan {
    fn default() -> Self {
        Self {
            format_version: PLAN_FORMAT_VERSION,
            workspace: Utf8PathBuf::new(),
            selection: None,
            test_individual_scripts: true,
            test_data_compatibility: true,
            test_pipeline_flow: true,
            execution_order: Vec::new(),
            steps: IndexMap::new(),
            edges: IndexMap::new(),
        }
    }
}

impl PipelineTestPlan {
    /// How many runs would be made, as far as can be told before. One that two steps share counts once.
    pub fn run_count(&self) -> usize {
        let runs = self.steps.values().flat_map(|step| &step.runs);
        runs.filter(|run| matches!(run.action, RunAction::Execute { .. }) && run.same_as.is_none()).count()
    }
}

/// What is done with a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepPlan {
    /// The script it runs.
    pub script_name: ScriptName,
    /// What the script is, and what runs it. None where nothing was found that could be run.
    pub script: Option<ScriptPlan>,
    /// What is wrong with the script, where that shows without running it.
    pub failure: Option<ScriptFailure>,
    /// How long a run may take, in seconds.
    pub timeout_seconds: f64,
    /// Its runs: on its own inputs first.
    pub runs: Vec<RunPlan>,
    /// Why it would not be run at all. None where it has runs.
    pub not_run: Option<UntestedStep>,
    /// Where what it writes is published after a run that succeeded, by output.
    #[cfg_attr(feature = "schema", schemars(with = "IndexMap<LogicalName, String>"))]
    pub outputs: IndexMap<LogicalName, Utf8PathBuf>,
    /// What is worth a look.
    pub notes: Vec<StepNote>,
}

/// What a script is, and what runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScriptPlan {
    /// A Python file, whose `main` is called.
    Python {
        /// The file.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        path: Utf8PathBuf,
        /// The interpreter.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        interpreter: Utf8PathBuf,
        /// Whether each run gets a new interpreter or a fork of one.
        isolation: Isolation,
    },
    /// A program of its own.
    Executable {
        /// The file.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        path: Utf8PathBuf,
    },
    /// A Rust function.
    Function,
}

/// A run that would be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunPlan {
    /// What it is for. One run can serve for two: a root step's flow run is its individual run.
    pub kinds: Vec<RunKind>,
    /// What would be done.
    pub action: RunAction,
    /// The steps whose runs must have succeeded before.
    pub waits_for: Vec<StepName>,
    /// The step in whose name the run is made, where that is another one: it runs the same script on the same inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<StepName>,
}

/// What would be done about a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunAction {
    /// The script is run.
    Execute {
        /// On these inputs.
        inputs: BTreeMap<LogicalName, InputPlan>,
    },
    /// Nothing: it is known that the script does not work.
    Fails,
    /// Nothing: the run cannot be made.
    NotMade {
        /// Why not.
        reason: UntestedStep,
    },
    /// Nothing: it is known that upstream steps will not succeed.
    Blocked {
        /// The nearest upstream steps that fail or cannot be run.
        by: Vec<StepName>,
    },
}

/// Where an input of a run would come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InputPlan {
    /// The path in the step's spec.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// Where the data comes from.
    pub source: InputSource,
    /// The rule that bound the input to an upstream output. None for any other source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<BindingRule>,
    /// What of the upstream output it is given, where that is not the whole: a path below the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub below: Option<Utf8PathBuf>,
}

/// What an edge carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdgePlan {
    /// Which outputs feed which inputs.
    pub bindings: Vec<Binding>,
    /// Why the edge is breaking whatever the data, if it is: nothing is bound, or a guess cannot be confirmed.
    pub issues: Vec<EdgeIssue>,
}
