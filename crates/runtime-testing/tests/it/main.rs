//! Whole tests through the public API.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod api;
mod examples;
mod layering;
mod pipelines;
#[path = "../common/project.rs"]
mod project;
#[path = "../common/workbench.rs"]
mod workbench;
