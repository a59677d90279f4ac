//! Zstandard as its own programs read it: frames follow each other, and nothing else does.

use std::io::{self, BufRead, Read};

use zstd::stream::raw::{Decoder, Operation};

use super::OtherBytes;

/// The text of all frames.
pub(super) struct Frames<R> {
    source: R,
    decoder: Decoder<'static>,
    /// Whether the next byte is the first of a frame.
    is_between: bool,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(source: R) -> io::Result<Self> {
        Ok(Self { source, decoder: Decoder::new()?, is_between: true })
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let bytes = self.source.fill_buf()?;
            if self.is_between {
                if bytes.is_empty() {
                    return Ok(0);
                }
                if !may_begin_frame(bytes) {
                    return Err(io::Error::other(OtherBytes));
                }
                self.decoder.reinit()?;
            }
            let is_end = bytes.is_empty();
            let status = self.decoder.run_on_buffers(bytes, buffer)?;
            self.source.consume(status.bytes_read);
            self.is_between = status.remaining == 0;
            if status.bytes_written > 0 {
                return Ok(status.bytes_written);
            }
            if is_end && !self.is_between {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Whether a frame may begin with these bytes, of which there may be too few to be sure.
fn may_begin_frame(bytes: &[u8]) -> bool {
    let begins = |mark: [u8; 4]| mark.iter().zip(bytes).all(|(one, other)| one == other);
    let skipped = [bytes[0].clamp(0x50, 0x5F), 0x2A, 0x4D, 0x18];
    begins([0x28, 0xB5, 0x2F, 0xFD]) || begins(skipped)
}
