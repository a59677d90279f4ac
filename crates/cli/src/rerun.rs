use runtime_testing::{Selection, last_failures};

use crate::output;
use crate::pipeline::Pipeline;

/// The steps of a pipeline that did not pass when they were tested last, with what they need. Where there are none, says that
/// nothing is run.
pub(crate) fn selection(pipeline: &Pipeline) -> Result<Option<Selection>, String> {
    let failed = last_failures(pipeline.workspace(), pipeline.dag()).map_err(|error| error.to_string())?;
    if failed.is_empty() {
        output::say(
            "nothing was run: every step and edge passed when it was tested last; what has changed since is not looked at",
        );
        return Ok(None);
    }
    Ok(Some(Selection::with_upstream(&failed)))
}
