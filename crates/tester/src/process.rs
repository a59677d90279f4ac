//! One process: started, waited for, ended. Knows nothing of steps or scripts.

use std::convert::Infallible;
use std::fs::File;
use std::io;
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

#[cfg(unix)]
mod platform {
    use std::collections::BTreeMap;
    use std::convert::Infallible;
    use std::io;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::time::{Duration, Instant};

    use crossbeam_channel::{Receiver, TryRecvError};
    use runtime_testing_models::{ExitOutcome, Resources};
    use rustix::io::Errno;
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

    use super::{Ended, ProcessRequest};

    pub(super) fn execute(request: &ProcessRequest<'_>) -> io::Result<Ended> {
        let pid = spawn(request)?;
        let running = Running::new(pid, Signal::KILL);
        // It is not reaped before the group has been ended, so that the group's number stays taken.
        let waited = wait(pid, request.timeout, request.cancel)?;
        let is_over = waited == Waited::Ended || {
            end_group(pid, Signal::TERM)?;
            wait(pid, request.grace, &crossbeam_channel::never())? == Waited::Ended
        };
        // What the process left behind must not outlive the run.
        let leaked = if waited == Waited::Ended { end_leftovers(pid, request.mark) } else { Vec::new() };
        end_group(pid, Signal::KILL)?;
        if !is_over {
            wait(pid, Duration::MAX, &crossbeam_channel::never())?;
        }
        if waited != Waited::Ended {
            end_leftovers(pid, request.mark);
        }
        // Once it is reaped, its number can be another's.
        drop(running);
        let (status, usage) = reap(pid)?;
        let exit = match (waited, status.code(), status.signal()) {
            (Waited::TimedOut, ..) => ExitOutcome::TimedOut,
            (_, Some(status), _) => ExitOutcome::Exited { status },
            (_, None, signal) => ExitOutcome::Signaled { signal: signal.unwrap_or_default() },
        };
        let seconds = |time: libc::timeval| time.tv_sec as f64 + f64::from(time.tv_usec as i32) / 1e6;
        // In bytes there, in kilobytes everywhere else.
        let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
        let resources = Resources {
            user_seconds: seconds(usage.ru_utime),
            system_seconds: seconds(usage.ru_stime),
            peak_memory_bytes: u64::try_from(usage.ru_maxrss).unwrap_or_default() * unit,
            ..Resources::default()
        };
        Ok(Ended { exit, canceled: waited == Waited::Canceled, resources, leaked })
    }

    /// Waits for a child that has ended or is about to, and lets its number go. Returns its status and what it used.
    #[allow(unsafe_code, reason = "there is no safe way to learn what a child of this number has used")]
    pub(crate) fn reap(pid: Pid) -> io::Result<(ExitStatus, libc::rusage)> {
        loop {
            let mut status = 0;
            // SAFETY: a resource use of zeros is a valid value.
            let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
            // SAFETY: both places are there to be written to.
            let reaped = unsafe { libc::wait4(pid.as_raw_nonzero().get(), &mut status, 0, &mut usage) };
            if reaped >= 0 {
                return Ok((ExitStatus::from_raw(status), usage));
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }

    /// How a wait for a process came to its end.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Waited {
        /// The process has ended.
        Ended,
        /// It takes longer than it may.
        TimedOut,
        /// It is to be ended.
        Canceled,
    }

    /// How long a cancellation may go unnoticed.
    const NOTICE: Duration = Duration::from_millis(50);
    /// How long the end of a process may go unnoticed where the system has no way to wait for it.
    const LOOK: Duration = Duration::from_millis(2);

    /// Waits for the end of a child without reaping it.
    fn wait(pid: Pid, timeout: Duration, cancel: &Receiver<Infallible>) -> io::Result<Waited> {
        let deadline = Instant::now().checked_add(timeout);
        let mut sleep = sleeper(pid);
        loop {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
            match rustix::process::waitid(WaitId::Pid(pid), options) {
                Ok(Some(_)) => return Ok(Waited::Ended),
                Ok(None) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            if cancel.try_recv() == Err(TryRecvError::Disconnected) {
                return Ok(Waited::Canceled);
            }
            let left = deadline.map_or(NOTICE, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(Waited::TimedOut);
            }
            sleep(left.min(NOTICE));
        }
    }

    /// Sleeps for a time, or until the process has ended.
    #[cfg(target_os = "linux")]
    fn sleeper(pid: Pid) -> impl FnMut(Duration) {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        let handle = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok();
        move |time| {
            let Some(handle) = &handle else {
                std::thread::sleep(time.min(LOOK));
                return;
            };
            let timeout = Timespec { tv_sec: 0, tv_nsec: time.subsec_nanos().into() };
            // Whatever it says, the process is looked at next.
            poll(&mut [PollFd::new(handle, PollFlags::IN)], Some(&timeout)).ok();
        }
    }

    /// Sleeps for a short time.
    #[cfg(not(target_os = "linux"))]
    fn sleeper(_pid: Pid) -> impl FnMut(Duration) {
        |time| std::thread::sleep(time.min(LOOK))
    }

    #[cfg(target_os = "linux")]
    use crate::spawn::spawn;

    #[cfg(not(target_os = "linux"))]
    fn spawn(request: &ProcessRequest<'_>) -> io::Result<Pid> {
        use std::os::unix::process::CommandExt as _;

        let child = super::command(request)?.process_group(0).spawn()?;
        Ok(Pid::from_child(&child))
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
    pub(crate) fn end_with_this_process(command: &mut std::process::Command) {
        use std::os::unix::process::CommandExt as _;

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

    /// The name of a signal, where it has one.
    pub(crate) fn signal_name(signal: i32) -> Option<String> {
        const NAMES: [(i32, &str); 27] = [
            (libc::SIGABRT, "ABRT"),
            (libc::SIGALRM, "ALRM"),
            (libc::SIGBUS, "BUS"),
            (libc::SIGCHLD, "CHLD"),
            (libc::SIGCONT, "CONT"),
            (libc::SIGFPE, "FPE"),
            (libc::SIGHUP, "HUP"),
            (libc::SIGILL, "ILL"),
            (libc::SIGINT, "INT"),
            (libc::SIGIO, "IO"),
            (libc::SIGKILL, "KILL"),
            (libc::SIGPIPE, "PIPE"),
            (libc::SIGPROF, "PROF"),
            (libc::SIGQUIT, "QUIT"),
            (libc::SIGSEGV, "SEGV"),
            (libc::SIGSTOP, "STOP"),
            (libc::SIGSYS, "SYS"),
            (libc::SIGTERM, "TERM"),
            (libc::SIGTRAP, "TRAP"),
            (libc::SIGTSTP, "TSTP"),
            (libc::SIGTTIN, "TTIN"),
            (libc::SIGTTOU, "TTOU"),
            (libc::SIGUSR1, "USR1"),
            (libc::SIGUSR2, "USR2"),
            (libc::SIGVTALRM, "VTALRM"),
            (libc::SIGXCPU, "XCPU"),
            (libc::SIGXFSZ, "XFSZ"),
        ];
        let (_, name) = NAMES.iter().find(|(number, _)| *number == signal)?;
        Some(format!("SIG{name}"))
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;
    use std::time::{Duration, Instant};

    use crossbeam_channel::TryRecvError;
    use runtime_testing_models::{ExitOutcome, Resources};

    use super::{Ended, ProcessRequest, command};

    /// Without process groups and resource use: the process itself is ended, its children are not.
    pub(super) fn execute(request: &ProcessRequest<'_>) -> io::Result<Ended> {
        let mut child = command(request)?.spawn()?;
        let deadline = Instant::now() + request.timeout;
        let mut canceled = false;
        let exit = loop {
            if let Some(status) = child.try_wait()? {
                break ExitOutcome::Exited { status: status.code().unwrap_or(-1) };
            }
            canceled = request.cancel.try_recv() == Err(TryRecvError::Disconnected);
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
pub(crate) use platform::{Running, end_group, end_with_this_process, reap};

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
