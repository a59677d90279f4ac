use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use arrow::datatypes::Schema;
use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{DataFinding, DataProfile, FileFormat, FileProfile, TableSchema};

use crate::arrow_table::ArrowTable;
use crate::csv_text::{self, Delimiter};
use crate::files::{DataError, data_files};
use crate::findings::{Stop, finding};
use crate::format::{Magic, begins_as_json, format_of_extension, magic};
use crate::options::ProfileOptions;
use crate::text_reader::{CancelableReader, TextReader};
use crate::{arrow_ipc, json_text, parquet_file};

/// How much of a file is looked at to tell its format.
const HEAD_BYTES: usize = 512;

/// What a file's content yields.
#[derive(Debug, PartialEq)]
pub(crate) struct Content {
    pub(crate) schema: Option<TableSchema>,
    pub(crate) findings: Vec<DataFinding>,
    /// The schema that the file declares, for formats that do.
    pub(crate) declared: Option<Schema>,
}

impl Content {
    /// What a text yields, which declares nothing.
    pub(crate) fn of_text(schema: Option<TableSchema>, findings: Vec<DataFinding>) -> Self {
        Self { schema, findings, declared: None }
    }

    fn of_finding(finding: DataFinding) -> Self {
        Self::of_text(None, vec![finding])
    }

    fn of_arrow(result: Result<ArrowTable, Stop>) -> io::Result<Self> {
        match result {
            Ok(table) => Ok(table.into_content()),
            Err(stop) => Ok(Self::of_finding(stop.into_finding()?)),
        }
    }
}

/// Profiles one file: its format, by content first and extension second, its columns with their types over all rows,
/// and what keeps it from being read. The profile's path is the file's name.
///
/// ```
/// use runtime_testing_data::profile_file;
///
/// let folder = tempfile::tempdir()?;
/// let path = camino::Utf8PathBuf::try_from(folder.path().join("orders.csv"))?;
/// std::fs::write(&path, "id,amount\n1,19.99\n2,\n")?;
///
/// let profile = profile_file(&path)?;
/// let schema = profile.schema.expect("a CSV file is a table");
/// assert_eq!(schema.rows, 2);
/// assert_eq!((schema.columns[1].data_type.as_str(), schema.columns[1].nulls), ("float64", Some(1)));
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
    let files = data_files(path)?.into_iter().map(|below| profile_as(&path.join(&below), below, options));
    Ok(DataProfile { is_folder: true, files: files.collect::<Result<_, _>>()? })
}

fn profile_as(
    path: &Utf8Path,
    shown: Utf8PathBuf,
    options: &ProfileOptions,
) -> Result<FileProfile, DataError> {
    let (bytes, format, content) = read_content(path, options)?;
    tracing::debug!(%path, %format, bytes, "profiled");
    Ok(FileProfile { path: shown, format, bytes, schema: content.schema, findings: content.findings })
}

/// Reads a file: its size, its format, and what it holds.
pub(crate) fn read_content(
    path: &Utf8Path,
    options: &ProfileOptions,
) -> Result<(u64, FileFormat, Content), DataError> {
    if options.is_canceled() {
        return Err(DataError::Canceled { path: path.to_owned() });
    }
    let metadata = std::fs::metadata(path).map_err(|source| DataError::new(path, source))?;
    if metadata.is_dir() {
        return Err(DataError::IsAFolder { path: path.to_owned() });
    }
    // A pipe is not opened, which could wait forever.
    if !metadata.is_file() {
        return Err(DataError::NotAFile { path: path.to_owned() });
    }
    let read = File::open(path).and_then(|mut file| read(&mut file, path, options));
    let (format, content) = read.map_err(|source| DataError::new(path, source))?;
    Ok((metadata.len(), format, content))
}

/// The first bytes of a file, which is then at its start again.
pub(crate) fn head(file: &mut File) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(head)
}

fn read(file: &mut File, path: &Utf8Path, options: &ProfileOptions) -> io::Result<(FileFormat, Content)> {
    let head = head(file)?;
    let extension = format_of_extension(path);
    match magic(&head) {
        Some(Magic::Parquet) => {
            return Ok((FileFormat::Parquet, Content::of_arrow(parquet_file::read(file))?));
        }
        Some(Magic::ArrowFile) => {
            return Ok((FileFormat::ArrowIpc, Content::of_arrow(arrow_ipc::read_file(file))?));
        }
        Some(Magic::FeatherOne) => {
            let message = "Feather version 1 is not supported; write Feather 2 / Arrow IPC";
            return Ok((FileFormat::ArrowIpc, Content::of_finding(finding(message))));
        }
        Some(Magic::ArrowStream) => {
            let content = Content::of_arrow(arrow_ipc::read_stream(file))?;
            if extension == FileFormat::ArrowIpc || content.findings.is_empty() {
                return Ok((FileFormat::ArrowIpc, content));
            }
        }
        None => {}
    }
    if head.is_empty() && extension != FileFormat::Opaque {
        return Ok((extension, Content::of_finding(finding("the file is empty"))));
    }
    read_by_extension(file, extension, &head, options)
}

fn read_by_extension(
    file: &mut File,
    extension: FileFormat,
    head: &[u8],
    options: &ProfileOptions,
) -> io::Result<(FileFormat, Content)> {
    let content = match extension {
        FileFormat::Csv | FileFormat::Tsv => {
            if begins_as_json(head) {
                let (format, content) = json_text::profile_document(&mut text(file, options)?)?;
                if content.findings.is_empty() {
                    return Ok((format, content));
                }
            }
            let delimiter = if extension == FileFormat::Tsv { Delimiter::Tab } else { Delimiter::Detected };
            csv_text::profile(source(file, options)?, delimiter, options)?
        }
        FileFormat::Json => return json_text::profile_document(&mut text(file, options)?),
        FileFormat::Ndjson => {
            if head.trim_ascii_start().starts_with(b"[") {
                let (format, content) = json_text::profile_document(&mut text(file, options)?)?;
                if content.findings.is_empty() && content.schema.is_some() {
                    return Ok((format, content));
                }
            }
            json_text::profile_lines(&mut text(file, options)?)?
        }
        FileFormat::Parquet => {
            Content::of_finding(finding("this is no Parquet file: it does not begin with `PAR1`"))
        }
        FileFormat::ArrowIpc => {
            Content::of_finding(finding("this is neither an Arrow IPC file nor a stream"))
        }
        _ => Content::of_text(None, Vec::new()),
    };
    Ok((extension, content))
}

/// A file from its beginning, of which reading can be canceled.
fn source<'f>(
    file: &'f mut File,
    options: &'f ProfileOptions,
) -> io::Result<CancelableReader<'f, &'f mut File>> {
    file.seek(SeekFrom::Start(0))?;
    Ok(CancelableReader::new(file, options))
}

fn text<'f>(
    file: &'f mut File,
    options: &'f ProfileOptions,
) -> io::Result<TextReader<CancelableReader<'f, &'f mut File>>> {
    Ok(TextReader::new(source(file, options)?))
}
