//! Runs a script in a Python interpreter.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{ExitOutcome, MainProblem, PythonException, ScriptFailure, ScriptMainParams};
use serde::Deserialize;

use crate::history::places::Places;
use crate::plain_file;
use crate::process::{self, Ended, ProcessRequest};
use crate::runners::python::fork::{ForkRequest, ForkServers, NotForked};
use crate::runners::python::imports::ImportGroups;
use crate::runners::python::observation::{LeftException, read_observed};
use crate::runners::python::programs::{DEFAULT_ENVIRONMENT, Programs, RUN_SCRIPT_NAME};
use crate::runners::runner::{
    CURRENT_FOLDER_VARIABLE, OBSERVED_FILE, PARAMS_FILE, PARAMS_VARIABLE, RESULT_FILE, Ran, Repeat,
    RunOutcome, RunRequest, Runner, STDERR_FILE, STDOUT_FILE, is_of_the_machine, not_started, secret,
    write_params,
};

/// What the interpreter leaves behind, with what shows that it was the interpreter.
#[derive(Deserialize)]
struct Signed {
    secret: String,
    #[serde(flatten)]
    left: Left,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Left {
    Passed,
    MissingMain,
    Exited { status: i32, message: Option<String>, cause: Option<LeftException> },
    WrongSignature { line: Option<u32>, signature: String, missing: Vec<String>, unexpected: Vec<String> },
    WrongMain { line: Option<u32>, problem: MainProblem },
    ImportFailed { exception: LeftException },
    Exception { exception: LeftException },
}

/// Runs each script in an interpreter of its own: a fork of one with its imports, or a fresh one.
pub(crate) struct PythonRunner<'a> {
    pub(crate) interpreter: &'a Utf8Path,
    pub(crate) run_root: &'a Utf8Path,
    pub(crate) programs: &'a Programs,
    /// What forks are made of, where they are wanted.
    pub(crate) forks: Option<(&'a ForkServers, &'a ImportGroups)>,
}

/// A run that was begun.
struct Began<'a> {
    script: &'a Utf8Path,
    places: &'a Places,
    folder: &'a Utf8Path,
    timeout: Duration,
    /// What its result must show.
    secret: &'a str,
}

impl Runner for PythonRunner<'_> {
    fn run(&self, request: RunRequest<'_>) -> io::Result<Ran> {
        let params_path = write_params(&request)?;
        let RunRequest { script, params, places, working_directory, folder, .. } = request;
        let RunRequest { timeout, grace, stdout, stderr, cancel, .. } = request;
        let secret = secret();
        plain_file::write(&folder.join(SECRET_FILE), secret.as_bytes())?;
        let mut environment = environment(params);
        environment.insert(PARAMS_VARIABLE, params_path.as_str());
        // It would have the interpreter stay after its end.
        if environment.contains_key(INSPECT_VARIABLE) || std::env::var_os(INSPECT_VARIABLE).is_some() {
            environment.insert(INSPECT_VARIABLE, "");
        }
        environment.entry(CURRENT_FOLDER_VARIABLE).or_insert(working_directory.as_str());
        let environment: Vec<(&str, &str)> = environment.into_iter().collect();
        let began = Began { script, places, folder, timeout, secret: &secret };
        let mut not_forked = None;
        if let Some((servers, imports)) = self.forks {
            let forked = servers.run(&ForkRequest {
                interpreter: self.interpreter,
                imports,
                environ_vars: &params.environ_vars,
                environment: &environment,
                script,
                params: &params_path,
                folder: working_directory,
                stdout: folder.join(STDOUT_FILE),
                stderr: folder.join(STDERR_FILE),
                timeout,
                grace,
            });
            match forked {
                Ok(ended) => {
                    return self.over(&began, ended).map(Ran::Over);
                }
                Err(NotForked::Refused(reason)) => not_forked = Some(reason),
                Err(NotForked::Lost(reason)) => return Ok(Ran::Lost(reason)),
            }
        }
        let (program, made_anew) = self.programs.run_script()?;
        let ended = process::execute(&ProcessRequest {
            program: self.interpreter,
            arguments: vec![program, params_path.clone(), "--recorded".into()],
            environment,
            folder: working_directory,
            stdout,
            stderr,
            timeout,
            grace,
            cancel,
            mark: &format!("{PARAMS_VARIABLE}={params_path}"),
        });
        let outcome = match ended {
            Ok(ended) => self.over(&began, ended)?,
            Err(error) if is_of_the_machine(&error) => return Err(error),
            Err(error) => not_started(self.interpreter, &error),
        };
        Ok(Ran::Over(RunOutcome { not_forked, made_anew, ..outcome }))
    }

    fn repeat(&self, _script: &Utf8Path, params: &ScriptMainParams, folder: &Utf8Path) -> Option<Repeat> {
        let environment = environment(params).into_iter();
        let words = [self.interpreter, &self.run_root.join(RUN_SCRIPT_NAME), &folder.join(PARAMS_FILE)];
        Some(Repeat {
            environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            words: words.map(|word| word.to_string()).into(),
        })
    }
}

/// Set to anything, an interpreter asks for more input once it is done.
const INSPECT_VARIABLE: &str = "PYTHONINSPECT";

/// The variables that a script gets besides those of this process: the defaults, and those of its spec.
fn environment(params: &ScriptMainParams) -> BTreeMap<&str, &str> {
    let own = params.environ_vars.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    DEFAULT_ENVIRONMENT.into_iter().chain(own).collect()
}

impl PythonRunner<'_> {
    /// What became of a run whose process has ended.
    fn over(&self, began: &Began<'_>, ended: Ended) -> io::Result<RunOutcome> {
        let Began { script, places, folder, timeout, secret } = *began;
        let result = read_result(&folder.join(RESULT_FILE)).ok();
        let signed = result.as_ref().and_then(|bytes| serde_json::from_slice(bytes).ok());
        let left = signed.filter(|signed: &Signed| signed.secret == secret).map(|signed| signed.left);
        if left.is_none() && ended.exit == (ExitOutcome::Exited { status: 1 }) {
            // Python ends so when the result cannot be written. Where the disk is full, that is not the script's doing.
            match tempfile::tempfile_in(folder).and_then(|mut probe| probe.write_all(&[0; 4096])) {
                Err(error) if is_of_the_machine(&error) => return Err(error),
                _ => {}
            }
        }
        let shown = places.shown(script);
        let exception = |left| self.exception(left, script, places);
        let observed = read_observed(&folder.join(OBSERVED_FILE), exception);
        let failure = match (&ended.exit, left) {
            (ExitOutcome::TimedOut, _) => {
                Some(ScriptFailure::TimedOut { limit_seconds: timeout.as_secs_f64() })
            }
            (ExitOutcome::Signaled { signal }, _) => {
                Some(ScriptFailure::Signaled { signal: *signal, name: process::signal_name(*signal) })
            }
            (_, Some(Left::MissingMain)) => Some(ScriptFailure::MissingMain { file: shown }),
            (_, Some(Left::Exited { status, message, cause })) => {
                let message = message.map(|text| places.shown_in_text(&text, self.run_root));
                Some(ScriptFailure::Exited { status, message, cause: cause.map(exception) })
            }
            (_, Some(Left::WrongMain { line, problem })) => {
                Some(ScriptFailure::WrongMain { file: shown, line, problem })
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
                let message = match result {
                    None => "it ended before main() came back",
                    Some(_) => "it ended before main() came back, and something else has written its result",
                };
                let message = Some(message.to_owned());
                Some(ScriptFailure::Exited { status: 0, message, cause: None })
            }
        };
        let Ended { exit, canceled, resources, leaked } = ended;
        Ok(RunOutcome {
            exit,
            failure,
            resources,
            canceled,
            leaked,
            not_forked: None,
            observed,
            made_anew: Vec::new(),
        })
    }

    /// An exception of a script as reports show it.
    fn exception(&self, left: LeftException, script: &Utf8Path, places: &Places) -> PythonException {
        // A script that is a link is beside what it leads to.
        let real = script.canonicalize_utf8().unwrap_or_else(|_| script.to_owned());
        let folders = [script, &real].map(|script| script.parent().unwrap_or(script));
        // Code of installed packages and of Python itself is not the user's.
        let is_own = |file: &Utf8Path| {
            let is_installed = |part: &str| matches!(part, "site-packages" | "dist-packages");
            !file.components().any(|part| is_installed(part.as_str()))
                && (file.starts_with(&places.base) || folders.iter().any(|folder| file.starts_with(folder)))
        };
        let files = left.places.iter().rev();
        let mut files =
            files.map(|(file, line)| (Utf8PathBuf::from(places.in_base_folder(file.as_str())), *line));
        let place = files.find(|(file, _)| is_own(file));
        PythonException {
            type_name: left.type_name,
            message: places.shown_in_text(&left.message, self.run_root),
            line: place.as_ref().and_then(|(_, line)| *line),
            file: place.map(|(file, _)| places.shown(&file)),
            traceback: places.in_base_folder(&left.traceback),
        }
    }
}

/// Reads a result: what a file holds, or what a link leads to where no file could be written.
fn read_result(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let text = path.read_link_utf8();
    text.map_or_else(
        |_| plain_file::read(path, MOST_RESULT_BYTES),
        |text| Ok(text.into_string().into_bytes()),
    )
}

/// What is longer is no result.
const MOST_RESULT_BYTES: u64 = 1024 * 1024;

/// The file in a run's folder with what tells its result from what others write. It is gone when the script begins.
pub(crate) const SECRET_FILE: &str = "secret";
