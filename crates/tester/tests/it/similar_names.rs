//! Names that scripts ask for in vain, and the names that are there.

use runtime_testing_models::StepNote;

use crate::space::{COPY, Space, step};

/// What the notes of a consumer say of names, whose script runs a line on what `clean` wrote: an `id` and an `amount`.
#[track_caller]
fn check(line: &str, expected: &[&str]) {
    let content = format!(
        "import csv, os\n\n\ndef main(input_paths, output_paths, environ_vars, job_args):\n    \
         rows = list(csv.DictReader(open(input_paths['orders'])))\n    {line}\n    \
         open(output_paths['model'], 'w').write('x')\n"
    );
    let report = Space::new()
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("train", &content, &["orders=output/rows.csv"], &["model=output/model.txt"])
        .with(|spec| {
            spec.environ_vars.insert("LABEL_FIELD".to_owned(), "amount".to_owned());
            spec.job_args.insert("learning_rate".to_owned(), 7.into());
        })
        .edge("clean", "train")
        .test()
        .expect("the test can be carried out");
    assert!(!report.pipeline_success(), "it passed");
    let notes = report.script_results[&step("train")].notes.iter();
    let is_on_name =
        |note: &&StepNote| matches!(note, StepNote::SimilarName { .. } | StepNote::UnknownName { .. });
    let notes = notes.filter(is_on_name).map(StepNote::to_string);
    assert_eq!(notes.collect::<Vec<_>>(), expected, "for {line:?}");
}

#[test]
fn the_nearest_name_is_told() {
    check("rows[0]['amout']", &["there is no `amout`; among the columns of `orders` is `amount`"]);
    check(
        "raise KeyError(\"['amout'] not in index\")",
        &["there is no `amout`; among the columns of `orders` is `amount`"],
    );
    check(
        "raise ValueError(\"columns expected but not found: ['Amounts']\")",
        &["there is no `Amounts`; among the columns of `orders` is `amount`"],
    );
    check("input_paths['order']", &["there is no `order`; among its `input_paths` is `orders`"]);
    check("output_paths['modle']", &["there is no `modle`; among its `output_paths` is `model`"]);
    check(
        "os.environ['LABEL_FEILD']",
        &["there is no `LABEL_FEILD`; among its `environ_vars` is `LABEL_FIELD`"],
    );
    check("job_args.learning_rat", &["there is no `learning_rat`; among its `job_args` is `learning_rate`"]);
}

#[test]
fn what_is_there_is_told_where_it_is_known_what_was_asked() {
    check("input_paths['a']", &["there is no `a` among its `input_paths`; there is `orders`"]);
    check("output_paths[\"amount\"]", &["there is no `amount` among its `output_paths`; there is `model`"]);
    check("job_args.epochs", &["there is no `epochs` among its `job_args`; there is `learning_rate`"]);
    // A library raised it: it is about a column, whatever the inputs are called.
    check("raise KeyError('orderid')", &["there is no `orderid`; among its `input_paths` is `orders`"]);
    check("{}['amounts']", &["there is no `amounts`; among the columns of `orders` is `amount`"]);
}

#[test]
fn what_is_no_name_is_not_told() {
    check("{}['price']", &[]);
    // The line asks for an input that is there, and it is a column that is missing.
    check("dict.fromkeys([input_paths['orders']])['orders']", &[]);
    // It is there, and was looked for elsewhere.
    check("{}['amount']", &[]);
    check("float('amont')", &[]);
    check("{}[7]", &[]);
}
