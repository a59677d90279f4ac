//! One test, from the plan to the report.

use std::collections::HashMap;
use std::sync::Arc;

use camino::Utf8Path;
use runtime_testing_data::SampleData;
use runtime_testing_models::dag::SelectError;
use runtime_testing_models::{
    DataCompatibilityResult, EdgeVerdict, PipelineDag, PipelineTestReport, PipelineTestingSpec, ScriptName,
    Selection, UntestedEdge,
};

use crate::cancel::CancelHandle;
use crate::error::TestError;
use crate::events::{Event, Reporter};
use crate::history::places::{Places, WORKING_DIRECTORY};
use crate::history::published::PublishedFiles;
use crate::history::recorded::{self, HandedOver};
use crate::history::run_folder::{RUNS, RunRoot};
use crate::judge::{self, Evidence, JudgedEdges, OwnProfiles};
use crate::plan::missing_inputs::near_paths;
use crate::plan::model::{Action, Plan, Scope, Tested};
use crate::plan::own_contracts::{NotesBeforeRuns, own_data_notes};
use crate::plan::planner;
use crate::process::{self, Watched};
use crate::run::record::{self, Records, RunRecord};
use crate::run::times::Times;
use crate::run::{Dispatcher, TestContext, WorkingDirectories};
use crate::runners::function::Function;
use crate::runners::python::fork::ForkServers;
use crate::runners::python::programs::{Programs, prepare};
use crate::settings::TesterSettings;

/// What one test is asked for.
pub(crate) struct TestRequest<'a> {
    pub(crate) pipeline: &'a PipelineTestingSpec,
    pub(crate) scope: Scope,
    pub(crate) selection: Option<&'a Selection>,
    /// What takes the place of the inputs of root steps.
    pub(crate) sample: Option<&'a SampleData>,
}

/// One test: planned, run, judged, reported and kept.
pub(crate) struct Session<'a> {
    pub(crate) settings: &'a TesterSettings,
    pub(crate) functions: &'a HashMap<ScriptName, Function>,
    pub(crate) reporter: &'a Arc<dyn Reporter>,
    pub(crate) cancel: &'a CancelHandle,
}

/// What is known before the first run: the user's own data, which scripts can damage.
struct BeforeRuns {
    own_profiles: Option<OwnProfiles>,
    notes: NotesBeforeRuns,
}

/// What later tests are to know of one.
struct Kept {
    times: Times,
    published: PublishedFiles,
    handed_over: HandedOver,
}

impl Session<'_> {
    /// Carries out a test of a pipeline, or of the part of it that is selected.
    pub(crate) fn test(&self, request: &TestRequest<'_>) -> Result<PipelineTestReport, TestError> {
        let TestRequest { pipeline, scope, selection, sample } = *request;
        let part = select(pipeline, selection)?;
        let places = places(pipeline, self.settings)?;
        let _watched = Watched::new();
        process::ignore_file_size_signal();
        let part = part.as_ref().unwrap_or(&pipeline.dag);
        let mut published = PublishedFiles::load(&places.workspace);
        let earlier = published.paths(&places.workspace).collect();
        let tested = Tested { pipeline, part, functions: self.functions, earlier: &earlier };
        let forks = ForkServers::new(&places.base, self.cancel);
        let start_early = |interpreter: &Utf8Path, variables: &_| forks.start_early(interpreter, variables);
        let plan = planner::plan(
            tested,
            scope,
            self.settings,
            &places,
            sample.is_some(),
            (self.cancel, &start_early),
        )?;
        self.reporter.report(&Event::Planned { steps: plan.steps.len(), runs: plan.runs.len() });

        let run_root = self.run_root_for(&plan, &places, &forks)?;
        let directories = WorkingDirectories::of(&plan, &places, self.settings);
        if let Some(RunRoot { path, .. }) = &run_root {
            let made = directories.make_model(&path.join(WORKING_DIRECTORY));
            made.map_err(TestError::io("make a working directory in", path))?;
        }
        let before = self.look_before(&plan, &places, scope)?;
        let mut times = Times::load(&places.workspace);
        let programs = Programs::default();
        let test = TestContext {
            settings: self.settings,
            places: &places,
            run_root: run_root.as_ref().map_or(Utf8Path::new(""), |root| &root.path),
            reporter: &**self.reporter,
            directories: &directories,
            forks: &forks,
            programs: &programs,
            cancel: self.cancel,
        };
        let records = Dispatcher::new(test, &plan, sample, &times, scope.compatibility)?.run_all()?;

        let evidence =
            Evidence { plan: &plan, records: &records, places: &places, strict: self.settings.strict };
        let JudgedEdges { results: mut edges, handed_over } = match &before.own_profiles {
            Some(own) => judge::judge_edges(evidence, own, &self.cancel.profile_options())?,
            None => JudgedEdges::default(),
        };
        for (edge, result) in plan.edges.values().zip(edges.values()) {
            let (from, to) = (plan.steps[edge.from].name, plan.steps[edge.to].name);
            self.reporter.report(&Event::EdgeJudged { from, to, result });
        }
        let steps = judge::judge_steps(evidence, &edges, before.notes);
        if self.settings.strict {
            judge::be_strict_on_edges(&mut edges);
        }
        let canceled = is_canceled(&records, edges.values());

        let mut report = PipelineTestReport {
            execution_order: plan.order,
            script_results: steps,
            data_flow_results: edges,
            workspace: places.workspace.clone(),
            run_id: run_root.as_ref().map(|root| root.id.clone()),
            canceled,
            selection: selection.cloned(),
        };
        let runs = plan.runs.into_values().chain(records.added);
        record::hand_over(runs, records.runs.into_values(), &mut report.script_results, &mut times);
        records.published.iter().for_each(|path| published.note(path, &report.workspace));
        let kept = Kept { times, published, handed_over };
        self.keep(run_root, &report, kept, pipeline);
        self.reporter.report(&Event::Finished { report: &report });
        Ok(report)
    }

    /// The folder of the test, where there is anything to run.
    fn run_root_for(
        &self,
        plan: &Plan<'_>,
        places: &Places,
        forks: &ForkServers,
    ) -> Result<Option<RunRoot>, TestError> {
        if !plan.runs.values().any(|run| matches!(run.action, Action::Execute(_))) {
            return Ok(None);
        }
        let run_root = self.run_root(&places.workspace)?;
        prepare(&run_root.path).map_err(TestError::io("write to", &run_root.path))?;
        forks.keep_log_in(&run_root.path);
        Ok(Some(run_root))
    }

    fn run_root(&self, workspace: &Utf8Path) -> Result<RunRoot, TestError> {
        RunRoot::create(workspace, self.settings.kept_runs, self.settings.kept_failed_runs)
            .map_err(TestError::io("make a folder for the runs in", workspace))
    }

    /// Looks at the user's own data before anything runs.
    fn look_before(&self, plan: &Plan<'_>, places: &Places, scope: Scope) -> Result<BeforeRuns, TestError> {
        let own_profiles = scope.compatibility.then(|| judge::own_profiles(plan, self.cancel)).transpose()?;
        let mut notes = own_data_notes(plan, self.cancel);
        for (at, near) in near_paths(plan, &places.base) {
            notes.entry(at).or_default().extend(near);
        }
        Ok(BeforeRuns { own_profiles, notes })
    }

    /// Keeps what came of a test for later ones. What cannot be kept is an event, and no reason to withhold the report.
    fn keep(
        &self,
        run_root: Option<RunRoot>,
        report: &PipelineTestReport,
        kept: Kept,
        pipeline: &PipelineTestingSpec,
    ) {
        let Kept { times, published, handed_over } = kept;
        let workspace = &report.workspace;
        let (timed, kept) = match &run_root {
            Some(_) => (times.save(workspace), published.save(workspace)),
            None => (Ok(()), Ok(())),
        };
        let runs = report.workspace.join(RUNS);
        let timed = timed.map_err(TestError::io("keep how long the runs took in", &runs));
        let published = kept.map_err(TestError::io("keep what was published in", &runs));
        for kept in [timed, published, self.record(run_root, report, pipeline, handed_over)] {
            if let Err(error) = kept {
                tracing::warn!(%error, "a test is not recorded");
                self.reporter.report(&Event::NotRecorded { reason: &error.to_string() });
            }
        }
    }

    /// Keeps a report in the folder of its test.
    fn record(
        &self,
        run_root: Option<RunRoot>,
        report: &PipelineTestReport,
        pipeline: &PipelineTestingSpec,
        handed_over: HandedOver,
    ) -> Result<(), TestError> {
        let run_root = match run_root {
            Some(run_root) => run_root,
            // Nothing is written for a test that has nothing to run, unless an earlier one would be taken for the last.
            None if report.workspace.join(RUNS).is_dir() => self.run_root(&report.workspace)?,
            None => return Ok(()),
        };
        let path = &run_root.path;
        recorded::record(path, report, pipeline, handed_over)
            .map_err(TestError::io("write the report to", path))?;
        if report.pipeline_success() {
            run_root.note_pass().map_err(TestError::io("take note in", path))?;
        }
        Ok(())
    }
}

fn is_canceled<'a>(records: &Records, edges: impl Iterator<Item = &'a DataCompatibilityResult>) -> bool {
    let canceled = EdgeVerdict::Untested { reason: UntestedEdge::Canceled };
    records.runs.values().any(RunRecord::is_canceled)
        || edges.into_iter().any(|edge| edge.verdict == canceled)
}

/// Where a test takes place.
pub(crate) fn places(pipeline: &PipelineTestingSpec, settings: &TesterSettings) -> Result<Places, TestError> {
    let root = &pipeline.test_workspace_root;
    Places::new(settings.base_folder.as_deref(), root).map_err(TestError::io("find the folder", root))
}

/// The part of a pipeline that is selected. None where it is all of it.
pub(crate) fn select(
    pipeline: &PipelineTestingSpec,
    selection: Option<&Selection>,
) -> Result<Option<PipelineDag>, SelectError> {
    selection.map(|selection| pipeline.dag.select(selection)).transpose()
}
