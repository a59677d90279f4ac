//! gzip as its own programs read it: members follow each other, and zeros between and behind them are padding, which tapes
//! and copies by blocks leave.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::OtherBytes;

/// The text of all members.
pub(super) struct Members<R> {
    /// The member that is being read; none behind the last.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(source: R) -> Self {
        Self { member: Some(GzDecoder::new(source)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            skip_zeros(member.get_mut())?;
            let bytes = member.get_mut().fill_buf()?;
            if bytes.is_empty() {
                self.member = None;
            } else if may_begin_member(bytes) {
                self.member = self.member.take().map(|member| GzDecoder::new(member.into_inner()));
            } else {
                return Err(io::Error::other(OtherBytes));
            }
        }
        Ok(0)
    }
}

/// Whether a member may begin with these bytes, of which there may be too few to be sure.
fn may_begin_member(bytes: &[u8]) -> bool {
    [0x1F, 0x8B, 0x08].iter().zip(bytes).all(|(one, other)| one == other)
}

/// Goes past zeros, up to another byte or the end.
fn skip_zeros(source: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = source.fill_buf()?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let is_end = zeros < bytes.len() || bytes.is_empty();
        source.consume(zeros);
        if is_end {
            return Ok(());
        }
    }
}
