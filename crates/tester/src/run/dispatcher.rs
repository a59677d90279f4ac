//! Makes the runs of a plan, each when it may start and as many at once as are allowed, and keeps what came of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use crossbeam_channel::{Receiver, Sender};
use runtime_testing_data::SampleData;
use runtime_testing_models::{
    InputSource, LogicalName, RunKind, RunResult, RunSlot, ScriptFailure, StepName, UntestedStep,
};

use self::publishing::publish_all;
use crate::error::TestError;
use crate::events::Event;
use crate::history::places::{ALONE, STEPS};
use crate::history::run_folder::{make_exclusively, remove_folder};
use crate::ids::{DenseMap, Id as _, RunId, StepId};
use crate::plan::model::{Action, Plan, PlannedInput, PlannedRun, PlannedStep, ScriptFile};
use crate::run::context::TestContext;
use crate::run::fingerprint::Fingerprint;
use crate::run::inputs::{InputPreparer, InputRequest, PreparedInputs};
use crate::run::job::{Job, Made};
use crate::run::record::{self, FailedBeside, Left, NotPublished, Records, RunRecord};
use crate::run::schedule::{Schedule, TaskOutcome, TaskState};
use crate::run::shared_inputs::{Damage, SharedInputs};
use crate::run::times::Times;

mod added_runs;
mod publishing;

/// What a run comes to before it is made.
enum Prepared<'a> {
    /// It can be made.
    Job(Box<Job<'a>>),
    /// It is settled without being made.
    Settled(RunRecord),
}

/// What was made, and of which run it is. A panic of a worker is carried to the thread that waits for it.
type Answer = (RunId, std::thread::Result<Result<Made, TestError>>);

/// Hands runs to workers and takes in what comes of them. All of it belongs to the thread that the test was started on.
pub(crate) struct Dispatcher<'a> {
    test: TestContext<'a>,
    plan: &'a Plan<'a>,
    preparer: InputPreparer<'a>,
    /// How long runs took the last time.
    times: &'a Times,
    /// Whether it is found out which of several edges makes a consumer fail.
    isolates_causes: bool,
    /// When the first run could begin.
    began: Instant,
    schedule: Schedule,
    /// Runs that were not planned. Their numbers follow those of the plan.
    added: Vec<PlannedRun>,
    /// The run that shows what a step does with the data of one upstream step alone, by both.
    isolated: BTreeMap<(StepId, StepId), RunId>,
    /// What came of the runs so far.
    records: DenseMap<RunId, Option<RunRecord>>,
    shared: SharedInputs<'a>,
    /// The runs that are being made.
    in_flight: BTreeMap<RunId, InFlight>,
    /// Runs that are made once more, when nothing else is left to do: alone, and on copies of the user's own data.
    again: VecDeque<Again>,
    /// The runs that passed when they were made alone, and did not beside others.
    passed_alone: BTreeMap<RunId, FailedBeside>,
    /// The tester's own files that runs found changed.
    made_anew: BTreeMap<RunId, Vec<Utf8PathBuf>>,
    /// What the scripts of steps, and the files that they import, were when the test began.
    scripts: DenseMap<StepId, Vec<(Utf8PathBuf, Rc<Fingerprint>)>>,
    /// What the outputs of runs were when these had ended, in the order in which they did.
    left: Left,
    /// Whether the run that is being made must be the only one.
    is_exclusive: bool,
}

/// A run that is made once more.
struct Again {
    run: RunId,
    /// How it failed. None where its inputs were damaged by who knows which run.
    first: Option<FirstResult>,
}

/// A failure that is to be confirmed. It counts where that is not possible.
struct FirstResult {
    result: RunResult,
    elapsed: Duration,
    /// The steps of the runs that were being made meanwhile.
    beside: Vec<StepName>,
}

/// A run that is being made.
struct InFlight {
    /// The steps of other runs that were being made meanwhile.
    beside: BTreeSet<StepId>,
    /// What is to be confirmed, where it is made for that.
    confirms: Option<FirstResult>,
    started: Instant,
    /// Its place among those that are made at once.
    worker: u32,
    /// When it is to be reported as slow.
    slow_at: Option<Instant>,
}

impl<'a> Dispatcher<'a> {
    pub(crate) fn new(
        test: TestContext<'a>,
        plan: &'a Plan<'a>,
        sample: Option<&'a SampleData>,
        times: &'a Times,
        isolates_causes: bool,
    ) -> Result<Self, TestError> {
        let expected: Vec<u64> = plan.runs.values().map(|run| expected(plan, times, run)).collect();
        let waits_for = |run: &PlannedRun| run.waits_for.iter().map(|before| before.index()).collect();
        Ok(Self {
            test,
            plan,
            preparer: InputPreparer { test, plan, sample },
            times,
            isolates_causes,
            began: Instant::now(),
            schedule: Schedule::new(plan.runs.values().map(waits_for).collect(), &expected),
            added: Vec::new(),
            isolated: BTreeMap::new(),
            records: plan.runs.ids().map(|_| None).collect(),
            shared: SharedInputs::keep(plan, test)?,
            in_flight: BTreeMap::new(),
            again: VecDeque::new(),
            passed_alone: BTreeMap::new(),
            made_anew: BTreeMap::new(),
            scripts: fingerprints_of_scripts(plan),
            left: Left::new(),
            is_exclusive: false,
        })
    }

    /// Makes all runs. Returns what came of each: the same, however many are made at once and in whatever order they end.
    pub(crate) fn run_all(mut self) -> Result<Records, TestError> {
        let (jobs, queue) = crossbeam_channel::unbounded::<Box<Job<'a>>>();
        let (answers, made) = crossbeam_channel::unbounded::<Answer>();
        std::thread::scope(|scope| {
            for worker in 0..self.test.settings.jobs.get().min(self.plan.runs.len()) {
                let (queue, answers) = (queue.clone(), answers.clone());
                let started = std::thread::Builder::new().name(format!("run {worker}")).spawn_scoped(
                    scope,
                    move || {
                        for job in queue {
                            let run = job.run;
                            let made = catch_unwind(AssertUnwindSafe(|| job.make()));
                            answers.send((run, made)).expect("answers are read until every job is answered");
                        }
                    },
                );
                match started {
                    Ok(_) => {}
                    Err(error) if worker == 0 => {
                        return Err(TestError::io("start a thread for", &self.test.places.base)(error));
                    }
                    // Those that there are make all runs.
                    Err(error) => {
                        tracing::warn!(%error, "could not start a thread");
                        break;
                    }
                }
            }
            // The workers end when the sender of jobs is gone.
            let jobs = jobs;
            self.drive(&jobs, &made)
        })?;
        let (published, not_published) = publish_all(self.test, self.plan, &self.records)?;
        Ok(self.into_records(published, not_published))
    }

    /// What came of all runs, once all are settled.
    fn into_records(self, published: Vec<PathBuf>, not_published: NotPublished) -> Records {
        let Self { schedule, added, isolated, records, passed_alone, made_anew, left, .. } = self;
        let settled = records.into_values().enumerate().map(|(run, record)| match schedule.state(run) {
            // Causes are complete only now: a run can be blocked by several.
            TaskState::Blocked(causes) => {
                RunRecord::Blocked(causes.iter().map(|cause| RunId::new(*cause)).collect())
            }
            _ => record.expect("every run is settled"),
        });
        let mut runs: DenseMap<RunId, RunRecord> = settled.collect();
        // What waited for runs that were canceled is canceled with them.
        for run in runs.ids() {
            if let RunRecord::Blocked(causes) = &runs[run]
                && causes.iter().all(|cause| runs[*cause].is_canceled())
            {
                runs[run] = RunRecord::not_made(UntestedStep::Canceled);
            }
        }
        Records { runs, added, isolated, not_published, published, passed_alone, left, made_anew }
    }

    /// Starts what may start and settles what is made, until nothing is left. After an error nothing is started, and what
    /// is being made is waited for.
    fn drive(&mut self, jobs: &Sender<Box<Job<'a>>>, made: &Receiver<Answer>) -> Result<(), TestError> {
        let mut error = None;
        loop {
            while error.is_none() {
                match self.next() {
                    Ok(Some(job)) => jobs.send(job).expect("the workers wait for jobs"),
                    Ok(None) => break,
                    Err(first) => error = Some(first),
                }
            }
            if self.in_flight.is_empty() {
                break;
            }
            let (run, answer) = self.wait(made);
            let flight = self.in_flight.remove(&run).expect("what is answered was being made");
            self.is_exclusive = false;
            let answer = answer.unwrap_or_else(|panic| resume_unwind(panic));
            if error.is_none() {
                error = answer.and_then(|made| self.on_finished(made, flight)).err();
            }
        }
        if let Some(error) = error {
            return Err(error);
        }
        assert!(self.schedule.is_done(), "no run is ready, none is being made, and yet some are not settled");
        Ok(())
    }

    /// A run of the plan, or one that was added to it.
    fn run(&self, run: RunId) -> &PlannedRun {
        let planned = &self.plan.runs;
        planned.get(run).unwrap_or_else(|| &self.added[run.index() - planned.len()])
    }

    /// Waits for the next run that is made. Reports those that take long.
    fn wait(&mut self, made: &Receiver<Answer>) -> Answer {
        loop {
            let next = self.in_flight.values().filter_map(|run| run.slow_at).min();
            let Some(next) = next else { return made.recv().expect("a worker answers each job") };
            if let Ok(answer) = made.recv_deadline(next) {
                return answer;
            }
            let now = Instant::now();
            let mut slow = Vec::new();
            for (run, in_flight) in &mut self.in_flight {
                if in_flight.slow_at.is_some_and(|slow_at| slow_at <= now) {
                    in_flight.slow_at = now.checked_add(self.test.settings.slow_after);
                    slow.push((*run, now - in_flight.started));
                }
            }
            for (run, elapsed) in slow {
                let planned = self.run(run);
                let (step, kinds) = (self.plan.steps[planned.step].name, &own_kinds(planned));
                self.test.reporter.report(&Event::RunSlow { step, kinds, elapsed });
            }
        }
    }

    /// The next run that may start now. Those that need not be made are settled on the way.
    fn next(&mut self) -> Result<Option<Box<Job<'a>>>, TestError> {
        loop {
            if self.is_exclusive || self.in_flight.len() >= self.test.settings.jobs.get() {
                return Ok(None);
            }
            let ready = self.schedule.next_ready().map(|run| Again { run: RunId::new(run), first: None });
            let alone = ready.is_none();
            let next = match ready {
                None if self.in_flight.is_empty() => self.again.pop_front(),
                ready => ready,
            };
            let Some(Again { run, first }) = next else { return Ok(None) };
            match (self.prepare(run, alone)?, first) {
                (Prepared::Settled(_), Some(first)) => self.finish(run, first.result, first.elapsed)?,
                (Prepared::Settled(record), None) => self.record(run, record)?,
                (Prepared::Job(job), first) => {
                    self.test.reporter.report(&Event::RunStarted { step: job.step.name, kinds: &job.kinds });
                    self.start(run, &job, first);
                    self.is_exclusive = alone;
                    return Ok(Some(job));
                }
            }
        }
    }

    fn prepare(&self, at: RunId, alone: bool) -> Result<Prepared<'a>, TestError> {
        let run = self.run(at);
        if self.test.cancel.is_canceled() {
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
        let steps = self.test.run_root.join(STEPS);
        let folder = steps.join(step.name.as_str()).join(label(&run.serves[0].1, alone));
        if let Some(reason) = self.changed_meanwhile(run) {
            return Ok(Prepared::Settled(RunRecord::not_made(reason)));
        }
        let was_there = make_exclusively(self.test.run_root, &folder);
        let was_there = was_there.map_err(TestError::io("make the folder", &folder))?;
        let made_anew =
            was_there.then(|| folder.strip_prefix(self.test.run_root).unwrap_or(&folder).to_owned());
        let written = |run: RunId| self.executed(run);
        let mutable = &step.spec.mutable_inputs;
        let request = InputRequest { planned, mutable, folder: &folder };
        let prepared = self.preparer.prepare(&request, &self.shared, &written)?;
        let PreparedInputs { inputs, copies } = match prepared {
            Ok(prepared) => prepared,
            Err(reason) => {
                remove_folder(&folder).map_err(TestError::io("remove", &folder))?;
                return Ok(Prepared::Settled(RunRecord::not_made(reason)));
            }
        };
        let kinds = own_kinds(run);
        let made_anew = made_anew.into_iter().collect();
        let job = Job { run: at, step, kinds, inputs, copies, folder, made_anew, test: self.test };
        Ok(Prepared::Job(Box::new(job)))
    }

    /// What a run needs that is not what it was: its script since the test began, and what upstream runs wrote since these ended.
    fn changed_meanwhile(&self, run: &PlannedRun) -> Option<UntestedStep> {
        let Action::Execute(inputs) = &run.action else { return None };
        let places = self.test.places;
        let has_changed =
            |before: &Fingerprint, path: &Utf8Path| !before.changes_to(&Fingerprint::take(path)).is_empty();
        let (mut paths, mut since) = (Vec::new(), self.left.len());
        for (script, before) in &self.scripts[run.step] {
            if has_changed(before, script) {
                paths.push(places.shown(script));
                since = 0;
            }
        }
        for (_, input) in inputs {
            let PlannedInput::Upstream { run: upstream, output, .. } = input else { continue };
            let path = record::output_folder(self.executed(*upstream), output, places);
            let ended = self.left.get_index_of(upstream);
            let before = self.left.get(upstream).and_then(|left| left.get(output));
            if before.is_some_and(|before| has_changed(before, &path)) {
                paths.push(places.shown(&path));
                since = since.min(ended.map_or(0, |ended| ended + 1));
            }
        }
        let runs = self.left.keys().skip(since).chain(self.in_flight.keys());
        let ran: BTreeSet<StepId> = runs.map(|run| self.run(*run).step).collect();
        let ran = ran.into_iter().map(|step| self.plan.steps[step].name.clone()).collect();
        (!paths.is_empty()).then_some(UntestedStep::ChangedMeanwhile { paths, ran })
    }

    fn executed(&self, run: RunId) -> &RunResult {
        self.records[run]
            .as_ref()
            .and_then(RunRecord::executed)
            .expect("a run starts when those it waits for have succeeded")
    }

    /// Takes note of a run that starts.
    fn start(&mut self, run: RunId, job: &Job<'_>, confirms: Option<FirstResult>) {
        let is_users = |(path, source): &(Utf8PathBuf, InputSource)| {
            (*source == InputSource::Own && !path.starts_with(&job.folder)).then(|| path.clone())
        };
        self.shared.before(run, job.inputs.values().filter_map(is_users).collect());
        let started = Instant::now();
        let slow_at = started.checked_add(self.test.settings.slow_after);
        let is_free = |worker: &u32| self.in_flight.values().all(|other| other.worker != *worker);
        let worker = (0..).find(is_free).expect("fewer runs are made at once than there are numbers");
        let step = self.run(run).step;
        let beside = self.in_flight.keys().map(|other| self.run(*other).step).collect();
        for other in self.in_flight.values_mut() {
            other.beside.insert(step);
        }
        self.in_flight.insert(run, InFlight { beside, confirms, started, worker, slow_at });
    }

    /// Takes in a run that was made, and settles it. A run that shared an input of the user's own
    /// with another while that input changed is made again, whatever came of it; and so is one that failed beside others.
    fn on_finished(&mut self, made: Made, flight: InFlight) -> Result<(), TestError> {
        let Made { run, mut result, elapsed, canceled, not_forked, in_base_folder, made_anew, left } = made;
        if !made_anew.is_empty() {
            self.made_anew.entry(run).or_default().extend(made_anew);
        }
        // One that is made again ends again.
        self.left.shift_remove(&run);
        self.left.insert(run, left);
        let damage = self.shared.after(run);
        let step = self.plan.steps[self.run(run).step].name;
        if let Some(reason) = &not_forked {
            self.test.reporter.report(&Event::RunNotForked { step, reason });
        }
        if let Some(reason) = &in_base_folder {
            self.test.reporter.report(&Event::RunInBaseFolder { step, reason });
        }
        if canceled {
            return match flight.confirms {
                Some(first) => self.finish(run, first.result, first.elapsed),
                None => self.record(run, RunRecord::not_made(UntestedStep::Canceled)),
            };
        }
        match damage {
            Damage::None => {}
            Damage::Repairable => {
                self.again.push_back(Again { run, first: None });
                return Ok(());
            }
            Damage::Final(paths) => {
                let inputs = names_of(self.run(run), &paths);
                return self.record(run, RunRecord::not_made(UntestedStep::DamagedInputs { inputs }));
            }
        }
        let start = flight.started - self.began;
        result.slot = Some(RunSlot {
            start_seconds: start.as_secs_f64(),
            end_seconds: (start + elapsed).as_secs_f64(),
            worker: flight.worker,
        });
        match (&result.failure, flight.confirms) {
            (Some(failure), _) if can_be_of_others(failure) && !flight.beside.is_empty() => {
                let beside = flight.beside.iter().map(|step| self.plan.steps[*step].name.clone());
                let beside: Vec<StepName> = beside.collect();
                let (kinds, beside_now) = (&own_kinds(self.run(run)), &beside);
                let event = Event::RunRepeated { step, kinds, failure, beside: beside_now };
                self.test.reporter.report(&event);
                self.again.push_back(Again { run, first: Some(FirstResult { result, elapsed, beside }) });
                return Ok(());
            }
            (None, Some(FirstResult { result: RunResult { failure: Some(failure), .. }, beside, .. })) => {
                self.passed_alone.insert(run, FailedBeside { failure, beside });
            }
            _ => {}
        }
        self.finish(run, result, elapsed)
    }

    /// Settles a run that was made.
    fn finish(&mut self, run: RunId, result: RunResult, elapsed: Duration) -> Result<(), TestError> {
        let step = self.plan.steps[self.run(run).step].name;
        self.test.reporter.report(&Event::RunFinished { step, result: &result, elapsed });
        self.record(run, RunRecord::Executed(Box::new(result)))
    }

    /// Settles a run, and what that decides of others.
    fn record(&mut self, run: RunId, record: RunRecord) -> Result<(), TestError> {
        let reason = match &record {
            RunRecord::Failed(failure) => Some(failure.to_string()),
            RunRecord::NotMade(reason) => Some(reason.to_string()),
            RunRecord::Executed(_) | RunRecord::Blocked(_) => None,
        };
        if let Some(reason) = reason {
            let planned = self.run(run);
            let (step, kinds) = (self.plan.steps[planned.step].name, &own_kinds(planned));
            self.test.reporter.report(&Event::RunNotMade { step, kinds, reason: &reason });
        }
        let outcome = if record.succeeded() { TaskOutcome::Succeeded } else { TaskOutcome::Failed };
        self.records[run] = Some(record);
        for blocked in self.schedule.finish(run.index(), outcome) {
            let TaskState::Blocked(causes) = self.schedule.state(blocked) else { continue };
            let name = |run: usize| self.plan.steps[self.plan.runs[RunId::new(run)].step].name;
            let by: Vec<StepName> = causes.iter().map(|cause| name(*cause).clone()).collect();
            self.test.reporter.report(&Event::RunBlocked { step: name(blocked), by: &by });
        }
        if self.isolates_causes { self.isolate_causes(run) } else { Ok(()) }
    }
}

/// What the scripts of all steps are, which may share them.
fn fingerprints_of_scripts(plan: &Plan<'_>) -> DenseMap<StepId, Vec<(Utf8PathBuf, Rc<Fingerprint>)>> {
    let mut known: HashMap<Utf8PathBuf, Rc<Fingerprint>> = HashMap::new();
    let mut remembered = |path: &Utf8Path| {
        let remember = || Rc::new(Fingerprint::remember(path));
        (path.to_owned(), Rc::clone(known.entry(path.to_owned()).or_insert_with(remember)))
    };
    let mut of_step = |step: &PlannedStep<'_>| {
        let script = step.script.as_ref().and_then(ScriptFile::path);
        script.into_iter().chain(step.modules.iter().map(Utf8PathBuf::as_path)).map(&mut remembered).collect()
    };
    plan.steps.values().map(&mut of_step).collect()
}

/// Whether a failure can be the doing of runs that were made beside. A time that is up says nothing of that: it may take as
/// long again. What a script did to its inputs is its own doing, and might not be done twice.
fn can_be_of_others(failure: &ScriptFailure) -> bool {
    !matches!(failure, ScriptFailure::TimedOut { .. } | ScriptFailure::InputsChanged { .. })
}

/// The time that a run is expected to take. What needs no script takes none.
fn expected(plan: &Plan<'_>, times: &Times, run: &PlannedRun) -> u64 {
    match run.action {
        Action::Execute(_) => times.expected(plan.steps[run.step].name, &run.serves[0].1),
        Action::Fails | Action::NotMade(_) => 0,
    }
}

/// What the step that a run is of gets out of it.
fn own_kinds(run: &PlannedRun) -> Vec<RunKind> {
    let own = run.serves.iter().filter(|(served, _)| *served == run.step);
    own.map(|(_, kind)| kind.clone()).collect()
}

/// The inputs of a run that are these paths of the user's own.
fn names_of(run: &PlannedRun, paths: &[Utf8PathBuf]) -> Vec<LogicalName> {
    let Action::Execute(inputs) = &run.action else { return Vec::new() };
    let is_one = |input: &PlannedInput| matches!(input, PlannedInput::Own(path) if paths.contains(path));
    inputs.iter().filter(|(_, input)| is_one(input)).map(|(name, _)| name.clone()).collect()
}

/// The folder of a run below its step's.
fn label(kind: &RunKind, alone: bool) -> String {
    let again = if alone { ALONE } else { "" };
    match kind {
        RunKind::Individual => format!("individual{again}"),
        RunKind::Edge { from } => format!("edge.{from}{again}"),
        _ => format!("flow{again}"),
    }
}
