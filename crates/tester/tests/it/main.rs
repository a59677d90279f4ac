//! The tester as its callers see it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod accept;
mod accept_formats;
mod accept_good_data;
mod calls;
mod draft;
mod ends;
mod events;
mod executables;
mod flags;
mod forks;
#[cfg(feature = "arrow")]
mod function_tables;
mod functions;
mod import_effects;
mod killed;
mod last_failures;
mod observe;
mod own_data;
mod plan;
mod refusals;
mod runs;
mod selection;
mod similar_names;
mod single_out;
mod space;
