//! Scripts in Python: the interpreters that run them, and what these say of scripts that are not run.

pub(crate) mod asking;
pub(crate) mod fork;
pub(crate) mod imports;
pub(crate) mod inspection;
mod observation;
pub(crate) mod programs;
pub(crate) mod runner;
