//! Several threads that read a part of a text each.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::lines::{Lines, Table, read_part};
use super::parts::Parts;
use super::rows::{Counts, Rows};

/// Reads all parts and adds them to the table, with so many threads.
pub(super) fn read_parts<R: Read + Send>(
    parts: Parts<R>,
    table: Table,
    jobs: usize,
) -> io::Result<(Parts<R>, Table)> {
    let shared = Shared::new(parts, table, jobs);
    std::thread::scope(|scope| {
        for _ in 1..jobs {
            let helper = std::thread::Builder::new().name("profile".to_owned());
            if let Err(error) = helper.spawn_scoped(scope, || shared.work()) {
                // The others do its work.
                tracing::debug!(%error, "could not start a thread");
                break;
            }
        }
        shared.work();
    });
    shared.into_inner()
}

/// What the threads share.
struct Shared<R> {
    jobs: usize,
    /// The parts, and how many there were.
    parts: Mutex<(Parts<R>, u64, io::Result<()>)>,
    merger: Mutex<Merger>,
    merged: Condvar,
}

#[derive(Debug)]
struct Merger {
    table: Table,
    /// How many parts are in the table, and those that were read before their turn.
    parts: u64,
    waiting: BTreeMap<u64, ReadPart>,
    /// Whether a thread has panicked, so that its part never comes.
    is_given_up: bool,
}

/// A part that was read.
#[derive(Debug)]
struct ReadPart {
    bytes: Vec<u8>,
    /// The version of the table that its types began with.
    version: u64,
    found: Found,
    lines: Lines,
}

#[derive(Debug)]
enum Found {
    /// Nothing new, but rows.
    Counts(Counts),
    /// New columns or types.
    Rows(Box<Rows>),
}

impl<R: Read + Send> Shared<R> {
    fn new(parts: Parts<R>, table: Table, jobs: usize) -> Self {
        let merger = Merger { table, parts: 0, waiting: BTreeMap::new(), is_given_up: false };
        let (parts, merger) = (Mutex::new((parts, 0, Ok(()))), Mutex::new(merger));
        Self { jobs, parts, merger, merged: Condvar::new() }
    }

    fn into_inner(self) -> io::Result<(Parts<R>, Table)> {
        let (parts, _, result) = self.parts.into_inner().unwrap_or_else(PoisonError::into_inner);
        result?;
        Ok((parts, self.merger.into_inner().unwrap_or_else(PoisonError::into_inner).table))
    }

    /// Reads parts as long as there are any.
    fn work(&self) {
        let _guard = PanicGuard(self);
        let mut rows: Option<(Rows, u64)> = None;
        let mut bytes = Vec::new();
        while let Some(number) = self.next_part(&mut bytes) {
            let (mut known, version) = self.synchronized(rows.take());
            let lines = read_part(&mut known, &bytes);
            let found = if known.is_changed() {
                Found::Rows(Box::new(known))
            } else {
                let counts = known.take_counts();
                rows = Some((known, version));
                Found::Counts(counts)
            };
            bytes =
                self.hand_in(number, ReadPart { bytes: std::mem::take(&mut bytes), version, found, lines });
        }
    }

    fn next_part(&self, bytes: &mut Vec<u8>) -> Option<u64> {
        if lock(&self.merger).is_given_up {
            return None;
        }
        let mut guard = lock(&self.parts);
        let (parts, count, result) = &mut *guard;
        if result.is_ok() {
            *result = parts.next(bytes);
        }
        if result.is_err() || bytes.is_empty() {
            return None;
        }
        *count += 1;
        Some(*count - 1)
    }

    /// Columns with the types that are known now.
    fn synchronized(&self, rows: Option<(Rows, u64)>) -> (Rows, u64) {
        let merger = lock(&self.merger);
        let version = merger.table.version;
        match rows {
            Some((rows, known)) if known == version => (rows, version),
            _ => (merger.table.rows_like_known(), version),
        }
    }

    /// Hands in a part, and returns room for another. Waits where too many are read before their turn.
    fn hand_in(&self, number: u64, part: ReadPart) -> Vec<u8> {
        let mut merger = lock(&self.merger);
        merger.waiting.insert(number, part);
        let mut room = Vec::new();
        while let Some(part) = merger.take_next() {
            room = merger.merge(part);
            self.merged.notify_all();
        }
        while merger.waiting.len() > self.jobs && merger.waiting.contains_key(&number) && !merger.is_given_up
        {
            merger = self.merged.wait(merger).unwrap_or_else(PoisonError::into_inner);
        }
        room
    }
}

impl Merger {
    fn take_next(&mut self) -> Option<ReadPart> {
        self.waiting.remove(&self.parts)
    }

    /// Adds the part whose turn it is. The room that it took.
    fn merge(&mut self, part: ReadPart) -> Vec<u8> {
        self.parts += 1;
        if part.version != self.table.version {
            self.table.read_now(&part.bytes);
        } else {
            match part.found {
                Found::Counts(counts) => self.table.append_counts(&counts, part.lines),
                Found::Rows(rows) => self.table.append(*rows, part.lines),
            }
        }
        part.bytes
    }
}

/// Lets the other threads come to their end where one panics, which then is the end of all.
struct PanicGuard<'s, R: Read + Send>(&'s Shared<R>);

impl<R: Read + Send> Drop for PanicGuard<'_, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.0.merger).is_given_up = true;
            self.0.merged.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Rows, of which some cannot be read: the reader panics once and then goes on for long.
    struct PanicsOnce<'r>(&'r AtomicUsize);

    impl Read for PanicsOnce<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.fetch_add(1, Ordering::Relaxed);
            assert_ne!(read, 100, "a reader is broken");
            if read > 400_000 {
                return Ok(0);
            }
            let row = b"{\"a\":1}\n";
            buffer[..row.len()].copy_from_slice(row);
            Ok(row.len())
        }
    }

    #[test]
    fn the_others_stop_where_one_panics() {
        let reads = AtomicUsize::new(0);
        let parts = Parts::new(PanicsOnce(&reads), 9, 100);
        let read = std::panic::AssertUnwindSafe(|| read_parts(parts, Table::default(), 4));
        assert!(std::panic::catch_unwind(read).is_err());
        let reads = reads.into_inner();
        assert!(reads < 200_000, "{reads} parts were read");
    }
}
