//! Which runs are made: each distinct one once.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use camino::Utf8PathBuf;
use runtime_testing_data::SampleData;
use runtime_testing_models::{
    Isolation, LogicalName, PathKind, RunKind, ScriptExecutionSpec, ScriptMainParams, StepName, UntestedStep,
};

use crate::ids::{DenseMap, EdgeId, RunId, StepId};
use crate::plan::bindings::{Bound, Port};
use crate::plan::model::{
    Action, PlannedEdge, PlannedInput, PlannedInputs, PlannedRun, PlannedStep, Scope, ScriptFile,
};
use crate::settings::TesterSettings;

/// What makes two runs the same: the script and all that it is given.
#[derive(Debug, PartialEq, Eq, Hash)]
struct RunKey<'a> {
    script: Option<ScriptFile<'a>>,
    interpreter: Utf8PathBuf,
    isolation: Isolation,
    timeout: Duration,
    inputs: PlannedInputs,
    /// The environment, the arguments, the working directory, and what is said of inputs and outputs, in one text.
    rest: String,
    waits_for: Vec<RunId>,
}

pub(crate) struct Planner<'a> {
    pub(crate) steps: DenseMap<StepId, PlannedStep<'a>>,
    pub(crate) edges: DenseMap<EdgeId, PlannedEdge>,
    pub(crate) incoming: DenseMap<StepId, Vec<EdgeId>>,
    /// The steps that edges lead to from each step, once somebody asks.
    outgoing: OnceCell<DenseMap<StepId, Vec<StepId>>>,
    /// For each step, those that feed it and are not tested.
    cut: DenseMap<StepId, Vec<StepName>>,
    pub(crate) runs: DenseMap<RunId, PlannedRun>,
    keys: HashMap<RunKey<'a>, RunId>,
    settings: &'a TesterSettings,
    scope: Scope,
    /// Whether the caller gave sample data, to be used for root steps whatever exists.
    sample: bool,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(
        steps: DenseMap<StepId, PlannedStep<'a>>,
        edges: DenseMap<EdgeId, PlannedEdge>,
        cut: DenseMap<StepId, Vec<StepName>>,
        settings: &'a TesterSettings,
        scope: Scope,
        sample: bool,
    ) -> Self {
        let mut incoming: DenseMap<StepId, Vec<EdgeId>> = steps.ids().map(|_| Vec::new()).collect();
        for (at, edge) in &edges {
            incoming[edge.to].push(at);
        }
        let (outgoing, runs, keys) = (OnceCell::new(), DenseMap::new(), HashMap::new());
        Self { steps, edges, incoming, outgoing, cut, runs, keys, settings, scope, sample }
    }

    pub(crate) fn plan_runs(&mut self, order: impl Iterator<Item = StepId>) {
        let scope = self.scope;
        let judges_edges_alone = scope.compatibility && !scope.flow;
        for step in order {
            let incoming = self.incoming[step].clone();
            let is_root = incoming.is_empty();
            if scope.individual || judges_edges_alone || (scope.flow && is_root) {
                self.plan_individual(step, is_root);
            }
            if scope.flow {
                self.plan_flow(step, &incoming, scope.individual);
            }
        }
        for at in self.edges.ids() {
            let PlannedEdge { from, to, .. } = self.edges[at];
            if scope.flow {
                self.edges[at].producer_run = self.steps[from].flow;
                self.edges[at].consumer_run = self.steps[to].flow;
            } else if judges_edges_alone {
                self.edges[at].producer_run = self.steps[from].individual;
                self.edges[at].consumer_run = self.plan_edge(at);
            }
        }
    }

    /// A run of a step on its own inputs, where they exist; a root step is given sample data for those that do not, where
    /// that is asked for.
    fn plan_individual(&mut self, step: StepId, is_root: bool) {
        let mut inputs = PlannedInputs::new();
        let mut missing = Vec::new();
        let takes_samples = self.sample
            || self.steps[step]
                .spec
                .sample_data
                .unwrap_or(self.scope.sample_data || self.settings.sample_data);
        for port in &self.steps[step].inputs {
            let may_be_sample = is_root
                && takes_samples
                && self.cut[step].is_empty()
                && port.published_by.is_empty()
                && can_be_sampled(port);
            let input = if may_be_sample && (self.sample || !port.has_own_data) {
                let has_contract = self.steps[step].spec.input_schemas.contains_key(&port.name);
                PlannedInput::Sample {
                    path: port.path.to_path_buf(),
                    kind: port.kind,
                    contract: has_contract.then_some(step),
                }
            } else if port.has_own_data {
                PlannedInput::Own(port.path.to_path_buf())
            } else {
                missing.extend(self.needed(step, port));
                continue;
            };
            inputs.push((port.name.clone(), input));
        }
        let action = if missing.is_empty() {
            Action::Execute(inputs)
        } else if is_root {
            Action::NotMade(self.without(step, missing).into())
        } else {
            return;
        };
        self.steps[step].individual = Some(self.add(step, RunKind::Individual, action, Vec::new()));
    }

    fn plan_flow(&mut self, step: StepId, incoming: &[EdgeId], with_individual: bool) {
        if incoming.is_empty() {
            // A root step's flow run is its individual run.
            let run = self.steps[step].individual.expect("a root step's individual run is always planned");
            if with_individual {
                self.runs[run].serves.push((step, RunKind::Flow));
            } else {
                for (served, kind) in &mut self.runs[run].serves {
                    if *served == step {
                        *kind = RunKind::Flow;
                    }
                }
                self.steps[step].individual = None;
            }
            self.steps[step].flow = Some(run);
            return;
        }
        let mut inputs = PlannedInputs::new();
        let mut unbound = Vec::new();
        let mut waits_for = Vec::new();
        for edge in incoming {
            let PlannedEdge { from, bindings, .. } = &self.edges[*edge];
            let run = self.steps[*from].flow.expect("steps are planned after those they depend on");
            waits_for.push(run);
            if bindings.bound.is_empty() {
                unbound.push(self.steps[*from].name.clone());
            }
            for bound in &bindings.bound {
                inputs.push((bound.input.clone(), self.upstream(run, *from, step, bound)));
            }
        }
        let missing = self.fill_with_own(step, &mut inputs);
        let action = if missing.is_empty() {
            Action::Execute(inputs)
        } else if unbound.is_empty() {
            Action::NotMade(self.without(step, missing).into())
        } else {
            Action::NotMade(UntestedStep::UnboundEdges { edges: unbound, inputs: missing }.into())
        };
        self.steps[step].flow = Some(self.add(step, RunKind::Flow, action, waits_for));
    }

    /// A run of an edge's consumer on what its producer wrote when it was run on its own.
    fn plan_edge(&mut self, at: EdgeId) -> Option<RunId> {
        let PlannedEdge { from, to, bindings, .. } = &self.edges[at];
        let (from, to) = (*from, *to);
        let run = self.steps[from].individual?;
        if bindings.bound.is_empty() {
            return None;
        }
        let bound = bindings.bound.iter();
        let mut inputs: PlannedInputs =
            bound.map(|bound| (bound.input.clone(), self.upstream(run, from, to, bound))).collect();
        if !self.fill_with_own(to, &mut inputs).is_empty() {
            return None;
        }
        let kind = RunKind::Edge { from: self.steps[from].name.clone() };
        Some(self.add(to, kind, Action::Execute(inputs), vec![run]))
    }

    fn upstream(&self, run: RunId, from: StepId, to: StepId, bound: &Bound) -> PlannedInput {
        let port = self.steps[to].input(&bound.input);
        PlannedInput::Upstream {
            run,
            step: from,
            output: bound.output.clone(),
            input: port.path.to_path_buf(),
            kind: port.kind,
            below: bound.below.clone(),
        }
    }

    /// Why a step cannot be run without these inputs.
    fn without(&self, step: StepId, missing: Vec<LogicalName>) -> UntestedStep {
        if !self.cut[step].is_empty() {
            return UntestedStep::NotSelected { from: self.cut[step].to_vec(), inputs: missing };
        }
        let ports = self.steps[step].inputs.iter().filter(|port| missing.contains(&port.name));
        let unconnected: Vec<&Port> = ports.filter(|port| !port.published_by.is_empty()).collect();
        if unconnected.is_empty() {
            return UntestedStep::MissingInputs { inputs: missing };
        }
        let mut from: Vec<StepName> =
            unconnected.iter().flat_map(|port| port.published_by.to_vec()).collect();
        from.sort();
        from.dedup();
        let names = |ports: Vec<&Port>| ports.into_iter().map(|port| port.name.clone()).collect();
        let later = self.downstream_of(step);
        let is_later = |name: &StepName| later.contains(name);
        if !from.iter().any(is_later) {
            return UntestedStep::MissingEdges { from, inputs: names(unconnected) };
        }
        from.retain(is_later);
        let inputs = unconnected.into_iter().filter(|port| port.published_by.iter().any(is_later)).collect();
        UntestedStep::FedFromDownstream { from, inputs: names(inputs) }
    }

    /// The steps that edges lead to from a step, and on from there.
    fn downstream_of(&self, step: StepId) -> HashSet<&StepName> {
        let outgoing = self.outgoing.get_or_init(|| {
            let mut outgoing: DenseMap<StepId, Vec<StepId>> = self.steps.ids().map(|_| Vec::new()).collect();
            for edge in self.edges.values() {
                outgoing[edge.from].push(edge.to);
            }
            outgoing
        });
        let mut found = HashSet::new();
        let mut stack = vec![step];
        while let Some(at) = stack.pop() {
            let next = outgoing[at].iter().copied();
            stack.extend(next.filter(|step| found.insert(self.steps[*step].name)));
        }
        found
    }

    /// Takes own data for the inputs that are not there yet. Returns those that have none.
    fn fill_with_own(&self, step: StepId, inputs: &mut PlannedInputs) -> Vec<LogicalName> {
        let mut missing = Vec::new();
        for port in &self.steps[step].inputs {
            if inputs.iter().any(|(name, _)| *name == port.name) {
                continue;
            }
            if port.has_own_data {
                inputs.push((port.name.clone(), PlannedInput::Own(port.path.to_path_buf())));
            } else {
                missing.extend(self.needed(step, port));
            }
        }
        missing
    }

    /// The name of an input, if the step needs it.
    fn needed(&self, step: StepId, port: &Port) -> Option<LogicalName> {
        (!self.steps[step].can_do_without(&port.name)).then(|| port.name.clone())
    }

    /// Adds a run, or takes the one that is the same.
    fn add(&mut self, step: StepId, kind: RunKind, action: Action, waits_for: Vec<RunId>) -> RunId {
        let planned = &self.steps[step];
        let mut action = if planned.failure.is_some() { Action::Fails } else { action };
        if let Action::Execute(inputs) = &mut action {
            inputs.sort_by(|left, right| left.0.cmp(&right.0));
            let ScriptMainParams { environ_vars, job_args, .. } = planned.spec.main_params();
            let outputs: Vec<(&LogicalName, Option<&str>)> =
                planned.outputs.iter().map(|port| (&port.name, port.file_name())).collect();
            let ScriptExecutionSpec { output_schemas, optional_outputs, mutable_inputs, limits, .. } =
                planned.spec;
            let directory = planned.working_directory(self.settings);
            let rest = (
                environ_vars,
                job_args,
                outputs,
                output_schemas,
                optional_outputs,
                mutable_inputs,
                limits,
                directory,
            );
            let rest = serde_json::to_string(&rest).expect("specs are plain values with string keys");
            let key = RunKey {
                script: planned.script.clone(),
                interpreter: planned.interpreter.path.clone(),
                isolation: planned.isolation(self.settings),
                timeout: planned.timeout(self.settings),
                inputs: inputs.clone(),
                rest,
                waits_for: waits_for.clone(),
            };
            let next = self.runs.next_id();
            let run = *self.keys.entry(key).or_insert(next);
            if run < next {
                self.runs[run].serves.push((step, kind));
                return run;
            }
        }
        self.runs.push(PlannedRun { step, serves: vec![(step, kind)], action, waits_for })
    }
}

/// Whether sample data can be written for an input: the format must show.
fn can_be_sampled(port: &Port) -> bool {
    SampleData::can_write(&port.path) && (port.kind == PathKind::Folder || port.path.extension().is_some())
}
