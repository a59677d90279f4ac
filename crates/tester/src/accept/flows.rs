//! What flowed along the edges of a recorded test, and whether it is good data.

use std::collections::{BTreeSet, HashMap};

use runtime_testing_models::{
    DataCompatibilityResult, EdgeIssue, InputSource, LogicalName, StepName, edge_key,
};

use crate::accept::error::LeftOutReason;
use crate::accept::observed;
use crate::history::recorded::RecordedTest;

/// The edges of a recorded test by their ends, and what came of them.
pub(crate) struct Flows<'a> {
    test: &'a RecordedTest,
    /// The steps to accept. None where all are.
    named: &'a [StepName],
    /// The edges that were judged.
    into: HashMap<&'a StepName, Vec<(&'a StepName, &'a DataCompatibilityResult)>>,
    /// The outputs of each step that feed something.
    fed: HashMap<&'a StepName, BTreeSet<&'a LogicalName>>,
    /// The steps of which it is not known which outputs feed something.
    unknown: BTreeSet<&'a StepName>,
    /// Why what a step wrote did not come of good data, where it did not.
    origins: HashMap<&'a StepName, LeftOutReason>,
}

impl<'a> Flows<'a> {
    pub(crate) fn of(test: &'a RecordedTest, named: &'a [StepName]) -> Self {
        let mut flows = Self {
            test,
            named,
            into: HashMap::new(),
            fed: HashMap::new(),
            unknown: BTreeSet::new(),
            origins: HashMap::new(),
        };
        for (from, to) in test.dag.edges() {
            let edge = test.report.data_flow_results.get(&edge_key(from, to));
            if let Some(edge) = edge {
                flows.into.entry(to).or_default().push((from, edge));
                flows
                    .fed
                    .entry(from)
                    .or_default()
                    .extend(edge.bindings.iter().map(|binding| &binding.output));
            }
            if edge.is_none_or(|edge| edge.bindings.is_empty()) {
                flows.unknown.insert(from);
            }
        }
        // Each comes after all it depends on.
        for step in &test.report.execution_order {
            if let Some(reason) = flows.trace(step) {
                flows.origins.insert(step, reason);
            }
        }
        flows
    }

    /// Whether both ends of an edge were tested.
    pub(crate) fn has_edges(&self) -> bool {
        let is_tested = |step| self.test.report.script_results.contains_key(step);
        self.test.dag.edges().any(|(from, to)| is_tested(from) && is_tested(to))
    }

    /// The edges into a step that were judged.
    pub(crate) fn into(
        &self,
        to: &StepName,
    ) -> impl Iterator<Item = (&'a StepName, &'a DataCompatibilityResult)> {
        self.into.get(to).into_iter().flatten().copied()
    }

    /// Whether it is known that an output feeds no edge.
    pub(crate) fn is_free(&self, step: &StepName, output: &LogicalName) -> bool {
        !self.unknown.contains(step) && self.fed.get(step).is_none_or(|fed| !fed.contains(output))
    }

    /// Why what a step wrote did not come of good data, if it did not.
    pub(crate) fn origin(&self, step: &StepName) -> Option<&LeftOutReason> {
        self.origins.get(step)
    }

    /// Why what flowed along an edge cannot be accepted, if it cannot.
    pub(crate) fn refusal(
        &self,
        from: &StepName,
        to: &StepName,
        edge: &DataCompatibilityResult,
    ) -> Option<LeftOutReason> {
        if edge.compatible() {
            return None;
        }
        let contracts = self.test.specs.get(to).map(|spec| &spec.input_schemas);
        let is_drift = |issue: &EdgeIssue| {
            matches!(issue, EdgeIssue::Data { input, .. }
                if contracts.is_some_and(|contracts| contracts.contains_key(input)))
        };
        let is_drift = !edge.issues.is_empty() && edge.issues.iter().all(is_drift);
        if is_drift && self.named.contains(to) {
            return None;
        }
        let (from, issues) = (from.clone(), edge.compatibility_issues());
        Some(if is_drift {
            LeftOutReason::Drift { from, issues }
        } else {
            LeftOutReason::EdgeNotCompatible { from, verdict: edge.verdict.as_str(), issues }
        })
    }

    fn trace(&self, to: &StepName) -> Option<LeftOutReason> {
        let run = observed::data_run(&self.test.report, to)?;
        let from_sample = run.inputs.iter().filter(|(_, input)| input.source == InputSource::Sample);
        let inputs: Vec<LogicalName> = from_sample.map(|(name, _)| name.clone()).collect();
        if !inputs.is_empty() {
            return Some(LeftOutReason::FromSample { step: to.clone(), inputs });
        }
        if let Some((from, edge)) = self.into(to).find(|(from, edge)| self.refusal(from, to, edge).is_some())
        {
            let (from, to) = (from.clone(), to.clone());
            return Some(LeftOutReason::FromBadEdge { from, to, verdict: edge.verdict.as_str() });
        }
        let upstream = run.inputs.values().find_map(|input| match &input.source {
            InputSource::Upstream { step, .. } => self.origins.get(step),
            _ => None,
        });
        upstream.cloned()
    }
}
