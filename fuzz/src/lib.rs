//! What must hold of whatever bytes a parser of the project is handed. The fuzzer in this folder looks for bytes of which
//! it does not; a test of the data crate runs the same functions on the seeds in `fixtures/fuzz` and on variations of them.

use std::num::NonZeroUsize;

use runtime_testing_data::arrow::record_batch::RecordBatch;
use runtime_testing_data::{ProfileOptions, profile_file, profile_file_with, read_batches};
use runtime_testing_models::{FileFormat, FileProfile, PipelineTestingSpec, ScriptExecutionSpec};

/// Checks bytes, and panics where something does not hold.
pub type Target = fn(&[u8]);

/// The targets, by the names of the folders of their seeds.
pub const TARGETS: [(&str, Target); 4] = [("names", names), ("csv", csv), ("json", json), ("specs", specs)];

/// The names that a file is given. Its first byte chooses one.
const NAMES: [&str; 15] = [
    "a",
    "a.csv",
    "a.tsv",
    "a.json",
    "a.ndjson",
    "a.parquet",
    "a.arrow",
    "a.arrows",
    "a.feather",
    "a.pkl",
    "a.csv.gz",
    "a.tsv.zst",
    "a.json.gz",
    "a.ndjson.zst",
    "a.gz",
];

/// Any content under any name can be profiled, and what is a table without a flaw can be read.
pub fn names(bytes: &[u8]) {
    let Some((first, content)) = bytes.split_first() else { return };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    check_file(name, content);
}

/// CSV and TSV: the number of threads changes nothing.
pub fn csv(bytes: &[u8]) {
    check_threads("a.csv", bytes);
    check_threads("a.tsv", bytes);
}

/// JSON and NDJSON: the number of threads changes nothing, and what another parser takes is taken.
pub fn json(bytes: &[u8]) {
    check_threads("a.ndjson", bytes);
    let profile = check_threads("a.json", bytes);
    // Limits of our own, and what is good JSON and no good table.
    let is_ours = |message: &str| {
        ["stands twice", "stand twice", "nested deeper", "a key of more", "a number of more"]
            .iter()
            .any(|part| message.contains(part))
    };
    if profile.format == FileFormat::Json && serde_json::from_slice::<serde_json::Value>(bytes).is_ok() {
        let others: Vec<_> = profile.findings.iter().filter(|finding| !is_ours(&finding.message)).collect();
        assert!(others.is_empty(), "good JSON: {others:?}");
    }
}

/// Specs, with the contracts in them: what is taken is written so that it is taken again, as the same.
pub fn specs(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(spec) = ScriptExecutionSpec::parse(text) {
        let written = spec.to_json();
        let again = ScriptExecutionSpec::parse(&written).expect("what was written by ourselves");
        assert_eq!(again, spec, "{written}");
    }
    // A pipeline with its specs, which has no form that is written back to the byte.
    drop(PipelineTestingSpec::parse(text));
}

/// Profiles a file by one thread and by three.
fn check_threads(name: &str, content: &[u8]) -> FileProfile {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = camino::Utf8Path::from_path(folder.path()).expect("a temporary folder is UTF-8").join(name);
    std::fs::write(&path, content).expect("room on the disk");
    let profile = |jobs| {
        let jobs = NonZeroUsize::new(jobs).expect("a thread");
        profile_file_with(&path, &ProfileOptions::default().with_jobs(jobs)).expect("a file")
    };
    let (one, three) = (profile(1), profile(3));
    assert_eq!(one, three, "the number of threads changes nothing");
    check_file(name, content)
}

fn check_file(name: &str, content: &[u8]) -> FileProfile {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = camino::Utf8Path::from_path(folder.path()).expect("a temporary folder is UTF-8").join(name);
    std::fs::write(&path, content).expect("room on the disk");
    let profile = profile_file(&path).expect("a file");
    assert_eq!(profile.bytes, content.len() as u64);
    let Some(schema) = profile.schema.as_ref().filter(|_| profile.findings.is_empty()) else {
        return profile;
    };
    // Values of several kinds are of no Arrow type.
    let Ok(batches) = read_batches(&path) else {
        assert!(
            schema.columns.iter().any(|column| column.data_type.to_string().contains("mixed")),
            "{schema:?}"
        );
        return profile;
    };
    let rows: Result<Vec<RecordBatch>, _> = batches.collect();
    match rows {
        Ok(batches) => {
            let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
            assert_eq!(rows as u64, schema.rows, "{name}");
        }
        // Of binary formats the metadata was looked at; half a surrogate pair is good JSON and no text.
        Err(error) => assert!(
            !matches!(profile.format, FileFormat::Csv | FileFormat::Tsv),
            "a text that was looked at as a whole: {error}"
        ),
    }
    profile
}
