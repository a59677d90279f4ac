//! Putting what a run wrote where its spec says, and back again where a later step has damaged it.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use walkdir::WalkDir;

/// A file that a run wrote and the copy of it at the spec's output path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) written: Utf8PathBuf,
    pub(crate) copy: Utf8PathBuf,
}

/// Copies the file or all files of the folder `written` to `target`, each put in place by a rename. Other files that are
/// in a target folder stay. Links are not followed: a run publishes what it wrote, not what lies elsewhere.
pub(crate) fn publish(written: &Utf8Path, target: &Utf8Path) -> io::Result<Vec<Published>> {
    let mut published = Vec::new();
    for entry in WalkDir::new(written).sort_by_file_name() {
        let entry = entry?;
        if !entry.file_type().is_file() {
            continue;
        }
        let Some(path) = Utf8Path::from_path(entry.path()) else {
            let message = format!("the name of `{}` is not UTF-8", entry.path().display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        };
        let below = path.strip_prefix(written).expect("a walk stays below its start");
        let copy = if below.as_str().is_empty() { target.to_owned() } else { target.join(below) };
        put(path, &copy)?;
        published.push(Published { written: path.to_owned(), copy });
    }
    Ok(published)
}

/// Puts a published copy back over the file of the run.
pub(crate) fn restore(file: &Published) -> io::Result<()> {
    put(&file.copy, &file.written)
}

fn put(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    let folder = to.parent().expect("the path of a file has a folder");
    fs::create_dir_all(folder)?;
    // Begins with a dot and ends in `.tmp`, so that nothing takes it for data should this process be killed.
    let part = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder)?.into_temp_path();
    fs::copy(from, &part)?;
    part.persist(to)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_to_the_spec_path_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::create_dir_all(root.join("run/d/sub")).unwrap();
        fs::write(root.join("run/d/sub/a.csv"), "new").unwrap();
        fs::create_dir_all(root.join("out/d/sub")).unwrap();
        fs::write(root.join("out/d/sub/a.csv"), "old").unwrap();
        fs::write(root.join("out/d/other"), "other").unwrap();

        let published = publish(&root.join("run/d"), &root.join("out/d")).unwrap();
        assert_eq!(fs::read_to_string(root.join("out/d/sub/a.csv")).unwrap(), "new");
        assert_eq!(fs::read_to_string(root.join("out/d/other")).unwrap(), "other");
        assert_eq!(fs::read_dir(root.join("out/d/sub")).unwrap().count(), 1, "no temporary file is left");

        fs::remove_file(root.join("run/d/sub/a.csv")).unwrap();
        restore(&published[0]).unwrap();
        assert_eq!(fs::read_to_string(root.join("run/d/sub/a.csv")).unwrap(), "new");
    }

    #[test]
    fn a_single_file_is_published_under_the_name_in_the_spec() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::write(root.join("model.json"), "{}").unwrap();
        publish(&root.join("model.json"), &root.join("out/best.json")).unwrap();
        assert_eq!(fs::read_to_string(root.join("out/best.json")).unwrap(), "{}");
    }
}
