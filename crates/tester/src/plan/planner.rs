//! Plans a test, or finds everything that keeps it from being planned.

use std::collections::HashMap;
use std::sync::Arc;

use runtime_testing_models::{PipelineDag, PipelineTestingSpec, ScriptExecutionSpec, StepName};

use crate::cancel::CancelHandle;
use crate::history::places::Places;
use crate::ids::{DenseMap, EdgeId, Id as _, StepId};
use crate::plan::bindings::{self, EdgeBindings, Parent};
use crate::plan::inspect::StartEarly;
use crate::plan::model::{Interpreter, Plan, PlannedEdge, PlannedStep, Scope, Tested};
use crate::plan::own_inputs::{Publishers, mark_own_data};
use crate::plan::path_cache::PathCache;
use crate::plan::ports::{LeftOut, ports};
use crate::plan::problem::{PlanError, PlanProblem};
use crate::plan::runs::Planner;
use crate::plan::{inspect, scripts, validate};
use crate::settings::TesterSettings;

/// Plans a test, or says everything that keeps it from being planned. `asking` is who cancels it and what is called before an interpreter is asked
/// about scripts.
pub(crate) fn plan<'a>(
    Tested { pipeline, part, functions, earlier }: Tested<'a>,
    scope: Scope,
    settings: &'a TesterSettings,
    places: &Places,
    sample: bool,
    asking: (&CancelHandle, &StartEarly<'_>),
) -> Result<Plan<'a>, PlanError> {
    let mut problems = validate::problems_of_the_whole(pipeline, scope, places);
    if scope.all_functions {
        validate::problems_of_functions(pipeline, functions, &mut problems);
    }
    let mut steps: DenseMap<StepId, PlannedStep<'a>> = DenseMap::new();
    let python = Interpreter::given(&settings.python);
    for name in part.steps() {
        match pipeline.script_specs.get(name) {
            Some(spec) => drop(steps.push(step(name, spec, &python, places))),
            None => problems.push(PlanProblem::MissingSpec { step: name.clone() }),
        }
    }
    let left_out = LeftOut::of(pipeline, part, places);
    let paths = PathCache::default();
    for step in steps.values() {
        validate::problems_of_step(step, settings, &paths, &mut problems);
        validate::problems_of_names(step, &mut problems);
    }
    let publishers = Publishers::of(&steps, &left_out, earlier.clone(), &paths);
    mark_own_data(&mut steps, &publishers, &paths, &mut problems);
    validate::problems_of_publishing(&steps, &paths, &mut problems);
    if steps.len() == part.steps().len() {
        validate::problems_of_bindings(pipeline, part, &steps, &mut problems);
    }
    scripts::use_functions(functions, &mut steps);
    scripts::find_scripts(pipeline, scope, settings, places, &mut steps, &mut problems);
    validate::problems_of_targets(&steps, earlier, settings, places, &paths, &mut problems);
    inspect::inspect_scripts(settings, places, &mut steps, &mut problems, asking);
    if !problems.is_empty() {
        return Err(PlanError { problems });
    }
    let edges = edges(pipeline, part, &steps, &left_out);
    let order: Vec<StepName> = part.topological_order().into_iter().cloned().collect();
    let cut = steps.values().map(|step| left_out.parents_of(step.name, &pipeline.dag)).collect();
    let mut planner = Planner::new(steps, edges, cut, settings, scope, sample);
    planner.plan_runs(order.iter().map(|name| position(part, name)));
    let Planner { steps, edges, incoming, runs, .. } = planner;
    let published = publishers.into_map();
    Ok(Plan { steps, edges, incoming, runs, published, order, tests_individually: scope.individual })
}

fn step<'a>(
    name: &'a StepName,
    spec: &'a ScriptExecutionSpec,
    python: &Arc<Interpreter>,
    places: &Places,
) -> PlannedStep<'a> {
    PlannedStep {
        name,
        spec,
        inputs: ports(spec.inputs(), &spec.input_path_specs, places),
        outputs: ports(spec.outputs(), &spec.output_path_specs, places),
        script: None,
        failure: None,
        modules: Arc::default(),
        interpreter: spec.python.as_ref().map_or_else(|| Arc::clone(python), |own| Interpreter::given(own)),
        individual: None,
        flow: None,
    }
}

fn edges(
    pipeline: &PipelineTestingSpec,
    part: &PipelineDag,
    steps: &DenseMap<StepId, PlannedStep<'_>>,
    left_out: &LeftOut<'_>,
) -> DenseMap<EdgeId, PlannedEdge> {
    let outputs = |step: &StepName| match left_out.outputs.get(step) {
        Some(outputs) => outputs,
        None => &steps[position(part, step)].outputs,
    };
    let mut found: HashMap<(StepId, StepId), EdgeBindings> = HashMap::new();
    for (to, step) in steps {
        let parents: Vec<Parent<'_>> = pipeline
            .dag
            .dependencies(step.name)
            .expect("the step is in the DAG")
            .into_iter()
            .map(|parent| Parent { step: parent, outputs: outputs(parent) })
            .collect();
        let bindings = bindings::resolve(&step.inputs, &step.spec.bindings, &parents);
        let tested = parents.iter().zip(bindings).filter(|(parent, _)| part.contains(parent.step));
        for (parent, bindings) in tested {
            found.insert((position(part, parent.step), to), bindings);
        }
    }
    let edge = |(from, to): (&StepName, &StepName)| {
        let (from, to) = (position(part, from), position(part, to));
        let bindings = found.remove(&(from, to)).expect("every edge leads from a parent");
        PlannedEdge { from, to, bindings, producer_run: None, consumer_run: None }
    };
    part.edges().map(edge).collect()
}

/// The number of a step of the part that is tested.
fn position(part: &PipelineDag, step: &StepName) -> StepId {
    StepId::new(part.position(step).expect("the step is in the DAG"))
}
