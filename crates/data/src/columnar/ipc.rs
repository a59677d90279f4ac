//! Arrow IPC, as a file and as a stream. Schema, rows and mostly nulls stand in the headers of the messages, so no column
//! is read or decompressed unless its values may be nulls that no header counts: those of a dictionary, of runs, and of a
//! union. A decoder holds a batch as a whole, so they stay unknown where batches are large. What a header claims about sizes is checked against the file before it is believed.

mod batch;
mod rows;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::convert::try_fb_to_schema;
use arrow::ipc::{
    self, Block, DictionaryBatch, Message, MessageHeader, RecordBatch, root_as_footer, root_as_message,
};

pub(crate) use self::rows::{count_nulls, open_rows};

use self::batch::{BatchHeader, Body, has_negative_width};
use crate::columnar::table::ArrowTable;
use crate::findings::{Stop, damaged, unreadable};

const MAGIC: &[u8] = b"ARROW1";
const CONTINUATION: [u8; 4] = [0xFF; 4];

/// The magic and its padding at the start of a file.
const FILE_START: u64 = 8;

/// The length of the footer and the magic at the end of a file.
const FILE_END: u64 = 10;

/// What is told of data that no message of which begins with a marker.
pub(crate) const OLD_FORMAT: &str =
    "the Arrow data is in the format of versions before 0.15, which is not supported; write it again";

/// How closely Arrow IPC is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Headers,
    /// At the sizes, too, that compressed buffers begin with.
    HeadersAndSizes,
}

/// Reads the headers of an IPC file.
pub(crate) fn read_file(file: &mut File, look: Look) -> Result<ArrowTable, Stop> {
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
    let footer = root_as_footer(&footer).map_err(|error| broken("footer", &error))?;
    let schema = footer.schema().ok_or_else(|| bad("the footer of the Arrow file has no schema"))?;
    let mut batches = Batches::new(schema_of(schema)?, look);
    let dictionaries = footer.dictionaries().into_iter().flatten().map(|block| (block, true));
    let rows = footer.recordBatches().into_iter().flatten().map(|block| (block, false));
    for (block, is_dictionary) in dictionaries.chain(rows) {
        let (header, body) = read_block(file, block, footer_start)?;
        let message = message(&header)?;
        if is_dictionary {
            batches.add_dictionary(file, message, body)?;
        } else {
            batches.add_rows(file, message, body)?;
        }
    }
    Ok(batches.into_table())
}

/// Reads the header of a message that the footer tells of.
fn read_block(file: &mut File, block: &Block, footer_start: u64) -> Result<(Vec<u8>, Body), Stop> {
    let damaged_footer = || bad("the footer of the Arrow file is damaged");
    let unsigned = |number: i64| u64::try_from(number).map_err(|_| damaged_footer());
    let start = unsigned(block.offset())?;
    let (offset, bytes) = (unsigned(block.metaDataLength().into())?, unsigned(block.bodyLength())?);
    let body = start.checked_add(offset).ok_or_else(damaged_footer)?;
    if body.checked_add(bytes).is_none_or(|end| end > footer_start) {
        return Err(damaged_footer());
    }
    file.seek(SeekFrom::Start(start))?;
    // The header ends where the body begins, or before.
    let header =
        read_header(file, body)?.ok_or_else(|| bad("a record batch of the Arrow file is damaged"))?;
    Ok((header, Body { start: body, bytes, offset }))
}

/// Reads the headers of an IPC stream.
pub(crate) fn read_stream(file: &mut File, look: Look) -> Result<ArrowTable, Stop> {
    let bytes = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    let mut batches: Option<Batches> = None;
    while let Some(header) = read_header(file, bytes)? {
        let message = message(&header)?;
        let start = file.stream_position()?;
        let end = u64::try_from(message.bodyLength()).ok().and_then(|body| start.checked_add(body));
        let Some(end) = end.filter(|end| *end <= bytes) else {
            return Err(bad("the Arrow stream is cut off"));
        };
        let body = Body { start, bytes: end - start, offset: 0 };
        match (&mut batches, message.header_type()) {
            (Some(batches), MessageHeader::RecordBatch) => batches.add_rows(file, message, body)?,
            (Some(batches), MessageHeader::DictionaryBatch) => batches.add_dictionary(file, message, body)?,
            (Some(_), _) => {}
            (None, _) => match message.header_as_schema() {
                Some(schema) => batches = Some(Batches::new(schema_of(schema)?, look)),
                None => break,
            },
        }
        file.seek(SeekFrom::Start(end))?;
    }
    let batches = batches.ok_or_else(|| bad("the Arrow stream has no schema"))?;
    Ok(batches.into_table())
}

fn schema_of(schema: ipc::Schema<'_>) -> Result<Schema, Stop> {
    // What the footer or message is whole with may be a type that others know.
    let schema = try_fb_to_schema(schema).map_err(|error| {
        tracing::debug!(?error, "the schema of Arrow data is not known");
        Stop::Bad(unreadable("the schema of the Arrow data is damaged, or has a type that is not supported"))
    })?;
    if schema.fields().iter().any(|field| has_negative_width(field.data_type())) {
        return Err(broken("schema", &"a width is negative"));
    }
    Ok(schema)
}

/// Reads the header of the message that comes next, which has to end here or before; none at the end of a stream.
fn read_header(file: &mut File, end: u64) -> Result<Option<Vec<u8>>, Stop> {
    let at = file.stream_position()?;
    if at == end {
        return Ok(None);
    }
    let cut_off = || bad("the Arrow data is cut off");
    if end - at < 8 {
        return Err(cut_off());
    }
    let prefix = read_at(file, at, 8)?;
    let Some(length) = prefix.strip_prefix(&CONTINUATION) else {
        // Before version 0.15, messages began with their length.
        let length = u32::from_le_bytes([prefix[0], prefix[1], prefix[2], prefix[3]]);
        let may_be_old = length > 0 && u64::from(length) <= end - at - 4 && length.is_multiple_of(4);
        return Err(if may_be_old {
            Stop::Bad(unreadable(OLD_FORMAT))
        } else {
            bad("a message of the Arrow data is damaged")
        });
    };
    let length = u32::from_le_bytes(length.try_into().expect("four of eight bytes are left"));
    if length == 0 {
        return Ok(None);
    }
    if u64::from(length) > end - at - 8 {
        return Err(cut_off());
    }
    Ok(Some(read_at(file, at + 8, u64::from(length))?))
}

/// Reads bytes that the file's length says are there.
fn read_at(file: &mut (impl Read + Seek), at: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let length = usize::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Whether a file may be a stream as versions before 0.15 wrote it, whose messages begin with their length.
pub(crate) fn is_old_stream(mut file: &File) -> io::Result<bool> {
    let bytes = file.metadata()?.len();
    let Some(most) = bytes.checked_sub(4) else { return Ok(false) };
    let length = read_at(&mut file, 0, 4)?;
    let length = u32::from_le_bytes(length.try_into().expect("as many bytes as were asked for"));
    if length == 0 || u64::from(length) > most {
        return Ok(false);
    }
    let header = read_at(&mut file, 4, length.into())?;
    Ok(root_as_message(&header).is_ok_and(|message| message.header_as_schema().is_some()))
}

fn message(header: &[u8]) -> Result<Message<'_>, Stop> {
    root_as_message(header).map_err(|error| broken("message", &error))
}

fn bad(message: &str) -> Stop {
    Stop::Bad(damaged(message))
}

/// The library's own words change from version to version, so they go to the log and not into the finding.
fn broken(what: &str, error: &dyn std::fmt::Debug) -> Stop {
    tracing::debug!(?error, "Arrow data is damaged");
    Stop::Bad(damaged(format!("a {what} of the Arrow data is damaged")))
}

/// What the headers of all batches so far say.
#[derive(Debug)]
struct Batches {
    schema: Schema,
    look: Look,
    rows: u64,
    /// The most bytes that a decoder holds of a batch or dictionary, if sizes were looked at.
    largest: u64,
    columns: Vec<Nulls>,
    /// The dictionaries that hold a null.
    dictionaries_with_nulls: BTreeSet<i64>,
}

/// The nulls of a column that headers count, and whether there may be more.
#[derive(Debug, Clone, Default)]
struct Nulls {
    told: u64,
    may_be_more: bool,
}

impl Batches {
    fn new(schema: Schema, look: Look) -> Self {
        let columns = vec![Nulls::default(); schema.fields().len()];
        Self { schema, look, rows: 0, largest: 0, columns, dictionaries_with_nulls: BTreeSet::new() }
    }

    fn add_rows(&mut self, file: &mut File, message: Message<'_>, body: Body) -> Result<(), Stop> {
        let batch = message.header_as_record_batch();
        let added = batch.and_then(|batch| {
            let mut header = BatchHeader::new(batch, message.version(), body);
            self.add_batch(batch, &mut header).map(|()| header)
        });
        self.check_sizes(file, added.as_ref(), "a record batch of the Arrow data is damaged")
    }

    fn add_batch(&mut self, batch: RecordBatch<'_>, header: &mut BatchHeader<'_>) -> Option<()> {
        let rows = u64::try_from(batch.length()).ok()?;
        self.rows = self.rows.checked_add(rows)?;
        for (field, nulls) in self.schema.fields().iter().zip(&mut self.columns) {
            let column = header.column(field.data_type()).filter(|column| column.rows == rows)?;
            nulls.told = nulls.told.checked_add(column.nulls)?;
            nulls.may_be_more |= column.has_inner_nulls;
        }
        Some(())
    }

    fn add_dictionary(&mut self, file: &mut File, message: Message<'_>, body: Body) -> Result<(), Stop> {
        let batch = message.header_as_dictionary_batch();
        let added = batch.and_then(|batch| {
            let mut header = BatchHeader::new(batch.data()?, message.version(), body);
            self.add_values(batch, &mut header).map(|()| header)
        });
        self.check_sizes(file, added.as_ref(), "a dictionary of the Arrow data is damaged")
    }

    fn add_values(&mut self, batch: DictionaryBatch<'_>, header: &mut BatchHeader<'_>) -> Option<()> {
        #[expect(deprecated, reason = "nothing else tells whose a dictionary is")]
        let fields = self.schema.fields_with_dict_id(batch.id());
        let DataType::Dictionary(_, values) = fields.first()?.data_type() else { return None };
        if header.column(values)?.may_have_nulls() {
            self.dictionaries_with_nulls.insert(batch.id());
        }
        Some(())
    }

    /// Looks at the sizes of a batch whose header is good, if it is to.
    fn check_sizes(
        &mut self,
        file: &mut File,
        header: Option<&BatchHeader<'_>>,
        damage: &str,
    ) -> Result<(), Stop> {
        let header = header.ok_or_else(|| bad(damage))?;
        if self.look == Look::HeadersAndSizes {
            let bytes = header.decoded_bytes(file)?.ok_or_else(|| bad(damage))?;
            self.largest = self.largest.max(bytes);
        }
        Ok(())
    }

    fn into_table(self) -> ArrowTable {
        let nulls_of = |(field, nulls): (_, &Nulls)| {
            let has_nulls = |dictionary| self.dictionaries_with_nulls.contains(dictionary);
            let may_be_more = nulls.may_be_more || dictionaries_of(field).iter().any(has_nulls);
            (!may_be_more).then_some(nulls.told)
        };
        let fields = self.schema.fields().iter().map(|field| field.as_ref());
        let nulls = fields.zip(&self.columns).map(nulls_of).collect();
        ArrowTable { schema: self.schema, rows: self.rows, nulls, largest_batch: self.largest }
    }
}

/// The dictionaries whose nulls are nulls of a column.
fn dictionaries_of(field: &Field) -> Vec<i64> {
    #[expect(deprecated, reason = "nothing else tells which dictionary a field has")]
    let mut found: Vec<i64> = field.dict_id().into_iter().collect();
    let values = match field.data_type() {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    match values {
        DataType::RunEndEncoded(_, values) => found.extend(dictionaries_of(values)),
        DataType::Union(fields, _) => {
            found.extend(fields.iter().flat_map(|(_, field)| dictionaries_of(field)))
        }
        _ => {}
    }
    found
}
