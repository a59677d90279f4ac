//! Scripts that do the worst they can, in one pipeline with healthy ones: each is judged and blamed as its model says, the
//! others do not notice, and nothing is left of any of them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use runtime_testing::{
    Event, Isolation, PipelineTestReport, RuntimeTester, ScriptTestResult, StepNote, TestError,
    TesterSettings, TextOptions, render_text,
};
use serde_json::{Value, json};

use crate::footprint::{Footprint, end_what_is_left, is_alone, resident_bytes};
use crate::space::{OUTSIDE, Space, bystanders, chosen, name, pipeline};

pub(crate) fn each_fault_is_blamed_on_its_step_and_nothing_is_left_of_it() {
    if !is_alone("each_fault_is_blamed_on_its_step_and_nothing_is_left_of_it", &[], Duration::from_secs(600))
    {
        return;
    }
    let before = Footprint::now();
    let (mut wrong, mut seen) = (Vec::new(), BTreeMap::new());
    for isolation in Isolation::ALL {
        // A hundred thousand files are written at two jobs only: they take seconds, and jobs make no difference.
        for jobs in [1, 2, 8] {
            let started = Instant::now();
            let problems = check(jobs, isolation, before, &mut seen);
            println!("{isolation}, {jobs} jobs: {:.1} s", started.elapsed().as_secs_f64());
            wrong.extend(problems.iter().map(|problem| format!("{isolation}, {jobs} jobs: {problem}")));
        }
    }
    assert!(wrong.is_empty(), "{} problems:\n{}", wrong.len(), wrong.join("\n"));
}

/// All that is not as the model says in a test of the faults and in one after it. `seen` has the snapshots of steps from
/// tests with other settings, which must be the same.
fn check(
    jobs: usize,
    isolation: Isolation,
    before: Footprint,
    seen: &mut BTreeMap<String, Value>,
) -> Vec<String> {
    let model = chosen(jobs, isolation);
    let space = Space::new(jobs, isolation);
    let (outcome, not_forked) = test(&space, &model);
    println!("{isolation}, {jobs} jobs, not forked: {not_forked:#?}");
    let mut wrong = match outcome {
        Ok(report) => {
            let mut wrong = differences(&model, &report, &space);
            wrong.extend(differences_of_snapshots(&report, seen));
            wrong
        }
        Err(error) => vec![format!("could not be tested: {error}")],
    };
    wrong.extend(before.growth(space.folder()).into_iter().map(|left| format!("left: {left}")));
    end_what_is_left(space.folder());

    let space = Space::new(jobs, isolation);
    let (outcome, not_forked) = test(&space, &bystanders(&model));
    match outcome {
        Ok(report) if report.pipeline_success() => {}
        Ok(report) => wrong.push(format!("a second test fails: {:?}", report.errors())),
        Err(error) => wrong.push(format!("a second test cannot be made: {error}")),
    }
    if !not_forked.is_empty() {
        wrong.push(format!("in a second test, not forked: {not_forked:?}"));
    }
    let left = before.growth(space.folder());
    wrong.extend(left.into_iter().map(|left| format!("left by a second test: {left}")));
    wrong
}

/// Makes a test. Tells too which runs were not forked that were to be, and why.
fn test(space: &Space, model: &[Value]) -> (Result<PipelineTestReport, TestError>, Vec<String>) {
    let not_forked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&not_forked);
    let tester = space.tester(model).with_reporter(move |event: &Event<'_>| {
        if let Event::RunNotForked { step, reason, .. } = event {
            noted.lock().expect("no panic").push(format!("{step}: {reason}"));
        }
    });
    let outcome = tester.test_pipeline();
    let not_forked = not_forked.lock().expect("no panic").clone();
    (outcome, not_forked)
}

fn differences(model: &[Value], report: &PipelineTestReport, space: &Space) -> Vec<String> {
    let mut wrong = Vec::new();
    for step in model {
        let result = &report.script_results[name(step)];
        let problems =
            differences_of_step(step, result).into_iter().chain(differences_of_output(step, space));
        wrong.extend(problems.map(|problem| format!("{}: {problem}", name(step))));
    }
    let faulty = model.iter().filter(|step| step.get("failure").is_some());
    let blame: BTreeSet<String> = faulty.map(|step| format!("step {}", name(step))).collect();
    let found: BTreeSet<String> = report.culprits().iter().map(ToString::to_string).collect();
    let (missing, extra) =
        (blame.difference(&found).collect::<Vec<_>>(), found.difference(&blame).collect::<Vec<_>>());
    if found != blame {
        wrong.push(format!("not blamed: {missing:?}, and blamed for nothing: {extra:?}"));
    }
    let outside = std::fs::read_to_string(space.outside().join("kept.csv")).unwrap_or_default();
    let beside = space.outside().read_dir().expect("the folder outside").count();
    if outside != OUTSIDE || beside != 1 {
        wrong.push(format!("what is outside has changed: {outside:?}, {beside} files"));
    }
    for color in [false, true] {
        let options = TextOptions { color, ..TextOptions::default() };
        let text = render_text(report, options);
        let own = |text: &str| text.replace("\x1b[", if options.color { "" } else { "\x1b[" });
        let is_hostile = |character: char| character.is_control() && character != '\n';
        if let Some(at) = own(&text).find(is_hostile) {
            wrong.push(format!("the report would send {:?} to a terminal", &own(&text).get(at..at + 20)));
        }
        if ["\x1b[2J", "\x1b[8m"].iter().any(|escape| text.contains(escape)) {
            wrong.push("the report would clear the screen".to_owned());
        }
    }
    wrong
}

/// The steps whose snapshots are not what they were. Those that are new are kept.
fn differences_of_snapshots(report: &PipelineTestReport, seen: &mut BTreeMap<String, Value>) -> Vec<String> {
    let snapshot: Value = serde_json::from_str(&report.snapshot().to_string()).expect("a snapshot is JSON");
    let mut wrong = Vec::new();
    for (step, found) in snapshot["script_results"].as_object().expect("an object") {
        let first = seen.entry(step.clone()).or_insert_with(|| found.clone());
        if first != found {
            let (first, found) = (first.to_string(), found.to_string());
            wrong.push(format!("{step}: its snapshot was {first:.500}, and is {found:.500}"));
        }
    }
    wrong
}

fn differences_of_step(model: &Value, result: &ScriptTestResult) -> Vec<String> {
    let mut wrong = Vec::new();
    let found = serde_json::to_value(&result.status).expect("a status is plain data");
    let expected = match (model.get("failure"), model.get("blocked")) {
        (Some(failure), _) => json!({"kind": "failed", "failure": failure}),
        (_, Some(by)) => json!({"kind": "blocked", "by": by}),
        _ => json!({"kind": "passed"}),
    };
    let shown = result.error_message().unwrap_or_default();
    if !holds(&found, &expected) {
        let said = result.deciding_run().and_then(|run| run.stderr.text.lines().last());
        let status = result.status.as_str();
        wrong.push(format!("expected {expected}, found {status} ({shown:.300}), it said {said:?}"));
    }
    for word in model["says"].as_array().into_iter().flatten().map(|word| word.as_str().expect("a word")) {
        if !shown.contains(word) {
            wrong.push(format!("`{word}` is not in the message: {shown:.300}"));
        }
    }
    let leaked: BTreeSet<&String> = result.runs.iter().flat_map(|run| &run.leaked).collect();
    let noted = result.notes.iter().filter_map(|note| match note {
        StepNote::LeakedProcesses { processes } => Some(processes),
        _ => None,
    });
    let noted: BTreeSet<&String> = noted.flatten().collect();
    let is_right = match model.get("leaves") {
        None => leaked.is_empty() && noted.is_empty(),
        // Whether what a step leaves counts that is ended anyway is not this test's business.
        Some(Value::Null) => true,
        Some(program) => {
            let program = program.as_str().expect("the name of a program");
            leaked == noted && leaked.iter().any(|leaked| leaked.contains(program))
        }
    };
    if !is_right {
        wrong.push(format!("leaves {}, found {leaked:?}, noted {noted:?}", model["leaves"]));
    }
    // No script makes a report so large that nobody can keep it. Files are listed one by one.
    let bytes = serde_json::to_string(result).expect("a result is plain data").len();
    if bytes > 200_000 && model.get("published").is_none() {
        wrong.push(format!("its result has {bytes} bytes"));
    }
    wrong
}

/// Whether all that is expected is in what was found: of objects, members may be left out.
fn holds(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            expected.iter().all(|(key, value)| found.get(key).is_some_and(|found| holds(found, value)))
        }
        _ => found == expected,
    }
}

/// What has passed is published, as files of its own; what has not is not.
fn differences_of_output(model: &Value, space: &Space) -> Vec<String> {
    let passed = model.get("failure").is_none() && model.get("blocked").is_none();
    let folder = space.copy.path.join("output").join(name(model));
    let entries = folder.read_dir().into_iter().flatten().filter_map(Result::ok);
    let kinds: Vec<_> = entries.map(|entry| entry.file_type().expect("a file type")).collect();
    let least = model["published"].as_u64().unwrap_or(1);
    if passed && (kinds.len() as u64) < least {
        vec![format!("{} files are published", kinds.len())]
    } else if !passed && !kinds.is_empty() {
        vec!["it is published".to_owned()]
    } else if !kinds.iter().all(std::fs::FileType::is_file) {
        vec!["what is published is no file".to_owned()]
    } else {
        Vec::new()
    }
}

/// Whether a file system can be mounted here, or what keeps it from being.
pub(crate) fn can_mount() -> Result<(), String> {
    let mounted = Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"])
        .stderr(Stdio::null())
        .status();
    if mounted.is_ok_and(|status| status.success()) {
        Ok(())
    } else {
        Err("no file system can be mounted here".to_owned())
    }
}

pub(crate) fn a_full_disk_is_never_a_pass() {
    // A file system of its own is seen by this one process and goes with it.
    let unshare: &[&str] = &["unshare", "--mount"];
    let test = "a_full_disk_is_never_a_pass";
    if !is_alone(test, unshare, Duration::from_secs(120)) {
        return;
    }
    for isolation in Isolation::ALL {
        for filler in ["fills_the_disk", "fills_the_disk_and_goes_on"] {
            let space = Space::new(2, isolation);
            let base = space.on_small_disk();
            let model = [
                json!({"step": "source", "script": "bystander"}),
                json!({"step": filler, "after": "source"}),
            ];
            let settings = TesterSettings { base_folder: Some(base.clone()), ..space.settings.clone() };
            let tester = RuntimeTester::new(pipeline(&model, &base));
            let outcome = tester.with_settings(settings).test_pipeline();
            drop(Command::new("umount").arg("--lazy").arg(space.disk()).status());
            match outcome {
                Err(TestError::Io { source, .. }) => {
                    println!("{isolation}, {filler}: {source}");
                    assert_eq!(
                        source.kind(),
                        std::io::ErrorKind::StorageFull,
                        "{isolation}, {filler}: {source}"
                    );
                }
                Err(error) => panic!("{isolation}, {filler}: {error}"),
                Ok(report) => {
                    let shown = report.script_results[filler].error_message().unwrap_or_default();
                    println!("{isolation}, {filler}: {shown}");
                    assert!(report.script_results["source"].success(), "{:?}", report.errors());
                    assert!(shown.contains("OSError"), "{isolation}, {filler}: {shown}");
                }
            }
        }
    }
}

pub(crate) fn many_tests_leak_nothing() {
    if !is_alone("many_tests_leak_nothing", &[], Duration::from_secs(600)) {
        return;
    }
    let mut space = Space::new(2, Isolation::Forked);
    (space.settings.kept_runs, space.settings.kept_failed_runs) = (2, 3);
    let model = [json!({"step": "tick", "file": "tick.sh"}), json!({"step": "tock", "after": "tick"})];
    let fails = Arc::new(AtomicBool::new(false));
    let fails_now = Arc::clone(&fails);
    let tester = space.tester(&model).with_function("tock".parse().expect("a name"), move |params| {
        if fails_now.load(Ordering::Relaxed) {
            return Err("its time has come".into());
        }
        std::fs::copy(&params.input_paths["rows"], params.output_paths["rows"].join("rows.csv"))?;
        Ok(())
    });
    let run =
        |count: usize, round: &dyn Fn(usize) -> Result<PipelineTestReport, TestError>, fails_every: usize| {
            for number in 1..=count {
                fails.store(number % fails_every == 0, Ordering::Relaxed);
                let report = round(number).expect("the test can be made");
                assert_eq!(report.pipeline_success(), number % fails_every != 0, "{:?}", report.errors());
            }
        };
    let small = |_: usize| tester.test_pipeline();
    run(100, &small, 50);
    let (before, resident) = (Footprint::now(), resident_bytes());
    let started = Instant::now();
    run(1000, &small, 50);
    println!("1000 tests of small steps: {:.1} s", started.elapsed().as_secs_f64());
    let grown = resident_bytes().saturating_sub(resident);
    println!("{grown} bytes more than before");

    let model = chosen(1, Isolation::Fresh);
    let started = Instant::now();
    let python = |number: usize| {
        let mut tester = space.tester(&bystanders(&model)[..2]);
        let isolation = Isolation::ALL[number % 2];
        tester = tester.with_settings(TesterSettings { isolation, ..space.settings.clone() });
        tester.test_pipeline()
    };
    run(30, &python, usize::MAX);
    println!("30 tests of Python steps: {:.1} s", started.elapsed().as_secs_f64());
    let grown_after_python = resident_bytes().saturating_sub(resident);

    let left = before.growth(space.folder());
    assert!(left.is_empty(), "{left:?}");
    let runs = space.copy.path.join("test_workspace/.runs").read_dir_utf8().expect("runs");
    let folders = runs.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir())).count();
    assert!(folders <= 2 + 3, "{folders} folders of runs are left");
    const MOST: u64 = 8 * 1024 * 1024;
    assert!(
        grown < MOST && grown_after_python < MOST,
        "{grown} and then {grown_after_python} bytes more than before"
    );
}
