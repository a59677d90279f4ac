//! Pipelines as users have them.

use camino::Utf8Path;
use runtime_testing::{
    Event, InputSource, Isolation, PipelineFile, PipelineTestReport, PipelineTestingSpecBuilder, RunKind,
    RuntimeTester, TesterSettings, Validation,
};

use crate::workbench::{Copy, fixtures};

fn test(folder: &Utf8Path, python: Option<&str>) -> PipelineTestReport {
    let mut settings = TesterSettings::default();
    if let Some(python) = python {
        settings.python = python.into();
    }
    tester(folder, settings).test_pipeline().expect("the test can be carried out")
}

fn tester(folder: &Utf8Path, settings: TesterSettings) -> RuntimeTester {
    let text = std::fs::read_to_string(folder.join("pipeline.json")).expect("a pipeline file");
    let dag = PipelineFile::parse(&text).expect("a valid pipeline file").into_dag();
    let builder = PipelineTestingSpecBuilder::new(folder.join("test_workspace"));
    let spec = builder.build_from_dag(&dag, Validation::Required).expect("complete specs");
    let settings = TesterSettings { base_folder: Some(folder.to_owned()), ..settings };
    RuntimeTester::new(spec).with_settings(settings)
}

/// An interpreter with the packages that `requirements.txt` of the fixtures pin, where there is one. A machine with
/// nothing but Python tests the plain pipeline; CI has one and says so.
fn python_with_packages() -> Option<String> {
    let python = std::env::var("RUNTIME_TESTING_PANDAS_PYTHON").ok();
    assert!(
        python.is_some() || std::env::var_os("RUNTIME_TESTING_REQUIRE_PANDAS").is_none(),
        "no interpreter with pandas was named"
    );
    python
}

#[test]
fn the_plain_python_pipeline_passes_and_its_snapshot_is_the_same_everywhere() {
    let (here, there) =
        (Copy::of(&fixtures("pipelines/penguins")), Copy::of(&fixtures("pipelines/penguins")));
    let report = test(&here.path, None);
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    let other = test(&there.path, None);
    assert_eq!(report.snapshot().to_string(), other.snapshot().to_string());
    insta::assert_json_snapshot!("penguins", report.snapshot());
}

/// Where the process that [`snapshots_do_not_depend_on_locale_or_time_zone`] starts is to leave its snapshot.
const SNAPSHOT_FILE: &str = "RUNTIME_TESTING_SNAPSHOT_FILE";

#[test]
fn snapshots_do_not_depend_on_locale_or_time_zone() {
    if let Some(file) = std::env::var_os(SNAPSHOT_FILE) {
        let copy = Copy::of(&fixtures("pipelines/penguins"));
        std::fs::write(file, test(&copy.path, None).snapshot().to_string()).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "pipelines::snapshots_do_not_depend_on_locale_or_time_zone";
    let users = [("C", "UTC", "ann"), ("de_DE.ISO-8859-1", "Asia/Kathmandu", "bob")];
    let snapshots: Vec<String> = users
        .iter()
        .map(|(locale, time_zone, user)| {
            let file = folder.path().join(user);
            let status = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name])
                .env(SNAPSHOT_FILE, &file)
                .envs([("LC_ALL", locale), ("LANG", locale), ("TZ", time_zone), ("USER", user)])
                .env("HOME", folder.path())
                .status()
                .unwrap();
            assert!(status.success());
            std::fs::read_to_string(file).unwrap()
        })
        .collect();
    assert_eq!(snapshots[0], snapshots[1]);
}

#[test]
fn a_second_test_in_the_same_folder_says_the_same() {
    let copy = Copy::of(&fixtures("pipelines/penguins"));
    let first = test(&copy.path, None);
    // What the first test published lies at the output paths now, and must not count as anybody's own input.
    let second = test(&copy.path, None);
    assert_eq!(first.snapshot().to_string(), second.snapshot().to_string());
}

#[test]
fn every_step_of_a_flow_is_fed_by_all_of_its_upstream_steps() {
    let copy = Copy::of(&fixtures("pipelines/penguins"));
    let report = test(&copy.path, None);
    let run = report.script_results["report"]
        .runs
        .iter()
        .find(|run| run.kinds.contains(&RunKind::Flow))
        .expect("a flow run");
    let mut upstream: Vec<&str> = run
        .inputs
        .values()
        .filter_map(|input| match &input.source {
            InputSource::Upstream { step, .. } => Some(step.as_str()),
            _ => None,
        })
        .collect();
    upstream.sort_unstable();
    upstream.dedup();
    assert_eq!(upstream, ["describe", "evaluate", "ingest", "train"]);
}

/// Needs pandas and pyarrow: `RUNTIME_TESTING_PANDAS_PYTHON` names an interpreter that has them.
#[cfg(feature = "parquet")]
#[test]
fn the_pandas_pipeline_passes() {
    let Some(python) = python_with_packages() else { return };
    let copy = Copy::of(&fixtures("pipelines/flights"));
    let report = test(&copy.path, Some(&python));
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    insta::assert_json_snapshot!("flights", report.snapshot());
}

/// Threads and OpenMP in forks, as NumPy, scikit-learn, XGBoost and LightGBM start them.
#[cfg(all(target_os = "linux", feature = "parquet"))]
#[test]
fn libraries_with_threads_work_in_forks() {
    let Some(python) = python_with_packages() else { return };
    let mut snapshots = Vec::new();
    for (isolation, jobs) in
        [(Isolation::Fresh, 2), (Isolation::Forked, 1), (Isolation::Forked, 2), (Isolation::Forked, 8)]
    {
        let copy = Copy::of(&fixtures("pipelines/learners"));
        let jobs = jobs.try_into().expect("not zero");
        let settings =
            TesterSettings { python: python.clone().into(), isolation, jobs, ..TesterSettings::default() };
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
