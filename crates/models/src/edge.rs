use std::fmt;

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use runtime_testing_dag::StepName;
use serde::{Deserialize, Serialize};

use crate::list::{list, there_are};
use crate::{Difference, EdgeBlame, LogicalName, NotSingledOut, ScriptFailure, ScriptName};

/// The judgment of an edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EdgeVerdict {
    /// The same columns, types and nullability.
    Identical,
    /// All that is expected is there; what differs is safe and is among the notes.
    Compatible,
    /// There was nothing to compare with, and the consumer ran well on the data.
    Accepted,
    /// The data is not what the consumer expects. The reasons are among the issues.
    Breaking,
    /// Nothing can be said.
    Untested {
        /// Why not.
        reason: UntestedEdge,
    },
}

impl EdgeVerdict {
    /// Whether the edge counts as compatible: identical, compatible or accepted.
    pub fn is_compatible(&self) -> bool {
        matches!(self, Self::Identical | Self::Compatible | Self::Accepted)
    }

    /// The verdict in one word, as the JSON form has it under `kind`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Compatible => "compatible",
            Self::Accepted => "accepted",
            Self::Breaking => "breaking",
            Self::Untested { .. } => "untested",
        }
    }
}

/// Why nothing can be said of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UntestedEdge {
    /// The producer did not succeed, so there is no data.
    ProducerFailed,
    /// The producer was not run, so there is no data.
    ProducerNotRun,
    /// The build that tests cannot read what the producer wrote.
    MissingFeature,
    /// There is nothing to compare with, and the consumer was not run on the data.
    ConsumerNotRun,
    /// There is nothing to compare with, and the consumer fails for reasons of its own.
    ConsumerFailed,
    /// A binding is a guess, and the consumer did not run well on the data.
    UnconfirmedGuess,
    /// Something has changed or removed what the producer wrote after it had ended.
    DataChanged,
    /// The test was canceled before the data was looked at.
    Canceled,
}

impl fmt::Display for UntestedEdge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ProducerFailed => "the producer did not succeed",
            Self::ProducerNotRun => "the producer was not run",
            Self::MissingFeature => {
                "this build cannot read what the producer wrote: enable the feature `parquet`, or `compression` where it is \
                 compressed text"
            }
            Self::ConsumerNotRun => "the consumer was not run, and there is nothing to compare with",
            Self::ConsumerFailed => {
                "the consumer does not work, and there is nothing to compare with; if the data may be at fault, a \
                 contract (`input_schemas`) tells"
            }
            Self::UnconfirmedGuess => {
                "its binding is a guess from names, and the consumer did not run well on the data"
            }
            Self::DataChanged => "something changed what the producer wrote after it had ended",
            Self::Canceled => "the test was canceled",
        })
    }
}

/// Which output feeds which input on an edge, and how that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Binding {
    /// The producer's output.
    pub output: LogicalName,
    /// The consumer's input.
    pub input: LogicalName,
    /// The rule that bound them.
    pub rule: BindingRule,
    /// What the data is compared with.
    pub expectation: DataExpectation,
}

impl fmt::Display for Binding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { output, input, rule, expectation } = self;
        write!(formatter, "{output} -> {input} ({rule}); {expectation}")
    }
}

/// What the data of an edge is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum DataExpectation {
    /// The contract under `input_schemas` in the consumer's spec.
    Contract {
        /// What it says of each column, in words. Of several tables, those of the first that names the column.
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        columns: IndexMap<String, String>,
    },
    /// What the consumer's own input holds.
    OwnInput {
        /// Where it lies.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        path: Utf8PathBuf,
    },
    /// Nothing: the edge is accepted where the consumer runs well.
    Nothing,
}

impl fmt::Display for DataExpectation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract { .. } => formatter.write_str("compared with the contract in `input_schemas`"),
            Self::OwnInput { path } => write!(formatter, "compared with {path}"),
            Self::Nothing => formatter.write_str("nothing to compare with"),
        }
    }
}

/// The rules by which an output is bound to an input, in the order they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum BindingRule {
    /// The consumer's spec says so under `bindings`.
    Explicit,
    /// The input's path equals the output's path, or lies under it.
    Path,
    /// They have the same logical name.
    SameName,
    /// One has an alias that is a name or alias of the other.
    Alias,
    /// It is the only output left, and the only input left.
    OnlyPair,
    /// Their names are similar. This is a guess.
    SimilarName {
        /// How similar, from 0 to 1.
        score: f64,
        /// What the score rests on.
        reason: Similarity,
    },
}

/// What makes two names similar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Similarity {
    /// Most of their letters are the same.
    Letters,
    /// Most of their words are the same.
    Words,
    /// Most of their words mean the same.
    Meaning,
}

impl fmt::Display for Similarity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Letters => "by their letters",
            Self::Words => "by the words in common",
            Self::Meaning => "by words that mean the same",
        })
    }
}

impl BindingRule {
    /// Whether the binding is a guess.
    pub fn is_guess(&self) -> bool {
        matches!(self, Self::SimilarName { .. })
    }
}

impl fmt::Display for BindingRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explicit => formatter.write_str("bound in the spec"),
            Self::Path => formatter.write_str("same path"),
            Self::SameName => formatter.write_str("same name"),
            Self::Alias => formatter.write_str("alias"),
            Self::OnlyPair => formatter.write_str("the only pair left"),
            Self::SimilarName { score, reason } => {
                write!(formatter, "similar name, {score:.2} {reason}")
            }
        }
    }
}

/// A reason why an edge is breaking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EdgeIssue {
    /// The data differs from what is expected.
    Data {
        /// The producer's output.
        output: LogicalName,
        /// The consumer's input.
        input: LogicalName,
        /// The file below the output.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        file: Utf8PathBuf,
        /// How it differs.
        difference: Difference,
    },
    /// The producer ran well and wrote nothing to the output.
    NoOutput {
        /// The producer's output.
        output: LogicalName,
        /// The consumer's input.
        input: LogicalName,
    },
    /// The producer wrote something, but not the file or folder that the input takes.
    MissingFile {
        /// The producer's output.
        output: LogicalName,
        /// The consumer's input.
        input: LogicalName,
        /// The file or folder that the input takes, below the output.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        wanted: Utf8PathBuf,
        /// The files that are there.
        #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
        files: Vec<Utf8PathBuf>,
    },
    /// It is not known which output feeds which input.
    NoBinding {
        /// The producer's outputs.
        outputs: Vec<LogicalName>,
        /// The consumer's inputs that nothing else feeds.
        inputs: Vec<LogicalName>,
        /// Other upstream steps that could feed the same inputs by the same rule.
        rivals: Vec<StepName>,
    },
    /// The consumer fails on this data and passes on its own inputs.
    ConsumerFailed {
        /// How it fails.
        failure: ScriptFailure,
        /// What makes this edge the cause.
        blame: EdgeBlame,
    },
    /// A binding is a guess from similar names, and there is nothing to compare the data with that could confirm it.
    GuessedBinding {
        /// The producer.
        step: StepName,
        /// The producer's output.
        output: LogicalName,
        /// The consumer's input.
        input: LogicalName,
        /// How similar, from 0 to 1.
        score: f64,
        /// What the score rests on.
        reason: Similarity,
    },
}

impl EdgeIssue {
    /// The kind of issue in one word; for data that differs, the kind of difference.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Data { difference, .. } => difference.as_str(),
            Self::NoOutput { .. } => "no_output",
            Self::MissingFile { .. } => "missing_file",
            Self::NoBinding { .. } => "no_binding",
            Self::ConsumerFailed { .. } => "consumer_failed",
            Self::GuessedBinding { .. } => "guessed_binding",
        }
    }

    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoBinding { outputs, inputs, .. } => Some(match (inputs.first(), outputs.first()) {
                (Some(input), Some(output)) => {
                    format!("say it in the consumer's spec: {}", bindings_line(input, "…", output))
                }
                _ => "add the output or the input to its step's spec, or remove the edge".to_owned(),
            }),
            Self::GuessedBinding { step, output, input, .. } => Some(format!(
                "if it is right, say it in the consumer's spec: {}",
                bindings_line(input, step.as_str(), output)
            )),
            Self::MissingFile { .. } => {
                Some("have the producer write it, or make the input's path the folder".to_owned())
            }
            _ => None,
        }
    }
}

impl fmt::Display for EdgeIssue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data { output, input, file, difference } => {
                write!(formatter, "`{output}` -> `{input}`, {file}: {difference}")
            }
            Self::NoOutput { output, input } => {
                write!(formatter, "`{output}` -> `{input}`: nothing was written to `{output}`")
            }
            Self::MissingFile { output, input, wanted, files } => {
                write!(formatter, "`{output}` -> `{input}`: `{wanted}` is missing; {}", there_are(files))
            }
            Self::NoBinding { outputs, inputs, rivals } => {
                formatter.write_str("it is not known which output feeds which input: ")?;
                match outputs.as_slice() {
                    [] => formatter.write_str("the producer declares no outputs")?,
                    outputs => write!(formatter, "the outputs are {}", list(outputs))?,
                }
                match inputs.as_slice() {
                    [] => formatter.write_str(", and no input is left")?,
                    inputs => write!(formatter, ", the inputs left are {}", list(inputs))?,
                }
                if !rivals.is_empty() {
                    write!(formatter, ", for which {} would do as well", list(rivals))?;
                }
                Ok(())
            }
            Self::ConsumerFailed { failure, blame } => formatter.write_str(&blame.sentence(failure)),
            Self::GuessedBinding { output, input, score, reason, .. } => write!(
                formatter,
                "`{output}` -> `{input}` is a guess from their names (similarity {score:.2} {reason}), and there is \
                 nothing to compare the data with"
            ),
        }
    }
}

/// The line of a spec that binds an input.
fn bindings_line(input: &LogicalName, step: &str, output: &LogicalName) -> String {
    let text = |name: &str| serde_json::Value::from(name);
    let (input, step, output) = (text(input.as_str()), text(step), text(output.as_str()));
    format!(r#""bindings": {{{input}: {{"step": {step}, "output": {output}}}}}"#)
}

/// Something about an edge that is worth a look and does not break it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EdgeNote {
    /// The data differs from what is expected in a way that is safe.
    Data {
        /// The producer's output.
        output: LogicalName,
        /// The consumer's input.
        input: LogicalName,
        /// The file below the output.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        file: Utf8PathBuf,
        /// How it differs.
        difference: Difference,
    },
    /// A binding is a guess from similar names. What the data was compared with confirms it.
    GuessedBinding {
        /// The producer.
        step: StepName,
        /// The producer's output.
        output: LogicalName,
        /// The consumer's input.
        input: LogicalName,
        /// How similar, from 0 to 1.
        score: f64,
        /// What the score rests on.
        reason: Similarity,
    },
    /// The consumer fails, and whether it does with the data of this edge alone is not known.
    NotSingledOut {
        /// Why not.
        reason: NotSingledOut,
    },
    /// One of the two steps fails, which is not this edge's fault. Only where the edge alone was tested: elsewhere the
    /// result of the step says it.
    StepFailed {
        /// The step.
        step: StepName,
        /// What went wrong.
        failure: Box<ScriptFailure>,
    },
}

impl EdgeNote {
    /// The kind of note in one word; for data that differs, the kind of difference.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Data { difference, .. } => difference.as_str(),
            Self::GuessedBinding { .. } => "guessed_binding",
            Self::NotSingledOut { .. } => "not_singled_out",
            Self::StepFailed { .. } => "step_failed",
        }
    }
}

impl fmt::Display for EdgeNote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data { output, input, file, difference } => {
                write!(formatter, "`{output}` -> `{input}`, {file}: {difference}")
            }
            Self::GuessedBinding { step, output, input, score, reason } => write!(
                formatter,
                "`{output}` -> `{input}` is a guess from their names (similarity {score:.2} {reason}); confirm it with {}",
                bindings_line(input, step.as_str(), output)
            ),
            Self::NotSingledOut { reason } => {
                write!(formatter, "whether the consumer fails with this data alone is not known: {reason}")
            }
            Self::StepFailed { step, failure } => write!(formatter, "step `{step}` fails: {failure}"),
        }
    }
}

/// The result for one edge.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DataCompatibilityResult {
    /// The producer's script.
    pub script_a: ScriptName,
    /// The consumer's script.
    pub script_b: ScriptName,
    /// The judgment.
    pub verdict: EdgeVerdict,
    /// Which output feeds which input.
    pub bindings: Vec<Binding>,
    /// Why the edge is breaking. Empty unless it is.
    pub issues: Vec<EdgeIssue>,
    /// The edges before it, `from->to`, whose breaks it passes on: it breaks for nothing else, and is no culprit.
    #[serde(default)]
    pub inherited_from: Vec<String>,
    /// What is worth a look.
    pub notes: Vec<EdgeNote>,
    /// The formats that the producer wrote, where it wrote anything.
    pub data_format_a: Option<String>,
    /// The formats that the consumer expects, where that is known.
    pub data_format_b: Option<String>,
}

impl DataCompatibilityResult {
    /// Whether it breaks for reasons of its own.
    pub fn is_culprit(&self) -> bool {
        self.verdict == EdgeVerdict::Breaking && self.inherited_from.is_empty()
    }

    /// Whether the edge counts as compatible.
    pub fn compatible(&self) -> bool {
        self.verdict.is_compatible()
    }

    /// Why the edge is not compatible, a sentence for each reason.
    pub fn compatibility_issues(&self) -> Vec<String> {
        match self.verdict {
            EdgeVerdict::Untested { reason } => vec![format!("not tested: {reason}")],
            _ => self.issues.iter().map(EdgeIssue::to_string).collect(),
        }
    }
}

/// With the keys of the original first: `script_a`, `script_b`, `compatible`, `compatibility_issues`, `data_format_a`,
/// `data_format_b`.
impl Serialize for DataCompatibilityResult {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        DataCompatibilityResultForm {
            script_a: &self.script_a,
            script_b: &self.script_b,
            compatible: self.compatible(),
            compatibility_issues: self.compatibility_issues(),
            data_format_a: self.data_format_a.as_deref(),
            data_format_b: self.data_format_b.as_deref(),
            verdict: &self.verdict,
            bindings: &self.bindings,
            issues: &self.issues,
            inherited_from: &self.inherited_from,
            notes: &self.notes,
        }
        .serialize(serializer)
    }
}

/// A result as it is written: what follows from the data stands beside it.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "DataCompatibilityResult"))]
struct DataCompatibilityResultForm<'a> {
    script_a: &'a ScriptName,
    script_b: &'a ScriptName,
    compatible: bool,
    compatibility_issues: Vec<String>,
    data_format_a: Option<&'a str>,
    data_format_b: Option<&'a str>,
    verdict: &'a EdgeVerdict,
    bindings: &'a [Binding],
    issues: &'a [EdgeIssue],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    inherited_from: &'a [String],
    notes: &'a [EdgeNote],
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for DataCompatibilityResult {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        DataCompatibilityResultForm::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        DataCompatibilityResultForm::json_schema(generator)
    }
}
