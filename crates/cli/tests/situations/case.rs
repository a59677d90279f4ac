//! A case and its model, as `fixtures/situations/README.md` describes it.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing::{Isolation, PipelineTestReport, ScriptTestResult, TextOptions, render_text};
use serde_json::Value;

use crate::model::{Snapshots, differences, missing_words, words};
use crate::project::{Project, Tested};
use crate::workbench::{copy, fixtures};

pub(crate) struct Case {
    name: String,
    source: Utf8PathBuf,
    pub(crate) model: Value,
}

impl Case {
    pub(crate) fn load(name: &str) -> Self {
        let source = fixtures("situations").join(name);
        let model = std::fs::read_to_string(source.join("expected.json")).expect("a model");
        let model = serde_json::from_str(&model).expect("a model in JSON");
        Self { name: name.to_owned(), source, model }
    }

    /// Everything in which the outcomes of the case differ from its model. With eight jobs it is tested again in the same
    /// folder, unchanged and after each change that the model lists, and must come to what a clean copy comes to.
    pub(crate) fn check(&self, isolation: Isolation, python: &str, snapshots: &Snapshots) -> Vec<String> {
        let mut wrong = Vec::new();
        for jobs in [1, 2, 8] {
            let settings = format!("{isolation}, {jobs} jobs");
            let model = merged(&self.model, if jobs > 1 { &self.model["in_parallel"] } else { &Value::Null });
            let project = self.project();
            let mut look = |what: &str, case: &str, model: &Value, project: &Project| {
                let tested = project.test(model, isolation, python, jobs);
                let mut problems = problems(model, project, &tested, jobs);
                if let Some(report) = tested.report.as_ref().filter(|_| model["unequal_snapshots"] != true) {
                    let settings = format!("{settings}{what}");
                    problems.extend(snapshots.difference(case, &settings, &report.snapshot().to_string()));
                }
                wrong.extend(problems.into_iter().map(|problem| format!("{settings}{what}: {problem}")));
            };
            look("", &self.name, &model, &project);
            if jobs != 8 {
                continue;
            }
            look(", a second test", &self.name, &model, &project);
            let mut model = model;
            let changes = self.model["again"].as_array().map(Vec::as_slice).unwrap_or_default();
            for (at, change) in changes.iter().enumerate() {
                model = merged(&model, change);
                self.apply(&changes[at..=at], project.base());
                let (case, clean) = (format!("{}, change {at}", self.name), self.project());
                self.apply(&changes[..=at], clean.base());
                look(&format!(", after change {at}"), &case, &model, &project);
                look(&format!(", after change {at}, in a clean copy"), &case, &model, &clean);
            }
        }
        wrong
    }

    fn project(&self) -> Project {
        let project = Project::of(&self.source);
        for change in self.model["again"].as_array().into_iter().flatten() {
            let overlay = project.base().join(change["overlay"].as_str().expect("a folder"));
            std::fs::remove_dir_all(overlay).expect("what changes later is not there yet");
        }
        for number in 0..self.model["entries"].as_u64().unwrap_or_default() {
            std::fs::write(project.base().join(format!("entry_{number:04}")), "").expect("a new file");
        }
        project
    }

    /// Makes the changes in a copy: the files of a folder of the case come over those of the copy, then some go.
    fn apply(&self, changes: &[Value], base: &Utf8Path) {
        for change in changes {
            copy(&self.source.join(change["overlay"].as_str().expect("a folder")), base);
            for path in words(&change["removed"]) {
                std::fs::remove_file(base.join(path)).expect("a file to remove");
            }
        }
    }
}

/// The members of a model, those of another in place of its own.
fn merged(model: &Value, other: &Value) -> Value {
    let mut merged = model.as_object().expect("a model is an object").clone();
    merged.extend(other.as_object().cloned().into_iter().flatten());
    Value::Object(merged)
}

fn problems(model: &Value, project: &Project, tested: &Tested, jobs: usize) -> Vec<String> {
    if let Some(words) = model.get("refused") {
        let mut wrong = missing_words(words, &tested.stderr);
        if tested.status != Some(2) {
            wrong.push(format!("it ends with status {:?}, where it must be refused", tested.status));
        }
        return wrong;
    }
    let Some(report) = &tested.report else {
        return vec![format!("there is no report, status {:?}: {}", tested.status, tested.stderr)];
    };
    let mut wrong = differences(model, report);
    let status = i32::from(!report.pipeline_success());
    if tested.status != Some(status) {
        wrong.push(format!("it ends with status {:?}, not {status}", tested.status));
    }
    let text = render_text(report, TextOptions::default());
    for (key, is_wanted) in [("text_contains", true), ("text_lacks", false)] {
        for part in words(&model[key]) {
            let part = project.fill_in(&part, jobs);
            if text.contains(&part) != is_wanted {
                wrong.push(format!("{key} `{part}`, the text is:\n{text}"));
            }
        }
    }
    wrong.extend(problems_of_events(model, tested));
    wrong.extend(problems_on_disk(model, project.base()));
    for (step, result) in &report.script_results {
        let (observed, scratch) = (&model["observed"][step.as_str()], &model["scratch_files"][step.as_str()]);
        let problems =
            [problems_of_observed(observed, result), problems_of_scratch(scratch, result)].concat();
        wrong.extend(problems.into_iter().map(|problem| format!("step {step}: {problem}")));
    }
    wrong.extend(problems_of_repeat(model, project, report));
    wrong
}

fn problems_of_events(model: &Value, tested: &Tested) -> Vec<String> {
    let mut wrong = Vec::new();
    for (key, is_wanted) in [("events", true), ("no_events", false)] {
        for kind in words(&model[key]) {
            let found: Vec<String> = tested
                .events
                .iter()
                .filter(|event| event["event"] == kind.as_str())
                .map(ToString::to_string)
                .collect();
            if found.is_empty() == is_wanted {
                wrong.push(format!("{key} `{kind}`, found {found:?}"));
            }
        }
    }
    wrong
}

fn problems_on_disk(model: &Value, base: &Utf8Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, kind) in model["on_disk"].as_object().into_iter().flatten() {
        let (kind, path) = (kind.as_str().expect("a word"), base.join(path));
        let is_right = match kind {
            "file" => path.is_file(),
            "folder" => path.is_dir(),
            "executable" => is_executable(&path),
            "absent" => path.symlink_metadata().is_err(),
            text => std::fs::read_to_string(&path).is_ok_and(|content| content == text),
        };
        if !is_right {
            wrong.push(format!("on disk, `{path}` must be {kind:?}"));
        }
    }
    let time = |path: &String| base.join(path).metadata().and_then(|data| data.modified()).ok();
    let in_order: Vec<String> = model["written_in_order"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|path| path.as_str().expect("a path").to_owned())
        .collect();
    let times: Vec<_> = in_order.iter().map(time).collect();
    if !times.is_sorted() || times.contains(&None) {
        wrong.push(format!("on disk, the times of {in_order:?} are {times:?}"));
    }
    wrong
}

#[cfg(unix)]
fn is_executable(path: &Utf8Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|data| data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Utf8Path) -> bool {
    path.is_file()
}

/// The runs of a step as they are written.
fn runs(result: &ScriptTestResult) -> impl Iterator<Item = Value> {
    result.runs.iter().map(|run| serde_json::to_value(run).expect("plain data"))
}

/// Each list of the model must be among what was observed in all runs together.
fn problems_of_observed(model: &Value, result: &ScriptTestResult) -> Vec<String> {
    let mut wrong = Vec::new();
    for (key, expected) in model.as_object().into_iter().flatten() {
        let found: BTreeSet<String> =
            runs(result).flat_map(|run| words(&run["observed"][key.as_str()])).collect();
        let expected = words(expected);
        if !expected.is_subset(&found) {
            wrong.push(format!("observed {key}: {expected:?} are not all among {found:?}"));
        }
    }
    wrong
}

/// Each run must have left these files, and no other, in its working directory.
fn problems_of_scratch(model: &Value, result: &ScriptTestResult) -> Vec<String> {
    if !model.is_array() {
        return Vec::new();
    }
    let found: Vec<BTreeSet<String>> = runs(result).map(|run| words(&run["scratch_files"])).collect();
    let is_right = !found.is_empty() && found.iter().all(|found| *found == words(model));
    if is_right { Vec::new() } else { vec![format!("scratch files: expected {model}, found {found:?}")] }
}

fn problems_of_repeat(model: &Value, project: &Project, report: &PipelineTestReport) -> Vec<String> {
    let mut wrong = Vec::new();
    for (step, words) in model["repeat"].as_object().into_iter().flatten() {
        let result = &report.script_results[step.as_str()];
        let failed = result.runs.iter().find(|run| run.failure.is_some());
        let Some(command) = failed.map(|run| run.command.as_str()) else {
            wrong.push(format!("step {step}: no command repeats a run that failed"));
            continue;
        };
        let (status, said) = project.repeat(command);
        if status == Some(0) {
            wrong.push(format!("step {step}: `{command}` passes"));
        }
        wrong.extend(
            missing_words(words, &said)
                .into_iter()
                .map(|missing| format!("step {step}, `{command}`: {missing}")),
        );
    }
    wrong
}
