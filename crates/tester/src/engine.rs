//! Makes the runs of a plan, each when it may start, and keeps what came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_data::{Expected, SampleData};
use runtime_testing_models::{
    DataFinding, DataProfile, Difference, FileFormat, FileProfile, InputChange, InputSource, LogicalName,
    OutputDifference, OutputTail, RunInput, RunKind, RunOutput, RunResult, ScriptFailure, ScriptMainParams,
    StepName, UntestedStep,
};

use crate::events::{Event, Reporter};
use crate::feed::{self, Feed};
use crate::fingerprint::Fingerprint;
use crate::plan::{Action, Plan, PlannedInput, PlannedRun, PlannedStep, file_name};
use crate::publish::{self, Published};
use crate::python::PythonRunner;
use crate::runner::{RunOutcome, RunRequest, Runner};
use crate::schedule::{Schedule, TaskOutcome, TaskState};
use crate::settings::TesterSettings;
use crate::tail;
use crate::test_error::TestError;
use crate::workspace::{Places, RunRoot};

/// What became of a planned run.
#[derive(Debug)]
pub(crate) enum RunRecord {
    /// The script was run.
    Executed(Box<Executed>),
    /// The script was known not to work.
    Failed(ScriptFailure),
    /// The run could not be made.
    NotMade(UntestedStep),
    /// Other runs, by number, did not succeed.
    Blocked(Vec<usize>),
}

/// A run that was made.
#[derive(Debug)]
pub(crate) struct Executed {
    pub(crate) result: RunResult,
    /// Where each output was written: absolute.
    pub(crate) written: BTreeMap<LogicalName, Utf8PathBuf>,
    published: Vec<Published>,
}

impl RunRecord {
    pub(crate) fn succeeded(&self) -> bool {
        matches!(self, Self::Executed(executed) if executed.result.failure.is_none())
    }

    pub(crate) fn failure(&self) -> Option<&ScriptFailure> {
        match self {
            Self::Executed(executed) => executed.result.failure.as_ref(),
            Self::Failed(failure) => Some(failure),
            Self::NotMade(_) | Self::Blocked(_) => None,
        }
    }

    pub(crate) fn executed(&self) -> Option<&Executed> {
        match self {
            Self::Executed(executed) => Some(executed),
            Self::Failed(_) | Self::NotMade(_) | Self::Blocked(_) => None,
        }
    }
}

/// The real path and the source of every input of a run.
type Inputs = BTreeMap<LogicalName, (Utf8PathBuf, InputSource)>;

enum Prepared {
    Ready {
        inputs: Inputs,
        /// The runs that some of the inputs come from.
        fed_by: Vec<usize>,
    },
    NotMade(UntestedStep),
}

pub(crate) struct Engine<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) settings: &'a TesterSettings,
    pub(crate) places: &'a Places,
    /// There is one where anything is to be run.
    pub(crate) run_root: Option<&'a RunRoot>,
    pub(crate) sample: &'a SampleData,
    pub(crate) reporter: &'a dyn Reporter,
    /// What came of the runs so far, by number.
    pub(crate) records: Vec<Option<RunRecord>>,
    /// Copies of the user's own inputs that several runs are given.
    pub(crate) kept: Vec<Published>,
}

/// The largest input of the user's own that is copied to be put back, in bytes.
const MAX_KEPT_BYTES: u64 = 256 * 1024 * 1024;

impl Engine<'_> {
    /// Makes all runs. Returns what came of each, by number.
    pub(crate) fn run_all(mut self) -> Result<Vec<RunRecord>, TestError> {
        self.keep_shared_inputs()?;
        let mut schedule = Schedule::new(self.plan.runs.iter().map(|run| run.waits_for.clone()).collect());
        while let Some(run) = schedule.next_ready() {
            let record = self.make(run)?;
            let outcome = if record.succeeded() { TaskOutcome::Succeeded } else { TaskOutcome::Failed };
            self.records[run] = Some(record);
            for blocked in schedule.finish(run, outcome) {
                self.block(blocked, &schedule);
            }
        }
        assert!(schedule.is_done(), "no run is ready and none is running, and yet some are not settled");
        // Causes are complete only now: a run can be blocked by several.
        for run in 0..self.records.len() {
            if let TaskState::Blocked(causes) = schedule.state(run) {
                self.records[run] = Some(RunRecord::Blocked(causes.clone()));
            }
        }
        Ok(self.records.into_iter().map(|record| record.expect("every run is settled")).collect())
    }

    /// Copies the user's own inputs that more than one run is given, so that a script that damages one harms no other run.
    fn keep_shared_inputs(&mut self) -> Result<(), TestError> {
        let mut users: BTreeMap<&Utf8Path, usize> = BTreeMap::new();
        for run in &self.plan.runs {
            let Action::Execute(inputs) = &run.action else { continue };
            let own: BTreeSet<&Utf8Path> = inputs
                .values()
                .filter_map(|input| match input {
                    PlannedInput::Own(path) => Some(path.as_path()),
                    PlannedInput::Upstream { .. } | PlannedInput::Sample(_) => None,
                })
                .collect();
            for path in own {
                *users.entry(path).or_default() += 1;
            }
        }
        let shared = users.into_iter().filter(|(_, users)| *users > 1).map(|(path, _)| path);
        for (at, path) in shared.enumerate() {
            if Fingerprint::take(path).map_err(TestError::io("look at", path))?.bytes() <= MAX_KEPT_BYTES {
                let copy = self.run_root().join("own").join(at.to_string());
                self.kept.extend(publish::publish(path, &copy).map_err(TestError::io("copy", path))?);
            }
        }
        Ok(())
    }

    fn block(&mut self, run: usize, schedule: &Schedule) {
        let TaskState::Blocked(causes) = schedule.state(run) else { return };
        let by: Vec<StepName> =
            causes.iter().map(|cause| self.plan.steps[self.plan.runs[*cause].step].name.clone()).collect();
        let step = &self.plan.steps[self.plan.runs[run].step].name;
        self.reporter.report(&Event::RunBlocked { step, by: &by });
    }

    fn make(&mut self, at: usize) -> Result<RunRecord, TestError> {
        let plan = self.plan;
        let run = &plan.runs[at];
        match &run.action {
            Action::Fails(failure) => Ok(RunRecord::Failed(failure.clone())),
            Action::NotMade(reason) => Ok(RunRecord::NotMade(reason.clone())),
            Action::Execute(inputs) => self.execute(run, inputs),
        }
    }

    fn execute(
        &mut self,
        run: &PlannedRun,
        planned: &BTreeMap<LogicalName, PlannedInput>,
    ) -> Result<RunRecord, TestError> {
        let plan = self.plan;
        let step = &plan.steps[run.step];
        let run_root = self.run_root();
        let folder = run_root.join(step.name.as_str()).join(label(&run.serves[0].1));
        let (inputs, fed_by) = match self.inputs(step, planned, &folder)? {
            Prepared::Ready { inputs, fed_by } => (inputs, fed_by),
            Prepared::NotMade(reason) => return Ok(RunRecord::NotMade(reason)),
        };
        let kinds: Vec<RunKind> = run
            .serves
            .iter()
            .filter(|(served, _)| *served == run.step)
            .map(|(_, kind)| kind.clone())
            .collect();
        self.reporter.report(&Event::RunStarted { step: &step.name, kinds: &kinds });

        let mut written = BTreeMap::new();
        for port in &step.outputs {
            let output_folder = folder.join("out").join(port.name.as_str());
            fs::create_dir_all(&output_folder).map_err(TestError::io("make the folder", &output_folder))?;
            let path =
                file_name(&port.path).map_or_else(|| output_folder.clone(), |name| output_folder.join(name));
            written.insert(port.name.clone(), path);
        }
        fs::create_dir_all(&folder).map_err(TestError::io("make the folder", &folder))?;
        let log = |name: &str| {
            let path = folder.join(name);
            File::create(&path).map_err(TestError::io("write", path))
        };
        let before = fingerprints(&inputs)?;
        let spec_params = step.spec.main_params();
        let in_spec_order = |paths: &BTreeMap<LogicalName, Utf8PathBuf>,
                             names: &mut dyn Iterator<Item = &LogicalName>| {
            names.map(|name| (name.clone(), paths[name].clone())).collect::<IndexMap<_, _>>()
        };
        let input_paths: BTreeMap<LogicalName, Utf8PathBuf> =
            inputs.iter().map(|(name, (path, _))| (name.clone(), path.clone())).collect();
        let params = ScriptMainParams {
            input_paths: in_spec_order(&input_paths, &mut step.inputs.iter().map(|port| &port.name)),
            output_paths: in_spec_order(&written, &mut step.outputs.iter().map(|port| &port.name)),
            ..spec_params
        };
        let runner = PythonRunner { interpreter: &step.interpreter, run_root };
        let started = Instant::now();
        let RunOutcome { exit, mut failure, resources } = runner
            .run(RunRequest {
                script: step.script.as_deref().expect("a script that was not found is known to fail"),
                params: &params,
                places: self.places,
                folder: &folder,
                timeout: step.timeout,
                grace: self.settings.grace,
                stdout: log("stdout.log")?,
                stderr: log("stderr.log")?,
            })
            .map_err(TestError::io("run a script in", &folder))?;
        let elapsed = started.elapsed();

        let changes = self.changes(&inputs, &before)?;
        if !changes.is_empty() {
            self.repair(&inputs, &fed_by)?;
            failure.get_or_insert(ScriptFailure::InputsChanged { changes });
        }
        let mut outputs: BTreeMap<LogicalName, RunOutput> = BTreeMap::new();
        for (name, path) in &written {
            let data = if failure.is_none() { Some(profile(path)) } else { None };
            outputs.insert(name.clone(), RunOutput { path: self.places.shown(path), data });
        }
        if failure.is_none() {
            failure = failure_of_outputs(step, &outputs);
        }
        let published = if failure.is_none() { self.publish(run, &written)? } else { Vec::new() };
        let result = RunResult {
            kinds,
            failure,
            exit,
            inputs: inputs
                .into_iter()
                .map(|(name, (path, source))| (name, RunInput { path: self.places.shown(&path), source }))
                .collect(),
            outputs,
            resources,
            run_folder: self.places.shown(&folder),
            stdout: self.tail(&folder.join("stdout.log")),
            stderr: self.tail(&folder.join("stderr.log")),
            command: runner.command(&folder, &self.places.base),
        };
        self.finished(step, &result, elapsed);
        Ok(RunRecord::Executed(Box::new(Executed { result, written, published })))
    }

    fn finished(&self, step: &PlannedStep, result: &RunResult, elapsed: Duration) {
        tracing::debug!(step = %step.name, folder = %result.run_folder, passed = result.failure.is_none(), "run finished");
        self.reporter.report(&Event::RunFinished { step: &step.name, result, elapsed });
    }

    fn inputs(
        &self,
        step: &PlannedStep,
        planned: &BTreeMap<LogicalName, PlannedInput>,
        folder: &Utf8Path,
    ) -> Result<Prepared, TestError> {
        let mut inputs = BTreeMap::new();
        let mut fed_by = Vec::new();
        let (mut empty_edges, mut empty_inputs) = (Vec::new(), Vec::new());
        for (name, input) in planned {
            let entry = match input {
                PlannedInput::Own(path) => (path.clone(), InputSource::Own),
                PlannedInput::Sample(path) => {
                    let folder = folder.join("in").join(name.as_str());
                    let target = file_name(path).map_or_else(|| folder.clone(), |file| folder.join(file));
                    self.sample.write(&target)?;
                    (target, InputSource::Sample)
                }
                PlannedInput::Upstream { run, step: from, output, below } => {
                    fed_by.push(*run);
                    let path = &step
                        .inputs
                        .iter()
                        .find(|port| port.name == *name)
                        .expect("inputs are planned by name")
                        .path;
                    let written = &self.executed(*run).written[output];
                    match feed::feed(written, path, below.as_deref())
                        .map_err(TestError::io("look into", written))?
                    {
                        Feed::Path(path) => {
                            let step = self.plan.steps[*from].name.clone();
                            (path, InputSource::Upstream { step, output: output.clone() })
                        }
                        Feed::Nothing | Feed::Missing { .. } => {
                            let from = self.plan.steps[*from].name.clone();
                            if !empty_edges.contains(&from) {
                                empty_edges.push(from);
                            }
                            empty_inputs.push(name.clone());
                            continue;
                        }
                    }
                }
            };
            inputs.insert(name.clone(), entry);
        }
        if empty_inputs.is_empty() {
            Ok(Prepared::Ready { inputs, fed_by })
        } else {
            Ok(Prepared::NotMade(UntestedStep::EmptyUpstream { edges: empty_edges, inputs: empty_inputs }))
        }
    }

    fn run_root(&self) -> &Utf8Path {
        &self.run_root.expect("there is a folder where anything is to be run").path
    }

    fn executed(&self, run: usize) -> &Executed {
        self.records[run]
            .as_ref()
            .and_then(RunRecord::executed)
            .expect("a run starts when those it waits for have succeeded")
    }

    fn changes(
        &self,
        inputs: &Inputs,
        before: &BTreeMap<LogicalName, Fingerprint>,
    ) -> Result<Vec<InputChange>, TestError> {
        let after = fingerprints(inputs)?;
        let mut changes = Vec::new();
        for (name, earlier) in before {
            let (path, _) = &inputs[name];
            for (below, change) in earlier.changes_to(&after[name]) {
                let file = if below.as_str().is_empty() { path.clone() } else { path.join(below) };
                let path = self
                    .places
                    .shown_in_text(self.places.shown(&file).as_str(), &self.places.shown(self.run_root()));
                changes.push(InputChange {
                    input: name.clone(),
                    path: path.into(),
                    change: change.as_str().to_owned(),
                });
            }
        }
        Ok(changes)
    }

    /// Puts back what a step has damaged of its inputs, so that it harms no other step: what upstream steps wrote, and
    /// the user's own inputs that other runs are given too.
    fn repair(&self, inputs: &Inputs, fed_by: &[usize]) -> Result<(), TestError> {
        for run in fed_by {
            let executed = self.executed(*run);
            for path in executed.written.values() {
                publish::restore(&executed.published, path).map_err(TestError::io("restore", path))?;
            }
        }
        for (path, _) in inputs.values() {
            publish::restore(&self.kept, path).map_err(TestError::io("restore", path))?;
        }
        Ok(())
    }

    /// Copies what a run wrote to the output paths of every step that it serves.
    fn publish(
        &self,
        run: &PlannedRun,
        written: &BTreeMap<LogicalName, Utf8PathBuf>,
    ) -> Result<Vec<Published>, TestError> {
        let targets: BTreeSet<(&LogicalName, &Utf8PathBuf)> = run
            .serves
            .iter()
            .flat_map(|(step, _)| &self.plan.steps[*step].outputs)
            .map(|port| (&port.name, &port.path))
            .collect();
        let mut published = Vec::new();
        for (name, target) in targets {
            let path = &written[name];
            if path.exists() {
                published
                    .extend(publish::publish(path, target).map_err(TestError::io("publish to", target))?);
            }
        }
        Ok(published)
    }

    fn tail(&self, path: &Utf8Path) -> OutputTail {
        let file = self.places.shown(path);
        match tail::read_tail(path, self.settings.tail_bytes) {
            Ok((text, omitted_bytes)) => OutputTail { file, text, omitted_bytes },
            // A script can delete its own run's folder: what it printed is gone, and that is what is said.
            Err(error) => OutputTail { file, text: format!("<not readable: {error}>"), omitted_bytes: 0 },
        }
    }
}

/// The folder of a run below its step's.
fn label(kind: &RunKind) -> String {
    match kind {
        RunKind::Individual => "individual".to_owned(),
        RunKind::Edge { from } => format!("edge.{from}"),
        _ => "flow".to_owned(),
    }
}

fn fingerprints(inputs: &Inputs) -> Result<BTreeMap<LogicalName, Fingerprint>, TestError> {
    let take = |(name, (path, _)): (&LogicalName, &(Utf8PathBuf, InputSource))| {
        Ok((name.clone(), Fingerprint::take(path).map_err(TestError::io("look at", path))?))
    };
    inputs.iter().map(take).collect()
}

/// What is at an output. One that cannot be looked at is told as a finding: the script left it so.
fn profile(path: &Utf8Path) -> DataProfile {
    if !path.exists() {
        return DataProfile { is_folder: false, files: Vec::new() };
    }
    runtime_testing_data::profile_path(path).unwrap_or_else(|error| DataProfile {
        is_folder: path.is_dir(),
        files: vec![FileProfile {
            path: path.file_name().unwrap_or_default().into(),
            format: FileFormat::Opaque,
            bytes: 0,
            schema: None,
            findings: vec![DataFinding { message: error.to_string(), line: None }],
        }],
    })
}

fn failure_of_outputs(
    step: &PlannedStep,
    outputs: &BTreeMap<LogicalName, RunOutput>,
) -> Option<ScriptFailure> {
    let is_empty = |output: &RunOutput| output.data.as_ref().is_none_or(DataProfile::is_empty);
    if !outputs.is_empty() && outputs.values().all(is_empty) {
        let declared = step.outputs.iter().map(|port| port.name.clone()).collect();
        return Some(ScriptFailure::NoOutput { declared });
    }
    let mut differences = Vec::new();
    for (name, contract) in &step.spec.output_schemas {
        let Some(data) = outputs.get(name).and_then(|output| output.data.as_ref()) else { continue };
        if data.is_empty() {
            let file = outputs[name].path.file_name().unwrap_or_default().into();
            differences.push(OutputDifference {
                output: name.clone(),
                file,
                difference: Difference::MissingFile,
            });
        }
        let breaking = runtime_testing_data::compare(&Expected::Contract(contract), data)
            .into_iter()
            .filter(|found| found.difference.is_breaking());
        differences.extend(breaking.map(|found| OutputDifference {
            output: name.clone(),
            file: found.file,
            difference: found.difference,
        }));
    }
    (!differences.is_empty()).then_some(ScriptFailure::PromiseBroken { differences })
}
