//! The public behavior of the builder.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests may")]

mod build;
mod interactive;
mod matching;
mod space;
mod specs;
