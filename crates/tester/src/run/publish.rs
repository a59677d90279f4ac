//! Copies of what runs wrote: at the output paths of the specs, and for each consumer one of its own.

use std::cell::RefCell;
use std::fs::{self, File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};

use camino::Utf8Path;
use walkdir::{DirEntry, WalkDir};

/// Copies the file or folder `written` to `target`, each file put in place by a rename, so that nobody reads half a file.
/// Times and modes are those of what was written. Other files that are in a target folder stay. Of links, what they lead to
/// is copied; pipes and sockets have nothing that could be published. Returns the files that were put in place.
pub(crate) fn publish(written: &Utf8Path, target: &Utf8Path) -> io::Result<Vec<PathBuf>> {
    let published = RefCell::new(Vec::new());
    for_each_entry(written.as_std_path(), target.as_std_path(), OWNER, &|from, to| {
        let folder = to.parent().expect("the path of a file has a folder");
        fs::create_dir_all(folder)?;
        // Begins with a dot and ends in `.tmp`, so that nothing takes it for data should this process be killed.
        let part = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder);
        // What a file that nobody sees was to be called says nothing.
        let part = part.map_err(|error| io::Error::from(error.kind()))?.into_temp_path();
        fs::remove_file(&part)?;
        copy_new(from, &part)?;
        copy_times(from, &part)?;
        part.persist(to)?;
        published.borrow_mut().push(to.to_owned());
        Ok(())
    })?;
    Ok(published.into_inner())
}

/// Copies the file or folder `original` to `copy`, with times and modes: no file of it is there yet, and nothing is written through what
/// a script has put in its place. Of links, what they lead to is copied. On file systems that share blocks between copies this costs next to nothing.
pub(crate) fn copy(original: &Utf8Path, copy: &Utf8Path) -> io::Result<()> {
    for_each_entry(original.as_std_path(), copy.as_std_path(), 0, &|from, to| {
        fs::create_dir_all(to.parent().expect("the path of a file has a folder"))?;
        copy_new(from, to)?;
        copy_times(from, to)
    })
}

/// Copies a file to where nothing is. There, a copy shares its blocks with the original.
#[cfg(target_os = "macos")]
fn copy_new(from: &Path, to: &Path) -> io::Result<()> {
    open_plain(from)?;
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::copy(from, to).map(drop),
    }
}

/// Copies a file to where nothing is.
#[cfg(not(target_os = "macos"))]
fn copy_new(from: &Path, to: &Path) -> io::Result<()> {
    let (mut from, mut to) = (open_plain(from)?, File::create_new(to)?);
    copy_content(&mut from, &mut to)?;
    to.set_permissions(from.metadata()?.permissions())
}

/// Copies what is in a file. Where nothing was ever written to, nothing is in the copy.
#[cfg(target_os = "linux")]
fn copy_content(from: &mut File, to: &mut File) -> io::Result<()> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    use std::os::unix::fs::MetadataExt as _;

    use rustix::fs::{SeekFrom as Sought, seek};

    /// The unit that the system tells the size on the disk in.
    const BLOCK_BYTES: u64 = 512;

    let there = from.metadata()?;
    if there.blocks().saturating_mul(BLOCK_BYTES) >= there.len() {
        return io::copy(from, to).map(drop);
    }
    to.set_len(there.len())?;
    let mut at = 0;
    loop {
        let begin = match seek(&*from, Sought::Data(at)) {
            Ok(begin) => begin,
            // There is only a hole left.
            Err(rustix::io::Errno::NXIO) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let end = seek(&*from, Sought::Hole(begin))?;
        from.seek(SeekFrom::Start(begin))?;
        to.seek(SeekFrom::Start(begin))?;
        io::copy(&mut (&*from).take(end - begin), to)?;
        at = end;
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn copy_content(from: &mut File, to: &mut File) -> io::Result<()> {
    io::copy(from, to).map(drop)
}

/// Opens a file to read it.
fn open_plain(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// Gives a copy the times of the original. A mode that forbids to write does not forbid that to its owner.
fn copy_times(original: &Path, copy: &Path) -> io::Result<()> {
    let metadata = fs::metadata(original)?;
    let times = FileTimes::new().set_modified(metadata.modified()?).set_accessed(metadata.accessed()?);
    match open_for_times(copy).and_then(|file| file.set_times(times)) {
        // A file that its owner may not even read has no times that anyone looks at.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        set => set,
    }
}

#[cfg(unix)]
fn open_for_times(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(not(unix))]
fn open_for_times(path: &Path) -> io::Result<File> {
    File::options().write(true).open(path)
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

/// Calls `put` for the file `from`, or for every file below it, with where it belongs at or below `to`, and makes folders like
/// those there are, empty ones too. File names need not be UTF-8. Links are followed, but for those in a circle, those to a
/// folder that either end lies in, and those that lead nowhere.
/// What the owner of a folder may do with it anyway is `extra`.
fn for_each_entry(
    from: &Path,
    to: &Path,
    extra: u32,
    put: &dyn Fn(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    if from.is_file() {
        return put(from, to);
    }
    // Those that are new, each after the one that it is in.
    let mut made: Vec<(PathBuf, PathBuf)> = Vec::new();
    for entry in entries_of_data(from, &[from, to]) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.loop_ancestor().is_some() || is_no_data(&error) => continue,
            Err(error) => return Err(error.into()),
        };
        let below = entry.path().strip_prefix(from).expect("a walk stays below its start");
        let target = if below.as_os_str().is_empty() { to.to_owned() } else { to.join(below) };
        if entry.file_type().is_dir() {
            if target.is_dir() {
                continue;
            }
            match fs::create_dir_all(&target) {
                // Where no path leads, no script looks.
                Err(error) if error.kind() == io::ErrorKind::InvalidFilename => {}
                created => created.map(|()| made.push((entry.path().to_owned(), target)))?,
            }
        } else if entry.file_type().is_file() {
            put(entry.path(), &target)?;
        }
    }
    // What is put into a folder changes its time, and may not be possible with its mode.
    for (original, copy) in made.iter().rev() {
        copy_times(original, copy)?;
        copy_mode(original, copy, extra)?;
    }
    Ok(())
}

/// All that the owner of a folder can do: what is published is published again.
const OWNER: u32 = 0o700;

#[cfg(unix)]
fn copy_mode(original: &Path, copy: &Path, extra: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = fs::metadata(original)?.permissions().mode();
    fs::set_permissions(copy, fs::Permissions::from_mode(mode | extra))
}

#[cfg(not(unix))]
fn copy_mode(_original: &Path, _copy: &Path, _extra: u32) -> io::Result<()> {
    Ok(())
}

/// What belongs to data: all that is below a folder, and what links there lead to, but for links to a folder that one of `ends` lies
/// in, and links to what the system shows of itself, which is no data and may have no end.
pub(crate) fn entries_of_data<'a>(
    folder: &'a Path,
    ends: &[&Path],
) -> impl Iterator<Item = walkdir::Result<DirEntry>> + use<'a> {
    let ends: Vec<PathBuf> = ends.iter().filter_map(|end| end.canonicalize().ok()).collect();
    let is_data = move |entry: &DirEntry| {
        // What was asked for may be a link itself.
        if entry.depth() == 0 || !entry.path_is_symlink() {
            return true;
        }
        entry.path().canonicalize().is_ok_and(|target| {
            let leads_up = entry.file_type().is_dir() && ends.iter().any(|end| end.starts_with(&target));
            !leads_up && !is_of_the_system(&target)
        })
    };
    WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_data)
}

/// Whether a path is one where the system shows itself.
fn is_of_the_system(path: &Path) -> bool {
    cfg!(target_os = "linux")
        && ["/proc", "/sys", "/dev"].iter().any(|system| path.starts_with(system))
        && !path.starts_with("/dev/shm")
}

/// Whether an error is of a link that leads nowhere, or of what is so deep that no path leads there.
fn is_no_data(error: &walkdir::Error) -> bool {
    if error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::InvalidFilename) {
        return true;
    }
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

    #[cfg(target_os = "linux")]
    #[test]
    fn holes_are_copied_as_holes() {
        use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
        use std::os::unix::fs::MetadataExt as _;

        const BYTES: u64 = 1 << 40;

        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let mut file = File::create(root.join("a")).unwrap();
        file.write_all(b"begin").unwrap();
        file.seek(SeekFrom::Start(BYTES / 2)).unwrap();
        file.write_all(b"middle").unwrap();
        file.set_len(BYTES).unwrap();
        copy(&root.join("a"), &root.join("copy")).unwrap();
        publish(&root.join("a"), &root.join("published")).unwrap();
        for name in ["copy", "published"] {
            let mut file = File::open(root.join(name)).unwrap();
            assert_eq!(file.metadata().unwrap().len(), BYTES, "{name}");
            assert!(file.metadata().unwrap().blocks() < 1 << 10, "{name}");
            for (place, text) in [(0, "begin"), (BYTES / 2, "middle"), (BYTES - 4, "\0\0\0\0")] {
                let mut found = vec![0; text.len()];
                file.seek(SeekFrom::Start(place)).unwrap();
                file.read_exact(&mut found).unwrap();
                assert_eq!(found, text.as_bytes(), "{name}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn copies_have_the_times_and_modes_of_what_was_written_and_empty_folders() {
        use std::os::unix::fs::PermissionsExt as _;
        use std::time::{Duration, SystemTime};

        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::create_dir_all(root.join("d/empty")).unwrap();
        fs::create_dir_all(root.join("d/closed")).unwrap();
        fs::write(root.join("d/closed/tool.sh"), "#!/bin/sh").unwrap();
        fs::set_permissions(root.join("d/closed/tool.sh"), fs::Permissions::from_mode(0o555)).unwrap();
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for path in ["d/closed/tool.sh", "d/closed", "d/empty", "d"] {
            File::open(root.join(path)).unwrap().set_times(FileTimes::new().set_modified(old)).unwrap();
        }
        fs::set_permissions(root.join("d/closed"), fs::Permissions::from_mode(0o555)).unwrap();
        copy(&root.join("d"), &root.join("copy")).unwrap();
        publish(&root.join("d"), &root.join("out")).unwrap();
        // What was published can be published again.
        publish(&root.join("d"), &root.join("out")).unwrap();
        for (target, closed) in [("copy", 0o555), ("out", 0o755)] {
            for (path, mode) in [("closed/tool.sh", 0o555), ("closed", closed), ("empty", 0o755), ("", 0o755)]
            {
                let metadata = fs::metadata(root.join(target).join(path)).unwrap();
                assert_eq!(metadata.permissions().mode() & 0o777, mode, "{target} {path}");
                if target == "copy" || !metadata.is_dir() {
                    assert_eq!(metadata.modified().unwrap(), old, "{target} {path}");
                }
            }
        }
        for path in ["d/closed", "copy/closed", "out/closed"] {
            fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o755)).unwrap();
        }
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
