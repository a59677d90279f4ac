//! Contracts from what a test observed.

use camino::Utf8PathBuf;
use runtime_testing_builder::spec_store::SpecStore;
use runtime_testing_models::{
    EdgeVerdict, PipelineTestReport, PipelineTestingSpec, RuntimeTestingConfiguration, ScriptExecutionSpec,
    TypeWord,
};
use runtime_testing_tester::{AcceptError, Acceptance, RecordedTest, RuntimeTester};

use crate::space::{COPY, Space, step};

/// `clean` copies a file to `train` and to `report`, which feeds nobody.
pub(crate) fn project() -> Space {
    let space = Space::new()
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("train", COPY, &["rows=output/rows.csv"], &["model=output/model.csv"])
        .edge("clean", "train");
    save(&space);
    space
}

pub(crate) fn store(space: &Space) -> SpecStore {
    SpecStore::in_workspace(space.root.join("workspace"))
}

pub(crate) fn save(space: &Space) {
    for spec in &space.specs {
        store(space).save(spec).unwrap();
    }
}

/// Tests the pipeline with the saved specs.
/// Lets `train` read a sample of its own.
pub(crate) fn read_a_sample(space: &Space) {
    store(space)
        .update(&step("train"), |spec| {
            let mut spec = spec.unwrap();
            spec.input_paths["rows"] = "samples/rows.csv".into();
            Ok::<_, ()>(spec)
        })
        .unwrap();
}

pub(crate) fn test(space: &Space) -> PipelineTestReport {
    tester(space).test_pipeline().unwrap()
}

pub(crate) fn tester(space: &Space) -> RuntimeTester {
    let mut pipeline: PipelineTestingSpec = space.pipeline();
    for (name, spec) in &mut pipeline.script_specs {
        *spec = store(space).load(name).unwrap();
    }
    RuntimeTester::new(RuntimeTestingConfiguration::new(pipeline)).with_settings(space.settings())
}

fn acceptance(space: &Space, steps: &[&str]) -> Result<Acceptance, AcceptError> {
    let steps: Vec<_> = steps.iter().map(|name| step(name)).collect();
    let workspace = space.root.join("workspace");
    let recorded = RecordedTest::last(&workspace, &space.pipeline().dag).unwrap();
    Acceptance::of(&recorded, &store(space), &steps)
}

/// What would be accepted, without where the files are.
#[track_caller]
pub(crate) fn told(space: &Space, steps: &[&str]) -> String {
    let text = match acceptance(space, steps) {
        Ok(acceptance) => acceptance.to_string(),
        Err(error) => format!("{error}\n"),
    };
    text.replace(&format!("{}/", space.root), "")
}

pub(crate) fn accept(space: &Space, steps: &[&str]) -> Vec<Utf8PathBuf> {
    acceptance(space, steps).unwrap().save(&store(space)).unwrap()
}

pub(crate) fn saved(space: &Space, name: &str) -> ScriptExecutionSpec {
    store(space).load(&step(name)).unwrap()
}

#[test]
fn what_was_observed_is_shown_and_becomes_contracts() {
    let space = project();
    let report = test(&space);
    assert_eq!(report.data_flow_results["clean->train"].verdict, EdgeVerdict::Accepted);
    insta::assert_snapshot!(told(&space, &[]), @r"
    step train (workspace/.specs/train_runtime_test_spec.json)
      input rows, from rows of clean
        + id: integer, no nulls
        + amount: float, no nulls
      output model
        + id: integer, no nulls
        + amount: float, no nulls
    ");
    let before = space.read("workspace/.specs/clean_runtime_test_spec.json");
    assert_eq!(accept(&space, &[]).len(), 1);
    assert_eq!(space.read("workspace/.specs/clean_runtime_test_spec.json"), before);
    let train = saved(&space, "train");
    assert_eq!(
        train.input_schemas["rows"].tables().next().unwrap().columns["amount"].data_type,
        TypeWord::Float
    );
    assert_eq!(train.output_schemas["model"].tables().next().unwrap().columns.len(), 2);

    let report = test(&space);
    assert!(report.pipeline_success(), "{:?}", report.errors());
    assert_eq!(report.data_flow_results["clean->train"].verdict, EdgeVerdict::Identical);
    assert_eq!(told(&space, &[]), "", "twice is once");
    assert_eq!(told(&space, &["clean", "train"]), "");
}

#[test]
fn drift_is_a_failure_with_a_difference_and_accepted_by_name_only() {
    let space = project();
    test(&space);
    accept(&space, &[]);
    let space = space.write("data/raw.csv", "id,note\n1,x\n2,\n");
    let report = test(&space);
    let edge = &report.data_flow_results["clean->train"];
    assert_eq!(edge.verdict, EdgeVerdict::Breaking);
    assert_eq!(edge.issues[0].as_str(), "missing_column");
    // Its own promise is broken with it.
    assert_eq!(report.script_results["train"].status.failure().unwrap().as_str(), "promise_broken");
    insta::assert_snapshot!(told(&space, &["train"]), @"
    nothing is accepted:
      train: the step did not pass (failed on upstream)
    ");

    // Only the input has a contract now.
    store(&space)
        .update(&step("train"), |spec| {
            let mut spec = spec.unwrap();
            spec.output_schemas.clear();
            Ok::<_, ()>(spec)
        })
        .unwrap();
    let report = test(&space);
    assert_eq!(report.data_flow_results["clean->train"].verdict, EdgeVerdict::Breaking);
    insta::assert_snapshot!(told(&space, &[]), @"
    left out: train, rows: what came from `clean` is not what the contract says; name the step to accept it: `rows` -> `rows`, rows.csv: column `amount` (float) is missing
    left out: train, model: the edge `clean->train`, on which it rests, is breaking
    ");
    insta::assert_snapshot!(told(&space, &["train"]), @r"
    step train (workspace/.specs/train_runtime_test_spec.json)
      input rows, from rows of clean
        + note: text
        - amount: float, no nulls
      output model
        + id: integer, no nulls
        + note: text
    ");
    accept(&space, &["train"]);
    let report = test(&space);
    assert!(report.pipeline_success(), "{:?}", report.errors());
    assert_eq!(report.data_flow_results["clean->train"].verdict, EdgeVerdict::Identical);
}

#[test]
fn a_contract_of_the_users_own_stays_unless_its_step_is_named() {
    let space = project();
    store(&space)
        .update(&step("train"), |spec| {
            let mut spec = spec.unwrap();
            let contract = runtime_testing_models::TableContract::default();
            let contract = contract.with_column("amount", TypeWord::Float);
            spec.input_schemas.insert("rows".parse().unwrap(), contract.into());
            Ok::<_, ()>(spec)
        })
        .unwrap();
    test(&space);
    assert!(!told(&space, &[]).contains("input rows"));
    insta::assert_snapshot!(told(&space, &["train"]), @r"
    step train (workspace/.specs/train_runtime_test_spec.json)
      input rows, from rows of clean
        + id: integer, no nulls
      output model
        + id: integer, no nulls
        + amount: float, no nulls
    ");
}

#[test]
fn nothing_is_accepted_from_what_failed() {
    let broken = "def main(input_paths, output_paths, environ_vars, job_args):\n    1 / 0\n";
    let space = project()
        .step("score", broken, &["rows=output/rows.csv"], &["scores=output/scores.csv"])
        .step("show", COPY, &["scores=output/scores.csv"], &["page=output/page.csv"])
        .edge("clean", "score")
        .edge("score", "show");
    save(&space);
    test(&space);
    let all = told(&space, &[]);
    assert!(all.starts_with("step train"), "{all}");
    assert!(all.contains("left out: score: the step did not pass (failed)\n"), "{all}");
    assert!(all.ends_with("left out: show: the step did not pass (blocked)\n"), "{all}");
    insta::assert_snapshot!(told(&space, &["train", "score", "show"]), @r"
    nothing is accepted:
      score: the step did not pass (failed)
      show: the step did not pass (blocked)
    ");
    insta::assert_snapshot!(told(&space, &["trian"]), @"the test has no step `trian`; its steps are `clean`, `train`, `score`, `show`");
}

#[test]
fn an_edge_that_breaks_against_a_sample_is_not_papered_over() {
    let space = project().write("samples/rows.csv", "id,amount,price\n1,2.5,1\n");
    read_a_sample(&space);
    let report = test(&space);
    assert!(report.script_results["train"].success());
    for steps in [&[][..], &["train"]] {
        let told = told(&space, steps);
        assert!(told.contains("train, rows: the edge from `clean` is breaking: "), "{told}");
        assert!(!told.contains("input rows"), "{told}");
    }
}

#[test]
fn specs_that_have_changed_are_not_written_over() {
    let space = project();
    test(&space);
    let file = "workspace/.specs/train_runtime_test_spec.json";
    // A note changes nothing of what was tested; an argument does.
    let prepared = acceptance(&space, &[]).unwrap();
    let noted = space.read(file).replace("\"user_notes\": null", "\"user_notes\": \"mine\"");
    let space = space.write(file, &noted);
    let error = prepared.save(&store(&space)).unwrap_err().to_string();
    assert!(error.starts_with("the spec of step `train` has changed in the meantime, in `"), "{error}");
    assert_eq!(space.read(file), noted);
    accept(&space, &[]);
    assert_eq!(saved(&space, "train").user_notes.as_deref(), Some("mine"));

    let space = project();
    test(&space);
    let changed = space.read(file).replace("\"job_args\": {}", "\"job_args\": {\"a\": 1}");
    let space = space.write(file, &changed);
    let text = told(&space, &["train"]);
    assert!(text.contains("train: its spec has changed since the test, in `"), "{text}");
    std::fs::remove_file(space.root.join(file)).unwrap();
    assert!(told(&space, &[]).contains("left out: train: "), "{}", told(&space, &[]));
}

#[test]
fn one_call_accepts_what_a_report_in_hand_observed() {
    let space = project();
    let tester = tester(&space);
    let report = tester.test_pipeline().unwrap();
    assert_eq!(tester.accept(&report, &[step("train")]).unwrap().changes.len(), 2);
    assert_eq!(tester.accept(&report, &[]).unwrap().changes, []);
    assert_eq!(saved(&space, "train").input_schemas.len(), 1);
    let nothing = PipelineTestReport { run_id: None, ..report.clone() };
    assert!(tester.accept(&nothing, &[]).is_err());
    let gone = PipelineTestReport { run_id: Some("x".to_owned()), ..report };
    let error = tester.accept(&gone, &[]).unwrap_err().to_string();
    assert!(error.starts_with("cannot read `") && error.contains("specs.json"), "{error}");
}

#[test]
fn the_test_of_another_pipeline_is_not_taken() {
    let space = project();
    let workspace = space.root.join("workspace");
    let error = RecordedTest::last(&workspace, &space.pipeline().dag).unwrap_err().to_string();
    assert!(error.starts_with("no test of this pipeline is recorded in `"), "{error}");
    let report = test(&space);
    tester(&space).test_script(&crate::space::script("clean"), None).unwrap();
    let recorded = RecordedTest::last(&workspace, &space.pipeline().dag).unwrap();
    assert_eq!(recorded.report.run_id, report.run_id);
    assert_eq!(recorded.report.snapshot(), report.snapshot());
    let mut configuration = tester(&space).configuration().clone();
    configuration.test_data_compatibility = false;
    RuntimeTester::new(configuration).with_settings(space.settings()).test_pipeline().unwrap();
    assert!(told(&space, &[]).starts_with("the test did not judge its edges"), "{}", told(&space, &[]));
}

#[test]
fn what_an_input_is_fed_of_a_folder_is_what_counts() {
    let split = "
def main(input_paths, output_paths, environ_vars, job_args):
    for name, text in [('train.csv', 'a,b\\n1,x\\n'), ('test.csv', 'a\\n1\\n'), ('sub/model.pkl', '?')]:
        import os
        path = os.path.join(output_paths['parts'], name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, 'w').write(text)
";
    let read = "
def main(input_paths, output_paths, environ_vars, job_args):
    open(output_paths['out'], 'w').write('{\"score\": 1}')
";
    let space = Space::new()
        .step("split", split, &["raw=data/raw.csv"], &["parts=output/parts"])
        .step("one", read, &["train=output/parts/train.csv"], &["out=output/one.json"])
        .step("all", read, &["parts=output/parts"], &["out=output/all.json"])
        .step("model", read, &["model=output/parts/sub/model.pkl"], &["out=output/model.json"])
        .edge("split", "one")
        .edge("split", "all")
        .edge("split", "model");
    save(&space);
    assert!(test(&space).pipeline_success());
    insta::assert_snapshot!(told(&space, &[]), @r"
    step one (workspace/.specs/one_runtime_test_spec.json)
      input train, from parts of split
        + a: integer, no nulls
        + b: text, no nulls
      output out
        + score: integer, no nulls
    step all (workspace/.specs/all_runtime_test_spec.json)
      input parts, from parts of split
        + sub/model.pkl: must be there
        + test.csv: a: integer, no nulls
        + train.csv: a: integer, no nulls
        + train.csv: b: text, no nulls
      output out
        + score: integer, no nulls
    step model (workspace/.specs/model_runtime_test_spec.json)
      output out
        + score: integer, no nulls
    left out: model, model: there is no table with columns
    ");
    accept(&space, &[]);
    let report = test(&space);
    assert!(report.pipeline_success(), "{:?}", report.errors());
}

#[test]
fn an_edge_tested_without_a_flow_is_accepted_too() {
    let space = project();
    let space = space.write("samples/rows.csv", "id,amount\n1,2.5\n");
    read_a_sample(&space);
    let mut configuration = tester(&space).configuration().clone();
    configuration.test_pipeline_flow = false;
    let report = RuntimeTester::new(configuration).with_settings(space.settings()).test_pipeline().unwrap();
    assert!(report.pipeline_success(), "{:?}", report.errors());
    assert!(
        told(&space, &[]).contains("  input rows, from rows of clean\n    + id"),
        "{}",
        told(&space, &[])
    );
}

#[test]
fn names_that_are_no_names_do_no_harm() {
    let space = project().write("data/raw.csv", "id,\"a\u{1b}[2J\nb\"\n1,2.5\n");
    test(&space);
    let told = told(&space, &[]);
    assert!(told.contains("+ a\\u{1b}[2J\\nb: float, no nulls\n"), "{told}");
    accept(&space, &[]);
    let report = test(&space);
    assert_eq!(report.data_flow_results["clean->train"].verdict, EdgeVerdict::Identical);
}

#[test]
fn two_pipelines_of_one_workspace_are_told_apart_by_their_steps_and_edges() {
    let space = project();
    let report = test(&space);
    // A part of it.
    let part = tester(&space).with_selection("clean").test_pipeline().unwrap();
    let last = RecordedTest::last(&space.root.join("workspace"), &space.pipeline().dag).unwrap();
    assert_eq!(last.report.run_id, report.run_id);
    let accepted = tester(&space).accept(&part, &[]).unwrap();
    assert_eq!(accepted.changes, [], "its output feeds a step that was left out");
    // The same steps without the edge.
    let workspace = space.root.join("workspace");
    let steps = space.specs.iter().map(|spec| spec.step_name.clone());
    let apart = runtime_testing_models::PipelineDag::build(steps, []).unwrap();
    assert!(RecordedTest::last(&workspace, &apart).is_err());
    assert_eq!(RecordedTest::last(&workspace, &space.pipeline().dag).unwrap().report.run_id, report.run_id);
}
