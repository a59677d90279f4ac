//! What a script has left running when it ended: found by its process group and by a mark in its environment.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal};

/// What a script has started may need a moment to end after it.
const GRACE: Duration = Duration::from_secs(1);
/// How long to wait for a process to be gone that was ended the hard way.
const END: Duration = Duration::from_secs(2);

/// Ends what is left of the process group of `leader`, which has ended and is not reaped, and every process that was
/// started after it with `mark` in its environment. Returns the names of the programs that did not end by themselves.
pub(crate) fn end_leftovers(leader: Pid, mark: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let started = Instant::now();
    loop {
        let left = find(leader, mark);
        if left.is_empty() {
            return names;
        }
        if started.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        if started.elapsed() > GRACE + END {
            tracing::warn!(?left, "what a script has left running cannot be ended");
            return names;
        }
        for process in left {
            process.end();
            names.insert(process.name);
        }
    }
}

#[derive(Debug)]
struct Leftover {
    pid: Pid,
    name: String,
    mark: Vec<u8>,
    leader: Pid,
}

impl Leftover {
    /// Ends the process of this number if it still is the one that was found.
    fn end(&self) {
        let Ok(handle) = rustix::process::pidfd_open(self.pid, PidfdFlags::empty()) else { return };
        if Self::look(self.pid, self.leader, &self.mark).is_some() {
            // It may have ended by itself just now.
            rustix::process::pidfd_send_signal(&handle, Signal::KILL).ok();
            let timeout = rustix::event::Timespec { tv_sec: END.as_secs() as i64, tv_nsec: 0 };
            let mut polled = [rustix::event::PollFd::new(&handle, rustix::event::PollFlags::IN)];
            rustix::event::poll(&mut polled, Some(&timeout)).ok();
        }
    }

    /// The process of this number, if it belongs to the script and lives.
    fn look(pid: Pid, leader: Pid, mark: &[u8]) -> Option<Self> {
        let folder = format!("/proc/{}", pid.as_raw_nonzero());
        let stat = fs::read(format!("{folder}/stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        // The name stands in parentheses and can hold some itself.
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let (state, group) = (fields.next()?, fields.nth(1)?);
        if matches!(state, "Z" | "X") || pid == leader {
            return None;
        }
        let is_of_group = group.parse() == Ok(leader.as_raw_nonzero().get());
        let has_mark = || {
            let environment = fs::read(format!("{folder}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == mark)
        };
        (is_of_group || has_mark()).then(|| Self {
            pid,
            name: name.to_owned(),
            mark: mark.to_owned(),
            leader,
        })
    }
}

/// More numbers than this are not looked at one by one.
const FEW: i32 = 64;

fn find(leader: Pid, mark: &str) -> Vec<Leftover> {
    let first = leader.as_raw_nonzero().get();
    let look = |number: i32| Leftover::look(Pid::from_raw(number)?, leader, mark.as_bytes());
    // Numbers are given out in order and begin again from the lowest when they run out.
    match last_number() {
        Some(last) if (first..first.saturating_add(FEW)).contains(&last) => {
            (first + 1..=last).filter_map(look).collect()
        }
        last => {
            let has_wrapped = last.is_none_or(|last| last < first);
            let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
            entries
                .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
                .filter(|number| has_wrapped || *number > first)
                .filter_map(look)
                .collect()
        }
    }
}

/// The number that was given to a process last.
fn last_number() -> Option<i32> {
    fs::read_to_string("/proc/loadavg").ok()?.split_ascii_whitespace().last()?.parse().ok()
}
