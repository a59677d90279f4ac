use std::io;
use std::time::{Duration, Instant};

use crossbeam_channel::TryRecvError;
use runtime_testing_models::{ExitOutcome, Resources};

use super::{Ended, ProcessRequest, command};

/// Without process groups and resource use: the process itself is ended, its children are not.
pub(super) fn execute(request: &ProcessRequest<'_>) -> io::Result<Ended> {
    let mut child = command(request)?.spawn()?;
    let deadline = Instant::now() + request.timeout;
    let mut canceled = false;
    let exit = loop {
        if let Some(status) = child.try_wait()? {
            break ExitOutcome::Exited { status: status.code().unwrap_or(-1) };
        }
        canceled = request.cancel.try_recv() == Err(TryRecvError::Disconnected);
        if canceled || Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            break ExitOutcome::TimedOut;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Ok(Ended { exit, canceled, resources: Resources::default(), leaked: Vec::new() })
}

pub(crate) fn end_running() {}

pub(crate) fn signal_name(_signal: i32) -> Option<String> {
    None
}

/// There is no such signal.
pub(crate) fn ignore_file_size_signal() {}
