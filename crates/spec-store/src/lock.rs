use std::fs::{File, OpenOptions};
use std::io;

use camino::Utf8Path;

/// The right to write to a folder, held by one writer at a time, in this process or another. Dropping it, or the end of
/// the process in whatever way, gives it back.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Waits for the lock. The lock file stays: removing it would let two writers lock two files of one name.
    pub(crate) fn acquire(path: &Utf8Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        loop {
            match file.lock() {
                Ok(()) => return Ok(Self { _file: file }),
                // A signal came in between.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
