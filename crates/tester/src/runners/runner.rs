use std::convert::Infallible;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use crossbeam_channel::Receiver;
use indexmap::IndexMap;
use runtime_testing_models::{
    ExitOutcome, JobValue, LogicalName, Observed, Resources, ScriptFailure, ScriptMainParams,
};
use serde::Serialize;

use crate::history::places::Places;
use crate::plain_file;

/// One run of one script, with everything settled.
pub(crate) struct RunRequest<'a> {
    pub(crate) script: &'a Utf8Path,
    /// The parameters, with absolute paths. Output folders are there and empty.
    pub(crate) params: &'a ScriptMainParams,
    pub(crate) places: &'a Places,
    /// The folder that the script runs in.
    pub(crate) working_directory: &'a Utf8Path,
    /// The folder of this run.
    pub(crate) folder: &'a Utf8Path,
    /// Whether what the script does is observed, where that can be done.
    pub(crate) observe: bool,
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
    /// What it did beyond what its spec declares, as far as that was seen.
    pub(crate) observed: Option<Observed>,
    /// The tester's own files that something had changed before.
    pub(crate) made_anew: Vec<Utf8PathBuf>,
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

    /// How a person repeats the run that lies in `folder`. None where that cannot be done.
    fn repeat(&self, script: &Utf8Path, params: &ScriptMainParams, folder: &Utf8Path) -> Option<Repeat>;
}

/// The program to call to repeat a run, with its arguments, and the variables that it is to have.
pub(crate) struct Repeat {
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) words: Vec<String>,
}

/// The file in a run's folder that holds the script, its parameters, and where to leave a result.
pub(crate) const PARAMS_FILE: &str = "params.json";
/// The environment variable that holds the path of that file.
pub(crate) const PARAMS_VARIABLE: &str = "RUNTIME_TESTING_PARAMS";
/// The environment variable that holds the path of the folder that a program was started in.
pub(crate) const CURRENT_FOLDER_VARIABLE: &str = "PWD";
/// The files in a run's folder for what it prints.
pub(crate) const STDOUT_FILE: &str = "stdout.log";
/// See [`STDOUT_FILE`].
pub(crate) const STDERR_FILE: &str = "stderr.log";
/// The file in a run's folder for the result.
pub(crate) const RESULT_FILE: &str = "result.json";
/// The file in a run's folder for what was seen of it, line by line.
pub(crate) const OBSERVED_FILE: &str = "observed.jsonl";

/// Writes a run's parameters to a file in its folder.
pub(crate) fn write_params(request: &RunRequest<'_>) -> io::Result<Utf8PathBuf> {
    #[derive(Serialize)]
    struct Params<'a> {
        script: &'a Utf8Path,
        result: &'a Utf8Path,
        base: &'a Utf8Path,
        working_directory: &'a Utf8Path,
        run_folder: &'a Utf8Path,
        #[serde(skip_serializing_if = "Option::is_none")]
        observed: Option<&'a Utf8Path>,
        input_paths: &'a IndexMap<LogicalName, Utf8PathBuf>,
        output_paths: &'a IndexMap<LogicalName, Utf8PathBuf>,
        environ_vars: &'a IndexMap<String, String>,
        job_args: &'a IndexMap<String, JobValue>,
    }

    let RunRequest { script, params, places, working_directory, folder, observe, .. } = *request;
    let ScriptMainParams { input_paths, output_paths, environ_vars, job_args } = params;
    let result = &folder.join(RESULT_FILE);
    let observed = &folder.join(OBSERVED_FILE);
    let content = Params {
        script,
        result,
        base: &places.base,
        working_directory,
        run_folder: folder,
        observed: observe.then_some(observed),
        input_paths,
        output_paths,
        environ_vars,
        job_args,
    };
    let path = folder.join(PARAMS_FILE);
    plain_file::write(&path, &serde_json::to_vec_pretty(&content)?)?;
    Ok(path)
}

/// Whether an error is of the machine and not of anything a script did: there is no room on the disk, or no process, descriptor or
/// memory to be had.
pub(crate) fn is_of_the_machine(error: &io::Error) -> bool {
    use io::ErrorKind::{
        FileTooLarge, OutOfMemory, QuotaExceeded, ReadOnlyFilesystem, StorageFull, WouldBlock,
    };

    /// What Unix says where this process, or all of them, have as many files open as they may.
    const NO_DESCRIPTORS: [i32; 2] = [23, 24];

    matches!(
        error.kind(),
        StorageFull | QuotaExceeded | ReadOnlyFilesystem | OutOfMemory | WouldBlock | FileTooLarge
    ) || (cfg!(unix) && error.raw_os_error().is_some_and(|number| NO_DESCRIPTORS.contains(&number)))
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
        observed: None,
        made_anew: Vec::new(),
    }
}

/// A command for a shell that repeats a run after `enter`, which goes to its working directory. Beside the variables of the
/// run it sets those of the tester's own that say how Python is to find modules: they may have been set for it alone.
pub(crate) fn shell_command(enter: &str, repeat: &Repeat) -> String {
    let is_set = |name: &str| repeat.environment.iter().any(|(known, _)| known == name);
    let inherited = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut inherited: Vec<(String, String)> =
        inherited.filter(|(name, _)| name.starts_with("PYTHON") && !is_set(name)).collect();
    inherited.sort();
    let environment = inherited.iter().chain(&repeat.environment);
    let assignments = environment.map(|(name, value)| quoted(&format!("{name}={value}")));
    let words = repeat.words.iter().map(|word| quoted(word));
    // A program with `=` in its path is an assignment to `env`.
    let is_assignment = repeat.words.first().is_some_and(|program| program.contains('='));
    let shell: &[&str] = if is_assignment { &["sh", "-c", "'exec \"$0\" \"$@\"'"] } else { &[] };
    let shell = shell.iter().map(|word| (*word).to_owned());
    let call: Vec<String> =
        ["env".to_owned()].into_iter().chain(assignments).chain(shell).chain(words).collect();
    format!("{enter} && {}", call.join(" "))
}

/// A word as a shell takes it for one.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-+:=@%".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What nobody can guess: the keys of a hasher are random.
pub(crate) fn secret() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_program_with_an_equals_sign_in_its_path_is_repeated() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().expect("a folder");
        let program = Utf8Path::from_path(folder.path()).expect("UTF-8").join("a=b c");
        std::fs::write(&program, "#!/bin/sh\necho \"$NAME|$1|$2\"\n").expect("a file");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("its own file");
        let repeat = Repeat {
            environment: vec![("NAME".to_owned(), "x'y".to_owned())],
            words: vec![program.into_string(), "--key".to_owned(), "$1 \"z".to_owned()],
        };
        let command = shell_command("cd /", &repeat);
        let output = std::process::Command::new("sh").args(["-c", &command]).output().expect("a shell");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "x'y|--key|$1 \"z\n", "{command}");
    }
}
