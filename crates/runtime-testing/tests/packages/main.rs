//! Pipelines as users have them, with packages that are not on every machine. Without an interpreter that has them, these
//! tests are ignored.

use std::process::ExitCode;

use libtest_mimic::Arguments;
use runtime_testing::{Event, Isolation, ReportSnapshot, TesterSettings};

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

/// How often each setting is tried: once, unless `RUNTIME_TESTING_ROUNDS` says more.
fn rounds() -> usize {
    std::env::var("RUNTIME_TESTING_ROUNDS").map_or(1, |rounds| rounds.parse().expect("a number"))
}

fn the_pandas_pipeline_passes(python: &str) {
    insta::assert_json_snapshot!("flights", snapshot_in_every_setting("pipelines/flights", python));
}

/// Threads and OpenMP in forks, as NumPy, scikit-learn, XGBoost and LightGBM start them.
fn libraries_with_threads_work_in_forks(python: &str) {
    snapshot_in_every_setting("pipelines/learners", python);
}

/// The one snapshot of a pipeline that passes, whatever the isolation and the number of jobs. Nothing falls back to fresh
/// interpreters.
fn snapshot_in_every_setting(pipeline: &str, python: &str) -> ReportSnapshot {
    let settings = [Isolation::Fresh, Isolation::Forked]
        .into_iter()
        .flat_map(|isolation| [1, 2, 8].map(|jobs| (isolation, jobs)));
    let settings = std::iter::repeat_n(settings, rounds()).flatten();
    let mut snapshots = settings.map(|(isolation, jobs)| {
        let copy = Copy::of(&fixtures(pipeline));
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
        (isolation, jobs, report.snapshot())
    });
    let (.., first) = snapshots.next().expect("there are settings");
    for (isolation, jobs, snapshot) in snapshots {
        assert_eq!(snapshot.to_string(), first.to_string(), "{isolation}, {jobs} jobs");
    }
    first
}
