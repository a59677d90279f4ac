use runtime_testing_models::PipelineTestReport;

use crate::{TextOptions, render_text};

/// An assertion on a result, for tests.
pub trait AssertPassed {
    /// Panics with the report as text unless all has passed.
    ///
    /// ```should_panic
    /// use runtime_testing_models::PipelineTestReport;
    /// use runtime_testing_report::AssertPassed as _;
    ///
    /// PipelineTestReport::default().assert_passed();
    /// ```
    ///
    /// # Panics
    ///
    /// Where [`PipelineTestReport::pipeline_success`] is false. The place that is told is the caller's.
    #[track_caller]
    fn assert_passed(&self);
}

impl AssertPassed for PipelineTestReport {
    fn assert_passed(&self) {
        assert!(self.pipeline_success(), "{}", render_text(self, TextOptions::default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_and_the_caller_are_told() {
        let panic = std::panic::catch_unwind(|| PipelineTestReport::default().assert_passed()).unwrap_err();
        let message = panic.downcast_ref::<String>().expect("a message");
        assert_eq!(*message, render_text(&PipelineTestReport::default(), TextOptions::default()));
    }
}
