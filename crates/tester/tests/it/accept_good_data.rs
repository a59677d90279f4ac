//! Contracts come of good data, of what really was handed over, and of whole tests.

use runtime_testing_models::{
    EdgeVerdict, PipelineTestReport, RuntimeTestingConfiguration, StepStatus, UntestedEdge,
};
use runtime_testing_tester::{CancelHandle, Event, RecordedTest, RuntimeTester};

use crate::accept::{accept, project, read_a_sample, save, test, tester, told};
use crate::space::{COPY, Space};

/// Copies the first input to every output.
const COPY_TO_ALL: &str = "
def main(input_paths, output_paths, environ_vars, job_args):
    with open(next(iter(input_paths.values()))) as file:
        text = file.read()
    for path in output_paths.values():
        with open(path, 'w') as out:
            out.write(text)
";

/// Writes a folder of two tables.
const SPLIT: &str = "
import os

def main(input_paths, output_paths, environ_vars, job_args):
    os.makedirs(output_paths['parts'], exist_ok=True)
    for name in ['train.csv', 'test.csv']:
        with open(os.path.join(output_paths['parts'], name), 'w') as out:
            out.write('a\\n1\\n')
";

/// Reads nothing.
const SCORE: &str = "
def main(input_paths, output_paths, environ_vars, job_args):
    with open(output_paths['scores'], 'w') as out:
        out.write('score\\n1\\n')
";

fn test_as(space: &Space, change: impl FnOnce(&mut RuntimeTestingConfiguration)) -> PipelineTestReport {
    let mut configuration = tester(space).configuration().clone();
    change(&mut configuration);
    RuntimeTester::new(configuration).with_settings(space.settings()).test_pipeline().unwrap()
}

#[track_caller]
fn check_not_judged(space: &Space, flow: bool) {
    save(space);
    let report = test_as(space, |configuration| {
        configuration.test_data_compatibility = false;
        configuration.test_pipeline_flow = flow;
    });
    assert!(report.script_results["clean"].success());
    let told = told(space, &[]);
    assert!(told.starts_with("the test did not judge its edges"), "{told}");
}

#[test]
fn edges_that_were_not_judged_are_edges() {
    check_not_judged(&project(), false);
    let broken = "def main(input_paths, output_paths, environ_vars, job_args):\n    1 / 0\n";
    let blocked = Space::new()
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("broken", broken, &["raw=data/raw.csv"], &["people=output/people.csv"])
        .step("join", COPY, &["rows=output/rows.csv", "people=output/people.csv"], &["out=output/out.csv"])
        .edge("clean", "join")
        .edge("broken", "join");
    check_not_judged(&blocked, true);
}

#[test]
fn an_output_makes_no_promise_where_it_is_not_known_what_an_edge_carries() {
    let space = Space::new()
        .step("clean", COPY_TO_ALL, &["raw=data/raw.csv"], &["one=output/one.csv", "two=output/two.csv"])
        .step("train", COPY_TO_ALL, &["left=data/raw.csv", "right=data/raw.csv"], &["model=output/model.csv"])
        .edge("clean", "train");
    save(&space);
    let report = test(&space);
    assert_eq!(report.data_flow_results["clean->train"].issues[0].as_str(), "no_binding");
    assert!(report.script_results.values().all(|result| result.status == StepStatus::Passed));
    insta::assert_snapshot!(told(&space, &[]), @"left out: train, model: the edge `clean->train`, on which it rests, is breaking");
}

#[test]
fn sample_data_makes_no_contracts() {
    let space = Space::new()
        .step("clean", COPY, &["raw=data/none.csv"], &["rows=output/rows.csv"])
        .step("train", COPY, &["rows=output/rows.csv"], &["model=output/model.csv"])
        .step("other", COPY, &["raw=data/raw.csv"], &["copy=output/copy.csv"])
        .edge("clean", "train")
        .with_sample_data();
    save(&space);
    assert!(test(&space).pipeline_success());
    insta::assert_snapshot!(told(&space, &[]), @"
    step other (workspace/.specs/other_runtime_test_spec.json)
      output copy
        + id: integer, no nulls
        + amount: float, no nulls
    left out: train, rows: it comes of sample data, which step `clean` was run on in place of `raw`
    left out: train, model: it comes of sample data, which step `clean` was run on in place of `raw`
    ");
    insta::assert_snapshot!(told(&space, &["train"]), @"
    nothing is accepted:
      train, rows: it comes of sample data, which step `clean` was run on in place of `raw`
      train, model: it comes of sample data, which step `clean` was run on in place of `raw`
    ");
}

#[test]
fn what_came_over_a_breaking_edge_makes_no_contracts() {
    let space = project()
        .step("score", COPY, &["model=output/model.csv"], &["scores=output/scores.csv"])
        .edge("train", "score")
        .write("samples/rows.csv", "id,amount,price\n1,2.5,1\n");
    save(&space);
    read_a_sample(&space);
    let report = test(&space);
    assert_eq!(report.data_flow_results["clean->train"].verdict, EdgeVerdict::Breaking);
    assert!(report.script_results["score"].success());
    insta::assert_snapshot!(told(&space, &[]), @"
    left out: train, rows: the edge from `clean` is breaking: `rows` -> `rows`, rows.csv: column `price` (int64) is missing
    left out: score, model: the edge `clean->train`, on which it rests, is breaking
    left out: score, scores: the edge `clean->train`, on which it rests, is breaking
    ");
}

#[test]
fn a_folder_around_a_file_is_what_was_handed_over() {
    let write = "
import os

def main(input_paths, output_paths, environ_vars, job_args):
    with open(output_paths['rows'], 'w') as out:
        out.write('id,amount\\n1,2.5\\n')
    with open(os.path.join(os.path.dirname(output_paths['rows']), 'beside.csv'), 'w') as out:
        out.write('id\\n1\\n')
";
    let space = Space::new()
        .step("clean", write, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("train", SCORE, &["rows=input/rows"], &["scores=output/scores.csv"])
        .edge("clean", "train");
    save(&space);
    assert!(test(&space).pipeline_success());
    insta::assert_snapshot!(told(&space, &[]), @r"
    step train (workspace/.specs/train_runtime_test_spec.json)
      input rows, from rows of clean
        + beside.csv: id: integer, no nulls
        + rows.csv: id: integer, no nulls
        + rows.csv: amount: float, no nulls
      output scores
        + score: integer, no nulls
    ");
    accept(&space, &[]);
    let report = test(&space);
    assert!(report.pipeline_success(), "{:?}", report.errors());
    assert_eq!(report.data_flow_results["clean->train"].verdict, EdgeVerdict::Identical);
}

#[test]
fn a_selection_of_all_steps_is_a_whole_test() {
    let space = project();
    test(&space);
    let whole = told(&space, &[]);
    assert!(whole.contains("output model"), "{whole}");
    let all = test_as(&space, |configuration| configuration.selection = Some("+train".into()));
    test_as(&space, |configuration| configuration.selection = Some("clean".into()));
    let recorded = RecordedTest::last(&space.root.join("workspace"), &space.pipeline().dag).unwrap();
    assert_eq!(recorded.report.run_id, all.run_id);
    assert_eq!(told(&space, &[]), whole);
}

#[test]
fn a_part_of_one_pipeline_is_not_another() {
    let space = project()
        .step("score", COPY, &["model=output/model.csv"], &["scores=output/scores.csv"])
        .edge("train", "score");
    save(&space);
    let part = test_as(&space, |configuration| configuration.selection = Some("+train".into()));
    assert!(part.pipeline_success(), "{:?}", part.errors());
    let smaller = project().pipeline().dag;
    assert!(RecordedTest::last(&space.root.join("workspace"), &smaller).is_err());
    let accepted = tester(&space).accept(&part, &[]).unwrap();
    let names: Vec<_> = accepted.changes.iter().map(|change| change.name.as_str()).collect();
    assert_eq!(names, ["rows"], "`model` feeds a step that was left out");
}

#[test]
fn a_test_that_cannot_be_read_is_passed_over() {
    let space = project();
    let first = test(&space);
    let second = test(&space);
    let runs = space.root.join("workspace/.runs");
    let last = || RecordedTest::last(&space.root.join("workspace"), &space.pipeline().dag);
    let spoil = |report: &PipelineTestReport| {
        std::fs::write(runs.join(report.run_id.as_ref().unwrap()).join("report.json"), "{").unwrap();
    };
    assert_eq!(last().unwrap().report.run_id, second.run_id);
    spoil(&second);
    assert_eq!(last().unwrap().report.run_id, first.run_id);
    spoil(&first);
    let error = last().unwrap_err().to_string();
    assert!(error.contains(second.run_id.as_ref().unwrap()), "{error}");
    assert!(error.contains("report.json` cannot be understood"), "{error}");
}

#[test]
fn judging_is_canceled_where_data_has_to_be_read_for_it() {
    let space = Space::new()
        .step("split", SPLIT, &["raw=data/raw.csv"], &["parts=output/parts"])
        .step("part", SCORE, &["rows=output/parts/train.csv"], &["scores=output/part.csv"])
        .step("all", SCORE, &["parts=output/parts"], &["scores=output/all.csv"])
        .edge("split", "part")
        .edge("split", "all");
    let cancel = CancelHandle::new();
    let (handle, left) = (cancel.clone(), std::sync::atomic::AtomicUsize::new(3));
    let reporter = move |event: &Event<'_>| {
        let is_run = matches!(event, Event::RunFinished { .. });
        if is_run && left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 1 {
            handle.cancel();
        }
    };
    let report = space.tester().with_cancel(cancel).with_reporter(reporter).test_pipeline().unwrap();
    assert!(report.script_results.values().all(|result| result.success()), "{:?}", report.errors());
    let verdict = |edge: &str| report.data_flow_results[edge].verdict.clone();
    assert_eq!(verdict("split->part"), EdgeVerdict::Untested { reason: UntestedEdge::Canceled });
    assert_eq!(verdict("split->all"), EdgeVerdict::Accepted, "what it carried is known since the run");
    assert!(report.canceled);
}
