//! Looks after specs by asking: what a terminal would ask of a person, a scripted prompter answers here.
//!
//! Run with `cargo run --package runtime-testing --example interactive_specs`.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use camino::Utf8Path;
use runtime_testing::{
    PipelineDag, PipelineTestingSpecBuilder, ScriptExecutionSpec, ScriptName, ScriptedPrompter, StepName,
    Validation, missing_fields,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let workspace = Utf8Path::from_path(folder.path()).ok_or("the temporary folder is not UTF-8")?;
    let builder = PipelineTestingSpecBuilder::new(workspace);

    // Someone began a spec and left the paths out.
    let step = StepName::new("train")?;
    builder.save_script_spec(&ScriptExecutionSpec::new(ScriptName::new("train")?, step.clone()))?;
    let dag = PipelineDag::from_names(["load", "train", "report"], [("load", "train"), ("train", "report")])?;
    let spec = builder.store().load(&step)?;
    let fields: Vec<String> = missing_fields(&spec, &dag).iter().map(ToString::to_string).collect();
    println!("missing before: {}", fields.join(", "));

    // What is missing is asked for; Enter takes the default. JSON that does not parse is asked for again.
    let mut prompter = ScriptedPrompter::new([
        "data/orders.csv",
        "output/model",
        r#"{"LABEL_FIELD": "amount""#,
        "",
        r#"{"epochs": 20}"#,
    ]);
    let spec = builder.update_script_spec_interactive(&step, &mut prompter)?;
    for question in prompter.asked() {
        println!("asked: {}", question.text);
    }
    println!("missing after: {}", missing_fields(&spec, &dag).len());
    println!("{}", serde_json::to_string(&spec.job_args)?);

    // Now a pipeline of this step can be tested.
    let dag = PipelineDag::from_names(["train"], [])?;
    let pipeline = builder.build_from_dag(&dag, Validation::Required)?;
    println!("specs: {}", pipeline.script_specs.len());
    Ok(())
}
