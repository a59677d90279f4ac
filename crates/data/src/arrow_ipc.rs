//! Arrow IPC, as a file and as a stream. Schema, rows and nulls stand in the headers of the messages, so no column is
//! read or decompressed, and what a header claims about sizes is checked against the file before it is believed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use arrow::datatypes::{DataType, Schema};
use arrow::ipc::convert::try_fb_to_schema;
use arrow::ipc::{Message, MessageHeader, RecordBatch, root_as_footer, root_as_message};

use crate::arrow_table::ArrowTable;
use crate::findings::{Stop, finding};

const MAGIC: &[u8] = b"ARROW1";
const CONTINUATION: [u8; 4] = [0xFF; 4];

/// The magic and its padding at the start of a file.
const FILE_START: u64 = 8;

/// The length of the footer and the magic at the end of a file.
const FILE_END: u64 = 10;

/// Reads the headers of an IPC file.
pub(crate) fn read_file(file: &mut File) -> Result<ArrowTable, Stop> {
    let bytes = file.metadata()?.len();
    let Some(footer_end) = bytes.checked_sub(FILE_END).filter(|end| *end >= FILE_START) else {
        return Err(bad("the Arrow file is cut off"));
    };
    let end = read_at(file, footer_end, FILE_END)?;
    let Some(length) =
        end.strip_suffix(MAGIC).and_then(|length| Some(i32::from_le_bytes(length.try_into().ok()?)))
    else {
        return Err(bad("the Arrow file is cut off: its footer is missing"));
    };
    let Some(footer_start) = u64::try_from(length).ok().and_then(|length| footer_end.checked_sub(length))
    else {
        return Err(bad("the footer of the Arrow file is damaged"));
    };
    let footer = read_at(file, footer_start, footer_end - footer_start)?;
    let footer = root_as_footer(&footer).map_err(|error| damaged("footer", &error))?;
    let schema = footer.schema().ok_or_else(|| bad("the footer of the Arrow file has no schema"))?;
    let schema = try_fb_to_schema(schema).map_err(|error| damaged("schema", &error))?;
    let mut counts = Counts::new(&schema);
    for block in footer.recordBatches().into_iter().flatten() {
        let (offset, header, body) = (block.offset(), i64::from(block.metaDataLength()), block.bodyLength());
        let end = offset.checked_add(header).and_then(|end| end.checked_add(body));
        let is_inside =
            offset >= 0 && header >= 0 && body >= 0 && end.is_some_and(|end| end as u64 <= footer_start);
        if !is_inside {
            return Err(bad("the footer of the Arrow file is damaged"));
        }
        file.seek(SeekFrom::Start(offset as u64))?;
        let header =
            read_header(file, bytes)?.ok_or_else(|| bad("a record batch of the Arrow file is damaged"))?;
        counts.add(&schema, message(&header)?)?;
    }
    Ok(counts.into_table(schema))
}

/// Reads the headers of an IPC stream.
pub(crate) fn read_stream(file: &mut File) -> Result<ArrowTable, Stop> {
    let bytes = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    let mut table: Option<(Schema, Counts)> = None;
    while let Some(header) = read_header(file, bytes)? {
        let message = message(&header)?;
        match (&mut table, message.header_as_schema()) {
            (None, Some(schema)) => {
                let schema = try_fb_to_schema(schema).map_err(|error| damaged("schema", &error))?;
                let counts = Counts::new(&schema);
                table = Some((schema, counts));
            }
            (None, None) => break,
            (Some((schema, counts)), _) if message.header_type() == MessageHeader::RecordBatch => {
                counts.add(schema, message)?;
            }
            (Some(_), _) => {}
        }
        let at = file.stream_position()?;
        let end = u64::try_from(message.bodyLength()).ok().and_then(|body| at.checked_add(body));
        match end.filter(|end| *end <= bytes) {
            Some(end) => file.seek(SeekFrom::Start(end))?,
            None => return Err(bad("the Arrow stream is cut off")),
        };
    }
    let (schema, counts) = table.ok_or_else(|| bad("the Arrow stream has no schema"))?;
    Ok(counts.into_table(schema))
}

/// Reads the header of the message that comes next; none at the end of a stream.
fn read_header(file: &mut File, bytes: u64) -> Result<Option<Vec<u8>>, Stop> {
    let at = file.stream_position()?;
    if at == bytes {
        return Ok(None);
    }
    let cut_off = || bad("the Arrow data is cut off");
    if bytes - at < 8 {
        return Err(cut_off());
    }
    let prefix = read_at(file, at, 8)?;
    let Some(length) = prefix.strip_prefix(&CONTINUATION) else {
        return Err(bad("a message of the Arrow data is damaged"));
    };
    let length = u32::from_le_bytes(length.try_into().expect("four of eight bytes are left"));
    if length == 0 {
        return Ok(None);
    }
    if u64::from(length) > bytes - at - 8 {
        return Err(cut_off());
    }
    Ok(Some(read_at(file, at + 8, u64::from(length))?))
}

/// Reads bytes that the file's length says are there.
fn read_at(file: &mut File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let length = usize::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn message(header: &[u8]) -> Result<Message<'_>, Stop> {
    root_as_message(header).map_err(|error| damaged("message", &error))
}

fn bad(message: &str) -> Stop {
    Stop::Bad(finding(message))
}

/// The library's own words change from version to version, so they go to the log and not into the finding.
fn damaged(what: &str, error: &dyn std::fmt::Debug) -> Stop {
    tracing::debug!(?error, "Arrow data is damaged");
    Stop::Bad(finding(format!("a {what} of the Arrow data is damaged")))
}

/// The rows and nulls of all batches so far.
#[derive(Debug)]
struct Counts {
    rows: u64,
    nulls: Vec<Option<u64>>,
}

impl Counts {
    fn new(schema: &Schema) -> Self {
        let known = |data_type: &DataType| match data_type {
            // Where the nulls are those of the values, no header counts them.
            DataType::RunEndEncoded(..) | DataType::Union(..) => None,
            _ => Some(0),
        };
        Self { rows: 0, nulls: schema.fields().iter().map(|field| known(field.data_type())).collect() }
    }

    fn add(&mut self, schema: &Schema, message: Message<'_>) -> Result<(), Stop> {
        let batch = message.header_as_record_batch();
        match batch.and_then(|batch| self.add_batch(schema, batch)) {
            Some(()) => Ok(()),
            None => Err(bad("a record batch of the Arrow data is damaged")),
        }
    }

    fn add_batch(&mut self, schema: &Schema, batch: RecordBatch<'_>) -> Option<()> {
        let rows = u64::try_from(batch.length()).ok()?;
        self.rows = self.rows.checked_add(rows)?;
        let mut nodes = batch.nodes().into_iter().flatten();
        for (field, nulls) in schema.fields().iter().zip(&mut self.nulls) {
            let node = nodes.next()?;
            let found = match field.data_type() {
                DataType::Null => rows,
                _ => u64::try_from(node.null_count()).ok().filter(|nulls| *nulls <= rows)?,
            };
            if let Some(nulls) = nulls {
                *nulls = nulls.checked_add(found)?;
            }
            for _ in 0..inner_nodes(field.data_type()) {
                nodes.next()?;
            }
        }
        Some(())
    }

    fn into_table(self, schema: Schema) -> ArrowTable {
        ArrowTable { schema, rows: self.rows, nulls: self.nulls }
    }
}

/// How many nodes of a batch stand for what is inside a column of this type.
fn inner_nodes(data_type: &DataType) -> usize {
    let of = |data_type: &DataType| 1 + inner_nodes(data_type);
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => of(item.data_type()),
        DataType::Struct(fields) => fields.iter().map(|field| of(field.data_type())).sum(),
        DataType::Union(fields, _) => fields.iter().map(|(_, field)| of(field.data_type())).sum(),
        DataType::RunEndEncoded(ends, values) => of(ends.data_type()) + of(values.data_type()),
        _ => 0,
    }
}
