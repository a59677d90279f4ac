//! Names that a script asked for in vain, and names that are there and nearly the same.

use runtime_testing_models::{
    DataProfile, LogicalName, NamePlace, PythonException, RunResult, ScriptExecutionSpec, ScriptFailure,
    StepNote, dag,
};

/// How many names of one message are looked at.
const MOST_NAMES: usize = 8;
/// Longer ones are no names.
const MOST_NAME_BYTES: usize = 100;

/// A note for each name that a run's exception quotes as missing: where the line that raised it says where the name was
/// looked for, with what is there; else with a near namesake among what the run was handed, if there is one. `data` has the
/// inputs that upstream steps wrote.
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
        if name.len() > MOST_NAME_BYTES {
            continue;
        }
        for note in notes_on(name, &places, exception) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

fn notes_on(name: &str, places: &[(NamePlace, Vec<&str>)], exception: &PythonException) -> Vec<StepNote> {
    let similar = |(place, known): &(NamePlace, Vec<&str>)| {
        let similar = dag::nearest(name, known.iter().copied())?.to_owned();
        Some(StepNote::SimilarName { name: name.to_owned(), similar, place: place.clone() })
    };
    let is_missing = |(place, known): &&(NamePlace, Vec<&str>)| {
        !known.contains(&name) && is_asked_of(place, name, exception)
    };
    if let Some(asked) = places.iter().find(is_missing) {
        let (place, known) = asked;
        let known = known.iter().map(|known| (*known).to_owned()).collect();
        let unknown = || StepNote::UnknownName { name: name.to_owned(), known, place: place.clone() };
        return vec![similar(asked).unwrap_or_else(unknown)];
    }
    let (columns, others): (Vec<_>, Vec<_>) =
        places.iter().partition(|(place, _)| matches!(place, NamePlace::Columns { .. }));
    let has_name = |places: &[&(NamePlace, Vec<&str>)]| places.iter().any(|(_, known)| known.contains(&name));
    // What is there in one place was looked for in another, of which nothing is known.
    if has_name(&columns) {
        return Vec::new();
    }
    let notes: Vec<StepNote> = columns.into_iter().filter_map(similar).collect();
    if notes.is_empty() && !has_name(&others) {
        others.into_iter().filter_map(similar).collect()
    } else {
        notes
    }
}

/// Whether a line of the traceback asks this place for the name.
fn is_asked_of(place: &NamePlace, name: &str, exception: &PythonException) -> bool {
    let words: &[&str] = match place {
        NamePlace::InputPaths => &["input_paths"],
        NamePlace::OutputPaths => &["output_paths"],
        NamePlace::EnvironVars => &["environ_vars", "os.environ"],
        NamePlace::JobArgs => {
            return exception.message == format!("'Namespace' object has no attribute '{name}'");
        }
        _ => return false,
    };
    let is_asked = |word: &&str| {
        let asked = [format!("{word}[\"{name}\"]"), format!("{word}['{name}']")];
        asked.iter().any(|asked| exception.traceback.contains(asked.as_str()))
    };
    words.iter().any(is_asked)
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
