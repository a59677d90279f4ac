//! Every mistake yields exit status 2 and one message; nothing is run and nothing is written.

use crate::space::{Outcome, Space};

#[test]
fn pipeline_files_that_are_none() {
    let space = Space::new();
    space.write("empty.json", "");
    space.write("garbage.json", [0xff, 0xfe, 0x00, 0x01]);
    space.write("nodes.json", r#"{"nodes": []}"#);
    space.write("none.json", r#"{"nodes": [], "edges": []}"#);
    space.write("deep.json", "[".repeat(100_000) + &"]".repeat(100_000));
    space.write("nul.json", "{\"nodes\": [\"a\\u0000b\"], \"edges\": []}");
    for (file, expected) in [
        ("lost.json", "could not read the pipeline file `lost.json`"),
        ("data", "the pipeline file `data` is a folder"),
        ("empty.json", "empty.json: line 1, column 1: the file is empty"),
        ("garbage.json", "garbage.json: line 1, column 1: the text is not UTF-8"),
        ("nodes.json", "nodes.json: line 1, column 1: the key `edges` is missing"),
        ("none.json", "there is nothing to test"),
        ("deep.json", "deep.json: line 1, column 130: nested deeper than 128 levels"),
        ("nul.json", "nul.json: line 1, column 12: `nodes[0]`: invalid step name `a\\0b`"),
    ] {
        let message = space.refused(&["test-pipeline", file]);
        assert!(message.starts_with("error: ") && message.contains(expected), "{file}: {message}");
    }
}

#[test]
fn a_hundred_megabytes_of_garbage_are_refused_and_not_read() {
    let space = Space::new();
    let file =
        std::fs::File::create(space.root.join("test_workspace/.specs/train_runtime_test_spec.json")).unwrap();
    file.set_len(100_000_000).unwrap();
    let message = space.refused(&["test-pipeline", "pipeline.json"]);
    assert!(message.contains("train_runtime_test_spec.json") && message.contains("100000000"), "{message}");
}

#[test]
fn arguments_that_make_no_sense() {
    let space = Space::new();
    for (arguments, expected) in [
        (&["test-script", "../evil"][..], "invalid script name `../evil`"),
        (&["test-script", ""], "it is empty"),
        (&["test-script", "clean", "--timeout", "0"], "more than 0"),
        (&["test-script", "clean", "--timeout", "NaN"], "more than 0"),
        (&["test-script", "clean", "--timeout", "-1"], "more than 0"),
        (&["test-pipeline", "pipeline.json", "--jobs", "0"], "a whole number of at least 1"),
        (&["test-pipeline", "pipeline.json", "--jobs", "-2"], "a whole number of at least 1"),
        (&["test-script", "clean", "--timeout", "soon"], "a number of seconds"),
        (&["test-script", "clean", "--grace", "0"], "more than 0"),
        (&["test-script", "clean", "--isolation", "forkd"], "a similar value exists: 'forked'"),
        (&["test-compatibility", "clean", "train", "--isolation", "none"], "possible values: fresh, forked"),
        (&["test-script", "clean", "--working-directory", "bases"], "a similar value exists: 'base'"),
        (&["test-script", "clean", "--preload", "import numpy"], "the name of a Python module"),
        (&["test-script", "clean", "--preload", "numpy,"], "the name of a Python module"),
        (&["plan", "pipeline.json", "--strict"], "--strict"),
        (&["test-script", "clean", "--jobs", "0"], "--jobs"),
        (&["test-script", "clean", "--output-format", "xml"], "xml"),
        (&["test-pipeline", "pipeline.json", "--skip", "all"], "all"),
        (&["test-pipelin", "pipeline.json"], "test-pipeline"),
        (&["test-script", "clean", "--workspace-dir", "lost"], "the test workspace `lost` does not exist"),
        (&["test-script", "clean", "--workspace-dir", "pipeline.json"], "is not a folder"),
        (&["-C", "lost", "test-script", "clean"], "could not change to the folder `lost`"),
        (&["test-script", "clean", "--python", "python3.99"], "`python3.99`"),
        (&["test-compatibility", "clean", "clean"], "name two different steps"),
    ] {
        let message = space.refused(arguments);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn what_may_be_meant_is_told() {
    let space = Space::new();
    space.write("file", "");
    for (arguments, expected) in [
        (&["plan", "pipelin.json"][..], "did you mean `pipeline.json`?"),
        (&["graph", "pipelines.json"], "did you mean `pipeline.json`?"),
        (&["specs", "init", "Pipeline.json"], "did you mean `pipeline.json`?"),
        (&["-C", "dta", "plan", "x"], "could not change to the folder `dta`"),
        (&["-C", "dta", "plan", "x"], "did you mean `data`?"),
        (&["test-script", "clean", "--workspace-dir", "tset_workspace"], "did you mean `test_workspace`?"),
        (&["specs", "list", "--workspace-dir", "test_workspac"], "did you mean `test_workspace`?"),
        (&["specs", "show", "trian"], "did you mean `train`?"),
        (&["plan", "pipeline.json", "--select", "+trian"], "did you mean `train`?"),
        (&["graph", "pipeline.json", "--select", "claen"], "did you mean `clean`?"),
        (&["grahp", "pipeline.json"], "'graph'"),
        (&["schema", "pipelin"], "'pipeline'"),
        (&["graph", "pipeline.json", "--format", "mermaidd"], "'mermaid'"),
        (&["test-pipeline", "pipeline.json", "--rerun-fail"], "'--rerun-failed'"),
    ] {
        let message = space.refused(arguments);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
    let outcome = space.run(&["test-script", "claen"]);
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(outcome.stderr.ends_with("there is no script `claen`; did you mean `clean`?\n"), "{outcome:?}");
    let outcome = space.run(&["test-compatibility", "clean", "trian"]);
    assert!(outcome.stderr.ends_with("there is no script `trian`; did you mean `train`?\n"), "{outcome:?}");
    space.write("test_workspace/scripts/unspecified_steps.py", "");
    let outcome = space.run(&["test-script", "unspecified_step"]);
    assert!(outcome.stderr.ends_with("did you mean `unspecified_steps`?\n"), "{outcome:?}");
    let outcome = space.run(&["specs", "edit", "trian"]);
    assert_eq!(outcome.status, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("did you mean `train`?\nthe answers make a new one\n"), "{outcome:?}");
}

/// Every command that has a workspace, with a file in its place and with none.
#[test]
fn workspaces_that_are_none() {
    let space = Space::new();
    space.write("file", "");
    let commands: [&[&str]; 11] = [
        &["test-script", "clean"],
        &["test-compatibility", "clean", "train"],
        &["test-pipeline", "pipeline.json"],
        &["test-pipeline", "pipeline.json", "--rerun-failed"],
        &["plan", "pipeline.json"],
        &["specs", "list"],
        &["specs", "show", "train"],
        &["specs", "init", "pipeline.json"],
        &["specs", "edit", "train"],
        &["specs", "check", "pipeline.json"],
        &["specs", "accept", "pipeline.json"],
    ];
    for command in commands {
        for workspace in ["file", "file/below"] {
            let message = space.refused(&[command, &["--workspace-dir", workspace]].concat());
            assert!(message.contains(workspace), "{command:?}: {message}");
            assert!(
                message.contains("is not a folder") || message.contains("Not a directory"),
                "{command:?}: {message}"
            );
        }
        // Two commands make a workspace.
        if !command.contains(&"init") && !command.contains(&"edit") {
            let message = space.refused(&[command, &["--workspace-dir", "zzz"]].concat());
            assert!(message.contains("zzz"), "{command:?}: {message}");
            assert!(!space.root.join("zzz").exists(), "{command:?}");
        }
    }
    let empty = space.refused(&["specs", "check", "--workspace-dir", "data"]);
    assert!(empty.contains("no specs are saved in `data/.specs`: draft them with"), "{empty}");
}

/// Folders and files that the user may not read or write. Whoever may do everything cannot try it.
#[cfg(unix)]
#[test]
fn what_may_not_be_touched() {
    use std::os::unix::fs::PermissionsExt as _;

    let space = Space::new();
    let set = |path: &str, mode: u32| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(space.root.join(path), permissions).unwrap();
    };
    space.write("locked/file", "");
    set("locked", 0o500);
    let is_all_powerful = std::fs::write(space.root.join("locked/new"), "").is_ok();
    for (path, locked, free, arguments) in [
        ("pipeline.json", 0o000, 0o600, &["plan", "pipeline.json"][..]),
        ("test_workspace/.specs", 0o000, 0o700, &["specs", "list"]),
        ("test_workspace/.specs", 0o000, 0o700, &["plan", "pipeline.json"]),
        ("test_workspace/.specs/train_runtime_test_spec.json", 0o000, 0o600, &["specs", "show", "train"]),
        ("test_workspace", 0o500, 0o700, &["test-pipeline", "pipeline.json", "-q"]),
        ("locked", 0o500, 0o500, &["man", "locked"]),
        ("locked", 0o500, 0o500, &["man", "locked/below"]),
        ("locked", 0o500, 0o500, &["specs", "init", "pipeline.json", "--workspace-dir", "locked"]),
        ("locked", 0o500, 0o500, &["test-pipeline", "pipeline.json", "--report", "json=locked/r.json"]),
        ("locked", 0o500, 0o500, &["test-pipeline", "pipeline.json", "--events", "locked/e.jsonl"]),
    ] {
        set(path, locked);
        let outcome = space.run(arguments);
        set(path, free);
        if is_all_powerful {
            continue;
        }
        assert_eq!(outcome.status, Some(2), "{arguments:?}: {outcome:?}");
        let message = outcome.stderr;
        assert!(
            message.starts_with("error: ") && message.contains("Permission denied"),
            "{arguments:?}: {message}"
        );
        assert!(message.contains(path.rsplit('/').next().unwrap()), "{arguments:?}: {message}");
    }
    set("locked", 0o700);
}

#[test]
fn a_script_path_that_is_a_folder() {
    let space = Space::new();
    space.write(
        "test_workspace/.specs/clean_runtime_test_spec.json",
        r#"{"script_name": "clean", "step_name": "clean", "script_path": "data",
            "input_paths": {"in": "data/raw.csv"}, "output_paths": {"out": "output/rows.csv"}}"#,
    );
    let message = space.refused(&["test-pipeline", "pipeline.json"]);
    assert_eq!(
        message,
        "error: step `clean`: `script_path` `ROOT/data` is not a file: name the script itself"
    );
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text() {
    use std::os::unix::ffi::OsStrExt as _;

    let space = Space::new();
    let outcome = std::process::Command::new(env!("CARGO_BIN_EXE_runtime-testing"))
        .args([std::ffi::OsStr::new("test-script"), std::ffi::OsStr::from_bytes(b"cl\xffean")])
        .current_dir(&space.root)
        .output()
        .unwrap();
    assert_eq!(outcome.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&outcome.stderr).contains("UTF-8"));
}

#[test]
fn several_mistakes_are_reported_together() {
    let space = Space::new();
    space.write(
        "test_workspace/.specs/clean_runtime_test_spec.json",
        r#"{"script_name": "clean", "step_name": "clean", "imput_paths": {}, "environ_vars": {"A": 1}}"#,
    );
    std::fs::remove_file(space.root.join("test_workspace/.specs/train_runtime_test_spec.json")).unwrap();
    let message = space.refused(&["test-pipeline", "pipeline.json"]);
    for expected in
        ["`imput_paths`: unknown key; did you mean `input_paths`?", "`environ_vars.A`", "step `train`"]
    {
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn reports_in_the_place_of_what_is_the_users() {
    let space = Space::new();
    let script = "test_workspace/scripts/clean.py";
    for (target, why) in [
        ("pipeline.json", "it is the pipeline file"),
        (script, "it lies among the scripts"),
        ("test_workspace/.specs/clean_runtime_test_spec.json", "it lies among the specs"),
        ("data/raw.csv", "it is the input `in` of `clean`, or lies in it"),
        ("./data/../data/raw.csv", "it is the input `in` of `clean`, or lies in it"),
    ] {
        let before = std::fs::read(space.root.join(target)).unwrap();
        for option in ["--report", "--events"] {
            let file = if option == "--report" { format!("json={target}") } else { target.to_owned() };
            let message = space.refused(&["test-pipeline", "pipeline.json", option, &file]);
            assert_eq!(message, format!("error: `{target}` would be overwritten: {why}; name another file"));
        }
        assert_eq!(std::fs::read(space.root.join(target)).unwrap(), before);
    }
    #[cfg(unix)]
    {
        let is_refused = |path: &str, why: &str| {
            for option in
                [["--report".to_owned(), format!("json={path}")], ["--events".to_owned(), path.to_owned()]]
            {
                let message = space.refused(&["test-pipeline", "pipeline.json", &option[0], &option[1]]);
                assert!(message.contains(why), "{option:?}: {message}");
            }
        };
        std::os::unix::fs::symlink(script, space.root.join("link.json")).unwrap();
        is_refused("link.json", "it lies among the scripts");
        std::fs::hard_link(space.root.join(script), space.root.join("hard.json")).unwrap();
        is_refused("hard.json", "it lies among the scripts");
        // A script that is a link itself.
        std::fs::rename(space.root.join(script), space.root.join("elsewhere.py")).unwrap();
        std::os::unix::fs::symlink(space.root.join("elsewhere.py"), space.root.join(script)).unwrap();
        is_refused("elsewhere.py", "it lies among the scripts");
        is_refused("output/model.csv", "it is the output `out` of `train`");
        is_refused("test_workspace/.runs/times.json", "it lies among the tests that were made");
        is_refused("/dev/stdout", "name a file");
        is_refused("/dev/null", "it is a pipe or a device");
        std::os::unix::fs::symlink("nothing", space.root.join("nowhere")).unwrap();
        is_refused("nowhere", "it is a link to `ROOT/nothing`, which is not there");
    }
    // Scripts are found beside the folder of scripts, too.
    std::fs::rename(
        space.root.join("test_workspace/scripts/train.py"),
        space.root.join("test_workspace/train.py"),
    )
    .unwrap();
    let message =
        space.refused(&["test-pipeline", "pipeline.json", "--report", "json=test_workspace/train.py"]);
    assert!(message.contains("it is the script of `train`"), "{message}");
    let twice = ["test-pipeline", "pipeline.json", "--report", "json=out.json", "--events", "./out.json"];
    assert_eq!(space.refused(&twice), "error: two reports are to be written to `./out.json`");
}

#[test]
fn the_summary_of_a_job_in_the_place_of_what_is_the_users() {
    let space = Space::new();
    let mut command = space.command(&["test-pipeline", "pipeline.json"]);
    let outcome = Outcome::of(command.env("GITHUB_STEP_SUMMARY", "pipeline.json").spawn().unwrap());
    assert_eq!(outcome.status, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("it is the pipeline file"), "{outcome:?}");
    space.write("summary.md", "what others wrote\n");
    let mut command = space.command(&["test-pipeline", "pipeline.json", "--report", "markdown=./summary.md"]);
    let outcome = Outcome::of(command.env("GITHUB_STEP_SUMMARY", "summary.md").spawn().unwrap());
    assert_eq!(outcome.status, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("two reports are to be written to"), "{outcome:?}");
}

#[test]
fn names_that_control_a_terminal_are_shown_as_escapes() {
    let space = Space::new();
    space.write(
        "evil.json",
        "{\"nodes\": [\"a\"], \"edges\": [[\"a\", \"\\u001b[2Jb\"]], \"\\u001b]0;x\": 1}",
    );
    let message = space.refused(&["test-pipeline", "evil.json"]);
    assert!(message.contains("\\u{1b}") && !message.contains('\u{1b}'), "{message}");
}
