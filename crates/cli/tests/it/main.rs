//! The command line as a person or a script uses it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod accept;
#[cfg(unix)]
mod cancel;
mod complete;
#[cfg(unix)]
mod crash;
mod data;
mod mistakes;
mod output;
mod plan;
mod progress;
mod reports;
mod rerun;
mod space;
mod specs;
#[cfg(unix)]
mod terminal;
mod tests;
