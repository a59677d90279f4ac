//! A tester that is killed, and can do nothing about what it has started.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use runtime_testing_models::Isolation;
use runtime_testing_tester::TesterSettings;

use crate::space::Space;

/// The variable that says how the process that is to be killed runs its script.
const VARIABLE: &str = "TESTER_THAT_IS_KILLED";

/// A script that starts a process in a session of its own, says the numbers of both, and waits.
const WAITING: &str = "import os, subprocess, sys, time

def main(input_paths, output_paths, environ_vars, job_args):
    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)
    with open(environ_vars['NUMBERS'] + '.part', 'w') as file:
        file.write(f'{os.getpid()} {child.pid}')
    os.rename(environ_vars['NUMBERS'] + '.part', environ_vars['NUMBERS'])
    time.sleep(600)
";

/// No test by itself: what the tests run in a process of its own.
#[test]
fn the_process_that_is_killed() {
    let Ok(isolation) = std::env::var(VARIABLE) else { return };
    let space = Space::new().step("a", WAITING, &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
    let numbers = std::env::var("NUMBERS").unwrap();
    let space = space.with(|spec| {
        spec.environ_vars.insert("NUMBERS".to_owned(), numbers);
    });
    let isolation = Isolation::ALL.into_iter().find(|one| one.as_str() == isolation).unwrap();
    let settings = TesterSettings { isolation, ..space.settings() };
    space.tester().with_settings(settings).test_pipeline().unwrap();
}

#[track_caller]
fn check_nothing_is_left(isolation: Isolation) {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let numbers = folder.join("numbers");
    let mut tester = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::the_process_that_is_killed"])
        .envs([(VARIABLE, isolation.as_str()), ("NUMBERS", numbers.as_str()), ("TMPDIR", folder.as_str())])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the script runs", || numbers.exists());
    let text = std::fs::read_to_string(&numbers).unwrap();
    let is_alive = |number: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| !rest.trim().is_empty() && !rest.trim_start().starts_with('Z'))
    };
    assert!(text.split(' ').all(is_alive), "{text}");
    let has_folder = || {
        let mut entries = folder.read_dir_utf8().unwrap();
        entries.any(|entry| entry.unwrap().file_name().starts_with("runtime-testing"))
    };
    assert_eq!(has_folder(), isolation == Isolation::Forked);
    tester.kill().unwrap();
    tester.wait().unwrap();
    wait_until("its processes have ended", || !text.split(' ').any(is_alive));
    wait_until("its folders are gone", || !has_folder());
}

/// Well over the second that it may take, because the machine may be busy.
#[track_caller]
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "it did not come to this: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_runs_in_a_fork_ends_with_it() {
    check_nothing_is_left(Isolation::Forked);
}

#[test]
fn what_runs_in_a_fresh_interpreter_ends_with_it() {
    check_nothing_is_left(Isolation::Fresh);
}
