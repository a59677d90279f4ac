//! A plan: the steps, the edges and the runs of a test, with everything settled.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_models::{
    DataExpectation, Isolation, LogicalName, PathKind, PipelineDag, PipelineTestingSpec, RunKind,
    ScriptExecutionSpec, ScriptFailure, ScriptName, StepName, UntestedStep, WorkingDirectory,
};

use crate::history::places::Places;
use crate::ids::{DenseMap, EdgeId, RunId, StepId};
use crate::plan::bindings::{EdgeBindings, Port};
use crate::runners::function::Function;
use crate::runners::python::imports::ImportGroups;
use crate::settings::TesterSettings;

/// The path of an input that is there and holds nothing.
pub(crate) const NO_DATA: &str = "/dev/null";

/// What of a pipeline is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) individual: bool,
    pub(crate) compatibility: bool,
    pub(crate) flow: bool,
    pub(crate) workspace_aware: bool,
    /// Whether it has to run every function that is registered. A pipeline has to; a script or two need not.
    pub(crate) all_functions: bool,
    /// Whether root steps are run on sample data where their inputs do not exist and their specs do not say.
    pub(crate) sample_data: bool,
}

/// Everything that is settled before anything runs.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) steps: DenseMap<StepId, PlannedStep<'a>>,
    pub(crate) edges: DenseMap<EdgeId, PlannedEdge>,
    /// The edges into each step, in declaration order.
    pub(crate) incoming: DenseMap<StepId, Vec<EdgeId>>,
    pub(crate) runs: DenseMap<RunId, PlannedRun>,
    /// Where which steps publish, also those that are not tested; and, without a step, what earlier tests published.
    pub(crate) published: BTreeMap<Utf8PathBuf, Vec<StepName>>,
    pub(crate) order: Vec<StepName>,
    /// Whether each step was to be run on its own inputs.
    pub(crate) tests_individually: bool,
}

impl Plan<'_> {
    /// The steps whose output paths get what a run writes: one run of each step, so that what lies there does not depend
    /// on which run ends last.
    pub(crate) fn published_by(&self, run: RunId) -> BTreeSet<StepId> {
        let served = self.runs[run].serves.iter().map(|(step, _)| *step);
        served
            .filter(|step| {
                let step = &self.steps[*step];
                step.flow.or(step.individual) == Some(run)
            })
            .collect()
    }

    /// The edges into a step, in declaration order.
    pub(crate) fn edges_into(&self, step: StepId) -> impl Iterator<Item = (EdgeId, &PlannedEdge)> {
        self.incoming[step].iter().map(|edge| (*edge, &self.edges[*edge]))
    }

    /// For each upstream step that feeds the flow run of `step`, that step and what the run is given of its data alone,
    /// all else being the step's own. Nothing, where fewer than two feed it: then the flow run itself shows which edge
    /// it is.
    pub(crate) fn single_inputs(&self, step: StepId) -> Vec<(StepId, PlannedInputs)> {
        let planned = &self.steps[step];
        let Some(Action::Execute(inputs)) = planned.flow.map(|run| &self.runs[run].action) else {
            return Vec::new();
        };
        let upstream = |input: &PlannedInput| match input {
            PlannedInput::Upstream { step, .. } => Some(*step),
            PlannedInput::Own(_) | PlannedInput::Sample { .. } => None,
        };
        let parents: BTreeSet<StepId> = inputs.iter().filter_map(|(_, input)| upstream(input)).collect();
        if parents.len() < 2 {
            return Vec::new();
        }
        let alone = |parent: StepId| {
            let input = |(name, input): &(LogicalName, PlannedInput)| {
                let input = if upstream(input).is_none_or(|step| step == parent) {
                    input.clone()
                } else {
                    PlannedInput::Own(planned.input(name).path.to_path_buf())
                };
                (name.clone(), input)
            };
            (parent, inputs.iter().map(input).collect())
        };
        parents.into_iter().map(alone).collect()
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
    /// The files beside the script that it imports, as far as its code shows them.
    pub(crate) modules: Arc<[Utf8PathBuf]>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    pub(crate) individual: Option<RunId>,
    pub(crate) flow: Option<RunId>,
}

impl PlannedStep<'_> {
    pub(crate) fn isolation(&self, settings: &TesterSettings) -> Isolation {
        self.spec.isolation.unwrap_or(settings.isolation)
    }

    pub(crate) fn working_directory(&self, settings: &TesterSettings) -> WorkingDirectory {
        self.spec.working_directory.unwrap_or(settings.working_directory)
    }

    /// Whether a run can do without an input.
    pub(crate) fn can_do_without(&self, input: &LogicalName) -> bool {
        self.spec.optional_inputs.contains(input)
    }

    /// The input that a binding names.
    pub(crate) fn input(&self, name: &LogicalName) -> &Port {
        self.inputs.iter().find(|port| port.name == *name).expect("a binding names an input")
    }

    /// What the data that an input is handed is compared with.
    pub(crate) fn expectation(&self, input: &LogicalName, places: &Places) -> DataExpectation {
        if let Some(contract) = self.spec.input_schemas.get(input) {
            let mut columns = IndexMap::new();
            for (name, column) in contract.tables().flat_map(|table| &table.columns) {
                columns.entry(name.clone()).or_insert_with(|| column.to_string());
            }
            return DataExpectation::Contract { columns };
        }
        let has_data = |port: &&Port| port.name == *input && port.has_own_data && *port.path != *NO_DATA;
        match self.inputs.iter().find(has_data) {
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
    pub(crate) fn given(path: &Utf8Path) -> Arc<Self> {
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
    pub(crate) from: StepId,
    pub(crate) to: StepId,
    pub(crate) bindings: EdgeBindings,
    /// The run of the producer whose data is judged.
    pub(crate) producer_run: Option<RunId>,
    /// The run of the consumer on that data.
    pub(crate) consumer_run: Option<RunId>,
}

#[derive(Debug)]
pub(crate) struct PlannedRun {
    pub(crate) step: StepId,
    /// What the run is for. A step for each, because two steps can share a run.
    pub(crate) serves: Vec<(StepId, RunKind)>,
    pub(crate) action: Action,
    /// The runs that must have succeeded before.
    pub(crate) waits_for: Vec<RunId>,
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum PlannedInput {
    /// Own data, where it lies, or, for an input that the step may change, a copy of it.
    Own(Utf8PathBuf),
    Upstream {
        run: RunId,
        step: StepId,
        output: LogicalName,
        /// The path of the input in the spec: its name and kind decide what of the output it is handed.
        input: Utf8PathBuf,
        kind: PathKind,
        below: Option<Utf8PathBuf>,
    },
    /// Sample data, in the format that this path asks for.
    Sample {
        path: Utf8PathBuf,
        kind: PathKind,
        /// The step whose contract for the input it is to keep to, where that has one.
        contract: Option<StepId>,
    },
}

/// A pipeline, the part of its DAG that is tested, and the scripts that are functions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tested<'a> {
    pub(crate) pipeline: &'a PipelineTestingSpec,
    pub(crate) part: &'a PipelineDag,
    pub(crate) functions: &'a HashMap<ScriptName, Function>,
    /// The files that earlier tests published and that are still what they were.
    pub(crate) earlier: &'a BTreeSet<Utf8PathBuf>,
}
