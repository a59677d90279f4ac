//! What happens on Ctrl-C, and on a request to end or a hangup.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use runtime_testing::{CancelHandle, Event, Reporter as _, RuntimeTester, end_running_scripts};

use crate::output;
use crate::progress::Progress;
use crate::reports::Reports;

/// The exit status of what was canceled, as shells have it.
pub(crate) const CANCELED: u8 = 130;

/// Signals that follow each other faster are one: some programs send theirs to a process and then to its whole group.
const ONE_SIGNAL: Duration = Duration::from_millis(200);

/// How long the terminal may take to show something before it is given up.
const PATIENCE: Duration = Duration::from_millis(500);

/// While a test is carried out, the first signal cancels it and the second ends the process. At any other time, the first
/// one does.
pub(crate) struct Interrupt {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    test: Option<Test>,
    has_canceled: bool,
}

/// The test that is being carried out.
struct Test {
    cancel: CancelHandle,
    progress: Progress,
    canceled_at: Option<Instant>,
}

impl Interrupt {
    /// Watches for signals from now on. To be called once.
    pub(crate) fn watch() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let known = state.clone();
        if let Err(error) = ctrlc::set_handler(move || interrupted(&known)) {
            output::say(&format!("warning: Ctrl-C will not end the scripts: {error}"));
        }
        Self { state }
    }

    /// Carries out a test, which a signal cancels, and writes its reports. When it is over, `progress` no longer shows anything.
    pub(crate) fn during<T>(
        &self,
        tester: RuntimeTester,
        progress: &Progress,
        reports: &Reports,
        test: impl FnOnce(&RuntimeTester) -> T,
    ) -> T {
        let cancel = CancelHandle::new();
        locked(&self.state).test =
            Some(Test { cancel: cancel.clone(), progress: progress.clone(), canceled_at: None });
        let _over = Over { state: &self.state, progress };
        let (progress, reports) = (progress.clone(), reports.clone());
        let reporter = move |event: &Event<'_>| {
            progress.report(event);
            reports.report(event);
        };
        test(&tester.with_reporter(reporter).with_cancel(cancel))
    }

    /// Whether a test was canceled.
    pub(crate) fn has_canceled(&self) -> bool {
        locked(&self.state).has_canceled
    }
}

/// Says, however a test ends, that it has.
struct Over<'a> {
    state: &'a Mutex<State>,
    progress: &'a Progress,
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.progress.clear();
        locked(self.state).test = None;
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Each change is one assignment, so the state is whole whatever panicked while it was locked.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Is called for each signal, on a thread of its own.
fn interrupted(state: &Mutex<State>) {
    let mut state = locked(state);
    let Some(test) = &mut state.test else {
        // Nothing runs, or a report is being printed that nobody wants any more.
        std::process::exit(CANCELED.into());
    };
    let progress = test.progress.clone();
    match test.canceled_at {
        None => {
            // First, so that what comes of it is told behind it.
            briefly(move || progress.canceling());
            test.cancel.cancel();
            test.canceled_at = Some(Instant::now());
            state.has_canceled = true;
        }
        Some(at) if at.elapsed() < ONE_SIGNAL => {}
        Some(_) => {
            // The scripts run in groups of their own, which a signal to this process does not reach.
            end_running_scripts();
            briefly(move || progress.clear());
            std::process::exit(CANCELED.into());
        }
    }
}

/// Does something that waits where nobody reads what is shown. It is then left behind.
fn briefly(work: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel::<()>();
    let started = std::thread::Builder::new().spawn(move || {
        work();
        drop(done);
    });
    // Where there is no thread to be had, what is shown stays as it is.
    drop(started);
    // Ends with a timeout, or when the other end is gone: either way there is nothing to receive.
    let _ = is_done.recv_timeout(PATIENCE);
}
