use runtime_testing_builder::{
    InteractiveError, PromptError, Prompter, Question, ScriptedPrompter, Validation, is_untouched_draft,
};
use runtime_testing_models::{JobValue, ScriptExecutionSpec};
use runtime_testing_spec_store::LoadSpecError;

use crate::space::{Space, chain, spec, step, text};

/// What comes of a dialog about the step `clean`.
#[track_caller]
fn dialog(space: &Space, answers: &[&str]) -> (ScriptExecutionSpec, ScriptedPrompter) {
    let mut prompter = ScriptedPrompter::new(answers.iter().copied());
    let updated = space.builder.update_script_spec_interactive(&step("clean"), &mut prompter).unwrap();
    assert_eq!(prompter.asked().len(), answers.len(), "every answer is asked for");
    assert_eq!(space.builder.store().load(&step("clean")).unwrap(), updated, "what comes back is saved");
    (updated, prompter)
}

fn transcript(space: &Space, prompter: &ScriptedPrompter) -> String {
    let questions = prompter.asked().iter().map(|question| match &question.default {
        Some(default) => format!("{} [{default}]", question.text),
        None => question.text.clone(),
    });
    space.shown(questions.chain(prompter.told().iter().cloned()).collect::<Vec<_>>().join("\n"))
}

#[test]
fn a_new_spec_from_two_paths_and_two_defaults() {
    let space = Space::new();
    let (spec, prompter) = dialog(&space, &["data/orders.csv", " output/clean ", "", ""]);
    insta::assert_snapshot!(transcript(&space, &prompter), @r#"
    path of input `data_input` of step `clean`, or NAME=PATH under another name [<root>/clean/input]
    path of output `data_output` of step `clean`, or NAME=PATH under another name [<root>/clean/output]
    environment variables of step `clean`, as a JSON object [{"LABEL_FIELD":"label"}]
    arguments of step `clean`, as a JSON object [{"job_type":"testing"}]
    "#);
    assert_eq!(spec.input_paths["data_input"], "data/orders.csv");
    assert_eq!(spec.output_paths["data_output"], "output/clean");
    assert_eq!(spec.environ_vars, ScriptExecutionSpec::default_environ_vars());
    assert_eq!(spec.job_args, ScriptExecutionSpec::default_job_args());
    assert!(space.builder.build_from_dag(&chain(&["clean"]), Validation::Required).is_ok());
}

#[test]
fn confirmed_defaults_are_no_draft_any_more() {
    let space = Space::new();
    space.builder.build_from_dag(&chain(&["clean"]), Validation::Skipped).unwrap();
    let (spec, _) = dialog(&space, &["", "", "", ""]);
    assert_eq!(spec.input_paths["data_input"], space.builder.test_data_dir().join("clean/input"));
    assert!(!is_untouched_draft(&spec));
    assert!(space.builder.build_from_dag(&chain(&["clean"]), Validation::Required).is_ok());
}

#[test]
fn inputs_and_outputs_have_the_names_that_are_given() {
    let space = Space::new();
    space.builder.build_from_dag(&chain(&["clean"]), Validation::Skipped).unwrap();
    let answers = [
        "orders = data/orders.csv",
        "rates.csv",
        "orders=data/other.csv",
        "rates=",
        "rates=data/year=2024",
        "",
        "./a=b",
        "",
        "",
    ];
    let (spec, prompter) = dialog(&space, &answers);
    insta::assert_snapshot!(transcript(&space, &prompter), @r#"
    path of input `data_input` of step `clean`, or NAME=PATH under another name [<root>/clean/input]
    another input of step `clean`, as NAME=PATH; nothing if there is none
    another input of step `clean`, as NAME=PATH; nothing if there is none
    another input of step `clean`, as NAME=PATH; nothing if there is none
    another input of step `clean`, as NAME=PATH; nothing if there is none
    another input of step `clean`, as NAME=PATH; nothing if there is none
    path of output `data_output` of step `clean`, or NAME=PATH under another name [<root>/clean/output]
    environment variables of step `clean`, as a JSON object [{"LABEL_FIELD":"label"}]
    arguments of step `clean`, as a JSON object [{"job_type":"testing"}]
    `rates.csv` is not NAME=PATH; please answer again
    there is `orders` already; please answer again
    `rates=` is not NAME=PATH; please answer again
    "#);
    let paths: Vec<(&str, &str)> =
        spec.input_paths.iter().map(|(name, path)| (name.as_str(), path.as_str())).collect();
    assert_eq!(paths, [("orders", "data/orders.csv"), ("rates", "data/year=2024")]);
    assert_eq!(spec.output_paths.len(), 1);
    assert_eq!(spec.output_paths["data_output"], "./a=b");
}

#[test]
fn only_what_is_missing_is_asked_for() {
    let space = Space::new();
    let mut saved = spec("prep", "clean");
    saved.output_paths["rows"] = " ".into();
    saved.job_args.insert("epochs".to_owned(), 3.into());
    space.builder.save_script_spec(&saved).unwrap();
    let (spec, prompter) = dialog(&space, &["output/clean", r#"{"A": "1"}"#]);
    insta::assert_snapshot!(transcript(&space, &prompter), @r#"
    path of output `rows` of step `clean` [<root>/prep/output]
    environment variables of step `clean`, as a JSON object [{"LABEL_FIELD":"label"}]
    "#);
    assert_eq!(spec.output_paths["rows"], "output/clean");
    assert_eq!((spec.environ_vars["A"].as_str(), spec.input_paths["raw"].as_str()), ("1", "data/clean.csv"));

    let before = space.files();
    let (_, prompter) = dialog(&space, &[]);
    insta::assert_snapshot!(transcript(&space, &prompter), @"nothing is missing in the spec of step `clean`; to change it, edit `<root>/.specs/clean_runtime_test_spec.json`");
    assert_eq!(space.files(), before);
}

#[test]
fn each_blank_path_is_asked_for_under_its_own_name() {
    let space = Space::new();
    space.write(
        "clean_runtime_test_spec.json",
        r#"{
            "script_name": "clean", "step_name": "clean", "input_paths": {"orders": "", "customers": ""},
            "input_path_specs": {
                "orders": {"path": "", "aliases": ["sales"]}, "customers": {"kind": "file"}, "regions": {"path": ""}
            },
            "output_paths": {"rows": "output"}, "environ_vars": {"A": "1"}, "job_args": {"b": 1}
        }"#,
    );
    let (spec, prompter) = dialog(&space, &["a.csv", "", "c.csv"]);
    insta::assert_snapshot!(transcript(&space, &prompter), @r"
    path of input `orders` of step `clean` [<root>/clean/input/orders]
    path of input `customers` of step `clean` [<root>/clean/input/customers]
    path of input `regions` of step `clean` [<root>/clean/input/regions]
    ");
    assert_eq!(spec.input_paths["orders"], "a.csv");
    assert_eq!(spec.input_path_specs["orders"].path.as_deref(), Some("a.csv".as_ref()));
    assert_eq!(spec.input_path_specs["customers"].path, None);
    assert_eq!(spec.input_paths["customers"], space.builder.test_data_dir().join("clean/input/customers"));
}

#[test]
fn what_cannot_be_understood_is_asked_again() {
    let space = Space::new();
    let answers = [
        "in\0put",
        "in",
        "out",
        r#"{"A": 1}"#,
        "{}",
        "epochs=3",
        "[3]",
        r#"{"rate": 0.10, "deep": [{"x": null}]}"#,
    ];
    let (spec, prompter) = dialog(&space, &answers);
    insta::assert_snapshot!(prompter.told().join("\n"), @"
    a path cannot contain NUL; please answer again
    line 1, column 7: `environ_vars.A`: expected a string, found a number; environment variables are text: put the value in quotes; please answer again
    line 1, column 1: expected value; this is no JSON, which begins with `{` or `[`; please answer again
    line 1, column 1: expected an object, found an array; please answer again
    ");
    assert!(spec.environ_vars.is_empty());
    assert_eq!(spec.job_args["rate"], JobValue::Number("0.10".parse().unwrap()));
}

#[test]
fn a_spec_with_all_its_paths_stays_as_it_is_unless_something_is_said() {
    let space = Space::new();
    space.write("clean_runtime_test_spec.json", &text("clean", "clean"));
    let (spec, _) = dialog(&space, &["", ""]);
    assert!(spec.environ_vars.is_empty() && spec.job_args.is_empty(), "{spec:?}");
}

#[test]
fn cancel_saves_nothing_at_any_question() {
    let space = Space::new();
    let answers = ["in", "out", "", ""];
    for given in 0..answers.len() {
        let mut prompter = ScriptedPrompter::new(answers[..given].iter().copied());
        let error = space.builder.update_script_spec_interactive(&step("clean"), &mut prompter).unwrap_err();
        insta::allow_duplicates! {
            insta::assert_snapshot!(error, @"canceled; the spec of step `clean` is as it was");
        }
        assert!(!space.builder.specs_dir().exists(), "not even a draft");
    }
    space.write("clean_runtime_test_spec.json", &text("clean", "clean"));
    let before = space.files();
    let mut prompter = ScriptedPrompter::new([r#"{"A": "1"}"#]);
    let error = space.builder.update_script_spec_interactive(&step("clean"), &mut prompter).unwrap_err();
    assert!(matches!(error, InteractiveError::Canceled { .. }), "{error:?}");
    assert_eq!(space.files(), before);
}

#[test]
fn a_broken_spec_is_no_reason_to_ask() {
    let space = Space::new();
    space.write("clean_runtime_test_spec.json", "{");
    let mut prompter = ScriptedPrompter::new(["in", "out", "", ""]);
    let error = space.builder.update_script_spec_interactive(&step("clean"), &mut prompter).unwrap_err();
    assert!(matches!(error, InteractiveError::Load(LoadSpecError::Broken(_))), "{error:?}");
    assert!(prompter.asked().is_empty());
    assert_eq!(space.files()["clean_runtime_test_spec.json"], "{");
}

/// Somebody else saves while the person is thinking.
struct Interrupted<'a> {
    space: &'a Space,
    asked: usize,
}

impl Prompter for Interrupted<'_> {
    fn ask(&mut self, question: &Question) -> Result<String, PromptError> {
        self.asked += 1;
        if self.asked == 1 {
            let change = |spec: &mut ScriptExecutionSpec| spec.user_notes = Some("theirs".to_owned());
            self.space.builder.update_script_spec(&step("clean"), change).unwrap();
        }
        Ok(if question.text.starts_with("environment") { r#"{"A": "1"}"# } else { r#"{"b": 2}"# }.to_owned())
    }

    fn tell(&mut self, message: &str) {
        panic!("{message}");
    }
}

#[test]
fn what_others_save_during_the_dialog_is_kept() {
    let space = Space::new();
    space.builder.save_script_spec(&spec("clean", "clean")).unwrap();
    let mut prompter = Interrupted { space: &space, asked: 0 };
    let updated = space.builder.update_script_spec_interactive(&step("clean"), &mut prompter).unwrap();
    assert_eq!(prompter.asked, 2);
    assert_eq!(updated.user_notes.as_deref(), Some("theirs"));
    assert_eq!((updated.environ_vars["A"].as_str(), &updated.job_args["b"]), ("1", &2.into()));
}

/// A terminal that has gone.
struct Gone;

impl Prompter for Gone {
    fn ask(&mut self, _: &Question) -> Result<String, PromptError> {
        Err(std::io::Error::from(std::io::ErrorKind::BrokenPipe).into())
    }

    fn tell(&mut self, _: &str) {}
}

#[test]
fn a_prompter_that_fails_saves_nothing() {
    let space = Space::new();
    let error = space.builder.update_script_spec_interactive(&step("clean"), &mut Gone).unwrap_err();
    insta::assert_snapshot!(error, @"cannot ask for the spec of step `clean`: broken pipe");
    assert!(!space.builder.specs_dir().exists());
}
