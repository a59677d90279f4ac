//! Copies of what runs wrote: at the output paths of the specs, and for each consumer one of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use camino::Utf8Path;
use walkdir::{DirEntry, WalkDir};

/// Copies the file or all files of the folder `written` to `target`, each put in place by a rename, so that nobody reads
/// half a file. Other files that are in a target folder stay. Of links, what they lead to is copied; pipes and sockets
/// have nothing that could be published.
pub(crate) fn publish(written: &Utf8Path, target: &Utf8Path) -> io::Result<()> {
    for_each_file(written.as_std_path(), target.as_std_path(), &|from, to| {
        let folder = to.parent().expect("the path of a file has a folder");
        fs::create_dir_all(folder)?;
        // Begins with a dot and ends in `.tmp`, so that nothing takes it for data should this process be killed.
        let part = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder)?.into_temp_path();
        fs::copy(from, &part)?;
        part.persist(to)?;
        Ok(())
    })
}

/// Copies the file or folder `original` to `copy`, which is not there yet. Of links, what they lead to is copied. On file
/// systems that share blocks between copies this costs next to nothing.
pub(crate) fn copy(original: &Utf8Path, copy: &Utf8Path) -> io::Result<()> {
    if original.is_dir() {
        fs::create_dir_all(copy)?;
    }
    for_each_file(original.as_std_path(), copy.as_std_path(), &|from, to| {
        fs::create_dir_all(to.parent().expect("the path of a file has a folder"))?;
        fs::copy(from, to).map(drop)
    })
}

/// Makes the neighbors of `original` be neighbors of its copy in `folder` too: a script may look for them there.
#[cfg(unix)]
pub(crate) fn link_neighbors(original: &Utf8Path, folder: &Utf8Path) -> io::Result<()> {
    for entry in fs::read_dir(original.parent().unwrap_or(original))? {
        let entry = entry?;
        let link = folder.as_std_path().join(entry.file_name());
        if fs::symlink_metadata(&link).is_err() {
            std::os::unix::fs::symlink(entry.path(), link)?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn link_neighbors(_original: &Utf8Path, _folder: &Utf8Path) -> io::Result<()> {
    Ok(())
}

/// Calls `put` for every file below `from`, with where it belongs below `to`. File names need not be UTF-8. Links are
/// followed, but for those in a circle, those to a folder that either end lies in, and those that lead nowhere.
fn for_each_file(from: &Path, to: &Path, put: &dyn Fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    if from.is_file() {
        return put(from, to);
    }
    let ends: Vec<PathBuf> = [from, to].iter().filter_map(|end| end.canonicalize().ok()).collect();
    let leads_up = |entry: &DirEntry| {
        entry.path_is_symlink()
            && entry.file_type().is_dir()
            && entry.path().canonicalize().is_ok_and(|target| ends.iter().any(|end| end.starts_with(&target)))
    };
    let walk = WalkDir::new(from).min_depth(1).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(|entry| !leads_up(entry)) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.loop_ancestor().is_some() || is_dangling(&error) => continue,
            Err(error) => return Err(error.into()),
        };
        if entry.file_type().is_file() {
            let below = entry.path().strip_prefix(from).expect("a walk stays below its start");
            put(entry.path(), &to.join(below))?;
        }
    }
    Ok(())
}

/// Whether an error is of a link that leads nowhere.
fn is_dangling(error: &walkdir::Error) -> bool {
    error.path().is_some_and(|path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_to_the_spec_path_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::create_dir_all(root.join("run/d/sub")).unwrap();
        fs::write(root.join("run/d/sub/a.csv"), "new").unwrap();
        fs::create_dir_all(root.join("out/d/sub")).unwrap();
        fs::write(root.join("out/d/sub/a.csv"), "old").unwrap();
        fs::write(root.join("out/d/other"), "other").unwrap();

        publish(&root.join("run/d"), &root.join("out/d")).unwrap();
        assert_eq!(fs::read_to_string(root.join("out/d/sub/a.csv")).unwrap(), "new");
        assert_eq!(fs::read_to_string(root.join("out/d/other")).unwrap(), "other");
        assert_eq!(fs::read_dir(root.join("out/d/sub")).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_single_file_is_published_under_the_name_in_the_spec() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::write(root.join("model.json"), "{}").unwrap();
        publish(&root.join("model.json"), &root.join("out/best.json")).unwrap();
        assert_eq!(fs::read_to_string(root.join("out/best.json")).unwrap(), "{}");
    }

    #[cfg(unix)]
    #[test]
    fn what_links_lead_to_is_copied_and_what_is_no_file_is_not() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::create_dir(root.join("d")).unwrap();
        fs::write(root.join("d/model_1.csv"), "model").unwrap();
        symlink("model_1.csv", root.join("d/latest.csv")).unwrap();
        symlink("nowhere", root.join("d/dangling")).unwrap();
        symlink("..", root.join("d/circle")).unwrap();
        fs::create_dir(root.join("elsewhere")).unwrap();
        fs::write(root.join("elsewhere/neighbor"), "n").unwrap();
        symlink("../elsewhere", root.join("d/folder")).unwrap();
        let name = std::os::unix::ffi::OsStrExt::from_bytes(b"d/caf\xe9.csv");
        fs::write(folder.path().join::<&std::ffi::OsStr>(name), "x").unwrap();
        copy(&root.join("d"), &root.join("copy")).unwrap();
        fs::write(root.join("d/model_1.csv"), "damaged").unwrap();
        assert_eq!(fs::read_to_string(root.join("copy/latest.csv")).unwrap(), "model");
        assert_eq!(fs::read_dir(root.join("copy")).unwrap().count(), 4);
        assert_eq!(
            fs::read_to_string(root.join("copy/folder/neighbor")).unwrap(),
            "n",
            "and no link to damage it by"
        );
        assert!(!fs::symlink_metadata(root.join("copy/folder")).unwrap().is_symlink());
        publish(&root.join("d"), &root.join("out")).unwrap();
        assert_eq!(fs::read_dir(root.join("out")).unwrap().count(), 4, "what holds files and nothing else");
    }
}
