use std::fmt;

use camino::Utf8Path;
use runtime_testing_models::ScriptExecutionSpec;

/// A field that a spec needs and does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MissingField {
    /// There is no input, or the paths of all are blank.
    InputPaths,
    /// There is no output, or the paths of all are blank.
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

/// What a spec lacks to be complete: at least one input and one output whose path is not blank.
///
/// ```
/// use runtime_testing_builder::{MissingField, missing_fields};
/// use runtime_testing_models::ScriptExecutionSpec;
///
/// let spec = ScriptExecutionSpec::parse(
///     r#"{"script_name": "train", "step_name": "train", "input_paths": {"raw": "data.csv"}, "output_paths": {"model": " "}}"#,
/// )?;
/// assert_eq!(missing_fields(&spec), [MissingField::OutputPaths]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn missing_fields(spec: &ScriptExecutionSpec) -> Vec<MissingField> {
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
    // The draft may have been made for another folder: one machine's path is not another's.
    let input = format!("{}/input", spec.script_name);
    let first = spec.input_paths.values().next();
    let Some(folder) = first.and_then(|path| path.as_str().strip_suffix(&input)) else { return false };
    let mut draft = ScriptExecutionSpec::create_default(&spec.script_name, &spec.step_name, folder);
    draft.last_updated.clone_from(&spec.last_updated);
    draft == *spec
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
        assert_eq!(missing_fields(&ScriptExecutionSpec::parse(&text).unwrap()), expected);
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
