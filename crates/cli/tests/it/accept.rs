//! Contracts from the last test.

use crate::space::{COPY, Space};

fn tested() -> Space {
    let space = Space::new();
    let test = space.run(&["test-pipeline", "pipeline.json", "--quiet"]);
    assert_eq!(test.status, Some(0), "{test:?}");
    space
}

fn train(space: &Space) -> String {
    let file = space.root.join("test_workspace/.specs/train_runtime_test_spec.json");
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn the_difference_is_shown_before_anything_is_written() {
    let space = tested();
    let before = train(&space);
    let shown = space.run(&["specs", "accept", "pipeline.json", "--dry-run"]);
    assert_eq!((shown.status, shown.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(shown.stdout, @"
    step train (./test_workspace/.specs/train_runtime_test_spec.json)
      input in, from out of clean
        + id: integer, no nulls
        + amount: float, no nulls
      output out
        + id: integer, no nulls
        + amount: float, no nulls
    ");
    assert_eq!(train(&space), before);

    for answer in ["n\n", "\n", "", "what?\n"] {
        let declined = space.run_with_input(&["specs", "accept", "pipeline.json"], answer);
        assert_eq!((declined.status, &declined.stdout), (Some(1), &shown.stdout));
        assert!(declined.stderr.ends_with("nothing was written\n"), "{}", declined.stderr);
        assert_eq!(train(&space), before);
    }

    let accepted = space.run_with_input(&["specs", "accept", "pipeline.json"], "y\n");
    assert_eq!(accepted.status, Some(0), "{accepted:?}");
    insta::assert_snapshot!(accepted.stderr, @"Write these 2 contracts into the specs? (y/n) [n]: written: ./test_workspace/.specs/train_runtime_test_spec.json");
    assert!(train(&space).contains("\"amount\": "), "{}", train(&space));

    let again = space.run(&["specs", "accept", "pipeline.json", "--yes"]);
    assert_eq!(
        (again.status, again.stdout.as_str(), again.stderr.as_str()),
        (Some(0), "", "nothing to accept\n")
    );
    let test = space.run(&["test-pipeline", "pipeline.json", "--quiet"]);
    assert!(test.stdout.contains("clean -> train  identical"), "{}", test.stdout);
}

#[test]
fn what_values_show_is_accepted_where_it_is_asked_for() {
    let space = tested();
    let shown = space.run(&["specs", "accept", "pipeline.json", "--constraints", "--dry-run"]);
    assert_eq!((shown.status, shown.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(shown.stdout, @r"
    step train (./test_workspace/.specs/train_runtime_test_spec.json)
      input in, from out of clean
        + id: integer, no nulls, minimum 1, maximum 1
        + amount: float, no nulls, minimum 2.5, maximum 2.5
      output out
        + id: integer, no nulls, minimum 1, maximum 1
        + amount: float, no nulls, minimum 2.5, maximum 2.5
    ");
    space.run(&["specs", "accept", "pipeline.json", "--constraints", "--yes"]);
    let test = space.run(&["test-pipeline", "pipeline.json", "--quiet"]);
    assert!(test.stdout.contains("clean -> train  identical"), "{}", test.stdout);

    for run in std::fs::read_dir(space.root.join("test_workspace/.runs")).unwrap() {
        let steps = run.unwrap().path().join("steps");
        if steps.is_dir() {
            std::fs::remove_dir_all(steps).unwrap();
        }
    }
    let gone = space.run(&["specs", "accept", "pipeline.json", "train", "--constraints", "--yes"]);
    assert_eq!(gone.status, Some(1), "{gone:?}");
    assert!(gone.stderr.contains("cannot be looked at again: "), "{}", gone.stderr);
}

#[test]
fn nothing_is_accepted_of_a_step_that_did_not_pass() {
    let space = tested();
    space.write("test_workspace/scripts/train.py", format!("{COPY}    1 / 0\n"));
    space.run(&["test-pipeline", "pipeline.json", "--quiet"]);
    let before = train(&space);
    let named = space.run(&["specs", "accept", "pipeline.json", "train", "--yes"]);
    assert_eq!((named.status, named.stdout.as_str()), (Some(1), ""));
    assert_eq!(named.stderr, "error: nothing is accepted:\n  train: the step did not pass (failed)\n");
    let all = space.run(&["specs", "accept", "pipeline.json", "--yes"]);
    assert_eq!((all.status, all.stdout.as_str()), (Some(1), ""));
    assert_eq!(all.stderr, "left out: train: the step did not pass (failed)\nnothing was accepted\n");
    assert_eq!(train(&space), before);
}

#[test]
fn wrong_use() {
    let message = Space::new().refused(&["specs", "accept", "pipeline.json"]);
    assert!(message.starts_with("error: no test of this pipeline is recorded in `"), "{message}");
    let space = tested();
    let unknown = space.run(&["specs", "accept", "pipeline.json", "trian"]);
    assert_eq!(unknown.status, Some(2));
    assert_eq!(unknown.stderr, "error: the test has no step `trian`; its steps are `clean`, `train`\n");
    let both = space.run(&["specs", "accept", "pipeline.json", "--yes", "--dry-run"]);
    assert_eq!(both.status, Some(2), "{both:?}");
    space.write("test_workspace/.specs/train_runtime_test_spec.json", "{");
    let broken = space.run(&["specs", "accept", "pipeline.json", "--yes"]);
    assert_eq!(broken.status, Some(1));
    assert!(broken.stderr.starts_with("left out: train: "), "{}", broken.stderr);
}
