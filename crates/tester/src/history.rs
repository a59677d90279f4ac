//! What is kept: the folders of tests under `.runs`, and what they say afterwards.

pub(crate) mod last_failures;
pub(crate) mod places;
pub(crate) mod published;
pub(crate) mod recorded;
pub(crate) mod run_folder;

pub use last_failures::last_failures;
pub use recorded::{RecordedTest, RecordedTestError, last_report};
