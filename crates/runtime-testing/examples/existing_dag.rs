//! Works with a DAG that exists already: reads a pipeline file, looks at the graph, drafts the specs that are missing,
//! and tests the part of the pipeline that leads to one step.
//!
//! Run with `cargo run --package runtime-testing --example existing_dag --features report`.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::fs;

use camino::Utf8Path;
use runtime_testing::{
    PipelineFile, PipelineTestingSpecBuilder, RuntimeTester, StepName, TesterSettings, TextOptions,
    Validation, render_text,
};

const PIPELINE: &str = r#"{
  "dag": {
    "nodes": ["load", "features", "train", "publish"],
    "edges": [["load", "features"], ["features", "train"], ["train", "publish"]]
  },
  "owner": "keys beside the DAG are left alone"
}"#;

/// One script serves every step of this example: it hands its input on.
const COPY: &str = r#"
import os, shutil

def main(input_paths, output_paths, environ_vars, job_args):
    for name in os.listdir(input_paths["data_input"]):
        shutil.copy(os.path.join(input_paths["data_input"], name), output_paths["data_output"])
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let dag = PipelineFile::parse(PIPELINE)?.into_dag();
    let order: Vec<&str> = dag.topological_order().into_iter().map(StepName::as_str).collect();
    println!("order: {}", order.join(", "));
    let train = StepName::new("train")?;
    println!("`train` waits for {:?}", dag.dependencies(&train)?);
    let part = dag.upstream_of(&train)?;

    let folder = tempfile::tempdir()?;
    let project = Utf8Path::from_path(folder.path()).ok_or("the temporary folder is not UTF-8")?;
    fs::create_dir_all(project.join("workspace/scripts"))?;
    for step in part.steps() {
        fs::write(project.join(format!("workspace/scripts/{step}.py")), COPY)?;
    }

    // With validation, drafts are mistakes: nobody has said yet where the data lies.
    let builder = PipelineTestingSpecBuilder::new(project.join("workspace"));
    let error = builder.build_from_dag(&part, Validation::Required).expect_err("no spec was written yet");
    println!("{}", error.to_string().replace(project.as_str(), "PROJECT"));

    // Without, they are used. The first step has no data of its own and is run on sample data, which the report says.
    builder.build_from_dag(&part, Validation::Skipped)?;
    let settings = TesterSettings { base_folder: Some(project.to_owned()), ..TesterSettings::default() };
    let report =
        RuntimeTester::in_workspace("workspace").with_settings(settings).test_pipeline_flow(&part)?;
    print!("{}", render_text(&report, TextOptions::default()));
    assert!(report.pipeline_success());
    Ok(())
}
