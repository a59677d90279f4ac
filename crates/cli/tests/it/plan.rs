//! Plans and graphs.

use crate::space::Space;

#[test]
fn a_plan_says_what_would_be_run_and_runs_nothing() {
    let space = Space::new();
    let plan = space.run(&["plan", "pipeline.json"]);
    assert_eq!((plan.status, plan.stderr.as_str()), (Some(0), ""), "{plan:?}");
    let text = plan.stdout.replace(space.root.canonicalize().unwrap().to_str().unwrap(), "ROOT");
    let text: Vec<&str> = text.lines().filter(|line| !line.contains("Python is")).collect();
    insta::assert_snapshot!(text.join("\n"), @"
    PLAN  2 steps, 2 runs, 1 edge; nothing was run
          paths are relative to ROOT/test_workspace

    Steps
      clean
        script  scripts/clean.py (Python, forked, at most 600 s)
        run     individual and flow
            in <- ../data/raw.csv (own data)
        output  out -> ../output/rows.csv
      train
        script  scripts/train.py (Python, forked, at most 600 s)
        run     flow, after clean
            in <- out of clean (same path)
        note    not run on its own: its own inputs `in` do not exist
        output  out -> ../output/model.csv

    Edges
      clean -> train
        out -> in (same path); nothing to compare with: accepted if train runs well
    ");
    assert!(!space.root.join("test_workspace/.runs").exists() && !space.root.join("output").exists());
    let test = space.run(&["test-pipeline", "pipeline.json", "--quiet"]);
    assert_eq!(test.status, Some(0), "{test:?}");
}

#[test]
fn a_plan_takes_the_options_of_a_test() {
    let space = Space::new();
    let json = |arguments: &[&str]| -> serde_json::Value {
        let outcome = space.run(&[&["plan", "pipeline.json", "--output-format", "json"], arguments].concat());
        assert_eq!(outcome.status, Some(0), "{outcome:?}");
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let plan = json(&["--timeout", "7", "--isolation", "fresh", "--select", "clean", "--skip", "individual"]);
    assert_eq!(plan["format_version"], 1);
    assert_eq!(plan["execution_order"], serde_json::json!(["clean"]));
    assert_eq!(plan["steps"]["clean"]["timeout_seconds"], 7.0);
    assert_eq!(plan["steps"]["clean"]["script"]["isolation"], "fresh");
    assert_eq!(plan["steps"]["clean"]["runs"][0]["kinds"], serde_json::json!([{"kind": "flow"}]));
    assert_eq!(plan["steps"]["clean"]["runs"][0]["action"]["inputs"]["in"]["source"]["kind"], "own");
    let plan = json(&[]);
    assert_eq!(plan["edges"]["clean->train"]["bindings"][0]["rule"]["kind"], "path");
}

#[test]
fn what_cannot_run_is_part_of_a_plan_and_what_cannot_be_planned_is_an_error() {
    let space = Space::new();
    space.write("test_workspace/scripts/clean.py", "def run(): pass\n");
    let plan = space.run(&["plan", "pipeline.json"]);
    assert_eq!(plan.status, Some(0), "{plan:?}");
    assert!(
        plan.stdout.contains("Cannot run\n  clean\n    scripts/clean.py: missing main() function\n"),
        "{plan:?}"
    );
    assert!(plan.stdout.contains("\n  train: blocked by clean\n"), "{plan:?}");
    space.spec("clean", "data/raw.csv", "output/model.csv");
    space.spec("train", "", "output/model.csv");
    let message = space.refused(&["plan", "pipeline.json"]);
    assert!(message.contains("`input_paths.in` is blank") || message.contains("train"), "{message}");
    assert_eq!(
        message,
        space.refused(&["test-pipeline", "pipeline.json"]),
        "the same mistakes as a test has"
    );
}

#[test]
fn a_graph_in_every_form() {
    let space = Space::new();
    let graph = |arguments: &[&str]| {
        let outcome = space.run(&[&["graph", "pipeline.json"], arguments].concat());
        assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
        outcome.stdout
    };
    assert_eq!(graph(&[]), "2 steps, 1 edge, 2 stages\n\n1  clean\n2  train  <- clean\n");
    assert_eq!(graph(&["--select", "train"]), "1 step, 0 edges, 1 stage\n\n1  train\n");
    let mermaid = graph(&["--format", "mermaid"]);
    assert_eq!(mermaid, "flowchart LR\n  n0[\"clean\"]\n  n1[\"train\"]\n  n0 --> n1\n");
    assert!(graph(&["--format", "dot"]).starts_with("digraph pipeline {\n"));
    let svg = graph(&["--format", "svg"]);
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"), "{svg}");
    // Neither specs nor a workspace are needed.
    std::fs::remove_dir_all(space.root.join("test_workspace")).unwrap();
    graph(&[]);
}
