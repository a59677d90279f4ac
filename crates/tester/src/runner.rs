use std::fs::File;
use std::io;
use std::time::Duration;

use camino::Utf8Path;
use runtime_testing_models::{ExitOutcome, Resources, ScriptFailure, ScriptMainParams};

use crate::workspace::Places;

/// One run of one script, with everything settled.
pub(crate) struct RunRequest<'a> {
    pub(crate) script: &'a Utf8Path,
    /// The parameters, with absolute paths. Output folders are there and empty.
    pub(crate) params: &'a ScriptMainParams,
    pub(crate) places: &'a Places,
    /// The folder of this run.
    pub(crate) folder: &'a Utf8Path,
    pub(crate) timeout: Duration,
    pub(crate) grace: Duration,
    pub(crate) stdout: File,
    pub(crate) stderr: File,
}

/// How a run went, as far as the script itself is concerned.
pub(crate) struct RunOutcome {
    pub(crate) exit: ExitOutcome,
    pub(crate) failure: Option<ScriptFailure>,
    pub(crate) resources: Resources,
}

/// Runs one kind of script. Knows nothing of the graph.
pub(crate) trait Runner {
    /// Runs the script and waits for its end.
    ///
    /// # Errors
    ///
    /// Where the run's folder cannot be written or read. A script that fails, or cannot be started, is an outcome.
    fn run(&self, request: RunRequest<'_>) -> io::Result<RunOutcome>;

    /// A command that repeats, in a shell, the run that lies in `folder`.
    fn command(&self, folder: &Utf8Path, base: &Utf8Path) -> String;
}
