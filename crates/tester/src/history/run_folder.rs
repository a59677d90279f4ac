//! The folder of one test under `.runs`.

use std::fs::{self, File};
use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

use crate::plain_file;

/// The name of the folder for runs in the workspace.
pub(crate) const RUNS: &str = ".runs";
/// The file in a test's folder that is locked for as long as the test goes on.
pub(crate) const LOCK: &str = ".lock";
/// The name of that file before it is locked.
const STAGED_LOCK: &str = ".lock.new";
/// The file in a test's folder that says that the test did not pass, or not yet.
const NOT_PASSED: &str = ".not_passed";

/// The folder of one test under `.runs`. It stays when the test is over; the oldest are removed.
#[derive(Debug)]
pub(crate) struct RunRoot {
    pub(crate) path: Utf8PathBuf,
    pub(crate) id: String,
    /// Held for as long as the test goes on, so that another test does not remove the folder.
    _lock: File,
}

impl RunRoot {
    /// Makes a folder of its own for a test, and removes the oldest ones over `kept`, and of those whose test did not pass
    /// over `kept_failed`.
    pub(crate) fn create(workspace: &Utf8Path, kept: usize, kept_failed: usize) -> io::Result<Self> {
        let runs = workspace.join(RUNS);
        fs::create_dir_all(&runs)?;
        let ignore = runs.join(".gitignore");
        match plain_file::write(&ignore, b"*\n") {
            // Another test was first, or a script has put something in its place, which nothing is written through.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            written => written?,
        }
        let prefix = format!("{}-", jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%6f"));
        let folder = tempfile::Builder::new().prefix(&prefix).rand_bytes(4).tempdir_in(&runs)?.keep();
        let path = Utf8PathBuf::from_path_buf(folder).expect("a UTF-8 folder with a UTF-8 name in it");
        let id = path.file_name().expect("the folder has a name").to_owned();
        // Scripts of another user may have to read what lies there.
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        // Another test that begins sees it locked and with its number, or not at all: it would take it for an old one.
        let staged = path.join(STAGED_LOCK);
        let mut lock = plain_file::create(&staged)?;
        lock.lock()?;
        // Not by the time: a clock can be ahead once.
        let last = tests_in(&runs)?.into_iter().map(|(number, _)| number).max();
        write!(lock, "{}", last.unwrap_or_default() + 1)?;
        fs::rename(staged, path.join(LOCK))?;
        remove_oldest(&runs, kept.max(1), kept_failed)?;
        fs::write(path.join(NOT_PASSED), "")?;
        Ok(Self { path, id, _lock: lock })
    }

    /// Takes note that the test has passed.
    pub(crate) fn note_pass(&self) -> io::Result<()> {
        match fs::remove_file(self.path.join(NOT_PASSED)) {
            // A script can have removed it, with the whole folder.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Makes a folder below that of a test, with those above it. Something else that a script has put in the place of one of them is
/// removed: nothing is in the new folder, and no link leads out of those above. What is gone of them is made anew, and what is closed
/// is opened. Says whether there was something at its own place.
pub(crate) fn make_exclusively(root: &Utf8Path, folder: &Utf8Path) -> io::Result<bool> {
    match make_below(root, folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(root)?,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let above = folder.ancestors().take_while(|above| above.starts_with(root));
            let above: Vec<&Utf8Path> = above.collect();
            above.into_iter().rev().try_for_each(open_folder)?;
        }
        made => return made,
    }
    make_below(root, folder)
}

fn make_below(root: &Utf8Path, folder: &Utf8Path) -> io::Result<bool> {
    let below = folder.strip_prefix(root).expect("it lies below the folder of the test");
    let above: Vec<&Utf8Path> =
        below.ancestors().skip(1).filter(|above| !above.as_str().is_empty()).collect();
    for above in above.into_iter().rev() {
        let above = root.join(above);
        match fs::create_dir(&above) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !fs::symlink_metadata(&above)?.is_dir() {
                    fs::remove_file(&above)?;
                    fs::create_dir(&above)?;
                }
            }
            made => made?,
        }
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::symlink_metadata(folder)?.is_dir() {
                remove_folder(folder)?;
            } else {
                fs::remove_file(folder)?;
            }
            fs::create_dir(folder)?;
            Ok(true)
        }
        made => made.map(|()| false),
    }
}

/// Whether the test in a folder goes on: then its lock is taken.
pub(crate) fn is_in_use(test: &Utf8Path) -> bool {
    match File::open(test.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_err(),
        Err(_) => true,
    }
}

/// No test has a higher number: one that is found was put there by something else.
const MOST_TESTS: u64 = 1 << 53;

/// The folders of the tests in a workspace's folder for runs, each with the number of the test: later ones have higher numbers.
pub(crate) fn tests_in(runs: &Utf8Path) -> io::Result<Vec<(u64, Utf8PathBuf)>> {
    let mut tests = Vec::new();
    for entry in fs::read_dir(runs)? {
        let entry = entry?;
        // What has no UTF-8 name was not made by a test, and other folders are none of tests.
        if let Ok(path) = Utf8PathBuf::from_path_buf(entry.path())
            && entry.file_type()?.is_dir()
            && path.join(LOCK).is_file()
        {
            let number = plain_file::read(&path.join(LOCK), 20).ok();
            let number = number.and_then(|number| String::from_utf8(number).ok()?.parse().ok());
            let number = number.filter(|number| *number < MOST_TESTS);
            tests.push((number.unwrap_or_default(), path));
        }
    }
    Ok(tests)
}

fn remove_oldest(runs: &Utf8Path, kept: usize, kept_failed: usize) -> io::Result<()> {
    let mut tests = tests_in(runs)?;
    tests.sort();
    let tests: Vec<Utf8PathBuf> = tests.into_iter().map(|(_, test)| test).collect();
    let failed: Vec<Utf8PathBuf> =
        tests.iter().rev().filter(|test| test.join(NOT_PASSED).exists()).take(kept_failed).cloned().collect();
    for test in tests.iter().rev().skip(kept).filter(|test| !failed.contains(test)) {
        if !is_in_use(test) {
            match remove_folder(test) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(folder = %test, %error, "could not remove the folder of an old test");
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Removes a folder with all that is in it, also what scripts have closed to everyone.
pub(crate) fn remove_folder(folder: &Utf8Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_folders(folder)?;
            fs::remove_dir_all(folder)
        }
        removed => removed,
    }
}

/// Lets its owner do everything with a folder, if it is one.
#[cfg(unix)]
fn open_folder(folder: &Utf8Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => {
            fs::set_permissions(folder, fs::Permissions::from_mode(metadata.permissions().mode() | 0o700))
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn open_folder(_folder: &Utf8Path) -> io::Result<()> {
    Ok(())
}

/// Lets the owner of folders do everything with them, at and below a path.
#[cfg(unix)]
fn open_folders(folder: &Utf8Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    // A folder can be listed when it is opened, so each is before what is in it.
    let mut folders = vec![folder.as_std_path().to_owned()];
    while let Some(folder) = folders.pop() {
        let mode = fs::metadata(&folder)?.permissions().mode();
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode | 0o700))?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn open_folders(_folder: &Utf8Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_folders_go_unless_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Utf8Path::from_path(folder.path()).unwrap();
        let in_use = RunRoot::create(workspace, 2, 0).unwrap();
        let ended: Vec<Utf8PathBuf> =
            (0..3).map(|_| RunRoot::create(workspace, 2, 0).unwrap().path).collect();
        let last = RunRoot::create(workspace, 2, 0).unwrap();
        assert!(in_use.path.exists() && last.path.exists());
        let left = ended.iter().filter(|path| path.exists()).count();
        assert!(left <= 1, "{left} ended tests are left");
        let ignore = workspace.join(".runs/.gitignore");
        assert_eq!(fs::read_to_string(ignore).unwrap(), "*\n");
    }

    #[test]
    fn a_test_that_begins_is_none_that_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Utf8Path::from_path(folder.path()).unwrap();
        let begins = workspace.join(RUNS).join("20000101T000000000000-aaaa");
        fs::create_dir_all(&begins).unwrap();
        fs::write(begins.join(STAGED_LOCK), "").unwrap();
        let number = |test: &RunRoot| fs::read_to_string(test.path.join(LOCK)).unwrap();
        let first = RunRoot::create(workspace, 1, 0).unwrap();
        assert_eq!(number(&first), "1");
        drop(first);
        assert_eq!(number(&RunRoot::create(workspace, 1, 0).unwrap()), "2");
        assert_eq!(tests_in(&workspace.join(RUNS)).unwrap().len(), 1);
        assert!(begins.exists());
    }

    #[cfg(unix)]
    #[test]
    fn folders_that_are_closed_to_everyone_are_opened() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().join("test");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/file"), "x").unwrap();
        for (path, mode) in [("a/b", 0o000), ("a", 0o500)] {
            fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
        }
        open_folders(&root).unwrap();
        for path in ["a", "a/b"] {
            let mode = fs::metadata(root.join(path)).unwrap().permissions().mode();
            assert_eq!(mode & 0o700, 0o700, "{path}");
        }
        remove_folder(&root).unwrap();
        assert!(!root.exists());
    }

    #[test]
    fn failed_tests_are_kept_longer() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Utf8Path::from_path(folder.path()).unwrap();
        let make = |passes: bool| {
            let root = RunRoot::create(workspace, 2, 2).unwrap();
            if passes {
                root.note_pass().unwrap();
            }
            root.path
        };
        let passes = [false, false, true, false, true, true, true];
        let paths = passes.map(make);
        let left = paths.map(|path| path.exists());
        assert_eq!(left, [false, true, false, true, false, true, true]);
    }
}
