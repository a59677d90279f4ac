//! The work of one run, on whatever thread: everything that it needs is settled before, and nothing here touches what
//! other runs share.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_data::{DataError, Expected, ProfileOptions, profile_path_with};
use runtime_testing_models::{
    DataFinding, DataProfile, Difference, FileChange, FileFormat, FileProfile, InputChange, InputSource,
    Isolation, LogicalName, OutputDifference, OutputTail, RunInput, RunKind, RunOutput, RunResult,
    ScriptFailure, ScriptMainParams,
};

use crate::bindings::Port;
use crate::cancel::CancelHandle;
use crate::digests::digest_of;
use crate::executable::ExecutableRunner;
use crate::fingerprint::Fingerprint;
use crate::fork_server::ForkServers;
use crate::plan::{PlannedStep, ScriptFile, file_name};
use crate::publish;
use crate::python::PythonRunner;
use crate::runner::{
    RESULT_FILE, Ran, RunOutcome, RunRequest, Runner, STDERR_FILE, STDOUT_FILE, is_of_the_machine,
    not_started,
};
use crate::settings::TesterSettings;
use crate::tail;
use crate::test_error::TestError;
use crate::workspace::Places;

/// The real path and the source of every input of a run.
pub(crate) type Inputs = BTreeMap<LogicalName, (Utf8PathBuf, InputSource)>;

/// A copy that one run has for itself.
pub(crate) struct PrivateCopy {
    pub(crate) from: Utf8PathBuf,
    pub(crate) to: Utf8PathBuf,
    /// The file whose neighbors are to be found beside the copy too.
    pub(crate) neighbors_of: Option<Utf8PathBuf>,
}

/// A run that can be made.
pub(crate) struct Job<'a> {
    /// The number of the run in the plan.
    pub(crate) run: usize,
    pub(crate) step: &'a PlannedStep<'a>,
    pub(crate) kinds: Vec<RunKind>,
    pub(crate) inputs: Inputs,
    /// What is to be copied before. A run is handed copies of what others wrote, so that nothing it does to them reaches
    /// anyone else.
    pub(crate) copies: Vec<PrivateCopy>,
    /// The folder of the run, which is not there yet.
    pub(crate) folder: Utf8PathBuf,
    pub(crate) run_root: &'a Utf8Path,
    pub(crate) places: &'a Places,
    pub(crate) settings: &'a TesterSettings,
    pub(crate) forks: &'a ForkServers,
    pub(crate) cancel: &'a CancelHandle,
}

/// A run that was made.
pub(crate) struct Made {
    /// The number of the run in the plan.
    pub(crate) run: usize,
    pub(crate) result: RunResult,
    pub(crate) elapsed: Duration,
    /// Whether it was ended because the test was canceled.
    pub(crate) canceled: bool,
    /// Why it was made in a fresh interpreter and not in a fork.
    pub(crate) not_forked: Option<String>,
}

impl Job<'_> {
    /// Runs the script and looks at what it did.
    ///
    /// # Errors
    ///
    /// Where the run's folder cannot be written or its inputs cannot be looked at.
    pub(crate) fn make(self) -> Result<Made, TestError> {
        let step = self.step;
        let written = self.output_paths();
        let started = Instant::now();
        let script = step.script.as_ref().expect("a script that was not found is known to fail");
        let fresh =
            PythonRunner { interpreter: &step.interpreter.path, run_root: self.run_root, forks: None };
        let is_forked = step.isolation(self.settings) == Isolation::Forked;
        let forks = is_forked.then_some((self.forks, &step.interpreter.imports));
        let python = PythonRunner { forks, ..fresh };
        let runner: &dyn Runner = match script {
            ScriptFile::Python(_) => &python,
            ScriptFile::Executable(_) => &ExecutableRunner,
            ScriptFile::Function(function) => *function,
        };
        let path = script.path().unwrap_or(Utf8Path::new(""));
        let params = self.params(&written);
        let (mut before, mut ran) = self.attempt(runner, path, &params)?;
        let mut lost = None;
        if let Ran::Lost(reason) = ran {
            lost = Some(reason);
            // What it has left must not be taken for what the next one writes.
            self.clear()?;
            let own = before.into_iter().filter(|(name, _)| !self.inputs[name].0.starts_with(&self.folder));
            let own: Vec<_> = own.collect();
            (before, ran) = self.attempt(&fresh, path, &params)?;
            before.extend(own);
        }
        let Ran::Over(outcome) = ran else { unreachable!("a process of this one's own is never lost") };
        let RunOutcome { exit, mut failure, mut resources, mut canceled, leaked, not_forked } = outcome;
        let elapsed = started.elapsed();
        let changes = self.changes(&before);
        if !changes.is_empty() {
            failure.get_or_insert(ScriptFailure::InputsChanged { changes });
        }
        let mut outputs: BTreeMap<LogicalName, RunOutput> = BTreeMap::new();
        for (name, path) in &written {
            let data = if failure.is_none() && !canceled { self.profile(path) } else { None };
            // Without a look at what it wrote, nothing can be said of it.
            canceled |= failure.is_none() && data.is_none();
            let digest =
                data.as_ref().and_then(|data| digest_of(path, data, self.settings.digests, self.cancel));
            outputs.insert(name.clone(), RunOutput { path: self.places.shown(path), data, digest });
        }
        let failure = failure.or_else(|| failure_of_outputs(step, &outputs));
        resources.written_bytes = written.values().map(|path| bytes_at(path)).sum();
        let shown = |(name, (path, source)): (&LogicalName, &(Utf8PathBuf, InputSource))| {
            (name.clone(), RunInput { path: self.places.shown(path), source: source.clone() })
        };
        let result = RunResult {
            kinds: self.kinds.clone(),
            failure,
            exit,
            inputs: self.inputs.iter().map(shown).collect(),
            outputs,
            resources,
            slot: None,
            run_folder: self.places.shown(&self.folder),
            stdout: self.tail(STDOUT_FILE),
            stderr: self.tail(STDERR_FILE),
            leaked,
            observed: None,
            scratch_files: Vec::new(),
            scratch_files_omitted: 0,
            command: runner.command(path, &params, &self.folder, &self.places.base),
        };
        tracing::debug!(step = %step.name, folder = %self.folder, passed = result.failure.is_none(), "run made");
        let not_forked = lost.or(not_forked);
        Ok(Made { run: self.run, result, elapsed, canceled, not_forked })
    }

    /// Makes the run's folder and runs the script. Returns also what its inputs were before.
    fn attempt(
        &self,
        runner: &dyn Runner,
        script: &Utf8Path,
        params: &ScriptMainParams,
    ) -> Result<(BTreeMap<LogicalName, Fingerprint>, Ran), TestError> {
        fs::create_dir_all(&self.folder).map_err(TestError::io("make the folder", &self.folder))?;
        for port in &self.step.outputs {
            let folder = output_folder(&self.folder, &port.name);
            fs::create_dir_all(&folder).map_err(TestError::io("make the folder", &folder))?;
        }
        let request = RunRequest {
            script,
            params,
            places: self.places,
            folder: &self.folder,
            timeout: self.step.timeout(self.settings),
            grace: self.settings.grace,
            stdout: self.log(STDOUT_FILE)?,
            stderr: self.log(STDERR_FILE)?,
            cancel: self.cancel.receiver(),
        };
        let copied = self.copies.iter().try_for_each(|copy| self.copy(copy));
        let before = self.fingerprints();
        match copied.and_then(|()| runner.run(request)) {
            Err(error) if is_of_the_machine(&error) => {
                Err(TestError::io("run a script in", &self.folder)(error))
            }
            // Something that a script has done to files keeps this one from running: no reason to give up the test.
            ran => Ok((before, ran.unwrap_or_else(|error| Ran::Over(not_started(script, &error))))),
        }
    }

    /// Removes what a run has left that was lost, and its copies of inputs.
    fn clear(&self) -> Result<(), TestError> {
        let copies = self.copies.iter().map(|copy| copy.to.clone());
        let files = [RESULT_FILE, STDOUT_FILE, STDERR_FILE].map(|name| self.folder.join(name));
        for path in copies.chain([self.folder.join("out")]).chain(files) {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
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
            let folder = output_folder(&self.folder, &port.name);
            file_name(&port.path).map_or_else(|| folder.clone(), |name| folder.join(name))
        };
        self.step.outputs.iter().map(|port| (port.name.clone(), path(port))).collect()
    }

    /// The parameters with real paths, in the order of the spec.
    fn params(&self, written: &BTreeMap<LogicalName, Utf8PathBuf>) -> ScriptMainParams {
        let inputs =
            self.step.inputs.iter().map(|port| (port.name.clone(), self.inputs[&port.name].0.clone()));
        let outputs = self.step.outputs.iter().map(|port| (port.name.clone(), written[&port.name].clone()));
        ScriptMainParams {
            input_paths: inputs.collect::<IndexMap<_, _>>(),
            output_paths: outputs.collect::<IndexMap<_, _>>(),
            ..self.step.spec.main_params()
        }
    }

    fn log(&self, name: &str) -> Result<File, TestError> {
        let path = self.folder.join(name);
        File::create(&path).map_err(TestError::io("write", path))
    }

    /// Makes a copy of what others wrote, or of an input of the user's own as it was.
    fn copy(&self, copy: &PrivateCopy) -> io::Result<()> {
        publish::copy(&copy.from, &copy.to)?;
        match (&copy.neighbors_of, copy.to.parent()) {
            (Some(original), Some(folder)) => publish::link_neighbors(original, folder),
            _ => Ok(()),
        }
    }

    fn fingerprints(&self) -> BTreeMap<LogicalName, Fingerprint> {
        self.inputs.iter().map(|(name, (path, _))| (name.clone(), Fingerprint::take(path))).collect()
    }

    fn changes(&self, before: &BTreeMap<LogicalName, Fingerprint>) -> Vec<InputChange> {
        let after = self.fingerprints();
        let mut changes = Vec::new();
        for (name, earlier) in before {
            let (path, _) = &self.inputs[name];
            // What does not count as data, such as what file managers leave, may be added.
            let counted = runtime_testing_data::data_files(path).ok();
            for (below, change) in earlier.changes_to(&after[name]) {
                let is_data = counted.as_ref().is_none_or(|counted| counted.contains(&below));
                if change == FileChange::Added && !below.as_str().is_empty() && !is_data {
                    continue;
                }
                // By the path in the spec: what the run was handed may be a copy.
                let port = self.step.inputs.iter().find(|port| port.name == *name);
                let named = &port.expect("inputs are planned by name").path;
                let file = if below.as_str().is_empty() { named.to_path_buf() } else { named.join(below) };
                changes.push(InputChange { input: name.clone(), path: self.places.shown(&file), change });
            }
        }
        changes
    }

    /// What is at an output, or none where the test was canceled. One that cannot be looked at is told as a finding: the
    /// script left it so.
    fn profile(&self, path: &Utf8Path) -> Option<DataProfile> {
        if !path.exists() {
            return Some(DataProfile { is_folder: false, files: Vec::new() });
        }
        let options = profile_options(self.cancel).with_jobs(self.settings.processors_for_a_run());
        let profile = profile_path_with(path, &options);
        if matches!(profile, Err(DataError::Canceled { .. })) {
            return None;
        }
        Some(profile.unwrap_or_else(|error| {
            let message = self.places.shown_in_text(&error.to_string(), self.run_root);
            DataProfile {
                is_folder: path.is_dir(),
                files: vec![FileProfile {
                    path: path.file_name().unwrap_or_default().into(),
                    format: FileFormat::Opaque,
                    compression: None,
                    promised: None,
                    delimiter: None,
                    byte_order_mark: false,
                    one_line: false,
                    bytes: 0,
                    schema: None,
                    findings: vec![DataFinding::unreadable(message, None)],
                }],
            }
        }))
    }

    fn tail(&self, name: &str) -> OutputTail {
        let path = self.folder.join(name);
        let file = self.places.shown(&path);
        match tail::read_tail(&path, self.settings.tail_bytes) {
            Ok((text, omitted_bytes)) => OutputTail { file, text, omitted_bytes },
            // A script can delete its own run's folder: what it printed is gone, and that is what is said.
            Err(error) => OutputTail { file, text: format!("<not readable: {error}>"), omitted_bytes: 0 },
        }
    }
}

/// How data is profiled, until the test is canceled.
pub(crate) fn profile_options(cancel: &CancelHandle) -> ProfileOptions {
    let cancel = cancel.clone();
    ProfileOptions::default().with_cancel(move || cancel.is_canceled())
}

/// The folder that an output is to be written in or to be, for a run in `folder`.
pub(crate) fn output_folder(folder: &Utf8Path, output: &LogicalName) -> Utf8PathBuf {
    folder.join("out").join(output.as_str())
}

/// The bytes in the files at an output, links not followed. What cannot be looked at counts for nothing.
fn bytes_at(path: &Utf8Path) -> u64 {
    let files = walkdir::WalkDir::new(path).into_iter().filter_map(Result::ok);
    files.filter_map(|entry| entry.metadata().ok()).filter(|file| file.is_file()).map(|file| file.len()).sum()
}

fn failure_of_outputs(
    step: &PlannedStep<'_>,
    outputs: &BTreeMap<LogicalName, RunOutput>,
) -> Option<ScriptFailure> {
    let is_empty = |output: &RunOutput| output.data.as_ref().is_none_or(DataProfile::is_empty);
    if !outputs.is_empty() && outputs.values().all(is_empty) {
        let outputs = step.outputs.iter().map(|port| port.name.clone()).collect();
        return Some(ScriptFailure::OutputMissing { outputs, written: Vec::new() });
    }
    let mut differences = Vec::new();
    for (name, contract) in &step.spec.output_schemas {
        let Some(data) = outputs.get(name).and_then(|output| output.data.as_ref()) else { continue };
        if data.is_empty() {
            let file = outputs[name].path.file_name().unwrap_or_default().into();
            differences.push(OutputDifference {
                output: name.clone(),
                file,
                difference: Difference::MissingFile,
            });
        }
        let breaking = runtime_testing_data::compare(&Expected::Contract(contract), data)
            .into_iter()
            .filter(|found| found.difference.is_breaking());
        differences.extend(breaking.map(|found| OutputDifference {
            output: name.clone(),
            file: found.file,
            difference: found.difference,
        }));
    }
    (!differences.is_empty()).then_some(ScriptFailure::PromiseBroken { differences })
}
