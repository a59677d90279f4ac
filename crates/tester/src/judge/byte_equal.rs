//! Whether two files or folders hold the same, byte for byte.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};

use camino::{Utf8DirEntry, Utf8Path, Utf8PathBuf};

/// How much of a file is in memory at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// Whether a script that is handed `other` finds there what it finds at `one`: files of the same names with the same
/// bytes, and, beside a file, whatever lies beside `one`. What cannot be read does not show that it is the same.
pub(crate) fn stands_for(one: &Utf8Path, other: &Utf8Path) -> bool {
    have_same_files(one, other).unwrap_or(false)
}

fn have_same_files(one: &Utf8Path, other: &Utf8Path) -> io::Result<bool> {
    if one.is_dir() != other.is_dir() {
        return Ok(false);
    }
    if one.is_dir() {
        return Ok(files_below(one)? == files_below(other)? && are_in(one, other)?);
    }
    match (one.parent(), other.parent()) {
        (Some(folder), Some(others)) if one.file_name() == other.file_name() => are_in(folder, others),
        _ => Ok(false),
    }
}

/// Whether the files of a folder are in another one too.
fn are_in(folder: &Utf8Path, other: &Utf8Path) -> io::Result<bool> {
    let is_there =
        |file: &Utf8PathBuf| has_same_bytes(&folder.join(file), &other.join(file)).unwrap_or(false);
    Ok(files_below(folder)?.iter().all(is_there))
}

/// All files below a folder, hidden ones too: a script may read what is no table.
fn files_below(folder: &Utf8Path) -> io::Result<BTreeSet<Utf8PathBuf>> {
    let mut files = BTreeSet::new();
    let mut folders = vec![Utf8PathBuf::new()];
    while let Some(below) = folders.pop() {
        for entry in folder.join(&below).read_dir_utf8()? {
            let entry: Utf8DirEntry = entry?;
            let path = below.join(entry.file_name());
            // What a link leads to may be above it.
            if fs::symlink_metadata(entry.path())?.is_dir() {
                folders.push(path);
            } else {
                files.insert(path);
            }
        }
    }
    Ok(files)
}

fn has_same_bytes(one: &Utf8Path, other: &Utf8Path) -> io::Result<bool> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let [mut one, mut other] = [one, other].map(|file| BufReader::with_capacity(BUFFER_BYTES, file));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let bytes = left.len().min(right.len());
        if left[..bytes] != right[..bytes] {
            return Ok(false);
        }
        if bytes == 0 {
            return Ok(left.len() == right.len());
        }
        one.consume(bytes);
        other.consume(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `one` and `other`, each a list of `path=content`, below folders of these names.
    #[track_caller]
    fn check(one: &[&str], other: &[&str], path: &str, expected: bool) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = Utf8Path::from_path(folder.path()).expect("the temporary folder has a UTF-8 name");
        for (name, files) in [("one", one), ("other", other)] {
            for file in files {
                let (file, content) = file.split_once('=').expect("path=content");
                let path = root.join(name).join(file);
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders can be made");
                std::fs::write(path, content).expect("files can be written");
            }
        }
        assert_eq!(stands_for(&root.join("one").join(path), &root.join("other").join(path)), expected);
    }

    #[test]
    fn files() {
        let long = format!("a.csv={}", "x".repeat(3 * BUFFER_BYTES));
        check(&[&long], &[&long], "a.csv", true);
        check(&[&long], &[&format!("{}y", &long[..long.len() - 1])], "a.csv", false);
        check(&["a.csv="], &["a.csv="], "a.csv", true);
        check(&["a.csv=1"], &["a.csv=12"], "a.csv", false);
        check(&["a.csv=1"], &["a.csv/b=1"], "a.csv", false);
        check(&["a.csv=1"], &["b.csv=1"], "a.csv", false);
    }

    #[test]
    fn what_lies_beside_a_file_counts() {
        check(&["a.shp=1"], &["a.shp=1", "other.shp=2"], "a.shp", true);
        check(&["a.shp=1", "a.dbf=2"], &["a.shp=1", "a.dbf=2"], "a.shp", true);
        check(&["a.shp=1", "a.dbf=2"], &["a.shp=1", "a.dbf=3"], "a.shp", false);
        check(&["a.shp=1", "a.dbf=2"], &["a.shp=1"], "a.shp", false);
    }

    #[test]
    fn folders() {
        check(&["d/a=1", "d/e/b=2"], &["d/a=1", "d/e/b=2"], "d", true);
        check(&["d/a=1", "d/.zarray=2"], &["d/a=1", "d/.zarray=3"], "d", false);
        check(&["d/a=1"], &["d/a=1", "d/b=2"], "d", false);
        check(&["d/a=1", "d/b=2"], &["d/a=1"], "d", false);
        check(&["d/a=1", "d/b=2"], &["d/a=1", "d/b=3"], "d", false);
    }
}
