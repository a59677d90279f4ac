//! What was seen of a step's runs beyond what its spec declares.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{
    DataFinding, FindingKind, LogicalName, PythonException, RunResult, ScriptFailure, StepName, StepNote,
    UndeclaredPath,
};

use crate::history::places::WORKING_DIRECTORY;
use crate::ids::StepId;
use crate::judge::evidence::Evidence;
use crate::plan::bindings::Port;
use crate::run::record::FailedBeside;

/// The notes on what was seen of the runs of a step.
pub(crate) fn observed_notes(evidence: Evidence<'_>, at: StepId) -> Vec<StepNote> {
    let (mut reads, mut writes) = (BTreeSet::new(), BTreeSet::new());
    let (mut programs, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    let mut failures: Vec<&PythonException> = Vec::new();
    for observed in evidence.executed(at).filter_map(|run| run.observed.as_ref()) {
        reads.extend(&observed.reads);
        writes.extend(observed.writes.iter().chain(&observed.removes));
        programs.extend(&observed.programs);
        addresses.extend(&observed.addresses);
        for failure in &observed.thread_failures {
            if !failures.iter().any(|known| known.message == failure.message && known.line == failure.line) {
                failures.push(failure);
            }
        }
    }
    let files = |paths: BTreeSet<&Utf8PathBuf>| -> Vec<UndeclaredPath> {
        paths.into_iter().map(|path| undeclared(evidence, path)).collect()
    };
    let names = |names: BTreeSet<&String>| names.into_iter().cloned().collect();
    let mut notes = Vec::new();
    if !reads.is_empty() {
        notes.push(StepNote::UndeclaredRead { files: files(reads) });
    }
    if !writes.is_empty() {
        notes.push(StepNote::UndeclaredWrite { files: files(writes) });
    }
    if !addresses.is_empty() {
        notes.push(StepNote::Network { addresses: names(addresses) });
    }
    if !programs.is_empty() {
        notes.push(StepNote::Subprocess { programs: names(programs) });
    }
    notes.extend(
        failures.into_iter().map(|exception| StepNote::ThreadFailed { exception: exception.clone() }),
    );
    notes
}

/// A path that was seen, with the steps that publish there.
fn undeclared(evidence: Evidence<'_>, path: &Utf8Path) -> UndeclaredPath {
    let absolute = evidence.places.base.join(path);
    let published = &evidence.plan.published;
    let published_by: Vec<StepName> =
        absolute.ancestors().filter_map(|above| published.get(above)).flatten().cloned().collect();
    UndeclaredPath { path: path.to_owned(), published_by }
}

/// The runs that passed when they were made alone, and did not beside others.
pub(crate) fn passed_alone_notes(evidence: Evidence<'_>, at: StepId) -> Vec<StepNote> {
    let runs = evidence.runs_of(at).into_iter();
    let failed = runs.filter_map(|run| evidence.records.passed_alone.get(&run));
    let note = |failed: &FailedBeside| StepNote::PassedAlone {
        failure: Box::new(failed.failure.clone()),
        beside: failed.beside.clone(),
    };
    failed.map(note).collect()
}

/// The tester's own files that the runs of a step found changed.
pub(crate) fn made_anew_note(evidence: Evidence<'_>, at: StepId) -> Option<StepNote> {
    let runs = evidence.runs_of(at).into_iter();
    let paths: BTreeSet<&Utf8PathBuf> =
        runs.filter_map(|run| evidence.records.made_anew.get(&run)).flatten().collect();
    (!paths.is_empty()).then(|| StepNote::MadeAnew { paths: paths.into_iter().cloned().collect() })
}

/// What a step wrote and this crate cannot look into, though another tool may.
pub(crate) fn unreadable_notes(evidence: Evidence<'_>, at: StepId) -> Vec<StepNote> {
    let mut unreadable: BTreeMap<(&LogicalName, &Utf8PathBuf), &DataFinding> = BTreeMap::new();
    for run in evidence.executed(at) {
        for (output, data) in
            run.outputs.iter().filter_map(|(name, output)| Some((name, output.data.as_ref()?)))
        {
            for file in &data.files {
                let finding = file.findings.iter().find(|finding| finding.kind == FindingKind::Unreadable);
                if let Some(finding) = finding {
                    unreadable.insert((output, &file.path), finding);
                }
            }
        }
    }
    let note = |((output, file), finding): ((&LogicalName, &Utf8PathBuf), &DataFinding)| {
        StepNote::UnreadableOutput { output: output.clone(), file: file.clone(), finding: finding.clone() }
    };
    unreadable.into_iter().take(MOST_UNREADABLE).map(note).collect()
}

/// Of how many unreadable files there are notes. The edges tell of all, with those that are alike folded.
const MOST_UNREADABLE: usize = 100;

/// The exceptions of Python that say that a path is not what the script takes it for.
const KIND_ERRORS: [&str; 3] = ["IsADirectoryError", "NotADirectoryError", "FileNotFoundError"];

/// Where a run failed over a path at or below an input or output: whether that is a file or a folder, and why.
pub(crate) fn path_shape_notes(evidence: Evidence<'_>, at: StepId, run: &RunResult) -> Vec<StepNote> {
    let Some(exception) = run.failure.as_ref().and_then(ScriptFailure::exception) else { return Vec::new() };
    if !KIND_ERRORS.contains(&exception.type_name.as_str()) {
        return Vec::new();
    }
    let step = &evidence.plan.steps[at];
    let inputs = step.inputs.iter().filter_map(|port| Some((port, true, &run.inputs.get(&port.name)?.path)));
    let outputs =
        step.outputs.iter().filter_map(|port| Some((port, false, &run.outputs.get(&port.name)?.path)));
    // `.runs/<test>/steps/<step>/<run>`
    let test = run.run_folder.ancestors().nth(3).unwrap_or(&run.run_folder);
    let run_root = evidence.places.workspace.join(test);
    let is_meant = |(port, _, path): &(&Port, bool, &Utf8PathBuf)| {
        // As messages show it: the user's own by the path in the spec, what is the run's by that.
        let handed = evidence.places.workspace.join(path);
        let handed = if handed.starts_with(&run_root) { handed } else { port.path.to_path_buf() };
        let shown = evidence.places.shown_in_text(handed.as_str(), &run_root);
        exception.message.split(['\'', '"']).any(|quoted| Utf8Path::new(quoted).starts_with(&shown))
    };
    let note = |(port, is_input, _): (&Port, bool, &Utf8PathBuf)| StepNote::PathShape {
        name: port.name.clone(),
        is_input,
        kind: port.kind,
        reason: port.kind_reason,
    };
    inputs.chain(outputs).filter(is_meant).map(note).collect()
}

/// Where a run in a working directory of its own failed over a path that leads above that.
pub(crate) fn above_base_folder(run: &RunResult) -> Option<StepNote> {
    let exception = run.failure.as_ref().and_then(ScriptFailure::exception)?;
    if exception.type_name != "FileNotFoundError" {
        return None;
    }
    let leads_above = |path: &&str| {
        // What Python has completed is in the run's own folder, beside its inputs, outputs and working directory.
        let completed = path.strip_prefix("<run>/").and_then(|path| path.splitn(3, '/').nth(2));
        let is_own = |below: &str| ["in", "out", WORKING_DIRECTORY].iter().any(|own| below.starts_with(own));
        Utf8Path::new(path).starts_with("..") || completed.is_some_and(|below| !is_own(below))
    };
    let path = exception.message.split(['\'', '"']).find(leads_above)?;
    let path = path.strip_prefix("<run>/").and_then(|path| path.splitn(3, '/').nth(2)).unwrap_or(path);
    Some(StepNote::AboveBaseFolder { path: path.to_owned() })
}
