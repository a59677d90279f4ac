//! What failed, again.

use crate::space::{COPY, Space};

const BROKEN: &str = "def main(input_paths, output_paths, environ_vars, job_args):\n    raise ValueError\n";
const AGAIN: [&str; 4] = ["test-pipeline", "pipeline.json", "--rerun-failed", "--quiet"];

#[test]
fn what_failed_is_tested_again_until_it_passes() {
    let space = Space::new();
    space.write("test_workspace/scripts/other.py", COPY);
    space.spec("other", "data/raw.csv", "output/other.csv");
    space.write("pipeline.json", r#"{"nodes": ["clean", "train", "other"], "edges": [["clean", "train"]]}"#);
    space.write("test_workspace/scripts/train.py", BROKEN);
    assert_eq!(space.run(&["test-pipeline", "pipeline.json", "--quiet"]).status, Some(1));
    let again = space.run(&AGAIN);
    assert_eq!(again.status, Some(1), "{again:?}");
    assert!(again.stdout.starts_with("FAIL  of `+\"train\"` alone: 2 steps: "), "{}", again.stdout);
    space.write("test_workspace/scripts/train.py", COPY);
    let again = space.run(&AGAIN);
    assert_eq!(again.status, Some(0), "{again:?}");
    assert!(again.stdout.starts_with("PASS  of `+\"train\"` alone: 2 steps: "), "{}", again.stdout);

    let runs = || std::fs::read_dir(space.root.join("test_workspace/.runs")).unwrap().count();
    let before = runs();
    let nothing = space.run(&[&AGAIN[..], &["--report", "json=r.json"]].concat());
    assert_eq!((nothing.status, nothing.stdout.as_str()), (Some(0), ""));
    assert_eq!(
        nothing.stderr,
        "nothing was run: every step and edge passed when it was tested last; what has changed since is not looked at\n"
    );
    assert!(
        !space.root.join("r.json").exists() && runs() == before,
        "nothing was run, so nothing is reported"
    );
}

#[test]
fn there_has_to_be_a_test_before() {
    let space = Space::new();
    let message = space.refused(&AGAIN);
    assert_eq!(
        message,
        "error: no test of this pipeline is recorded in `./test_workspace/.runs`: test it first"
    );
    let both = space.refused(&["test-pipeline", "pipeline.json", "--rerun-failed", "--select", "clean"]);
    assert!(both.contains("cannot be used with"), "{both}");
    space.run(&["test-pipeline", "pipeline.json", "--quiet"]);
    let runs = std::fs::read_dir(space.root.join("test_workspace/.runs")).unwrap();
    let test =
        runs.map(|entry| entry.unwrap().path()).find(|path| path.join("report.json").exists()).unwrap();
    std::fs::write(test.join("report.json"), "{").unwrap();
    let broken = space.run(&AGAIN);
    assert_eq!(broken.status, Some(2));
    assert!(broken.stderr.contains("report.json` cannot be understood"), "{}", broken.stderr);
}
