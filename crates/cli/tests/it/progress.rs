//! What is said on standard error where it is no terminal.

use crate::space::Space;
#[cfg(target_os = "linux")]
use crate::space::{COPY, Outcome};

const BROKEN: &str = "def main(input_paths, output_paths, environ_vars, job_args):\n    raise ValueError\n";

#[test]
fn a_line_for_each_run() {
    let space = Space::new();
    space.write("test_workspace/scripts/train.py", BROKEN);
    let outcome = space.run(&["test-pipeline", "pipeline.json"]);
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let [clean, train] = lines[..] else { panic!("{lines:?}") };
    assert!(clean.starts_with("pass  clean (") && clean.ends_with(" s)"), "{clean}");
    assert!(train.starts_with("FAIL  train ("), "{train}");
    assert!(!outcome.stderr.contains(|other: char| other != '\n' && other.is_control()), "{outcome:?}");
}

#[test]
fn a_line_for_each_run_that_is_not_made() {
    let space = Space::new();
    space.write("test_workspace/scripts/clean.py", BROKEN);
    let outcome = space.run(&["test-pipeline", "pipeline.json"]);
    assert!(outcome.stderr.ends_with("\nskip  train (blocked by clean)\n"), "{}", outcome.stderr);
}

/// Elsewhere, no run is made in a fork.
#[cfg(target_os = "linux")]
#[test]
fn a_line_for_each_step_that_cannot_be_forked() {
    let space = Space::new();
    space.write(
        "site/busy.py",
        "import threading, time\nthreading.Thread(target=time.sleep, args=[9], daemon=True).start()\n",
    );
    for step in ["clean", "train"] {
        space.write(&format!("test_workspace/scripts/{step}.py"), format!("import busy\n{COPY}"));
    }
    let outcome = Outcome::of(
        space
            .command(&["test-pipeline", "pipeline.json"])
            .env("PYTHONPATH", space.root.join("site"))
            .spawn()
            .unwrap(),
    );
    let notes: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("note")).collect();
    let reason = "run in a fresh interpreter: what the script imports has started threads";
    assert_eq!(notes, [format!("note  clean: {reason}"), format!("note  train: {reason}")], "{outcome:?}");
    let outcome = space.run(&["test-pipeline", "pipeline.json", "--isolation", "fresh"]);
    assert!(!outcome.stderr.contains("note"), "{outcome:?}");
}

#[test]
fn nothing_when_it_is_to_be_quiet() {
    let space = Space::new();
    for arguments in [
        &["test-pipeline", "pipeline.json", "--quiet"][..],
        &["test-script", "clean", "-q"],
        &["test-compatibility", "clean", "train", "-q"],
    ] {
        let outcome = space.run(arguments);
        assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(outcome.stdout.starts_with("PASS"), "{}", outcome.stdout);
    }
    let outcome = space.run(&["test-pipeline", "lost.json", "-q"]);
    assert!(outcome.stderr.starts_with("error: could not read the pipeline file"), "{}", outcome.stderr);
}
