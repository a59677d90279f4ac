use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use runtime_testing_models::dag::json::{self, Mistake, Value};
use runtime_testing_models::{
    JobValue, LogicalName, ParseSpecError, PathSpec, ScriptExecutionSpec, StepName,
};
use runtime_testing_spec_store::{LoadSpecError, UpdateSpecError};

use crate::completeness::pathless_fields;
use crate::workspace::Workspace;
use crate::{MissingField, PromptError, Prompter, Question, is_untouched_draft};

/// Why the spec of a step was not updated in a dialog. Nothing was saved. The messages are complete: they hold what
/// `source()` says too.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum InteractiveError {
    /// What is there could not be loaded.
    #[error(transparent)]
    Load(LoadSpecError),
    /// The person gave up.
    #[error("canceled; the spec of step `{step}` is as it was")]
    Canceled {
        /// The step.
        step: StepName,
    },
    /// The terminal did not work.
    #[error("cannot ask for the spec of step `{step}`: {source}")]
    Prompt {
        /// The step.
        step: StepName,
        /// What went wrong.
        source: Arc<io::Error>,
    },
    /// The answers could not be saved.
    #[error(transparent)]
    Update(#[from] UpdateSpecError),
}

/// What a person said. A field that was not asked for is empty or `None`.
#[derive(Default)]
struct Answers {
    inputs: Vec<(LogicalName, Utf8PathBuf)>,
    outputs: Vec<(LogicalName, Utf8PathBuf)>,
    environ_vars: Option<IndexMap<String, String>>,
    job_args: Option<IndexMap<String, JobValue>>,
}

pub(crate) fn update(
    workspace: &Workspace,
    step: &StepName,
    prompter: &mut dyn Prompter,
) -> Result<ScriptExecutionSpec, InteractiveError> {
    let store = workspace.store();
    let saved = match store.load(step) {
        Ok(spec) => Some(spec),
        Err(LoadSpecError::NotFound { .. }) => None,
        Err(error) => return Err(InteractiveError::Load(error)),
    };
    if saved.is_none() {
        // Nobody wants to be told so after the last question.
        store.check_place(step).map_err(UpdateSpecError::from)?;
    }
    let known = match saved {
        // A draft is the builder's word, not the user's.
        Some(draft) if is_untouched_draft(&draft) => {
            ScriptExecutionSpec::new(draft.script_name, step.clone())
        }
        Some(spec) => spec,
        None => ScriptExecutionSpec::new(step.cast(), step.clone()),
    };
    if pathless_fields(&known).is_empty() && !known.environ_vars.is_empty() && !known.job_args.is_empty() {
        let path = store.path_of(step).map_err(InteractiveError::Load)?;
        prompter
            .tell(&format!("nothing is missing in the spec of step `{step}`; to change it, edit `{path}`"));
        return Ok(known);
    }
    let answers = ask_all(workspace, &known, prompter).map_err(|error| match error {
        PromptError::Canceled => InteractiveError::Canceled { step: step.clone() },
        PromptError::Io(source) => InteractiveError::Prompt { step: step.clone(), source: Arc::new(source) },
    })?;
    // What is there now is changed, and not what was there before the questions.
    let updated = store.update(step, |saved| {
        let mut spec = saved
            .filter(|saved| !is_untouched_draft(saved))
            .unwrap_or_else(|| ScriptExecutionSpec::new(known.script_name.clone(), step.clone()));
        answers.apply(&mut spec);
        if is_untouched_draft(&spec) {
            spec.user_notes = Some("the default paths were confirmed".to_owned());
        }
        Ok::<_, Infallible>(spec)
    })?;
    Ok(updated)
}

fn ask_all(
    workspace: &Workspace,
    known: &ScriptExecutionSpec,
    prompter: &mut dyn Prompter,
) -> Result<Answers, PromptError> {
    let mut answers = Answers::default();
    let step = &known.step_name;
    let defaults = ScriptExecutionSpec::create_default(&known.script_name, step, workspace.folder());
    let missing = pathless_fields(known);
    if missing.contains(&MissingField::InputPaths) {
        answers.inputs = ask_paths(prompter, "input", known, &known.inputs(), &defaults.inputs())?;
    }
    if missing.contains(&MissingField::OutputPaths) {
        answers.outputs = ask_paths(prompter, "output", known, &known.outputs(), &defaults.outputs())?;
    }
    // Where all paths are known, no variables and no arguments may well be what is meant.
    let (mut environ_vars, mut job_args) =
        (ScriptExecutionSpec::default_environ_vars(), ScriptExecutionSpec::default_job_args());
    if missing.is_empty() {
        environ_vars.clear();
        job_args.clear();
    }
    if known.environ_vars.is_empty() {
        let text = format!("environment variables of step `{step}`, as a JSON object");
        let question = Question::new(text).with_default(shown(&environ_vars));
        answers.environ_vars = Some(ask_json(prompter, &question, "environ_vars")?.environ_vars);
    }
    if known.job_args.is_empty() {
        let text = format!("arguments of step `{step}`, as a JSON object");
        let question = Question::new(text).with_default(shown(&job_args));
        answers.job_args = Some(ask_json(prompter, &question, "job_args")?.job_args);
    }
    Ok(answers)
}

/// Asks for the path of each of `known`, all of which are blank. Where there is none, for that of the default one, or for
/// others with their names.
fn ask_paths(
    prompter: &mut dyn Prompter,
    noun: &str,
    spec: &ScriptExecutionSpec,
    known: &IndexMap<&LogicalName, &Utf8Path>,
    defaults: &IndexMap<&LogicalName, &Utf8Path>,
) -> Result<Vec<(LogicalName, Utf8PathBuf)>, PromptError> {
    let (default_name, folder) = defaults.first().expect("the default spec has an input and an output");
    let step = &spec.step_name;
    if known.is_empty() {
        let text =
            format!("path of {noun} `{default_name}` of step `{step}`, or NAME=PATH under another name");
        let answer = ask_path(prompter, &Question::new(text).with_default(folder.as_str()))?;
        return match named(&answer) {
            None => Ok(vec![((*default_name).clone(), answer)]),
            Some(first) => ask_more(prompter, noun, step, first),
        };
    }
    let mut paths = Vec::with_capacity(known.len());
    for name in known.keys() {
        let text = format!("path of {noun} `{name}` of step `{step}`");
        // Two inputs do not lie in one place.
        let default = if known.len() == 1 { folder.to_string() } else { format!("{folder}/{name}") };
        paths.push(((*name).clone(), ask_path(prompter, &Question::new(text).with_default(default))?));
    }
    Ok(paths)
}

/// Asks for more names with their paths, until there is none.
fn ask_more(
    prompter: &mut dyn Prompter,
    noun: &str,
    step: &StepName,
    first: (LogicalName, Utf8PathBuf),
) -> Result<Vec<(LogicalName, Utf8PathBuf)>, PromptError> {
    let question =
        Question::new(format!("another {noun} of step `{step}`, as NAME=PATH; nothing if there is none"));
    let mut paths = vec![first];
    loop {
        let answer = ask_path(prompter, &question)?;
        match named(&answer) {
            None if answer.as_str().is_empty() => return Ok(paths),
            None => prompter.tell(&format!("`{answer}` is not NAME=PATH; please answer again")),
            Some((name, _)) if paths.iter().any(|(known, _)| *known == name) => {
                prompter.tell(&format!("there is `{name}` already; please answer again"));
            }
            Some(named) => paths.push(named),
        }
    }
}

/// A name and a path, if an answer has both. `./year=2024` is a path.
fn named(answer: &Utf8Path) -> Option<(LogicalName, Utf8PathBuf)> {
    let (name, path) = answer.as_str().split_once('=')?;
    let (name, path) = (name.trim(), path.trim());
    let name = LogicalName::new(name).ok().filter(|_| !name.contains(['/', '\\', '.']))?;
    (!path.is_empty()).then(|| (name, path.into()))
}

fn ask_path(prompter: &mut dyn Prompter, question: &Question) -> Result<Utf8PathBuf, PromptError> {
    loop {
        let answer = ask(prompter, question)?;
        if !answer.contains('\0') {
            return Ok(answer.into());
        }
        prompter.tell("a path cannot contain NUL; please answer again");
    }
}

/// Asks until the answer is a good value of the field `key`, and returns a spec that has it.
fn ask_json(
    prompter: &mut dyn Prompter,
    question: &Question,
    key: &str,
) -> Result<ScriptExecutionSpec, PromptError> {
    loop {
        match parse_field(key, &ask(prompter, question)?) {
            Ok(spec) => return Ok(spec),
            Err(error) => prompter.tell(&format!("{error}; please answer again")),
        }
    }
}

/// The answer to a question, or its default.
fn ask(prompter: &mut dyn Prompter, question: &Question) -> Result<String, PromptError> {
    let answer = prompter.ask(question)?;
    match answer.trim() {
        "" => Ok(question.default.clone().unwrap_or_default()),
        answer => Ok(answer.to_owned()),
    }
}

/// Reads `text` as the value of one field, by the rules of spec files.
fn parse_field(key: &str, text: &str) -> Result<ScriptExecutionSpec, ParseSpecError> {
    let root = json::parse(text).map_err(|mistake| ParseSpecError { mistakes: vec![mistake] })?;
    if !matches!(root.value, Value::Object(_)) {
        let message = format!("expected an object, found {}", root.value.describe());
        return Err(ParseSpecError { mistakes: vec![Mistake::new(text, root.offset, "", message)] });
    }
    // On lines of its own, so that its columns are those of the answer.
    let file = format!("{{\"script_name\": \"a\", \"step_name\": \"a\", \"{key}\":\n{text}\n}}");
    ScriptExecutionSpec::parse(&file).map_err(|mut error| {
        for mistake in &mut error.mistakes {
            mistake.position.line -= 1;
        }
        error
    })
}

fn shown(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("the defaults are plain values with string keys")
}

impl Answers {
    fn apply(self, spec: &mut ScriptExecutionSpec) {
        fill(&mut spec.input_paths, &mut spec.input_path_specs, self.inputs);
        fill(&mut spec.output_paths, &mut spec.output_path_specs, self.outputs);
        if let Some(environ_vars) = self.environ_vars {
            spec.environ_vars = environ_vars;
        }
        if let Some(job_args) = self.job_args {
            spec.job_args = job_args;
        }
    }
}

/// A path stands in `paths`, and again in the path specs that repeat it.
fn fill(
    paths: &mut IndexMap<LogicalName, Utf8PathBuf>,
    path_specs: &mut IndexMap<LogicalName, PathSpec>,
    answers: Vec<(LogicalName, Utf8PathBuf)>,
) {
    for (name, path) in answers {
        if let Some(repeated) = path_specs.get_mut(&name).and_then(|spec| spec.path.as_mut()) {
            repeated.clone_from(&path);
        }
        paths.insert(name, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_mistake(key: &str, text: &str, expected: &str) {
        assert_eq!(parse_field(key, text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_field_is_read_as_in_a_file() {
        let spec = parse_field("job_args", r#"{"rate": 1.10, "names": ["a"]}"#).unwrap();
        assert_eq!(shown(&spec.job_args), r#"{"rate":1.10,"names":["a"]}"#);
        assert!(parse_field("environ_vars", " {} ").unwrap().environ_vars.is_empty());
    }

    #[test]
    fn mistakes_have_their_place_in_the_answer() {
        check_mistake(
            "job_args",
            "{\"a\": 1,}",
            "line 1, column 9: key must be a string; remove the comma before the closing bracket",
        );
        check_mistake("job_args", "[1]", "line 1, column 1: expected an object, found an array");
        check_mistake("job_args", "null", "line 1, column 1: expected an object, found null");
        check_mistake(
            "job_args",
            "a=1",
            "line 1, column 1: expected value; this is no JSON, which begins with `{` or `[`",
        );
        check_mistake(
            "job_args",
            "{\"a\": 1, \"a\": 2}",
            "line 1, column 10: `a`: duplicate key; remove one of the two",
        );
        check_mistake(
            "environ_vars",
            "{\"A\": 1, \"B=\": \"\"}",
            "2 mistakes:\n  - line 1, column 7: `environ_vars.A`: expected a string, found a number; environment variables are \
             text: put the value in quotes\n  - line 1, column 10: `environ_vars.B=`: an environment variable's name is not \
             empty and has no `=` and no NUL",
        );
        // An answer cannot set other fields.
        check_mistake(
            "job_args",
            r#"{}, "python": {}"#,
            "line 1, column 3: trailing characters; nothing may come behind the first value",
        );
    }
}
