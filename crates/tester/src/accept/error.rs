use std::fmt;

use camino::Utf8PathBuf;
use runtime_testing_builder::spec_store::{LoadSpecError, ReadFolderError, SaveUpdatesError};
use runtime_testing_data::NoContract;
use runtime_testing_models::{LogicalName, StepName};

use crate::history::recorded::RecordedTestError;

/// Why nothing is accepted.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The test is not recorded.
    #[error(transparent)]
    Test(#[from] RecordedTestError),
    /// There are no such steps.
    #[error("the test has no step {}; its steps are {}", listed(.steps), listed(.known))]
    UnknownSteps {
        /// The names.
        steps: Vec<StepName>,
        /// The steps of the test.
        known: Vec<StepName>,
    },
    /// The test did not judge edges, so it is not known what they carried.
    #[error(
        "the test did not judge its edges, so nothing is known of what they carried: test without skipping that"
    )]
    EdgesNotJudged,
    /// The specs cannot be read.
    #[error(transparent)]
    Specs(#[from] ReadFolderError),
    /// Something of the steps that were named cannot be accepted.
    #[error("nothing is accepted:{}", left_out.iter().map(|left_out| format!("\n  {left_out}")).collect::<String>())]
    Refused {
        /// What, and why. At least one.
        left_out: Vec<LeftOut>,
    },
    /// The contracts could not be saved.
    #[error(transparent)]
    Save(#[from] SaveUpdatesError),
}

/// Its text, which is what a test prints that ends with `?`.
impl fmt::Debug for AcceptError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Something that is not accepted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LeftOut {
    /// The step.
    pub step: StepName,
    /// The input or output, where it is not the whole step.
    pub name: Option<LogicalName>,
    /// Why.
    pub reason: LeftOutReason,
}

/// Why something is not accepted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum LeftOutReason {
    /// The step did not pass.
    StepNotPassed {
        /// How it fared instead.
        status: &'static str,
    },
    /// The step that wrote the data did not pass.
    ProducerNotPassed {
        /// That step.
        from: StepName,
        /// How it fared instead.
        status: &'static str,
    },
    /// The data is not what the contract says. It is accepted where the step is named.
    Drift {
        /// The step that wrote the data.
        from: StepName,
        /// How it differs.
        issues: Vec<String>,
    },
    /// The edge that carried the data is not compatible for other reasons.
    EdgeNotCompatible {
        /// The step that wrote the data.
        from: StepName,
        /// The verdict.
        verdict: &'static str,
        /// The reasons.
        issues: Vec<String>,
    },
    /// The data comes of a run on sample data.
    FromSample {
        /// The step that was run on it.
        step: StepName,
        /// The inputs that it took the place of.
        inputs: Vec<LogicalName>,
    },
    /// The data comes of a run that an edge led to which is not compatible.
    FromBadEdge {
        /// Where the edge starts.
        from: StepName,
        /// Where it ends.
        to: StepName,
        /// Its verdict.
        verdict: &'static str,
    },
    /// The step has no saved spec, or none that can be read.
    NoSpec {
        /// Which of the two.
        error: LoadSpecError,
    },
    /// The step's spec is not the one that was tested.
    SpecChanged {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The values of the data were to be looked at, and it is gone or another.
    DataGone {
        /// The file or folder.
        path: Utf8PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// No contract can say what the data is.
    NoContract {
        /// Why not.
        error: NoContract,
    },
}

impl LeftOut {
    /// Whether it could be accepted if all were well. A file that is no table never can.
    pub fn is_refusal(&self) -> bool {
        !matches!(self.reason, LeftOutReason::NoContract { .. })
    }
}

impl PartialEq for LeftOut {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.step)?;
        if let Some(name) = &self.name {
            write!(formatter, ", {name}")?;
        }
        formatter.write_str(": ")?;
        match &self.reason {
            LeftOutReason::StepNotPassed { status } => {
                write!(formatter, "the step did not pass ({})", words(status))
            }
            LeftOutReason::ProducerNotPassed { from, status } => {
                write!(formatter, "step `{from}`, which wrote it, did not pass ({})", words(status))
            }
            LeftOutReason::Drift { from, issues } => write!(
                formatter,
                "what came from `{from}` is not what the contract says; name the step to accept it: {}",
                issues.join("; ")
            ),
            LeftOutReason::EdgeNotCompatible { from, verdict, issues } => {
                write!(formatter, "the edge from `{from}` is {verdict}: {}", issues.join("; "))
            }
            LeftOutReason::FromSample { step, inputs } => {
                let inputs: Vec<String> = inputs.iter().map(|input| format!("`{input}`")).collect();
                write!(
                    formatter,
                    "it comes of sample data, which step `{step}` was run on in place of {}",
                    inputs.join(", ")
                )
            }
            LeftOutReason::FromBadEdge { from, to, verdict } => {
                write!(formatter, "the edge `{from}->{to}`, on which it rests, is {verdict}")
            }
            LeftOutReason::NoSpec { error } => write!(formatter, "{error}"),
            LeftOutReason::SpecChanged { path } => {
                write!(formatter, "its spec has changed since the test, in `{path}`: test again")
            }
            LeftOutReason::DataGone { path, message } => {
                write!(formatter, "the values in `{path}` cannot be looked at again: {message}; test again")
            }
            LeftOutReason::NoContract { error } => write!(formatter, "{error}"),
        }
    }
}

/// A status of the JSON form as people read it.
fn words(status: &str) -> String {
    status.replace('_', " ")
}

fn listed(steps: &[StepName]) -> String {
    steps.iter().map(|step| format!("`{step}`")).collect::<Vec<_>>().join(", ")
}
