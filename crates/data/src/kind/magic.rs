//! What a file is by its first bytes where it is nothing that is read, whatever its name promises.

use runtime_testing_models::{Compression, DataFinding, FileFormat};

use crate::findings::{damaged, unreadable, unreadable_on};
use crate::kind::name::is_text;

/// What a file is that cannot be the table or the JSON that its name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Foreign {
    /// Data in another form, in which what was promised may be.
    Compressed(&'static str),
    /// Nothing of what was promised.
    Other(&'static str),
}

use Foreign::{Compressed, Other};

/// The finding about a file that begins like this and whose name promises a format, if it is something else that is known by
/// its first bytes and not read.
pub(crate) fn foreign(head: &[u8], named: FileFormat) -> Option<DataFinding> {
    let found = match by_mark(head) {
        None if is_text(named) => no_text(head).map(Other),
        found => found,
    };
    found.map(|found| match found {
        Compressed(what) => unreadable(format!("this is {what}, and not {named}")),
        Other(what) => damaged(format!("this is {what}, and not {named}")),
    })
}

/// The finding about a file that does not begin as compressed data does, although its name promises that, and is no text
/// either.
pub(crate) fn not_compressed(head: &[u8], promised: Compression) -> Option<DataFinding> {
    let mark: &[u8] = match promised {
        Compression::Gzip => b"\x1F\x8B\x08",
        Compression::Zstd => b"\x28\xB5\x2F\xFD",
        _ => return None,
    };
    if mark.starts_with(head) {
        return Some(damaged(format!("the {promised} data is cut off")));
    }
    let is_text = head.iter().all(|byte| is_of_text(char::from(*byte))) || is_wide_text(head);
    (!is_text).then(|| damaged(format!("this is not compressed with {promised}, and no text either")))
}

/// What a file is whose first bytes tell it.
fn by_mark(head: &[u8]) -> Option<Foreign> {
    const MARKS: [(&[u8], Foreign); 26] = [
        (b"PK\x03\x04", Other("a ZIP archive or a workbook")),
        (b"BZh", Compressed("compressed with bzip2")),
        (b"\xFD7zXZ\0", Compressed("compressed with xz")),
        (b"\x04\x22\x4D\x18", Compressed("compressed with LZ4")),
        (b"\xFF\x06\0\0sNaPpY", Compressed("compressed with Snappy")),
        (b"SQLite format 3\0", Other("an SQLite database")),
        (b"\x89HDF\r\n\x1A\n", Other("HDF5")),
        (b"\x93NUMPY", Other("a NumPy array")),
        (b"Obj\x01", Other("Avro")),
        (b"%PDF-", Other("a PDF document")),
        (b"\x89PNG\r\n\x1A\n", Other("a PNG image")),
        (b"\xFF\xD8\xFF", Other("a JPEG image")),
        (b"GIF8", Other("a GIF image")),
        (b"RIFF", Other("a RIFF container, such as a WebP image")),
        (b"ORC", Other("ORC")),
        (b"7z\xBC\xAF\x27\x1C", Other("a 7z archive")),
        (b"\x7FELF", Other("a program")),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Other("an old Office document")),
        (b"\x80\x02", Other("a pickle")),
        (b"\x80\x03", Other("a pickle")),
        (b"\x80\x04", Other("a pickle")),
        (b"\x80\x05", Other("a pickle")),
        (b"(dp0\n", Other("a pickle")),
        (b"(lp0\n", Other("a pickle")),
        (b"}q\0", Other("a pickle")),
        (b"]q\0", Other("a pickle")),
    ];
    // Text begins with a few letters too.
    let is_text = |mark: &[u8]| match mark {
        b"BZh" => head.get(4..8).is_none_or(|next| next != b"1AY&"),
        b"GIF8" | b"RIFF" | b"ORC" => head.iter().all(|byte| is_of_text(char::from(*byte))),
        _ => false,
    };
    let marked = MARKS.into_iter().find(|(mark, _)| head.starts_with(mark) && !is_text(mark));
    if let Some((_, found)) = marked {
        return Some(found);
    }
    // Its first field, a name, is filled up with zeros.
    if head.get(257..262) == Some(b"ustar") && head[..257].contains(&0) {
        return Some(Other("a tar archive"));
    }
    markup(head).map(Other)
}

/// Whether a text is a page or a message in tags, as servers answer in place of a table.
fn markup(head: &[u8]) -> Option<&'static str> {
    const BEGINNINGS: [(&str, &str); 5] = [
        ("<!doctype html", "HTML"),
        ("<html>", "HTML"),
        ("<html ", "HTML"),
        ("<table ", "HTML"),
        ("<?xml ", "XML"),
    ];
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let begins =
        |mark: &str| text.get(..mark.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(mark.as_bytes()));
    BEGINNINGS.into_iter().find(|(mark, _)| begins(mark)).map(|(_, what)| what)
}

/// The finding about a text in an encoding of two or four bytes a character, with a mark in front or without.
pub(crate) fn wide_text(head: &[u8]) -> Option<DataFinding> {
    const MARKS: [(&[u8], &str); 4] = [
        (b"\xFF\xFE\0\0", "UTF-32"),
        (b"\0\0\xFE\xFF", "UTF-32"),
        (b"\xFF\xFE", "UTF-16"),
        (b"\xFE\xFF", "UTF-16"),
    ];
    let marked = MARKS.into_iter().find(|(mark, _)| head.starts_with(mark)).map(|(_, name)| name);
    let zeros = head.iter().filter(|byte| **byte == 0).count();
    // In letters of most languages with an alphabet every second byte is zero, or three of four.
    let unmarked = || match (zeros * 10).checked_div(head.len())? {
        0..4 => None,
        share => is_wide_text(head).then_some(if share < 7 { "UTF-16" } else { "UTF-32" }),
    };
    let name = marked.or_else(unmarked)?;
    Some(unreadable_on(1, format!("the text is {name}; write it as UTF-8")))
}

/// What a file is that can be a text in no encoding.
fn no_text(head: &[u8]) -> Option<&'static str> {
    if head.iter().all(|byte| *byte == 0) {
        return Some("a run of zero bytes");
    }
    let is_other = std::str::from_utf8(head).is_err_and(|error| error.error_len().is_some());
    // Zeros fill up texts of a fixed length, and some programs separate cells by other control characters.
    let has_control = head.iter().any(|byte| matches!(byte, 0x01..=0x08 | 0x0E..=0x19));
    let is_binary = is_other && head.contains(&0) && has_control && !is_wide_text(head);
    is_binary.then_some("binary data")
}

/// Whether bytes are text in UTF-16 or UTF-32 with what separates cells and lines, of which the last character may be cut
/// off.
fn is_wide_text(head: &[u8]) -> bool {
    if !head.contains(&0) {
        return false;
    }
    let (pairs, _) = head.as_chunks::<2>();
    let (fours, _) = head.as_chunks::<4>();
    let is_text = |characters: Vec<Option<char>>| {
        let whole = &characters[..characters.len().saturating_sub(1)];
        whole.iter().all(|character| character.is_some_and(is_of_text))
            && whole.iter().flatten().any(char::is_ascii)
    };
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        is_text(char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).map(Result::ok).collect())
    };
    let utf32 =
        |unit: fn([u8; 4]) -> u32| is_text(fours.iter().map(|four| char::from_u32(unit(*four))).collect());
    utf16(u16::from_le_bytes)
        || utf16(u16::from_be_bytes)
        || utf32(u32::from_le_bytes)
        || utf32(u32::from_be_bytes)
}

fn is_of_text(character: char) -> bool {
    !character.is_ascii_control() || matches!(character, '\t' | '\r' | '\n')
}

/// What the first bytes of a file say of its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Magic {
    Parquet,
    ArrowFile,
    /// The marker of a message's start. Four bytes that stand for no letter; other binary files begin with them too.
    ArrowStream,
    FeatherOne,
}

/// The format's mark at the start of `head`. Most marks are letters, with which the header of a text may begin too: in a
/// file whose name promises no binary format they count only in front of what is no text.
pub(crate) fn magic(head: &[u8], named: FileFormat) -> Option<Magic> {
    const MARKS: [(&[u8], Magic); 4] = [
        (b"PAR1", Magic::Parquet),
        (b"ARROW1", Magic::ArrowFile),
        (&[0xFF; 4], Magic::ArrowStream),
        (b"FEA1", Magic::FeatherOne),
    ];
    if (is_text(named) || named == FileFormat::Opaque) && !head.iter().any(is_binary) {
        return None;
    }
    MARKS.into_iter().find(|(mark, _)| head.starts_with(mark)).map(|(_, magic)| magic)
}

/// Whether a byte stands in no text, whatever its encoding.
fn is_binary(byte: &u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n')
}

/// Whether a text begins as JSON arrays and objects do.
pub(crate) fn begins_as_json(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    matches!(head.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Whether a text begins as a table of several columns, and with what between them.
pub(crate) fn begins_as_table(head: &[u8]) -> Option<FileFormat> {
    // The last character may be cut off.
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    if text.chars().any(|character| character.is_control() && !matches!(character, '\t' | '\r' | '\n')) {
        return None;
    }
    let header = text.trim_start_matches(['\r', '\n']).lines().next()?;
    if header.contains([',', ';', '|']) {
        Some(FileFormat::Csv)
    } else {
        header.contains('\t').then_some(FileFormat::Tsv)
    }
}

#[cfg(test)]
mod tests {
    use runtime_testing_models::FindingKind;

    use super::*;

    #[track_caller]
    fn check(head: &[u8], expected: Option<(&str, FindingKind)>) {
        let found = foreign(head, FileFormat::Csv);
        let found = found.as_ref().map(|finding| (finding.message.as_str(), finding.kind));
        let expected = expected.map(|(what, kind)| (format!("this is {what}, and not csv"), kind));
        assert_eq!(found, expected.as_ref().map(|(message, kind)| (message.as_str(), *kind)));
    }

    #[test]
    fn files_of_other_kinds() {
        let check = |head: &[u8], what| check(head, Some((what, FindingKind::Damaged)));
        check(b"PK\x03\x04\x14\0", "a ZIP archive or a workbook");
        check(b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", "a PNG image");
        check(b"GIF89a\x01\0\x01\0", "a GIF image");
        check(b"\x80\x04\x95\x10\0", "a pickle");
        check(b" \n<!DOCTYPE html>", "HTML");
        check(b"\xEF\xBB\xBF<HTML lang=\"en\">", "HTML");
        check(b"<?xml version=\"1.0\"?><Error/>", "XML");
        let mut tar = b"a.csv".to_vec();
        tar.resize(257, 0);
        check(&[&tar, &b"ustar\0"[..]].concat(), "a tar archive");
        check(&[0], "a run of zero bytes");
        check(&[0; 512], "a run of zero bytes");
        check(b"\xC3\x28\x01\x02\0\0\xFF\xFE\0", "binary data");
    }

    #[test]
    fn compressed_data_may_hold_what_was_promised() {
        let check = |head: &[u8], what| check(head, Some((what, FindingKind::Unreadable)));
        check(b"BZh91AY&SY", "compressed with bzip2");
        check(b"\x04\"M\x18d@\xA7", "compressed with LZ4");
        check(b"\xFF\x06\0\0sNaPpY\0", "compressed with Snappy");
    }

    #[test]
    fn text_that_begins_like_something_else() {
        for text in
            ["BZh,b\n1,2\n", "a,b\n", "GIF8,x\n", "RIFF\n1\n", "ORC,ELF\n1,2\n", "<b>,<i>\n", "<htmlx"]
        {
            check(text.as_bytes(), None);
        }
        check(format!("{}ustar\n1\n", "a".repeat(257)).as_bytes(), None);
    }

    #[test]
    fn text_in_other_encodings() {
        let text = "name,\u{e9}t\u{e9},\u{4e00}\n1,2,3\n";
        let wide = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        let utf32 = |unit: fn(u32) -> [u8; 4]| {
            text.chars().flat_map(|character| unit(u32::from(character))).collect::<Vec<u8>>()
        };
        for text in [
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
            [&b"\xFF\xFE"[..], &wide(u16::to_le_bytes)].concat(),
            utf32(u32::to_le_bytes),
            utf32(u32::to_be_bytes),
            b"caf\xE9,b\n1,2\n".to_vec(),
            b"caf\xE9\x01b\n1\x012\n".to_vec(),
            b"caf\xE9\0\0,b\n1,2\n".to_vec(),
            b"a\0\0,b\x01\n".to_vec(),
        ] {
            check(&text, None);
        }
    }

    #[test]
    fn names_that_promise_compressed_data() {
        let is_found = |head: &[u8]| not_compressed(head, Compression::Gzip).is_some();
        for text in [&b"a,b\n1,2\n"[..], b"caf\xE9,b\n", b"a\0,\0\xE9\0\n\0", b"\x28a)\n"] {
            assert!(!is_found(text), "{text:?}");
        }
        for binary in [&b"\x1F\x8B"[..], b"\xDE\xAD\0\xEF\x02", b"\x01\x02"] {
            assert!(is_found(binary), "{binary:?}");
        }
        assert!(not_compressed(b"\x28\xB5\x2F", Compression::Zstd).is_some());
    }

    #[test]
    fn beginnings_of_tables() {
        assert_eq!(begins_as_table(b"a,b\n1,2\n"), Some(FileFormat::Csv));
        assert_eq!(begins_as_table(b"\na;b\n1;2\n"), Some(FileFormat::Csv));
        assert_eq!(begins_as_table(b"a\tb\n1\t2\n"), Some(FileFormat::Tsv));
        assert_eq!(begins_as_table(b"a,\xC3"), Some(FileFormat::Csv));
        assert_eq!(begins_as_table(b"a,\xFFb"), None);
        assert_eq!(begins_as_table(b"a,\0\n"), None);
        assert_eq!(begins_as_table(b"a\n1,2\n"), None);
    }

    #[test]
    fn marks() {
        for named in [FileFormat::Csv, FileFormat::Parquet, FileFormat::Opaque] {
            assert_eq!(magic(b"PAR1\x15\x04", named), Some(Magic::Parquet));
            assert_eq!(magic(b"ARROW1\0\0", named), Some(Magic::ArrowFile));
            assert_eq!(magic(b"\xFF\xFF\xFF\xFF\x10", named), Some(Magic::ArrowStream));
            assert_eq!(magic(b"FEA1\0", named), Some(Magic::FeatherOne));
            assert_eq!(magic(b"PAR", named), None);
            assert_eq!(magic(b"a,b\n", named), None);
        }
        for named in [FileFormat::Csv, FileFormat::Ndjson, FileFormat::Opaque] {
            assert_eq!(magic(b"PAR1,PAR2\r\n1,\xE9\n", named), None);
            assert_eq!(magic(b"FEA1\tx\n", named), None);
            assert_eq!(magic(b"ARROW1,b\n", named), None);
        }
        // It may be cut off.
        assert_eq!(magic(b"PAR1", FileFormat::Parquet), Some(Magic::Parquet));
    }

    #[test]
    fn beginnings_of_json() {
        assert!(begins_as_json(b" \r\n{"));
        assert!(begins_as_json(b"\xEF\xBB\xBF[1]"));
        assert!(!begins_as_json(b"a,{"));
        assert!(!begins_as_json(b""));
    }

    #[test]
    fn wide_texts() {
        let text = "id,name\n1,a\n";
        let utf16: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let four: Vec<u8> = text.chars().flat_map(|character| u32::from(character).to_le_bytes()).collect();
        let told = |head: &[u8]| wide_text(head).map(|finding| finding.message);
        for (bytes, name) in [(little, "UTF-16"), (big, "UTF-16"), (four, "UTF-32")] {
            assert_eq!(told(&bytes), Some(format!("the text is {name}; write it as UTF-8")));
        }
        assert_eq!(told(b"\xFF\xFEa\0"), Some("the text is UTF-16; write it as UTF-8".to_owned()));
        for other in [text.as_bytes(), b"", b"1,a\0b", b"\0\0\0\0"] {
            assert_eq!(told(other), None);
        }
    }
}
