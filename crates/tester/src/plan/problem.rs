use std::fmt;

use camino::Utf8PathBuf;
use runtime_testing_models::{LogicalName, ScriptName, StepName, dag};

/// The longest a path of a spec may be. No system takes longer ones, and every folder on the way is looked at.
pub(crate) const MAX_PATH_BYTES: usize = 4096;

/// Everything that keeps a test from being planned. Nothing was run. Never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct PlanError {
    /// The problems: those of the whole first, then those of each step in declaration order.
    pub problems: Vec<PlanProblem>,
}

/// Its text, which is what a test prints that ends with `?`.
impl fmt::Debug for PlanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// One thing that keeps a test from being planned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanProblem {
    /// The DAG has no steps.
    EmptyDag,
    /// The configuration turns everything off.
    NothingToTest,
    /// The base folder or the workspace is not a folder.
    NotAFolder {
        /// What it should be.
        what: &'static str,
        /// The path.
        path: Utf8PathBuf,
    },
    /// A step has no spec.
    MissingSpec {
        /// The step.
        step: StepName,
    },
    /// A path is longer than any system takes.
    PathTooLong {
        /// The step.
        step: StepName,
        /// `input_paths`, `output_paths` or `script_path`.
        field: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// The path of an input or output is blank.
    BlankPath {
        /// The step.
        step: StepName,
        /// `input_paths` or `output_paths`.
        field: &'static str,
        /// The input or output.
        name: LogicalName,
    },
    /// A list in the spec names an input or output that the step has not.
    UnknownName {
        /// The step.
        step: StepName,
        /// `optional_inputs`, `optional_outputs` or `mutable_inputs`.
        field: &'static str,
        /// The name.
        name: LogicalName,
        /// The names that there are.
        known: Vec<LogicalName>,
    },
    /// `script_path` leads to something that is no file.
    ScriptNotAFile {
        /// The step.
        step: StepName,
        /// The path.
        path: Utf8PathBuf,
    },
    /// The Python interpreter cannot be used.
    Interpreter {
        /// The steps that need it.
        steps: Vec<StepName>,
        /// The interpreter as it was given.
        python: Utf8PathBuf,
        /// Why it cannot be used.
        reason: String,
    },
    /// The scripts could not be looked at: the machine has no room, no process or no temporary folder for it.
    NotInspected {
        /// What is missing.
        reason: String,
    },
    /// `bindings` names an input that the spec does not have.
    UnknownInput {
        /// The step.
        step: StepName,
        /// The input.
        input: LogicalName,
    },
    /// `bindings` names a step from which no edge leads here.
    BindingWithoutEdge {
        /// The step.
        step: StepName,
        /// The input.
        input: LogicalName,
        /// The step that was named.
        from: StepName,
        /// The steps from which edges lead here.
        parents: Vec<StepName>,
    },
    /// `bindings` names an output that the upstream step does not have.
    UnknownOutput {
        /// The step.
        step: StepName,
        /// The input.
        input: LogicalName,
        /// The upstream step.
        from: StepName,
        /// The output that was named.
        output: LogicalName,
        /// The outputs it has.
        outputs: Vec<LogicalName>,
    },
    /// An input lies at or under an output of the same step, so that publishing would overwrite it.
    InputUnderOutput {
        /// The step.
        step: StepName,
        /// The input.
        input: LogicalName,
        /// The output.
        output: LogicalName,
    },
    /// There is something at the path of an input, or may be, and it cannot be read.
    UnreadableInput {
        /// The step.
        step: StepName,
        /// The input.
        input: LogicalName,
        /// The path.
        path: Utf8PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Several outputs have the same path, so that they would overwrite each other.
    SharedOutput {
        /// The path.
        path: Utf8PathBuf,
        /// The steps that publish to it.
        steps: Vec<StepName>,
    },
    /// Nothing can be published to an output path.
    OutputNotPossible {
        /// The step.
        step: StepName,
        /// The output.
        output: LogicalName,
        /// The path.
        path: Utf8PathBuf,
        /// What is in the way.
        what: String,
    },
    /// An output path lies in a folder that is an input of the user's own, so that publishing would change that input.
    OutputInsideInput {
        /// The step that has the input.
        step: StepName,
        /// The input.
        input: LogicalName,
        /// The step that publishes there.
        publisher: StepName,
        /// The output path.
        path: Utf8PathBuf,
    },
    /// An edge was to be tested alone, and other steps publish what a step of it reads.
    FedByOthers {
        /// The step.
        step: StepName,
        /// The inputs.
        inputs: Vec<LogicalName>,
        /// The steps that publish there.
        from: Vec<StepName>,
    },
    /// An edge was to be tested from a step to itself.
    SameStep {
        /// The step.
        step: StepName,
    },
    /// A function is registered for a script that no step of the pipeline runs.
    UnusedFunction {
        /// The script.
        script: ScriptName,
        /// The script that may be meant.
        nearest: Option<ScriptName>,
    },
    /// The timeout is not a number of seconds that can be waited.
    Timeout {
        /// The step.
        step: StepName,
    },
}

fn list<T: fmt::Display>(names: &[T]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyDag => formatter.write_str("the pipeline has no steps: there is nothing to test"),
            Self::NothingToTest => formatter.write_str(
                "individual scripts, data compatibility and pipeline flow are all turned off: turn one on",
            ),
            Self::NotAFolder { what, path } => write!(formatter, "the {what} `{path}` is not a folder"),
            Self::MissingSpec { step } => write!(
                formatter,
                "step `{step}` has no spec: draft one with `runtime-testing specs init` or `build_from_dag`"
            ),
            Self::PathTooLong { step, field, bytes } => write!(
                formatter,
                "step `{step}`: a path in `{field}` has {bytes} bytes and may have at most {MAX_PATH_BYTES}"
            ),
            Self::BlankPath { step, field, name } => {
                write!(
                    formatter,
                    "step `{step}`: `{field}.{name}` is blank: fill in a path or remove the entry"
                )
            }
            Self::ScriptNotAFile { step, path } => {
                write!(
                    formatter,
                    "step `{step}`: `script_path` `{path}` is not a file: name the script itself"
                )
            }
            Self::Interpreter { steps, python, reason } => write!(
                formatter,
                "the Python interpreter `{python}` of {} cannot be used: {reason}; set `python` in the spec or in the \
                 settings (`--python`)",
                list(steps)
            ),
            Self::NotInspected { reason } => write!(formatter, "the scripts cannot be looked at: {reason}"),
            Self::UnknownName { step, field, name, known } => {
                write!(formatter, "step `{step}`: `{field}` names `{name}`")?;
                match (dag::nearest(name.as_str(), known.iter().map(LogicalName::as_str)), known.is_empty()) {
                    (Some(nearest), _) => write!(formatter, "; did you mean `{nearest}`?"),
                    (None, true) => formatter.write_str(", and there are none"),
                    (None, false) => write!(formatter, "; there are {}", list(known)),
                }
            }
            Self::UnknownInput { step, input } => {
                write!(formatter, "step `{step}`: `bindings.{input}`: the spec has no input `{input}`")
            }
            Self::BindingWithoutEdge { step, input, from, parents } => write!(
                formatter,
                "step `{step}`: `bindings.{input}` names step `{from}`, from which no edge leads to `{step}`; the \
                 upstream steps are {}",
                list(parents)
            ),
            Self::UnknownOutput { step, input, from, output, outputs } => write!(
                formatter,
                "step `{step}`: `bindings.{input}` names output `{output}`, which step `{from}` does not have; its \
                 outputs are {}",
                list(outputs)
            ),
            Self::InputUnderOutput { step, input, output } => write!(
                formatter,
                "step `{step}`: the input `{input}` lies at or under its own output `{output}`, which would be \
                 overwritten: give them different paths"
            ),
            Self::UnreadableInput { step, input, path, reason } => write!(
                formatter,
                "step `{step}`: the input `{input}` at `{path}` cannot be read: {reason}; make it readable, or correct \
                 the path in the spec"
            ),
            Self::SharedOutput { path, steps } => write!(
                formatter,
                "several outputs have the path `{path}` and would overwrite each other (steps {}): give each its own",
                list(steps)
            ),
            Self::OutputNotPossible { step, output, path, what } => write!(
                formatter,
                "step `{step}`: the output `{output}` cannot be published to `{path}`: {what}; choose another path"
            ),
            Self::OutputInsideInput { step, input, publisher, path } => write!(
                formatter,
                "step `{publisher}` publishes to `{path}`, which lies in the input `{input}` of step `{step}` and would \
                 change it: move the output elsewhere"
            ),
            Self::FedByOthers { step, inputs, from } => write!(
                formatter,
                "the inputs {} of step `{step}` lie where {} publishes, and are no own data: test them with the steps that feed them \
                 (`test-pipeline --select`), or give `{step}` data of its own",
                list(inputs),
                list(from)
            ),
            Self::SameStep { step } => {
                write!(formatter, "both ends of the edge are step `{step}`: name two different steps")
            }
            Self::UnusedFunction { script, nearest } => {
                write!(formatter, "a function is registered for the script `{script}`, which no step runs")?;
                match nearest {
                    Some(nearest) => write!(formatter, "; did you mean `{nearest}`?"),
                    None => formatter.write_str(": register it for the `script_name` in a step's spec"),
                }
            }
            Self::Timeout { step } => {
                write!(formatter, "step `{step}`: `timeout_seconds` must be more than 0 and at most 1e9")
            }
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        runtime_testing_models::dag::write_list(formatter, "mistakes", &self.problems)
    }
}

impl std::error::Error for PlanError {}
