//! Tests a pipeline with saved specs: write the specs once, build the test from the DAG, run it, read the report.
//!
//! Run with `cargo run --package runtime-testing --example pipeline_test --features report`.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::fs;

use camino::Utf8Path;
use runtime_testing::{
    PipelineDag, PipelineTestingSpecBuilder, RuntimeTester, StepName, TesterSettings, TextOptions,
    Validation, render_text,
};

const CLEAN: &str = r#"
import csv

def main(input_paths, output_paths, environ_vars, job_args):
    with open(input_paths["raw"], newline="") as source, open(output_paths["orders"], "w", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["order_id", "amount"])
        for row in csv.DictReader(source):
            if row["amount"]:
                writer.writerow([row["order_id"], row["amount"]])
"#;

const TRAIN: &str = r#"
import csv, json

def main(input_paths, output_paths, environ_vars, job_args):
    with open(input_paths["orders"], newline="") as source:
        amounts = [float(row["amount"]) for row in csv.DictReader(source)]
    with open(output_paths["model"], "w") as target:
        json.dump({"mean": sum(amounts) / len(amounts), "epochs": job_args.epochs}, target)
"#;

fn main() -> Result<(), Box<dyn Error>> {
    // A project as a user has it: scripts and data. Only the specs are new.
    let folder = tempfile::tempdir()?;
    let project = Utf8Path::from_path(folder.path()).ok_or("the temporary folder is not UTF-8")?;
    let workspace = project.join("test_workspace");
    fs::create_dir_all(workspace.join("scripts"))?;
    fs::write(workspace.join("scripts/clean.py"), CLEAN)?;
    fs::write(workspace.join("scripts/train.py"), TRAIN)?;
    fs::write(project.join("raw.csv"), "order_id,amount\n1,9.5\n2,\n3,4.0\n")?;

    // Once: say where the data of each step lies. This writes `.specs/clean_runtime_test_spec.json` and its like, which
    // belong in version control.
    let builder = PipelineTestingSpecBuilder::new(&workspace);
    builder.update_script_spec(&StepName::new("clean")?, |spec| {
        spec.input_paths = [("raw".parse().expect("a name"), "raw.csv".into())].into();
        spec.output_paths = [("orders".parse().expect("a name"), "output/orders.csv".into())].into();
    })?;
    builder.update_script_spec(&StepName::new("train")?, |spec| {
        spec.input_paths = [("orders".parse().expect("a name"), "output/orders.csv".into())].into();
        spec.output_paths = [("model".parse().expect("a name"), "output/model.json".into())].into();
        spec.job_args.insert("epochs".to_owned(), 3.into());
    })?;

    // In every test: the DAG and the saved specs make the test.
    let dag = PipelineDag::from_names(["clean", "train"], [("clean", "train")])?;
    let spec = builder.build_from_dag(&dag, Validation::Required)?;
    let settings = TesterSettings { base_folder: Some(project.to_owned()), ..TesterSettings::default() };
    let tester = RuntimeTester::new(spec).with_settings(settings);
    let report = tester.test_pipeline()?;

    print!("{}", render_text(&report, TextOptions::default()));
    assert!(report.pipeline_success());
    Ok(())
}
