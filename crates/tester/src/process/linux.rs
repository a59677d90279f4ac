//! What only Linux can do.

mod leftovers;
mod spawn;
mod watchdog;

pub(super) use leftovers::end_leftovers;
pub(super) use spawn::spawn;
pub(crate) use watchdog::Watched;
