use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8PathBuf;
use runtime_testing_dag::StepName;
use serde::{Deserialize, Serialize};

use crate::list::list;
use crate::{DataProfile, Difference, Digest, LogicalName, ScriptFailure, ScriptName};

/// How a step fared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepStatus {
    /// Every run of it succeeded, and there was at least one.
    Passed,
    /// Its script does not work.
    Failed {
        /// What went wrong.
        failure: ScriptFailure,
    },
    /// Its script works, or may work, but not on what its upstream steps wrote: the blame lies with edges.
    FailedOnUpstream {
        /// What went wrong.
        failure: ScriptFailure,
        /// The upstream steps whose edges are to blame.
        edges: Vec<StepName>,
    },
    /// It was not run, because upstream steps did not succeed.
    Blocked {
        /// The steps that are the cause: the nearest upstream steps that failed or could not be run.
        by: Vec<StepName>,
    },
    /// It was not run for another reason.
    Untested {
        /// The reason.
        reason: UntestedStep,
    },
}

impl StepStatus {
    /// The status in one word, as the JSON form has it under `kind`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed { .. } => "failed",
            Self::FailedOnUpstream { .. } => "failed_on_upstream",
            Self::Blocked { .. } => "blocked",
            Self::Untested { .. } => "untested",
        }
    }

    /// What went wrong, where something was run and did.
    pub fn failure(&self) -> Option<&ScriptFailure> {
        match self {
            Self::Failed { failure } | Self::FailedOnUpstream { failure, .. } => Some(failure),
            Self::Passed | Self::Blocked { .. } | Self::Untested { .. } => None,
        }
    }
}

/// Why a step was not run, though nothing upstream failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum UntestedStep {
    /// Inputs do not exist, and nothing feeds them.
    MissingInputs {
        /// The inputs.
        inputs: Vec<LogicalName>,
    },
    /// Inputs lie where other steps publish, and no edge leads from those steps.
    MissingEdges {
        /// The steps that publish there.
        from: Vec<StepName>,
        /// The inputs.
        inputs: Vec<LogicalName>,
    },
    /// Inputs lie where steps publish that come after this one, so that an edge from those would make a cycle.
    FedFromDownstream {
        /// The steps that publish there.
        from: Vec<StepName>,
        /// The inputs.
        inputs: Vec<LogicalName>,
    },
    /// Inputs come from upstream steps that are not among the selected ones.
    NotSelected {
        /// The upstream steps.
        from: Vec<StepName>,
        /// The inputs.
        inputs: Vec<LogicalName>,
    },
    /// Inputs of the user's own changed while several steps had them, and were too large to be kept as they were.
    DamagedInputs {
        /// The inputs.
        inputs: Vec<LogicalName>,
    },
    /// Inputs come from upstream steps, and the flow was not to be tested.
    NeedsFlow {
        /// The inputs.
        inputs: Vec<LogicalName>,
    },
    /// Edges lead to it of which it is not known what they carry, and inputs are left that nothing feeds.
    UnboundEdges {
        /// Where the edges come from.
        edges: Vec<StepName>,
        /// The inputs.
        inputs: Vec<LogicalName>,
    },
    /// The test was canceled before it was run to its end.
    Canceled,
    /// An upstream step ran well and wrote nothing that could be handed over.
    EmptyUpstream {
        /// The upstream steps.
        edges: Vec<StepName>,
        /// The inputs.
        inputs: Vec<LogicalName>,
    },
}

impl fmt::Display for UntestedStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingInputs { inputs } => {
                write!(
                    formatter,
                    "the inputs {} do not exist, and nothing feeds them: correct their paths in the spec, or add the edge",
                    list(inputs)
                )
            }
            Self::MissingEdges { from, inputs } => write!(
                formatter,
                "the inputs {} lie where {} publishes, and no edge leads from there: add the edge",
                list(inputs),
                list(from)
            ),
            Self::FedFromDownstream { from, inputs } => write!(
                formatter,
                "the inputs {} lie where {} publishes, which comes after it: turn the edge round, or give the input or the \
                 output another path",
                list(inputs),
                list(from)
            ),
            Self::NotSelected { from, inputs } => write!(
                formatter,
                "the inputs {} come from {}, which the selection leaves out: select what is upstream too, as in `+step`",
                list(inputs),
                list(from)
            ),
            Self::DamagedInputs { inputs } => write!(
                formatter,
                "the inputs {} were changed by a step that had them too; with one job at a time it shows which",
                list(inputs)
            ),
            Self::NeedsFlow { inputs } => {
                write!(
                    formatter,
                    "the inputs {} come from upstream steps, and the flow was not to be tested",
                    list(inputs)
                )
            }
            Self::UnboundEdges { edges, inputs } => write!(
                formatter,
                "it is not known what the edges from {} carry, and nothing feeds the inputs {}",
                list(edges),
                list(inputs)
            ),
            Self::Canceled => formatter.write_str("the test was canceled"),
            Self::EmptyUpstream { edges, inputs } => {
                write!(formatter, "{} wrote nothing that could feed the inputs {}", list(edges), list(inputs))
            }
        }
    }
}

/// What a run was made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunKind {
    /// The step on its own inputs, or on sample data.
    Individual,
    /// The step on what its upstream steps wrote.
    Flow,
    /// The step on what one upstream step wrote, all else from its own inputs: how an edge is tested without a flow, and
    /// how it is found which of several edges makes a flow run fail.
    Edge {
        /// The upstream step.
        from: StepName,
    },
}

impl fmt::Display for RunKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Individual => formatter.write_str("individual"),
            Self::Flow => formatter.write_str("flow"),
            Self::Edge { from } => write!(formatter, "edge from {from}"),
        }
    }
}

/// Where an input of a run came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum InputSource {
    /// The path in the step's spec.
    Own,
    /// What an upstream step wrote.
    Upstream {
        /// The upstream step.
        step: StepName,
        /// Its output.
        output: LogicalName,
    },
    /// Sample data, because the path in the spec does not exist, or because the caller gave it.
    Sample,
}

impl fmt::Display for InputSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => formatter.write_str("own"),
            Self::Upstream { step, output } => write!(formatter, "{output} of {step}"),
            Self::Sample => formatter.write_str("sample"),
        }
    }
}

/// An input as a run was given it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunInput {
    /// The path that was handed to the script, relative to the workspace where it lies there.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// Where it came from.
    pub source: InputSource,
}

/// An output as a run left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunOutput {
    /// The path that was handed to the script, relative to the workspace.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// What the script wrote there. Not looked at after a run that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataProfile>,
    /// What the data amounts to: the same for the same rows, whatever format they are in. None where it was not asked for,
    /// where there is too much data to do so by the way, and where a file cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub digest: Option<Digest>,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExitOutcome {
    /// It ended by itself.
    Exited {
        /// Its status.
        status: i32,
    },
    /// A signal ended it.
    Signaled {
        /// The signal's number.
        signal: i32,
    },
    /// It was ended, because it took longer than it may.
    TimedOut,
    /// There was no process.
    NotStarted,
}

/// What a run used.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resources {
    /// Time from start to end, in seconds.
    pub wall_seconds: f64,
    /// Processor time in user mode, in seconds, children included. Zero where the platform does not tell.
    pub user_seconds: f64,
    /// Processor time in the kernel, in seconds, children included. Zero where the platform does not tell.
    pub system_seconds: f64,
    /// The most memory it held at once, in bytes. Zero where the platform does not tell.
    pub peak_memory_bytes: u64,
    /// The bytes in the files it left at its outputs. One that failed may have left some.
    #[serde(default)]
    pub written_bytes: u64,
}

/// When a run was made, and beside which others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunSlot {
    /// When it began, in seconds since the first run could begin.
    pub start_seconds: f64,
    /// When its script was done.
    pub end_seconds: f64,
    /// Its place among the runs that are made at once, from zero: the lowest that was free.
    pub worker: u32,
}

/// The end of what a script printed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutputTail {
    /// The file that holds all of it, relative to the workspace.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub file: Utf8PathBuf,
    /// The last lines. Bytes that are no text are written as `\xNN`.
    pub text: String,
    /// How many bytes stand before them.
    pub omitted_bytes: u64,
}

/// One execution of a script with fixed inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunResult {
    /// What it was made for. One run can serve for two: a root step's flow run is its individual run.
    pub kinds: Vec<RunKind>,
    /// What went wrong, if anything did.
    pub failure: Option<ScriptFailure>,
    /// How the process ended.
    pub exit: ExitOutcome,
    /// The inputs, by logical name.
    pub inputs: BTreeMap<LogicalName, RunInput>,
    /// The outputs, by logical name.
    pub outputs: BTreeMap<LogicalName, RunOutput>,
    /// What it used.
    pub resources: Resources,
    /// When it was made. None in reports that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<RunSlot>,
    /// The folder of the run, relative to the workspace.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub run_folder: Utf8PathBuf,
    /// The end of its standard output.
    pub stdout: OutputTail,
    /// The end of its standard error.
    pub stderr: OutputTail,
    /// The names of the programs that it left running, each once. They were ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaked: Vec<String>,
    /// A command that repeats the run by hand. Empty for a Rust function, which has none.
    pub command: String,
}

/// Something about a step that is worth a look and is not a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepNote {
    /// It was run on sample data, because the inputs in its spec do not exist.
    SampleData {
        /// The inputs.
        inputs: Vec<LogicalName>,
    },
    /// It was run on the sample data that the test was given, and not on its own inputs, which exist.
    GivenData {
        /// The inputs.
        inputs: Vec<LogicalName>,
    },
    /// The path of an input does not exist, nothing feeds it, and there is one that is nearly the same.
    NearPath {
        /// The input.
        input: LogicalName,
        /// Its path, as the spec has it.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        path: Utf8PathBuf,
        /// The path that there is, relative to the base folder where it lies there.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        near: Utf8PathBuf,
    },
    /// It was not run on its own, because its own inputs do not exist.
    NotRunIndividually {
        /// The inputs that do not exist.
        inputs: Vec<LogicalName>,
    },
    /// It ended well, and what it wrote could not be put at an output path.
    NotPublished {
        /// The output.
        output: LogicalName,
        /// Why not.
        reason: String,
    },
    /// It left processes running when it ended. They were ended.
    LeakedProcesses {
        /// The names of their programs, each once.
        processes: Vec<String>,
    },
    /// It ended well without writing these declared outputs.
    EmptyOutputs {
        /// The outputs.
        outputs: Vec<LogicalName>,
    },
    /// It was run on the user's own data, and that is not what the contract on the input says.
    OwnData {
        /// The input.
        input: LogicalName,
        /// The file: its path below the input, or its name where the input is a file itself.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        file: Utf8PathBuf,
        /// How it differs.
        difference: Difference,
    },
    /// It failed over a name that was not there, and one that was there is nearly the same.
    SimilarName {
        /// The name that was not there.
        name: String,
        /// The name that was.
        similar: String,
        /// Where it was.
        place: NamePlace,
    },
    /// It failed over a name that it asked for and that was not there.
    UnknownName {
        /// The name that was not there.
        name: String,
        /// The names that were.
        known: Vec<String>,
        /// Where it was asked for.
        place: NamePlace,
    },
}

/// What of that which a script is handed has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum NamePlace {
    /// The inputs.
    InputPaths,
    /// The outputs.
    OutputPaths,
    /// The environment variables of its spec.
    EnvironVars,
    /// The arguments of its spec.
    JobArgs,
    /// The columns of what an upstream step wrote.
    Columns {
        /// The input that has them.
        input: LogicalName,
    },
}

impl fmt::Display for NamePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InputPaths => formatter.write_str("its `input_paths`"),
            Self::OutputPaths => formatter.write_str("its `output_paths`"),
            Self::EnvironVars => formatter.write_str("its `environ_vars`"),
            Self::JobArgs => formatter.write_str("its `job_args`"),
            Self::Columns { input } => write!(formatter, "the columns of `{input}`"),
        }
    }
}

impl fmt::Display for StepNote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SampleData { inputs } => {
                write!(formatter, "run on sample data: the inputs {} do not exist", list(inputs))
            }
            Self::GivenData { inputs } => {
                write!(
                    formatter,
                    "run on the sample data that was given, and not on its own inputs {}",
                    list(inputs)
                )
            }
            Self::NearPath { input, path, near } => {
                write!(
                    formatter,
                    "the input `{input}` is `{path}`, which does not exist; did you mean `{near}`?"
                )
            }
            Self::NotRunIndividually { inputs } => {
                write!(formatter, "not run on its own: its own inputs {} do not exist", list(inputs))
            }
            Self::NotPublished { output, reason } => {
                write!(formatter, "`{output}` was not published: {reason}")
            }
            Self::LeakedProcesses { processes } => {
                write!(formatter, "it left processes running, which were ended: {}", list(processes))
            }
            Self::EmptyOutputs { outputs } => write!(formatter, "nothing was written to {}", list(outputs)),
            Self::OwnData { input, file, difference } => {
                write!(
                    formatter,
                    "its own input `{input}`, {file}, is not what its contract says: {difference}"
                )
            }
            Self::UnknownName { name, known, place } if known.is_empty() => {
                write!(formatter, "there is no `{name}` among {place}, which are empty")
            }
            Self::UnknownName { name, known, place } => {
                write!(formatter, "there is no `{name}` among {place}; there are {}", list(known))
            }
            Self::SimilarName { name, similar, place } => {
                write!(formatter, "there is no `{name}`; among {place} is `{similar}`")
            }
        }
    }
}

/// The result for one step.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ScriptTestResult {
    /// The script.
    pub script_name: ScriptName,
    /// How the step fared.
    pub status: StepStatus,
    /// Whether the script has a `main`, as far as was found out.
    pub has_main_function: bool,
    /// The script's file, relative to the workspace where it lies there.
    pub script_path: Option<Utf8PathBuf>,
    /// Its runs: on its own inputs first.
    pub runs: Vec<RunResult>,
    /// What is worth a look.
    pub notes: Vec<StepNote>,
}

impl ScriptTestResult {
    /// Whether the step passed.
    pub fn success(&self) -> bool {
        self.status == StepStatus::Passed
    }

    /// Why the step did not pass.
    pub fn error_message(&self) -> Option<String> {
        match &self.status {
            StepStatus::Passed => None,
            StepStatus::Failed { failure } => Some(failure.to_string()),
            StepStatus::FailedOnUpstream { failure, edges } => {
                Some(format!("failed on what {} wrote: {failure}", list(edges)))
            }
            StepStatus::Blocked { by } => Some(format!("blocked: {} did not succeed", list(by))),
            StepStatus::Untested { reason } => Some(format!("not run: {reason}")),
        }
    }

    /// How long its runs took together, in seconds.
    pub fn execution_time(&self) -> f64 {
        // An empty sum of floats is -0.0, which no reader expects.
        self.runs.iter().map(|run| run.resources.wall_seconds).fold(0.0, |sum, seconds| sum + seconds)
    }

    /// The run that failed, or else the last one.
    pub fn deciding_run(&self) -> Option<&RunResult> {
        self.runs.iter().find(|run| run.failure.is_some()).or(self.runs.last())
    }
}

/// With the keys of the original first: `script_name`, `success`, `error_message`, `execution_time`, `has_main_function`.
impl Serialize for ScriptTestResult {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ScriptTestResultForm {
            script_name: &self.script_name,
            success: self.success(),
            error_message: self.error_message(),
            execution_time: self.execution_time(),
            has_main_function: self.has_main_function,
            status: &self.status,
            script_path: self.script_path.as_ref(),
            runs: &self.runs,
            notes: &self.notes,
        }
        .serialize(serializer)
    }
}

/// A result as it is written: what follows from the data stands beside it.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ScriptTestResult"))]
struct ScriptTestResultForm<'a> {
    script_name: &'a ScriptName,
    success: bool,
    error_message: Option<String>,
    execution_time: f64,
    has_main_function: bool,
    status: &'a StepStatus,
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    script_path: Option<&'a Utf8PathBuf>,
    runs: &'a [RunResult],
    notes: &'a [StepNote],
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for ScriptTestResult {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        ScriptTestResultForm::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        ScriptTestResultForm::json_schema(generator)
    }
}
