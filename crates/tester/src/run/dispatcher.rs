//! Makes the runs of a plan, each when it may start and as many at once as are allowed, and keeps what came of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use crossbeam_channel::{Receiver, Sender};
use runtime_testing_data::SampleData;
use runtime_testing_models::{InputSource, LogicalName, RunKind, RunResult, RunSlot, StepName, UntestedStep};

use crate::cancel::CancelHandle;
use crate::error::TestError;
use crate::events::{Event, Reporter};
use crate::history::places::{Places, RunRoot, canonical};
use crate::judge::isolate_cause;
use crate::plan::model::{Action, Plan, PlannedInput, PlannedRun, PlannedStep, file_name};
use crate::run::fingerprint::Fingerprint;
use crate::run::handover::{self, Feed};
use crate::run::job::{Inputs, Job, Made, PrivateCopy};
use crate::run::publish;
use crate::run::record::{self, NotPublished, Records, RunRecord};
use crate::run::schedule::{Schedule, TaskOutcome, TaskState};
use crate::run::times::Times;
use crate::runners::python::fork::ForkServers;
use crate::runners::runner::is_of_the_machine;
use crate::settings::TesterSettings;

/// The folder of a test for copies of the user's own inputs. Steps have a folder of their own, so no step's name can be in
/// its way.
const OWN: &str = "own";
/// The folder of a test for its steps.
const STEPS: &str = "steps";

/// What a run is handed.
struct Given {
    inputs: Inputs,
    /// What of it has to be copied before.
    copies: Vec<PrivateCopy>,
}

/// What a run comes to before it is made.
enum Prepared<'a> {
    /// It can be made.
    Job(Box<Job<'a>>),
    /// It is settled without being made.
    Settled(RunRecord),
}

/// What was made, and of which run it is. A panic of a worker is carried to the thread that waits for it.
type Answer = (usize, std::thread::Result<Result<Made, TestError>>);

/// What a test is run with, and what came of its runs so far.
pub(crate) struct Engine<'a> {
    pub(crate) plan: &'a Plan<'a>,
    pub(crate) settings: &'a TesterSettings,
    pub(crate) places: &'a Places,
    /// There is one where anything is to be run.
    pub(crate) run_root: Option<&'a RunRoot>,
    /// What the caller gave for the inputs of root steps.
    pub(crate) sample: Option<&'a SampleData>,
    pub(crate) reporter: &'a dyn Reporter,
    pub(crate) forks: &'a ForkServers,
    pub(crate) cancel: &'a CancelHandle,
    /// How long runs took the last time.
    pub(crate) times: &'a Times,
    /// Whether it is found out which of several edges makes a consumer fail.
    pub(crate) singles_out: bool,
}

/// What changes while runs are made. All of it belongs to the thread that the test was started on.
struct Progress {
    /// When the first run could begin.
    began: Instant,
    schedule: Schedule,
    /// Runs that were not planned. Their numbers follow those of the plan.
    added: Vec<PlannedRun>,
    /// The run that shows what a step does with the data of one upstream step alone, by both.
    singled_out: BTreeMap<(usize, usize), usize>,
    /// What came of the runs so far, by number.
    records: Vec<Option<RunRecord>>,
    not_published: NotPublished,
    /// What the user's own inputs that several runs are given were when the test began.
    kept: BTreeMap<Utf8PathBuf, Kept>,
    /// The runs that are being made.
    in_flight: BTreeMap<usize, InFlight>,
    /// Runs that were made while another had an input of the user's own in common with them.
    overlapping: BTreeSet<usize>,
    /// Runs whose inputs were damaged while another run could have done it. Each is made again, alone and on copies.
    contested: VecDeque<usize>,
    /// Whether the run that is being made must be the only one.
    is_exclusive: bool,
}

/// A run that is being made.
struct InFlight {
    /// The user's own inputs that it was handed.
    own_inputs: Vec<Utf8PathBuf>,
    started: Instant,
    /// Its place among those that are made at once.
    worker: u32,
    /// When it is to be reported as slow.
    slow_at: Option<Instant>,
}

/// An input of the user's own, as it was when the test began.
struct Kept {
    original: Fingerprint,
    /// A copy of it, unless it is too large.
    copy: Option<Utf8PathBuf>,
}

impl Kept {
    fn has_changed(&self, path: &Utf8Path) -> bool {
        !self.original.changes_to(&Fingerprint::take(path)).is_empty()
    }
}

impl<'a> Engine<'a> {
    /// Makes all runs. Returns what came of each: the same, however many are made at once and in whatever order they end.
    pub(crate) fn run_all(&self) -> Result<Records, TestError> {
        let expected: Vec<u64> = self.plan.runs.iter().map(|run| self.expected(run)).collect();
        let waits_for = self.plan.runs.iter().map(|run| run.waits_for.to_vec()).collect();
        let mut progress = Progress {
            began: Instant::now(),
            schedule: Schedule::new(waits_for, &expected),
            added: Vec::new(),
            singled_out: BTreeMap::new(),
            records: self.plan.runs.iter().map(|_| None).collect(),
            not_published: NotPublished::new(),
            kept: self.keep_shared_inputs()?,
            in_flight: BTreeMap::new(),
            overlapping: BTreeSet::new(),
            contested: VecDeque::new(),
            is_exclusive: false,
        };
        let (jobs, queue) = crossbeam_channel::unbounded::<Box<Job<'a>>>();
        let (answers, made) = crossbeam_channel::unbounded::<Answer>();
        std::thread::scope(|scope| {
            for _ in 0..self.settings.jobs.get().min(self.plan.runs.len()) {
                let (queue, answers) = (queue.clone(), answers.clone());
                scope.spawn(move || {
                    for job in queue {
                        let run = job.run;
                        let made = catch_unwind(AssertUnwindSafe(|| job.make()));
                        answers.send((run, made)).expect("answers are read until every job is answered");
                    }
                });
            }
            // The workers end when the sender of jobs is gone.
            let jobs = jobs;
            self.drive(&mut progress, &jobs, &made)
        })?;
        // Causes are complete only now: a run can be blocked by several.
        for (run, record) in progress.records.iter_mut().enumerate() {
            if let TaskState::Blocked(causes) = progress.schedule.state(run) {
                *record = Some(RunRecord::Blocked(causes.clone()));
            }
        }
        let mut runs: Vec<RunRecord> =
            progress.records.drain(..).map(|record| record.expect("every run is settled")).collect();
        // What waited for runs that were canceled is canceled with them.
        for run in 0..runs.len() {
            if let RunRecord::Blocked(causes) = &runs[run]
                && causes.iter().all(|cause| runs[*cause].is_canceled())
            {
                runs[run] = RunRecord::not_made(UntestedStep::Canceled);
            }
        }
        let Progress { added, singled_out, not_published, .. } = progress;
        Ok(Records { runs, added, singled_out, not_published })
    }

    /// Starts what may start and settles what is made, until nothing is left. After an error nothing is started, and what
    /// is being made is waited for.
    fn drive(
        &self,
        progress: &mut Progress,
        jobs: &Sender<Box<Job<'a>>>,
        made: &Receiver<Answer>,
    ) -> Result<(), TestError> {
        let mut error = None;
        loop {
            while error.is_none() {
                match self.next(progress) {
                    Ok(Some(job)) => jobs.send(job).expect("the workers wait for jobs"),
                    Ok(None) => break,
                    Err(first) => error = Some(first),
                }
            }
            if progress.in_flight.is_empty() {
                break;
            }
            let (run, answer) = self.wait(progress, made);
            let flight = progress.in_flight.remove(&run).expect("what is answered was being made");
            progress.is_exclusive = false;
            let answer = answer.unwrap_or_else(|panic| resume_unwind(panic));
            if error.is_none() {
                error = answer.and_then(|made| self.take(progress, made, &flight)).err();
            }
        }
        if let Some(error) = error {
            return Err(error);
        }
        assert!(
            progress.schedule.is_done(),
            "no run is ready, none is being made, and yet some are not settled"
        );
        Ok(())
    }

    /// A run of the plan, or one that was added to it.
    fn run<'b>(&'b self, progress: &'b Progress, run: usize) -> &'b PlannedRun {
        let planned = &self.plan.runs;
        planned.get(run).unwrap_or_else(|| &progress.added[run - planned.len()])
    }

    /// The time that a run is expected to take. What needs no script takes none.
    fn expected(&self, run: &PlannedRun) -> u64 {
        match run.action {
            Action::Execute(_) => self.times.expected(self.plan.steps[run.step].name, &run.serves[0].1),
            Action::Fails | Action::NotMade(_) => 0,
        }
    }

    /// Waits for the next run that is made. Reports those that take long.
    fn wait(&self, progress: &mut Progress, made: &Receiver<Answer>) -> Answer {
        loop {
            let next = progress.in_flight.values().filter_map(|run| run.slow_at).min();
            let Some(next) = next else { return made.recv().expect("a worker answers each job") };
            if let Ok(answer) = made.recv_deadline(next) {
                return answer;
            }
            let now = Instant::now();
            let Progress { in_flight, added, .. } = &mut *progress;
            for (run, in_flight) in in_flight {
                if in_flight.slow_at.is_some_and(|slow_at| slow_at <= now) {
                    in_flight.slow_at = now.checked_add(self.settings.slow_after);
                    let of_plan = self.plan.runs.get(*run);
                    let planned = of_plan.unwrap_or_else(|| &added[*run - self.plan.runs.len()]);
                    self.reporter.report(&Event::RunSlow {
                        step: self.plan.steps[planned.step].name,
                        kinds: &own_kinds(planned),
                        elapsed: now - in_flight.started,
                    });
                }
            }
        }
    }

    /// The next run that may start now. Those that need not be made are settled on the way.
    fn next(&self, progress: &mut Progress) -> Result<Option<Box<Job<'a>>>, TestError> {
        loop {
            let alone = !progress.contested.is_empty();
            let room = if alone { 1 } else { self.settings.jobs.get() };
            if progress.is_exclusive || progress.in_flight.len() >= room {
                return Ok(None);
            }
            let next = progress.contested.pop_front().or_else(|| progress.schedule.next_ready());
            let Some(run) = next else { return Ok(None) };
            match self.prepare(progress, run, alone)? {
                Prepared::Settled(record) => self.settle(progress, run, record)?,
                Prepared::Job(job) => {
                    self.reporter.report(&Event::RunStarted { step: job.step.name, kinds: &job.kinds });
                    let slow_after = self.settings.slow_after;
                    note_start(progress, run, &job, slow_after);
                    progress.is_exclusive = alone;
                    return Ok(Some(job));
                }
            }
        }
    }

    fn prepare(&self, progress: &Progress, at: usize, alone: bool) -> Result<Prepared<'a>, TestError> {
        let run = self.run(progress, at);
        if self.cancel.is_canceled() {
            return Ok(Prepared::Settled(RunRecord::not_made(UntestedStep::Canceled)));
        }
        let step = &self.plan.steps[run.step];
        let planned = match &run.action {
            Action::Fails => {
                let failure = step.failure.clone().expect("it is the failure that lets the run fail");
                return Ok(Prepared::Settled(RunRecord::Failed(failure)));
            }
            Action::NotMade(reason) => return Ok(Prepared::Settled(RunRecord::NotMade(reason.clone()))),
            Action::Execute(inputs) => inputs,
        };
        let run_root = self.run_root();
        let folder = run_root.join(STEPS).join(step.name.as_str()).join(label(&run.serves[0].1, alone));
        let given = match self.given(progress, planned, &folder, alone)? {
            Ok(given) => given,
            Err(reason) => return Ok(Prepared::Settled(RunRecord::not_made(reason))),
        };
        let kinds = own_kinds(run);
        let (Given { inputs, copies }, places, settings) = (given, self.places, self.settings);
        let (forks, cancel) = (self.forks, self.cancel);
        Ok(Prepared::Job(Box::new(Job {
            run: at,
            step,
            kinds,
            inputs,
            copies,
            folder,
            run_root,
            places,
            settings,
            forks,
            cancel,
        })))
    }

    /// Takes in a run that was made: publishes what it wrote and settles it. A run that shared an input of the user's own
    /// with another while that input changed is made again, whatever came of it.
    fn take(&self, progress: &mut Progress, made: Made, flight: &InFlight) -> Result<(), TestError> {
        let Made { run, mut result, elapsed, canceled, not_forked } = made;
        let was_overlapping = progress.overlapping.remove(&run);
        let step = self.plan.steps[self.run(progress, run).step].name;
        if let Some(reason) = &not_forked {
            self.reporter.report(&Event::RunNotForked { step, reason });
        }
        if canceled {
            return self.settle(progress, run, RunRecord::not_made(UntestedStep::Canceled));
        }
        if was_overlapping {
            let changed = flight
                .own_inputs
                .iter()
                .filter(|path| progress.kept.get(*path).is_some_and(|kept| kept.has_changed(path)));
            let changed: Vec<&Utf8PathBuf> = changed.collect();
            if changed.iter().any(|path| progress.kept[*path].copy.is_none()) {
                // Nobody can say which of the runs it was, nor make them again.
                let inputs = names_of(self.run(progress, run), &changed);
                let reason = UntestedStep::DamagedInputs { inputs };
                return self.settle(progress, run, RunRecord::not_made(reason));
            }
            if !changed.is_empty() {
                progress.contested.push_back(run);
                return Ok(());
            }
        }
        let start = flight.started - progress.began;
        result.slot = Some(RunSlot {
            start_seconds: start.as_secs_f64(),
            end_seconds: (start + elapsed).as_secs_f64(),
            worker: flight.worker,
        });
        // A run that was added only shows what a step does with some of its data.
        if result.failure.is_none() && run < self.plan.runs.len() {
            self.publish(run, &result, &mut progress.not_published)?;
        }
        self.reporter.report(&Event::RunFinished { step, result: &result, elapsed });
        self.settle(progress, run, RunRecord::Executed(Box::new(result)))
    }

    fn settle(&self, progress: &mut Progress, run: usize, record: RunRecord) -> Result<(), TestError> {
        let reason = match &record {
            RunRecord::Failed(failure) => Some(failure.to_string()),
            RunRecord::NotMade(reason) => Some(reason.to_string()),
            RunRecord::Executed(_) | RunRecord::Blocked(_) => None,
        };
        if let Some(reason) = reason {
            let planned = self.run(progress, run);
            let (step, kinds) = (self.plan.steps[planned.step].name, &own_kinds(planned));
            self.reporter.report(&Event::RunNotMade { step, kinds, reason: &reason });
        }
        let outcome = if record.succeeded() { TaskOutcome::Succeeded } else { TaskOutcome::Failed };
        progress.records[run] = Some(record);
        for blocked in progress.schedule.finish(run, outcome) {
            let TaskState::Blocked(causes) = progress.schedule.state(blocked) else { continue };
            let name = |run: usize| self.plan.steps[self.plan.runs[run].step].name;
            let by: Vec<StepName> = causes.iter().map(|cause| name(*cause).clone()).collect();
            self.reporter.report(&Event::RunBlocked { step: name(blocked), by: &by });
        }
        if self.singles_out { self.single_out(progress, run) } else { Ok(()) }
    }

    /// Where a run that is settled shows that a step passes on its own inputs and fails on the data of several edges, adds
    /// the runs that show which of them it is.
    fn single_out(&self, progress: &mut Progress, settled: usize) -> Result<(), TestError> {
        let Some(planned) = self.plan.runs.get(settled) else { return Ok(()) };
        let served: BTreeSet<usize> = planned.serves.iter().map(|(step, _)| *step).collect();
        let first = progress.added.len();
        for step in served {
            let PlannedStep { individual, flow, name, .. } = &self.plan.steps[step];
            let record = |run: &Option<usize>| run.and_then(|run| progress.records[run].as_ref());
            let fails = record(flow).and_then(RunRecord::executed).is_some_and(|run| run.failure.is_some());
            if !fails || !record(individual).is_some_and(RunRecord::succeeded) {
                continue;
            }
            let mut kinds = Vec::new();
            for (from, inputs) in isolate_cause::single_inputs(self.plan, step) {
                let kind = RunKind::Edge { from: self.plan.steps[from].name.clone() };
                let action = Action::Execute(inputs);
                let of_plan = self.plan.runs.len();
                // Steps that share the run that is settled may share these too.
                let run = match progress.added[first..].iter().position(|added| added.action == action) {
                    Some(same) => {
                        progress.added[first + same].serves.push((step, kind));
                        of_plan + first + same
                    }
                    None => {
                        kinds.push(kind.clone());
                        let serves = vec![(step, kind)];
                        self.add(progress, PlannedRun { step, serves, action, waits_for: Box::default() })?
                    }
                };
                progress.singled_out.insert((step, from), run);
            }
            if !kinds.is_empty() {
                self.reporter.report(&Event::RunsAdded { step: name, kinds: &kinds });
            }
        }
        Ok(())
    }

    /// Adds a run that may be made at once. What it is given of the user's own is kept first: several such runs have it.
    fn add(&self, progress: &mut Progress, run: PlannedRun) -> Result<usize, TestError> {
        if let Action::Execute(inputs) = &run.action {
            for (_, input) in inputs {
                if let PlannedInput::Own(path) = input
                    && !progress.kept.contains_key(path)
                {
                    self.keep(path, &mut progress.kept)?;
                }
            }
        }
        let number = progress.schedule.add(self.expected(&run));
        progress.added.push(run);
        progress.records.push(None);
        Ok(number)
    }

    /// Copies the user's own inputs that more than one run is given, so that a script that damages one harms no other run.
    /// Nothing is ever written back to the user's own files.
    fn keep_shared_inputs(&self) -> Result<BTreeMap<Utf8PathBuf, Kept>, TestError> {
        let mut users: BTreeMap<&Utf8Path, BTreeSet<usize>> = BTreeMap::new();
        for (run, planned) in self.plan.runs.iter().enumerate() {
            let Action::Execute(inputs) = &planned.action else { continue };
            for (_, input) in inputs {
                if let PlannedInput::Own(path) = input {
                    users.entry(path).or_default().insert(run);
                }
            }
        }
        let mut by_place: BTreeMap<Utf8PathBuf, Vec<&BTreeSet<usize>>> = BTreeMap::new();
        for (path, runs) in &users {
            by_place.entry(canonical(path)).or_default().push(runs);
        }
        let overlapping = |place: &Utf8Path| {
            let above: Vec<_> = place.ancestors().filter_map(|above| by_place.get(above)).collect();
            // All paths below one path stand together, right behind it.
            let behind = by_place.range::<Utf8Path, _>((Bound::Excluded(place), Bound::Unbounded));
            let below = behind.take_while(|(path, _)| path.starts_with(place)).map(|(_, runs)| runs);
            above.into_iter().chain(below).flatten().copied().collect::<Vec<_>>()
        };
        let mut kept = BTreeMap::new();
        for (path, runs) in &users {
            let is_shared =
                runs.len() > 1 || overlapping(&canonical(path)).iter().any(|others| !others.is_subset(runs));
            if is_shared {
                self.keep(path, &mut kept)?;
            }
        }
        Ok(kept)
    }

    /// Takes note of what is at a path of the user's own, and copies it unless it is too large.
    fn keep(&self, path: &Utf8Path, kept: &mut BTreeMap<Utf8PathBuf, Kept>) -> Result<(), TestError> {
        let original = Fingerprint::take(path);
        let copy = if original.bytes() <= self.settings.kept_input_bytes {
            let copy = self.run_root().join(OWN).join(kept.len().to_string());
            publish::copy(path, &copy).map_err(TestError::io("copy", path))?;
            Some(copy)
        } else {
            None
        };
        kept.insert(path.to_owned(), Kept { original, copy });
        Ok(())
    }

    /// What a run is given; or why it cannot be made.
    fn given(
        &self,
        progress: &Progress,
        planned: &[(LogicalName, PlannedInput)],
        folder: &Utf8Path,
        alone: bool,
    ) -> Result<Result<Given, UntestedStep>, TestError> {
        let mut given = Given { inputs: Inputs::new(), copies: Vec::new() };
        let mut damaged = Vec::new();
        let (mut empty_edges, mut empty_inputs): (Vec<StepName>, Vec<LogicalName>) = (Vec::new(), Vec::new());
        for (name, input) in planned {
            let private = folder.join("in").join(name.as_str());
            let entry = match input {
                PlannedInput::Own(path) => match progress.kept.get(path) {
                    Some(kept) if alone || kept.has_changed(path) => {
                        let Some(copy) = &kept.copy else {
                            damaged.push(name.clone());
                            continue;
                        };
                        let target =
                            path.file_name().map_or_else(|| private.clone(), |file| private.join(file));
                        let neighbors_of = path.is_file().then(|| path.clone());
                        given.copies.push(PrivateCopy {
                            from: copy.clone(),
                            to: target.clone(),
                            neighbors_of,
                        });
                        (target, InputSource::Own)
                    }
                    _ => (path.clone(), InputSource::Own),
                },
                PlannedInput::Sample { path, contract } => {
                    let target = file_name(path).map_or_else(|| private.clone(), |file| private.join(file));
                    let contract = contract.map(|step| &self.plan.steps[step].spec.input_schemas[name]);
                    let sample = match (self.sample, contract) {
                        (Some(given), _) => Cow::Borrowed(given),
                        (None, Some(contract)) => Cow::Owned(SampleData::from_contract(contract)),
                        (None, None) => Cow::Owned(SampleData::default()),
                    };
                    sample.write(&target)?;
                    (target, InputSource::Sample)
                }
                PlannedInput::Upstream { run, step: from, output, input, below } => {
                    let result = executed(progress, *run);
                    let from = self.plan.steps[*from].name;
                    let all = record::output_folder(result, output, self.places);
                    let written = record::written(result, output, self.places);
                    if let Feed::Path(path) = handover::feed(&all, &written, input, below.as_deref()) {
                        // All that the producer wrote beside it comes along: a file may need its neighbors.
                        let below =
                            path.strip_prefix(&all).expect("what is fed was written to the output's folder");
                        let target =
                            if below.as_str().is_empty() { private.clone() } else { private.join(below) };
                        given.copies.push(PrivateCopy { from: all, to: private, neighbors_of: None });
                        (target, InputSource::Upstream { step: from.clone(), output: output.clone() })
                    } else {
                        if !empty_edges.contains(from) {
                            empty_edges.push(from.clone());
                        }
                        empty_inputs.push(name.clone());
                        continue;
                    }
                }
            };
            given.inputs.insert(name.clone(), entry);
        }
        if !damaged.is_empty() {
            return Ok(Err(UntestedStep::DamagedInputs { inputs: damaged }));
        }
        if empty_inputs.is_empty() {
            return Ok(Ok(given));
        }
        Ok(Err(UntestedStep::EmptyUpstream { edges: empty_edges, inputs: empty_inputs }))
    }

    fn run_root(&self) -> &'a Utf8Path {
        &self.run_root.expect("there is a folder where anything is to be run").path
    }

    /// Copies what a run wrote to the output paths of the steps that it publishes for.
    /// Takes note of the outputs for which that is not possible.
    fn publish(
        &self,
        run: usize,
        result: &RunResult,
        not_published: &mut NotPublished,
    ) -> Result<(), TestError> {
        for step in self.plan.published_by(run) {
            for port in &self.plan.steps[step].outputs {
                let path = record::written(result, &port.name, self.places);
                if path.exists()
                    && let Err(error) = publish::publish(&path, &port.path)
                {
                    // A full disk is nobody's fault here, and nothing that a test can go on with.
                    if is_of_the_machine(&error) {
                        return Err(TestError::io("publish to", &*port.path)(error));
                    }
                    not_published.entry(step).or_default().push((port.name.clone(), error.to_string()));
                }
            }
        }
        Ok(())
    }
}

/// What the step that a run is of gets out of it.
fn own_kinds(run: &PlannedRun) -> Vec<RunKind> {
    let own = run.serves.iter().filter(|(served, _)| *served == run.step);
    own.map(|(_, kind)| kind.clone()).collect()
}

/// Notes the user's own inputs that a run that starts is handed, and the runs that have one in common with it.
fn note_start(progress: &mut Progress, run: usize, job: &Job<'_>, slow_after: Duration) {
    let is_users = |(path, source): &(Utf8PathBuf, InputSource)| {
        (*source == InputSource::Own && !path.starts_with(&job.folder)).then(|| path.clone())
    };
    let own_inputs: Vec<Utf8PathBuf> = job.inputs.values().filter_map(is_users).collect();
    for (other, others) in &progress.in_flight {
        let is_shared = |path: &Utf8PathBuf| others.own_inputs.iter().any(|other| overlap(path, other));
        if own_inputs.iter().any(is_shared) {
            progress.overlapping.extend([run, *other]);
        }
    }
    let started = Instant::now();
    let slow_at = started.checked_add(slow_after);
    let is_free = |worker: &u32| progress.in_flight.values().all(|other| other.worker != *worker);
    let worker = (0..).find(is_free).expect("fewer runs are made at once than there are numbers");
    progress.in_flight.insert(run, InFlight { own_inputs, started, worker, slow_at });
}

/// The inputs of a run that are these paths of the user's own.
fn names_of(run: &PlannedRun, paths: &[&Utf8PathBuf]) -> Vec<LogicalName> {
    let Action::Execute(inputs) = &run.action else { return Vec::new() };
    let is_one = |input: &PlannedInput| matches!(input, PlannedInput::Own(path) if paths.contains(&path));
    inputs.iter().filter(|(_, input)| is_one(input)).map(|(name, _)| name.clone()).collect()
}

/// Whether two paths lead to the same, or one to something in the other.
fn overlap(one: &Utf8Path, other: &Utf8Path) -> bool {
    let (one, other) = (canonical(one), canonical(other));
    one.starts_with(&other) || other.starts_with(&one)
}

fn executed(progress: &Progress, run: usize) -> &RunResult {
    progress.records[run]
        .as_ref()
        .and_then(RunRecord::executed)
        .expect("a run starts when those it waits for have succeeded")
}

/// The folder of a run below its step's.
fn label(kind: &RunKind, alone: bool) -> String {
    let again = if alone { ".alone" } else { "" };
    match kind {
        RunKind::Individual => format!("individual{again}"),
        RunKind::Edge { from } => format!("edge.{from}{again}"),
        _ => format!("flow{again}"),
    }
}
