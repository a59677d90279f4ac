//! Pipelines as users have them, with packages that are not on every machine. Without an interpreter that has them, these
//! tests are ignored.

use std::process::ExitCode;

use libtest_mimic::Arguments;
use runtime_testing::{Event, Isolation, TesterSettings};

#[path = "../common/packages.rs"]
mod packages;
#[path = "../common/project.rs"]
mod project;
#[path = "../common/tools.rs"]
mod tools;
#[path = "../common/workbench.rs"]
mod workbench;

use packages::python_with;
use project::tester;
use tools::trial;
use workbench::{Copy, fixtures};

fn main() -> ExitCode {
    let mut trials = vec![trial(
        "the_pandas_pipeline_passes",
        || python_with("pandas and pyarrow"),
        |python| the_pandas_pipeline_passes(&python),
    )];
    if cfg!(target_os = "linux") {
        trials.push(trial(
            "libraries_with_threads_work_in_forks",
            || python_with("scikit-learn, XGBoost and LightGBM"),
            |python| libraries_with_threads_work_in_forks(&python),
        ));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn the_pandas_pipeline_passes(python: &str) {
    let copy = Copy::of(&fixtures("pipelines/flights"));
    let settings = TesterSettings { python: python.into(), ..TesterSettings::default() };
    let report = tester(&copy.path, settings).test_pipeline().expect("the test can be carried out");
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    insta::assert_json_snapshot!("flights", report.snapshot());
}

/// Threads and OpenMP in forks, as NumPy, scikit-learn, XGBoost and LightGBM start them.
fn libraries_with_threads_work_in_forks(python: &str) {
    let mut snapshots = Vec::new();
    for (isolation, jobs) in
        [(Isolation::Fresh, 2), (Isolation::Forked, 1), (Isolation::Forked, 2), (Isolation::Forked, 8)]
    {
        let copy = Copy::of(&fixtures("pipelines/learners"));
        let jobs = jobs.try_into().expect("not zero");
        let settings = TesterSettings { python: python.into(), isolation, jobs, ..TesterSettings::default() };
        let tester = tester(&copy.path, settings).with_reporter(|event: &Event<'_>| {
            if let Event::RunNotForked { step, reason } = event {
                panic!("{step} was not forked: {reason}");
            }
        });
        let report = tester.test_pipeline().expect("the test can be carried out");
        assert!(report.pipeline_success(), "{isolation}, {jobs} jobs: {}", report.errors().join("\n"));
        for (step, result) in &report.script_results {
            assert!(result.runs.iter().all(|run| run.leaked.is_empty()), "{step} left something running");
        }
        snapshots.push(report.snapshot().to_string());
    }
    snapshots.dedup();
    assert_eq!(snapshots.len(), 1);
}
