//! What is left to mend, from the tests that are recorded.

use runtime_testing_models::{PipelineTestReport, RuntimeTestingConfiguration, Selection, StepName};
use runtime_testing_tester::{RecordedTestError, RuntimeTester, last_failures, last_report};

use crate::space::{COPY, Space, script, step};

const BROKEN: &str = "def main(input_paths, output_paths, environ_vars, job_args):\n    raise ValueError\n";

/// `clean` feeds `train`, which feeds `score`; `other` stands alone.
fn space() -> Space {
    Space::new()
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("train", COPY, &["rows=output/rows.csv"], &["model=output/model.csv"])
        .step("score", COPY, &["model=output/model.csv"], &["scores=output/scores.csv"])
        .step("other", COPY, &["raw=data/raw.csv"], &["rows=output/other.csv"])
        .edge("clean", "train")
        .edge("train", "score")
}

fn test(space: &Space, selection: Option<Selection>) -> PipelineTestReport {
    let mut configuration = RuntimeTestingConfiguration::new(space.pipeline());
    configuration.selection = selection;
    let tester = RuntimeTester::new(configuration).with_settings(space.settings());
    tester.test_pipeline().expect("the test can be carried out")
}

fn failures(space: &Space) -> Result<Vec<StepName>, RecordedTestError> {
    last_failures(&space.root.join("workspace"), &space.pipeline().dag)
}

#[track_caller]
fn check(space: &Space, expected: &[&str]) {
    let failed = failures(space).expect("a test is recorded");
    assert_eq!(failed.iter().map(|step| step.as_str()).collect::<Vec<_>>(), expected);
}

#[test]
fn what_failed_is_left_until_it_has_passed() {
    let space =
        space().write("workspace/scripts/train.py", BROKEN).write("workspace/scripts/other.py", BROKEN);
    test(&space, None);
    check(&space, &["train", "score", "other"]);
    // Tests of parts count, whether they mend something or not.
    let space = space.write("workspace/scripts/train.py", COPY);
    let again = Selection::with_upstream(&failures(&space).expect("a test is recorded"));
    let report = test(&space, Some(again));
    assert_eq!(report.script_results.len(), 4, "what failed, and what it needs");
    check(&space, &["other"]);
    test(&space, Some("clean".into()));
    check(&space, &["other"]);
    let space = space.write("workspace/scripts/other.py", COPY);
    test(&space, Some("other".into()));
    check(&space, &[]);
    // A step by itself is no test of the pipeline.
    let space = space.write("workspace/scripts/clean.py", BROKEN);
    let alone = space.tester().test_script(&script("clean"), None).expect("it can be tested");
    assert!(!alone.success());
    check(&space, &[]);
    test(&space, None);
    check(&space, &["clean", "train", "score"]);
}

#[test]
fn an_edge_that_is_not_compatible_leaves_its_consumer() {
    let rename = "
def main(input_paths, output_paths, environ_vars, job_args):
    with open(output_paths['rows'], 'w') as out:
        out.write('number,amount\\n1,2.5\\n')
";
    let space = Space::new()
        .write("data/rows.csv", "id,amount\n1,2.5\n")
        .step("clean", rename, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("train", COPY, &["rows=data/rows.csv"], &["model=output/model.csv"])
        .edge("clean", "train");
    let report = test(&space, None);
    assert!(report.script_results.values().all(|result| result.success()), "{:?}", report.errors());
    check(&space, &["train"]);
}

#[test]
fn a_test_in_which_nothing_could_be_run_is_recorded() {
    let space = Space::new().step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
    test(&space, None);
    check(&space, &[]);
    let space = space.write("workspace/scripts/clean.py", "def run(): pass\n");
    let report = test(&space, None);
    assert_eq!(report.run_id, None);
    check(&space, &["clean"]);
    let workspace = space.root.join("workspace");
    assert_eq!(last_report(&workspace).expect("it can be read"), Some(report));
}

#[test]
fn where_nothing_is_recorded() {
    let space = space();
    let workspace = space.root.join("workspace");
    assert_eq!(last_report(&workspace).expect("nothing is no error"), None);
    let error = failures(&space).expect_err("there is no test");
    assert!(matches!(error, RecordedTestError::NoTest { .. }), "{error:?}");
    // Nor is there one of this pipeline after a test of another.
    space.tester().test_script(&script("clean"), None).expect("it can be tested");
    assert!(last_report(&workspace).expect("it can be read").is_some());
    assert!(matches!(failures(&space), Err(RecordedTestError::NoTest { .. })));
    let report = last_report(&workspace).expect("it can be read").expect("a report");
    assert_eq!(report.script_results.keys().collect::<Vec<_>>(), [&step("clean")]);
}

#[test]
fn a_test_without_a_report_may_have_failed() {
    let space = space();
    let first = test(&space, None);
    let folder = |report: &PipelineTestReport| {
        space.root.join("workspace/.runs").join(report.run_id.as_ref().expect("something was run"))
    };
    check(&space, &[]);
    let second = test(&space, Some("clean".into()));
    std::fs::remove_file(folder(&second).join("report.json")).expect("the report is there");
    let error = failures(&space).expect_err("it is not known what failed");
    assert!(matches!(&error, RecordedTestError::NotRecorded { test } if *test == folder(&second)), "{error}");
    // What goes on has no report yet.
    let lock = std::fs::File::open(folder(&second).join(".lock")).expect("a test has a lock");
    lock.lock().expect("nobody has it");
    check(&space, &[]);
    drop(lock);
    test(&space, None);
    check(&space, &[]);
    std::fs::remove_file(folder(&first).join("report.json")).expect("the report is there");
    check(&space, &[]);
}
