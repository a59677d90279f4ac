//! A tester that is killed takes with it what it has started.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use runtime_testing::Isolation;
use serde_json::json;

use crate::project::Project;
use crate::workbench::fixtures;

/// How long what was started may outlive the tester. As promised.
const PATIENCE: Duration = Duration::from_secs(1);

/// What outlives a tester that is killed while a script runs that has started a program. `script` is the step to select
/// of `killed_hard`.
pub(crate) fn check(script: &str, isolation: Isolation) -> Vec<String> {
    let project = Project::of(&fixtures("killed_hard"));
    let model = json!({"arguments": ["--select", script], "environment": {"OUTSIDE": "<outside>"}});
    let mut tester =
        project.command(&model, isolation, "python3", 1).spawn().expect("the command can be started");
    let started = project.outside().join("started");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !started.exists() {
        assert!(Instant::now() < deadline, "the script has not begun");
        std::thread::sleep(Duration::from_millis(10));
    }
    let numbers = fs::read_to_string(&started).expect("the numbers of processes");
    let processes: Vec<u32> =
        numbers.split_whitespace().map(|number| number.parse().expect("a number")).collect();
    assert!(processes.len() == 2 && processes.iter().all(|process| is_alive(*process)), "{numbers}");
    tester.kill().expect("the tester can be killed");
    let status = tester.wait().expect("the tester can be waited for");
    assert_eq!(status.signal(), Some(9), "the tester was still running");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = left(&processes, &project.temporary());
        if left.is_empty() || Instant::now() >= deadline {
            end(&processes);
            return left;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn left(processes: &[u32], temporary: &Utf8Path) -> Vec<String> {
    let alive = processes.iter().filter(|process| is_alive(**process));
    let mut left: Vec<String> = alive.map(|process| format!("process {process} is alive")).collect();
    let entries = temporary.read_dir_utf8().expect("the folder for temporary files");
    left.extend(entries.map(|entry| format!("`{}` is left", entry.expect("an entry").path())));
    left
}

/// Whether a process runs: one that has ended and that nobody has asked about does not.
fn is_alive(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn end(processes: &[u32]) {
    let alive = processes.iter().filter(|process| is_alive(**process)).map(ToString::to_string);
    let alive: Vec<String> = alive.collect();
    if !alive.is_empty() {
        let status = std::process::Command::new("kill").arg("-9").args(alive).status();
        assert!(status.is_ok(), "processes can be ended");
    }
}
