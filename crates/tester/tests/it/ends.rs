//! How tests and runs end before their time, and what is left of them: nothing.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use runtime_testing_models::{Isolation, RunKind, ScriptFailure, StepNote, StepStatus, UntestedStep};
use runtime_testing_tester::{CancelHandle, Event, FunctionParams, TesterSettings};

use crate::space::{COPY, Space, script};

const HEAD: &str = "def main(input_paths, output_paths, environ_vars, job_args):\n";

/// Cancels a test when its first run has begun, and looks at what came of it.
fn cancel_when_started(space: &Space, settings: TesterSettings) {
    let cancel = CancelHandle::new();
    let handle = cancel.clone();
    let mut tester = space.tester().with_settings(settings).with_cancel(cancel);
    if space.specs[0].script_name == script("waiting") {
        tester = tester.with_function(script("waiting"), |params: &FunctionParams| {
            while !params.is_canceled() {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err("canceled".into())
        });
    }
    let report = tester
        .with_reporter(move |event: &Event<'_>| {
            if let Event::RunStarted { .. } = event {
                let handle = handle.clone();
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(300));
                    handle.cancel();
                });
            }
        })
        .test_pipeline()
        .unwrap();
    assert!(report.canceled && !report.pipeline_success());
    for (name, result) in &report.script_results {
        assert_eq!(result.status, StepStatus::Untested { reason: UntestedStep::Canceled }, "{name}");
    }
    assert!(report.culprits().is_empty(), "nobody is to blame: {:?}", report.culprits());
    assert_eq!(report.errors()[0], "step `a`: not run: the test was canceled");
}

#[test]
fn a_test_can_be_canceled() {
    let endless = format!("{HEAD}    while True: pass\n");
    let space = Space::new()
        .step("a", &endless, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("b", COPY, &["rows=output/rows.csv"], &["copy=output/copy.csv"])
        .edge("a", "b");
    let started = Instant::now();
    for isolation in Isolation::ALL {
        cancel_when_started(&space, TesterSettings { isolation, ..space.settings() });
    }
    let mut space = space;
    space.specs[0].script_name = script("waiting");
    cancel_when_started(&space, space.settings());
    assert!(started.elapsed() < Duration::from_secs(60), "it took {:?}", started.elapsed());
}

#[test]
fn a_handle_that_was_canceled_before_starts_nothing() {
    let space = Space::new().step("a", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
    let cancel = CancelHandle::new();
    cancel.cancel();
    cancel.cancel();
    let report = space.tester().with_cancel(cancel).test_pipeline().unwrap();
    assert!(report.canceled);
    assert!(report.script_results["a"].runs.is_empty());
}

#[test]
fn what_was_written_is_not_looked_at_once_the_test_is_canceled() {
    let mut space = Space::new().step("a", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
    space.specs[0].script_name = script("last");
    let cancel = CancelHandle::new();
    let handle = cancel.clone();
    let tester =
        space.tester().with_cancel(cancel).with_function(script("last"), move |params: &FunctionParams| {
            std::fs::write(&params.output_paths["rows"], "a\n1\n")?;
            handle.cancel();
            Ok(())
        });
    let report = tester.test_pipeline().unwrap();
    assert!(report.canceled);
    assert_eq!(report.script_results["a"].status, StepStatus::Untested { reason: UntestedStep::Canceled });
}

#[test]
fn runs_that_take_long_are_reported_again_and_again() {
    let slow = format!(
        "import time\n{HEAD}    time.sleep(1)\n    open(output_paths['rows'], 'w').write('a\\n1\\n')\n"
    );
    let space = Space::new().step("a", &slow, &[], &["rows=output/rows.csv"]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let settings = TesterSettings { slow_after: Duration::from_millis(200), ..space.settings() };
    let tester = space.tester().with_settings(settings).with_reporter(move |event: &Event<'_>| {
        if let Event::RunSlow { step, kinds, elapsed } = event {
            assert_eq!((step.as_str(), *kinds), ("a", &[RunKind::Individual, RunKind::Flow][..]));
            log.lock().unwrap().push(*elapsed);
        }
    });
    assert!(tester.test_pipeline().unwrap().pipeline_success());
    let seen = seen.lock().unwrap();
    assert!(seen.len() >= 2, "{seen:?}");
    assert!(seen.is_sorted() && seen[0] >= Duration::from_millis(200), "{seen:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_script_leaves_running_is_named_and_ended() {
    let daemon = format!(
        "import os, time
{HEAD}
    open(output_paths['rows'], 'w').write('a\\n1\\n')
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.chdir('/')
            os.write(writer, str(os.getpid()).encode())
            os.closerange(0, 256)
            time.sleep(600)
        os._exit(0)
    with open(environ_vars['PIDS'], 'a') as pids:
        pids.write(os.read(reader, 99).decode() + '\\n')
"
    );
    let child = format!(
        "import subprocess
{HEAD}
    open(output_paths['rows'], 'w').write('a\\n1\\n')
    child = subprocess.Popen(['sleep', '600'], start_new_session=True)
    with open(environ_vars['PIDS'], 'a') as pids:
        pids.write(str(child.pid) + '\\n')
"
    );
    let space = Space::new();
    let pids = space.root.join("pids").into_string();
    let variable = |spec: &mut runtime_testing_models::ScriptExecutionSpec| {
        spec.environ_vars.insert("PIDS".to_owned(), pids.clone());
    };
    let space = space
        .step("daemon", &daemon, &[], &["rows=output/daemon.csv"])
        .with(variable)
        .step("child", &child, &[], &["rows=output/child.csv"])
        .with(variable);
    for isolation in Isolation::ALL {
        let tester = space.tester().with_settings(TesterSettings { isolation, ..space.settings() });
        let report = tester.test_pipeline().unwrap();
        assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
        let result = &report.script_results["child"];
        let leaked = StepNote::LeakedProcesses { processes: vec!["sleep".to_owned()] };
        assert!(result.notes.contains(&leaked), "{:?}", result.notes);
        let [run] = &result.runs[..] else { panic!("one run") };
        assert_eq!(run.leaked, ["sleep"]);
        let is_leak = |note: &&StepNote| matches!(note, StepNote::LeakedProcesses { .. });
        assert_eq!(report.script_results["daemon"].notes.iter().filter(is_leak).count(), 1, "{isolation}");
    }
    let pids = space.read("pids");
    assert_eq!(pids.lines().count(), 4);
    for pid in pids.lines() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "it is running: {stat}");
    }
}

#[cfg(unix)]
#[test]
fn the_result_of_a_run_is_that_of_the_process_that_was_started_for_it() {
    let forking = |child: &str, parent: &str| {
        format!(
            "import os
{HEAD}
    if os.fork() == 0:
        {child}
        return
    os.wait()
    {parent}
    open(output_paths['rows'], 'w').write('a\\n1\\n')
"
        )
    };
    for isolation in Isolation::ALL {
        let test = |script: &str| {
            let space = Space::new().step("a", script, &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
            let settings = TesterSettings { isolation, ..space.settings() };
            let mut report = space.tester().with_settings(settings).test_pipeline().unwrap();
            report.script_results.shift_remove_index(0).expect("a step").1
        };
        let result = test(&forking("raise ValueError('the child')", "pass"));
        assert_eq!(result.status, StepStatus::Passed, "{isolation}");
        let said = &result.runs[0].stderr.text;
        assert!(said.contains("ValueError: the child"), "{isolation}: {said}");
        // The child comes back last.
        let late = forking("import time; time.sleep(0.5)", "os._exit(5)").replace("    os.wait()\n", "");
        let failure = test(&late).status.failure().cloned();
        let expected = ScriptFailure::Exited { status: 5, message: None, cause: None };
        assert_eq!(failure, Some(expected), "{isolation}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_went_wrong_is_known_where_a_script_may_write_nothing() {
    for limit in ["(0, resource.RLIM_INFINITY)", "(0, 0)"] {
        let script = format!(
            "import resource
{HEAD}    resource.setrlimit(resource.RLIMIT_FSIZE, {limit})
    raise ValueError('too much')
"
        );
        for isolation in Isolation::ALL {
            let space = Space::new().step("a", &script, &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
            let settings = TesterSettings { isolation, ..space.settings() };
            let report = space.tester().with_settings(settings).test_pipeline().unwrap();
            let failure = report.script_results["a"].status.failure().unwrap();
            let ScriptFailure::Exception { exception } = failure else {
                panic!("{limit}, {isolation}: {failure:?}")
            };
            assert_eq!(
                exception.to_string(),
                "ValueError: too much (scripts/a.py:4)",
                "{limit}, {isolation}"
            );
        }
    }
}
