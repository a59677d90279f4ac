//! Copies of what runs wrote: at the output paths of the specs, and for each consumer one of its own.

use std::fs;
use std::io;
use std::path::Path;

use camino::Utf8Path;
use walkdir::WalkDir;

/// Copies the file or all files of the folder `written` to `target`, each put in place by a rename, so that nobody reads
/// half a file. Other files that are in a target folder stay. Of a link to a file, the file is copied; links to folders,
/// pipes and sockets have nothing that could be published.
pub(crate) fn publish(written: &Utf8Path, target: &Utf8Path) -> io::Result<()> {
    for_each(written.as_std_path(), target.as_std_path(), &|from, to| {
        if !from.is_file() {
            return Ok(());
        }
        let folder = to.parent().expect("the path of a file has a folder");
        fs::create_dir_all(folder)?;
        // Begins with a dot and ends in `.tmp`, so that nothing takes it for data should this process be killed.
        let part = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder)?.into_temp_path();
        fs::copy(from, &part)?;
        part.persist(to)?;
        Ok(())
    })
}

/// Copies the file or folder `original` to `copy`, which is not there yet. A link to a folder leads from the copy to the
/// same folder. On file systems that share blocks between copies this costs next to nothing.
pub(crate) fn copy(original: &Utf8Path, copy: &Utf8Path) -> io::Result<()> {
    if original.is_dir() {
        fs::create_dir_all(copy)?;
    }
    for_each(original.as_std_path(), copy.as_std_path(), &|from, to| {
        fs::create_dir_all(to.parent().expect("the path of a file has a folder"))?;
        if from.is_file() {
            fs::copy(from, to)?;
        } else if from.is_dir() {
            link_folder(&from.canonicalize()?, to)?;
        }
        Ok(())
    })
}

#[cfg(unix)]
fn link_folder(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn link_folder(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(target, link)
}

/// Calls `put` for everything below `from` that is no folder, with where it belongs below `to`. File names need not be
/// UTF-8. Links are not followed, but for `from` itself.
fn for_each(from: &Path, to: &Path, put: &dyn Fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    if from.is_file() {
        return put(from, to);
    }
    for entry in WalkDir::new(from).min_depth(1).sort_by_file_name() {
        let entry = entry?;
        if !entry.file_type().is_dir() {
            let below = entry.path().strip_prefix(from).expect("a walk stays below its start");
            put(entry.path(), &to.join(below))?;
        }
    }
    Ok(())
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
        symlink("../elsewhere", root.join("d/folder")).unwrap();
        let name = std::os::unix::ffi::OsStrExt::from_bytes(b"d/caf\xe9.csv");
        fs::write(folder.path().join::<&std::ffi::OsStr>(name), "x").unwrap();
        copy(&root.join("d"), &root.join("copy")).unwrap();
        fs::write(root.join("d/model_1.csv"), "damaged").unwrap();
        assert_eq!(fs::read_to_string(root.join("copy/latest.csv")).unwrap(), "model");
        assert_eq!(fs::read_dir(root.join("copy")).unwrap().count(), 5);
        assert_eq!(
            fs::read_link(root.join("copy/folder")).unwrap(),
            root.join("elsewhere").canonicalize().unwrap()
        );
        publish(&root.join("d"), &root.join("out")).unwrap();
        assert_eq!(fs::read_dir(root.join("out")).unwrap().count(), 3, "the files and nothing else");
    }
}
