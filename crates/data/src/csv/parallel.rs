//! The blocks of a text, read and looked at by several threads.
//!
//! Each thread takes the next block and looks at it as if a record began with it. The results are put together in the
//! order of the text. Where it turns out that a block began within a cell, what was found in it is thrown away, and it is
//! looked at again, from what came before it. So the result is that of one thread, whatever the blocks are.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::blocks::{Block, Blocks};
use super::part::Part;

/// How many blocks one thread looks at before the others are started, which takes as long as some blocks do.
const BLOCKS_ALONE: usize = 3;

/// How many blocks each thread may be ahead of the slowest.
const BLOCKS_AHEAD: u64 = 4;

/// Takes in all blocks that are left. `new_part` is a part about which nothing is known yet.
pub(super) fn feed_all<'n, R: Read + Send>(
    mut part: Part<'n>,
    mut blocks: Blocks<R>,
    jobs: NonZeroUsize,
    new_part: impl Fn() -> Part<'n> + Sync,
) -> io::Result<Part<'n>> {
    let alone = if jobs == NonZeroUsize::MIN { usize::MAX } else { BLOCKS_ALONE };
    let mut block = Block::default();
    for _ in 0..alone {
        if !blocks.read(&mut block)? {
            return Ok(part);
        }
        part.feed(&block);
    }
    let next = blocks.count();
    let most_ahead = BLOCKS_AHEAD * jobs.get() as u64;
    let whole =
        Whole { part, next, waiting: BTreeMap::new(), spare: vec![block], failure: None, panicked: false };
    let work =
        Work { blocks: Mutex::new(blocks), whole: Mutex::new(whole), moved: Condvar::new(), most_ahead };
    std::thread::scope(|scope| {
        for _ in 1..jobs.get() {
            let helper = std::thread::Builder::new().name("profile".to_owned());
            if let Err(error) = helper.spawn_scoped(scope, || work.take_part(&new_part)) {
                // The others do its work.
                tracing::debug!(%error, "could not start a thread");
                break;
            }
        }
        work.take_part(&new_part);
    });
    let whole = work.whole.into_inner().unwrap_or_else(PoisonError::into_inner);
    match whole.failure {
        Some(error) => Err(error),
        None => Ok(whole.part),
    }
}

/// What the threads share.
struct Work<'n, R> {
    blocks: Mutex<Blocks<R>>,
    whole: Mutex<Whole<'n>>,
    /// Told when the whole has moved on.
    moved: Condvar,
    most_ahead: u64,
}

/// What is known of the text so far.
struct Whole<'n> {
    part: Part<'n>,
    /// The index of the block that comes next.
    next: u64,
    /// Blocks that were looked at before it was their turn.
    waiting: BTreeMap<u64, (Block, Option<Part<'n>>)>,
    spare: Vec<Block>,
    failure: Option<io::Error>,
    panicked: bool,
}

impl<'n, R: Read> Work<'n, R> {
    /// Looks at one block after the other, until there are no more or reading has failed.
    fn take_part(&self, new_part: &impl Fn() -> Part<'n>) {
        let guard = TellOfPanic(self);
        while let Some(mut block) = self.spare() {
            let read = self.blocks.lock().unwrap_or_else(PoisonError::into_inner).read(&mut block);
            match read {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.whole().failure.get_or_insert(error);
                    self.moved.notify_all();
                    break;
                }
            }
            let known = (!block.is_within_line).then(|| {
                let mut part = new_part();
                part.feed(&block);
                part
            });
            self.hand_in(block, known);
        }
        drop(guard);
    }

    fn whole(&self) -> MutexGuard<'_, Whole<'n>> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Memory for a block; none where reading is over.
    fn spare(&self) -> Option<Block> {
        let mut whole = self.whole();
        (!whole.is_over()).then(|| whole.spare.pop().unwrap_or_default())
    }

    /// Waits until a block is not too far ahead, and then takes in all whose turn it is.
    fn hand_in(&self, block: Block, known: Option<Part<'n>>) {
        let mut whole = self.whole();
        while !whole.is_over() && block.index > whole.next + self.most_ahead {
            whole = self.moved.wait(whole).unwrap_or_else(PoisonError::into_inner);
        }
        whole.waiting.insert(block.index, (block, known));
        loop {
            let next = whole.next;
            let Some((block, known)) = whole.waiting.remove(&next) else { break };
            whole.part.feed_known(&block, known);
            whole.next += 1;
            whole.spare.push(block);
        }
        self.moved.notify_all();
    }
}

impl Whole<'_> {
    fn is_over(&self) -> bool {
        self.failure.is_some() || self.panicked
    }
}

/// Lets the others go where a thread panics: they would wait for its block.
struct TellOfPanic<'w, 'n, R: Read>(&'w Work<'n, R>);

impl<R: Read> Drop for TellOfPanic<'_, '_, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.whole().panicked = true;
            self.0.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::nulls::NullWords;

    fn feed(source: impl Read + Send, jobs: usize) -> io::Result<u64> {
        let new_part = || Part::new(b',', 2, NullWords::by_default());
        let jobs = NonZeroUsize::new(jobs).expect("some jobs");
        let mut part = feed_all(new_part(), Blocks::new(Vec::new(), source, 16), jobs, new_part)?;
        part.splitter.finish(&mut part.rows);
        Ok(part.rows.count())
    }

    #[test]
    fn all_rows_are_taken_in() {
        let text = "1,2\n\"x\ny\",4\n".repeat(1000);
        for jobs in [1, 2, 3, 8] {
            assert_eq!(feed(text.as_bytes(), jobs).expect("a slice can be read"), 2000);
        }
    }

    #[test]
    fn blocks_that_begin_within_a_cell_are_looked_at_again() {
        let long = format!("1,\"{}\"\n", "x,y\nz\n".repeat(50));
        let text = format!("1,2\n{}3,4\n", long.repeat(20));
        for jobs in [1, 2, 3, 8] {
            assert_eq!(feed(text.as_bytes(), jobs).expect("a slice can be read"), 22);
        }
    }

    /// Some rows, and then whatever the function does.
    struct Then<F>(usize, F);

    impl<F: Fn() -> io::Result<usize>> Read for Then<F> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return self.1();
            }
            self.0 -= 1;
            buffer[..4].copy_from_slice(b"1,2\n");
            Ok(4)
        }
    }

    #[test]
    fn what_keeps_one_from_reading_is_told() {
        for jobs in [1, 2, 8] {
            let source = Then(100, || Err(io::Error::other("the disk is gone")));
            assert_eq!(feed(source, jobs).expect_err("it cannot be read").to_string(), "the disk is gone");
        }
    }

    #[test]
    fn no_thread_waits_for_one_that_panics() {
        for jobs in [2, 8] {
            let source = Then(100, || panic!("a reader is broken"));
            let fed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| feed(source, jobs)));
            assert!(fed.is_err());
        }
    }
}
