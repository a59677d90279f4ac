//! What a report must say: `expected.json` of a case, as the READMEs of `fixtures/defects` and `fixtures/situations`
//! describe it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use camino::Utf8Path;
use libtest_mimic::Failed;
use runtime_testing::PipelineTestReport;
use serde::Serialize;
use serde_json::Value;

/// The kinds of notes that weaken a verdict. A step or an edge must not have one that its model does not name.
const WEAKENING: [&str; 10] = [
    "undeclared_read",
    "undeclared_write",
    "network",
    "subprocess",
    "thread_failed",
    "passed_alone",
    "sample_data",
    "leaked_processes",
    "unreadable_output",
    "not_compared",
];

/// The sorted names of the folders in a folder.
pub(crate) fn folders_in(path: &Utf8Path) -> Vec<String> {
    let entries = path.read_dir_utf8().expect("a folder").map(|entry| entry.expect("an entry"));
    let mut names: Vec<String> = entries
        .filter(|entry| entry.file_type().expect("a file type").is_dir())
        .map(|entry| entry.file_name().to_owned())
        .collect();
    names.sort();
    names
}

/// The first snapshot of each case, and the settings it was made with.
#[derive(Default)]
pub(crate) struct Snapshots(Mutex<BTreeMap<String, (String, String)>>);

impl Snapshots {
    /// How a snapshot differs from the first one of its case. The first one is kept.
    pub(crate) fn difference(&self, case: &str, settings: &str, snapshot: &str) -> Option<String> {
        let mut all = self.0.lock().expect("no trial panics while it compares");
        let (before, first) =
            all.entry(case.to_owned()).or_insert_with(|| (settings.to_owned(), snapshot.to_owned()));
        (first != snapshot)
            .then(|| format!("the snapshot differs from that of {before}:\n{first}\nis now\n{snapshot}"))
    }
}

/// What a trial comes to that found all this to be wrong.
pub(crate) fn outcome(wrong: &[String]) -> Result<(), Failed> {
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// The texts that are not in a message, letter case aside.
pub(crate) fn missing_words(words: &Value, message: &str) -> Vec<String> {
    let lower = message.to_lowercase();
    self::words(words)
        .into_iter()
        .filter(|word| !lower.contains(&word.to_lowercase()))
        .map(|word| format!("`{word}` is not in the message: {message}"))
        .collect()
}

/// Everything in which a report differs from its model.
pub(crate) fn differences(model: &Value, report: &PipelineTestReport) -> Vec<String> {
    let mut wrong = Differences::default();
    wrong.compare("success", &model["success"], &report.pipeline_success());
    wrong.steps(model, report);
    wrong.edges(model, report);
    let blame: BTreeSet<String> = report.culprits().iter().map(ToString::to_string).collect();
    wrong.compare("blame", &words(&model["blame"]), &blame);
    if !wrong.found.is_empty() {
        wrong.found.push(format!("errors were {:?}", report.errors()));
    }
    wrong.found
}

#[derive(Default)]
struct Differences {
    found: Vec<String>,
}

impl Differences {
    fn compare(&mut self, what: &str, expected: &impl Serialize, found: &impl Serialize) {
        let (expected, found) = (json(expected), json(found));
        if expected != found {
            self.found.push(format!("{what}: expected {expected}, found {found}"));
        }
    }

    fn steps(&mut self, model: &Value, report: &PipelineTestReport) {
        let steps = model["steps"].as_object().expect("`steps` is an object");
        let names: BTreeSet<&str> = steps.keys().map(String::as_str).collect();
        let found: BTreeSet<&str> = report.script_results.keys().map(|name| name.as_str()).collect();
        self.compare("steps", &names, &found);
        for (name, step) in steps {
            let Some(result) = report.script_results.get(name.as_str()) else { continue };
            let status = json(&result.status);
            self.compare(&format!("step {name}"), &step["status"], &status["kind"]);
            // A failure and a reason are named where they matter.
            for (key, found) in
                [("failure", &status["failure"]["kind"]), ("reason", &status["reason"]["kind"])]
            {
                if step[key].is_string() {
                    self.compare(&format!("step {name}, {key}"), &step[key], found);
                }
            }
            let said = result.error_message().unwrap_or_default();
            self.found.extend(
                missing_words(&step["says"], &said)
                    .into_iter()
                    .map(|missing| format!("step {name}: {missing}")),
            );
            let kind = |note| json(note)["kind"].as_str().expect("each note has a kind").to_owned();
            let notes = result.notes.iter().map(kind).collect();
            self.notes(&format!("step {name}"), &model["step_notes"][name], &notes);
        }
    }

    fn edges(&mut self, model: &Value, report: &PipelineTestReport) {
        let edges = model["edges"].as_object().expect("`edges` is an object");
        let names: BTreeSet<&str> = edges.keys().map(String::as_str).collect();
        let found: BTreeSet<&str> = report.data_flow_results.keys().map(String::as_str).collect();
        self.compare("edges", &names, &found);
        for (name, edge) in edges {
            let Some(result) = report.data_flow_results.get(name) else { continue };
            self.compare(&format!("edge {name}"), &edge["verdict"], &result.verdict.as_str());
            let issues = json(&result.issues);
            let issues = issues.as_array().expect("a list");
            let found: BTreeSet<&str> = result.issues.iter().map(|issue| issue.as_str()).collect();
            self.compare(&format!("edge {name}, issues"), &words(&edge["issues"]), &found);
            if edge["columns"].is_array() {
                let found: BTreeSet<String> = result.issues.iter().filter_map(column).collect();
                self.compare(&format!("edge {name}, columns"), &words(&edge["columns"]), &found);
            }
            if edge["causes"].is_array() {
                let found: BTreeSet<&str> =
                    issues.iter().filter_map(|issue| issue["blame"]["kind"].as_str()).collect();
                self.compare(&format!("edge {name}, causes"), &words(&edge["causes"]), &found);
            }
            let said = result.compatibility_issues().join("\n");
            self.found.extend(
                missing_words(&edge["says"], &said)
                    .into_iter()
                    .map(|missing| format!("edge {name}: {missing}")),
            );
            let notes = result.notes.iter().map(|note| note.as_str().to_owned()).collect();
            self.notes(&format!("edge {name}"), &model["notes"][name], &notes);
        }
    }

    /// Compares kinds of notes with those of a model: exactly where it gives any, else there must be none that weaken the
    /// verdict. What ends in `?` may be there and need not.
    fn notes(&mut self, what: &str, model: &Value, found: &BTreeSet<String>) {
        let (optional, required): (BTreeSet<String>, BTreeSet<String>) =
            words(model).into_iter().partition(|kind| kind.ends_with('?'));
        let optional: BTreeSet<&str> = optional.iter().map(|kind| kind.trim_end_matches('?')).collect();
        let counted: BTreeSet<&str> = found
            .iter()
            .map(String::as_str)
            .filter(|kind| model.is_array() || WEAKENING.contains(kind))
            .filter(|kind| !optional.contains(kind))
            .collect();
        self.compare(&format!("{what}, notes"), &required, &counted);
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("plain data")
}

/// The words of a list, none where there is no list.
pub(crate) fn words(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().map(|word| word.as_str().expect("a word").to_owned()).collect()
}

fn column(issue: &runtime_testing::EdgeIssue) -> Option<String> {
    match issue {
        runtime_testing::EdgeIssue::Data { difference, .. } => difference.column().map(str::to_owned),
        _ => None,
    }
}
