//! Python interpreters: found, asked what shows of scripts, and given one to run.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{ExitOutcome, PythonException, ScriptFailure, ScriptMainParams};
use serde::Deserialize;

use crate::process::{self, ProcessRequest};
use crate::runner::{
    PARAMS_FILE, RESULT_FILE, RunOutcome, RunRequest, Runner, is_of_the_machine, not_started, shell_command,
    write_params,
};

/// The program that runs a script, kept beside the runs so that they can be repeated by hand.
const RUN_SCRIPT: &str = include_str!("python/run_script.py");
const INSPECT_SCRIPTS: &str = include_str!("python/inspect_scripts.py");

/// The name under which [`RUN_SCRIPT`] lies in a test's folder.
pub(crate) const RUN_SCRIPT_NAME: &str = "run_script.py";

/// Puts what the runs of a test need into its folder.
pub(crate) fn prepare(run_root: &Utf8Path) -> std::io::Result<()> {
    std::fs::write(run_root.join(RUN_SCRIPT_NAME), RUN_SCRIPT)
}

/// What shows of a script without running it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Finding {
    /// It can be run, as far as can be seen.
    Runnable,
    /// It cannot.
    Failure(ScriptFailure),
}

/// Finds an interpreter: a path relative to `base`, or a name that is looked for in `PATH`.
pub(crate) fn find_interpreter(python: &Utf8Path, base: &Utf8Path) -> Result<Utf8PathBuf, String> {
    let found = which::which_in(python.as_std_path(), std::env::var_os("PATH"), base)
        .map_err(|_| "it was not found, or is not executable".to_owned())?;
    Utf8PathBuf::from_path_buf(found).map_err(|path| format!("its path `{}` is not UTF-8", path.display()))
}

/// What an interpreter says of itself and of scripts.
pub(crate) struct Inspection {
    /// The interpreter itself, where what was asked is a launcher that finds it anew each time.
    pub(crate) interpreter: Utf8PathBuf,
    /// A finding for each script.
    pub(crate) findings: Vec<Finding>,
}

/// Asks an interpreter what shows of `scripts`, all at once: each is its path and the path that findings show.
///
/// # Errors
///
/// A sentence on why the interpreter is of no use.
pub(crate) fn inspect(
    interpreter: &Utf8Path,
    scripts: &[(Utf8PathBuf, Utf8PathBuf)],
) -> Result<Inspection, String> {
    #[derive(Deserialize)]
    struct Answers {
        executable: Option<Utf8PathBuf>,
        findings: Vec<Answer>,
    }

    #[derive(Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Answer {
        Fine,
        Unknown,
        MissingMain,
        Unreadable { message: String },
        SyntaxError { line: Option<u32>, message: String },
        WrongSignature { line: u32, signature: String, missing: Vec<String>, unexpected: Vec<String> },
    }

    let paths: Vec<&Utf8PathBuf> = scripts.iter().map(|(path, _)| path).collect();
    let question = serde_json::to_vec(&paths).expect("paths are plain strings");
    let answer = ask(interpreter, &question)?;
    let Answers { executable, findings } = serde_json::from_slice(&answer)
        .map_err(|_| "it does not work as a Python 3 interpreter: its answer makes no sense".to_owned())?;
    if findings.len() != scripts.len() {
        return Err("it does not work as a Python 3 interpreter: its answer is incomplete".to_owned());
    }
    let finding = |(answer, (path, shown)): (Answer, &(Utf8PathBuf, Utf8PathBuf))| match answer {
        Answer::Fine | Answer::Unknown => Finding::Runnable,
        Answer::MissingMain => Finding::Failure(ScriptFailure::MissingMain { file: shown.clone() }),
        Answer::Unreadable { message } => {
            Finding::Failure(ScriptFailure::CouldNotStart { program: path.clone(), message })
        }
        Answer::SyntaxError { line, message } => {
            Finding::Failure(ScriptFailure::SyntaxError { file: shown.clone(), line, message })
        }
        Answer::WrongSignature { line, signature, missing, unexpected } => {
            Finding::Failure(ScriptFailure::WrongSignature {
                file: shown.clone(),
                line: Some(line),
                signature,
                missing,
                unexpected,
            })
        }
    };
    Ok(Inspection {
        interpreter: executable.unwrap_or_else(|| interpreter.to_owned()),
        findings: findings.into_iter().zip(scripts).map(finding).collect(),
    })
}

/// How long an interpreter may take to tell what shows of scripts.
const INSPECTION_TIMEOUT: Duration = Duration::from_secs(120);

/// Hands [`INSPECT_SCRIPTS`] a question, and returns what it prints.
fn ask(interpreter: &Utf8Path, question: &[u8]) -> Result<Vec<u8>, String> {
    let useless = |reason: &str| format!("it does not work as a Python 3 interpreter: {reason}");
    let in_folder = |error: std::io::Error| format!("a temporary folder cannot be used: {error}");
    let folder = tempfile::tempdir().map_err(in_folder)?;
    let folder = Utf8Path::from_path(folder.path()).ok_or("the temporary folder is not UTF-8")?;
    let paths =
        ["inspect_scripts.py", "question.json", "answer.json", "stderr.log"].map(|name| folder.join(name));
    let [program, question_file, answer_file, stderr_file] = &paths;
    std::fs::write(program, INSPECT_SCRIPTS).map_err(in_folder)?;
    std::fs::write(question_file, question).map_err(in_folder)?;
    let ended = process::execute(ProcessRequest {
        program: interpreter,
        // Isolated and without site-packages: only the grammar is asked for.
        arguments: vec!["-I".into(), "-S".into(), program.clone(), question_file.clone()],
        environment: Vec::new(),
        folder,
        stdout: std::fs::File::create(answer_file).map_err(in_folder)?,
        stderr: std::fs::File::create(stderr_file).map_err(in_folder)?,
        timeout: INSPECTION_TIMEOUT,
        grace: Duration::ZERO,
    })
    .map_err(|error| error.to_string())?;
    if ended.exit == (ExitOutcome::Exited { status: 0 }) {
        return std::fs::read(answer_file).map_err(in_folder);
    }
    if ended.exit == ExitOutcome::TimedOut {
        return Err(useless(&format!("it gave no answer in {} s", INSPECTION_TIMEOUT.as_secs())));
    }
    let said = std::fs::read(stderr_file).map_err(in_folder)?;
    let said = String::from_utf8_lossy(&said);
    Err(useless(said.trim().lines().last().unwrap_or("it ended without an answer")))
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

/// Runs each script in a fresh interpreter.
pub(crate) struct PythonRunner<'a> {
    pub(crate) interpreter: &'a Utf8Path,
    pub(crate) run_root: &'a Utf8Path,
}

impl Runner for PythonRunner<'_> {
    fn run(&self, request: RunRequest<'_>) -> std::io::Result<RunOutcome> {
        let RunRequest { script, params, places, folder, timeout, grace, stdout, stderr } = request;
        let params_path = write_params(script, params, folder)?;
        // An earlier script may have removed it, which must not be blamed on this one.
        if !self.run_root.join(RUN_SCRIPT_NAME).exists() {
            prepare(self.run_root)?;
        }
        // UTF-8 whatever the user's locale, and no caches beside the user's scripts. The spec can say otherwise.
        let mut environment = BTreeMap::from([("PYTHONUTF8", "1"), ("PYTHONDONTWRITEBYTECODE", "1")]);
        environment.extend(params.environ_vars.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let ended = process::execute(ProcessRequest {
            program: self.interpreter,
            arguments: vec![self.run_root.join(RUN_SCRIPT_NAME), params_path],
            environment: environment.into_iter().collect(),
            folder: &places.base,
            stdout,
            stderr,
            timeout,
            grace,
        });
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => return Ok(not_started(self.interpreter, &error)),
        };
        let left: Option<Left> = match std::fs::read(folder.join(RESULT_FILE)) {
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
                Some(ScriptFailure::Exited { status, message })
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
                Some(ScriptFailure::Exited { status: *status, message: None })
            }
            (_, Some(Left::Passed)) => None,
            (_, None) => {
                let message = Some("it ended before main() came back".to_owned());
                Some(ScriptFailure::Exited { status: 0, message })
            }
        };
        Ok(RunOutcome { exit: ended.exit, failure, resources: ended.resources })
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
