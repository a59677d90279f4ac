//! A tester that is killed, and can do nothing about what it has started.
#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use runtime_testing_models::Isolation;
use runtime_testing_tester::TesterSettings;

use crate::forks::with_package;
use crate::space::{COPY, Space};

/// The variables that say how the process that is to be killed runs its script, and what waits there.
const ISOLATION: &str = "TESTER_THAT_IS_KILLED";
const WAITS: &str = "WHAT_WAITS";

/// Starts a process in a session of its own, says the numbers of both, and waits.
const WAITING: &str = "import os, subprocess, sys, time

def wait():
    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)
    with open(os.environ['NUMBERS'] + '.part', 'w') as file:
        file.write(f'{os.getpid()} {child.pid}')
    os.rename(os.environ['NUMBERS'] + '.part', os.environ['NUMBERS'])
    time.sleep(600)
";
const INTERPRETER: &str = "#!/bin/sh
sleep 600 &
echo \"$$ $!\" > \"$NUMBERS.part\"
mv \"$NUMBERS.part\" \"$NUMBERS\"
wait
";

/// No test by itself: what the tests run in a process of its own.
#[test]
fn the_process_that_is_killed() {
    let Ok(isolation) = std::env::var(ISOLATION) else { return };
    let waiting_main =
        format!("{WAITING}\ndef main(input_paths, output_paths, environ_vars, job_args):\n    wait()\n");
    let (space, script, python) = match std::env::var(WAITS).as_deref() {
        Ok("script") => (Space::new(), waiting_main, None),
        Ok("script that hides") => {
            let hidden = waiting_main.replace("start_new_session", "env={}, start_new_session");
            (Space::new(), hidden, None)
        }
        Ok("import") => {
            let space = with_package(&[("waiting.py", &format!("{WAITING}\nwait()\n"))]);
            (space, format!("import waiting\n{COPY}"), Some("env/bin/python3"))
        }
        Ok("interpreter") => {
            let space = Space::new().write("interpreter", INTERPRETER);
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(space.root.join("interpreter"), mode).unwrap();
            (space, COPY.to_owned(), Some("interpreter"))
        }
        other => panic!("{other:?}"),
    };
    let space = space.step("a", &script, &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
    let python = python.map(|path| space.root.join(path));
    let space = space.with(|spec| spec.python = python);
    let isolation = Isolation::ALL.into_iter().find(|one| one.as_str() == isolation).unwrap();
    let settings = TesterSettings { isolation, preload: vec!["waiting".to_owned()], ..space.settings() };
    space.tester().with_settings(settings).test_pipeline().unwrap();
}

/// A tester that is to be killed, in a folder of its own.
struct Tester {
    folder: tempfile::TempDir,
    process: Child,
}

impl Tester {
    fn start(isolation: Isolation, waits: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::the_process_that_is_killed"])
            .envs([(ISOLATION, isolation.as_str()), (WAITS, waits)])
            .envs([("NUMBERS", folder.path().join("numbers")), ("TMPDIR", folder.path().to_owned())])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { folder, process }
    }

    fn has_folder(&self) -> bool {
        let mut entries = Utf8Path::from_path(self.folder.path()).unwrap().read_dir_utf8().unwrap();
        entries.any(|entry| entry.unwrap().file_name().starts_with("runtime-testing"))
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[track_caller]
fn check_nothing_is_left(isolation: Isolation, waits: &str) {
    let mut tester = Tester::start(isolation, waits);
    let numbers = tester.folder.path().join("numbers");
    wait_until("it waits", || numbers.exists());
    let text = std::fs::read_to_string(&numbers).unwrap();
    let is_alive = |number: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", number.trim())).unwrap_or_default();
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| !rest.trim().is_empty() && !rest.trim_start().starts_with('Z'))
    };
    assert!(text.split(' ').all(is_alive), "{text}");
    assert!(tester.has_folder());
    tester.kill();
    wait_until("its processes have ended", || !text.split(' ').any(is_alive));
    wait_until("its folders are gone", || !tester.has_folder());
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
    check_nothing_is_left(Isolation::Forked, "script");
}

#[test]
fn what_runs_in_a_fresh_interpreter_ends_with_it() {
    check_nothing_is_left(Isolation::Fresh, "script");
}

#[test]
fn what_a_fork_has_started_without_an_environment_ends_with_it() {
    check_nothing_is_left(Isolation::Forked, "script that hides");
}

#[test]
fn what_is_started_before_a_fork_ends_with_it() {
    check_nothing_is_left(Isolation::Forked, "import");
}

#[test]
fn an_interpreter_that_is_asked_ends_with_it() {
    check_nothing_is_left(Isolation::Fresh, "interpreter");
}

#[test]
fn a_folder_that_was_just_made_ends_with_it() {
    for _ in 0..5 {
        let mut tester = Tester::start(Isolation::Forked, "script");
        wait_until("it has a folder", || tester.has_folder());
        tester.kill();
        wait_until("its folders are gone", || !tester.has_folder());
    }
}
