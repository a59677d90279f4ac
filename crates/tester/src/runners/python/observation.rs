//! What was seen of a run, which `observe.py` leaves in a file, a line for each thing it sees.

use std::collections::{BTreeSet, HashSet};

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{LogicalName, Observed, PythonException};
use serde::Deserialize;

use crate::plain_file;

/// How many names are kept of a run, whose processes each note as many at most.
const LIMIT: usize = 10_000;

/// What is longer was not written by what observes.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// A longer path is not kept. To compare thousands of them, each of thousands of folders, takes longer than many a run.
const MOST_PATH_BYTES: usize = 1024;

/// How many paths are kept that were looked for in vain below one input.
const MOST_MISSING: usize = 20;

/// An exception as the Python files write it.
#[derive(Deserialize)]
pub(crate) struct LeftException {
    pub(crate) type_name: String,
    pub(crate) message: String,
    pub(crate) places: Vec<(Utf8PathBuf, Option<u32>)>,
    pub(crate) traceback: String,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Read {
        path: Utf8PathBuf,
    },
    Write {
        path: Utf8PathBuf,
        /// Whether nothing was there before, or nothing is left of it.
        #[serde(default)]
        new: bool,
    },
    Remove {
        path: Utf8PathBuf,
    },
    Missing {
        input: LogicalName,
        path: Utf8PathBuf,
    },
    GoingOn,
    Program {
        name: String,
    },
    Address {
        name: String,
    },
    Thread {
        exception: LeftException,
    },
    Omitted {
        count: u64,
    },
}

/// Reads what was seen of a run, in a defined order. None where nothing was, or where the script has put something else in
/// the file's place.
pub(crate) fn read_observed(
    path: &Utf8Path,
    exception: impl Fn(LeftException) -> PythonException,
) -> Option<Observed> {
    let observed = parse(&plain_file::read(path, MOST_BYTES).ok()?, exception);
    (observed != Observed::default()).then_some(observed)
}

fn parse(content: &[u8], exception: impl Fn(LeftException) -> PythonException) -> Observed {
    let (mut reads, mut writes, mut removes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut programs, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    let mut observed = Observed::default();
    let mut new = BTreeSet::new();
    for line in content.split(|byte| *byte == b'\n') {
        // A line is cut off where the disk was full.
        let Ok(line) = serde_json::from_slice(line) else { continue };
        let kept = reads.len() + writes.len() + removes.len() + programs.len() + addresses.len();
        match line {
            Line::Omitted { count } => {
                observed.omitted = observed.omitted.saturating_add(count);
            }
            Line::Thread { exception: left } => {
                observed.thread_failures.push(exception(left));
            }
            _ if kept >= LIMIT => observed.omitted += 1,
            Line::Read { path }
            | Line::Write { path, .. }
            | Line::Remove { path }
            | Line::Missing { path, .. }
                if path.as_str().len() > MOST_PATH_BYTES =>
            {
                observed.omitted += 1;
            }
            // What one process of the run has made, another reads.
            Line::Read { path } if path.ancestors().any(|path| new.contains(path)) => {}
            Line::Read { path } => keep(&mut reads, path),
            Line::Write { path, new: is_new } => {
                if is_new {
                    new.insert(path.clone());
                }
                keep(&mut writes, path);
            }
            Line::Remove { path } => keep(&mut removes, path),
            Line::GoingOn => observed.missing_inputs.clear(),
            Line::Missing { input, path } => {
                let paths = observed.missing_inputs.entry(input).or_default();
                if !paths.contains(&path) && paths.len() < MOST_MISSING {
                    paths.push(path);
                }
            }
            Line::Program { name } => keep(&mut programs, name),
            Line::Address { name } => keep(&mut addresses, name),
        }
    }
    // A folder is made once, and what is written to it is written each time.
    let mut folders: HashSet<&str> = HashSet::new();
    for path in &writes {
        // Above a folder that is known, all are.
        let mut above = path.ancestors().skip(1);
        while above.next().is_some_and(|folder| folders.insert(folder.as_str())) {}
    }
    let folders: HashSet<Utf8PathBuf> =
        writes.iter().filter(|path| folders.contains(path.as_str())).cloned().collect();
    writes.retain(|path| !folders.contains(path));
    Observed {
        reads: reads.into_iter().collect(),
        writes: writes.into_iter().collect(),
        removes: removes.into_iter().collect(),
        programs: programs.into_iter().collect(),
        addresses: addresses.into_iter().collect(),
        ..observed
    }
}

/// Each is kept once: the processes of a run do not know what others have noted.
fn keep<T: Ord>(names: &mut BTreeSet<T>, name: T) {
    names.insert(name);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exception(left: LeftException) -> PythonException {
        PythonException {
            type_name: left.type_name,
            message: left.message,
            file: left.places.last().map(|(file, _)| file.clone()),
            line: left.places.last().and_then(|(_, line)| *line),
            traceback: left.traceback,
        }
    }

    #[test]
    fn names_are_sorted_and_kept_once() {
        let content = br#"{"kind": "write", "path": "b"}
{"kind": "read", "path": "b"}
{"kind": "read", "path": "a"}
{"kind": "read", "path": "b"}
{"kind": "remove", "path": "/c"}
{"kind": "program", "name": "git"}
{"kind": "address", "name": "[::1]:80"}
{"kind": "thread", "exception": {"type_name": "KeyError", "message": "'x'", "places": [["a.py", 2]], "traceback": "..."}}
{"kind": "omitted", "count": 3}
{"kind": "omitted", "count": 4}
{"kind": "read", "pa"#;
        let observed = parse(content, exception);
        assert_eq!(observed.reads, ["a", "b"]);
        assert_eq!(observed.writes, ["b"]);
        assert_eq!(observed.removes, ["/c"]);
        assert_eq!(observed.programs, ["git"]);
        assert_eq!(observed.addresses, ["[::1]:80"]);
        assert_eq!(observed.omitted, 7);
        let [failure] = &observed.thread_failures[..] else { panic!("{:?}", observed.thread_failures) };
        assert_eq!(failure.to_string(), "KeyError: 'x' (a.py:2)");
    }

    #[test]
    fn what_another_process_has_made_before_is_not_read() {
        let content = br#"{"kind": "read", "path": "before"}
{"kind": "write", "path": "before", "new": true}
{"kind": "write", "path": "old"}
{"kind": "read", "path": "old"}
{"kind": "write", "path": "folder", "new": true}
{"kind": "read", "path": "folder/file"}
{"kind": "read", "path": "folder_of_another"}
"#;
        let observed = parse(content, exception);
        assert_eq!(observed.reads, ["before", "folder_of_another", "old"]);
        assert_eq!(observed.writes, ["before", "folder", "old"]);
    }

    #[test]
    fn a_folder_is_named_where_nothing_is_written_to_it() {
        let content = br#"{"kind": "write", "path": "a", "new": true}
{"kind": "write", "path": "a/b/c"}
{"kind": "write", "path": "ab", "new": true}
"#;
        assert_eq!(parse(content, exception).writes, ["a/b/c", "ab"]);
    }

    #[test]
    fn there_is_a_limit_for_all_processes_together() {
        let lines = (0..LIMIT + 5).map(|number| format!("{{\"kind\": \"read\", \"path\": \"{number}\"}}\n"));
        let observed = parse(lines.collect::<String>().as_bytes(), exception);
        assert_eq!((observed.reads.len(), observed.omitted), (LIMIT, 5));
    }
}
