use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use camino::Utf8Path;
use tempfile::{Builder, NamedTempFile, TempPath};

use crate::file::SUFFIX;

const TEMPORARY_SUFFIX: &str = ".tmp";

/// Whether this is the name of a file that [`replace`] makes and that its end would have removed. Whoever holds the
/// folder's lock knows that nobody is writing to it.
pub(crate) fn is_leftover(name: &str) -> bool {
    let random = name.strip_prefix('.').and_then(|name| name.strip_suffix(TEMPORARY_SUFFIX));
    random.and_then(|name| name.rsplit_once('.')).is_some_and(|(file, _)| file.ends_with(SUFFIX))
}

/// Removes what killed savers left. Only for the holder of the folder's lock.
pub(crate) fn remove_leftovers(leftovers: &[PathBuf]) {
    for path in leftovers {
        if let Err(error) = fs::remove_file(path) {
            // It does no harm, and the next saver tries again.
            tracing::warn!(path = %path.display(), %error, "cannot remove what a killed saver left");
        }
    }
}

/// Makes `text` the content of the file `path`, whole or not at all, whatever happens in between. Keeps the mode of a
/// file that is there.
pub(crate) fn replace(path: &Utf8Path, text: &str) -> io::Result<()> {
    put(stage(path, text)?, path)
}

/// Writes `text` to a file beside `path` that can take its place, and flushes it to the disk. The file is closed: a
/// process can have only so many open, and many files can be staged at once.
pub(crate) fn stage(path: &Utf8Path, text: &str) -> io::Result<TempPath> {
    let (folder, name) = parts(path)?;
    let mut file = temporary_file(folder, name)?;
    #[cfg(unix)]
    match fs::metadata(path) {
        Ok(metadata) => file.as_file().set_permissions(metadata.permissions())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

/// Puts a staged file in the place of `path`.
pub(crate) fn put(staged: TempPath, path: &Utf8Path) -> io::Result<()> {
    let (folder, _) = parts(path)?;
    staged.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

fn parts(path: &Utf8Path) -> io::Result<(&Utf8Path, &str)> {
    let nameless = || io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name");
    path.parent().zip(path.file_name()).ok_or_else(nameless)
}

fn temporary_file(folder: &Utf8Path, name: &str) -> io::Result<NamedTempFile> {
    let prefix = format!(".{name}.");
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(TEMPORARY_SUFFIX);
    // As any other new file gets it: the umask takes its part away when the file is made.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Makes what was renamed or removed in a folder survive a power failure, where the file system can do that.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Utf8Path) -> io::Result<()> {
    match fs::File::open(folder)?.sync_all() {
        // Some network file systems cannot flush a folder, and say so in one of these ways.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        result => result,
    }
}

/// Elsewhere a folder cannot be opened for that.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Utf8Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_leftover(name: &str, expected: bool) {
        assert_eq!(is_leftover(name), expected, "{name}");
    }

    #[test]
    fn only_temporary_files_of_specs_are_leftovers() {
        check_leftover(".train_runtime_test_spec.json.a1B2c3.tmp", true);
        check_leftover(".a.b_runtime_test_spec.json.a1B2c3.tmp", true);
        check_leftover("train_runtime_test_spec.json.a1B2c3.tmp", false);
        check_leftover(".train_runtime_test_spec.json.tmp", false);
        check_leftover(".train_runtime_test_spec.json.a1B2c3", false);
        check_leftover(".train.json.a1B2c3.tmp", false);
        check_leftover(".tmp", false);
        check_leftover(".lock", false);
    }

    #[test]
    fn temporary_files_are_leftovers_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let file = temporary_file(folder, &format!("train{SUFFIX}")).unwrap();
        assert!(is_leftover(file.path().file_name().unwrap().to_str().unwrap()));
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let path = folder.join("a.json");
        replace(&path, "one").unwrap();
        replace(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");

        let occupied = folder.join("folder");
        fs::create_dir_all(occupied.join("inner")).unwrap();
        replace(&occupied, "three").unwrap_err();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 2, "no temporary file is left behind");
    }
}
