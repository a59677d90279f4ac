use std::fmt;

use camino::Utf8Path;
use runtime_testing_models::{PipelineDag, ScriptExecutionSpec};

/// A field that a spec needs and does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MissingField {
    /// The paths of all inputs are blank, or there is no input and edges lead to the step.
    InputPaths,
    /// The paths of all outputs are blank, or there is no output and edges lead from the step.
    OutputPaths,
}

impl MissingField {
    /// The key of the field in a spec file.
    pub fn key(self) -> &'static str {
        match self {
            Self::InputPaths => "input_paths",
            Self::OutputPaths => "output_paths",
        }
    }
}

impl fmt::Display for MissingField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.key())
    }
}

/// What a spec lacks to be complete in a pipeline: an input where edges lead to its step, an output where edges lead from it,
/// and of the inputs and outputs that it has, one path each that is not blank. A step that nothing feeds needs no input, and
/// one that feeds nothing no output.
///
/// ```
/// use runtime_testing_builder::{MissingField, missing_fields};
/// use runtime_testing_models::{PipelineDag, ScriptExecutionSpec};
///
/// let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
/// let mut spec = ScriptExecutionSpec::parse(
///     r#"{"script_name": "train", "step_name": "train", "input_paths": {}, "output_paths": {"model": " "}}"#,
/// )?;
/// assert_eq!(missing_fields(&spec, &dag), [MissingField::InputPaths, MissingField::OutputPaths]);
/// spec.output_paths.clear();
/// assert_eq!(missing_fields(&spec, &dag), [MissingField::InputPaths], "`train` feeds nothing");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn missing_fields(spec: &ScriptExecutionSpec, dag: &PipelineDag) -> Vec<MissingField> {
    let is_fed = dag.dependencies(&spec.step_name).is_ok_and(|parents| !parents.is_empty());
    let feeds = dag.dependents(&spec.step_name).is_ok_and(|children| !children.is_empty());
    let mut missing = pathless_fields(spec);
    missing.retain(|field| match field {
        MissingField::InputPaths => is_fed || !spec.inputs().is_empty(),
        MissingField::OutputPaths => feeds || !spec.outputs().is_empty(),
    });
    missing
}

/// Of inputs and outputs, those that have no path that is not blank.
pub(crate) fn pathless_fields(spec: &ScriptExecutionSpec) -> Vec<MissingField> {
    let mut missing = Vec::new();
    if spec.inputs().values().all(|path| is_blank(path)) {
        missing.push(MissingField::InputPaths);
    }
    if spec.outputs().values().all(|path| is_blank(path)) {
        missing.push(MissingField::OutputPaths);
    }
    missing
}

pub(crate) fn is_blank(path: &Utf8Path) -> bool {
    path.as_str().trim().is_empty()
}

/// Whether a spec is a default draft, in whatever folder, that nobody has changed since. Whoever wants just these
/// defaults says so with any `user_notes`.
///
/// ```
/// use runtime_testing_builder::is_untouched_draft;
/// use runtime_testing_models::{ScriptExecutionSpec, StepName};
///
/// let step = StepName::new("train")?;
/// let mut spec = ScriptExecutionSpec::create_default(&step.cast(), &step, "test/data");
/// assert!(is_untouched_draft(&spec));
/// spec.user_notes = Some("the defaults are right".to_owned());
/// assert!(!is_untouched_draft(&spec));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn is_untouched_draft(spec: &ScriptExecutionSpec) -> bool {
    let Some(first) = spec.input_paths.values().next() else { return false };
    // A script that several steps run has a folder for each of them.
    [spec.script_name.clone(), spec.step_name.cast()].iter().any(|name| {
        // The draft may have been made for another folder: one machine's path is not another's.
        let Some(folder) = first.as_str().strip_suffix(&format!("{name}/input")) else { return false };
        let mut draft = ScriptExecutionSpec::create_default(name, &spec.step_name, folder);
        draft.script_name.clone_from(&spec.script_name);
        draft.last_updated.clone_from(&spec.last_updated);
        draft == *spec
    })
}

#[cfg(test)]
mod tests {
    use runtime_testing_models::{LogicalName, StepName};

    use super::*;

    fn draft(folder: &str) -> ScriptExecutionSpec {
        let step = StepName::new("prep_training").unwrap();
        ScriptExecutionSpec::create_default(&StepName::new("prep").unwrap().cast(), &step, folder)
    }

    #[track_caller]
    fn check_missing(inputs: &str, outputs: &str, expected: &[MissingField]) {
        let text = format!(r#"{{"script_name": "a", "step_name": "a", {inputs}, {outputs}}}"#);
        let spec = ScriptExecutionSpec::parse(&text).unwrap();
        let between = PipelineDag::from_names(["x", "a", "y"], [("x", "a"), ("a", "y")]).unwrap();
        assert_eq!(missing_fields(&spec, &between), expected);
        let has_names = |field: &MissingField| match field {
            MissingField::InputPaths => !spec.inputs().is_empty(),
            MissingField::OutputPaths => !spec.outputs().is_empty(),
        };
        let blank: Vec<MissingField> = expected.iter().copied().filter(has_names).collect();
        for alone in [PipelineDag::new(), PipelineDag::from_names(["a"], []).unwrap()] {
            assert_eq!(missing_fields(&spec, &alone), blank, "nothing feeds it, and it feeds nothing");
        }
    }

    #[test]
    fn one_path_of_each_kind_is_enough() {
        use MissingField::{InputPaths, OutputPaths};

        let (input, output) =
            (r#""input_paths": {"raw": "a.csv", "other": ""}"#, r#""output_paths": {"b": "b"}"#);
        check_missing(input, output, &[]);
        check_missing(r#""input_path_specs": {"raw": {"path": "a.csv"}}"#, output, &[]);
        check_missing(r#""input_paths": {}"#, output, &[InputPaths]);
        check_missing(r#""input_paths": {"raw": "\t ", "other": ""}"#, output, &[InputPaths]);
        check_missing(input, r#""output_paths": {"b": " "}"#, &[OutputPaths]);
        check_missing(r#""input_paths": {}"#, r#""output_paths": {}"#, &[InputPaths, OutputPaths]);
    }

    #[test]
    fn a_draft_is_known_wherever_it_was_made() {
        for folder in ["", "test/integration/runtime", "/srv/pipeline/", "prep"] {
            let mut spec = draft(folder);
            assert!(is_untouched_draft(&spec), "{folder}");
            spec.last_updated = Some("2026-01-15T09:30:00".to_owned());
            assert!(is_untouched_draft(&spec), "{folder}");
        }
    }

    #[test]
    fn any_change_makes_a_draft_a_spec() {
        let changes: [fn(&mut ScriptExecutionSpec); 7] = [
            |spec| spec.user_notes = Some(String::new()),
            |spec| spec.input_paths["data_input"] = "data/orders.csv".into(),
            |spec| spec.output_paths["data_output"] = "elsewhere/prep/output".into(),
            |spec| drop(spec.input_paths.insert(LogicalName::new("more").unwrap(), "x".into())),
            |spec| spec.environ_vars.clear(),
            |spec| spec.timeout_seconds = Some(5.0),
            |spec| spec.input_paths.clear(),
        ];
        for (at, change) in changes.into_iter().enumerate() {
            let mut spec = draft("data");
            change(&mut spec);
            assert!(!is_untouched_draft(&spec), "change {at}");
        }
    }
}
