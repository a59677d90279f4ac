use std::fs;

use proptest::prelude::*;
use runtime_testing_models::proptest1::step_names;
use runtime_testing_models::{JobValue, LogicalName, OutputBinding, ScriptExecutionSpec};
use runtime_testing_spec_store::{LoadSpecError, Occupant, SaveSpecError, SpecStore, UpdateSpecError};

use crate::space::{Space, spec, step, text};

/// Saving `spec` fails, and leaves every file as it was.
#[track_caller]
fn check_refused(
    space: &Space,
    spec: &ScriptExecutionSpec,
    matches: impl Fn(&SaveSpecError) -> bool,
) -> String {
    let before = space.files();
    let error = space.store.save(spec).unwrap_err();
    assert!(matches(&error), "{error:?}");
    space.store.update(&spec.step_name, |_| Ok::<_, std::fmt::Error>(spec.clone())).unwrap_err();
    assert_eq!(space.files(), before, "byte for byte");
    space.shown(error)
}

#[track_caller]
fn check_occupied(space: &Space, spec: &ScriptExecutionSpec) -> String {
    check_refused(space, spec, |error| matches!(error, SaveSpecError::Occupied { .. }))
}

#[test]
fn what_is_saved_loads() {
    let space = Space::new();
    let path = space.store.save(&spec("train")).unwrap();
    assert_eq!(path, space.store.folder().join("train_runtime_test_spec.json"));
    let mut loaded = space.store.load(&step("train")).unwrap();
    let stamp = loaded.last_updated.take().unwrap();
    assert_eq!(loaded, spec("train"));
    let shape: String = stamp.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000Z");
    assert_eq!(space.names(), ["train_runtime_test_spec.json"], "no temporary file is left");
}

#[test]
fn the_file_is_named_after_the_step() {
    let space = Space::new();
    for name in ["prep_training", "prep_calibration"] {
        space.store.save(&ScriptExecutionSpec::new(step("prep").cast(), step(name))).unwrap();
    }
    assert_eq!(
        space.names(),
        ["prep_calibration_runtime_test_spec.json", "prep_training_runtime_test_spec.json"]
    );
    let longest = "x".repeat(200);
    space.store.save(&spec(&longest)).unwrap();
    assert!(space.store.load(&step(&longest)).is_ok());
}

#[test]
fn a_spec_stays_in_the_file_it_is_in() {
    let space = Space::new();
    let legacy = space.write("prep_runtime_test_spec.json", text("prep", "prep_training"));
    let mut changed = space.store.load(&step("prep_training")).unwrap();
    changed.user_notes = Some("changed".to_owned());
    assert_eq!(space.store.save(&changed).unwrap(), legacy);
    assert_eq!(space.names(), ["prep_runtime_test_spec.json"]);
    assert_eq!(space.store.load(&step("prep_training")).unwrap().user_notes.as_deref(), Some("changed"));
    assert_eq!(space.store.remove(&step("prep_training")).unwrap(), legacy);
    assert!(space.names().is_empty());
}

#[test]
fn what_is_not_the_steps_own_good_file_is_never_written_over() {
    let space = Space::new();
    space.write("clean_runtime_test_spec.json", text("train", "train"));
    insta::assert_snapshot!(check_occupied(&space, &spec("clean")), @"cannot save the spec of step `clean`: `<root>/.specs/clean_runtime_test_spec.json` holds the spec of step `train`; rename that file, its name does not matter");

    let space = Space::new();
    space.write("clean_runtime_test_spec.json", "{\n  \"script_name\": \"clean\",,\n}");
    insta::assert_snapshot!(check_occupied(&space, &spec("clean")), @"
    cannot save the spec of step `clean`: a broken file is in its place; mend it or move it away
      spec file `<root>/.specs/clean_runtime_test_spec.json`: line 2, column 26: key must be a string; put the key in double quotes
    ");

    let space = Space::new();
    space.write("prep_runtime_test_spec.json", "{\"step_name\": \"prep_training\", \"a\"");
    insta::assert_snapshot!(check_occupied(&space, &spec("prep_training")), @"
    cannot save the spec of step `prep_training`: a broken file is in its place; mend it or move it away
      spec file `<root>/.specs/prep_runtime_test_spec.json`: line 1, column 34: EOF while parsing an object; something that was opened before is not closed
    ");

    let space = Space::new();
    space.write("a_runtime_test_spec.json", text("clean", "clean"));
    space.write("b_runtime_test_spec.json", text("clean", "clean"));
    let error =
        check_refused(&space, &spec("clean"), |error| matches!(error, SaveSpecError::Ambiguous { .. }));
    insta::assert_snapshot!(error, @"cannot save the spec of step `clean`, 2 files claim it: `<root>/.specs/a_runtime_test_spec.json`, `<root>/.specs/b_runtime_test_spec.json`; keep one of them, or give the others a `step_name` of their own");

    let space = Space::new();
    fs::create_dir_all(space.store.default_path(&step("clean"))).unwrap();
    check_occupied(&space, &spec("clean"));

    let space = Space::new();
    let path = space.write("clean_runtime_test_spec.json", text("clean", "clean"));
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    insta::assert_snapshot!(check_occupied(&space, &spec("clean")), @"cannot save the spec of step `clean`: `<root>/.specs/clean_runtime_test_spec.json` is read-only; make it writable if it may be changed");
    assert_eq!(
        space.store.save_new(&[spec("clean")]).unwrap()[0].user_notes,
        None,
        "there is nothing to write"
    );
}

#[cfg(unix)]
#[test]
fn links_are_read_and_not_written_over() {
    let space = Space::new();
    let target = space.write("elsewhere.json", text("clean", "clean"));
    std::os::unix::fs::symlink(&target, space.store.default_path(&step("clean"))).unwrap();
    assert!(space.store.load(&step("clean")).is_ok());
    insta::assert_snapshot!(check_occupied(&space, &spec("clean")), @"cannot save the spec of step `clean`: `<root>/.specs/clean_runtime_test_spec.json` is a symbolic link; change the file it points to, or replace the link by a file");

    fs::remove_file(target).unwrap();
    let error = space.store.save(&spec("clean")).unwrap_err();
    assert!(matches!(error, SaveSpecError::Occupied { occupant: Occupant::Broken(_), .. }), "{error:?}");
}

#[cfg(unix)]
#[test]
fn files_get_the_mode_that_the_umask_leaves_and_keep_the_one_they_have() {
    use std::os::unix::fs::PermissionsExt as _;

    let space = Space::new();
    let mode = |path: &camino::Utf8Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let other = space.write("other", "");
    let path = space.store.save(&spec("train")).unwrap();
    assert_eq!(mode(&path), mode(&other), "as any other new file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    space.store.save(&spec("train")).unwrap();
    assert_eq!(mode(&path), 0o640);
}

#[test]
fn what_would_not_load_is_not_saved() {
    let space = Space::new();
    let mut wrong = spec("train");
    wrong.environ_vars.insert("A=B".to_owned(), String::new());
    wrong.bindings.insert(
        LogicalName::new("data_imput").unwrap(),
        OutputBinding { step: step("clean"), output: LogicalName::new("rows").unwrap() },
    );
    let error = check_refused(&space, &wrong, |error| matches!(error, SaveSpecError::Invalid { .. }));
    insta::assert_snapshot!(error, @r"
    the spec of step `train` would not be a valid file: 2 mistakes:
      - line 13, column 5: `environ_vars.A=B`: an environment variable's name is not empty and has no `=` and no NUL
      - line 21, column 5: `bindings.data_imput`: the spec has no input of this name; did you mean `data_input`?
    ");

    let is_unwritable = |error: &SaveSpecError| matches!(error, SaveSpecError::Unwritable { .. });
    let mut infinite = spec("train");
    infinite.timeout_seconds = Some(f64::INFINITY);
    let error = check_refused(&space, &infinite, is_unwritable);
    insta::assert_snapshot!(error, @"the spec of step `train` holds something that a JSON file cannot: a number that is none, for one");
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let space = Space::new();
    fs::write(space.store.folder(), "a file").unwrap();
    let error = space.shown(space.store.save(&spec("train")).unwrap_err());
    assert!(error.starts_with("cannot create the spec folder `<root>/.specs`: "), "{error}");
    let below = SpecStore::new(space.store.folder().join("below"));
    assert!(matches!(below.save(&spec("train")), Err(SaveSpecError::CreateFolder { .. })));
    assert_eq!(fs::read(space.store.folder()).unwrap(), b"a file");
}

#[test]
fn a_lock_that_cannot_be_taken_is_an_error() {
    let space = Space::new();
    fs::create_dir_all(space.store.folder().join(".lock")).unwrap();
    let error = space.store.save(&spec("train")).unwrap_err();
    assert!(matches!(error, SaveSpecError::Lock { .. }), "{error:?}");
    assert!(space.names().is_empty());
}

#[test]
fn new_specs_are_saved_together_or_not_at_all() {
    let space = Space::new();
    let mut existing = spec("clean");
    existing.user_notes = Some("mine".to_owned());
    space.store.save(&existing).unwrap();
    let saved = space.store.save_new(&[spec("clean"), spec("train")]).unwrap();
    assert_eq!(saved[0].user_notes.as_deref(), Some("mine"));
    assert!(saved[1].last_updated.is_some());
    assert_eq!(space.store.load(&step("train")).unwrap(), saved[1]);

    space.write("score_runtime_test_spec.json", "{");
    let before = space.files();
    assert!(space.store.save_new(&[spec("report"), spec("score")]).is_err());
    assert_eq!(space.files(), before);
}

#[test]
fn an_update_sees_what_is_there() {
    let space = Space::new();
    let update = |note: &str| {
        space.store.update(&step("train"), |saved| {
            let mut spec = saved.unwrap_or_else(|| spec("train"));
            spec.user_notes = Some(spec.user_notes.unwrap_or_default() + note);
            Ok::<_, std::fmt::Error>(spec)
        })
    };
    update("a").unwrap();
    let updated = update("b").unwrap();
    assert_eq!(updated.user_notes.as_deref(), Some("ab"));
    assert_eq!(space.store.load(&step("train")).unwrap(), updated);
}

#[test]
fn a_change_that_fails_or_goes_astray_saves_nothing() {
    let space = Space::new();
    space.store.save(&spec("train")).unwrap();
    let before = space.files();
    let error = space.store.update(&step("train"), |_| Err(std::fmt::Error)).unwrap_err();
    assert!(matches!(error, UpdateSpecError::Change(std::fmt::Error)));
    let error = space.store.update(&step("train"), |_| Ok::<_, std::fmt::Error>(spec("clean"))).unwrap_err();
    insta::assert_snapshot!(error, @"the spec of step `train` cannot become that of step `clean`; save that one on its own");
    space.write("clean_runtime_test_spec.json", "{");
    let unseen = |_| -> Result<_, std::fmt::Error> {
        panic!("a broken spec is not to be taken for one that is not there")
    };
    let error = space.store.update(&step("clean"), unseen).unwrap_err();
    assert!(matches!(error, UpdateSpecError::Load(LoadSpecError::Broken(_))));
    assert_eq!(space.files()["train_runtime_test_spec.json"], before["train_runtime_test_spec.json"]);
}

#[test]
fn what_killed_savers_left_goes_with_the_next_save() {
    let space = Space::new();
    space.write(".train_runtime_test_spec.json.a1B2c3.tmp", "{\"script_na");
    space.write(".mine.tmp", "not ours");
    assert!(space.store.list().unwrap().is_empty());
    assert_eq!(space.names().len(), 2, "looking removes nothing");
    space.store.save(&spec("clean")).unwrap();
    assert_eq!(space.names(), [".mine.tmp", "clean_runtime_test_spec.json"]);
}

#[test]
fn a_broken_file_is_not_removed() {
    let space = Space::new();
    space.write("train_runtime_test_spec.json", "{");
    assert!(space.store.remove(&step("train")).is_err());
    assert_eq!(space.names(), ["train_runtime_test_spec.json"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[cfg(unix)]
    #[test]
    fn any_set_of_specs_is_kept_apart(names in proptest::collection::btree_set(step_names(), 1..12), note in ".*") {
        let space = Space::new();
        for name in &names {
            let mut spec = spec(name.as_str());
            spec.user_notes = Some(note.clone());
            spec.job_args.insert(note.clone(), JobValue::Number("1.10".parse().unwrap()));
            space.store.save(&spec).unwrap();
        }
        let index = space.store.load_all().unwrap();
        let loaded: Vec<_> = index.specs().map(|saved| saved.spec.step_name.clone()).collect();
        prop_assert!(loaded.iter().eq(names.iter()));
        for saved in index.specs() {
            prop_assert_eq!(saved.spec.user_notes.as_ref(), Some(&note));
            prop_assert_eq!(&saved.path, &space.store.default_path(&saved.spec.step_name));
        }
    }
}
