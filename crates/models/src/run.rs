use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8PathBuf;
use runtime_testing_dag::StepName;
use serde::{Deserialize, Serialize};

use crate::{DataProfile, Digest, Isolation, LogicalName, PythonException, ScriptFailure};

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
    /// where there is too much data for it, and where a file cannot be read.
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

/// What a run did beyond what its spec declares, as far as that was seen. Paths are relative to the base folder where they
/// lie below it, else absolute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Observed {
    /// The files that it read, or looked for and did not find.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub reads: Vec<Utf8PathBuf>,
    /// The files that it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub writes: Vec<Utf8PathBuf>,
    /// The files that it removed, or gave another name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub removes: Vec<Utf8PathBuf>,
    /// The programs that it started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
    /// The network addresses that it connected to or listened at, as `host:port`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// The exceptions that ended threads of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thread_failures: Vec<PythonException>,
    /// What it looked for below its inputs and did not find, by input: paths below it. What it went on without, to read others, is
    /// not among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<LogicalName, Vec<String>>"))]
    pub missing_inputs: BTreeMap<LogicalName, Vec<Utf8PathBuf>>,
    /// How many names were left out, because there were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
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
    /// The interpreter that it got. None for what is not run by an interpreter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// What it did beyond what its spec declares. None where it was not observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Observed>,
    /// The files that it left in its working directory, relative to that, in the order of their paths: at most 1,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub scratch_files: Vec<Utf8PathBuf>,
    /// How many more files it left there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub scratch_files_omitted: u64,
    /// A command that repeats the run by hand. Empty for a Rust function, which has none.
    pub command: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
