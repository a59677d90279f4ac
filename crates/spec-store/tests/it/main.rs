//! The public behavior of the spec store.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests may")]

mod contracts;
mod load;
mod processes;
mod save;
mod space;
