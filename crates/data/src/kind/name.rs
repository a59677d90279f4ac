use camino::Utf8Path;
use runtime_testing_models::{Compression, FileFormat, FileKind};

/// The format that a path's extension names, in any letter case: [`FileFormat::Opaque`] where it names none. A text may be
/// compressed, which a second extension says.
///
/// ```
/// use runtime_testing_data::format_of_extension;
/// use runtime_testing_models::FileFormat;
///
/// assert_eq!(format_of_extension("out/train.CSV".into()), FileFormat::Csv);
/// assert_eq!(format_of_extension("out/train.csv.gz".into()), FileFormat::Csv);
/// assert_eq!(format_of_extension("model.pkl".into()), FileFormat::Opaque);
/// ```
pub fn format_of_extension(path: &Utf8Path) -> FileFormat {
    kind_of_name(path).format
}

/// Whether this build reads the content of files of a kind: Parquet with the feature `parquet`, compressed text with the
/// feature `compression`, all else always. What is opaque has no content that could be read.
///
/// ```
/// use runtime_testing_data::can_read;
/// use runtime_testing_models::FileFormat;
///
/// assert!(can_read(FileFormat::Csv.into()));
/// assert_eq!(can_read(FileFormat::Parquet.into()), cfg!(feature = "parquet"));
/// ```
pub fn can_read(kind: FileKind) -> bool {
    let FileKind { format, compression } = kind;
    (cfg!(feature = "parquet") || format != FileFormat::Parquet)
        && (cfg!(feature = "compression") || compression.is_none())
}

/// What a path's extensions promise.
pub(crate) fn kind_of_name(path: &Utf8Path) -> FileKind {
    let compression = match lower_extension(path).as_str() {
        "gz" => Compression::Gzip,
        "zst" => Compression::Zstd,
        extension => return format_named(extension).into(),
    };
    let inner = path.file_stem().unwrap_or_default();
    let format = format_named(&lower_extension(inner.into()));
    if is_text(format) {
        FileKind { format, compression: Some(compression) }
    } else {
        FileFormat::Opaque.into()
    }
}

fn lower_extension(path: &Utf8Path) -> String {
    path.extension().unwrap_or_default().to_ascii_lowercase()
}

fn format_named(extension: &str) -> FileFormat {
    match extension {
        "csv" => FileFormat::Csv,
        "tsv" | "tab" => FileFormat::Tsv,
        "json" => FileFormat::Json,
        "ndjson" | "jsonl" => FileFormat::Ndjson,
        "parquet" | "pq" => FileFormat::Parquet,
        "arrow" | "feather" | "ipc" => FileFormat::ArrowIpc,
        "arrows" => FileFormat::ArrowStream,
        _ => FileFormat::Opaque,
    }
}

/// Whether files of a format are text.
pub(crate) fn is_text(format: FileFormat) -> bool {
    use FileFormat::{Csv, Json, JsonObject, Ndjson, Tsv};

    matches!(format, Csv | Tsv | Json | JsonObject | Ndjson)
}

/// The format that a path promises in a form that is not read, such as `a.csv.bz2` and `a.parquet.gz`.
pub(crate) fn format_within(path: &Utf8Path) -> Option<FileFormat> {
    const OUTER: [&str; 10] = ["gz", "zst", "bz2", "xz", "lz4", "zip", "br", "snappy", "lzma", "z"];
    let inner = path.file_stem().filter(|_| OUTER.contains(&lower_extension(path).as_str()))?;
    Some(format_named(&lower_extension(inner.into()))).filter(|format| *format != FileFormat::Opaque)
}

/// What a path promises, if a file of this kind does not keep it. A stream of Arrow data in a file called `.arrow` or
/// `.ipc` does: what reads those takes both. What reads `.feather` takes files alone. And `.json` is any one value.
pub(crate) fn broken_promise(path: &Utf8Path, found: FileKind) -> Option<FileKind> {
    let promised = kind_of_name(path);
    let is_stream_too = promised.format == FileFormat::ArrowIpc
        && found == FileFormat::ArrowStream.into()
        && lower_extension(path) != "feather";
    let is_object = promised.format == FileFormat::Json
        && found == FileKind { format: FileFormat::JsonObject, ..promised };
    let is_kept = promised == found || is_stream_too || is_object;
    (promised.format != FileFormat::Opaque && !is_kept).then_some(promised)
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
        check(&["a.arrow", "a.feather", "a.ipc"], FileFormat::ArrowIpc);
        check(&["a.arrows"], FileFormat::ArrowStream);
        check(&["a.csv.gz", "a.CSV.GZ", "b/a.x.csv.zst"], FileFormat::Csv);
        check(&["a.jsonl.zst"], FileFormat::Ndjson);
        check(&["a", "csv", ".csv", "a.csv.bz2", "a.txt", "", "a."], FileFormat::Opaque);
        check(
            &["a.gz", "a.tar.gz", "a.parquet.gz", "a.gz.csv.gz.gz", "csv.gz", ".csv.gz"],
            FileFormat::Opaque,
        );
    }

    #[test]
    fn formats_within_what_is_not_read() {
        assert_eq!(format_within("out/a.csv.BZ2".into()), Some(FileFormat::Csv));
        assert_eq!(format_within("a.parquet.gz".into()), Some(FileFormat::Parquet));
        for path in ["a.csv", "a.tar.gz", "a.gz", "csv.gz", "a.csv.txt", "a"] {
            assert_eq!(format_within(path.into()), None, "{path}");
        }
    }

    #[track_caller]
    fn check_promise(path: &str, found: impl Into<FileKind>, promised: Option<&str>) {
        let broken = broken_promise(path.into(), found.into()).map(|kind| kind.to_string());
        assert_eq!(broken.as_deref(), promised, "{path}");
    }

    #[test]
    fn promises() {
        let gzip = |format| FileKind { format, compression: Some(Compression::Gzip) };
        check_promise("a.csv", FileFormat::Csv, None);
        check_promise("a.csv", FileFormat::Json, Some("csv"));
        check_promise("a.tsv", FileFormat::Csv, Some("tsv"));
        check_promise("a.json", FileFormat::Ndjson, Some("json"));
        check_promise("a.jsonl", FileFormat::Json, Some("ndjson"));
        check_promise("a.parquet", FileFormat::Opaque, Some("parquet"));
        check_promise("part-0", FileFormat::Parquet, None);
        check_promise("a.pkl", FileFormat::Parquet, None);
        check_promise("a.csv", gzip(FileFormat::Csv), Some("csv"));
        check_promise("a.csv.gz", gzip(FileFormat::Csv), None);
        check_promise("a.csv.gz", FileFormat::Csv, Some("csv in gzip"));
        check_promise("a.csv.zst", gzip(FileFormat::Csv), Some("csv in zstd"));
        check_promise("a.json", FileFormat::JsonObject, None);
        check_promise("a.json.gz", gzip(FileFormat::JsonObject), None);
        check_promise("a.json.gz", FileFormat::JsonObject, Some("json in gzip"));
        check_promise("a.csv", FileFormat::JsonObject, Some("csv"));
        check_promise("a.arrow", FileFormat::ArrowStream, None);
        check_promise("a.ipc", FileFormat::ArrowStream, None);
        check_promise("a.feather", FileFormat::ArrowStream, Some("arrow_ipc"));
        check_promise("a.arrows", FileFormat::ArrowIpc, Some("arrow_stream"));
    }
}
