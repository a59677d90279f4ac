//! Ends what scripts have started when this process is killed in a way that leaves it no time to do so.
//!
//! A script itself ends with the thread that started it. What it has started in turn does not: for that, a shell waits until
//! this process has ended, and ends every process that has this one's mark in its environment.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The variable that marks what this process has started, and all that comes of it.
pub(super) const VARIABLE: &str = "RUNTIME_TESTING_PROCESS";

/// Its standard input ends with this process. What is found is looked for again, because it may have started others meanwhile.
const PROGRAM: &str = r#"read -r line
for round in 1 2 3 4 5 6 7 8; do
    found=$(grep -lsF "$1" /proc/[0-9]*/environ)
    [ -n "$found" ] || exit 0
    for file in $found; do
        file=${file#/proc/}
        kill -9 "${file%/environ}"
    done
done
"#;

/// Who needs the shell, and the shell once there is something to watch over.
static STATE: Mutex<State> = Mutex::new(State { tests: 0, watchdog: None });

struct State {
    /// The tests that go on.
    tests: usize,
    watchdog: Option<Watchdog>,
}

/// The shell, and the value of [`VARIABLE`] that it looks for.
struct Watchdog {
    mark: String,
    /// None where it could not be started.
    shell: Option<Child>,
}

/// A test that goes on. With the last one the shell ends.
#[derive(Debug)]
pub(crate) struct Watched(());

impl Watched {
    pub(crate) fn new() -> Self {
        state().tests += 1;
        Self(())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut state = state();
        state.tests -= 1;
        if state.tests == 0 {
            state.watchdog = None;
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        let Some(shell) = &mut self.shell else { return };
        // Every run has ended what it had started.
        if let Err(error) = shell.kill().and_then(|()| shell.wait()) {
            tracing::warn!(%error, "could not end the shell that watches over scripts");
        }
    }
}

/// The value of [`VARIABLE`] for what this process starts. The first call starts the shell.
pub(super) fn mark() -> String {
    let mut state = state();
    let watchdog = state.watchdog.get_or_insert_with(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // What stands at its end keeps it from being the beginning of another's.
        let mark = format!("{}-{}.", std::process::id(), now.as_nanos());
        let shell = watch(&mark);
        if let Err(error) = &shell {
            tracing::warn!(%error, "what scripts have started will outlive this process if it is killed");
        }
        Watchdog { mark, shell: shell.ok() }
    });
    watchdog.mark.clone()
}

fn state() -> MutexGuard<'static, State> {
    // It is whole, whatever panicked while it was locked.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch(mark: &str) -> std::io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", PROGRAM, "sh", &format!("{VARIABLE}={mark}")])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A signal to the group of this process is not meant for it.
        .process_group(0)
        .spawn()
}
