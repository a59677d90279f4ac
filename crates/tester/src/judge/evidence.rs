//! What a judgment rests on: the plan, and what came of its runs.

use std::collections::BTreeSet;

use runtime_testing_models::{DataProfile, InputSource, LogicalName, RunResult};

use crate::history::places::Places;
use crate::ids::{RunId, StepId};
use crate::plan::model::{Plan, PlannedEdge};
use crate::run::record::{Records, RunRecord};

/// The plan of a test and what came of its runs.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub(crate) plan: &'a Plan<'a>,
    pub(crate) records: &'a Records,
    pub(crate) places: &'a Places,
    /// Whether what weakens a verdict is a failure.
    pub(crate) strict: bool,
}

impl<'a> Evidence<'a> {
    pub(crate) fn record(&self, run: Option<RunId>) -> Option<&'a RunRecord> {
        run.map(|run| &self.records.runs[run])
    }

    /// Whether a step's run on its own inputs succeeded.
    pub(crate) fn passes_alone(&self, step: StepId) -> bool {
        self.record(self.plan.steps[step].individual).is_some_and(RunRecord::succeeded)
    }

    /// The runs that serve a step, each once.
    pub(crate) fn runs_of(&self, at: StepId) -> BTreeSet<RunId> {
        let step = &self.plan.steps[at];
        let by_edge = self.plan.edges_into(at).filter_map(|(_, edge)| edge.consumer_run);
        let parents = self.plan.edges_into(at).map(|(_, edge)| edge.from);
        let isolated = parents.filter_map(|from| self.records.isolated.get(&(at, from)).copied());
        step.individual.into_iter().chain(step.flow).chain(by_edge).chain(isolated).collect()
    }

    /// What came of the runs that serve a step, as far as they were made.
    pub(crate) fn executed(&self, at: StepId) -> impl Iterator<Item = &'a RunResult> {
        let records = self.records;
        self.runs_of(at).into_iter().filter_map(move |run| records.runs[run].executed())
    }

    /// What an upstream step wrote, as far as an input of a run comes from it.
    pub(crate) fn handed(&self, at: StepId, run: &RunResult, input: &LogicalName) -> Option<&'a DataProfile> {
        let InputSource::Upstream { step, output } = &run.inputs[input].source else { return None };
        let from = |edge: &PlannedEdge| self.plan.steps[edge.from].name == step;
        let edge = self.plan.edges_into(at).map(|(_, edge)| edge).find(|edge| from(edge))?;
        self.record(edge.producer_run)?.executed()?.outputs.get(output)?.data.as_ref()
    }
}
