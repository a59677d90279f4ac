//! What the header of a batch says, gone through as the decoder does, which panics where it does not go with the body.

use std::fs::File;
use std::io;
use std::vec;

use arrow::datatypes::{DataType, UnionMode};
use arrow::ipc::{Buffer, FieldNode, MetadataVersion, RecordBatch};

use super::read_at;

/// The length of a compressed buffer before it was compressed stands in front of it.
const SIZE_BYTES: u64 = 8;

/// The size of a compressed buffer that is none.
const NOT_COMPRESSED: i64 = -1;

/// Where the body of a message lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body {
    /// Its place in the file.
    pub(super) start: u64,
    pub(super) bytes: u64,
    /// How much is in front of it in the memory that it is read into.
    pub(super) offset: u64,
}

/// What the header of a batch says of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct ColumnHeader {
    pub(super) rows: u64,
    /// The nulls that it counts.
    pub(super) nulls: u64,
    /// Whether values that no header counts as the column's may be nulls, too.
    pub(super) has_inner_nulls: bool,
}

impl ColumnHeader {
    pub(super) fn may_have_nulls(self) -> bool {
        self.nulls > 0 || self.has_inner_nulls
    }
}

/// What the decoder makes of a buffer.
#[derive(Debug, Clone, Copy)]
struct Items {
    width: u64,
    /// How many there have to be, where it takes them as they lie.
    least: Option<u64>,
}

impl Items {
    const BYTES: Self = Self::of_width(1);

    const fn of_width(width: u64) -> Self {
        Self { width, least: None }
    }

    fn fit(self, start: u64, bytes: u64) -> bool {
        match self.least {
            None => bytes.is_multiple_of(self.width),
            Some(least) => start.is_multiple_of(self.width) && least <= bytes / self.width,
        }
    }
}

/// A buffer whose size is known to its own first bytes.
#[derive(Debug, Clone, Copy)]
struct Compressed {
    start: u64,
    bytes: u64,
    items: Items,
}

/// The nodes and buffers of a batch that no column has taken yet.
pub(super) struct BatchHeader<'m> {
    nodes: vec::IntoIter<&'m FieldNode>,
    buffers: vec::IntoIter<&'m Buffer>,
    /// How many buffers of text each column of views has.
    view_buffers: vec::IntoIter<i64>,
    body: Body,
    is_compressed: bool,
    compressed: Vec<Compressed>,
    /// Up to version 4, runs and unions had room for nulls of their own. The decoder knows that of unions alone, and finds
    /// other buffers than it needs where there are runs.
    has_old_nulls: bool,
}

impl<'m> BatchHeader<'m> {
    pub(super) fn new(batch: RecordBatch<'m>, version: MetadataVersion, body: Body) -> Self {
        Self {
            nodes: batch.nodes().into_iter().flatten().collect::<Vec<_>>().into_iter(),
            buffers: batch.buffers().into_iter().flatten().collect::<Vec<_>>().into_iter(),
            view_buffers: batch.variadicBufferCounts().into_iter().flatten().collect::<Vec<_>>().into_iter(),
            body,
            is_compressed: batch.compression().is_some(),
            compressed: Vec::new(),
            has_old_nulls: version < MetadataVersion::V5,
        }
    }

    /// Takes what belongs to the next column, of this type. None where the header is damaged.
    pub(super) fn column(&mut self, data_type: &DataType) -> Option<ColumnHeader> {
        let node = self.nodes.next()?;
        let rows = u64::try_from(node.length()).ok()?;
        let nulls = u64::try_from(node.null_count()).ok().filter(|nulls| *nulls <= rows)?;
        let mut header = ColumnHeader { rows, nulls, has_inner_nulls: false };
        match data_type {
            DataType::Null => header.nulls = rows,
            DataType::Utf8 | DataType::Binary => self.buffers(&[1, 4, 1])?,
            DataType::LargeUtf8 | DataType::LargeBinary => self.buffers(&[1, 8, 1])?,
            DataType::Utf8View | DataType::BinaryView => {
                self.buffers(&[1, 16])?;
                for _ in 0..self.view_buffers.next()? {
                    self.buffer(Items::BYTES)?;
                }
            }
            DataType::List(item) | DataType::Map(item, _) => {
                self.buffers(&[1, 4])?;
                self.column(item.data_type())?;
            }
            DataType::LargeList(item) => {
                self.buffers(&[1, 8])?;
                self.column(item.data_type())?;
            }
            DataType::ListView(item) => {
                self.buffers(&[1, 4, 4])?;
                self.column(item.data_type())?;
            }
            DataType::LargeListView(item) => {
                self.buffers(&[1, 8, 8])?;
                self.column(item.data_type())?;
            }
            DataType::FixedSizeList(item, length) => {
                rows.checked_mul(u64::try_from(*length).ok()?)?;
                self.buffers(&[1])?;
                self.column(item.data_type())?;
            }
            DataType::Struct(fields) => {
                self.buffers(&[1])?;
                for field in fields {
                    self.column(field.data_type())?;
                }
            }
            DataType::Dictionary(keys, _) => self.buffers(&[1, keys.primitive_width()? as u64])?,
            DataType::RunEndEncoded(ends, values) => {
                if self.has_old_nulls {
                    self.buffers(&[1])?;
                }
                self.column(ends.data_type())?;
                header.has_inner_nulls = self.column(values.data_type())?.may_have_nulls();
            }
            DataType::Union(fields, mode) => {
                if self.has_old_nulls {
                    self.buffers(&[1])?;
                }
                self.buffer(Items { width: 1, least: Some(rows) })?;
                if *mode == UnionMode::Dense {
                    self.buffer(Items { width: 4, least: Some(rows) })?;
                }
                for (_, field) in fields.iter() {
                    header.has_inner_nulls |= self.column(field.data_type())?.may_have_nulls();
                }
            }
            _ => self.buffers(&[1, 1])?,
        }
        Some(header)
    }

    /// Takes buffers of items that are so wide.
    fn buffers(&mut self, widths: &[u64]) -> Option<()> {
        widths.iter().try_for_each(|width| self.buffer(Items::of_width(*width)))
    }

    fn buffer(&mut self, items: Items) -> Option<()> {
        let buffer = self.buffers.next()?;
        let (start, bytes) = (u64::try_from(buffer.offset()).ok()?, u64::try_from(buffer.length()).ok()?);
        start.checked_add(bytes).filter(|end| *end <= self.body.bytes)?;
        if self.is_compressed && bytes > 0 {
            self.compressed.push(Compressed { start, bytes, items });
            return Some(());
        }
        items.fit(self.body.offset + start, bytes).then_some(())
    }

    /// How many bytes a decoder holds of the batch, if the sizes that compressed buffers tell of themselves can be believed.
    /// The decoder asks for so much memory, and the process ends where that is too much.
    pub(super) fn decoded_bytes(&self, file: &mut File) -> io::Result<Option<u64>> {
        let mut decoded = self.body.bytes;
        for Compressed { start, bytes, items } in &self.compressed {
            let Some(rest) = bytes.checked_sub(SIZE_BYTES) else { return Ok(None) };
            let size = read_at(file, self.body.start + start, SIZE_BYTES)?;
            match i64::from_le_bytes(size.try_into().expect("as many bytes as were asked for")) {
                NOT_COMPRESSED if items.fit(self.body.offset + start + SIZE_BYTES, rest) => {}
                size => match usize::try_from(size) {
                    Ok(size) if items.fit(0, size as u64) && can_be_had(size) => {
                        decoded = decoded.saturating_add(size as u64);
                    }
                    _ => return Ok(None),
                },
            }
        }
        Ok(Some(decoded))
    }
}

fn can_be_had(bytes: usize) -> bool {
    Vec::<u8>::new().try_reserve_exact(bytes).is_ok()
}

/// Whether a type has a width that nothing can have, here or within.
pub(super) fn has_negative_width(data_type: &DataType) -> bool {
    match data_type {
        DataType::FixedSizeBinary(width) => *width < 0,
        DataType::FixedSizeList(item, length) => *length < 0 || has_negative_width(item.data_type()),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::Map(item, _)
        | DataType::RunEndEncoded(_, item) => has_negative_width(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_negative_width(field.data_type())),
        DataType::Union(fields, _) => fields.iter().any(|(_, field)| has_negative_width(field.data_type())),
        DataType::Dictionary(_, values) => has_negative_width(values),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Arc;

    use arrow::datatypes::Field;

    use super::*;

    #[track_caller]
    fn check_fit(width: u64, least: Option<u64>, start: u64, bytes: u64, expected: bool) {
        assert_eq!(Items { width, least }.fit(start, bytes), expected);
    }

    #[test]
    fn items_are_whole_and_those_taken_as_they_lie_enough_and_aligned() {
        check_fit(1, None, 3, 5, true);
        check_fit(4, None, 3, 8, true);
        check_fit(4, None, 0, 6, false);
        check_fit(4, Some(2), 8, 8, true);
        check_fit(4, Some(1), 8, 6, true);
        check_fit(4, Some(2), 8, 7, false);
        check_fit(4, Some(2), 6, 8, false);
        check_fit(4, Some(u64::MAX), 0, 8, false);
    }

    /// Checks the size that a buffer of 64-bit numbers tells of itself, in a body that is behind 16 other bytes.
    #[track_caller]
    fn check_size(size: i64, bytes: u64, expected: bool) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[0xee; 24]).unwrap();
        file.write_all(&size.to_le_bytes()).unwrap();
        file.write_all(&[0; 32]).unwrap();
        let header = BatchHeader {
            nodes: Vec::new().into_iter(),
            buffers: Vec::new().into_iter(),
            view_buffers: Vec::new().into_iter(),
            body: Body { start: 16, bytes: 48, offset: 0 },
            is_compressed: true,
            compressed: vec![Compressed { start: 8, bytes, items: Items::of_width(8) }],
            has_old_nulls: false,
        };
        assert_eq!(header.decoded_bytes(&mut file).unwrap().is_some(), expected, "{size}");
    }

    #[test]
    fn sizes_of_compressed_buffers_are_not_believed_at_once() {
        check_size(0, 24, true);
        check_size(8000, 24, true);
        check_size(8001, 24, false);
        check_size(-2, 24, false);
        check_size(i64::MAX - 7, 24, false);
        check_size(NOT_COMPRESSED, 24, true);
        check_size(NOT_COMPRESSED, 23, false);
        check_size(8000, 7, false);
    }

    #[test]
    fn negative_widths_are_found_within() {
        let field = |data_type| Arc::new(Field::new("a", data_type, true));
        for (width, expected) in [(0, false), (3, false), (-1, true)] {
            let types = [
                DataType::FixedSizeBinary(width),
                DataType::FixedSizeList(field(DataType::Int8), width),
                DataType::List(field(DataType::FixedSizeBinary(width))),
                DataType::Struct(vec![field(DataType::FixedSizeBinary(width))].into()),
                DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::FixedSizeBinary(width))),
            ];
            for data_type in types {
                assert_eq!(has_negative_width(&data_type), expected, "{data_type}");
            }
        }
    }
}
