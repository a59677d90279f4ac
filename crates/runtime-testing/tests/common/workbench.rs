//! Copies of fixtures to run tests in.

use camino::{Utf8Path, Utf8PathBuf};

/// A folder of the workspace's `fixtures`.
pub(crate) fn fixtures(path: &str) -> Utf8PathBuf {
    Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(path)
}

/// A temporary copy of a folder, removed when it is dropped.
pub(crate) struct Copy {
    _folder: tempfile::TempDir,
    pub(crate) path: Utf8PathBuf,
}

impl Copy {
    pub(crate) fn of(source: &Utf8Path) -> Self {
        let folder =
            tempfile::Builder::new().prefix("runtime-testing-").tempdir().expect("a temporary folder");
        let path = Utf8Path::from_path(folder.path()).expect("a UTF-8 path").join("copy");
        copy(source, &path);
        Self { _folder: folder, path }
    }
}

/// Copies what is in a folder over what is in another. A link stays a link.
pub(crate) fn copy(from: &Utf8Path, to: &Utf8Path) {
    std::fs::create_dir_all(to).expect("a new folder");
    for entry in from.read_dir_utf8().expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        let file_type = entry.file_type().expect("a file type");
        if file_type.is_dir() {
            copy(entry.path(), &target);
        } else if file_type.is_symlink() {
            link(&entry.path().read_link_utf8().expect("where the link leads"), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a file can be copied");
        }
    }
}

#[cfg(unix)]
fn link(to: &Utf8Path, at: &Utf8Path) {
    std::os::unix::fs::symlink(to, at).expect("a new link");
}

#[cfg(windows)]
fn link(to: &Utf8Path, at: &Utf8Path) {
    std::os::windows::fs::symlink_file(to, at).expect("a new link");
}
