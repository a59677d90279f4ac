use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_data::arrow::array::RecordBatch;
use runtime_testing_data::write_batches;
use runtime_testing_models::{DataProfile, FileProfile};
use tempfile::TempDir;

/// A folder that is gone when the test is done.
pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).expect("the temporary folder has a UTF-8 name")
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder"))
            .expect("folders can be made");
        std::fs::write(&path, content).expect("files can be written");
        path
    }
}

/// Writes a table of one batch, which every format can hold.
pub(crate) fn write_batch(path: &Utf8Path, batch: &RecordBatch) {
    write_batches(path, batch.schema_ref(), [Ok(batch.clone())]).expect("a table that can be written");
}

/// A file as text: its format, its columns with `?` where they may hold nulls, and its findings.
pub(crate) fn shown(file: &FileProfile) -> String {
    let mut text = format!("{}: {}", file.path, file.kind());
    if let Some(promised) = &file.promised {
        text.push_str(&format!(", promised {promised}"));
    }
    if let Some(schema) = &file.schema {
        text.push_str(&format!(", {} rows", schema.rows));
        for column in &schema.columns {
            let mark = if column.nullable { "?" } else { "" };
            text.push_str(&format!("\n  {}: {}{mark}", column.name, column.data_type));
            match column.nulls {
                Some(0) => {}
                Some(nulls) => text.push_str(&format!(", {nulls} nulls")),
                None => text.push_str(", nulls unknown"),
            }
            if let (Some(row), Some(value)) = (column.deciding_row, &column.deciding_value) {
                text.push_str(&format!(", row {row} is {value:?}"));
            }
        }
    }
    for finding in &file.findings {
        text.push_str(&format!("\n  ! {finding}"));
    }
    text
}

pub(crate) fn shown_all(profile: &DataProfile) -> String {
    profile.files.iter().map(shown).collect::<Vec<_>>().join("\n")
}
