//! The work of one run, on whatever thread.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_models::{
    InputSource, Isolation, LogicalName, ResourceLimits, Resources, RunInput, RunKind, RunOutput, RunResult,
    ScriptFailure, ScriptMainParams,
};

use crate::error::TestError;
use crate::history::places::WORKING_DIRECTORY;
use crate::history::run_folder::remove_folder;
use crate::ids::RunId;
use crate::plain_file;
use crate::plan::bindings::Port;
use crate::plan::model::{PlannedStep, ScriptFile};
use crate::run::context::TestContext;
use crate::run::fingerprint::Fingerprint;
use crate::run::inputs::{Inputs, PrivateCopy};
use crate::run::outcome::{OutcomeReader, bytes_at};
use crate::run::publish;
use crate::run::record::output_folder_in;
use crate::run::working_directory::RunDirectory;
use crate::runners::executable::ExecutableRunner;
use crate::runners::python::runner::{PythonRunner, SECRET_FILE};
use crate::runners::runner::{
    OBSERVED_FILE, PARAMS_FILE, RESULT_FILE, Ran, RunOutcome, RunRequest, Runner, STDERR_FILE, STDOUT_FILE,
    is_of_the_machine, not_started, quoted, shell_command,
};

/// A run that can be made.
pub(crate) struct Job<'a> {
    pub(crate) run: RunId,
    pub(crate) step: &'a PlannedStep<'a>,
    pub(crate) kinds: Vec<RunKind>,
    pub(crate) inputs: Inputs,
    pub(crate) copies: Vec<PrivateCopy>,
    /// The folder of the run, in which there is nothing but what the tester has put there.
    pub(crate) folder: Utf8PathBuf,
    /// The tester's own folders in whose place something lay before.
    pub(crate) made_anew: Vec<Utf8PathBuf>,
    pub(crate) test: TestContext<'a>,
}

/// A run that was made.
pub(crate) struct Made {
    pub(crate) run: RunId,
    pub(crate) result: RunResult,
    pub(crate) elapsed: Duration,
    /// Whether it was ended because the test was canceled.
    pub(crate) canceled: bool,
    /// Why it was made in a fresh interpreter and not in a fork.
    pub(crate) not_forked: Option<String>,
    /// Why it was made in the base folder and not in a working directory of its own.
    pub(crate) in_base_folder: Option<String>,
    /// The tester's own files that something had changed before.
    pub(crate) made_anew: Vec<Utf8PathBuf>,
    /// What its outputs were when it had ended.
    pub(crate) left: BTreeMap<LogicalName, Fingerprint>,
}

impl Job<'_> {
    /// Runs the script and looks at what it did.
    ///
    /// # Errors
    ///
    /// Where the run's folder cannot be written or its inputs cannot be looked at.
    pub(crate) fn make(self) -> Result<Made, TestError> {
        let TestContext { settings, places, run_root, programs, forks, .. } = self.test;
        let step = self.step;
        let written = self.output_paths();
        let started = Instant::now();
        let script = step.script.as_ref().expect("a script that was not found is known to fail");
        let fresh = PythonRunner { interpreter: &step.interpreter.path, run_root, programs, forks: None };
        let is_forked = step.isolation(settings) == Isolation::Forked;
        let python = PythonRunner { forks: is_forked.then_some((forks, &step.interpreter.imports)), ..fresh };
        let runner: &dyn Runner = match script {
            ScriptFile::Python(_) => &python,
            ScriptFile::Executable(_) => &ExecutableRunner,
            ScriptFile::Function(function) => *function,
        };
        let path = script.path().unwrap_or(Utf8Path::new(""));
        let params = self.params(&written);
        let (directory, before, outcome) = self.run(runner, &fresh, path, &params)?;
        let RunOutcome {
            exit, mut failure, mut resources, mut canceled, leaked, not_forked, observed, ..
        } = outcome;
        let made_anew = [self.made_anew.clone(), outcome.made_anew].concat();
        let isolation = if is_forked && not_forked.is_none() { Isolation::Forked } else { Isolation::Fresh };
        let elapsed = started.elapsed();
        let reader = OutcomeReader { test: self.test, step, folder: &self.folder };
        let changes = reader.changes(&self.inputs, &before);
        if !changes.is_empty() {
            failure.get_or_insert(ScriptFailure::InputsChanged { changes });
        }
        let output = |(name, path): (&LogicalName, &Utf8PathBuf)| {
            let output = if failure.is_none() && !canceled {
                reader.output(path)
            } else {
                RunOutput { path: places.shown(path), data: None, digest: None }
            };
            (name.clone(), output)
        };
        let outputs: BTreeMap<LogicalName, RunOutput> = written.iter().map(output).collect();
        // Without a look at what it wrote, nothing can be said of it.
        canceled |= failure.is_none() && outputs.values().any(|output| output.data.is_none());
        let (scratch_files, scratch_files_omitted) = match &directory {
            RunDirectory::Own(folder) => self.test.directories.scratch_files(folder),
            RunDirectory::Base(_) => (Vec::new(), 0),
        };
        let failure = failure
            .or_else(|| reader.failure_of(&outputs, &written, &scratch_files))
            .or_else(|| exceeded(step.spec.limits, &resources));
        canceled |= failure.is_none() && self.test.cancel.is_canceled();
        resources.written_bytes = bytes_at(written.values());
        // All that is handed on with an output, what lies beside a file too. Of one that is no data nothing is.
        let left = written
            .keys()
            .filter(|_| failure.is_none())
            .map(|name| (name.clone(), Fingerprint::remember(&output_folder_in(&self.folder, name))));
        let left = left.collect();
        let shown = |(name, (path, source)): (&LogicalName, &(Utf8PathBuf, InputSource))| {
            (name.clone(), RunInput { path: places.shown(path), source: source.clone() })
        };
        let result = RunResult {
            kinds: self.kinds.clone(),
            failure,
            exit,
            inputs: self.inputs.iter().map(shown).collect(),
            outputs,
            resources,
            slot: None,
            run_folder: places.shown(&self.folder),
            stdout: reader.tail(STDOUT_FILE),
            stderr: reader.tail(STDERR_FILE),
            leaked,
            isolation: matches!(script, ScriptFile::Python(_)).then_some(isolation),
            observed,
            scratch_files,
            scratch_files_omitted,
            command: self.command(runner, path, &params, &directory),
        };
        tracing::debug!(step = %step.name, folder = %self.folder, passed = result.failure.is_none(), "run made");
        let in_base_folder = match directory {
            RunDirectory::Base(reason) => reason,
            RunDirectory::Own(_) => None,
        };
        Ok(Made { run: self.run, result, elapsed, canceled, not_forked, in_base_folder, made_anew, left })
    }

    /// Runs the script, in a fresh interpreter where it cannot be known what became of it in another. Returns also where it
    /// was run, and what its inputs were before.
    fn run(
        &self,
        runner: &dyn Runner,
        fresh: &PythonRunner<'_>,
        script: &Utf8Path,
        params: &ScriptMainParams,
    ) -> Result<(RunDirectory, BTreeMap<LogicalName, Fingerprint>, RunOutcome), TestError> {
        let (directory, before, ran) = self.attempt(runner, script, params)?;
        match ran {
            Ran::Over(outcome) => Ok((directory, before, outcome)),
            Ran::Lost(reason) => {
                // What it has left must not be taken for what the next one writes.
                self.clear()?;
                let (directory, mut again, ran) = self.attempt(fresh, script, params)?;
                let Ran::Over(outcome) = ran else {
                    unreachable!("a process of this one's own is never lost")
                };
                // What lies elsewhere is still held against what it was before the first of the two.
                let is_copy = |name: &LogicalName| self.inputs[name].0.starts_with(&self.folder);
                again.extend(before.into_iter().filter(|(name, _)| !is_copy(name)));
                Ok((directory, again, RunOutcome { not_forked: Some(reason), ..outcome }))
            }
        }
    }

    /// Makes the run's folder and runs the script. Returns also where it was run, and what its inputs were before.
    fn attempt(
        &self,
        runner: &dyn Runner,
        script: &Utf8Path,
        params: &ScriptMainParams,
    ) -> Result<(RunDirectory, BTreeMap<LogicalName, Fingerprint>, Ran), TestError> {
        for port in &self.step.outputs {
            let folder = output_folder_in(&self.folder, &port.name);
            fs::create_dir_all(&folder).map_err(TestError::io("make the folder", &folder))?;
        }
        let TestContext { settings, places, directories, .. } = self.test;
        let directory = directories
            .make(self.step, &self.folder, places, settings)
            .map_err(TestError::io("make a working directory in", &self.folder))?;
        let working_directory = match &directory {
            RunDirectory::Own(folder) => folder,
            RunDirectory::Base(_) => &places.base,
        };
        let request = RunRequest {
            script,
            params,
            places,
            working_directory,
            folder: &self.folder,
            observe: settings.observe,
            timeout: self.step.timeout(settings),
            grace: settings.grace,
            stdout: self.log(STDOUT_FILE)?,
            stderr: self.log(STDERR_FILE)?,
            cancel: self.test.cancel.receiver(),
        };
        let copied = self.copies.iter().try_for_each(|copy| self.copy(copy));
        let before = self.inputs.iter().map(|(name, (path, _))| (name.clone(), Fingerprint::remember(path)));
        let before = before.collect();
        match copied.and_then(|()| runner.run(request)) {
            Err(error) if is_of_the_machine(&error) => {
                Err(TestError::io("run a script in", &self.folder)(error))
            }
            // Something that a script has done to files keeps this one from running: no reason to give up the test.
            ran => {
                let ran = ran.unwrap_or_else(|error| Ran::Over(not_started(script, &error)));
                Ok((directory, before, ran))
            }
        }
    }

    /// Removes what a run has left that was lost, and its copies of inputs.
    fn clear(&self) -> Result<(), TestError> {
        let copies = self.copies.iter().map(|copy| copy.to.clone());
        let files = [PARAMS_FILE, SECRET_FILE, RESULT_FILE, OBSERVED_FILE, STDOUT_FILE, STDERR_FILE];
        let files = files.map(|name| self.folder.join(name));
        for path in copies.chain(["out", WORKING_DIRECTORY].map(|name| self.folder.join(name))).chain(files) {
            let removed = if path.is_dir() { remove_folder(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(TestError::io("remove", path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What path in an output's folder the script is handed.
    fn output_paths(&self) -> BTreeMap<LogicalName, Utf8PathBuf> {
        let path = |port: &Port| {
            let folder = output_folder_in(&self.folder, &port.name);
            port.file_name().map_or_else(|| folder.clone(), |name| folder.join(name))
        };
        self.step.outputs.iter().map(|port| (port.name.clone(), path(port))).collect()
    }

    /// The parameters with real paths, in the order of the spec.
    fn params(&self, written: &BTreeMap<LogicalName, Utf8PathBuf>) -> ScriptMainParams {
        // There may be nothing for one that the step can do without.
        let input = |port: &Port| Some((port.name.clone(), self.inputs.get(&port.name)?.0.clone()));
        let inputs = self.step.inputs.iter().filter_map(input);
        let outputs = self.step.outputs.iter().map(|port| (port.name.clone(), written[&port.name].clone()));
        ScriptMainParams {
            input_paths: inputs.collect::<IndexMap<_, _>>(),
            output_paths: outputs.collect::<IndexMap<_, _>>(),
            ..self.step.spec.main_params()
        }
    }

    fn log(&self, name: &str) -> Result<File, TestError> {
        let path = self.folder.join(name);
        plain_file::create(&path).map_err(TestError::io("write", path))
    }

    /// A command for a shell that repeats the run. Empty where there is none.
    fn command(
        &self,
        runner: &dyn Runner,
        script: &Utf8Path,
        params: &ScriptMainParams,
        directory: &RunDirectory,
    ) -> String {
        let TestContext { places, run_root, directories, .. } = self.test;
        let Some(repeat) = runner.repeat(script, params, &self.folder) else { return String::new() };
        let enter = match directory {
            RunDirectory::Base(_) => format!("cd {}", quoted(places.base.as_str())),
            // What the run left in its own would be in the way.
            RunDirectory::Own(_) => {
                let again = quoted(self.folder.join("again").as_str());
                let model = quoted(run_root.join(WORKING_DIRECTORY).as_str());
                let own = directories.folders_of_outputs(self.step, places).into_iter();
                let own: Vec<String> = own.map(|folder| format!(" {}", quoted(folder.as_str()))).collect();
                let own =
                    if own.is_empty() { String::new() } else { format!(" && mkdir -p{}", own.concat()) };
                format!("rm -rf {again} && cp -RP {model} {again} && cd {again}{own}")
            }
        };
        shell_command(&enter, &repeat)
    }

    /// Makes a copy of what others wrote, or of an input of the user's own as it was.
    fn copy(&self, copy: &PrivateCopy) -> io::Result<()> {
        publish::copy(&copy.from, &copy.to)?;
        match (&copy.neighbors_of, copy.to.parent()) {
            (Some(original), Some(folder)) => publish::link_neighbors(original, folder),
            _ => Ok(()),
        }
    }
}

/// The limit that a run went over, if it did. What is not known of it exceeds nothing.
fn exceeded(limits: ResourceLimits, resources: &Resources) -> Option<ScriptFailure> {
    const MIB: f64 = 1024.0 * 1024.0;
    let taken = [
        ("wall_seconds", limits.wall_seconds, resources.wall_seconds),
        ("peak_memory_mib", limits.peak_memory_mib, resources.peak_memory_bytes as f64 / MIB),
    ];
    taken.into_iter().find_map(|(limit, allowed, found)| {
        let allowed = allowed.filter(|allowed| found > *allowed)?;
        Some(ScriptFailure::LimitExceeded { limit: limit.to_owned(), allowed, found: Some(found) })
    })
}
