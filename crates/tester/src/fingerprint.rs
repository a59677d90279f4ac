//! Whether files are still what they were.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use walkdir::WalkDir;

/// What is remembered of a file: enough to notice a change without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileMark {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Number and time of last status change, which a script cannot set. Zero where the platform has none.
    identity: (u64, i64, i64),
}

/// The files at a path, as they are at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fingerprint {
    /// By the path below the one that was asked for; empty for that one itself.
    files: BTreeMap<Utf8PathBuf, FileMark>,
}

/// What became of a file between two fingerprints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Changed,
    Deleted,
    Added,
}

impl Change {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Added => "added",
        }
    }
}

impl Fingerprint {
    /// Takes the fingerprint of a file, of all files below a folder, or of nothing.
    pub(crate) fn take(path: &Utf8Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for entry in WalkDir::new(path).sort_by_file_name() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error)
                    if error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound) =>
                {
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if entry.file_type().is_dir() {
                continue;
            }
            // A file that is gone by now counts as not there.
            let Ok(metadata) = entry.metadata() else { continue };
            let below = entry.path().strip_prefix(path).unwrap_or(entry.path());
            // A name that is no UTF-8 still has to be told from others.
            files.insert(Utf8PathBuf::from(below.to_string_lossy().into_owned()), FileMark::of(&metadata));
        }
        Ok(Self { files })
    }

    /// The size of all files together.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.values().map(|mark| mark.bytes).sum()
    }

    /// What became of the files since, in the order of their paths.
    pub(crate) fn changes_to(&self, later: &Self) -> Vec<(Utf8PathBuf, Change)> {
        let mut changes = Vec::new();
        for (path, mark) in &self.files {
            match later.files.get(path) {
                None => changes.push((path.clone(), Change::Deleted)),
                Some(other) if other != mark => changes.push((path.clone(), Change::Changed)),
                Some(_) => {}
            }
        }
        let added = later.files.keys().filter(|path| !self.files.contains_key(*path));
        changes.extend(added.map(|path| (path.clone(), Change::Added)));
        changes.sort_by(|left, right| left.0.cmp(&right.0));
        changes
    }
}

impl FileMark {
    fn of(metadata: &Metadata) -> Self {
        Self { bytes: metadata.len(), modified: metadata.modified().ok(), identity: identity(metadata) }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;

    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_what_is_done_to_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        std::fs::create_dir(root.join("sub")).unwrap();
        for name in ["kept", "sub/changed", "deleted"] {
            std::fs::write(root.join(name), name).unwrap();
        }
        let before = Fingerprint::take(root).unwrap();
        assert_eq!(before.changes_to(&Fingerprint::take(root).unwrap()), []);
        std::fs::write(root.join("sub/changed"), "longer than before").unwrap();
        std::fs::remove_file(root.join("deleted")).unwrap();
        std::fs::write(root.join("added"), "").unwrap();
        assert_eq!(
            before.changes_to(&Fingerprint::take(root).unwrap()),
            [
                ("added".into(), Change::Added),
                ("deleted".into(), Change::Deleted),
                ("sub/changed".into(), Change::Changed),
            ]
        );
        let gone = Fingerprint::take(&root.join("nothing")).unwrap();
        assert_eq!(gone, Fingerprint::default());
    }

    #[test]
    fn a_single_file_has_an_empty_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("a");
        std::fs::write(&path, "a").unwrap();
        let before = Fingerprint::take(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(before.changes_to(&Fingerprint::take(&path).unwrap()), [("".into(), Change::Deleted)]);
    }
}
