use camino::Utf8Path;
use runtime_testing::{AcceptError, Acceptance, Prompter as _, Question, RecordedTest, SpecStore, StepName};

use crate::Verdict;
use crate::arguments::Workspace;
use crate::output::{self, harmless};
use crate::pipeline::Pipeline;
use crate::prompter::TerminalPrompter;

/// What is done with the difference once it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Ask,
    Write,
    Show,
}

/// Writes what the last test of a pipeline observed into the saved specs as contracts.
pub(crate) fn run(
    file: &Utf8Path,
    steps: &[StepName],
    accept: impl Fn(&RecordedTest, &SpecStore, &[StepName]) -> Result<Acceptance, AcceptError>,
    manner: Manner,
    workspace: &Workspace,
) -> Result<Verdict, String> {
    let pipeline = Pipeline::open(file, workspace)?;
    let folder = pipeline.workspace();
    let test = RecordedTest::last(folder, pipeline.dag()).map_err(|error| error.to_string())?;
    let store = SpecStore::in_workspace(folder);
    let acceptance = match accept(&test, &store, steps) {
        Ok(acceptance) => acceptance,
        Err(error @ AcceptError::Refused { .. }) => {
            output::error(safe(&error.to_string()).trim_end());
            return Ok(Verdict::Failed);
        }
        Err(error) => return Err(error.to_string()),
    };
    for left_out in &acceptance.left_out {
        output::say(&harmless(&format!("left out: {left_out}")));
    }
    if acceptance.changes.is_empty() {
        if acceptance.refuses() {
            output::say("nothing was accepted");
            return Ok(Verdict::Failed);
        }
        if steps.is_empty() {
            output::say("nothing to accept");
        } else {
            output::say("nothing to accept: a contract stands in the spec of the step that reads the data");
        }
        return Ok(Verdict::Passed);
    }
    output::print(&safe(&acceptance.difference()))?;
    match manner {
        Manner::Show => return Ok(Verdict::Passed),
        Manner::Ask if !is_agreed(acceptance.changes.len())? => {
            output::say("nothing was written");
            return Ok(Verdict::Failed);
        }
        Manner::Ask | Manner::Write => {}
    }
    let paths = acceptance.save(&store).map_err(|error| error.to_string())?;
    for path in paths {
        output::say(&format!("written: {path}"));
    }
    Ok(Verdict::Passed)
}

/// Asks whether the contracts are to be written. No answer is a no.
fn is_agreed(contracts: usize) -> Result<bool, String> {
    let what =
        if contracts == 1 { "this contract".to_owned() } else { format!("these {contracts} contracts") };
    let question = Question::new(format!("Write {what} into the specs? (y/n)")).with_default("n");
    match TerminalPrompter.ask(&question) {
        Ok(answer) => Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")),
        Err(runtime_testing::PromptError::Canceled) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// Lines that a terminal may safely show. The names of columns are whatever is in the data.
fn safe(text: &str) -> String {
    text.lines().map(|line| harmless(line) + "\n").collect()
}
