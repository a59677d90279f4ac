//! Files in places that scripts can reach: nothing else is opened in their place, and no more is read than they may hold.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};

use camino::Utf8Path;

/// Opens a file to read it. A link, a pipe or a device in its place is an error.
pub(crate) fn open(path: &Utf8Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    without_links(&mut options);
    is_file(options.open(path)?)
}

fn is_file(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a file any more"))
    }
}

/// Reads a file of at most so many bytes. What is longer is an error, as what is no file is.
pub(crate) fn read(path: &Utf8Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

/// The same of what a link leads to, which may be a link of the user's own.
pub(crate) fn read_through(path: &Utf8Path, most: u64) -> io::Result<Vec<u8>> {
    read(&path.canonicalize_utf8()?, most)
}

/// Opens a file to add to it, and makes it where nothing is.
#[cfg(target_os = "linux")]
pub(crate) fn append(path: &Utf8Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    without_links(&mut options);
    is_file(options.open(path)?)
}

/// Makes a file, where nothing is.
pub(crate) fn create(path: &Utf8Path) -> io::Result<File> {
    File::create_new(path)
}

/// Writes a file, where nothing is.
pub(crate) fn write(path: &Utf8Path, content: &[u8]) -> io::Result<()> {
    io::Write::write_all(&mut create(path)?, content)
}

/// Does not follow a link at the end of a path, and does not wait for the other end of a pipe.
#[cfg(unix)]
fn without_links(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
}

#[cfg(not(unix))]
fn without_links(_options: &mut OpenOptions) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        write(&root.join("a"), b"12345").expect("nothing is there");
        assert_eq!(read(&root.join("a"), 5).expect("a file"), b"12345");
        assert_eq!(read(&root.join("a"), 4).expect_err("too much").to_string(), "it has more than 4 bytes");
        assert_eq!(
            write(&root.join("a"), b"").expect_err("it is there").kind(),
            io::ErrorKind::AlreadyExists
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn nothing_is_opened_in_place_of_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        std::fs::write(root.join("a"), "x").expect("a file");
        std::os::unix::fs::symlink("a", root.join("link")).expect("a link");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("pipe").as_std_path(),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .expect("a pipe");
        for name in ["link", "pipe", "."] {
            read(&root.join(name), 9).expect_err(name);
            create(&root.join(name)).expect_err(name);
            append(&root.join(name)).expect_err(name);
        }
        assert_eq!(std::fs::read_to_string(root.join("a")).expect("a file"), "x");
    }
}
