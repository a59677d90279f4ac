//! Columns that an upstream step writes under another name.

use runtime_testing_models::EdgeIssue;

use crate::space::{COPY, Space};

const SAMPLE: &str = "id,name,price\n1,bob0,0.25\n2,bob1,0.75\n3,bob2,1.25\n";

/// What `load` hands to `train`, which reads `price` and runs this before.
fn space(before: &str) -> Space {
    let train = format!(
        "
def main(input_paths, output_paths, environ_vars, job_args):
    import csv
    import os
{before}
    with open(input_paths['rows']) as file, open(output_paths['model'], 'w') as out:
        out.write(str(sum(float(row.get('price', 0)) for row in csv.DictReader(file))))
"
    );
    Space::new()
        .write("data/rows.csv", "id,uuid,weight,cost\n1,6fa4,70.5,0.25\n2,90cd,81.5,0.75\n3,b12e,64,1.25\n")
        .write("samples/rows.csv", SAMPLE)
        .step("load", COPY, &["raw=data/rows.csv"], &["rows=output/rows.csv"])
        .step("train", &train, &["rows=samples/rows.csv"], &["model=output/model.txt"])
        .edge("load", "train")
}

fn issues(space: &Space) -> String {
    let report = space.test().expect("the test can be carried out");
    let edge = &report.data_flow_results["load->train"];
    edge.issues.iter().map(EdgeIssue::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn values_tell_the_new_name() {
    insta::assert_snapshot!(issues(&space("")), @"
    `rows` -> `rows`, rows.csv: column `name` (text) is missing
    `rows` -> `rows`, rows.csv: column `price` (float64) is missing; was it renamed to `cost`?
    ");
}

#[test]
fn without_the_sample_names_and_types_are_left() {
    let space = space("    os.remove(environ_vars['SAMPLE'])");
    let sample = space.root.join("samples/rows.csv");
    let space = space.with(|spec| {
        spec.environ_vars.insert("SAMPLE".to_owned(), sample.to_string());
    });
    insta::assert_snapshot!(issues(&space), @"
    `rows` -> `rows`, rows.csv: column `name` (text) is missing
    `rows` -> `rows`, rows.csv: column `price` (float64) is missing
    ");
    assert!(!sample.exists(), "the script removed it");
}
