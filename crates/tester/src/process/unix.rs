use std::convert::Infallible;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};
use runtime_testing_models::{ExitOutcome, Resources};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::{Ended, ProcessRequest};

mod groups;
mod reap;
mod signals;

pub(crate) use groups::{Running, end_group, end_running};
pub(super) use reap::reap;
pub(crate) use signals::{ignore_file_size_signal, signal_name};

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
use super::linux::spawn;

#[cfg(not(target_os = "linux"))]
fn spawn(request: &ProcessRequest<'_>) -> io::Result<Pid> {
    use std::os::unix::process::CommandExt as _;

    let child = super::command(request)?.process_group(0).spawn()?;
    Ok(Pid::from_child(&child))
}

#[cfg(target_os = "linux")]
fn end_leftovers(leader: Pid, mark: &str) -> Vec<String> {
    super::linux::end_leftovers(leader, mark).into_iter().collect()
}

/// Only the process group is known here, and it is ended in any case.
#[cfg(not(target_os = "linux"))]
fn end_leftovers(_leader: Pid, _mark: &str) -> Vec<String> {
    Vec::new()
}

/// When this process ends, however it ends, so does the one that is started, with all that this one has started.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "the standard library has no other way to do something between fork and exec")]
pub(crate) fn end_with_this_process(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt as _;

    command.env(super::linux::VARIABLE, super::linux::mark());
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
