//! Rust functions that read and write tables as Arrow record batches.

use runtime_testing_data::arrow::array::{AsArray, Float64Array};
use runtime_testing_data::arrow::compute::filter_record_batch;
use runtime_testing_data::arrow::compute::kernels::cmp::gt;
use runtime_testing_data::arrow::datatypes::Int64Type;
use runtime_testing_models::{EdgeVerdict, ScriptFailure, edge_key};
use runtime_testing_tester::FunctionParams;

use crate::space::{Space, script, spec, step};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

const RAW: &str = "id,day,amount\n1,2024-01-31,2\n2,NA,7.5\n3,2024-02-29,3.5\n4,2024-02-01,\n";

/// A project of two steps, whose scripts are to be functions.
fn space() -> Space {
    let mut space = Space::new().write("data/raw.csv", RAW);
    space.specs.push(spec(
        "clean",
        "clean",
        &["raw=data/raw.csv"],
        &["rows=output/rows.ndjson", "table=output/table.csv", "parts=output/parts"],
    ));
    space.specs[0].optional_outputs.push("parts".parse().unwrap());
    space.specs.push(spec("train", "train", &["table=data/table.csv"], &["model=output/model.json"]));
    space.edge("clean", "train").write("data/table.csv", "id,day,amount\n1,2024-01-31,2.5\n")
}

/// Keeps the rows of an amount above three, in two formats.
fn clean(params: &FunctionParams) -> Outcome {
    for output in ["rows", "table"] {
        let rows = params.read_input("raw")?;
        let schema = rows.schema();
        let large = rows.map(|batch| {
            let batch = batch?;
            let amount = &batch["amount"];
            filter_record_batch(&batch, &gt(amount, &Float64Array::new_scalar(3.0))?)
        });
        params.write_output(output, &schema, large)?;
    }
    Ok(())
}

fn train(params: &FunctionParams) -> Outcome {
    let mut ids = Vec::new();
    for batch in params.read_input("table")? {
        ids.extend(batch?["id"].as_primitive::<Int64Type>().values().iter().copied());
    }
    std::fs::write(&params.output_paths["model"], format!("{ids:?}"))?;
    Ok(())
}

#[test]
fn a_function_reads_filters_and_writes_tables() {
    let space = space();
    let tester = space.tester().with_function(script("clean"), clean).with_function(script("train"), train);
    let report = tester.test_pipeline().unwrap();
    assert!(report.pipeline_success(), "{:?}", report.errors());
    assert_eq!(space.read("output/table.csv"), "id,day,amount\n2,,7.5\n3,2024-02-29,3.5\n");
    assert_eq!(
        space.read("output/rows.ndjson"),
        "{\"id\":2,\"day\":null,\"amount\":7.5}\n{\"id\":3,\"day\":\"2024-02-29\",\"amount\":3.5}\n",
    );
    assert_eq!(space.read("output/model.json"), "[2, 3]");
    let edge = &report.data_flow_results[&edge_key(&step("clean"), &step("train"))];
    assert_eq!(edge.verdict, EdgeVerdict::Compatible, "{:?}", edge.issues);
}

/// The error that a function in the place of `clean` comes back with.
fn message(function: impl Fn(&FunctionParams) -> Outcome + Send + Sync + 'static) -> String {
    let space = space();
    let tester =
        space.tester().with_function(script("clean"), function).with_function(script("train"), train);
    let report = tester.test_pipeline().unwrap();
    match report.script_results["clean"].status.failure() {
        Some(ScriptFailure::ReturnedError { message }) => message.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn mistakes_say_what_there_is() {
    assert_eq!(
        message(|params| params.read_input("rwa").map(drop).map_err(Into::into)),
        "there is no input `rwa`; the inputs are `raw`; did you mean `raw`?",
    );
    let write = |name: &'static str| {
        message(move |params| {
            let rows = params.read_input("raw")?;
            params.write_output(name, &rows.schema(), rows)?;
            Ok(())
        })
    };
    assert_eq!(
        write("tables"),
        "there is no output `tables`; the outputs are `rows`, `table`, `parts`; did you mean `table`?",
    );
    assert_eq!(
        write("parts"),
        "output `parts` is a folder; give its path an extension such as .csv or .ndjson, \
         or write a file in the folder with `write_batches`",
    );
}

#[test]
fn what_is_no_table_is_the_failure_of_the_function() {
    let space = space().write("data/raw.csv", "id,day\n1\n");
    let tester = space.tester().with_function(script("clean"), clean).with_function(script("train"), train);
    let report = tester.test_pipeline().unwrap();
    let failure = report.script_results["clean"].status.failure();
    let Some(ScriptFailure::ReturnedError { message }) = failure else { panic!("{failure:?}") };
    assert!(message.starts_with("cannot read input `raw`: "), "{message}");
    assert!(message.ends_with("line 2: row has 1 field, the header has 2"), "{message}");
}
