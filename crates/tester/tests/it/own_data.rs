//! The user's own data and the contracts on the inputs that it is for.

use runtime_testing_models::{PipelineTestReport, StepNote, TableContract, TypeWord};

use crate::space::{COPY, Space};

const OUTPUT: &[&str] = &["rows=output/rows.csv"];

/// A contract that `data/raw.csv` does not keep.
fn broken() -> TableContract {
    TableContract::default().with_column("id", TypeWord::Integer).with_column("low", TypeWord::Date)
}

/// A root step that copies its input, which has this contract.
fn root(input: &str, contract: TableContract) -> Space {
    Space::new().step("clean", COPY, &[input], OUTPUT).with(|spec| {
        spec.input_schemas.insert("raw".parse().unwrap(), contract.into());
    })
}

/// The notes on own data, each with its step.
fn notes(report: &PipelineTestReport) -> String {
    let of_own_data = report.script_results.iter().flat_map(|(step, result)| {
        let notes = result.notes.iter().filter(|note| matches!(note, StepNote::OwnData { .. }));
        notes.map(move |note| format!("{step}: {note}"))
    });
    of_own_data.collect::<Vec<_>>().join("\n")
}

#[test]
fn own_data_that_is_not_what_its_contract_says_is_noted() {
    let report = root("raw=data/raw.csv", broken()).passes();
    let expected =
        "clean: its own input `raw`, raw.csv, is not what its contract says: column `low` (date) is missing";
    assert_eq!(notes(&report), expected);
    let kept = TableContract::default().with_column("amount", TypeWord::Float);
    assert_eq!(notes(&root("raw=data/raw.csv", kept.clone()).passes()), "");
    // What differs and does not break is no news here.
    let integers = root("raw=data/other.csv", kept).write("data/other.csv", "amount,more\n1,2\n");
    assert_eq!(notes(&integers.passes()), "");
}

#[test]
fn files_of_a_folder_are_named() {
    let script = "
def main(input_paths, output_paths, environ_vars, job_args):
    open(output_paths['rows'], 'w').write('id\\n1\\n')
";
    let space = root("raw=data/parts", broken())
        .write("workspace/scripts/clean.py", script)
        .write("data/parts/a.csv", "id,low\n1,2026-01-31\n")
        .write("data/parts/b.csv", "id,low\n1,cold\n");
    let expected = "clean: its own input `raw`, b.csv, is not what its contract says: column `low`: expected date, \
         found text";
    assert_eq!(notes(&space.passes()), expected);
}

#[test]
fn data_that_no_run_is_handed_is_not_looked_at() {
    // Sample data is in place of it.
    let space = root("raw=data/gone.csv", broken()).with_sample_data();
    assert_eq!(notes(&space.passes()), "");
    // What is published there is judged as an edge.
    let space = Space::new()
        .step("fetch", COPY, &["source=data/raw.csv"], &["raw=output/raw.csv"])
        .step("clean", COPY, &["raw=output/raw.csv"], OUTPUT)
        .with(|spec| {
            spec.input_schemas.insert("raw".parse().unwrap(), broken().into());
        })
        .edge("fetch", "clean");
    for _ in 0..2 {
        assert_eq!(notes(&space.test().unwrap()), "");
    }
}

#[test]
fn a_sample_that_a_step_is_tried_on_is_looked_at_too() {
    let space = Space::new()
        .write("data/wide.csv", "id,low\n1,2026-01-31\n")
        .step("fetch", COPY, &["source=data/wide.csv"], &["raw=output/raw.csv"])
        .step("clean", COPY, &["raw=data/raw.csv"], OUTPUT)
        .with(|spec| {
            spec.input_schemas.insert("raw".parse().unwrap(), broken().into());
        })
        .edge("fetch", "clean");
    let report = space.passes();
    assert!(notes(&report).starts_with("clean: its own input `raw`, raw.csv, "), "{}", notes(&report));
    assert_eq!(report.data_flow_results["fetch->clean"].verdict.as_str(), "identical");
    let mut configuration = space.tester().configuration().clone();
    configuration.test_individual_scripts = false;
    let tester = runtime_testing_tester::RuntimeTester::new(configuration).with_settings(space.settings());
    assert_eq!(notes(&tester.test_pipeline().unwrap()), "", "no run has it");
}
