//! An interpreter that forks runs, with what it has imported before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, PipeWriter, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use crossbeam_channel::Receiver;
use runtime_testing_models::{ExitOutcome, Resources};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal};

use super::protocol::{Answers, EndedBy, Request, Routes, ServerAnswer, Waiting, deliver, lock};
use super::{ForkRequest, NotForked};
use crate::cancel::CancelHandle;
use crate::plain_file;
use crate::process::{self, Ended, Running};
use crate::runners::python::programs::{self, DEFAULT_ENVIRONMENT, RUN_SCRIPT_NAME};
use crate::runners::runner::secret;

/// How long a server may take, over what a script may, to answer that it was ended.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an interpreter may take to start.
const START: Duration = Duration::from_secs(60);
/// How long processes that watch over scripts may take to end them.
const END: Duration = Duration::from_secs(5);

/// The file with what imports print.
const LOG: &str = "imports.log";

const ENDED: &str = "the interpreter with the script's imports has ended";

/// An interpreter with certain imports.
pub(super) struct Server {
    root: Arc<Root>,
    requests: Mutex<File>,
    /// The variables that were read while its imports were made. `None` stands for all.
    pub(super) reads: Option<BTreeSet<String>>,
}

/// An interpreter that has not said yet that it can serve.
pub(super) struct Starting {
    root: Root,
    requests: File,
    ready: Receiver<ServerAnswer>,
}

/// An interpreter that was started, with all that was forked from it.
struct Root {
    child: Mutex<Child>,
    pid: Pid,
    routes: Arc<Mutex<Routes>>,
    reader: Option<JoinHandle<()>>,
    /// Closed, it ends the reader.
    stop: Option<PipeWriter>,
    /// Where its program, the pipes for requests and what imports print lie.
    folder: tempfile::TempDir,
    /// Where the last of these is to be kept.
    log_folder: Arc<OnceLock<Utf8PathBuf>>,
    _running: Running,
}

impl Starting {
    /// Starts an interpreter, with variables that are set for it, in a folder.
    pub(super) fn spawn(
        interpreter: &Utf8Path,
        environment: &BTreeMap<String, String>,
        folder: &Utf8Path,
        log_folder: &Arc<OnceLock<Utf8PathBuf>>,
    ) -> io::Result<Self> {
        let temporary = process::temporary_folder()?;
        let own = Utf8Path::from_path(temporary.path())
            .ok_or_else(|| io::Error::other("the temporary folder is not UTF-8"))?;
        programs::prepare(own)?;
        let log = OpenOptions::new().create(true).append(true).open(own.join(LOG))?;
        let mut command = Command::new(interpreter);
        command
            .arg(own.join(RUN_SCRIPT_NAME))
            .arg("--fork-server")
            .arg(std::process::id().to_string())
            .envs(DEFAULT_ENVIRONMENT)
            .envs(environment)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0);
        process::end_with_this_process(&mut command);
        let mut child = command.spawn()?;
        let pid = Pid::from_child(&child);
        let requests = File::from(OwnedFd::from(child.stdin.take().expect("it is a pipe")));
        let answers = child.stdout.take().expect("it is a pipe");
        let (sender, ready) = crossbeam_channel::bounded(1);
        // No script has been run yet that could answer in its place.
        let first = Waiting { secret: String::new(), sender };
        let routes = Routes { next: 1, servers: HashMap::from([(0, first)]), ..Routes::default() };
        let (stop, stopping) = io::pipe()?;
        let routes = Arc::new(Mutex::new(routes));
        let mut root = Root {
            child: Mutex::new(child),
            pid,
            routes: Arc::clone(&routes),
            reader: None,
            stop: Some(stopping),
            folder: temporary,
            log_folder: Arc::clone(log_folder),
            _running: Running::new(pid, Signal::TERM),
        };
        let reader = std::thread::Builder::new().name("fork answers".to_owned());
        let answers = BufReader::new(Answers { pipe: answers, stop });
        root.reader = Some(reader.spawn(move || deliver(answers, &routes))?);
        Ok(Self { root, requests, ready })
    }

    /// Waits until it can serve.
    pub(super) fn ready(self, cancel: &CancelHandle) -> io::Result<Server> {
        let Self { root, requests, ready } = self;
        let reads = wait_for(&ready, START, cancel).map_err(io::Error::other)?;
        Ok(Server { root: Arc::new(root), requests: Mutex::new(requests), reads })
    }
}

impl Server {
    /// Forks a server that makes further imports.
    pub(super) fn preload(
        &self,
        imports: &[String],
        timeout: Duration,
        cancel: &CancelHandle,
    ) -> Result<Self, String> {
        let root = &self.root;
        let (sender, ready) = crossbeam_channel::bounded(1);
        let secret = secret();
        let waiting = Waiting { secret: secret.clone(), sender };
        let number = root.register(|routes, number| routes.servers.insert(number, waiting))?;
        let pipe = root.folder().join(number.to_string());
        self.send(&Request::Preload { server: number, secret: &secret, requests: &pipe, imports })?;
        let reads = wait_for(&ready, timeout, cancel)?;
        let inherited = self.reads.as_ref();
        let reads = reads.and_then(|reads| Some(reads.union(inherited?).cloned().collect()));
        let opened = OpenOptions::new()
            .write(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(&pipe)
            .and_then(|file| {
                // The other end is open: from now on it may be waited for.
                rustix::fs::fcntl_setfl(&file, OFlags::empty())?;
                Ok(file)
            });
        let requests = opened.map_err(|error| format!("the interpreter cannot be reached: {error}"))?;
        Ok(Self { root: Arc::clone(root), requests: Mutex::new(requests), reads })
    }

    /// Makes a run in a fork of it, and waits for its end.
    pub(super) fn run(&self, request: &ForkRequest<'_>, cancel: &CancelHandle) -> Result<Ended, NotForked> {
        let root = &self.root;
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let secret = secret();
        let waiting = Waiting { secret: secret.clone(), sender };
        let run = root
            .register(|routes, number| routes.runs.insert(number, waiting))
            .map_err(NotForked::Refused)?;
        // A script that is a link imports what is beside the file that it leads to.
        let script = request.script.canonicalize_utf8().unwrap_or_else(|_| request.script.to_owned());
        let script_folder = script.parent().unwrap_or(&script);
        let started = Instant::now();
        self.send(&Request::Run {
            run,
            secret: &secret,
            params: request.params,
            folders: with_packages(script_folder),
            folder: request.folder,
            stdout: &request.stdout,
            stderr: &request.stderr,
            environment: request.environment.iter().copied().collect(),
            timeout_seconds: request.timeout.as_secs_f64(),
            grace_seconds: request.grace.as_secs_f64(),
        })
        .map_err(NotForked::Refused)?;
        let patience = request.grace.saturating_add(PATIENCE);
        let answer = crossbeam_channel::select! {
            recv(receiver) -> answer => answer.ok(),
            recv(cancel.receiver()) -> _ => {
                // Where it cannot be told, it is not there any more.
                drop(self.send(&Request::Cancel { run }));
                receiver.recv_timeout(patience).ok()
            }
            default(request.timeout.saturating_add(patience)) => None,
        };
        let Some(answer) = answer else {
            // It is gone, or does not do what it should: then nothing of it may go on.
            root.end();
            return Err(NotForked::Lost(ENDED.to_owned()));
        };
        if let Some(reason) = answer.refused {
            return Err(NotForked::Refused(reason));
        }
        if let Some(reason) = answer.lost {
            return Err(NotForked::Lost(reason));
        }
        let canceled = answer.ended_by == Some(EndedBy::Cancel);
        if canceled && !cancel.is_canceled() {
            return Err(NotForked::Lost("the interpreter that it was forked from was ended".to_owned()));
        }
        let exit = match (answer.ended_by, answer.status, answer.signal) {
            (Some(EndedBy::Timeout), ..) => ExitOutcome::TimedOut,
            (_, Some(status), _) => ExitOutcome::Exited { status },
            (_, None, signal) => ExitOutcome::Signaled { signal: signal.unwrap_or_default() },
        };
        let resources = Resources {
            wall_seconds: started.elapsed().as_secs_f64(),
            user_seconds: answer.user_seconds,
            system_seconds: answer.system_seconds,
            peak_memory_bytes: answer.peak_memory_bytes,
            ..Resources::default()
        };
        Ok(Ended { exit, canceled, resources, leaked: answer.leaked })
    }

    fn send(&self, request: &Request<'_>) -> Result<(), String> {
        let mut line = serde_json::to_vec(request).expect("requests are plain values");
        line.push(b'\n');
        lock(&self.requests).write_all(&line).map_err(|error| format!("{ENDED}: {error}"))
    }
}

/// Waits until a server has made its imports. Returns the variables that were read.
fn wait_for(
    ready: &Receiver<ServerAnswer>,
    timeout: Duration,
    cancel: &CancelHandle,
) -> Result<Option<BTreeSet<String>>, String> {
    crossbeam_channel::select! {
        recv(ready) -> answer => match answer {
            Ok(ServerAnswer { failed: Some(reason), .. }) => Err(reason),
            Ok(ServerAnswer { reads, .. }) => Ok(reads),
            Err(_) => Err(ENDED.to_owned()),
        },
        recv(cancel.receiver()) -> _ => Err("the test was canceled".to_owned()),
        default(timeout) => {
            Err(format!("making the script's imports took longer than {} s", timeout.as_secs_f64()))
        }
    }
}

impl Root {
    fn folder(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).expect("it was before")
    }

    /// Adds what imports have printed to what others have.
    fn keep_log(&self) -> io::Result<()> {
        let text = std::fs::read(self.folder().join(LOG))?;
        match self.log_folder.get() {
            Some(folder) if !text.is_empty() => plain_file::append(&folder.join(LOG))?.write_all(&text),
            _ => Ok(()),
        }
    }

    /// Adds someone who waits for an answer, under a new number.
    fn register<T>(&self, add: impl FnOnce(&mut Routes, u64) -> T) -> Result<u64, String> {
        let mut routes = lock(&self.routes);
        if routes.is_over {
            return Err(ENDED.to_owned());
        }
        let number = routes.next;
        routes.next += 1;
        add(&mut routes, number);
        Ok(number)
    }

    /// Ends it with all that was forked from it. The processes that watch over scripts end these, with all that they
    /// have started, and have some time for it.
    fn end(&self) {
        if let Err(error) = process::end_group(self.pid, Signal::TERM) {
            tracing::warn!(%error, "could not end an interpreter");
        }
        let deadline = Instant::now() + END;
        while !lock(&self.routes).is_over && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        if let Err(error) = process::end_group(self.pid, Signal::KILL) {
            tracing::warn!(%error, "could not end an interpreter");
        }
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        self.end();
        if let Err(error) = lock(&self.child).wait() {
            tracing::warn!(%error, "could not wait for an interpreter");
        }
        // Nobody waits for an answer any more.
        self.stop = None;
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
        if let Err(error) = self.keep_log() {
            tracing::warn!(%error, "what imports have printed is not kept");
        }
    }
}

/// A script's folder, and the one above the package that it is in.
fn with_packages(folder: &Utf8Path) -> Vec<&Utf8Path> {
    let above = folder.ancestors().find(|folder| !folder.join("__init__.py").is_file());
    let mut folders = vec![folder];
    folders.extend(above.filter(|above| *above != folder));
    folders
}
