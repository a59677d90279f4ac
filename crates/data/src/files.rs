use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use walkdir::WalkDir;

use crate::error::DataError;

pub(crate) mod nearest;
pub(crate) mod partitions;

/// The files of an input or output, as paths below it with `/`, in the order of these paths; for a file, its name
/// alone. Symbolic links are followed; one that leads nowhere does not count.
///
/// What programs leave on the side does not count: hidden files and folders (`.*`), `*.tmp`, `*~`, `~$*`, `*.swp`, `*.pyc`,
/// `__pycache__`, `Thumbs.db`, `desktop.ini`; files called `*.log`, `*.lock`, `*.pid`, `*.bak`, `*.orig`, `*.rej`, in any
/// letter case; and what engines write beside their parts: `_SUCCESS`, `_metadata`, `_common_metadata`, `_temporary`,
/// `_started_*`, `_committed_*`. A path that is such a file itself does: someone named it.
///
/// # Errors
///
/// [`DataError`] where the path or a folder below it cannot be read.
pub fn data_files(path: &Utf8Path) -> Result<Vec<Utf8PathBuf>, DataError> {
    let metadata = std::fs::metadata(path).map_err(|source| DataError::new(path, source))?;
    if metadata.is_file() {
        return Ok(vec![Utf8PathBuf::from(path.file_name().unwrap_or(path.as_str()))]);
    }
    if !metadata.is_dir() {
        return Err(DataError::NotAFile { path: path.to_owned() });
    }
    let mut files = Vec::new();
    let entries = WalkDir::new(path).follow_links(true).min_depth(1).into_iter();
    let counted = |entry: &walkdir::DirEntry| entry.file_name().to_str().is_none_or(counts);
    for entry in entries.filter_entry(counted) {
        let entry = match entry {
            Ok(entry) => entry,
            // A link that leads nowhere, such as an editor's lock, or a file that was removed meanwhile.
            Err(error) if is_not_found(&error) => continue,
            Err(error) => return Err(walk_error(path, error)),
        };
        if !entry.file_type().is_file() || entry.file_name().to_str().is_some_and(is_leftover) {
            continue;
        }
        let Some(found) = Utf8Path::from_path(entry.path()) else {
            let below = entry.path().strip_prefix(path.as_std_path()).unwrap_or(entry.path());
            return Err(DataError::NameNotUtf8 { shown: below.to_string_lossy().into_owned() });
        };
        let below = found.strip_prefix(path).expect("the walk yields paths below where it starts");
        files.push(below.components().map(|part| part.as_str()).collect::<Vec<_>>().join("/").into());
    }
    files.sort_by(|one: &Utf8PathBuf, other| one.as_str().cmp(other.as_str()));
    Ok(files)
}

fn is_not_found(error: &walkdir::Error) -> bool {
    error.io_error().is_some_and(|source| source.kind() == io::ErrorKind::NotFound)
}

fn walk_error(path: &Utf8Path, error: walkdir::Error) -> DataError {
    let place = error.path().unwrap_or(path.as_std_path()).to_string_lossy().into_owned().into();
    if error.loop_ancestor().is_some() {
        return DataError::LinkLoop { path: place };
    }
    DataError::Io { path: place, source: error.into() }
}

/// Whether a file or folder of this name is data, and not something a program left on the side.
pub(crate) fn counts(name: &str) -> bool {
    let left_aside = matches!(
        name,
        "Thumbs.db"
            | "desktop.ini"
            | "_SUCCESS"
            | "_metadata"
            | "_common_metadata"
            | "_temporary"
            | "__pycache__"
    );
    let beginnings = [".", "~$", "_started_", "_committed_"];
    let ends = ["~", ".tmp", ".pyc", ".swp"];
    !(left_aside
        || beginnings.iter().any(|beginning| name.starts_with(beginning))
        || ends.iter().any(|end| name.ends_with(end)))
}

/// Whether a file of this name tells of the work on data and not of the data: a log, a lock, a copy of what was before. A
/// folder of such a name may hold data.
pub(crate) fn is_leftover(name: &str) -> bool {
    const EXTENSIONS: [&str; 7] = ["log", "lock", "pid", "bak", "orig", "rej", "tmp"];
    let extension = Utf8Path::new(name).extension().unwrap_or_default();
    EXTENSIONS.iter().any(|leftover| extension.eq_ignore_ascii_case(leftover))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_and_locks_are_leftovers() {
        for name in
            ["train.log", "a.csv.LOCK", "run.pid", "a.csv.bak", "a.Orig", "a.py.rej", "part-0.TMP", "a.b.log"]
        {
            assert!(is_leftover(name), "{name}");
        }
        for name in ["log", "lock", "a.log.csv", "a.logs", "blog", "a.log.gz", "a.csv", "a.log.1", "a."] {
            assert!(!is_leftover(name), "{name}");
        }
    }

    #[test]
    fn names_that_count() {
        for name in ["part-0.csv", "_data.csv", "metadata", "tmp", "a.crc", "SUCCESS", "desktop.ini.csv"] {
            assert!(counts(name), "{name}");
        }
        for name in [
            "a.tmp",
            ".hidden.csv",
            ".a.csv.crc",
            "~$a.csv",
            ".a.csv.swp",
            "desktop.ini",
            "_metadata",
            "_common_metadata",
            "_temporary",
            "_committed_12",
            "_started_12",
            "a.csv~",
            ".DS_Store",
            "Thumbs.db",
            "__pycache__",
            "a.pyc",
            "_SUCCESS",
            ".a.csv.crc",
            "._a.csv",
            ".ipynb_checkpoints",
            ".tmp123",
            ".tmp",
        ] {
            assert!(!counts(name), "{name}");
        }
    }
}
