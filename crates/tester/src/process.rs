//! One process: started, waited for, ended. Knows nothing of steps or scripts.

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use crossbeam_channel::Receiver;
use runtime_testing_models::{ExitOutcome, Resources};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use other as platform;
#[cfg(unix)]
use unix as platform;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Watched, temporary_folder};
pub(crate) use platform::{ignore_file_size_signal, signal_name};
#[cfg(target_os = "linux")]
pub(crate) use unix::{Running, end_group, end_with_this_process};

/// A test that goes on. Elsewhere than on Linux, nothing watches over what scripts have started.
#[cfg(not(target_os = "linux"))]
pub(crate) struct Watched(());

#[cfg(not(target_os = "linux"))]
impl Watched {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// A temporary folder. Elsewhere than on Linux it outlives this process if that is killed.
#[cfg(not(target_os = "linux"))]
pub(crate) fn temporary_folder() -> io::Result<tempfile::TempDir> {
    let above = temporary_place();
    tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .tempdir_in(&above)
        .map_err(|error| no_folder(&above, &error))
}

/// The folder for temporary folders. A variable that is set to nothing names none.
fn temporary_place() -> PathBuf {
    let named = std::env::temp_dir();
    if cfg!(unix) && named.as_os_str().is_empty() { "/tmp".into() } else { named }
}

fn no_folder(above: &Path, error: &io::Error) -> io::Error {
    let variable = if cfg!(unix) { "TMPDIR" } else { "TMP" };
    let (above, kind) = (above.display(), error.kind());
    io::Error::new(kind, format!("no temporary folder can be made in `{above}` (`{variable}`): {kind}"))
}

/// What the names of temporary folders begin with.
const TEMPORARY_PREFIX: &str = "runtime-testing";

/// What to start.
pub(crate) struct ProcessRequest<'a> {
    pub(crate) program: &'a Utf8Path,
    pub(crate) arguments: Vec<Utf8PathBuf>,
    pub(crate) environment: Vec<(&'a str, &'a str)>,
    pub(crate) folder: &'a Utf8Path,
    pub(crate) stdout: File,
    pub(crate) stderr: File,
    /// How long it may take.
    pub(crate) timeout: Duration,
    /// How long it may take to end when it is asked to.
    pub(crate) grace: Duration,
    /// Is disconnected when it is to be ended.
    pub(crate) cancel: &'a Receiver<Infallible>,
    /// The variable of `environment` by which what it starts is known to be its own, as `NAME=value`.
    pub(crate) mark: &'a str,
}

/// How a process ended.
pub(crate) struct Ended {
    pub(crate) exit: ExitOutcome,
    /// Whether it was ended because that was asked for.
    pub(crate) canceled: bool,
    pub(crate) resources: Resources,
    /// The names of the programs that it had left running.
    pub(crate) leaked: Vec<String>,
}

/// Ends every script that is running in this process's tests, with all that it has started. For a program that is about
/// to end, such as on Ctrl-C: scripts run in process groups of their own, which a signal to the program does not reach.
///
/// Their tests see scripts that a signal has ended. Outside Unix nothing is done: a script ends with its console.
pub fn end_running_scripts() {
    platform::end_running();
}

/// Starts a process in a process group of its own, with closed standard input, and waits until it has ended. When
/// this returns, nothing of its group is left running.
///
/// # Errors
///
/// Where the process cannot be started or waited for.
pub(crate) fn execute(request: &ProcessRequest<'_>) -> io::Result<Ended> {
    let started = Instant::now();
    let mut ended = platform::execute(request)?;
    ended.resources.wall_seconds = started.elapsed().as_secs_f64();
    Ok(ended)
}

/// The command for a process as the standard library starts it.
#[cfg(not(target_os = "linux"))]
fn command(request: &ProcessRequest<'_>) -> io::Result<std::process::Command> {
    let mut command = std::process::Command::new(request.program);
    command
        .args(&request.arguments)
        .envs(request.environment.iter().copied())
        .current_dir(request.folder)
        .stdin(std::process::Stdio::null())
        .stdout(request.stdout.try_clone()?)
        .stderr(request.stderr.try_clone()?);
    Ok(command)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::cancel::CancelHandle;

    #[track_caller]
    fn run(script: &str, timeout: Duration) -> (Ended, String) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
        let log = |name: &str| File::create(folder.join(name)).expect("a file in the temporary folder");
        let ended = execute(&ProcessRequest {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: vec![("GREETING", "hello"), ("MARK", folder.as_str())],
            folder,
            stdout: log("stdout"),
            stderr: log("stderr"),
            timeout,
            grace: Duration::from_millis(200),
            cancel: CancelHandle::new().receiver(),
            mark: &format!("MARK={folder}"),
        });
        (ended.expect("a shell"), std::fs::read_to_string(folder.join("stdout")).expect("its output"))
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn tells_how_it_ended() {
        let (ended, stdout) = run("echo $GREETING; exit 3", LONG);
        assert_eq!((ended.exit, stdout.as_str()), (ExitOutcome::Exited { status: 3 }, "hello\n"));
        let (ended, _) = run("kill -9 $$", LONG);
        assert_eq!(ended.exit, ExitOutcome::Signaled { signal: 9 });
        assert_eq!(signal_name(9).as_deref(), Some("SIGKILL"));
        assert_eq!(signal_name(11).as_deref(), Some("SIGSEGV"));
        assert_eq!(signal_name(6).as_deref(), Some("SIGABRT"));
        assert_eq!(signal_name(12_345), None);
    }

    #[test]
    fn has_no_standard_input() {
        let (ended, stdout) = run("read line; echo got=$line", LONG);
        assert_eq!((ended.exit, stdout.as_str()), (ExitOutcome::Exited { status: 0 }, "got=\n"));
    }

    #[test]
    fn is_ended_after_its_time_and_all_of_its_group_with_it() {
        let started = Instant::now();
        let (ended, stdout) = run("trap '' TERM; sleep 1000 & echo $!; wait", Duration::from_millis(300));
        assert_eq!(ended.exit, ExitOutcome::TimedOut);
        assert!(started.elapsed() < LONG, "it was waited for");
        check_gone(&stdout);
    }

    #[test]
    fn leaves_nothing_behind() {
        let (ended, stdout) = run("sleep 1000 & echo $!", LONG);
        assert_eq!(ended.exit, ExitOutcome::Exited { status: 0 });
        #[cfg(target_os = "linux")]
        assert_eq!(ended.leaked, ["sleep"]);
        check_gone(&stdout);
    }

    /// The process of this number has ended: it is gone, or waits as a zombie for whoever adopted it.
    #[track_caller]
    fn check_gone(number: &str) {
        let number: i32 = number.trim().parse().expect("a process number");
        let pid = rustix::process::Pid::from_raw(number).expect("a process number is not zero");
        let is_alive = || {
            let status = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
            let is_zombie = status.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'));
            !is_zombie && rustix::process::test_kill_process(pid).is_ok()
        };
        // The signal was sent, and a process takes a moment to die.
        let deadline = Instant::now() + LONG;
        while is_alive() {
            assert!(Instant::now() < deadline, "process {number} is alive");
            std::thread::yield_now();
        }
    }
}
