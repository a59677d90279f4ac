//! Making the runs of a plan.

mod digests;
pub(crate) mod dispatcher;
mod fingerprint;
pub(crate) mod handover;
pub(crate) mod job;
mod publish;
pub(crate) mod record;
mod schedule;
mod tail;
pub(crate) mod times;
