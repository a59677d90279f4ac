//! Small pipelines, each with one thing wrong or one suspicious thing that is right, against the model of what each must
//! yield: verdict and blame.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use runtime_testing::{
    Isolation, PipelineFile, PipelineTestReport, PipelineTestingSpecBuilder, RuntimeTester,
    RuntimeTestingConfiguration, TesterSettings, Validation,
};
use serde_json::Value;

use crate::workbench::{Copy, fixtures, folders_in};

#[test]
fn every_defect_is_judged_and_blamed_as_its_model_says() {
    let cases = folders_in(&fixtures("defects"));
    let chosen = std::env::var("DEFECT").ok();
    let cases: Vec<&String> =
        cases.iter().filter(|case| chosen.as_ref().is_none_or(|chosen| *case == chosen)).collect();
    assert!(chosen.is_some() || cases.len() >= 40, "only {} cases were found", cases.len());
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(2, |count| count.get() * 2);
    let mut wrong: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut wrong = Vec::new();
            while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                wrong.extend(check(case).into_iter().map(|problem| format!("{case}: {problem}")));
            }
            wrong
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a case panicked")).collect()
    });
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Everything in which the outcome of a case differs from its model.
fn check(case: &str) -> Vec<String> {
    let source = fixtures("defects").join(case);
    let expected = std::fs::read_to_string(source.join("expected.json")).expect("a model");
    let expected: Value = serde_json::from_str(&expected).expect("a model in JSON");
    let mut wrong = Vec::new();
    let mut snapshots = BTreeSet::new();
    for isolation in Isolation::ALL {
        for jobs in [1, 8] {
            let copy = Copy::of(&source);
            let outcome = run(&copy, &expected, isolation, jobs);
            if let Ok(report) = &outcome {
                snapshots.insert(report.snapshot().to_string());
            }
            let problems = match (expected.get("refused"), outcome) {
                (Some(words), Ok(report)) => {
                    vec![format!("not refused, though {words}; success is {}", report.pipeline_success())]
                }
                (Some(words), Err(message)) => {
                    let mut wrong = missing_words(words, &message);
                    if copy.path.join("test_workspace/.runs").exists() || copy.path.join("output").exists() {
                        wrong.push("something was run or written before it was refused".to_owned());
                    }
                    wrong
                }
                (None, Err(message)) => vec![format!("could not be tested: {message}")],
                (None, Ok(report)) => differences(&expected, &report),
            };
            wrong.extend(problems.into_iter().map(|problem| format!("{isolation}, {jobs} jobs: {problem}")));
        }
    }
    if snapshots.len() > 1 {
        wrong
            .push(format!("the snapshots differ:\n{}", snapshots.into_iter().collect::<Vec<_>>().join("\n")));
    }
    wrong
}

fn missing_words(words: &Value, message: &str) -> Vec<String> {
    let lower = message.to_lowercase();
    let words =
        words.as_array().expect("`refused` is a list").iter().map(|word| word.as_str().expect("words"));
    words
        .filter(|word| !lower.contains(&word.to_lowercase()))
        .map(|word| format!("`{word}` is not in the message: {message}"))
        .collect()
}

fn run(
    copy: &Copy,
    expected: &Value,
    isolation: Isolation,
    jobs: usize,
) -> Result<PipelineTestReport, String> {
    let text = std::fs::read_to_string(copy.path.join("pipeline.json")).expect("a pipeline file");
    let dag = PipelineFile::parse(&text).map_err(|error| error.to_string())?.into_dag();
    let builder = PipelineTestingSpecBuilder::new(copy.path.join("test_workspace"));
    let spec = builder.build_from_dag(&dag, Validation::Required).map_err(|error| error.to_string())?;
    let mut configuration = RuntimeTestingConfiguration::new(spec);
    let settings = &expected["settings"];
    for part in settings["skip"].as_array().into_iter().flatten() {
        match part.as_str() {
            Some("individual") => configuration.test_individual_scripts = false,
            Some("compatibility") => configuration.test_data_compatibility = false,
            Some("flow") => configuration.test_pipeline_flow = false,
            _ => panic!("unknown part {part}"),
        }
    }
    let timeout =
        settings["timeout_seconds"].as_f64().map_or(Duration::from_secs(120), Duration::from_secs_f64);
    let settings = TesterSettings {
        base_folder: Some(copy.path.clone()),
        timeout,
        isolation,
        jobs: jobs.try_into().expect("not zero"),
        ..TesterSettings::default()
    };
    let tester = RuntimeTester::new(configuration).with_settings(settings);
    tester.test_pipeline().map_err(|error| error.to_string())
}

fn differences(expected: &Value, report: &PipelineTestReport) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut compare = |what: &str, expected: String, found: String| {
        if expected != found {
            wrong.push(format!("{what}: expected {expected}, found {found}"));
        }
    };
    compare("success", expected["success"].to_string(), report.pipeline_success().to_string());

    let words = |value: &Value| -> BTreeSet<String> {
        value.as_array().into_iter().flatten().map(|word| word.as_str().expect("a word").to_owned()).collect()
    };
    let steps = expected["steps"].as_object().expect("`steps` is an object");
    let expected_steps: BTreeMap<&str, (String, Option<String>)> = steps
        .iter()
        .map(|(step, model)| {
            let failure = model["failure"].as_str().map(str::to_owned);
            (step.as_str(), (model["status"].as_str().expect("a status").to_owned(), failure))
        })
        .collect();
    let found_steps: BTreeMap<&str, (String, Option<String>)> = report
        .script_results
        .iter()
        .map(|(step, result)| {
            // The model names a failure where it matters.
            let named = steps.get(step.as_str()).is_some_and(|model| model["failure"].is_string());
            let failure =
                result.status.failure().filter(|_| named).map(|failure| failure.as_str().to_owned());
            (step.as_str(), (result.status.as_str().to_owned(), failure))
        })
        .collect();
    compare("steps", format!("{expected_steps:?}"), format!("{found_steps:?}"));

    let edges = expected["edges"].as_object().expect("`edges` is an object");
    let names: BTreeSet<&str> = edges.keys().map(String::as_str).collect();
    let found_names: BTreeSet<&str> = report.data_flow_results.keys().map(String::as_str).collect();
    compare("edges", format!("{names:?}"), format!("{found_names:?}"));
    for (edge, model) in edges {
        let Some(found) = report.data_flow_results.get(edge) else { continue };
        let verdict = model["verdict"].as_str().expect("a verdict");
        compare(edge, verdict.to_owned(), found.verdict.as_str().to_owned());
        let issues: BTreeSet<String> = found.issues.iter().map(|issue| issue.as_str().to_owned()).collect();
        compare(edge, format!("{:?}", words(&model["issues"])), format!("{issues:?}"));
        if model["columns"].is_array() {
            let columns: BTreeSet<String> = found.issues.iter().filter_map(column).collect();
            compare(edge, format!("{:?}", words(&model["columns"])), format!("{columns:?}"));
        }
        if model["causes"].is_array() {
            let causes: BTreeSet<String> = found.issues.iter().filter_map(cause).collect();
            compare(edge, format!("{:?}", words(&model["causes"])), format!("{causes:?}"));
        }
        let notes: BTreeSet<String> = found.notes.iter().map(|note| note.as_str().to_owned()).collect();
        let missing: Vec<String> = words(&expected["notes"][edge]).difference(&notes).cloned().collect();
        compare(edge, "[]".to_owned(), format!("{missing:?}"));
    }

    let blame: BTreeSet<String> = report.culprits().iter().map(ToString::to_string).collect();
    compare("blame", format!("{:?}", words(&expected["blame"])), format!("{blame:?}"));
    if !wrong.is_empty() {
        wrong.push(format!("errors were {:?}", report.errors()));
    }
    wrong
}

fn column(issue: &runtime_testing::EdgeIssue) -> Option<String> {
    match issue {
        runtime_testing::EdgeIssue::Data { difference, .. } => difference.column().map(str::to_owned),
        _ => None,
    }
}

fn cause(issue: &runtime_testing::EdgeIssue) -> Option<String> {
    match issue {
        runtime_testing::EdgeIssue::ConsumerFailed { blame, .. } => {
            let blame = serde_json::to_value(blame).expect("plain data");
            Some(blame["kind"].as_str().expect("a kind").to_owned())
        }
        _ => None,
    }
}
