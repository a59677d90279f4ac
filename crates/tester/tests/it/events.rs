use std::sync::{Arc, Mutex};

use runtime_testing_tester::Event;

use crate::space::{COPY, Space};

#[test]
fn events_tell_what_happens_in_order() {
    let space = Space::new()
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step(
            "train",
            "def main(input_paths, output_paths, environ_vars, job_args):\n    1 / 0\n",
            &["rows=output/rows.csv"],
            &["model=output/model.csv"],
        )
        .step("report", COPY, &["model=output/model.csv"], &["page=output/page.csv"])
        .edge("clean", "train")
        .edge("train", "report");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let tester = space.tester().with_reporter(move |event: &Event<'_>| {
        log.lock().unwrap().push(match event {
            Event::Planned { steps, runs } => format!("planned {steps} {runs}"),
            Event::RunStarted { step, kinds } => format!("started {step} {}", kinds.len()),
            Event::RunFinished { step, result, .. } => {
                format!("finished {step} {}", result.failure.is_none())
            }
            Event::RunBlocked { step, by } => format!("blocked {step} by {by:?}"),
            Event::EdgeJudged { from, to, result } => {
                format!("judged {from} {to} {}", result.verdict.as_str())
            }
            Event::Finished { report } => format!("done {}", report.pipeline_success()),
            _ => "other".to_owned(),
        });
    });
    tester.test_pipeline().unwrap();
    assert_eq!(
        seen.lock().unwrap().join("\n"),
        "planned 3 3\nstarted clean 2\nfinished clean true\nstarted train 1\nfinished train false\n\
         blocked report by [\"train\"]\njudged clean train untested\njudged train report untested\ndone false"
    );
}

/// Copies its input, and then does something in the folder of the test.
fn copy_and(action: &str) -> String {
    format!(
        "import pathlib, shutil\n\
         def main(input_paths, output_paths, environ_vars, job_args):\n\
         \x20   shutil.copy(input_paths['raw'], output_paths['rows'])\n\
         \x20   test = pathlib.Path(output_paths['rows'])\n\
         \x20   while test.parent.name != '.runs':\n\
         \x20       test = test.parent\n\
         \x20   {action}\n"
    )
}

/// What could not be recorded of a test with a script, and whether the test passed.
fn not_recorded(script: &str) -> (Vec<String>, bool) {
    let space = Space::new().step("clean", script, &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let tester = space.tester().with_reporter(move |event: &Event<'_>| match event {
        Event::NotRecorded { reason } => log.lock().unwrap().push((*reason).to_owned()),
        Event::Finished { .. } => log.lock().unwrap().push("done".to_owned()),
        _ => {}
    });
    let report = tester.test_pipeline().unwrap();
    let seen = seen.lock().unwrap().clone();
    (seen, report.pipeline_success())
}

#[test]
fn what_cannot_be_recorded_is_told_and_the_report_is_had_all_the_same() {
    assert_eq!(not_recorded(&copy_and("pass")), (vec!["done".to_owned()], true));
    for action in ["(test / 'report.json').mkdir()", "(test.parent / 'times.json').mkdir()"] {
        let (seen, success) = not_recorded(&copy_and(action));
        assert!(success, "{seen:?}");
        let [reason, done] = &*seen else { panic!("{seen:?}") };
        assert!(
            reason.contains("could not write the report to `") || reason.contains("could not keep"),
            "{reason}"
        );
        assert_eq!(done, "done");
    }
    let (seen, _) = not_recorded(&copy_and("shutil.rmtree(test)"));
    assert!(seen[0].contains("could not write the report to `"), "{seen:?}");
}
