use runtime_testing_models::{
    PathKind, PathSpec, PipelineDag, PipelineTestingSpec, RuntimeTestingConfiguration, ScriptExecutionSpec,
    ScriptName, StepName, WorkingDirectory,
};

fn spec() -> ScriptExecutionSpec {
    ScriptExecutionSpec::create_default(
        &ScriptName::new("clean").unwrap(),
        &StepName::new("clean_eu").unwrap(),
        "test/data",
    )
}

fn mistakes(text: &str) -> String {
    ScriptExecutionSpec::parse(text).unwrap_err().to_string()
}

#[test]
fn the_default_spec_is_the_originals() {
    insta::assert_snapshot!(spec().to_json(), @r#"
    {
      "script_name": "clean",
      "step_name": "clean_eu",
      "script_path": null,
      "input_paths": {
        "data_input": "test/data/clean/input"
      },
      "output_paths": {
        "data_output": "test/data/clean/output"
      },
      "environ_vars": {
        "LABEL_FIELD": "label"
      },
      "job_args": {
        "job_type": "testing"
      },
      "last_updated": null,
      "user_notes": null
    }
    "#);
}

#[test]
fn main_params_are_those_of_the_spec() {
    let mut spec = spec();
    let params = spec.main_params();
    assert_eq!(params.input_paths["data_input"], "test/data/clean/input");
    assert_eq!(serde_json::to_string(&params.job_args).unwrap(), r#"{"job_type":"testing"}"#);
    spec.job_args.clear();
    assert_eq!(serde_json::to_string(&spec.main_params().job_args).unwrap(), r#"{"job_type":"testing"}"#);
    spec.job_args.insert("epochs".to_owned(), 3.into());
    assert_eq!(serde_json::to_string(&spec.main_params().job_args).unwrap(), r#"{"epochs":3}"#);
}

#[test]
fn null_means_not_set() {
    let spec = ScriptExecutionSpec::parse(
        r#"{"script_name": "a", "step_name": "a", "input_paths": null, "timeout_seconds": null, "bindings": null}"#,
    );
    assert!(spec.unwrap().input_paths.is_empty());
}

#[test]
fn path_specs_add_inputs_and_must_not_contradict() {
    let spec = ScriptExecutionSpec::parse(
        r#"{"script_name": "a", "step_name": "a", "input_path_specs": {"x": {"path": "in/x.csv", "aliases": ["y"]}}}"#,
    );
    let spec = spec.unwrap();
    let inputs: Vec<_> = spec.inputs().into_iter().map(|(name, path)| format!("{name}={path}")).collect();
    assert_eq!(inputs, ["x=in/x.csv"]);
    insta::assert_snapshot!(mistakes(r#"{"script_name": "a", "step_name": "a",
      "input_paths": {"x": "p"}, "input_path_specs": {"x": {"logical_name": "z", "path": "q"}, "orders": {}}}"#), @r"
    2 mistakes:
      - line 2, column 77: `input_path_specs.x.logical_name`: it differs from its key `x`
      - line 2, column 106: `input_path_specs.orders`: it has no path, here or in `input_paths`; add `path` here or `orders` there
    ");
    insta::assert_snapshot!(mistakes(r#"{"script_name": "a", "step_name": "a",
      "input_paths": {"x": "p"}, "input_path_specs": {"x": {"path": "q"}}}"#), @"line 2, column 60: `input_path_specs.x`: the path is `q` here and `p` in `input_paths`; make them the same or remove one");
}

#[test]
fn a_path_spec_may_leave_out_what_is_known() {
    let text = r#"{"script_name": "a", "step_name": "a", "input_paths": {"raw": "in/raw"},
      "input_path_specs": {"raw": {"kind": "file"}}, "output_paths": {"model": "out"},
      "output_path_specs": {"model": {}, "rows": {"path": "rows"}}}"#;
    let mut spec = ScriptExecutionSpec::parse(text).unwrap();
    let kind = Some(PathKind::File);
    assert_eq!(spec.input_path_specs["raw"], PathSpec { kind, ..PathSpec::default() });
    assert_eq!(spec.main_params().input_paths["raw"], "in/raw");
    let outputs: Vec<_> = spec.outputs().into_iter().map(|(name, path)| format!("{name}={path}")).collect();
    assert_eq!(outputs, ["model=out", "rows=rows"]);

    // What was left out stays left out, so that a path need only be changed in one place.
    let written = spec.to_json();
    let without_blanks: String = written.split_whitespace().collect();
    assert!(without_blanks.contains(r#""input_path_specs":{"raw":{"kind":"file"}}"#), "{written}");
    assert!(
        without_blanks.contains(r#""output_path_specs":{"model":{},"rows":{"path":"rows"}}"#),
        "{written}"
    );
    spec.input_paths[0] = "in/other".into();
    assert_eq!(ScriptExecutionSpec::parse(&spec.to_json()).unwrap(), spec);
}

#[test]
fn a_path_spec_without_any_path_is_a_mistake_with_its_place() {
    insta::assert_snapshot!(mistakes(r#"{"script_name": "a", "step_name": "a",
      "input_paths": {"raw": "p"}, "input_path_specs": {"rwa": {"kind": "file"}, "orders": {}},
      "output_path_specs": {"model": {"aliases": ["m"]}}}"#), @r"
    3 mistakes:
      - line 2, column 64: `input_path_specs.rwa`: it has no path, here or in `input_paths`; did you mean `raw`?
      - line 2, column 92: `input_path_specs.orders`: it has no path, here or in `input_paths`; add `path` here or `orders` there
      - line 3, column 38: `output_path_specs.model`: it has no path, here or in `output_paths`; add `path` here or `model` there
    ");
    // Where the paths could not be read, nobody knows which names have none.
    insta::assert_snapshot!(mistakes(r#"{"script_name": "a", "step_name": "a",
      "input_paths": {"raw": 3}, "input_path_specs": {"raw": {"kind": "file"}}}"#), @"line 2, column 30: `input_paths.raw`: expected a string, found a number");
    // Nor does a path that is there and wrong count as left out.
    insta::assert_snapshot!(mistakes(r#"{"script_name": "a", "step_name": "a",
      "input_path_specs": {"raw": {"path": 3}}}"#), @"line 2, column 44: `input_path_specs.raw.path`: expected a string, found a number");
}

#[test]
fn all_mistakes_of_a_file_are_reported_at_once() {
    let text = r#"{
  "script_name": "../evil",
  "imput_paths": {"raw": "a.csv"},
  "input_paths": ["a.csv"],
  "output_paths": {"a/b": "x", "ok": 3, "nul": "a\u0000b"},
  "environ_vars": {"DEPTH": 6, "A=B": "x", "N": "\u0000"},
  "job_args": [],
  "timeout_seconds": -1,
  "user_notes": 5,
  "bindings": {"raw": {"step": "clean"}},
  "input_schemas": {"row": {"columns": {"a": "int", "b": {"nullable": 1}, "c": 4, "d": {"type": "quux"}},
                            "extra_columns": "maybe", "min_rows": -3, "rows": 1}},
  "output_schemas": {"ok": {}}
}"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    23 mistakes:
      - line 1, column 1: the key `step_name` is missing
      - line 2, column 18: `script_name`: invalid script name `../evil`: it contains `/`
      - line 3, column 3: `imput_paths`: unknown key; did you mean `input_paths`?
      - line 4, column 18: `input_paths`: expected an object, found an array
      - line 5, column 20: `output_paths.a/b`: invalid logical name `a/b`: it contains `/`
      - line 5, column 38: `output_paths.ok`: expected a string, found a number
      - line 5, column 48: `output_paths.nul`: a path cannot contain NUL
      - line 6, column 29: `environ_vars.DEPTH`: expected a string, found a number; environment variables are text: put the value in quotes
      - line 6, column 32: `environ_vars.A=B`: an environment variable's name is not empty and has no `=` and no NUL
      - line 6, column 49: `environ_vars.N`: an environment variable cannot contain NUL
      - line 7, column 15: `job_args`: expected an object, found an array
      - line 8, column 22: `timeout_seconds`: -1 is not a possible timeout; it is a number of seconds, more than 0 and at most 1e9
      - line 9, column 17: `user_notes`: expected a string, found a number
      - line 10, column 23: `bindings.raw`: a key is missing; it is {"step": "…", "output": "…"}
      - line 11, column 46: `input_schemas.row.columns.a`: unknown type `int`; did you mean `integer`?
      - line 11, column 58: `input_schemas.row.columns.b`: the key `type` is missing
      - line 11, column 71: `input_schemas.row.columns.b.nullable`: expected true or false, found a number
      - line 11, column 80: `input_schemas.row.columns.c`: expected a type such as "integer", or an object with `type`, found a number
      - line 11, column 97: `input_schemas.row.columns.d.type`: unknown type `quux`; the types are `boolean`, `integer`, `float`, `decimal`, `text`, `date`, `time`, `timestamp`, `duration`, `binary`, `list`, `struct`, `map`, `any`
      - line 12, column 46: `input_schemas.row.extra_columns`: expected `allow` or `forbid`, found `maybe`
      - line 12, column 67: `input_schemas.row.min_rows`: expected a whole number, zero or more
      - line 12, column 71: `input_schemas.row.rows`: unknown key; did you mean `min_rows`?
      - line 13, column 28: `output_schemas.ok`: the key `columns` is missing
    "#);
}

#[test]
fn a_text_that_is_no_spec() {
    insta::assert_snapshot!(mistakes("[]"), @"line 1, column 1: expected an object, found an array");
    insta::assert_snapshot!(mistakes(""), @"line 1, column 1: the file is empty; it should hold a JSON object");
    insta::assert_snapshot!(mistakes("{\n  \"script_name\": \"a\"\n  \"step_name\""), @"line 3, column 3: expected `,` or `}`; put a comma before it");
    insta::assert_snapshot!(mistakes("{}"), @r"
    2 mistakes:
      - line 1, column 1: the key `script_name` is missing
      - line 1, column 1: the key `step_name` is missing
    ");
    insta::assert_snapshot!(mistakes(r#"{"script_name": "a", "step_name": "a", "job_args": {"x": NaN}}"#), @"line 1, column 58: expected value; `NaN` and `Infinity` are not JSON: write a string or null instead");
}

#[test]
fn a_pipeline_testing_spec_loads_what_it_wrote() {
    let dag = PipelineDag::from_names(["clean_eu"], []).unwrap();
    let mut pipeline = PipelineTestingSpec::new(dag).with_workspace_root("w");
    pipeline.script_specs.insert(StepName::new("clean_eu").unwrap(), spec());
    let text = serde_json::to_string_pretty(&pipeline).unwrap();
    assert_eq!(PipelineTestingSpec::parse(&text).unwrap(), pipeline);
    let configuration = RuntimeTestingConfiguration::new(pipeline);
    let text = serde_json::to_string(&configuration).unwrap();
    assert_eq!(serde_json::from_str::<RuntimeTestingConfiguration>(&text).unwrap(), configuration);
    let switched = text.replace("\"test_pipeline_flow\":true", "\"test_pipeline_flow\":false");
    assert!(!serde_json::from_str::<RuntimeTestingConfiguration>(&switched).unwrap().test_pipeline_flow);
}

#[test]
fn mistakes_in_a_pipeline_testing_spec_have_their_place() {
    let error = PipelineTestingSpec::parse(
        r#"{"dag": {"nodes": ["a"], "edges": [["a", "b"]]},
 "script_specs": {"a": {"script_name": "a", "step_nam": "a"}, "x/y": {}},
 "test_workspace_root": 3, "workspace": ""}"#,
    );
    insta::assert_snapshot!(error.unwrap_err(), @"
    6 mistakes:
      - line 1, column 36: `dag.edges[0]`: edge `a` -> `b`: unknown step `b`; declare it among the nodes or remove the edge
      - line 2, column 24: `script_specs.a`: the key `step_name` is missing
      - line 2, column 45: `script_specs.a.step_nam`: unknown key; did you mean `step_name`?
      - line 2, column 63: `script_specs.x/y`: invalid step name `x/y`: it contains `/`
      - line 3, column 25: `test_workspace_root`: expected a string, found a number
      - line 3, column 28: `workspace`: unknown key; did you mean `test_workspace_root`?
    ");
}

#[test]
fn configuration_defaults_test_everything() {
    let configuration = RuntimeTestingConfiguration::new(PipelineTestingSpec::new(PipelineDag::new()));
    assert!(configuration.test_individual_scripts);
    assert!(configuration.test_data_compatibility);
    assert!(configuration.test_pipeline_flow);
    assert!(!configuration.use_workspace_aware);
    assert_eq!(configuration.pipeline_spec.test_workspace_root, "test/integration/runtime");
}

#[test]
fn how_runs_are_made_can_be_said_in_the_spec() {
    let text = r#"{"script_name": "a", "step_name": "a", "input_paths": {"x": "in/x"}, "output_paths": {"y": "out/y"},
      "input_path_specs": {"x": {"path": "in/x", "kind": "file"}}, "working_directory": "base",
      "optional_outputs": ["y"], "mutable_inputs": ["x"], "sample_data": true}"#;
    let spec = ScriptExecutionSpec::parse(text).unwrap();
    assert_eq!(spec.working_directory, Some(WorkingDirectory::Base));
    assert_eq!(spec.optional_outputs, ["y"]);
    assert_eq!(spec.mutable_inputs, ["x"]);
    assert_eq!(spec.sample_data, Some(true));
    assert_eq!(spec.input_path_specs["x"].kind, Some(PathKind::File));
    assert_eq!(ScriptExecutionSpec::parse(&spec.to_json()).unwrap(), spec);
}

#[test]
fn mistakes_in_how_runs_are_made_have_their_place() {
    let text = r#"{"script_name": "a", "step_name": "a",
  "input_paths": {"orders": "in"}, "output_paths": {"model": "out", "rows": "rows"},
  "output_path_specs": {"model": {"path": "out", "kind": "directory", "knid": "file"}},
  "working_directory": "shadow", "working_dir": "own",
  "optional_outputs": ["modle", "rows", "rows", 3],
  "mutable_inputs": "orders", "sample_data": "yes"}"#;
    insta::assert_snapshot!(mistakes(text), @"
    8 mistakes:
      - line 3, column 58: `output_path_specs.model.kind`: expected `file` or `folder`, found `directory`
      - line 3, column 71: `output_path_specs.model.knid`: unknown key; did you mean `kind`?
      - line 4, column 24: `working_directory`: expected `own` or `base`, found `shadow`
      - line 4, column 34: `working_dir`: unknown key; did you mean `working_directory`?
      - line 5, column 41: `optional_outputs`: `rows` is in the list twice; remove one of the two
      - line 5, column 49: `optional_outputs`: expected a string, found a number
      - line 6, column 21: `mutable_inputs`: expected an array of names of inputs, found a string
      - line 6, column 46: `sample_data`: expected true or false, found a string
    ");
    let unknown = r#"{"script_name": "a", "step_name": "a", "output_paths": {"rows": "rows"},
  "optional_outputs": ["rows", "modle"], "mutable_inputs": ["rows"]}"#;
    insta::assert_snapshot!(mistakes(unknown), @"
    2 mistakes:
      - line 2, column 32: `optional_outputs`: the spec has no output of this name; the outputs are `rows`
      - line 2, column 61: `mutable_inputs`: the spec has no input of this name; it has no inputs at all
    ");
}
