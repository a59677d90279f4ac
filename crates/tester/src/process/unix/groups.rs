//! The process groups that are running.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::process::{Pid, Signal};

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

pub(crate) fn end_running() {
    for (leader, signal) in running().iter() {
        let Some(leader) = Pid::from_raw(*leader) else { continue };
        if let Err(error) = end_group(leader, *signal) {
            tracing::warn!(%error, "could not end a running script");
        }
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
