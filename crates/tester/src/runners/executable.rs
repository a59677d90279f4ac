//! Programs: handed what a Python script is handed, in the ways a program takes it.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};

use camino::Utf8Path;
use runtime_testing_models::{ExitOutcome, JobValue, ScriptFailure, ScriptMainParams};

use crate::process::{self, ProcessRequest};
use crate::runners::runner::{
    CURRENT_FOLDER_VARIABLE, PARAMS_FILE, PARAMS_VARIABLE, Ran, Repeat, RunOutcome, RunRequest, Runner,
    is_of_the_machine, not_started, write_params,
};

/// Runs a program: arguments as `--key value`, the environment, and a file with all four parameters.
pub(crate) struct ExecutableRunner;

impl Runner for ExecutableRunner {
    fn run(&self, request: RunRequest<'_>) -> io::Result<Ran> {
        let params_path = write_params(&request)?;
        let RunRequest {
            script,
            params,
            places,
            working_directory,
            timeout,
            grace,
            stdout,
            stderr,
            cancel,
            ..
        } = request;
        let mut environment: Vec<(&str, &str)> =
            params.environ_vars.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        environment.push((PARAMS_VARIABLE, params_path.as_str()));
        if !params.environ_vars.contains_key(CURRENT_FOLDER_VARIABLE) {
            environment.push((CURRENT_FOLDER_VARIABLE, working_directory.as_str()));
        }
        let ended = process::execute(&ProcessRequest {
            program: script,
            arguments: arguments(params).into_iter().map(Into::into).collect(),
            environment,
            folder: working_directory,
            stdout,
            stderr,
            timeout,
            grace,
            cancel,
            mark: &format!("{PARAMS_VARIABLE}={params_path}"),
        });
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) if is_of_the_machine(&error) => return Err(error),
            Err(error) => {
                let mut outcome = not_started(&places.shown(script), &error);
                if let (Some(ScriptFailure::CouldNotStart { message, .. }), Some(interpreter)) =
                    (&mut outcome.failure, missing_interpreter(script, &error))
                {
                    *message = format!("its first line asks for `{interpreter}`, which is not there");
                }
                return Ok(Ran::Over(outcome));
            }
        };
        let failure = match ended.exit {
            ExitOutcome::TimedOut => Some(ScriptFailure::TimedOut { limit_seconds: timeout.as_secs_f64() }),
            ExitOutcome::Signaled { signal } => {
                Some(ScriptFailure::Signaled { signal, name: process::signal_name(signal) })
            }
            ExitOutcome::Exited { status } if status != 0 => {
                Some(ScriptFailure::Exited { status, message: None, cause: None })
            }
            _ => None,
        };
        Ok(Ran::Over(RunOutcome {
            exit: ended.exit,
            failure,
            resources: ended.resources,
            canceled: ended.canceled,
            leaked: ended.leaked,
            not_forked: None,
            observed: None,
            made_anew: Vec::new(),
        }))
    }

    fn repeat(&self, script: &Utf8Path, params: &ScriptMainParams, folder: &Utf8Path) -> Option<Repeat> {
        let own = params.environ_vars.iter().map(|(name, value)| (name.clone(), value.clone()));
        let params_file = (PARAMS_VARIABLE.to_owned(), folder.join(PARAMS_FILE).into_string());
        let words = [script.to_string()].into_iter().chain(arguments(params)).collect();
        Some(Repeat { environment: own.chain([params_file]).collect(), words })
    }
}

/// What the first line of a script asks for, where that is why it cannot be started. A line end of another system is a part
/// of it, and shown.
fn missing_interpreter(script: &Utf8Path, error: &io::Error) -> Option<String> {
    if error.kind() != io::ErrorKind::NotFound {
        return None;
    }
    let mut line = Vec::new();
    BufReader::new(File::open(script).ok()?).take(1000).read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8_lossy(&line);
    let asked = line.strip_prefix("#!")?.trim_matches([' ', '\t', '\n']);
    Some(asked.split([' ', '\t']).next()?.escape_debug().to_string())
}

/// `--key value` for each argument. Text is handed over as it is, all else as JSON; what is null is left out.
fn arguments(params: &ScriptMainParams) -> Vec<String> {
    let mut words = Vec::new();
    for (key, value) in &params.job_args {
        let text = match value {
            JobValue::Null => continue,
            JobValue::String(text) => text.clone(),
            other => serde_json::to_string(other).expect("a value of a spec is plain"),
        };
        words.extend([format!("--{key}"), text]);
    }
    words
}
