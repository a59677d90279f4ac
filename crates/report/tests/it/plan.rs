//! A plan as text.

use runtime_testing_models::{PipelineTestPlan, Selection};
use runtime_testing_report::{TextOptions, render_plan_text};

/// A plan with one of everything, pinned as a golden file of the workspace.
fn golden() -> PipelineTestPlan {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden/plan.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn width(width: usize) -> TextOptions {
    TextOptions { width: Some(width), ..TextOptions::default() }
}

#[test]
fn what_cannot_run_comes_first() {
    insta::assert_snapshot!(render_plan_text(&golden(), width(80)), @r#"
    PLAN  9 steps, 4 runs, 5 edges; nothing was run
          paths are relative to /home/ann/orders/test_workspace
          Python is /usr/bin/python3

    Cannot run
      lost
        it is not known what the edges from `train` carry, and nothing feeds the
        inputs `x`
      broken
        script not found; looked for `broken.py`, `scripts/broken.py`
        hint: put the script there, or set `script_path` in the step's spec
      alone
        the inputs `rows` come from upstream steps, and the flow was not to be
        tested
      after: blocked by broken

    Steps
      clean
        script  scripts/clean.py (Python, forked, at most 600 s)
        run     individual and flow
            raw <- ../data/raw.csv (own data)
            words <- sample data (there is no ../data/words.json)
        output  rows -> ../output/clean.csv
      train
        script  scripts/train.py (Python, forked, at most 30 s)
        run     flow, after clean
            orders <- rows/part.csv of clean (same path)
        note    not run on its own: its own inputs `orders` do not exist
        output  rows -> ../output/train.csv
      twin
        script  scripts/train.py (Python, forked, at most 30 s)
        run     flow, after clean, the same run as that of train
            orders <- rows/part.csv of clean (same path)
        output  rows -> ../output/train.csv
      score
        script  scripts/score (executable, at most 600 s)
        run     flow, after train
            row <- rows of train (similar name, 0.75 by their letters)
        output  rows -> ../output/score.csv
      report
        script  report (Rust function, at most 600 s)
        run     flow
        output  rows -> ../output/report.csv
      lost
        script  scripts/lost.py (Python, forked, at most 600 s)
        run     flow: cannot be made, see above
        output  rows -> ../output/lost.csv
      broken
        script  broken
        run     individual and flow: fails, see above
        output  rows -> ../output/broken.csv
      after
        script  scripts/after.py (Python, forked, at most 600 s)
        run     flow: blocked by broken
        output  rows -> ../output/after.csv
      alone
        script  scripts/alone.py (Python, forked, at most 600 s)

    Edges
      clean -> train
        rows -> orders (same path); nothing to compare with: accepted if train runs
        well
      clean -> twin
        rows -> orders (alias); compared with the contract in `input_schemas`
      train -> score
        rows -> row (similar name, 0.75 by their letters); nothing to compare with
        `rows` -> `row` is a guess from their names (similarity 0.75 by their
        letters), and there is nothing to compare the data with
        hint: if it is right, say it in the consumer's spec: "bindings": {"row":
        {"step": "train", "output": "rows"}}
      train -> lost
        it is not known which output feeds which input: the outputs are `rows`, the
        inputs left are `x`
        hint: say it in the consumer's spec: "bindings": {"x": {"step": "…",
        "output": "rows"}}
      broken -> after
        rows -> rows (same name); compared with ../data/rows.csv
    "#);
}

#[test]
fn a_plan_is_readable_on_a_narrow_terminal() {
    let text = render_plan_text(&golden(), TextOptions { ascii: true, ..width(40) });
    assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 40), "{text}");
    insta::assert_snapshot!(text.split("\n\n").last().unwrap(), @r#"
    Edges
      clean -> train
        rows -> orders (same path); nothing
        to compare with: accepted if train
        runs well
      clean -> twin
        rows -> orders (alias); compared
        with the contract in `input_schemas`
      train -> score
        rows -> row (similar name, 0.75 by
        their letters); nothing to compare
        with
        `rows` -> `row` is a guess from
        their names (similarity 0.75 by
        their letters), and there is nothing
        to compare the data with
        hint: if it is right, say it in the
        consumer's spec: "bindings": {"row":
        {"step": "train", "output": "rows"}}
      train -> lost
        it is not known which output feeds
        which input: the outputs are `rows`,
        the inputs left are `x`
        hint: say it in the consumer's spec:
        "bindings": {"x": {"step": "...",
        "output": "rows"}}
      broken -> after
        rows -> rows (same name); compared
        with ../data/rows.csv
    "#);
}

#[test]
fn what_is_not_tested_is_told() {
    let mut plan = golden();
    plan.test_data_compatibility = false;
    plan.selection = Some(Selection::from("+train"));
    let text = render_plan_text(&plan, TextOptions::default());
    assert!(text.starts_with("PLAN  of `+train` alone: "), "{text}");
    assert!(text.contains("\nEdges (not judged)\n") && !text.contains("compared with"), "{text}");
}

#[test]
fn names_and_paths_cannot_drive_a_terminal() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden/plan.json"));
    let hostile = text.unwrap().replace("data/", "\\u001b[2J\\u202edata/");
    let text = render_plan_text(&serde_json::from_str(&hostile).unwrap(), TextOptions::default());
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    let colored = render_plan_text(&golden(), TextOptions { color: true, ..TextOptions::default() });
    assert!(colored.contains("\u{1b}[1m"), "{colored}");
}
