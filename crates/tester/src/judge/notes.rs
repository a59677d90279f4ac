//! What of a step is worth a look and is not a failure.

use std::collections::BTreeSet;

use runtime_testing_models::{DataProfile, InputSource, LogicalName, StepNote};

use crate::ids::StepId;
use crate::judge::evidence::Evidence;
use crate::judge::similar_names::similar_names;
use crate::plan::missing_inputs::missing_inputs;

/// What of a step is worth a look.
pub(crate) fn notes(evidence: Evidence<'_>, at: StepId) -> Vec<StepNote> {
    let step = &evidence.plan.steps[at];
    let mut notes = Vec::new();
    for run in evidence.executed(at) {
        for note in similar_names(step.spec, run, |input| evidence.handed(at, run, input)) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    let mut sampled: Vec<LogicalName> = Vec::new();
    let mut empty: Vec<LogicalName> = Vec::new();
    for run in evidence.executed(at) {
        let from_sample = run.inputs.iter().filter(|(_, input)| input.source == InputSource::Sample);
        sampled.extend(from_sample.map(|(name, _)| name.clone()));
        let without_data =
            run.outputs.iter().filter(|(_, output)| output.data.as_ref().is_some_and(DataProfile::is_empty));
        if run.failure.is_none() {
            empty.extend(without_data.map(|(name, _)| name.clone()));
        }
    }
    for names in [&mut sampled, &mut empty] {
        names.sort();
        names.dedup();
    }
    let (given, sampled): (Vec<_>, Vec<_>) =
        sampled.into_iter().partition(|name| step.input(name).has_own_data);
    if !sampled.is_empty() {
        notes.push(StepNote::SampleData { inputs: sampled });
    }
    if !given.is_empty() {
        notes.push(StepNote::GivenData { inputs: given });
    }
    if step.individual.is_none() && step.failure.is_none() && evidence.plan.tests_individually {
        notes.push(StepNote::NotRunIndividually { inputs: missing_inputs(step) });
    }
    if !empty.is_empty() {
        notes.push(StepNote::EmptyOutputs { outputs: empty });
    }
    let leaked: BTreeSet<&String> = evidence.executed(at).flat_map(|run| &run.leaked).collect();
    if !leaked.is_empty() {
        notes.push(StepNote::LeakedProcesses { processes: leaked.into_iter().cloned().collect() });
    }
    for (output, reason) in evidence.records.not_published.get(&at).into_iter().flatten() {
        notes.push(StepNote::NotPublished { output: output.clone(), reason: reason.clone() });
    }
    notes
}
