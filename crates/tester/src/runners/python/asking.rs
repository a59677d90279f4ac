//! What scripts ask of their specs, as their code shows it.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_models::JobValue;
use serde::Deserialize;

use crate::cancel::CancelHandle;
use crate::runners::python::inspection::{LONGEST_TIMEOUT, NoAnswer, ask, useless};

/// One program: what it is made of is read by nothing else.
const ASK_SCRIPTS: &str = concat!(include_str!("script_asks.py"), include_str!("ask_scripts.py"));

/// The names that a script asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asks {
    pub(crate) inputs: Vec<String>,
    pub(crate) optional_inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    /// With the default that its code shows, if it does.
    pub(crate) environ_vars: IndexMap<String, Option<String>>,
    pub(crate) job_args: IndexMap<String, Option<JobValue>>,
    /// Whether these are all: it may ask for names that its code does not show.
    pub(crate) is_complete: bool,
    /// Why nothing is known of it.
    pub(crate) problem: Option<String>,
}

/// Asks an interpreter what scripts ask for. None of them is run.
pub(crate) fn ask_scripts(
    interpreter: &Utf8Path,
    scripts: &[Utf8PathBuf],
    timeout: Duration,
) -> Result<Vec<Asks>, NoAnswer> {
    let question = serde_json::to_vec(scripts).expect("paths are plain strings");
    let timeout = timeout.min(LONGEST_TIMEOUT);
    let answer = ask(interpreter, ASK_SCRIPTS, &question, timeout, &CancelHandle::new())?;
    let answer = answer.ok_or_else(|| useless("it was ended"))?;
    let asked: Vec<Asks> =
        serde_json::from_slice(&answer).map_err(|_| useless("its answer makes no sense"))?;
    if asked.len() == scripts.len() { Ok(asked) } else { Err(useless("its answer is incomplete")) }
}
