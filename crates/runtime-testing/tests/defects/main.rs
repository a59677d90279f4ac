//! Small pipelines, each with one thing wrong or one suspicious thing that is right, against the model of what each must
//! yield: verdict and blame. Each is tested in fresh interpreters and in forks, which are a trial each.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use runtime_testing::{
    Isolation, PipelineFile, PipelineTestReport, PipelineTestingSpecBuilder, RuntimeTester,
    RuntimeTestingConfiguration, TesterSettings, Validation,
};
use serde_json::Value;

#[path = "../common/model.rs"]
mod model;
#[path = "../common/workbench.rs"]
mod workbench;

use model::{Snapshots, differences, folders_in, missing_words, outcome};
use workbench::{Copy, fixtures};

/// How many cases there are. Change it with them: one that is lost is noticed.
const CASES: usize = 263;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A trial waits more than it works.
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    arguments.test_threads.get_or_insert(processors * 2);
    let cases = folders_in(&fixtures("defects"));
    let (snapshots, found) = (Arc::new(Snapshots::default()), cases.len());
    let mut trials = vec![Trial::test("number_of_cases", move || {
        assert_eq!(found, CASES, "folders in fixtures/defects");
        Ok(())
    })];
    for case in &cases {
        for isolation in Isolation::ALL {
            let name = format!("{case}::{isolation}");
            let (case, snapshots) = (case.clone(), Arc::clone(&snapshots));
            trials.push(Trial::test(name, move || outcome(&check(&case, isolation, &[1, 8], &snapshots))));
        }
    }
    // All settings side by side take several minutes.
    for case in cases {
        let name = format!("equal_snapshots::{case}");
        let equal = move || {
            let snapshots = Snapshots::default();
            let wrong = Isolation::ALL.map(|isolation| check(&case, isolation, &[1, 2, 8], &snapshots));
            outcome(&wrong.concat())
        };
        trials.push(Trial::test(name, equal).with_ignored_flag(true));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Everything in which the outcomes of a case differ from its model.
fn check(case: &str, isolation: Isolation, jobs: &[usize], snapshots: &Snapshots) -> Vec<String> {
    let source = fixtures("defects").join(case);
    let expected = std::fs::read_to_string(source.join("expected.json")).expect("a model");
    let expected: Value = serde_json::from_str(&expected).expect("a model in JSON");
    let mut wrong = Vec::new();
    for &jobs in jobs {
        let copy = Copy::of(&source);
        let settings = format!("{isolation}, {jobs} jobs");
        let outcome = run(&copy, &expected, isolation, jobs);
        let mut problems = Vec::new();
        if let Ok(report) = &outcome {
            problems.extend(snapshots.difference(case, &settings, &report.snapshot().to_string()));
        }
        problems.extend(match (expected.get("refused"), outcome) {
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
        });
        wrong.extend(problems.into_iter().map(|problem| format!("{settings}: {problem}")));
    }
    wrong
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
