//! The examples do what they say.

use std::path::PathBuf;
use std::process::Command;

/// Runs an example that cargo has built beside this test, and returns what it prints, without times.
fn run(name: &str) -> String {
    let test = std::env::current_exe().unwrap();
    // This test lies in `deps`, beside which is `examples`.
    let examples: PathBuf = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let output = Command::new(examples.join(name)).output().unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let without_time = |line: &str| match line
        .split_once(" s")
        .and_then(|(before, rest)| Some((before.rsplit_once("  ")?, rest)))
    {
        Some(((before, time), rest)) if time.contains('.') && time.parse::<f64>().is_ok() => {
            format!("{before}  TIME{rest}")
        }
        _ => line.to_owned(),
    };
    text.lines().map(without_time).collect::<Vec<_>>().join("\n")
}

#[test]
fn pipeline_test() {
    insta::assert_snapshot!(run("pipeline_test"), @"
    PASS  2 steps: 2 passed; 1 edge: 1 accepted

    Steps
      PASS  clean  TIME
      PASS  train  TIME

    Edges
      PASS  clean -> train  accepted
    ");
}

#[test]
fn interactive_specs() {
    insta::assert_snapshot!(run("interactive_specs"), @r#"
    missing before: input_paths, output_paths
    asked: path of input `data_input` of step `train`, or NAME=PATH under another name
    asked: path of output `data_output` of step `train`, or NAME=PATH under another name
    asked: environment variables of step `train`, as a JSON object
    asked: environment variables of step `train`, as a JSON object
    asked: arguments of step `train`, as a JSON object
    missing after: 0
    {"epochs":20}
    specs: 1
    "#);
}

#[test]
fn existing_dag() {
    insta::assert_snapshot!(run("existing_dag"), @r#"
    order: load, features, train, publish
    `train` waits for ["features"]
    3 specs need attention:
      - Missing ScriptExecutionSpec for step `load`: a default was drafted at `PROJECT/workspace/.specs/load_runtime_test_spec.json`; edit it, run `runtime-testing specs edit load`, or call `builder.update_script_spec("load", ...)`
      - Missing ScriptExecutionSpec for step `features`: a default was drafted at `PROJECT/workspace/.specs/features_runtime_test_spec.json`; edit it, run `runtime-testing specs edit features`, or call `builder.update_script_spec("features", ...)`
      - Missing ScriptExecutionSpec for step `train`: a default was drafted at `PROJECT/workspace/.specs/train_runtime_test_spec.json`; edit it, run `runtime-testing specs edit train`, or call `builder.update_script_spec("train", ...)`
    PASS  3 steps: 3 passed; 2 edges: 2 accepted

    Steps
      PASS  load      TIME
            note: run on sample data: the inputs `data_input` do not exist
      PASS  features  TIME
      PASS  train     TIME

    Edges
      PASS  load -> features   accepted
      PASS  features -> train  accepted
    "#);
}
