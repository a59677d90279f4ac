//! Batches that are read while those before them are looked at.

use std::num::NonZeroUsize;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

use arrow::record_batch::RecordBatch;

use super::Batches;
use crate::error::ReadTableError;

/// Of fewer rows, starting a thread takes longer than it spares.
const MANY_ROWS: u64 = 100_000;

/// How many batches may wait until they are looked at.
const BATCHES_AHEAD: usize = 2;

impl Batches {
    /// Hands on all batches in their order, and stops where one cannot be taken or read. Where there are many rows and several
    /// jobs, another thread reads them.
    pub(crate) fn for_each<E: From<ReadTableError>>(
        self,
        jobs: NonZeroUsize,
        mut take: impl FnMut(RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        let rows: u64 = self.files.as_slice().iter().map(|file| file.rows).sum();
        let source = Mutex::new(self);
        let next = || source.lock().unwrap_or_else(PoisonError::into_inner).advance().transpose();
        thread::scope(|scope| {
            let (sender, read) = sync_channel(BATCHES_AHEAD);
            let read_all = move || {
                while let Some(batch) = next() {
                    let is_last = batch.is_err();
                    // Nobody listens any more where a batch could not be taken.
                    if sender.send(batch).is_err() || is_last {
                        return;
                    }
                }
            };
            let reader = thread::Builder::new().name("read ahead".to_owned());
            let is_read_ahead = jobs > NonZeroUsize::MIN && rows >= MANY_ROWS;
            let started = is_read_ahead.then(|| reader.spawn_scoped(scope, read_all));
            if let Some(Err(error)) = &started {
                tracing::debug!(%error, "could not start a thread");
            }
            match started {
                Some(Ok(_)) => read.into_iter().try_for_each(|batch| take(batch?)),
                _ => std::iter::from_fn(next).try_for_each(|batch| take(batch?)),
            }
        })
    }
}
