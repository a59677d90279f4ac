//! Steps that are programs of their own.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;

use runtime_testing_models::{ScriptFailure, StepStatus};

use crate::space::{COPY, Space, spec, step};

/// A project with a Python step, and behind it a program with this content.
fn with_program(content: &str) -> Space {
    let mut space = Space::new()
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .edge("clean", "train")
        .write("workspace/scripts/train", content);
    let file = space.root.join("workspace/scripts/train");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut program = spec("train", "train", &["rows=output/rows.csv"], &["model=output/model.txt"]);
    program.environ_vars.insert("GREETING".to_owned(), "hello world".to_owned());
    program.job_args.insert("name".to_owned(), "a b".into());
    program.job_args.insert("depth".to_owned(), serde_json::json!([1, 2]).into());
    program.job_args.insert("none".to_owned(), serde_json::Value::Null.into());
    space.specs.push(program);
    space
}

/// Finds the output's path in the parameters, without anything but a shell.
const OUTPUT: &str = r#"out=$(sed -n 's/.*"model": "\(.*\)".*/\1/p' "$RUNTIME_TESTING_PARAMS")"#;

#[test]
fn a_program_is_handed_the_same_four_things() {
    let space = with_program(&format!("#!/bin/sh\n{OUTPUT}\necho \"$GREETING|$*\" > \"$out\"\n"));
    let report = space.passes();
    assert_eq!(space.read("output/model.txt"), "hello world|--name a b --depth [1,2]\n");
    let run = &report.script_results["train"].runs[0];
    std::fs::remove_file(space.root.join("workspace").join(&run.run_folder).join("out/model/model.txt"))
        .unwrap();
    let repeated = std::process::Command::new("sh").arg("-c").arg(&run.command).status().unwrap();
    assert!(repeated.success());
    let again = space.read(&format!("workspace/{}/out/model/model.txt", run.run_folder));
    assert_eq!(again, "hello world|--name a b --depth [1,2]\n");
}

#[test]
fn its_failures_are_its_own() {
    let status = |content: &str| {
        let report = with_program(content).test().unwrap();
        assert!(report.script_results["clean"].success());
        report.script_results["train"].status.clone()
    };
    let failed = |failure| StepStatus::Failed { failure };
    assert_eq!(
        status("#!/bin/sh\nexit 3\n"),
        failed(ScriptFailure::Exited { status: 3, message: None, cause: None })
    );
    let signaled = ScriptFailure::Signaled { signal: 9, name: Some("SIGKILL".to_owned()) };
    assert_eq!(status("#!/bin/sh\nkill -9 $$\n"), failed(signaled));
    let declared = vec!["model".parse().unwrap()];
    assert_eq!(
        status("#!/bin/sh\n:\n"),
        failed(ScriptFailure::OutputMissing { outputs: declared, written: vec![] })
    );
    assert_eq!(status("#!/lost/interpreter\n").failure().map(ScriptFailure::as_str), Some("could_not_start"));
}

#[test]
fn a_pipeline_of_programs_needs_no_python() {
    let mut space = with_program(&format!("#!/bin/sh\n{OUTPUT}\necho x > \"$out\"\n"));
    space.specs.remove(0);
    space.edges.clear();
    space.specs[0].input_paths["rows"] = "data/raw.csv".into();
    let mut settings = space.settings();
    settings.python = "python3.99".into();
    let report = space.tester().with_settings(settings).test_pipeline().unwrap();
    assert!(report.script_results[&step("train")].success(), "{:?}", report.errors());
}
