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
        if left.as_ref().is_some_and(Vec::is_empty) {
            return names;
        }
        if started.elapsed() > GRACE + END {
            tracing::warn!(?left, "what a script has left running cannot be ended");
            return names;
        }
        if started.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        for process in left.unwrap_or_default() {
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
        if matches!(look(self.pid, self.leader, &self.mark), Look::Own(_)) {
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
            && !matches!(look(group, self.leader, &self.mark), Look::Own(_))
    }
}

/// What a look at a process shows.
#[derive(Debug)]
enum Look {
    /// It belongs to the script and lives.
    Own(Leftover),
    /// It does not, or it has ended.
    Other,
    /// It is just becoming another program or just ending, and shows nothing for a moment.
    Unsure,
}

/// Looks whether the process of this number belongs to the script and lives.
fn look(pid: Pid, leader: Pid, mark: &[u8]) -> Look {
    let folder = format!("/proc/{}", pid.as_raw_nonzero());
    let Ok(stat) = fs::read(format!("{folder}/stat")) else { return Look::Other };
    let stat = String::from_utf8_lossy(&stat);
    let Some((name, state, parent, group)) = parse_stat(&stat) else { return Look::Other };
    if matches!(state, "Z" | "X") || pid == leader {
        return Look::Other;
    }
    let first = leader.as_raw_nonzero().get();
    if group != first {
        let environment = match fs::read(format!("{folder}/environ")) {
            Ok(environment) => environment,
            // What is another user's is none of the script's.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Look::Other,
            Err(_) => Vec::new(),
        };
        // The kernel's own never have one.
        if environment.is_empty() && parent != KERNEL {
            return Look::Unsure;
        }
        if !environment.split(|byte| *byte == 0).any(|variable| variable == mark) {
            return Look::Other;
        }
    }
    let is_own = |group: &Pid| group.as_raw_nonzero().get() >= first && *group != rustix::process::getpgrp();
    Look::Own(Leftover {
        pid,
        name: name.to_owned(),
        // A lower number than the script's is that of a group it has joined.
        group: Pid::from_raw(group).filter(is_own),
        mark: mark.to_owned(),
        leader,
    })
}

/// The name, state, parent and process group in what the system says of a process.
fn parse_stat(stat: &str) -> Option<(&str, &str, &str, i32)> {
    // The name stands in parentheses and can hold some itself.
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    Some((name, fields.next()?, fields.next()?, fields.next()?.parse().ok()?))
}

/// The parent of the kernel's own processes.
const KERNEL: &str = "2";
/// More numbers than this are not looked at one by one.
const FEW: i32 = 64;
/// How long to look again at those that were started since the look before.
const CHASE: Duration = Duration::from_millis(100);
/// A process that shows nothing for longer than this never will.
const MOMENT: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_micros(200);

/// What lives of a script's processes. None where that cannot be told, because new ones keep being started.
///
/// That there is nothing is told only when all that was there was looked at and nothing came after it: one that keeps
/// putting a new one in its own place would slip through a single look. Numbers are given out and looked at in order, so
/// one that has ended before it was looked at has its successor among those that come next.
fn find(leader: Pid, mark: &str) -> Option<Vec<Leftover>> {
    let mut found = Vec::new();
    // Those that show nothing, and since when.
    let mut unsure: Vec<(i32, Instant)> = Vec::new();
    let mut candidates = Candidates::after(leader);
    let started = Instant::now();
    while started.elapsed() < CHASE {
        let now = Instant::now();
        let numbers = candidates.next()?;
        if numbers.is_empty() && unsure.is_empty() {
            return Some(found);
        }
        if numbers.is_empty() {
            std::thread::sleep(PAUSE);
        }
        let again = std::mem::take(&mut unsure);
        for (number, since) in again.into_iter().chain(numbers.into_iter().map(|number| (number, now))) {
            match Pid::from_raw(number).map_or(Look::Other, |pid| look(pid, leader, mark.as_bytes())) {
                Look::Own(leftover) => found.push(leftover),
                Look::Unsure if since.elapsed() < MOMENT => unsure.push((number, since)),
                Look::Unsure | Look::Other => {}
            }
        }
        if !found.is_empty() {
            return Some(found);
        }
    }
    None
}

/// The numbers of the processes that were started after a script, each once.
struct Candidates {
    first: i32,
    /// The newest number of the round before.
    last: i32,
    /// What was listed before, where numbers are not gone through one by one.
    listed: Option<BTreeSet<i32>>,
}

impl Candidates {
    fn after(leader: Pid) -> Self {
        let first = leader.as_raw_nonzero().get();
        Self { first, last: first, listed: None }
    }

    /// Those that have come since the round before.
    fn next(&mut self) -> Option<Vec<i32>> {
        let newest = last_number();
        let range = self.first..self.first.saturating_add(FEW);
        if let Some(newest) = newest.filter(|newest| range.contains(newest) && self.listed.is_none()) {
            let numbers = (self.last + 1..=newest).collect();
            self.last = newest;
            return Some(numbers);
        }
        // What was not born yet when its number came by is in the next list.
        let listed = self.listed.get_or_insert_default();
        let entries = fs::read_dir("/proc").ok()?;
        let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
        // They begin again from the lowest when they run out.
        let has_wrapped = newest.is_none_or(|newest| newest < self.first);
        let numbers = numbers.filter(|number| has_wrapped || *number > self.first);
        Some(numbers.filter(|number| listed.insert(*number)).collect())
    }
}

/// The number that was given to a process last.
fn last_number() -> Option<i32> {
    fs::read_to_string("/proc/loadavg").ok()?.split_ascii_whitespace().last()?.parse().ok()
}
