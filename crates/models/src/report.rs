use std::fmt;

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use runtime_testing_dag::{Selection, StepName};
use serde::{Deserialize, Serialize};

use crate::{DataCompatibilityResult, ScriptTestResult, StepStatus, UntestedStep};

/// The version of the report's serialized form. It grows when a key changes its meaning or goes away.
pub const REPORT_FORMAT_VERSION: u32 = 1;

/// The result of a test: every step, every edge, and whether all is well.
///
/// Steps and edges come in declaration order; an edge's key is `from->to`. Serializes with the keys of the original
/// first: `pipeline_success`, `execution_order`, `script_results`, `data_flow_results`, `errors`.
///
/// ```
/// use runtime_testing_models::PipelineTestReport;
///
/// let report = PipelineTestReport::default();
/// assert!(!report.pipeline_success(), "nothing was looked at, so nothing passed");
/// ```
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct PipelineTestReport {
    /// The steps, each after all it depends on.
    pub execution_order: Vec<StepName>,
    /// The result for each step.
    pub script_results: IndexMap<StepName, ScriptTestResult>,
    /// The result for each edge, by `from->to`. Empty where edges were not to be tested.
    pub data_flow_results: IndexMap<String, DataCompatibilityResult>,
    /// The test workspace, as an absolute path: what relative paths in the report are relative to.
    pub workspace: Utf8PathBuf,
    /// The name of this test's folder under `.runs`. None where nothing was run.
    pub run_id: Option<String>,
    /// Whether the test was canceled before every run was made.
    #[serde(default)]
    pub canceled: bool,
    /// The part of the pipeline that was tested. None where it was all of it.
    #[serde(default)]
    pub selection: Option<Selection>,
}

/// Who is to blame: a step that does not work, or an edge that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Culprit<'a> {
    /// A step whose script does not work, or that could not be run for a reason of its own.
    Step(&'a StepName),
    /// An edge whose data is not what the consumer expects, or of which it is not known what it carries.
    Edge {
        /// Where it starts.
        from: &'a StepName,
        /// Where it ends.
        to: &'a StepName,
    },
}

impl fmt::Display for Culprit<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => write!(formatter, "step {step}"),
            Self::Edge { from, to } => write!(formatter, "edge {}", edge_key(from, to)),
        }
    }
}

/// The key of an edge in a report: `from->to`. Step names have no `->`, so it can be taken apart again.
pub fn edge_key(from: &StepName, to: &StepName) -> String {
    format!("{from}->{to}")
}

impl PipelineTestReport {
    /// Whether there is a step, every step passed, every edge is compatible, and the test was not canceled.
    pub fn pipeline_success(&self) -> bool {
        !self.canceled
            && !self.script_results.is_empty()
            && self.script_results.values().all(ScriptTestResult::success)
            && self.data_flow_results.values().all(DataCompatibilityResult::compatible)
    }

    /// One sentence for each step that did not pass and each edge that is not compatible: causes first, then their
    /// consequences.
    pub fn errors(&self) -> Vec<String> {
        let steps = |is_consequence: bool| {
            let chosen = move |status: &StepStatus| status.is_consequence() == is_consequence;
            self.script_results.iter().filter(move |(_, result)| chosen(&result.status)).filter_map(
                |(step, result)| result.error_message().map(|message| format!("step `{step}`: {message}")),
            )
        };
        let edges = |is_culprit: bool| {
            let edges = self.data_flow_results.iter().filter(|(_, result)| !result.compatible());
            edges.filter(move |(_, result)| result.is_culprit() == is_culprit).flat_map(|(edge, result)| {
                let inherited = result.inherited_from.join("`, `");
                let from = if inherited.is_empty() { inherited } else { format!(", from `{inherited}`") };
                let issues = result.compatibility_issues().into_iter();
                issues.map(move |issue| format!("edge `{edge}`{from}: {issue}"))
            })
        };
        steps(false).chain(edges(true)).chain(steps(true)).chain(edges(false)).collect()
    }

    /// Who is to blame for what went wrong: steps first, then edges. What is only a consequence (blocked steps, steps that
    /// fail on bad data, untested edges) is not listed.
    pub fn culprits(&self) -> Vec<Culprit<'_>> {
        let mut steps = Vec::new();
        let mut edges: Vec<(&StepName, &StepName)> = Vec::new();
        for (to, result) in &self.script_results {
            match &result.status {
                StepStatus::Failed { .. }
                | StepStatus::Untested {
                    reason:
                        UntestedStep::MissingInputs { .. }
                        | UntestedStep::MissingEdges { .. }
                        | UntestedStep::FedFromDownstream { .. }
                        | UntestedStep::NotSelected { .. },
                } => steps.push(Culprit::Step(to)),
                StepStatus::FailedOnUpstream { edges: from, .. }
                | StepStatus::Untested {
                    reason:
                        UntestedStep::UnboundEdges { edges: from, .. }
                        | UntestedStep::EmptyUpstream { edges: from, .. },
                } => edges.extend(from.iter().map(|from| (from, to))),
                StepStatus::Passed
                | StepStatus::Blocked { .. }
                | StepStatus::Untested {
                    reason:
                        UntestedStep::NeedsFlow { .. }
                        | UntestedStep::DamagedInputs { .. }
                        | UntestedStep::ChangedMeanwhile { .. }
                        | UntestedStep::Canceled,
                } => {}
            }
        }
        if !self.data_flow_results.is_empty() {
            // Where edges were judged, the judgment says which of them it is.
            edges = self
                .data_flow_results
                .iter()
                .filter(|(_, result)| result.is_culprit())
                .filter_map(|(key, _)| key.split_once("->"))
                .filter_map(|(from, to)| {
                    let name = |step: &str| self.script_results.get_key_value(step).map(|(name, _)| name);
                    name(from).zip(name(to))
                })
                .collect();
        }
        steps.into_iter().chain(edges.into_iter().map(|(from, to)| Culprit::Edge { from, to })).collect()
    }

    /// The report as indented JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report is made of plain values with string keys")
    }
}

impl Serialize for PipelineTestReport {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        PipelineTestReportForm {
            pipeline_success: self.pipeline_success(),
            execution_order: &self.execution_order,
            script_results: &self.script_results,
            data_flow_results: &self.data_flow_results,
            errors: self.errors(),
            format_version: REPORT_FORMAT_VERSION,
            workspace: &self.workspace,
            run_id: self.run_id.as_deref(),
            canceled: self.canceled,
            selection: self.selection.as_ref(),
        }
        .serialize(serializer)
    }
}

/// A report as it is written: what follows from the data stands beside it.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "PipelineTestReport"))]
struct PipelineTestReportForm<'a> {
    pipeline_success: bool,
    execution_order: &'a [StepName],
    script_results: &'a IndexMap<StepName, ScriptTestResult>,
    data_flow_results: &'a IndexMap<String, DataCompatibilityResult>,
    errors: Vec<String>,
    format_version: u32,
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    workspace: &'a Utf8PathBuf,
    run_id: Option<&'a str>,
    canceled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    selection: Option<&'a Selection>,
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for PipelineTestReport {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        PipelineTestReportForm::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        PipelineTestReportForm::json_schema(generator)
    }
}
