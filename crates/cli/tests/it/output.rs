//! Output where it goes to a file, to a narrow terminal, to one that can do nothing, and to nobody.

use std::process::{Command, Stdio};

use crate::space::{COPY, Space};

/// What each command that prints a result is called with, once a test is recorded.
const COMMANDS: [&[&str]; 14] = [
    &["test-script", "clean", "-q"],
    &["test-pipeline", "pipeline.json", "-q"],
    &["test-compatibility", "clean", "train", "-q"],
    &["plan", "pipeline.json"],
    &["graph", "pipeline.json"],
    &["schema", "spec"],
    &["specs", "list"],
    &["specs", "show", "train"],
    &["specs", "check", "pipeline.json"],
    &["specs", "accept", "pipeline.json", "--dry-run"],
    &["data", "profile", "data/raw.csv"],
    &["data", "digest", "data/raw.csv"],
    &["completions", "bash"],
    &["--help"],
];

fn tested() -> Space {
    let space = Space::new();
    assert_eq!(space.run(&["test-pipeline", "pipeline.json", "-q"]).status, Some(0));
    space
}

/// What a terminal of a size and kind is sent.
#[cfg(unix)]
fn on_terminal(
    space: &Space,
    columns: &str,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> (Option<i32>, String) {
    let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/terminal.py");
    let output = Command::new("python3")
        .args([driver, "50", columns, "", "", env!("CARGO_BIN_EXE_runtime-testing")])
        .args(arguments)
        .current_dir(&space.root)
        .env_remove("NO_COLOR")
        .env_remove("GITHUB_STEP_SUMMARY")
        // Logs of CI show colors, so there it counts as a place for them.
        .env_remove("CI")
        .env("TERM", "xterm")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap().replace('\r', ""))
}

#[test]
fn nothing_but_text_where_it_is_piped() {
    let space = tested();
    for arguments in COMMANDS {
        let outcome = space.run(arguments);
        assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(!outcome.stdout.is_empty() && outcome.stdout.ends_with('\n'), "{arguments:?}");
        assert!(!outcome.stdout.contains('\u{1b}'), "{arguments:?}: {}", outcome.stdout);
    }
}

#[cfg(unix)]
#[test]
fn color_on_a_terminal_unless_it_is_not_wanted_or_not_possible() {
    let space = tested();
    for arguments in [&["test-pipeline", "pipeline.json", "-q"][..], &["plan", "pipeline.json"], &["--help"]]
    {
        let (_, colored) = on_terminal(&space, "80", &[], arguments);
        assert!(colored.contains('\u{1b}'), "{arguments:?}: {colored}");
        for variable in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let (status, plain) = on_terminal(&space, "80", &[variable], arguments);
            assert_eq!(status, Some(0), "{arguments:?}");
            assert!(!plain.contains('\u{1b}'), "{arguments:?} with {variable:?}: {plain}");
        }
    }
}

#[cfg(unix)]
#[test]
fn lines_fit_a_narrow_terminal() {
    let space = tested();
    space.write(
        "test_workspace/scripts/train.py",
        format!("{COPY}    raise ValueError('a long word or two')\n"),
    );
    let plain = [("NO_COLOR", "1")];
    for arguments in [
        &["plan", "pipeline.json"][..],
        &["graph", "pipeline.json"],
        &["test-pipeline", "pipeline.json", "-q"],
    ] {
        let (_, text) = on_terminal(&space, "40", &plain, arguments);
        for line in text.lines() {
            // A command that repeats a run goes on between its words only.
            let is_command =
                line.contains("repeat: ") || line.ends_with('\\') || line.starts_with("          ");
            assert!(is_command || line.chars().count() <= 40, "{arguments:?}: {line}");
        }
        assert!(text.lines().count() > 2, "{arguments:?}: {text}");
    }
}

/// A reader that has gone is no error of the command, and not a word about it is said.
#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_hears_nothing() {
    let space = tested();
    for arguments in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_runtime-testing"))
            .args(arguments)
            .current_dir(&space.root)
            .env_remove("GITHUB_STEP_SUMMARY")
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

/// A full disk, on the other hand, is one.
#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let space = tested();
    for arguments in COMMANDS.into_iter().filter(|arguments| *arguments != ["--help"]) {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_runtime-testing"))
            .args(arguments)
            .current_dir(&space.root)
            .env_remove("GITHUB_STEP_SUMMARY")
            .stdin(Stdio::null())
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("error: could not write to standard output: "), "{arguments:?}: {said}");
    }
}
