//! The digests of what runs write.

use camino::Utf8Path;
use runtime_testing_data::digest_path_with;
use runtime_testing_models::{DataProfile, Digest, DigestOptions, LogicalType};

use crate::cancel::CancelHandle;
use crate::settings::OutputDigests;

/// The most bytes and values of data of which a digest costs next to nothing.
const CHEAP_BYTES: u64 = 1024 * 1024;
const CHEAP_VALUES: u64 = 250_000;

/// The digest of data that was profiled, if there is to be one and there is. None where the test is canceled meanwhile.
pub(crate) fn digest_of(
    path: &Utf8Path,
    data: &DataProfile,
    which: OutputDigests,
    cancel: &CancelHandle,
) -> Option<Digest> {
    let is_wanted = match which {
        OutputDigests::Never => false,
        OutputDigests::Cheap => is_cheap(data),
        OutputDigests::Always => true,
    };
    let is_readable = data.files.iter().all(|file| file.findings.is_empty());
    if !is_wanted || !is_readable || data.is_empty() {
        return None;
    }
    match digest_path_with(path, &DigestOptions::default(), &cancel.profile_options()) {
        Ok(digest) => Some(digest),
        Err(_) if cancel.is_canceled() => None,
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%path, %error, source, "no digest");
            None
        }
    }
}

fn is_cheap(data: &DataProfile) -> bool {
    let bytes = data.files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.bytes));
    let values = data.tables().fold(0, |sum: u64, (_, schema)| {
        let leaves = schema.columns.iter().map(|column| leaves(&column.data_type)).sum::<u64>();
        sum.saturating_add(schema.rows.saturating_mul(leaves))
    });
    bytes <= CHEAP_BYTES && values <= CHEAP_VALUES
}

/// How many values a value of a type is made of; what lies within lists counts as if each had few items.
fn leaves(data_type: &LogicalType) -> u64 {
    const ITEMS: u64 = 10;
    match data_type {
        LogicalType::Struct(fields) => fields.iter().map(|(_, field)| leaves(field)).sum(),
        LogicalType::List(item) => leaves(item).saturating_mul(ITEMS),
        LogicalType::Map(_, values) => leaves(values).saturating_mul(ITEMS),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use runtime_testing_data::profile_path;
    use runtime_testing_models::{Column, FileFormat, FileProfile, TableSchema};

    use super::*;

    #[track_caller]
    fn check_cheap(bytes: u64, rows: u64, columns: usize, expected: bool) {
        let columns = (0..columns).map(|place| Column::new(format!("c{place}"), "int64")).collect();
        let schema = Some(TableSchema { columns, rows });
        let file = FileProfile {
            path: "a.parquet".into(),
            format: FileFormat::Parquet,
            compression: None,
            promised: None,
            delimiter: None,
            byte_order_mark: false,
            one_line: false,
            partition_columns: Vec::new(),
            bytes,
            schema,
            findings: vec![],
        };
        assert_eq!(is_cheap(&DataProfile { is_folder: false, files: vec![file] }), expected);
    }

    #[test]
    fn small_data_is_cheap() {
        check_cheap(CHEAP_BYTES, CHEAP_VALUES / 2, 2, true);
        check_cheap(CHEAP_BYTES + 1, 1, 1, false);
        check_cheap(1, CHEAP_VALUES / 2 + 1, 2, false);
        check_cheap(1, u64::MAX, 2, false);
        check_cheap(0, u64::MAX, 0, true);
    }

    #[test]
    fn digests_are_made_where_they_are_wanted() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = Utf8Path::from_path(folder.path()).expect("the temporary folder has a UTF-8 name");
        let digest = |content: &str, which| {
            let path = folder.join("a.csv");
            std::fs::write(&path, content).expect("files can be written");
            digest_of(
                &path,
                &profile_path(&path).expect("what was just written"),
                which,
                &CancelHandle::new(),
            )
        };
        let small = digest("a\n1\n", OutputDigests::Cheap);
        assert!(small.is_some());
        assert_eq!(digest("a\n1\n", OutputDigests::Always), small);
        assert_eq!(digest("a\n1\n", OutputDigests::Never), None);
        assert_eq!(digest("a\n1,2\n", OutputDigests::Always), None, "not readable");
        let large = format!("a\n{}", "1\n".repeat(300_000));
        assert_eq!(digest(&large, OutputDigests::Cheap), None);
        assert!(digest(&large, OutputDigests::Always).is_some());
        assert_eq!(
            digest_of(
                folder,
                &DataProfile { is_folder: true, files: vec![] },
                OutputDigests::Always,
                &CancelHandle::new()
            ),
            None
        );
        let canceled = CancelHandle::new();
        canceled.cancel();
        let data = profile_path(&folder.join("a.csv")).expect("what was just written");
        assert_eq!(digest_of(&folder.join("a.csv"), &data, OutputDigests::Always, &canceled), None);
    }
}
