//! Starts itself with the variable `CASE` as the binary of a pipeline test, as `cargo test` and nextest do, and looks at
//! what comes of it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::process::{Command, ExitCode, Output};

use camino::{Utf8Path, Utf8PathBuf};
use libtest_mimic::{Arguments, Trial};
use runtime_testing_harness::Harness;
use runtime_testing_models::{PipelineDag, PipelineTestingSpec, ScriptExecutionSpec, ScriptName, StepName};
use runtime_testing_tester::{FunctionParams, RuntimeTester, TesterSettings};

fn main() -> ExitCode {
    if let Ok(case) = std::env::var("CASE") {
        return pipeline(&case, &Utf8PathBuf::from(std::env::var("PROJECT").expect("a project")));
    }
    let trials: [(&str, fn()); 10] = [
        ("lists_every_step_and_edge", lists_every_step_and_edge),
        ("one_run_serves_all_trials", one_run_serves_all_trials),
        ("only_what_is_needed_is_run", only_what_is_needed_is_run),
        ("what_a_selection_leaves_out_is_not_run", what_a_selection_leaves_out_is_not_run),
        ("a_blocked_step_fails", a_blocked_step_fails),
        ("what_is_ignored_is_run_when_asked_for", what_is_ignored_is_run_when_asked_for),
        ("a_check_that_panics_fails", a_check_that_panics_fails),
        ("processes_share_one_run", processes_share_one_run),
        ("a_mistake_is_told", a_mistake_is_told),
        ("a_test_that_cannot_be_carried_out_fails", a_test_that_cannot_be_carried_out_fails),
    ];
    let trials = trials.map(|(name, run)| {
        Trial::test(name, move || {
            run();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

/// A step for each of `clean`, `train`, `score`, which are a chain, and `report`, which comes after `clean`. Each is a
/// function that notes in `ran.txt` that it was called.
fn pipeline(case: &str, project: &Utf8Path) -> ExitCode {
    let steps = ["clean", "train", "score", "report"];
    let edges = [("clean", "train"), ("train", "score"), ("clean", "report")];
    let dag = PipelineDag::from_names(steps, edges).expect("a DAG");
    let mut pipeline = PipelineTestingSpec::new(dag).with_workspace_root("workspace");
    for step in steps {
        let name = StepName::new(step).expect("a name");
        let mut spec = ScriptExecutionSpec::new(name.cast(), name.clone());
        let source = edges.iter().find(|(_, to)| *to == step).map_or("raw", |(from, _)| from);
        let input = if source == "raw" { "data/raw.csv".to_owned() } else { format!("out/{source}.csv") };
        if !(case == "broken" && step == "clean") {
            spec.input_paths = [("rows".parse().expect("a name"), input.into())].into();
        }
        spec.output_paths = [("rows".parse().expect("a name"), format!("out/{step}.csv").into())].into();
        pipeline.script_specs.insert(name, spec);
    }
    if case == "broken" {
        pipeline.script_specs.shift_remove("clean");
    }
    let settings = TesterSettings { base_folder: Some(project.to_owned()), ..TesterSettings::default() };
    let mut tester = RuntimeTester::new(pipeline).with_settings(settings);
    for step in steps {
        let (log, fails) = (project.join("ran.txt"), case == "failing" && step == "train");
        tester =
            tester.with_function(ScriptName::new(step).expect("a name"), move |params: &FunctionParams| {
                let mut log = OpenOptions::new().create(true).append(true).open(&log)?;
                log.write_all(format!("{step}\n").as_bytes())?;
                if fails {
                    return Err("the loss is not a number".into());
                }
                fs::copy(&params.input_paths["rows"], &params.output_paths["rows"])?;
                Ok(())
            });
    }
    if case == "selected" {
        tester = tester.with_selection("train+");
    }
    let mut harness = Harness::new(tester);
    match case {
        "ignoring" => harness = harness.ignoring("train+"),
        "mistaken" => harness = harness.ignoring("trian"),
        "checked" => {
            harness = harness
                .with_check("steps", |report| assert_eq!(report.script_results.len(), 4))
                .with_check("none", |report| assert!(report.script_results.is_empty(), "there are steps"));
        }
        _ => {}
    }
    harness.main()
}

struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("data")).expect("a folder");
        fs::write(folder.path().join("data/raw.csv"), "id\n1\n").expect("a file");
        Self { folder }
    }

    fn command(&self, case: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(arguments).env("CASE", case).env("PROJECT", self.folder.path());
        for variable in ["NEXTEST", "NEXTEST_RUN_ID", "NEXTEST_ATTEMPT", "NEXTEST_STRESS_CURRENT"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the trials. Standard output, after a look at the exit status.
    #[track_caller]
    fn run(&self, case: &str, arguments: &[&str], passes: bool) -> String {
        let Output { status, stdout, stderr } = self.command(case, arguments).output().expect("it starts");
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert_eq!(status.code(), Some(if passes { 0 } else { 101 }), "{stdout}{stderr}");
        format!("{stdout}{stderr}")
    }

    /// The steps that were run, sorted.
    fn ran(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("ran.txt")).unwrap_or_default();
        let mut steps: Vec<String> = text.lines().map(str::to_owned).collect();
        steps.sort();
        steps
    }
}

#[track_caller]
fn check_holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

fn lists_every_step_and_edge() {
    let project = Project::new();
    let listed = project.run("passing", &["--list", "--format", "terse"], true);
    let expected = "step::clean: test\nstep::train: test\nstep::score: test\nstep::report: test\n\
                    edge::clean->train: test\nedge::train->score: test\nedge::clean->report: test\n";
    assert_eq!(listed, expected);
    assert!(project.ran().is_empty(), "nothing is run for a list");
}

fn one_run_serves_all_trials() {
    let project = Project::new();
    let output = project.run("passing", &[], true);
    check_holds(&output, &["test step::train", "test edge::train->score", "7 passed; 0 failed"]);
    assert_eq!(project.ran(), ["clean", "report", "score", "train"]);
}

fn only_what_is_needed_is_run() {
    let project = Project::new();
    check_holds(&project.run("passing", &["step::train", "--exact"], true), &["1 passed"]);
    assert_eq!(project.ran(), ["clean", "train"]);
    let project = Project::new();
    check_holds(&project.run("passing", &["edge::", "--skip", "score"], true), &["2 passed"]);
    assert_eq!(project.ran(), ["clean", "report", "train"]);
}

fn what_a_selection_leaves_out_is_not_run() {
    for arguments in [&[][..], &["step::train"][..]] {
        let project = Project::new();
        let output = project.run("selected", arguments, false);
        check_holds(&output, &["`clean`, which the selection leaves out"]);
        assert!(project.ran().is_empty(), "{:?}", project.ran());
    }
}

fn a_blocked_step_fails() {
    let project = Project::new();
    let output = project.run("failing", &[], false);
    check_holds(
        &output,
        &["3 passed; 4 failed", "the loss is not a number", "step score", "blocked: `train` did not succeed"],
    );
    for failed in ["step::train", "step::score", "edge::train->score"] {
        check_holds(&output, &[&format!("---- {failed} ----")]);
    }
}

fn what_is_ignored_is_run_when_asked_for() {
    let project = Project::new();
    check_holds(&project.run("ignoring", &[], true), &["3 passed; 0 failed; 4 ignored"]);
    assert_eq!(project.ran(), ["clean", "report"]);
    let project = Project::new();
    check_holds(&project.run("ignoring", &["--ignored"], true), &["4 passed"]);
    assert_eq!(project.ran(), ["clean", "score", "train"]);
    check_holds(&project.run("ignoring", &["--include-ignored"], true), &["7 passed"]);
}

fn a_check_that_panics_fails() {
    let project = Project::new();
    let output = project.run("checked", &["check::"], false);
    check_holds(&output, &["1 passed; 1 failed", "there are steps"]);
    assert_eq!(project.ran().len(), 4, "a check needs the whole report");
}

fn processes_share_one_run() {
    let project = Project::new();
    let all = |run: &str, passes: bool, case: &str| {
        let trials = ["step::clean", "step::train", "step::score", "step::report", "edge::clean->train"];
        let running: Vec<_> = trials
            .map(|trial| {
                let mut command = project.command(case, &[trial, "--exact", "--nocapture"]);
                command.env("NEXTEST_RUN_ID", run).stdout(std::process::Stdio::null());
                command.spawn().expect("it starts")
            })
            .into_iter()
            .collect();
        let passed = running.into_iter().map(|mut child| child.wait().expect("it ends").success());
        assert_eq!(passed.filter(|passed| *passed).count(), if passes { 5 } else { 2 });
    };
    all("one", true, "passing");
    assert_eq!(project.ran(), ["clean", "report", "score", "train"]);
    all("two", false, "failing");
    // What failed while another script ran was run once more.
    assert!((7..=8).contains(&project.ran().len()), "another run is made anew");
    let mut retry = project.command("passing", &["step::clean", "--exact"]);
    retry.env("NEXTEST_RUN_ID", "two").env("NEXTEST_ATTEMPT", "2").stdout(std::process::Stdio::null());
    assert!(retry.status().expect("it starts").success(), "a retry looks again");
}

fn a_mistake_is_told() {
    let project = Project::new();
    let output = project.run("mistaken", &[], false);
    check_holds(&output, &["there is no step `trian`; did you mean `train`?"]);
}

fn a_test_that_cannot_be_carried_out_fails() {
    let project = Project::new();
    let output = project.run("broken", &[], false);
    check_holds(&output, &["0 passed; 7 failed", "`clean`"]);
}
