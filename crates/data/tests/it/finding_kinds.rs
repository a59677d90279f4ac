//! What is broken, whoever reads it, and what others may be able to read.

use runtime_testing_data::{SampleData, profile_file};
use runtime_testing_models::FindingKind::{self, Damaged, Unreadable};

use crate::folder::Folder;

/// The kinds of what is found in a file, each once.
fn kinds(name: &str, content: &[u8]) -> Vec<FindingKind> {
    let folder = Folder::new();
    let profile = profile_file(&folder.write(name, content)).expect("a file that can be read");
    let mut kinds = Vec::new();
    for finding in &profile.findings {
        if !kinds.contains(&finding.kind) {
            kinds.push(finding.kind);
        }
    }
    kinds
}

#[track_caller]
fn check(name: &str, content: impl AsRef<[u8]>, expected: &[FindingKind]) {
    let content = content.as_ref();
    assert_eq!(kinds(name, content), expected, "{name}: {:?}", String::from_utf8_lossy(content));
}

/// A good file, as the crate writes it.
fn good(name: &str) -> Vec<u8> {
    let folder = Folder::new();
    let path = SampleData::default().write(&folder.path().join(name)).expect("sample data can be written");
    std::fs::read(path).expect("what was just written")
}

/// A good file, cut off behind some of its bytes.
fn cut_off(name: &str, part: f64) -> Vec<u8> {
    let mut bytes = good(name);
    bytes.truncate((bytes.len() as f64 * part) as usize);
    bytes
}

const PNG: &[u8] = b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xDE";
const HTML: &str = "<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n";

#[test]
fn files_without_a_byte_are_damaged_if_their_names_promise_data() {
    for name in [
        "a.csv",
        "a.CSV",
        "a.tsv",
        "a.tab",
        "a.json",
        "a.ndjson",
        "a.jsonl",
        "a.parquet",
        "a.pq",
        "a.arrow",
        "a.feather",
        "a.ipc",
        "a.arrows",
        "a.csv.gz",
        "a.json.zst",
        "a.csv.bz2",
        "a.ndjson.xz",
        "a.parquet.gz",
    ] {
        check(name, "", &[Damaged]);
    }
    for name in ["a", "a.txt", "a.pkl", "a.tar.gz", "a.md", "csv", "a.log"] {
        check(name, "", &[]);
    }
}

#[test]
fn little_is_no_damage() {
    check("a.csv", "a,b\n", &[]);
    check("a.csv", "a", &[]);
    check("a.tsv", "a\tb\n", &[]);
    check("a.json", "[]", &[]);
    check("a.json", "{}", &[]);
    check("a.json", "null\n", &[]);
    check("a.ndjson", "\n", &[]);
    check("a.ndjson", "{}\n", &[]);
    check("a.csv", "\n", &[Unreadable]);
}

#[test]
fn json_that_is_cut_off_is_damaged() {
    for text in [
        " ",
        "[",
        "{",
        "[{\"a\": 1},",
        "[{\"a\": 1}",
        "{\"a\": [1, 2",
        "{\"a\"",
        "{\"a\":",
        "[{\"a\": \"x",
        "[{\"a\": \"x\\",
        "[{\"a\": \"\\u00",
        "[{\"a\": \"\\ud83d",
        "[1.",
        "[-",
        "[1e",
        "[1, 2",
    ] {
        check("a.json", text, &[Damaged]);
    }
    check("a.json", b"{\"a\": \"caf\xC3", &[Damaged]);
    check("a.ndjson", "{\"a\": 1}\n{\"a\": 2", &[Damaged]);
    check("a.ndjson", b"{\"a\": 1}\n{\"a\": \"caf\xC3", &[Damaged]);
    // Behind more lines than are told.
    check("a.ndjson", format!("{}{{\"a\": 2", "[]\n".repeat(20)), &[Unreadable, Damaged]);
}

#[test]
fn json_that_others_may_read_is_unreadable() {
    for text in [
        "[{\"a\": NaN}]",
        "[-Infinity]",
        "{'a': 1}",
        "{a: 1}",
        "[1, 2,]",
        "[01]",
        "[1.]",
        "01",
        "// a comment\n{}",
        "{\"a\": 1} {\"a\": 2}",
        "\u{feff}[]",
        "{\"a\": 1, \"a\": 2}",
        "[\"\\ud83d\"]",
        "a text",
    ] {
        check("a.json", text, &[Unreadable]);
    }
    check("a.json", "[".repeat(200) + &"]".repeat(200), &[Unreadable]);
    check("a.json", b"{\"a\": \"caf\xE9\"}", &[Unreadable]);
    check("a.json", b"\xFF\xFE{\0}\0", &[Unreadable]);
    check("a.ndjson", "{\"a\": 1\n{\"a\": 2}\n", &[Unreadable]);
    // Objects on several lines.
    check("a.ndjson", "{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n", &[Unreadable]);
    check("a.ndjson", "1\n2", &[Unreadable]);
}

#[test]
fn csv_in_another_dialect_or_encoding_is_unreadable() {
    for text in ["a,b\n1\n", "a,b\n1,2,3\n", "a,a\n1,2\n", "a,b\n1,\"2\n", "1,2.5\n3,4.5\n", "a,b\n'1,2',3\n"]
    {
        check("a.csv", text, &[Unreadable]);
    }
    check("a.csv", b"caf\xE9,b\n1,2\n", &[Unreadable]);
    check("a.csv", b"caf\xE9\0\0\0,b\n1,2\n", &[Unreadable]);
    check("a.csv", b"\xFF\xFEa\0,\0b\0\n\0", &[Unreadable]);
    check("a.csv", b"a\0,\0\xE9\0\n\0\x31\0,\0\x32\0\n\0", &[Unreadable]);
    check("a.csv", "a,b\n1,caf\u{e9}".as_bytes().split_last().expect("a text").1, &[Unreadable]);
}

#[test]
fn what_is_not_at_all_what_its_name_promises_is_damaged() {
    for name in ["a.csv", "a.tsv", "a.json", "a.ndjson", "a.parquet", "a.arrow", "a.feather", "a.arrows"] {
        check(name, PNG, &[Damaged]);
        check(name, HTML, &[Damaged]);
        check(name, [0; 4096], &[Damaged]);
        check(name, b"\x80\x04\x95\x0b\0\0\0\0\0\0\0}\x94", &[Damaged]);
        check(name, b"PK\x03\x04\x14\0\0\0", &[Damaged]);
    }
    check("a.csv", b"\xF3\x0D\x0D\x0A\0\0\0\0\x01\xE3\0\xFF\x02", &[Damaged]);
    for name in ["a.parquet", "a.arrow", "a.arrows"] {
        check(name, "some text\n", &[Damaged]);
        check(name, "a,b\n1\n", &[Damaged]);
    }
    check("a.csv.gz", PNG, &[Damaged]);
    check("a.csv.gz", b"\x1F\x8B", &[Damaged]);
    check("a.csv.zst", b"\x28\xB5\x2F", &[Damaged]);
    // What can be read all the same is told by the format that was found.
    check("a.csv", "[{\"a\": 1}]", &[]);
    check("a.parquet", "a,b\n1,2\n", &[]);
    check("a.csv", good("a.arrow"), &[]);
    check("a.pkl", PNG, &[]);
}

#[test]
fn what_is_not_supported_is_unreadable() {
    check("a.csv", b"BZh91AY&SY\0\0", &[Unreadable]);
    check("a.feather", "FEA1....", &[Unreadable]);
    check("a.parquet", b"PARE\x15\0\0\0\0\0\0\0PARE", &[Unreadable]);
}

#[test]
fn arrow_ipc_that_is_cut_off_or_changed_is_damaged() {
    for name in ["a.arrow", "a.arrows"] {
        check(name, good(name), &[]);
        for part in [0.01, 0.05, 0.3, 0.6, 0.9] {
            check(name, cut_off(name, part), &[Damaged]);
        }
    }
    check("a.csv", cut_off("a.arrow", 0.5), &[Damaged]);
    let mut bytes = good("a.arrow");
    let end = bytes.len() - 10;
    bytes[end..end + 4].copy_from_slice(&i32::MAX.to_le_bytes());
    check("a.arrow", bytes, &[Damaged]);
    let mut bytes = good("a.arrows");
    bytes[8..40].fill(0xEE);
    check("a.arrows", bytes, &[Damaged]);
}

#[test]
fn arrow_ipc_of_early_versions_is_unreadable() {
    // Without the marker that each message begins with.
    let stream = good("a.arrows");
    for name in ["a.arrows", "a.arrow"] {
        check(name, &stream[4..], &[Unreadable]);
        check(name, &stream[8..], &[Damaged]);
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_that_is_cut_off_or_lacks_bytes_is_damaged() {
    let whole = good("a.parquet");
    check("a.parquet", &whole, &[]);
    for part in [0.01, 0.05, 0.3, 0.6, 0.9] {
        check("a.parquet", cut_off("a.parquet", part), &[Damaged]);
        check("a.csv", cut_off("a.parquet", 0.5), &[Damaged]);
    }
    check("a.parquet", &whole[4..], &[Damaged]);
    let footer = u32::from_le_bytes(whole[whole.len() - 8..][..4].try_into().expect("four bytes")) as usize;
    let without_data = [b"PAR1", &whole[whole.len() - 8 - footer..]].concat();
    check("a.parquet", without_data, &[Damaged]);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_without_the_feature_is_unreadable() {
    check("a.parquet", "PAR1....PAR1", &[Unreadable]);
}

#[cfg(feature = "compression")]
#[test]
fn compressed_texts_that_are_cut_off_are_damaged() {
    for name in ["a.csv.gz", "a.csv.zst", "a.json.gz", "a.ndjson.zst"] {
        check(name, good(name), &[]);
        for part in [0.1, 0.5, 0.9] {
            check(name, cut_off(name, part), &[Damaged]);
        }
        let mut changed = good(name);
        let end = changed.len();
        changed[end - 6..].fill(0xEE);
        check(name, changed, &[Damaged]);
        check(name, [good(name), b"something else".to_vec()].concat(), &[Unreadable]);
    }
    let compressed = |text: &str| zstd::encode_all(text.as_bytes(), 0).expect("a slice can be compressed");
    check("a.csv.zst", compressed(""), &[Damaged]);
    check("a.csv.zst", compressed("a,b\n"), &[]);
    check("a.csv.zst", compressed("a,b\n1\n"), &[Unreadable]);
    check("a.csv.zst", compressed(HTML), &[Damaged]);
    check("a.json.zst", compressed("[{\"a\": 1}, {"), &[Damaged]);
}

#[cfg(not(feature = "compression"))]
#[test]
fn compressed_texts_without_the_feature_are_unreadable() {
    let compressed = zstd::encode_all(&b"a,b\n1,2\n"[..], 0).expect("a slice can be compressed");
    check("a.csv.zst", compressed, &[Unreadable]);
}
