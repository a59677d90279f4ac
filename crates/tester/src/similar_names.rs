//! Names that a script asked for in vain, and names that are there and nearly the same.

use runtime_testing_models::{
    DataProfile, LogicalName, NamePlace, PythonException, RunResult, ScriptExecutionSpec, ScriptFailure,
    StepNote, dag,
};

/// How many names of one message are looked at.
const MOST_NAMES: usize = 8;
/// Longer ones are no names.
const MOST_NAME_BYTES: usize = 100;

/// A note for each name that a run's exception quotes as missing and that has a near namesake among what the run was
/// handed. `data` has the inputs that upstream steps wrote.
pub(crate) fn similar_names<'a>(
    spec: &ScriptExecutionSpec,
    run: &RunResult,
    data: impl Fn(&LogicalName) -> Option<&'a DataProfile>,
) -> Vec<StepNote> {
    let exception = match &run.failure {
        Some(ScriptFailure::Exception { exception } | ScriptFailure::ImportFailed { exception }) => exception,
        _ => return Vec::new(),
    };
    if !is_about_names(exception) {
        return Vec::new();
    }
    let mut places: Vec<(NamePlace, Vec<&str>)> = vec![
        (NamePlace::InputPaths, spec.input_paths.keys().map(LogicalName::as_str).collect()),
        (NamePlace::OutputPaths, spec.output_paths.keys().map(LogicalName::as_str).collect()),
        (NamePlace::EnvironVars, spec.environ_vars.keys().map(String::as_str).collect()),
        (NamePlace::JobArgs, spec.job_args.keys().map(String::as_str).collect()),
    ];
    for input in run.inputs.keys() {
        let tables = data(input).into_iter().flat_map(DataProfile::tables);
        let columns: Vec<&str> =
            tables.flat_map(|(_, table)| &table.columns).map(|column| column.name.as_str()).collect();
        places.push((NamePlace::Columns { input: input.clone() }, columns));
    }
    let mut notes = Vec::new();
    for name in quoted(&exception.message).into_iter().take(MOST_NAMES) {
        // What is there in one place was looked for in another, of which nothing is known.
        if name.len() > MOST_NAME_BYTES || places.iter().any(|(_, known)| known.contains(&name)) {
            continue;
        }
        for (place, known) in &places {
            if let Some(similar) = dag::nearest(name, known.iter().copied()) {
                let (name, similar, place) = (name.to_owned(), similar.to_owned(), place.clone());
                let note = StepNote::SimilarName { name, similar, place };
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
    }
    notes
}

/// Whether an exception quotes names that were not found: those of Python itself, and those of libraries for tables.
fn is_about_names(exception: &PythonException) -> bool {
    let type_name = exception.type_name.rsplit('.').next().unwrap_or_default();
    match type_name {
        "KeyError"
        | "AttributeError"
        | "ColumnNotFoundError"
        | "BinderException"
        | "UndefinedVariableError" => true,
        "ValueError" => exception.message.to_lowercase().contains("column"),
        _ => false,
    }
}

/// What stands in quotes, of whatever kind; of quotes in quotes what stands in the inner ones.
fn quoted(message: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = message;
    while let Some(start) = rest.find(['\'', '"', '`']) {
        let (quote, inner) = rest[start..].split_at(1);
        let Some((text, after)) = inner.split_once(quote) else { break };
        let within = quoted(text);
        if within.is_empty() {
            found.push(text);
        }
        found.extend(within);
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_quotes() {
        assert_eq!(quoted("'amount'"), ["amount"]);
        assert_eq!(quoted("\"['a', 'b'] not in index\""), ["a", "b"]);
        assert_eq!(quoted("['a', \"it's\"] not in index, 'c"), ["a", "it's"]);
        assert_eq!(quoted("'DataFrame' object has no attribute 'a'"), ["DataFrame", "a"]);
        assert_eq!(quoted("12"), [""; 0]);
    }
}
