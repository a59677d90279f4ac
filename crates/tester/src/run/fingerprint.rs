//! Whether files are still what they were.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::hash::{DefaultHasher, Hasher as _};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::FileChange;

use crate::plain_file;
use crate::plan::model::NO_DATA;
use crate::run::publish::entries_of_data;

/// Of how much the content is looked at.
const MOST_CONTENT_BYTES: u64 = 16 * 1024 * 1024;
const MOST_CONTENT_FILES: usize = 1000;

/// A hash of what is in a file of at most so many bytes, and how many these are: more than it has where it tells of the system.
fn content_of(path: &Utf8Path, most: u64) -> io::Result<(u64, u64)> {
    let bytes = plain_file::read_through(path, most)?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    Ok((hasher.finish(), bytes.len() as u64))
}

/// A path below a root; of an empty one, the root itself.
fn below_root(root: &Utf8Path, below: &Utf8Path) -> Utf8PathBuf {
    if below.as_str().is_empty() { root.to_owned() } else { root.join(below) }
}

/// What is remembered of a file: enough to notice a change without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileMark {
    bytes: u64,
    modified: Option<SystemTime>,
    /// What the platform knows besides. Zeros where it knows nothing.
    status: FileStatus,
    /// A hash of what is in it, where that was looked at.
    content: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct FileStatus {
    number: u64,
    links: u64,
    /// When anything of it was last changed, which a script cannot set: seconds and nanoseconds.
    changed: (i64, i64),
}

impl FileMark {
    /// Of something that is there and cannot be looked at.
    const UNKNOWN: Self = Self {
        bytes: 0,
        modified: None,
        status: FileStatus { number: 0, links: 0, changed: (0, 0) },
        content: None,
    };

    /// Whether the content may be another one. A new or removed link alone changes the status and nothing else: then the content
    /// is looked at, as far as it was known.
    fn differs_from(&self, other: &Self, path: &Utf8Path) -> bool {
        let has_same_data = self.bytes == other.bytes
            && self.modified == other.modified
            && self.status.number == other.status.number;
        let may_be_link_alone = || {
            self.status.links != other.status.links
                && self.content.is_some_and(|content| {
                    content_of(path, MOST_CONTENT_BYTES).is_ok_and(|(found, _)| found == content)
                })
        };
        !has_same_data || (self.status.changed != other.status.changed && !may_be_link_alone())
    }
}

/// The files at a path, as they are at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fingerprint {
    /// The path that was asked for.
    root: Utf8PathBuf,
    /// By the path below the one that was asked for; empty for that one itself.
    files: BTreeMap<Utf8PathBuf, FileMark>,
}

impl Fingerprint {
    /// Takes the fingerprint that later ones are held against: of the first files, up to 16 MiB, with what is in them. A script that
    /// changes a file can give it back its time, and make a link to it, which changes the status of the file alone.
    pub(crate) fn remember(path: &Utf8Path) -> Self {
        let mut fingerprint = Self::take(path);
        let mut left = MOST_CONTENT_BYTES;
        for (below, mark) in fingerprint.files.iter_mut().take(MOST_CONTENT_FILES) {
            if mark.bytes <= left
                && let Ok((content, bytes)) = content_of(&below_root(&fingerprint.root, below), left)
            {
                left -= bytes;
                mark.content = Some(content);
            }
        }
        fingerprint
    }

    /// Takes the fingerprint of a file, of all files below a folder, or of nothing. Links are followed: what is behind
    /// them is what a script reads and can damage.
    ///
    /// What cannot be looked at, such as a circle of links, is remembered as such: when it comes or goes, that is a change.
    pub(crate) fn take(path: &Utf8Path) -> Self {
        let mut files = BTreeMap::new();
        let mut remember = |at: &Path, mark: FileMark| {
            let below = at.strip_prefix(path).unwrap_or(at);
            // A name that is no UTF-8 still has to be told from others.
            files.insert(Utf8PathBuf::from(below.to_string_lossy().into_owned()), mark);
        };
        if path == NO_DATA {
            return Self::default();
        }
        for entry in entries_of_data(path.as_std_path(), &[path.as_std_path()]) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    remember(
                        entry.path(),
                        entry.metadata().map_or(FileMark::UNKNOWN, |metadata| FileMark::of(&metadata)),
                    );
                }
                Err(error)
                    if error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound) => {}
                Err(error) => remember(error.path().unwrap_or(path.as_std_path()), FileMark::UNKNOWN),
            }
        }
        Self { root: path.to_owned(), files }
    }

    /// The size of all files together.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.values().map(|mark| mark.bytes).sum()
    }

    /// What became of the files since, in the order of their paths.
    pub(crate) fn changes_to(&self, later: &Self) -> Vec<(Utf8PathBuf, FileChange)> {
        let mut changes = Vec::new();
        for (path, mark) in &self.files {
            match later.files.get(path) {
                None => changes.push((path.clone(), FileChange::Deleted)),
                Some(other) if mark.differs_from(other, &below_root(&later.root, path)) => {
                    changes.push((path.clone(), FileChange::Changed))
                }
                Some(_) => {}
            }
        }
        let added = later.files.keys().filter(|path| !self.files.contains_key(*path));
        changes.extend(added.map(|path| (path.clone(), FileChange::Added)));
        changes.sort_by(|left, right| left.0.cmp(&right.0));
        changes
    }
}

impl FileMark {
    fn of(metadata: &Metadata) -> Self {
        Self {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
            status: status(metadata),
            content: None,
        }
    }
}

#[cfg(unix)]
fn status(metadata: &Metadata) -> FileStatus {
    use std::os::unix::fs::MetadataExt as _;

    FileStatus {
        number: metadata.ino(),
        links: metadata.nlink(),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    }
}

#[cfg(not(unix))]
fn status(_metadata: &Metadata) -> FileStatus {
    FileStatus::default()
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
        let before = Fingerprint::take(root);
        assert_eq!(before.changes_to(&Fingerprint::take(root)), []);
        std::fs::write(root.join("sub/changed"), "longer than before").unwrap();
        std::fs::remove_file(root.join("deleted")).unwrap();
        std::fs::write(root.join("added"), "").unwrap();
        assert_eq!(
            before.changes_to(&Fingerprint::take(root)),
            [
                ("added".into(), FileChange::Added),
                ("deleted".into(), FileChange::Deleted),
                ("sub/changed".into(), FileChange::Changed),
            ]
        );
        let gone = Fingerprint::take(&root.join("nothing"));
        assert_eq!(gone.changes_to(&Fingerprint::default()), []);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_file_is_no_change_and_a_change_behind_a_link_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        std::fs::write(root.join("store"), "data").unwrap();
        std::os::unix::fs::symlink("store", root.join("link")).unwrap();
        let before = Fingerprint::remember(&root.join("link"));
        std::fs::hard_link(root.join("store"), root.join("second")).unwrap();
        assert_eq!(before.changes_to(&Fingerprint::take(&root.join("link"))), []);
        // Its time is given back, and another link made.
        let modified = std::fs::metadata(root.join("store")).unwrap().modified().unwrap();
        std::fs::write(root.join("store"), "DATA").unwrap();
        std::fs::File::open(root.join("store")).unwrap().set_modified(modified).unwrap();
        std::fs::hard_link(root.join("store"), root.join("third")).unwrap();
        assert_eq!(
            before.changes_to(&Fingerprint::take(&root.join("link"))),
            [("".into(), FileChange::Changed)]
        );
        std::fs::write(root.join("store"), "other").unwrap();
        assert_eq!(
            before.changes_to(&Fingerprint::take(&root.join("link"))),
            [("".into(), FileChange::Changed)]
        );
    }

    #[test]
    fn a_single_file_has_an_empty_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("a");
        std::fs::write(&path, "a").unwrap();
        let before = Fingerprint::take(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(before.changes_to(&Fingerprint::take(&path)), [("".into(), FileChange::Deleted)]);
    }
}
