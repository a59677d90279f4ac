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
