//! Pipelines as users have them.

use camino::Utf8Path;
use runtime_testing::{InputSource, PipelineTestReport, RunKind, TesterSettings};

use crate::project::tester;
use crate::workbench::{Copy, fixtures};

fn test(folder: &Utf8Path) -> PipelineTestReport {
    tester(folder, TesterSettings::default()).test_pipeline().expect("the test can be carried out")
}

#[test]
fn the_plain_python_pipeline_passes_and_its_snapshot_is_the_same_everywhere() {
    let (here, there) =
        (Copy::of(&fixtures("pipelines/penguins")), Copy::of(&fixtures("pipelines/penguins")));
    let report = test(&here.path);
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
    let other = test(&there.path);
    assert_eq!(report.snapshot().to_string(), other.snapshot().to_string());
    insta::assert_json_snapshot!("penguins", report.snapshot());
}

/// Where the process that [`snapshots_do_not_depend_on_locale_or_time_zone`] starts is to leave its snapshot.
const SNAPSHOT_FILE: &str = "RUNTIME_TESTING_SNAPSHOT_FILE";

#[test]
fn snapshots_do_not_depend_on_locale_or_time_zone() {
    if let Some(file) = std::env::var_os(SNAPSHOT_FILE) {
        let copy = Copy::of(&fixtures("pipelines/penguins"));
        std::fs::write(file, test(&copy.path).snapshot().to_string()).unwrap();
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
    let first = test(&copy.path);
    // What the first test published lies at the output paths now, and must not count as anybody's own input.
    let second = test(&copy.path);
    assert_eq!(first.snapshot().to_string(), second.snapshot().to_string());
}

#[test]
fn every_step_of_a_flow_is_fed_by_all_of_its_upstream_steps() {
    let copy = Copy::of(&fixtures("pipelines/penguins"));
    let report = test(&copy.path);
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
