/// Counts lines, which end with `\n`, `\r` or both.
#[derive(Debug, Default)]
pub(crate) struct LineCount {
    /// The lines that ended in earlier chunks.
    ended: u64,
    /// Whether the last chunk ended with `\r`, of which the next tells whether it is half of a line end.
    half: bool,
}

impl LineCount {
    /// The line on which an offset of the chunk stands that comes next.
    pub(crate) fn line_of(&self, chunk: &[u8], offset: usize) -> u64 {
        let half = u64::from(
            self.half && chunk.first().is_some_and(|first| *first != b'\n') && offset < chunk.len(),
        );
        self.ended + half + lines_ended(chunk, offset) + 1
    }

    /// The lines that have ended, if what comes next is not the second half of a line end.
    pub(crate) fn ended(&self) -> u64 {
        self.ended + u64::from(self.half)
    }

    /// Goes on to the end of a text that follows, whose lines were counted by themselves.
    pub(crate) fn append(&mut self, next: &Self) {
        self.ended = self.ended() + next.ended;
        self.half = next.half;
    }

    /// Goes on to the next chunk.
    pub(crate) fn add(&mut self, chunk: &[u8]) {
        let Some(first) = chunk.first() else { return };
        self.ended += u64::from(self.half && *first != b'\n') + lines_ended(chunk, chunk.len());
        self.half = chunk.ends_with(b"\r");
    }
}

/// The lines that end before an offset. A `\r` that is the chunk's last byte is not counted.
fn lines_ended(chunk: &[u8], offset: usize) -> u64 {
    let before = &chunk[..offset];
    let feeds = memchr::memchr_iter(b'\n', before).count();
    let is_lone = |at: &usize| chunk.get(at + 1).is_some_and(|next| *next != b'\n');
    let returns = memchr::memchr_iter(b'\r', before).filter(is_lone).count();
    (feeds + returns) as u64
}
