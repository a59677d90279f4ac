//! The command line as a person or a script uses it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod mistakes;
mod space;
mod specs;
mod tests;
