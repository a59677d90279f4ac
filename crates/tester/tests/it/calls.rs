//! The six calls of the original.

use runtime_testing_data::SampleData;
use runtime_testing_models::{
    EdgeNote, EdgeVerdict, InputSource, PathSpec, PipelineDag, ScriptFailure, StepNote, StepStatus,
    TableContract, TypeWord, UntestedEdge,
};
use runtime_testing_tester::{RuntimeTester, TestError};

use crate::space::{COPY, Space, script, spec, step};

fn two_steps() -> Space {
    Space::new()
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("train", COPY, &["rows=output/rows.csv"], &["model=output/model.csv"])
        .edge("clean", "train")
}

#[test]
fn a_tester_of_a_configuration_knows_it() {
    let space = two_steps();
    let tester = space.tester();
    assert_eq!(tester.configuration().pipeline_spec, space.pipeline());
    assert_eq!(tester.settings(), &space.settings());
    assert_eq!(tester.builder().specs_dir(), space.root.join("workspace/.specs"));
    let tester = RuntimeTester::in_workspace("somewhere");
    assert_eq!(tester.builder().specs_dir(), "somewhere/.specs");
    assert!(tester.configuration().pipeline_spec.dag.is_empty());
}

#[test]
fn a_script_is_run_with_the_parameters_that_are_given() {
    let space = two_steps().write("data/other.csv", "id,amount\n7,7.5\n");
    let spec = &space.specs[0];
    let mut params = spec.main_params();
    params.input_paths["raw"] = "data/other.csv".into();
    let result = space.tester().test_script_with_spec(spec, &params).unwrap();
    assert!(result.success() && result.has_main_function);
    assert_eq!(result.script_name, "clean");
    assert!(result.execution_time() > 0.0);
    assert_eq!(space.read("output/rows.csv"), "id,amount\n7,7.5\n");
}

#[test]
fn a_script_without_main_fails_and_says_so() {
    let space = Space::new().step("clean", "x = 1\n", &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
    let result =
        space.tester().test_script_with_spec(&space.specs[0], &space.specs[0].main_params()).unwrap();
    assert!(!result.success() && !result.has_main_function);
    assert_eq!(result.error_message().unwrap(), "scripts/clean.py: missing main() function");
    assert!(!space.root.join("workspace/.runs").exists(), "there was nothing to run");
}

#[test]
fn two_specs_are_tested_for_compatibility() {
    let space = two_steps();
    let result = space.tester().test_data_compatibility_with_specs(&space.specs[0], &space.specs[1]).unwrap();
    assert!(result.compatible());
    assert_eq!((result.script_a.as_str(), result.script_b.as_str()), ("clean", "train"));
    assert_eq!(result.verdict, EdgeVerdict::Accepted);
    assert_eq!(result.data_format_a.as_deref(), Some("csv"));
    assert_eq!(result.data_format_b.as_deref(), Some("csv"));
}

#[test]
fn compatibility_with_a_script_that_fails_is_untested() {
    let space = two_steps().write(
        "workspace/scripts/clean.py",
        "def main(input_paths, output_paths, environ_vars, job_args):\n    raise ValueError('broken')\n",
    );
    let result = space.tester().test_data_compatibility_with_specs(&space.specs[0], &space.specs[1]).unwrap();
    assert!(!result.compatible());
    assert_eq!(result.verdict, EdgeVerdict::Untested { reason: UntestedEdge::ProducerFailed });
    assert_eq!(result.compatibility_issues(), ["not tested: the producer did not succeed"]);
}

#[test]
fn an_edge_is_no_pass_of_the_steps_that_it_was_tested_with() {
    let mut contract = TableContract::default();
    contract = contract.with_column("id", TypeWord::Any).with_column("amount", TypeWord::Any);
    for broken in [
        "x = 1\n",
        "def main(:\n",
        "def main(input_paths, output_paths, environ_vars, job_args):\n    1 / 0\n",
    ] {
        let mut space = two_steps().write("workspace/scripts/train.py", broken);
        space.specs[1].input_schemas.insert("rows".parse().unwrap(), contract.clone().into());
        let result =
            space.tester().test_data_compatibility_with_specs(&space.specs[0], &space.specs[1]).unwrap();
        assert!(result.compatible(), "{:?}", result.compatibility_issues());
        let [EdgeNote::StepFailed { step, failure }] = &result.notes[..] else {
            panic!("{:?}", result.notes)
        };
        assert_eq!(step.as_str(), "train", "{failure}");
    }
}

#[test]
fn a_step_cannot_be_compatible_with_itself() {
    let space = two_steps();
    let error =
        space.tester().test_data_compatibility_with_specs(&space.specs[0], &space.specs[0]).unwrap_err();
    assert_eq!(error.to_string(), "both ends of the edge are step `clean`: name two different steps");
}

#[test]
fn a_pipeline_spec_is_tested_whole() {
    let report = two_steps().passes();
    assert_eq!(report.script_results.len(), 2);
    assert_eq!(report.data_flow_results.len(), 1);
    assert_eq!(report.errors(), Vec::<String>::new());
}

#[test]
fn an_empty_pipeline_is_refused() {
    let error = Space::new().test().unwrap_err();
    assert_eq!(error.to_string(), "the pipeline has no steps: there is nothing to test");
}

#[test]
fn a_script_by_name_uses_its_saved_spec() {
    let space = two_steps();
    space.tester().builder().save_script_spec(&space.specs[0]).unwrap();
    let result = space.tester().test_script(&script("clean"), None).unwrap();
    assert!(result.success());
    assert_eq!(space.read("output/rows.csv"), space.read("data/raw.csv"));
}

#[test]
fn a_script_by_name_without_a_spec_gets_the_default_and_sample_data_in_a_file() {
    let copy_file = "
import os, shutil

def main(input_paths, output_paths, environ_vars, job_args):
    assert os.environ['LABEL_FIELD'] == environ_vars['LABEL_FIELD'] == 'label'
    assert job_args.job_type == 'testing'
    assert os.path.basename(input_paths['data_input']) == 'input_data.csv'
    shutil.copy(input_paths['data_input'], output_paths['data_output'])
";
    let space = Space::new().write("workspace/scripts/any.py", copy_file);
    let tester = RuntimeTester::in_workspace("workspace").with_settings(space.settings());
    let result = tester.test_script(&script("any"), None).unwrap();
    assert!(result.success(), "{:?}", result.error_message());
    assert_eq!(result.notes, [StepNote::SampleData { inputs: vec!["data_input".parse().unwrap()] }]);
    assert_eq!(
        space.read("workspace/any/output/input_data.csv"),
        "feature1,feature2,label\n1,0.1,0\n2,0.2,1\n3,0.3,0\n4,0.4,1\n5,0.5,0\n"
    );

    let sample = SampleData::from_json(r#"{"col1": [1, 2], "col2": ["a", "b"]}"#).unwrap();
    let result = tester.test_script(&script("any"), Some(&sample)).unwrap();
    assert!(result.success());
    assert_eq!(space.read("workspace/any/output/input_data.csv"), "col1,col2\n1,a\n2,b\n");
}

#[test]
fn a_path_that_is_nearly_there_is_told() {
    let near = |path: &str| {
        let mut space = two_steps().with_sample_data();
        space.specs[0].input_paths[0] = path.into();
        let told = |notes: &[StepNote]| notes.iter().map(ToString::to_string).collect::<Vec<_>>();
        let plan = space.tester().plan().unwrap();
        (told(&plan.steps[&step("clean")].notes), told(&space.passes().script_results[&step("clean")].notes))
    };
    let (planned, told) = near("data/rwa.csv");
    let hint = "the input `raw` is `data/rwa.csv`, which does not exist; did you mean `data/raw.csv`?";
    assert_eq!(planned, [hint]);
    assert_eq!(told, ["run on sample data: the inputs `raw` do not exist", hint]);
    assert_eq!(near("data/raw.csv"), (vec![], vec![]));
    let (planned, told) = near("data/measurements.csv");
    assert_eq!(planned, [""; 0]);
    assert_eq!(told, ["run on sample data: the inputs `raw` do not exist"]);
}

#[test]
fn what_a_step_writes_is_not_what_was_meant() {
    let mut space = two_steps().with_sample_data();
    space.specs[0].input_paths[0] = "output/row.csv".into();
    for _ in 0..2 {
        let notes = &space.passes().script_results[&step("clean")].notes;
        assert_eq!(notes, &[StepNote::SampleData { inputs: vec!["raw".parse().unwrap()] }]);
    }
    // An input may have its path among its aliases alone.
    let (name, path) = space.specs[0].input_paths.shift_remove_index(0).unwrap();
    assert_eq!(path, "output/row.csv");
    let path_spec = PathSpec { path: Some("data/rwa.csv".into()), ..PathSpec::default() };
    space.specs[0].input_path_specs.insert(name, path_spec);
    let notes = &space.passes().script_results[&step("clean")].notes;
    assert!(matches!(&notes[1], StepNote::NearPath { near, .. } if near == "data/raw.csv"), "{notes:?}");
}

#[test]
fn sample_data_that_is_given_takes_the_place_of_the_input() {
    let space = two_steps();
    for spec in &space.specs {
        space.tester().builder().save_script_spec(spec).unwrap();
    }
    let sample = SampleData::from_json(r#"{"col1": [1, 2]}"#).unwrap();
    let result = space.tester().test_script(&script("clean"), Some(&sample)).unwrap();
    assert_eq!(result.notes, [StepNote::GivenData { inputs: vec!["raw".parse().unwrap()] }]);
    let result =
        space.tester().test_data_compatibility(&script("clean"), &script("train"), Some(&sample)).unwrap();
    assert!(result.compatible());
    assert_eq!(space.read("output/model.csv"), "col1\n1\n2\n");
    let result = space.tester().test_data_compatibility(&script("clean"), &script("train"), None).unwrap();
    assert!(result.compatible());
    assert_eq!(space.read("output/model.csv"), space.read("data/raw.csv"));
}

#[test]
fn a_dag_alone_is_tested_with_saved_and_default_specs() {
    let space = two_steps();
    for spec in &space.specs {
        space.tester().builder().save_script_spec(spec).unwrap();
    }
    let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")]).unwrap();
    let report = space.tester().test_pipeline_flow(&dag).unwrap();
    assert!(report.pipeline_success());
    assert_eq!(report.script_results.len(), 2);
    let input = &report.script_results["clean"].runs[0].inputs["raw"];
    assert_eq!((input.path.as_str(), &input.source), ("../data/raw.csv", &InputSource::Own));
}

#[test]
fn a_broken_saved_spec_is_an_error_and_stays_as_it_is() {
    let space = two_steps().write("workspace/.specs/clean_runtime_test_spec.json", "{ broken");
    let error = space.tester().test_script(&script("clean"), None).unwrap_err();
    assert!(matches!(error, TestError::Spec(_)), "{error}");
    assert!(
        error.to_string().contains("clean_runtime_test_spec.json") && error.to_string().contains("line 1"),
        "{error}"
    );
    assert_eq!(space.read("workspace/.specs/clean_runtime_test_spec.json"), "{ broken");
}

#[test]
fn scripts_are_looked_for_in_a_list_of_places() {
    let places =
        ["workspace/a.py", "workspace/scripts/a.py", "aware/a.py", "aware/scripts/a.py", "scripts/a.py"];
    for (at, place) in places.iter().enumerate() {
        let mut space = Space::new().write(place, COPY);
        space.specs.push(spec("a", "a", &["raw=data/raw.csv"], &["rows=output/rows.csv"]));
        let mut pipeline = space.pipeline();
        pipeline.workspace_aware_root = Some("aware".into());
        let mut configuration = runtime_testing_models::RuntimeTestingConfiguration::new(pipeline);
        let test = |configuration: &runtime_testing_models::RuntimeTestingConfiguration| {
            let tester = RuntimeTester::new(configuration.clone()).with_settings(space.settings());
            tester.test_pipeline().unwrap().script_results.shift_remove("a").unwrap()
        };
        let is_aware = place.starts_with("aware");
        assert_eq!(test(&configuration).success(), !is_aware, "{place}, {at}");
        configuration.use_workspace_aware = true;
        assert!(test(&configuration).success(), "{place}");
    }
}

#[test]
fn sample_data_keeps_to_the_contract_of_each_step() {
    let column = |name: &str, word| TableContract::default().with_column(name, word);
    let mut space = Space::new().write(
        "workspace/scripts/count.py",
        "def main(input_paths, output_paths, environ_vars, job_args):
    lines = open(input_paths['orders']).read().splitlines()
    open(output_paths['rows'], 'w').write(f'header,rows\\n{lines[0]},{len(lines) - 1}\\n')
",
    );
    for (name, contract) in [
        ("a", Some(TableContract { min_rows: Some(7), ..column("price", TypeWord::Float) })),
        ("b", Some(column("day", TypeWord::Date))),
        ("c", None),
    ] {
        let mut spec = spec(name, "count", &["orders=data/none.csv"], &[&format!("rows=output/{name}.csv")]);
        spec.input_schemas =
            contract.map(|contract| ("orders".parse().unwrap(), contract.into())).into_iter().collect();
        space.specs.push(spec);
    }
    let space = space.with_sample_data();
    space.passes();
    assert_eq!(space.read("output/a.csv"), "header,rows\nprice,7\n");
    assert_eq!(space.read("output/b.csv"), "header,rows\nday,5\n");
    assert_eq!(space.read("output/c.csv"), "header,rows\nfeature1,feature2,label,5\n");
}

#[test]
fn a_script_that_is_nowhere_is_reported_with_where_it_was_looked_for() {
    let mut space = Space::new();
    space.specs.push(spec("a", "lost", &["raw=data/raw.csv"], &["rows=output/rows.csv"]));
    let result = space.fails();
    let StepStatus::Failed { failure: ScriptFailure::ScriptNotFound { searched } } = result.status else {
        panic!("{:?}", result.status)
    };
    assert_eq!(
        searched,
        ["lost.py", "lost", "scripts/lost.py", "scripts/lost", "../scripts/lost.py", "../scripts/lost"]
    );
}
