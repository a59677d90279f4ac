use camino::Utf8Path;
use runtime_testing_data::arrow::array::RecordBatch;
use runtime_testing_data::{profile_file, read_batches};
use runtime_testing_models::DataFinding;

use crate::folder::{Folder, shown};

/// `a,b` and `1,x`, each on a line, as `gzip` writes it.
const GZIP: [u8; 28] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x4b, 0xd4, 0x49, 0xe2, 0x32, 0xd4, 0xa9,
    0xe0, 0x02, 0x00, 0xf4, 0xa0, 0x01, 0x00, 0x08, 0x00, 0x00, 0x00,
];

/// The same, as `zstd` writes it.
const ZSTD: [u8; 21] = [
    0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x41, 0x00, 0x00, 0x61, 0x2c, 0x62, 0x0a, 0x31, 0x2c, 0x78, 0x0a,
    0x66, 0x03, 0x30, 0x1f,
];

/// Writes a file and checks its profile as text.
#[track_caller]
fn check(name: &str, content: impl AsRef<[u8]>, expected: &str) {
    let folder = Folder::new();
    let path = folder.write(name, content);
    assert_eq!(shown(&profile_file(&path).expect("a file that can be read")), format!("{name}: {expected}"));
}

/// The findings about a file, one a line.
fn findings(name: &str, content: &[u8]) -> String {
    let folder = Folder::new();
    let profile = profile_file(&folder.write(name, content)).expect("a file that can be read");
    profile.findings.iter().map(DataFinding::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(feature = "compression")]
mod with_the_feature {
    use std::sync::Arc;

    use runtime_testing_data::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use runtime_testing_data::{SampleData, read_batches, schema_of, write_batches};

    use super::*;
    use crate::folder::write_batch;

    #[test]
    fn texts_are_read_whatever_the_compression() {
        let columns = "1 rows\n  a: int64\n  b: text";
        check("a.csv.gz", GZIP, &format!("csv in gzip, {columns}"));
        check("a.csv.zst", ZSTD, &format!("csv in zstd, {columns}"));
        // Members and frames follow each other where files were put together.
        let two = "csv in gzip, 3 rows\n  a: text, row 2 is \"a\"\n  b: text";
        check("a.csv.gz", [GZIP, GZIP].concat(), two);
        check("a.csv.zst", [ZSTD, ZSTD].concat(), &two.replace("gzip", "zstd"));
    }

    #[test]
    fn names_and_compressions_have_to_agree() {
        let columns = "1 rows\n  a: int64\n  b: text";
        check("a.csv", GZIP, &format!("csv in gzip, promised csv, {columns}"));
        check("a.csv.gz", ZSTD, &format!("csv in zstd, promised csv in gzip, {columns}"));
        check("a.csv.gz", "a,b\n1,x\n", &format!("csv, promised csv in gzip, {columns}"));
        check("a.json.gz", GZIP, &format!("csv in gzip, promised json in gzip, {columns}"));
        check("a.parquet", GZIP, &format!("csv in gzip, promised parquet, {columns}"));
        check("a.txt.gz", GZIP, "opaque");
        check("a.parquet.gz", GZIP, "opaque");
    }

    #[test]
    fn binary_formats_are_not_looked_for_in_compressed_data() {
        let folder = Folder::new();
        let path = SampleData::default().write(&folder.path().join("a.arrow")).unwrap();
        let content = zstd::encode_all(&*std::fs::read(path).unwrap(), 0).unwrap();
        check(
            "a.csv.zst",
            &content,
            "arrow_ipc in zstd, promised csv in zstd\n  ! arrow_ipc in zstd is not supported: decompress it",
        );
    }

    #[test]
    fn damage_is_a_finding_that_says_where() {
        assert_eq!(
            findings("a.csv.gz", &GZIP[..24]),
            "line 3: the gzip data is cut off behind byte 8 of the text"
        );
        assert_eq!(
            findings("a.csv.zst", &ZSTD[..15]),
            "line 2: the zstd data is cut off behind byte 6 of the text"
        );
        let mut wrong_sum = GZIP;
        wrong_sum[20] ^= 1;
        assert_eq!(
            findings("a.csv.gz", &wrong_sum),
            "line 3: the gzip data is damaged behind byte 8 of the text"
        );
        for rest in ["x", "something that goes on"] {
            for (name, data) in [("gzip", &GZIP[..]), ("zstd", &ZSTD)] {
                assert_eq!(
                    findings("a.csv.gz", &[data, rest.as_bytes()].concat()),
                    format!(
                        "line 3: the {name} data is followed by something else behind byte 8 of the text"
                    )
                );
            }
        }
        assert_eq!(
            findings("a.ndjson.gz", &GZIP[..4]),
            "line 1: the gzip data is cut off behind byte 0 of the text"
        );
    }

    #[test]
    fn a_missing_header_is_told_in_compressed_text_too() {
        let rows = zstd::encode_all(&b"1,ann,2.5\n2,bob,0.5\n"[..], 0).unwrap();
        assert!(findings("a.csv.zst", &rows).starts_with("line 1: the first line looks like a row"));
    }

    #[test]
    fn nothing_in_a_good_frame_is_an_empty_file() {
        assert_eq!(findings("a.csv.zst", &zstd::encode_all(&b""[..], 0).unwrap()), "the file is empty");
    }

    #[test]
    fn what_grows_a_thousandfold_is_read_as_it_comes() {
        let text = ["a,b\n".to_owned(), "1,\n".repeat(1_000_000)].concat();
        let content = zstd::encode_all(text.as_bytes(), 0).unwrap();
        assert!(content.len() < 4_000);
        check("a.csv.zst", content, "csv in zstd, 1000000 rows\n  a: int64\n  b: null?, 1000000 nulls");
    }

    #[test]
    fn batches_go_in_and_out() {
        let columns: [(&str, ArrayRef); 2] = [
            ("a", Arc::new(Int64Array::from((0..20_000).collect::<Vec<_>>()))),
            ("b", Arc::new(StringArray::from(vec!["a text that is repeated"; 20_000]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let folder = Folder::new();
        for name in ["a.csv.gz", "a.tsv.zst", "a.json.zst", "a.ndjson.gz"] {
            let path = folder.path().join(name);
            write_batch(&path, &batch);
            assert!(std::fs::metadata(&path).unwrap().len() < 200_000, "{name} is compressed");
            assert_eq!(schema_of(&path).unwrap().fields().len(), 2);
            let read = read_batches(&path).unwrap();
            let copy = folder.path().join("copy.arrow");
            write_batches(&copy, &read.schema(), read).unwrap();
            let rows: usize = read_batches(&copy).unwrap().map(|batch| batch.unwrap().num_rows()).sum();
            assert_eq!(rows, 20_000, "{name}");
        }
        let written = std::fs::read(folder.path().join("a.csv.gz")).unwrap();
        write_batch(&folder.path().join("again.csv.gz"), &batch);
        assert_eq!(std::fs::read(folder.path().join("again.csv.gz")).unwrap(), written, "no time is in it");
    }
}

#[cfg(not(feature = "compression"))]
#[test]
fn compressed_texts_need_the_feature() {
    use runtime_testing_data::{SampleData, WriteTableError};

    let message =
        |compression| format!("this build cannot read {compression}: enable the feature `compression`");
    check("a.csv.gz", GZIP, &format!("csv in gzip\n  ! {}", message("gzip")));
    check("a.csv", ZSTD, &format!("csv in zstd, promised csv\n  ! {}", message("zstd")));
    check("a.pkl.gz", GZIP, "opaque");
    assert_eq!(findings("a.ndjson.zst", &ZSTD), message("zstd"));
    let folder = Folder::new();
    let written = SampleData::default().write(&folder.path().join("a.csv.gz"));
    assert!(matches!(written, Err(WriteTableError::NoCompression { .. })));
}

/// Files that pyarrow has written with compressed batches. Their headers are not compressed, so any build profiles them.
#[test]
fn arrow_data_with_compressed_batches() {
    for name in ["orders_lz4.feather", "orders_zstd.arrows"] {
        let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/formats").join(name);
        let profile = profile_file(&path).expect("the fixtures lie in the repository");
        let schema = profile.schema.expect("a table");
        assert_eq!((schema.rows, schema.columns[0].nulls), (120, Some(40)), "{name}");
        let rows: Result<Vec<_>, _> = read_batches(&path).expect("a table").collect();
        if cfg!(feature = "compression") {
            let rows = rows.expect("batches");
            assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 120, "{name}");
            continue;
        }
        let error = rows.expect_err("a build that cannot decompress").to_string();
        assert!(
            error.contains("its batches are compressed") && error.contains("the feature `compression`"),
            "{error}"
        );
    }
}
