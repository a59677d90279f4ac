use std::fmt;

use camino::Utf8PathBuf;
use runtime_testing_dag::StepName;
use serde::{Deserialize, Serialize};

use crate::list::list;
use crate::{Isolation, LogicalName, RunResult, ScriptFailure, ScriptName, StepNote};

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
    /// Whether it is what it is because of an edge or a step before it.
    pub fn is_consequence(&self) -> bool {
        matches!(
            self,
            Self::FailedOnUpstream { .. }
                | Self::Blocked { .. }
                | Self::Untested {
                    reason: UntestedStep::UnboundEdges { .. } | UntestedStep::EmptyUpstream { .. }
                }
        )
    }

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
    /// What its run needs was changed while the test went on: its script, or what an upstream step wrote. Nobody knows by whom.
    ChangedMeanwhile {
        /// The files and folders, as reports show them.
        #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
        paths: Vec<Utf8PathBuf>,
        /// The steps whose runs were made meanwhile.
        ran: Vec<StepName>,
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
                    "the inputs {} do not exist, and nothing feeds them: correct their paths in the spec, add the edge, or ask for \
                     sample data (`--sample-data`, or `\"sample_data\": true` in the spec)",
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
            Self::ChangedMeanwhile { paths, ran } => {
                write!(formatter, "its run needs {}, changed while the test went on", list(paths))?;
                match ran.as_slice() {
                    [] => formatter.write_str(" by something else than a run"),
                    ran => write!(formatter, "; meanwhile ran {}", list(ran)),
                }
            }
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

    /// What to do about it, where it did not pass and that can be said.
    pub fn hint(&self) -> Option<String> {
        let failure = self.status.failure()?;
        let hint = failure.hint();
        let is_forked = self.deciding_run().is_some_and(|run| run.isolation == Some(Isolation::Forked));
        match failure {
            ScriptFailure::TimedOut { .. } if is_forked => {
                let fresh = "if it hangs, try `--isolation fresh`: it ran in a fork of an interpreter with libraries in it";
                Some(hint.map_or_else(|| fresh.to_owned(), |hint| format!("{hint}; {fresh}")))
            }
            _ => hint,
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
