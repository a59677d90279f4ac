//! How the work for pipelines and specs grows with them, good or bad. No test runs it: it goes by the clock.
#![no_main]

use std::time::{Duration, Instant};

use runtime_testing_models::{PipelineTestingSpec, ScriptExecutionSpec};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| growth(bytes));

/// Texts of a pipeline or a spec, in which one thing comes many times in the place of `%`.
const REPEATING: [&str; 10] = [
    r#"{"nodes": [%], "edges": []}"#,
    r#"{"nodes": ["a", "b"], "edges": [%]}"#,
    r#"{"dag": {"nodes": ["a", "b"], "edges": [["a", "b"]]}, "script_specs": {%}}"#,
    r#"{"dag": {"nodes": ["a", "b"], "edges": [["a", "b"]]}, "bindings": [%]}"#,
    r#"{"script_name": "a", "step_name": "a", "input_paths": {%}, "output_paths": {"x": "y"}}"#,
    r#"{"script_name": "a", "step_name": "a", "input_paths": {}, "output_paths": {}, "job_args": {%}}"#,
    r#"{"script_name": "a", "step_name": "a", "input_schemas": {"x": {"columns": {%}}}}"#,
    r#"{"script_name": "a", "step_name": "a", "input_schemas": {"x": {"unique": [%], "columns": {}}}}"#,
    r#"{"script_name": "a", "step_name": "a", %}"#,
    "[%]",
];

/// How many times it comes, and how many times as often for comparison.
const TIMES: u32 = 1000;
const FACTOR: u32 = 8;

/// The most of one thing.
const MOST_UNIT_BYTES: usize = 60;

/// How long the machine may do something else.
const PAUSE: Duration = Duration::from_millis(40);

/// The work for a text, good or bad, grows no faster than the text. The first byte chooses a text, the others are what comes many
/// times in it, with a number in the place of `#`.
fn growth(bytes: &[u8]) {
    let Some((form, unit)) = bytes.split_first() else { return };
    let Ok(unit) = std::str::from_utf8(unit) else { return };
    if unit.len() > MOST_UNIT_BYTES {
        return;
    }
    let text = |times: u32| {
        let units: Vec<String> = (0..times).map(|number| unit.replace('#', &number.to_string())).collect();
        REPEATING[usize::from(*form) % REPEATING.len()].replace('%', &units.join(", "))
    };
    let time = |text: &str| {
        let started = Instant::now();
        drop(ScriptExecutionSpec::parse(text));
        drop(PipelineTestingSpec::parse(text));
        started.elapsed()
    };
    let (few, many) = (text(TIMES), text(TIMES * FACTOR));
    // Work that grows with the square takes eight times as long again. What is slow once may have been disturbed.
    let is_slow = || time(&many) > time(&few) * FACTOR * 3 + PAUSE;
    assert!((0..10).any(|_| !is_slow()), "the work grows faster than the text");
}
