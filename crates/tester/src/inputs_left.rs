//! The inputs of a plan that are left without data, and what that means for their step.

use camino::Utf8Path;
use runtime_testing_data::nearest_path;
use runtime_testing_models::{LogicalName, StepNote, UntestedStep};

use crate::bindings::Port;
use crate::plan::{Plan, PlannedStep};

/// The inputs of a step for which the user has no data.
pub(crate) fn missing_inputs(step: &PlannedStep<'_>) -> Vec<LogicalName> {
    step.inputs.iter().filter(|port| !port.has_own_data).map(|port| port.name.clone()).collect()
}

/// The inputs of a step that no edge feeds and that have no data of their own; or else all that no edge feeds. `incoming`
/// has the edges into the step.
pub(crate) fn unfed_inputs(plan: &Plan<'_>, incoming: &[usize], step: usize) -> Vec<LogicalName> {
    let fed = |name: &LogicalName| {
        let mut bound = incoming.iter().flat_map(|edge| &plan.edges[*edge].bindings.bound);
        bound.any(|bound| bound.input == *name)
    };
    let unfed: Vec<_> = plan.steps[step].inputs.iter().filter(|port| !fed(&port.name)).collect();
    let needy: Vec<LogicalName> =
        unfed.iter().filter(|port| !port.has_own_data).map(|port| port.name.clone()).collect();
    if needy.is_empty() { unfed.into_iter().map(|port| port.name.clone()).collect() } else { needy }
}

/// The inputs of a step that neither exist nor are fed, and of which nearly the same path exists, which no other input and
/// no output is.
pub(crate) fn near_paths(
    plan: &Plan<'_>,
    step: &PlannedStep<'_>,
    is_fed: impl Fn(&LogicalName) -> bool,
    base: &Utf8Path,
) -> Vec<StepNote> {
    let lost = |port: &&Port| !port.has_own_data && port.published_by.is_empty() && !is_fed(&port.name);
    let note = |port: &Port| {
        let near = nearest_path(&port.path)?;
        let mut outputs = plan.steps.iter().flat_map(|step| &step.outputs);
        let is_another = step.inputs.iter().any(|other| *other.path == *near)
            || outputs.any(|output| *output.path == *near);
        (!is_another).then(|| StepNote::NearPath {
            input: port.name.clone(),
            path: step.spec.input_paths[&port.name].clone(),
            near: near.strip_prefix(base).map_or_else(|_| near.clone(), Utf8Path::to_path_buf),
        })
    };
    step.inputs.iter().filter(lost).filter_map(note).collect()
}

/// Why a step for which no run is planned is not run.
pub(crate) fn why_no_run(plan: &Plan<'_>, incoming: &[usize], step: usize) -> UntestedStep {
    let inputs = missing_inputs(&plan.steps[step]);
    if incoming.iter().any(|edge| !plan.edges[*edge].bindings.bound.is_empty()) {
        UntestedStep::NeedsFlow { inputs }
    } else {
        UntestedStep::MissingInputs { inputs }
    }
}
