//! Tests of a part of a pipeline.

use runtime_testing_models::{
    LogicalName, OutputBinding, PipelineTestReport, RuntimeTestingConfiguration, Selection, StepStatus,
    UntestedStep,
};
use runtime_testing_tester::{RuntimeTester, TestError};

use crate::space::{COPY, Space, step};

/// `clean` feeds `train`, which feeds `score`.
fn chain() -> Space {
    Space::new()
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("train", COPY, &["rows=output/rows.csv"], &["model=output/model.csv"])
        .step("score", COPY, &["model=output/model.csv"], &["scores=output/scores.csv"])
        .edge("clean", "train")
        .edge("train", "score")
}

/// Two steps feed a third, whose inputs are called otherwise than what feeds them.
fn join(binding: Option<&str>) -> Space {
    let main = "
def main(input_paths, output_paths, environ_vars, job_args):
    with open(output_paths['joined'], 'w') as out:
        for path in input_paths.values():
            with open(path) as file:
                out.write(file.read())
";
    let two = "
def main(input_paths, output_paths, environ_vars, job_args):
    for path in output_paths.values():
        with open(path, 'w') as out:
            out.write('id\\n1\\n')
";
    Space::new()
        .step("left", two, &["raw=data/raw.csv"], &["kept=output/kept.csv", "gone=output/gone.csv"])
        .step("right", COPY, &["raw=data/raw.csv"], &["people=output/people.csv"])
        .step(
            "join",
            main,
            &["kept=in/kept.csv", "customers=in/customers.csv"],
            &["joined=output/joined.csv"],
        )
        .with(|spec| {
            let name = |text: &str| LogicalName::new(text).expect("a valid name");
            if let Some(from) = binding {
                let bound = OutputBinding { step: step(from), output: name("people") };
                spec.bindings.insert(name("customers"), bound);
            }
        })
        .edge("left", "join")
        .edge("right", "join")
}

fn test(space: &Space, selection: &str) -> Result<PipelineTestReport, TestError> {
    let configuration = RuntimeTestingConfiguration::new(space.pipeline()).with_selection(selection);
    RuntimeTester::new(configuration).with_settings(space.settings()).test_pipeline()
}

#[track_caller]
fn check(space: &Space, selection: &str, passes: bool, steps: &[&str], edges: &[&str]) -> PipelineTestReport {
    let report = test(space, selection).expect("the test can be carried out");
    assert_eq!(report.pipeline_success(), passes, "{}", report.errors().join("\n"));
    assert_eq!(report.script_results.keys().map(|step| step.as_str()).collect::<Vec<_>>(), steps);
    assert_eq!(report.data_flow_results.keys().collect::<Vec<_>>(), edges);
    assert_eq!(report.selection, Some(Selection::from(selection)));
    report
}

fn status<'a>(report: &'a PipelineTestReport, name: &str) -> &'a StepStatus {
    &report.script_results[&step(name)].status
}

fn not_selected(from: &str, input: &str) -> StepStatus {
    let inputs = vec![LogicalName::new(input).expect("a valid name")];
    StepStatus::Untested { reason: UntestedStep::NotSelected { from: vec![step(from)], inputs } }
}

#[test]
fn with_what_is_upstream() {
    check(&chain(), "+train", true, &["clean", "train"], &["clean->train"]);
}

#[test]
fn what_an_earlier_test_left_is_no_input_of_a_step_alone() {
    let space = chain();
    space.passes();
    let report = check(&space, "train+", false, &["train", "score"], &["train->score"]);
    assert_eq!(*status(&report, "train"), not_selected("clean", "rows"));
    assert_eq!(report.culprits()[0].to_string(), "step train");
}

#[test]
fn a_step_alone_is_run_on_its_own_inputs() {
    let space = Space::new()
        .write("data/rows.csv", "id\n1\n")
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("train", COPY, &["rows=data/rows.csv"], &["model=output/model.csv"])
        .edge("clean", "train");
    check(&space, "train", true, &["train"], &[]);
}

#[test]
fn an_input_is_not_made_up_because_its_edge_is_left_out() {
    for binding in [None, Some("right")] {
        let report = check(&join(binding), "left,join", false, &["left", "join"], &["left->join"]);
        // Neither sample data nor the other output of `left` stands in for it.
        assert_eq!(*status(&report, "join"), not_selected("right", "customers"));
    }
    check(&join(Some("right")), "+join", true, &["left", "right", "join"], &["left->join", "right->join"]);
}

#[test]
fn a_selection_of_nothing_is_an_error() {
    let error = test(&chain(), "trian,+clean").expect_err("there is no such step");
    assert!(matches!(error, TestError::Selection(_)), "{error:?}");
    assert_eq!(error.to_string(), "there is no step `trian`; did you mean `train`?");
}
