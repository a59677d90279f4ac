//! What happens during a test, as it happens.

mod event;
mod log;

pub use event::{Event, Reporter};
pub use log::EventLog;
