//! What lies at the paths that a plan names. Each is asked of the file system once.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};

use crate::history::places::canonical;
use crate::plan::model::NO_DATA;

/// Answers about paths of [`crate::history::places::Places::absolute`], as of when a path was first asked about.
#[derive(Debug, Default)]
pub(crate) struct PathCache {
    /// By the text of the path: to compare paths part by part takes longer.
    known: RefCell<HashMap<Box<str>, Look>>,
}

#[derive(Debug, Clone)]
enum Look {
    /// Nothing that can be seen.
    Nothing,
    File,
    Folder,
    /// A link, or something else that leads elsewhere.
    At {
        place: Utf8PathBuf,
        is_file: bool,
    },
}

impl PathCache {
    /// What a path leads to, where it leads to something; else the path. For telling whether two paths mean the same.
    pub(crate) fn place<'a>(&self, path: &'a Utf8Path) -> Cow<'a, Utf8Path> {
        match self.look(path) {
            Look::At { place, .. } => Cow::Owned(place),
            Look::Nothing | Look::File | Look::Folder => Cow::Borrowed(path),
        }
    }

    /// Whether there is something at the path that is neither a file nor a folder, such as a device.
    pub(crate) fn is_special(&self, path: &Utf8Path) -> bool {
        matches!(self.look(path), Look::At { is_file: false, .. })
            && fs::metadata(path).is_ok_and(|found| !found.is_dir() && !found.is_file())
    }

    /// Whether there is a file at the path, or where it leads to.
    pub(crate) fn is_file(&self, path: &Utf8Path) -> bool {
        matches!(self.look(path), Look::File | Look::At { is_file: true, .. })
    }

    fn look(&self, path: &Utf8Path) -> Look {
        if let Some(look) = self.known.borrow().get(path.as_str()) {
            return look.clone();
        }
        let is_below = |folder: &Utf8Path| !matches!(self.look(folder), Look::Nothing | Look::File);
        let look = if path.parent().is_none_or(is_below) { look_at(path) } else { Look::Nothing };
        self.known.borrow_mut().insert(path.as_str().into(), look.clone());
        look
    }
}

fn look_at(path: &Utf8Path) -> Look {
    // Where names differ in case and mean the same, the system is asked for the place nevertheless.
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() || cfg!(not(target_os = "linux")) => {
            Look::At { place: canonical(path), is_file: path.is_file() }
        }
        Ok(metadata) if metadata.is_file() => Look::File,
        Ok(metadata) if metadata.is_dir() => Look::Folder,
        Ok(_) => Look::At { place: path.to_owned(), is_file: false },
        Err(_) => Look::Nothing,
    }
}

/// Whether there is a file or folder at a path.
///
/// # Errors
///
/// Where that cannot be found out, or what is there cannot be read: to take it for missing would be a guess.
pub(crate) fn readable(path: &Utf8Path) -> io::Result<bool> {
    let opened = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::read_dir(path).map(drop),
        Ok(metadata) if metadata.is_file() => fs::File::open(path).map(drop),
        // A pipe would be waited for without end.
        Ok(_) if path == NO_DATA => Ok(()),
        Ok(_) => Err(io::Error::other("it is neither a file nor a folder")),
        Err(error) => Err(error),
    };
    match opened {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn places_and_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let base = Utf8PathBuf::try_from(folder.path().canonicalize().expect("it is there")).expect("UTF-8");
        fs::create_dir(base.join("data")).expect("a folder");
        fs::write(base.join("data/rows.csv"), "").expect("a file");
        std::os::unix::fs::symlink("data", base.join("linked")).expect("a link");
        std::os::unix::fs::symlink("data/rows.csv", base.join("rows.csv")).expect("a link");
        std::os::unix::fs::symlink("nowhere", base.join("dangling")).expect("a link");
        let paths = PathCache::default();
        let check = |path: &str, place: &str, is_file: bool| {
            for _ in 0..2 {
                assert_eq!(paths.place(&base.join(path)), base.join(place), "{path}");
                assert_eq!(paths.is_file(&base.join(path)), is_file, "{path}");
            }
        };
        check("data", "data", false);
        check("data/rows.csv", "data/rows.csv", true);
        check("linked", "data", false);
        check("rows.csv", "data/rows.csv", true);
        check("dangling", "dangling", false);
        check("gone/below/it.csv", "gone/below/it.csv", false);
        check("data/rows.csv/below", "data/rows.csv/below", false);
        assert!(!paths.is_file("/dev/null".into()));
    }
}
