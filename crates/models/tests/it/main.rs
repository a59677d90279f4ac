//! The serialized forms and the behavior of the models, as others see them.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[cfg(feature = "schema")]
mod contracts;
mod golden;
mod plan;
#[cfg(feature = "proptest1")]
mod properties;
mod report;
mod schema;
mod sentences;
mod spec;

use camino::Utf8PathBuf;

/// A file of the workspace's `fixtures`.
fn fixture(path: &str) -> Utf8PathBuf {
    Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(path)
}
