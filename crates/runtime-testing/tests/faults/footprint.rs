//! What a test leaves on the machine: processes, and descriptors, threads and memory of its own process.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

/// How long what a test leaves may take to go.
const PATIENCE: Duration = Duration::from_secs(10);

/// The variable that names the test for which a process was started.
const ALONE: &str = "RUNTIME_TESTING_ALONE";

/// Whether this process runs the test of this name and nothing else, so that what it counts is its own. Where it does not,
/// one that does is started and waited for, and the test is over. `wrapper` is a command that starts another.
pub(super) fn is_alone(test: &str, wrapper: &[&str], limit: Duration) -> bool {
    if std::env::var(ALONE).as_deref() == Ok(test) {
        return true;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("log");
    let output = File::create(&log).expect("a new file");
    let binary = std::env::current_exe().expect("the path of this test");
    let mut command = match wrapper {
        [] => Command::new(binary),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(binary);
            command
        }
    };
    command
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(ALONE, test)
        .stdin(Stdio::null());
    // On a slow disk, a hundred thousand files take minutes.
    if has_room(MEMORY_FOLDER) {
        command.env("TMPDIR", MEMORY_FOLDER);
    }
    command.stdout(output.try_clone().expect("a second descriptor")).stderr(output);
    let mut child = command.spawn().expect("this test can be started");
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        if Instant::now() >= deadline {
            child.kill().expect("a child can be ended");
            child.wait().expect("a child can be waited for");
            panic!("it hangs:\n{}", fs::read_to_string(&log).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let said = String::from_utf8_lossy(&fs::read(&log).expect("what it said")).into_owned();
    assert!(status.success() && said.contains("1 passed"), "{status}:\n{said}");
    println!("{said}");
    false
}

/// A folder whose files are in memory.
const MEMORY_FOLDER: &str = "/dev/shm";

/// Whether there is a folder with 2 GiB to spare.
fn has_room(folder: &str) -> bool {
    let output = Command::new("df").args(["--output=avail", "--block-size=1G", folder]).output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    said.lines().nth(1).and_then(|line| line.trim().parse::<u64>().ok()).is_some_and(|free| free >= 2)
}

/// What this process holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Footprint {
    descriptors: usize,
    threads: usize,
}

impl Footprint {
    pub(super) fn now() -> Self {
        Self {
            descriptors: descriptors().len(),
            threads: fs::read_dir("/proc/self/task").expect("threads").count(),
        }
    }

    /// What there is now that was not there before, once it has had the time to go. `folder` is the test's own.
    pub(super) fn growth(self, folder: &Utf8Path) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.growth_now(folder);
            if found.is_empty() || Instant::now() >= deadline {
                return found;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn growth_now(self, folder: &Utf8Path) -> Vec<String> {
        let now = Self::now();
        let mut found = Vec::new();
        if now.descriptors > self.descriptors {
            found.push(format!(
                "{} descriptors, not {}: {:?}",
                now.descriptors,
                self.descriptors,
                descriptors()
            ));
        }
        if now.threads > self.threads {
            found.push(format!("{} threads, not {}: {:?}", now.threads, self.threads, thread_names()));
        }
        let inside = descriptors().into_iter().filter(|link| link.starts_with(folder.as_str()));
        found.extend(inside.map(|link| format!("a descriptor leads to {link}")));
        found.extend(processes().filter_map(|process| process.left_in(folder)));
        let beat = fs::metadata(notes(folder).join("beat")).and_then(|beat| beat.modified());
        if beat.is_ok_and(|beat| beat.elapsed().is_ok_and(|since| since < Duration::from_millis(500))) {
            found.push("a process that nobody catches is alive".to_owned());
        }
        found
    }
}

/// What the descriptors of this process lead to. The one that this is read by has gone by then.
fn descriptors() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd").expect("descriptors");
    let entries: Vec<_> = entries.filter_map(Result::ok).collect();
    let links = entries.iter().filter_map(|entry| fs::read_link(entry.path()).ok());
    links.map(|link| link.to_string_lossy().into_owned()).collect()
}

fn thread_names() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").expect("threads").filter_map(Result::ok);
    tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok()).collect()
}

/// The memory that this process has in use, in bytes.
pub(super) fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// A process of this machine.
struct Process {
    number: u32,
    name: String,
    state: String,
    parent: u32,
    /// When it was started, in a unit that only its equals have. With the number it names a process for good.
    started: String,
}

/// Each is looked at when it comes: it may be gone a moment later.
fn processes() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").expect("processes").filter_map(Result::ok);
    entries.filter_map(|entry| Process::read(entry.file_name().to_str()?.parse().ok()?))
}

impl Process {
    fn read(number: u32) -> Option<Self> {
        let text = String::from_utf8_lossy(&fs::read(format!("/proc/{number}/stat")).ok()?).into_owned();
        let (before, after) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        Some(Self {
            number,
            name: before.split_once('(')?.1.to_owned(),
            state: (*fields.first()?).to_owned(),
            parent: fields.get(1)?.parse().ok()?,
            started: (*fields.get(19)?).to_owned(),
        })
    }

    /// How it shows that a test in this folder has left this process, if it does.
    fn left_in(&self, folder: &Utf8Path) -> Option<String> {
        let (own, number) = (std::process::id(), self.number);
        if number == own {
            return None;
        }
        let holds = |file: &str| {
            let content = fs::read(format!("/proc/{number}/{file}")).unwrap_or_default();
            content.windows(folder.as_str().len()).any(|part| part == folder.as_str().as_bytes())
        };
        let is_alive = self.state != "Z";
        let current = fs::read_link(format!("/proc/{number}/cwd")).unwrap_or_default();
        let how = if is_alive && self.is_noted(folder) {
            "was noted by the script that left it"
        } else if holds("cmdline") {
            "has the test's folder in its arguments"
        } else if holds("environ") {
            "has the test's folder in its environment"
        } else if current.starts_with(folder) {
            "is in the test's folder"
        } else if self.parent == own {
            "is a child of this process"
        } else {
            return None;
        };
        Some(format!("process {number} ({}, state {}) {how}", self.name, self.state))
    }

    fn is_noted(&self, folder: &Utf8Path) -> bool {
        fs::read_to_string(notes(folder).join(self.number.to_string()))
            .is_ok_and(|note| note.trim() == self.started)
    }
}

/// Where scripts note the processes that they leave.
fn notes(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join("copy/left")
}

/// Ends what a test has left after all, so that it disturbs no other.
pub(super) fn end_what_is_left(folder: &Utf8Path) {
    let left = processes().filter(|process| process.left_in(folder).is_some());
    let numbers: Vec<String> = left.map(|process| process.number.to_string()).collect();
    if !numbers.is_empty() {
        drop(Command::new("kill").arg("-9").args(numbers).stderr(Stdio::null()).status());
    }
}
