use crate::space::Space;

fn new_project() -> Space {
    let space = Space::new();
    std::fs::remove_dir_all(space.root.join("test_workspace/.specs")).unwrap();
    space
}

#[test]
fn from_nothing_to_a_test() {
    let space = new_project();
    let refused = space.run(&["test-pipeline", "pipeline.json"]);
    assert_eq!(refused.status, Some(2));
    assert!(refused.stderr.contains("Missing ScriptExecutionSpec for step `clean`"), "{}", refused.stderr);
    assert!(!space.root.join("test_workspace/.specs").exists(), "a test does not draft");

    let init = space.run(&["specs", "init", "pipeline.json"]);
    assert_eq!(init.status, Some(0), "{init:?}");
    assert!(
        init.stdout.starts_with("drafted\tclean\t") && init.stdout.contains("drafted\ttrain\t"),
        "{}",
        init.stdout
    );
    let again = space.run(&["specs", "init", "pipeline.json"]);
    assert!(again.stdout.starts_with("kept\tclean\t"), "{}", again.stdout);

    let check = space.run(&["specs", "check", "pipeline.json"]);
    assert_eq!(check.status, Some(2));
    assert!(check.stderr.contains("nobody has changed the default"), "{}", check.stderr);
    assert_eq!(space.run(&["specs", "check"]).status, Some(2));

    let edit =
        space.run_with_input(&["specs", "edit", "clean"], "data/raw.csv\noutput/rows.csv\n{\"A\": 1}\n\n\n");
    assert_eq!(edit.status, Some(0), "{edit:?}");
    assert!(
        edit.stderr.contains("expected a string, found a number"),
        "bad JSON is asked again: {}",
        edit.stderr
    );
    let show = space.run(&["specs", "show", "clean"]);
    assert!(show.stdout.contains("\"data_input\": \"data/raw.csv\""), "{}", show.stdout);
    let edit = space.run_with_input(&["specs", "edit", "train"], "output/rows.csv\noutput/model.csv\n\n\n");
    assert_eq!(edit.status, Some(0), "{edit:?}");

    assert_eq!(
        space.run(&["specs", "check", "pipeline.json"]).stdout,
        "2 steps, each with a complete spec\n"
    );
    assert_eq!(space.run(&["specs", "check"]).stdout, "2 specs, all complete\n");
    let list = space.run(&["specs", "list"]);
    assert!(list.stdout.starts_with("clean\tclean\t") && list.stdout.lines().count() == 2, "{}", list.stdout);
    let test = space.run(&["test-pipeline", "pipeline.json"]);
    assert_eq!(test.status, Some(0), "{test:?}");
}

#[test]
fn an_answer_that_does_not_come_saves_nothing() {
    let space = new_project();
    let outcome = space.run_with_input(&["specs", "edit", "clean"], "data/raw.csv\n");
    assert_eq!(outcome.status, Some(2));
    assert!(outcome.stderr.ends_with("error: canceled: nothing was saved\n"), "{}", outcome.stderr);
    assert!(!space.root.join("test_workspace/.specs").exists());
}

#[test]
fn nothing_saved_is_no_error() {
    let space = new_project();
    let list = space.run(&["specs", "list"]);
    assert_eq!((list.status, list.stdout.as_str()), (Some(0), ""));
    assert!(list.stderr.contains("no specs are saved in"), "{}", list.stderr);
}

#[test]
fn a_broken_file_shows_everywhere_and_stays_as_it_is() {
    let space = Space::new();
    let file = "test_workspace/.specs/train_runtime_test_spec.json";
    space.write(file, "{\n  \"script_name\": \"train\",\n  oops\n}");
    for arguments in [
        &["specs", "list"][..],
        &["specs", "check"],
        &["specs", "show", "train"],
        &["specs", "init", "pipeline.json"],
        &["test-pipeline", "pipeline.json"],
    ] {
        let outcome = space.run(arguments);
        assert_eq!(outcome.status, Some(2), "{arguments:?}");
        let named = outcome.stderr.contains("train_runtime_test_spec.json")
            && outcome.stderr.contains("line 3, column 3");
        assert!(named, "{arguments:?}: {}", outcome.stderr);
    }
    let edit = space.run_with_input(&["specs", "edit", "train"], "a\nb\n\n\n");
    assert_eq!(edit.status, Some(2));
    assert_eq!(
        std::fs::read_to_string(space.root.join(file)).unwrap(),
        "{\n  \"script_name\": \"train\",\n  oops\n}"
    );
}

#[test]
fn an_unknown_step_is_told_with_the_nearest() {
    let message = Space::new().refused(&["specs", "show", "trian"]);
    assert!(message.contains("`trian`") && message.contains("`train`"), "{message}");
}
