//! Whole tests through the public API.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod api;
mod defects;
mod examples;
mod faults;
mod layering;
mod pipelines;
mod workbench;
