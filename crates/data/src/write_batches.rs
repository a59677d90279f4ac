use std::fs::File;
use std::io::{self, BufWriter, Write};

use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use arrow::json::writer::{JsonArray, LineDelimited, WriterBuilder};
use arrow::record_batch::RecordBatch;
use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::FileFormat;

use crate::format::format_of_extension;
use crate::type_words::TypeWords;

/// Why data could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteSampleError {
    /// The extension names no format of tables.
    #[error(
        "cannot write a table to `{path}`: its extension names no format; use .csv, .tsv, .json, .ndjson, .parquet or .arrow"
    )]
    NoFormat {
        /// The path.
        path: Utf8PathBuf,
    },
    /// The extension names a format that this build cannot write.
    #[error("cannot write `{path}`: this build cannot write {format}; enable the feature `{format}`")]
    NotBuilt {
        /// The path.
        path: Utf8PathBuf,
        /// The format.
        format: FileFormat,
    },
    /// The format has no values of a column's type.
    #[error("cannot write `{path}`: {format} cannot hold column `{column}`, which is {data_type}")]
    TypeNotHeld {
        /// The path.
        path: Utf8PathBuf,
        /// The format.
        format: FileFormat,
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// The data could not be encoded.
    #[error("cannot write `{path}` as {format}")]
    Encode {
        /// The path.
        path: Utf8PathBuf,
        /// The format.
        format: FileFormat,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The operating system refused.
    #[error("cannot write `{path}`: {}", .source.kind())]
    Io {
        /// The path.
        path: Utf8PathBuf,
        /// Its reason.
        source: io::Error,
    },
}

/// The format in which this build can write to a path.
pub(super) fn writable_format(path: &Utf8Path) -> Result<FileFormat, WriteSampleError> {
    match format_of_extension(path) {
        FileFormat::Opaque => Err(WriteSampleError::NoFormat { path: path.to_owned() }),
        format @ FileFormat::Parquet if cfg!(not(feature = "parquet")) => {
            Err(WriteSampleError::NotBuilt { path: path.to_owned(), format })
        }
        format => Ok(format),
    }
}

/// Writes a batch in the format that the path's extension names. Folders that are not there are made, and a file that
/// is there is replaced. `.arrows` is a stream, the other extensions of Arrow IPC are files.
///
/// # Errors
///
/// [`WriteSampleError`] where the format cannot be written or cannot hold the data, or the disk refuses.
pub fn write_batch(path: &Utf8Path, batch: &RecordBatch) -> Result<(), WriteSampleError> {
    let format = writable_format(path)?;
    if matches!(format, FileFormat::Csv | FileFormat::Tsv) {
        check_is_flat(path, format, batch)?;
    }
    let refused = |source| WriteSampleError::Io { path: path.to_owned(), source };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(refused)?;
    }
    let mut sink = BufWriter::new(File::create(path).map_err(refused)?);
    let written = match format {
        FileFormat::Csv => write_text(&mut sink, batch, b','),
        FileFormat::Tsv => write_text(&mut sink, batch, b'\t'),
        FileFormat::Json => {
            let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(&mut sink);
            writer.write(batch).and_then(|()| writer.finish())
        }
        FileFormat::Ndjson => {
            let mut writer =
                WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut sink);
            writer.write(batch).and_then(|()| writer.finish())
        }
        #[cfg(feature = "parquet")]
        FileFormat::Parquet => write_parquet(&mut sink, batch),
        // Of the formats that can be written, Arrow IPC is left.
        _ => write_ipc(
            &mut sink,
            batch,
            path.extension().is_some_and(|name| name.eq_ignore_ascii_case("arrows")),
        ),
    };
    let flushed = written.and_then(|()| Ok(sink.flush()?));
    flushed.map_err(|error| match error {
        ArrowError::IoError(_, source) => refused(source),
        source => WriteSampleError::Encode { path: path.to_owned(), format, source: Box::new(source) },
    })
}

/// Text formats have no values within values.
fn check_is_flat(path: &Utf8Path, format: FileFormat, batch: &RecordBatch) -> Result<(), WriteSampleError> {
    for field in batch.schema_ref().fields() {
        let words = TypeWords::of_arrow(field.data_type());
        if matches!(words, TypeWords::List(_) | TypeWords::Struct(_) | TypeWords::Map(..) | TypeWords::Mixed)
        {
            return Err(WriteSampleError::TypeNotHeld {
                path: path.to_owned(),
                format,
                column: field.name().clone(),
                data_type: words.to_string(),
            });
        }
    }
    Ok(())
}

fn write_text(sink: impl Write, batch: &RecordBatch, delimiter: u8) -> Result<(), ArrowError> {
    arrow::csv::WriterBuilder::new().with_delimiter(delimiter).build(sink).write(batch)
}

fn write_ipc(sink: impl Write, batch: &RecordBatch, as_stream: bool) -> Result<(), ArrowError> {
    if as_stream {
        let mut writer = StreamWriter::try_new(sink, batch.schema_ref())?;
        writer.write(batch)?;
        writer.finish()
    } else {
        let mut writer = FileWriter::try_new(sink, batch.schema_ref())?;
        writer.write(batch)?;
        writer.finish()
    }
}

#[cfg(feature = "parquet")]
fn write_parquet(sink: impl Write + Send, batch: &RecordBatch) -> Result<(), ArrowError> {
    let mut writer = parquet::arrow::ArrowWriter::try_new(sink, batch.schema(), None)?;
    writer.write(batch)?;
    writer.close()?;
    Ok(())
}
