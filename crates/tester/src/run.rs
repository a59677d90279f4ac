//! Making the runs of a plan.

mod context;
pub(crate) mod dispatcher;
pub(crate) mod fingerprint;
pub(crate) mod handover;
mod inputs;
mod job;
mod outcome;
mod publish;
pub(crate) mod record;
mod schedule;
mod shared_inputs;
pub(crate) mod times;
mod working_directory;

pub(crate) use context::TestContext;
pub(crate) use dispatcher::Dispatcher;
pub(crate) use working_directory::WorkingDirectories;
