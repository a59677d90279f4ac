use camino::Utf8PathBuf;
use runtime_testing_dag::StepName;
use serde::{Deserialize, Serialize};

use crate::{EdgeVerdict, RunKind, ScriptFailure};

/// The version of the serialized form of events. It grows when a key changes its meaning or goes away.
pub const EVENT_FORMAT_VERSION: u32 = 1;

/// Something that happened during a test, as a line of JSON says it.
///
/// ```
/// use runtime_testing_models::{EventLine, TestEvent};
///
/// let line = EventLine::new(0.25, TestEvent::Planned { steps: 2, runs: 3 });
/// assert_eq!(line.to_json(), r#"{"format_version":1,"seconds":0.25,"event":"planned","steps":2,"runs":3}"#);
/// # assert_eq!(serde_json::from_str::<EventLine>(&line.to_json())?, line);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventLine {
    /// The version of the form.
    pub format_version: u32,
    /// When it happened, in seconds since the first event.
    pub seconds: f64,
    /// What happened.
    #[serde(flatten)]
    pub event: TestEvent,
}

/// What happened during a test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TestEvent {
    /// It is settled what will be run.
    Planned {
        /// The number of steps.
        steps: u64,
        /// The number of runs. One run can serve several purposes.
        runs: u64,
    },
    /// More runs will be made than were planned, to find the edge that makes a consumer fail.
    RunsAdded {
        /// The consumer.
        step: StepName,
        /// What each of the runs is for.
        kinds: Vec<RunKind>,
    },
    /// A run has begun. It comes again for a run that has to be made once more.
    RunStarted {
        /// The step.
        step: StepName,
        /// What the run is for.
        kinds: Vec<RunKind>,
    },
    /// A run takes long.
    RunSlow {
        /// The step.
        step: StepName,
        /// What the run is for.
        kinds: Vec<RunKind>,
        /// How long it has taken so far, in seconds.
        elapsed_seconds: f64,
    },
    /// A run that was to be made in a fork was made in a fresh interpreter.
    RunNotForked {
        /// The step.
        step: StepName,
        /// Why.
        reason: String,
    },
    /// A run that was to be made in a working directory of its own was made in the base folder.
    RunInBaseFolder {
        /// The step.
        step: StepName,
        /// Why.
        reason: String,
    },
    /// A run failed while others were being made, and is made once more, alone.
    RunRepeated {
        /// The step.
        step: StepName,
        /// What the run is for.
        kinds: Vec<RunKind>,
        /// What went wrong.
        failure: ScriptFailure,
        /// The steps whose runs were being made.
        beside: Vec<StepName>,
    },
    /// A run has ended.
    RunFinished {
        /// The step.
        step: StepName,
        /// What the run was for.
        kinds: Vec<RunKind>,
        /// Whether it succeeded.
        success: bool,
        /// What went wrong, if anything did.
        failure: Option<ScriptFailure>,
        /// The same as a sentence.
        error_message: Option<String>,
        /// How long it took, in seconds.
        elapsed_seconds: f64,
        /// The folder of the run, relative to the workspace.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        run_folder: Utf8PathBuf,
    },
    /// A run is settled without a result.
    RunNotMade {
        /// The step.
        step: StepName,
        /// What the run was for.
        kinds: Vec<RunKind>,
        /// Why there is no result, as a sentence.
        reason: String,
    },
    /// A run will not be made, because others did not succeed.
    RunBlocked {
        /// The step.
        step: StepName,
        /// The steps that did not succeed.
        by: Vec<StepName>,
    },
    /// An edge was judged.
    EdgeJudged {
        /// Where it starts.
        from: StepName,
        /// Where it ends.
        to: StepName,
        /// Whether it counts as compatible.
        compatible: bool,
        /// The judgment.
        verdict: EdgeVerdict,
        /// Why it is not compatible, a sentence for each reason.
        compatibility_issues: Vec<String>,
    },
    /// Something of the test could not be kept in its folder.
    NotRecorded {
        /// What and why, as a sentence.
        reason: String,
    },
    /// The test is over. What came of it stands in the report.
    Finished {
        /// Whether all is well.
        pipeline_success: bool,
        /// Whether the test was canceled before every run was made.
        canceled: bool,
        /// The name of this test's folder under `.runs`. None where nothing was run.
        run_id: Option<String>,
        /// One sentence for each step that did not pass and each reason why an edge is not compatible.
        errors: Vec<String>,
    },
}

impl EventLine {
    /// An event at a time, in the version of today.
    pub fn new(seconds: f64, event: TestEvent) -> Self {
        Self { format_version: EVENT_FORMAT_VERSION, seconds, event }
    }

    /// The event as JSON in one line, without its end.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an event is made of plain values with string keys")
    }
}
