//! What will be run, on what, and in which order: settled before anything runs.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_data::SampleData;
use runtime_testing_models::{
    DataExpectation, Isolation, LogicalName, PathSpec, PipelineDag, PipelineTestingSpec, RunKind,
    ScriptExecutionSpec, ScriptFailure, ScriptMainParams, ScriptName, StepName, UntestedStep,
};

use crate::history::places::Places;
use crate::lists::Lists;
use crate::plan::bindings::{self, EdgeBindings, Parent, Port};
use crate::plan::path_cache::Looks;
use crate::plan::problem::{PlanError, PlanProblem};
use crate::plan::scripts;
use crate::plan::validate;
use crate::runners::function::Function;
use crate::runners::python::imports::ImportGroups;
use crate::settings::TesterSettings;

/// What of a pipeline is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) individual: bool,
    pub(crate) compatibility: bool,
    pub(crate) flow: bool,
    pub(crate) workspace_aware: bool,
    /// Whether it has to run every function that is registered. A pipeline has to; a script or two need not.
    pub(crate) all_functions: bool,
}

/// Everything that is settled before anything runs.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) steps: Vec<PlannedStep<'a>>,
    pub(crate) edges: Vec<PlannedEdge>,
    pub(crate) runs: Vec<PlannedRun>,
    pub(crate) order: Vec<StepName>,
    /// Whether each step was to be run on its own inputs.
    pub(crate) tests_individually: bool,
}

impl Plan<'_> {
    /// The steps whose output paths get what a run writes: one run of each step, so that what lies there does not depend
    /// on which run ends last.
    pub(crate) fn published_by(&self, run: usize) -> BTreeSet<usize> {
        let served = self.runs[run].serves.iter().map(|(step, _)| *step);
        served
            .filter(|step| {
                let step = &self.steps[*step];
                step.flow.or(step.individual) == Some(run)
            })
            .collect()
    }
}

#[derive(Debug)]
pub(crate) struct PlannedStep<'a> {
    pub(crate) name: &'a StepName,
    pub(crate) spec: &'a ScriptExecutionSpec,
    /// The script's file, where there is one.
    pub(crate) script: Option<ScriptFile<'a>>,
    /// What is wrong with the script, where that shows without running it.
    pub(crate) failure: Option<Box<ScriptFailure>>,
    /// Shared by all steps of a script.
    pub(crate) interpreter: Arc<Interpreter>,
    pub(crate) inputs: Box<[Port]>,
    pub(crate) outputs: Box<[Port]>,
    pub(crate) individual: Option<usize>,
    pub(crate) flow: Option<usize>,
}

impl PlannedStep<'_> {
    pub(crate) fn isolation(&self, settings: &TesterSettings) -> Isolation {
        self.spec.isolation.unwrap_or(settings.isolation)
    }

    /// The input that a binding names.
    pub(crate) fn input(&self, name: &LogicalName) -> &Port {
        self.inputs.iter().find(|port| port.name == *name).expect("a binding names an input")
    }

    /// What the data that an input is handed is compared with.
    pub(crate) fn expectation(&self, input: &LogicalName, places: &Places) -> DataExpectation {
        if self.spec.input_schemas.contains_key(input) {
            return DataExpectation::Contract;
        }
        match self.inputs.iter().find(|port| port.name == *input && port.has_own_data) {
            Some(port) => DataExpectation::OwnInput { path: places.shown(&port.path) },
            None => DataExpectation::Nothing,
        }
    }

    /// How long a run may take. Zero where the spec says what cannot be waited.
    pub(crate) fn timeout(&self, settings: &TesterSettings) -> Duration {
        let own = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
        self.spec.timeout_seconds.map_or(settings.timeout, own)
    }
}

/// What runs a Python script.
#[derive(Debug)]
pub(crate) struct Interpreter {
    pub(crate) path: Utf8PathBuf,
    /// What the script imports, for runs in forks.
    pub(crate) imports: ImportGroups,
}

impl Interpreter {
    /// An interpreter as it was given, for a script of which nothing is known.
    fn given(path: &Utf8Path) -> Arc<Self> {
        Arc::new(Self { path: path.to_owned(), imports: ImportGroups::new() })
    }
}

/// Where a script is, and how it is run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ScriptFile<'a> {
    /// By an interpreter, which calls its `main`.
    Python(Box<Utf8Path>),
    /// As a program of its own.
    Executable(Box<Utf8Path>),
    /// By a call.
    Function(&'a Function),
}

impl ScriptFile<'_> {
    /// The file, where there is one.
    pub(crate) fn path(&self) -> Option<&Utf8Path> {
        match self {
            Self::Python(path) | Self::Executable(path) => Some(path),
            Self::Function(_) => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct PlannedEdge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) bindings: EdgeBindings,
    /// The run of the producer whose data is judged.
    pub(crate) producer_run: Option<usize>,
    /// The run of the consumer on that data.
    pub(crate) consumer_run: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct PlannedRun {
    pub(crate) step: usize,
    /// What the run is for. A step for each, because two steps can share a run.
    pub(crate) serves: Vec<(usize, RunKind)>,
    pub(crate) action: Action,
    /// The runs that must have succeeded before.
    pub(crate) waits_for: Box<[usize]>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// Run the script on these inputs, which are in the order of their names.
    Execute(PlannedInputs),
    /// The script is known not to work.
    Fails,
    /// The run cannot be made.
    NotMade(Box<UntestedStep>),
}

/// Where each input of a run will come from.
pub(crate) type PlannedInputs = Vec<(LogicalName, PlannedInput)>;

/// Where an input will come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum PlannedInput {
    Own(Utf8PathBuf),
    Upstream {
        run: usize,
        step: usize,
        output: LogicalName,
        /// The path of the input in the spec: its shape and name decide what of the output it is handed.
        input: Utf8PathBuf,
        below: Option<Utf8PathBuf>,
    },
    /// Sample data, in the shape and format that this path asks for.
    Sample {
        path: Utf8PathBuf,
        /// The step whose contract for the input it is to keep to, where that has one.
        contract: Option<usize>,
    },
}

/// A pipeline, the part of its DAG that is tested, and the scripts that are functions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tested<'a> {
    pub(crate) pipeline: &'a PipelineTestingSpec,
    pub(crate) part: &'a PipelineDag,
    pub(crate) functions: &'a HashMap<ScriptName, Function>,
}

/// Is told an interpreter that runs may be forks of, and the variables in the spec of one of them.
pub(crate) type StartEarly<'a> = dyn Fn(&Utf8Path, &IndexMap<String, String>) + 'a;

/// Plans a test, or says everything that keeps it from being planned. `start_early` is called before an interpreter is asked
/// about scripts.
pub(crate) fn plan<'a>(
    Tested { pipeline, part, functions }: Tested<'a>,
    scope: Scope,
    settings: &'a TesterSettings,
    places: &Places,
    sample: bool,
    start_early: &StartEarly<'_>,
) -> Result<Plan<'a>, PlanError> {
    let mut problems = validate::problems_of_the_whole(pipeline, scope, places);
    if scope.all_functions {
        validate::problems_of_functions(pipeline, functions, &mut problems);
    }
    let mut steps = Vec::with_capacity(part.steps().len());
    let python = Interpreter::given(&settings.python);
    for name in part.steps() {
        match pipeline.script_specs.get(name) {
            Some(spec) => steps.push(step(name, spec, &python, places)),
            None => problems.push(PlanProblem::MissingSpec { step: name.clone() }),
        }
    }
    let left_out = LeftOut::of(pipeline, part, places);
    let looks = Looks::default();
    for step in &steps {
        validate::problems_of_step(step, settings, &looks, &mut problems);
    }
    validate::mark_own_data(&mut steps, &left_out, &looks, &mut problems);
    validate::problems_of_publishing(&steps, &looks, &mut problems);
    if steps.len() == part.steps().len() {
        validate::problems_of_bindings(pipeline, part, &steps, &mut problems);
    }
    scripts::use_functions(functions, &mut steps);
    scripts::find_scripts(pipeline, scope, settings, places, &mut steps, &mut problems);
    validate::problems_of_targets(&steps, settings, places, &looks, &mut problems);
    scripts::inspect_scripts(settings, places, &mut steps, &mut problems, start_early);
    if !problems.is_empty() {
        return Err(PlanError { problems });
    }
    let edges = edges(pipeline, part, &steps, &left_out);
    let order: Vec<StepName> = part.topological_order().into_iter().cloned().collect();
    let cut = steps.iter().map(|step| left_out.parents_of(step.name, &pipeline.dag)).collect();
    let mut planner = Planner {
        steps,
        edges,
        cut,
        outgoing: OnceCell::new(),
        runs: Vec::new(),
        keys: HashMap::new(),
        settings,
        sample,
    };
    planner.plan_runs(&order, scope);
    let Planner { steps, edges, mut runs, .. } = planner;
    runs.shrink_to_fit();
    runs.iter_mut().for_each(|run| run.serves.shrink_to_fit());
    Ok(Plan { steps, edges, runs, order, tests_individually: scope.individual })
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
        interpreter: spec.python.as_ref().map_or_else(|| Arc::clone(python), |own| Interpreter::given(own)),
        individual: None,
        flow: None,
    }
}

const TOO_LONG: usize = validate::MAX_PATH_BYTES + 1;

fn ports<'a>(
    paths: impl IntoIterator<Item = (&'a LogicalName, &'a Utf8Path)>,
    specs: &IndexMap<LogicalName, PathSpec>,
    places: &Places,
) -> Box<[Port]> {
    let port = |(logical, path): (&LogicalName, &Utf8Path)| Port {
        name: logical.clone(),
        // A blank path stays blank, to be found out, and so does one that is too long.
        path: match path.as_str().trim().len() {
            0 | TOO_LONG.. => Utf8PathBuf::new(),
            _ => places.absolute(path),
        }
        .into(),
        aliases: specs.get(logical).map_or_else(Box::default, |spec| spec.aliases.as_slice().into()),
        has_own_data: false,
        published_by: Box::default(),
    };
    paths.into_iter().map(port).collect()
}

/// The steps of a pipeline that are not tested, and their outputs: what lies there is whatever an earlier test left, and an
/// input that one of them feeds is fed by nothing else.
#[derive(Debug, Default)]
pub(crate) struct LeftOut<'a> {
    pub(crate) outputs: IndexMap<&'a StepName, Box<[Port]>>,
}

impl<'a> LeftOut<'a> {
    fn of(pipeline: &'a PipelineTestingSpec, part: &PipelineDag, places: &Places) -> Self {
        let others = pipeline.dag.steps().filter(|step| !part.contains(step));
        let outputs = others.map(|step| {
            let spec = pipeline.script_specs.get(step);
            let ports =
                spec.map_or_else(Box::default, |spec| ports(spec.outputs(), &spec.output_path_specs, places));
            (step, ports)
        });
        Self { outputs: outputs.collect() }
    }

    /// The steps that feed a step and are not tested.
    fn parents_of(&self, step: &StepName, whole: &PipelineDag) -> Box<[StepName]> {
        if self.outputs.is_empty() {
            return Box::default();
        }
        let parents = whole.dependencies(step).expect("the step is in the DAG").into_iter();
        parents.filter(|parent| self.outputs.contains_key(parent)).cloned().collect()
    }
}

fn edges(
    pipeline: &PipelineTestingSpec,
    part: &PipelineDag,
    steps: &[PlannedStep<'_>],
    left_out: &LeftOut<'_>,
) -> Vec<PlannedEdge> {
    let position = |step: &StepName| part.position(step).expect("the step is in the DAG");
    let outputs = |step: &StepName| match left_out.outputs.get(step) {
        Some(outputs) => outputs,
        None => &steps[position(step)].outputs,
    };
    let mut found: HashMap<(usize, usize), EdgeBindings> = HashMap::new();
    for (to, step) in steps.iter().enumerate() {
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
            found.insert((position(parent.step), to), bindings);
        }
    }
    let edge = |(from, to): (&StepName, &StepName)| {
        let (from, to) = (position(from), position(to));
        let bindings = found.remove(&(from, to)).expect("every edge leads from a parent");
        PlannedEdge { from, to, bindings, producer_run: None, consumer_run: None }
    };
    part.edges().map(edge).collect()
}

/// What makes two runs the same: the script and all that it is given.
#[derive(Debug, PartialEq, Eq, Hash)]
struct RunKey<'a> {
    script: Option<ScriptFile<'a>>,
    interpreter: Utf8PathBuf,
    isolation: Isolation,
    timeout: Duration,
    inputs: PlannedInputs,
    /// The environment, the arguments, and the names, shapes and promises of the outputs, in one text.
    rest: String,
    waits_for: Vec<usize>,
}

struct Planner<'a> {
    steps: Vec<PlannedStep<'a>>,
    edges: Vec<PlannedEdge>,
    /// The steps that edges lead to from each step, once somebody asks.
    outgoing: OnceCell<Lists>,
    /// For each step, those that feed it and are not tested.
    cut: Vec<Box<[StepName]>>,
    runs: Vec<PlannedRun>,
    keys: HashMap<RunKey<'a>, usize>,
    settings: &'a TesterSettings,
    /// Whether the caller gave sample data, to be used for root steps whatever exists.
    sample: bool,
}

impl Planner<'_> {
    fn plan_runs(&mut self, order: &[StepName], scope: Scope) {
        let place: HashMap<&StepName, usize> =
            self.steps.iter().enumerate().map(|(at, step)| (step.name, at)).collect();
        let ends = self.edges.iter().enumerate().map(|(at, edge)| (edge.to, at));
        let incoming = Lists::of_pairs(self.steps.len(), ends);
        let order: Vec<usize> = order.iter().map(|name| place[name]).collect();
        let judges_edges_alone = scope.compatibility && !scope.flow;
        for step in &order {
            let is_root = incoming.of(*step).is_empty();
            if scope.individual || judges_edges_alone || (scope.flow && is_root) {
                self.plan_individual(*step, is_root);
            }
            if scope.flow {
                self.plan_flow(*step, incoming.of(*step), scope.individual);
            }
        }
        for at in 0..self.edges.len() {
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

    /// A run of a step on its own inputs, where they exist; a root step is given sample data for those that do not.
    fn plan_individual(&mut self, step: usize, is_root: bool) {
        let mut inputs = PlannedInputs::new();
        let mut missing = Vec::new();
        for port in &self.steps[step].inputs {
            let may_be_sample = is_root
                && self.cut[step].is_empty()
                && port.published_by.is_empty()
                && SampleData::can_write(&port.path);
            let input = if may_be_sample && (self.sample || !port.has_own_data) {
                let has_contract = self.steps[step].spec.input_schemas.contains_key(&port.name);
                PlannedInput::Sample { path: port.path.to_path_buf(), contract: has_contract.then_some(step) }
            } else if port.has_own_data {
                PlannedInput::Own(port.path.to_path_buf())
            } else {
                missing.push(port.name.clone());
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

    fn plan_flow(&mut self, step: usize, incoming: &[usize], with_individual: bool) {
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
    fn plan_edge(&mut self, at: usize) -> Option<usize> {
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

    fn upstream(&self, run: usize, from: usize, to: usize, bound: &bindings::Bound) -> PlannedInput {
        PlannedInput::Upstream {
            run,
            step: from,
            output: bound.output.clone(),
            input: self.steps[to].input(&bound.input).path.to_path_buf(),
            below: bound.below.clone(),
        }
    }

    /// Why a step cannot be run without these inputs.
    fn without(&self, step: usize, missing: Vec<LogicalName>) -> UntestedStep {
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
    fn downstream_of(&self, step: usize) -> HashSet<&StepName> {
        let outgoing = self.outgoing.get_or_init(|| {
            Lists::of_pairs(self.steps.len(), self.edges.iter().map(|edge| (edge.from, edge.to)))
        });
        let mut found = HashSet::new();
        let mut stack = vec![step];
        while let Some(at) = stack.pop() {
            let next = outgoing.of(at).iter().copied();
            stack.extend(next.filter(|step| found.insert(self.steps[*step].name)));
        }
        found
    }

    /// Takes own data for the inputs that are not there yet. Returns those that have none.
    fn fill_with_own(&self, step: usize, inputs: &mut PlannedInputs) -> Vec<LogicalName> {
        let mut missing = Vec::new();
        for port in &self.steps[step].inputs {
            if inputs.iter().any(|(name, _)| *name == port.name) {
                continue;
            }
            if port.has_own_data {
                inputs.push((port.name.clone(), PlannedInput::Own(port.path.to_path_buf())));
            } else {
                missing.push(port.name.clone());
            }
        }
        missing
    }

    /// Adds a run, or takes the one that is the same.
    fn add(&mut self, step: usize, kind: RunKind, action: Action, waits_for: Vec<usize>) -> usize {
        let planned = &self.steps[step];
        let mut action = if planned.failure.is_some() { Action::Fails } else { action };
        if let Action::Execute(inputs) = &mut action {
            inputs.sort_by(|left, right| left.0.cmp(&right.0));
            inputs.shrink_to_fit();
            let ScriptMainParams { environ_vars, job_args, .. } = planned.spec.main_params();
            let outputs: Vec<(&LogicalName, Option<&str>)> =
                planned.outputs.iter().map(|port| (&port.name, file_name(&port.path))).collect();
            let rest =
                serde_json::to_string(&(environ_vars, job_args, outputs, &planned.spec.output_schemas))
                    .expect("specs are plain values with string keys");
            let key = RunKey {
                script: planned.script.clone(),
                interpreter: planned.interpreter.path.clone(),
                isolation: planned.isolation(self.settings),
                timeout: planned.timeout(self.settings),
                inputs: inputs.clone(),
                rest,
                waits_for: waits_for.clone(),
            };
            let next = self.runs.len();
            let run = *self.keys.entry(key).or_insert(next);
            if run < next {
                self.runs[run].serves.push((step, kind));
                return run;
            }
        }
        let waits_for = waits_for.into();
        self.runs.push(PlannedRun { step, serves: vec![(step, kind)], action, waits_for });
        self.runs.len() - 1
    }
}

/// The name of the file that an output is, or nothing for a folder.
pub(crate) fn file_name(path: &Utf8Path) -> Option<&str> {
    path.extension().and_then(|_| path.file_name())
}
