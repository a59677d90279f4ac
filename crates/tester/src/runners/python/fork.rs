//! Interpreters that have made imports and fork a process for each run. `python/fork_server.py` is the other side.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use crate::runners::python::imports::ImportGroups;

/// One run in a fork.
pub(crate) struct ForkRequest<'a> {
    pub(crate) interpreter: &'a Utf8Path,
    pub(crate) imports: &'a ImportGroups,
    /// The environment variables of the step's spec.
    pub(crate) environ_vars: &'a IndexMap<String, String>,
    /// All variables that the script gets besides those of this process.
    pub(crate) environment: &'a [(&'a str, &'a str)],
    pub(crate) script: &'a Utf8Path,
    /// The file that holds the script's parameters.
    pub(crate) params: &'a Utf8Path,
    /// The folder that the script runs in.
    pub(crate) folder: &'a Utf8Path,
    pub(crate) stdout: Utf8PathBuf,
    pub(crate) stderr: Utf8PathBuf,
    pub(crate) timeout: Duration,
    pub(crate) grace: Duration,
}

/// Why a run was not made in a fork.
pub(crate) enum NotForked {
    /// Nothing was started.
    Refused(String),
    /// It was started, and nobody can say how it ended. Nothing of it is running any more.
    Lost(String),
}

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::ForkServers;
#[cfg(target_os = "linux")]
pub(crate) use linux::ForkServers;

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use camino::Utf8Path;
    use indexmap::IndexMap;

    use super::{ForkRequest, NotForked};
    use crate::cancel::CancelHandle;
    use crate::process::Ended;

    /// There are none: a fork of a process with threads or with the system's frameworks in it is safe on Linux only.
    pub(crate) struct ForkServers;

    impl ForkServers {
        pub(crate) fn new(_base: &Utf8Path, _cancel: &CancelHandle) -> Self {
            Self
        }

        pub(crate) fn keep_log_in(&self, _folder: &Utf8Path) {}

        pub(crate) fn start_early(&self, _interpreter: &Utf8Path, _environ_vars: &IndexMap<String, String>) {}

        pub(crate) fn run(&self, _request: &ForkRequest<'_>) -> Result<Ended, NotForked> {
            Err(NotForked::Refused("runs are forked on Linux only".to_owned()))
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{BTreeMap, BTreeSet, HashMap};
    use std::fs::{File, OpenOptions};
    use std::io::{self, BufReader, Write as _};
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command, Stdio};
    use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
    use std::thread::JoinHandle;
    use std::time::{Duration, Instant};

    use camino::{Utf8Path, Utf8PathBuf};
    use crossbeam_channel::{Receiver, Sender};
    use indexmap::IndexMap;
    use runtime_testing_models::{ExitOutcome, Resources};
    use rustix::fs::OFlags;
    use rustix::process::{Pid, Signal};
    use serde::{Deserialize, Serialize};

    use super::{ForkRequest, NotForked};
    use crate::cancel::CancelHandle;
    use crate::process::{self, Ended, Running};
    use crate::runners::python::programs::{self, DEFAULT_ENVIRONMENT, RUN_SCRIPT_NAME};

    /// How long a server may take, over what a script may, to answer that it was ended.
    const PATIENCE: Duration = Duration::from_secs(30);
    /// How long an interpreter may take to start.
    const START: Duration = Duration::from_secs(60);

    /// The interpreters of one test, each started when it is needed first and ended with the test.
    pub(crate) struct ForkServers {
        base: Utf8PathBuf,
        cancel: CancelHandle,
        servers: Mutex<HashMap<ServerKey, Slot>>,
        /// Interpreters that were started before they were needed.
        early: Mutex<HashMap<ServerKey, Starting>>,
        /// The folder that what imports print is to be kept in, once there is one.
        log_folder: Arc<OnceLock<Utf8PathBuf>>,
    }

    /// A server, or why there is none, once that is known.
    type Slot = Arc<OnceLock<Result<Server, String>>>;

    /// What tells servers apart.
    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    struct ServerKey {
        interpreter: Utf8PathBuf,
        /// The variables of specs that may have an effect on imports.
        environment: BTreeMap<String, String>,
        /// The groups of imports that it has made.
        groups: Vec<Vec<String>>,
    }

    /// An interpreter with certain imports.
    struct Server {
        root: Arc<Root>,
        requests: Mutex<File>,
        /// The variables that were read while its imports were made. `None` stands for all.
        reads: Option<BTreeSet<String>>,
    }

    /// An interpreter that has not said yet that it can serve.
    struct Starting {
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
        /// Where its program, the pipes for requests and what imports print lie.
        folder: tempfile::TempDir,
        /// Where the last of these is to be kept.
        log_folder: Arc<OnceLock<Utf8PathBuf>>,
        _running: Running,
    }

    /// Who waits for which answer.
    #[derive(Default)]
    struct Routes {
        next: u64,
        runs: HashMap<u64, Sender<RunAnswer>>,
        servers: HashMap<u64, Sender<ServerAnswer>>,
        /// Whether there will be no more answers.
        is_over: bool,
    }

    #[derive(Serialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Request<'a> {
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
    struct RunAnswer {
        refused: Option<String>,
        lost: Option<String>,
        ended_by: Option<EndedBy>,
        status: Option<i32>,
        signal: Option<i32>,
        #[serde(default)]
        user_seconds: f64,
        #[serde(default)]
        system_seconds: f64,
        #[serde(default)]
        peak_memory_bytes: u64,
        #[serde(default)]
        leaked: Vec<String>,
    }

    #[derive(Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum EndedBy {
        Timeout,
        Cancel,
    }

    #[derive(Deserialize)]
    struct ServerAnswer {
        failed: Option<String>,
        reads: Option<BTreeSet<String>>,
    }

    impl ForkServers {
        pub(crate) fn new(base: &Utf8Path, cancel: &CancelHandle) -> Self {
            Self {
                base: base.to_owned(),
                cancel: cancel.clone(),
                servers: Mutex::default(),
                early: Mutex::default(),
                log_folder: Arc::default(),
            }
        }

        /// Has what imports print kept in a folder when the interpreters have ended.
        pub(crate) fn keep_log_in(&self, folder: &Utf8Path) {
            self.log_folder.get_or_init(|| folder.to_owned());
        }

        /// Starts the interpreter that runs with these variables in their specs will ask for, without waiting for it. It
        /// ends with the thread that calls this.
        pub(crate) fn start_early(&self, interpreter: &Utf8Path, environ_vars: &IndexMap<String, String>) {
            let changed = changed(environ_vars).into_iter();
            let of_libraries = changed.filter(|(name, _)| is_read_by_libraries(name));
            let key = ServerKey {
                interpreter: interpreter.to_owned(),
                environment: of_libraries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                groups: Vec::new(),
            };
            // What is wrong with it is told when it is needed and started again.
            if let Ok(starting) = self.spawn(&key) {
                lock(&self.early).insert(key, starting);
            }
        }

        /// Makes a run in a fork of the interpreter that has made its script's imports, and waits for its end.
        pub(crate) fn run(&self, request: &ForkRequest<'_>) -> Result<Ended, NotForked> {
            let slot = self.server_for(request).map_err(NotForked::Refused)?;
            let server = match slot.get() {
                Some(Ok(server)) => server,
                _ => unreachable!("it was found to be there"),
            };
            self.run_on(server, request)
        }

        /// The server with the script's imports, made under an environment that is the script's own as far as imports
        /// have looked at it.
        fn server_for(&self, request: &ForkRequest<'_>) -> Result<Slot, String> {
            let changed = changed(request.environ_vars);
            let mut of_imports: BTreeSet<&str> =
                changed.keys().copied().filter(|name| is_read_by_libraries(name)).collect();
            loop {
                let key = ServerKey {
                    interpreter: request.interpreter.to_owned(),
                    environment: of_imports
                        .iter()
                        .map(|name| ((*name).to_owned(), changed[name].to_owned()))
                        .collect(),
                    groups: request.imports.clone(),
                };
                let slot = self.get(&key, request.timeout);
                let server = slot.get().expect("it was just made").as_ref().map_err(String::clone)?;
                let is_read = |name: &str| server.reads.as_ref().is_none_or(|reads| reads.contains(name));
                let before = of_imports.len();
                of_imports.extend(changed.keys().filter(|name| is_read(name)));
                if of_imports.len() == before {
                    return Ok(slot);
                }
            }
        }

        /// The server of this key, which is made where there is none yet. Who needs it meanwhile waits for it.
        fn get(&self, key: &ServerKey, timeout: Duration) -> Slot {
            let slot = Arc::clone(lock(&self.servers).entry(key.clone()).or_default());
            slot.get_or_init(|| match key.groups.split_last() {
                None => self.start(key).map_err(|error| format!("the interpreter cannot serve: {error}")),
                Some((imports, before)) => {
                    let parent = self.get(&ServerKey { groups: before.to_vec(), ..key.clone() }, timeout);
                    let parent = parent.get().expect("it was just made").as_ref().map_err(String::clone)?;
                    self.preload(parent, imports, timeout)
                }
            });
            slot
        }

        /// Starts an interpreter without any imports, unless it was started already.
        fn start(&self, key: &ServerKey) -> io::Result<Server> {
            let early = lock(&self.early).remove(key);
            let Starting { root, requests, ready } = early.map_or_else(|| self.spawn(key), Ok)?;
            let reads = self.wait_for(&ready, START).map_err(io::Error::other)?;
            Ok(Server { root: Arc::new(root), requests: Mutex::new(requests), reads })
        }

        fn spawn(&self, key: &ServerKey) -> io::Result<Starting> {
            let temporary = tempfile::Builder::new().prefix("runtime-testing").tempdir()?;
            let folder = Utf8Path::from_path(temporary.path())
                .ok_or_else(|| io::Error::other("the temporary folder is not UTF-8"))?;
            programs::prepare(folder)?;
            let log = OpenOptions::new().create(true).append(true).open(folder.join(LOG))?;
            let mut command = Command::new(&key.interpreter);
            command
                .arg(folder.join(RUN_SCRIPT_NAME))
                .arg("--fork-server")
                .envs(DEFAULT_ENVIRONMENT)
                .envs(&key.environment)
                .current_dir(&self.base)
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
            let routes = Routes { next: 1, servers: HashMap::from([(0, sender)]), ..Routes::default() };
            let routes = Arc::new(Mutex::new(routes));
            let mut root = Root {
                child: Mutex::new(child),
                pid,
                routes: Arc::clone(&routes),
                reader: None,
                folder: temporary,
                log_folder: Arc::clone(&self.log_folder),
                _running: Running::new(pid, Signal::TERM),
            };
            let reader = std::thread::Builder::new().name("fork answers".to_owned());
            root.reader = Some(reader.spawn(move || deliver(BufReader::new(answers), &routes))?);
            Ok(Starting { root, requests, ready })
        }

        /// Forks a server that makes further imports.
        fn preload(&self, parent: &Server, imports: &[String], timeout: Duration) -> Result<Server, String> {
            let root = &parent.root;
            let (sender, ready) = crossbeam_channel::bounded(1);
            let number = root.register(|routes, number| routes.servers.insert(number, sender))?;
            let pipe = root.folder().join(number.to_string());
            parent.send(&Request::Preload { server: number, requests: &pipe, imports })?;
            let reads = self.wait_for(&ready, timeout)?;
            let inherited = parent.reads.as_ref();
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
            Ok(Server { root: Arc::clone(root), requests: Mutex::new(requests), reads })
        }

        /// Waits until a server has made its imports. Returns the variables that were read.
        fn wait_for(
            &self,
            ready: &Receiver<ServerAnswer>,
            timeout: Duration,
        ) -> Result<Option<BTreeSet<String>>, String> {
            crossbeam_channel::select! {
                recv(ready) -> answer => match answer {
                    Ok(ServerAnswer { failed: Some(reason), .. }) => Err(reason),
                    Ok(ServerAnswer { reads, .. }) => Ok(reads),
                    Err(_) => Err(ENDED.to_owned()),
                },
                recv(self.cancel.receiver()) -> _ => Err("the test was canceled".to_owned()),
                default(timeout) => {
                    Err(format!("making the script's imports took longer than {} s", timeout.as_secs_f64()))
                }
            }
        }

        fn run_on(&self, server: &Server, request: &ForkRequest<'_>) -> Result<Ended, NotForked> {
            let root = &server.root;
            let (sender, receiver) = crossbeam_channel::bounded(1);
            let run = root
                .register(|routes, number| routes.runs.insert(number, sender))
                .map_err(NotForked::Refused)?;
            // A script that is a link imports what is beside the file that it leads to.
            let script = request.script.canonicalize_utf8().unwrap_or_else(|_| request.script.to_owned());
            let script_folder = script.parent().unwrap_or(&script);
            let started = Instant::now();
            server
                .send(&Request::Run {
                    run,
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
                recv(self.cancel.receiver()) -> _ => {
                    // Where it cannot be told, it is not there any more.
                    drop(server.send(&Request::Cancel { run }));
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
            if canceled && !self.cancel.is_canceled() {
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
    }

    /// How long processes that watch over scripts may take to end them.
    const END: Duration = Duration::from_secs(5);

    /// The file with what imports print.
    const LOG: &str = "imports.log";

    /// What stands before each answer.
    const RECORD_SEPARATOR: u8 = 0x1e;

    const ENDED: &str = "the interpreter with the script's imports has ended";

    impl Server {
        fn send(&self, request: &Request<'_>) -> Result<(), String> {
            let mut line = serde_json::to_vec(request).expect("requests are plain values");
            line.push(b'\n');
            lock(&self.requests).write_all(&line).map_err(|error| format!("{ENDED}: {error}"))
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
                Some(folder) if !text.is_empty() => {
                    let mut log = OpenOptions::new().create(true).append(true).open(folder.join(LOG))?;
                    log.write_all(&text)
                }
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
            if let Some(reader) = self.reader.take() {
                // It ends with the last process that could answer.
                drop(reader.join());
            }
            if let Err(error) = self.keep_log() {
                tracing::warn!(%error, "what imports have printed is not kept");
            }
        }
    }

    /// Hands out answers until there are no more.
    fn deliver(answers: impl io::BufRead, routes: &Mutex<Routes>) {
        for line in answers.split(b'\n') {
            let Ok(line) = line else { break };
            // What a wrapper around the interpreter or its `sitecustomize` prints is no answer.
            let Some(answer) = line
                .rsplit(|byte| *byte == RECORD_SEPARATOR)
                .next()
                .filter(|answer| answer.len() < line.len())
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

    /// A script's folder, and the one above the package that it is in.
    fn with_packages(folder: &Utf8Path) -> Vec<&Utf8Path> {
        let above = folder.ancestors().find(|folder| !folder.join("__init__.py").is_file());
        let mut folders = vec![folder];
        folders.extend(above.filter(|above| *above != folder));
        folders
    }

    /// The variables of a spec that are not what they are without it.
    fn changed(environ_vars: &IndexMap<String, String>) -> BTreeMap<&str, &str> {
        let is_changed = |(name, value): &(&str, &str)| {
            let default = DEFAULT_ENVIRONMENT.iter().find(|(known, _)| known == name);
            let now = default.map(|(_, value)| value.into()).or_else(|| std::env::var_os(name));
            now.is_none_or(|now| now != *value)
        };
        let all = environ_vars.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(is_changed).collect()
    }

    /// Whether a variable is one that compiled libraries or the interpreter itself read when they are loaded, which
    /// does not show from Python.
    fn is_read_by_libraries(name: &str) -> bool {
        const BEGINNINGS: [&str; 34] = [
            "GRPC_",
            "HDF5_",
            "NPY_",
            "OPENSSL_",
            "POLARS_",
            "RAYON_",
            "ARROW_",
            "BLIS_",
            "CUDA_",
            "DYLD_",
            "GLIBC_",
            "GOMP_",
            "GOTO_",
            "HIP_",
            "JAX_",
            "KMP_",
            "LANG",
            "LC_",
            "LD_",
            "LIBOMP_",
            "MALLOC_",
            "MKL_",
            "NCCL_",
            "NUMEXPR_",
            "NVIDIA_",
            "OMP_",
            "OPENBLAS_",
            "OPENCV_",
            "PYTHON",
            "PYTORCH_",
            "TF_",
            "TORCH_",
            "VECLIB_",
            "XLA_",
        ];
        name == "TZ" || name == "PATH" || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        // What is behind these locks is whole at every point where something could panic.
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
