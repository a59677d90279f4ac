//! What became of the runs of a plan, and how that becomes part of the results of steps.

use std::collections::BTreeMap;
use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_models::{
    LogicalName, RunKind, RunResult, ScriptFailure, ScriptTestResult, StepName, UntestedStep,
};

use crate::history::places::Places;
use crate::ids::{DenseMap, Id as _, RunId, StepId};
use crate::plan::model::PlannedRun;
use crate::run::fingerprint::Fingerprint;
use crate::run::times::Times;

/// What became of all runs of a plan.
#[derive(Debug)]
pub(crate) struct Records {
    /// By the number of the run: those of the plan, then those that were added.
    pub(crate) runs: DenseMap<RunId, RunRecord>,
    /// The runs that were added.
    pub(crate) added: Vec<PlannedRun>,
    /// The run that shows what a step does with the data of one upstream step alone, by both.
    pub(crate) isolated: BTreeMap<(StepId, StepId), RunId>,
    pub(crate) not_published: NotPublished,
    /// The files that were published.
    pub(crate) published: Vec<PathBuf>,
    /// The runs that passed when they were made alone, and did not beside others.
    pub(crate) passed_alone: BTreeMap<RunId, FailedBeside>,
    /// What the outputs of runs were when these had ended, in the order in which they did.
    pub(crate) left: Left,
    /// The tester's own files that runs found changed, below the folder of the test.
    pub(crate) made_anew: BTreeMap<RunId, Vec<Utf8PathBuf>>,
}

/// A failure that did not come again when the run was made alone.
#[derive(Debug, Clone)]
pub(crate) struct FailedBeside {
    pub(crate) failure: ScriptFailure,
    /// The steps of the runs that were being made meanwhile.
    pub(crate) beside: Vec<StepName>,
}

/// What the outputs of runs were when these had ended.
pub(crate) type Left = IndexMap<RunId, BTreeMap<LogicalName, Fingerprint>>;

/// The outputs that could not be published, by step, and why.
pub(crate) type NotPublished = BTreeMap<StepId, Vec<(LogicalName, String)>>;

/// What became of a planned run.
#[derive(Debug)]
pub(crate) enum RunRecord {
    /// The script was run.
    Executed(Box<RunResult>),
    /// The script was known not to work.
    Failed(Box<ScriptFailure>),
    /// The run could not be made.
    NotMade(Box<UntestedStep>),
    /// Other runs, by number, did not succeed.
    Blocked(Vec<RunId>),
}

impl RunRecord {
    pub(crate) fn not_made(reason: UntestedStep) -> Self {
        Self::NotMade(Box::new(reason))
    }

    pub(crate) fn succeeded(&self) -> bool {
        matches!(self, Self::Executed(result) if result.failure.is_none())
    }

    pub(crate) fn failure(&self) -> Option<&ScriptFailure> {
        match self {
            Self::Executed(result) => result.failure.as_ref(),
            Self::Failed(failure) => Some(failure),
            Self::NotMade(_) | Self::Blocked(_) => None,
        }
    }

    /// Whether the run was not made, or not to its end, because the test was canceled.
    pub(crate) fn is_canceled(&self) -> bool {
        matches!(self, Self::NotMade(reason) if **reason == UntestedStep::Canceled)
    }

    pub(crate) fn executed(&self) -> Option<&RunResult> {
        match self {
            Self::Executed(result) => Some(result),
            Self::Failed(_) | Self::NotMade(_) | Self::Blocked(_) => None,
        }
    }
}

/// Where an output was to be written: absolute.
pub(crate) fn written(result: &RunResult, output: &LogicalName, places: &Places) -> Utf8PathBuf {
    places.workspace.join(&result.outputs[output].path)
}

/// The folder that an output was to be written in or to be: absolute.
pub(crate) fn output_folder(result: &RunResult, output: &LogicalName, places: &Places) -> Utf8PathBuf {
    output_folder_in(&places.workspace.join(&result.run_folder), output)
}

/// The same, for a run in `folder`.
pub(crate) fn output_folder_in(folder: &Utf8Path, output: &LogicalName) -> Utf8PathBuf {
    folder.join("out").join(output.as_str())
}

/// Adds the runs to the results of the steps that they serve: on the step's own inputs first, then in the order they were
/// planned. The records are most of what a test holds: they are moved, and copied only where several steps share a run.
/// Takes note of how long those that ended well have taken.
pub(crate) fn hand_over(
    runs: impl IntoIterator<Item = PlannedRun>,
    records: impl IntoIterator<Item = RunRecord>,
    steps: &mut IndexMap<StepName, ScriptTestResult>,
    times: &mut Times,
) {
    for (PlannedRun { step, mut serves, .. }, record) in runs.into_iter().zip(records) {
        let RunRecord::Executed(result) = record else { continue };
        if result.failure.is_none() {
            let (name, _) = steps.get_index(step.index()).expect("every step has a result");
            times.note(name, &serves[0].1, result.resources.wall_seconds);
        }
        serves.sort_by_key(|(step, _)| *step);
        let served: Vec<&[(StepId, RunKind)]> = serves.chunk_by(|left, right| left.0 == right.0).collect();
        let (last, others) = served.split_last().expect("a run serves the step that it is of");
        let mut add = |serves: &[(StepId, RunKind)], result: RunResult| {
            let kinds = serves.iter().map(|(_, kind)| kind.clone()).collect();
            let runs = &mut steps[serves[0].0.index()].runs;
            runs.push(RunResult { kinds, ..result });
        };
        for serves in others {
            add(serves, RunResult::clone(&result));
        }
        add(last, *result);
    }
    for result in steps.values_mut() {
        result.runs.sort_by_key(|run| run.kinds.first().cloned());
    }
}
