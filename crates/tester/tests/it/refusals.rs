//! What is refused before anything is run.

use runtime_testing_models::{OutputBinding, ScriptMainParams};

use crate::space::{COPY, Space, script, spec, step};

fn one() -> Space {
    Space::new().step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
}

#[track_caller]
fn refused(space: &Space) -> String {
    let error = space.test().expect_err("it must be refused").to_string();
    assert!(
        !space.root.join("workspace/.runs").exists() && !space.root.join("output").exists(),
        "something was written"
    );
    error.replace(space.root.as_str(), "ROOT")
}

#[test]
fn all_mistakes_are_reported_together() {
    let mut space = one()
        .with(|spec| {
            spec.script_path = Some("data".into());
            spec.python = Some("python3.99".into());
            spec.input_paths["raw"] = " ".into();
        })
        .step("train", COPY, &["rows=output/x/rows.csv"], &["model=output/x"])
        .with(|spec| {
            let binding = |from: &str, output: &str| OutputBinding {
                step: step(from),
                output: output.parse().unwrap(),
            };
            spec.bindings.insert("rows".parse().unwrap(), binding("clean", "nothing"));
            spec.bindings.insert("other".parse().unwrap(), binding("lost", "rows"));
            spec.timeout_seconds = Some(-1.0);
        });
    space = space.edge("clean", "train");
    insta::assert_snapshot!(refused(&space), @"
    8 mistakes:
      - step `clean`: `input_paths.raw` is blank: fill in a path or remove the entry
      - step `train`: `timeout_seconds` must be more than 0 and at most 1e9
      - step `train`: the input `rows` lies at or under its own output `model`, which would be overwritten: give them different paths
      - step `train`: `bindings.rows` names output `nothing`, which step `clean` does not have; its outputs are `rows`
      - step `train`: `bindings.other`: the spec has no input `other`
      - step `train`: `bindings.other` names step `lost`, from which no edge leads to `train`; the upstream steps are `clean`
      - step `clean`: `script_path` `ROOT/data` is not a file: name the script itself
      - the Python interpreter `python3.99` of `clean` cannot be used: it was not found, or is not executable; set `python` in the spec or in the settings (`--python`)
    ");
}

#[test]
fn functions_that_nothing_runs() {
    let space = one();
    let tester = |names: &[&str]| {
        let mut tester = space.tester();
        for name in names {
            tester = tester.with_function(script(name), |_| Ok(()));
        }
        tester
    };
    let error = |names: &[&str]| tester(names).test_pipeline().unwrap_err().to_string();
    insta::assert_snapshot!(error(&["claen", "train"]), @"
    2 mistakes:
      - a function is registered for the script `claen`, which no step runs; did you mean `clean`?
      - a function is registered for the script `train`, which no step runs: register it for the `script_name` in a step's spec
    ");
    insta::assert_snapshot!(error(&["clean", "cleam"]), @"a function is registered for the script `cleam`, which no step runs: register it for the `script_name` in a step's spec");
    let error = tester(&["claen"]).plan().unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string(), "a test that ends with `?` prints the one");
    // A script by itself does not need all of them.
    let spec = &space.specs[0];
    let result = tester(&["train"]).test_script_with_spec(spec, &spec.main_params());
    assert!(result.unwrap().success());
}

#[test]
fn a_step_without_a_spec() {
    let mut space = one();
    let mut pipeline = space.pipeline();
    pipeline.script_specs.clear();
    space.specs.clear();
    let tester = space.tester();
    let error = tester.test_pipeline_flow_with_spec(&pipeline).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"step `clean` has no spec: draft one with `runtime-testing specs init` or `build_from_dag`");
}

#[test]
fn folders_that_are_none() {
    let space = one().write("workspace2", "a file");
    let mut pipeline = space.pipeline();
    pipeline.test_workspace_root = "workspace2".into();
    let error = space.tester().test_pipeline_flow_with_spec(&pipeline).unwrap_err().to_string();
    assert_eq!(
        error.replace(space.root.as_str(), "ROOT"),
        "the test workspace `ROOT/workspace2` is not a folder"
    );
    let mut settings = space.settings();
    settings.base_folder = Some(space.root.join("lost"));
    let error = space.tester().with_settings(settings).test_pipeline().unwrap_err().to_string();
    assert!(error.contains("the base folder `") && error.contains("lost` is not a folder"), "{error}");
}

#[test]
fn outputs_that_would_overwrite_each_other_or_the_users_data() {
    let space = one().step("other", COPY, &["raw=data/raw.csv"], &["rows=output/./rows.csv"]).step(
        "third",
        COPY,
        &["folder=data"],
        &["rows=data/deep/rows.csv"],
    );
    insta::assert_snapshot!(refused(&space), @"
    2 mistakes:
      - several outputs have the path `ROOT/output/rows.csv` and would overwrite each other (steps `clean`, `other`): give each its own
      - step `third` publishes to `ROOT/data/deep/rows.csv`, which lies in the input `folder` of step `third` and would change it: move the output elsewhere
    ");
}

/// A link in a circle cannot be read, also not by root, whom permissions do not bind.
#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_not_taken_for_missing() {
    let space = one();
    std::fs::remove_file(space.root.join("data/raw.csv")).unwrap();
    std::os::unix::fs::symlink("raw.csv", space.root.join("data/raw.csv")).unwrap();
    let error = refused(&space);
    assert!(
        error.starts_with("step `clean`: the input `raw` at `ROOT/data/raw.csv` cannot be read: "),
        "{error}"
    );

    let space = one();
    std::fs::remove_file(space.root.join("workspace/scripts/clean.py")).unwrap();
    std::os::unix::fs::symlink("clean.py", space.root.join("workspace/scripts/clean.py")).unwrap();
    let result = space.fails();
    assert_eq!(result.status.failure().map(|failure| failure.as_str()), Some("could_not_start"));
}

#[test]
fn a_program_that_is_no_python() {
    let space = one().with(|spec| spec.python = Some("/bin/cat".into()));
    let error = refused(&space);
    assert!(
        error.contains("`/bin/cat`") && error.contains("does not work as a Python 3 interpreter"),
        "{error}"
    );
}

#[test]
fn a_workspace_that_cannot_be_written() {
    // A file in the place of the folder for runs: this also binds root, whom permissions do not.
    let space = one().write("workspace/.runs", "in the way");
    let error = space.test().unwrap_err().to_string();
    assert!(
        error.contains("could not make a folder for the runs in") && error.contains("workspace"),
        "{error}"
    );
    assert!(!space.root.join("output").exists());
}

#[test]
fn outputs_that_have_no_place_to_go() {
    let space = one().write("output", "a file where a folder should be");
    let error = refused_beside_output(&space);
    assert!(
        error.contains("cannot be published to") && error.contains("output` is a file and not a folder"),
        "{error}"
    );
    assert_eq!(space.read("output"), "a file where a folder should be");

    let over_script =
        Space::new().step("clean", COPY, &["raw=data/raw.csv"], &["rows=workspace/scripts/clean.py"]);
    assert!(
        refused(&over_script).contains("`ROOT/workspace/scripts` is there, which must not be overwritten")
    );
    assert_eq!(over_script.read("workspace/scripts/clean.py"), COPY);
}

#[track_caller]
fn refused_beside_output(space: &Space) -> String {
    let error = space.test().expect_err("it must be refused").to_string();
    assert!(!space.root.join("workspace/.runs").exists(), "something was run");
    error
}

#[test]
fn blank_paths_in_parameters() {
    let space = one();
    let spec = spec("clean", "clean", &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
    let params =
        ScriptMainParams { input_paths: [("raw".parse().unwrap(), "".into())].into(), ..spec.main_params() };
    let error = space.tester().test_script_with_spec(&spec, &params).unwrap_err().to_string();
    assert_eq!(error, "step `clean`: `input_paths.raw` is blank: fill in a path or remove the entry");
}

#[test]
fn a_path_that_no_system_takes() {
    let long = "x/".repeat(20_000);
    let space = one().with(|spec| {
        spec.output_paths.insert("more".parse().expect("a name"), format!("{long}rows.csv").into());
        spec.script_path = Some(long.clone().into());
    });
    assert_eq!(
        refused(&space),
        "2 mistakes:\n  \
         - step `clean`: a path in `output_paths` has 40008 bytes and may have at most 4096\n  \
         - step `clean`: a path in `script_path` has 40000 bytes and may have at most 4096",
    );
}
