//! Events in a form that others can read.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use runtime_testing_models::{EventLine, TestEvent};

use crate::events::{Event, Reporter};

/// Writes each event as a line of JSON, at once.
///
/// ```
/// use runtime_testing_tester::{Event, EventLog, Reporter};
///
/// let log = EventLog::new(Vec::new());
/// log.report(&Event::Planned { steps: 1, runs: 1 });
/// let text = String::from_utf8(log.finish()?)?;
/// assert!(text.starts_with(r#"{"format_version":1,"seconds":0.0,"event":"planned","steps":1"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EventLog<W> {
    state: Mutex<State<W>>,
}

#[derive(Debug)]
struct State<W> {
    writer: W,
    began: Option<Instant>,
    /// The first one. Nothing is written behind it: a line may be cut off.
    error: Option<io::Error>,
}

impl<W: Write> EventLog<W> {
    /// A log that writes to `writer`.
    pub fn new(writer: W) -> Self {
        Self { state: Mutex::new(State { writer, began: None, error: None }) }
    }

    /// Gives back what it wrote to.
    ///
    /// # Errors
    ///
    /// The first error of the writer. Events behind it were not written.
    pub fn finish(self) -> io::Result<W> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        match state.error {
            Some(error) => Err(error),
            None => Ok(state.writer),
        }
    }
}

impl<W: Write + Send> Reporter for EventLog<W> {
    fn report(&self, event: &Event<'_>) {
        let state = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.error.is_some() {
            return;
        }
        let now = Instant::now();
        let seconds = (now - *state.began.get_or_insert(now)).as_secs_f64();
        let line = EventLine::new(seconds, TestEvent::from(event)).to_json() + "\n";
        let written = state.writer.write_all(line.as_bytes()).and_then(|()| state.writer.flush());
        state.error = written.err();
    }
}

impl From<&Event<'_>> for TestEvent {
    fn from(event: &Event<'_>) -> Self {
        match *event {
            Event::Planned { steps, runs } => Self::Planned { steps: steps as u64, runs: runs as u64 },
            Event::RunsAdded { step, kinds } => Self::RunsAdded { step: step.clone(), kinds: kinds.to_vec() },
            Event::RunStarted { step, kinds } => {
                Self::RunStarted { step: step.clone(), kinds: kinds.to_vec() }
            }
            Event::RunSlow { step, kinds, elapsed } => Self::RunSlow {
                step: step.clone(),
                kinds: kinds.to_vec(),
                elapsed_seconds: elapsed.as_secs_f64(),
            },
            Event::RunNotForked { step, reason } => {
                Self::RunNotForked { step: step.clone(), reason: reason.to_owned() }
            }
            Event::RunInBaseFolder { step, reason } => {
                Self::RunInBaseFolder { step: step.clone(), reason: reason.to_owned() }
            }
            Event::RunRepeated { step, kinds, failure, beside } => Self::RunRepeated {
                step: step.clone(),
                kinds: kinds.to_vec(),
                failure: failure.clone(),
                beside: beside.to_vec(),
            },
            Event::RunFinished { step, result, elapsed } => Self::RunFinished {
                step: step.clone(),
                kinds: result.kinds.clone(),
                success: result.failure.is_none(),
                failure: result.failure.clone(),
                error_message: result.failure.as_ref().map(ToString::to_string),
                elapsed_seconds: elapsed.as_secs_f64(),
                run_folder: result.run_folder.clone(),
            },
            Event::RunNotMade { step, kinds, reason } => {
                Self::RunNotMade { step: step.clone(), kinds: kinds.to_vec(), reason: reason.to_owned() }
            }
            Event::RunBlocked { step, by } => Self::RunBlocked { step: step.clone(), by: by.to_vec() },
            Event::EdgeJudged { from, to, result } => Self::EdgeJudged {
                from: from.clone(),
                to: to.clone(),
                compatible: result.compatible(),
                verdict: result.verdict.clone(),
                compatibility_issues: result.compatibility_issues(),
            },
            Event::NotRecorded { reason } => Self::NotRecorded { reason: reason.to_owned() },
            Event::Finished { report } => Self::Finished {
                pipeline_success: report.pipeline_success(),
                canceled: report.canceled,
                run_id: report.run_id.clone(),
                errors: report.errors(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes one line and no more.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_writer_that_fails_is_told_at_the_end() {
        let event = Event::Planned { steps: 1, runs: 1 };
        let log = EventLog::new(Full(1));
        log.report(&event);
        assert!(log.finish().is_ok());
        let log = EventLog::new(Full(1));
        (0..3).for_each(|_| log.report(&event));
        assert_eq!(log.finish().err().map(|error| error.kind()), Some(io::ErrorKind::StorageFull));
    }
}
