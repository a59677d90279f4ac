//! What testers and interpreters say to each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use camino::Utf8Path;
use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};

/// What stands before each answer.
const RECORD_SEPARATOR: u8 = 0x1e;

/// Who waits for which answer.
#[derive(Default)]
pub(super) struct Routes {
    pub(super) next: u64,
    pub(super) runs: HashMap<u64, Sender<RunAnswer>>,
    pub(super) servers: HashMap<u64, Sender<ServerAnswer>>,
    /// Whether there will be no more answers.
    pub(super) is_over: bool,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Request<'a> {
    Preload {
        server: u64,
        requests: &'a Utf8Path,
        imports: &'a [String],
    },
    Run {
        run: u64,
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

/// Hands out answers until there are no more.
pub(super) fn deliver(answers: impl io::BufRead, routes: &Mutex<Routes>) {
    for line in answers.split(b'\n') {
        let Ok(line) = line else { break };
        // What a wrapper around the interpreter or its `sitecustomize` prints is no answer.
        let Some(answer) =
            line.rsplit(|byte| *byte == RECORD_SEPARATOR).next().filter(|answer| answer.len() < line.len())
        else {
            continue;
        };
        let Ok(Answer { run, server, content }) = serde_json::from_slice(answer) else {
            // Somebody waits for it, and is told that there will be none.
            tracing::warn!(line = %String::from_utf8_lossy(&line), "an interpreter gave an answer that makes no sense");
            break;
        };
        // Nobody may be waiting any more.
        if let Some(sender) = run.and_then(|run| lock(routes).runs.remove(&run))
            && let Ok(answer) = serde_json::from_value(content.clone())
        {
            drop(sender.send(answer));
        }
        if let Some(sender) = server.and_then(|server| lock(routes).servers.remove(&server))
            && let Ok(answer) = serde_json::from_value(content)
        {
            drop(sender.send(answer));
        }
    }
    let mut routes = lock(routes);
    routes.is_over = true;
    routes.runs.clear();
    routes.servers.clear();
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole at every point where something could panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
