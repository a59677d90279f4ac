use camino::Utf8Path;
use runtime_testing_models::FileFormat;

/// The format that a path's extension names, in any letter case: [`FileFormat::Opaque`] where it names none.
///
/// ```
/// use runtime_testing_data::format_of_extension;
/// use runtime_testing_models::FileFormat;
///
/// assert_eq!(format_of_extension("out/train.CSV".into()), FileFormat::Csv);
/// assert_eq!(format_of_extension("model.pkl".into()), FileFormat::Opaque);
/// ```
pub fn format_of_extension(path: &Utf8Path) -> FileFormat {
    match path.extension().unwrap_or_default().to_ascii_lowercase().as_str() {
        "csv" => FileFormat::Csv,
        "tsv" | "tab" => FileFormat::Tsv,
        "json" => FileFormat::Json,
        "ndjson" | "jsonl" => FileFormat::Ndjson,
        "parquet" | "pq" => FileFormat::Parquet,
        "arrow" | "feather" | "ipc" | "arrows" => FileFormat::ArrowIpc,
        _ => FileFormat::Opaque,
    }
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

/// The format's mark at the start of `head`.
pub(crate) fn magic(head: &[u8]) -> Option<Magic> {
    const MARKS: [(&[u8], Magic); 4] = [
        (b"PAR1", Magic::Parquet),
        (b"ARROW1", Magic::ArrowFile),
        (&[0xFF; 4], Magic::ArrowStream),
        (b"FEA1", Magic::FeatherOne),
    ];
    MARKS.into_iter().find(|(mark, _)| head.starts_with(mark)).map(|(_, magic)| magic)
}

/// Whether a text begins as JSON arrays and objects do.
pub(crate) fn begins_as_json(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    matches!(head.trim_ascii_start().first(), Some(b'{' | b'['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(paths: &[&str], expected: FileFormat) {
        for path in paths {
            assert_eq!(format_of_extension(path.as_ref()), expected, "{path}");
        }
    }

    #[test]
    fn extensions() {
        check(&["a.csv", "x/y.b.Csv"], FileFormat::Csv);
        check(&["a.tsv", "a.TAB"], FileFormat::Tsv);
        check(&["a.json"], FileFormat::Json);
        check(&["a.ndjson", "a.jsonl"], FileFormat::Ndjson);
        check(&["a.parquet", "a.snappy.parquet", "a.pq"], FileFormat::Parquet);
        check(&["a.arrow", "a.feather", "a.ipc", "a.arrows"], FileFormat::ArrowIpc);
        check(&["a", "csv", ".csv", "a.csv.gz", "a.txt", "", "a."], FileFormat::Opaque);
    }

    #[test]
    fn marks() {
        assert_eq!(magic(b"PAR1...."), Some(Magic::Parquet));
        assert_eq!(magic(b"ARROW1\0\0"), Some(Magic::ArrowFile));
        assert_eq!(magic(b"\xFF\xFF\xFF\xFF\x10"), Some(Magic::ArrowStream));
        assert_eq!(magic(b"FEA1"), Some(Magic::FeatherOne));
        assert_eq!(magic(b"PAR"), None);
        assert_eq!(magic(b"a,b\n"), None);
    }

    #[test]
    fn beginnings_of_json() {
        assert!(begins_as_json(b" \r\n{"));
        assert!(begins_as_json(b"\xEF\xBB\xBF[1]"));
        assert!(!begins_as_json(b"a,{"));
        assert!(!begins_as_json(b""));
    }
}
