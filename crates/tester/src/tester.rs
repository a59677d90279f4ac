use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use camino::Utf8Path;
use indexmap::IndexMap;
use runtime_testing_builder::PipelineTestingSpecBuilder;
use runtime_testing_data::SampleData;
use runtime_testing_models::{
    DataCompatibilityResult, EdgeNote, PipelineDag, PipelineTestPlan, PipelineTestReport,
    PipelineTestingSpec, RuntimeTestingConfiguration, ScriptExecutionSpec, ScriptMainParams, ScriptName,
    ScriptTestResult, Selection, StepName, StepStatus, UntestedStep, edge_key,
};

use crate::accept::{AcceptError, Acceptance};
use crate::cancel::CancelHandle;
use crate::error::TestError;
use crate::events::{Event, Reporter};
use crate::history::RecordedTest;
use crate::history::published::PublishedFiles;
use crate::plan::model::{Scope, Tested};
use crate::plan::proposals::{EdgeProposals, proposals};
use crate::plan::{PlanError, PlanProblem, describe, planner};
use crate::runners::FunctionParams;
use crate::runners::function::Function;
use crate::session::{Session, TestRequest, places, select};
use crate::settings::TesterSettings;

/// Tests the scripts of a pipeline by running them.
///
/// A tester is made of a configuration or of a workspace alone. Every call runs scripts in processes of their own,
/// leaves what they wrote under `.runs` in the workspace, and returns a plain result; a script that fails is a
/// result, an `Err` means that the test could not be carried out.
///
/// ```no_run
/// use runtime_testing_models::PipelineDag;
/// use runtime_testing_builder::{PipelineTestingSpecBuilder, Validation};
/// use runtime_testing_tester::RuntimeTester;
///
/// let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
/// let spec = PipelineTestingSpecBuilder::default().build_from_dag(&dag, Validation::Required)?;
/// let report = RuntimeTester::new(spec).test_pipeline()?;
/// assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RuntimeTester {
    configuration: RuntimeTestingConfiguration,
    settings: TesterSettings,
    reporter: Arc<dyn Reporter>,
    functions: HashMap<ScriptName, Function>,
    cancel: CancelHandle,
}

impl std::fmt::Debug for RuntimeTester {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RuntimeTester")
            .field("configuration", &self.configuration)
            .field("settings", &self.settings)
            .field("functions", &self.functions.keys())
            .finish_non_exhaustive()
    }
}

impl RuntimeTester {
    /// A tester of what `configuration` says: a [`RuntimeTestingConfiguration`], or a [`PipelineTestingSpec`], of which
    /// everything is tested.
    pub fn new(configuration: impl Into<RuntimeTestingConfiguration>) -> Self {
        Self {
            configuration: configuration.into(),
            settings: TesterSettings::default(),
            reporter: Arc::new(|_: &Event<'_>| {}),
            functions: HashMap::new(),
            cancel: CancelHandle::new(),
        }
    }

    /// A tester in a workspace, for scripts and pipelines that are named in the calls.
    pub fn in_workspace(workspace: impl AsRef<Utf8Path>) -> Self {
        let spec = PipelineTestingSpec::new(PipelineDag::new()).with_workspace_root(workspace);
        Self::new(RuntimeTestingConfiguration::new(spec))
    }

    /// The same tester with other settings.
    #[must_use]
    pub fn with_settings(mut self, settings: TesterSettings) -> Self {
        self.settings = settings;
        self
    }

    /// The same tester for a part of the pipeline: `"+train"` is a selection.
    #[must_use]
    pub fn with_selection(mut self, selection: impl Into<Selection>) -> Self {
        self.configuration.selection = Some(selection.into());
        self
    }

    /// The same tester, telling `reporter` what happens.
    #[must_use]
    pub fn with_reporter(mut self, reporter: impl Reporter + 'static) -> Self {
        self.reporter = Arc::new(reporter);
        self
    }

    /// The same tester, whose tests `cancel` ends.
    #[must_use]
    pub fn with_cancel(mut self, cancel: CancelHandle) -> Self {
        self.cancel = cancel;
        self
    }

    /// The same tester with a Rust function for the script of this name, which goes before any file. A pipeline in which
    /// no step runs that script is not tested: the name may be misspelled.
    ///
    /// It is called on a thread of its own with the real paths, and shares the process: an error and a panic are failures
    /// of its step, but what it does to the environment, the current folder or memory reaches the others. It cannot be
    /// stopped: after its timeout it is told through [`FunctionParams::is_canceled`], its step is reported as timed
    /// out, its thread is left to itself, and what it writes then never counts.
    ///
    /// ```no_run
    /// use runtime_testing_tester::{FunctionParams, RuntimeTester};
    ///
    /// let tester = RuntimeTester::in_workspace("test").with_function("clean".parse()?, |params: &FunctionParams| {
    ///     std::fs::copy(&params.input_paths["raw"], &params.output_paths["rows"])?;
    ///     Ok(())
    /// });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_function(
        mut self,
        script: ScriptName,
        function: impl Fn(&FunctionParams) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.functions.insert(script.clone(), Function::new(script, function));
        self
    }

    /// What is tested.
    pub fn configuration(&self) -> &RuntimeTestingConfiguration {
        &self.configuration
    }

    /// How it is tested.
    pub fn settings(&self) -> &TesterSettings {
        &self.settings
    }

    /// A builder over the specs of this tester's workspace.
    pub fn builder(&self) -> PipelineTestingSpecBuilder {
        let root = &self.configuration.pipeline_spec.test_workspace_root;
        // The paths of drafts begin with the workspace, and are relative to the base folder: only an absolute base
        // folder, joined with the workspace, is the same seen from both.
        let base = self
            .settings
            .base_folder
            .as_ref()
            .map(|base| camino::absolute_utf8(base).unwrap_or_else(|_| base.clone()));
        PipelineTestingSpecBuilder::new(base.map_or_else(|| root.clone(), |base| base.join(root)))
    }

    /// What [`RuntimeTester::test_pipeline`] would do: the same plan, told and not carried out. No script is run and nothing
    /// is written; Python interpreters are asked what shows of their scripts, as they are before a test.
    ///
    /// ```no_run
    /// use runtime_testing_models::{PipelineDag, RunAction};
    /// use runtime_testing_builder::{PipelineTestingSpecBuilder, Validation};
    /// use runtime_testing_tester::RuntimeTester;
    ///
    /// let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
    /// let spec = PipelineTestingSpecBuilder::default().build_from_dag(&dag, Validation::Required)?;
    /// for (step, plan) in RuntimeTester::new(spec).plan()?.steps {
    ///     for run in plan.runs {
    ///         if let RunAction::Execute { inputs } = run.action {
    ///             println!("{step} is run on {inputs:?}");
    ///         }
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TestError`] where the test could not be planned, with all that keeps it from being planned.
    pub fn plan(&self) -> Result<PipelineTestPlan, TestError> {
        let Self { configuration, settings, functions, cancel, .. } = self;
        let RuntimeTestingConfiguration { pipeline_spec: pipeline, selection, .. } = configuration;
        let part = select(pipeline, selection.as_ref())?;
        let places = places(pipeline, settings)?;
        let earlier = PublishedFiles::load(&places.workspace).paths(&places.workspace).collect();
        let part = part.as_ref().unwrap_or(&pipeline.dag);
        let tested = Tested { pipeline, part, functions, earlier: &earlier };
        let plan = planner::plan(tested, self.scope(), settings, &places, false, (cancel, &|_, _| {}))?;
        Ok(describe::describe(&plan, configuration, settings, &places))
    }

    /// What could feed the inputs at each edge of the pipeline that carries nothing, for its specs to say it in `bindings`. Looks at names
    /// and paths alone.
    ///
    /// # Errors
    ///
    /// [`TestError`] where the base folder is not there.
    pub fn binding_proposals(&self) -> Result<Vec<EdgeProposals>, TestError> {
        let pipeline = &self.configuration.pipeline_spec;
        Ok(proposals(pipeline, &places(pipeline, &self.settings)?))
    }

    /// Tests the pipeline of the configuration.
    ///
    /// # Errors
    ///
    /// [`TestError`] where the test cannot be carried out. Mistakes in the DAG, the specs or the settings are all found
    /// before anything is run.
    pub fn test_pipeline(&self) -> Result<PipelineTestReport, TestError> {
        self.test_pipeline_flow_with_spec(&self.configuration.pipeline_spec)
    }

    /// Tests a pipeline: each step on its own inputs and on what its upstream steps really wrote, and each edge, as far as
    /// the configuration asks for it.
    ///
    /// # Errors
    ///
    /// As [`RuntimeTester::test_pipeline`].
    pub fn test_pipeline_flow_with_spec(
        &self,
        pipeline: &PipelineTestingSpec,
    ) -> Result<PipelineTestReport, TestError> {
        self.test(pipeline, self.scope(), self.configuration.selection.as_ref(), None)
    }

    /// Runs one script with the parameters that are given, which take the place of those in the spec.
    ///
    /// # Errors
    ///
    /// As [`RuntimeTester::test_pipeline`].
    pub fn test_script_with_spec(
        &self,
        spec: &ScriptExecutionSpec,
        params: &ScriptMainParams,
    ) -> Result<ScriptTestResult, TestError> {
        let mut spec = spec.clone();
        spec.input_paths.clone_from(&params.input_paths);
        spec.output_paths.clone_from(&params.output_paths);
        spec.environ_vars.clone_from(&params.environ_vars);
        spec.job_args.clone_from(&params.job_args);
        spec.input_path_specs.retain(|name, _| params.input_paths.contains_key(name));
        spec.output_path_specs.retain(|name, _| params.output_paths.contains_key(name));
        self.test_one(spec, None, self.scope())
    }

    /// Runs script A on its own inputs and script B on what A wrote, and judges the edge between them.
    ///
    /// # Errors
    ///
    /// As [`RuntimeTester::test_pipeline`].
    pub fn test_data_compatibility_with_specs(
        &self,
        spec_a: &ScriptExecutionSpec,
        spec_b: &ScriptExecutionSpec,
    ) -> Result<DataCompatibilityResult, TestError> {
        self.test_two(spec_a, spec_b, Vec::new(), None, self.scope())
    }

    /// Runs a script by name: with its saved spec where there is one, else with the default spec, whose input is the file
    /// `test_<name>/input_data.csv` in the workspace. `sample`, where it is given, takes the place of the inputs; where they
    /// do not exist, default sample data does.
    ///
    /// # Errors
    ///
    /// As [`RuntimeTester::test_pipeline`]; and where the saved spec cannot be loaded.
    pub fn test_script(
        &self,
        script: &ScriptName,
        sample: Option<&SampleData>,
    ) -> Result<ScriptTestResult, TestError> {
        self.test_one(self.builder().spec_for_call(script)?, sample, self.scope_of_calls())
    }

    /// Runs script A on `sample` and script B on what A wrote, and judges the edge between them. The specs and the data that
    /// is missing are those of [`RuntimeTester::test_script`]. An edge can be fine although
    /// a script is not: then it has a note, [`EdgeNote::StepFailed`].
    ///
    /// # Errors
    ///
    /// As [`RuntimeTester::test_script`].
    pub fn test_data_compatibility(
        &self,
        script_a: &ScriptName,
        script_b: &ScriptName,
        sample: Option<&SampleData>,
    ) -> Result<DataCompatibilityResult, TestError> {
        let spec_a = self.builder().spec_for_call(script_a)?;
        let spec_b = self.builder().spec_for_call(script_b)?;
        // What other steps publish is no data of these two.
        let folder = self.builder().store().folder().to_owned();
        let saved = self.builder().store().load_all();
        let saved = saved.map_err(|error| TestError::io("read", &folder)(std::io::Error::other(error)))?;
        let is_other = |step: &StepName| *step != spec_a.step_name && *step != spec_b.step_name;
        let others: Vec<ScriptExecutionSpec> =
            saved.specs().map(|saved| saved.spec.clone()).filter(|spec| is_other(&spec.step_name)).collect();
        self.test_two(&spec_a, &spec_b, others, sample, self.scope_of_calls())
    }

    /// Tests a pipeline of which only the DAG is given: each step with its saved spec where there is one, else with the
    /// default spec, which is not saved. The specs and the data that is missing are those of
    /// [`RuntimeTester::test_script`].
    ///
    /// # Errors
    ///
    /// As [`RuntimeTester::test_script`].
    pub fn test_pipeline_flow(&self, dag: &PipelineDag) -> Result<PipelineTestReport, TestError> {
        let pipeline = PipelineTestingSpec {
            dag: dag.clone(),
            script_specs: self.builder().load_chain(dag)?.script_specs,
            ..self.configuration.pipeline_spec.clone()
        };
        self.test(&pipeline, self.scope_of_calls(), self.configuration.selection.as_ref(), None)
    }

    /// Writes what a test of this tester's workspace observed into the saved specs as contracts, and returns what was
    /// written. `steps` are the steps to accept, or, where there are none, all. To look at the difference before, make an
    /// [`Acceptance`] and save it.
    ///
    /// # Errors
    ///
    /// [`AcceptError`]. Nothing is written then.
    pub fn accept(&self, report: &PipelineTestReport, steps: &[StepName]) -> Result<Acceptance, AcceptError> {
        let builder = self.builder();
        let acceptance = Acceptance::of(&RecordedTest::of_report(report)?, builder.store(), steps)?;
        acceptance.save(builder.store())?;
        Ok(acceptance)
    }

    fn scope(&self) -> Scope {
        Scope {
            individual: self.configuration.test_individual_scripts,
            compatibility: self.configuration.test_data_compatibility,
            flow: self.configuration.test_pipeline_flow,
            workspace_aware: self.configuration.use_workspace_aware,
            all_functions: true,
            sample_data: false,
        }
    }

    /// The scope of the calls that name scripts and have no data.
    fn scope_of_calls(&self) -> Scope {
        Scope { sample_data: true, ..self.scope() }
    }

    fn test_one(
        &self,
        spec: ScriptExecutionSpec,
        sample: Option<&SampleData>,
        scope: Scope,
    ) -> Result<ScriptTestResult, TestError> {
        let mut spec = spec;
        // Bindings say nothing to a step alone.
        spec.bindings.clear();
        let step = spec.step_name.clone();
        let dag = PipelineDag::build([step.clone()], []).expect("a single step is a DAG");
        let pipeline = PipelineTestingSpec {
            dag,
            script_specs: IndexMap::from([(step.clone(), spec)]),
            ..self.configuration.pipeline_spec.clone()
        };
        let scope =
            Scope { individual: true, compatibility: false, flow: false, all_functions: false, ..scope };
        let mut report = self.test(&pipeline, scope, None, sample)?;
        Ok(report.script_results.swap_remove(&step).expect("a report has every step"))
    }

    fn test_two(
        &self,
        spec_a: &ScriptExecutionSpec,
        spec_b: &ScriptExecutionSpec,
        others: Vec<ScriptExecutionSpec>,
        sample: Option<&SampleData>,
        scope: Scope,
    ) -> Result<DataCompatibilityResult, TestError> {
        let (a, b) = (&spec_a.step_name, &spec_b.step_name);
        let mut others: IndexMap<StepName, ScriptExecutionSpec> =
            others.into_iter().map(|spec| (spec.step_name.clone(), spec)).collect();
        others.values_mut().for_each(|spec| spec.bindings.clear());
        let nodes = [a, b].into_iter().chain(others.keys()).cloned();
        let dag = PipelineDag::build(nodes, [(a.clone(), b.clone())]);
        let Ok(dag) = dag else {
            return Err(PlanError { problems: vec![PlanProblem::SameStep { step: a.clone() }] }.into());
        };
        let pipeline = PipelineTestingSpec {
            dag,
            script_specs: [(a, spec_a), (b, spec_b)]
                .map(|(step, spec)| {
                    let mut spec = spec.clone();
                    // Those to other steps say nothing to this edge.
                    spec.bindings.retain(|_, binding| step == b && binding.step == *a);
                    (step.clone(), spec)
                })
                .into_iter()
                .chain(others)
                .collect(),
            ..self.configuration.pipeline_spec.clone()
        };
        let scope =
            Scope { individual: true, compatibility: true, flow: true, all_functions: false, ..scope };
        let selection = Selection::of([a, b]);
        let mut report = self.test(&pipeline, scope, Some(&selection), sample)?;
        let of_others = report.script_results.iter().filter_map(|(step, result)| match &result.status {
            StepStatus::Untested {
                reason:
                    UntestedStep::MissingEdges { from, inputs }
                    | UntestedStep::NotSelected { from, inputs }
                    | UntestedStep::FedFromDownstream { from, inputs },
            } => Some(PlanProblem::FedByOthers {
                step: step.clone(),
                inputs: inputs.clone(),
                from: from.clone(),
            }),
            _ => None,
        });
        let problems: Vec<PlanProblem> = of_others.collect();
        if !problems.is_empty() {
            return Err(PlanError { problems }.into());
        }
        let mut edge =
            report.data_flow_results.swap_remove(&edge_key(a, b)).expect("a report has every edge");
        for (step, result) in report.script_results {
            if let StepStatus::Failed { failure } = result.status {
                edge.notes.push(EdgeNote::StepFailed { step, failure: failure.into() });
            }
        }
        Ok(edge)
    }

    fn test(
        &self,
        pipeline: &PipelineTestingSpec,
        scope: Scope,
        selection: Option<&Selection>,
        sample: Option<&SampleData>,
    ) -> Result<PipelineTestReport, TestError> {
        let Self { settings, functions, reporter, cancel, .. } = self;
        let session = Session { settings, functions, reporter, cancel };
        session.test(&TestRequest { pipeline, scope, selection, sample })
    }
}
