use crate::space::Space;

const BROKEN: &str =
    "def main(input_paths, output_paths, environ_vars, job_args):\n    raise ValueError('broken')\n";

#[test]
fn a_pipeline_that_passes() {
    let outcome = Space::new().run(&["test-pipeline", "pipeline.json"]);
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
    assert!(
        outcome.stdout.starts_with("PASS  2 steps: 2 passed; 1 edge: 1 accepted\n"),
        "{}",
        outcome.stdout
    );
    assert!(!outcome.stdout.contains('\u{1b}'), "no color where nobody looks");
    assert!(outcome.stderr.contains("pass  clean"), "{}", outcome.stderr);
}

#[test]
fn a_pipeline_that_fails() {
    let space = Space::new();
    space.write("test_workspace/scripts/train.py", BROKEN);
    let outcome = space.run(&["test-pipeline", "pipeline.json"]);
    assert_eq!(outcome.status, Some(1));
    assert!(
        outcome.stdout.contains("FAIL  step train\n      ValueError: broken (scripts/train.py:2)\n"),
        "{}",
        outcome.stdout
    );
    assert!(outcome.stdout.contains("repeat: rm -rf "));
}

#[test]
fn json_stands_alone_on_standard_output() {
    let space = Space::new();
    let json = |arguments: &[&str], status: i32| -> serde_json::Value {
        let outcome = space.run(&[arguments, &["--output-format", "json"]].concat());
        assert_eq!(outcome.status, Some(status), "{outcome:?}");
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let report = json(&["test-pipeline", "pipeline.json"], 0);
    assert_eq!(report["pipeline_success"], true);
    assert_eq!(report["execution_order"], serde_json::json!(["clean", "train"]));
    assert_eq!(report["data_flow_results"]["clean->train"]["compatible"], true);
    assert_eq!(json(&["test-script", "clean"], 0)["success"], true);
    assert_eq!(json(&["test-compatibility", "clean", "train"], 0)["verdict"]["kind"], "accepted");
    space.write("test_workspace/scripts/clean.py", BROKEN);
    assert_eq!(json(&["test-script", "clean"], 1)["status"]["failure"]["kind"], "exception");
    assert_eq!(json(&["test-compatibility", "clean", "train"], 1)["compatible"], false);
}

#[test]
fn an_edge_that_is_fine_does_not_hide_a_script_that_is_not() {
    let space = Space::new();
    assert_eq!(space.run(&["test-pipeline", "pipeline.json", "--quiet"]).status, Some(0));
    let accepted = space.run(&["specs", "accept", "pipeline.json", "--yes"]);
    assert_eq!(accepted.status, Some(0), "{accepted:?}");
    space.write("test_workspace/scripts/train.py", BROKEN);
    let outcome = space.run(&["test-compatibility", "clean", "train", "--quiet"]);
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(outcome.stdout.starts_with("PASS  edge clean -> train"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("note: step `train` fails: "), "{}", outcome.stdout);
}

#[test]
fn parts_can_be_left_out() {
    let space = Space::new();
    let outcome =
        space.run(&["test-pipeline", "pipeline.json", "--skip", "compatibility", "--skip", "individual"]);
    assert!(outcome.stdout.starts_with("PASS  2 steps: 2 passed\n"), "{}", outcome.stdout);
    let message = space.run(&["test-pipeline", "pipeline.json", "--skip", "individual,compatibility,flow"]);
    assert_eq!(message.status, Some(2));
    assert!(message.stderr.contains("are all turned off"), "{}", message.stderr);
}

#[test]
fn the_timeout_can_be_set() {
    let space = Space::new();
    space.write(
        "test_workspace/scripts/clean.py",
        "import time\ndef main(input_paths, output_paths, environ_vars, job_args):\n    time.sleep(1000)\n",
    );
    let outcome = space.run(&["test-script", "clean", "--timeout", "0.5"]);
    assert_eq!(outcome.status, Some(1));
    assert!(outcome.stdout.contains("timed out after 0.5 s"), "{}", outcome.stdout);
}

#[test]
fn the_isolation_can_be_set() {
    let space = Space::new();
    for isolation in ["fresh", "forked"] {
        let outcome = space.run(&["test-pipeline", "pipeline.json", "--isolation", isolation]);
        assert_eq!(outcome.status, Some(0), "{isolation}: {outcome:?}");
    }
}

#[test]
fn a_folder_to_run_in() {
    let space = Space::new();
    let root = space.root.to_str().unwrap().to_owned();
    let elsewhere = Space::new();
    let outcome = elsewhere.run(&["-C", &root, "test-pipeline", "pipeline.json"]);
    assert_eq!(outcome.status, Some(0));
    assert!(space.root.join("output/model.csv").exists() && !elsewhere.root.join("output").exists());
}

#[test]
fn the_older_chain_and_the_whole_spec_are_taken_too() {
    let space = Space::new();
    space.write("chain.json", r#"{"steps": {"clean": {"script": "clean.py"}, "train": {}}}"#);
    assert_eq!(space.run(&["test-pipeline", "chain.json"]).status, Some(0));
    let specs = |step: &str| {
        std::fs::read_to_string(
            space.root.join(format!("test_workspace/.specs/{step}_runtime_test_spec.json")),
        )
        .unwrap()
    };
    let whole = format!(
        r#"{{"dag": {{"nodes": ["clean", "train"], "edges": [["clean", "train"]]}},
            "script_specs": {{"clean": {}, "train": {}}}}}"#,
        specs("clean"),
        specs("train")
    );
    let whole =
        whole.replace("\"script_specs\"", "\"test_workspace_root\": \"test_workspace\", \"script_specs\"");
    space.write("whole.json", &whole);
    std::fs::remove_dir_all(space.root.join("test_workspace/.specs")).unwrap();
    let outcome = space.run(&["test-pipeline", "whole.json"]);
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
    // Its workspace counts, unless another is named.
    space.write("whole.json", whole.replace("\"test_workspace\"", "\"elsewhere\""));
    let outcome = space.run(&["test-pipeline", "whole.json"]);
    assert!(outcome.stderr.contains("the test workspace `elsewhere` does not exist"), "{}", outcome.stderr);
    let outcome = space.run(&["test-pipeline", "whole.json", "--workspace-dir", "test_workspace"]);
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
}

#[test]
fn help_and_version() {
    let space = Space::new();
    let help = space.run(&["--help"]);
    assert_eq!(help.status, Some(0));
    for word in ["test-script", "test-pipeline", "test-compatibility", "specs", "Exit status"] {
        assert!(help.stdout.contains(word), "{word}");
    }
    assert!(space.run(&["--version"]).stdout.starts_with("runtime-testing "));
}
