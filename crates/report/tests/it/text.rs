use runtime_testing_report::{TextOptions, render_edge_text, render_step_text, render_text};

use crate::samples::{self, golden as report};

#[test]
fn a_report_begins_with_what_is_wrong() {
    insta::assert_snapshot!(render_text(&report(), TextOptions::default()), @r#"
    FAIL  5 steps: 1 passed, 1 failed on upstream data, 1 blocked, 1 failed, 1 untested; 2 edges: 1 breaking, 1 untested

    FAIL  step publish
          timed out after 30 s
          hint: if it only needs longer, raise `timeout_seconds` in the step's spec

    FAIL  step archive
          not run: the inputs `bundle` do not exist, and nothing feeds them: correct their paths in the spec, add the edge, or ask for sample data (`--sample-data`, or `"sample_data": true` in the spec)

    FAIL  edge clean -> train: breaking
          `cleaned` -> `orders`, part.csv: column `amount`: expected float, found text; row 5001 is "n/a?"
          the consumer passes on its own inputs and fails with this data alone in place of its own input: KeyError: 'amount' of <Row object at 0x7f3a12bc9d10> (/somewhere/else/train.py:14)
          bound: cleaned -> orders (similar name, 0.75 by their letters); compared with ../data/orders.csv
          note: `cleaned` -> `orders`, part.csv: extra column `note`

    FAIL  step train
          failed on what `clean` wrote: KeyError: 'amount' of <Row object at 0x7f3a12bc9d10> (/somewhere/else/train.py:14)
          traceback:
            Traceback (most recent call last):
              File "/somewhere/else/train.py", line 14
          stdout (.runs/1/clean/flow/stdout.log):
            [7 bytes before]
            done
          repeat: cd /p && python3 run_script.py params.json

    Steps
      PASS  clean    0.25 s
            note: run on sample data: the inputs `raw` do not exist
            note: nothing was written to `rejected`
            note: reads `output/stats.csv` of `publish`, which no edge hands it: add the edge and the input; reads `/somewhere/else/rates.json`, which is not among its inputs: declare it as an input
            note: writes `/somewhere/else/cache.bin`, which is not among its outputs: declare it as an output
            note: it uses the network: `10.0.0.1:5432`
            note: it starts other programs: `git`
            note: a thread of it failed: KeyError: 'amount' of <Row object at 0x7f3a12bc9d10> (/somewhere/else/train.py:14)
            note: it failed while `publish` ran, and passed when it was run again alone; it had failed with: KeyError: 'amount' of <Row object at 0x7f3a12bc9d10> (/somewhere/else/train.py:14)
      FAIL  train    0.50 s  fails on upstream data
      SKIP  report   blocked by train
      FAIL  publish  0.00 s  timed_out
      FAIL  archive  not run

    Edges
      FAIL  clean -> train   breaking
      SKIP  train -> report  untested: the producer did not succeed
    "#);
}

#[test]
fn a_good_report_is_short() {
    let mut report = report();
    report.script_results.retain(|_, result| result.success());
    report.data_flow_results.clear();
    insta::assert_snapshot!(render_text(&report, TextOptions::default()), @"
    PASS  1 step: 1 passed

    Steps
      PASS  clean  0.25 s
            note: run on sample data: the inputs `raw` do not exist
            note: nothing was written to `rejected`
            note: reads `output/stats.csv` of `publish`, which no edge hands it: add the edge and the input; reads `/somewhere/else/rates.json`, which is not among its inputs: declare it as an input
            note: writes `/somewhere/else/cache.bin`, which is not among its outputs: declare it as an output
            note: it uses the network: `10.0.0.1:5432`
            note: it starts other programs: `git`
            note: a thread of it failed: KeyError: 'amount' of <Row object at 0x7f3a12bc9d10> (/somewhere/else/train.py:14)
            note: it failed while `publish` ran, and passed when it was run again alone; it had failed with: KeyError: 'amount' of <Row object at 0x7f3a12bc9d10> (/somewhere/else/train.py:14)
    ");
}

#[test]
fn one_step_and_one_edge() {
    let report = report();
    let step = |name: &str| render_step_text(name, &report.script_results[name], TextOptions::default());
    insta::assert_snapshot!(step("clean"), @"
    PASS  step clean
          wrote cleaned: part.csv (csv, 6000 rows, 1 column)
          note: run on sample data: the inputs `raw` do not exist
          note: nothing was written to `rejected`
          note: reads `output/stats.csv` of `publish`, which no edge hands it: add the edge and the input; reads `/somewhere/else/rates.json`, which is not among its inputs: declare it as an input
          note: writes `/somewhere/else/cache.bin`, which is not among its outputs: declare it as an output
          note: it uses the network: `10.0.0.1:5432`
          note: it starts other programs: `git`
          note: a thread of it failed: KeyError: 'amount' of <Row object at 0x7f3a12bc9d10> (/somewhere/else/train.py:14)
          note: it failed while `publish` ran, and passed when it was run again alone; it had failed with: KeyError: 'amount' of <Row object at 0x7f3a12bc9d10> (/somewhere/else/train.py:14)
    ");
    insta::assert_snapshot!(step("report"), @"
    SKIP  step report
          blocked: `train` did not succeed
          note: not run on its own: its own inputs `model` do not exist
    ");
    let edge = &report.data_flow_results["clean->train"];
    insta::assert_snapshot!(render_edge_text("clean", "train", edge, TextOptions::default()), @r#"
    FAIL  edge clean -> train: breaking
          `cleaned` -> `orders`, part.csv: column `amount`: expected float, found text; row 5001 is "n/a?"
          the consumer passes on its own inputs and fails with this data alone in place of its own input: KeyError: 'amount' of <Row object at 0x7f3a12bc9d10> (/somewhere/else/train.py:14)
          bound: cleaned -> orders (similar name, 0.75 by their letters); compared with ../data/orders.csv
          note: `cleaned` -> `orders`, part.csv: extra column `note`
    "#);
}

#[test]
fn color_adds_escapes_and_nothing_else() {
    let report = report();
    let colored = render_text(&report, TextOptions { color: true, ..TextOptions::default() });
    let plain = render_text(&report, TextOptions::default());
    assert!(!plain.contains('\u{1b}') && colored.contains("\u{1b}[31m"));
    let mut stripped = String::new();
    let mut rest = colored.as_str();
    while let Some(at) = rest.find('\u{1b}') {
        stripped.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('m').unwrap() + 1..];
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}

#[test]
fn what_scripts_print_cannot_drive_the_terminal() {
    let mut report = report();
    let run = &mut report.script_results["train"].runs[1];
    run.stderr.text = "\u{1b}[2J\u{1b}]0;title\u{7}wiped\n".to_owned();
    let text = render_text(&report, TextOptions::default());
    assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text}");
    assert!(text.contains("wiped"));
}

#[test]
fn each_report_at_80_and_40_columns() {
    for (name, report) in samples::all() {
        for width in [80, 40] {
            let text = render_text(&report, TextOptions { width: Some(width), ..TextOptions::default() });
            // The words of a command are not broken.
            let is_command = |line: &str| line.contains("repeat: ") || line.starts_with("          ");
            let width_of = |line: &str| unicode_width::UnicodeWidthStr::width(line);
            let wide = |line: &&str| width_of(line) > width && !is_command(line);
            assert_eq!(text.lines().find(wide), None, "{name}");
            if name != "hostile" {
                insta::assert_snapshot!(format!("text_{name}_{width}"), text);
            }
        }
    }
}

#[test]
fn nothing_is_lost_where_lines_are_short() {
    let words = |width| {
        let text = render_text(&samples::failing_each_way(), TextOptions { width, ..TextOptions::default() });
        let mut letters: Vec<char> = text.chars().filter(|character| character.is_alphanumeric()).collect();
        letters.sort_unstable();
        letters
    };
    assert_eq!(words(Some(40)), words(None));
}

#[test]
fn ascii_only() {
    let options = TextOptions { ascii: true, ..TextOptions::default() };
    let text = render_text(&samples::hostile(), options);
    assert!(text.is_ascii());
    assert!(text.contains("\\u{5e9}\\u{5dc}\\u{5d5}\\u{5dd}"), "{text}");
}
