//! What the runs and the verdicts on edges say of every step.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use runtime_testing_models::{
    DataCompatibilityResult, EdgeVerdict, ScriptFailure, ScriptTestResult, StepName, StepStatus, UntestedStep,
};

use crate::ids::{Id as _, RunId, StepId};
use crate::judge::evidence::Evidence;
use crate::judge::notes::notes;
use crate::plan::missing_inputs::why_no_run;
use crate::plan::own_contracts::NotesBeforeRuns;
use crate::run::record::RunRecord;

/// The result for each step, in declaration order, without its runs: those are added by
/// [`hand_over`](crate::run::record::hand_over). `edges` has the results for the edges, and is empty where they were not to be
/// judged. `before` has what is to be noted of the own data of steps.
pub(crate) fn judge_steps(
    evidence: Evidence<'_>,
    edges: &IndexMap<String, DataCompatibilityResult>,
    before: NotesBeforeRuns,
) -> IndexMap<StepName, ScriptTestResult> {
    let judge = StepJudge { evidence, edges };
    let mut results: IndexMap<StepName, ScriptTestResult> =
        evidence.plan.steps.iter().map(|(at, step)| (step.name.clone(), judge.step(at))).collect();
    for (at, notes) in before {
        results[at.index()].notes.extend(notes);
    }
    if evidence.strict {
        results.values_mut().for_each(be_strict);
    }
    results
}

/// Makes a failure of a step that passed with notes that weaken that.
fn be_strict(result: &mut ScriptTestResult) {
    let mut kinds: Vec<String> = Vec::new();
    for note in result.notes.iter().filter(|note| note.weakens()) {
        if !kinds.iter().any(|kind| kind == note.as_str()) {
            kinds.push(note.as_str().to_owned());
        }
    }
    if result.status == StepStatus::Passed && !kinds.is_empty() {
        result.status = StepStatus::Failed { failure: ScriptFailure::Strict { notes: kinds } };
    }
}

struct StepJudge<'a> {
    evidence: Evidence<'a>,
    edges: &'a IndexMap<String, DataCompatibilityResult>,
}

impl StepJudge<'_> {
    /// The result for a step, without its runs.
    fn step(&self, at: StepId) -> ScriptTestResult {
        let step = &self.evidence.plan.steps[at];
        ScriptTestResult {
            script_name: step.spec.script_name.clone(),
            status: self.status(at),
            has_main_function: self.has_main(at),
            script_path: step
                .script
                .as_ref()
                .and_then(|script| Some(self.evidence.places.shown(script.path()?))),
            runs: Vec::new(),
            notes: notes(self.evidence, at),
        }
    }

    /// Whether the script has a `main`: it can be seen, or a run got as far as to call it or find it missing.
    fn has_main(&self, at: StepId) -> bool {
        let denies = |failure: &ScriptFailure| {
            matches!(
                failure,
                ScriptFailure::ScriptNotFound { .. }
                    | ScriptFailure::SyntaxError { .. }
                    | ScriptFailure::MissingMain { .. }
                    | ScriptFailure::CouldNotStart { .. }
            )
        };
        !self.evidence.plan.steps[at].failure.as_deref().is_some_and(denies)
            && !self.evidence.executed(at).filter_map(|run| run.failure.as_ref()).any(denies)
    }

    fn status(&self, at: StepId) -> StepStatus {
        let step = &self.evidence.plan.steps[at];
        let incoming = || self.evidence.plan.edges_into(at);
        if let Some(failure) = &step.failure {
            return StepStatus::Failed { failure: (**failure).clone() };
        }
        let alone = self.evidence.record(step.individual);
        if let Some(failure) = alone.and_then(RunRecord::failure) {
            return StepStatus::Failed { failure: failure.clone() };
        }
        let broken: Vec<StepName> = incoming()
            .filter(|(edge, _)| {
                self.edges
                    .get_index(edge.index())
                    .is_some_and(|(_, result)| result.verdict == EdgeVerdict::Breaking)
            })
            .map(|(_, edge)| self.evidence.plan.steps[edge.from].name.clone())
            .collect();
        let on_upstream = |failure: &ScriptFailure| {
            let failure = failure.clone();
            if !broken.is_empty() {
                StepStatus::FailedOnUpstream { failure, edges: broken.clone() }
            } else if self.evidence.record(step.individual).is_some_and(RunRecord::is_canceled) {
                // It would have shown whether the step or its data is at fault.
                StepStatus::Untested { reason: UntestedStep::Canceled }
            } else if self.evidence.passes_alone(at) {
                let edges =
                    incoming().map(|(_, edge)| self.evidence.plan.steps[edge.from].name.clone()).collect();
                StepStatus::FailedOnUpstream { failure, edges }
            } else {
                StepStatus::Failed { failure }
            }
        };
        if let Some(flow) = self.evidence.record(step.flow) {
            return match flow {
                RunRecord::NotMade(reason) => StepStatus::Untested { reason: (**reason).clone() },
                RunRecord::Blocked(causes) => StepStatus::Blocked { by: self.causes(at, causes) },
                record => record.failure().map_or(StepStatus::Passed, on_upstream),
            };
        }
        let by_edge: Vec<&RunRecord> =
            incoming().filter_map(|(_, edge)| self.evidence.record(edge.consumer_run)).collect();
        if let Some(failure) = by_edge.iter().find_map(|record| record.failure()) {
            return on_upstream(failure);
        }
        match alone {
            Some(RunRecord::NotMade(reason)) => StepStatus::Untested { reason: (**reason).clone() },
            Some(_) => StepStatus::Passed,
            None if by_edge.iter().any(|record| record.succeeded()) => StepStatus::Passed,
            None => {
                let blocked: Vec<RunId> = by_edge
                    .iter()
                    .filter_map(|record| match record {
                        RunRecord::Blocked(causes) => Some(causes.clone()),
                        _ => None,
                    })
                    .flatten()
                    .collect();
                if blocked.is_empty() {
                    let reason = why_no_run(self.evidence.plan, at);
                    StepStatus::Untested { reason }
                } else {
                    StepStatus::Blocked { by: self.causes(at, &blocked) }
                }
            }
        }
    }

    /// The steps whose runs block a step. Of the steps that share a run, the one that is upstream of it.
    fn causes(&self, at: StepId, runs: &[RunId]) -> Vec<StepName> {
        let mut upstream = BTreeSet::new();
        let mut stack = vec![at];
        while let Some(step) = stack.pop() {
            for (_, edge) in self.evidence.plan.edges_into(step) {
                if upstream.insert(edge.from) {
                    stack.push(edge.from);
                }
            }
        }
        let cause = |run: &RunId| {
            let run = &self.evidence.plan.runs[*run];
            run.serves.iter().map(|(step, _)| *step).find(|step| upstream.contains(step)).unwrap_or(run.step)
        };
        let steps: BTreeSet<StepId> = runs.iter().map(cause).collect();
        steps.into_iter().map(|step| self.evidence.plan.steps[step].name.clone()).collect()
    }
}
