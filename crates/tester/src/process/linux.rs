//! What only Linux can do.

mod leftovers;
mod spawn;
mod watchdog;

pub(super) use leftovers::end_leftovers;
pub(super) use spawn::spawn;
pub(super) use watchdog::{VARIABLE, mark};
pub(crate) use watchdog::{Watched, temporary_folder};
