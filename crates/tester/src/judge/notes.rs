//! What of a step is worth a look and is not a failure.

use std::collections::BTreeSet;

use runtime_testing_models::{DataProfile, InputSource, LogicalName, StepNote};

use crate::ids::StepId;
use crate::judge::evidence::Evidence;
use crate::judge::observed::{
    above_base_folder, made_anew_note, observed_notes, passed_alone_notes, path_shape_notes, unreadable_notes,
};
use crate::judge::similar_names::similar_names;
use crate::plan::missing_inputs::missing_inputs;

/// What of a step is worth a look.
pub(crate) fn notes(evidence: Evidence<'_>, at: StepId) -> Vec<StepNote> {
    let step = &evidence.plan.steps[at];
    let mut notes = Vec::new();
    for run in evidence.executed(at) {
        let similar = similar_names(step.spec, run, |input| evidence.handed(at, run, input));
        let paths = path_shape_notes(evidence, at, run).into_iter().chain(above_base_folder(run));
        for note in similar.into_iter().chain(paths) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes.extend(sample_notes(evidence, at));
    if step.individual.is_none() && step.failure.is_none() && evidence.plan.tests_individually {
        notes.push(StepNote::NotRunIndividually { inputs: missing_inputs(step) });
    }
    let empty = empty_outputs(evidence, at);
    if !empty.is_empty() {
        notes.push(StepNote::EmptyOutputs { outputs: empty });
    }
    notes.extend(unreadable_notes(evidence, at));
    notes.extend(observed_notes(evidence, at));
    let leaked: BTreeSet<&String> = evidence.executed(at).flat_map(|run| &run.leaked).collect();
    if !leaked.is_empty() {
        notes.push(StepNote::LeakedProcesses { processes: leaked.into_iter().cloned().collect() });
    }
    notes.extend(passed_alone_notes(evidence, at));
    notes.extend(made_anew_note(evidence, at));
    for (output, reason) in evidence.records.not_published.get(&at).into_iter().flatten() {
        notes.push(StepNote::NotPublished { output: output.clone(), reason: reason.clone() });
    }
    notes
}

/// The inputs that were sample data: those that do not exist, and those in whose place it was given.
fn sample_notes(evidence: Evidence<'_>, at: StepId) -> Vec<StepNote> {
    let inputs = evidence.executed(at).flat_map(|run| &run.inputs);
    let sampled = inputs.filter(|(_, input)| input.source == InputSource::Sample);
    let sampled: BTreeSet<LogicalName> = sampled.map(|(name, _)| name.clone()).collect();
    let step = &evidence.plan.steps[at];
    let (given, sampled): (Vec<_>, Vec<_>) =
        sampled.into_iter().partition(|name| step.input(name).has_own_data);
    let mut notes = Vec::new();
    if !sampled.is_empty() {
        notes.push(StepNote::SampleData { inputs: sampled });
    }
    if !given.is_empty() {
        notes.push(StepNote::GivenData { inputs: given });
    }
    notes
}

/// The outputs that a run which ended well has not written, and need not.
fn empty_outputs(evidence: Evidence<'_>, at: StepId) -> Vec<LogicalName> {
    let ended_well = evidence.executed(at).filter(|run| run.failure.is_none());
    let empty = ended_well
        .flat_map(|run| &run.outputs)
        .filter(|(_, output)| output.data.as_ref().is_some_and(DataProfile::is_empty));
    let empty: BTreeSet<LogicalName> = empty.map(|(name, _)| name.clone()).collect();
    empty.into_iter().collect()
}
