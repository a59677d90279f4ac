use std::io;
use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::LoadSpecError;

/// Why a spec could not be removed. The messages are complete: they hold what `source()` says too.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveSpecError {
    /// There is no spec to remove, or it is not clear which file it is. A broken file is not removed.
    #[error(transparent)]
    Load(#[from] LoadSpecError),
    /// The lock file could not be made or locked.
    #[error("cannot lock `{path}`: {source}")]
    Lock {
        /// The lock file.
        path: Utf8PathBuf,
        /// What the file system said.
        source: Arc<io::Error>,
    },
    /// The file could not be removed.
    #[error("cannot remove spec file `{path}`: {source}")]
    Remove {
        /// The file.
        path: Utf8PathBuf,
        /// What the file system said.
        source: Arc<io::Error>,
    },
}
