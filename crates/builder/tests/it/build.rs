use runtime_testing_builder::{
    BuildError, MissingField, PipelineTestingSpecBuilder, SpecProblem, Validation,
};
use runtime_testing_models::{PipelineDag, PipelineTestingSpec};

use crate::space::{Space, chain, spec, step, text};

/// Building fails, both ways if `always`, and leaves every file as it was.
#[track_caller]
fn check_refused(space: &Space, dag: &PipelineDag, always: bool) -> String {
    let before = space.files();
    if always {
        space.builder.build_from_dag(dag, Validation::Skipped).unwrap_err();
    }
    let error = space.builder.build_from_dag(dag, Validation::Required).unwrap_err();
    assert!(matches!(error, BuildError::Specs { .. }), "{error:?}");
    assert_eq!(space.files(), before, "byte for byte");
    space.shown(error)
}

fn problems(space: &Space, dag: &PipelineDag) -> Vec<SpecProblem> {
    match space.builder.build_from_dag(dag, Validation::Required) {
        Err(BuildError::Specs { problems }) => problems,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_builder_without_parameters() {
    let builder = PipelineTestingSpecBuilder::default();
    assert_eq!(builder.test_data_dir(), "test/integration/runtime");
    assert_eq!(builder.specs_dir(), "test/integration/runtime/.specs");
    assert_eq!(Validation::default(), Validation::Required);
}

#[test]
fn a_builder_with_parameters_touches_nothing() {
    let space = Space::new();
    assert_eq!(space.builder.specs_dir(), space.builder.test_data_dir().join(".specs"));
    assert_eq!(space.builder.store().folder(), space.builder.specs_dir());
    assert!(!space.builder.specs_dir().exists());
}

#[test]
fn saved_specs_are_built_in_the_order_of_the_dag() {
    let space = Space::new();
    for (script, name) in [("prep", "train"), ("score", "score"), ("prep", "clean")] {
        space.builder.save_script_spec(&spec(script, name)).unwrap();
    }
    let dag = chain(&["train", "clean", "score"]);
    let built = space.builder.build_from_dag(&dag, Validation::Required).unwrap();
    assert_eq!(built.dag, dag);
    assert_eq!(built.test_workspace_root, space.builder.test_data_dir());
    assert_eq!(built.workspace_aware_root, None);
    let order: Vec<_> =
        built.script_specs.iter().map(|(name, spec)| (name.as_str(), spec.script_name.as_str())).collect();
    assert_eq!(order, [("train", "prep"), ("clean", "prep"), ("score", "score")]);
    let text = serde_json::to_string(&built).unwrap();
    assert_eq!(PipelineTestingSpec::parse(&text).unwrap(), built);
}

#[test]
fn a_spec_is_found_whatever_its_file_is_called() {
    let space = Space::new();
    // As the original saves it: by the script's name.
    space.write("prep_runtime_test_spec.json", &text("prep", "prep_training"));
    let before = space.files();
    let built = space.builder.build_from_dag(&chain(&["prep_training"]), Validation::Required).unwrap();
    assert_eq!(built.script_specs["prep_training"].script_name, "prep");
    assert_eq!(space.files(), before, "nothing is drafted beside it");
}

#[test]
fn missing_specs_are_drafted_and_used_without_validation() {
    let space = Space::new();
    let mine = spec("clean", "clean");
    space.builder.save_script_spec(&mine).unwrap();
    let dag = chain(&["clean", "train"]);
    let built = space.builder.build_from_dag(&dag, Validation::Skipped).unwrap();
    assert_eq!(built.script_specs["clean"].input_paths, mine.input_paths);
    let draft = &built.script_specs["train"];
    assert_eq!(draft.input_paths["data_input"], space.builder.test_data_dir().join("train/input"));
    assert_eq!(draft.output_paths["data_output"], space.builder.test_data_dir().join("train/output"));
    assert_eq!(draft.environ_vars["LABEL_FIELD"], "label");
    assert_eq!(draft.job_args["job_type"], "testing".into());
    assert_eq!(space.builder.store().load(&step("train")).unwrap(), *draft, "the draft is saved");
    assert_eq!(space.builder.build_from_dag(&dag, Validation::Skipped).unwrap(), built);
}

#[test]
fn a_missing_spec_fails_validation_until_somebody_has_looked_at_its_draft() {
    let space = Space::new();
    let dag = chain(&["clean", "train"]);
    space.builder.save_script_spec(&spec("clean", "clean")).unwrap();

    let first = space.builder.build_from_dag(&dag, Validation::Required).unwrap_err();
    insta::assert_snapshot!(space.shown(first), @r#"Missing ScriptExecutionSpec for step `train`: a default was drafted at `<root>/.specs/train_runtime_test_spec.json`; edit it, run `runtime-testing specs edit train`, or call `builder.update_script_spec("train", ...)`"#);
    insta::assert_snapshot!(check_refused(&space, &dag, false), @r#"Drafted ScriptExecutionSpec for step `train`: nobody has changed the default in `<root>/.specs/train_runtime_test_spec.json`; edit it (any `user_notes` accept it as it is), run `runtime-testing specs edit train`, or call `builder.update_script_spec("train", ...)`"#);

    space
        .builder
        .update_script_spec(&step("train"), |spec| spec.user_notes = Some("fine".to_owned()))
        .unwrap();
    let built = space.builder.build_from_dag(&dag, Validation::Required).unwrap();
    assert_eq!(built.script_specs["train"].user_notes.as_deref(), Some("fine"));
}

#[test]
fn every_problem_is_reported_at_once() {
    let space = Space::new();
    let dag = chain(&["my step", "clean", "train", "score"]);
    space.builder.save_script_spec(&spec("score", "score")).unwrap();
    space.builder.update_script_spec(&step("train"), |_| {}).unwrap();
    let mut incomplete = spec("clean", "clean");
    incomplete.input_paths.clear();
    incomplete.output_paths["rows"] = "  ".into();
    space.builder.save_script_spec(&incomplete).unwrap();

    let before = space.files();
    let found = space.builder.validate_specs_completeness(&dag).unwrap();
    assert_eq!(space.files(), before, "looking writes nothing");
    insta::assert_snapshot!(found[0], @r#"Missing ScriptExecutionSpec for step `my step`; run `runtime-testing specs edit 'my step'`, or call `builder.update_script_spec("my step", ...)`"#);

    let error = space.builder.build_from_dag(&dag, Validation::Required).unwrap_err();
    insta::assert_snapshot!(space.shown(error), @r#"
    3 specs need attention:
      - Missing ScriptExecutionSpec for step `my step`: a default was drafted at `<root>/.specs/my step_runtime_test_spec.json`; edit it, run `runtime-testing specs edit 'my step'`, or call `builder.update_script_spec("my step", ...)`
      - Incomplete ScriptExecutionSpec for step `clean`: no path in `input_paths` and `output_paths` of `<root>/.specs/clean_runtime_test_spec.json`; edit it, run `runtime-testing specs edit clean`, or call `builder.update_script_spec("clean", ...)`
      - Drafted ScriptExecutionSpec for step `train`: nobody has changed the default in `<root>/.specs/train_runtime_test_spec.json`; edit it (any `user_notes` accept it as it is), run `runtime-testing specs edit train`, or call `builder.update_script_spec("train", ...)`
    "#);
    let steps: Vec<_> = found.iter().map(|problem| problem.step().unwrap().as_str()).collect();
    assert_eq!(steps, ["my step", "clean", "train"]);
    assert!(space.builder.build_from_dag(&dag, Validation::Skipped).is_ok());
}

#[test]
fn complete_specs_are_valid() {
    let space = Space::new();
    let dag = chain(&["clean", "train"]);
    space.builder.save_script_spec(&spec("clean", "clean")).unwrap();
    space.builder.save_script_spec(&spec("train", "train")).unwrap();
    assert!(space.builder.validate_specs_completeness(&dag).unwrap().is_empty());
}

#[test]
fn what_a_spec_lacks_is_named() {
    let space = Space::new();
    let mut incomplete = spec("clean", "clean");
    incomplete.output_paths.clear();
    space.builder.save_script_spec(&incomplete).unwrap();
    assert!(
        space.builder.load_from_dag(&chain(&["clean"]), Validation::Required).is_ok(),
        "it feeds nothing"
    );
    let found = problems(&space, &chain(&["clean", "train"]));
    assert!(
        matches!(&found[..], [SpecProblem::Incomplete { missing, .. }, _] if *missing == [MissingField::OutputPaths])
    );
}

#[test]
fn a_broken_spec_is_never_written_over() {
    let space = Space::new();
    space.write(
        "train_runtime_test_spec.json",
        "{\n  \"script_name\": \"train\"\n  \"step_name\": \"train\"\n}",
    );
    // `clean` is missing too, and gets no draft as long as the other is broken.
    insta::assert_snapshot!(check_refused(&space, &chain(&["clean", "train"]), true), @r#"
    2 specs need attention:
      - Missing ScriptExecutionSpec for step `clean`; run `runtime-testing specs edit clean`, or call `builder.update_script_spec("clean", ...)`
      - Broken ScriptExecutionSpec for step `train`, left as it is: spec file `<root>/.specs/train_runtime_test_spec.json`: line 3, column 3: expected `,` or `}`; put a comma before it
    "#);
    let error = space.builder.build_from_dag(&chain(&["clean", "train"]), Validation::Skipped).unwrap_err();
    assert!(
        matches!(error, BuildError::Specs { problems } if problems.len() == 1),
        "only what stands in the way"
    );
    space.builder.update_script_spec(&step("train"), |_| panic!("there is nothing to change")).unwrap_err();
    space.builder.save_script_spec(&spec("train", "train")).unwrap_err();
    check_refused(&space, &chain(&["train"]), true);
}

#[test]
fn the_spec_of_another_step_of_nearly_the_name_is_named() {
    let space = Space::new();
    space.builder.save_script_spec(&spec("daily", "daily")).unwrap();
    space.builder.save_script_spec(&spec("clean", "clean")).unwrap();
    let problems = problems(&space, &chain(&["clean", "dayly"]));
    insta::assert_snapshot!(space.shown(&problems[0]), @r#"Missing ScriptExecutionSpec for step `dayly`, though there is one of `daily`, which is no step of the pipeline: a default was drafted at `<root>/.specs/dayly_runtime_test_spec.json`; edit it, run `runtime-testing specs edit dayly`, or call `builder.update_script_spec("dayly", ...)`"#);
}

#[test]
fn a_broken_file_that_may_be_the_missing_spec_stops_the_drafting() {
    let space = Space::new();
    space.write("prep_runtime_test_spec.json", "");
    insta::assert_snapshot!(check_refused(&space, &chain(&["prep_training"]), true), @r#"
    2 specs need attention:
      - Missing ScriptExecutionSpec for step `prep_training`; run `runtime-testing specs edit prep_training`, or call `builder.update_script_spec("prep_training", ...)`
      - a broken file may be a spec that is missing, and is left as it is: spec file `<root>/.specs/prep_runtime_test_spec.json`: line 1, column 1: the file is empty; it should hold a JSON object
    "#);
    // The file is named once where it is the spec of a step.
    assert_eq!(problems(&space, &chain(&["prep_training", "prep"])).len(), 2);
    // Where nothing is missing it is nobody's business.
    space.write("clean_runtime_test_spec.json", &text("clean", "clean"));
    space.write("score_runtime_test_spec.json", "{\"step_name\": \"score\"");
    assert!(space.builder.build_from_dag(&chain(&["clean"]), Validation::Required).is_ok());
}

#[test]
fn two_specs_of_one_step_are_both_named() {
    let space = Space::new();
    space.write("a_runtime_test_spec.json", &text("a", "clean"));
    space.write("b_runtime_test_spec.json", &text("b", "clean"));
    insta::assert_snapshot!(check_refused(&space, &chain(&["clean"]), true), @"Ambiguous ScriptExecutionSpec for step `clean`: 2 files claim it: `<root>/.specs/a_runtime_test_spec.json`, `<root>/.specs/b_runtime_test_spec.json`; keep one of them, or give the others a `step_name` of their own");
}

#[test]
fn a_draft_takes_nobodys_place() {
    let space = Space::new();
    space.write("clean_runtime_test_spec.json", &text("train", "train"));
    insta::assert_snapshot!(check_refused(&space, &chain(&["clean", "train"]), true), @"Missing ScriptExecutionSpec for step `clean`: `<root>/.specs/clean_runtime_test_spec.json`, where it belongs, holds the spec of step `train`; rename that file, its name does not matter, or correct its `step_name`");
}

#[test]
fn an_empty_dag_builds_an_empty_spec() {
    let space = Space::new();
    let built = space.builder.build_from_dag(&PipelineDag::new(), Validation::Required).unwrap();
    assert!(built.dag.is_empty() && built.script_specs.is_empty());
    assert!(!space.builder.specs_dir().exists());
}

#[test]
fn a_folder_that_cannot_be_used_is_an_error() {
    let space = Space::new();
    std::fs::write(space.builder.specs_dir(), "a file").unwrap();
    let error = space.builder.build_from_dag(&chain(&["clean"]), Validation::Skipped).unwrap_err();
    assert!(matches!(error, BuildError::Folder(_)), "{error:?}");
    let below = PipelineTestingSpecBuilder::new(space.builder.specs_dir());
    assert!(below.build_from_dag(&chain(&["clean"]), Validation::Skipped).is_err());
}

#[test]
fn builders_at_one_folder_agree() {
    let space = Space::new();
    let names: Vec<String> = (0..20).map(|at| format!("step_{at}")).collect();
    let dag = chain(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let built: Vec<PipelineTestingSpec> = std::thread::scope(|scope| {
        let build = || space.builder.build_from_dag(&dag, Validation::Skipped).unwrap();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(build)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(built.windows(2).all(|pair| pair[0] == pair[1]), "each draft is saved once");
    assert_eq!(space.files().len(), names.len());
}

#[test]
fn a_pipeline_of_four_steps_from_drafts_to_valid() {
    let space = Space::new();
    let dag = chain(&["data_loading", "preprocessing", "training", "evaluation"]);
    assert_eq!(problems(&space, &dag).len(), 4);
    for (at, name) in dag.steps().enumerate() {
        let updated = space.builder.update_script_spec(name, |spec| {
            spec.input_paths["data_input"] = format!("data/{name}/in.csv").into();
            spec.job_args.insert("stage".to_owned(), i64::try_from(at).unwrap().into());
        });
        assert_eq!(updated.unwrap().step_name, *name);
    }
    let built = space.builder.build_from_dag(&dag, Validation::Required).unwrap();
    assert_eq!(built.script_specs.len(), 4);
    // Another builder of the same folder finds all of it.
    let again = PipelineTestingSpecBuilder::new(space.builder.test_data_dir());
    assert_eq!(again.build_from_dag(&dag, Validation::Required).unwrap(), built);
    let params = again.get_script_main_params(&built.script_specs["training"]);
    assert_eq!(params.input_paths["data_input"], "data/training/in.csv");
    assert_eq!(params.job_args["stage"], 2.into());
}
