//! The rows of Arrow IPC, which are decoded only once the headers are known to go with them.

use std::fs::File;
use std::io::{BufReader, Seek as _};

use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::record_batch::RecordBatch;
use runtime_testing_models::{Column, DataFinding, FileFormat};

use super::{Look, read_file, read_stream};
use crate::columnar::table::{settle_nulls, sum_nulls};
use crate::findings::Stop;
use crate::options::ProfileOptions;

type Rows = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// The most bytes of a batch that is read for its nulls alone.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// The rows of a file or stream: all columns, or those at some places. An error where a decoder would have to hold more than so
/// many bytes at once.
pub(crate) fn open_rows(
    mut file: File,
    format: FileFormat,
    places: Option<Vec<usize>>,
    most_bytes: u64,
) -> Result<Rows, ArrowError> {
    let is_file = format == FileFormat::ArrowIpc;
    let looked = if is_file {
        read_file(&mut file, Look::HeadersAndSizes)
    } else {
        read_stream(&mut file, Look::HeadersAndSizes)
    };
    match looked {
        Ok(table) if table.largest_batch > most_bytes => {
            return Err(ArrowError::MemoryError("a batch is too large".to_owned()));
        }
        Ok(_) => {}
        Err(Stop::Io(error)) => return Err(error.into()),
        Err(Stop::Bad(finding)) => return Err(ArrowError::ParseError(finding.message)),
    }
    file.rewind()?;
    let file = BufReader::new(file);
    Ok(if is_file {
        Box::new(FileReader::try_new(file, places)?)
    } else {
        Box::new(StreamReader::try_new(file, places)?)
    })
}

/// Counts the nulls of columns whose headers do not tell them all.
pub(crate) fn count_nulls(
    file: File,
    format: FileFormat,
    columns: &mut [Column],
    options: &ProfileOptions,
) -> Option<DataFinding> {
    settle_nulls(columns, |places| {
        let rows = open_rows(file, format, Some(places.to_vec()), MOST_BYTES)?;
        sum_nulls(rows, places.len(), options)
    })
}
