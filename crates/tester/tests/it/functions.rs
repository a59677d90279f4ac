//! Steps that are Rust functions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use runtime_testing_models::{ScriptFailure, StepStatus};
use runtime_testing_tester::FunctionParams;

use crate::space::{COPY, Space, script, spec};

/// A project with a Python step, and behind it a step whose script is to be a function.
fn space() -> Space {
    let mut space = Space::new()
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .edge("clean", "train")
        .step("report", COPY, &["model=output/model.csv"], &["page=output/page.csv"])
        .edge("train", "report");
    let mut train = spec("train", "train", &["rows=output/rows.csv"], &["model=output/model.csv"]);
    train.job_args.insert("depth".to_owned(), 3.into());
    space.specs.insert(1, train);
    space
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn status(function: impl Fn(&FunctionParams) -> Outcome + Send + Sync + 'static) -> StepStatus {
    let space = space();
    let report = space.tester().with_function(script("train"), function).test_pipeline().unwrap();
    assert!(report.script_results["clean"].success());
    assert!(!space.root.join("output/model.csv").exists(), "nothing of a failed run is published");
    report.script_results["train"].status.clone()
}

#[test]
fn a_function_takes_part_in_a_pipeline_of_other_kinds() {
    let space = space();
    let copy = |params: &FunctionParams| -> Outcome {
        assert_eq!(serde_json::to_string(&params.job_args["depth"])?, "3");
        std::fs::copy(&params.input_paths["rows"], &params.output_paths["model"])?;
        Ok(())
    };
    let report = space.tester().with_function(script("train"), copy).test_pipeline().unwrap();
    assert!(report.pipeline_success(), "{:?}", report.errors());
    assert_eq!(space.read("output/page.csv"), space.read("data/raw.csv"));
    assert_eq!(report.script_results["train"].script_path, None);
}

#[test]
fn errors_and_panics_are_failures_of_the_step() {
    let failed = |failure| StepStatus::Failed { failure };
    let message = "no rows".to_owned();
    assert_eq!(status(|_| Err("no rows".into())), failed(ScriptFailure::ReturnedError { message }));
    let message = Some("depth is 3".to_owned());
    assert_eq!(status(|_| panic!("depth is {}", 3)), failed(ScriptFailure::Panicked { message }));
    assert_eq!(status(|_| std::panic::panic_any(7)), failed(ScriptFailure::Panicked { message: None }));
    assert_eq!(status(|_| Ok(())).failure().map(ScriptFailure::as_str), Some("output_missing"));
}

#[test]
fn a_function_that_takes_too_long_is_told_and_left_behind() {
    let space = space();
    let was_told = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&was_told);
    let slow = move |params: &FunctionParams| -> Outcome {
        while !params.is_canceled() {
            std::thread::yield_now();
        }
        // A late write, which must not count.
        std::fs::write(&params.output_paths["model"], "id,amount\n")?;
        told.store(true, Ordering::Relaxed);
        Ok(())
    };
    let mut settings = space.settings();
    settings.timeout = Duration::from_secs(5);
    let mut specs = space.pipeline();
    specs.script_specs["train"].timeout_seconds = Some(0.2);
    let tester = space.tester().with_settings(settings).with_function(script("train"), slow);
    let started = Instant::now();
    let report = tester.test_pipeline_flow_with_spec(&specs).unwrap();
    assert!(started.elapsed() < Duration::from_secs(60));
    let failure = ScriptFailure::TimedOut { limit_seconds: 0.2 };
    assert_eq!(report.script_results["train"].status, StepStatus::Failed { failure });
    assert_eq!(report.script_results["report"].status.as_str(), "blocked");
    assert!(was_told.load(Ordering::Relaxed));
    assert!(!space.root.join("output/model.csv").exists());
}
