use runtime_testing_builder::GetSpecError;
use runtime_testing_models::{JobValue, ScriptExecutionSpec};
use runtime_testing_spec_store::{LoadSpecError, SpecFile, UpdateSpecError};

use crate::space::{Space, spec, step, text};

#[track_caller]
fn check_get(space: &Space, name: &str, expected: Option<&str>) {
    let found = space.builder.get_script_spec_by_name(name).unwrap();
    assert_eq!(found.as_ref().map(|spec| spec.step_name.as_str()), expected);
}

#[track_caller]
fn check_get_error(space: &Space, name: &str) -> String {
    space.shown(space.builder.get_script_spec_by_name(name).unwrap_err())
}

#[test]
fn what_is_saved_is_stamped_and_loads() {
    let space = Space::new();
    let path = space.builder.save_script_spec(&spec("clean", "clean")).unwrap();
    assert!(path.ends_with(".specs/clean_runtime_test_spec.json"));
    let loaded = space.builder.store().load(&step("clean")).unwrap();
    assert_ne!(loaded.last_updated, spec("clean", "clean").last_updated);
    assert_eq!(
        ScriptExecutionSpec { last_updated: None, ..loaded },
        ScriptExecutionSpec { last_updated: None, ..spec("clean", "clean") }
    );
}

#[test]
fn an_update_of_a_saved_spec_keeps_the_rest_of_it() {
    let space = Space::new();
    space.builder.save_script_spec(&spec("prep", "clean")).unwrap();
    let updated = space.builder.update_script_spec(&step("clean"), |spec| {
        spec.job_args.insert("rate".to_owned(), JobValue::Number("0.10".parse().unwrap()));
    });
    let updated = updated.unwrap();
    assert_eq!(
        (updated.script_name.as_str(), updated.input_paths["raw"].as_str()),
        ("prep", "data/clean.csv")
    );
    assert_eq!(space.builder.store().load(&step("clean")).unwrap(), updated);
}

#[test]
fn an_update_of_a_spec_that_is_not_there_starts_with_a_draft() {
    let space = Space::new();
    let updated = space
        .builder
        .update_script_spec(&step("clean"), |spec| {
            assert_eq!(spec.input_paths["data_input"], space.builder.test_data_dir().join("clean/input"));
            spec.input_paths["data_input"] = "data/orders.csv".into();
        })
        .unwrap();
    assert_eq!(updated.environ_vars["LABEL_FIELD"], "label");
    check_get(&space, "clean", Some("clean"));
}

#[test]
fn an_update_cannot_change_the_step() {
    let space = Space::new();
    space.builder.save_script_spec(&spec("clean", "clean")).unwrap();
    let before = space.files();
    let error =
        space.builder.update_script_spec(&step("clean"), |spec| spec.step_name = step("train")).unwrap_err();
    assert!(matches!(error, UpdateSpecError::StepChanged { .. }), "{error:?}");
    assert_eq!(space.files(), before);
}

#[test]
fn the_list_is_sorted_and_keeps_quiet_about_nothing() {
    let space = Space::new();
    assert!(space.builder.list_saved_specs().unwrap().is_empty());
    for name in ["train", "clean", "score"] {
        space.builder.save_script_spec(&spec("prep", name)).unwrap();
    }
    space.write("a_runtime_test_spec.json", "{");
    let listed = space.builder.list_saved_specs().unwrap();
    let names = listed.iter().map(|file| match file {
        SpecFile::Spec { step_name, .. } => step_name.as_str(),
        SpecFile::Broken(_) => "broken",
    });
    assert_eq!(names.collect::<Vec<_>>(), ["clean", "score", "train", "broken"]);
}

#[test]
fn a_spec_is_got_by_step_and_then_by_script() {
    let space = Space::new();
    space.write("a_runtime_test_spec.json", &text("train", "clean"));
    space.write("b_runtime_test_spec.json", &text("prep", "train"));
    check_get(&space, "clean", Some("clean"));
    check_get(&space, "train", Some("train"));
    check_get(&space, "prep", Some("train"));
}

#[test]
fn a_spec_that_is_not_there_is_none() {
    let space = Space::new();
    check_get(&space, "clean", None);
    assert!(!space.builder.specs_dir().exists());
    space.builder.save_script_spec(&spec("clean", "clean")).unwrap();
    check_get(&space, "nonexistent", None);
    check_get(&space, "../clean", None);
    check_get(&space, "", None);
}

#[test]
fn a_script_of_two_steps_is_ambiguous() {
    let space = Space::new();
    space.builder.save_script_spec(&spec("prep", "prep_training")).unwrap();
    space.builder.save_script_spec(&spec("prep", "prep_calibration")).unwrap();
    insta::assert_snapshot!(check_get_error(&space, "prep"), @"2 steps run script `prep`: `prep_calibration`, `prep_training`; ask for one of them");
    check_get(&space, "prep_training", Some("prep_training"));
}

#[test]
fn a_spec_that_is_there_and_broken_is_an_error() {
    let space = Space::new();
    space.write("clean_runtime_test_spec.json", "{");
    insta::assert_snapshot!(check_get_error(&space, "clean"), @"spec file `<root>/.specs/clean_runtime_test_spec.json`: line 1, column 1: EOF while parsing an object; something that was opened before is not closed");

    let space = Space::new();
    space.write(
        "prep_runtime_test_spec.json",
        "{\"script_name\": \"prep\", \"step_name\": \"prep_training\",}",
    );
    let by_step = check_get_error(&space, "prep_training");
    assert_eq!(check_get_error(&space, "prep"), by_step, "the file is named after the script");
    check_get(&space, "clean", None);

    let space = Space::new();
    space.write("a_runtime_test_spec.json", &text("clean", "clean"));
    space.write("b_runtime_test_spec.json", &text("clean", "clean"));
    let error = space.builder.get_script_spec_by_name("clean").unwrap_err();
    assert!(matches!(error, GetSpecError::Load(LoadSpecError::Ambiguous { .. })), "{error:?}");

    let space = Space::new();
    space.write("empty_runtime_test_spec.json", "");
    let error = space.builder.get_script_spec_by_name("clean").unwrap_err();
    assert!(
        matches!(error, GetSpecError::Load(LoadSpecError::NotFound { .. })),
        "it may be that one: {error:?}"
    );
}

#[test]
fn main_params_are_those_of_the_spec() {
    let space = Space::new();
    let spec = spec("prep", "clean");
    let params = space.builder.get_script_main_params(&spec);
    assert_eq!(params.input_paths, spec.input_paths);
    assert_eq!(params.output_paths, spec.output_paths);
    assert_eq!(params.environ_vars, spec.environ_vars);
    assert_eq!(params.job_args, ScriptExecutionSpec::default_job_args(), "the default where there are none");
}
