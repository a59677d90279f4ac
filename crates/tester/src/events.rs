use std::time::Duration;

use runtime_testing_models::{
    DataCompatibilityResult, PipelineTestReport, RunKind, RunResult, ScriptFailure, StepName,
};

/// Something that happened during a test.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// It is settled what will be run.
    Planned {
        /// The number of steps.
        steps: usize,
        /// The number of runs. One run can serve several purposes.
        runs: usize,
    },
    /// Runs were added that were not planned: a step passes on its own inputs and fails on the data of several edges, and
    /// these show which of them it is.
    RunsAdded {
        /// The step.
        step: &'a StepName,
        /// What each of the runs is for.
        kinds: &'a [RunKind],
    },
    /// A run has begun. It comes again for a run that has to be made once more, alone, because it cannot be told
    /// otherwise whether it or another damaged an input that both had.
    RunStarted {
        /// The step.
        step: &'a StepName,
        /// What the run is for.
        kinds: &'a [RunKind],
    },
    /// A run takes long: it comes each time that another [`slow_after`](crate::TesterSettings::slow_after) has passed.
    RunSlow {
        /// The step.
        step: &'a StepName,
        /// What the run is for.
        kinds: &'a [RunKind],
        /// How long it has taken so far.
        elapsed: Duration,
    },
    /// A run that was to be made in a fork was made in a fresh interpreter.
    RunNotForked {
        /// The step.
        step: &'a StepName,
        /// Why.
        reason: &'a str,
    },
    /// A run that was to be made in a working directory of its own was made in the base folder.
    RunInBaseFolder {
        /// The step.
        step: &'a StepName,
        /// Why.
        reason: &'a str,
    },
    /// A run failed while others were being made, and is made once more, alone: that result counts.
    RunRepeated {
        /// The step.
        step: &'a StepName,
        /// What the run is for.
        kinds: &'a [RunKind],
        /// What went wrong.
        failure: &'a ScriptFailure,
        /// The steps whose runs were being made.
        beside: &'a [StepName],
    },
    /// A run has ended.
    RunFinished {
        /// The step.
        step: &'a StepName,
        /// Its result.
        result: &'a RunResult,
        /// How long it took.
        elapsed: Duration,
    },
    /// A run is settled without a result: its script cannot be run, or its inputs cannot be had, or the test was canceled.
    /// It may have been started.
    RunNotMade {
        /// The step.
        step: &'a StepName,
        /// What the run was for.
        kinds: &'a [RunKind],
        /// Why there is no result, as a sentence.
        reason: &'a str,
    },
    /// A run will not be made, because others did not succeed.
    RunBlocked {
        /// The step.
        step: &'a StepName,
        /// The steps that did not succeed.
        by: &'a [StepName],
    },
    /// An edge was judged.
    EdgeJudged {
        /// Where it starts.
        from: &'a StepName,
        /// Where it ends.
        to: &'a StepName,
        /// The result.
        result: &'a DataCompatibilityResult,
    },
    /// Something of the test could not be written to its folder: its report, or what the next test would take from it. The
    /// test goes on, and its report is returned all the same. What asks for the last test finds an earlier one, or none.
    NotRecorded {
        /// What could not be kept and why, as a sentence.
        reason: &'a str,
    },
    /// The test is over.
    Finished {
        /// The report.
        report: &'a PipelineTestReport,
    },
}

/// Is told what happens during a test, as it happens. Any closure that takes an event is one.
///
/// ```
/// use runtime_testing_tester::{Event, Reporter};
///
/// let reporter = |event: &Event<'_>| {
///     if let Event::RunStarted { step, .. } = event {
///         eprintln!("running {step}");
///     }
/// };
/// reporter.report(&Event::Planned { steps: 1, runs: 1 });
/// ```
pub trait Reporter: Send + Sync {
    /// Is called for each event, in order, from the thread that the test was started on.
    fn report(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync> Reporter for F {
    fn report(&self, event: &Event<'_>) {
        self(event);
    }
}
