use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use crossbeam_channel::Receiver;
use indexmap::IndexMap;
use runtime_testing_models::{
    ExitOutcome, JobValue, LogicalName, Resources, ScriptFailure, ScriptMainParams,
};
use serde::Serialize;

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
    /// Is disconnected when the run is to be ended.
    pub(crate) cancel: &'a Receiver<Infallible>,
}

/// How a run went, as far as the script itself is concerned.
pub(crate) struct RunOutcome {
    pub(crate) exit: ExitOutcome,
    pub(crate) failure: Option<ScriptFailure>,
    pub(crate) resources: Resources,
    /// Whether it was ended because that was asked for.
    pub(crate) canceled: bool,
    /// The names of the programs that it had left running.
    pub(crate) leaked: Vec<String>,
    /// Why it was made in a fresh interpreter and not in a fork.
    pub(crate) not_forked: Option<String>,
}

/// What became of a run.
#[expect(clippy::large_enum_variant, reason = "there is one for each run, and nearly all are over")]
pub(crate) enum Ran {
    /// It is over.
    Over(RunOutcome),
    /// It was begun, and it cannot be told how it ended: this is why. Nothing of it is running any more.
    Lost(String),
}

/// Runs one kind of script. Knows nothing of the graph.
pub(crate) trait Runner {
    /// Runs the script and waits for its end.
    ///
    /// # Errors
    ///
    /// Where the run's folder cannot be written or read. A script that fails, or cannot be started, is an outcome.
    fn run(&self, request: RunRequest<'_>) -> io::Result<Ran>;

    /// A command that repeats, in a shell, the run that lies in `folder`.
    fn command(
        &self,
        script: &Utf8Path,
        params: &ScriptMainParams,
        folder: &Utf8Path,
        base: &Utf8Path,
    ) -> String;
}

/// The file in a run's folder that holds the script, its parameters, and where to leave a result.
pub(crate) const PARAMS_FILE: &str = "params.json";
/// The environment variable that holds the path of that file.
pub(crate) const PARAMS_VARIABLE: &str = "RUNTIME_TESTING_PARAMS";
/// The files in a run's folder for what it prints.
pub(crate) const STDOUT_FILE: &str = "stdout.log";
/// See [`STDOUT_FILE`].
pub(crate) const STDERR_FILE: &str = "stderr.log";
/// The file in a run's folder for the result.
pub(crate) const RESULT_FILE: &str = "result.json";

/// Writes a run's parameters to a file in its folder.
pub(crate) fn write_params(
    script: &Utf8Path,
    params: &ScriptMainParams,
    folder: &Utf8Path,
) -> io::Result<Utf8PathBuf> {
    #[derive(Serialize)]
    struct Params<'a> {
        script: &'a Utf8Path,
        result: &'a Utf8Path,
        input_paths: &'a IndexMap<LogicalName, Utf8PathBuf>,
        output_paths: &'a IndexMap<LogicalName, Utf8PathBuf>,
        environ_vars: &'a IndexMap<String, String>,
        job_args: &'a IndexMap<String, JobValue>,
    }

    let ScriptMainParams { input_paths, output_paths, environ_vars, job_args } = params;
    let result = &folder.join(RESULT_FILE);
    let content = Params { script, result, input_paths, output_paths, environ_vars, job_args };
    let path = folder.join(PARAMS_FILE);
    // An earlier script may have removed it, which must not be blamed on this one.
    std::fs::create_dir_all(folder)?;
    std::fs::write(&path, serde_json::to_vec_pretty(&content)?)?;
    Ok(path)
}

/// Whether an error is of the machine and not of anything a script did.
pub(crate) fn is_of_the_machine(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// The outcome of a process that could not be started.
pub(crate) fn not_started(program: &Utf8Path, error: &io::Error) -> RunOutcome {
    let failure = ScriptFailure::CouldNotStart { program: program.to_owned(), message: error.to_string() };
    RunOutcome {
        exit: ExitOutcome::NotStarted,
        failure: Some(failure),
        resources: Resources::default(),
        canceled: false,
        leaked: Vec::new(),
        not_forked: None,
    }
}

/// A command for a shell: words that are quoted where they need it, in a folder.
pub(crate) fn shell_command<'a>(base: &Utf8Path, words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(quoted).collect();
    format!("cd {} && {}", quoted(base.as_str()), words.join(" "))
}

fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-+:=@%".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
