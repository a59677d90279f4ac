//! A plan as plain data, for those who want to see it before anything runs.

use std::collections::BTreeMap;

use runtime_testing_models::{
    Binding, BindingRule, DataExpectation, EdgeIssue, EdgePlan, InputPlan, InputSource, LogicalName,
    PLAN_FORMAT_VERSION, PipelineTestPlan, RunAction, RunPlan, RuntimeTestingConfiguration, ScriptPlan,
    StepName, StepNote, StepPlan, edge_key,
};

use crate::history::places::Places;
use crate::ids::{DenseMap, RunId, StepId};
use crate::plan::bindings::Bound;
use crate::plan::missing_inputs::{missing_inputs, near_paths, unfed_inputs, why_no_run};
use crate::plan::model::{Action, Plan, PlannedEdge, PlannedInput, PlannedInputs, PlannedStep, ScriptFile};
use crate::plan::own_contracts::NotesBeforeRuns;
use crate::settings::TesterSettings;

/// Tells what a plan of `configuration` is.
pub(crate) fn describe(
    plan: &Plan<'_>,
    configuration: &RuntimeTestingConfiguration,
    settings: &TesterSettings,
    places: &Places,
) -> PipelineTestPlan {
    let near_paths = near_paths(plan, &places.base);
    let describer = PlanDescriber { plan, settings, places, causes: causes(plan), near_paths };
    let edges = plan
        .edges
        .values()
        .map(|edge| (edge_key(plan.steps[edge.from].name, plan.steps[edge.to].name), describer.edge(edge)));
    PipelineTestPlan {
        format_version: PLAN_FORMAT_VERSION,
        workspace: places.workspace.clone(),
        selection: configuration.selection.clone(),
        test_individual_scripts: configuration.test_individual_scripts,
        test_data_compatibility: configuration.test_data_compatibility,
        test_pipeline_flow: configuration.test_pipeline_flow,
        execution_order: plan.order.clone(),
        steps: plan.steps.iter().map(|(at, step)| (step.name.clone(), describer.step(at))).collect(),
        edges: edges.collect(),
    }
}

/// For each run the runs on account of which it will not be made: itself, if the fault is its own.
fn causes(plan: &Plan<'_>) -> DenseMap<RunId, Vec<RunId>> {
    let mut causes: DenseMap<RunId, Vec<RunId>> = DenseMap::new();
    for (at, run) in &plan.runs {
        let own = match run.action {
            Action::Execute(_) => {
                let mut upstream: Vec<RunId> =
                    run.waits_for.iter().flat_map(|before| causes[*before].clone()).collect();
                upstream.sort_unstable();
                upstream.dedup();
                upstream
            }
            Action::Fails | Action::NotMade(_) => vec![at],
        };
        causes.push(own);
    }
    causes
}

struct PlanDescriber<'a> {
    plan: &'a Plan<'a>,
    settings: &'a TesterSettings,
    places: &'a Places,
    causes: DenseMap<RunId, Vec<RunId>>,
    near_paths: NotesBeforeRuns,
}

impl PlanDescriber<'_> {
    fn step(&self, at: StepId) -> StepPlan {
        let step = &self.plan.steps[at];
        let mut runs: Vec<RunId> = step.individual.into_iter().chain(step.flow).collect();
        runs.extend(self.plan.edges_into(at).filter_map(|(_, edge)| edge.consumer_run));
        runs.sort_unstable();
        runs.dedup();
        let runs: Vec<RunPlan> = runs.into_iter().map(|run| self.run(run, at)).collect();
        let shown = |path| self.places.shown(path);
        StepPlan {
            script_name: step.spec.script_name.clone(),
            script: self.script(step),
            failure: step.failure.as_deref().cloned(),
            timeout_seconds: step.timeout(self.settings).as_secs_f64(),
            not_run: runs.is_empty().then(|| why_no_run(self.plan, at)),
            outputs: step.outputs.iter().map(|port| (port.name.clone(), shown(&port.path))).collect(),
            notes: self.notes(at, step),
            runs,
        }
    }

    fn script(&self, step: &PlannedStep<'_>) -> Option<ScriptPlan> {
        Some(match step.script.as_ref()? {
            ScriptFile::Python(path) => ScriptPlan::Python {
                path: self.places.shown(path),
                interpreter: step.interpreter.path.clone(),
                isolation: step.isolation(self.settings),
            },
            ScriptFile::Executable(path) => ScriptPlan::Executable { path: self.places.shown(path) },
            ScriptFile::Function(_) => ScriptPlan::Function,
        })
    }

    fn notes(&self, at: StepId, step: &PlannedStep<'_>) -> Vec<StepNote> {
        let mut notes = self.near_paths.get(&at).cloned().unwrap_or_default();
        if step.individual.is_none() && step.failure.is_none() && self.plan.tests_individually {
            notes.push(StepNote::NotRunIndividually { inputs: missing_inputs(step) });
        }
        notes
    }

    /// A run as far as it serves a step.
    fn run(&self, at: RunId, step: StepId) -> RunPlan {
        let run = &self.plan.runs[at];
        let name = |run: &RunId| self.plan.steps[self.plan.runs[*run].step].name.clone();
        let serves = run.serves.iter().filter(|(served, _)| *served == step);
        let causes = &self.causes[at];
        let action = match &run.action {
            Action::Fails => RunAction::Fails,
            Action::NotMade(reason) => RunAction::NotMade { reason: (**reason).clone() },
            Action::Execute(_) if !causes.is_empty() => {
                RunAction::Blocked { by: causes.iter().map(name).collect() }
            }
            Action::Execute(inputs) => RunAction::Execute { inputs: self.inputs(inputs, step) },
        };
        RunPlan {
            kinds: serves.map(|(_, kind)| kind.clone()).collect(),
            action,
            waits_for: run.waits_for.iter().map(|before| self.served_parent(*before, step)).collect(),
            same_as: (run.step != step).then(|| name(&at)),
        }
    }

    /// The step for whose sake another waits for a run: of those that share it, the one that feeds the other.
    fn served_parent(&self, run: RunId, step: StepId) -> StepName {
        let run = &self.plan.runs[run];
        let mut parents = self.plan.edges_into(step).map(|(_, edge)| edge.from);
        let parent = parents.find(|parent| run.serves.iter().any(|(served, _)| served == parent));
        self.plan.steps[parent.unwrap_or(run.step)].name.clone()
    }

    fn inputs(&self, inputs: &PlannedInputs, step: StepId) -> BTreeMap<LogicalName, InputPlan> {
        inputs.iter().map(|(name, input)| (name.clone(), self.input(name, input, step))).collect()
    }

    fn input(&self, name: &LogicalName, input: &PlannedInput, step: StepId) -> InputPlan {
        let of = |path, source| InputPlan { path: self.places.shown(path), source, rule: None, below: None };
        match input {
            PlannedInput::Own(path) => of(path, InputSource::Own),
            PlannedInput::Sample { path, .. } => of(path, InputSource::Sample),
            PlannedInput::Upstream { step: from, output, input, below, .. } => {
                let mut edges = self.plan.edges_into(step).map(|(_, edge)| edge);
                let edge = edges.find(|edge| edge.from == *from).expect("an input comes along an edge");
                let bound = edge.bindings.bound.iter().find(|bound| bound.input == *name);
                let from = self.plan.steps[*from].name.clone();
                InputPlan {
                    rule: bound.map(|bound| bound.rule),
                    below: below.clone(),
                    ..of(input, InputSource::Upstream { step: from, output: output.clone() })
                }
            }
        }
    }

    fn edge(&self, edge: &PlannedEdge) -> EdgePlan {
        let (from, to) = (&self.plan.steps[edge.from], &self.plan.steps[edge.to]);
        let binding = |bound: &Bound| Binding {
            output: bound.output.clone(),
            input: bound.input.clone(),
            rule: bound.rule,
            expectation: to.expectation(&bound.input, self.places),
        };
        let bindings: Vec<Binding> = edge.bindings.bound.iter().map(binding).collect();
        let mut issues: Vec<EdgeIssue> = Vec::new();
        if bindings.is_empty() {
            issues.push(EdgeIssue::NoBinding {
                outputs: from.outputs.iter().map(|port| port.name.clone()).collect(),
                inputs: unfed_inputs(self.plan, edge.to),
                rivals: edge.bindings.rivals.clone(),
            });
        }
        issues.extend(bindings.iter().filter_map(|binding| match binding.rule {
            BindingRule::SimilarName { score, reason } if binding.expectation == DataExpectation::Nothing => {
                let (output, input) = (binding.output.clone(), binding.input.clone());
                Some(EdgeIssue::GuessedBinding { step: from.name.clone(), output, input, score, reason })
            }
            _ => None,
        }));
        EdgePlan { bindings, issues }
    }
}
