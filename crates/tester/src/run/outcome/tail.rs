//! The end of what a script printed.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use camino::Utf8Path;

use crate::plain_file;

/// Reads at most `limit` bytes from the end of a file, from the beginning of a line where there is one in it. Returns
/// the text and the number of bytes before it. Bytes that are no UTF-8 are written as `\xNN`.
pub(crate) fn read_tail(path: &Utf8Path, limit: usize) -> io::Result<(String, u64)> {
    // A script may have put something there that never ends.
    let mut file = plain_file::open(path)?;
    let length = file.metadata()?.len();
    // One byte more, to see whether the tail begins at the beginning of a line.
    let wanted = (limit as u64).saturating_add(1);
    let start = length.saturating_sub(wanted);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(wanted).read_to_end(&mut bytes)?;
    let mut skipped = 0;
    if length > limit as u64 {
        skipped = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(newline) if newline + 1 < bytes.len() => newline + 1,
            // One long line: cut on a character.
            _ => 1 + bytes.iter().skip(1).take(3).take_while(|byte| **byte & 0xC0 == 0x80).count(),
        };
    }
    let mut text = String::new();
    for chunk in bytes.get(skipped..).unwrap_or_default().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    Ok((text, start + skipped as u64))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[track_caller]
    fn check(content: &[u8], limit: usize, expected: (&str, u64)) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("log");
        std::fs::write(&path, content).unwrap();
        let (text, omitted) = read_tail(&path, limit).unwrap();
        assert_eq!((text.as_str(), omitted), expected);
    }

    #[test]
    fn cuts_at_lines_and_characters() {
        check(b"", 10, ("", 0));
        check(b"one\ntwo\n", 10, ("one\ntwo\n", 0));
        check(b"one\ntwo\nthree\n", 10, ("two\nthree\n", 4));
        check(b"one\ntwo\nthree\n", 9, ("three\n", 8));
        check("aaaaéb".as_bytes(), 2, ("b", 6));
        check("aaaaéb".as_bytes(), 3, ("éb", 4));
        check(b"aaaa\n", 2, ("a\n", 3));
        check(b"\n", 0, ("", 1));
        check(b"one\ntwo\n", 7, ("two\n", 4));
        check(b"ok \xff\xfe\n", 10, ("ok \\xff\\xfe\n", 0));
    }
    #[test]
    fn a_gigabyte_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("log");
        let gigabyte = 1 << 30;
        let file = File::create(&path).unwrap();
        file.set_len(gigabyte).unwrap();
        let (text, omitted) = read_tail(&path, 100).unwrap();
        assert_eq!(text, "\0".repeat(100));
        assert_eq!(omitted, gigabyte - 100);
    }
}
