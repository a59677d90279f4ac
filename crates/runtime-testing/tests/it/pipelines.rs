//! Pipelines as users have them.

use camino::Utf8Path;
use runtime_testing::{
    InputSource, PipelineFile, PipelineTestReport, PipelineTestingSpecBuilder, RunKind, RuntimeTester,
    RuntimeTestingConfiguration, TesterSettings, Validation,
};

use crate::workbench::{Copy, fixtures};

fn test(folder: &Utf8Path, python: Option<&str>) -> PipelineTestReport {
    let text = std::fs::read_to_string(folder.join("pipeline.json")).expect("a pipeline file");
    let dag = PipelineFile::parse(&text).expect("a valid pipeline file").into_dag();
    let builder = PipelineTestingSpecBuilder::new(folder.join("test_workspace"));
    let spec = builder.build_from_dag(&dag, Validation::Required).expect("complete specs");
    let mut settings = TesterSettings { base_folder: Some(folder.to_owned()), ..TesterSettings::default() };
    if let Some(python) = python {
        settings.python = python.into();
    }
    let tester = RuntimeTester::new(RuntimeTestingConfiguration::new(spec)).with_settings(settings);
    tester.test_pipeline().expect("the test can be carried out")
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
    let Ok(python) = std::env::var("RUNTIME_TESTING_PANDAS_PYTHON") else {
        // A machine with nothing but Python tests the plain pipeline; CI has an interpreter with pandas and says so.
        assert!(
            std::env::var_os("RUNTIME_TESTING_REQUIRE_PANDAS").is_none(),
            "no interpreter with pandas was named"
        );
        return;
    };
    let copy = Copy::of(&fixtures("pipelines/flights"));
    let report = test(&copy.path, Some(&python));
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    insta::assert_json_snapshot!("flights", report.snapshot());
}
