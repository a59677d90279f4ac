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
    /// Its process group, where that can be the script's or its own only.
    group: Option<Pid>,
    mark: Vec<u8>,
    leader: Pid,
}

impl Leftover {
    /// Ends the process of this number if it still is the one that was found.
    fn end(&self) {
        // With all that it starts meanwhile, which may have taken its place already.
        if let Some(group) = self.group.filter(|group| !self.is_foreign(*group)) {
            rustix::process::kill_process_group(group, Signal::KILL).ok();
        }
        let Ok(handle) = rustix::process::pidfd_open(self.pid, PidfdFlags::empty()) else { return };
        if Self::look(self.pid, self.leader, &self.mark, RETRIES).is_some() {
            // It may have ended by itself just now.
            rustix::process::pidfd_send_signal(&handle, Signal::KILL).ok();
            let timeout = rustix::event::Timespec { tv_sec: END.as_secs() as i64, tv_nsec: 0 };
            let mut polled = [rustix::event::PollFd::new(&handle, rustix::event::PollFlags::IN)];
            rustix::event::poll(&mut polled, Some(&timeout)).ok();
        }
    }

    /// Whether a process that is not the script's leads this group, which the script's has only joined.
    fn is_foreign(&self, group: Pid) -> bool {
        group != self.leader
            && fs::exists(format!("/proc/{}", group.as_raw_nonzero())).unwrap_or(true)
            && Self::look(group, self.leader, &self.mark, RETRIES).is_none()
    }

    /// The process of this number, if it belongs to the script and lives.
    fn look(pid: Pid, leader: Pid, mark: &[u8], retries: usize) -> Option<Self> {
        let folder = format!("/proc/{}", pid.as_raw_nonzero());
        let stat = fs::read(format!("{folder}/stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        // The name stands in parentheses and can hold some itself.
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let (state, parent, group) = (fields.next()?, fields.next()?, fields.next()?);
        if matches!(state, "Z" | "X") || pid == leader {
            return None;
        }
        let (group, first) = (group.parse().unwrap_or(0), leader.as_raw_nonzero().get());
        let is_of_group = group == first;
        let has_mark = || {
            let environment = match fs::read(format!("{folder}/environ")) {
                Ok(environment) => environment,
                // What is another user's is none of the script's.
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Some(false),
                Err(_) => Vec::new(),
            };
            if environment.is_empty() && parent != KERNEL && retries > 0 {
                return None;
            }
            Some(environment.split(|byte| *byte == 0).any(|variable| variable == mark))
        };
        let Some(is_marked) = (if is_of_group { Some(true) } else { has_mark() }) else {
            // A process that is just becoming another program has no environment for a moment, and neither has one that
            // is just ending. The kernel's own never have one.
            std::thread::sleep(Duration::from_micros(200));
            return Self::look(pid, leader, mark, retries - 1);
        };
        let is_own =
            |group: &Pid| group.as_raw_nonzero().get() >= first && *group != rustix::process::getpgrp();
        is_marked.then(|| Self {
            pid,
            name: name.to_owned(),
            // A lower number than the script's is that of a group it has joined.
            group: Pid::from_raw(group).filter(is_own),
            mark: mark.to_owned(),
            leader,
        })
    }
}

/// The parent of the kernel's own processes.
const KERNEL: &str = "2";
/// How often a process is looked at again whose environment is empty.
const RETRIES: usize = 25;

/// More numbers than this are not looked at one by one.
const FEW: i32 = 64;
/// How many of the newest processes are looked at first, and how often.
const NEWEST: i32 = 8;
const CHASES: usize = 50;
/// More than this are not given out between two looks.
const MOST: i32 = 256;

/// What lives of a script's processes.
fn find(leader: Pid, mark: &str) -> Vec<Leftover> {
    let first = leader.as_raw_nonzero().get();
    let look_at = |number: i32, retries: usize| {
        Leftover::look(Pid::from_raw(number)?, leader, mark.as_bytes(), retries)
    };
    let look = |number: i32| look_at(number, RETRIES);
    // Numbers are given out in order. One that keeps putting a new process in its own place would slip through a look at
    // all of them, and is always among the newest.
    let mut last = None;
    for _ in 0..CHASES {
        let newest = last_number();
        if newest == last {
            break;
        }
        let newest_number = newest.unwrap_or(first);
        // Every number that was given out since the look before is looked at, and some that were before.
        let from = last.map_or(newest_number, |last| last.max(newest_number - MOST)) - NEWEST;
        last = newest;
        let found: Vec<Leftover> = (from.max(first) + 1..=newest_number)
            .rev()
            // What is not sure yet is looked at below: to wait for it here would let others slip through.
            .filter_map(|number| look_at(number, 0))
            .collect();
        if !found.is_empty() {
            return found;
        }
    }
    match last {
        Some(last) if (first..first.saturating_add(FEW)).contains(&last) => {
            (first + 1..=last).filter_map(look).collect()
        }
        last => {
            // They begin again from the lowest when they run out.
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
