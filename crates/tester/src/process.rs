//! One process: started, waited for, ended. Knows nothing of steps or scripts.

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use crossbeam_channel::Receiver;
use runtime_testing_models::{ExitOutcome, Resources};

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
pub(crate) fn execute(request: ProcessRequest<'_>) -> io::Result<Ended> {
    let mut command = Command::new(request.program);
    command
        .args(&request.arguments)
        .envs(request.environment)
        .current_dir(request.folder)
        .stdin(Stdio::null())
        .stdout(request.stdout)
        .stderr(request.stderr);
    let started = Instant::now();
    let limits =
        Limits { timeout: request.timeout, grace: request.grace, cancel: request.cancel, mark: request.mark };
    let mut ended = platform::execute(&mut command, &limits)?;
    ended.resources.wall_seconds = started.elapsed().as_secs_f64();
    Ok(ended)
}

/// What ends a process before it ends by itself.
struct Limits<'a> {
    timeout: Duration,
    grace: Duration,
    cancel: &'a Receiver<Infallible>,
    mark: &'a str,
}

#[cfg(unix)]
mod platform {
    use std::collections::BTreeMap;
    use std::io;
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::process::Command;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use runtime_testing_models::{ExitOutcome, Resources};
    use rustix::io::Errno;
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
    use wait4::Wait4 as _;

    use super::{Ended, Limits};

    pub(super) fn execute(command: &mut Command, limits: &Limits<'_>) -> io::Result<Ended> {
        end_with_this_process(command);
        let child = command.process_group(0).spawn()?;
        let pid = Pid::from_child(&child);
        let running = Running::new(pid, Signal::KILL);
        let (sender, receiver) = crossbeam_channel::bounded(1);
        // Waits without reaping, so that the group's number stays taken until the group has been ended.
        let waiter = std::thread::Builder::new().name("wait".to_owned()).spawn(move || {
            let waited = loop {
                match rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
                {
                    Err(Errno::INTR) => {}
                    other => break other.map(|_| ()),
                }
            };
            sender.send(waited).expect("the receiver lives until this thread is joined");
        })?;
        let (mut timed_out, mut canceled) = (false, false);
        let mut waited = crossbeam_channel::select! {
            recv(receiver) -> waited => waited.ok(),
            recv(limits.cancel) -> _ => {
                canceled = true;
                None
            },
            default(limits.timeout) => {
                timed_out = true;
                None
            },
        };
        if waited.is_none() {
            end_group(pid, Signal::TERM)?;
            waited = receiver.recv_timeout(limits.grace).ok();
        }
        // What the process left behind must not outlive the run.
        let leaked = if waited.is_some() { end_leftovers(pid, limits.mark) } else { Vec::new() };
        end_group(pid, Signal::KILL)?;
        let waited = waited.map_or_else(|| receiver.recv().ok(), Some);
        if timed_out || canceled {
            end_leftovers(pid, limits.mark);
        }
        drop(waiter.join());
        if let Some(Err(errno)) = waited {
            return Err(errno.into());
        }
        // Once it is reaped, its number can be another's.
        drop(running);
        let reaped = child.wait4()?;
        let exit = match (timed_out, reaped.status.code(), reaped.status.signal()) {
            (true, ..) => ExitOutcome::TimedOut,
            (false, Some(status), _) => ExitOutcome::Exited { status },
            (false, None, signal) => ExitOutcome::Signaled { signal: signal.unwrap_or_default() },
        };
        let resources = Resources {
            user_seconds: reaped.rusage.utime.as_secs_f64(),
            system_seconds: reaped.rusage.stime.as_secs_f64(),
            peak_memory_bytes: reaped.rusage.maxrss,
            ..Resources::default()
        };
        let leaked = if timed_out || canceled { Vec::new() } else { leaked };
        Ok(Ended { exit, canceled, resources, leaked })
    }

    #[cfg(target_os = "linux")]
    fn end_leftovers(leader: Pid, mark: &str) -> Vec<String> {
        crate::leftovers::end_leftovers(leader, mark).into_iter().collect()
    }

    /// Only the process group is known here, and it is ended in any case.
    #[cfg(not(target_os = "linux"))]
    fn end_leftovers(_leader: Pid, _mark: &str) -> Vec<String> {
        Vec::new()
    }

    /// The leaders of the process groups that are running, and the signal that ends each.
    static RUNNING: Mutex<BTreeMap<i32, Signal>> = Mutex::new(BTreeMap::new());

    /// A process group that is among the running ones for as long as this lives.
    #[derive(Debug)]
    pub(crate) struct Running(Pid);

    impl Running {
        pub(crate) fn new(leader: Pid, signal: Signal) -> Self {
            running().insert(leader.as_raw_nonzero().get(), signal);
            Self(leader)
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            running().remove(&self.0.as_raw_nonzero().get());
        }
    }

    fn running() -> MutexGuard<'static, BTreeMap<i32, Signal>> {
        // A map of numbers is whole, whatever panicked while it was locked.
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn end_running() {
        for (leader, signal) in running().iter() {
            let Some(leader) = Pid::from_raw(*leader) else { continue };
            if let Err(error) = end_group(leader, *signal) {
                tracing::warn!(%error, "could not end a running script");
            }
        }
    }

    /// Where the system can do it: when this process ends, however it ends, so does the one that is started.
    #[cfg(target_os = "linux")]
    #[allow(
        unsafe_code,
        reason = "the standard library has no other way to do something between fork and exec"
    )]
    pub(crate) fn end_with_this_process(command: &mut Command) {
        let parent = rustix::process::getpid();
        let in_child = move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // It may have ended just before.
            if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(Errno::SRCH.into()) }
        };
        // SAFETY: between fork and exec only system calls are made, which neither allocate nor take locks.
        unsafe {
            command.pre_exec(in_child);
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn end_with_this_process(_command: &mut Command) {}

    /// Signals the group, and its leader by itself too: it may have moved to another group.
    pub(crate) fn end_group(leader: Pid, signal: Signal) -> io::Result<()> {
        let group = rustix::process::kill_process_group(leader, signal);
        let process = rustix::process::kill_process(leader, signal);
        for result in [group, process] {
            match result {
                // No such process: nothing of it is left. No permission: macOS says so of zombies.
                Ok(()) | Err(Errno::SRCH | Errno::PERM) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// The name of a signal, where the platform has one.
    pub(crate) fn signal_name(signal: i32) -> Option<String> {
        let shown = format!("{:?}", Signal::from_named_raw(signal)?);
        // It shows as `Signal::KILL`.
        let name = shown.rsplit("::").next().unwrap_or(&shown);
        Some(format!("SIG{}", name.trim_matches(|character: char| !character.is_ascii_alphanumeric())))
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use crossbeam_channel::TryRecvError;
    use runtime_testing_models::{ExitOutcome, Resources};

    use super::{Ended, Limits};

    /// Without process groups and resource use: the process itself is ended, its children are not.
    pub(super) fn execute(command: &mut Command, limits: &Limits<'_>) -> io::Result<Ended> {
        let mut child = command.spawn()?;
        let deadline = Instant::now() + limits.timeout;
        let mut canceled = false;
        let exit = loop {
            if let Some(status) = child.try_wait()? {
                break ExitOutcome::Exited { status: status.code().unwrap_or(-1) };
            }
            canceled = limits.cancel.try_recv() == Err(TryRecvError::Disconnected);
            if canceled || Instant::now() >= deadline {
                child.kill()?;
                child.wait()?;
                break ExitOutcome::TimedOut;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        Ok(Ended { exit, canceled, resources: Resources::default(), leaked: Vec::new() })
    }

    pub(super) fn end_running() {}

    pub(crate) fn signal_name(_signal: i32) -> Option<String> {
        None
    }
}

pub(crate) use platform::signal_name;
#[cfg(target_os = "linux")]
pub(crate) use platform::{Running, end_group, end_with_this_process};

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::cancel::CancelHandle;

    #[track_caller]
    fn run(script: &str, timeout: Duration) -> (Ended, String) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
        let log = |name: &str| File::create(folder.join(name)).expect("a file in the temporary folder");
        let ended = execute(ProcessRequest {
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
