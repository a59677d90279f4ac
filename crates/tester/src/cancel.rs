use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender};
use runtime_testing_data::ProfileOptions;

/// Cancels tests, from any thread. Clones cancel the same tests.
///
/// A test that is canceled starts no more runs, ends those that are being made as a timeout would, and returns its
/// report so far, marked as [canceled](runtime_testing_models::PipelineTestReport::canceled). A handle stays canceled:
/// a test that is started with it later makes no run at all.
///
/// ```
/// use runtime_testing_tester::{CancelHandle, RuntimeTester};
///
/// let cancel = CancelHandle::new();
/// let tester = RuntimeTester::in_workspace("test").with_cancel(cancel.clone());
/// std::thread::spawn(move || cancel.cancel());
/// # let _ = tester;
/// ```
#[derive(Debug, Clone)]
pub struct CancelHandle {
    /// What waits for a cancellation waits for this one sender to go.
    sender: Arc<Mutex<Option<Sender<Infallible>>>>,
    receiver: Receiver<Infallible>,
}

impl CancelHandle {
    /// A handle that nobody has canceled.
    pub fn new() -> Self {
        let (sender, receiver) = crossbeam_channel::bounded(0);
        Self { sender: Arc::new(Mutex::new(Some(sender))), receiver }
    }

    /// Cancels what runs with this handle. Does nothing where that was done before.
    pub fn cancel(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Whether it was canceled.
    pub fn is_canceled(&self) -> bool {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Is disconnected once it is canceled, and never receives anything.
    pub(crate) fn receiver(&self) -> &Receiver<Infallible> {
        &self.receiver
    }

    /// How data is profiled, until the test is canceled.
    pub(crate) fn profile_options(&self) -> ProfileOptions {
        let cancel = self.clone();
        ProfileOptions::default().with_cancel(move || cancel.is_canceled())
    }
}

impl Default for CancelHandle {
    fn default() -> Self {
        Self::new()
    }
}
