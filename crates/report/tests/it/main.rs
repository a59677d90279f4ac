//! What people and other programs read.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod dag;
mod html;
mod junit;
mod markdown;
mod plan;
mod samples;
mod snapshot_filters;
mod text;
