//! The inputs of a plan that are left without data, and what that means for their step.

use runtime_testing_models::{LogicalName, UntestedStep};

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

/// Why a step for which no run is planned is not run.
pub(crate) fn why_no_run(plan: &Plan<'_>, incoming: &[usize], step: usize) -> UntestedStep {
    let inputs = missing_inputs(&plan.steps[step]);
    if incoming.iter().any(|edge| !plan.edges[*edge].bindings.bound.is_empty()) {
        UntestedStep::NeedsFlow { inputs }
    } else {
        UntestedStep::MissingInputs { inputs }
    }
}
