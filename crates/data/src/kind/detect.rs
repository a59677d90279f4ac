//! Which format a file is of, by its content first and its name second, and what is in it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8Path;
use runtime_testing_models::{Compression, DataFinding, FileFormat, FileKind};

use crate::columnar::ipc::Look;
use crate::columnar::table::ArrowTable;
use crate::columnar::{ipc, parquet};
use crate::content::Content;
use crate::csv::Delimiter;
use crate::error::DataError;
use crate::findings::{damaged, unreadable};
use crate::json::Document;
use crate::kind::magic::{Magic, begins_as_json, begins_as_table, foreign, magic, not_compressed, wide_text};
use crate::kind::name::{broken_promise, format_within, is_text, kind_of_name};
use crate::options::ProfileOptions;
use crate::text::compression;
use crate::text::compression::{compression_of, damage, decompressed};
use crate::text::reader::{CancelableReader, TextReader};
use crate::{csv, json};

/// How much of a file is looked at to tell its format.
const HEAD_BYTES: u64 = 512;

/// What is wrong with a file without a byte whose name promises a table or JSON.
const EMPTY: &str = "the file is empty";

/// What was found out about a file.
#[derive(Debug)]
pub(crate) struct FileContent {
    /// Its size.
    pub(crate) bytes: u64,
    /// The size of what is in it, decompressed.
    pub(crate) text_bytes: u64,
    pub(crate) kind: FileKind,
    /// What its name promises, if it is something else.
    pub(crate) promised: Option<FileKind>,
    pub(crate) content: Content,
}

/// Reads a file: its size, its format, and what it holds.
pub(crate) fn read_content(path: &Utf8Path, options: &ProfileOptions) -> Result<FileContent, DataError> {
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
    let (kind, content, text_bytes) = read.map_err(|source| DataError::new(path, source))?;
    let (bytes, promised) = (metadata.len(), broken_promise(path, kind));
    Ok(FileContent { bytes, text_bytes: text_bytes.unwrap_or(bytes), kind, promised, content })
}

/// Reads a file of this kind as one JSON object a line.
pub(crate) fn read_lines(
    path: &Utf8Path,
    kind: FileKind,
    options: &ProfileOptions,
) -> Result<Content, DataError> {
    let read = File::open(path).and_then(|file| Text::new(&file, kind.compression, options).lines());
    read.map_err(|source| DataError::new(path, source))
}

/// What a file is, what is in it, and how large that is if it is compressed.
fn read(
    file: &mut File,
    path: &Utf8Path,
    options: &ProfileOptions,
) -> io::Result<(FileKind, Content, Option<u64>)> {
    let named = kind_of_name(path);
    let head = head(file)?;
    let is_table = named.format != FileFormat::Opaque;
    if head.is_empty() && (is_table || format_within(path).is_some()) {
        return Ok((named.format.into(), Content::of_finding(damaged(EMPTY)), None));
    }
    if let Some(compression) = compression_of(&head).filter(|_| is_table) {
        let text = Text::new(file, Some(compression), options);
        let (format, content) = read_compressed(&text, compression, named.format)?;
        let kind = FileKind { format, compression: Some(compression) };
        return Ok((kind, content, Some(text.bytes.into_inner())));
    }
    if let Some(finding) = named.compression.and_then(|promised| not_compressed(&head, promised)) {
        return Ok((FileFormat::Opaque.into(), Content::of_finding(finding), None));
    }
    let (format, content) = match magic(&head, named.format) {
        Some(Magic::Parquet) => (FileFormat::Parquet, ArrowTable::content(|| parquet::read(file))?),
        Some(Magic::ArrowFile) => {
            (FileFormat::ArrowIpc, ArrowTable::content(|| ipc::read_file(file, Look::Headers))?)
        }
        Some(Magic::FeatherOne) => {
            let message = "Feather version 1 is not supported; write Feather 2 / Arrow IPC";
            (FileFormat::ArrowIpc, Content::of_finding(unreadable(message)))
        }
        found => {
            if found == Some(Magic::ArrowStream) {
                let content = ArrowTable::content(|| ipc::read_stream(file, Look::Headers))?;
                let is_named = matches!(named.format, FileFormat::ArrowIpc | FileFormat::ArrowStream);
                if is_named || content.findings.is_empty() {
                    return Ok((FileFormat::ArrowStream.into(), content, None));
                }
            }
            read_text(&Text::new(file, None, options), &head, named.format)?
        }
    };
    Ok((format.into(), content, None))
}

/// The first bytes of a file, which is then at its start again.
pub(crate) fn head(file: &mut File) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(0))?;
    let head = head_of(&mut *file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(head)
}

fn head_of(text: impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    text.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}

/// A file that is read as a text, if need be more than once.
struct Text<'f> {
    file: &'f File,
    compression: Option<Compression>,
    options: &'f ProfileOptions,
    /// How much of it was read, the time that most of it was.
    bytes: AtomicU64,
}

/// Counts what is read.
struct Counted<'c> {
    text: Box<dyn Read + Send + 'c>,
    read: u64,
    most: &'c AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(buffer)?;
        self.read += read as u64;
        self.most.fetch_max(self.read, Ordering::Relaxed);
        Ok(read)
    }
}

impl<'f> Text<'f> {
    fn new(file: &'f File, compression: Option<Compression>, options: &'f ProfileOptions) -> Self {
        Self { file, compression, options, bytes: AtomicU64::new(0) }
    }

    /// The text from its beginning.
    fn open(&self) -> io::Result<Counted<'_>> {
        let mut file = self.file;
        file.seek(SeekFrom::Start(0))?;
        let text = open_text(CancelableReader::new(file, self.options), self.compression)?;
        Ok(Counted { text, read: 0, most: &self.bytes })
    }

    fn document(&self) -> io::Result<(FileFormat, Content)> {
        match json::profile_document(&mut TextReader::new(self.open()?))? {
            Document::Value(format, content) => Ok((format, content)),
            Document::Lines => Ok((FileFormat::Ndjson, self.lines()?)),
        }
    }

    fn lines(&self) -> io::Result<Content> {
        json::profile_lines(self.open()?, self.options.jobs())
    }

    fn table(&self, delimiter: Delimiter) -> io::Result<Content> {
        csv::profile(self.open()?, delimiter, self.options)
    }
}

/// What a source says, decompressed if it is compressed.
pub(crate) fn open_text<'s>(
    source: impl Read + Send + 's,
    compression: Option<Compression>,
) -> io::Result<Box<dyn Read + Send + 's>> {
    match compression {
        Some(compression) => decompressed(source, compression),
        None => Ok(Box::new(source)),
    }
}

fn read_compressed(
    text: &Text<'_>,
    compression: Compression,
    named: FileFormat,
) -> io::Result<(FileFormat, Content)> {
    if !compression::is_built() {
        let message = format!("this build cannot read {compression}: enable the feature `compression`");
        return Ok((named, Content::of_finding(unreadable(message))));
    }
    let read = || {
        let head = head_of(text.open()?)?;
        let inner = match magic(&head, named) {
            Some(Magic::Parquet) => Some(FileFormat::Parquet),
            Some(Magic::ArrowFile | Magic::FeatherOne) => Some(FileFormat::ArrowIpc),
            Some(Magic::ArrowStream) => Some(FileFormat::ArrowStream),
            None => None,
        };
        match inner {
            Some(format) => {
                let message = format!("{format} in {compression} is not supported: decompress it");
                Ok((format, Content::of_finding(unreadable(message))))
            }
            None => read_text(text, &head, named),
        }
    };
    match read() {
        Ok(found) => Ok(found),
        Err(error) => match damage(&error) {
            Some(finding) => Ok((named, Content::of_finding(finding))),
            None => Err(error),
        },
    }
}

/// Reads a text as what its name says, unless it is sound as something else only.
fn read_text(text: &Text<'_>, head: &[u8], named: FileFormat) -> io::Result<(FileFormat, Content)> {
    if named == FileFormat::Opaque {
        return Ok((named, Content::of_text(None, Vec::new())));
    }
    if head.is_empty() {
        return Ok((named, Content::of_finding(damaged(EMPTY))));
    }
    if let Some(finding) = foreign(head, named) {
        return Ok((FileFormat::Opaque, Content::of_finding(finding)));
    }
    if let Some(finding) = wide_text(head).filter(|_| is_text(named)) {
        return Ok((named, Content::of_finding(finding)));
    }
    let is_sound = |(_, content): &(FileFormat, Content)| content.findings.is_empty();
    let as_json = || if begins_as_json(head) { text.document().map(Some) } else { Ok(None) };
    match named {
        FileFormat::Csv => {
            if let Some(found) = as_json()?.filter(is_sound) {
                return Ok(found);
            }
            Ok((named, text.table(Delimiter::Detected)?))
        }
        FileFormat::Tsv => {
            if let Some(found) = as_json()?.filter(is_sound) {
                return Ok(found);
            }
            let content = text.table(Delimiter::Tab)?;
            let has_one_column = content.schema.as_ref().is_some_and(|schema| schema.columns.len() == 1);
            let other = if has_one_column { other_table(text, head)? } else { None };
            Ok(other.unwrap_or((named, content)))
        }
        FileFormat::Json => {
            let found = text.document()?;
            let other =
                if is_sound(&found) || begins_as_json(head) { None } else { other_table(text, head)? };
            Ok(other.unwrap_or(found))
        }
        FileFormat::Ndjson => {
            if head.trim_ascii_start().starts_with(b"[") {
                let (format, content) = text.document()?;
                if content.findings.is_empty() && content.schema.is_some() {
                    return Ok((format, content));
                }
            }
            let content = text.lines()?;
            let is_sound = content.findings.is_empty() || begins_as_json(head);
            let other = if is_sound { None } else { other_table(text, head)? };
            Ok(other.unwrap_or((named, content)))
        }
        _ => {
            if let Some(found) = as_json()?.filter(is_sound) {
                return Ok(found);
            }
            if let Some(found) = other_table(text, head)? {
                return Ok(found);
            }
            Ok((named, Content::of_finding(not_binary(text.file, head, named)?)))
        }
    }
}

/// What is wrong with a file whose name promises a binary format and that does not begin as one.
fn not_binary(file: &File, head: &[u8], named: FileFormat) -> io::Result<DataFinding> {
    Ok(match named {
        FileFormat::Parquet if head.starts_with(b"PARE") => unreadable("the Parquet file is encrypted"),
        FileFormat::Parquet => damaged("this is no Parquet file: it does not begin with `PAR1`"),
        _ if ipc::is_old_stream(file)? => unreadable(ipc::OLD_FORMAT),
        _ => damaged("this is neither an Arrow IPC file nor a stream"),
    })
}

/// The text as a table of several columns, whatever its name says, if it is one without a flaw.
fn other_table(text: &Text<'_>, head: &[u8]) -> io::Result<Option<(FileFormat, Content)>> {
    let Some(format) = begins_as_table(head) else { return Ok(None) };
    let delimiter = if format == FileFormat::Tsv { Delimiter::Tab } else { Delimiter::Detected };
    let content = text.table(delimiter)?;
    let has_columns = content.schema.as_ref().is_some_and(|schema| schema.columns.len() > 1);
    Ok((has_columns && content.findings.is_empty()).then_some((format, content)))
}
