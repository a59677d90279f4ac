//! Tests that need a tool which is not on every machine: where it is missing they are ignored, and say why.

use libtest_mimic::{Completion, Trial};

/// A test of what `find` finds: a tool, or the reason why there is none.
pub(crate) fn trial<T: 'static>(
    name: &str,
    find: impl FnOnce() -> Result<T, String> + Send + 'static,
    run: impl FnOnce(T) + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, move || match find() {
        Ok(tool) => {
            run(tool);
            Ok(Completion::Completed)
        }
        Err(reason) => Ok(Completion::ignored_with(reason)),
    })
}
