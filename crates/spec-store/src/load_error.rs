use std::fmt;
use std::io;
use std::sync::Arc;

use camino::Utf8PathBuf;
use runtime_testing_models::StepName;

use crate::BrokenFile;

/// Why the spec of a step could not be loaded. The messages are complete: they hold what `source()` says too.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LoadSpecError {
    /// No file claims the step.
    #[error("no file in `{folder}` holds a spec of step `{step}`{}", not_found_hint(.nearest.as_ref(), .unattributed))]
    NotFound {
        /// The step.
        step: StepName,
        /// The folder, which may itself not be there.
        folder: Utf8PathBuf,
        /// A step with a similar name that has a spec.
        nearest: Option<StepName>,
        /// The broken files that may be the spec, because no step name can be read in them.
        unattributed: Vec<BrokenFile>,
    },
    /// The step's file is there and is no spec.
    #[error(transparent)]
    Broken(#[from] BrokenFile),
    /// Several files claim the step.
    #[error("{} files claim step `{step}`: {}; {AMBIGUOUS_HINT}", .paths.len(), listed(.paths))]
    Ambiguous {
        /// The step.
        step: StepName,
        /// The files. At least two.
        paths: Vec<Utf8PathBuf>,
    },
    /// The folder could not be read.
    #[error(transparent)]
    Folder(#[from] ReadFolderError),
}

/// Its text, which is what a test prints that ends with `?`.
impl fmt::Debug for LoadSpecError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Why the folder of specs could not be read. A folder that is not there is no error: it holds nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot read the spec folder `{folder}`: {source}")]
#[non_exhaustive]
pub struct ReadFolderError {
    /// The folder.
    pub folder: Utf8PathBuf,
    /// What the file system said.
    pub source: Arc<io::Error>,
}

/// What to do about two files that claim one step.
pub(crate) const AMBIGUOUS_HINT: &str = "keep one of them, or give the others a `step_name` of their own";

/// `` `a`, `b` ``
pub(crate) fn listed(paths: &[Utf8PathBuf]) -> String {
    paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
}

fn not_found_hint(nearest: Option<&StepName>, unattributed: &[BrokenFile]) -> String {
    let mut hint = nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
    if !unattributed.is_empty() {
        hint.push_str("; these files are broken and may hold it:");
        for broken in unattributed {
            hint.push_str("\n  - ");
            hint.push_str(&broken.to_string().replace('\n', "\n  "));
        }
    }
    hint
}
