//! Runs that were not planned: those that show which of several edges makes a consumer fail.

use std::collections::BTreeSet;

use runtime_testing_models::RunKind;

use super::{Dispatcher, expected};
use crate::error::TestError;
use crate::events::Event;
use crate::ids::{Id as _, RunId, StepId};
use crate::plan::model::{Action, PlannedInput, PlannedRun, PlannedStep};
use crate::run::record::RunRecord;

impl Dispatcher<'_> {
    /// Where a run that is settled shows that a step passes on its own inputs and fails on the data of several edges, adds
    /// the runs that show which of them it is.
    pub(super) fn isolate_causes(&mut self, settled: RunId) -> Result<(), TestError> {
        let plan = self.plan;
        let Some(planned) = plan.runs.get(settled) else { return Ok(()) };
        let served: BTreeSet<StepId> = planned.serves.iter().map(|(step, _)| *step).collect();
        let first = self.added.len();
        for step in served {
            let PlannedStep { individual, flow, name, .. } = &plan.steps[step];
            let record = |run: &Option<RunId>| run.and_then(|run| self.records[run].as_ref());
            let fails = record(flow).and_then(RunRecord::executed).is_some_and(|run| run.failure.is_some());
            if !fails || !record(individual).is_some_and(RunRecord::succeeded) {
                continue;
            }
            let mut kinds = Vec::new();
            for (from, inputs) in plan.single_inputs(step) {
                let kind = RunKind::Edge { from: plan.steps[from].name.clone() };
                let action = Action::Execute(inputs);
                // Steps that share the run that is settled may share these too.
                let run = match self.added[first..].iter().position(|added| added.action == action) {
                    Some(same) => {
                        self.added[first + same].serves.push((step, kind));
                        RunId::new(plan.runs.len() + first + same)
                    }
                    None => {
                        kinds.push(kind.clone());
                        let serves = vec![(step, kind)];
                        self.add(PlannedRun { step, serves, action, waits_for: Vec::new() })?
                    }
                };
                self.isolated.insert((step, from), run);
            }
            if !kinds.is_empty() {
                self.test.reporter.report(&Event::RunsAdded { step: name, kinds: &kinds });
            }
        }
        Ok(())
    }

    /// Adds a run that may be made at once. What it is given of the user's own is kept first: several such runs have it.
    fn add(&mut self, run: PlannedRun) -> Result<RunId, TestError> {
        if let Action::Execute(inputs) = &run.action {
            for (_, input) in inputs {
                if let PlannedInput::Own(path) = input {
                    self.shared.keep_one(path)?;
                }
            }
        }
        self.schedule.add(expected(self.plan, self.times, &run));
        self.added.push(run);
        Ok(self.records.push(None))
    }
}
