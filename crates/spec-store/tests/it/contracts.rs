use indexmap::IndexMap;
use runtime_testing_models::{DataContract, ScriptExecutionSpec, TableContract, TypeWord};
use runtime_testing_spec_store::{SpecStore, SpecUpdate, UpdateProblem};

use crate::space::{Space, step};

const HAND_WRITTEN: &str = "{\r\n\t\"user_notes\" : \"k\\u00f6ln\",\r\n\t\"script_name\": \"clean\",   \"step_name\": \"clean\",\r\n\
    \t\"input_paths\": {\"raw\": \"a.csv\",\r\n\r\n\"table\": \"b.csv\"},\r\n\t\"job_args\": { \"rate\": 0.10, \"big\": [1e400, -0.0] },\r\n\
    \t\"input_path_specs\": {\"raw\": {\"kind\" : \"file\", \"aliases\": []}},\r\n\
    \t\"timeout_seconds\": 3e1,\r\n\t\"input_schemas\": {\"table\": {\"columns\": {\"x\": \"float\"}}}\r\n}";

fn contract() -> DataContract {
    TableContract::default().with_column("id", TypeWord::Integer).into()
}

/// An update of the spec as it is saved, with a contract for its input `raw`.
fn update(store: &SpecStore, name: &str) -> SpecUpdate {
    SpecUpdate {
        spec: store.load(&step(name)).unwrap(),
        input_schemas: IndexMap::from([("raw".parse().unwrap(), contract())]),
        output_schemas: IndexMap::new(),
        bindings: IndexMap::new(),
    }
}

fn written(name: &str) -> String {
    format!(r#"{{"script_name": "{name}", "step_name": "{name}", "input_paths": {{"raw": "a.csv"}}}}"#)
}

/// A text without the time stamp of a spec, and the time stamp.
fn without_stamp(text: &str) -> (String, String) {
    let (before, rest) = text.split_once("\"last_updated\": \"").unwrap();
    let (stamp, after) = rest.split_once('"').unwrap();
    (format!("{before}\"last_updated\": \"\"{after}"), stamp.to_owned())
}

#[test]
fn all_else_in_the_file_stays_as_it_is_written() {
    let space = Space::new();
    let path = space.write("of_may_runtime_test_spec.json", format!("\u{feff}{HAND_WRITTEN}"));
    let before = space.store.load(&step("clean")).unwrap();
    let mut change = update(&space.store, "clean");
    let paths = space.store.save_updates(std::slice::from_ref(&change)).unwrap();
    assert_eq!(paths, std::slice::from_ref(&path));
    let text = std::fs::read_to_string(&path).unwrap();
    let (text, stamp) = without_stamp(&text);
    let expected =
        format!("\u{feff}{HAND_WRITTEN}").replace("\"float\"}}}\r\n}", "\"float\"}}, \"raw\": {}}\r\n}");
    let expected = expected
        .replace(
            ", \"raw\": {}}\r\n}",
            ",\r\n\t\t\"raw\": {\r\n\t\t\t\"columns\": {\r\n\t\t\t\t\"id\": \"integer\"\r\n\t\t\t}\r\n\t\t}},\r\n\t\"last_updated\": \"\"\r\n}",
        );
    assert_eq!(text, expected);
    assert!(stamp.ends_with('Z'), "{stamp}");
    let after = space.store.load(&step("clean")).unwrap();
    assert_eq!(after.input_schemas.len(), 2);
    let rest = |spec: &ScriptExecutionSpec| ScriptExecutionSpec {
        input_schemas: IndexMap::new(),
        last_updated: None,
        ..spec.clone()
    };
    assert_eq!(rest(&after), rest(&before));

    // The contract that is there is replaced, and that alone.
    change = update(&space.store, "clean");
    change.input_schemas[0] = TableContract { min_rows: Some(3), ..TableContract::default() }
        .with_column("id", TypeWord::Integer)
        .into();
    space.store.save_updates(&[change]).unwrap();
    let (text, _) = without_stamp(&std::fs::read_to_string(&path).unwrap());
    let rows = "\r\n\t\t\t},\r\n\t\t\t\"min_rows\": 3\r\n\t\t}}";
    assert_eq!(text, expected.replace("\r\n\t\t\t}\r\n\t\t}}", rows));
}

#[test]
fn everything_in_the_way_is_told_and_nothing_is_written() {
    let space = Space::new();
    for name in ["clean", "train", "gone", "fine"] {
        space.write(&format!("{name}_runtime_test_spec.json"), written(name));
    }
    let updates = ["clean", "train", "gone", "fine"].map(|name| update(&space.store, name));
    space.write("clean_runtime_test_spec.json", written("clean").replace("a.csv", "b.csv"));
    space.write("again_runtime_test_spec.json", written("train"));
    std::fs::remove_file(space.store.folder().join("gone_runtime_test_spec.json")).unwrap();
    let before = space.files();
    let error = space.store.save_updates(&updates).unwrap_err();
    assert_eq!(space.files(), before);
    assert!(matches!(
        error.problems.as_slice(),
        [UpdateProblem::Changed { .. }, UpdateProblem::Load(_), UpdateProblem::Load(_)]
    ));
    let shown = space.shown(&error);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(
        lines[0],
        "the spec of step `clean` has changed in the meantime, in `<root>/.specs/clean_runtime_test_spec.json`; \
         look at the difference again"
    );
    assert_eq!(lines.len(), 3, "{shown}");

    assert_eq!(space.store.save_updates(&updates[3..]).unwrap().len(), 1);
    assert_eq!(space.store.save_updates(&[]).unwrap(), [""; 0]);
}

#[test]
fn a_contract_of_what_is_not_there_is_refused() {
    let space = Space::new();
    space.write("clean_runtime_test_spec.json", written("clean"));
    let mut change = update(&space.store, "clean");
    change.output_schemas.insert("model".parse().unwrap(), contract());
    let before = space.files();
    let error = space.shown(space.store.save_updates(&[change]).unwrap_err());
    assert!(error.starts_with("the spec of step `clean` would not be a valid file: "), "{error}");
    assert_eq!(space.files(), before);
}

#[cfg(unix)]
#[test]
fn a_file_that_must_not_be_written_is_not() {
    let space = Space::new();
    let path = space.write("clean_runtime_test_spec.json", written("clean"));
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    let error = space.store.save_updates(&[update(&space.store, "clean")]).unwrap_err();
    assert!(space.shown(&error).contains("is read-only"), "{error}");
}

#[test]
fn savers_wait_for_one_another() {
    let space = Space::new();
    let names: Vec<String> = (0..8).map(|at| format!("s{at}")).collect();
    for name in &names {
        space.write(&format!("{name}_runtime_test_spec.json"), written(name));
    }
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| space.store.save_updates(&[update(&space.store, name)]).unwrap());
        }
    });
    for name in &names {
        assert_eq!(space.store.load(&step(name)).unwrap().input_schemas["raw"], contract());
    }
    assert_eq!(space.names().len(), 8, "no temporary file is left");
}
