//! What a run is, and what counts.

use std::time::Duration;

use runtime_testing_models::{
    ExitOutcome, InputSource, RunKind, ScriptExecutionSpec, ScriptFailure, StepStatus, WorkingDirectory,
};
use runtime_testing_tester::{OutputDigests, TesterSettings};

use crate::space::{COPY, Space, spec, step};

fn one(content: &str) -> Space {
    Space::new().step("clean", content, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
}

const HEAD: &str = "def main(input_paths, output_paths, environ_vars, job_args):\n";

#[test]
fn each_distinct_run_is_made_once() {
    // Two steps run one script on the same inputs with the same arguments; a third differs in its arguments.
    let counting = "
import os

def main(input_paths, output_paths, environ_vars, job_args):
    with open(os.path.join(environ_vars['COUNT'], str(os.getpid())), 'w'):
        pass
    open(output_paths['rows'], 'w').write('id\\n1\\n')
";
    let mut space = Space::new().write("workspace/scripts/count.py", counting).write("count/.keep", "");
    for (name, argument) in [("a", "x"), ("b", "x"), ("c", "y")] {
        let mut spec = spec(name, "count", &["raw=data/raw.csv"], &[&format!("rows=output/{name}/rows.csv")]);
        spec.environ_vars.insert("COUNT".to_owned(), space.root.join("count").into_string());
        spec.job_args.insert("argument".to_owned(), argument.into());
        space.specs.push(spec);
    }
    let report = space.passes();
    let count = std::fs::read_dir(space.root.join("count")).unwrap().count() - 1;
    assert_eq!(count, 2, "runs were made");
    assert_eq!(report.script_results["b"].runs.len(), 1, "a shared run shows in both steps");
    for name in ["a", "b", "c"] {
        assert_eq!(space.read(&format!("output/{name}/rows.csv")), "id\n1\n", "it is published for both");
    }
}

#[test]
fn an_old_output_never_counts() {
    let space = one(&format!("{HEAD}    pass\n")).write("output/rows.csv", "id\n1\n");
    let result = space.fails();
    assert_eq!(result.error_message().unwrap(), "it wrote nothing to its declared output `rows`");
    assert_eq!(space.read("output/rows.csv"), "id\n1\n");
}

#[test]
fn outputs_are_published_after_success_only() {
    let space = one(COPY);
    space.passes();
    assert_eq!(space.read("output/rows.csv"), space.read("data/raw.csv"));
    let space = one(&format!("{HEAD}    open(output_paths['rows'], 'w').write('half')\n    1 / 0\n"));
    space.fails();
    assert!(!space.root.join("output").exists());
}

#[test]
fn what_cannot_be_published_is_noted_and_the_test_goes_on() {
    let blocking = format!("{}\n    import os\n    os.makedirs('output/rows.csv/x')\n", COPY.trim_end());
    let in_base_folder =
        |spec: &mut ScriptExecutionSpec| spec.working_directory = Some(WorkingDirectory::Base);
    let report = one(&blocking).with(in_base_folder).passes();
    let notes: Vec<String> = report.script_results["clean"].notes.iter().map(ToString::to_string).collect();
    let is_told = |note: &String| note.starts_with("`rows` was not published: ");
    assert!(notes.iter().any(is_told), "{notes:?}");
}

#[test]
fn a_data_set_that_is_a_folder_with_an_extension_can_be_published_again() {
    let parts = format!(
        "import os\n{HEAD}    os.makedirs(output_paths['rows'])\n    open(output_paths['rows'] + '/part-0.csv', 'w').write('id\\n1\\n')\n"
    );
    let space = one(&parts);
    for _ in 0..2 {
        let report = space.passes();
        assert_eq!(report.script_results["clean"].notes, []);
        assert_eq!(space.read("output/rows.csv/part-0.csv"), "id\n1\n");
    }
}

#[test]
fn an_input_that_is_too_large_to_be_kept_is_blamed_on_nobody_who_may_be_innocent() {
    let vandal = format!(
        "import os\n{HEAD}    open(output_paths['x'], 'w').write('id\\n1\\n')\n    os.remove(input_paths['raw'])\n"
    );
    let space = Space::new().step("vandal", &vandal, &["raw=data/raw.csv"], &["x=output/x.csv"]).step(
        "clean",
        COPY,
        &["raw=data/raw.csv"],
        &["rows=output/rows.csv"],
    );
    let mut settings = space.settings();
    settings.kept_input_bytes = 1;
    settings.jobs = std::num::NonZeroUsize::MIN;
    let report = space.tester().with_settings(settings).test_pipeline().unwrap();
    assert_eq!(
        report.script_results["vandal"].status.failure().map(ScriptFailure::as_str),
        Some("inputs_changed")
    );
    let inputs = vec!["raw".parse().unwrap()];
    let reason = runtime_testing_models::UntestedStep::DamagedInputs { inputs };
    assert_eq!(report.script_results["clean"].status, StepStatus::Untested { reason });
    let culprits: Vec<String> = report.culprits().iter().map(ToString::to_string).collect();
    assert_eq!(culprits, ["step vandal"]);
}

#[cfg(unix)]
#[test]
fn links_are_no_way_around_private_copies_and_protected_inputs() {
    // The producer leaves a link to the user's folder in its output; what the consumer does there stays there.
    let linking = format!(
        "import os\n{HEAD}    os.symlink(os.path.abspath('store'), output_paths['rows'] + '/images')\n"
    );
    let vandal = format!(
        "{HEAD}    open(input_paths['rows'] + '/images/r.csv', 'w').write('gone')\n    open(output_paths['x'], 'w').write('id\\n1\\n')\n"
    );
    let space = Space::new()
        .write("store/r.csv", "id\n1\n")
        .step("clean", &linking, &["raw=data/raw.csv"], &["rows=output/rows"])
        .step("vandal", &vandal, &["rows=output/rows"], &["x=output/x.csv"])
        .edge("clean", "vandal");
    let report = space.test().unwrap();
    assert_eq!(space.read("store/r.csv"), "id\n1\n");
    let culprits: Vec<String> = report.culprits().iter().map(ToString::to_string).collect();
    assert_eq!(culprits, ["step vandal"]);

    // An output path that is a link to the folder of an input.
    let space = one(COPY).with(|spec| spec.output_paths["rows"] = "out/raw.csv".into());
    std::os::unix::fs::symlink("data", space.root.join("out")).unwrap();
    let error = space.test().unwrap_err().to_string();
    assert!(error.contains("lies at or under its own output"), "{error}");
    assert_eq!(space.read("data/raw.csv"), "id,amount\n1,2.5\n2,3.5\n");
}

#[cfg(unix)]
#[test]
fn a_run_that_is_repeated_by_hand_says_what_goes_wrong() {
    let broken =
        "def main(input_paths, output_paths, environ_vars, job_args):\n    raise ValueError('no rows')\n";
    let space = Space::new().step("clean", broken, &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
    let report = space.tester().test_pipeline().unwrap();
    let run = &report.script_results["clean"].runs[0];
    assert_eq!(run.stderr.text, "", "the report has the traceback already");
    let repeated = std::process::Command::new("sh").arg("-c").arg(&run.command).output().unwrap();
    assert_eq!(repeated.status.code(), Some(1));
    let said = String::from_utf8_lossy(&repeated.stderr);
    assert!(said.contains("line 2, in main") && said.ends_with("ValueError: no rows\n"), "{said}");
}

#[test]
fn a_run_folder_holds_what_is_needed_to_repeat_the_run() {
    let space = one(COPY);
    let report = space.passes();
    let run = &report.script_results["clean"].runs[0];
    let folder = space.root.join("workspace").join(&run.run_folder);
    for file in ["params.json", "result.json", "stdout.log", "stderr.log", "out/rows/rows.csv"] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    std::fs::remove_file(folder.join("out/rows/rows.csv")).unwrap();
    let repeated = std::process::Command::new("sh").arg("-c").arg(&run.command).status().unwrap();
    assert!(repeated.success() && folder.join("out/rows/rows.csv").is_file());
    assert_eq!(space.read("workspace/.runs/.gitignore"), "*\n");
}

#[test]
fn the_ends_of_the_streams_are_quoted() {
    let noisy = format!(
        "import sys\n{HEAD}    print('x' * 100_000)\n    print('the last line')\n    sys.stderr.buffer.write(b'\\xff\\n')\n    sys.exit(4)\n"
    );
    let result = one(&noisy).fails();
    let run = &result.runs[0];
    assert_eq!(run.stdout.text, "the last line\n");
    assert_eq!(run.stdout.omitted_bytes, 100_001);
    assert_eq!(run.stderr.text, "\\xff\n");
    assert_eq!(run.exit, ExitOutcome::Exited { status: 4 });
    assert_eq!(run.failure, Some(ScriptFailure::Exited { status: 4, message: None, cause: None }));
}

#[test]
fn resources_are_measured() {
    let busy = format!(
        "{HEAD}    blob = bytearray(64 * 1024 * 1024)\n    open(output_paths['rows'], 'w').write('id\\n1\\n')\n"
    );
    let report = one(&busy).passes();
    let resources = report.script_results["clean"].runs[0].resources;
    assert!(resources.wall_seconds > 0.0);
    #[cfg(unix)]
    assert!(resources.peak_memory_bytes > 64 * 1024 * 1024, "{resources:?}");
    #[cfg(unix)]
    assert!(resources.user_seconds + resources.system_seconds > 0.0);
}

#[test]
fn a_timeout_comes_from_the_spec_before_the_settings() {
    let endless = format!("import time\n{HEAD}    time.sleep(1000)\n");
    let space = one(&endless).with(|spec| spec.timeout_seconds = Some(0.5));
    assert_eq!(
        space.fails().status,
        StepStatus::Failed { failure: ScriptFailure::TimedOut { limit_seconds: 0.5 } }
    );
    let space = one(&endless);
    let mut settings = space.settings();
    settings.timeout = Duration::from_millis(300);
    let report = space.tester().with_settings(settings).test_pipeline().unwrap();
    assert_eq!(
        report.script_results["clean"].status,
        StepStatus::Failed { failure: ScriptFailure::TimedOut { limit_seconds: 0.3 } }
    );
}

#[test]
fn an_exception_is_told_with_its_place_and_without_this_machine() {
    let broken = format!("{HEAD}    open(output_paths['rows'] + '.missing/x')\n");
    let result = one(&broken).fails();
    let message = result.error_message().unwrap();
    assert_eq!(
        message,
        "FileNotFoundError: [Errno 2] No such file or directory: '<run>/clean/individual/out/rows/rows.csv.missing/x' \
         (scripts/clean.py:2)"
    );
}

#[test]
fn a_step_is_fed_by_all_its_upstream_steps_at_once() {
    let join = "
def main(input_paths, output_paths, environ_vars, job_args):
    with open(output_paths['all'], 'w') as out:
        out.write(open(input_paths['left']).read())
        out.write(open(input_paths['right']).read().split('\\n', 1)[1])
";
    let space = Space::new()
        .write("data/other.csv", "id,amount\n5,5.5\n")
        .step("a", COPY, &["raw=data/raw.csv"], &["left=output/left.csv"])
        .step("b", COPY, &["raw=data/other.csv"], &["right=output/right.csv"])
        .step("join", join, &["left=output/left.csv", "right=output/right.csv"], &["all=output/all.csv"])
        .edge("a", "join")
        .edge("b", "join");
    let report = space.passes();
    assert_eq!(space.read("output/all.csv"), "id,amount\n1,2.5\n2,3.5\n5,5.5\n");
    let run = &report.script_results["join"].runs[0];
    assert_eq!(run.kinds, [RunKind::Flow]);
    assert_eq!(
        run.inputs["left"].source,
        InputSource::Upstream { step: step("a"), output: "left".parse().unwrap() }
    );
}

#[test]
fn a_step_that_damages_its_inputs_harms_no_other() {
    let vandal = format!(
        "import os\n{HEAD}    open(output_paths['x'], 'w').write('id\\n1\\n')\n    os.remove(input_paths['rows'])\n"
    );
    let space = Space::new()
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("vandal", &vandal, &["rows=output/rows.csv"], &["x=output/x.csv"])
        .step("train", COPY, &["rows=output/rows.csv"], &["model=output/model.csv"])
        .edge("clean", "vandal")
        .edge("clean", "train");
    let report = space.test().unwrap();
    let failure = report.script_results["vandal"].status.failure().expect("a failure");
    assert_eq!(failure.to_string(), "it changed its inputs: deleted `../output/rows.csv` of `rows`");
    assert!(report.script_results["train"].success());
    assert_eq!(space.read("output/model.csv"), space.read("data/raw.csv"));
    let culprits: Vec<String> = report.culprits().iter().map(ToString::to_string).collect();
    assert_eq!(culprits, ["step vandal"]);
}

#[test]
fn who_damaged_an_input_is_found_out_though_several_were_reading_it() {
    // Both run at once: the reader holds on until the file is gone, so that it surely sees the damage.
    let vandal = format!(
        "import os\n{HEAD}    os.remove(input_paths['rows'])\n    open(output_paths['x'], 'w').write('id\\n1\\n')\n"
    );
    let reader = format!(
        "import os, time\n{HEAD}    text = open(input_paths['rows']).read()\n    deadline = time.time() + 2\n    while os.path.exists(input_paths['rows']) and time.time() < deadline and job_args.wait:\n        time.sleep(0.01)\n    open(output_paths['model'], 'w').write(text)\n"
    );
    let mut space = Space::new()
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("vandal", &vandal, &["rows=output/rows.csv"], &["x=output/x.csv"])
        .step("reader", &reader, &["rows=output/rows.csv"], &["model=output/model.csv"])
        .with(|spec| drop(spec.job_args.insert("wait".to_owned(), true.into())))
        .edge("clean", "vandal")
        .edge("clean", "reader");
    for jobs in [2, 1] {
        let mut settings = space.settings();
        settings.jobs = std::num::NonZeroUsize::new(jobs).unwrap();
        let report = space.tester().with_settings(settings).test_pipeline().unwrap();
        assert_eq!(report.script_results["vandal"].status.as_str(), "failed");
        assert!(report.script_results["reader"].success(), "{:?}", report.errors());
        let culprits: Vec<String> = report.culprits().iter().map(ToString::to_string).collect();
        assert_eq!(culprits, ["step vandal"]);
        // Alone, there is nothing to wait for.
        space = space.with(|spec| drop(spec.job_args.insert("wait".to_owned(), false.into())));
    }
}

#[test]
fn the_report_does_not_depend_on_how_many_runs_are_made_at_once() {
    let mut space = Space::new().step("root", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
    for at in 0..6 {
        let content = if at == 3 { format!("{HEAD}    1 / 0\n") } else { COPY.to_owned() };
        let (step, below) = (format!("s{at}"), format!("t{at}"));
        space = space
            .step(&step, &content, &["rows=output/rows.csv"], &[&format!("out=output/{step}.csv")])
            .edge("root", &step)
            .step(&below, COPY, &[&format!("in=output/{step}.csv")], &[&format!("out=output/{below}.csv")])
            .edge(&step, &below);
    }
    let snapshots: Vec<String> = [1, 2, 8]
        .into_iter()
        .map(|jobs| {
            let mut settings = space.settings();
            settings.jobs = std::num::NonZeroUsize::new(jobs).unwrap();
            space.tester().with_settings(settings).test_pipeline().unwrap().snapshot().to_string()
        })
        .collect();
    assert_eq!(snapshots[0], snapshots[1]);
    assert_eq!(snapshots[0], snapshots[2]);
}

#[test]
fn a_step_that_damages_data_of_the_users_own_harms_no_other() {
    let vandal = format!(
        "import os\n{HEAD}    open(output_paths['x'], 'w').write('id\\n1\\n')\n    os.remove(input_paths['raw'])\n"
    );
    let space = Space::new().step("vandal", &vandal, &["raw=data/raw.csv"], &["x=output/x.csv"]).step(
        "clean",
        COPY,
        &["raw=data/raw.csv"],
        &["rows=output/rows.csv"],
    );
    let report = space.test().unwrap();
    let failure = report.script_results["vandal"].status.failure().expect("a failure");
    assert_eq!(failure.to_string(), "it changed its inputs: deleted `../data/raw.csv` of `raw`");
    assert!(report.script_results["clean"].success());
    assert!(!space.root.join("data/raw.csv").exists(), "nothing is written to the user's own files");
}

#[test]
fn a_promise_that_is_not_kept_blames_the_producer() {
    let space = Space::new()
        .step("clean", COPY, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .with(|spec| {
            let contract = runtime_testing_models::TableContract::default()
                .with_column("id", runtime_testing_models::TypeWord::Integer)
                .with_column("total", runtime_testing_models::TypeWord::Float);
            spec.output_schemas.insert("rows".parse().unwrap(), contract.into());
        })
        .step("train", COPY, &["rows=output/rows.csv"], &["model=output/model.csv"])
        .edge("clean", "train");
    let report = space.test().unwrap();
    let failure = report.script_results["clean"].status.failure().expect("a failure");
    assert_eq!(failure.as_str(), "promise_broken");
    assert!(failure.to_string().contains("column `total` (float) is missing"), "{failure}");
    assert_eq!(report.script_results["train"].status.as_str(), "blocked");
}

#[test]
fn outputs_have_digests_of_what_they_hold() {
    let digest = |content: &str, digests| {
        let script = format!("{HEAD}    open(output_paths['rows'], 'w').write({content:?})\n");
        let space = one(&script);
        let settings = TesterSettings { digests, ..space.settings() };
        let report = space.tester().with_settings(settings).test_pipeline().unwrap();
        report.script_results["clean"].runs[0].outputs["rows"].digest.map(|digest| digest.to_string())
    };
    let plain = digest("id,amount\n1,2.50\n", OutputDigests::Cheap).expect("a small output has a digest");
    assert!(plain.starts_with("rows1:"), "{plain}");
    assert_eq!(digest("amount;id\n2.5;1\n", OutputDigests::Always), Some(plain.clone()));
    assert_ne!(digest("id,amount\n1,2.51\n", OutputDigests::Cheap), Some(plain));
    assert_eq!(digest("id,amount\n1,2.50\n", OutputDigests::Never), None);
}

#[cfg(unix)]
#[test]
fn a_program_that_is_there_and_cannot_be_run_is_told_as_that() {
    use std::os::unix::fs::PermissionsExt as _;

    let check = |content: &str, mode: u32, expected: &str| {
        let space = Space::new().write("workspace/scripts/clean", content);
        let path = space.root.join("workspace/scripts/clean");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut space = space;
        space.specs.push(spec("clean", "clean", &["raw=data/raw.csv"], &["rows=output/rows.csv"]));
        assert_eq!(
            space.fails().error_message().unwrap(),
            format!("could not start `scripts/clean`: {expected}")
        );
    };
    check(
        "#!/bin/sh\n",
        0o644,
        "it is not executable: make it so, or call it `.py` if it is a Python script",
    );
    check("#!/bin/shh -e\n", 0o755, "its first line asks for `/bin/shh`, which is not there");
    check("#!/bin/sh\r\n", 0o755, "its first line asks for `/bin/sh\\r`, which is not there");
}

#[test]
fn an_input_that_lies_where_a_later_step_publishes() {
    let space = Space::new()
        .step("clean", COPY, &["raw=output/model.csv"], &["rows=output/rows.csv"])
        .step("train", COPY, &["rows=output/rows.csv"], &["model=output/model.csv"])
        .edge("clean", "train");
    let message = space.fails().error_message().unwrap();
    let expected = "not run: the inputs `raw` lie where `train` publishes, which comes after it: turn the edge round, \
                    or give the input or the output another path";
    assert_eq!(message, expected);
    let space = Space::new()
        .step("clean", COPY, &["raw=output/model.csv", "more=output/more.csv"], &["rows=output/rows.csv"])
        .step("train", COPY, &["rows=output/rows.csv"], &["model=output/model.csv"])
        .step("other", COPY, &["raw=data/raw.csv"], &["more=output/more.csv"])
        .edge("clean", "train");
    assert_eq!(space.fails().error_message().unwrap(), expected, "what is no later step's is another matter");
}

#[test]
fn another_delimiter_breaks() {
    let clean = COPY.replace("file.read()", "file.read().replace(',', ';')");
    let report = Space::new()
        .step("clean", &clean, &["raw=data/raw.csv"], &["rows=output/rows.csv"])
        .step("train", COPY, &["rows=data/raw.csv"], &["model=output/model.csv"])
        .edge("clean", "train")
        .test()
        .expect("the test can be carried out");
    let edge = &report.data_flow_results["clean->train"];
    assert_eq!(edge.verdict.as_str(), "breaking");
    let issues: Vec<String> = edge.issues.iter().map(ToString::to_string).collect();
    assert_eq!(issues, ["`rows` -> `rows`, rows.csv: the delimiter is `;` and not `,`"]);
}
