//! What testers and interpreters say to each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, BufRead, Read as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use camino::Utf8Path;
use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};

/// What stands before each answer.
const RECORD_SEPARATOR: u8 = 0x1e;

/// A longer line is no answer.
const MOST_LINE_BYTES: u64 = 64 * 1024;

/// Who waits for an answer, and what shows that it is no one else's: a script can write to where answers go.
pub(super) struct Waiting<T> {
    pub(super) secret: String,
    pub(super) sender: Sender<T>,
}

/// Who waits for which answer.
#[derive(Default)]
pub(super) struct Routes {
    pub(super) next: u64,
    pub(super) runs: HashMap<u64, Waiting<RunAnswer>>,
    pub(super) servers: HashMap<u64, Waiting<ServerAnswer>>,
    /// Whether there will be no more answers.
    pub(super) is_over: bool,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Request<'a> {
    Preload {
        server: u64,
        secret: &'a str,
        requests: &'a Utf8Path,
        imports: &'a [String],
    },
    Run {
        run: u64,
        secret: &'a str,
        params: &'a Utf8Path,
        /// The folders that modules of the script's own are imported from.
        folders: Vec<&'a Utf8Path>,
        folder: &'a Utf8Path,
        stdout: &'a Utf8Path,
        stderr: &'a Utf8Path,
        environment: BTreeMap<&'a str, &'a str>,
        timeout_seconds: f64,
        grace_seconds: f64,
    },
    Cancel {
        run: u64,
    },
}

#[derive(Deserialize)]
struct Answer {
    run: Option<u64>,
    server: Option<u64>,
    #[serde(default)]
    secret: String,
    #[serde(flatten)]
    content: serde_json::Value,
}

#[derive(Deserialize)]
pub(super) struct RunAnswer {
    pub(super) refused: Option<String>,
    pub(super) lost: Option<String>,
    pub(super) ended_by: Option<EndedBy>,
    pub(super) status: Option<i32>,
    pub(super) signal: Option<i32>,
    #[serde(default)]
    pub(super) user_seconds: f64,
    #[serde(default)]
    pub(super) system_seconds: f64,
    #[serde(default)]
    pub(super) peak_memory_bytes: u64,
    #[serde(default)]
    pub(super) leaked: Vec<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum EndedBy {
    Timeout,
    Cancel,
}

#[derive(Deserialize)]
pub(super) struct ServerAnswer {
    pub(super) failed: Option<String>,
    pub(super) reads: Option<BTreeSet<String>>,
}

/// Hands out answers until there are no more. All else is passed over: wrappers around the interpreter, its `sitecustomize`,
/// and scripts print what they like.
pub(super) fn deliver(mut answers: impl BufRead, routes: &Mutex<Routes>) {
    let (mut line, mut is_rest) = (Vec::new(), false);
    loop {
        line.clear();
        match answers.by_ref().take(MOST_LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let is_end = line.ends_with(b"\n");
        let is_whole = !std::mem::replace(&mut is_rest, !is_end) && is_end;
        let answer = line.rsplit(|byte| *byte == RECORD_SEPARATOR).next();
        let Some(answer) = answer.filter(|answer| is_whole && answer.len() < line.len()) else { continue };
        let Ok(Answer { run, server, secret, content }) = serde_json::from_slice(answer) else {
            tracing::warn!(line = %String::from_utf8_lossy(&line), "an interpreter gave an answer that makes no sense");
            continue;
        };
        let mut routes = lock(routes);
        if let Some(run) = run {
            answer_to(&mut routes.runs, run, &secret, &content);
        }
        if let Some(server) = server {
            answer_to(&mut routes.servers, server, &secret, &content);
        }
    }
    let mut routes = lock(routes);
    routes.is_over = true;
    routes.runs.clear();
    routes.servers.clear();
}

/// Hands an answer to who waits for it, if it has the right secret.
fn answer_to<T: serde::de::DeserializeOwned>(
    waiting: &mut HashMap<u64, Waiting<T>>,
    number: u64,
    secret: &str,
    content: &serde_json::Value,
) {
    // Nobody may be waiting any more.
    let Some(known) = waiting.get(&number) else { return };
    if known.secret != secret {
        tracing::warn!(number, "something else than the interpreter has answered in its place");
        return;
    }
    if let (Some(known), Ok(answer)) = (waiting.remove(&number), serde_json::from_value(content.clone())) {
        drop(known.sender.send(answer));
    }
}

/// What interpreters write, until there is no one left who could, or until the other end of `stop` is closed: a process that a
/// script has left behind may hold the pipe for as long as it likes.
pub(super) struct Answers {
    pub(super) pipe: std::process::ChildStdout,
    pub(super) stop: io::PipeReader,
}

impl io::Read for Answers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, poll};

        loop {
            let mut ends = [PollFd::new(&self.pipe, PollFlags::IN), PollFd::new(&self.stop, PollFlags::IN)];
            match poll(&mut ends, None) {
                Err(rustix::io::Errno::INTR) => {}
                polled => {
                    polled?;
                    // What was answered before is still handed out.
                    let is_answered = !ends[0].revents().is_empty();
                    return if is_answered { self.pipe.read(buffer) } else { Ok(0) };
                }
            }
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole at every point where something could panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_answer_is_one() {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let waiting = Waiting { secret: "right".to_owned(), sender };
        let routes = Mutex::new(Routes { runs: HashMap::from([(1, waiting)]), ..Routes::default() });
        let long = "x".repeat(3 * usize::try_from(MOST_LINE_BYTES).expect("a small number"));
        let answers = [
            "printed",
            "\u{1e}{",
            "\u{1e}{\"run\": 1, \"status\": 7}",
            "\u{1e}{\"run\": 1, \"status\": 8, \"secret\": \"wrong\"}",
            &format!("{long}\u{1e}{{\"run\": 1, \"status\": 9, \"secret\": \"right\"}}"),
            "printed \u{1e}{\"run\": 1, \"status\": 3, \"secret\": \"right\"}",
            "\u{1e}{\"run\": 1, \"status\": 4, \"secret\": \"right\"}",
        ];
        deliver((answers.join("\n") + "\n").as_bytes(), &routes);
        assert_eq!(receiver.try_iter().map(|answer| answer.status).collect::<Vec<_>>(), [Some(3)]);
        assert!(lock(&routes).is_over);
    }
}
