use runtime_testing_data::{DataError, data_files, profile_file, profile_path};

use crate::folder::Folder;

#[test]
fn folders_are_walked_and_sorted() {
    let folder = Folder::new();
    for path in ["b.csv", "a/z.csv", "a/b/c.csv", "a.csv", "_metadata", ".hidden"] {
        folder.write(path, "x\n1\n");
    }
    for path in [
        "a.tmp",
        "a.csv~",
        ".DS_Store",
        "a/Thumbs.db",
        "__pycache__/m.py",
        "a/m.pyc",
        "_SUCCESS",
        ".a.csv.crc",
        ".ipynb_checkpoints/a.csv",
        ".tmp4711",
        "._a.csv",
    ] {
        folder.write(path, "x\n1\n");
    }
    let expected = ["a.csv", "a/b/c.csv", "a/z.csv", "b.csv"];
    assert_eq!(data_files(folder.path()).unwrap(), expected);
    let profile = profile_path(folder.path()).unwrap();
    assert!(profile.is_folder);
    assert_eq!(profile.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), expected);
    assert!(data_files(&folder.path().join("__pycache__")).unwrap() == ["m.py"], "what is asked for counts");
}

#[test]
fn logs_locks_and_copies_are_no_data() {
    let folder = Folder::new();
    for path in
        ["run.log", "sub/a.LOCK", "a.pid", "orders.csv.bak", "orders.csv.orig", "orders.csv.rej", "a.Tmp"]
    {
        folder.write(path, "x\n1\n");
    }
    assert_eq!(data_files(folder.path()).unwrap(), [""; 0]);
    assert!(profile_path(folder.path()).unwrap().is_empty());
    folder.write("orders.csv", "x\n1\n");
    folder.write("steps.log/orders.csv", "x\n1\n");
    assert_eq!(data_files(folder.path()).unwrap(), ["orders.csv", "steps.log/orders.csv"]);
    let named = profile_path(&folder.path().join("run.log")).unwrap();
    assert_eq!(named.files.len(), 1, "what is asked for counts");
}

#[test]
fn a_file_is_known_by_its_name() {
    let folder = Folder::new();
    let path = folder.write("deep/er/a.tmp", "x");
    assert_eq!(data_files(&path).unwrap(), ["a.tmp"]);
    assert_eq!(profile_file(&path).unwrap().path, "a.tmp");
    let profile = profile_path(&path).unwrap();
    assert!(!profile.is_folder);
    assert_eq!((profile.files[0].path.as_str(), profile.files[0].bytes), ("a.tmp", 1));
}

#[test]
fn an_empty_folder_has_no_files() {
    let folder = Folder::new();
    assert!(profile_path(folder.path()).unwrap().is_empty());
}

#[test]
fn what_is_not_there_is_an_error() {
    let folder = Folder::new();
    let path = folder.path().join("nowhere");
    let message = format!("`{path}` does not exist");
    for error in
        [profile_file(&path).unwrap_err(), profile_path(&path).unwrap_err(), data_files(&path).unwrap_err()]
    {
        assert!(matches!(error, DataError::NotFound { .. }));
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_folder_is_no_file() {
    let folder = Folder::new();
    let error = profile_file(folder.path()).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` is a folder, not a file", folder.path()));
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn links_are_followed() {
        let (folder, other) = (Folder::new(), Folder::new());
        other.write("deep/a.csv", "x\n1\n");
        symlink(other.path().join("deep"), folder.path().join("link")).unwrap();
        symlink(other.path().join("deep/a.csv"), folder.path().join("b.csv")).unwrap();
        symlink("nowhere", folder.path().join(".#lock")).unwrap();
        assert_eq!(data_files(folder.path()).unwrap(), ["b.csv", "link/a.csv"]);
        assert_eq!(profile_path(folder.path()).unwrap().tables().count(), 2);
    }

    #[test]
    fn a_link_in_a_circle_is_an_error() {
        let folder = Folder::new();
        folder.write("a.csv", "x\n1\n");
        symlink(folder.path(), folder.path().join("round")).unwrap();
        let error = data_files(folder.path()).unwrap_err();
        let link = folder.path().join("round");
        assert_eq!(error.to_string(), format!("`{link}` is a link to a folder that it lies in; remove it"));
    }

    #[test]
    fn sockets_are_no_data() {
        let folder = Folder::new();
        let path = folder.path().join("socket");
        let _listener = UnixListener::bind(&path).unwrap();
        assert_eq!(data_files(folder.path()).unwrap(), [""; 0]);
        let message = format!("`{path}` is neither a file nor a folder");
        assert_eq!(profile_path(&path).unwrap_err().to_string(), message);
        assert_eq!(data_files(&path).unwrap_err().to_string(), message);
    }

    #[test]
    fn names_that_are_not_utf8_are_an_error() {
        let folder = Folder::new();
        std::fs::write(folder.path().as_std_path().join(OsStr::from_bytes(b"a\xFF.csv")), "x\n").unwrap();
        let error = data_files(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "the name of `a\u{fffd}.csv` is not UTF-8; rename the file");
    }
}
