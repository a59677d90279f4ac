//! Reports in files.

use std::fs;

use crate::space::Space;

const BROKEN: &str = "def main(input_paths, output_paths, environ_vars, job_args):\n    print('so far')\n    raise ValueError('broken')\n";

#[test]
fn reports_are_written_whether_the_test_passes_or_not() {
    let space = Space::new();
    let arguments = [
        "test-pipeline",
        "pipeline.json",
        "--report",
        "junit=out/ci/junit.xml,json=out/r.json",
        "--report",
        "markdown=r.md,html=r.html",
    ];
    let read = |path: &str| fs::read_to_string(space.root.join(path)).unwrap();
    let outcome = space.run(&arguments);
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
    assert!(read("out/ci/junit.xml").contains(r#"tests="4" failures="0""#), "{}", read("out/ci/junit.xml"));
    assert!(read("r.md").starts_with("## ✓ Pipeline test passed"));
    assert!(read("r.html").contains("<title>✓ Pipeline test passed</title>"));
    let json: serde_json::Value = serde_json::from_str(&read("out/r.json")).unwrap();
    assert_eq!(json["pipeline_success"], true);
    assert!(json["script_results"]["clean"]["runs"][0]["slot"]["worker"].is_u64(), "{json}");

    space.write("test_workspace/scripts/train.py", BROKEN);
    let outcome = space.run(&arguments);
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(read("out/ci/junit.xml").contains(r#"type="exception">"#));
    assert!(read("r.md").contains("ValueError: broken"));
    let left: Vec<_> = fs::read_dir(space.root.join("out/ci")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing else is left: {left:?}");
}

#[test]
fn the_other_tests_are_reported_too() {
    let space = Space::new();
    for (arguments, tests) in [
        (["test-script", "clean"].as_slice(), r#"tests="2""#),
        (["test-compatibility", "clean", "train"].as_slice(), r#"tests="4""#),
    ] {
        let outcome = space.run(&[arguments, &["--report", "junit=junit.xml"]].concat());
        assert_eq!(outcome.status, Some(0), "{outcome:?}");
        let xml = fs::read_to_string(space.root.join("junit.xml")).unwrap();
        assert!(xml.contains(tests), "{xml}");
    }
}

#[test]
fn a_report_that_cannot_be_written_stops_the_test_before_it_begins() {
    let space = Space::new();
    space.write("out/file", "");
    let refused = |report: &str| space.refused(&["test-pipeline", "pipeline.json", "--report", report]);
    insta::assert_snapshot!(refused("junit=out/file/junit.xml"), @"error: could not write the report `out/file/junit.xml`: the folder `ROOT/out/file` cannot be made: File exists (os error 17)");
    insta::assert_snapshot!(refused("junit=out"), @"error: could not write the report `out`: it is a folder: name a file in it");
    insta::assert_snapshot!(refused("junit=a,json=a"), @"error: two reports are to be written to `a`");
    insta::assert_snapshot!(refused("pdf=a"), @r"
    error: invalid value 'pdf=a' for '--report <FORM=FILE>': there is no form `pdf`; expected one of html=FILE, junit=FILE, csv=FILE, markdown=FILE, json=FILE

    For more information, try '--help'.
    ");
    assert!(!space.root.join("a").exists());
}

#[cfg(unix)]
#[test]
fn what_lies_where_a_report_goes_is_not_replaced_by_it() {
    let space = Space::new();
    space.write("out/real.json", "old");
    std::os::unix::fs::symlink("real.json", space.root.join("out/link.json")).expect("a link");
    space.run(&["test-pipeline", "pipeline.json", "--report", "json=out/link.json"]);
    assert!(space.root.join("out/link.json").is_symlink(), "the link is gone");
    assert!(
        std::fs::read_to_string(space.root.join("out/real.json"))
            .expect("a file")
            .contains("pipeline_success")
    );
    let refused = Space::new().refused(&["test-pipeline", "pipeline.json", "--report", "json=/dev/null"]);
    assert_eq!(
        refused,
        "error: could not write the report `/dev/null`: it is a pipe or a device, and a report takes the place of a file"
    );
}

#[test]
fn an_earlier_report_stays_where_no_new_one_comes() {
    let space = Space::new();
    space.write("r.json", "earlier");
    space.write("test_workspace/.specs/clean_runtime_test_spec.json", "{");
    let outcome = space.run(&["test-pipeline", "pipeline.json", "--report", "json=r.json"]);
    assert_eq!(outcome.status, Some(2), "{outcome:?}");
    assert_eq!(fs::read_to_string(space.root.join("r.json")).unwrap(), "earlier");
    let names: Vec<_> = fs::read_dir(&space.root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{names:?}");
}

#[test]
fn a_job_summary_is_appended_to() {
    let space = Space::new();
    space.write("summary.md", "before\n");
    let run = || {
        let mut command = space.command(&["test-pipeline", "pipeline.json"]);
        command.env("GITHUB_STEP_SUMMARY", space.root.join("summary.md")).output().unwrap()
    };
    assert_eq!(run().status.code(), Some(0));
    let text = fs::read_to_string(space.root.join("summary.md")).unwrap();
    assert!(text.starts_with("before\n\n## ✓ Pipeline test passed\n"), "{text}");
    // Where others have left little room, what does not fit is told.
    space.write("summary.md", "x".repeat(1024 * 1024 - 600));
    assert_eq!(run().status.code(), Some(0));
    let text = fs::read_to_string(space.root.join("summary.md")).unwrap();
    assert!(text.len() <= 1024 * 1024 && text.contains("Left out"), "{}", text.len());
    space.write("folder/file", "");
    let output = space
        .command(&["test-pipeline", "pipeline.json"])
        .env("GITHUB_STEP_SUMMARY", space.root.join("folder"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("(GITHUB_STEP_SUMMARY)"));
}

#[test]
fn events_are_written_as_they_happen() {
    let space = Space::new();
    space.write("test_workspace/scripts/train.py", BROKEN);
    let arguments = ["test-pipeline", "pipeline.json", "--quiet", "--events", "out/events.jsonl"];
    assert_eq!(space.run(&arguments).status, Some(1));
    let text = fs::read_to_string(space.root.join("out/events.jsonl")).unwrap();
    let mut last = 0.0;
    let mut told = Vec::new();
    for line in text.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["format_version"], 1);
        let seconds = event["seconds"].as_f64().unwrap();
        assert!(seconds >= last, "{text}");
        last = seconds;
        let word = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        let failed = if event["success"] == false { "failed" } else { "" };
        told.push(format!("{} {}{} {failed}", word("event"), word("step"), word("to")).trim_end().to_owned());
    }
    assert_eq!(
        told,
        [
            "planned",
            "run_started clean",
            "run_finished clean",
            "run_started train",
            "run_finished train failed",
            "edge_judged train",
            "finished",
        ]
    );
    let message = space.run(&["test-script", "clean", "--events", "out"]).stderr;
    assert!(message.contains("could not write the events to `out`: "), "{message}");
}

#[test]
fn schemas_are_printed() {
    let space = Space::new();
    for name in ["report", "events", "spec", "pipeline"] {
        let outcome = space.run(&["schema", name]);
        assert_eq!(outcome.status, Some(0), "{outcome:?}");
        let schema: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
    }
    let message = space.run(&["schema", "specs"]).stderr;
    assert!(message.contains("[possible values: report, plan, events, spec, pipeline]"), "{message}");
}
