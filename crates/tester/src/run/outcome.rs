//! What a run left: its outputs, what it did to its inputs, what it printed, and whether that is a failure.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_data::{DataError, Expected, FileDifference, compare_values, profile_path_with};
use runtime_testing_models::{
    DataFinding, DataProfile, Difference, FileChange, FileFormat, FileProfile, FindingKind, InputChange,
    LogicalName, OutputDamage, OutputDifference, OutputTail, RunOutput, ScriptFailure,
};

use crate::plan::model::PlannedStep;
use crate::run::context::TestContext;
use crate::run::fingerprint::Fingerprint;
use crate::run::inputs::Inputs;
use crate::run::record::output_folder_in;

mod digest;
mod tail;

/// How many files are named that were written in place of an output.
const MOST_WRITTEN: usize = 20;

/// Looks at what a run left.
#[derive(Clone, Copy)]
pub(crate) struct OutcomeReader<'a> {
    pub(crate) test: TestContext<'a>,
    pub(crate) step: &'a PlannedStep<'a>,
    /// The folder of the run.
    pub(crate) folder: &'a Utf8Path,
}

impl OutcomeReader<'_> {
    /// What is at an output, with its digest. No data where the test was canceled.
    pub(crate) fn output(&self, path: &Utf8Path) -> RunOutput {
        let data = self.profile(path);
        let TestContext { settings, cancel, .. } = self.test;
        let digest = data.as_ref().and_then(|data| digest::digest_of(path, data, settings.digests, cancel));
        RunOutput { path: self.test.places.shown(path), data, digest }
    }

    /// What is at an output, or none where the test was canceled. One that cannot be looked at is a finding: the script left
    /// it so.
    fn profile(&self, path: &Utf8Path) -> Option<DataProfile> {
        if !path.exists() {
            return Some(DataProfile { is_folder: false, files: Vec::new() });
        }
        if let Some((file, what)) = no_data(path) {
            return Some(with_finding(path, file, DataFinding::damaged(what, None)));
        }
        let TestContext { settings, cancel, places, run_root, .. } = self.test;
        let options = cancel.profile_options().with_jobs(settings.processors_for_a_run());
        let profile = profile_path_with(path, &options);
        if matches!(profile, Err(DataError::Canceled { .. })) {
            return None;
        }
        Some(profile.unwrap_or_else(|error| {
            let message = places.shown_in_text(&error.to_string(), run_root);
            let file = path.file_name().unwrap_or_default().into();
            with_finding(path, file, DataFinding::unreadable(message, None))
        }))
    }

    /// What the run did to its inputs since `before`.
    pub(crate) fn changes(
        &self,
        inputs: &Inputs,
        before: &BTreeMap<LogicalName, Fingerprint>,
    ) -> Vec<InputChange> {
        let mut changes = Vec::new();
        for (name, earlier) in before {
            if self.step.spec.mutable_inputs.contains(name) {
                continue;
            }
            let (path, _) = &inputs[name];
            // What does not count as data, such as what file managers leave, may be added.
            let counted = runtime_testing_data::data_files(path).ok();
            for (below, change) in earlier.changes_to(&Fingerprint::take(path)) {
                let is_data = counted.as_ref().is_none_or(|counted| counted.contains(&below));
                if change == FileChange::Added && !below.as_str().is_empty() && !is_data {
                    continue;
                }
                // By the path in the spec: what the run was handed may be a copy.
                let named = &self.step.input(name).path;
                let file = if below.as_str().is_empty() { named.to_path_buf() } else { named.join(below) };
                let path = self.test.places.shown(&file);
                changes.push(InputChange { input: name.clone(), path, change });
            }
        }
        changes
    }

    /// What is wrong with the outputs of a run that ended well. `scratch` are the files that it left in its working directory.
    pub(crate) fn failure_of(
        &self,
        outputs: &BTreeMap<LogicalName, RunOutput>,
        paths: &BTreeMap<LogicalName, Utf8PathBuf>,
        scratch: &[Utf8PathBuf],
    ) -> Option<ScriptFailure> {
        let is_missing = |(name, output): &(&LogicalName, &RunOutput)| {
            output.data.as_ref().is_none_or(DataProfile::is_empty)
                && !self.step.spec.optional_outputs.contains(name)
        };
        let missing: Vec<LogicalName> =
            outputs.iter().filter(is_missing).map(|(name, _)| name.clone()).collect();
        if !missing.is_empty() {
            let written = self.written_instead(&missing, scratch);
            return Some(ScriptFailure::OutputMissing { outputs: missing, written });
        }
        let damages = damages(outputs);
        if !damages.is_empty() {
            return Some(ScriptFailure::DamagedOutput { damages });
        }
        let differences = self.broken_promises(outputs, paths);
        (!differences.is_empty()).then_some(ScriptFailure::PromiseBroken { differences })
    }

    /// The files that were written in place of outputs: beside them in the run's folder, or in the working directory.
    fn written_instead(&self, missing: &[LogicalName], scratch: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
        let mut written = Vec::new();
        for name in missing {
            let folder = output_folder_in(self.folder, name);
            let entries = walkdir::WalkDir::new(&folder).sort_by_file_name().into_iter();
            // What cannot be looked into is no help.
            for entry in entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_file()) {
                let below = entry.path().strip_prefix(self.folder).expect("a walk stays below its start");
                written.push(Utf8PathBuf::from(below.to_string_lossy().into_owned()));
            }
        }
        written.extend(scratch.iter().cloned());
        written.truncate(MOST_WRITTEN);
        written
    }

    /// How outputs differ from what the spec promises of them. What is not looked at because the test is canceled is not told.
    fn broken_promises(
        &self,
        outputs: &BTreeMap<LogicalName, RunOutput>,
        paths: &BTreeMap<LogicalName, Utf8PathBuf>,
    ) -> Vec<OutputDifference> {
        let mut differences = Vec::new();
        for (name, contract) in &self.step.spec.output_schemas {
            let Some(data) = outputs.get(name).and_then(|output| output.data.as_ref()) else { continue };
            // One that need not be written promises what it holds where it is.
            if data.is_empty() {
                continue;
            }
            let (path, options) = (&paths[name], self.test.cancel.profile_options().for_contract(contract));
            let has_null_values = contract.null_values().is_some();
            let found = match has_null_values.then(|| profile_path_with(path, &options)).transpose() {
                Ok(anew) => {
                    let data = anew.as_ref().unwrap_or(data);
                    compare_values(&Expected::Contract(contract), path, data, &options)
                }
                Err(error) => Err(error),
            };
            let found = match found {
                Ok(found) => found,
                Err(DataError::Canceled { .. }) => return differences,
                Err(error) => {
                    let finding = DataFinding::unreadable(error.to_string(), None);
                    let file = path.file_name().unwrap_or_default().into();
                    vec![FileDifference { file, difference: Difference::Unreadable { finding } }]
                }
            };
            let breaking = found.into_iter().filter(|found| found.difference.is_breaking());
            differences.extend(breaking.map(|found| OutputDifference {
                output: name.clone(),
                file: found.file,
                difference: found.difference,
            }));
        }
        differences
    }

    /// The end of what the run printed into one of its files.
    pub(crate) fn tail(&self, name: &str) -> OutputTail {
        let path = self.folder.join(name);
        let file = self.test.places.shown(&path);
        match tail::read_tail(&path, self.test.settings.tail_bytes) {
            Ok((text, omitted_bytes)) => {
                OutputTail { file, text: self.test.places.in_base_folder(&text), omitted_bytes }
            }
            // A script can delete its own run's folder: what it printed is gone, and that is what is said.
            Err(error) => OutputTail { file, text: format!("<not readable: {error}>"), omitted_bytes: 0 },
        }
    }
}

/// What is at an output of which no more is known than a finding about a file.
fn with_finding(path: &Utf8Path, file: Utf8PathBuf, finding: DataFinding) -> DataProfile {
    let file = FileProfile {
        path: file,
        format: FileFormat::Opaque,
        compression: None,
        promised: None,
        delimiter: None,
        byte_order_mark: false,
        one_line: false,
        partition_columns: Vec::new(),
        bytes: 0,
        schema: None,
        findings: vec![finding],
    };
    DataProfile { is_folder: path.is_dir(), files: vec![file] }
}

/// A file at an output that holds no data, whatever can be read from it, and what it is instead: a pipe, a socket or a device, or a
/// link to what the system tells of itself, which has no size and may have no end.
fn no_data(path: &Utf8Path) -> Option<(Utf8PathBuf, String)> {
    let name = || Utf8PathBuf::from(path.file_name().unwrap_or_default());
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        return Some((name(), "it is a pipe, a socket or a device, and no file".to_owned()));
    }
    // Links are not gone through: what they lead to may have no end itself.
    let entries = walkdir::WalkDir::new(path).sort_by_file_name().into_iter();
    let links = entries.filter_map(Result::ok).filter(walkdir::DirEntry::path_is_symlink);
    links.filter_map(|link| Some((link.path().canonicalize().ok()?, link))).find_map(|(target, link)| {
        let is_of_system = SYSTEM.iter().any(|folder| target.starts_with(folder));
        let below = link.path().strip_prefix(path).ok().filter(|below| !below.as_os_str().is_empty());
        let file = below.map_or_else(name, |below| below.to_string_lossy().into_owned().into());
        is_of_system.then(|| (file, format!("it is a link to `{}`, and no file", target.display())))
    })
}

/// Where systems tell of themselves.
const SYSTEM: [&str; 2] = ["/proc", "/sys"];

/// What in outputs is broken, whoever reads it.
fn damages(outputs: &BTreeMap<LogicalName, RunOutput>) -> Vec<OutputDamage> {
    let mut damages = Vec::new();
    for (output, RunOutput { data, .. }) in outputs {
        for file in data.iter().flat_map(|data| &data.files) {
            let damaged =
                file.findings.iter().filter(|finding| finding.kind == FindingKind::Damaged).cloned();
            damages.extend(damaged.chain(something_else(file)).map(|finding| OutputDamage {
                output: output.clone(),
                file: file.path.clone(),
                finding,
            }));
        }
    }
    damages
}

/// That a file is no text where its name promises one, or the other way round. One text under the name of another is left to
/// those who read it.
fn something_else(file: &FileProfile) -> Option<DataFinding> {
    let is_binary = |format: FileFormat| {
        matches!(format, FileFormat::Parquet | FileFormat::ArrowIpc | FileFormat::ArrowStream)
    };
    let promised = file.promised.filter(|promised| is_binary(promised.format) != is_binary(file.format))?;
    let message = format!("the name promises {promised}, the content is {}", file.format);
    Some(DataFinding::damaged(message, None))
}

/// The bytes in the files at some outputs, links not followed. What cannot be looked at counts for nothing.
pub(crate) fn bytes_at<'a>(paths: impl Iterator<Item = &'a Utf8PathBuf>) -> u64 {
    let entries = paths.flat_map(walkdir::WalkDir::new).filter_map(Result::ok);
    let files = entries.filter_map(|entry| entry.metadata().ok()).filter(|file| file.is_file());
    files.map(|file| file.len()).sum()
}
