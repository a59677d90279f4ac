//! Making the runs of a plan.

mod context;
pub(crate) mod dispatcher;
mod fingerprint;
pub(crate) mod handover;
mod inputs;
mod job;
mod outcome;
mod publish;
pub(crate) mod record;
mod schedule;
mod shared_inputs;
pub(crate) mod times;

pub(crate) use context::TestContext;
pub(crate) use dispatcher::Dispatcher;
