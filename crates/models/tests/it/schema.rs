//! The schemas say of files what their readers say.

use jsonschema::Validator;
use runtime_testing_models::{
    EventLine, PipelineDag, PipelineTestingSpec, SchemaName, ScriptExecutionSpec, ScriptFailure, StepName,
    TestEvent, dag::PipelineFile,
};
use serde_json::{Value, json};

use crate::fixture;
use crate::plan::full_plan;
use crate::report::full_report;

fn validator(name: SchemaName) -> Validator {
    let schema: Value = serde_json::from_str(&name.json_schema()).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    jsonschema::draft202012::new(&schema).unwrap()
}

/// What is wrong with a value, and where.
fn mistakes(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Files below a folder of fixtures.
fn files(folder: &str, is_wanted: &dyn Fn(&str) -> bool) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![fixture(folder).into_std_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().is_some_and(|name| is_wanted(&name.to_string_lossy())) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What the validator can read of a file: it knows no numbers beyond those of floats.
fn read(path: &std::path::Path) -> Option<(String, Value)> {
    let text = std::fs::read_to_string(path).ok()?;
    let value = serde_json::from_str(&text.replace("1e400", "1e40")).ok()?;
    Some((text, value))
}

#[test]
fn every_spec_of_the_fixtures_is_judged_as_its_reader_judges_it() {
    let validator = validator(SchemaName::Spec);
    let mut judged = [0, 0];
    for path in ["golden", "pipelines", "defects"]
        .map(|folder| files(folder, &|name| name.contains("spec") && name.ends_with(".json")))
        .concat()
    {
        let Some((text, value)) = read(&path) else { continue };
        let read = ScriptExecutionSpec::parse(&text);
        let found = mistakes(&validator, &value);
        // Values that contradict each other, and keys that stand twice, are for the reader alone.
        let is_for_the_reader = read.as_ref().is_err_and(|error| {
            ["of this name", "duplicate key", "differs from its key", "here and", "here or"]
                .iter()
                .any(|word| error.to_string().contains(word))
        });
        if !is_for_the_reader {
            assert_eq!(found.is_empty(), read.is_ok(), "{}: {found:?}, {read:?}", path.display());
        }
        judged[usize::from(read.is_ok())] += 1;
    }
    assert!(judged[0] >= 5 && judged[1] >= 150, "{judged:?}");
}

#[test]
fn every_pipeline_of_the_fixtures_is_judged_as_its_reader_judges_it() {
    let validator = validator(SchemaName::Pipeline);
    let mut judged = [0, 0];
    for path in ["pipelines", "defects"]
        .map(|folder| files(folder, &|name| name == "pipeline.json" || name == "dag.json"))
        .concat()
    {
        let Some((text, value)) = read(&path) else { continue };
        let read = PipelineFile::parse(&text);
        let found = mistakes(&validator, &value);
        // What takes a look at several values is for the reader alone.
        let is_for_the_reader = read.as_ref().is_err_and(|error| {
            let said = error.to_string();
            ["cycle", "itself", "unknown step", "not a step", "no step"]
                .iter()
                .any(|word| said.contains(word))
        });
        if !is_for_the_reader {
            assert_eq!(found.is_empty(), read.is_ok(), "{}: {found:?}, {read:?}", path.display());
        }
        judged[usize::from(read.is_ok())] += 1;
    }
    assert!(judged[0] >= 3 && judged[1] >= 100, "{judged:?}");
}

#[test]
fn mistakes_in_a_spec_are_refused() {
    let validator = validator(SchemaName::Spec);
    let good = json!({"$schema": "x", "script_name": "a", "step_name": "b", "input_paths": {"in": "a.csv"}});
    assert_eq!(mistakes(&validator, &good), [""; 0]);
    for path_spec in
        [json!({}), json!({"kind": "file"}), json!({"aliases": []}), json!({"logical_name": "in"})]
    {
        let mut short = good.clone();
        short["input_path_specs"] = json!({"in": path_spec});
        assert_eq!(mistakes(&validator, &short), [""; 0], "{short}");
        ScriptExecutionSpec::parse(&short.to_string()).unwrap();
    }
    for (key, value) in [
        ("imput_paths", json!({})),
        ("step_name", json!("a/b")),
        ("step_name", json!("..")),
        ("step_name", json!("a->b")),
        ("step_name", json!("x".repeat(201))),
        ("script_name", json!(null)),
        ("input_paths", json!({"in": 1})),
        ("environ_vars", json!({"A": 1})),
        ("environ_vars", json!({"A=B": "1"})),
        ("timeout_seconds", json!(0)),
        ("timeout_seconds", json!("5")),
        ("isolation", json!("thread")),
        ("working_directory", json!("home")),
        ("optional_outputs", json!({"out": true})),
        ("optional_outputs", json!(["a/b"])),
        ("mutable_inputs", json!("in")),
        ("mutable_inputs", json!(["in", "in"])),
        ("sample_data", json!("yes")),
        ("input_path_specs", json!({"in": {"path": "a.csv", "kind": "table"}})),
        ("bindings", json!({"in": {"step": "a"}})),
        ("input_path_specs", json!({"in": {"aliases": "other"}})),
        ("input_path_specs", json!({"in": {"path": 1}})),
        ("input_path_specs", json!({"in": {"paths": "a.csv"}})),
        ("input_schemas", json!({"in": {"columns": {"a": "int"}}})),
        ("input_schemas", json!({"in": {"columns": {"a": {"type": "text", "null": true}}}})),
        ("input_schemas", json!({"in": {"rows": 1}})),
        ("output_schemas", json!({"out": {"columns": {}, "min_rows": -1}})),
    ] {
        let mut bad = good.clone();
        bad[key] = value.clone();
        assert_ne!(mistakes(&validator, &bad), [""; 0], "{key}: {value}");
        assert!(ScriptExecutionSpec::parse(&bad.to_string()).is_err(), "{key}: {value}");
    }
}

#[test]
fn every_shape_of_a_pipeline_is_taken_and_mistakes_are_not() {
    let validator = validator(SchemaName::Pipeline);
    let spec = json!({"script_name": "a", "step_name": "a"});
    for good in [
        json!({"$schema": "x", "nodes": ["a", "b"], "edges": [["a", "b"]]}),
        json!({"dag": {"nodes": ["a"], "edges": []}, "name": "mine"}),
        json!({"dag": {"description": "x", "nodes": ["a", "b"], "edges": [{"source": "a", "target": "b", "label": ""}]}}),
        json!({"$schema": "x", "dag": {"nodes": ["a"], "edges": []}, "script_specs": {"a": spec}, "test_workspace_root": "t"}),
        json!({"steps": {"a": {}, "b": {"script": "b.py"}}}),
    ] {
        assert_eq!(mistakes(&validator, &good), [""; 0], "{good}");
        PipelineFile::parse(&good.to_string()).unwrap();
        if good["script_specs"].is_object() {
            PipelineTestingSpec::parse(&good.to_string()).unwrap();
        }
    }
    for bad in [
        json!([]),
        json!({}),
        json!({"nodes": ["a"]}),
        json!({"nodes": ["a", "a"], "edges": []}),
        json!({"nodes": ["a"], "edges": [["a"]]}),
        json!({"nodes": ["a"], "egdes": []}),
        json!({"nodes": ["a", "b"], "edges": [{"source": "a"}]}),
        json!({"dag": {"nodes": [1], "edges": []}}),
        json!({"dag": {"nodes": ["a"], "edges": []}, "script_specs": {"a": {"script_name": "a"}}}),
        json!({"dag": {"nodes": ["a"], "edges": []}, "script_specs": {}, "workspace": "t"}),
        json!({"steps": ["a"]}),
    ] {
        assert_ne!(mistakes(&validator, &bad), [""; 0], "{bad}");
        let text = bad.to_string();
        assert!(PipelineFile::parse(&text).is_err() || PipelineTestingSpec::parse(&text).is_err(), "{bad}");
    }
    let written = PipelineTestingSpec::new(PipelineDag::from_names(["a", "b"], [("a", "b")]).unwrap());
    assert_eq!(mistakes(&validator, &serde_json::to_value(written).unwrap()), [""; 0]);
}

#[test]
fn reports_follow_their_schema_and_others_do_not() {
    let validator = validator(SchemaName::Report);
    let report: Value = serde_json::from_str(&full_report().to_json()).unwrap();
    assert_eq!(mistakes(&validator, &report), [""; 0]);
    for (place, value) in [
        ("/pipeline_success", json!("yes")),
        ("/script_results/clean/status/kind", json!("fine")),
        ("/script_results/clean/runs/0/outputs/cleaned/data/files/0/schema/rows", json!(-1)),
        ("/script_results/publish/status/failure/limit_seconds", json!("30")),
        ("/data_flow_results/clean->train/issues/0/difference/kind", json!("moved_column")),
        ("/data_flow_results/clean->train/bindings/0/rule", json!("similar_name")),
    ] {
        let mut bad = report.clone();
        *bad.pointer_mut(place).unwrap_or_else(|| panic!("there is no {place}")) = value;
        assert_ne!(mistakes(&validator, &bad), [""; 0], "{place}");
    }
    let mut bad = report;
    bad.as_object_mut().unwrap().remove("errors");
    assert_ne!(mistakes(&validator, &bad), [""; 0], "a key is missing");
}

#[test]
fn a_plan_is_what_its_schema_says() {
    let validator = validator(SchemaName::Plan);
    let plan = serde_json::to_value(full_plan()).unwrap();
    assert_eq!(mistakes(&validator, &plan), Vec::<String>::new());
    let mut broken = plan.clone();
    broken["steps"]["clean"]["runs"][0]["action"] = json!({"kind": "guess"});
    assert_ne!(mistakes(&validator, &broken), Vec::<String>::new());
    let mut broken = plan;
    broken["edges"]["clean->train"].as_object_mut().unwrap().remove("bindings");
    assert_ne!(mistakes(&validator, &broken), Vec::<String>::new());
}

#[test]
fn events_follow_their_schema_and_others_do_not() {
    let validator = validator(SchemaName::Events);
    let report = full_report();
    let step = |name: &str| StepName::new(name).unwrap();
    let run = &report.script_results["train"].runs[1];
    let events = [
        TestEvent::Planned { steps: 2, runs: 3 },
        TestEvent::RunsAdded { step: step("a"), kinds: run.kinds.clone() },
        TestEvent::RunStarted { step: step("a"), kinds: run.kinds.clone() },
        TestEvent::RunSlow { step: step("a"), kinds: vec![], elapsed_seconds: 30.5 },
        TestEvent::RunNotForked { step: step("a"), reason: "no fork".to_owned() },
        TestEvent::RunInBaseFolder { step: step("a"), reason: "too many entries".to_owned() },
        TestEvent::RunRepeated {
            step: step("a"),
            kinds: run.kinds.clone(),
            failure: ScriptFailure::TimedOut { limit_seconds: 3.0 },
            beside: vec![step("b")],
        },
        TestEvent::RunFinished {
            step: step("train"),
            kinds: run.kinds.clone(),
            success: false,
            failure: run.failure.clone(),
            error_message: run.failure.as_ref().map(ToString::to_string),
            elapsed_seconds: 0.25,
            run_folder: run.run_folder.clone(),
        },
        TestEvent::RunNotMade { step: step("a"), kinds: vec![], reason: "canceled".to_owned() },
        TestEvent::RunBlocked { step: step("a"), by: vec![step("b")] },
        TestEvent::EdgeJudged {
            from: step("a"),
            to: step("b"),
            compatible: false,
            verdict: report.data_flow_results["train->report"].verdict.clone(),
            compatibility_issues: vec!["not tested".to_owned()],
        },
        TestEvent::NotRecorded { reason: "the disk is full".to_owned() },
        TestEvent::Finished { pipeline_success: false, canceled: true, run_id: None, errors: vec![] },
    ];
    let mut lines = String::new();
    for event in events {
        let line = EventLine::new(0.5, event);
        let value: Value = serde_json::from_str(&line.to_json()).unwrap();
        assert_eq!(mistakes(&validator, &value), [""; 0], "{value}");
        assert_eq!(serde_json::from_value::<EventLine>(value.clone()).unwrap(), line);
        for key in ["format_version", "seconds", "event"] {
            let mut bad = value.clone();
            bad.as_object_mut().unwrap().remove(key);
            assert_ne!(mistakes(&validator, &bad), [""; 0], "{bad}");
        }
        lines += &(line.to_json() + "\n");
    }
    crate::golden::check("events.jsonl", &lines);
    let unknown = json!({"format_version": 1, "seconds": 0.5, "event": "exploded", "step": "a"});
    assert_ne!(mistakes(&validator, &unknown), [""; 0]);
}
