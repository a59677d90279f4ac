//! Each flag of the configuration changes what is run.

use runtime_testing_models::{EdgeVerdict, PipelineTestReport, RuntimeTestingConfiguration, StepStatus};
use runtime_testing_tester::{PlanProblem, RuntimeTester, TestError};

use crate::space::{COPY, Space};

fn chain() -> Space {
    Space::new()
        .write("data/sample.csv", "id,amount\n9,9.5\n")
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("train", COPY, &["rows=data/sample.csv"], &["model=output/model.csv"])
        .step("report", COPY, &["model=output/model.csv"], &["page=output/page.csv"])
        .edge("clean", "train")
        .edge("train", "report")
}

fn test(
    space: &Space,
    individual: bool,
    compatibility: bool,
    flow: bool,
) -> Result<PipelineTestReport, TestError> {
    let mut configuration = RuntimeTestingConfiguration::new(space.pipeline());
    configuration.test_individual_scripts = individual;
    configuration.test_data_compatibility = compatibility;
    configuration.test_pipeline_flow = flow;
    RuntimeTester::new(configuration).with_settings(space.settings()).test_pipeline()
}

/// What was run of each step, and how many edges were judged.
#[track_caller]
fn check(flags: (bool, bool, bool), expected: &str) {
    let report = test(&chain(), flags.0, flags.1, flags.2).unwrap();
    let runs: Vec<String> = report
        .script_results
        .iter()
        .map(|(step, result)| {
            let runs: Vec<String> = result
                .runs
                .iter()
                .map(|run| run.kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join("+"))
                .collect();
            format!("{step}: {} [{}]", result.status.as_str(), runs.join(", "))
        })
        .collect();
    let edges: Vec<&str> = report.data_flow_results.values().map(|edge| edge.verdict.as_str()).collect();
    assert_eq!(format!("{}; edges [{}]", runs.join("; "), edges.join(", ")), expected);
}

#[test]
fn everything() {
    check(
        (true, true, true),
        "clean: passed [individual+flow]; train: passed [individual, flow]; report: passed [flow]; \
         edges [identical, accepted]",
    );
}

#[test]
fn without_individual_runs() {
    check(
        (false, true, true),
        "clean: passed [flow]; train: passed [flow]; report: passed [flow]; edges [identical, accepted]",
    );
}

#[test]
fn without_edges() {
    check(
        (true, false, true),
        "clean: passed [individual+flow]; train: passed [individual, flow]; report: passed [flow]; edges []",
    );
}

#[test]
fn without_a_flow_edges_are_tested_one_by_one() {
    check(
        (true, true, false),
        "clean: passed [individual]; train: passed [individual, edge from clean]; report: passed [edge from train]; \
         edges [identical, accepted]",
    );
}

#[test]
fn individual_runs_alone_leave_steps_without_own_inputs_untested() {
    let report = test(&chain(), true, false, false).unwrap();
    assert!(
        report.culprits().is_empty() && !report.pipeline_success(),
        "nobody is to blame, and nothing passed"
    );
    check(
        (true, false, false),
        "clean: passed [individual]; train: passed [individual]; report: untested []; edges []",
    );
}

#[test]
fn nothing_at_all_is_refused() {
    let error = test(&chain(), false, false, false).unwrap_err();
    let TestError::Plan(error) = error else { panic!("{error}") };
    assert_eq!(error.problems, [PlanProblem::NothingToTest]);
}

#[test]
fn a_failure_on_an_edge_alone_blames_the_edge() {
    let picky = "
def main(input_paths, output_paths, environ_vars, job_args):
    text = open(input_paths['rows']).read()
    assert '9.5' in text, 'not my sample'
    open(output_paths['model'], 'w').write(text)
";
    let space = chain().write("workspace/scripts/train.py", picky);
    let report = test(&space, true, true, false).unwrap();
    assert_eq!(report.data_flow_results["clean->train"].verdict, EdgeVerdict::Breaking);
    assert_eq!(report.script_results["train"].status.as_str(), "failed_on_upstream");
    assert!(matches!(report.script_results["report"].status, StepStatus::Passed));
    // Without the judgment of edges the step is still not to blame: it works on its own inputs.
    let report = test(&space, true, false, true).unwrap();
    assert_eq!(report.script_results["train"].status.as_str(), "failed_on_upstream");
    assert_eq!(report.script_results["report"].status.as_str(), "blocked");
    let culprits: Vec<String> = report.culprits().iter().map(ToString::to_string).collect();
    assert_eq!(culprits, ["edge clean->train"]);
}

#[test]
fn one_run_of_each_step_is_published() {
    let space = chain();
    test(&space, true, true, true).unwrap();
    assert_eq!(
        space.read("output/model.csv"),
        space.read("data/raw.csv"),
        "the flow run's data, not the sample's"
    );
    let space = chain();
    test(&space, true, true, false).unwrap();
    assert_eq!(space.read("output/model.csv"), space.read("data/sample.csv"));
}
