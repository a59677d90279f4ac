use std::fs::File;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{Column, DataFinding, DataProfile, FileFormat, FileProfile};

use crate::columnar::{ipc, parquet};
use crate::error::DataError;
use crate::files::data_files;
use crate::files::partitions::{Constant, Partitions};
use crate::findings::unreadable;
use crate::kind::detect::{FileContent, read_content, read_lines};
use crate::kind::name::broken_promise;
use crate::options::ProfileOptions;
use crate::tables::lines_among_lines;
use crate::types::arrow_type::of_arrow;
use crate::types::join::Typing;

/// Profiles one file: its format, by content first and extension second, its columns with their types over all rows,
/// and what keeps it from being read. The profile's path is the file's name.
///
/// ```
/// use runtime_testing_data::profile_file;
/// use runtime_testing_models::LogicalType;
///
/// let folder = tempfile::tempdir()?;
/// let path = camino::Utf8PathBuf::try_from(folder.path().join("orders.csv"))?;
/// std::fs::write(&path, "id,amount\n1,19.99\n2,\n")?;
///
/// let profile = profile_file(&path)?;
/// let schema = profile.schema.expect("a CSV file is a table");
/// assert_eq!(schema.rows, 2);
/// assert_eq!((&schema.columns[1].data_type, schema.columns[1].nulls), (&LogicalType::Float(64), Some(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`DataError`] where the path is no file or cannot be read. What is wrong with the content is among the findings.
pub fn profile_file(path: &Utf8Path) -> Result<FileProfile, DataError> {
    profile_file_with(path, &ProfileOptions::default())
}

/// Profiles one file, as [`profile_file`] does, with options.
///
/// # Errors
///
/// [`DataError`] where the path is no file or cannot be read, or where the options say to give up.
pub fn profile_file_with(path: &Utf8Path, options: &ProfileOptions) -> Result<FileProfile, DataError> {
    profile_as(path, path.file_name().unwrap_or(path.as_str()).into(), options)
}

/// Profiles an input or output: one file, or each of a folder's files that [`data_files`] counts.
///
/// # Errors
///
/// [`DataError`] where the path, or a file or folder below it, cannot be read.
pub fn profile_path(path: &Utf8Path) -> Result<DataProfile, DataError> {
    profile_path_with(path, &ProfileOptions::default())
}

/// Profiles an input or output, as [`profile_path`] does, with options.
///
/// # Errors
///
/// [`DataError`] where the path, or a file or folder below it, cannot be read, or where the options say to give up.
pub fn profile_path_with(path: &Utf8Path, options: &ProfileOptions) -> Result<DataProfile, DataError> {
    let metadata = std::fs::metadata(path).map_err(|source| DataError::new(path, source))?;
    if !metadata.is_dir() {
        return Ok(DataProfile { is_folder: false, files: vec![profile_file_with(path, options)?] });
    }
    if let Some((mark, finding)) = table_format(path) {
        return Ok(DataProfile { is_folder: true, files: vec![of_finding(mark.into(), finding)] });
    }
    let files = data_files(path)?.into_iter().map(|below| profile_as(&path.join(&below), below, options));
    let mut files = files.collect::<Result<Vec<_>, _>>()?;
    let values = files.iter().map(|file| (file.path.as_path(), file.kind(), file.one_line));
    for place in lines_among_lines(values) {
        let file = &mut files[place];
        let content = read_lines(&path.join(&file.path), file.kind(), options)?;
        (file.schema, file.findings) = (content.schema, content.findings);
        file.format = FileFormat::Ndjson;
        file.promised = broken_promise(&file.path, file.kind());
    }
    add_partition_columns(&mut files);
    Ok(DataProfile { is_folder: true, files })
}

/// What shows that a folder is kept by a table format, whose log says which of its files count; and the finding about it.
fn table_format(folder: &Utf8Path) -> Option<(&'static str, DataFinding)> {
    let has_metadata = || {
        let entries = std::fs::read_dir(folder.join("metadata")).ok()?;
        let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
        names.into_iter().find(|name| name.to_string_lossy().ends_with(".metadata.json"))
    };
    let (mark, name) = if folder.join("_delta_log").is_dir() {
        ("_delta_log", "a Delta Lake table")
    } else if folder.join(".hoodie").is_dir() {
        (".hoodie", "a Hudi table")
    } else if has_metadata().is_some() {
        ("metadata", "an Iceberg table")
    } else {
        return None;
    };
    let message =
        format!("the folder is {name}, whose log says which of its files count, and is not read here");
    Some((mark, unreadable(message)))
}

/// A file of which no more is known than what is wrong.
fn of_finding(path: Utf8PathBuf, finding: DataFinding) -> FileProfile {
    FileProfile {
        path,
        format: FileFormat::Opaque,
        compression: None,
        promised: None,
        delimiter: None,
        byte_order_mark: false,
        one_line: false,
        partition_columns: Vec::new(),
        bytes: 0,
        schema: None,
        findings: vec![finding],
    }
}

/// Adds the columns that the paths of tables say.
fn add_partition_columns(files: &mut [FileProfile]) {
    let is_table = |file: &&FileProfile| file.schema.is_some() && !file.is_object();
    let partitions = Partitions::of(files.iter().filter(is_table).map(|file| file.path.as_path()));
    for file in files {
        let constants = if file.is_object() { Vec::new() } else { partitions.constants(&file.path) };
        let Some(schema) = &mut file.schema else { continue };
        for Constant { field, .. } in constants {
            if schema.columns.iter().any(|column| column.name == *field.name()) {
                continue;
            }
            let nullable = field.is_nullable() && schema.rows > 0;
            let nulls = if nullable { schema.rows } else { 0 };
            let data_type = of_arrow(field.data_type());
            schema.columns.push(Column {
                nullable,
                nulls: Some(nulls),
                ..Column::new(field.name(), data_type)
            });
            file.partition_columns.push(field.name().clone());
        }
        if Typing::of(file.format) == Typing::Values {
            schema.columns.sort_by(|one, other| one.name.cmp(&other.name));
        }
    }
}

fn profile_as(
    path: &Utf8Path,
    shown: Utf8PathBuf,
    options: &ProfileOptions,
) -> Result<FileProfile, DataError> {
    let FileContent { bytes, kind, promised, mut content, .. } = read_content(path, options)?;
    if let Some(table) = content.schema.as_mut().filter(|_| is_binary(kind.format)) {
        let file = File::open(path).map_err(|source| DataError::new(path, source))?;
        let damage = match kind.format {
            FileFormat::Parquet => parquet::count_nulls(file, &mut table.columns, options),
            format => ipc::count_nulls(file, format, &mut table.columns, options),
        };
        content.findings.extend(damage);
        if options.is_canceled() {
            return Err(DataError::Canceled { path: path.to_owned() });
        }
    }
    tracing::debug!(%path, %kind, bytes, "profiled");
    Ok(FileProfile {
        path: shown,
        format: kind.format,
        compression: kind.compression,
        promised,
        delimiter: content.delimiter,
        byte_order_mark: content.byte_order_mark,
        one_line: content.is_one_line,
        partition_columns: Vec::new(),
        bytes,
        schema: content.schema,
        findings: content.findings,
    })
}

/// Whether a format may leave it to whoever reads the rows to count nulls.
fn is_binary(format: FileFormat) -> bool {
    matches!(format, FileFormat::Parquet | FileFormat::ArrowIpc | FileFormat::ArrowStream)
}
