//! What is said on standard error where it is no terminal.

#[cfg(target_os = "linux")]
use std::process::Command;

#[cfg(target_os = "linux")]
use crate::space::COPY;
use crate::space::Space;

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
    // Only what is installed is imported before a fork.
    let made = Command::new("python3")
        .args(["-m", "venv", "--without-pip", "venv"])
        .current_dir(&space.root)
        .status();
    assert!(made.expect("python3 starts").success());
    let python = ["--python", "venv/bin/python"];
    let folder = "import sysconfig; print(sysconfig.get_path('purelib'), end='')";
    let folder = Command::new(space.root.join("venv/bin/python")).args(["-c", folder]).output();
    let folder = String::from_utf8(folder.expect("it starts").stdout).expect("a path");
    std::fs::write(
        std::path::Path::new(&folder).join("busy.py"),
        "import threading, time\nthreading.Thread(target=time.sleep, args=[9], daemon=True).start()\n",
    )
    .expect("a file");
    for step in ["clean", "train"] {
        space.write(&format!("test_workspace/scripts/{step}.py"), format!("import busy\n{COPY}"));
    }
    let outcome = space.run(&["test-pipeline", "pipeline.json", "--preload", "busy", python[0], python[1]]);
    let notes: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("note")).collect();
    assert_eq!(notes.len(), 2, "{outcome:?}");
    for (note, step) in notes.iter().zip(["clean", "train"]) {
        let reason = "run in a fresh interpreter: what the script imports has started threads";
        assert!(note.starts_with(&format!("note  {step}: {reason}")), "{outcome:?}");
    }
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
