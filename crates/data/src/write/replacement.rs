//! Files that are written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::{Builder, NamedTempFile};

/// What is written in the place of a path, and takes that place once it is whole.
#[derive(Debug)]
pub(crate) enum Replacement {
    /// A file beside the one that it becomes. It is gone again where it does not.
    Staged { file: NamedTempFile, target: Utf8PathBuf },
    /// What cannot be replaced, as a pipe cannot.
    InPlace(File),
}

impl Replacement {
    /// Begins one. Its folder is made; a file that is there stays as it is.
    pub(crate) fn begin(path: &Utf8Path) -> io::Result<Self> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_str().is_empty() => folder,
            _ => Utf8Path::new("."),
        };
        fs::create_dir_all(folder)?;
        let known = match fs::metadata(path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let Some(known) = known else {
            return Ok(Self::Staged { file: temporary_file(folder.as_std_path())?, target: path.to_owned() });
        };
        if !known.is_file() {
            return Ok(Self::InPlace(File::create(path)?));
        }
        // Who may not write to the file may not replace it either.
        OpenOptions::new().write(true).open(path)?;
        // A link goes on to lead to the file.
        let target = path.canonicalize_utf8()?;
        let file = temporary_file(target.parent().unwrap_or(folder).as_std_path())?;
        file.as_file().set_permissions(known.permissions())?;
        Ok(Self::Staged { file, target })
    }

    /// What is written to.
    pub(crate) fn file(&self) -> &File {
        match self {
            Self::Staged { file, .. } => file.as_file(),
            Self::InPlace(file) => file,
        }
    }

    /// Puts it in its place.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Staged { file, target } => file.persist(target).map(drop).map_err(|error| error.error),
            Self::InPlace(_) => Ok(()),
        }
    }
}

fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".table.").suffix(".tmp");
    // As any other new file gets it: the umask takes its part away when the file is made.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(std::path::absolute(folder)?)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn write(path: &Utf8Path, text: &str) -> io::Result<()> {
        let replacement = Replacement::begin(path)?;
        replacement.file().write_all(text.as_bytes())?;
        replacement.finish()
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let path = folder.join("new/a.csv");
        write(&path, "one").unwrap();
        let begun = Replacement::begin(&path).unwrap();
        begun.file().write_all(b"half").unwrap();
        drop(begun);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        write(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.join("new")).unwrap().count(), 1, "no temporary file is left behind");
        assert_eq!(write(&folder.join("new"), "x").unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }

    #[cfg(unix)]
    #[test]
    fn modes_and_links_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let mode = |path: &Utf8Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (plain, path, link) = (folder.join("plain"), folder.join("a.csv"), folder.join("link.csv"));
        fs::write(&plain, "x").unwrap();
        write(&path, "one").unwrap();
        assert_eq!(mode(&path), mode(&plain));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        write(&link, "two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("two", 0o640));
    }
}
