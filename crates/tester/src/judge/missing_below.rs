//! A consumer that fails because a file is not there below an input that an edge feeds.

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{DataContract, EdgeIssue, LogicalName, RunResult, ScriptFailure};

use crate::judge::evidence::Evidence;
use crate::plan::bindings::Bound;
use crate::plan::model::PlannedEdge;
use crate::run::handover::{self, Feed};
use crate::run::record::{self, RunRecord};

/// What ends a path in a text, unless a quote does in which it stands.
const ENDS: [char; 8] = [' ', '\n', '\t', ',', ';', ')', ']', '}'];

/// The files that a consumer did not find below what an edge hands it, and fails for.
pub(super) fn missing_files(evidence: Evidence<'_>, edge: &PlannedEdge) -> Vec<EdgeIssue> {
    let consumer = evidence.record(edge.consumer_run);
    let Some(run) = consumer.filter(|record| record.failure().is_some()).and_then(RunRecord::executed) else {
        return Vec::new();
    };
    let fails_alone = evidence.record(evidence.plan.steps[edge.to].individual).is_some_and(|own| {
        // Then it lacks it in its own data, too.
        own.failure().is_some()
    });
    let producer = evidence.record(edge.producer_run).and_then(RunRecord::executed);
    let (Some(producer), false) = (producer, fails_alone) else { return Vec::new() };
    let issue = |bound: &Bound| {
        // A contract of files has said which have to be there.
        let contract = evidence.plan.steps[edge.to].spec.input_schemas.get(&bound.input);
        if matches!(contract, Some(DataContract::Files(_))) {
            return None;
        }
        let written = record::written(producer, &bound.output, evidence.places);
        let folder = record::output_folder(producer, &bound.output, evidence.places);
        let port = evidence.plan.steps[edge.to].input(&bound.input);
        let Feed::Path(handed) =
            handover::feed(&folder, &written, &port.path, port.kind, bound.below.as_deref())
        else {
            return None;
        };
        let wanted =
            looked_for(evidence, run, &bound.input).into_iter().find(|below| !handed.join(below).exists())?;
        let files = runtime_testing_data::data_files(&handed).ok()?;
        let (output, input) = (bound.output.clone(), bound.input.clone());
        Some(EdgeIssue::MissingFile { output, input, wanted, files })
    };
    edge.bindings.bound.iter().filter_map(issue).collect()
}

/// The paths below an input that a failure is about: those that it names; or, where the script ended itself, those that it named
/// or looked for in vain.
fn looked_for(evidence: Evidence<'_>, run: &RunResult, input: &LogicalName) -> Vec<Utf8PathBuf> {
    let Some(handed) = run.inputs.get(input) else { return Vec::new() };
    let absolute = evidence.places.workspace.join(&handed.path);
    // `.runs/<test>/steps/<step>/<run>`
    let test = run.run_folder.ancestors().nth(3).unwrap_or(&run.run_folder);
    let shown = evidence.places.shown_in_text(absolute.as_str(), &evidence.places.workspace.join(test));
    let shown_as = [absolute.as_str(), &shown, handed.path.as_str()];
    let mut found = Vec::new();
    let mut look = |text: &str| {
        for path in shown_as {
            found.extend(paths_below(text, path));
        }
    };
    let ended_itself = match &run.failure {
        // What it says for itself goes before what it printed.
        Some(ScriptFailure::Exited { message: Some(message), .. }) => {
            look(message);
            false
        }
        Some(ScriptFailure::Exited { message: None, cause, .. }) => {
            cause.as_ref().is_none_or(|cause| cause.type_name == "FileNotFoundError")
        }
        _ => false,
    };
    if let Some(exception) = run.failure.as_ref().and_then(ScriptFailure::exception) {
        look(&exception.message);
        look(&exception.traceback);
    }
    if ended_itself {
        look(&last_lines(&run.stderr.text));
        look(&last_lines(&run.stdout.text));
        let observed = run.observed.as_ref().and_then(|observed| observed.missing_inputs.get(input));
        found.extend(observed.into_iter().flatten().cloned());
    }
    found
}

/// The last lines of a text: before them a script may have told of what it can do without.
fn last_lines(text: &str) -> String {
    const LINES: usize = 3;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// The paths below a folder that a text names.
fn paths_below(text: &str, folder: &str) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find(folder) {
        let quote = rest[..at]
            .chars()
            .next_back()
            .or(before)
            .filter(|character| matches!(character, '\'' | '"' | '`'));
        let behind = &rest[at + folder.len()..];
        let end = match quote {
            Some(quote) => behind.find(quote),
            None => behind.find(ENDS),
        };
        let below = behind[..end.unwrap_or(behind.len())].trim_end_matches([':', '.', '/', '\\']);
        if let Some(below) = below.strip_prefix(['/', '\\']).filter(|below| !below.is_empty()) {
            found.push(Utf8Path::new(below).to_owned());
        }
        before = rest[..at + folder.len()].chars().next_back();
        rest = behind;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(paths_below(text, "<run>/in/d"), expected);
    }

    #[test]
    fn paths_are_found_in_texts() {
        check("[Errno 2] No such file or directory: '<run>/in/d/val/a b.csv'", &["val/a b.csv"]);
        check("no <run>/in/d/val/x.csv: giving up", &["val/x.csv"]);
        check("cannot load <run>/in/d/model.bst.", &["model.bst"]);
        check("(<run>/in/d/a, <run>/in/d/b)\n<run>/in/d\n<run>/in/data/c", &["a", "b"]);
        check("nothing of it", &[]);
    }
}
