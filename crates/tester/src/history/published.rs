//! What earlier tests published. It is nobody's own data, wherever outputs are published now.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::history::run_folder::RUNS;
use crate::plain_file;

/// What is longer is nothing that a test has written.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// The files that tests of one workspace published, and what each of them was then.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct PublishedFiles {
    /// By the path relative to the workspace, so that a checkout can be moved.
    files: BTreeMap<Utf8PathBuf, Mark>,
}

/// What tells a file that was published from one that a user has put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    bytes: u64,
    /// When it was modified, in nanoseconds since 1970.
    modified: u128,
}

impl PublishedFiles {
    /// Those of earlier tests that are still what they were. Where nothing is kept, or nothing that can be read, there are
    /// none.
    pub(crate) fn load(workspace: &Utf8Path) -> Self {
        let Ok(bytes) = plain_file::read(&file(workspace), MOST_BYTES) else { return Self::default() };
        let read = serde_json::from_slice(&bytes);
        if let Err(error) = &read {
            tracing::warn!(%workspace, %error, "what earlier tests published is not known: its record is broken");
        }
        let mut published: Self = read.unwrap_or_default();
        published.files.retain(|path, mark| Mark::of(&workspace.join(path)) == Some(*mark));
        published
    }

    /// The absolute paths of the files.
    pub(crate) fn paths(&self, workspace: &Utf8Path) -> impl Iterator<Item = Utf8PathBuf> {
        self.files.keys().map(move |path| absolute(workspace, path))
    }

    /// Takes note of a file that was just published. What cannot be looked at any more is not there for a later test either, and
    /// what has no UTF-8 name is no input.
    pub(crate) fn note(&mut self, path: &Path, workspace: &Utf8Path) {
        if let Some(path) = Utf8Path::from_path(path)
            && let Some(mark) = Mark::of(path)
            && let Some(relative) = pathdiff::diff_utf8_paths(path, workspace)
        {
            self.files.insert(relative, mark);
        }
    }

    /// Keeps them for later tests, with what other tests have published meanwhile.
    pub(crate) fn save(mut self, workspace: &Utf8Path) -> io::Result<()> {
        for (path, mark) in Self::load(workspace).files {
            self.files.entry(path).or_insert(mark);
        }
        let path = file(workspace);
        let folder = path.parent().expect("it lies in the folder for runs");
        let mut staged = tempfile::NamedTempFile::new_in(folder)?;
        staged.write_all(&serde_json::to_vec(&self)?)?;
        staged.persist(&path)?;
        Ok(())
    }
}

impl Mark {
    fn of(path: &Utf8Path) -> Option<Self> {
        let metadata: Metadata = fs::symlink_metadata(path).ok().filter(Metadata::is_file)?;
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let modified = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Some(Self { bytes: metadata.len(), modified })
    }
}

/// A path that was made relative, as it was before: without `..`.
fn absolute(workspace: &Utf8Path, relative: &Utf8Path) -> Utf8PathBuf {
    let mut path = workspace.to_owned();
    for part in relative.components() {
        match part {
            camino::Utf8Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
    }
    path
}

fn file(workspace: &Utf8Path) -> Utf8PathBuf {
    workspace.join(RUNS).join("published.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_has_put_in_the_place_is_not_published() {
        let folder = tempfile::tempdir().expect("a folder");
        let base = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let workspace = base.join("workspace");
        fs::create_dir_all(workspace.join(RUNS)).expect("a folder");
        fs::create_dir_all(base.join("out")).expect("a folder");
        for name in ["a", "b", "c"] {
            fs::write(base.join("out").join(name), "x").expect("a file");
        }
        let mut published = PublishedFiles::load(&workspace);
        assert_eq!(published.paths(&workspace).count(), 0);
        for name in ["a", "b", "c"] {
            published.note(base.join("out").join(name).as_std_path(), &workspace);
        }
        published.save(&workspace).expect("it can be written");
        fs::write(base.join("out/b"), "another one").expect("a file");
        fs::remove_file(base.join("out/c")).expect("it is there");
        let published = PublishedFiles::load(&workspace);
        assert_eq!(published.paths(&workspace).collect::<Vec<_>>(), [base.join("out/a")]);
        fs::write(file(&workspace), "{").expect("a file");
        assert_eq!(PublishedFiles::load(&workspace).paths(&workspace).count(), 0);
    }
}
