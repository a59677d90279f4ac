use std::fs;

use runtime_testing_spec_store::{
    FileProblem, LoadSpecError, Lookup, MAX_SPEC_BYTES, RemoveSpecError, SpecFile, SpecStore,
};

use crate::space::{Space, spec, step, text};

#[track_caller]
fn check_error(space: &Space, name: &str, matches: impl Fn(&LoadSpecError) -> bool) -> String {
    let error = space.store.load(&step(name)).unwrap_err();
    assert!(matches(&error), "{error:?}");
    space.shown(error)
}

fn is_unparsable(error: &LoadSpecError) -> bool {
    matches!(error, LoadSpecError::Broken(broken) if matches!(broken.problem, FileProblem::Unparsable(_)))
}

#[test]
fn looking_makes_nothing() {
    let space = Space::new();
    let error = check_error(&space, "train", |error| matches!(error, LoadSpecError::NotFound { .. }));
    insta::assert_snapshot!(error, @"no file in `<root>/.specs` holds a spec of step `train`");
    assert!(space.store.list().unwrap().is_empty());
    assert!(matches!(
        space.store.remove(&step("train")),
        Err(RemoveSpecError::Load(LoadSpecError::NotFound { .. }))
    ));
    assert_eq!(
        space.store.path_of(&step("train")).unwrap(),
        space.store.folder().join("train_runtime_test_spec.json")
    );
    assert!(!space.store.folder().exists());
}

#[test]
fn a_spec_is_found_by_the_name_inside() {
    let space = Space::new();
    space.write("prep_runtime_test_spec.json", text("prep", "prep_training"));
    space.write("clean_runtime_test_spec.json", text("train", "train"));
    space.write("train_runtime_test_spec.json", text("clean", "clean"));
    for (name, script) in [("prep_training", "prep"), ("train", "train"), ("clean", "clean")] {
        assert_eq!(space.store.load(&step(name)).unwrap().script_name, script);
    }
    assert!(space.store.path_of(&step("train")).unwrap().ends_with("clean_runtime_test_spec.json"));
    let error = check_error(&space, "prep", |error| matches!(error, LoadSpecError::NotFound { .. }));
    insta::assert_snapshot!(error, @"no file in `<root>/.specs` holds a spec of step `prep`; did you mean `prep_training`?");
    let error = check_error(&space, "trian", |error| matches!(error, LoadSpecError::NotFound { .. }));
    insta::assert_snapshot!(error, @"no file in `<root>/.specs` holds a spec of step `trian`; did you mean `train`?");
}

#[test]
fn every_mistake_of_a_broken_spec_has_its_place() {
    let space = Space::new();
    space.write(
        "clean_runtime_test_spec.json",
        "{\n  \"script_name\": \"clean\",\n  \"step_name\": \"clean\"\n  \"x\": 1\n}",
    );
    space.write(
        "train_runtime_test_spec.json",
        "{\n  \"script_name\": \"train\",\n  \"step_name\": \"train\",\n  \"imput_paths\": {},\n  \"environ_vars\": {\"A\": 1}\n}",
    );
    space.write("empty_runtime_test_spec.json", "");
    space.write("latin_runtime_test_spec.json", b"{\n  \"user_notes\": \"caf\xe9\"\n}");
    insta::assert_snapshot!(check_error(&space, "clean", is_unparsable), @"spec file `<root>/.specs/clean_runtime_test_spec.json`: line 4, column 3: expected `,` or `}`; put a comma before it");
    insta::assert_snapshot!(check_error(&space, "train", is_unparsable), @r"
    spec file `<root>/.specs/train_runtime_test_spec.json`: 2 mistakes:
      - line 4, column 3: `imput_paths`: unknown key; did you mean `input_paths`?
      - line 5, column 25: `environ_vars.A`: expected a string, found a number; environment variables are text: put the value in quotes
    ");
    insta::assert_snapshot!(check_error(&space, "empty", is_unparsable), @"spec file `<root>/.specs/empty_runtime_test_spec.json`: line 1, column 1: the file is empty; it should hold a JSON object");
    insta::assert_snapshot!(check_error(&space, "latin", is_unparsable), @"spec file `<root>/.specs/latin_runtime_test_spec.json`: line 2, column 21: the text is not UTF-8; save the file with the encoding UTF-8");
}

#[test]
fn what_is_no_file_of_a_sensible_size_is_not_read() {
    let space = Space::new();
    fs::create_dir_all(space.store.default_path(&step("folder"))).unwrap();
    let large = space.write("large_runtime_test_spec.json", "");
    fs::File::options().write(true).open(large).unwrap().set_len(MAX_SPEC_BYTES + 1).unwrap();

    let error = check_error(
        &space,
        "folder",
        |error| matches!(error, LoadSpecError::Broken(broken) if matches!(broken.problem, FileProblem::NotAFile)),
    );
    insta::assert_snapshot!(error, @"`<root>/.specs/folder_runtime_test_spec.json` has the name of a spec file and is no file; move it away");
    let error = check_error(
        &space,
        "large",
        |error| matches!(error, LoadSpecError::Broken(broken) if matches!(broken.problem, FileProblem::TooLarge { .. })),
    );
    insta::assert_snapshot!(error, @"spec file `<root>/.specs/large_runtime_test_spec.json` has 16777217 bytes and may have at most 16777216; move it away");
}

#[test]
fn a_large_spec_loads() {
    let space = Space::new();
    let mut large = spec("train");
    large.user_notes = Some("x".repeat(10_000_000));
    space.store.save(&large).unwrap();
    assert_eq!(space.store.load(&step("train")).unwrap().user_notes, large.user_notes);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_an_error_of_its_own() {
    let space = Space::new();
    space.write("train_runtime_test_spec.json", text("train", "train"));
    // A link to itself cannot be followed, not even by root.
    let path = space.store.default_path(&step("loop"));
    std::os::unix::fs::symlink(&path, &path).unwrap();
    std::os::unix::fs::symlink("nowhere", space.store.default_path(&step("dangling"))).unwrap();
    let is_unreadable = |error: &LoadSpecError| matches!(error, LoadSpecError::Broken(broken) if matches!(broken.problem, FileProblem::Unreadable(_)));

    let error = check_error(&space, "loop", is_unreadable);
    assert!(
        error.starts_with("cannot read spec file `<root>/.specs/loop_runtime_test_spec.json`: "),
        "{error}"
    );
    check_error(&space, "dangling", is_unreadable);
    assert!(space.store.load(&step("train")).is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf8_is_reported_and_a_pipe_is_not_waited_for() {
    use std::os::unix::ffi::OsStrExt as _;

    let space = Space::new();
    space.write("train_runtime_test_spec.json", text("train", "train"));
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9_runtime_test_spec.json");
    fs::write(space.store.folder().as_std_path().join(name), text("cafe", "cafe")).unwrap();
    let pipe = space.store.default_path(&step("pipe"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());

    let index = space.store.load_all().unwrap();
    let broken: Vec<String> = index.broken().iter().map(|broken| space.shown(broken)).collect();
    insta::assert_snapshot!(broken.join("\n"), @r"
    the name of spec file `<root>/.specs/caf�_runtime_test_spec.json` is not UTF-8; rename it
    `<root>/.specs/pipe_runtime_test_spec.json` has the name of a spec file and is no file; move it away
    ");
    assert!(space.store.load(&step("train")).is_ok());
}

#[test]
fn two_files_that_claim_one_step_are_both_named() {
    let space = Space::new();
    let right = space.write("clean_runtime_test_spec.json", text("clean", "clean"));
    let wrong = space.write("clean_of_may_runtime_test_spec.json", text("old_clean", "clean"));
    let error = check_error(
        &space,
        "clean",
        |error| matches!(error, LoadSpecError::Ambiguous { paths, .. } if *paths == [wrong.clone(), right.clone()]),
    );
    insta::assert_snapshot!(error, @"2 files claim step `clean`: `<root>/.specs/clean_of_may_runtime_test_spec.json`, `<root>/.specs/clean_runtime_test_spec.json`; keep one of them, or give the others a `step_name` of their own");
    assert!(space.store.path_of(&step("clean")).is_err());
    assert!(space.store.remove(&step("clean")).is_err());
    let index = space.store.load_all().unwrap();
    let duplicates: Vec<_> = index.duplicates().map(|(step, claims)| (step.as_str(), claims.len())).collect();
    assert_eq!(duplicates, [("clean", 2)]);
}

#[test]
fn a_broken_file_stops_its_own_step_only() {
    let space = Space::new();
    space.write("train_runtime_test_spec.json", text("train", "train"));
    space.write(
        "prep_runtime_test_spec.json",
        "{\"script_name\": \"prep\", \"step_name\": \"prep_training\",",
    );
    assert!(space.store.load(&step("train")).is_ok());
    insta::assert_snapshot!(check_error(&space, "prep_training", is_unparsable), @"spec file `<root>/.specs/prep_runtime_test_spec.json`: line 1, column 53: EOF while parsing an object; something that was opened before is not closed");
    // The file says whose it is, so it is not that of the step it is named after.
    let error = check_error(&space, "prep", |error| matches!(error, LoadSpecError::NotFound { .. }));
    insta::assert_snapshot!(error, @"no file in `<root>/.specs` holds a spec of step `prep`");
}

#[test]
fn a_file_nobody_knows_the_step_of_is_named_where_a_spec_is_missing() {
    let space = Space::new();
    space.write("train_runtime_test_spec.json", text("train", "train"));
    space.write("prep_runtime_test_spec.json", "");
    space.write("wrong_runtime_test_spec.json", r#"{"script_name": 1, "a": 2}"#);
    assert!(space.store.load(&step("train")).is_ok());
    let error = check_error(&space, "clean", |error| matches!(error, LoadSpecError::NotFound { .. }));
    insta::assert_snapshot!(error, @r"
    no file in `<root>/.specs` holds a spec of step `clean`; these files are broken and may hold it:
      - spec file `<root>/.specs/prep_runtime_test_spec.json`: line 1, column 1: the file is empty; it should hold a JSON object
      - spec file `<root>/.specs/wrong_runtime_test_spec.json`: 3 mistakes:
        - line 1, column 1: the key `step_name` is missing
        - line 1, column 17: `script_name`: expected a string, found a number
        - line 1, column 20: `a`: unknown key; the keys are `$schema`, `script_name`, `step_name`, `script_path`, `input_paths`, `output_paths`, `environ_vars`, `job_args`, `last_updated`, `user_notes`, `input_path_specs`, `output_path_specs`, `bindings`, `input_schemas`, `output_schemas`, `timeout_seconds`, `python`, `isolation`, `working_directory`, `optional_inputs`, `optional_outputs`, `mutable_inputs`, `sample_data`, `limits`
    ");
}

#[test]
fn a_listing_has_everything_in_order() {
    let space = Space::new();
    space.write("z_runtime_test_spec.json", text("script", "a"));
    space.write("b_runtime_test_spec.json", text("b", "b"));
    space.write("a_runtime_test_spec.json", "{");
    space.write("y_runtime_test_spec.json", text("script", "a"));
    space.write("notes.txt", "not a spec");
    space.write("notes.json", "not a spec");
    space.write(".hidden_runtime_test_spec.json", "not a spec");
    space.write("b_runtime_test_spec.json~", "not a spec");
    let lines = space.store.list().unwrap().into_iter().map(|file| match file {
        SpecFile::Spec { step_name, script_name, path } => {
            format!("{step_name} {script_name} {}", path.file_name().unwrap())
        }
        SpecFile::Broken(broken) => format!("broken {}", broken.path.file_name().unwrap()),
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    a script y_runtime_test_spec.json
    a script z_runtime_test_spec.json
    b b b_runtime_test_spec.json
    broken a_runtime_test_spec.json
    ");
}

#[test]
fn a_folder_that_is_none_is_an_error() {
    let space = Space::new();
    fs::write(space.store.folder(), "a file").unwrap();
    let error = check_error(&space, "train", |error| matches!(error, LoadSpecError::Folder(_)));
    assert!(error.starts_with("cannot read the spec folder `<root>/.specs`: "), "{error}");
    assert!(space.store.list().is_err() && space.store.load_all().is_err());
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_can_be_loaded_from() {
    use std::os::unix::fs::PermissionsExt as _;

    let space = Space::new();
    space.write("train_runtime_test_spec.json", text("train", "train"));
    fs::set_permissions(space.store.folder(), fs::Permissions::from_mode(0o555)).unwrap();
    let loaded = space.store.load(&step("train"));
    let listed = space.store.list();
    fs::set_permissions(space.store.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(loaded.unwrap().step_name, "train");
    assert_eq!(listed.unwrap().len(), 1);
    assert!(!space.store.folder().join(".lock").exists(), "loading takes no lock");
}

#[test]
fn five_thousand_specs_are_one_pass() {
    let space = Space::new();
    for at in 0..5_000 {
        space.write(&format!("s{at:04}_runtime_test_spec.json"), text("s", &format!("s{at:04}")));
    }
    let index = space.store.load_all().unwrap();
    assert_eq!(index.specs().count(), 5_000);
    for at in 0..5_000 {
        assert!(matches!(index.look_up(&step(&format!("s{at:04}"))), Lookup::Saved(_)));
    }
    let order: Vec<_> = index.specs().map(|saved| saved.spec.step_name.clone()).collect();
    assert!(order.is_sorted());
}

#[test]
fn errors_can_cross_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<SpecStore>();
    check::<LoadSpecError>();
    check::<runtime_testing_spec_store::SaveSpecError>();
    check::<runtime_testing_spec_store::UpdateSpecError>();
    check::<RemoveSpecError>();
}
