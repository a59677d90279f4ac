//! The public behavior of the DAG crate.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod file;
mod graph;
