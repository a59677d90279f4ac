//! The interpreters of a test, by what they have imported under which environment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use super::protocol::lock;
use super::server::{Server, Starting};
use super::{ForkRequest, NotForked};
use crate::cancel::CancelHandle;
use crate::process::Ended;
use crate::runners::python::programs::DEFAULT_ENVIRONMENT;

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
        server.run(request, &self.cancel)
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
                parent.preload(imports, timeout, &self.cancel)
            }
        });
        slot
    }

    /// Starts an interpreter without any imports, unless it was started already.
    fn start(&self, key: &ServerKey) -> io::Result<Server> {
        let early = lock(&self.early).remove(key);
        early.map_or_else(|| self.spawn(key), Ok)?.ready(&self.cancel)
    }

    fn spawn(&self, key: &ServerKey) -> io::Result<Starting> {
        Starting::spawn(&key.interpreter, &key.environment, &self.base, &self.log_folder)
    }
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
    const BEGINNINGS: [&str; 42] = [
        "ACC_",
        "AZURE_",
        "DUCKDB_",
        "GFORTRAN_",
        "GRPC_",
        "HDF5_",
        "JE_",
        "NPY_",
        "NUMPY_",
        "OPENSSL_",
        "POLARS_",
        "RAYON_",
        "RUST_",
        "_RJEM_",
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
