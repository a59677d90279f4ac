//! Drafts from the forty scripts in `fixtures/drafts`, held against what a careful reader sees in them.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use runtime_testing_models::{PipelineDag, StepName};
use runtime_testing_tester::{ScriptRule, TesterSettings, draft_from_scripts};
use serde_json::Value;

/// The least share of names, in hundredths, that is found.
const LEAST_FOUND: usize = 95;

/// The names of all default drafts, which stand where nothing shows.
const OF_DEFAULTS: [&str; 2] = ["data_input", "data_output"];

fn names(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        Value::Object(names) => names.keys().map(String::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn names_are_found_and_none_is_invented() {
    let fixtures = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/drafts");
    let text = std::fs::read_to_string(fixtures.join("expected.json")).unwrap();
    let expected: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
    // An older Python may be the one that is here.
    let stems: Vec<&str> = expected
        .keys()
        .filter_map(|name| name.strip_suffix(".py"))
        .filter(|stem| !stem.ends_with("_py310"))
        .collect();
    assert!(stems.len() > 30, "{stems:?}");
    let steps: Vec<StepName> = stems.iter().map(|stem| stem.parse().unwrap()).collect();
    let dag = PipelineDag::build(steps, []).unwrap();
    let workspace = Utf8PathBuf::from("workspace");
    let drafts =
        draft_from_scripts(&dag, &workspace, &[fixtures.join("scripts")], &TesterSettings::default())
            .unwrap();
    let (mut all, mut found) = (0, 0);
    for (stem, draft) in stems.iter().zip(&drafts) {
        let script = draft.script.as_ref().unwrap();
        assert_eq!((script.rule, script.path.file_stem()), (ScriptRule::Exact, Some(*stem)));
        let spec = &draft.spec;
        let truth = &expected[&format!("{stem}.py")];
        let optional: BTreeSet<&str> = spec.optional_inputs.iter().map(|name| name.as_str()).collect();
        let inputs: BTreeSet<&str> = spec.input_paths.keys().map(|name| name.as_str()).collect();
        let needed: BTreeSet<&str> = inputs.difference(&optional).copied().collect();
        let drafted = [
            ("inputs", needed),
            ("optional_inputs", optional),
            ("outputs", spec.output_paths.keys().map(|name| name.as_str()).collect()),
            ("environ_vars", spec.environ_vars.keys().map(String::as_str).collect()),
            ("job_args", spec.job_args.keys().map(String::as_str).collect::<BTreeSet<_>>()),
        ];
        for (key, mut drafted) in drafted {
            drafted.retain(|name| !OF_DEFAULTS.contains(name));
            let mut meant = names(&truth[key]);
            // What every default draft has.
            if key == "job_args" && draft.remarks.iter().any(|remark| remark.contains("does not show")) {
                drafted.clear();
            }
            let invented: Vec<&&str> = drafted.difference(&meant).collect();
            assert!(invented.is_empty(), "{stem}: {key}: {invented:?}");
            all += meant.len();
            meant.retain(|name| drafted.contains(name));
            found += meant.len();
        }
    }
    assert!(found * 100 >= all * LEAST_FOUND, "{found} of {all} names were found");
}
