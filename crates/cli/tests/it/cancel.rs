//! Signals to the command.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::space::{Outcome, Space};

/// A script that says who it is and stays, with a child of its own.
const STAYING: &str = "
import os, signal, subprocess, time

def main(input_paths, output_paths, environ_vars, job_args):
    if getattr(job_args, 'stubborn', False):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(['sleep', '60'])
    base = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    part = os.path.join(base, 'pids.part')
    with open(part, 'w') as file:
        file.write(f'{os.getpid()} {child.pid}')
    os.rename(part, os.path.join(base, 'pids'))
    time.sleep(60)
";

/// How long anything here may take, on a machine that has other things to do.
const LONG: Duration = Duration::from_secs(20);

fn staying() -> Space {
    let space = Space::new();
    space.write("test_workspace/scripts/clean.py", STAYING);
    space
}

fn until<T>(what: &str, mut is_there: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(found) = is_there() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} takes too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The script's process and its child's, once the script runs.
fn running(space: &Space) -> Vec<String> {
    let read = || std::fs::read_to_string(space.root.join("pids")).ok();
    until("the start of the script", read).split(' ').map(str::to_owned).collect()
}

fn send(signals: &[&str], command: &Child) {
    let line: String = signals.iter().map(|signal| format!("kill -{signal} {}; ", command.id())).collect();
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
}

/// Waits for a command to end, and ends it where that takes too long.
#[track_caller]
fn end(mut command: Child) -> Outcome {
    let deadline = Instant::now() + LONG;
    while command.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            command.kill().unwrap();
            panic!("the command does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Outcome::of(command)
}

fn check_gone(pids: &[String]) {
    for pid in pids {
        until(&format!("the end of process {pid}"), || (!is_alive(pid)).then_some(()));
    }
}

/// Whether there is such a process that has not ended.
fn is_alive(pid: &str) -> bool {
    let said = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8(said.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

#[test]
fn a_signal_cancels_and_the_report_is_printed() {
    for signal in ["INT", "TERM", "HUP"] {
        let space = staying();
        let arguments =
            ["test-pipeline", "pipeline.json", "--output-format", "json", "--report", "junit=r.xml"];
        let command = space.start(&arguments);
        let pids = running(&space);
        send(&[signal], &command);
        let outcome = end(command);
        assert_eq!(outcome.status, Some(130), "{outcome:?}");
        let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!((&report["canceled"], &report["pipeline_success"]), (&true.into(), &false.into()));
        let xml = std::fs::read_to_string(space.root.join("r.xml")).unwrap();
        assert!(xml.contains("the test was canceled"), "{xml}");
        for step in ["clean", "train"] {
            let status = &report["script_results"][step]["status"];
            assert_eq!(status["kind"], "untested", "{status}");
        }
        assert!(outcome.stderr.starts_with("canceling"), "{}", outcome.stderr);
        check_gone(&pids);
    }
}

#[test]
fn a_canceled_test_says_so_in_its_text() {
    for arguments in [
        &["test-pipeline", "pipeline.json", "--quiet"][..],
        &["test-script", "clean", "--quiet"],
        &["test-compatibility", "clean", "train", "--quiet"],
    ] {
        let space = staying();
        let command = space.start(arguments);
        let pids = running(&space);
        send(&["INT"], &command);
        let outcome = end(command);
        assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(130), ""), "{outcome:?}");
        assert!(outcome.stdout.contains("canceled"), "{arguments:?}: {}", outcome.stdout);
        check_gone(&pids);
    }
}

/// As from a program that signals a process and then the group that it is in.
#[test]
fn two_signals_at_once_are_one() {
    let space = staying();
    let command = space.start(&["test-pipeline", "pipeline.json"]);
    let pids = running(&space);
    send(&["TERM", "HUP"], &command);
    let outcome = end(command);
    assert_eq!(outcome.status, Some(130));
    assert!(outcome.stdout.contains("canceled"), "{outcome:?}");
    check_gone(&pids);
}

#[test]
fn the_second_signal_ends_at_once() {
    for isolation in ["fresh", "forked"] {
        let space = staying();
        let spec = "test_workspace/.specs/clean_runtime_test_spec.json";
        let text = std::fs::read_to_string(space.root.join(spec)).unwrap();
        space.write(spec, text.replacen('{', r#"{"job_args": {"stubborn": true}, "#, 1));
        let arguments = ["test-pipeline", "pipeline.json", "--grace", "60", "--isolation", isolation];
        let mut command = space.start(&arguments);
        let pids = running(&space);
        send(&["INT"], &command);
        let mut said = String::new();
        BufReader::new(command.stderr.take().unwrap()).read_line(&mut said).unwrap();
        assert!(said.starts_with("canceling"), "{said}");
        assert!(is_alive(&pids[0]), "it was to be asked first");
        // Signals that follow each other fast are one, so it is sent until it is taken for another.
        until("the end of the command", || {
            send(&["INT"], &command);
            command.try_wait().unwrap()
        });
        let outcome = Outcome::of(command);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(130), ""), "{isolation}");
        check_gone(&pids);
    }
}

#[test]
fn where_no_test_is_going_on_the_first_signal_ends() {
    let space = Space::new();
    std::fs::remove_dir_all(space.root.join("test_workspace/.specs")).unwrap();
    let mut command = space.start(&["specs", "edit", "clean"]);
    // The question is there, so signals are watched.
    let mut stderr = command.stderr.take().unwrap();
    std::io::Read::read_exact(&mut stderr, &mut [0]).unwrap();
    send(&["INT"], &command);
    assert_eq!(end(command).status, Some(130));
    assert!(!space.root.join("test_workspace/.specs").exists(), "nothing was saved");
}

/// However the command ends, its scripts do not outlive it.
#[cfg(target_os = "linux")]
#[test]
fn scripts_end_with_the_command() {
    let space = staying();
    let command = space.start(&["test-script", "clean"]);
    let pids = running(&space);
    send(&["KILL"], &command);
    assert_eq!(end(command).status, None);
    // The command cannot do anything any more: the system ends the script, but what the script started only at times.
    check_gone(&pids[..1]);
    drop(Command::new("kill").args(["-KILL", &pids[1]]).stderr(Stdio::null()).status());
}
