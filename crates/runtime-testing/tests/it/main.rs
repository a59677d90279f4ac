//! Whole tests through the public API.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod api;
mod examples;
mod faults;
mod layering;
mod pipelines;
#[path = "../common/workbench.rs"]
mod workbench;
