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
mod pool;
#[cfg(target_os = "linux")]
mod protocol;
#[cfg(target_os = "linux")]
mod server;

#[cfg(target_os = "linux")]
pub(crate) use pool::ForkServers;

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
