//! The tester as its callers see it.

mod calls;
mod events;
mod flags;
mod refusals;
mod runs;
mod space;
