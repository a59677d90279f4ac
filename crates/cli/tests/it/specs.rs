use crate::space::{COPY, Space};

fn new_project() -> Space {
    let space = Space::new();
    std::fs::remove_dir_all(space.root.join("test_workspace/.specs")).unwrap();
    space
}

#[test]
fn from_nothing_to_a_test() {
    let space = new_project();
    let refused = space.run(&["test-pipeline", "pipeline.json"]);
    assert_eq!(refused.status, Some(2));
    assert!(refused.stderr.contains("Missing ScriptExecutionSpec for step `clean`"), "{}", refused.stderr);
    assert!(!space.root.join("test_workspace/.specs").exists(), "a test does not draft");

    let init = space.run(&["specs", "init", "pipeline.json"]);
    assert_eq!(init.status, Some(0), "{init:?}");
    assert!(
        init.stdout.starts_with("drafted\tclean\t") && init.stdout.contains("drafted\ttrain\t"),
        "{}",
        init.stdout
    );
    let again = space.run(&["specs", "init", "pipeline.json"]);
    assert!(again.stdout.starts_with("kept\tclean\t"), "{}", again.stdout);

    let check = space.run(&["specs", "check", "pipeline.json"]);
    assert_eq!(check.status, Some(2));
    assert!(check.stderr.contains("nobody has changed the default"), "{}", check.stderr);
    assert_eq!(space.run(&["specs", "check"]).status, Some(2));

    let edit =
        space.run_with_input(&["specs", "edit", "clean"], "data/raw.csv\noutput/rows.csv\n{\"A\": 1}\n\n\n");
    assert_eq!(edit.status, Some(0), "{edit:?}");
    assert!(
        edit.stderr.contains("expected a string, found a number"),
        "bad JSON is asked again: {}",
        edit.stderr
    );
    let show = space.run(&["specs", "show", "clean"]);
    assert!(show.stdout.contains("\"data_input\": \"data/raw.csv\""), "{}", show.stdout);
    let edit = space.run_with_input(&["specs", "edit", "train"], "output/rows.csv\noutput/model.csv\n\n\n");
    assert_eq!(edit.status, Some(0), "{edit:?}");

    assert_eq!(
        space.run(&["specs", "check", "pipeline.json"]).stdout,
        "2 steps, each with a complete spec\n"
    );
    assert_eq!(space.run(&["specs", "check"]).stdout, "2 specs, all complete\n");
    let list = space.run(&["specs", "list"]);
    assert!(list.stdout.starts_with("clean\tclean\t") && list.stdout.lines().count() == 2, "{}", list.stdout);
    let test = space.run(&["test-pipeline", "pipeline.json"]);
    assert_eq!(test.status, Some(0), "{test:?}");
}

const SUM: &str = r#"
import os
RATE = "rate"

def read(paths, name):
    with open(os.path.join(paths[name], "orders.csv")) as file:
        return file.read()

def main(input_paths, output_paths, environ_vars, job_args):
    text = read(input_paths, "orders_input")
    if "notes" in input_paths:
        text += read(input_paths, "notes")
    times = int(environ_vars.get("TIMES", "2")) * getattr(job_args, RATE, 1)
    with open(os.path.join(output_paths["orders_output"], "orders.csv"), "w") as out:
        out.write(text * times)
"#;

#[test]
fn specs_are_drafted_from_what_scripts_ask_for_and_bound() {
    let space = new_project();
    space.write(
        "pipeline.json",
        r#"{"nodes": ["SumOrders_training", "sum_ordrs"], "edges": [["SumOrders_training", "sum_ordrs"]]}"#,
    );
    space.write("src/deep/sum_orders.py", SUM);
    let refused = space.run(&["specs", "init", "pipeline.json", "--scripts", "nowhere"]);
    assert_eq!((refused.status, refused.stdout.as_str()), (Some(2), ""), "{refused:?}");
    let refused = space.run(&["specs", "init", "pipeline.json", "--scripts", "src", "--python", "no-python"]);
    assert_eq!((refused.status, refused.stdout.as_str()), (Some(2), ""), "{refused:?}");
    assert!(!space.root.join("test_workspace/.specs").exists(), "nothing was written");
    let init = space.run(&["specs", "init", "pipeline.json", "--scripts", "src"]);
    insta::assert_snapshot!(init.stdout, @r"
    drafted	SumOrders_training	./test_workspace/.specs/SumOrders_training_runtime_test_spec.json	from src/deep/sum_orders.py, of the name without its job
    drafted	sum_ordrs	./test_workspace/.specs/sum_ordrs_runtime_test_spec.json	from src/deep/sum_orders.py, of a similar name (0.90)
    ");
    let show = space.run(&["specs", "show", "SumOrders_training"]);
    let stamp = show.stdout.find("last_updated").unwrap();
    insta::assert_snapshot!(show.stdout[..stamp], @r#"
    {
      "script_name": "sum_orders",
      "step_name": "SumOrders_training",
      "script_path": "src/deep/sum_orders.py",
      "input_paths": {
        "orders_input": "./test_workspace/SumOrders_training/input/orders_input",
        "notes": "./test_workspace/SumOrders_training/input/notes"
      },
      "output_paths": {
        "orders_output": "./test_workspace/SumOrders_training/output/orders_output"
      },
      "environ_vars": {
        "TIMES": "2"
      },
      "job_args": {
        "rate": 1
      },
      "
    "#);
    assert!(show.stdout.contains("\"optional_inputs\": [\n    \"notes\"\n  ]"), "{}", show.stdout);

    // One input is left without data: it is one that the script can do without.
    space.write("test_workspace/SumOrders_training/input/orders_input/orders.csv", "id\n1\n");
    let test = space.run(&["test-pipeline", "pipeline.json"]);
    assert!(test.stdout.contains("2 passed"), "{test:?}");

    space.write("pipeline.json", r#"{"nodes": ["a", "b"], "edges": [["a", "b"]]}"#);
    let spec = |step: &str, inputs: &str, outputs: &str| {
        let text = format!(
            "{{\"script_name\": \"x\", \"step_name\": \"{step}\",\n \"input_paths\": {inputs}, \"output_paths\": {outputs}}}\n"
        );
        space.write(&format!("test_workspace/.specs/{step}_runtime_test_spec.json"), text);
    };
    spec("a", "{}", r#"{"metrics": "o/metrics", "estimator": "o/estimator"}"#);
    spec("b", r#"{"weights": "i/w", "fit": "i/f"}"#, "{}");
    let dry = space.run(&["specs", "bind", "pipeline.json", "--dry-run"]);
    insta::assert_snapshot!(format!("{:?} {}{}", dry.status, dry.stdout, dry.stderr), @"Some(1) a -> b: nothing is similar enough: 1 metrics feeds weights (0.29), 2 estimator feeds weights (0.22), 3 estimator feeds fit (0.22), 4 metrics feeds fit (0.14)");
    let bound = space.run_with_input(&["specs", "bind", "pipeline.json"], "9\n2\n");
    insta::assert_snapshot!(format!("{:?} {}{}", bound.status, bound.stdout, bound.stderr), @r"
    Some(0) a -> b	estimator feeds weights	0.22
    a -> b: 1 metrics feeds weights (0.29), 2 estimator feeds weights (0.22), 3 estimator feeds fit (0.22), 4 metrics feeds fit (0.14), 0 none [1]: `9` is none of 0 to 4: answer with one of these
    a -> b: 1 metrics feeds weights (0.29), 2 estimator feeds weights (0.22), 3 estimator feeds fit (0.22), 4 metrics feeds fit (0.14), 0 none [1]: written: ./test_workspace/.specs/b_runtime_test_spec.json
    ");
    let written =
        std::fs::read_to_string(space.root.join("test_workspace/.specs/b_runtime_test_spec.json")).unwrap();
    assert!(written.contains("\"bindings\""), "{written}");
    let again = space.run(&["specs", "bind", "pipeline.json", "--yes"]);
    assert_eq!(
        (again.status, again.stderr.as_str()),
        (Some(0), "every edge carries something\n"),
        "{again:?}"
    );
}

#[test]
fn an_answer_that_does_not_come_saves_nothing() {
    let space = new_project();
    let outcome = space.run_with_input(&["specs", "edit", "clean"], "data/raw.csv\n");
    assert_eq!(outcome.status, Some(2));
    assert!(outcome.stderr.ends_with("error: canceled: nothing was saved\n"), "{}", outcome.stderr);
    assert!(!space.root.join("test_workspace/.specs").exists());
}

#[test]
fn nothing_saved_is_no_error() {
    let space = new_project();
    let list = space.run(&["specs", "list"]);
    assert_eq!((list.status, list.stdout.as_str()), (Some(0), ""));
    assert!(list.stderr.contains("no specs are saved in"), "{}", list.stderr);
}

#[test]
fn a_broken_file_shows_everywhere_and_stays_as_it_is() {
    let space = Space::new();
    let file = "test_workspace/.specs/train_runtime_test_spec.json";
    space.write(file, "{\n  \"script_name\": \"train\",\n  oops\n}");
    for arguments in [
        &["specs", "list"][..],
        &["specs", "check"],
        &["specs", "show", "train"],
        &["specs", "init", "pipeline.json"],
        &["test-pipeline", "pipeline.json"],
    ] {
        let outcome = space.run(arguments);
        assert_eq!(outcome.status, Some(2), "{arguments:?}");
        let named = outcome.stderr.contains("train_runtime_test_spec.json")
            && outcome.stderr.contains("line 3, column 3");
        assert!(named, "{arguments:?}: {}", outcome.stderr);
    }
    let edit = space.run_with_input(&["specs", "edit", "train"], "a\nb\n\n\n");
    assert_eq!(edit.status, Some(2));
    assert_eq!(
        std::fs::read_to_string(space.root.join(file)).unwrap(),
        "{\n  \"script_name\": \"train\",\n  oops\n}"
    );
}

#[test]
fn an_unknown_step_is_told_with_the_nearest() {
    let message = Space::new().refused(&["specs", "show", "trian"]);
    assert!(message.contains("`trian`") && message.contains("`train`"), "{message}");
}

#[test]
fn a_script_that_cannot_be_parsed_is_told_and_steps_that_share_one_share_no_path() {
    let space = new_project();
    space.write("pipeline.json", r#"{"nodes": ["broken", "Prep_training", "Prep_validation"], "edges": []}"#);
    space.write("test_workspace/scripts/broken.py", "x = = 3\n");
    space.write("test_workspace/scripts/prep.py", COPY);
    let init = space.run(&["specs", "init", "pipeline.json"]);
    assert_eq!(init.status, Some(0), "{init:?}");
    assert!(init.stderr.contains("broken: the script cannot be parsed: SyntaxError"), "{}", init.stderr);
    let output = |step: &str| {
        let text = space.run(&["specs", "show", step]).stdout;
        text.lines().find(|line| line.contains("data_output")).unwrap().to_owned()
    };
    assert_ne!(output("Prep_training"), output("Prep_validation"));
    let check = space.run(&["specs", "check", "pipeline.json"]);
    assert!(check.stderr.contains("nobody has changed the default"), "{}", check.stderr);
}

#[test]
fn edit_asks_nothing_where_it_could_not_save() {
    let space = Space::new();
    let spec = r#"{"script_name": "other", "step_name": "other", "input_paths": {}, "output_paths": {}}"#;
    space.write("test_workspace/.specs/new_runtime_test_spec.json", spec);
    let outcome = space.run_with_input(&["specs", "edit", "new"], "a\nb\n\n\n");
    assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
    assert!(outcome.stderr.contains("`other`") && !outcome.stderr.contains("path of input"), "{outcome:?}");
}

#[test]
fn scripts_are_looked_for_below_the_root_that_a_pipeline_names() {
    let space = Space::new();
    let spec = r#"{"script_name": "elsewhere", "step_name": "a", "input_paths": {"in": "data/raw.csv"}, "output_paths": {"out": "output/a.csv"}}"#;
    let pipeline = format!(
        r#"{{"dag": {{"nodes": ["a"], "edges": []}}, "script_specs": {{"a": {spec}}}, "test_workspace_root": "test_workspace", "workspace_aware_root": "project"}}"#
    );
    space.write("pipeline.json", pipeline);
    space.write("project/scripts/elsewhere.py", COPY);
    let outcome = space.run(&["test-pipeline", "pipeline.json"]);
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
}

#[test]
fn a_run_that_takes_more_than_its_spec_allows_fails() {
    let space = Space::new();
    let path = "test_workspace/.specs/train_runtime_test_spec.json";
    let spec = std::fs::read_to_string(space.root.join(path)).unwrap();
    let with = |limits: &str| space.write(path, spec.replacen('{', &format!("{{\"limits\": {limits}, "), 1));
    with(r#"{"wall_seconds": 600, "peak_memory_mib": 4000}"#);
    assert_eq!(space.run(&["test-pipeline", "pipeline.json"]).status, Some(0));
    for (limits, told) in [
        (
            r#"{"wall_seconds": 0.0001}"#,
            "took more than `limits.wall_seconds` allows, which is 0.0001: it took 0.",
        ),
        (
            r#"{"wall_seconds": 600, "peak_memory_mib": 1}"#,
            "took more than `limits.peak_memory_mib` allows, which is 1: it took ",
        ),
    ] {
        with(limits);
        let outcome = space.run(&["test-pipeline", "pipeline.json"]);
        assert_eq!(outcome.status, Some(1), "{outcome:?}");
        assert!(
            outcome.stdout.contains(told) && outcome.stdout.contains("PASS  clean"),
            "{}",
            outcome.stdout
        );
    }
    with(r#"{"wall_second": 1, "peak_memory_mib": 0}"#);
    let refused = space.run(&["test-pipeline", "pipeline.json"]);
    assert_eq!(refused.status, Some(2));
    assert!(refused.stderr.contains("did you mean `wall_seconds`?"), "{}", refused.stderr);
    assert!(refused.stderr.contains("0 is not a possible limit"), "{}", refused.stderr);
}

#[test]
fn specs_in_a_pipeline_file_are_held_to_the_same_rule() {
    let space = Space::new();
    let spec = |step: &str| {
        format!(
            r#""{step}": {{"script_name": "{step}", "step_name": "{step}", "output_paths": {{"out": "output/{step}"}}}}"#
        )
    };
    let pipeline = format!(
        r#"{{"dag": {{"nodes": ["clean", "train"], "edges": [["clean", "train"]]}}, "script_specs": {{{}, {}}}, "test_workspace_root": "test_workspace"}}"#,
        spec("clean"),
        spec("train"),
    );
    space.write("pipeline.json", pipeline);
    let refused = space.refused(&["test-pipeline", "pipeline.json"]);
    assert_eq!(refused, "error: pipeline.json: step `train`: no path in `input_paths`");
}
