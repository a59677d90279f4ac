//! What a plan says before a test, and what the test then does.

use std::collections::BTreeSet;

use runtime_testing_models::{
    DataExpectation, EdgeIssue, InputSource, LogicalName, PipelineTestPlan, PipelineTestReport, RunAction,
    RunKind, RuntimeTestingConfiguration, ScriptPlan, StepName, StepStatus, UntestedStep,
};
use runtime_testing_tester::{RuntimeTester, TestError};

use crate::space::{COPY, Space, spec, step};

const NO_MAIN: &str = "def run(): pass\n";

/// A bit of everything: sample data, data of a step's own, a folder that feeds a file, a shared script, a script that does
/// not work and what depends on it, and an edge of which nobody knows what it carries.
fn varied() -> Space {
    let folder = "
import os

def main(input_paths, output_paths, environ_vars, job_args):
    os.makedirs(output_paths['parts'], exist_ok=True)
    with open(os.path.join(output_paths['parts'], 'train.csv'), 'w') as out:
        out.write('id,amount\\n1,2.5\\n')
";
    let both = "
def main(input_paths, output_paths, environ_vars, job_args):
    for path in output_paths.values():
        with open(path, 'w') as out:
            out.write('id\\n1\\n')
";
    let mut space = Space::new()
        .write("data/rows.csv", "id,amount\n1,2.5\n")
        .step("sampled", COPY, &["raw=data/none.csv"], &["rows=output/sampled.csv"])
        .with(|spec| spec.sample_data = Some(true))
        .step("split", folder, &["raw=data/raw.csv"], &["parts=output/parts"])
        .step("train", COPY, &["table=output/parts/train.csv"], &["model=output/model.csv"])
        .step("score", COPY, &["rows=data/rows.csv"], &["scores=output/scores.csv"])
        .step("broken", NO_MAIN, &["raw=data/raw.csv"], &["rows=output/broken.csv"])
        .step("after", COPY, &["rows=output/broken.csv"], &["end=output/after.csv"])
        .step("lost", COPY, &["x=in/x.csv", "y=in/y.csv"], &["z=output/z.csv"])
        .step("pair", both, &["raw=data/raw.csv"], &["orders_table=output/o.csv", "misc=output/m.csv"])
        .step("guess", COPY, &["order_table=in/orders.csv"], &["end=output/end.csv"])
        .edge("pair", "guess")
        .edge("split", "train")
        .edge("sampled", "score")
        .edge("broken", "after")
        .edge("train", "lost");
    // The same script on the same input: one run for both.
    space.specs.push(spec("twin", "score", &["rows=data/rows.csv"], &["scores=output/twin/scores.csv"]));
    space.edge("sampled", "twin")
}

fn tester(space: &Space, flags: (bool, bool, bool), selection: Option<&str>) -> RuntimeTester {
    let mut configuration = RuntimeTestingConfiguration::new(space.pipeline());
    let (individual, compatibility, flow) = flags;
    configuration.test_individual_scripts = individual;
    configuration.test_data_compatibility = compatibility;
    configuration.test_pipeline_flow = flow;
    configuration.selection = selection.map(Into::into);
    RuntimeTester::new(configuration).with_settings(space.settings())
}

fn line<'a>(
    step: &StepName,
    kinds: &[RunKind],
    inputs: impl Iterator<Item = (&'a LogicalName, &'a InputSource)>,
) -> String {
    let kinds: BTreeSet<String> = kinds.iter().map(ToString::to_string).collect();
    let inputs: Vec<String> = inputs.map(|(name, source)| format!("{name}: {source}")).collect();
    format!("{step} {kinds:?} {inputs:?}")
}

/// A line for each run that the plan says will be made: what it is for, and where its inputs come from.
fn planned(plan: &PipelineTestPlan) -> BTreeSet<String> {
    let mut runs = BTreeSet::new();
    for (name, step) in &plan.steps {
        for run in &step.runs {
            let RunAction::Execute { inputs } = &run.action else { continue };
            runs.insert(line(name, &run.kinds, inputs.iter().map(|(name, input)| (name, &input.source))));
        }
    }
    runs
}

/// The same of the runs that the report says were made.
fn made(report: &PipelineTestReport) -> BTreeSet<String> {
    let mut runs = BTreeSet::new();
    for (name, result) in &report.script_results {
        for run in &result.runs {
            let inputs = run.inputs.iter().map(|(name, input)| (name, &input.source));
            runs.insert(line(name, &run.kinds, inputs));
        }
    }
    runs
}

#[track_caller]
fn check_agrees(flags: (bool, bool, bool), selection: Option<&str>) {
    let space = varied();
    let tester = tester(&space, flags, selection);
    let plan = tester.plan().expect("it can be planned");
    assert!(!space.root.join("workspace/.runs").exists(), "a plan runs nothing");
    let report = tester.test_pipeline().expect("the test can be carried out");
    assert_eq!(planned(&plan), made(&report), "{flags:?} {selection:?}");
    assert_eq!(plan.execution_order, report.execution_order);
    assert_eq!(plan.steps.keys().collect::<Vec<_>>(), report.script_results.keys().collect::<Vec<_>>());
    assert_eq!(plan.selection, report.selection);
    for (name, result) in &report.script_results {
        let step = &plan.steps[name];
        assert_eq!(step.failure.as_ref(), result.status.failure(), "{name}");
        assert!(step.notes.iter().all(|note| result.notes.contains(note)), "{name}: {:?}", step.notes);
        let last = step.runs.last().map(|run| &run.action);
        match &result.status {
            StepStatus::Blocked { by } => {
                assert_eq!(last, Some(&RunAction::Blocked { by: by.clone() }), "{name}");
            }
            StepStatus::Untested { reason } => {
                let told = match last {
                    Some(RunAction::NotMade { reason }) => Some(reason),
                    _ => step.not_run.as_ref(),
                };
                assert_eq!(told, Some(reason), "{name}");
            }
            _ => assert_eq!(step.not_run, None, "{name}"),
        }
    }
    for (edge, result) in &report.data_flow_results {
        let planned = &plan.edges[edge];
        let bound = planned.bindings.iter().map(|bound| (&bound.output, &bound.input, &bound.rule));
        let found = result.bindings.iter().map(|bound| (&bound.output, &bound.input, &bound.rule));
        assert!(bound.eq(found), "{edge}: {planned:?}");
        for issue in &planned.issues {
            assert!(result.issues.contains(issue), "{edge}: {issue}");
        }
        let is_unbound = result.issues.iter().any(|issue| matches!(issue, EdgeIssue::NoBinding { .. }));
        assert_eq!(planned.bindings.is_empty(), is_unbound, "{edge}");
    }
    let text = serde_json::to_string(&plan).expect("a plan is plain data");
    assert_eq!(serde_json::from_str::<PipelineTestPlan>(&text).expect("its own form"), plan);
}

#[test]
fn a_test_does_what_its_plan_says() {
    for flags in [
        (true, true, true),
        (true, false, true),
        (false, true, true),
        (true, true, false),
        (true, false, false),
        (false, true, false),
    ] {
        check_agrees(flags, None);
    }
    for selection in ["train", "+train", "score,twin", "broken+"] {
        check_agrees((true, true, true), Some(selection));
    }
}

#[test]
fn a_plan_says_why() {
    let space = varied();
    let plan = tester(&space, (true, true, true), None).plan().expect("it can be planned");
    let train = &plan.steps[&step("train")];
    let [flow] = train.runs.as_slice() else { panic!("{:?}", train.runs) };
    assert_eq!(flow.waits_for, [step("split")]);
    let RunAction::Execute { inputs } = &flow.action else { panic!("{flow:?}") };
    let table = inputs.values().next().expect("an input");
    assert_eq!(table.path, "../output/parts/train.csv");
    assert_eq!(table.below.as_deref().map(camino::Utf8Path::as_str), Some("train.csv"));
    assert_eq!(table.rule.expect("a rule").to_string(), "same path");
    assert_eq!(train.outputs.values().next().expect("an output"), "../output/model.csv");
    assert_eq!(train.timeout_seconds, 600.0);
    let Some(ScriptPlan::Python { path, .. }) = &train.script else { panic!("{:?}", train.script) };
    assert_eq!(path, "scripts/train.py");

    let twin = &plan.steps[&step("twin")];
    assert!(twin.runs.iter().all(|run| run.same_as == Some(step("score"))), "{:?}", twin.runs);
    let expectation = &plan.edges["sampled->score"].bindings[0].expectation;
    assert_eq!(*expectation, DataExpectation::OwnInput { path: "../data/rows.csv".into() });
    assert_eq!(plan.edges["split->train"].bindings[0].expectation, DataExpectation::Nothing);
    let issues = |edge: &str| plan.edges[edge].issues.clone();
    assert!(matches!(issues("train->lost")[..], [EdgeIssue::NoBinding { .. }]));
    assert!(matches!(issues("pair->guess")[..], [EdgeIssue::GuessedBinding { .. }]));
    let lost = &plan.steps[&step("lost")].runs[0].action;
    assert!(matches!(lost, RunAction::NotMade { reason: UntestedStep::UnboundEdges { .. } }), "{lost:?}");
    assert_eq!(plan.run_count(), 7, "two of `score` serve `twin` as well");
}

#[test]
fn a_plan_that_cannot_be_made_says_all_that_is_wrong() {
    let space = varied().with(|spec| spec.timeout_seconds = Some(-1.0));
    let mut pipeline = space.pipeline();
    pipeline.script_specs.shift_remove(&step("train"));
    let error = RuntimeTester::new(pipeline).with_settings(space.settings()).plan().expect_err("no plan");
    let TestError::Plan(error) = error else { panic!("{error:?}") };
    assert_eq!(error.problems.len(), 2, "{error}");
}
