//! The inputs of a plan that are left without data, and what that means for their step.

use std::collections::HashSet;

use camino::Utf8Path;
use runtime_testing_data::nearest_path;
use runtime_testing_models::{LogicalName, StepNote, UntestedStep};

use crate::ids::StepId;
use crate::plan::bindings::Port;
use crate::plan::model::{Plan, PlannedStep};
use crate::plan::own_contracts::NotesBeforeRuns;

/// The inputs of a step that it needs, and for which the user has no data.
pub(crate) fn missing_inputs(step: &PlannedStep<'_>) -> Vec<LogicalName> {
    let is_missing = |port: &&Port| !port.has_own_data && !step.can_do_without(&port.name);
    step.inputs.iter().filter(is_missing).map(|port| port.name.clone()).collect()
}

/// The inputs of a step that no edge feeds and that have no data of their own; or else all that no edge feeds.
pub(crate) fn unfed_inputs(plan: &Plan<'_>, step: StepId) -> Vec<LogicalName> {
    let fed = |name: &LogicalName| {
        let mut bound = plan.edges_into(step).flat_map(|(_, edge)| &edge.bindings.bound);
        bound.any(|bound| bound.input == *name)
    };
    let unfed: Vec<_> = plan.steps[step].inputs.iter().filter(|port| !fed(&port.name)).collect();
    let needy: Vec<LogicalName> =
        unfed.iter().filter(|port| !port.has_own_data).map(|port| port.name.clone()).collect();
    if needy.is_empty() { unfed.into_iter().map(|port| port.name.clone()).collect() } else { needy }
}

/// The most inputs without data that may be misspelled. Where more are, the data is elsewhere altogether.
const MOST_LOST: usize = 100;

/// The inputs, by step, that neither exist nor are fed, and of which nearly the same path exists, which no other input of the
/// step and no output is. Looked for before anything runs, because scripts write.
pub(crate) fn near_paths(plan: &Plan<'_>, base: &Utf8Path) -> NotesBeforeRuns {
    let bound =
        plan.edges.values().flat_map(|edge| edge.bindings.bound.iter().map(|bound| (edge.to, &bound.input)));
    let fed: HashSet<(StepId, &LogicalName)> = bound.collect();
    let inputs = plan.steps.iter().flat_map(|(at, step)| step.inputs.iter().map(move |port| (at, port)));
    let is_lost = |(at, port): &(StepId, &Port)| {
        !port.has_own_data && port.published_by.is_empty() && !fed.contains(&(*at, &port.name))
    };
    let lost: Vec<(StepId, &Port)> = inputs.filter(is_lost).take(MOST_LOST + 1).collect();
    let mut notes = NotesBeforeRuns::new();
    if lost.is_empty() || lost.len() > MOST_LOST {
        return notes;
    }
    let outputs: HashSet<&Utf8Path> =
        plan.steps.values().flat_map(|step| &step.outputs).map(|port| &*port.path).collect();
    for (at, port) in lost {
        let step = &plan.steps[at];
        let Some(near) = nearest_path(&port.path) else { continue };
        if outputs.contains(&*near) || step.inputs.iter().any(|other| *other.path == *near) {
            continue;
        }
        notes.entry(at).or_default().push(StepNote::NearPath {
            input: port.name.clone(),
            path: step.spec.inputs()[&port.name].to_owned(),
            near: near.strip_prefix(base).map_or_else(|_| near.clone(), Utf8Path::to_path_buf),
        });
    }
    notes
}

/// Why a step for which no run is planned is not run.
pub(crate) fn why_no_run(plan: &Plan<'_>, step: StepId) -> UntestedStep {
    let inputs = missing_inputs(&plan.steps[step]);
    if plan.edges_into(step).any(|(_, edge)| !edge.bindings.bound.is_empty()) {
        UntestedStep::NeedsFlow { inputs }
    } else {
        UntestedStep::MissingInputs { inputs }
    }
}
