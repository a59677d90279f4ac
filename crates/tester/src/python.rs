//! Python interpreters: found, and given a script to run.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{ExitOutcome, PythonException, ScriptFailure, ScriptMainParams};
use serde::Deserialize;

use crate::fork_server::{ForkRequest, ForkServers, NotForked};
use crate::imports::ImportGroups;
use crate::process::{self, Ended, ProcessRequest};
use crate::runner::{
    PARAMS_FILE, PARAMS_VARIABLE, RESULT_FILE, Ran, RunOutcome, RunRequest, Runner, STDERR_FILE, STDOUT_FILE,
    is_of_the_machine, not_started, shell_command, write_params,
};
use crate::workspace::Places;

/// The name under which the program that runs a script lies in a test's folder.
pub(crate) const RUN_SCRIPT_NAME: &str = "run_script.py";

/// What the runs of a test need, kept beside them so that they can be repeated by hand.
const FILES: [(&str, &str); 2] = [
    (RUN_SCRIPT_NAME, include_str!("python/run_script.py")),
    ("fork_server.py", include_str!("python/fork_server.py")),
];

/// Puts what the runs of a test need into its folder.
pub(crate) fn prepare(run_root: &Utf8Path) -> io::Result<()> {
    FILES.iter().try_for_each(|(name, text)| std::fs::write(run_root.join(name), text))
}

/// Finds an interpreter: a path relative to `base`, or a name that is looked for in `PATH`.
pub(crate) fn find_interpreter(python: &Utf8Path, base: &Utf8Path) -> Result<Utf8PathBuf, String> {
    let found = which::which_in(python.as_std_path(), std::env::var_os("PATH"), base)
        .map_err(|_| "it was not found, or is not executable".to_owned())?;
    Utf8PathBuf::from_path_buf(found).map_err(|path| format!("its path `{}` is not UTF-8", path.display()))
}

/// What the interpreter leaves behind.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Left {
    Passed,
    MissingMain,
    Exited { status: i32, message: Option<String> },
    WrongSignature { line: Option<u32>, signature: String, missing: Vec<String>, unexpected: Vec<String> },
    ImportFailed { exception: LeftException },
    Exception { exception: LeftException },
}

#[derive(Deserialize)]
struct LeftException {
    type_name: String,
    message: String,
    places: Vec<(Utf8PathBuf, Option<u32>)>,
    traceback: String,
}

/// Runs each script in an interpreter of its own: a fork of one with its imports, or a fresh one.
pub(crate) struct PythonRunner<'a> {
    pub(crate) interpreter: &'a Utf8Path,
    pub(crate) run_root: &'a Utf8Path,
    /// What forks are made of, where they are wanted.
    pub(crate) forks: Option<(&'a ForkServers, &'a ImportGroups)>,
}

/// UTF-8 whatever the user's locale, and no caches beside the user's scripts. The spec can say otherwise.
pub(crate) const DEFAULT_ENVIRONMENT: [(&str, &str); 2] =
    [("PYTHONUTF8", "1"), ("PYTHONDONTWRITEBYTECODE", "1")];

impl Runner for PythonRunner<'_> {
    fn run(&self, request: RunRequest<'_>) -> io::Result<Ran> {
        let RunRequest { script, params, places, folder, timeout, grace, stdout, stderr, cancel } = request;
        let params_path = write_params(script, params, folder)?;
        // An earlier script may have removed them, which must not be blamed on this one.
        if !FILES.iter().all(|(name, _)| self.run_root.join(name).exists()) {
            prepare(self.run_root)?;
        }
        let mut environment = BTreeMap::from(DEFAULT_ENVIRONMENT);
        environment.extend(params.environ_vars.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        environment.insert(PARAMS_VARIABLE, params_path.as_str());
        let environment: Vec<(&str, &str)> = environment.into_iter().collect();
        let mut not_forked = None;
        if let Some((servers, imports)) = self.forks {
            let forked = servers.run(&ForkRequest {
                interpreter: self.interpreter,
                imports,
                environ_vars: &params.environ_vars,
                environment: &environment,
                script,
                params: &params_path,
                folder: &places.base,
                stdout: folder.join(STDOUT_FILE),
                stderr: folder.join(STDERR_FILE),
                timeout,
                grace,
            });
            match forked {
                Ok(ended) => return self.over(script, places, folder, timeout, ended).map(Ran::Over),
                Err(NotForked::Refused(reason)) => not_forked = Some(reason),
                Err(NotForked::Lost(reason)) => return Ok(Ran::Lost(reason)),
            }
        }
        let ended = process::execute(&ProcessRequest {
            program: self.interpreter,
            arguments: vec![self.run_root.join(RUN_SCRIPT_NAME), params_path.clone(), "--recorded".into()],
            environment,
            folder: &places.base,
            stdout,
            stderr,
            timeout,
            grace,
            cancel,
            mark: &format!("{PARAMS_VARIABLE}={params_path}"),
        });
        let outcome = match ended {
            Ok(ended) => self.over(script, places, folder, timeout, ended)?,
            Err(error) => not_started(self.interpreter, &error),
        };
        Ok(Ran::Over(RunOutcome { not_forked, ..outcome }))
    }

    fn command(
        &self,
        _script: &Utf8Path,
        _params: &ScriptMainParams,
        folder: &Utf8Path,
        base: &Utf8Path,
    ) -> String {
        let (run_script, params) = (self.run_root.join(RUN_SCRIPT_NAME), folder.join(PARAMS_FILE));
        shell_command(base, [self.interpreter.as_str(), run_script.as_str(), params.as_str()])
    }
}

impl PythonRunner<'_> {
    /// What became of a run whose process has ended.
    fn over(
        &self,
        script: &Utf8Path,
        places: &Places,
        folder: &Utf8Path,
        timeout: Duration,
        ended: Ended,
    ) -> io::Result<RunOutcome> {
        let left: Option<Left> = match read_file(&folder.join(RESULT_FILE)) {
            Ok(bytes) => serde_json::from_slice(&bytes).ok(),
            Err(_) => None,
        };
        if left.is_none() && ended.exit == (ExitOutcome::Exited { status: 1 }) {
            // Python ends so when the result cannot be written. Where the disk is full, that is not the script's doing.
            match std::fs::write(folder.join("probe"), [0; 4096]) {
                Err(error) if is_of_the_machine(&error) => return Err(error),
                _ => {}
            }
        }
        let shown = places.shown(script);
        let exception = |left: LeftException| {
            // Code of installed packages and of Python itself is not the user's.
            let is_own = |file: &Utf8Path| {
                let installed =
                    file.components().any(|part| matches!(part.as_str(), "site-packages" | "dist-packages"));
                let folder = script.parent().unwrap_or(script);
                !installed && (file.starts_with(&places.base) || file.starts_with(folder))
            };
            let place = left.places.iter().rev().find(|(file, _)| is_own(file));
            PythonException {
                type_name: left.type_name,
                message: places.shown_in_text(&left.message, self.run_root),
                file: place.map(|(file, _)| places.shown(file)),
                line: place.and_then(|(_, line)| *line),
                traceback: left.traceback,
            }
        };
        let failure = match (&ended.exit, left) {
            (ExitOutcome::TimedOut, _) => {
                Some(ScriptFailure::TimedOut { limit_seconds: timeout.as_secs_f64() })
            }
            (ExitOutcome::Signaled { signal }, _) => {
                Some(ScriptFailure::Signaled { signal: *signal, name: process::signal_name(*signal) })
            }
            (_, Some(Left::MissingMain)) => Some(ScriptFailure::MissingMain { file: shown }),
            (_, Some(Left::Exited { status, message })) => {
                let message = message.map(|text| places.shown_in_text(&text, self.run_root));
                Some(ScriptFailure::Exited { status, message, cause: None })
            }
            (_, Some(Left::WrongSignature { line, signature, missing, unexpected })) => {
                Some(ScriptFailure::WrongSignature { file: shown, line, signature, missing, unexpected })
            }
            (_, Some(Left::ImportFailed { exception: left })) => {
                Some(ScriptFailure::ImportFailed { exception: exception(left) })
            }
            (_, Some(Left::Exception { exception: left })) => {
                Some(ScriptFailure::Exception { exception: exception(left) })
            }
            // Also when `main` came back: what is done at exit belongs to the script.
            (ExitOutcome::Exited { status }, Some(Left::Passed) | None) if *status != 0 => {
                Some(ScriptFailure::Exited { status: *status, message: None, cause: None })
            }
            (_, Some(Left::Passed)) => None,
            (_, None) => {
                let message = Some("it ended before main() came back".to_owned());
                Some(ScriptFailure::Exited { status: 0, message, cause: None })
            }
        };
        let Ended { exit, canceled, resources, leaked } = ended;
        Ok(RunOutcome { exit, failure, resources, canceled, leaked, not_forked: None })
    }
}

/// Reads a file that a script may have replaced by something that never ends.
fn read_file(path: &Utf8Path) -> io::Result<Vec<u8>> {
    if std::fs::symlink_metadata(path)?.is_file() {
        std::fs::read(path)
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}
